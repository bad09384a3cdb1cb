from __future__ import annotations

import errno
import fcntl
import gzip
import hashlib
import os
import secrets
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tasks.core.files.lock import LockedByOther, project_lock
from tasks.core.files.safe_files import Refused
from tasks.core.report.model import Action, Interrupted, Report, Status
from tasks.logs.log_archives import origin_of
from tasks.logs.log_folder import find_logs
from tasks.logs.rotation import (
    archive_writer,
    log_filesystem,
    release_journal,
    releasing,
    renaming,
    rotation_steps,
)
from tasks.logs.rotation.archive_writer import BLOCK, ArchiveCorrupt, archive_content
from tasks.logs.rotation.log_rotation import rotate_logs
from tasks.logs.rotation.log_writers import WriterWatch
from tasks.logs.rotation.release_journal import ReleaseJournal, read_journal
from tasks.logs.rotation.strategy import LogCut, LogWriters
from tasks.logs.rotation.strategy import LogWriter as Known
from tests.examples import examples

from .conftest import NOW, Project, every, found, writer

NOBODY = LogWriters()
APPENDING = LogWriters((Known(1, "init", append=True),))
LINES = b"".join(b"line %d of many\n" % number for number in range(1000))


def look(root: Path) -> dict[str, tuple[int, int, int, bytes]]:
    seen = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
        seen[str(path)] = status.st_mode, status.st_mtime_ns, status.st_ino, content
    return seen


# What becomes of a log


def test_a_log_nobody_writes_to_is_archived_whole_and_begun_anew(project: Project) -> None:
    log = project.log(content=LINES)
    log.chmod(0o640)
    os.utime(log, (1_700_000_000, 1_700_000_000))
    inode = log.stat().st_ino
    if os.geteuid() == 0:
        os.chown(log, 1234, 4321)
    report = project.run()

    assert report.status is Status.OK
    assert project.archived("app_20250602.log.gz") == LINES
    archive = project.archive("app_20250602.log.gz")
    origin = origin_of(archive.read_bytes())
    assert origin
    assert (origin.log, origin.inode, origin.end, origin.released) == ("app.log", inode, len(LINES), len(LINES))
    assert origin.rotated == NOW.isoformat()
    assert archive.stat().st_mtime == 1_700_000_000
    assert log.read_bytes() == b""
    for path in (log, archive):
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        if os.geteuid() == 0:
            assert (path.stat().st_uid, path.stat().st_gid) == (1234, 4321)
    assert project.names() == ["app.log", "archive/2025/06/app_20250602.log.gz"]
    assert "renamed and begun anew" in found(report, "logs.rotated", "logs/app.log").message
    assert report.actions == [Action(verb="archive", target="logs/app.log", bytes=len(LINES))]
    (month,) = report.data["months"]
    assert (month["month"], month["archives"], month["original"]) == ("2025/06", 1, "16.9 kB")
    assert report.summary.startswith("1 log archived (16.9 kB, ")


def test_a_second_rotation_that_day_gets_a_name_of_its_own(project: Project) -> None:
    for text in (b"one\n", b"two\n", b"three\n"):
        project.log(content=text)
        project.run()
    project.run()
    assert [project.archived(f"app_20250602{n}.log.gz") for n in ("", "_2", "_3")] == [b"one\n", b"two\n", b"three\n"]
    assert len(project.names()) == 4


def test_whatever_has_the_name_of_an_archive_is_not_overwritten(project: Project) -> None:
    project.archive("").mkdir(parents=True)
    project.archive("app_20250602.log.gz").write_bytes(b"no gzip")
    project.archive("app_20250602_2.log.gz").symlink_to("nowhere")
    project.log()
    project.run()
    assert project.archive("app_20250602.log.gz").read_bytes() == b"no gzip"
    assert project.archived("app_20250602_3.log.gz") == b"one\ntwo\n"


def test_a_log_in_use_is_shortened_under_its_writer(collapsing: Project) -> None:
    log = collapsing.log(content=LINES)
    with writer(log) as other:
        inode = log.stat().st_ino
        report = collapsing.run()
        other.write("after")

    held = collapsing.archived("app_20250602.log.gz")
    origin = origin_of(collapsing.archive("app_20250602.log.gz").read_bytes())
    assert origin
    assert origin.end == len(held)
    assert origin.released % 4096 == 0
    rest = log.read_bytes()
    blank = origin.end - origin.released
    assert rest[:blank].strip(b" ") in {b"", b"\n"}
    assert held + rest[blank:] == LINES + b"after\n"
    assert log.stat().st_ino == inode
    assert report.status is Status.OK
    assert "released at its start, nothing is lost" in found(report, "logs.rotated").message


