"""What is wrong with the record as findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..core.report.model import Finding, Report, Status
from ..core.text.formatting import count, duration
from .entry_times import AHEAD
from .generation_records import Records
from .generation_tally import LONGEST, NONE, Fault

CHECK = "generation.records"

_OUT = "left out"
_UNTIMED = "left out of the times"

_SENTENCES = {
    Fault.NO_OBJECT: ("other than a JSON object", _OUT),
    Fault.NO_TIME: ("without a timestamp", _OUT),
    Fault.BAD_TIME: ("whose timestamp is no time", _OUT),
    Fault.FUTURE: (f"dated more than {duration(AHEAD)} in the future", _OUT),
    Fault.NO_COMPONENT: ("without a component", f"counted as {NONE}"),
    Fault.NO_DURATION: ("without a duration", _UNTIMED),
    Fault.NEGATIVE_DURATION: ("with a negative duration", _UNTIMED),
    Fault.IMPOSSIBLE_DURATION: (f"with a duration that is not finite or exceeds {LONGEST:,.0f} s", _UNTIMED),
    Fault.BAD_DURATION: ("whose duration is no number", _UNTIMED),
    Fault.NO_SUCCESS: ("without success: true or false", "left out of the success rate"),
    Fault.BAD_SUCCESS: ("whose success is neither true nor false", "left out of the success rate"),
}

_REMEDIES = {
    Fault.DAMAGED: "Look at that place, and see that a single process writes the file.",
    Fault.FUTURE: "Check the clock (date) of the machine that writes the record, and the zone of its times.",
}

_REMEDY = "Correct what the project writes there: timestamp (ISO 8601), component, duration (seconds), success."


def unusable(records: Records, subject: str, redact: Callable[[str], str]) -> Report | None:
    """Return the report on a record without entries: none there, or none to be read; ``None`` where it has some."""
    if records.problem:
        remedy = "See what wrote it and that it can be read, or correct maintenance.generation.file."
        return Report(
            summary="the generations could not be read",
            findings=[
                Finding(check=CHECK, subject=subject, status=Status.UNKNOWN, message=records.problem, remedy=remedy)
            ],
        )
    if records.absent:
        return Report(
            summary="no generations recorded",
            findings=[Finding(check=CHECK, subject=subject, status=Status.SKIPPED, message=records.absent)],
        )
    tally = records.tally
    if tally.faults.keys() - {Fault.FUTURE} and not (tally.groups or tally.earlier):
        findings = [*faults(records, subject, redact)]
        text = f"{subject} holds no entry that can be used."
        unknown = Finding(check=CHECK, subject=subject, status=Status.UNKNOWN, message=text, remedy=_REMEDY)
        return Report(summary="the generations could not be read", findings=[unknown, *findings])
    return None


def faults(records: Records, subject: str, redact: Callable[[str], str]) -> Iterator[Finding]:
    """Yield a warning for each kind of fault in the entries, and for an end that is missing."""
    if records.truncated:
        yield _warning(
            subject,
            f"{subject} ends in the middle; the entries up to there count. Its writer was ended, or is at work.",
            1,
            "Let the project write a temporary file and rename it, or one entry on each line.",
        )
    for fault in Fault:
        noted = records.tally.faults.get(fault)
        if noted is None:
            continue
        number = noted.count
        if fault is Fault.DAMAGED:
            what = count(number, "damaged stretch", "damaged stretches")
            text = f"{what} passed over, the first at {noted.example}; the entries around count."
        else:
            which, consequence = _SENTENCES[fault]
            example = f"for example {redact(noted.example)}"
            text = f"{count(number, 'entry', 'entries')} {which} {consequence}, {example}."
        yield _warning(subject, text, number, _REMEDIES.get(fault, _REMEDY))


def _warning(subject: str, message: str, value: int, remedy: str) -> Finding:
    return Finding(
        check=CHECK,
        subject=subject,
        status=Status.WARNING,
        message=message,
        value=value,
        unit="entries",
        remedy=remedy,
    )
