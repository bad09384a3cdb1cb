"""A program that swaps folders and files for links all the time leads no run out of the project."""

from __future__ import annotations

import gzip
import os
import random
import signal
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tasks.core.files.lock import LOCK_FILE, SHORT_LOCK_FILE
from tasks.core.files.safe_files import TEMPORARY, Refused
from tasks.core.files.safe_files import folder as open_folder
from tasks.core.report.history import FILE

from .conftest import Inv

OWNER, ADVERSARY = 12345, 23456
ROUNDS = 4
LONG_AGO = 400 * 86_400
HIDDEN = b"what nobody in the project may read\n"
STATE = {FILE, "log_review.json", "error_tracking.json", "stats.json", TEMPORARY, LOCK_FILE, SHORT_LOCK_FILE}
LINE = "2026-11-23 11:59:59,707 - api.client - ERROR - line %d\n"


class _Scene(NamedTuple):
    """Who runs the suite; whose the project is; whose program swaps; and whether it can do so in the root as well."""

    runs: int
    owns: int
    swaps: int
    everywhere: bool


SCENES = {
    "the owner, in folders open to others": _Scene(OWNER, OWNER, ADVERSARY, everywhere=False),
    "root, in folders open to others": _Scene(0, OWNER, ADVERSARY, everywhere=False),
    "root, in the project of the adversary": _Scene(0, ADVERSARY, ADVERSARY, everywhere=True),
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can be several users"),
]


@pytest.fixture
def base() -> Iterator[Path]:
    """A folder that every user can reach."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name).resolve()
        path.chmod(0o755)
        yield path


def _old(path: Path) -> None:
    moment = time.time() - LONG_AGO
    os.utime(path, (moment, moment))


def _project(base: Path, scene: _Scene) -> Path:
    root = base / "project"
    for folder in ("logs/archive/2020/01", "cache/temp", "cache/api_responses", "data"):
        (root / folder).mkdir(parents=True)
    for path in [root, *root.rglob("*")]:
        os.chown(path, scene.owns, scene.owns)
        if path.is_dir() and (path.name in {"logs", "cache"} or path.parent.name in {"logs", "cache"}):
            path.chmod(0o777)
    return root


def _fill(root: Path, scene: _Scene, number: int) -> None:
    """Let there be something to do in the folders: logs to rotate, and entries to delete.

    Whoever swaps is stopped meanwhile, and may have been stopped in the middle.
    """
    bait = {f"logs/app{number}-{each}.log": "".join(LINE % line for line in range(300)) for each in range(8)}
    bait |= {f"cache/temp/{number}-{each}.json": "{}" for each in range(8)}
    for name, content in bait.items():
        with suppress(OSError, Refused), open_folder(root, str(Path(name).parent)) as parent:
            descriptor = os.open(Path(name).name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=parent)
            with os.fdopen(descriptor, "w") as file:
                file.write(content)
                file.flush()
                os.fchown(descriptor, scene.owns, scene.owns)
                if name.startswith("cache"):
                    os.utime(descriptor, (time.time() - LONG_AGO, time.time() - LONG_AGO))


def _outside(base: Path) -> Path:
    """Lay out what a run would rotate, delete or sort, if it were led there."""
    outside = base / "outside"
    for folder in ("logs/2020/01", "logs/archive/2020/01", "cache/temp", "cache/api_responses"):
        (outside / folder).mkdir(parents=True)
    (outside / "hidden.txt").write_bytes(HIDDEN)
    (outside / "hidden.txt").chmod(0o600)
    for name in ("shared.log", "theirs.log", "logs/app.log"):
        (outside / name).write_text("".join(LINE % line for line in range(300)))
    (outside / "shared.log").chmod(0o666)  # what others can write they can give a second name, on every system
    os.chown(outside / "theirs.log", ADVERSARY, ADVERSARY)
    for path in ("logs/2020/01", "logs/archive/2020/01"):
        (outside / path / "app_20200101.log.gz").write_bytes(gzip.compress(b"old\n"))
    for path in ("cache/temp/old.json", "cache/api_responses/old.json", "cache/api_old.json"):
        (outside / path).write_text("{}")
        _old(outside / path)
    return outside


def _seen(folder: Path) -> dict[str, tuple[Any, ...]]:
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
        found[str(path)] = (status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns, content)
    return found


def _entries(folders: list[Path]) -> list[str]:
    found: list[str] = []
    for folder in folders:
        with suppress(OSError):
            found += [entry.path for entry in os.scandir(folder)]
    for path in list(found):
        with suppress(OSError):
            if Path(path).is_dir() and not Path(path).is_symlink():
                found += [entry.path for entry in os.scandir(path)]
    return [path for path in found if not path.endswith(".away")]


def _swap(root: Path, outside: Path, scene: _Scene) -> None:
    """Swap whatever lies in the folders for a link that leads out, and back, without an end."""
    folders = [root / "logs", root / "cache", *([root] if scene.everywhere else [])]
    theirs = [outside / "shared.log", outside / "theirs.log"]
    chosen = random.Random(scene.runs)
    while True:
        found = _entries(folders)
        own = [path for path in found if Path(path).name in STATE]
        for path in [*chosen.sample(found, min(10, len(found))), *own]:
            with suppress(OSError):
                _swap_one(path, outside, theirs, chosen)


def _swap_one(path: str, outside: Path, theirs: list[Path], chosen: random.Random) -> None:
    away = f"{path}.away"
    os.rename(path, away)  # noqa: PTH104 - as fast as can be
    try:
        if Path(away).is_dir():
            os.symlink(outside / ("cache" if "/cache" in path else "logs"), path)  # noqa: PTH211
        elif chosen.random() < 0.5:
            os.link(chosen.choice(theirs), path)
        else:
            os.symlink(chosen.choice([*theirs, outside / "hidden.txt", outside / "nowhere"]), path)  # noqa: PTH211
        time.sleep(chosen.choice([0, 0.0001, 0.001, 0.02]))  # so long that the one or the other step falls into it
    finally:
        with suppress(OSError):
            status = os.lstat(path)
            if stat.S_ISLNK(status.st_mode) or status.st_nlink > 1:
                os.unlink(path)  # noqa: PTH108
        with suppress(OSError):
            if not os.path.lexists(path):
                os.rename(away, path)  # noqa: PTH104


def _become(user: int) -> None:
    if user:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)


@contextmanager
def _adversary(root: Path, outside: Path, scene: _Scene) -> Iterator[int]:
    """Let another user's process swap all the time, and give its number."""
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(600)
            _become(scene.swaps)
            _swap(root, outside, scene)
        finally:
            os._exit(1)
    try:
        yield child
        assert os.waitpid(child, os.WNOHANG) == (0, 0), "it ended by itself"
    finally:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(child, 0)


