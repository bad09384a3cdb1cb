"""The one test command: ``python -m tests.check`` from the folder of the repository.

Runs the linter, the formatter's check, the type checker, the import contracts and the tests with their
coverage, all of them whatever the others find, and ends with 1 where one of them failed.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from pathlib import Path

_BIN = Path(sys.executable).parent

_COMMANDS = (
    "ruff check .",
    "ruff format --check .",
    "mypy tasks tests",
    "mypy tasks.py",
    "lint-imports",
    "pytest --numprocesses 2 --cov --cov-report=term",
)


def main() -> int:
    """Run every command and return the exit status."""
    failed = []
    for command in _COMMANDS:
        print(f"\n$ {command}", flush=True)
        program, *arguments = shlex.split(command)
        started = time.monotonic()
        status = subprocess.run([_BIN / program, *arguments], check=False).returncode
        print(f"  ended with {status} after {time.monotonic() - started:.1f} s", flush=True)
        if status:
            failed.append(command)
    print(f"\n{'failed: ' + ', '.join(failed) if failed else 'all is well'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
