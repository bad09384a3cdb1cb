from __future__ import annotations

import gzip
import io
import os
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from threading import Event

import msgspec
import pytest

from tasks.backups import archive
from tasks.backups.archive import Damaged, Stopped, read_archive, write_archive
from tasks.backups.creation import _HashingWriter
from tasks.backups.manifest import (
    INSIDE,
    Manifest,
    ManifestEntry,
    Unusable,
    archive_name,
    decode,
    encode,
    made_at,
    manifest_name,
)
from tasks.backups.source_selection import Entry, select


def entries(root: Path, *sources: str) -> list[Entry]:
    return select(root, sources or ("data",), (), "backups", Event()).entries


def written(root: Path, *sources: str) -> tuple[bytes, Manifest]:
    buffer = io.BytesIO()
    output = _HashingWriter(buffer)
    made = write_archive(root, entries(root, *sources), ["data"], output, Event(), lambda _: None)
    content = buffer.getvalue()
    return content, sealed(made.manifest, output.sum.hexdigest(), len(content))


def sealed(manifest: Manifest, digest: str, size: int) -> Manifest:
    return msgspec.structs.replace(manifest, archive_sha256=digest, archive_bytes=size)


def read(content: bytes, manifest: Manifest) -> list[str]:
    return [member.entry.name for member in read_archive(io.BytesIO(content), manifest)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "data/sub").mkdir(parents=True)
    (tmp_path / "data/a").write_bytes(b"one" * 1000)
    (tmp_path / "data/sub/b").write_bytes(os.urandom(3000))
    return tmp_path


def test_what_is_written_is_read(project: Path) -> None:
    content, manifest = written(project)
    assert read(content, manifest) == ["data", "data/a", "data/sub", "data/sub/b"]
    with tarfile.open(fileobj=io.BytesIO(content)) as opened:
        assert opened.getnames()[-1] == INSIDE


def test_any_byte_that_is_changed_or_missing_is_noticed(project: Path) -> None:
    content, manifest = written(project)
    for place in range(0, len(content), max(1, len(content) // 200)):
        with pytest.raises(Damaged):
            read(content[:place], manifest)
        with pytest.raises(Damaged):
            read(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :], manifest)


def packed(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        for info, content in members:
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, content: bytes = b"") -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "data/a"
    return info, content


def one_file(content: bytes = b"x") -> Manifest:
    import hashlib

    return Manifest(1, "", [], [ManifestEntry("data/a", 0o644, 0, len(content), hashlib.sha256(content).hexdigest())])


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([], "ends before"),
        ([member("data/b", content=b"x")], 'holds "data/b" where'),
        ([member("data/a", tarfile.SYMTYPE)], "no file of 1 bytes"),
        ([member("data/a", tarfile.LNKTYPE)], "no file of 1 bytes"),
        ([member("data/a", tarfile.CHRTYPE)], "no file of 1 bytes"),
        ([member("data/a", tarfile.DIRTYPE)], "no file of 1 bytes"),
        ([member("data/a", content=b"xx" * 1000)], "no file of 1 bytes"),
        ([member("data/a", content=b"y")], "is not the one that was saved"),
        ([member("data/a", content=b"x")], "does not end with its manifest"),
        ([member("data/a", content=b"x"), member("other")], "does not end with its manifest"),
        ([member("data/a", content=b"x"), member(INSIDE, content=b"{}")], "of the manifest inside"),
        ([member("data/a", content=b"x"), member(INSIDE, content=encode(one_file(b"z")))], "not the one beside it"),
        (
            [member("data/a", content=b"x"), member(INSIDE, content=encode(one_file())), member("more")],
            "more than its manifest says",
        ),
        ([member("data/a", content=b"x"), member(INSIDE, content=encode(one_file()))], "its SHA-256 is not"),
    ],
)
def test_an_archive_that_is_not_what_its_manifest_says(
    members: list[tuple[tarfile.TarInfo, bytes]], message: str
) -> None:
    with pytest.raises(Damaged, match=message):
        read(packed(*members), one_file())


def test_a_folder_that_is_none_in_the_archive_is_noticed() -> None:
    manifest = Manifest(1, "", [], [ManifestEntry("data", 0o755, 0)])
    with pytest.raises(Damaged, match="is no folder"):
        read(packed(member("data")), manifest)


