"""The analysis of a million generation records against a script that loads them and computes the means."""

from __future__ import annotations

import json
import math
import shutil
import sys
from pathlib import Path

from ..entry import Entry, Quantity, Side
from ..generation_records_file import COMPONENTS, GenerationRecords, made, record_path
from ..log_sides import SETTINGS, metrics
from ..process import Command, Outcome
from ..suite import inv

_SCRIPT = """\
import json
import sys
from collections import defaultdict
from datetime import datetime, timedelta

now = datetime.now()
month = now - timedelta(days=30)
before = now - timedelta(days=60)
groups = defaultdict(list)
with open(sys.argv[1]) as file:
    entries = json.load(file)
for entry in entries:
    when = datetime.fromisoformat(entry["timestamp"])
    if when >= before:
        groups[entry["component"], when >= month].append((entry["duration"], entry["success"]))
rows = []
for (component, recent), found in sorted(groups.items()):
    mean = sum(duration for duration, _ in found) / len(found)
    rows.append([component, recent, len(found), mean, sum(success for _, success in found) / len(found)])
print(json.dumps(rows))
"""


def entry(scale: float) -> Entry:
    """Return the entry with a million records times *scale*."""
    records = GenerationRecords.scaled(1_000_000, scale)
    return Entry(
        name="generation-records",
        about="a million generation records: two months by component, against json.load and fromisoformat",
        quantity=Quantity.TIME,
        bar=1 / 3,
        rounds=5,
        changes_input=False,
        ours=Side("inv monthly.performance-analysis", records, _analyse, _problem, _forget),
        peer=Side("python with json.load", records, _load, _problem_of_peer),
        note="ours also finds medians and 95th percentiles; the script only means.",
    )


def _analyse(project: Path) -> Command:
    return inv("monthly.performance-analysis", root=project, settings=SETTINGS)


def _load(project: Path) -> Command:
    return Command((sys.executable, "-c", _SCRIPT, record_path(project)), project)


def _forget(project: Path) -> None:
    """Take away the report of the last run."""
    shutil.rmtree(project / "logs" / "monthly_reports", ignore_errors=True)


def _problem(project: Path, outcome: Outcome) -> str | None:
    found, expected = metrics(outcome), made(project)
    for name, number in (
        ("generation.count", expected.number),
        ("generation.mean", expected.seconds / expected.number),
        ("generation.success_rate", expected.succeeded / expected.number),
    ):
        if not math.isclose(found[name], number, abs_tol=0.001):
            return f"told {found[name]:,} for {name} where there are {number:,}"
    return None


def _problem_of_peer(project: Path, outcome: Outcome) -> str | None:
    rows = [row for row in json.loads(outcome.output) if row[1]]
    found, expected = sum(row[2] for row in rows), made(project).number
    if [row[0] for row in rows] != list(COMPONENTS):
        return "did not find every component"
    return None if found == expected else f"counted {found:,} of {expected:,}"
