"""``release.checklist``: every gate asked, one verdict."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path, PurePosixPath
from threading import Event
from typing import Any, TypeAlias

from ..conventions.project_conventions import ProjectConventions
from ..conventions.stated_version import read_versions
from ..core.errors import UserError
from ..core.programs.interpreter import Interpreter
from ..core.programs.interrupt import deferred_interrupt
from ..core.report.model import Interrupted, Report
from ..core.report.reused_reports import Source, rows
from ..core.run.registry import own_files
from ..core.settings.model import GATES, ReleaseSettings, Settings, Severity
from ..core.text.formatting import printable
from .changelog import Changelog, read_changelog
from .gate import Answer, EvaluatedGate, Gate, GateResult, finding, summary, verdict
from .gates.command_gates import LINTERS_GATE, TESTS_GATE, evaluate_linters, evaluate_tests
from .gates.maintenance_gate import MAINTENANCE_GATE, MaintenanceState, evaluate_maintenance
from .gates.repository_gates import BRANCH_GATE, TREE_GATE, evaluate_branch, evaluate_tree
from .gates.version_gate import VERSION_GATE, ReleaseFacts, evaluate_version, version_to_release
from .project_commands import Command, commands_for_linting, commands_for_tests, environment, run_command
from .release_repository import NoRepository, Repository, last_release, read_repository
from .release_tags import tag_rule
from .report_gate import DISK, ERRORS, ReportGate, evaluate

TASK = "release.checklist"

OWN = (
    TREE_GATE,
    BRANCH_GATE,
    VERSION_GATE,
    TESTS_GATE,
    LINTERS_GATE,
    ERRORS.gate,
    DISK.gate,
    MAINTENANCE_GATE,
)
"""The gates that the checklist itself answers."""

_ALONE = "daily.health-check"
"""It measures the processors and how fast providers answer, so nothing else runs beside it."""

_COMMANDS = (TESTS_GATE.name, LINTERS_GATE.name)

_TICK = 0.25
"""Seconds after which progress is reported again while a command runs."""

_STOPPED = GateResult(Answer.NOT_CHECKED, "It was told to stop before this was looked at.", "Run it again.")

_log = logging.getLogger(__name__)


Measure: TypeAlias = Callable[[str, Callable[[Source], bool]], Source]
"""Returns the report of a procedure, by its full name: a fresh one that can be used, or else by running it."""


@dataclass(frozen=True)
class Ports:
    """Where the answers come from.

    Attributes:
        measure: returns the reports of other procedures.
        report_gates: the gates that these reports answer.
        errors: reports on the critical errors that have begun since a moment.
        room: reports on memory and disks as they are now.
        maintenance: what is overdue and what never ran; ``None`` where nobody knows.
        conventions: how the project works by its own files.
        is_set: tells by the name of a setting of the checklist whether it is set, and not only the default.
        interpreter: that of the project's environment.
        environ: the environment of this process.
        redact: takes secrets out of a text.
    """

    measure: Measure
    report_gates: Sequence[ReportGate]
    errors: Callable[[datetime | None, Event], Report]
    room: Callable[[], Report]
    maintenance: MaintenanceState | None
    conventions: ProjectConventions
    is_set: Callable[[str], bool]
    interpreter: Interpreter
    environ: Mapping[str, str]
    redact: Callable[[str], str]


def check(
    settings: Settings,
    ports: Ports,
    *,
    skip: Sequence[str] = (),
    reason: str = "",
    now: datetime,
    advance: Callable[[int], None],
    dry_run: bool,
) -> Report:
    """Ask every gate, those that do not depend on each other at the same time, and return the verdict.

    The project's lock is not held: its tests may take long, and may run procedures themselves.

    Args:
        settings: the project's, ``root`` absolute.
        ports: where the answers come from.
        skip: gates that are left out this time.
        reason: why.
        now: the moment of the run, aware of its zone.
        advance: called with the number of new answers, several times a second while commands run.
        dry_run: run none of the project's commands.

    Raises:
        Interrupted: Ctrl-C; it carries the report of what was known by then.
    """
    root, own = Path(settings.root), settings.release
    gates = _in_order([*OWN, *(each.gate for each in ports.report_gates)])
    results = {
        each.name: GateResult(Answer.SKIPPED, "Left out by maintenance.release.gates.")
        for each in gates
        if _severity(each, own) == "skip"
    } | {name: GateResult(Answer.SKIPPED, f"Left out by --skip: {printable(reason)}") for name in skip}
    # Before anything runs that may write into the tree.
    facts = _facts(settings, ports)
    with deferred_interrupt() as stop:
        questions = {
            name: question
            for name, question in _questions(settings, ports, facts, now, stop, dry_run=dry_run).items()
            if name not in results
        }
        takers = [each for each in ports.report_gates if each.gate.name not in results]
        commands = {name: questions.pop(name) for name in _COMMANDS if name in questions}
        results |= {name: _answered(name, question) for name, question in questions.items()}
        measured = partial(_measured, ports=ports, repository=facts.repository, now=now, stop=stop, dry_run=dry_run)
        sources = measured([each for each in takers if each.procedure == _ALONE])
        with _side_by_side(commands, stop, advance) as answers:
            sources |= measured([each for each in takers if each.procedure != _ALONE])
            results |= answers()
        if commands and not dry_run and "tree" in questions:
            results["tree"] = _looked_again(results["tree"], facts.repository, root, settings)
    results |= {each.gate.name: evaluate(each, sources[each.procedure]) for each in takers if each.procedure in sources}
    evaluated = [EvaluatedGate(each, _severity(each, own), results.get(each.name, _STOPPED)) for each in gates]
    advance(len(evaluated))
    report = _report(facts, evaluated, sources, dry_run=dry_run)
    if stop.is_set():
        raise Interrupted(report)
    return report


def _facts(settings: Settings, ports: Ports) -> ReleaseFacts:
    """Return what is known of the release: by the settings where they say where it stands, else by the project."""
    root, own, conventions = Path(settings.root), settings.release, ports.conventions
    repository = read_repository(root)
    if ports.is_set("changelog"):
        changelog = read_changelog(root, own.changelog)
    elif found := conventions.changelog.value:
        changelog = read_changelog(root, found.path, found.fragments)
    else:
        changelog = Changelog()
    return ReleaseFacts(
        read_versions(root, own.version_files, is_kept(settings)) if own.version_files else conventions.stated_versions,
        changelog,
        repository,
        tag_rule(
            conventions.tags,
            conventions.distributions,
            prefix=own.tag_prefix if ports.is_set("tag_prefix") else None,
            is_part=isinstance(repository, Repository) and bool(repository.folder),
        ),
    )


def _in_order(gates: Sequence[Gate]) -> list[Gate]:
    """Return the gates in the order of the report: the suite's, then those of the user's own procedures."""
    return sorted(gates, key=lambda each: GATES.index(each.name) if each.name in GATES else len(GATES))


def _severity(gate: Gate, own: ReleaseSettings) -> Severity:
    """Return what a gate's no means: by the settings; a gate of the user's own procedures blocks by default."""
    return own.gates.get(gate.name, "skip" if gate.name in GATES else "block")


def _looked_again(
    before: GateResult, repository: Repository | NoRepository, root: Path, settings: Settings
) -> GateResult:
    """Return what the tree is like once the project's commands have run, where it was as it should be before."""
    after = read_repository(root)
    again = evaluate_tree(after, is_kept(settings))
    moved = isinstance(after, Repository) and isinstance(repository, Repository) and after.head != repository.head
    if before.answer is not Answer.GO or (again.answer is Answer.GO and not moved):
        return before
    reason = "HEAD is another commit now." if again.answer is Answer.GO else again.reason
    return GateResult(
        Answer.NO_GO,
        f"It was committed, until the tests and linters ran: {reason}",
        "Have them write to ignored files only; git status shows what they left.",
    )


