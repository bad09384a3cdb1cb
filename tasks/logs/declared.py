"""What several procedures declare of logs: ids of checks and files. Imported whenever ``inv`` starts."""

READING = ("logs.folder", "logs.refused", "logs.unreadable")
"""What every reader of the log folder can report."""

ROTATION = (
    *READING,
    "logs.archive-corrupt",
    "logs.expired",
    "logs.in-use",
    "logs.interrupted",
    "logs.recovered",
    "logs.rotated",
    "logs.rotation-failed",
)
"""What every procedure that rotates logs can report."""

ROTATION_FILES = ("{logs}/archive/**",)
"""What every procedure that rotates logs writes."""
