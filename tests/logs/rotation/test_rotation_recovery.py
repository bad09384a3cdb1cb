from __future__ import annotations

import gzip
import itertools
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tasks.core.files.lock import project_lock
from tasks.core.files.safe_files import TEMPORARY
from tasks.core.report.model import Finding, Status
from tasks.logs.log_archives import RELEASE_JOURNAL, ArchiveOrigin, gzip_header
from tasks.logs.rotation import log_filesystem, release_journal
from tasks.logs.rotation.archive_writer import ArchiveCorrupt
from tasks.logs.rotation.log_writers import WriterWatch
from tasks.logs.rotation.release_journal import ReleaseJournal
from tasks.logs.rotation.releasing import undo
from tasks.logs.rotation.strategy import LogWriter, LogWriters

from . import crash
from .conftest import MONTH, NOW, Project, can_collapse, every, found, writer

LINES = b"".join(b"line %d of many\n" % number for number in range(1000))
MARK = "0123456789abcdef0123456789abcde\n"
ARCHIVE = "app_20250602.log.gz"
PENDING = ".rotating-20250602-1-app.log"


def member(project: Project, held: bytes, path: Path, **values: Any) -> Path:
    """Write the archive that a killed run left."""
    status = path.stat()
    origin = ArchiveOrigin(
        log="app.log", device=status.st_dev, inode=status.st_ino, end=len(held), released=0, rotated="then"
    )
    origin = msgspec.structs.replace(origin, **values)
    archive = project.archive(ARCHIVE)
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.write_bytes(gzip_header(origin, 0) + gzip.compress(held)[10:])
    return archive


def leave(project: Project, log: Path, *, held: bytes | None = LINES[:4096], **values: object) -> ReleaseJournal:
    """Write the journal that a killed run left, and its archive."""
    status = log.stat()
    entry = ReleaseJournal(
        strategy="collapse",
        log="app.log",
        device=status.st_dev,
        inode=status.st_ino,
        released=4096,
        end=4096,
        archive=f"2025/06/{ARCHIVE}",
        rotated="then",
        token=MARK,
    )
    if held is not None:
        member(project, held, log)
    (project.logs / "archive").mkdir(exist_ok=True)
    entry = msgspec.structs.replace(entry, **values)
    release_journal.write_journal(project.root, "logs", entry)
    return entry


def pending(project: Project, content: bytes = b"one\ntwo\n") -> Path:
    path = project.archive(PENDING)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


# Logs under their pending name


def test_a_pending_log_is_archived_and_its_name_begun_anew(project: Project) -> None:
    path = pending(project)
    path.chmod(0o600)
    finding = found(project.run(dry_run=True), "logs.recovered", f"{MONTH}/{PENDING}")
    assert finding.message == "An interrupted rotation of app.log would be finished."
    assert path.exists()
    assert found(project.run(), "logs.recovered").status is Status.OK
    assert project.archived(ARCHIVE) == b"one\ntwo\n"
    assert project.names() == ["app.log", f"archive/2025/06/{ARCHIVE}"]
    assert (project.logs / "app.log").stat().st_mode & 0o777 == 0o600


def test_a_pending_log_whose_archive_is_there_is_removed(project: Project) -> None:
    member(project, b"one\ntwo\n", pending(project))
    project.log(content=b"")
    project.run()
    assert project.names() == ["app.log", f"archive/2025/06/{ARCHIVE}"]


def test_a_pending_log_of_which_the_archive_holds_a_part_is_archived_whole(project: Project) -> None:
    member(project, b"one\n", pending(project))
    project.run()
    assert project.archived(ARCHIVE) == b"one\ntwo\n"
    assert project.names() == ["app.log", f"archive/2025/06/{ARCHIVE}"]


@pytest.mark.parametrize("there", [gzip.compress(b"other\n", mtime=0), b"damaged"], ids=["another", "damaged"])
def test_a_pending_log_never_replaces_another_archive(project: Project, there: bytes) -> None:
    pending(project)
    project.archive(ARCHIVE).write_bytes(there)
    report = project.run()
    assert project.archive(ARCHIVE).read_bytes() == there
    assert project.archived("app_20250602_2.log.gz") == b"one\ntwo\n"
    if there == b"damaged":
        assert found(report, "logs.archive-corrupt").status is Status.CRITICAL


