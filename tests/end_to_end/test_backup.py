from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import jsonschema
import psutil
import pytest

from .conftest import INV, REPOSITORY, Inv, Result, fingerprint, handles, wait_until

CREATE, RESTORE = "backup.create", "backup.restore"


@pytest.fixture
def full(project: Path) -> Path:
    """A project with something of everything in it."""
    for name, content in {
        "data/materials.yaml": b"materials: {}\n" * 1000,
        "data/empty.yaml": b"",
        "data/deep/er/two\nlines.yaml": b"a: 1\n",
        "config/settings.py": b"A = 1\n",
        "config/__pycache__/settings.pyc": b"code",
        "requirements.txt": b"invoke\n",
        "logs/error_tracking.json": b"{}",
        "logs/zbeam.log": b"not wanted",
        "README.md": b"not wanted",
    }.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (project / os.fsdecode(b"data/caf\xe9.yaml")).write_bytes(b"x" * 10)
    (project / "data/hollow").mkdir(mode=0o750)
    (project / "data/empty.yaml").chmod(0o600)
    os.utime(project / "data/deep/er", ns=(1, 1_234_567_890_123_456_789))
    os.utime(project / "data/materials.yaml", ns=(1, 987_654_321_987_654_321))
    return project


def archives(root: Path) -> list[Path]:
    return sorted((root / "backups").glob("*.tar.gz"))


def saved(root: Path) -> dict[str, tuple[int, int, str]]:
    """What a backup of the root has to hold."""
    wanted = ("data", "config", "requirements.txt", "logs/error_tracking.json")
    found = {name: each for name, each in fingerprint(root).items() if name.startswith(wanted) or name == "logs"}
    return {name: each for name, each in found.items() if "__pycache__" not in name}


def test_what_was_backed_up_is_restored_in_names_contents_modes_and_times(inv: Inv, full: Path) -> None:
    before = saved(full)
    result = inv(CREATE)
    assert (result.status, result.report["status"]) == (0, "ok"), result.out
    missing, done = result.findings("backup.create")
    assert (missing["message"], done["status"]) == ('Nothing is there of "components", "logs/*.jsonl".', "ok")
    jsonschema.validate(result.document, json.loads(inv("report.schema", json=False).out))
    (archive,) = archives(full)
    assert archive.stat().st_mode & 0o777 == 0o600
    assert subprocess.run(["/bin/gzip", "-t", archive], check=False).returncode == 0
    assert saved(full) == before
    restored = inv(RESTORE, "--into", "new/place")
    assert (restored.status, restored.report["status"]) == (0, "ok"), restored.out
    there = fingerprint(full / "new/place")
    there.pop(".")
    assert there == before
    (metric,) = restored.report["metrics"]
    assert metric["value"] == 7


def test_the_same_files_make_the_same_archive(inv: Inv, full: Path) -> None:
    inv(CREATE)
    (full / "data/materials.yaml").rename(full / "data/away")
    (full / "data/away").rename(full / "data/materials.yaml")
    times(full, "data")
    inv(CREATE)
    one, other = archives(full)
    assert one.read_bytes() == other.read_bytes()
    (full / "data/empty.yaml").write_text("no more")
    inv(CREATE)
    assert len({each.read_bytes() for each in archives(full)}) == 2


def times(root: Path, path: str) -> None:
    """Give a folder the time that its backup has."""
    (entry,) = (each for each in manifest(archives(root)[0])["entries"] if each["path"] == path)
    os.utime(root / path, ns=(0, entry["mtime_ns"]))


def manifest(archive: Path) -> Any:
    """Return the manifest beside an archive."""
    return json.loads(archive.with_name(archive.name.replace(".tar.gz", ".manifest.json")).read_text())


@pytest.mark.parametrize("arguments", [(CREATE, "--dry-run"), ("--dry", CREATE)])
def test_a_dry_run_of_a_backup_changes_nothing(inv: Inv, full: Path, arguments: tuple[str, ...]) -> None:
    before = fingerprint(full)
    result = inv(*arguments)
    assert (result.status, fingerprint(full)) == (0, before), result.out
    planned = result.targets("write")
    assert [Path(name).suffix for name in planned] == [".gz", ".json", ".json"]
    assert planned[-1] == "backups/created.json"


