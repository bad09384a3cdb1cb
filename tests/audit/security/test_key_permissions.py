from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from threading import Event

import psutil
import pytest

from tasks.audit.audit_checks import SECURITY_CHECKS
from tasks.audit.security import key_files, key_permissions
from tasks.audit.security.git_tracking import tracked_files
from tasks.audit.security.key_files import find_key_files
from tasks.audit.security.key_permissions import Mount, mounts, permission_findings
from tasks.audit.security.security_area import examine_security
from tasks.conventions.project_conventions import ProjectConventions
from tasks.core.report.model import Finding, Status
from tasks.core.settings.model import CacheSettings, Settings

Add = Callable[[str, str | bytes], Path]

PRIVATE = "-" * 5 + "BEGIN PRIVATE KEY" + "-" * 5
CERTIFICATE = "-" * 5 + "BEGIN CERTIFICATE" + "-" * 5


SECRET = "q7Rk2mPz9Xw4" + "Lk3VbN8sTf5Yh"


def put(root: Path, path: str, mode: int, content: str | bytes = f"API_TOKEN={SECRET}\n") -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    file.chmod(mode)
    return file


def found(root: Path, stop: Event | None = None, mounted: tuple[Mount, ...] = (Mount("/", "ext4"),)) -> list[Finding]:
    tracked = tracked_files(root).paths
    return permission_findings(root, find_key_files(root, Settings(), stop or Event()), mounted, tracked)


def conventions(root: Path) -> ProjectConventions:
    return ProjectConventions(root, is_own=lambda _path: False, keys=())


def statuses(root: Path) -> dict[str, str]:
    return {each.subject: each.status.value for each in found(root)}


@pytest.mark.parametrize(
    ("mode", "status", "words"),
    [
        (0o400, None, ""),
        (0o600, None, ""),
        (0o700, None, ""),
        (0o640, Status.WARNING, "its group can read it (mode 0640)"),
        (0o604, Status.CRITICAL, "every user of this machine can read it (mode 0604)"),
        (0o644, Status.CRITICAL, "every user of this machine can read it (mode 0644)"),
        (0o620, Status.CRITICAL, "others than its owner can change it (mode 0620)"),
        (0o602, Status.CRITICAL, "others than its owner can change it (mode 0602)"),
        (0o777, Status.CRITICAL, "others than its owner can change it (mode 0777)"),
    ],
)
def test_modes(tmp_path: Path, mode: int, status: Status | None, words: str) -> None:
    put(tmp_path, "deep/.env", mode)
    (finding,) = found(tmp_path)
    assert finding.check == "audit.permissions"
    if status is None:
        assert (finding.status, finding.value, finding.unit) == (Status.OK, 1, "files")
        return
    assert (finding.subject, finding.status, finding.remedy) == ("deep/.env", status, "chmod 600 deep/.env")
    assert words in finding.message


@pytest.mark.parametrize(
    "name",
    [".env.local", "a.pem", "A.PEM", "server.key", "id_rsa", "id_ed25519", "a.p12", "logs/config_baseline.json.key"],
)
def test_names_of_files_with_keys(tmp_path: Path, name: str) -> None:
    put(tmp_path, name, 0o644)
    assert statuses(tmp_path) == {name: "critical"}


@pytest.mark.parametrize("name", [".env.example", "id_rsa.pub", "key", "keys.py", "a.pem.txt", ".envrc"])
def test_other_names(tmp_path: Path, name: str) -> None:
    put(tmp_path, name, 0o666)
    assert statuses(tmp_path) == {".": "skipped"}


@pytest.mark.parametrize(
    "folder", [".git", ".venv", "node_modules/x", "deep/__pycache__", "cache", "logs/archive/2026"]
)
def test_folders_without_keys_of_the_project(tmp_path: Path, folder: str) -> None:
    put(tmp_path, f"{folder}/server.key", 0o644)
    assert statuses(tmp_path) == {".": "skipped"}


def test_an_environment_of_any_name_is_left_out(tmp_path: Path) -> None:
    put(tmp_path, "env311/pyvenv.cfg", 0o644)
    put(tmp_path, "env311/lib/server.key", 0o644)
    assert statuses(tmp_path) == {".": "skipped"}


def test_a_folder_of_the_cache_is_where_the_settings_say(tmp_path: Path) -> None:
    put(tmp_path, "var/cache/server.key", 0o644)
    settings = Settings(cache=CacheSettings(directory="./var/cache/"))
    assert find_key_files(tmp_path, settings, Event()).keys == []


def test_what_is_public_may_be_read(tmp_path: Path) -> None:
    put(tmp_path, "ca.pem", 0o644, f"# roots\n{CERTIFICATE}\nMII\n")
    put(tmp_path, "public.key", 0o644, "-----BEGIN PUBLIC KEY-----\n")
    put(tmp_path, "talk.key", 0o644, "PK\x03\x04 presentation")
    assert statuses(tmp_path) == {".": "skipped"}
    put(tmp_path, "both.pem", 0o644, f"{CERTIFICATE}\n{PRIVATE}\n")
    put(tmp_path, "huge.pem", 0o644, f"{CERTIFICATE}\n" + "x" * 2_100_000)
    assert statuses(tmp_path) == {"both.pem": "critical", "huge.pem": "critical"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (".env", "FOO=env\nSPAM=1\nAPI_KEY=your-key-here\n"),
        (".env", ""),
        ("a.key", ""),
        ("a.key", "the keys of the piano\nare black and white\n"),
        ("id_rsa", "see the safe"),
    ],
)
def test_a_file_without_any_secret_holds_no_keys(tmp_path: Path, name: str, content: str) -> None:
    put(tmp_path, name, 0o666, content)
    (finding,) = found(tmp_path)
    assert finding.status is Status.SKIPPED
    assert finding.message == "No key is in the 1 file whose names say that they may hold some."


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (".env", "DB_PASSWORD=letmein\n"),
        (".env", "A='never closed\n"),
        ("a.key", f"{SECRET}\n"),
        ("a.p12", b"0\x82\x01\x0a\xff"),
        ("a.key", b"\x07text"),
        ("id_rsa", f"{PRIVATE}\nencrypted\n"),
    ],
)
def test_in_doubt_a_file_holds_keys(tmp_path: Path, name: str, content: str | bytes) -> None:
    put(tmp_path, name, 0o644, content)
    assert statuses(tmp_path) == {name: "critical"}


