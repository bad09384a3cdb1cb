from __future__ import annotations

import errno
import os
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from tasks.core.report import Action, Finding, Interrupted, Report, Status
from tasks.recovery import judgement
from tasks.recovery.recovery import recover
from tasks.recovery.room import Room
from tasks.recovery.steps import take

from .conftest import MEGABYTE, NOW, Site, room, well

FULL = room(99 * MEGABYTE, Status.CRITICAL)
HELD = Report(summary="", actions=[Action(verb="delete", target="cache/temp", count=3, bytes=700)])


class Disk:
    """A disk that is as full as it is told; each measurement is the next of these, the last one again and again."""

    def __init__(self, *used: int) -> None:
        self._left = [*used]

    def __call__(self) -> Report:
        used = self._left.pop(0) if len(self._left) > 1 else self._left[0]
        return room(used * MEGABYTE, Status.CRITICAL if used > 90 else Status.OK)


def unknown(_anew: bool) -> Report:  # noqa: FBT001 - as it is called
    finding = Finding(check="logs.rotated", subject="a.log", status=Status.UNKNOWN, message="No space left.")
    return Report(task="weekly.log-rotation", summary="1 log left", findings=[finding])


@pytest.mark.parametrize(
    ("used", "times"),
    [((99, 97, 95, 93), 3), ((99, 99), 1), ((99, 95, 95), 2)],
    ids=["it helps", "it does not", "it helps once"],
)
def test_on_a_full_disk_a_step_is_repeated_for_as_long_as_it_helps(
    scene: Site, used: tuple[int, ...], times: int
) -> None:
    calls: list[bool] = []

    def rotate(anew: bool) -> Report:  # noqa: FBT001 - as it is called
        calls.append(anew)
        return unknown(anew)

    taken = take("logs", scene(rotate=rotate, room=Disk(*used[1:])), Room.of(FULL))
    assert calls == [number > 0 for number in range(times)]
    assert len(taken.parts) == times


def test_a_report_from_before_is_no_reason_to_give_up(scene: Site) -> None:
    earlier = (NOW - timedelta(minutes=1)).isoformat()
    calls: list[bool] = []

    def rotate(anew: bool) -> Report:  # noqa: FBT001 - as it is called
        calls.append(anew)
        return well() if anew else msgspec.structs.replace(unknown(anew), started=earlier)

    take("logs", scene(rotate=rotate, room=Disk(99)), Room.of(FULL))
    assert calls == [False, True]


def test_ctrl_c_in_a_procedure_ends_it_with_what_that_had_done(scene: Site) -> None:
    def clean(_everything: bool, _anew: bool) -> Report:  # noqa: FBT001 - as it is called
        raise Interrupted(well("half of it"))

    stopped = scene(clean=clean)
    report = recover(stopped)
    assert stopped.stop.is_set()
    assert [each.summary for each in report.data["reports"]] == ["half of it"]
    assert [row["step"] for row in report.data["steps"]] == ["leftovers", "cache"]


def test_ctrl_c_at_the_question_clears_nothing(scene: Site) -> None:
    asked = scene(yes=False, plan_clearing=lambda: HELD, clean=lambda _everything, _anew: pytest.fail("cleared"))

    def ask(_lines: object, _question: str) -> bool:
        asked.stop.set()
        return False

    taken = take("cache", asked._replace(ask=ask), Room.of(room(50 * MEGABYTE)))
    assert (taken.report.summary, taken.parts) == ("not cleared", [])


def test_a_step_that_fails_keeps_none_of_the_others_from_being_taken(scene: Site) -> None:
    def providers(_stop: object) -> Report:
        raise RuntimeError("out of order")

    report = recover(scene(providers=providers, steps=("providers", "structure")))
    assert [row["step"] for row in report.data["steps"]] == ["structure", "providers"]
    (finding,) = (each for each in report.findings if each.check == "run.error")
    assert (finding.subject, finding.status) == ("providers", Status.CRITICAL)


def test_where_inodes_are_short_it_says_how_to_find_them(scene: Site) -> None:
    inodes = Finding(check="system.inodes", subject=".", status=Status.CRITICAL, message="None is left.")
    report = recover(scene(room=lambda: Report(summary="", findings=[inodes]), steps=()))
    (finding,) = (each for each in report.findings if each.check == "system.inodes")
    assert finding.remedy is not None
    assert "du --inodes" in finding.remedy
    assert report.summary.startswith("disk unknown full before, unknown now")


def test_where_the_root_cannot_be_weighed_the_remedy_does_without(
    scene: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_arguments: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(judgement, "weigh", unreadable)
    report = recover(scene(room=lambda: FULL, steps=()))
    (finding,) = (each for each in report.findings if each.check == "system.disk")
    assert (
        finding.remedy == f"Delete or move what is not needed. du -ah {tmp_path} | sort -rh | head -20 shows the files."
    )


def test_a_stop_before_it_begins_looks_at_the_disk_only(scene: Site) -> None:
    stopped = scene(configuration=lambda _stop: pytest.fail("asked"))
    stopped.stop.set()
    report = recover(stopped)
    assert [each.check for each in report.findings] == ["system.disk"]
