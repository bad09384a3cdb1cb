from __future__ import annotations

import errno
import gzip
import hashlib
import io
import os
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from threading import Event

import msgspec
import pytest

from tasks.backups import archive_format, archive_reading, archive_writing
from tasks.backups.archive_format import Damaged, PackedFile, Stopped, pack, padding
from tasks.backups.archive_reading import read_archive, read_inside
from tasks.backups.archive_writing import Written, write_archive
from tasks.backups.attributes import Attributes
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
from tasks.core.files.safe_files import Identity


def entries(root: Path, *sources: str) -> list[Entry]:
    return select(root, sources or ("data",), (), "backups", Event()).entries


def written(root: Path, *sources: str) -> tuple[bytes, Manifest]:
    content, made = archived(root, entries(root, *sources))
    return content, sealed(made.manifest, content)


def archived(root: Path, selected: list[Entry], stop: Event | None = None) -> tuple[bytes, Written]:
    buffer = io.BytesIO()
    made = write_archive(root, selected, ["data"], PackedFile(buffer), stop or Event(), lambda _: None)
    assert not made.manifest.before_restore
    return buffer.getvalue(), made


def sealed(manifest: Manifest, content: bytes) -> Manifest:
    return msgspec.structs.replace(manifest, archive_sha256=digest_of(content), archive_bytes=len(content))


def read(content: bytes, manifest: Manifest) -> list[str]:
    return [member.entry.name for member in read_archive(io.BytesIO(content), manifest, Event())]


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
        assert opened.getnames()[0] == INSIDE


def test_a_member_has_the_mode_and_the_time_of_its_file_and_nothing_else_changes_a_byte(project: Path) -> None:
    path = project / "data/a"
    path.chmod(0o4641)
    os.utime(path, ns=(0, 1_712_345_678_912_345_678))
    content, manifest = written(project)
    assert content[4:8] == bytes(4), "no time in gzip's header"
    with tarfile.open(fileobj=io.BytesIO(content)) as opened:
        info = opened.getmember("data/a")
        assert opened.getmember(INSIDE).mode == 0o600
    assert (info.mode, info.pax_headers["mtime"]) == (0o4641, "1712345678.912345678")
    entry = {each.name: each for each in manifest.entries}["data/a"]
    assert (entry.mode, entry.mtime_ns) == (0o4641, 1_712_345_678_912_345_678)
    assert (entry.size, entry.sha256) == (3000, digest_of(b"one" * 1000))
    assert manifest.entries[0] == ManifestEntry("data", manifest.entries[0].mode, manifest.entries[0].mtime_ns, 0)


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_name_that_is_no_text_is_kept(project: Path) -> None:
    (project / os.fsdecode(b"data/\xff")).write_bytes(b"x")
    content, manifest = written(project)
    assert os.fsdecode(b"data/\xff") in read(content, manifest)


def test_progress_is_one_step_for_each_entry(project: Path) -> None:
    steps: list[int] = []
    write_archive(project, entries(project), ["data"], PackedFile(io.BytesIO()), Event(), steps.append)
    assert steps == [1, 1, 1, 1]


def test_contents_of_many_blocks_are_checked_to_their_end(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_writing, "BLOCK", 1024)
    monkeypatch.setattr(archive_reading, "BLOCK", 1024)
    assert len(read(*written(project))) == 4


def test_an_archive_may_be_as_large_as_its_manifest_accounts_for_and_no_larger() -> None:
    manifest = msgspec.structs.replace(one_file(), sources=["data", "x"])
    most = 1 + 4096 + 16 * len("data/a") + 16 * len("datax") + (1 << 20)
    assert len(archive_reading._Bounded(io.BytesIO(bytes(most)), manifest, Event()).read()) == most
    with pytest.raises(Damaged, match="unpacks to more"):
        archive_reading._Bounded(io.BytesIO(bytes(most + 1)), manifest, Event()).read()


