from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tasks.core.errors import UserError
from tasks.core.report.model import Action, Finding, Interrupted, Report, Status
from tasks.recovery import recovery
from tasks.recovery.ports import STEPS, Context
from tasks.recovery.recovery import recover

from .conftest import Others, report_of, room

CLEAN, ROTATION = "weekly.cache-cleanup", "weekly.log-rotation"
PLANNED = (
    Action(verb="create", target="cache/x"),
    Action(verb="delete", target="cache/temp", count=3, bytes=2000),
    Action(verb="delete", target="cache/api_responses", count=1, bytes=500),
)


def finding_of(report: Report, check: str) -> Finding:
    (finding,) = (each for each in report.findings if each.check == check)
    return finding


def parts(report: Report) -> list[str]:
    return [each.task for each in report.data.get("reports", [])]


def test_a_project_that_is_well(context: Callable[..., Context], others: Others) -> None:
    done: list[int] = []
    report = recover(context(), done.append)
    assert (report.status, report.summary) == (
        Status.OK,
        "disk 50 % full before, 50 % now; 0 problems found, 0 put right",
    )
    assert others.calls == [("clean", True, False), ("providers",)]
    assert [row["step"] for row in report.data["steps"]] == [*STEPS]
    assert (parts(report), done) == ([CLEAN], [1] * 6)
    assert finding_of(report, "providers.answer").status is Status.OK


def test_what_was_wrong_and_is_not_any_more_is_put_right(
    context: Callable[..., Context], others: Others, root: Path
) -> None:
    others.used, others.cleanings = 950, [(report_of(CLEAN), 300)]
    shutil.rmtree(root / "cache/temp")
    report = recover(context())
    assert (report.status, report.summary) == (
        Status.OK,
        "disk 95 % full before, 65 % now; 2 problems found, 2 put right",
    )
    assert finding_of(report, "recovery.freed").message == "300 B more free: the disk was 95 % full, and is 65 % now."
    assert [each.message for each in report.findings if each.check == "recovery.recovered"] == [
        "Put right. It was critical: 950 used.",
        'Put right. It was warning: 1 folder is missing: "cache/temp".',
    ]
    assert (report.metrics[0].name, report.metrics[0].value) == ("recovery.freed", 300)
    assert report.data["steps"][1] == {"step": "cache", "freed": "300 B", "inodes": 0, "disk": "65 %"}


def test_inodes_are_freed_as_well(context: Callable[..., Context], others: Others) -> None:
    others.inodes = 95

    def clean(*_: object) -> Report:
        others.inodes = 10
        return report_of(CLEAN)

    made = context()
    report = recover(made._replace(ports=made.ports._replace(clean=clean)))
    assert finding_of(report, "recovery.freed").message.startswith("85 inodes more free: ")
    assert report.status is Status.OK


def test_a_disk_that_stays_full_is_told_with_what_is_largest(
    context: Callable[..., Context], others: Others, root: Path
) -> None:
    others.used = 950
    for name, size in (("data", 3000), ("models", 5000), ("src", 10), ("docs", 1)):
        (root / name).mkdir()
        (root / name / "file").write_bytes(b"x" * size)
    (root / "top").write_bytes(b"x" * 4000)
    report = recover(context())
    assert report.status is Status.CRITICAL
    assert finding_of(report, "system.disk").remedy == (
        "Delete or move what is not needed. The largest below the root: models (5.0 kB), files in the root (4.0 kB), "
        f"data (3.0 kB). du -ah {root} | sort -rh | head -20 shows the files."
    )
    assert others.calls == [("clean", True, False), ("rotate", False), ("providers",)]
    assert not [each for each in report.findings if each.check == "recovery.freed"]


def test_inodes_that_stay_used_up_have_a_remedy_of_their_own(context: Callable[..., Context], others: Others) -> None:
    others.inodes = 95
    assert "du --inodes" in (finding_of(recover(context()), "system.inodes").remedy or "")