@hypothesis_settings(
    max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    pieces=st.lists(
        st.sampled_from([b"a\n", b"\n", b" \n", b"\0\xff\n", b"x" * 5000 + b"\n", b"y" * 4095, b"z" * 900])
    ),
    force=st.booleans(),
)
def test_any_content_is_archive_and_live_file_together(
    collapsing: Project, *, pieces: list[bytes], force: bool
) -> None:
    for path in collapsing.logs.rglob("*.gz"):
        path.unlink()
    whole = b"".join(pieces)
    log = collapsing.log(content=whole)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WriterWatch, "writers", lambda _self, _log, **_options: APPENDING)
        patch.setattr(WriterWatch, "again", lambda _self, _log: APPENDING)
        collapsing.run(force=force)
    archives = list(collapsing.logs.rglob("*.gz"))
    if not archives:
        assert log.read_bytes() == whole
        return
    held = gzip.decompress(archives[0].read_bytes())
    origin = origin_of(archives[0].read_bytes())
    assert origin
    blank = origin.end - origin.released
    rest = log.read_bytes()
    assert held + rest[blank:] == whole
    assert not rest[:blank].strip(b" \n")
    assert rest[:blank].count(b"\n") <= 1


def test_less_than_a_block_in_use_waits_unless_forced(collapsing: Project) -> None:
    log = collapsing.log(content=b"one\ntwo\nthr")
    with writer(log) as other:
        report = collapsing.run()
        assert log.read_bytes() == b"one\ntwo\nthr"
        assert found(report, "logs.in-use").status is Status.OK
        assert "less than a block" in found(report, "logs.in-use").message

        forced = collapsing.run(force=True)
        assert found(forced, "logs.rotated").value == 8
        assert log.read_bytes() == b" " * 7 + b"\nthr"
        assert collapsing.archived("app_20250602.log.gz") == b"one\ntwo\n"

        other.write("ee")
        assert collapsing.run(force=True).status is Status.OK
        assert log.read_bytes() == b" " * 13 + b"\n"
        assert collapsing.archived("app_20250602_2.log.gz") == b" " * 7 + b"\nthree\n"
        assert collapsing.run(force=True).summary == "0 logs archived (0 B), 0 old archives deleted"
    assert len(collapsing.names()) == 3


@pytest.mark.parametrize("text", [b"a\n", b"no newline at all", b"\0\xff\xfe" * 5000, b"\n\na"])
def test_any_content_is_archived_where_nobody_writes(project: Project, text: bytes) -> None:
    project.log(content=text)
    project.run()
    assert project.archived("app_20250602.log.gz") == text


def test_a_log_of_many_blocks_becomes_an_archive_that_gzip_reads(project: Project) -> None:
    text = os.urandom(BLOCK) + LINES * 400
    project.log(content=text)
    project.run()
    archive = project.archive("app_20250602.log.gz")
    assert project.archived("app_20250602.log.gz") == text
    with archive.open("rb") as file:
        assert b"".join(archive_content(file.fileno())) == text


def test_names_that_are_no_text_keep_their_bytes(project: Project) -> None:
    name = os.fsdecode(b"\xff\n\x1b[31m.log")
    project.log(name)
    report = project.run()
    assert project.archived(os.fsdecode(b"\xff\n\x1b[31m_20250602.log.gz")) == b"one\ntwo\n"
    origin = origin_of(project.archive(os.fsdecode(b"\xff\n\x1b[31m_20250602.log.gz")).read_bytes())
    assert origin
    assert origin.log == name
    assert found(report, "logs.rotated").subject == r"logs/\xff\n\x1b[31m.log"


def test_a_log_not_in_append_mode_is_copied_and_truncated_where_that_is_accepted(project: Project) -> None:
    log = project.log(content=LINES)
    project.set_logs(allow_copytruncate=True)
    with writer(log, os.O_TRUNC) as other:
        other.write("first")
        report = project.run()
    assert project.archived("app_20250602.log.gz") == b"first\n"
    assert log.read_bytes() == b""
    message = found(report, "logs.rotated").message
    assert "It was copied and truncated, for" in message
    assert "what was written in that moment may be lost" in message
    assert f"(process {other.pid}) writes to it and not in append mode" in message


def test_what_is_written_while_a_log_is_copied_goes_to_its_archive(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_filesystem, "collapse_available", lambda: False)
    project.set_logs(allow_copytruncate=True)
    log = project.log()
    with writer(log) as other:
        real = releasing.put_mark
        contents = ["three", "four"]

        def write_first(*arguments: Any) -> Any:
            other.write(contents.pop())
            return real(*arguments)

        monkeypatch.setattr(releasing, "put_mark", write_first)
        project.run()
        verify = archive_writer.ArchiveWriter.verify
        written = 0

        def write_on(self: archive_writer.ArchiveWriter, again: int) -> None:
            nonlocal written
            verify(self, again)
            other.write("on and on")
            written += 1

        monkeypatch.setattr(archive_writer.ArchiveWriter, "verify", write_on)
        other.write("more")
        project.run()
    assert project.archived("app_20250602.log.gz") == b"one\ntwo\nfour\n"
    last = project.archived("app_20250602_2.log.gz")
    assert last == b"more\non and on\nthree\n" + b"on and on\n" * 9
    assert written == 10, "what was written in each round is in the next one, and the last one is not waited for"
    assert log.read_bytes() == b""
    origin = origin_of(project.archive("app_20250602_2.log.gz").read_bytes())
    assert origin
    assert origin.end == len(last)


# What is refused or left


