"""The project's own record of what it generated: reading it, and judging it by the day and by the month."""