def test_a_pending_log_that_somebody_writes_to_gets_its_name_back(project: Project) -> None:
    with writer(pending(project)) as other:
        other.write("three")
        assert "undone" in found(project.run(), "logs.recovered").message
    kept = (project.logs / "app.log").read_bytes()
    held = b"".join(gzip.decompress(path.read_bytes()) for path in project.logs.rglob("*.gz"))
    assert (held + kept) == b"one\ntwo\nthree\n"


def test_a_pending_log_that_somebody_writes_to_waits_where_its_name_is_taken(project: Project) -> None:
    project.log(content=b"")
    with writer(pending(project)) as other:
        finding = found(project.run(), "logs.recovered")
        assert finding.status is Status.WARNING
        assert f"(process {other.pid}) still writes to what was app.log" in finding.message
    assert found(project.run(), "logs.recovered").status is Status.OK


def test_a_pending_log_with_two_names_is_the_live_one_or_left(project: Project) -> None:
    path = pending(project)
    (project.logs / "app.log").hardlink_to(path)
    assert "undone" in found(project.run(), "logs.recovered").message
    assert project.archived(ARCHIVE) == b"one\ntwo\n"

    other = path.with_name(".rotating-20250602-5-app.log")
    other.write_bytes(b"x")
    (project.root / "second").hardlink_to(other)
    assert "hard link" in found(project.run(), "logs.recovered").message
    assert other.exists()


def test_a_pending_log_that_cannot_be_archived_waits(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    path = pending(project)
    monkeypatch.setattr("tasks.logs.rotation.renaming.lease_granted", lambda _log: False)
    assert "somebody wrote to it" in found(project.run(), "logs.recovered").message
    monkeypatch.undo()
    assert path.read_bytes() == b"one\ntwo\n"


def test_other_files_in_the_archive_are_nobodys_business(project: Project) -> None:
    folder = project.archive("")
    folder.mkdir(parents=True)
    for name in ("notes.txt", "app.log", "x_20250101.txt"):
        (folder / name).write_text("mine")
    (folder / TEMPORARY).write_text("left by a kill")
    before = project.names()
    project.run(dry_run=True)
    assert project.names() == before
    project.run()
    assert [*project.names(), f"archive/2025/06/{TEMPORARY}"] == [
        *sorted(set(before) - {f"archive/2025/06/{TEMPORARY}"}),
        f"archive/2025/06/{TEMPORARY}",
    ]


# The journal


def marked(content: bytes = LINES) -> bytes:
    return MARK.encode() + content[len(MARK) :]


def test_a_journal_that_cannot_be_understood_is_kept_aside(project: Project) -> None:
    (project.logs / "archive").mkdir()
    for number, text in enumerate(("{torn", '{"schema": 99}', ""), 1):
        (project.logs / "archive" / RELEASE_JOURNAL).write_text(text)
        journal = "logs/archive/.rotation.json"
        message = found(project.run(dry_run=True), "logs.recovered").message
        assert message.startswith(f"The journal of an interrupted rotation is not used. {journal} ")
        assert (project.root / journal).exists()
        finding = found(project.run(), "logs.recovered")
        assert finding.status is Status.WARNING
        assert finding.message == f"{message} It was kept aside as {journal}.broken-{number}."
        assert (project.logs / "archive" / f"{RELEASE_JOURNAL}.broken-{number}").read_text() == text
    assert every(project.run(), "logs.recovered") == []


def _forged(project: Project, **values: object) -> Finding:
    """Change fields of the journal that a killed run left, rotate, and return the finding on it."""
    log = project.log(content=LINES)
    leave(project, log)
    path = project.root / release_journal.journal_path("logs")
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))
    finding = found(project.run(), "logs.recovered")
    assert finding.status is Status.WARNING
    assert "It was kept aside as logs/archive/.rotation.json.broken-1." in finding.message
    assert project.archived(ARCHIVE) == LINES[:4096]
    return finding


