"""What a file has beside its content, in a backup and once it is restored."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tasks.backups import attributes
from tasks.backups.manifest import Owner

from .conftest import Inv

CREATE, RESTORE = "backup.create", "backup.restore"

is_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")


@pytest.fixture
def data(project: Path) -> Path:
    (project / "data").mkdir()
    (project / "data/a.yaml").write_text("a: 1\n")
    (project / "data/b.yaml").write_text("b: 1\n")
    return project / "data"


def archive(project: Path) -> Path:
    (found,) = (project / "backups").glob("*.tar.gz")
    return found


def manifest(project: Path) -> dict[str, Any]:
    (found,) = (project / "backups").glob("*.manifest.json")
    document: dict[str, Any] = json.loads(found.read_text())
    return document


@pytest.fixture
def with_attributes(data: Path) -> Path:
    try:
        os.setxattr(data / "a.yaml", "user.origin", b"\0\xffhand")
        os.setxattr(data, "user.about", b"folder")
    except (OSError, AttributeError):
        pytest.skip("no extended attributes here")
    return data


@pytest.mark.parametrize("in_place", [True, False])
def test_extended_attributes_of_files_and_folders_are_restored(
    inv: Inv, project: Path, with_attributes: Path, *, in_place: bool
) -> None:
    assert inv(CREATE).report["status"] == "ok"
    if in_place:
        os.removexattr(with_attributes / "a.yaml", "user.origin")
        os.removexattr(with_attributes, "user.about")
        assert inv(RESTORE, "--force", "--dry-run").targets("restore") == ["data/a.yaml"]
    result = inv(RESTORE, *(["--force"] if in_place else []))
    assert (result.status, result.report["status"]) == (0, "ok"), result.out
    restored = with_attributes if in_place else project / "restored/data"
    assert os.getxattr(restored / "a.yaml", "user.origin") == b"\0\xffhand"
    assert os.getxattr(restored, "user.about") == b"folder"
    assert os.listxattr(restored / "b.yaml") == []


def test_an_access_list_is_restored(inv: Inv, project: Path, data: Path) -> None:
    # Version 2: the owner may read and write, user 12 may read, the group nothing, the mask is to read, others nothing.
    entries = [(1, 6, -1), (2, 4, 12), (4, 0, -1), (16, 4, -1), (32, 0, -1)]
    acl = (2).to_bytes(4, "little") + b"".join(
        tag.to_bytes(2, "little") + mode.to_bytes(2, "little") + (user & 0xFFFFFFFF).to_bytes(4, "little")
        for tag, mode, user in entries
    )
    try:
        os.setxattr(data / "a.yaml", "system.posix_acl_access", acl)
    except (OSError, AttributeError):
        pytest.skip("no access lists here")
    assert inv(CREATE).report["status"] == "ok"
    assert inv(RESTORE).status == 0
    restored = project / "restored/data/a.yaml"
    assert os.getxattr(restored, "system.posix_acl_access") == acl
    assert restored.stat().st_mode == (data / "a.yaml").stat().st_mode


@is_root
def test_an_attribute_that_gives_rights_is_named_and_neither_kept_nor_restored(
    inv: Inv, project: Path, data: Path
) -> None:
    try:
        os.setxattr(data / "a.yaml", "security.capability", bytes.fromhex("0100000200040000000000000000000000000000"))
    except (OSError, AttributeError):
        pytest.skip("no capabilities of files here")
    result = inv(CREATE)
    assert result.status == 1
    (warning,) = (each for each in result.findings("backup.create") if each["status"] == "warning")
    assert warning["message"] == "Attributes that are not kept: data/a.yaml (security.capability)."
    content = manifest(project)
    content["entries"][1]["attributes"] = {"security.capability": "AQAAAgAEAAAAAAAAAAAAAAAAAAA="}
    assert content["entries"][1]["path"] == "data/a.yaml"
    assert attributes._give_attribute(0, "security.capability", "AQAAAgAEAAAAAAAAAAAAAAAAAAA=") is False
    assert inv(RESTORE).status == 0
    assert os.listxattr(project / "restored/data/a.yaml") == []


@is_root
@pytest.mark.parametrize("in_place", [True, False])
def test_owner_and_group_are_restored(inv: Inv, project: Path, data: Path, *, in_place: bool) -> None:
    os.chown(data / "a.yaml", 12345, 23456)
    os.chown(data, 12345, 23456)
    assert inv(CREATE).status == 0
    with tarfile.open(archive(project)) as opened:
        info = opened.getmember("data/a.yaml")
        assert (info.uid, info.gid) == (12345, 23456)
    if in_place:
        os.chown(data / "a.yaml", 0, 0)
        os.chown(data, 0, 0)
    result = inv(RESTORE, *(["--force"] if in_place else []))
    assert (result.status, result.report["status"]) == (0, "ok"), result.out
    restored = data if in_place else project / "restored/data"
    for path, owner in (("a.yaml", (12345, 23456)), (".", (12345, 23456)), ("b.yaml", (0, 0))):
        status = (restored / path).stat()
        assert (status.st_uid, status.st_gid) == owner


@pytest.mark.usefixtures("data")
def test_an_owner_that_cannot_be_given_is_named(inv: Inv, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert inv(CREATE).status == 0
    original = attributes._here
    monkeypatch.setattr(attributes, "_here", lambda owner: (original(owner)[0] + 1, original(owner)[1]))

    change_owner = os.fchown

    def refuse(descriptor: int, user: int, group: int) -> None:
        if group == -1:
            raise PermissionError(1, "Operation not permitted")
        change_owner(descriptor, user, group)

    monkeypatch.setattr(os, "fchown", refuse)
    result = inv(RESTORE)
    assert result.status == 1
    (warning,) = (each for each in result.findings("backup.restore") if each["status"] == "warning")
    assert warning["message"].startswith("Not all attributes of 3 entries were restored: data/a.yaml (owner); ")
    assert (project / "restored/data/a.yaml").read_text() == "a: 1\n"


def test_bits_for_set_user_id_are_not_restored_and_that_is_said(inv: Inv, project: Path, data: Path) -> None:
    (data / "a.yaml").chmod(0o4755)
    assert inv(CREATE).status == 0
    result = inv(RESTORE)
    assert result.status == 1
    assert (project / "restored/data/a.yaml").stat().st_mode & 0o7777 == 0o755
    assert "data/a.yaml (set-user-id or set-group-id)" in result.out


@pytest.mark.parametrize("in_place", [True, False])
def test_a_file_with_several_names_stays_one_file(inv: Inv, project: Path, data: Path, *, in_place: bool) -> None:
    (data / "a.yaml").write_bytes(os.urandom(100_000))
    raw = data / os.fsdecode(b"caf\xe9.yaml")
    os.link(data / "a.yaml", raw)
    os.link(data / "a.yaml", data / "z.yaml")
    assert inv(CREATE).report["status"] == "ok"
    assert archive(project).stat().st_size < 150_000
    places = [each["link"] for each in manifest(project)["entries"] if "link" in each]
    assert places == [1, 1]
    if in_place:
        content = raw.read_bytes()
        raw.unlink()
        raw.write_bytes(content)
        os.utime(raw, ns=(1, (data / "a.yaml").stat().st_mtime_ns))
        assert len(inv(RESTORE, "--force", "--dry-run").targets("restore")) == 3
    result = inv(RESTORE, *(["--force"] if in_place else []))
    assert (result.status, result.report["status"]) == (0, "ok"), result.out
    restored = data if in_place else project / "restored/data"
    status = (restored / "a.yaml").stat()
    assert status.st_nlink == 3
    assert os.path.samestat(status, (restored / raw.name).stat())
    assert "0 of 4 files replaced" in inv(RESTORE, "--force").out or not in_place
    verified = inv("quarterly.backup-verification")
    assert verified.report["data"]["backups"][-1]["level"] == "restored", verified.out


def test_where_there_are_no_hard_links_a_copy_is_made_and_that_is_said(
    inv: Inv, project: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.link(data / "a.yaml", data / "z.yaml")
    assert inv(CREATE).status == 0

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    result = inv(RESTORE)
    monkeypatch.undo()
    assert result.status == 1
    assert "data/z.yaml (hard link to data/a.yaml)" in result.out
    assert (project / "restored/data/z.yaml").read_text() == "a: 1\n"


def test_holes_are_restored_as_holes(inv: Inv, project: Path, data: Path) -> None:
    with (data / "a.yaml").open("wb") as file:
        for place in (0, 3_000_000, 7_000_000):
            file.seek(place)
            file.write(b"x" * 100)
        file.truncate(9_000_000)
    (data / "zeros").write_bytes(bytes(1_000_000))
    if (data / "a.yaml").stat().st_blocks * 512 > 1_000_000:
        pytest.skip("no holes here")
    assert inv(CREATE).status == 0
    assert inv(RESTORE).status == 0
    restored = project / "restored/data"
    assert (restored / "a.yaml").read_bytes() == (data / "a.yaml").read_bytes()
    assert (restored / "a.yaml").stat().st_blocks * 512 < 1_000_000
    assert (restored / "zeros").stat().st_blocks * 512 >= 1_000_000


def test_the_archive_is_one_that_tar_reads(inv: Inv, project: Path, data: Path) -> None:
    os.link(data / "a.yaml", data / "z.yaml")
    inv(CREATE)
    target = project / "by-tar"
    target.mkdir()
    subprocess.run(["/bin/tar", "-xzf", archive(project), "-C", target], check=True)
    assert (target / "data/z.yaml").read_text() == "a: 1\n"
    assert (target / ".backup-manifest.json").exists()
    listed = subprocess.run(["/bin/tar", "-tzf", archive(project)], check=True, capture_output=True, text=True)
    assert listed.stdout.splitlines()[0] == ".backup-manifest.json"


@pytest.mark.usefixtures("data")
def test_where_the_system_keeps_no_attributes_that_is_said(inv: Inv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attributes, "HAS_ATTRIBUTES", False)
    result = inv(CREATE)
    assert result.status == 0
    assert "Extended attributes and access control lists are not kept on this system." in result.out
    monkeypatch.undo()
    assert inv(RESTORE).status == 0


def test_an_owner_is_looked_up_once_however_many_files_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def name_of(user: str) -> pwd.struct_passwd:
        asked.append(user)
        raise KeyError(user)

    monkeypatch.setattr(pwd, "getpwnam", name_of)
    attributes._here.cache_clear()
    assert {attributes._here(Owner(1234, 2345, "nobody-of-here", "")) for _ in range(3)} == {(1234, 2345)}
    assert attributes._here(Owner(1235, 2345, "nobody-of-here", "")) == (1235, 2345)
    assert asked == ["nobody-of-here"] * 2
    attributes._here.cache_clear()