def test_a_dry_run_of_a_restore_reads_all_and_writes_nothing(inv: Inv, full: Path) -> None:
    inv(CREATE)
    before = fingerprint(full)
    result = inv(RESTORE, "--dry-run")
    assert (result.status, fingerprint(full)) == (0, before), result.out
    assert "7 files of 14.0 kB can be restored" in result.report["summary"]


def test_nothing_to_back_up_is_skipped(inv: Inv, project: Path) -> None:
    result = inv(CREATE)
    assert (result.status, result.report["status"]) == (0, "skipped"), result.out
    assert not (project / "backups").exists()


def test_links_pipes_and_what_cannot_be_read_are_left_and_told(inv: Inv, full: Path) -> None:
    (full / "data/link").symlink_to("/etc/passwd")
    os.mkfifo(full / "data/pipe")
    (full / "config").rename(full / "elsewhere")
    (full / "config").symlink_to("elsewhere")
    result = inv(CREATE)
    assert result.status == 1
    messages = " ".join(each["message"] for each in result.findings("backup.create"))
    assert (
        "3 entries left out: config (it is a symbolic link); data/link (it is a symbolic link); data/pipe" in messages
    )


def test_old_backups_go_and_the_newest_whole_one_never_does(inv: Inv, full: Path) -> None:
    inv(CREATE)
    (whole,) = archives(full)
    for day in range(1, 4):
        (full / f"backups/backup_2020010{day}_000000.tar.gz").write_bytes(b"old")
    (full / "backups/backup_30000101_000000.tar.gz").write_bytes(b"no manifest")
    (full / "backups/mine.tar.gz").write_bytes(b"mine")
    (full / "data/empty.yaml").write_text("no more")
    none = {"INVOKE_MAINTENANCE_BACKUPS_KEEP_DAYS": "0"}
    assert len(inv(CREATE, "--dry-run", env={"INVOKE_MAINTENANCE_BACKUPS_KEEP": "2"}).targets("delete")) == 3
    assert len(inv(CREATE, "--dry-run", env={"INVOKE_MAINTENANCE_BACKUPS_KEEP": "2", **none}).targets("delete")) == 4
    result = inv(CREATE, env={"INVOKE_MAINTENANCE_BACKUPS_KEEP": "0", **none})
    assert result.status == 0, result.out
    left = {path.name for path in (full / "backups").iterdir() if path.suffix == ".gz"}
    assert left == {"backup_30000101_000000.tar.gz", Path(result.report["files"][0]).name, "mine.tar.gz"}
    assert whole.name not in left


def test_what_vanished_since_the_last_backup_is_told_and_that_backup_kept(inv: Inv, full: Path) -> None:
    inv(CREATE)
    (good,) = archives(full)
    (full / "data").rename(full / "not mounted")
    for _ in range(3):
        result = inv(CREATE, env={"INVOKE_MAINTENANCE_BACKUPS_KEEP": "1", "INVOKE_MAINTENANCE_BACKUPS_KEEP_DAYS": "0"})
    assert result.status == 0  # the last backup holds nothing of it either
    assert good in archives(full)
    assert "1 newer archive" not in inv(RESTORE, "--backup", good.name.removesuffix(".tar.gz")).out
    assert (full / "restored/data/materials.yaml").exists()


def test_the_first_backup_after_something_vanished_warns(inv: Inv, full: Path) -> None:
    inv(CREATE)
    (full / "data").rename(full / "not mounted")
    result = inv(CREATE)
    assert result.status == 1
    (finding,) = (each for each in result.findings("backup.create") if each["status"] == "warning")
    assert finding["message"].startswith("Of what the last backup holds, nothing is there any more: data (")


def test_a_damaged_newest_archive_is_passed_over_and_told(inv: Inv, full: Path) -> None:
    inv(CREATE)
    (full / "data/empty.yaml").write_text("no more")
    inv(CREATE)
    _, newest = archives(full)
    newest.write_bytes(newest.read_bytes()[:100])
    result = inv(RESTORE)
    assert result.status == 1
    assert f'1 newer archive passed over, not whole: "{newest.name}".' in result.out.replace('\\"', '"')


def test_the_newest_is_told_by_the_manifest_wherever_it_was_made(inv: Inv, full: Path) -> None:
    for number, zone in enumerate(("Asia/Tokyo", "America/Los_Angeles")):
        (full / "data/materials.yaml").write_text(f"number: {number}\n")
        assert inv(CREATE, env={"TZ": zone}).status == 0
    assert inv(RESTORE).status == 0
    assert (full / "restored/data/materials.yaml").read_text() == "number: 1\n"


