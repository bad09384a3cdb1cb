"""The procedure: every configured file read once, then judged, compared with its baseline, and told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path, PurePosixPath
from threading import Event
from typing import Any

import msgspec

from ..core.report.model import Finding, Metric, Report, Status
from ..core.secrets.keys import FILE, Key
from ..core.settings.model import Settings
from ..core.text.formatting import count
from .components import component_findings, components
from .defaults import deviations
from .drift.drift_review import Flags, review_drift
from .drift.state import Present
from .environment import EXAMPLE, Variables, key_findings, read_variables, variable_findings
from .file_findings import file_findings, unknown_findings
from .inventory import Inventory, Reviewed, take
from .materials.catalogue import MATERIALS, catalogue
from .materials.material_findings import evaluate
from .secrecy import veil

_DEVIATIONS = 20


def run_review(
    settings: Settings,
    flags: Flags,
    *,
    keys: Mapping[str, Key],
    environ: Mapping[str, str],
    now: datetime,
    redact: Callable[[str], str],
    stop: Event,
    advance: Callable[[int], None],
) -> Report:
    """Review the project's configuration.

    Args:
        settings: the suite's.
        flags: how the procedure was called.
        keys: the keys that the project needs, by name.
        environ: the process's environment.
        now: the moment of the run.
        redact: takes secrets out of a text.
        stop: ends it between two steps where it is set.
        advance: told after each file.
    """
    root, configuration = Path(settings.root), settings.configuration
    inventory = take(root, configuration, stop, advance)
    own, example = read_variables(root, FILE), read_variables(root, EXAMPLE)
    if not inventory.present and not own.present and not example.present:
        return Report(summary="no configuration", findings=[*file_findings(inventory, redact)])
    expected = _materials_file(inventory)
    materials = evaluate(catalogue(inventory.files), configuration.required_properties, expected=expected)
    deviating = [*_deviations(inventory)]
    findings = [
        *file_findings(inventory, redact),
        *unknown_findings(inventory),
        *materials.findings,
        *component_findings(components(inventory, configuration.components)),
        *key_findings(keys, configuration.environment_keys),
        *variable_findings(own, example, environ),
        *_default_findings(deviating),
    ]
    report = Report(
        summary=_summary(inventory, materials.metrics),
        findings=findings,
        metrics=[Metric(name="configuration.files", value=len(inventory.present), unit="files"), *materials.metrics],
        data={**materials.data, **({"deviations": deviating[:_DEVIATIONS]} if deviating else {})},
    )
    if not stop.is_set() and inventory.present:
        drifted = review_drift(settings, *_states(inventory, own), flags, now=now, redact=redact)
        report = _together(report, drifted)
    return _cleaned(_by_file(report, inventory), redact)


def _materials_file(inventory: Inventory) -> str | None:
    """Return the file that by its name has materials, where it can be read."""
    named = (each for each in inventory.files if PurePosixPath(each.path).stem.casefold() == MATERIALS)
    return next((each.path for each in named if each.readable), None)


def _summary(inventory: Inventory, metrics: list[Metric]) -> str:
    numbers = [f"{count(len(inventory.present), 'file')} reviewed"]
    numbers += [count(int(each.value), "material") for each in metrics if each.name == "configuration.materials"]
    return ", ".join(numbers)


def _by_file(report: Report, inventory: Inventory) -> Report:
    """Return the report with the findings on one file beside each other, and how many are bad at its head."""
    names = [name for each in inventory.present for name in (each.path, each.found.asked)]
    places = {name: number for number, name in enumerate(dict.fromkeys([*names, FILE, EXAMPLE]))}

    def place(finding: Finding) -> int:
        return places.get(finding.subject, places.get(finding.subject.rpartition(" ")[0], len(places)))

    numbers = Counter(finding.status for finding in report.findings)
    counts = [f"{numbers[Status.CRITICAL]} critical"] if numbers[Status.CRITICAL] else []
    counts += [f"{numbers[Status.UNKNOWN]} unknown"] if numbers[Status.UNKNOWN] else []
    counts += [count(numbers[Status.WARNING], "warning")] if numbers[Status.WARNING] else []
    summary = ", ".join([report.summary, *counts])
    return msgspec.structs.replace(report, summary=summary, findings=sorted(report.findings, key=place))


def _together(report: Report, drifted: Report) -> Report:
    return Report(
        summary=f"{report.summary}, {drifted.summary}",
        findings=[*report.findings, *drifted.findings],
        metrics=[*report.metrics, *drifted.metrics],
        actions=drifted.actions,
        files=drifted.files,
        data={**drifted.data, **report.data},
    )


def _states(inventory: Inventory, own: Variables) -> tuple[list[Present], list[str]]:
    """Return the files to compare with the baseline, and the names of those that cannot be."""
    present = [Present(_name(each), each.path, each.value, each.text) for each in inventory.present if each.readable]
    unread = [_name(each) for each in inventory.present if not each.readable]
    if own.present and own.problem is None:
        present.append(Present(FILE, FILE, dict(own.values), "", secret=True))
    elif own.present:
        unread.append(FILE)
    return present, unread


def _name(each: Reviewed) -> str:
    """Return under which name a file is remembered: as the settings ask for it, whatever its case on disk."""
    return each.found.asked


def _deviations(inventory: Inventory) -> Iterator[dict[str, Any]]:
    for each in inventory.present:
        for found in deviations(each.value):
            yield {"file": each.path, "path": found.path, "value": found.value, "default": found.default}


def _default_findings(deviating: list[dict[str, Any]]) -> Iterator[Finding]:
    if deviating:
        number = len(deviating)
        yield Finding(
            check="configuration.defaults",
            subject="defaults",
            status=Status.OK,
            message=f"{count(number, 'value differs', 'values differ')} from the default declared beside.",
            value=number,
            unit="values",
        )


def _cleaned(report: Report, redact: Callable[[str], str]) -> Report:
    """Return the report without anything that looks like a secret, whatever way it came into it."""

    def cleaned(value: Any) -> Any:
        if isinstance(value, str):
            return veil(value, redact)
        if isinstance(value, list):
            return [cleaned(each) for each in value]
        return {key: cleaned(each) for key, each in value.items()} if isinstance(value, dict) else value

    findings = [
        msgspec.structs.replace(each, message=redact(each.message), subject=redact(each.subject))
        for each in report.findings
    ]
    return msgspec.structs.replace(report, findings=findings, data=cleaned(report.data))