def test_a_bomb_is_read_no_further_than_its_manifest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = packed(member("data/a", content=bytes(200_000_000)))
    counted: list[int] = []
    original = archive._Digest.read

    def count(self: archive._Digest, size: int = -1) -> bytes:
        counted.append(size)
        return original(self, size)

    monkeypatch.setattr(archive._Digest, "read", count)
    with pytest.raises(Damaged, match="no file of 1 bytes"):
        read(bomb, one_file())
    assert counted == []


def comment(length: int) -> tuple[tarfile.TarInfo, bytes]:
    info, content = member("data/a", content=b"x")
    info.pax_headers = {"comment": "x" * length}
    return info, content


@pytest.mark.parametrize(
    "bomb",
    [
        pytest.param(lambda: packed(comment(100_000_000)), id="header"),
        pytest.param(
            lambda: gzip.compress(
                gzip.decompress(packed(member("data/a", content=b"x"), member(INSIDE, content=encode(one_file()))))
                + bytes(100_000_000)
            ),
            id="end",
        ),
    ],
)
def test_a_bomb_beside_the_contents_is_put_down_early(bomb: Callable[[], bytes]) -> None:
    content = bomb()
    tracemalloc.start()
    try:
        with pytest.raises(Damaged, match="unpacks to more than its manifest says"):
            read(content, one_file())
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()


def test_a_file_that_grows_or_shrinks_while_it_is_read_is_held_as_it_was_read(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_WHOLE", 100)
    path = project / "data/a"
    selected = entries(project)
    original = archive._Digest.read

    def shrink(self: archive._Digest, size: int = -1) -> bytes:
        path.write_bytes(b"short")
        return original(self, size)

    monkeypatch.setattr(archive._Digest, "read", shrink)
    buffer = io.BytesIO()
    output = _HashingWriter(buffer)
    made = write_archive(project, selected, ["data"], output, Event(), lambda _: None)
    monkeypatch.undo()
    written = {each.name: each for each in made.manifest.entries}
    assert (written["data/a"].changed, written["data/a"].size, written["data/sub/b"].changed) == (True, 3000, False)
    assert read(buffer.getvalue(), sealed(made.manifest, output.sum.hexdigest(), 0))


def test_a_small_file_that_changed_is_read_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    selected = entries(project)
    identity, left = archive.Identity.of, [1]  # type: ignore[attr-defined]

    def changing(status: os.stat_result) -> object:
        left[0] -= 1
        return identity(status)._replace(mtime_ns=left[0]) if left[0] >= 0 else identity(status)

    monkeypatch.setattr(archive.Identity, "of", changing)  # type: ignore[attr-defined]
    made = write_archive(project, selected, ["data"], _HashingWriter(io.BytesIO()), Event(), lambda _: None)
    assert not [each for each in made.manifest.entries if each.changed]


def test_what_has_gone_meanwhile_is_told(project: Path) -> None:
    selected = entries(project)
    (project / "data/a").unlink()
    (project / "data/sub/b").unlink()
    (project / "data/sub").rmdir()
    made = write_archive(project, selected, ["data"], _HashingWriter(io.BytesIO()), Event(), lambda _: None)
    assert made.gone == [
        ("data/a", "it cannot be read: No such file or directory"),
        ("data/sub/b", "its folder has gone"),
    ]


def test_it_stops_when_it_is_told_to(project: Path) -> None:
    stop = Event()
    stop.set()
    with pytest.raises(Stopped):
        write_archive(project, entries(project), ["data"], _HashingWriter(io.BytesIO()), stop, lambda _: None)


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"schema": 1}', b"[" * 100_000, b'{"schema": "x"}'])
def test_what_is_no_manifest(content: bytes) -> None:
    with pytest.raises(Unusable):
        decode(content)


def test_a_manifest_of_another_version_is_told() -> None:
    newer = encode(Manifest(2, "", [], []))
    with pytest.raises(Unusable, match="schema is 2"):
        decode(newer)


def test_names_of_archives() -> None:
    from datetime import datetime

    moment = datetime(2026, 11, 24, 13, 5, 9).astimezone()
    assert archive_name(moment) == "backup_20261124_130509.tar.gz"
    assert made_at(archive_name(moment, 3)) == (moment, 3)
    assert manifest_name(archive_name(moment, 3)) == "backup_20261124_130509_3.manifest.json"
    for other in ("backup_20261324_130509.tar.gz", "backup_2026.tar.gz", "backup_20261124_130509.tar", "x"):
        assert made_at(other) is None