def test_files_of_keys_are_in_no_backup_unless_they_are_named(inv: Inv, full: Path) -> None:
    for name in (".env", "data/.env", "config/.env.local", "data/.env.example"):
        (full / name).write_text("KEY=of-nobody\n")

    def held(result: Result) -> set[str]:
        manifest = json.loads((full / result.report["files"][1]).read_text())
        return {Path(each["path"]).as_posix() for each in manifest["entries"] if ".env" in each["path"]}

    assert held(inv(CREATE)) == {"data/.env.example"}
    assert held(inv(CREATE, env={"INVOKE_MAINTENANCE_BACKUPS_SOURCES": "data,.env"})) == {".env", "data/.env.example"}


def flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:0],
        lambda content: content[:-100],
        flip,
        lambda content: content + b"more",
        lambda content: b"x" * len(content),
    ],
    ids=["empty", "truncated", "flipped bit", "longer", "no archive"],
)
def test_a_damaged_archive_is_named_and_nothing_of_it_is_left(inv: Inv, full: Path, damage: object) -> None:
    inv(CREATE)
    (archive,) = archives(full)
    archive.write_bytes(damage(archive.read_bytes()))  # type: ignore[operator]
    before = fingerprint(full)
    result = inv(RESTORE, "--backup", archive.name, "--into", "there")
    assert (result.status, result.err) == (2, ""), result.out
    assert result.findings("backup.restore")[0]["subject"] == f"backups/{archive.name}"
    after = fingerprint(full)
    assert {name for name in after.keys() ^ before.keys() if name != "there"} == set()
    assert not (full / "there").exists() or not [*(full / "there").iterdir()]


ODD_MANIFESTS = [
    None,
    b"",
    b"{}",
    b'{"schema": 3}',
    b"\xff",
    b"[" * 100_000,
    b'{"schema": 1, "created": "", "sources": [], "entries": [{"path": "../x", "mode": 420, "mtime_ns": 0}]}',
    b'{"schema": 1, "created": "", "sources": [], "entries": [{"path": "x", "mode": -1, "mtime_ns": 0}]}',
    b'{"schema": 1, "created": "", "sources": [], "entries": [{"path": "x", "mode": 1, "mtime_ns": 0, "raw": "zz"}]}',
    b'{"schema": 1, "created": "", "sources": [], "entries": [{"path": "x", "mode": 1, "mtime_ns": 1e99}]}',
]


@pytest.mark.parametrize("content", ODD_MANIFESTS)
def test_a_backup_without_the_manifest_beside_it_is_read_by_the_one_inside(
    inv: Inv, full: Path, content: bytes | None
) -> None:
    inv(CREATE)
    before = saved(full)
    (archive,) = archives(full)
    beside = archive.with_name(archive.name.replace(".tar.gz", ".manifest.json"))
    beside.unlink() if content is None else beside.write_bytes(content)
    result = inv(RESTORE)
    assert (result.status, result.err) == (1, ""), result.out
    done, warning = result.findings("backup.restore")
    assert (done["status"], warning["status"]) == ("ok", "warning")
    assert warning["message"].startswith("It was read by the manifest inside: ")
    there = fingerprint(full / "restored")
    there.pop(".")
    assert there == before
    verified = inv("quarterly.backup-verification")
    assert (verified.status, verified.report["data"]["backups"][0]["level"]) == (1, "restored"), verified.out


@pytest.mark.parametrize("content", ODD_MANIFESTS)
def test_one_odd_manifest_of_an_archive_that_is_none_stops_nothing_else(
    inv: Inv, full: Path, content: bytes | None
) -> None:
    for place, archive in enumerate((b"", b"no archive", b"\x1f\x8b\x08\0\0\0\0\0\0\xff")):
        name = f"backup_2020010{place + 1}_000000"
        (full / "backups").mkdir(exist_ok=True)
        (full / f"backups/{name}.tar.gz").write_bytes(archive)
        if content is not None:
            (full / f"backups/{name}.manifest.json").write_bytes(content)
    (full / "backups/backup_20200104_000000.tar.gz").mkdir()
    os.mkfifo(full / "backups/backup_20200105_000000.tar.gz")
    (full / "backups/backup_20200106_000000.tar.gz").symlink_to("/etc/passwd")
    (full / "backups/backup_20200107_000000.tar.gz").write_bytes(b"")
    os.mkfifo(full / "backups/backup_20200107_000000.manifest.json")
    assert inv(CREATE).status == 0
    assert inv(RESTORE).status == 0
    result = inv("quarterly.backup-verification")
    assert (result.status, result.err) == (2, ""), result.out
    levels = [each["level"] for each in result.report["data"]["backups"]]
    assert levels == ["restored", *["present"] * 7]
    named = inv(RESTORE, "--backup", "backup_20200102_000000", "--into", "else")
    assert (named.status, named.err) == (2, ""), named.out