@pytest.mark.parametrize(
    "values",
    [
        {"log": "../outside"},
        {"log": "archive/app.log"},
        {"log": ".."},
        {"archive": "../../outside.log.gz"},
        {"archive": "2025/06/../../../outside.log.gz"},
        {"archive": "2025/06/app.log"},
        {"archive": "/2025/06/app.log.gz"},
        {"released": -1},
        {"released": 5000},
        {"end": 1 << 63},
        {"device": -1},
        {"inode": 1.5},
        {"token": "0" * 100 + "\n"},
        {"token": "0123456789abcdef0123456789abcd\n"},
        {"token": "root::0:0:root:/root:/bin/sh...\n"},
        {"way": "delete"},
        {"state": "done"},
        {"rotated": "x" * 101},
    ],
    ids=str,
)
def test_a_journal_with_a_field_that_no_release_writes_is_not_acted_on(
    project: Project, values: dict[str, object]
) -> None:
    _forged(project, **values)


@pytest.mark.parametrize("state", ["prepared", "marked", "restoring"])
def test_a_forged_journal_changes_nothing_through_a_hard_link(project: Project, state: str) -> None:
    outside = project.root.parent / "outside"
    outside.write_bytes(marked())
    project.logs.mkdir(exist_ok=True)
    (project.logs / "app.log").hardlink_to(outside)
    leave(project, outside, state=state)
    before = outside.stat()
    message = found(project.run(), "logs.recovered").message
    assert "for it has a second name elsewhere (hard link)" in message
    assert "the log was left as it is and the journal kept as logs/archive/.rotation.json.broken-1" in message
    assert (outside.read_bytes(), outside.stat().st_mtime_ns) == (marked(), before.st_mtime_ns)


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_a_log_that_is_no_file_any_more_stops_no_rotation(project: Project, kind: str) -> None:
    log = project.log(content=LINES)
    leave(project, log, state="marked")
    log.rename(project.root / "aside")
    if kind == "link":
        log.symlink_to(project.root / "aside")
    else:
        log.mkdir()
    project.log("other.log", content=b"other\n")
    report = project.run()
    assert "It is no file now" in found(report, "logs.recovered").message
    assert project.archived("other_20250602.log.gz") == b"other\n"
    assert (project.root / "aside").read_bytes() == LINES


@pytest.mark.parametrize("kind", ["link", "hard link"])
def test_a_journal_that_is_a_link_is_kept_aside_and_not_followed(project: Project, kind: str) -> None:
    leave(project, project.log(content=LINES))
    path, outside = project.root / release_journal.journal_path("logs"), project.root.parent / "outside"
    path.rename(outside)
    if kind == "link":
        path.symlink_to(outside)
    else:
        path.hardlink_to(outside)
    before = outside.read_bytes()
    assert "kept aside" in found(project.run(), "logs.recovered").message
    assert outside.read_bytes() == before
    assert not os.path.lexists(path)


def test_a_pending_log_on_its_way_to_a_folder_is_nobodys_business(project: Project) -> None:
    for log in (".", ".."):
        pending(project).rename(project.archive(f".rotating-20250602-1-{log}"))
    assert every(project.run(), "logs.recovered") == []


def test_a_dry_run_says_that_a_journal_is_there(project: Project) -> None:
    leave(project, project.log(content=LINES))
    assert "would be finished or undone" in found(project.run(dry_run=True), "logs.recovered").message
    assert release_journal.read_journal(project.root, "logs") is not None


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("gone", "It is gone"),
        ("replaced", "It is another file now"),
        ("cut, marked", "It has been cut since"),
        ("cut", "It has been cut since"),
        ("rewritten", "It has been rewritten since"),
    ],
)
def test_an_archive_is_kept_where_its_log_is_another_now(project: Project, case: str, message: str) -> None:
    log = project.log(content=marked() if case == "cut, marked" else LINES)
    leave(project, log)
    if case == "gone":
        log.unlink()
    elif case == "replaced":
        log.rename(project.root / "aside")
        log.write_bytes(b"")
    elif case.startswith("cut"):
        os.truncate(log, 100)
    else:
        log.write_bytes(b"x" * 9000)
    finding = found(project.run(), "logs.recovered")
    assert finding.status is Status.WARNING
    assert message in finding.message
    assert project.archived(ARCHIVE) == LINES[:4096]
    assert release_journal.read_journal(project.root, "logs") is None