def test_a_manifest_inside_may_be_as_large_as_the_limit_and_no_larger(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, manifest = written(project)
    with tarfile.open(fileobj=io.BytesIO(content)) as opened:
        size = opened.getmember(INSIDE).size
    monkeypatch.setattr(archive_reading, "LARGEST", size)
    assert read(content, manifest)
    monkeypatch.setattr(archive_reading, "LARGEST", size - 1)
    with pytest.raises(Damaged, match="does not end with its manifest"):
        read(content, manifest)


@pytest.mark.parametrize("kind", [archive_writing.ContentDigest, archive_reading._Content])
def test_a_file_is_read_to_the_size_that_it_had(kind: type[archive_writing.ContentDigest]) -> None:
    digest = kind(io.BytesIO(b"abcdef"), 4)
    assert (digest.read(1), digest.read(0), digest.read(), digest.read()) == (b"a", b"", b"bcd", b"")
    assert (digest.short, digest.hexdigest()) == (False, digest_of(b"abcd"))
    digest = kind(io.BytesIO(b"ab"), 4)
    assert digest.read() == b"ab\0\0"
    assert (digest.short, digest.hexdigest()) == (True, digest_of(b"ab\0\0"))


def test_files_up_to_32_mb_are_read_up_to_three_times() -> None:
    assert (archive_writing._WHOLE, archive_writing._TRIES) == (33_554_432, 3)


def test_a_file_that_comes_in_small_pieces_is_read_to_its_end() -> None:
    class InPieces(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 0, 2))

    digest = archive_writing.ContentDigest(InPieces(b"abcdef"), 5)
    assert (digest.read(), digest.short, digest.hexdigest()) == (b"abcde", False, digest_of(b"abcde"))
    digest = archive_writing.ContentDigest(InPieces(b"abc"), 5)
    assert (digest.read(), digest.short) == (b"abc\0\0", True)


def test_of_a_file_that_grows_no_more_is_in_memory_than_shows_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_writing, "_WHOLE", 100)
    monkeypatch.setattr(archive_writing, "BLOCK", 30)
    (tmp_path / "a").write_bytes(bytes(range(200)))
    with io.FileIO(tmp_path / "a") as file:
        file.seek(50)
        assert archive_writing._read_whole(file) == bytes(range(101))


def test_what_is_read_of_an_archive_is_hashed() -> None:
    reading = archive_reading._Reading(io.BytesIO(b"abc"), hashlib.sha256(), Event())
    assert reading.read() == b"abc"
    assert reading.sum.hexdigest() == digest_of(b"abc")
    again = archive_reading._Reading(io.BytesIO(b"abc"), hashlib.sha256(), Event())
    assert io.BufferedReader(again).read() == b"abc"


def test_a_cut_archive_is_reported_with_what_reading_it_said(project: Path) -> None:
    content, manifest = written(project)
    with pytest.raises(Damaged, match=r"cannot be read to its end: \S+ \S+"):
        read(content[:-4], manifest)


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
    entry = ManifestEntry("data/a", 0o644, 0, len(content), digest_of(content))
    return Manifest(1, "", [], [entry], archive_sha256=digest_of(b"another archive"))


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
        ([member("data/a", content=b"x"), member(INSIDE, tarfile.DIRTYPE)], "does not end with its manifest"),
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
    bomb = packed(member("data/a", content=bytes(20_000_000)))
    counted: list[int] = []
    original = archive_writing.ContentDigest.read

    def count(self: archive_writing.ContentDigest, size: int = -1) -> bytes:
        counted.append(size)
        return original(self, size)

    monkeypatch.setattr(archive_writing.ContentDigest, "read", count)
    with pytest.raises(Damaged, match="no file of 1 bytes"):
        read(bomb, one_file())
    assert counted == []


def comment(length: int) -> tuple[tarfile.TarInfo, bytes]:
    info, content = member("data/a", content=b"x")
    info.pax_headers = {"comment": "x" * length}
    return info, content