def test_links_and_odd_files_are_refused_with_a_warning(project: Project, tmp_path: Path) -> None:
    (project.logs / "link.log").symlink_to(project.log("target.txt"))
    os.mkfifo(project.logs / "pipe.log")
    (tmp_path / "second").hardlink_to(project.log("hard.log"))
    (project.logs / "folder.log").mkdir()
    report = project.run()
    messages = {one.subject: one.message for one in every(report, "logs.refused")}
    assert report.status is Status.WARNING
    assert set(messages) == {"logs/link.log", "logs/pipe.log", "logs/hard.log"}
    assert "2 names (hard links)" in messages["logs/hard.log"]
    assert not (project.logs / "archive").exists()


def test_empty_logs_and_other_files_are_left_in_silence(project: Project) -> None:
    project.log(content=b"")
    project.log("note.txt")
    report = project.run()
    assert report.status is Status.OK
    assert every(report, "logs.rotated") == []
    assert project.names() == ["app.log", "note.txt"]


def test_a_folder_without_a_log_and_without_an_archive_is_skipped(project: Project) -> None:
    for dry_run in (True, False):
        report = project.run(dry_run=dry_run)
        assert (report.status, report.summary) == (Status.SKIPPED, "no logs")
    project.log()
    project.run()
    (project.logs / "app.log").unlink(missing_ok=True)
    assert project.run().status is Status.OK  # its archives are looked after


def test_no_log_folder_is_skipped(project: Project) -> None:
    project.logs.rmdir()
    for dry_run in (True, False):
        report = project.run(dry_run=dry_run)
        assert report.status is Status.SKIPPED
        assert report.summary == "there is no log folder"


