"""Which runs go to the history, which of them count for the schedule, and what comes of one that cannot be written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from invoke import Call, Config, Context, Exit

from tasks.core.errors import SettingsError, UserError
from tasks.core.files.lock import LockedByOther
from tasks.core.report import history
from tasks.core.report.history_compaction import Ages
from tasks.core.report.history_entries import Figure
from tasks.core.report.history_entries import Run as RecordedRun
from tasks.core.report.model import Finding, Interrupted, Metric, Report, Status
from tasks.core.run import stamps
from tasks.core.run.context import Run
from tasks.core.run.definition import Cadence, Definition
from tasks.core.run.execution import execute
from tasks.core.run.procedure import procedure
from tasks.core.run.runner import run_alone
from tasks.core.run.stamps import Stamp, read
from tasks.core.settings.loading import Loaded
from tasks.core.settings.model import ScheduleSettings, Settings


def _upper(_settings: Settings, text: str) -> str:
    return text.upper()


def _numbers(_settings: Settings, texts: Sequence[str] | None) -> frozenset[int]:
    return frozenset(map(int, texts or ()))


def _tidy(
    _run: Run,
    check: bool = False,  # noqa: FBT001, FBT002 - Invoke makes a flag of it
    dry_run: bool = False,  # noqa: FBT001, FBT002 - the same
    level: str = "low",
    only: frozenset[int] | None = None,
) -> Report:
    return Report(summary=f"{check} {level} {only}", dry_run=dry_run)


def declared(body: Callable[..., Report], name: str = "weekly.tidy", cadence: Cadence | None = "weekly") -> Definition:
    return Definition(
        name=name,
        body=body,
        cadence=cadence,
        converters={"level": _upper, "only": _numbers} if body is _tidy else {},
        whole=frozenset({"check"} if body is _tidy else ()),
        repeatable=frozenset({"only"}),
    )


tidy = declared(_tidy)


def stamp(loaded: Loaded, task: str = "weekly.tidy") -> Stamp:
    return read(Path(loaded.settings.root), loaded.settings.logs.directory, task)


def runs(loaded: Loaded) -> list[RecordedRun]:
    found: list[RecordedRun] = []
    history.scan(Path(loaded.settings.root), loaded.settings.logs.directory, found.append, RecordedRun)
    return found


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        ({}, True),
        ({"check": False, "dry_run": False, "level": "LOW", "only": frozenset()}, True),
        ({"level": "low", "only": None}, True),
        ({"check": True}, True),
        ({"dry_run": True}, False),
        ({"level": "HIGH"}, False),
        ({"only": frozenset({1})}, False),
        ({"check": True, "only": frozenset({1})}, False),
        ({"unknown": 1}, False),
    ],
)
def test_only_a_run_that_does_everything_leaves_a_stamp(
    loaded: Loaded, arguments: dict[str, Any], *, left: bool
) -> None:
    execute(tidy, arguments, loaded)
    assert (stamp(loaded).completed is not None) == left
    assert [run.whole for run in runs(loaded)] == [] if arguments.get("dry_run") else [left]


def test_a_dry_run_leaves_nothing(loaded: Loaded) -> None:
    execute(tidy, {}, loaded, dry=True)
    assert [*Path(loaded.settings.root).iterdir()] == []


def _measuring(_run: Run, only: str = "") -> Report:  # noqa: ARG001 - a flag
    finding = Finding(check="tidy.room", subject=".", status=Status.WARNING, message="m")
    metric = Metric(name="tidy.bytes", value=7, unit="B", subject=".")
    return Report(summary="s", findings=[finding], metrics=[metric])


@pytest.mark.parametrize("cadence", ["never", None])
def test_what_was_never_given_a_cadence_leaves_nothing_of_what_it_measured(
    loaded: Loaded, cadence: Cadence | None
) -> None:
    definition = Definition(name="weekly.tidy", body=_measuring, cadence=cadence, checks=frozenset({"tidy.room"}))
    execute(definition, {}, loaded)
    assert [*Path(loaded.settings.root).iterdir()] == []


@pytest.mark.parametrize("chosen", [{}, {"weekly.tidy": "never"}], ids=["cadence", "taken away"])
def test_a_run_goes_to_the_history_with_what_it_found_and_measured(loaded: Loaded, chosen: dict[str, Cadence]) -> None:
    schedule = ScheduleSettings(cadence=chosen)
    loaded = loaded._replace(settings=msgspec.structs.replace(loaded.settings, schedule=schedule))
    definition = Definition(name="weekly.tidy", body=_measuring, cadence="weekly", checks=frozenset({"tidy.room"}))
    report = execute(definition, {}, loaded, name="ours.weekly.tidy")
    (run,) = runs(loaded)
    assert (run.task, run.began.isoformat(), run.duration_seconds) == (
        "weekly.tidy",
        report.started,
        report.duration_seconds,
    )
    assert run.ended >= run.began
    assert (run.status, run.results) == (Status.WARNING, {"tidy.room": Status.WARNING})
    assert run.figures == (Figure("tidy.bytes", ".", 7, "B"),)


def test_how_long_the_history_is_kept_follows_from_the_settings(
    loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Ages] = []

    def record(*_: object, ages: Ages, **__: object) -> stamps.Recorded:
        kept.append(ages)
        return stamps.Recorded(is_kept=True)

    monkeypatch.setattr(stamps, "record", record)
    execute(tidy, {}, loaded)
    longer = msgspec.structs.replace(loaded.settings.capacity, history_days=500.0)
    shorter = msgspec.structs.replace(loaded.settings.health, history_days=20)
    changed = msgspec.structs.replace(loaded.settings, capacity=longer, health=shorter)
    execute(tidy, {}, loaded._replace(settings=changed))
    assert kept == [Ages(400, 400), Ages(500, 20)]


@pytest.mark.parametrize("cadence", ["never", None])
def test_what_has_no_cadence_leaves_none(loaded: Loaded, cadence: Cadence | None) -> None:
    execute(declared(_tidy, cadence=cadence), {}, loaded)
    assert [*Path(loaded.settings.root).iterdir()] == []


def test_the_settings_give_a_cadence_and_take_one_away(loaded: Loaded) -> None:
    schedule = ScheduleSettings(cadence={"backup.create": "weekly", "weekly.tidy": "never"})
    loaded = loaded._replace(settings=msgspec.structs.replace(loaded.settings, schedule=schedule))
    execute(declared(_tidy, "backup.create", "never"), {}, loaded)
    execute(tidy, {}, loaded)
    assert stamp(loaded, "backup.create").completed is not None
    assert stamp(loaded) == Stamp()


def test_the_name_has_no_collection_of_collections_in_it(loaded: Loaded) -> None:
    execute(tidy, {}, loaded, name="maintenance.weekly.tidy")
    assert stamp(loaded).completed is not None


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("out of order"), "RuntimeError: out of order"),
        (UserError("Put it right."), "Put it right."),
        (LockedByOther("weekly.x is changing this project."), None),
        (KeyboardInterrupt(), "Ctrl-C ended it before it could say what it had done."),
        (Interrupted(Report(summary="half of it")), "It was interrupted."),
    ],
    ids=["error", "user", "held", "ctrl-c", "half"],
)
def test_what_does_not_come_to_its_end_is_an_attempt_unless_another_run_kept_it_out(
    loaded: Loaded, error: BaseException, reason: str | None
) -> None:
    def failing(_run: Run) -> Report:
        raise error

    execute(tidy, {}, loaded)
    before = stamp(loaded).completed
    try:
        execute(declared(failing), {}, loaded)
    except Interrupted as stop:
        assert stop.report.task == "weekly.tidy"  # noqa: PT017 - raised by some of them only
    found = stamp(loaded)
    assert found.completed == before is not None
    assert (found.attempt and found.attempt.reason) == reason


def test_ctrl_c_at_the_very_end_loses_no_report(loaded: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tasks.core.run.stamps.record", stopped)
    with pytest.raises(Interrupted) as caught:
        execute(tidy, {}, loaded)
    assert caught.value.report.task == "weekly.tidy"


def test_a_part_that_failed_is_a_run_that_did_not_come_to_its_end(loaded: Loaded) -> None:
    def composed(_run: Run) -> Report:
        finding = Finding(check="run.error", subject="a part", status=Status.CRITICAL, message="It broke.")
        return Report(summary="s", findings=[finding])

    execute(declared(composed), {}, loaded)
    assert stamp(loaded).completed is None


def test_a_stamp_that_cannot_be_written_is_a_warning_of_a_run_and_nothing_of_an_attempt(
    loaded: Loaded, project: Path
) -> None:
    def failing(_run: Run) -> Report:
        raise UserError("Put it right.")

    (project / "logs").write_text("a file")
    (finding,) = execute(tidy, {}, loaded).findings
    assert (finding.check, finding.subject, finding.status) == ("run.stamp", "weekly.tidy", Status.WARNING)
    assert finding.message.startswith("That it has run could not be written down, so it is due again. logs is not a")
    assert finding.remedy
    assert [each.check for each in execute(declared(failing), {}, loaded).findings] == ["run.error"]


@pytest.mark.parametrize(
    ("cadence", "arguments"), [("weekly", {"only": "a part"}), ("never", {}), (None, {})], ids=["part", "never", "none"]
)
def test_a_run_that_no_schedule_waits_for_says_nothing_where_it_cannot_be_written(
    loaded: Loaded, project: Path, cadence: Cadence | None, arguments: dict[str, str]
) -> None:
    (project / "logs").write_text("a file")
    definition = Definition(name="weekly.tidy", body=_measuring, cadence=cadence, checks=frozenset({"tidy.room"}))
    assert [each.check for each in execute(definition, arguments, loaded).findings] == ["tidy.room"]


@procedure(checks=["c.d"])
def silent(_run: Run, quiet: bool = False, status: str = "ok") -> Report:  # noqa: ARG001, FBT001, FBT002 - a flag
    return Report(summary="s", findings=[Finding(check="c.d", subject="s", status=Status(status), message="m")])


def test_alone_quiet_is_silent_where_all_is_well(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = Config(lazy=True, project_location=project)
    run_alone(Call(silent, kwargs={"quiet": True}), Context(config))
    assert capsys.readouterr().out == ""
    run_alone(Call(silent, kwargs={"quiet": False}), Context(config))
    assert "verdict: ok" in capsys.readouterr().out
    with pytest.raises(Exit):
        run_alone(Call(silent, kwargs={"quiet": True, "status": "unknown"}), Context(config))
    assert "verdict: unknown" in capsys.readouterr().out


def test_settings_that_a_procedure_cannot_use_end_the_run_before_it(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def none(_settings: Settings) -> None:
        raise SettingsError("They cannot be used.")

    ran = []

    @procedure(requires=none)
    def particular(_run: Run) -> Report:
        ran.append(1)
        return Report(summary="s")

    with pytest.raises(Exit) as caught:
        run_alone(Call(particular), Context(Config(lazy=True, project_location=project)))
    assert (caught.value.code, ran) == (78, [])
    assert "They cannot be used" in capsys.readouterr().err