def is_kept(settings: Settings) -> Callable[[str], bool]:
    """Return what tells, by path, that a file is the suite's own or in a folder of logs, cache or backups."""
    own = own_files(settings)
    folders = (settings.logs.directory, settings.cache.directory, settings.backups.directory)
    return lambda path: own.owns(path) or any(PurePosixPath(path).is_relative_to(folder) for folder in folders)


def _questions(
    settings: Settings, ports: Ports, facts: ReleaseFacts, now: datetime, stop: Event, *, dry_run: bool
) -> dict[str, Callable[[], GateResult]]:
    """Return how the gates are asked that take nothing over from other procedures."""
    root, own = Path(settings.root), settings.release
    last = None
    if isinstance(facts.repository, Repository):
        last = last_release(facts.repository, facts.tags)
    since = last.tag.created if last else None
    environ = environment(ports.interpreter.python, ports.environ)

    def run(command: Command) -> GateResult:
        return run_command(
            command,
            root,
            environ=environ,
            deadline_seconds=own.deadline_seconds,
            redact=ports.redact,
            stop=stop,
        )

    carry = None if dry_run else run
    return {
        "tree": lambda: evaluate_tree(facts.repository, is_kept(settings)),
        "branch": lambda: evaluate_branch(facts.repository, own.branches),
        "version": lambda: evaluate_version(facts),
        "errors": lambda: evaluate(ERRORS, Source(ports.errors(since, stop), now, reused=False)),
        "disk": lambda: evaluate(DISK, Source(ports.room(), now, reused=False)),
        "maintenance": lambda: evaluate_maintenance(ports.maintenance),
        "tests": lambda: evaluate_tests(commands_for_tests(own, ports.conventions), ports.interpreter, carry),
        "linters": lambda: evaluate_linters(commands_for_linting(own, ports.conventions), carry),
    }