@pytest.mark.needs("git")
def test_git_keeps_no_such_mode_so_that_of_a_tracked_file_is_not_judged(
    repository: Path, add: Callable[[str, str | bytes], Path]
) -> None:
    add("tests/server.key", f"{PRIVATE}\nx\n").chmod(0o666)
    (repository / "tests").chmod(0o777)
    (finding,) = found(repository)
    assert finding.status is Status.SKIPPED
    assert finding.message == "1 file with keys in Git, which keeps no such mode: see audit.secrets."
    put(repository, "own.key", 0o600)
    (finding,) = found(repository)
    assert (finding.status, finding.value) == (Status.OK, 1)
    assert "1 file with keys in Git" in finding.message
    put(repository, "own.key", 0o644)
    assert statuses(repository) == {"own.key": "critical"}


def test_links_are_not_followed(tmp_path: Path) -> None:
    put(tmp_path, "outside/server.key", 0o644)
    root = tmp_path / "root"
    root.mkdir()
    (root / "link.key").symlink_to(tmp_path / "outside/server.key")
    (root / "folder").symlink_to(tmp_path / "outside")
    (root / "deep.key").mkdir()
    os.mkfifo(root / "pipe.key")
    assert statuses(root) == {".": "skipped"}


def test_a_folder_in_which_everyone_can_replace_a_key(tmp_path: Path) -> None:
    put(tmp_path, "keys dir/server.key", 0o600)
    put(tmp_path, "keys dir/other.key", 0o600)
    (tmp_path / "keys dir").chmod(0o777)
    (finding,) = found(tmp_path)
    assert (finding.subject, finding.status) == ("keys dir", Status.WARNING)
    assert finding.remedy == "chmod o-w 'keys dir'"
    (tmp_path / "keys dir").chmod(0o1777)
    assert statuses(tmp_path) == {".": "ok"}


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("-f.key", "chmod 600 ./-f.key"),
        ("a b.key", "chmod 600 'a b.key'"),
        ("$(x).key", "chmod 600 '$(x).key'"),
        ("a\nb.key", "chmod 600 'a\\nb.key'"),
    ],
)
def test_a_remedy_can_be_pasted(tmp_path: Path, name: str, remedy: str) -> None:
    put(tmp_path, name, 0o644)
    assert found(tmp_path)[0].remedy == remedy


def test_a_file_system_without_permissions(tmp_path: Path) -> None:
    put(tmp_path, "server.key", 0o777)
    (finding,) = found(tmp_path, mounted=(Mount("/", "ext4"), Mount(str(tmp_path.parent), "vfat")))
    assert finding.status is Status.SKIPPED
    assert "vfat" in finding.message
    assert found(tmp_path, mounted=(Mount("/", "vfat"), Mount(str(tmp_path), "ext4")))[0].status is Status.CRITICAL
    assert found(tmp_path, mounted=())[0].status is Status.CRITICAL


def test_a_system_that_does_not_tell_its_file_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(isinstance(each.folder, str) for each in mounts())

    def denied(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(psutil, "disk_partitions", denied)
    assert mounts() == []


def test_a_folder_that_cannot_be_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "deep/a.key", 0o644)
    put(tmp_path, "b.key", 0o644)
    real = key_files._entries

    def denied(folder: Path, most: int) -> list[os.DirEntry[str]]:
        if folder.name == "deep":
            raise PermissionError(13, "Permission denied")
        return real(folder, most)

    monkeypatch.setattr(key_files, "_entries", denied)
    assert statuses(tmp_path) == {".": "unknown", "b.key": "critical"}
    assert '"deep"' in found(tmp_path)[0].message


def test_a_walk_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        put(tmp_path, f"{number}/a.key", 0o600)
    monkeypatch.setattr(key_files, "MOST", 6)
    walked = find_key_files(tmp_path, Settings(), Event())
    assert (len(walked.keys), walked.whole) == (1, False)
    stop = Event()
    stop.set()
    assert [each.status for each in found(tmp_path, stop)] == [Status.UNKNOWN]


def test_a_file_that_goes_while_we_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "a.key", 0o644)
    real = key_files._entries

    def then_gone(folder: Path, most: int) -> list[os.DirEntry[str]]:
        entries = real(folder, most)
        (tmp_path / "a.key").unlink()
        return entries

    monkeypatch.setattr(key_files, "_entries", then_gone)
    assert statuses(tmp_path) == {".": "skipped"}


@pytest.mark.needs("git")
def test_every_check_has_a_finding(tmp_path: Path, repository: Path, add: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_permissions, "_WITHOUT_MODES", frozenset[str]())
    add("a.txt", "a")
    done: list[int] = []
    stopped = Event()
    stopped.set()
    for root, stop in ((tmp_path / "project", Event()), (tmp_path, Event()), (repository, stopped)):
        findings = examine_security(root, Settings(root=str(root)), conventions(root), stop, done.append)
        assert {each.check for each in findings} == {check.name for check in SECURITY_CHECKS}
    assert done == [1]
