from __future__ import annotations

import errno
import os
import pwd
import socket
import stat
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tasks.core.errors import UserError
from tasks.core.files import safe_files
from tasks.core.files.safe_files import (
    TEMPORARY,
    Identity,
    Refused,
    folder,
    is_only_name,
    is_repository,
    move,
    read,
    refuse_precious,
    write,
)

OTHER_OWNER = 12345


def _open_descriptors() -> int:
    return sum(1 for _ in Path("/dev/fd").iterdir())


def _fail(error: BaseException) -> Callable[..., None]:
    def failing(*_args: object, **_kwargs: object) -> None:
        raise error

    return failing


def _tree(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def test_a_refusal_is_an_error_that_the_user_can_put_right() -> None:
    assert issubclass(Refused, UserError)


# Identity


def test_an_untouched_file_keeps_its_identity(project: Path) -> None:
    path = project / "a"
    path.write_text("x")
    assert Identity.of(path.stat()) == Identity.of(path.stat())


def test_identity_is_device_inode_time_and_size(project: Path) -> None:
    path = project / "a"
    path.write_text("four")
    os.utime(path, ns=(1, 2))
    status = path.stat()
    assert Identity.of(status) == (status.st_dev, status.st_ino, 2, 4)


@pytest.mark.parametrize("change", ["content", "time", "replacement"])
def test_a_changed_file_has_another_identity(project: Path, change: str) -> None:
    path = project / "a"
    path.write_text("x")
    os.utime(path, ns=(1, 1))
    before = Identity.of(path.stat())
    if change == "content":
        path.write_text("xy")
        os.utime(path, ns=(1, 1))
    elif change == "time":
        os.utime(path, ns=(1, 2))
    else:
        (project / "b").write_text("x")
        os.utime(project / "b", ns=(1, 1))
        (project / "b").rename(path)
    assert Identity.of(path.stat()) != before


# folder


@pytest.mark.parametrize("relative", [".", "", "a", "a/b", "a//b/", "./a/./b"])
def test_a_folder_below_the_root_is_opened(project: Path, relative: str) -> None:
    (project / "a/b").mkdir(parents=True)
    with folder(project, relative) as descriptor:
        assert os.path.samestat(os.fstat(descriptor), (project / relative).stat())


def test_the_root_itself_may_be_reached_through_a_link(project: Path, tmp_path: Path) -> None:
    (project / "a").mkdir()
    (tmp_path / "link").symlink_to(project)
    with folder(tmp_path / "link", "a") as descriptor:
        assert os.path.samestat(os.fstat(descriptor), (project / "a").stat())


def test_a_root_that_is_a_file_is_none(project: Path) -> None:
    (project / "file").write_text("")
    with pytest.raises(NotADirectoryError), folder(project / "file", "."):
        pass


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("place", ["link", "link/below", "a/link", "a/link/below"])
def test_a_symbolic_link_anywhere_on_the_path_is_refused(
    project: Path, tmp_path: Path, place: str, *, create: bool
) -> None:
    outside = tmp_path / "outside"
    (outside / "below").mkdir(parents=True)
    (project / "a").mkdir()
    (project / "link").symlink_to(outside)
    (project / "a/link").symlink_to(outside)
    with (
        pytest.raises(Refused, match=rf"^{place.partition('/below')[0]} is a symbolic link"),
        folder(project, place, create=create),
    ):
        pass
    assert _tree(outside) == ["below"]


def test_a_link_to_a_folder_of_the_project_itself_is_refused_too(project: Path) -> None:
    (project / "real").mkdir()
    (project / "link").symlink_to("real")
    with pytest.raises(Refused, match="Put a folder in its place"), folder(project, "link"):
        pass


def test_a_file_in_the_place_of_a_folder_is_refused(project: Path) -> None:
    (project / "a").write_text("")
    with pytest.raises(Refused, match=r"^a is not a folder"), folder(project, "a/b"):
        pass


@pytest.mark.usefixtures("_deadline")
def test_a_fifo_in_the_place_of_a_folder_is_refused_at_once(project: Path) -> None:
    os.mkfifo(project / "a")
    with pytest.raises(Refused, match=r"^a is not a folder"), folder(project, "a"):
        pass


def test_a_missing_folder_is_named_by_its_path_below_the_root(project: Path) -> None:
    (project / "a").mkdir()
    with pytest.raises(FileNotFoundError) as caught, folder(project, "a/b\n/c"):
        pass
    assert caught.value.filename == r"a/b\n"
    assert _tree(project) == ["a"]


def test_missing_folders_are_made_on_request(project: Path) -> None:
    with folder(project, "a/b/c", create=True) as descriptor:
        assert os.path.samestat(os.fstat(descriptor), (project / "a/b/c").stat())
    with folder(project, "a/b/c", create=True):
        pass
    assert _tree(project) == ["a", "a/b", "a/b/c"]


def test_a_mount_below_the_root_is_not_crossed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "a/mounted/below").mkdir(parents=True)
    mounted = (project / "a/mounted").stat().st_ino
    real = os.fstat

    def fstat(descriptor: int) -> os.stat_result:
        status = real(descriptor)
        return os.stat_result((*status[:2], status.st_dev + 1, *status[3:])) if status.st_ino == mounted else status

    monkeypatch.setattr(os, "fstat", fstat)
    with folder(project, "a"):
        pass
    with pytest.raises(Refused, match=r"^a/mounted is on another file system than the root"):
        folder(project, "a/mounted/below").__enter__()


