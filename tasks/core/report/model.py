"""What a procedure returns: findings, metrics, actions and files, with one status for all of them.

The types are the JSON document of the README's section "JSON": what is encoded here is what other
programs read, and :func:`schema` describes it to them.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from ..text.formatting import printable

SCHEMA_VERSION = 1
"""Raised when a field changes its meaning or goes away; a new field does not raise it."""

Moment: TypeAlias = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
"""A moment in ISO 8601 with its offset from UTC."""

Scalar: TypeAlias = bool | int | float | str | None


class Status(Enum):
    """The judgement of a check, in the order of its severity: a later member is worse.

    ``unknown`` is worse than ``warning`` because nobody can tell what it hides, and ``skipped`` (does not
    apply) is below ``ok``: what is skipped as a whole is that of which nothing applied.
    """

    SKIPPED = "skipped"
    OK = "ok"
    WARNING = "warning"
    UNKNOWN = "unknown"
    CRITICAL = "critical"

    @property
    def severity(self) -> int:
        """The place in the order of severity, from 0 (skipped) to 4 (critical)."""
        return _SEVERITY[self]


_SEVERITY = {status: place for place, status in enumerate(Status)}

FailOn: TypeAlias = Literal["warning", "unknown", "critical", "never"]

_EXIT_STATUS = {Status.WARNING: 1, Status.CRITICAL: 2, Status.UNKNOWN: 3}


def worst(statuses: Iterable[Status]) -> Status:
    """Return the most severe of *statuses*; ok where there are none."""
    return max(statuses, key=lambda status: status.severity, default=Status.OK)


def exit_status(status: Status, fail_on: FailOn) -> int:
    """Return the process's exit status for a run that ended with *status*.

    The numbers are those of the Monitoring Plugins convention: 0 ok, 1 warning, 2 critical, 3 unknown.
    Whatever is less severe than *fail_on* becomes 0.
    """
    if fail_on == "never" or status.severity < Status(fail_on).severity:
        return 0
    return _EXIT_STATUS[status]


LOCKED_OUT = "run.lock"
"""The check of a procedure that another run kept out."""

FOREIGN_PROJECT = "run.owner"
"""The check of a procedure that root was not let run, for another user can write in the project."""

INCOMPLETE = frozenset({"run.error", "run.interrupted"})
"""The checks of a procedure, or of a part of one, that did not come to its end."""


SHARED_CHECKS = frozenset(
    {LOCKED_OUT, FOREIGN_PROJECT, *INCOMPLETE, "run.stamp", "run.stopped", "run.declaration", "run.timezone"}
)
"""The checks that any procedure's report can have; no declaration names them."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One evaluated fact.

    Attributes:
        check: the identifier of the check, ``domain.what``, stable between versions.
        subject: what was evaluated: a path below the root, a provider, a package.
        status: the judgement.
        message: one sentence for people.
        value: what was measured, in *unit*; ``None`` where nothing was.
        unit: the unit of *value* and of both thresholds.
        warning: the threshold of a warning, where the check has one.
        critical: the threshold of critical, where the check has one.
        remedy: what to do about it; ``None`` where there is nothing to do.
        excerpt: the line of a file that it is about and a caret below the place, as compilers show them, or the last
            lines that a program said; left out of the document where there is none.
    """

    check: str
    subject: str
    status: Status
    message: str
    value: Scalar = None
    unit: str | None = None
    warning: Scalar = None
    critical: Scalar = None
    remedy: str | None = None
    excerpt: str | msgspec.UnsetType = msgspec.UNSET


class Metric(msgspec.Struct, frozen=True, kw_only=True):
    """One measured number, not evaluated: *value* in *unit* (``B``, ``files``, ``s``) for *subject*."""

    name: str
    value: float | int
    unit: str
    subject: str | None = None


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of change made to one target.

    Attributes:
        verb: what is done: ``delete``, ``move``, ``create``, ``remove``, ``write``.
        target: the path below the root that changes.
        count: how many entries it touches.
        bytes: their size in bytes before the change.
        done: False in a dry run, which lists what a run would do.
    """

    verb: str
    target: str
    count: int = 1
    bytes: int = 0
    done: bool = True


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What one procedure found, measured and did.

    A procedure fills in what it knows; the runner adds which task it was, when and how long.

    Attributes:
        task: the task's full name, ``weekly.cache-cleanup``.
        status: the worst status among the findings; ok where there are none. It cannot be set apart.
        summary: one line for people.
        started: when the procedure began, with its offset from UTC.
        duration_seconds: wall-clock time taken, in seconds.
        dry_run: True where every action is only planned.
        findings: the evaluated facts.
        metrics: the measured numbers.
        actions: the changes, made or planned.
        files: report files written, as paths below the root.
        data: further values that the task reports. A list of records is shown as a table in text.
    """

    task: str = ""
    status: Status = Status.OK
    summary: str
    started: Moment | None = None
    duration_seconds: float = 0.0
    dry_run: bool = False
    findings: list[Finding] = []
    metrics: list[Metric] = []
    actions: list[Action] = []
    files: list[str] = []
    data: dict[str, Any] = {}

    def __post_init__(self) -> None:
        status = worst(finding.status for finding in self.findings)
        msgspec.structs.force_setattr(self, "status", status)


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """The document of one run: every report and the worst of their statuses.

    Attributes:
        schema: the version of this document's shape.
        root: the absolute path of the project.
        started: when the run began, with its offset from UTC.
        duration_seconds: wall-clock time taken, in seconds.
        status: the worst status among the reports; it cannot be set apart.
        reports: one per procedure, in the order in which they ran.
    """

    schema: int = SCHEMA_VERSION
    root: str
    started: Moment
    duration_seconds: float
    status: Status = Status.OK
    reports: list[Report]

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "status", worst(report.status for report in self.reports))


class Interrupted(KeyboardInterrupt):
    """Ctrl-C came while a procedure worked; *report* says what it had done by then."""

    def __init__(self, report: Report) -> None:
        super().__init__(report.summary)
        self.report = report


def encode(document: RunReport) -> bytes:
    r"""Return *document* as one line of JSON in UTF-8; bytes of a name that are no UTF-8 as ``\xNN``."""
    try:
        return msgspec.json.encode(document)
    except UnicodeEncodeError:
        return msgspec.json.encode(readable(msgspec.to_builtins(document)))


def readable(value: Any) -> Any:
    """Return built-in values with every text in them as valid UTF-8."""
    if isinstance(value, str):
        return value if value.isascii() else printable(value)
    if isinstance(value, dict):
        return {readable(key): readable(item) for key, item in value.items()}
    return [readable(item) for item in value] if isinstance(value, list | tuple) else value


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of :class:`RunReport`."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(RunReport)}