@pytest.mark.parametrize(
    ("bomb", "message"),
    [
        pytest.param(lambda: packed(comment(5_000_000)), "it has a header of 5,000,", id="header"),
        pytest.param(
            lambda: gzip.compress(
                gzip.decompress(packed(member("data/a", content=b"x"), member(INSIDE, content=encode(one_file()))))
                + bytes(10_000_000)
            ),
            "it unpacks to more than its manifest says",
            id="end",
        ),
    ],
)
def test_a_bomb_beside_the_contents_is_put_down_early(bomb: Callable[[], bytes], message: str) -> None:
    content = bomb()
    tracemalloc.start()
    try:
        with pytest.raises(Damaged, match=message):
            read(content, one_file())
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_a_file_that_grows_or_shrinks_while_it_is_read_is_held_as_it_was_read(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive_writing, "_WHOLE", 100)
    path = project / "data/a"
    selected = entries(project)
    original = archive_writing.ContentDigest.read

    def shrink(self: archive_writing.ContentDigest, size: int = -1) -> bytes:
        path.write_bytes(b"short")
        return original(self, size)

    monkeypatch.setattr(archive_writing.ContentDigest, "read", shrink)
    content, made = archived(project, selected)
    monkeypatch.undo()
    written = {each.name: each for each in made.manifest.entries}
    assert (written["data/a"].changed, written["data/a"].size, written["data/sub/b"].changed) == (True, 3000, False)
    assert read(content, sealed(made.manifest, content))


def rewritten(monkeypatch: pytest.MonkeyPatch, path: Path, *looks: int) -> None:
    """Let a file be rewritten, with its number, before each of these looks at its status."""
    inode, original, number = path.stat().st_ino, os.fstat, [0]

    def look(descriptor: int) -> os.stat_result:
        if original(descriptor).st_ino == inode:
            number[0] += 1
            if number[0] in looks:
                path.write_bytes(version(number[0]))
                os.utime(path, (number[0], number[0]))
        return original(descriptor)

    monkeypatch.setattr(os, "fstat", look)


def version(number: int) -> bytes:
    return b"%03d" % number * 1000


@pytest.mark.parametrize("whole", [3000, 1 << 20])
@pytest.mark.parametrize(
    ("looks", "held", "changed"),
    [
        ((), b"one" * 1000, False),
        ((3,), version(3), False),
        ((4,), b"one" * 1000, True),
        ((1, 2, 3, 4, 5, 6, 7, 8), version(6), True),
    ],
    ids=["unchanged", "while it is read", "after it was read", "all the time"],
)
def test_a_small_file_that_changes_is_read_up_to_three_times(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    looks: tuple[int, ...],
    held: bytes,
    *,
    changed: bool,
    whole: int,
) -> None:
    selected = entries(project)
    monkeypatch.setattr(archive_writing, "_WHOLE", whole)
    rewritten(monkeypatch, project / "data/a", *looks)
    _, made = archived(project, selected)
    entry = {each.name: each for each in made.manifest.entries}["data/a"]
    assert (entry.sha256, entry.size, entry.changed) == (digest_of(held), 3000, changed)


def test_what_has_gone_meanwhile_is_told(project: Path) -> None:
    selected = entries(project)
    (project / "data/a").unlink()
    (project / "data/sub/b").unlink()
    (project / "data/sub").rmdir()
    _, made = archived(project, selected)
    assert made.gone == [
        ("data/a", "it has gone meanwhile"),
        ("data/sub", "it has gone meanwhile"),
        ("data/sub/b", "its folder has gone"),
    ]


@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
def test_a_file_that_became_something_else_is_named_and_never_archived_as_empty(project: Path, kind: str) -> None:
    selected = entries(project)
    (project / "data/a").unlink()
    if kind == "pipe":
        os.mkfifo(project / "data/a")
    elif kind == "link":
        (project / "data/a").symlink_to("sub/b")
    else:
        (project / "data/a").mkdir()
    content, made = archived(project, selected)
    assert (made.gone, made.unread) == ([("data/a", "it is something else by now")], [])
    assert read(content, sealed(made.manifest, content)) == ["data", "data/sub", "data/sub/b"]