@pytest.mark.parametrize("held", [None, b"short\n", b"damaged", b""])
@pytest.mark.parametrize("state", ["prepared", "marked", "restoring"])
def test_without_its_archive_nothing_is_released(project: Project, held: bytes | None, state: str) -> None:
    log = project.log(content=marked())
    leave(project, log, held=held, state=state)
    if held == b"damaged":
        os.truncate(project.archive(ARCHIVE), project.archive(ARCHIVE).stat().st_size - 3)
    finding = found(project.run(), "logs.archive-corrupt")
    assert finding.status is Status.CRITICAL
    assert (project.logs / "archive" / f"{RELEASE_JOURNAL}.broken-1").exists()
    held_now = [
        gzip.decompress(path.read_bytes()) for path in project.logs.rglob("app_20250602*.gz") if held != b"damaged"
    ]
    assert held == b"damaged" or marked() in held_now  # the whole log was archived anew, beside the useless one


def test_a_damaged_archive_of_an_untouched_log_is_told(project: Project) -> None:
    leave(project, project.log(content=LINES))
    os.truncate(project.archive(ARCHIVE), project.archive(ARCHIVE).stat().st_size - 3)
    assert found(project.run(), "logs.archive-corrupt").status is Status.CRITICAL


def test_a_release_is_undone_where_somebody_no_longer_appends(collapsing: Project) -> None:
    log = collapsing.log(content=marked())
    leave(collapsing, log, state="marked")
    with writer(log, 0):
        assert "undone" in found(collapsing.run(), "logs.recovered").message
    assert log.read_bytes() == LINES
    assert not collapsing.archive(ARCHIVE).exists()


