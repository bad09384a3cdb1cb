"""A simulated year, with real stamps, the real decision and the real runner on tiny procedures."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tasks.core.files.lock import LockedByOther, NotWritable, project_lock
from tasks.core.report.model import Finding, Interrupted, Report, Status
from tasks.core.run import execution
from tasks.core.run.cadence import DAYS
from tasks.core.run.context import Run
from tasks.core.run.definition import Cadence, Definition
from tasks.core.settings.loading import Loaded, load
from tasks.core.settings.sources import Level, Sources
from tasks.scheduling.due import run_due

BERLIN = ZoneInfo("Europe/Berlin")
CADENCES: Mapping[str, Cadence] = {
    "daily.one": "daily",
    "monthly.one": "monthly",
    "backup.one": "weekly",
    "weekly.one": "weekly",
    "quarterly.one": "quarterly",
}


class _Year:
    """A project with a clock of its own, and what ran in it on which day."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = datetime(2026, 1, 1, 3, 17, tzinfo=BERLIN)
        self.runs: dict[str, list[date]] = {name: [] for name in CADENCES}
        self.fails: Callable[[str], BaseException | None] = lambda _name: None
        tree = {"root": str(root), "schedule": {"cadence": {"backup.one": "weekly"}}}
        self.loaded: Loaded = load(Sources([Level("test", tree)], {}, [], root))
        monkeypatch.setattr(execution, "now", self.clock)

    def clock(self) -> datetime:
        """Return the time with an offset, as the system's clock has it."""
        return datetime.fromisoformat(self.now.isoformat())

    def tiny(self, name: str) -> Definition:
        def body(_run: Run) -> Report:
            error = self.fails(name)
            if error is not None:
                raise error
            self.runs[name].append(self.now.date())
            return Report(summary=f"{name} has run")

        return Definition(name=name, body=body, cadence=CADENCES[name])

    def due(self, *, dry_run: bool = False) -> Report:
        return run_due(
            self.loaded.settings,
            CADENCES,
            lambda name: execution.execute(self.tiny(name), {}, self.loaded),
            now=self.clock(),
            dry_run=dry_run,
        )


