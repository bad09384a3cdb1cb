from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from threading import Event, Timer

import pytest

from tasks.core.programs.processes import KEPT, Ended, run, whole_lines

SLEEP = "import time; time.sleep(600)"


def python(code: str, folder: Path, *, seconds: float = 30, stop: Event | None = None) -> Ended:
    return run([sys.executable, "-c", code], folder=folder, environ=os.environ, deadline_seconds=seconds, stop=stop)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z" if Path("/proc").is_dir() else True


def test_what_a_program_says_and_how_it_ends(tmp_path: Path) -> None:
    ended = python("import os, sys; print(os.getcwd()); print('no', file=sys.stderr); sys.exit(3)", tmp_path)
    assert (ended.status, ended.errors, ended.overdue, ended.succeeded) == (3, b"no\n", False, False)
    assert ended.output.decode().strip() == str(tmp_path.resolve())
    assert python("", tmp_path).succeeded


def test_a_line_that_may_be_cut_off_is_not_quoted() -> None:
    cut = b"x" * (KEPT - 5) + b" half"
    assert Ended(1, errors=cut).last_words() == ""
    assert Ended(1, errors=cut[:-4] + b"\nend").last_words() == "end"
    assert Ended(1, errors=cut[1:]).last_words().endswith(" half")
    assert whole_lines(b"a\nb") == ["a", "b"]


def test_nothing_can_be_said_to_it(tmp_path: Path) -> None:
    assert python("print(repr(input()))", tmp_path).last_words().startswith("EOFError")


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    ended = run([tmp_path / "gone"], folder=tmp_path, environ={}, deadline_seconds=1)
    assert ended.status is None
    assert not ended.succeeded
    assert ended.problem == f"{tmp_path / 'gone'} cannot be started: No such file or directory"


def test_a_name_that_no_program_can_have(tmp_path: Path) -> None:
    assert "embedded null byte" in str(run(["a\0b"], folder=tmp_path, environ={}, deadline_seconds=1).problem)


def test_it_ends_at_its_deadline_with_all_that_it_started(tmp_path: Path) -> None:
    code = (
        f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', '{SLEEP}']).pid, flush=True); {SLEEP}"
    )
    ended = python(code, tmp_path, seconds=1)
    assert ended.overdue
    assert not ended.succeeded
    child, until = int(ended.output), time.monotonic() + 300
    while alive(child) and time.monotonic() < until:
        time.sleep(0.01)
    assert not alive(child)


def test_one_that_will_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.core.programs.processes._GRACE", 0.1)
    code = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); {SLEEP}"
    ended = python(code, tmp_path, seconds=2)
    assert ended.overdue
    assert ended.status == -9


def test_it_ends_early_when_told_to(tmp_path: Path) -> None:
    stop = Event()
    Timer(0.2, stop.set).start()
    began = time.monotonic()
    assert python(SLEEP, tmp_path, stop=stop).overdue
    assert time.monotonic() - began < 300


def test_what_is_left_of_its_children_ends_with_it(tmp_path: Path) -> None:
    code = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', '{SLEEP}']).pid)"
    ended = python(code, tmp_path)
    assert ended.succeeded
    until = time.monotonic() + 300
    while alive(int(ended.output)) and time.monotonic() < until:
        time.sleep(0.01)
    assert not alive(int(ended.output))


def test_of_a_talkative_one_the_end_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.core.programs.processes.KEPT", 5)
    assert python("print('0123456789', end='')", tmp_path).output == b"56789"


@pytest.mark.parametrize(
    ("output", "errors", "words"),
    [
        (b"out\n", b"first\n last \n\n", "last"),
        (b"out\n", b" \n", "out"),
        (b"", b"", ""),
        (b"", b"\xff\n", "\ufffd"),
    ],
)
def test_its_last_words(output: bytes, errors: bytes, words: str) -> None:
    assert Ended(1, output, errors).last_words() == words