def _in_child(user: int, work: Callable[[], None]) -> None:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.alarm(300)
            _become(user)
            work()
            status = 0
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is shown
            os.write(2, repr(error).encode())
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("name", SCENES)
def test_what_is_swapped_for_a_link_in_the_middle_of_a_run_leads_nowhere(
    inv: Inv, environment: dict[str, str], base: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root refuses such a project; what protects it where it does not is to hold by itself.
    monkeypatch.setattr("tasks.core.run.ownership.refusal_of", lambda *_: None)
    scene = SCENES[name]
    environment["INVOKE_MAINTENANCE_ROOT"] = str(base / "project")
    environment["HOME"] = str(base)
    tasks = ("weekly.log-rotation", "weekly.cache-cleanup", "daily", "schedule.status")
    root, outside = _project(base, scene), _outside(base)
    _fill(root, scene, 0)
    for task in tasks:  # all that it imports is imported before a child without our rights needs it
        inv(task)
    before = _seen(outside)

    def run() -> None:
        for task in tasks:
            ended = inv(task, json=False)
            assert "Traceback" not in ended.out + ended.err, ended.out + ended.err
            assert HIDDEN.decode().strip() not in ended.out + ended.err

    with _adversary(root, outside, scene) as swapping:
        for number in range(1, ROUNDS + 1):
            os.kill(swapping, signal.SIGSTOP)
            os.waitpid(swapping, os.WUNTRACED)
            _fill(root, scene, number)
            os.kill(swapping, signal.SIGCONT)
            _in_child(scene.runs, run)
    assert _seen(outside) == before
    assert [*root.rglob("app0-*.log.gz")], "it did nothing"