@pytest.mark.skipif(not os.path.ismount("/proc"), reason="there is no /proc mounted here")
def test_a_real_mount_is_not_crossed() -> None:
    with pytest.raises(Refused, match=r"^proc is on another file system"), folder(Path("/"), "proc"):
        pass


@pytest.mark.parametrize("relative", ["a/b", "missing", "link", "file", "."])
def test_no_descriptor_is_left_open_whatever_happens(project: Path, relative: str) -> None:
    (project / "a/b").mkdir(parents=True)
    (project / "file").write_text("")
    (project / "link").symlink_to("a")
    before = _open_descriptors()
    try:
        with folder(project, relative):
            assert _open_descriptors() == before + 1
    except (OSError, Refused):
        pass
    assert _open_descriptors() == before


def test_the_descriptor_is_closed_where_the_work_in_the_folder_fails(project: Path) -> None:
    before = _open_descriptors()
    with pytest.raises(RuntimeError, match="work"), folder(project, "."):
        raise RuntimeError("work")
    assert _open_descriptors() == before


def test_what_root_makes_belongs_to_the_owner_of_the_folder_above(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[object, ...]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(
        os, "fchown", lambda descriptor, user, group: given.append((os.fstat(descriptor).st_ino, user, group))
    )
    before = _open_descriptors()
    with folder(project, "a/b", create=True):
        pass
    owner = project.stat()
    made = [(project / name).stat().st_ino for name in ("a", "a/b")]
    assert given == [(inode, owner.st_uid, owner.st_gid) for inode in made]
    assert _open_descriptors() == before


def test_a_folder_that_takes_the_place_of_a_new_one_is_not_given_away(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.mkdir

    def replaced(name: str, *rest: Any, **options: Any) -> None:
        real(name, *rest, **options)
        (project / name).rmdir()
        (project / "theirs").rename(project / name)

    (project / "theirs").mkdir()
    (project / "theirs/file").touch()
    monkeypatch.setattr(os, "mkdir", replaced)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", _fail(AssertionError()))
    with folder(project, "a", create=True):
        pass


def test_what_a_user_makes_is_not_given_away(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(os, "fchown", _fail(AssertionError()))
    write(project, "a/file", b"1")
    write(project, "a/file", b"2")
    assert (project / "a/file").read_bytes() == b"2"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_the_projects_owner_gets_what_root_makes(project: Path) -> None:
    os.chown(project, OTHER_OWNER, OTHER_OWNER)
    write(project, "a/file", b"1")
    for path in (project / "a", project / "a/file"):
        assert (path.stat().st_uid, path.stat().st_gid) == (OTHER_OWNER, OTHER_OWNER)


@pytest.mark.parametrize("existing", [False, True])
def test_what_takes_the_place_of_the_new_file_meanwhile_is_not_given_away(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, existing: bool
) -> None:
    outside = tmp_path / "outside"
    outside.write_text("theirs")
    if existing:
        (project / "file").write_bytes(b"old")
    given: list[int] = []

    def swapped(descriptor: int, _user: int, _group: int) -> None:
        given.append(os.fstat(descriptor).st_ino)
        (project / TEMPORARY).unlink()
        (project / TEMPORARY).hardlink_to(outside)

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", swapped)
    before = outside.stat()
    write(project, "file", b"new")
    assert given
    assert before.st_ino not in given
    assert (outside.stat().st_mode, outside.read_text()) == (before.st_mode, "theirs")


# refuse_precious


def test_an_ordinary_folder_is_not_precious(project: Path) -> None:
    (project / "cache").mkdir()
    with folder(project, "cache") as descriptor:
        refuse_precious(project, descriptor, "cache")


def test_the_root_of_the_project_is_precious(project: Path) -> None:
    with folder(project, ".") as descriptor, pytest.raises(Refused, match=r"^cache is the root of the project; "):
        refuse_precious(project, descriptor, "cache")


def test_the_root_of_the_file_system_is_precious(project: Path) -> None:
    with folder(Path("/"), ".") as descriptor, pytest.raises(Refused, match="is the root of the file system; "):
        refuse_precious(project, descriptor, "cache")


def test_a_home_is_precious(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "me").mkdir()
    monkeypatch.setenv("HOME", str(project / "me"))
    with folder(project, "me") as descriptor, pytest.raises(Refused, match=r"^me is a home; "):
        refuse_precious(project, descriptor, "me")


def test_a_home_that_does_not_exist_is_no_obstacle(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "cache").mkdir()
    monkeypatch.setenv("HOME", str(project / "nowhere"))
    with folder(project, "cache") as descriptor:
        refuse_precious(project, descriptor, "cache")


def test_a_user_without_a_home_is_no_obstacle(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "cache").mkdir()
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", _fail(KeyError("uid not found")))
    with folder(project, "cache") as descriptor:
        refuse_precious(project, descriptor, "cache")


@pytest.mark.parametrize("kind", ["folder", "file", "dangling link"])
def test_a_repository_is_precious(project: Path, kind: str) -> None:
    (project / "cache").mkdir()
    git = project / "cache/.git"
    if kind == "folder":
        git.mkdir()
    elif kind == "file":
        git.write_text("gitdir: elsewhere")
    else:
        git.symlink_to("nowhere")
    with folder(project, "cache") as descriptor:
        assert is_repository(descriptor)
        with pytest.raises(Refused, match=r"^cache contains a \.git or is a bare repository; "):
            refuse_precious(project, descriptor, "cache")


def test_a_folder_without_git_is_no_repository(project: Path) -> None:
    with folder(project, ".") as descriptor:
        assert not is_repository(descriptor)


# read


def test_a_file_up_to_the_limit_is_read(project: Path) -> None:
    (project / "a").mkdir()
    (project / "a/file").write_bytes(b"12345")
    assert read(project, "a/file", limit=5) == b"12345"


def test_a_file_over_the_limit_is_refused_with_both_numbers(project: Path) -> None:
    (project / "file").write_bytes(b"123456")
    with pytest.raises(Refused, match=r"^file has 6 bytes, more than the 5 expected\.$"):
        read(project, "file", limit=5)


def test_no_more_than_the_limit_is_read_of_a_file_that_grows(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "file").write_bytes(b"123")
    real = os.fstat

    def fstat(descriptor: int) -> os.stat_result:
        status = real(descriptor)
        if stat.S_ISREG(status.st_mode):
            (project / "file").write_bytes(b"1234567890")
        return status

    monkeypatch.setattr(os, "fstat", fstat)
    assert read(project, "file", limit=5) == b"12345"


def test_a_symbolic_link_is_not_read(project: Path) -> None:
    (project / "real").write_text("secret")
    (project / "link").symlink_to("real")
    with pytest.raises(Refused, match=r"^link is a symbolic link"):
        read(project, "link", limit=100)


def test_a_file_behind_a_linked_folder_is_not_read(project: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").write_text("secret")
    (project / "a").symlink_to(tmp_path / "outside")
    with pytest.raises(Refused, match=r"^a is a symbolic link"):
        read(project, "a/file", limit=100)


@pytest.mark.usefixtures("_deadline")
def test_a_fifo_without_a_writer_does_not_hang_the_reader(project: Path) -> None:
    os.mkfifo(project / "pipe")
    with pytest.raises(Refused, match=r"^pipe is not a regular file"):
        read(project, "pipe", limit=100)


def test_a_folder_is_not_read_as_a_file(project: Path) -> None:
    (project / "a").mkdir()
    with pytest.raises(Refused, match=r"^a is not a regular file"):
        read(project, "a", limit=100)


@pytest.mark.parametrize("kind", ["file", "large file", "link", "fifo", "folder", "missing"])
def test_reading_leaves_no_descriptor_open(project: Path, kind: str) -> None:
    path = project / "it"
    if kind.endswith("file"):
        path.write_bytes(b"x" * (1 if kind == "file" else 1000))
    elif kind == "link":
        path.symlink_to("elsewhere")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    before = _open_descriptors()
    with suppress(OSError, Refused):
        read(project, "it", limit=10)
    assert _open_descriptors() == before


def test_a_missing_file_is_missing(project: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(project, "file", limit=1)


# write


def test_a_new_file_is_written_with_its_parents(project: Path) -> None:
    write(project, "a/b/file.json", b"content")
    assert (project / "a/b/file.json").read_bytes() == b"content"
    assert _tree(project) == ["a", "a/b", "a/b/file.json"]


def test_a_new_file_has_the_mode_that_the_umask_leaves(project: Path) -> None:
    before = os.umask(0o027)
    try:
        write(project, "file", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((project / "file").stat().st_mode) == 0o640


@pytest.mark.parametrize("mode", [0o600, 0o664, 0o444, 0o755])
def test_a_replaced_file_keeps_its_mode(project: Path, mode: int) -> None:
    (project / "file").write_text("old")
    (project / "file").chmod(mode)
    write(project, "file", b"new")
    assert (project / "file").read_bytes() == b"new"
    assert stat.S_IMODE((project / "file").stat().st_mode) == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_replaced_file_keeps_its_owner(project: Path) -> None:
    (project / "file").write_text("old")
    os.chown(project / "file", OTHER_OWNER, OTHER_OWNER)
    write(project, "file", b"new")
    assert (project / "file").stat().st_uid == OTHER_OWNER


def test_root_gives_a_replacement_to_the_owner_of_what_it_replaces(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "file").write_text("old")
    owner = (project / "file").stat()
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", lambda _descriptor, user, group: given.append((user, group)))
    write(project, "file", b"new")
    assert given == [(owner.st_uid, owner.st_gid)]


def test_a_reader_of_the_old_file_keeps_all_of_it(project: Path) -> None:
    (project / "file").write_bytes(b"old")
    with (project / "file").open("rb") as reader:
        write(project, "file", b"new")
        assert reader.read() == b"old"
    assert (project / "file").read_bytes() == b"new"


@pytest.mark.parametrize("existing", [False, True])
@pytest.mark.parametrize(
    ("step", "error"),
    [
        ("fsync", OSError(errno.ENOSPC, "No space left on device")),
        ("rename", OSError(errno.EIO, "Input/output error")),
        ("rename", KeyboardInterrupt()),
    ],
)
def test_a_failed_write_leaves_the_old_state_and_nothing_beside_it(
    project: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException, *, existing: bool
) -> None:
    if existing:
        (project / "file").write_bytes(b"old")
    with monkeypatch.context() as patched:
        patched.setattr(os, step, _fail(error))
        with pytest.raises(type(error)):
            write(project, "file", b"new")
    assert _tree(project) == (["file"] if existing else [])
    if existing:
        assert (project / "file").read_bytes() == b"old"


FULL_DISK = """
import resource, sys
from pathlib import Path
from tasks.core.files.safe_files import write
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
try:
    write(Path(sys.argv[1]), "file", b"n" * 100_000)
except OSError as error:
    print(type(error).__name__)
finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
"""


def test_a_write_that_the_system_cuts_short_leaves_the_old_file_whole(
    project: Path, child: Callable[..., subprocess.Popen[str]]
) -> None:
    (project / "file").write_bytes(b"o" * 2000)
    output, _ = child(FULL_DISK, project).communicate(timeout=300)
    assert output == "OSError\n"
    assert (project / "file").read_bytes() == b"o" * 2000
    assert _tree(project) == ["file"]


def test_the_name_points_at_the_new_file_only_once_that_is_on_disk(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    sync, rename = os.fsync, os.rename

    def synced(descriptor: int) -> None:
        steps.append("fsync")
        sync(descriptor)

    def renamed(source: str, target: str, **folders: int) -> None:
        steps.append("rename")
        rename(source, target, **folders)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "rename", renamed)
    write(project, "file", b"new")
    assert steps == ["fsync", "rename", "fsync"]


def test_what_is_on_disk_before_the_name_points_at_it_is_the_whole_file(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: sizes.append(os.fstat(descriptor).st_size))
    write(project, "file", b"new")
    assert sizes[0] == 3


@pytest.mark.parametrize(("private", "mode"), [(False, 0o664), (True, 0o600)])
def test_a_new_file_is_never_for_everybody_to_write_and_a_private_one_is_for_its_owner(
    project: Path, *, private: bool, mode: int
) -> None:
    before = os.umask(0)
    try:
        write(project, "file", b"new", private=private)
    finally:
        os.umask(before)
    assert stat.S_IMODE((project / "file").stat().st_mode) == mode


def test_what_another_writes_under_the_temporary_name_meanwhile_is_not_overwritten(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    real = os.unlink

    def unlink(name: str, *, dir_fd: int) -> None:
        with suppress(FileNotFoundError):
            real(name, dir_fd=dir_fd)
        if not (project / safe_files.TEMPORARY).is_symlink():
            (project / safe_files.TEMPORARY).symlink_to(outside)

    monkeypatch.setattr(os, "unlink", unlink)
    with pytest.raises(FileExistsError):
        write(project, "file", b"new")
    assert outside.read_bytes() == b"mine"
    assert not (project / "file").exists()


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_a_killed_run_left_under_the_temporary_name_is_replaced(project: Path, tmp_path: Path, kind: str) -> None:
    leftover = project / safe_files.TEMPORARY
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    if kind == "file":
        leftover.write_bytes(b"half")
    else:
        leftover.symlink_to(outside)
    write(project, "file", b"whole")
    assert (project / "file").read_bytes() == b"whole"
    assert not (project / "file").is_symlink()
    assert _tree(project) == ["file"]
    assert outside.read_bytes() == b"mine"


@pytest.mark.usefixtures("_deadline")
@pytest.mark.parametrize("kind", ["link", "dangling link", "fifo", "folder", "socket"])
def test_only_a_regular_file_is_replaced(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    path = project / "file"
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    if kind.endswith("link"):
        path.symlink_to(outside if kind == "link" else tmp_path / "nowhere")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        monkeypatch.chdir(project)  # a socket's path may have a hundred characters
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("file")
    before = path.lstat()
    with pytest.raises(Refused, match=r"^file is not a regular file and is not replaced"):
        write(project, "file", b"new")
    assert path.lstat() == before
    assert outside.read_bytes() == b"mine"
    assert _tree(project) == ["file"]


def test_nothing_is_written_through_a_linked_folder(project: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (project / "logs").symlink_to(tmp_path / "outside")
    with pytest.raises(Refused, match=r"^logs is a symbolic link"):
        write(project, "logs/reports/file", b"new")
    assert _tree(tmp_path / "outside") == []


# move


def test_a_file_moves_between_folders(project: Path) -> None:
    (project / "a").mkdir()
    (project / "file").write_bytes(b"content")
    inode = (project / "file").stat().st_ino
    with folder(project, ".") as here, folder(project, "a") as there:
        assert move((here, "file"), (there, "new"))
    assert _tree(project) == ["a", "a/new"]
    assert (project / "a/new").stat().st_ino == inode


def test_a_move_never_overwrites(project: Path) -> None:
    (project / "one").write_bytes(b"1")
    (project / "two").write_bytes(b"2")
    with folder(project, ".") as here:
        assert not move((here, "one"), (here, "two"))
    assert (project / "one").read_bytes() == b"1"
    assert (project / "two").read_bytes() == b"2"


def test_a_move_never_replaces_a_link_or_a_folder(project: Path) -> None:
    (project / "one").write_bytes(b"1")
    (project / "folder").mkdir()
    (project / "link").symlink_to("one")
    with folder(project, ".") as here:
        assert not move((here, "one"), (here, "folder"))
        assert not move((here, "one"), (here, "link"))
    assert _tree(project) == ["folder", "link", "one"]


def test_a_move_that_was_killed_between_its_two_steps_is_finished_by_the_next(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "one").write_bytes(b"1")
    with folder(project, ".") as here:
        with monkeypatch.context() as patched:
            patched.setattr(os, "unlink", _fail(KeyboardInterrupt()))
            with pytest.raises(KeyboardInterrupt):
                move((here, "one"), (here, "two"))
        assert _tree(project) == ["one", "two"]
        assert move((here, "one"), (here, "two"))
    assert _tree(project) == ["two"]
    assert (project / "two").read_bytes() == b"1"


def test_moving_a_file_onto_itself_loses_nothing(project: Path) -> None:
    (project / "one").write_bytes(b"1")
    with folder(project, ".") as here, folder(project, ".") as again:
        assert move((here, "one"), (again, "one"))
    assert _tree(project) == ["one"]


def test_a_file_with_a_further_name_elsewhere_is_moved_and_kept(project: Path) -> None:
    (project / "one").write_bytes(b"1")
    os.link(project / "one", project / "further")
    with folder(project, ".") as here:
        assert move((here, "one"), (here, "two"))
    assert _tree(project) == ["further", "two"]


def test_a_symbolic_link_is_moved_as_such(project: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"mine")
    (project / "link").symlink_to(tmp_path / "outside")
    with folder(project, ".") as here:
        assert move((here, "link"), (here, "moved"))
    assert (project / "moved").is_symlink()
    assert (tmp_path / "outside").stat().st_nlink == 1


def test_a_link_is_not_moved_onto_the_file_that_it_leads_to(project: Path) -> None:
    (project / "one").write_bytes(b"1")
    (project / "link").symlink_to("one")
    with folder(project, ".") as here:
        assert not move((here, "link"), (here, "one"))
    assert _tree(project) == ["link", "one"]


def test_a_file_that_has_gone_is_an_error(project: Path) -> None:
    with folder(project, ".") as here, pytest.raises(FileNotFoundError):
        move((here, "gone"), (here, "new"))


# write, with the old file kept


def test_a_broken_file_is_kept_under_the_first_free_number(project: Path) -> None:
    (project / "a").mkdir()
    (project / "a/file").write_bytes(b"0")
    for number in (1, 2, 3):
        assert write(project, "a/file", b"%d" % number, keep_old=True) == f"a/file.broken-{number}"
    assert [(project / f"a/file.broken-{number}").read_bytes() for number in (1, 2, 3)] == [b"0", b"1", b"2"]
    assert (project / "a/file").read_bytes() == b"3"
    assert len(_tree(project / "a")) == 4


def test_a_gap_in_the_numbers_is_filled_and_nothing_overwritten(project: Path) -> None:
    (project / "file").write_bytes(b"first")
    (project / "file.broken-2").write_bytes(b"old")
    assert write(project, "file", b"second", keep_old=True) == "file.broken-1"
    assert write(project, "file", b"third", keep_old=True) == "file.broken-3"
    assert (project / "file.broken-2").read_bytes() == b"old"
    assert (project / "file.broken-3").read_bytes() == b"second"


def test_a_link_to_the_broken_file_is_not_taken_for_its_second_name(project: Path) -> None:
    (project / "file").write_bytes(b"broken")
    (project / "file.broken-1").symlink_to("file")
    assert write(project, "file", b"new", keep_old=True) == "file.broken-2"
    assert (project / "file.broken-2").read_bytes() == b"broken"


def test_a_link_that_takes_the_place_of_the_broken_file_meanwhile_is_kept_itself(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "file").write_bytes(b"broken")
    (tmp_path / "outside").write_bytes(b"mine")
    real = os.link

    def link(source: str, target: str, **options: Any) -> None:
        (project / "file").unlink()
        (project / "file").symlink_to(tmp_path / "outside")
        real(source, target, **options)

    monkeypatch.setattr(os, "link", link)
    assert write(project, "file", b"new", keep_old=True) == "file.broken-1"
    assert (project / "file.broken-1").is_symlink()
    assert (tmp_path / "outside").stat().st_nlink == 1


@pytest.mark.parametrize("keep_old", [False, True])
def test_where_there_was_no_old_file_none_is_kept(project: Path, *, keep_old: bool) -> None:
    assert write(project, "file", b"new", keep_old=keep_old) is None
    assert _tree(project) == ["file"]


def test_the_old_file_is_replaced_unless_it_is_to_be_kept(project: Path) -> None:
    (project / "file").write_bytes(b"old")
    assert write(project, "file", b"new") is None
    assert _tree(project) == ["file"]


def test_keeping_the_old_file_that_was_killed_half_way_is_finished(project: Path) -> None:
    (project / "file").write_bytes(b"broken")
    os.link(project / "file", project / "file.broken-1")
    assert write(project, "file", b"new", keep_old=True) == "file.broken-1"
    assert _tree(project) == ["file", "file.broken-1"]
    assert (project / "file.broken-1").read_bytes() == b"broken"
    assert (project / "file").read_bytes() == b"new"


@pytest.mark.parametrize("step", ["fsync", "rename"])
def test_a_failed_write_leaves_the_file_that_was_to_be_kept_under_its_name(
    project: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    (project / "file").write_bytes(b"broken")
    with monkeypatch.context() as patched:
        patched.setattr(os, step, _fail(OSError(errno.ENOSPC, "No space left on device")))
        with pytest.raises(OSError, match="No space left"):
            write(project, "file", b"new", keep_old=True)
    assert _tree(project) == ["file"]
    assert (project / "file").read_bytes() == b"broken"


def test_at_any_moment_the_name_of_a_file_that_is_kept_leads_to_a_whole_file(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "file").write_bytes(b"broken")
    seen: list[bytes] = []

    def watched(real: Callable[..., None]) -> Callable[..., None]:
        def call(*args: Any, **rest: Any) -> None:
            real(*args, **rest)
            seen.append((project / "file").read_bytes() if (project / "file").exists() else b"nothing")

        return call

    for name in ("link", "unlink", "rename"):
        monkeypatch.setattr(os, name, watched(getattr(os, name)))
    write(project, "file", b"new", keep_old=True)
    assert set(seen) <= {b"broken", b"new"}
    assert seen[-1] == b"new"


def test_nothing_is_kept_through_a_linked_folder(project: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").write_text("")
    (project / "a").symlink_to(tmp_path / "outside")
    with pytest.raises(Refused):
        write(project, "a/file", b"new", keep_old=True)
    assert _tree(tmp_path / "outside") == ["file"]


@pytest.mark.parametrize("relative", ["..", "a/../../b", "/etc"])
def test_a_path_that_leads_out_of_the_root_is_refused_before_anything_is_opened(project: Path, relative: str) -> None:
    with pytest.raises(Refused, match="leads out of the project"), folder(project, relative, create=True):
        pass


# A folder below an open one


def test_a_folder_is_found_below_an_open_one_wherever_that_is_moved(project: Path) -> None:
    (project / "a/b").mkdir(parents=True)
    inode = (project / "a/b").stat().st_ino
    before = _open_descriptors()
    with folder(project, "a") as top:
        (project / "a").rename(project / "moved")
        (project / "a").symlink_to("moved")
        for relative in (".", "b"):
            with folder(top, relative) as descriptor:
                assert os.fstat(descriptor).st_ino in {inode, os.fstat(top).st_ino}
        with pytest.raises(Refused, match="leads out of the project"), folder(top, "../moved"):
            pass
        os.fstat(top)
    assert _open_descriptors() == before


# The only name of a file


def test_a_file_with_one_name_has_that_name_alone(project: Path) -> None:
    path = project / "file"
    path.touch()
    (project / "other").touch()
    with path.open() as file, folder(project, ".") as descriptor:
        assert is_only_name(descriptor, "file", file.fileno())
        assert not is_only_name(descriptor, "other", file.fileno())
        assert not is_only_name(descriptor, "missing", file.fileno())
        (project / "second").hardlink_to(path)
        assert not is_only_name(descriptor, "file", file.fileno())
        path.unlink()
        path.symlink_to("second")
        assert not is_only_name(descriptor, "file", file.fileno())
        assert is_only_name(descriptor, "second", file.fileno())


def test_whether_it_is_the_only_name_is_read_in_one_call(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is swapped in between shows either another file or a second name."""
    path, outside, real = project / "file", project / "outside", os.stat
    outside.touch()
    path.hardlink_to(outside)

    def swapped(name: Any, **options: Any) -> os.stat_result:
        if name != "file":
            return real(name, **options)
        found = real(name, **options)
        path.unlink()
        return found

    monkeypatch.setattr(os, "stat", swapped)
    with path.open() as file, folder(project, ".") as descriptor:
        assert not is_only_name(descriptor, "file", file.fileno())


def test_what_a_killed_write_left_is_removed_and_nothing_else(project: Path) -> None:
    (project / "logs").mkdir()
    for name in (safe_files.TEMPORARY, "app.log"):
        (project / "logs" / name).write_text("half")
    safe_files.remove_temporary(project, "logs")
    assert [path.name for path in (project / "logs").iterdir()] == ["app.log"]
    safe_files.remove_temporary(project, "logs")
    safe_files.remove_temporary(project, "none")


def test_what_lies_behind_a_link_is_not_removed(project: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / safe_files.TEMPORARY).write_text("of others")
    (project / "logs").symlink_to(outside)
    safe_files.remove_temporary(project, "logs")
    assert (outside / safe_files.TEMPORARY).exists()
