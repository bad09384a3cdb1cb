from __future__ import annotations

import errno
import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import invoke
import msgspec
import pytest
from invoke import Call, Collection, Config, Context, Executor, Exit, Task, task

from tasks.core.errors import SettingsError, UsageError, UserError
from tasks.core.files.lock import LockedByOther
from tasks.core.output.console import Page
from tasks.core.report.model import Finding, Interrupted, Report, RunReport, Status
from tasks.core.run.context import Run
from tasks.core.run.execution import RunCache, execute
from tasks.core.run.procedure import Procedure, procedure
from tasks.core.run.runner import INTERRUPTED, MaintenanceExecutor, Session, run_alone
from tasks.core.settings.loading import Loaded
from tasks.core.settings.model import Settings

FAULTS: dict[str, Callable[[], BaseException]] = {
    "exception": lambda: RuntimeError("first line\nsecond line"),
    "user error": lambda: UserError("Put it right."),
    "held": lambda: LockedByOther("weekly.x is changing this project."),
    "disk full": lambda: OSError(errno.ENOSPC, "No space left on device", "logs/report.json"),
    "exit": lambda: Exit("enough", code=0),
    "sys.exit": lambda: SystemExit(0),
    "assertion": AssertionError,
    "recursion": RecursionError,
    "control": lambda: ValueError("\x1b[2J\u202e"),
}