def test_a_root_that_cannot_be_weighed_is_no_reason_to_fail(
    context: Callable[..., Context], others: Others, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> object:
        raise PermissionError(13, "Permission denied")

    others.used = 950
    monkeypatch.setattr(recovery, "usage_by_entry", refuse)
    remedy = finding_of(recover(context()), "system.disk").remedy or ""
    assert remedy.startswith("Delete or move what is not needed. du -ah ")


# The cache


def test_where_nobody_can_be_asked_nothing_is_cleared(context: Callable[..., Context], others: Others) -> None:
    others.planned = PLANNED
    report = recover(context(yes=False, ask=None))
    assert others.calls[0] == ("clean", False, False)
    finding = finding_of(report, "recovery.clearing")
    assert (finding.status, finding.message) == (
        Status.WARNING,
        "Not cleared, for nobody can be asked here: 4 entries (2.5 kB), of which only what had expired was deleted.",
    )


@pytest.mark.parametrize("answer", [True, False])
def test_whoever_is_asked_sees_what_would_go(context: Callable[..., Context], others: Others, *, answer: bool) -> None:
    asked: list[tuple[Sequence[str], str]] = []

    def ask(lines: Sequence[str], question: str) -> bool:
        asked.append((lines, question))
        return answer

    others.planned = PLANNED
    report = recover(context(yes=False, ask=ask))
    ((lines, question),) = asked
    assert question == "Clear these 4 entries (2.5 kB)?"
    assert lines[1:] == ["  cache/temp  3 files  2.0 kB", "  cache/api_responses  1 file  500 B"]
    assert others.calls[0] == ("clean", answer, False)
    clearing = [each.status for each in report.findings if each.check == "recovery.clearing"]
    assert clearing == ([] if answer else [Status.SKIPPED])


def test_for_nothing_nobody_is_asked(context: Callable[..., Context], others: Others) -> None:
    report = recover(context(yes=False, ask=None))
    assert (others.calls[0], report.status) == (("clean", True, False), Status.OK)


def test_told_to_stop_at_the_question_nothing_is_done(context: Callable[..., Context], others: Others) -> None:
    others.planned = PLANNED
    made = context(yes=False)

    def ask(*_: object) -> bool:
        made.stop.set()
        return False

    report = recover(made._replace(ask=ask))
    assert others.calls == []
    assert [row["step"] for row in report.data["steps"]] == ["leftovers", "cache"]


# The logs


def hold(root: Path, size: int) -> None:
    with (root / "logs/app.log").open("wb") as file:
        file.truncate(size)


@pytest.mark.parametrize(("used", "size"), [(500, 999), (500, 1001), (950, 0)])
def test_logs_are_rotated_where_they_are_too_large_or_the_disk_is_short(
    context: Callable[..., Context], others: Others, root: Path, used: int, size: int
) -> None:
    others.used = used
    hold(root, size)
    rotated = int((used, size) != (500, 999))
    report = recover(context(limit=0.001))
    assert others.calls.count(("rotate", False)) == rotated == parts(report).count(ROTATION)
    if size > 1000:
        finding = finding_of(report, "recovery.log-size")
        assert (finding.status, finding.value) == (Status.WARNING, 1001)


def test_once_the_cache_has_made_room_logs_within_their_limit_are_left(
    context: Callable[..., Context], others: Others
) -> None:
    others.used, others.cleanings = 950, [(report_of(CLEAN), 300)]
    report = recover(context())
    assert parts(report) == [CLEAN]
    assert finding_of(report, "recovery.log-size").message.startswith(
        "Not rotated: the disk is not short, and the log folder"
    )


def test_a_log_folder_that_cannot_be_weighed_is_not_rotated_for_its_size(
    context: Callable[..., Context], others: Others, root: Path
) -> None:
    (root / "logs").rmdir()
    (root / "logs").write_text("")
    report = recover(context(limit=0))
    assert ("rotate", False) not in others.calls
    assert "what the log folder holds is unknown" in finding_of(report, "recovery.log-size").message
    assert report.status is Status.CRITICAL


def test_what_frees_room_is_repeated_while_it_helps(context: Callable[..., Context], others: Others) -> None:
    others.used = 990
    full = report_of(ROTATION, Status.CRITICAL)
    others.rotations = [(full, 30), (full, 30), (report_of(ROTATION), 30)]
    report = recover(context())
    assert [call for call in others.calls if call[0] == "rotate"] == [
        ("rotate", False),
        ("rotate", True),
        ("rotate", True),
    ]
    finding = finding_of(report, "recovery.logs")
    assert (finding.status, finding.message) == (
        Status.OK,
        f"{ROTATION}: {ROTATION} ran; then {ROTATION} ran; then {ROTATION} ran.",
    )


@pytest.mark.parametrize(
    ("used", "freed", "rounds"), [(990, 0, 1), (990, 5, 3), (500, 5, 1)], ids=["no help", "some help", "room enough"]
)
def test_what_does_not_help_is_not_repeated(
    context: Callable[..., Context], others: Others, used: int, freed: int, rounds: int
) -> None:
    others.used, others.cleanings = used, [(report_of(CLEAN, Status.UNKNOWN), freed)]
    recover(context(steps=("cache",)))
    assert len(others.calls) == rounds


def test_a_report_from_before_is_no_reason_to_leave_it_at_that(context: Callable[..., Context], others: Others) -> None:
    others.used = 950
    others.rotations = [(report_of(ROTATION, Status.CRITICAL, ago=5), 0), (report_of(ROTATION), 100)]
    report = recover(context())
    assert others.calls[1:3] == [("rotate", False), ("rotate", True)]
    assert finding_of(report, "recovery.logs").status is Status.OK


# Dry runs, chosen steps, and what goes wrong


def test_a_dry_run_tells_what_a_run_would_do(context: Callable[..., Context], others: Others, root: Path) -> None:
    others.used = 950
    shutil.rmtree(root / "cache/temp")
    dry = context(dry_run=True, yes=False)
    report = recover(dry)
    assert (report.dry_run, report.summary) == (True, "disk 95 % full, 2 problems found")
    assert (report.metrics, "steps" in report.data) == ([], False)
    assert "asks before it clears" in finding_of(report, "recovery.clearing").message
    assert "still short" in finding_of(report, "recovery.log-size").message
    assert finding_of(report, "system.disk").remedy == "Run others."
    assert not (root / "cache/temp").exists()
    assert "recovery.clearing" not in {each.check for each in recover(context(dry_run=True)).findings}


def test_only_the_chosen_steps_are_taken(context: Callable[..., Context], others: Others, root: Path) -> None:
    shutil.rmtree(root / "cache/temp")
    report = recover(context(steps=("structure",)))
    assert (others.calls, (root / "cache/temp").is_dir(), report.status) == ([], True, Status.OK)
    none = recover(context(steps=()))
    assert (none.data, none.status) == ({}, Status.OK)


@pytest.mark.parametrize("error", [RuntimeError("broken"), OSError(28, "No space left"), UserError("Put it right.")])
def test_a_step_that_fails_keeps_no_other_from_being_taken(
    context: Callable[..., Context], others: Others, error: Exception
) -> None:
    def fail(*_: object) -> Report:
        raise error

    made = context()
    report = recover(made._replace(ports=made.ports._replace(clean=fail)))
    finding = finding_of(report, "run.error")
    assert (finding.subject, finding.status) == ("cache", Status.CRITICAL)
    assert others.calls == [("providers",)]


def test_where_the_second_look_fails_nothing_is_called_put_right(context: Callable[..., Context], root: Path) -> None:
    looks: list[object] = []

    def once() -> Report:
        looks.append(None)
        if len(looks) > 1:
            raise RuntimeError("broken")
        return room(950)

    shutil.rmtree(root / "cache/temp")
    made = context(steps=("structure",))
    report = recover(made._replace(ports=made.ports._replace(room=once)))
    assert finding_of(report, "run.error").status is Status.CRITICAL
    assert "recovery.recovered" not in {each.check for each in report.findings}
    assert "unknown now" in report.summary


def test_the_configuration_is_looked_at_once_and_stays_as_it_was_found(
    context: Callable[..., Context], root: Path
) -> None:
    looks: list[object] = []

    def fail(_stop: object) -> Report:
        looks.append(None)
        raise RuntimeError("broken")

    shutil.rmtree(root / "cache/temp")
    made = context(steps=("structure",))
    report = recover(made._replace(ports=made.ports._replace(configuration=fail)))
    assert (len(looks), finding_of(report, "run.error").subject) == (1, "configuration")
    assert finding_of(report, "recovery.recovered").subject == "structure"


def test_told_to_stop_from_the_start_it_looks_at_the_disk_only(context: Callable[..., Context], others: Others) -> None:
    made = context()
    made.stop.set()
    report = recover(made)
    assert (others.calls, {each.check for each in report.findings}) == ([], {"system.disk", "system.inodes"})


def test_ctrl_c_in_a_part_ends_it_with_what_was_done(
    context: Callable[..., Context], others: Others, root: Path
) -> None:
    def stopped(*_: object) -> Report:
        others.used = 600
        raise Interrupted(report_of(CLEAN, Status.UNKNOWN))

    others.used = 950
    shutil.rmtree(root / "cache/temp")
    made = context()
    report = recover(made._replace(ports=made.ports._replace(clean=stopped)))
    assert (made.stop.is_set(), parts(report)) == (True, [CLEAN])
    assert [row["step"] for row in report.data["steps"]] == ["leftovers", "cache"]
    assert [each.subject for each in report.findings if each.check == "recovery.recovered"] == ["."]
    assert finding_of(report, "recovery.structure").status is Status.WARNING


def test_ctrl_c_in_the_second_look_claims_nothing(context: Callable[..., Context], others: Others, root: Path) -> None:
    shutil.rmtree(root / "cache/temp")
    made = context()

    def providers(_stop: object) -> Report:
        return report_of("providers")

    looks: list[object] = []

    def configuration(_stop: object) -> Report:
        return Report(summary="")

    def measured() -> Report:
        looks.append(None)
        if len(looks) == 1 + len(STEPS) + 2:  # before, after each step and within one, and in the second look
            made.stop.set()
        return others.room()

    ports = made.ports._replace(providers=providers, configuration=configuration, room=measured)
    report = recover(made._replace(ports=ports))
    assert made.stop.is_set()
    assert "recovery.recovered" not in {each.check for each in report.findings}