@pytest.mark.parametrize(
    "into", ["data", "data/below", "logs/x", "backups/.restore-test", "../out", "/srv", ".", ".git", "elsewhere"]
)
def test_a_folder_that_is_not_empty_or_lies_elsewhere_is_refused(inv: Inv, full: Path, into: str) -> None:
    inv(CREATE)
    (full / "elsewhere").mkdir()
    (full / "elsewhere/file").touch()
    before = fingerprint(full)
    result = inv(RESTORE, "--into", into)
    assert result.status == (2 if into == "elsewhere" else 64)
    assert "elsewhere is not empty" in result.out or "--into takes a folder" in result.err
    assert fingerprint(full) == before


def test_an_unknown_backup_is_refused(inv: Inv, full: Path) -> None:
    assert "There is no backup" in inv(RESTORE, "--backup", "backup_20200101_000000.tar.gz").out
    assert not (full / "restored").exists()


def test_a_folder_that_cannot_be_written_is_told(inv: Inv, full: Path) -> None:
    (full / "backups").write_text("a file")
    result = inv(CREATE)
    assert (result.status, result.err) == (2, ""), result.out
    assert "No archive could be written" in result.out


def failing(monkeypatch: pytest.MonkeyPatch, path: Path, error: int) -> None:
    """Let opening a file fail, as the system does for whom it belongs to somebody else, or on a failing disk."""
    inode, original = path.stat().st_ino, os.open

    def opened(name: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        descriptor = original(name, flags, mode, dir_fd=dir_fd)
        if os.fstat(descriptor).st_ino == inode:
            os.close(descriptor)
            raise OSError(error, os.strerror(error), name)
        return descriptor

    monkeypatch.setattr(os, "open", opened)


def test_a_file_that_cannot_be_read_is_critical_and_the_rest_is_saved(
    inv: Inv, full: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, full / "data/materials.yaml", errno.EACCES)
    result = inv(CREATE)
    monkeypatch.undo()
    assert (result.status, result.err) == (2, ""), result.out
    (critical,) = (each for each in result.findings("backup.create") if each["status"] == "critical")
    assert critical["subject"] == "data/materials.yaml"
    assert critical["message"] == "Not backed up: it cannot be read: Permission denied."
    assert "Let the user of this run read it" in critical["remedy"]
    assert inv(RESTORE).status == 0
    there = fingerprint(full / "restored")
    assert "data/materials.yaml" not in there
    assert there["config/settings.py"] == saved(full)["config/settings.py"]


def test_a_folder_that_cannot_be_read_is_critical_and_the_rest_is_saved(
    inv: Inv, full: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, full / "config", errno.EIO)
    result = inv(CREATE)
    monkeypatch.undo()
    assert (result.status, result.err) == (2, ""), result.out
    (critical,) = (each for each in result.findings("backup.create") if each["status"] == "critical")
    assert (critical["subject"], critical["message"]) == (
        "config",
        "Not backed up: it cannot be read: Input/output error.",
    )
    assert len(archives(full)) == 1


def test_where_nothing_can_be_read_there_is_no_empty_backup(
    inv: Inv, full: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, full / "data/materials.yaml", errno.EIO)
    result = inv(CREATE, env={"INVOKE_MAINTENANCE_BACKUPS_SOURCES": "data/materials.yaml"})
    monkeypatch.undo()
    assert (result.status, result.err) == (2, ""), result.out
    assert [each["subject"] for each in result.findings("backup.create")] == ["data/materials.yaml", "backups"]
    assert [*(full / "backups").iterdir()] == []


def test_of_many_files_that_cannot_be_read_none_is_left_out_of_the_report(
    inv: Inv, full: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (full / "data/locked").mkdir()
    for number in range(25):
        (full / f"data/locked/{number:02}").write_text("x")
    inodes, original_open = {each.stat().st_ino for each in (full / "data/locked").iterdir()}, os.open

    def opened(name: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        descriptor = original_open(name, flags, mode, dir_fd=dir_fd)
        if os.fstat(descriptor).st_ino in inodes:
            os.close(descriptor)
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)
        return descriptor

    monkeypatch.setattr(os, "open", opened)
    critical = [each for each in inv(CREATE).findings("backup.create") if each["status"] == "critical"]
    assert [each["subject"] for each in critical[:20]] == [f"data/locked/{number:02}" for number in range(20)]
    assert critical[20]["message"] == (
        '5 more entries not backed up: "data/locked/20", "data/locked/21", "data/locked/22" and 2 more.'
    )


def test_a_backup_without_a_file_that_cannot_be_read_never_drives_out_the_last_one_that_holds_it(
    inv: Inv, full: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inv(CREATE)
    (good,) = archives(full)
    failing(monkeypatch, full / "data/materials.yaml", errno.EIO)
    for number in range(3):
        (full / "data/empty.yaml").write_text(str(number))
        inv(CREATE, env={"INVOKE_MAINTENANCE_BACKUPS_KEEP": "1", "INVOKE_MAINTENANCE_BACKUPS_KEEP_DAYS": "0"})
    monkeypatch.undo()
    assert good in archives(full)
    assert len(archives(full)) == 2


def test_in_place_a_file_that_cannot_be_read_is_kept_aside_and_restored(
    inv: Inv, full: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inv(CREATE)
    before = saved(full)
    for name in ("data/materials.yaml", "config/settings.py"):
        (full / name).write_text("spoilt = 1\n")
    failing(monkeypatch, full / "data/materials.yaml", errno.EIO)
    result = inv(RESTORE, "--force")
    monkeypatch.undo()
    assert (result.status, result.err) == (2, ""), result.out
    (critical,) = (each for each in result.findings("backup.restore") if each["status"] == "critical")
    assert critical["subject"] == "data/materials.yaml"
    assert critical["message"] == (
        "Restored. Its state before is not backed up: it cannot be read: Input/output error. "
        "It is kept as data/materials.yaml.broken-1."
    )
    assert (full / "data/materials.yaml.broken-1").read_text() == "spoilt = 1\n"
    after = saved(full)
    after.pop("data/materials.yaml.broken-1")
    assert after == before
    state_before = result.report["files"][0].removeprefix("backups/")
    inv(RESTORE, "--backup", state_before, "--into", "state-before")
    assert (full / "state-before/config/settings.py").read_text() == "spoilt = 1\n"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_the_middle_of_a_member_of_3_gb_ends_the_run_within_a_second(
    inv: Inv, full: Path, unmeasured: dict[str, str], number: signal.Signals
) -> None:
    with (full / "data/large").open("wb") as file:
        for place in range(0, 3_000_000_000, 50_000_000):  # holes take no room here, and as long to read as anything
            file.seek(place)
            file.write(b"x")

    def ended(began: Path, size: int, *command: str) -> None:
        before = sorted((full / "backups").glob("backup_*"))
        environment = unmeasured | {"INVOKE_MAINTENANCE_OUTPUT": "json"}
        process = subprocess.Popen([INV, *command], cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE)
        wait_until(lambda: began.exists() and began.stat().st_size >= size, process)
        process.send_signal(number)
        spent = psutil.Process(process.pid).cpu_times()
        document = json.loads(process.communicate()[0])
        assert process.returncode == 130
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert (document["status"], sorted((full / "backups").glob("backup_*"))) == ("unknown", before)
        after.append(usage.ru_utime + usage.ru_stime - sum(children) - spent.user - spent.system)
        children.append(usage.ru_utime + usage.ru_stime - sum(children))

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    children, after = [used.ru_utime + used.ru_stime], list[float]()
    (full / "backups").mkdir()
    ended(full / "backups/.maintenance-tmp", 1_000_000, CREATE)
    inv(CREATE)
    ended(full / "restored/data/large", 100_000_000, RESTORE)
    ended(full / "backups/.restore-test/data/large", 100_000_000, "quarterly.backup-verification")
    (full / "data/empty.yaml").write_text("changed")
    ended(full / "backups/.restore-in-place/data/large", 100_000_000, RESTORE, "--force")
    assert (full / "data/empty.yaml").read_text() == "changed"
    assert max(after) < 1, "seconds of computing time after the signal, which no load of the machine makes longer"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_backup_that_is_stopped_leaves_no_archive(
    full: Path, unmeasured: dict[str, str], number: signal.Signals
) -> None:
    with (full / "data/large").open("wb") as file:
        for _ in range(300):
            file.write(os.urandom(1_000_000))
    for place in range(300):
        (full / f"data/small{place}").write_bytes(b"x")
    process = subprocess.Popen([INV, CREATE], cwd=REPOSITORY, env=unmeasured, stdout=subprocess.DEVNULL, text=True)
    temporary = full / "backups/.maintenance-tmp"
    wait_until(temporary.exists, process)
    if number is signal.SIGTERM:
        wait_until(lambda: handles(process, number), process)
    process.send_signal(number)
    assert process.wait(60) == (130 if number is signal.SIGTERM else -9)
    assert archives(full) == []
    assert temporary.exists() == (number is signal.SIGKILL)
    (full / "data/large").unlink()
    done = subprocess.run([INV, CREATE], cwd=REPOSITORY, env=unmeasured, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert len(archives(full)) == 1
    assert not temporary.exists()
    assert time.time() - archives(full)[0].stat().st_mtime < 60


@pytest.mark.slow
def test_a_full_disk_leaves_no_archive(inv: Inv, full: Path, unmeasured: dict[str, str]) -> None:
    (full / "data/large").write_bytes(os.urandom(5_000_000))
    limited = f"ulimit -f 1000; trap '' XFSZ; exec {INV} {CREATE}"
    unmeasured |= {"INVOKE_MAINTENANCE_OUTPUT": "json"}
    done = subprocess.run(
        ["/bin/bash", "-c", limited], cwd=REPOSITORY, env=unmeasured, capture_output=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert b"No archive could be written" in done.stdout
    assert [*(full / "backups").iterdir()] == []
    assert inv(CREATE).status == 0


@pytest.fixture
def killed(inv: Inv, full: Path, unmeasured: dict[str, str]) -> Path:
    """A project with two backups, and what a restore of the older one left that was killed half way."""
    with (full / "data/large").open("wb") as file:
        for _ in range(300):
            file.write(os.urandom(1_000_000))
    assert inv(CREATE).status == 0
    (older,) = archives(full)
    (full / "data/empty.yaml").write_text("newer")
    assert inv(CREATE).status == 0
    process = subprocess.Popen([INV, RESTORE, "--backup", older.name], cwd=REPOSITORY, env=unmeasured)
    large = full / "restored/data/large"
    wait_until(lambda: large.exists() and large.stat().st_size > 1_000_000, process)
    process.kill()
    process.wait()
    return older


@pytest.mark.slow
def test_a_restore_that_was_killed_is_finished_by_the_next_one(inv: Inv, full: Path, killed: Path) -> None:
    restored = full / "restored"
    before = fingerprint(restored)
    planned = inv(RESTORE, "--dry-run")
    assert fingerprint(restored) == before
    assert "would be finished" in planned.findings("backup.restore")[-1]["message"]
    other = inv(RESTORE, "--backup", archives(full)[-1].name, json=False)
    assert fingerprint(restored) == before
    assert "holds an unfinished restore of" in other.out + other.err
    result = inv(RESTORE)
    assert (result.status, result.report["status"]) == (0, "ok"), result.out
    assert killed.name in result.findings("backup.restore")[0]["subject"]
    assert result.findings("backup.restore")[-1]["message"].startswith("A restore that was interrupted is finished;")
    assert (restored / "data/large").stat().st_size == 300_000_000
    assert (restored / "data/empty.yaml").read_bytes() == b""
    assert not [*restored.rglob(".maintenance*")]
    again = inv(RESTORE, json=False)
    assert "restored is not empty" in again.out + again.err


@pytest.mark.slow
@pytest.mark.parametrize(("left", "is_taken"), [("file", True), ("folder", False), ("link", False)])
def test_a_restore_that_was_killed_before_it_had_marked_the_folder_is_done_by_the_next_one(
    inv: Inv,
    full: Path,
    left: str,
    is_taken: bool,  # noqa: FBT001 - a parameter
) -> None:
    inv(CREATE)
    folder = full / "restored"
    folder.mkdir()
    half = folder / ".maintenance-tmp"
    if left == "file":
        half.write_text('{"schema": 1, "ba')
    elif left == "folder":
        half.mkdir()
    else:
        half.symlink_to("elsewhere")
    result = inv(RESTORE)
    assert ("is not empty" in result.out + result.err) is not is_taken
    assert (folder / "data").is_dir() is is_taken
    assert os.path.lexists(half) is not is_taken


@pytest.mark.slow
def test_what_somebody_changed_after_the_kill_is_kept_aside(inv: Inv, full: Path, killed: Path) -> None:
    restored = full / "restored"
    changed = restored / "data/deep/er/two\nlines.yaml"
    changed.write_text("of somebody, and longer than it was before")
    (restored / "note").write_text("of somebody")
    result = inv(RESTORE)
    finding = result.findings("backup.restore")[-1]
    relative = changed.relative_to(full)
    assert (result.status, finding["status"]) == (1, "warning")
    assert "Changed since and kept aside: " in finding["message"]
    assert (full / f"{relative}.broken-1").read_text().startswith("of somebody")
    assert (restored / "note").read_text() == "of somebody"
    assert killed.exists()


@pytest.mark.slow
def test_a_forged_mark_makes_nothing_be_deleted(inv: Inv, full: Path) -> None:
    assert inv(CREATE).status == 0
    (full / "restored/data").mkdir(parents=True)
    (full / "restored/data/materials.yaml").write_text("mine")
    mark = full / "restored/.maintenance-restoring"
    for text in ('{"schema": 1, "backup": "../x"}', "{", '{"schema": 2, "backup": "x"}', "[" * 100):
        mark.write_text(text)
        result = inv(RESTORE, json=False)
        assert "restored is not empty" in result.out + result.err
    mark.unlink()
    mark.symlink_to(archives(full)[0])
    result = inv(RESTORE, json=False)
    assert "restored is not empty" in result.out + result.err
    assert (full / "restored/data/materials.yaml").read_text() == "mine"


@pytest.mark.slow
def test_a_restore_that_cannot_be_written_leaves_nothing(inv: Inv, full: Path, unmeasured: dict[str, str]) -> None:
    (full / "data/large").write_bytes(bytes(5_000_000))
    inv(CREATE)
    limited = f"ulimit -f 1000; trap '' XFSZ; exec {INV} {RESTORE}"
    done = subprocess.run(
        ["/bin/bash", "-c", limited], cwd=REPOSITORY, env=unmeasured, capture_output=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert b"What was restored of it is removed again" in done.stdout
    assert [*(full / "restored").iterdir()] == []


def test_in_place_what_differs_is_replaced_and_the_state_before_is_kept(inv: Inv, full: Path) -> None:
    inv(CREATE)
    before = saved(full)
    (first,) = archives(full)
    (full / "data/materials.yaml").write_text("spoilt: true\n")
    (full / "config/settings.py").unlink()
    (full / "data/later.yaml").write_text("later: 1\n")
    (full / "data/deep/er/two\nlines.yaml").chmod(0o666)
    spoilt = saved(full)
    dry = inv(RESTORE, "--force", "--dry-run")
    assert (dry.status, saved(full)) == (0, spoilt)
    done = inv(RESTORE, "--force")
    assert (done.status, done.report["status"]) == (0, "ok"), done.out
    assert (
        dry.targets("restore")
        == done.targets("restore")
        == [
            "config/settings.py",
            "data/deep/er/two\\nlines.yaml",
            "data/materials.yaml",
        ]
    )
    after = saved(full)
    assert after.pop("data/later.yaml")
    assert after == before
    assert not (full / "backups/.restore-in-place").exists()
    (safety,) = {*archives(full)} - {first}
    inv(RESTORE, "--backup", safety.name, "--into", "state-before")
    assert (full / "state-before/data/materials.yaml").read_text() == "spoilt: true\n"
    assert "0 of 7 files replaced" in inv(RESTORE, "--force", "--backup", first.name).out


def test_a_copy_of_a_spoilt_state_is_none_to_restore_though_a_kill_has_left_no_manifest_beside_it(
    inv: Inv, full: Path
) -> None:
    inv(CREATE)
    before = saved(full)
    (first,) = archives(full)
    (full / "data/materials.yaml").write_text("spoilt: true\n")
    inv(RESTORE, "--force")
    (safety,) = {*archives(full)} - {first}
    (full / "data/materials.yaml").write_text("spoilt: true\n")
    Path(f"{str(safety).removesuffix('.tar.gz')}.manifest.json").unlink()
    done = inv(RESTORE, "--force")
    assert done.report["status"] == "ok", done.out
    assert saved(full) == before


def test_in_place_a_second_time_changes_nothing_and_never_brings_the_spoilt_state_back(inv: Inv, full: Path) -> None:
    inv(CREATE)
    before = saved(full)
    (full / "data/materials.yaml").write_text("spoilt: true\n")
    assert inv(RESTORE, "--force").status == 0
    again = inv(RESTORE, "--force")
    assert (again.status, again.report["files"]) == (0, []), again.out
    assert "0 of 7 files replaced" in again.out
    assert (saved(full), len(archives(full))) == (before, 2)
    assert inv(RESTORE).status == 0
    assert (full / "restored/data/materials.yaml").read_text() != "spoilt: true\n"


def test_in_place_what_is_in_the_way_is_found_before_anything_is_written(inv: Inv, full: Path) -> None:
    inv(CREATE)
    shutil.rmtree(full / "data/deep")
    (full / "data/deep").write_text("in the way")
    (full / "data/materials.yaml").write_text("spoilt: true\n")
    before = saved(full)
    result = inv(RESTORE, "--force")
    assert (result.status, result.err) == (2, ""), result.out
    (finding,) = result.findings("backup.restore")
    assert "data/deep is not a folder" in finding["message"]
    assert finding["remedy"].startswith("Move away what is in its place")
    assert (saved(full), len(archives(full)), result.report["files"]) == (before, 1, [])


def test_over_the_project_and_into_a_folder_is_refused(inv: Inv, full: Path) -> None:
    inv(CREATE)
    before = fingerprint(full)
    result = inv(RESTORE, "--force", "--into", "elsewhere")
    assert (result.status, result.out, fingerprint(full)) == (64, "", before)
    assert result.err.startswith("--force restores over the project itself")


def test_in_place_nothing_changes_where_the_archive_is_damaged(inv: Inv, full: Path) -> None:
    inv(CREATE)
    (archive,) = archives(full)
    archive.write_bytes(flip(archive.read_bytes()))
    (full / "data/materials.yaml").write_text("newer: true\n")
    before = fingerprint(full)
    result = inv(RESTORE, "--force")
    assert (result.status, result.err) == (2, ""), result.out
    after = fingerprint(full)
    assert {name for name in before if before[name] != after[name]} <= {".", "backups"}
    assert after.keys() == before.keys()


def test_in_place_a_link_in_the_place_of_a_file_is_not_followed(inv: Inv, full: Path, tmp_path: Path) -> None:
    inv(CREATE)
    (tmp_path / "precious").write_text("precious")
    (full / "data/materials.yaml").unlink()
    (full / "data/materials.yaml").symlink_to(tmp_path / "precious")
    result = inv(RESTORE, "--force")
    assert (result.status, result.err) == (2, ""), result.out
    assert (tmp_path / "precious").read_text() == "precious"


@pytest.mark.slow
def test_in_place_nothing_changes_without_room_for_the_copy_of_the_state_before(
    inv: Inv, full: Path, unmeasured: dict[str, str]
) -> None:
    inv(CREATE)
    (full / "data/large").write_bytes(os.urandom(5_000_000))
    (full / "data/materials.yaml").write_text("newer: true\n")
    before = fingerprint(full)
    limited = f"ulimit -f 1000; trap '' XFSZ; exec {INV} {RESTORE} --force"
    command = ["/bin/bash", "-c", limited]
    done = subprocess.run(command, cwd=REPOSITORY, env=unmeasured, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (2, b""), done.stdout
    after = fingerprint(full)
    assert {name for name in before if before[name] != after[name]} <= {".", "backups"}
    assert after.keys() == before.keys()


@pytest.mark.slow
def test_in_place_a_run_that_was_killed_can_be_repeated(inv: Inv, full: Path, unmeasured: dict[str, str]) -> None:
    for place in range(3000):
        (full / f"data/small{place:04d}").write_text("good")
    inv(CREATE)
    before = saved(full)
    for place in range(3000):
        (full / f"data/small{place:04d}").write_text("spoilt")
    (first,) = archives(full)
    process = subprocess.Popen(
        [INV, RESTORE, "--force", "--backup", first.name], cwd=REPOSITORY, env=unmeasured, stdout=subprocess.DEVNULL
    )
    wait_until(lambda: (full / "data/small0500").read_text() == "good", process)
    process.kill()
    process.wait()
    assert {(full / f"data/small{place:04d}").read_text() for place in range(3000)} <= {"good", "spoilt"}
    assert inv(RESTORE, "--force", "--backup", first.name).status == 0
    assert saved(full) == before
    assert not (full / "backups/.restore-in-place").exists()
