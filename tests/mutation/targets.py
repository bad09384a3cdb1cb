"""The modules that decide, and the tests that decide each of them."""

from __future__ import annotations

from collections.abc import Mapping

TARGETS: Mapping[str, tuple[str, ...]] = {
    "tasks/backups/archive_reading.py": ("tests/backups/test_archive.py",),
    "tasks/backups/archive_writing.py": ("tests/backups/test_archive.py",),
    "tasks/cache/sweep.py": (
        "tests/cache/test_cache_sweep.py",
        "tests/cache/test_cache_cleanup.py",
    ),
    "tasks/capacity/forecast.py": ("tests/capacity/test_forecast.py",),
    "tasks/configuration/drift/comparison.py": ("tests/configuration/drift/test_comparison.py",),
    "tasks/core/files/safe_files.py": ("tests/core/files/test_safe_files.py",),
    "tasks/core/report/model.py": ("tests/core/report/test_report.py",),
    "tasks/core/run/cadence.py": ("tests/core/run/test_cadence.py",),
    "tasks/dependencies/planning.py": (
        "tests/dependencies/test_package_assessment.py",
        "tests/dependencies/requirements/test_uv_project.py",
    ),
    "tasks/generation/comparison.py": ("tests/generation/test_generation_months.py",),
    "tasks/generation/generation_records.py": (
        "tests/generation/test_generation_records.py",
        "tests/generation/test_damaged_records.py",
        "tests/generation/test_record_layout.py",
    ),
    "tasks/logs/reading/log_records.py": (
        "tests/logs/reading/test_log_records.py",
        "tests/logs/reading/test_uncaught_tracebacks.py",
        "tests/logs/reading/test_log_stream.py",
    ),
    "tasks/logs/rotation/releasing.py": (
        "tests/logs/rotation/test_rotate_file.py",
        "tests/logs/rotation/test_rotation_recovery.py",
    ),
}
"""Tests that need other processes decide nothing here: a mutant lives in the process of the tests alone."""

NOT_RECORDED_YET: frozenset[str] = frozenset()
"""Modules whose first check is still to be made; of every other one, a record that is missing is a failure."""
