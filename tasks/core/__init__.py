"""What every procedure shares: settings, report, runner, console, safe files. Knows no domain."""