def _answered(name: str, question: Callable[[], GateResult]) -> GateResult:
    """Ask one gate; an exception is its answer, and keeps none of the others from answering."""
    try:
        return question()
    except UserError as error:
        return GateResult(Answer.NOT_CHECKED, str(error))
    except Exception as error:  # noqa: BLE001 - the other gates go on, and the finding tells of it
        _log.debug("%s failed", name, exc_info=error)
        message = printable(" ".join(f"{type(error).__name__}: {error}".split()))
        remedy = f"Run inv --debug {TASK} to see where; please report it if it is a fault of the suite."
        return GateResult(Answer.NOT_CHECKED, message, remedy)


def _measured(
    takers: Sequence[ReportGate],
    *,
    ports: Ports,
    repository: Repository | NoRepository,
    now: datetime,
    stop: Event,
    dry_run: bool,
) -> dict[str, Source]:
    """Return the reports that answer these gates, by procedure; none that had not started when *stop* was set.

    A fresh report is used where by it the gates do not stop the release: what it found against one may have been
    mended since. A dry run, which could measure less, takes it as it is.
    """
    sources: dict[str, Source] = {}
    for procedure in dict.fromkeys(each.procedure for each in takers):
        gates = [each for each in takers if each.procedure == procedure]

        def usable(source: Source, gates: Sequence[ReportGate] = gates) -> bool:
            if any(each.of_commit for each in gates) and _is_older(source, repository):
                return False
            return dry_run or all(evaluate(each, source).answer in {Answer.GO, Answer.SKIPPED} for each in gates)

        if not stop.is_set():
            try:
                sources[procedure] = ports.measure(procedure, usable)
            except Interrupted as stopped:  # meanwhile Ctrl-C was its to notice
                stop.set()
                sources[procedure] = Source(stopped.report, now, reused=False)
    return sources


def _is_older(source: Source, repository: Repository | NoRepository) -> bool:
    """Tell whether a report is from before the commit at hand."""
    return (
        isinstance(repository, Repository)
        and repository.committed is not None
        and source.measured < repository.committed
    )


@contextmanager
def _side_by_side(
    questions: Mapping[str, Callable[[], GateResult]], stop: Event, advance: Callable[[int], None]
) -> Iterator[Callable[[], dict[str, GateResult]]]:
    """Ask gates in threads while the body does something else; what is given waits for their answers."""
    if not questions:
        yield dict
        return
    with ThreadPoolExecutor(len(questions)) as pool:
        running: dict[str, Future[GateResult]] = {
            name: pool.submit(_answered, name, question) for name, question in questions.items()
        }

        def answers() -> dict[str, GateResult]:
            pending = {*running.values()}
            while pending:
                _, pending = wait(pending, _TICK, FIRST_COMPLETED)
                advance(0)
            return {name: each.result() for name, each in running.items()}

        try:
            yield answers
        except BaseException:
            stop.set()  # or the pool would wait for the commands
            raise


def _report(
    facts: ReleaseFacts,
    evaluated: Sequence[EvaluatedGate],
    sources: Mapping[str, Source],
    *,
    dry_run: bool,
) -> Report:
    repository = facts.repository
    to_release = version_to_release(facts)
    known = repository if isinstance(repository, Repository) else None
    data: dict[str, Any] = {
        "verdict": verdict(evaluated).value,
        "version": str(to_release) if to_release else None,
        "commit": known.head if known else None,
        "branch": printable(known.branch) if known else None,
        "gates": {
            each.gate.name: {
                "title": each.gate.title,
                "severity": each.severity,
                "answer": each.result.answer.value,
                "reason": each.result.reason,
            }
            for each in evaluated
        },
        **({"sources": rows(sources)} if sources else {}),
    }
    return Report(
        summary=summary(evaluated, str(to_release or "")),
        dry_run=dry_run,
        findings=[finding(each) for each in evaluated],
        data=data,
    )