@pytest.mark.parametrize("which", ["logs", "archive", "month"])
def test_a_folder_that_is_a_link_is_refused(project: Project, tmp_path: Path, which: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    if which == "logs":
        project.logs.rmdir()
        project.logs.symlink_to(elsewhere)
    elif which == "archive":
        (project.logs / "archive").symlink_to(elsewhere)
    else:
        (project.logs / "archive" / "2025").mkdir(parents=True)
        project.archive("").symlink_to(elsewhere)
    project.log()
    report = project.run()
    assert report.status.severity >= Status.UNKNOWN.severity
    assert any("symbolic link" in one.message for one in report.findings)
    assert (project.logs / "app.log").read_bytes() == b"one\ntwo\n"
    assert [path.name for path in elsewhere.iterdir()] == (["app.log"] if which == "logs" else [])


def test_a_root_that_is_none_is_refused(project: Project) -> None:
    project.settings = msgspec.structs.replace(project.settings, root=str(project.root / "none"))
    with pytest.raises(Refused):
        project.run()


def test_another_run_is_not_disturbed(project: Project) -> None:
    project.log()
    with (project.root / ".maintenance.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(LockedByOther):
            project.run()
    assert project.names() == ["app.log"]


def test_a_procedure_that_holds_the_lock_may_rotate(project: Project) -> None:
    project.log()
    with project_lock(project.root, "daily.log-review", NOW):
        assert len(every(project.run(), "logs.rotated")) == 1


# What fails


def failing(real: Callable[..., Any], error: int, when: Callable[..., bool]) -> Callable[..., Any]:
    def operation(*arguments: Any, **options: Any) -> Any:
        if when(*arguments, **options):
            raise OSError(error, os.strerror(error))
        return real(*arguments, **options)

    return operation


def test_a_full_disk_costs_no_line_and_leaves_nothing_behind(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.log("a.log", LINES)
    project.log("b.log", b"")
    before = look(project.logs)
    monkeypatch.setattr(os, "write", failing(os.write, errno.ENOSPC, lambda _file, data: len(data) > 100))
    report = project.run()
    monkeypatch.undo()
    finding = found(report, "logs.rotation-failed", "logs/a.log")
    assert finding.status is Status.CRITICAL
    assert "No space left on device" in finding.message
    assert "Free space" in str(finding.remedy)
    after = {path: seen for path, seen in look(project.logs).items() if path in before}
    assert after == before
    assert project.names() == ["a.log", "b.log"]


@pytest.mark.parametrize("number", [1, 2])
def test_a_disk_that_fails_while_it_is_flushed_ahead_is_heard(
    project: Project, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    content = b"".join(hashlib.sha256(b"%d" % line).hexdigest().encode() + b"\n" for line in range(100_000))
    assert len(content) > 3 * BLOCK
    project.log(content=content)
    flushes = []

    def this_one(_descriptor: int) -> bool:
        flushes.append(1)
        return len(flushes) == number

    monkeypatch.setattr(archive_writer, "_FLUSHED", 1)
    monkeypatch.setattr(os, "fsync", failing(os.fsync, errno.EIO, this_one))
    report = project.run()
    monkeypatch.undo()
    assert "Input/output error" in found(report, "logs.rotation-failed").message
    assert project.names() == ["app.log"]
    assert (project.logs / "app.log").read_bytes() == content


@pytest.mark.parametrize("operation", ["fdatasync", "link", "pwrite"])
@pytest.mark.parametrize("number", range(1, 4))
@pytest.mark.parametrize("force", [False, True])
def test_a_release_that_fails_anywhere_is_undone_or_finished(
    collapsing: Project, monkeypatch: pytest.MonkeyPatch, operation: str, number: int, *, force: bool
) -> None:
    log = collapsing.log(content=LINES)
    calls = []

    def this_one(*_arguments: Any, **_options: Any) -> bool:
        calls.append(1)
        return len(calls) == number

    with writer(log) as other:
        monkeypatch.setattr(os, operation, failing(getattr(os, operation), errno.EIO, this_one))
        collapsing.run(force=force)
        monkeypatch.undo()
        other.write("after")
        report = collapsing.run()
    assert not every(report, "logs.rotation-failed")
    held = b"".join(gzip.decompress(path.read_bytes()) for path in sorted(collapsing.logs.rglob("*.gz")))
    lines = [line for line in (held + log.read_bytes()).split(b"\n") if line.strip(b" ")]
    assert lines == [*LINES.splitlines(), b"after"]
    assert not [path for path in collapsing.names() if "rotation" in path or "tmp" in path]


def test_an_archive_that_does_not_read_back_is_not_kept(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.log(content=LINES)
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, data: real(file, bytes(data[:-20]) + b"\0" * 20))
    report = project.run()
    monkeypatch.undo()
    assert "does not read back" in found(report, "logs.rotation-failed").message
    assert project.names() == ["app.log"]
    assert (project.logs / "app.log").read_bytes() == LINES


def test_a_file_system_that_refuses_leaves_the_log_as_it_was(
    collapsing: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = collapsing.log(content=LINES)
    monkeypatch.setattr(
        log_filesystem, "collapse_range", failing(log_filesystem.collapse_range, errno.EOPNOTSUPP, lambda *_a: True)
    )
    with writer(log):
        report = collapsing.run()
    assert log.read_bytes() == LINES
    assert collapsing.names() == ["app.log"]
    assert "refuses to release its start (Operation not supported)" in found(report, "logs.in-use").message


def test_an_error_of_the_disk_while_releasing_is_told(collapsing: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    log = collapsing.log(content=LINES)
    monkeypatch.setattr(
        log_filesystem, "collapse_range", failing(log_filesystem.collapse_range, errno.EIO, lambda *_a: True)
    )
    with writer(log):
        report = collapsing.run()
    assert log.read_bytes() == LINES
    assert found(report, "logs.rotation-failed").status is Status.CRITICAL


def test_a_log_that_changes_while_it_is_packed_is_archived_as_it_became(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = project.log()
    real = rotation_steps.require_unchanged

    def grow(*arguments: Any) -> None:
        real(*arguments)
        with log.open("ab") as file:
            file.write(b"three\n")

    monkeypatch.setattr(renaming, "require_unchanged", grow)
    project.run()
    assert project.archived("app_20250602.log.gz") == b"one\ntwo\nthree\n"
    assert log.read_bytes() == b""


@pytest.mark.parametrize("change", ["replaced", "shortened", "rewritten", "linked", "opened"])
def test_a_log_that_somebody_else_changes_is_as_they_left_it(
    project: Project, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    log = project.log(content=LINES)
    aside = project.root / "aside"
    real = renaming.archive_whole_log

    def meddle(*arguments: Any) -> None:
        real(*arguments)
        aside.unlink(missing_ok=True)
        if change == "replaced":
            log.rename(aside)
            log.write_bytes(b"new\n")
        elif change == "shortened":
            os.truncate(log, log.stat().st_size - 1)
        elif change == "rewritten":
            with log.open("r+b") as file:
                file.write(os.urandom(4))
        elif change == "linked":
            aside.hardlink_to(log)
        else:
            monkeypatch.setattr(
                WriterWatch, "writers", lambda _self, _log, *, afresh=False: APPENDING if afresh else NOBODY
            )

    monkeypatch.setattr(renaming, "archive_whole_log", meddle)
    report = project.run()
    assert project.names() == ["app.log"]
    (finding,) = [*every(report, "logs.in-use"), *every(report, "logs.refused")]
    assert finding.status is Status.WARNING


def test_one_who_opens_it_in_the_last_moment_keeps_what_he_wrote(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = project.log()
    monkeypatch.setattr(renaming, "lease_granted", lambda _log: False)
    report = project.run()
    monkeypatch.undo()
    assert "the next run archives it" in found(report, "logs.in-use").message
    assert log.read_bytes() == b""
    assert project.names() == ["app.log", "archive/2025/06/.rotating-20250602-1-app.log"]
    assert found(project.run(), "logs.recovered").status is Status.OK
    assert project.archived("app_20250602.log.gz") == b"one\ntwo\n"
    assert project.names() == ["app.log", "archive/2025/06/app_20250602.log.gz"]


# The order of the steps


class Steps:
    """The steps that a rotation takes on the disk, in their order."""

    def __init__(self, patch: pytest.MonkeyPatch, log: Path) -> None:
        self.taken: list[str] = []
        self._patch = patch
        self._log = log.stat().st_ino
        for name in ("fsync", "fdatasync"):
            self._note(os, name, lambda file: f"flush the {self._kind(file)}")
        self._note(os, "pwrite", lambda file, data, offset: f"write {len(data)} to the {self._kind(file)} at {offset}")
        self._note(os, "ftruncate", lambda file, length: f"cut the {self._kind(file)} to {length}")
        self._note(os, "unlink", lambda name, **_options: f"remove {name}")
        self._note(log_filesystem, "collapse_range", lambda _log, length: f"release {length}")
        self._note(releasing, "give_final_name", lambda _folder, name: f"name {name}", whole=True)
        self._note(release_journal, "write_journal", lambda _root, _logs, entry: f"journal {entry.state}", whole=True)
        self._note(release_journal, "remove_journal", lambda *_arguments: "remove the journal", whole=True)

    def _note(self, module: Any, name: str, described: Callable[..., str], *, whole: bool = False) -> None:
        """Note each call of a function; of a *whole* step not what it consists of."""
        real = getattr(module, name)

        def step(*arguments: Any, **options: Any) -> Any:
            self.taken.append(described(*arguments, **options))
            so_far = [*self.taken]
            try:
                return real(*arguments, **options)
            finally:
                self.taken = so_far if whole else self.taken

        self._patch.setattr(module, name, step)

    def _kind(self, descriptor: int) -> str:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            return "folder"
        return "log" if status.st_ino == self._log else "archive"

    def since(self, first: str) -> list[str]:
        """Return the steps from the first one of that name on."""
        return self.taken[self.taken.index(first) :]


RELEASED = [
    "flush the archive",
    "journal prepared",
    "name app_20250602.log.gz",
    "write 32 to the log at 0",
    "flush the log",
    "write 13 to the log at 16384",
    "flush the log",
    "journal marked",
    "release 16384",
]


def test_each_step_of_a_release_is_on_the_disk_before_the_next(
    collapsing: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = collapsing.log(content=LINES)
    steps = Steps(monkeypatch, log)
    with writer(log):
        collapsing.run()
    assert steps.since("flush the archive")[:12] == [
        *RELEASED,
        "flush the log",
        "flush the archive",
        "remove the journal",
    ]


def test_each_step_of_undoing_a_release_is_on_the_disk_before_the_next(
    collapsing: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = collapsing.log(content=LINES)
    refuse = failing(log_filesystem.collapse_range, errno.EOPNOTSUPP, lambda *_arguments: True)
    monkeypatch.setattr(log_filesystem, "collapse_range", refuse)
    steps = Steps(monkeypatch, log)
    with writer(log):
        collapsing.run()
    assert steps.since("flush the archive")[: len(RELEASED) + 8] == [
        *RELEASED,
        "journal restoring",
        "write 13 to the log at 16384",
        "flush the log",
        "write 32 to the log at 0",
        "flush the log",
        "remove app_20250602.log.gz",
        "flush the folder",
        "remove the journal",
    ]


def test_each_step_of_a_truncation_is_on_the_disk_before_the_next(
    copying: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = copying.log(content=LINES)
    steps = Steps(monkeypatch, log)
    with writer(log):
        copying.run()
    assert steps.since("flush the archive")[:10] == [
        *RELEASED[:5],
        "journal marked",
        "cut the log to 0",
        "flush the log",
        "flush the archive",
        "remove the journal",
    ]


# The start of a log in use


def test_the_archive_of_a_log_in_use_has_its_mode_owner_and_time(collapsing: Project) -> None:
    log = collapsing.log(content=LINES)
    log.chmod(0o640)
    os.utime(log, (1_700_000_000, 1_700_000_000))
    if os.geteuid() == 0:
        os.chown(log, 1234, 4321)
    before = log.stat()
    with writer(log):
        collapsing.run()
    archive = collapsing.archive("app_20250602.log.gz")
    after = archive.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_mtime_ns == before.st_mtime_ns
    assert origin_of(archive.read_bytes()) is not None


def test_of_a_log_in_use_that_is_cut_while_it_is_archived_no_archive_is_left(
    collapsing: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = collapsing.log(content=LINES)
    real = rotation_steps.verify_archive

    def cut_then(*arguments: Any) -> None:
        real(*arguments)
        os.truncate(log, 10)

    monkeypatch.setattr(releasing, "verify_archive", cut_then)
    with writer(log):
        collapsing.run()
    assert log.read_bytes() == LINES[:10]
    assert collapsing.names() == ["app.log"]


def test_the_token_is_never_what_the_log_begins_with(collapsing: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    first = "0123456789abcdef0123456789abcde"
    collapsing.log(content=first.encode() + b"\n" + LINES)
    drawn = [first, "f" * 64]
    monkeypatch.setattr(secrets, "token_hex", lambda _length: drawn.pop(0))
    tokens = []
    real = release_journal.write_journal

    def write_journal(root: Path, directory: str, entry: ReleaseJournal) -> None:
        tokens.append(entry.token)
        real(root, directory, entry)

    monkeypatch.setattr(release_journal, "write_journal", write_journal)
    with writer(collapsing.logs / "app.log"):
        collapsing.run()
    assert tokens == ["f" * 31 + "\n"] * 2


def test_a_log_of_one_byte_is_copied_and_truncated(copying: Project) -> None:
    log = copying.log(content=b"x")
    with writer(log):
        copying.run()
    assert copying.archived("app_20250602.log.gz") == b"x"
    assert log.read_bytes() == b""


@pytest.mark.parametrize("refused", [False, True])
def test_a_system_that_writes_less_than_it_is_given_is_asked_again(
    collapsing: Project, monkeypatch: pytest.MonkeyPatch, *, refused: bool
) -> None:
    log = collapsing.log(content=LINES)
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, offset: real(file, data[: len(data) // 3 + 1], offset))
    if refused:
        refuse = failing(log_filesystem.collapse_range, errno.EOPNOTSUPP, lambda *_arguments: True)
        monkeypatch.setattr(log_filesystem, "collapse_range", refuse)
    with writer(log):
        collapsing.run()
    if refused:
        assert log.read_bytes() == LINES
    else:
        assert collapsing.archived("app_20250602.log.gz") + log.read_bytes().lstrip(b" ")[1:] == LINES


def test_a_long_line_that_was_blanked_is_whole_again_where_the_release_is_refused(
    collapsing: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"begun\n" + os.urandom(500_000).hex().encode() + b"\n" + LINES
    log = collapsing.log(content=content)
    monkeypatch.setattr(releasing, "_STEP", 1000)
    monkeypatch.setattr("tasks.logs.rotation.rotate_file.cut_point", lambda *_a, **_o: LogCut(4096, 1_000_007))
    states = []
    real = log_filesystem.collapse_range

    def refuse(live: int, length: int) -> None:
        states.append((os.pread(live, len(content), 0), length))
        failing(real, errno.EOPNOTSUPP, lambda *_arguments: True)(live, length)

    monkeypatch.setattr(log_filesystem, "collapse_range", refuse)
    with writer(log):
        collapsing.run()
    ((marked, released),) = states
    assert released == 4096
    assert marked[32:] == content[32:4096] + b" " * (1_000_006 - 4096) + b"\n" + LINES
    assert log.read_bytes() == content


# Old archives


def test_archives_older_than_the_limit_go_with_the_folders_they_leave_empty(project: Project) -> None:
    for days in (0, 89, 90, 91, 200, -30):
        day = NOW - timedelta(days=days)
        folder = project.logs / "archive" / f"{day:%Y/%m}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"app_{day:%Y%m%d}.log.gz").write_bytes(b"damaged, and of any size")
    old = project.logs / "archive" / "2024" / "01"
    old.mkdir(parents=True)
    (old / "odd.gz").write_bytes(b"x")
    os.utime(old / "odd.gz", (1_700_000_000, 1_700_000_000))
    (old / "link_20240101.log.gz").symlink_to("odd.gz")
    planned = project.run(dry_run=True)
    report = project.run()
    assert [msgspec.structs.replace(one, done=False) for one in report.actions] == planned.actions
    assert found(report, "logs.expired").value == 3
    days_left = sorted(name.split("_")[-1][:8] for name in project.names())
    assert days_left == ["20240101", "20250304", "20250305", "20250602", "20250702"]
    assert ("remove", "logs/archive/2024/11") in {(one.verb, one.target) for one in report.actions}
    assert not (project.logs / "archive" / "2024" / "11").exists()
    assert {"month": "2025/07", "archives": 1, "size": "24 B"} in report.data["months"]
    everything = project.run(older_than_days=0)
    assert found(everything, "logs.expired").value == 2
    assert "older than 0 days" in found(everything, "logs.expired").message


def test_an_empty_year_goes_too_and_what_cannot_be_deleted_is_told(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project.logs / "archive" / "2020" / "01"
    folder.mkdir(parents=True)
    for name in ("a", "b", "c"):
        (folder / f"{name}_20200101.log.gz").write_bytes(b"x")
    last_month = project.logs / "archive" / "2025" / "05"
    last_month.mkdir(parents=True)
    (last_month / "a_20250501.log.gz").write_bytes(b"x")
    real = os.unlink
    monkeypatch.setattr(os, "unlink", failing(real, errno.EPERM, lambda name, **_o: str(name).startswith("a_")))
    real_stat = os.stat

    def changed(name: Any, **options: Any) -> os.stat_result:
        if str(name).startswith("b_") and "x" in seen:
            (folder / str(name)).write_bytes(b"other")
        if str(name).startswith("b_"):
            seen.append("x")
        return real_stat(name, **options)

    seen: list[str] = []
    monkeypatch.setattr(os, "stat", changed)
    report = project.run()
    monkeypatch.undo()
    (warning,) = [one for one in every(report, "logs.expired") if one.status is Status.WARNING]
    assert warning.value == 2
    planned = project.run(dry_run=True)
    report = project.run()
    assert [one.target for one in report.actions if one.verb == "remove"] == [
        "logs/archive/2020/01",
        "logs/archive/2020",
    ]
    assert [msgspec.structs.replace(one, done=False) for one in report.actions] == planned.actions
    assert not (project.logs / "archive" / "2020").exists()


# Dry runs, interruptions, many logs


def test_a_dry_run_changes_nothing_and_plans_what_a_run_does(collapsing: Project) -> None:
    collapsing.log("a.log", LINES)
    with writer(collapsing.log("b.log", LINES)), writer(collapsing.log("c.log", LINES), 0):
        before = look(collapsing.root)
        planned = collapsing.run(dry_run=True)
        assert look(collapsing.root) == before
        report = collapsing.run()
    assert planned.dry_run
    assert [msgspec.structs.replace(one, done=False) for one in report.actions] == planned.actions
    assert [one.check for one in report.findings] == [one.check for one in planned.findings]
    assert "would be renamed" in found(planned, "logs.rotated", "logs/a.log").message


@pytest.mark.parametrize("dry_run", [True, False])
def test_ctrl_c_stops_between_two_logs(project: Project, *, dry_run: bool) -> None:
    for number in range(5):
        project.log(f"{number}.log")

    def interrupt(_count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        project.run(dry_run=dry_run, advance=interrupt)
    report: Report = caught.value.report
    assert report.summary.startswith("interrupted: 1 log ")
    assert report.status is Status.UNKNOWN
    assert len(list(project.logs.rglob("*.gz"))) == (0 if dry_run else 1)


def test_a_wish_to_stop_undoes_the_log_at_hand(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.log(content=LINES * 200)
    stop = Event()
    real = archive_writer._gzip_member

    def member(*arguments: Any) -> Any:
        stop.set()
        return real(*arguments)

    monkeypatch.setattr(archive_writer, "_gzip_member", member)
    outcome = rotate_logs(project.root, project.settings, None, now=NOW, stop=stop)
    assert outcome.interrupted
    assert outcome.rotated == []
    assert project.names() == ["app.log"]
    assert (project.logs / "app.log").read_bytes() == LINES * 200


def test_only_the_logs_that_are_named_are_rotated(project: Project) -> None:
    project.log("a.log")
    project.log("b.log")
    (project.logs / "c.log").symlink_to("a.log")
    outcome = rotate_logs(project.root, project.settings, ["b.log"], now=NOW)
    assert [one.log for one in outcome.rotated] == ["b.log"]
    assert outcome.left == []
    assert (project.logs / "a.log").read_bytes() == b"one\ntwo\n"


def test_many_logs_are_told_in_one_line(project: Project) -> None:
    for number in range(30):
        project.log(f"{number}.log")
        (project.logs / f"link{number}.log").symlink_to("0.log")
    assert "would be archived: 240 B." in found(project.run(dry_run=True), "logs.rotated").message
    report = project.run()
    assert found(report, "logs.rotated").value == 30
    refused = found(report, "logs.refused")
    assert refused.value == 30
    assert "and 25 more" in refused.message
    assert len(report.actions) == 30


def test_damaged_archives_are_recognised(tmp_path: Path) -> None:
    for bad in (b"no gzip at all", gzip.compress(LINES)[:-10], gzip.compress(LINES)[:-8] + b"12345678"):
        path = tmp_path / "x.gz"
        path.write_bytes(bad)
        with path.open("rb") as file, pytest.raises(ArchiveCorrupt):
            list(archive_content(file.fileno()))


def test_logs_that_vanish_or_cannot_be_read_do_not_stop_the_others(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("closed.log", "fine.log", "gone.log"):
        project.log(name)
    real = os.open

    def refuse(path: Any, *arguments: Any, **options: Any) -> int:
        if path == "closed.log":
            raise PermissionError(errno.EACCES, "Permission denied")
        if path == "gone.log":
            raise FileNotFoundError
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)
    report = project.run()
    assert found(report, "logs.unreadable", "logs/closed.log").status is Status.UNKNOWN
    assert [one.subject for one in every(report, "logs.rotated")] == ["logs/fine.log"]


@pytest.mark.parametrize("closed", [".", "archive", "app.log"])
def test_a_dry_run_promises_nothing_that_permissions_forbid(
    collapsing: Project, monkeypatch: pytest.MonkeyPatch, closed: str
) -> None:
    log = collapsing.log(content=LINES)
    if closed == "archive":
        (collapsing.logs / "archive").mkdir()
    real = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode, **o: (path != closed or mode == os.F_OK) and real(path, mode, **o)
    )
    if closed == "app.log":
        with writer(log):
            report = collapsing.run(dry_run=True)
    else:
        report = collapsing.run(dry_run=True)
    assert "Permission denied" in found(report, "logs.rotation-failed").message


def test_many_logs_that_are_copied_and_truncated_are_named(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WriterWatch, "writers", lambda _self, _log, **_options: LogWriters(unseen=True))
    project.set_logs(allow_copytruncate=True)
    for number in range(25):
        project.log(f"{number}.log")
    report = project.run()
    _, lossy = every(report, "logs.rotated")
    assert "and 20 more copied and truncated: what was written" in lossy.message


def test_an_archive_folder_that_cannot_be_walked_for_old_archives_is_told(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("tasks.logs.rotation.log_rotation.expire_archives", refuse)
    assert "Old archives were not looked at: Input/output error" in found(project.run(), "logs.folder").message


def test_who_has_begun_the_log_anew_meanwhile_keeps_it(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    log = project.log()
    real = renaming.recreate_log

    def first(*arguments: Any) -> None:
        log.write_bytes(b"begun by the program")
        real(*arguments)

    monkeypatch.setattr(renaming, "recreate_log", first)
    project.run()
    assert log.read_bytes() == b"begun by the program"
    assert project.archived("app_20250602.log.gz") == b"one\ntwo\n"
    assert len(project.names()) == 2


def test_one_who_does_not_append_and_comes_late_undoes_the_release(
    collapsing: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = collapsing.log(content=LINES)
    late = LogWriters((Known(1, "init", append=False),))
    monkeypatch.setattr(WriterWatch, "again", lambda _self, _log: late)
    with writer(log):
        report = collapsing.run()
    assert "who does not append" in found(report, "logs.in-use").message
    assert log.read_bytes() == LINES
    assert collapsing.names() == ["app.log"]


def test_a_log_that_is_cut_after_its_start_was_marked_keeps_its_archive(
    collapsing: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = collapsing.log(content=LINES)
    real = rotation_steps.give_final_name

    def cut_then(*arguments: Any) -> None:
        real(*arguments)
        os.truncate(log, 10)

    monkeypatch.setattr(releasing, "give_final_name", cut_then)
    with writer(log):
        report = collapsing.run()
    assert "shorter than the" in found(report, "logs.in-use").message or every(report, "logs.rotated") == []
    assert LINES.startswith(collapsing.archived("app_20250602.log.gz"))
    assert log.read_bytes() == LINES[:10]
    assert read_journal(collapsing.root, "logs") is None


def test_a_log_of_another_user_is_not_begun_anew_by_us(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    log = project.log()
    content = log.read_bytes()
    monkeypatch.setattr(os, "geteuid", lambda: os.stat(log).st_uid + 1)  # noqa: PTH116
    for dry_run in (True, False):
        finding = found(project.run(dry_run=dry_run), "logs.refused")
        assert finding.status is Status.WARNING
        assert "it is another user's" in finding.message
    assert log.read_bytes() == content
    assert project.names() == ["app.log"]


def test_a_name_too_long_for_an_archive_is_left_by_run_and_dry_run(project: Project) -> None:
    name = "x" * 240 + ".log"
    (project.logs / name).write_text("one\n")
    for dry_run in (True, False):
        assert "too long" in found(project.run(dry_run=dry_run), "logs.refused").message
    assert project.names() == [name]


def test_what_the_suite_keeps_and_what_is_packed_is_no_log(project: Project) -> None:
    logs = msgspec.structs.replace(project.settings.logs, pattern="*")
    settings = msgspec.structs.replace(project.settings, logs=logs)
    kept = ["error_tracking.json", "error_tracking.json.broken-1", "log_review.json", "performance.json", "old.log.gz"]
    for name in kept:
        (project.logs / name).write_text("{}")
    project.log()
    names = [log.name for log in find_logs(project.root, settings).logs]
    assert names == ["app.log"]


def test_old_archives_make_room_before_anything_is_archived(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.log()
    old = project.archive("app_20200101.log.gz")
    old.parent.mkdir(parents=True)
    old.write_bytes(gzip.compress(b"old"))
    seen: list[bool] = []
    real = renaming.rename

    def rename(*arguments: Any) -> Any:
        seen.append(old.exists())
        return real(*arguments)

    monkeypatch.setattr("tasks.logs.rotation.rotate_file.rename", rename)
    report = project.run()
    assert seen == [False]
    assert [row["archives"] for row in report.data["months"]] == [1]


def test_a_log_that_is_cut_between_its_mark_and_its_release_is_not_cut_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = project.log(content=b"".join(b"line %06d\n" % number for number in range(3000)))
    real = releasing.put_mark

    def put_mark(*arguments: Any) -> Any:
        monkeypatch.undo()
        entry = real(*arguments)
        log.write_bytes(b"")
        with log.open("ab") as file:
            file.writelines(b"new %06d\n" % number for number in range(5000))
        return entry

    monkeypatch.setattr(releasing, "put_mark", put_mark)
    with writer(log):
        project.run()
    held = b"".join(gzip.decompress(path.read_bytes()) for path in sorted(project.logs.rglob("*.gz")))
    text = held + log.read_bytes()
    assert held
    for number in range(3000):
        assert text.count(b"line %06d\n" % number) == held.count(b"line %06d\n" % number) <= 1
    for number in range(5000):
        assert text.count(b"new %06d\n" % number) == 1


def test_a_log_that_its_writer_has_mapped_into_memory_is_left(project: Project) -> None:
    log = project.log(content=b"x" * 4095 + b"\n" + b"y" * 4095 + b"\n" + b"z\n")
    program = (
        "import mmap, os, sys\n"
        "descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_APPEND)\n"
        "memory = mmap.mmap(descriptor, 8192)\n"
        "print('ready', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, log], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        finding = found(project.run(), "logs.in-use")
        process.communicate()
    assert "mapped into memory" in finding.message
    assert project.names() == ["app.log"]


def test_extended_attributes_and_with_them_access_lists_go_along(project: Project) -> None:
    log = project.log()
    try:
        os.setxattr(log, "user.kept", b"yes")
    except (AttributeError, OSError):
        pytest.skip("no extended attributes on this system or file system")
    project.run()
    for path in (log, project.archive("app_20250602.log.gz")):
        assert os.getxattr(path, "user.kept") == b"yes"
