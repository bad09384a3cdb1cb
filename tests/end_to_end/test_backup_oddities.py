"""Archives of earlier versions, trees that are too deep, names that cannot be removed: none of them stops the rest."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import stat
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import Inv, fingerprint

CREATE, RESTORE, VERIFY = "backup.create", "backup.restore", "quarterly.backup-verification"


@pytest.fixture
def project_with_data(project: Path) -> Path:
    (project / "data/sub").mkdir(parents=True)
    (project / "data/a.yaml").write_text("a: 1\n")
    (project / "data/sub/b.yaml").write_text("b: 1\n")
    (project / os.fsdecode(b"data/caf\xe9")).write_bytes(b"x")
    os.utime(project / "data/sub", ns=(1, 1_234_567_890_123_456_789))
    return project


# What earlier versions wrote: schema 1, the manifest as the last member, no owners


def schema_1(project: Path) -> Path:
    """Write an archive as earlier versions did, with its manifest beside it, and return its path."""
    entries: list[dict[str, Any]] = []
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", filename="", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in [project / "data", *sorted((project / "data").rglob("*"))]:
            status, name = path.stat(), str(path.relative_to(project))
            info = tarfile.TarInfo(name)
            info.mode = stat.S_IMODE(status.st_mode)
            info.pax_headers = {"mtime": f"{status.st_mtime_ns // 10**9}.{status.st_mtime_ns % 10**9:09d}"}
            entry = {"path": name, "mode": info.mode, "mtime_ns": status.st_mtime_ns}
            if not name.isprintable():
                entry |= {"path": "data/caf\\xe9", "raw": os.fsencode(name).hex()}
            content = b""
            if path.is_dir():
                info.type = tarfile.DIRTYPE
            else:
                content = path.read_bytes()
                info.size = len(content)
                entry |= {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            archive.addfile(info, io.BytesIO(content))
            entries.append(entry)
        inside = {"schema": 1, "created": "", "sources": ["data"], "entries": entries}
        inside |= {"archive_bytes": 0, "archive_sha256": "", "before_restore": False}
        text = json.dumps(inside).encode()
        info = tarfile.TarInfo(".backup-manifest.json")
        info.size, info.mode = len(text), 0o600
        archive.addfile(info, io.BytesIO(text))
    content = buffer.getvalue()
    facts = {"archive_bytes": len(content), "archive_sha256": hashlib.sha256(content).hexdigest()}
    (project / "backups").mkdir(exist_ok=True)
    target = project / "backups/backup_20261120_120000.tar.gz"
    target.write_bytes(content)
    beside = inside | facts | {"created": "2026-11-20T12:00:00+00:00"}
    target.with_name("backup_20261120_120000.manifest.json").write_text(json.dumps(beside))
    return target


def test_an_archive_of_an_earlier_version_is_verified_and_restored(inv: Inv, project_with_data: Path) -> None:
    before = fingerprint(project_with_data / "data")
    schema_1(project_with_data)
    assert inv(VERIFY).report["data"]["backups"][0]["level"] == "restored"
    assert inv(RESTORE).report["status"] == "ok"
    assert fingerprint(project_with_data / "restored/data") == before
    (project_with_data / "data/a.yaml").write_text("spoilt: 1\n")
    assert inv(RESTORE, "--force").report["status"] == "ok"
    assert fingerprint(project_with_data / "data") == before
    assert "0 of 3 files replaced" in inv(RESTORE, "--force", "--backup", "backup_20261120_120000").out


def test_an_archive_of_an_earlier_version_without_the_manifest_beside_it_is_read_to_its_end(
    inv: Inv, project_with_data: Path
) -> None:
    before = fingerprint(project_with_data / "data")
    schema_1(project_with_data).with_name("backup_20261120_120000.manifest.json").unlink()
    verified = inv(VERIFY)
    assert (verified.status, verified.report["data"]["backups"][0]["level"]) == (1, "restored"), verified.out
    assert "no whole backup" in inv(RESTORE).out
    result = inv(RESTORE, "--backup", "backup_20261120_120000")
    assert (result.status, result.report["status"]) == (1, "warning"), result.out
    assert fingerprint(project_with_data / "restored/data") == before


# Trees


@pytest.fixture
def deep(project_with_data: Path) -> Iterator[Path]:
    """A project with 5,000 folders within each other, each with a file; no path leads to the last ones."""
    descriptor = os.open(project_with_data / "data", os.O_RDONLY)
    for _ in range(5000):
        os.mkdir("d", dir_fd=descriptor)
        below = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=below))
        os.close(descriptor)
        descriptor = below
    os.close(descriptor)
    yield project_with_data
    from tasks.core.files.tree_removal import remove_tree  # pytest's own way ends in a recursion

    descriptor = os.open(project_with_data, os.O_RDONLY)
    for name in ("data", "restored"):
        remove_tree(descriptor, name)
    os.close(descriptor)


@pytest.mark.slow
def test_of_a_tree_of_5000_folders_what_lies_too_deep_is_named_and_the_rest_is_saved(inv: Inv, deep: Path) -> None:
    result = inv(CREATE)
    assert (result.status, result.err) == (2, ""), result.out[-2000:]
    (critical,) = (each for each in result.findings("backup.create") if each["status"] == "critical")
    assert critical["subject"] == "/".join(["data", *["d"] * 256])
    assert critical["message"].startswith("Not backed up: it lies too deep (256 folders and 3,000 bytes of a path")
    verified = inv(VERIFY)
    assert verified.report["data"]["backups"][0]["level"] == "restored", verified.out[-2000:]
    assert inv(RESTORE).report["status"] == "ok"
    assert (deep / "restored/data" / "/".join(["d"] * 255) / "file").exists()
    assert (deep / "restored/data/sub/b.yaml").read_text() == "b: 1\n"
    assert inv(RESTORE, "--force").status == 0


@pytest.mark.slow
def test_a_deep_tree_that_a_killed_run_left_is_removed(inv: Inv, deep: Path) -> None:
    (deep / "backups").mkdir()
    (deep / "data/d").rename(deep / "backups/.restore-test")
    assert inv(CREATE).report["status"] == "ok"
    assert not (deep / "backups/.restore-test").exists()


@pytest.mark.parametrize("task", [(VERIFY,), (RESTORE, "--force")])
def test_what_cannot_be_removed_of_a_killed_run_keeps_no_other_run_from_its_work(
    inv: Inv, project_with_data: Path, monkeypatch: pytest.MonkeyPatch, task: tuple[str, ...]
) -> None:
    inv(CREATE)
    folder = project_with_data / "backups" / (".restore-test" if task == (VERIFY,) else ".restore-in-place")
    (folder / "data").mkdir(parents=True)
    (folder / "data/stuck").touch()
    (folder / "data/other").touch()
    (project_with_data / "data/a.yaml").write_text("spoilt: 1\n")
    original = os.unlink

    def unlink(name: str, *, dir_fd: int | None = None) -> None:
        if name == "stuck":
            raise PermissionError(1, "Operation not permitted", name)
        original(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", unlink)
    result = inv(*task)
    assert (result.status, result.err) == (0, ""), result.out
    assert [each.name for each in sorted(folder.rglob("*"))] == ["data", "stuck"]
    assert not folder.with_name(f"{folder.name}-2").exists()


def test_an_outdated_archive_that_cannot_be_removed_keeps_no_other_from_it(
    inv: Inv, project_with_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project_with_data / "backups").mkdir()
    for day in (1, 2, 3):
        (project_with_data / f"backups/backup_2020010{day}_000000.tar.gz").touch()
    original = os.unlink

    def unlink(name: str, *, dir_fd: int | None = None) -> None:
        if name == "backup_20200102_000000.tar.gz":
            raise PermissionError(1, "Operation not permitted", name)
        original(name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "unlink", unlink)
    result = inv(CREATE, env={"INVOKE_MAINTENANCE_BACKUPS_KEEP": "1", "INVOKE_MAINTENANCE_BACKUPS_KEEP_DAYS": "0"})
    assert result.status == 1
    assert "backup_20200102_000000.tar.gz is outdated and could not be deleted" in result.out
    left = sorted(each.name for each in (project_with_data / "backups").glob("*.tar.gz"))
    assert [each for each in left if each.startswith("backup_2020")] == ["backup_20200102_000000.tar.gz"]


# Forged manifests


@pytest.mark.parametrize("kind", ["link", "second name", "everybody", "pipe"])
def test_a_manifest_that_others_could_have_written_is_not_believed(
    inv: Inv, project_with_data: Path, tmp_path: Path, kind: str
) -> None:
    inv(CREATE)
    (manifest,) = (project_with_data / "backups").glob("*.manifest.json")
    if kind == "everybody":
        manifest.chmod(0o666)
    elif kind == "second name":
        os.link(manifest, tmp_path / "elsewhere")
    else:
        manifest.rename(tmp_path / "elsewhere")
        manifest.symlink_to(tmp_path / "elsewhere") if kind == "link" else os.mkfifo(manifest)
    result = inv(RESTORE)
    assert (result.status, result.err) == (1, ""), result.out
    assert "It was read by the manifest inside: " in result.out
    assert (project_with_data / "restored/data/a.yaml").read_text() == "a: 1\n"


@pytest.mark.parametrize(
    "forged",
    [
        {"link": 5},
        {"link": 1},
        {"owner": 7},
        {"owner": -1},
        {"attributes": {"user.x": "A" * 200_000}},
        {"sha256": "x" * 64},
        {"size": 1 << 70},
        {"mtime_ns": 1 << 70},
        {"mode": 0o10000},
        {"path": "x" * 5000},
        {"raw": os.fsencode("/etc/passwd").hex()},
    ],
    ids=str,
)
def test_what_no_manifest_says_is_not_believed(inv: Inv, project_with_data: Path, forged: dict[str, Any]) -> None:
    inv(CREATE)
    (manifest,) = (project_with_data / "backups").glob("*.manifest.json")
    content = json.loads(manifest.read_text())
    content["entries"][1] |= forged
    manifest.write_text(json.dumps(content))
    before = fingerprint(project_with_data / "data")
    result = inv(RESTORE)
    assert (result.status, result.err) == (1, ""), result.out
    assert "of its manifest: " in result.out
    assert fingerprint(project_with_data / "restored/data") == before
