"""The configuration review: every configured file is read once, evaluated, and compared with its baseline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path, PurePosixPath
from threading import Event
from typing import Any

import msgspec

from ..conventions.unused_defaults import Unused
from ..core.report.model import Finding, Metric, Report, Status
from ..core.secrets.keys import FILE, Key
from ..core.settings.model import Settings
from ..core.text.formatting import count
from .component_configuration import component_findings, find_components
from .config_files import ConfigFiles, ReviewedFile, read_config_files
from .default_deviations import deviations
from .drift.drift_acceptance import ConfigReviewFlags
from .drift.drift_review import review_drift
from .drift.file_drift import PresentFile
from .environment_variables import EXAMPLE, Variables, key_findings, read_variables, variable_findings
from .file_findings import file_findings, unknown_findings
from .materials.material_catalogue import MATERIALS, catalogue
from .materials.material_findings import evaluate
from .secret_values import without_secrets

_DEVIATIONS = 20


def run_review(
    settings: Settings,
    flags: ConfigReviewFlags,
    *,
    keys: Mapping[str, Key],
    environ: Mapping[str, str],
    now: datetime,
    redact: Callable[[str], str],
    stop: Event,
    advance: Callable[[int], None],
    unused: Unused | None = None,
    sought: str = "",
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
        advance: called after each file.
        unused: the keys that the project does not need.
        sought: what else was looked for, as a clause.
    """
    root, configuration = Path(settings.root), settings.configuration
    inventory = read_config_files(root, configuration, stop, advance)
    own, example = read_variables(root, FILE), read_variables(root, EXAMPLE)
    if not inventory.present and not own.present and not example.present:
        return Report(summary="no configuration", findings=[*file_findings(inventory, redact, sought)])
    expected = _materials_file(inventory)
    materials = evaluate(catalogue(inventory.files), configuration.required_properties, expected=expected)
    deviating = [*_deviations(inventory)]
    findings = [
        *file_findings(inventory, redact),
        *unknown_findings(inventory),
        *materials.findings,
        *component_findings(find_components(inventory, configuration.components)),
        *key_findings(keys, configuration.environment_keys),
        *([unused.finding("configuration.keys")] if unused else []),
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
        drifted = review_drift(settings, *_present_states(inventory, own), flags, now=now, redact=redact)
        report = _with_drift(report, drifted)
    return _without_secrets(_by_file(report, inventory), redact)


def _materials_file(inventory: ConfigFiles) -> str | None:
    """Return the file that by its name has materials, where it can be read."""
    named = (each for each in inventory.files if PurePosixPath(each.path).stem.casefold() == MATERIALS)
    return next((each.path for each in named if each.readable), None)


def _summary(inventory: ConfigFiles, metrics: list[Metric]) -> str:
    numbers = [f"{count(len(inventory.present), 'file')} reviewed"]
    numbers += [count(int(each.value), "material") for each in metrics if each.name == "configuration.materials"]
    return ", ".join(numbers)


def _by_file(report: Report, inventory: ConfigFiles) -> Report:
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


def _with_drift(report: Report, drifted: Report) -> Report:
    return Report(
        summary=f"{report.summary}, {drifted.summary}",
        findings=[*report.findings, *drifted.findings],
        metrics=[*report.metrics, *drifted.metrics],
        actions=drifted.actions,
        files=drifted.files,
        data={**drifted.data, **report.data},
    )


def _present_states(inventory: ConfigFiles, own: Variables) -> tuple[list[PresentFile], list[str]]:
    """Return the files to compare with the baseline, and the names of those that cannot be."""
    present = [
        PresentFile(_baseline_name(each), each.path, each.value, each.text)
        for each in inventory.present
        if each.readable
    ]
    unread = [_baseline_name(each) for each in inventory.present if not each.readable]
    if own.present and own.problem is None:
        present.append(PresentFile(FILE, FILE, dict(own.values), "", secret=True))
    elif own.present:
        unread.append(FILE)
    return present, unread


def _baseline_name(each: ReviewedFile) -> str:
    """Return the name of a file in the baseline: as the settings write it, without regard to its case on disk."""
    return each.found.asked


def _deviations(inventory: ConfigFiles) -> Iterator[dict[str, Any]]:
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


def _without_secrets(report: Report, redact: Callable[[str], str]) -> Report:
    """Return the report without anything that looks like a secret, from wherever it came."""

    def cleaned(value: Any) -> Any:
        if isinstance(value, str):
            return without_secrets(value, redact)
        if isinstance(value, list):
            return [cleaned(each) for each in value]
        return {key: cleaned(each) for key, each in value.items()} if isinstance(value, dict) else value

    findings = [
        msgspec.structs.replace(each, message=redact(each.message), subject=redact(each.subject))
        for each in report.findings
    ]
    return msgspec.structs.replace(report, findings=findings, data=cleaned(report.data))


def unreadable_files(settings: Settings, *, redact: Callable[[str], str], stop: Event) -> Report:
    """Read every configured file that is there, and report those that cannot be read; what is missing is no fault.

    Args:
        settings: the project's settings, ``root`` absolute.
        redact: takes secrets out of a text.
        stop: ends it between two files where it is set.
    """
    inventory = read_config_files(Path(settings.root), settings.configuration, stop, lambda _count: None)
    broken = [
        finding
        for finding in file_findings(inventory, redact)
        if finding.check == "configuration.readable" and finding.status.severity > Status.WARNING.severity
    ]
    return Report(summary=f"{count(len(inventory.present), 'configured file')} read", findings=broken)