def test_a_release_is_undone_where_the_file_system_refuses_it(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = project.log(content=marked())
    leave(project, log, state="marked")

    def refuse(_log: int, _length: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("tasks.logs.rotation.log_filesystem.collapse_range", refuse)
    assert "undone" in found(project.run(), "logs.recovered").message
    assert project.archived(ARCHIVE) == LINES


def test_what_was_copied_back_already_is_not_missed(project: Project) -> None:
    log = project.log(content=LINES)
    leave(project, log, held=None, state="restoring")
    project.archive("").mkdir(parents=True)
    assert "undone" in found(project.run(), "logs.recovered").message
    assert project.archived(ARCHIVE) == LINES


def test_a_log_that_cannot_be_opened_stops_the_rotation_and_keeps_the_journal(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(project, project.log(content=marked()), state="marked")
    real = os.open

    def refuse(path: object, flags: int, *arguments: int, **options: int) -> int:
        if path == "app.log":
            raise PermissionError(13, "Permission denied")
        return real(path, flags, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)
    report = project.run()
    monkeypatch.undo()
    assert report.summary == "the logs could not be rotated"
    assert "Permission denied" in found(report, "logs.folder").message
    assert release_journal.read_journal(project.root, "logs") is not None


def test_the_journal_on_disk_keeps_its_shape(project: Project) -> None:
    leave(project, project.log(content=LINES), strategy="truncate", held=None)
    path = project.root / release_journal.journal_path("logs")
    assert json.loads(path.read_bytes())["way"] == "truncate", "what another version wrote is read by this one"
    entry = release_journal.read_journal(project.root, "logs")
    assert entry is not None
    assert entry.strategy == "truncate"


# A kill between any two steps


class _Killed(BaseException):
    """Stands for the end of the process: whatever it still tries to change, it changes nothing."""


def kill_before(patch: pytest.MonkeyPatch, number: int) -> None:
    """Let the *number*-th file operation that changes something not happen, and none after it."""
    begun = itertools.count(1)

    def until_then(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def operation(*arguments: Any, **options: Any) -> Any:
            if name == "open" and not arguments[1] & os.O_CREAT:
                return real(*arguments, **options)
            if next(begun) >= number:
                raise _Killed
            return None if name in {"fsync", "fdatasync"} else real(*arguments, **options)

        return operation

    for name in crash.OPERATIONS:
        patch.setattr(os, name, until_then(name, getattr(os, name)))
    patch.setattr(log_filesystem, "collapse_range", until_then("collapse", log_filesystem.collapse_range))


@pytest.mark.parametrize("strategy", ["collapse", "blank", "truncate", "refused"])
def test_a_release_that_ends_before_any_of_its_steps_loses_and_doubles_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch, strategy: str
) -> None:
    if strategy == "truncate":
        project.set_logs(allow_copytruncate=True)
        monkeypatch.setattr(log_filesystem, "collapse_available", lambda: False)
    elif not can_collapse(project.root):
        pytest.skip("the file system under the temporary folder is neither ext4 nor XFS")
    if strategy == "refused":
        monkeypatch.setattr(log_filesystem, "collapse_range", crash.refuse)
    appending = LogWriters((LogWriter(1, "init", append=True),))
    monkeypatch.setattr(WriterWatch, "writers", lambda _self, _log, **_options: appending)
    monkeypatch.setattr(WriterWatch, "again", lambda _self, _log: appending)
    lines = [b"line %d of many" % number for number in range(20 if strategy == "blank" else 300)]
    killed = True
    number = 0
    with project_lock(project.root, "weekly.log-rotation", NOW):  # who takes it is not the point
        while killed:
            number += 1
            shutil.rmtree(project.logs)
            project.logs.mkdir()
            log = project.log(content=b"".join(line + b"\n" for line in lines))
            with monkeypatch.context() as patch:
                kill_before(patch, number)
                try:
                    project.run(force=strategy == "blank")
                    killed = False
                except _Killed:
                    pass
            with log.open("ab") as file:
                file.write(b"written after\n")
            project.run(force=strategy == "blank")
            assert crash.problems_in(project.root, Counter([*lines, b"written after"])) == [], f"before step {number}"
    assert number > 20, "no step was seen"


def test_a_kill_in_the_middle_of_the_last_write_of_an_undoing_leaves_no_token(project: Project) -> None:
    half = len(MARK) // 2
    log = project.log(content=LINES[:half] + marked()[half:])
    leave(project, log, state="restoring")
    assert "undone" in found(project.run(), "logs.recovered").message
    assert project.archived(ARCHIVE) == LINES


@pytest.mark.parametrize("other", [{"log": "b.log"}, {"device": 1}, {"inode": 1}, {"rotated": "at another time"}])
def test_an_archive_of_another_rotation_under_the_name_is_not_taken_for_that_of_the_release(
    project: Project, other: dict[str, Any]
) -> None:
    log = project.log(content=marked())
    leave(project, log, state="marked")
    there = member(project, LINES[:4096], log, **other).read_bytes()
    assert "is missing" in found(project.run(), "logs.archive-corrupt").message
    assert project.archive(ARCHIVE).read_bytes() == there


def test_a_truncation_is_undone_by_the_first_bytes_of_an_archive_whose_end_is_torn(project: Project) -> None:
    log = project.log(content=marked())
    leave(project, log, state="marked", strategy="truncate", end=len(LINES), held=LINES)
    archive = project.archive(ARCHIVE)
    with archive.open("ab") as file:
        file.write(gzip.compress(b"what was written in the last round\n")[:-9])
    assert "undone" in found(project.run(), "logs.recovered").message
    assert project.archived(ARCHIVE) == LINES


def test_an_archive_that_is_shorter_than_what_was_overwritten_undoes_nothing(project: Project) -> None:
    log = project.log(content=marked())
    entry = leave(project, log, held=LINES[:4000], state="restoring")
    with project.context() as context, log.open("r+b") as live, pytest.raises(ArchiveCorrupt):
        undo(context, entry, live.fileno())
    assert log.read_bytes().startswith(MARK.encode())
    assert release_journal.read_journal(project.root, "logs") == entry


def test_no_more_is_copied_back_than_what_was_overwritten(project: Project) -> None:
    whole, end = LINES * 20, 200_000  # more than is read at a time
    capitals = whole.upper()
    blanked = b" " * (end - 4096 - 1) + b"\n"
    log = project.log(content=MARK.encode() + whole[len(MARK) : 4096] + blanked + whole[end:])
    entry = leave(project, log, held=capitals, state="restoring", end=end)
    with project.context() as context, log.open("r+b") as live:
        undo(context, entry, live.fileno())
    assert log.read_bytes() == capitals[: len(MARK)] + whole[len(MARK) : 4096] + capitals[4096:end] + whole[end:]
    assert release_journal.read_journal(project.root, "logs") is None
