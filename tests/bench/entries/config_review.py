"""The review of two megabytes of YAML, drift included, against a script that only loads them."""

from __future__ import annotations

import sys
from pathlib import Path

from ..configuration_files import MATERIALS, WITHOUT_DENSITY, ConfigurationFiles, materials_path
from ..entry import Entry, Quantity, Side
from ..log_sides import SETTINGS, metrics
from ..process import Command, Outcome, run
from ..suite import inv

_SCRIPT = """\
import sys, yaml
with open(sys.argv[1], "rb") as file:
    print(len(yaml.load(file, yaml.CSafeLoader)["materials"]))
"""

_SETTINGS = {**SETTINGS, "INVOKE_MAINTENANCE_CONFIGURATION_REQUIRED_PROPERTIES": "density"}


def entry(scale: float) -> Entry:
    """Return the entry with texts of 40 paragraphs for each material, times *scale*."""
    files = ConfigurationFiles(max(round(40 * scale), 1))
    return Entry(
        name="config-review",
        about="review of two megabytes of YAML and comparison with the accepted state, against loading them",
        quantity=Quantity.TIME,
        bar=1.25,
        rounds=10,
        changes_input=False,
        ours=Side("inv monthly.config-review", files, _review, _problem, _accept),
        peer=Side("python with yaml.CSafeLoader", files, _load, _problem_of_peer),
        note="the script loads the file and counts; ours also finds what is missing, compares and writes its report.",
    )


def _review(project: Path) -> Command:
    return inv("monthly.config-review", root=project, settings=_SETTINGS)


def _load(project: Path) -> Command:
    return Command((sys.executable, "-c", _SCRIPT, str(materials_path(project))), project)


def _accept(project: Path) -> None:
    """Accept the state where that was not done yet, so that there is something to compare with."""
    if not (project / "logs" / "config_baseline.json").exists():
        run(inv("monthly.config-review", "--accept", root=project, settings=_SETTINGS))


def _problem(_project: Path, outcome: Outcome) -> str | None:
    found = metrics(outcome)
    if found["configuration.materials"] != MATERIALS:
        return f"counted {found['configuration.materials']:,} materials of {MATERIALS}"
    if found["configuration.drift"]:
        return "told drift where nothing changed"
    missing = found["configuration.missing_property"]
    return None if missing == WITHOUT_DENSITY else f"missed density in {missing} materials, not {WITHOUT_DENSITY}"


def _problem_of_peer(_project: Path, outcome: Outcome) -> str | None:
    return None if int(outcome.output) == MATERIALS else f"counted {outcome.output!r} of {MATERIALS}"