@pytest.mark.parametrize("whole", [100, 1 << 20], ids=["in pieces", "as a whole"])
@pytest.mark.parametrize("block", [0, 2], ids=["at its beginning", "in its middle"])
def test_a_file_that_cannot_be_read_to_its_end_is_named_and_the_rest_is_in_the_archive(
    project: Path, monkeypatch: pytest.MonkeyPatch, block: int, whole: int
) -> None:
    monkeypatch.setattr(archive_writing, "_WHOLE", whole)
    monkeypatch.setattr(archive_writing, "BLOCK", 1000)
    failing_disk(monkeypatch, project / "data/a", 1000 * block)
    content, made = archived(project, entries(project))
    monkeypatch.undo()
    assert (made.gone, made.unread) == ([], [("data/a", "it cannot be read: Input/output error")])
    assert read(content, sealed(made.manifest, content)) == ["data", "data/sub", "data/sub/b"]
    assert b"one" * 100 not in gzip.decompress(content), "nothing of it is left in the archive"


def failing_disk(monkeypatch: pytest.MonkeyPatch, path: Path, place: int) -> None:
    """Let a file give an error to who reads it from a place on."""
    inode, original = path.stat().st_ino, io.FileIO

    class Failing(io.FileIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() >= place:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return super().read(size) or b""

    def opened(descriptor: int, *, closefd: bool) -> io.FileIO:
        is_it = os.fstat(descriptor).st_ino == inode
        return (Failing if is_it else original)(descriptor, closefd=closefd)

    monkeypatch.setattr(io, "FileIO", opened)


@pytest.mark.parametrize(
    ("error", "gone", "unread"),
    [
        (errno.ENOENT, ("it has gone meanwhile", "its folder has gone"), None),
        (errno.EIO, None, tuple(f"{which} cannot be read: Input/output error" for which in ("it", "its folder"))),
    ],
)
def test_a_folder_that_cannot_be_opened_costs_its_own_files_only(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: int,
    gone: tuple[str, ...] | None,
    unread: tuple[str, ...] | None,
) -> None:
    selected, original = entries(project), os.open

    def opened(path: str, *arguments: object, **options: object) -> int:
        if path == "sub":
            raise OSError(error, os.strerror(error), path)
        return original(path, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", opened)
    content, made = archived(project, selected)
    monkeypatch.undo()
    names = ("data/sub", "data/sub/b")
    assert made.gone == ([*zip(names, gone, strict=True)] if gone else [])
    assert made.unread == ([*zip(names, unread, strict=True)] if unread else [])
    assert read(content, sealed(made.manifest, content)) == ["data", "data/a"]


def test_an_error_of_the_archive_is_none_of_the_file(project: Path) -> None:
    class Full(io.BytesIO):
        def write(self, *_: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="No space left"):
        write_archive(project, entries(project), ["data"], PackedFile(Full()), Event(), lambda _: None)


def test_a_large_file_begins_a_part_of_the_archive_that_gzip_reads_all_the_same(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = written(project)[0]
    monkeypatch.setattr(archive_writing, "_WHOLE", 1000)
    content, manifest = written(project)
    assert content.count(b"\x1f\x8b\x08") > small.count(b"\x1f\x8b\x08")
    assert gzip.decompress(content) == gzip.decompress(small)
    assert len(read(content, manifest)) == 4


class _StopAfter(Event):
    """Is set once it was asked so many times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.left = times

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_writing_and_reading_stop_within_a_block_of_one_large_file(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "data/a").write_bytes(bytes(3_000_000))
    content, manifest = written(project, "data/a")
    for module in (archive_writing, archive_reading):
        monkeypatch.setattr(module, "BLOCK", 1000)
    stop = _StopAfter(1000)
    with pytest.raises(Stopped):
        archived(project, entries(project, "data/a"), stop)
    assert stop.left == -1, "it is asked after each block, and ends at once"
    stop = _StopAfter(100)
    with pytest.raises(Stopped):
        [*read_archive(io.BytesIO(content), manifest, stop)]
    assert stop.left == -1


def test_folders_are_enough_to_look_for_a_wish_to_stop(tmp_path: Path) -> None:
    (tmp_path / "data/sub").mkdir(parents=True)
    stop = Event()
    stop.set()
    with pytest.raises(Stopped):
        archived(tmp_path, entries(tmp_path), stop)


def test_what_was_read_and_what_is_not_kept_of_it_is_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inode = (project / "data/a").stat().st_ino

    def attributes_of(file: int | Path) -> Attributes:
        is_it = isinstance(file, int) and os.fstat(file).st_ino == inode
        return Attributes({}, ["security.x", "trusted.y"] if is_it else [])

    monkeypatch.setattr(archive_writing, "attributes_of", attributes_of)
    selected = entries(project)
    _, made = archived(project, selected)
    assert made.read == selected
    assert made.lost == [("data/a", "security.x, trusted.y")]


def test_an_archive_ends_with_two_empty_blocks(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 512)
    content, _ = archived(tmp_path, entries(tmp_path, "a"))
    assert gzip.decompress(content).endswith(b"x" * 512 + bytes(1024))


def test_a_folder_that_became_a_link_is_not_followed(project: Path) -> None:
    selected = entries(project)
    (project / "data/sub").rename(project / "elsewhere")
    (project / "data/sub").symlink_to("../elsewhere")
    _, made = archived(project, selected)
    assert made.gone == [("data/sub", "it is something else by now"), ("data/sub/b", "its folder has gone")]


def test_the_disk_is_waited_for_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_format, "_SYNC_EVERY", 64_000)
    syncs: list[int] = []
    file = io.BytesIO()
    output = PackedFile(file, lambda: syncs.append(file.tell()))
    for _ in range(150):
        output.write(os.urandom(1000))
        output.end_member()
    assert [round(each / 64_000, 1) for each in syncs] == [1, 2]


def test_it_stops_when_it_is_told_to(project: Path) -> None:
    stop = Event()
    stop.set()
    with pytest.raises(Stopped):
        archived(project, entries(project), stop)


@pytest.mark.parametrize("size", [0, 22, 23, 65_556, 65_557, 65_558, 65_578, 65_579, 200_000])
def test_padding_is_of_any_size_and_holds_nothing(size: int) -> None:
    assert len(padding(size)) == size
    assert gzip.decompress(padding(size) + pack(b"content")) == b"content"


@pytest.mark.parametrize(("room", "fits"), [(-1, False), (0, True), (1, False), (21, False), (22, True), (1000, True)])
def test_the_first_member_is_written_into_the_room_that_was_kept_for_it(room: int, fits: bool) -> None:  # noqa: FBT001
    buffer = io.BytesIO()
    output = PackedFile(buffer)
    output.reserve(len(pack(b"first")) + room)
    output.write(b"second")
    place = output.end_member()
    assert output.fill(b"first") is fits
    assert buffer.tell() == place, "what comes next is written after the last member"
    assert gzip.decompress(buffer.getvalue()) == (b"firstsecond" if fits else b"second")


def test_a_manifest_that_became_larger_than_its_room_comes_last(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_writing, "_room_for_manifest", lambda *_: 22)
    content, manifest = written(project)
    with tarfile.open(fileobj=io.BytesIO(content)) as opened:
        assert opened.getnames()[-1] == INSIDE
    assert read(content, manifest) == ["data", "data/a", "data/sub", "data/sub/b"]
    assert read_inside(io.BytesIO(content), Event(), to_the_end=False) is None
    found = read_inside(io.BytesIO(content), Event(), to_the_end=True)
    assert found is not None
    assert found.entries == manifest.entries


def test_the_room_for_the_manifest_suffices_for_files_of_all_kinds(project: Path) -> None:
    for number in range(300):
        (project / f"data/{number}").write_bytes(os.urandom(number))
    content, _ = written(project)
    found = read_inside(io.BytesIO(content), Event(), to_the_end=False)
    assert found is not None
    assert len(found.entries) == 304


def test_the_room_for_the_manifest_is_what_it_takes_and_a_64th_and_4096_bytes(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed_sizes: list[int] = []

    def packed_to(content: bytes) -> bytes:
        packed_sizes.append(len(content))
        return bytes(6400)

    monkeypatch.setattr(archive_writing, "pack", packed_to)
    assert archive_writing._room_for_manifest(project, entries(project), ["data"]) == 6400 + 100 + 4096
    monkeypatch.undo()
    _, manifest = written(project)
    size = len(archive_writing._member_of_manifest(msgspec.structs.replace(manifest, archive_sha256="")))
    assert packed_sizes[0] == pytest.approx(size, abs=1024)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no archive", "cannot be read to its end"),
        (packed(member("data/a", content=b"x")), "does not end with its manifest"),
        (packed(member(INSIDE, tarfile.DIRTYPE)), "does not end with its manifest"),
        (packed(member(INSIDE, content=b"{}")), "of the manifest inside"),
    ],
    ids=["text", "another file", "a folder", "an empty manifest"],
)
def test_an_archive_without_a_manifest_that_can_be_used(content: bytes, message: str) -> None:
    with pytest.raises(Damaged, match=message):
        read_inside(io.BytesIO(content), Event(), to_the_end=True)


@pytest.mark.parametrize(
    "kind", [tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_SPARSE]
)
def test_a_kind_of_member_that_takes_memory_and_is_never_written_is_refused(kind: bytes) -> None:
    with pytest.raises(Damaged, match="of a kind that this suite does not write"):
        read(packed(member("data/a", kind, content=b"x" * 100)), one_file())


def test_a_map_of_holes_is_not_read() -> None:
    info, content = member("data/a", content=b"x")
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "data/a"}
    with pytest.raises(Damaged, match="of a kind that this suite does not write"):
        read(packed((info, content)), one_file())


@pytest.mark.parametrize(
    ("length", "message"), [(1_000_000, "not the one that was saved"), (1_100_000, "header of 1,1")]
)
def test_a_header_of_a_megabyte_is_the_largest_that_is_read(length: int, message: str) -> None:
    manifest = msgspec.structs.replace(one_file(b"z"), sources=["x" * 100_000])
    with pytest.raises(Damaged, match=message):
        read(packed(comment(length)), manifest)


def test_a_header_of_the_largest_size_is_read_and_none_that_is_larger(monkeypatch: pytest.MonkeyPatch) -> None:
    info = comment(2000)[0]
    manifest = msgspec.structs.replace(one_file(), archive_sha256="")
    content = packed(member(INSIDE, content=encode(manifest)), comment(2000))
    size = int(info.tobuf(tarfile.PAX_FORMAT)[124:135], 8)
    monkeypatch.setattr(archive_reading, "_LARGEST_HEADER", size)
    assert read(content, manifest) == ["data/a"]
    monkeypatch.setattr(archive_reading, "_LARGEST_HEADER", size - 1)
    with pytest.raises(Damaged, match=f"a header of {size:,} bytes"):
        read(content, manifest)


def test_reading_looks_for_a_wish_to_stop_on_both_sides_of_the_packing() -> None:
    stop = Event()
    stop.set()
    with pytest.raises(Stopped):
        archive_reading._Reading(io.BytesIO(b"abc"), hashlib.sha256(), stop).read()
    with pytest.raises(Stopped):
        archive_reading._Bounded(io.BytesIO(b"abc"), one_file(), stop).read()


def test_looking_for_the_manifest_to_the_end_remembers_no_members(monkeypatch: pytest.MonkeyPatch) -> None:
    members = [member(f"data/{number}", content=b"x") for number in range(500)]
    content = packed(*members, member(INSIDE, content=encode(one_file())))
    remembered: list[int] = []
    original = archive_reading._inside

    def inside(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Manifest:
        remembered.append(len(archive.members))  # type: ignore[attr-defined]
        return original(archive, info)

    monkeypatch.setattr(archive_reading, "_inside", inside)
    assert read_inside(io.BytesIO(content), Event(), to_the_end=True) is not None
    assert remembered == [1]


def test_members_are_not_remembered(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for number in range(500):
        (tmp_path / f"data/{number}").touch()
    content, manifest = written(tmp_path)
    members = read_archive(io.BytesIO(content), manifest, Event())
    next(members)
    tracemalloc.start()
    try:
        for _ in range(450):
            next(members)
        assert tracemalloc.get_traced_memory()[0] < 150_000
    finally:
        tracemalloc.stop()


def test_a_further_name_is_one_of_the_file_that_the_manifest_names(project: Path) -> None:
    os.link(project / "data/a", project / "data/z")
    content, manifest = written(project)
    assert [entry.link for entry in manifest.entries] == [-1, -1, -1, -1, 1]
    assert read(content, manifest)[-1] == "data/z"
    with tarfile.open(fileobj=io.BytesIO(content)) as opened:
        info = opened.getmember("data/z")
    assert (info.type, info.linkname, info.size) == (tarfile.LNKTYPE, "data/a", 0)
    other = packed(
        member("data/a", content=b"x"),
        member("data/b", content=b"x"),
        (member("data/z", tarfile.LNKTYPE)[0], b""),
    )
    first = one_file().entries[0]
    second = msgspec.structs.replace(first, path="data/b")
    for link, message in ((0, "does not end with its manifest"), (1, "is no further name of a file")):
        third = msgspec.structs.replace(first, path="data/z", link=link)
        with pytest.raises(Damaged, match=message):
            read(other, Manifest(2, "", [], [first, second, third]))


def test_equal_files_at_the_top_are_two_and_a_file_with_two_names_is_one(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"same")
        os.utime(tmp_path / name, (5, 5))
    os.link(tmp_path / "a", tmp_path / "c")
    content, made = archived(tmp_path, entries(tmp_path, "a", "b", "c"))
    assert [(entry.path, entry.link) for entry in made.manifest.entries] == [("a", -1), ("b", -1), ("c", 0)]
    assert read(content, sealed(made.manifest, content)) == ["a", "b", "c"]


@pytest.mark.parametrize("change", ["size", "mtime", "mode"])
def test_a_second_name_of_a_file_that_changed_in_between_is_held_by_itself(tmp_path: Path, change: str) -> None:
    (tmp_path / "a").write_bytes(b"same")
    first = ManifestEntry("a", 0o644, 5, 4, digest_of(b"same"))
    facts = {"size": 4, "mtime": 5, "mode": 0o644} | {change: 0o645}
    numbers = [0] * 10
    numbers[0], numbers[6], numbers[8] = facts["mode"] | 0o100000, facts["size"], facts["mtime"]
    status = os.stat_result(numbers, {"st_mtime_ns": facts["mtime"]})
    assert not archive_writing._is_unchanged(first, status)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux lists what is open")
def test_nothing_stays_open(project: Path) -> None:
    selected = entries(project)
    (project / "data/gone").touch()
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - no folder of files
    archived(project, selected)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_a_file_that_changes_while_it_is_read_lends_no_other_name_its_content(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.link(project / "data/a", project / "data/z")
    selected = entries(project)
    monkeypatch.setattr(Identity, "of", lambda _: object())
    _, made = archived(project, selected)
    assert [(entry.changed, entry.link) for entry in made.manifest.entries if entry.is_file] == [(True, -1)] * 3


def test_a_file_that_is_rewritten_between_its_two_names_is_two_files(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.link(project / "data/a", project / "data/z")
    monkeypatch.setattr(archive_writing, "_is_unchanged", lambda *_: False)
    _, manifest = written(project)
    assert [entry.link for entry in manifest.entries] == [-1] * 5


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"schema": 1}', b"[" * 100_000, b'{"schema": "x"}'])
def test_what_is_no_manifest(content: bytes) -> None:
    with pytest.raises(Unusable):
        decode(content)


def test_a_manifest_of_another_version_is_told() -> None:
    newer = encode(Manifest(3, "", [], []))
    with pytest.raises(Unusable, match="schema is 3"):
        decode(newer)


def test_names_of_archives() -> None:
    from datetime import datetime

    moment = datetime(2026, 11, 24, 13, 5, 9).astimezone()
    assert archive_name(moment) == "backup_20261124_130509.tar.gz"
    assert made_at(archive_name(moment, 3)) == (moment, 3)
    assert manifest_name(archive_name(moment, 3)) == "backup_20261124_130509_3.manifest.json"
    for other in ("backup_20261324_130509.tar.gz", "backup_2026.tar.gz", "backup_20261124_130509.tar", "x"):
        assert made_at(other) is None
