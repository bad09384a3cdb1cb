"""The benchmark runs, and its figures are of work that was really done."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.bench", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_small_clean_up_is_measured_and_verified(tmp_path: Path) -> None:
    done = bench("--only", "cache-cleanup", "--scale", "0.002", "--rounds", "1", "--folder", str(tmp_path))

    assert done.returncode in {0, 1}, done.stdout + done.stderr  # so small a scale says nothing about speed
    row = re.search(r"^cache-cleanup +\d\S* s +\d\S* s +(\d+\.\d+) .* (ok|OVER)$", done.stdout, re.MULTILINE)
    assert row, done.stdout
    assert float(row[1]) > 0
    assert "void" not in done.stdout.lower()
    assert list(tmp_path.iterdir()) == [], "inputs are left behind"


def test_the_list_names_every_entry_with_its_bar() -> None:
    done = bench("--list")

    assert done.returncode == 0, done.stderr
    bars = dict(re.findall(r"^(\S+) +(\d[\d.]*) ", done.stdout, re.MULTILINE))
    assert bars == {"cache-cleanup": "0.9", "cache-cleanup-memory": "1.1", "list": "1.3", "progress-cost": "1.02"}


def test_an_unknown_name_and_an_impossible_number_are_refused() -> None:
    assert bench("--only", "cache-cleanupp").returncode == 2
    assert bench("--rounds", "0").returncode == 2
    assert bench("--scale", "-1").returncode == 2