@pytest.fixture
def year(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Year:
    return _Year(tmp_path, monkeypatch)


def expected(up: list[date], period: int) -> list[date]:
    """Return the days on which a procedure runs: the first, then each first one after its period."""
    days: list[date] = []
    for day in up:
        if not days or day - days[-1] >= timedelta(days=period):
            days.append(day)
    return days


@pytest.mark.parametrize("seed", range(3))
def test_a_year_of_days_with_outages(year: _Year, seed: int) -> None:
    chance = random.Random(seed)
    up: list[date] = []
    outage, first = 0, year.now
    for day in range(365):
        if outage:
            outage -= 1
            continue
        if chance.random() < 0.03:
            outage = chance.choice([1, 2, 5, 12, 40])
        # At 03:17 or up to 20 minutes later, and after an outage whenever the machine is back.
        late = (
            chance.randrange(20)
            if up and up[-1] == (first + timedelta(days=day - 1)).date()
            else chance.randrange(1200)
        )
        year.now = first + timedelta(days=day, minutes=late)
        up.append(year.now.date())
        ran = [report.task for report in year.due().data["reports"]]
        assert ran == [name for name in CADENCES if name in ran]
        if chance.random() < 0.2:  # somebody calls it once more on the same day
            year.now += timedelta(minutes=chance.randrange(3))
            assert year.due().data["reports"] == []
    assert 100 < len(up) < 365
    for name, cadence in CADENCES.items():
        assert year.runs[name] == expected(up, DAYS[cadence])


def test_without_outages_a_year_has_as_many_runs_as_the_cadence_asks(year: _Year) -> None:
    first = year.now
    for day in range(365):
        year.now = first + timedelta(days=day)
        year.due()
    assert {name: len(days) for name, days in year.runs.items()} == {
        "daily.one": 365,
        "backup.one": 53,
        "weekly.one": 53,
        "monthly.one": 13,
        "quarterly.one": 5,
    }


def test_an_outage_is_caught_up_once(year: _Year) -> None:
    year.due()
    year.now += timedelta(days=100)
    assert len(year.due().data["reports"]) == 5
    assert year.due().summary == "nothing is due, no procedure ran"
    assert {len(days) for days in year.runs.values()} == {2}


def test_what_a_person_runs_counts_as_well(year: _Year) -> None:
    year.due()
    year.now += timedelta(days=5)
    execution.execute(year.tiny("weekly.one"), {}, year.loaded)
    year.now += timedelta(days=2)
    assert [report.task for report in year.due().data["reports"]] == ["daily.one", "backup.one"]


def test_one_that_fails_keeps_none_from_running_and_is_due_again(year: _Year) -> None:
    year.fails = lambda name: RuntimeError("out of order") if name == "monthly.one" else None
    report = year.due()
    assert (report.status, report.summary) == (Status.CRITICAL, "5 procedures ran, 1 with something to look at")
    assert {each.subject: each.status for each in report.findings}["quarterly.one"] is Status.OK
    year.now += timedelta(days=1)
    assert [each.task for each in year.due().data["reports"]] == ["daily.one", "monthly.one"]
    year.fails = lambda _name: None
    year.now += timedelta(days=1)
    assert [each.task for each in year.due().data["reports"]] == ["daily.one", "monthly.one"]
    year.now += timedelta(days=1)
    assert [each.task for each in year.due().data["reports"]] == ["daily.one"]


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), Interrupted(Report(summary="half of it"))], ids=["bare", "half"]
)
def test_what_had_run_before_an_interruption_is_told_and_the_rest_is_due(year: _Year, error: BaseException) -> None:
    year.fails = lambda name: error if name == "backup.one" else None
    with pytest.raises(Interrupted) as caught:
        year.due()
    report = caught.value.report
    assert [each.task for each in report.data["reports"]] == ["daily.one", "monthly.one", "backup.one"]
    assert report.findings[-1].message == "It was told to stop; what has not run to its end is due again."
    year.fails = lambda _name: None
    assert [each.task for each in year.due().data["reports"]] == ["backup.one", "weekly.one", "quarterly.one"]


def test_an_interruption_between_two_procedures_loses_no_report(year: _Year) -> None:
    def run(name: str) -> Report:
        if name == "monthly.one":
            raise KeyboardInterrupt
        return Report(task=name, summary="s")

    with pytest.raises(Interrupted) as caught:
        run_due(year.loaded.settings, CADENCES, run, now=year.clock())
    assert [each.task for each in caught.value.report.data["reports"]] == ["daily.one"]


def test_a_dry_run_says_why_and_runs_nothing(year: _Year) -> None:
    assert year.due(dry_run=True).findings[0].message == "It would run: it never ran."
    assert year.runs["daily.one"] == []
    year.due()
    assert year.due(dry_run=True).summary == "nothing is due, no procedure would run"
    year.now += timedelta(days=1)
    (finding,) = year.due(dry_run=True).findings
    assert finding.message == "It would run: it is daily and ran last on 2026-01-01."
    year.now -= timedelta(days=9)
    assert {each.message for each in year.due(dry_run=True).findings if each.check == "schedule.run"} == {
        "It would run: it is not known when it last ran."
    }


def test_nothing_runs_beside_another_run(year: _Year, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with (
        project_lock(tmp_path / "link", "another.task", year.now),
        pytest.raises(LockedByOther, match=r"another\.task"),
    ):
        year.due()
    assert year.runs["daily.one"] == []


def test_a_dry_run_promises_nothing_that_a_run_cannot_do(year: _Year, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(NotWritable):
        year.due(dry_run=True)


def test_findings_are_those_of_the_procedures(year: _Year) -> None:
    finding = Finding(check="a.b", subject="c", status=Status.WARNING, message="d")

    def run(name: str) -> Report:
        return Report(task=name, summary="something", findings=[finding])

    found = run_due(year.loaded.settings, {"daily.one": "daily"}, run, now=year.clock()).findings
    assert [(each.check, each.subject, each.status, each.message) for each in found] == [
        ("schedule.run", "daily.one", Status.WARNING, "something.")
    ]