def _whole_number(_settings: Settings, text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        raise UsageError(f"--number takes a whole number; got {text!r}.") from None


class _Namespace:
    """The tasks below in a collection of a project, and how they were called."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.contexts: list[Context] = []
        self.runs: list[Run] = []
        self.collection = Collection(
            foreign,
            weekly=Collection(
                *(good, options, bad, faulty, stopped, broken, interrupted, names, optional_words, printing),
                *(every, after_printing, by_position, without_argument, whole),
            ),
        )

    def __getitem__(self, name: str) -> Procedure:
        found = self.collection[f"weekly.{name}"]
        assert isinstance(found, Procedure)
        return found

    def report(self, name: str, run: Run, **arguments: Any) -> Report:
        self.calls.append((name, arguments))
        self.runs.append(run)
        return Report(summary=f"{name} has run")


@procedure()
def good(run: Run) -> Report:
    return _current().report("good", run)


@procedure(iterable=["kind"], converters={"number": _whole_number})
def options(
    run: Run,
    dry_run: bool = False,  # noqa: FBT001, FBT002 - Invoke makes a flag of it
    kind: Sequence[str] | None = None,
    number: str | None = None,
) -> Report:
    return _current().report("options", run, dry_run=dry_run, kind=kind, number=number)


@procedure()
def whole(
    run: Run,
    part: str = "options",
    number: str | None = None,
    again: bool = False,  # noqa: FBT001, FBT002 - Invoke makes a flag of it
) -> Report:
    """Perform another procedure as a part of itself."""
    namespace = _current()
    arguments = {} if number is None else {"number": number}
    found = run.execute(namespace[part].definition, arguments, dry=run.dry, again=again)
    return Report(summary=f"whole of {found.summary}", findings=found.findings)


@procedure()
def bad(run: Run, status: str = "critical") -> Report:
    report = _current().report("bad", run, status=status)
    finding = Finding(check="a.b", subject="c", status=Status(status), message="d")
    return Report(summary=report.summary, findings=[finding])


@procedure()
def faulty(run: Run, kind: str) -> Report:
    _current().report("faulty", run, kind=kind)
    error = FAULTS[kind]()
    raise error


@procedure()
def stopped(run: Run, half: bool = False) -> Report:  # noqa: FBT001, FBT002 - Invoke makes a flag of it
    _current().report("stopped", run)
    if half:
        raise Interrupted(Report(summary="half of it"))
    raise KeyboardInterrupt


@task
def foreign(context: Context, word: str = "none") -> str:
    _current().calls.append(("foreign", {"word": word}))
    _current().contexts.append(context)
    return f"returned {word}"


@task
def broken(_context: Context) -> None:
    raise LookupError("a task of the user's own")


@task
def interrupted(_context: Context) -> None:
    raise KeyboardInterrupt


@task(iterable=["names"])
def names(_context: Context, names: list[str]) -> None:
    _current().calls.append(("names", {"names": names}))


@task(iterable=["words"])
def optional_words(_context: Context, words: list[str] | None = None) -> None:
    _current().calls.append(("optional_words", {"words": words}))


@task(autoprint=True)
def printing(_context: Context) -> str:
    return "printed"


@task(pre=[good, options])
def every(_context: Context) -> None:
    _current().calls.append(("every", {}))


@task(pre=[printing])
def after_printing(_context: Context) -> None:
    pass


@task(pre=[faulty])
def without_argument(_context: Context) -> None:
    _current().calls.append(("without_argument", {}))


@task(pre=[invoke.call(options, True)])  # noqa: FBT003 - by position is what is proven
def by_position(_context: Context) -> None:
    pass


_present: list[_Namespace] = []


def _current() -> _Namespace:
    return _present[-1]


@pytest.fixture
def namespace() -> Iterator[_Namespace]:
    _present.append(_Namespace())
    yield _present[-1]
    _present.clear()


@pytest.fixture
def config(project: Path) -> Config:
    config = Config(
        lazy=True,
        system_prefix=f"{project}/system-",
        user_prefix=f"{project}/user-",
        project_location=project,
    )
    config.load_base_conf_files()
    config.load_project()
    config.merge()
    return config


def _override(config: Config, **maintenance: Any) -> None:
    config.load_overrides({**config._overrides, "maintenance": maintenance})


class _Recorder:
    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.documents: list[RunReport] = []
        self.pages: list[Page] = []

    def report(self, report: Report, page: Page = Page.NONE) -> None:
        self.reports.append(report)
        self.pages.append(page)

    def verdict(self, document: RunReport) -> None:
        self.documents.append(document)


def _executor(namespace: _Namespace, config: Config) -> MaintenanceExecutor:
    return MaintenanceExecutor(namespace.collection, config)


def _document(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


# perform


def test_a_report_gets_its_name_and_times(namespace: _Namespace, loaded: Loaded) -> None:
    before = datetime.now(UTC)
    report = execute(namespace["good"].definition, {}, loaded, name="weekly.good")
    assert (report.task, report.summary, report.status) == ("weekly.good", "good has run", Status.OK)
    started = datetime.fromisoformat(report.started or "")
    assert started.utcoffset() is not None
    assert before <= started <= datetime.now(UTC)
    assert 0 <= report.duration_seconds < 5


def test_the_time_taken_is_measured_to_the_millisecond(
    namespace: _Namespace, loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter([100.0, 101.0, 102.2504])
    monkeypatch.setattr("time.monotonic", lambda: next(ticks))
    assert execute(namespace["good"].definition, {}, loaded, name="t").duration_seconds == 2.25


@pytest.mark.parametrize("dry", [False, True])
def test_a_procedure_gets_the_settings_its_arguments_and_the_time(
    namespace: _Namespace, loaded: Loaded, *, dry: bool
) -> None:
    report = execute(namespace["options"].definition, {"number": 7, "dry_run": True}, loaded, name="t", dry=dry)
    (run,) = namespace.runs
    assert namespace.calls == [("options", {"dry_run": True, "kind": None, "number": 7})]
    assert run.settings is loaded.settings
    assert run.dry is dry
    assert run.now.isoformat() == report.started
    assert run.now.utcoffset() is not None
    assert datetime.now(UTC) - run.now < timedelta(seconds=5)
    run.advance(1)


@pytest.mark.parametrize(
    ("kind", "expected", "has_remedy"),
    [
        ("exception", ("run.error", "critical", "RuntimeError: first line"), True),
        ("user error", ("run.error", "critical", "Put it right."), False),
        ("held", ("run.lock", "unknown", "weekly.x is changing this project."), False),
        (
            "disk full",
            ("run.error", "critical", "OSError: [Errno 28] No space left on device: 'logs/report.json'"),
            True,
        ),
        ("exit", ("run.error", "critical", "Exit: enough"), True),
        ("sys.exit", ("run.error", "critical", "SystemExit: 0"), True),
        ("assertion", ("run.error", "critical", "AssertionError: "), True),
        ("recursion", ("run.error", "critical", "RecursionError: "), True),
        ("control", ("run.error", "critical", r"ValueError: \x1b[2J\u202e"), True),
    ],
)
def test_what_a_procedure_raises_becomes_one_finding_of_one_line(
    namespace: _Namespace, loaded: Loaded, kind: str, expected: tuple[str, str, str], *, has_remedy: bool
) -> None:
    try:
        report = execute(namespace["faulty"].definition, {"kind": kind}, loaded, name="weekly.faulty")
    except SystemExit:
        pytest.fail("it ended the process")
    (finding,) = report.findings
    assert (finding.check, finding.status.value, finding.message) == expected
    assert finding.subject == report.task == "weekly.faulty"
    assert finding.message.isprintable()
    assert (finding.remedy is not None) == has_remedy
    assert report.summary == "did not run to its end"
    assert report.started is not None


def test_no_sentence_of_a_report_shows_a_secret(loaded: Loaded) -> None:
    secret = "sk-" + "q7Rk2mPz9Xw4Lk3Vb6Ny8Tc5"

    @procedure(checks=["leaky.one"])
    def leaky(run: Run) -> Report:
        """Tell what it should not."""
        assert run.task
        finding = Finding(
            check="leaky.one",
            subject="x",
            status=Status.WARNING,
            message=f"It said {secret}.",
            remedy=f"Run `tool --token {secret}`.",
            excerpt=f"| password: {secret}",
        )
        other = msgspec.structs.replace(finding, message="It is well.", remedy=None, excerpt=msgspec.UNSET)
        return Report(summary=f"{secret} told", findings=[finding, other])

    report = execute(leaky.definition, {}, loaded)
    assert secret not in str(report)
    assert report.summary == "[redacted] told"
    told, well = report.findings
    assert (told.message, told.remedy) == ("It said [redacted].", "Run `tool --token [redacted]`.")
    assert told.excerpt == "| password: [redacted]"
    assert (well.message, well.remedy, well.excerpt) == ("It is well.", None, msgspec.UNSET)


def test_what_a_procedure_raises_shows_no_secret(loaded: Loaded) -> None:
    @procedure()
    def failing(run: Run) -> Report:
        """Fail with words that hold a password."""
        raise RuntimeError(f"{run.dry}: cannot open postgres://app:q7Rk2mPz9Xw4@db.zbeam.dev/x")

    report = execute(failing.definition, {}, loaded)
    assert report.findings[0].message == "RuntimeError: False: cannot open postgres://[redacted]@db.zbeam.dev/x"


def test_the_traceback_is_for_those_who_debug(
    namespace: _Namespace, loaded: Loaded, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG, "tasks.core.run.execution"):
        report = execute(namespace["faulty"].definition, {"kind": "exception"}, loaded, name="weekly.faulty")
    (record,) = caplog.records
    assert record.levelno == logging.DEBUG
    assert record.exc_info is not None
    assert "inv --debug weekly.faulty" in (report.findings[0].remedy or "")
    captured = capsys.readouterr()
    assert captured.out == ""


def test_ctrl_c_says_that_nothing_is_known(namespace: _Namespace, loaded: Loaded) -> None:
    with pytest.raises(Interrupted) as caught:
        execute(namespace["stopped"].definition, {}, loaded, name="weekly.stopped")
    (finding,) = caught.value.report.findings
    assert (finding.check, finding.status) == ("run.interrupted", Status.UNKNOWN)
    assert caught.value.report.task == "weekly.stopped"


def test_ctrl_c_keeps_the_report_of_what_was_done(namespace: _Namespace, loaded: Loaded) -> None:
    with pytest.raises(Interrupted) as caught:
        execute(namespace["stopped"].definition, {"half": True}, loaded, name="weekly.stopped")
    report = caught.value.report
    assert (report.task, report.summary) == ("weekly.stopped", "half of it")
    assert report.started is not None


def test_arguments_that_do_not_fit_are_a_finding_too(namespace: _Namespace, loaded: Loaded) -> None:
    report = execute(namespace["good"].definition, {"nothing": 1}, loaded, name="t")
    assert report.status is Status.CRITICAL
    assert report.findings[0].message.startswith("TypeError: ")


def test_a_procedure_that_returns_no_report_is_a_finding_too(loaded: Loaded) -> None:
    @procedure()
    def forgetful(_run: Run) -> Report:
        return None  # type: ignore[return-value]

    assert execute(forgetful.definition, {}, loaded, name="t").status is Status.CRITICAL


# Session


def test_every_report_is_shown_as_it_comes_and_all_are_in_the_verdict(namespace: _Namespace, loaded: Loaded) -> None:
    console = _Recorder()
    session = Session(loaded, console)
    first = session.execute(namespace["good"].definition, {}, name="weekly.good", dry=False)
    assert console.reports == [first]
    second = session.execute(namespace["bad"].definition, {}, name="weekly.bad", dry=True)
    assert console.reports == [first, second]
    assert console.documents == []
    document = session.end()
    assert console.documents == [document]
    assert document.reports == [first, second]
    assert document.status is Status.CRITICAL
    assert document.root == loaded.settings.root
    assert datetime.fromisoformat(document.started) <= datetime.fromisoformat(first.started or "")
    assert document.duration_seconds >= 0
    assert [run.dry for run in namespace.runs] == [False, True]


def test_an_interrupted_procedure_is_in_the_verdict_too(namespace: _Namespace, loaded: Loaded) -> None:
    console = _Recorder()
    session = Session(loaded, console)
    with pytest.raises(KeyboardInterrupt):
        session.execute(namespace["stopped"].definition, {"half": True}, name="weekly.stopped", dry=False)
    assert [report.summary for report in console.reports] == ["half of it"]
    assert session.end().reports == console.reports


def test_a_session_without_procedures_is_ok(loaded: Loaded) -> None:
    assert Session(loaded, _Recorder()).end().status is Status.OK


# Procedures that perform others


def _called(namespace: _Namespace) -> list[str]:
    return [name for name, _ in namespace.calls]


def _run(capsys: pytest.CaptureFixture[str], executor: MaintenanceExecutor, *tasks: Any) -> list[tuple[str, str]]:
    _override(executor.config, output="json")
    executor.execute(*tasks)
    return [(report["task"], report["summary"]) for report in _document(capsys)["reports"]]


def test_what_ran_as_a_part_of_another_is_not_run_again(
    namespace: _Namespace, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(capsys, _executor(namespace, config), "weekly.whole", ("weekly.options", COMMAND_LINE)) == [
        ("weekly.whole", "whole of options has run"),
        ("weekly.options", "options has run (already run by weekly.whole in this run)"),
    ]
    assert namespace.calls == [("options", NO_OPTIONS)]


def test_what_has_run_is_not_run_again_as_a_part(
    namespace: _Namespace, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(capsys, _executor(namespace, config), ("weekly.options", COMMAND_LINE), "weekly.whole") == [
        ("weekly.options", "options has run"),
        ("weekly.whole", "whole of options has run"),
    ]
    assert _called(namespace) == ["options"]


def test_a_part_of_two_runs_once(namespace: _Namespace, config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    named = ("weekly.whole", {"part": "options", "number": "7"})
    assert len(_run(capsys, _executor(namespace, config), named, "weekly.whole", named)) == 2
    assert [arguments["number"] for _, arguments in namespace.calls] == [7, None]


def test_other_arguments_are_another_run(
    namespace: _Namespace, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(capsys, _executor(namespace, config), "weekly.whole", ("weekly.options", COMMAND_LINE | {"number": "7"}))
    assert [arguments["number"] for _, arguments in namespace.calls] == [None, 7]


def test_no_dedupe_runs_parts_as_often_as_asked_for(
    namespace: _Namespace, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    config.load_overrides({"tasks": {"dedupe": False}})
    _executor(namespace, config).execute("weekly.options", "weekly.whole", "weekly.options")
    assert _called(namespace) == ["options", "options", "options"]
    assert "already run" not in capsys.readouterr().out


def test_a_part_can_be_asked_for_again_and_stands_for_what_follows(
    namespace: _Namespace, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(capsys, _executor(namespace, config), "weekly.options", ("weekly.whole", {"again": True}), "weekly.good")
    assert _called(namespace) == ["options", "options", "good"]
    shown = _run(
        capsys, _executor(namespace, config), "weekly.whole", ("weekly.whole", {"again": True}), ("weekly.options", {})
    )
    assert shown[-1][1].endswith("(already run by weekly.whole in this run)")


def test_a_dry_run_never_stands_for_a_run(namespace: _Namespace, loaded: Loaded) -> None:
    session = Session(loaded, _Recorder())
    session.execute(namespace["options"].definition, NO_OPTIONS | {"dry_run": True}, name="weekly.options", dry=False)
    session.execute(namespace["whole"].definition, {}, name="weekly.whole", dry=True)
    assert _called(namespace) == ["options"]
    session.execute(namespace["whole"].definition, {}, name="weekly.whole", dry=False)
    assert [arguments["dry_run"] for _, arguments in namespace.calls] == [True, False]
    assert [run.dry for run in namespace.runs] == [True, False]


def test_the_status_of_what_ran_as_a_part_counts(
    namespace: _Namespace, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Exit) as caught:
        _run(capsys, _executor(namespace, config), ("weekly.whole", {"part": "bad"}), "weekly.bad")
    assert (caught.value.code, _called(namespace)) == (2, ["bad"])
    assert [report["status"] for report in _document(capsys)["reports"]] == ["critical", "critical"]


@pytest.mark.parametrize("half", [True, False])
def test_a_part_that_was_interrupted_is_no_report_to_go_by(
    namespace: _Namespace, loaded: Loaded, *, half: bool
) -> None:
    cache = RunCache(loaded)
    with pytest.raises(Interrupted):
        cache.within("weekly.whole")(namespace["stopped"].definition, {"half": half}, dry=False)
    with pytest.raises(Interrupted):
        cache.execute(namespace["stopped"].definition, {"half": half}, name="weekly.stopped", dry=False)
    assert len(namespace.calls) == 2


def test_an_argument_of_a_part_that_cannot_be_used_is_a_finding_of_the_whole(
    namespace: _Namespace, loaded: Loaded
) -> None:
    report = execute(namespace["whole"].definition, {"number": "many"}, loaded, name="weekly.whole")
    assert report.findings[0].message == "--number takes a whole number; got 'many'."
    assert namespace.calls == []


def test_without_a_run_around_it_parts_are_remembered_for_as_long_as_it_takes(
    namespace: _Namespace, loaded: Loaded
) -> None:
    for _ in range(2):
        assert (
            execute(namespace["whole"].definition, {}, loaded, name="weekly.whole").summary
            == "whole of options has run"
        )
    assert _called(namespace) == ["options", "options"]


# The executor: which calls it makes


def _planned(executor: MaintenanceExecutor, *tasks: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(planned.task.name, planned.kwargs) for planned in executor.plan(*tasks)]


NO_OPTIONS = {"dry_run": False, "kind": None, "number": None}
COMMAND_LINE = {"dry_run": False, "kind": [], "number": None}
"""What Invoke's parser makes of a command line without flags."""


@pytest.mark.parametrize("named", ["weekly.options", ("weekly.options", COMMAND_LINE)])
@pytest.mark.parametrize("named_first", [True, False])
def test_a_procedure_that_is_named_and_required_runs_once(
    namespace: _Namespace, config: Config, named: object, *, named_first: bool
) -> None:
    tasks = [named, "weekly.every"] if named_first else ["weekly.every", named]
    assert _planned(_executor(namespace, config), *tasks) == (
        [("options", NO_OPTIONS), ("good", {}), ("every", {})]
        if named_first
        else [("good", {}), ("options", NO_OPTIONS), ("every", {})]
    )


def test_a_procedure_runs_again_for_other_arguments(namespace: _Namespace, config: Config) -> None:
    assert _planned(
        _executor(namespace, config),
        ("weekly.options", COMMAND_LINE | {"kind": ["temp"]}),
        ("weekly.options", COMMAND_LINE),
        ("weekly.options", COMMAND_LINE | {"kind": ["temp"]}),
    ) == [("options", NO_OPTIONS | {"kind": ["temp"]}), ("options", NO_OPTIONS)]


def test_no_dedupe_runs_as_often_as_named(namespace: _Namespace, config: Config) -> None:
    config.load_overrides({"tasks": {"dedupe": False}})
    assert [name for name, _ in _planned(_executor(namespace, config), "weekly.good", "weekly.every")] == [
        *("good", "good", "options", "every")
    ]


def test_the_name_under_which_a_task_was_called_is_kept(namespace: _Namespace, config: Config) -> None:
    (planned,) = _executor(namespace, config).plan("weekly.options")
    assert planned.called_as == "weekly.options"


def test_arguments_by_position_reach_the_procedure(
    namespace: _Namespace, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    _executor(namespace, config).execute("weekly.by-position")
    assert namespace.calls == [("options", {"dry_run": True, "kind": None, "number": None})]
    assert "options has run" in capsys.readouterr().out


def test_arguments_by_position_and_by_name_are_the_same_call(namespace: _Namespace, config: Config) -> None:
    named = ("weekly.options", COMMAND_LINE | {"dry_run": True})
    assert _planned(_executor(namespace, config), named, "weekly.by-position") == [
        ("options", NO_OPTIONS | {"dry_run": True}),
        ("by_position", {}),
    ]


# The executor: what it does with them


def test_a_chain_runs_to_its_end_and_ends_with_the_worst_status(
    namespace: _Namespace, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    _override(config, output="json")
    with pytest.raises(Exit) as caught:
        _executor(namespace, config).execute(
            ("weekly.bad", {"status": "warning"}), ("weekly.faulty", {"kind": "exception"}), "weekly.good"
        )
    document = _document(capsys)
    assert [(report["task"], report["status"]) for report in document["reports"]] == [
        ("weekly.bad", "warning"),
        ("weekly.faulty", "critical"),
        ("weekly.good", "ok"),
    ]
    assert document["status"] == "critical"
    assert caught.value.code == 2
    assert not caught.value.message


def test_a_chain_in_which_all_is_well_ends_with_0_and_returns_every_report(
    namespace: _Namespace, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    results = _executor(namespace, config).execute("weekly.good", "foreign")
    assert {done.name: result if isinstance(result, str) else result.summary for done, result in results.items()} == {
        "good": "good has run",
        "foreign": "returned none",
    }
    shown = capsys.readouterr().out
    assert shown.startswith("weekly.good  ok  good has run\n")
    assert "verdict: ok" in shown


@pytest.mark.parametrize(
    ("status", "fail_on", "code"), [("warning", "warning", 1), ("unknown", "unknown", 3), ("warning", "critical", 0)]
)
def test_the_exit_status_is_what_the_settings_ask_for(
    namespace: _Namespace, config: Config, status: str, fail_on: str, code: int
) -> None:
    _override(config, fail_on=fail_on)
    executor = _executor(namespace, config)
    if code:
        with pytest.raises(Exit) as caught:
            executor.execute(("weekly.bad", {"status": status}))
        assert caught.value.code == code
    else:
        assert executor.execute(("weekly.bad", {"status": status}))


@pytest.mark.parametrize("kind", ["sys.exit", "exit"])
def test_no_procedure_ends_the_chain_by_itself(
    namespace: _Namespace, config: Config, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    code: object = None
    try:
        _executor(namespace, config).execute(("weekly.faulty", {"kind": kind}), "weekly.good")
    except (Exit, SystemExit) as stop:
        code = stop.code
    assert [name for name, _ in namespace.calls] == ["faulty", "good"]
    assert code == 2
    assert "verdict: critical" in capsys.readouterr().out


def test_ctrl_c_ends_the_chain_with_130_and_the_verdict_on_what_was_done(
    namespace: _Namespace, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    _override(config, output="json")
    with pytest.raises(Exit) as caught:
        _executor(namespace, config).execute("weekly.good", ("weekly.stopped", {"half": True}), "weekly.bad")
    assert caught.value.code == INTERRUPTED == 130
    assert [report["summary"] for report in _document(capsys)["reports"]] == ["good has run", "half of it"]
    assert [name for name, _ in namespace.calls] == ["good", "stopped"]


def test_ctrl_c_in_a_task_of_the_users_own_ends_the_chain_the_same_way(
    namespace: _Namespace, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Exit) as caught:
        _executor(namespace, config).execute("weekly.good", "weekly.interrupted", "weekly.bad")
    assert caught.value.code == 130
    assert "verdict: ok" in capsys.readouterr().out


def test_an_exception_in_a_task_of_the_users_own_ends_the_run_after_the_verdict(
    namespace: _Namespace, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(LookupError, match="own"):
        _executor(namespace, config).execute("weekly.good", "weekly.broken", "weekly.bad")
    assert [name for name, _ in namespace.calls] == ["good"]
    shown = capsys.readouterr().out
    assert "It ended the run: a task of the user's own. Not run: weekly.bad." in shown
    assert "verdict: critical" in shown


def test_a_procedure_is_called_by_its_full_name_even_where_it_is_only_required(
    namespace: _Namespace, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    _executor(namespace, config).execute("weekly.every")
    shown = capsys.readouterr().out
    assert "weekly.good  ok" in shown
    assert "weekly.options  ok" in shown
    assert [name for name, _ in namespace.calls] == ["good", "options", "every"]


def test_a_procedure_that_is_in_no_collection_goes_by_its_own_name(
    namespace: _Namespace, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    @procedure()
    def hidden(_run: Run) -> Report:
        return Report(summary="s")

    @task(pre=[hidden])
    def outer(_context: Context) -> None:
        pass

    namespace.collection.add_task(outer)
    _executor(namespace, config).execute("outer")
    assert capsys.readouterr().out.startswith("hidden  ok  s\n")


def test_a_procedure_that_is_required_without_an_argument_that_it_needs_is_a_finding(
    namespace: _Namespace, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Exit) as caught:
        _executor(namespace, config).execute("weekly.without-argument", "weekly.good")
    assert caught.value.code == 2
    assert [name for name, _ in namespace.calls] == ["without_argument", "good"]
    assert "missing" in capsys.readouterr().out


# The executor: settings and arguments are checked before anything runs


def test_settings_that_cannot_be_used_end_the_run_before_anything_runs(
    namespace: _Namespace, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    _override(config, outptu="json")
    with pytest.raises(Exit) as caught:
        _executor(namespace, config).execute("foreign", "weekly.good")
    assert caught.value.code == SettingsError.exit_status == 78
    assert namespace.calls == []
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "did you mean maintenance.output" in printed.err


def test_an_argument_that_cannot_be_used_ends_the_run_before_anything_runs(
    namespace: _Namespace, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Exit) as caught:
        _executor(namespace, config).execute("foreign", "weekly.good", ("weekly.options", {"number": "x"}))
    assert caught.value.code == UsageError.exit_status == 64
    assert namespace.calls == []
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "--number takes a whole number; got 'x'" in printed.err


def test_an_argument_reaches_the_procedure_as_its_check_made_it(namespace: _Namespace, config: Config) -> None:
    _executor(namespace, config).execute(("weekly.options", COMMAND_LINE | {"number": "7"}))
    assert namespace.calls == [("options", {"dry_run": False, "kind": None, "number": 7})]


def test_the_namespaces_own_configuration_counts(
    namespace: _Namespace, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    namespace.collection.configure({"maintenance": {"output": "json"}})
    _executor(namespace, config).execute("weekly.good")
    assert _document(capsys)["status"] == "ok"


def test_the_environment_counts(
    namespace: _Namespace, config: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INVOKE_MAINTENANCE_OUTPUT", "json")
    _executor(namespace, config).execute("weekly.good")
    assert _document(capsys)["status"] == "ok"


# The executor: dry runs


@pytest.mark.parametrize("level", ["argument", "environment", "file", "namespace"])
def test_a_dry_run_is_one_wherever_invoke_was_asked_for_it(
    namespace: _Namespace, project: Path, config: Config, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    if level == "argument":
        config.load_overrides({"run": {"dry": True}})
    elif level == "environment":
        monkeypatch.setenv("INVOKE_RUN_DRY", "1")
    elif level == "file":
        (project / "invoke.yaml").write_text("run:\n  dry: true\n")
        config.set_project_location(str(project))
        config.load_project()
    else:
        namespace.collection.configure({"run": {"dry": True}})
    _executor(namespace, config).execute("weekly.good")
    assert [run.dry for run in namespace.runs] == [True]


def test_a_run_is_not_dry_by_itself(namespace: _Namespace, config: Config) -> None:
    _executor(namespace, config).execute("weekly.good")
    assert [run.dry for run in namespace.runs] == [False]


def test_a_dry_variable_that_means_nothing_ends_the_run_before_anything_runs(
    namespace: _Namespace, config: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INVOKE_RUN_DRY", "perhaps")
    with pytest.raises(Exit) as caught:
        _executor(namespace, config).execute("weekly.good")
    assert caught.value.code == 78
    assert namespace.calls == []
    assert "INVOKE_RUN_DRY is 'perhaps'" in capsys.readouterr().err


# The executor: tasks of the user's own behave as Invoke has it


def test_a_task_of_the_users_own_sees_the_settings_as_they_are_used(
    namespace: _Namespace, project: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INVOKE_MAINTENANCE_LOGS_ALLOW_COPYTRUNCATE", "no")
    monkeypatch.setenv("INVOKE_RUN_ECHO", "1")
    namespace.collection.configure({"own": {"key": 1}, "maintenance": {"output": "text"}})
    _executor(namespace, config).execute(("foreign", {"word": "hello"}), "weekly.good")
    (context,) = namespace.contexts
    assert context.config.maintenance.logs.allow_copytruncate is False
    assert context.config.maintenance.root == str(project)
    assert context.config.own.key == 1
    assert context.config.run.echo is True
    assert os.environ["INVOKE_MAINTENANCE_LOGS_ALLOW_COPYTRUNCATE"] == "no"
    assert ("foreign", {"word": "hello"}) in namespace.calls


def test_an_empty_section_in_the_namespace_does_not_end_a_task_of_the_users_own(
    namespace: _Namespace, config: Config
) -> None:
    namespace.collection.configure({"maintenance": {"cache": None}})
    _executor(namespace, config).execute("foreign", "weekly.good")
    assert namespace.contexts[0].config.maintenance.cache.directory == "cache"


@pytest.mark.parametrize("valid", [True, False])
def test_without_a_procedure_there_is_no_verdict_and_no_complaint(
    namespace: _Namespace, config: Config, capsys: pytest.CaptureFixture[str], *, valid: bool
) -> None:
    _override(config, **({} if valid else {"outptu": 1}))
    results = _executor(namespace, config).execute("foreign")
    assert list(results.values()) == ["returned none"]
    assert capsys.readouterr().out == ""


def test_without_a_procedure_the_settings_are_there_all_the_same(namespace: _Namespace, config: Config) -> None:
    _executor(namespace, config).execute("foreign")
    assert namespace.contexts[0].config.maintenance.cache.directory == "cache"


def test_a_task_that_prints_its_result_still_does(
    namespace: _Namespace, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    _executor(namespace, config).execute("weekly.printing")
    assert capsys.readouterr().out == "printed\n"


def test_a_task_that_is_only_required_does_not_print_its_result(
    namespace: _Namespace, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    _executor(namespace, config).execute("weekly.after-printing")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("given", [[], ["a", "b"]])
@pytest.mark.parametrize("rest", [(), ("weekly.good",)])
def test_a_repeatable_flag_of_a_task_of_the_users_own_arrives_as_the_list_that_it_is(
    namespace: _Namespace, config: Config, given: list[str], rest: tuple[str, ...]
) -> None:
    _executor(namespace, config).execute(("weekly.names", {"names": given}), *rest)
    assert namespace.calls[0] == ("names", {"names": given})


@pytest.mark.parametrize("rest", [(), ("weekly.good",)])
def test_an_unused_repeatable_flag_of_a_task_of_the_users_own_is_an_empty_list_as_under_invoke(
    namespace: _Namespace, config: Config, rest: tuple[str, ...]
) -> None:
    Executor(namespace.collection, config).execute(("weekly.optional-words", {"words": []}))
    _executor(namespace, config).execute(("weekly.optional-words", {"words": []}), *rest)
    assert namespace.calls[0] == namespace.calls[1] == ("optional_words", {"words": []})


def test_arguments_by_position_reach_a_task_of_the_users_own(namespace: _Namespace, config: Config) -> None:
    foreign = namespace.collection["foreign"]

    @task(pre=[Call(foreign, args=("word",))])
    def outer(_context: Context) -> None:
        pass

    namespace.collection.add_task(outer)
    _executor(namespace, config).execute("outer")
    assert namespace.calls == [("foreign", {"word": "word"})]


def test_what_follows_the_two_dashes_reaches_a_task_of_the_users_own(namespace: _Namespace, config: Config) -> None:
    from invoke.parser import ParseResult

    core = ParseResult()
    core.remainder = "the rest"
    MaintenanceExecutor(namespace.collection, config, core).execute("foreign")
    assert getattr(namespace.contexts[0], "remainder", "the rest") == "the rest"


def test_invoke_2_passes_no_command_line_on(
    namespace: _Namespace, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Call, "make_context", lambda _call, config: Context(config))
    _executor(namespace, config).execute("foreign")
    assert namespace.calls == [("foreign", {"word": "none"})]


# Under an executor that is not ours


def test_under_invokes_own_executor_a_procedure_prints_its_report_and_verdict(
    namespace: _Namespace, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    Executor(namespace.collection, config).execute(("weekly.options", COMMAND_LINE | {"number": "7"}))
    assert namespace.calls == [("options", {"dry_run": False, "kind": None, "number": 7})]
    shown = capsys.readouterr().out
    assert "options  ok  options has run" in shown
    assert "verdict: ok" in shown


def test_under_invokes_own_executor_a_bad_status_ends_the_process(
    namespace: _Namespace, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Exit) as caught:
        Executor(namespace.collection, config).execute("weekly.bad", "weekly.good")
    assert caught.value.code == 2
    assert "verdict: critical" in capsys.readouterr().out


def test_under_invokes_own_executor_arguments_by_position_arrive(namespace: _Namespace, config: Config) -> None:
    Executor(namespace.collection, config).execute("weekly.by-position")
    assert [(name, arguments["dry_run"]) for name, arguments in namespace.calls] == [("options", True)]


def test_alone_a_procedure_goes_by_its_module_and_name(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    @procedure()
    def log_review(_run: Run) -> Report:
        return Report(summary="s")

    run_alone(Call(log_review), Context(config))
    assert capsys.readouterr().out.startswith("test_runner.log-review  ok  s\n")


def test_alone_ctrl_c_ends_with_130_after_the_verdict(
    namespace: _Namespace, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Exit) as caught:
        run_alone(Call(namespace["stopped"], kwargs={"half": True}), Context(config))
    assert caught.value.code == 130
    assert "half of it" in capsys.readouterr().out


def test_alone_a_dry_run_is_one(namespace: _Namespace, config: Config) -> None:
    config.load_overrides({"run": {"dry": True}})
    run_alone(Call(namespace["good"]), Context(config))
    assert [run.dry for run in namespace.runs] == [True]


@pytest.mark.parametrize(("maintenance", "number"), [({"outptu": 1}, "7"), ({}, "x")], ids=["settings", "argument"])
def test_alone_what_cannot_be_used_ends_the_process_before_anything_runs(
    namespace: _Namespace,
    config: Config,
    maintenance: dict[str, Any],
    number: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _override(config, **maintenance)
    with pytest.raises(Exit) as caught:
        run_alone(Call(namespace["options"], kwargs={"number": number}), Context(config))
    assert caught.value.code == (78 if maintenance else 64)
    assert capsys.readouterr().err
    assert namespace.calls == []


def test_a_procedure_is_a_task_as_invoke_knows_it(namespace: _Namespace) -> None:
    assert isinstance(namespace["good"], Task)
    assert namespace["good"].definition.converters == {}
    assert set(namespace["options"].definition.converters) == {"number"}
