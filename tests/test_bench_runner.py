"""The benchmark runs, and its figures are of work that was really done."""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from .bench.backup_sides import RESTORED, Borg, Ours, Program, Restic, Step, difference, side
from .bench.entry import Entry, Figure, NoInput, Quantity, Side
from .bench.figures import Result, Round, Run, Verdict, ratio
from .bench.log_files import LogFile, log_path, made
from .bench.log_text import PLACEHOLDER
from .bench.process import Command, Outcome, run
from .bench.programs import NotInstalled, program
from .bench.project_files import SOURCES, Content, ProjectFiles
from .bench.show import table
from .bench.turns import measure
from .bench.workshop import Workshop
from .logs.rotation.conftest import can_collapse

REPOSITORY = Path(__file__).resolve().parents[1]


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.bench", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_a_small_clean_up_is_measured_and_verified(tmp_path: Path) -> None:
    done = bench("--only", "cache-cleanup", "--scale", "0.002", "--rounds", "1", "--folder", str(tmp_path))

    assert done.returncode in {0, 1}, done.stdout + done.stderr  # so small a scale says nothing about speed
    row = re.search(r"^cache-cleanup +\d\S* s +\d\S* s +(\d+\.\d+) .* (ok|OVER)$", done.stdout, re.MULTILINE)
    assert row, done.stdout
    assert float(row[1]) > 0
    assert "void" not in done.stdout.lower()
    assert list(tmp_path.iterdir()) == [], "inputs are left behind"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "peer"),
    [
        ("log-review", "grep"),
        ("error-monitor", "grep"),
        ("error-monitor-flat", "grep"),
        ("log-rotation-gzip", "gzip"),
        ("log-rotation-pigz", "pigz"),
        ("log-rotation-size", "gzip"),
    ],
)
def test_work_on_a_small_log_is_measured_and_verified(tmp_path: Path, name: str, peer: str) -> None:
    _require(peer)
    done = bench("--only", name, "--scale", "0.001", "--rounds", "1", "--folder", str(tmp_path))

    assert done.returncode in {0, 1}, done.stdout + done.stderr
    row = re.search(rf"^{name} +\d\S* (?:s|MB) +\d\S* (?:s|MB) +(\d+\.\d+) .* (ok|OVER)$", done.stdout, re.MULTILINE)
    assert row, done.stdout
    assert float(row[1]) > 0
    assert list(tmp_path.iterdir()) == [], "inputs are left behind"


@pytest.mark.slow
def test_a_short_soak_loses_no_line_of_ours(tmp_path: Path) -> None:
    _require("logrotate")
    if not can_collapse(tmp_path):
        pytest.skip("the file system under the temporary folder is neither ext4 nor XFS")
    done = bench("--only", "log-soak", "--scale", "0.04", "--folder", str(tmp_path))

    assert done.returncode == 0, done.stdout + done.stderr
    row = re.search(r"^log-soak +0 of ([\d,]+) +[\d,]+ of ([\d,]+) +0\.000 .* ok$", done.stdout, re.MULTILINE)
    assert row, done.stdout
    assert all(int(written.replace(",", "")) > 1000 for written in row.groups())


_PROGRAMS = [
    pytest.param(Ours(), id="inv"),
    pytest.param(Restic(), marks=pytest.mark.needs("restic"), id="restic"),
    pytest.param(Borg(), marks=pytest.mark.needs("borg"), id="borg"),
]

_FILES = ProjectFiles(20, Content.TEXT)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of a few small files."""
    folder = tmp_path / "project"
    folder.mkdir()
    _FILES.make(folder)
    return folder


def _problem_of(each: Side, project: Path) -> str | None:
    """Return what keeps a run from counting, as the benchmark finds it."""
    outcome = run(each.command(project))
    return f"ended with status {outcome.status}" if outcome.status else each.problem(project, outcome)


@pytest.mark.slow
@pytest.mark.parametrize("backup", _PROGRAMS)
@pytest.mark.parametrize("step", Step)
def test_each_step_of_a_backup_does_its_work(project: Path, backup: Program, step: Step) -> None:
    each = side(backup, step, _FILES)
    for _ in range(2):
        each.before(project)
        assert _problem_of(each, project) is None


@pytest.mark.slow
@pytest.mark.parametrize("backup", _PROGRAMS)
@pytest.mark.parametrize("step", [Step.VERIFY, Step.RESTORE])
def test_a_damaged_backup_is_neither_verified_nor_restored(project: Path, backup: Program, step: Step) -> None:
    each = side(backup, step, _FILES)
    each.before(project)
    kept = project / {"inv": "backups", "restic": "restic/repository/data", "borg": "borg/repository/data"}[backup.name]
    largest = max((path for path in kept.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    content = bytearray(largest.read_bytes())
    content[len(content) // 2] ^= 1
    largest.chmod(0o600)
    largest.write_bytes(content)

    assert _problem_of(each, project) is not None


@pytest.mark.slow
@pytest.mark.parametrize("backup", _PROGRAMS)
def test_a_backup_of_fewer_files_does_not_count(project: Path, backup: Program) -> None:
    (project / "requirements.txt").write_bytes(b"")
    shutil.rmtree(project / "config")
    (project / "config").mkdir()

    each = side(backup, Step.FIRST, _FILES)
    each.before(project)
    assert _problem_of(each, project) is not None


@pytest.mark.slow
@pytest.mark.parametrize("backup", _PROGRAMS)
def test_a_backup_again_of_what_was_changed_does_not_count(project: Path, backup: Program) -> None:
    each = side(backup, Step.AGAIN, _FILES)
    each.before(project)
    for path in (project / "data").rglob("*.yaml"):
        path.write_bytes(os.urandom(50_000))

    assert _problem_of(each, project) is not None


@pytest.mark.parametrize("change", ["none", "missing", "more", "other"])
def test_what_was_restored_is_compared_name_by_name_and_byte_by_byte(project: Path, change: str) -> None:
    restored = project / RESTORED
    for source in SOURCES:
        copy = shutil.copytree if (project / source).is_dir() else shutil.copy2
        restored.mkdir(exist_ok=True)
        copy(project / source, restored / source)
    path = min((restored / "data").rglob("*.yaml"))
    if change == "missing":
        path.unlink()
    elif change == "more":
        path.with_name("more").touch()
    elif change == "other":
        status = path.stat()
        path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    name = path.relative_to(restored)
    assert (
        difference(project)
        == {
            "none": None,
            "missing": "1 of 20 files are missing once restored, and 0 were never there",
            "more": "0 of 20 files are missing once restored, and 1 were never there",
            "other": f"{name} is not the same once restored",
        }[change]
    )


@pytest.mark.parametrize("backup", _PROGRAMS[1:])
@pytest.mark.parametrize("step", [Step.FIRST, Step.AGAIN, Step.VERIFY])
def test_a_peer_keeps_everything_below_the_project_and_its_password_out_of_its_arguments(
    tmp_path: Path, backup: Program, step: Step
) -> None:
    command = backup.command(tmp_path, step)
    password = command.environment.get("RESTIC_PASSWORD")
    assert bool(password) == (backup.name == "restic")
    assert not any(password and password in str(argument) for argument in command.arguments)
    folders = [value for name, value in command.environment.items() if name.endswith("_DIR")]
    assert folders
    assert all(Path(folder).is_relative_to(tmp_path) for folder in folders)


@pytest.mark.parametrize("content", Content)
def test_a_project_has_as_many_files_as_asked_for_and_no_two_are_equal(tmp_path: Path, content: Content) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    for folder in (first, again):
        folder.mkdir()
        ProjectFiles.scaled(25_000, 0.02, content).make(folder)

    made = [path for path in sorted(first.rglob("*")) if path.is_file()]
    contents = [path.read_bytes() for path in made]
    assert len(made) == len({*contents}) == 500
    assert {path.relative_to(first).parts[0] for path in made} == {*SOURCES}
    assert contents == [(again / path.relative_to(first)).read_bytes() for path in made]
    packed, whole = sum(len(zlib.compress(each)) for each in contents), sum(map(len, contents))
    assert packed < 0.5 * whole if content is Content.TEXT else packed > 0.99 * whole


def _require(name: str) -> None:
    if shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin:/opt/homebrew/bin") is None:
        pytest.skip(f"{name} is not installed")


def test_a_log_has_what_it_is_said_to_have(tmp_path: Path) -> None:
    log = LogFile(size=1_000_000, days=3)
    log.make(tmp_path)

    lines = log_path(tmp_path).read_text().splitlines()
    counted, written = log.levels(), made(tmp_path)
    assert [sum(f" - {level} - " in line for line in lines) for level in ("WARNING", "ERROR", "CRITICAL")] == [
        counted.warnings,
        counted.errors,
        counted.criticals,
    ]
    assert sum(bool(re.search("ERROR|WARN|CRITICAL", line)) for line in lines) == counted.matching > 0
    assert written.bytes == log_path(tmp_path).stat().st_size
    assert abs(written.bytes - log.size) < 100_000
    times = [line[:23] for line in lines if re.match(r"\d{4}-\d\d-\d\d ", line)]
    assert times == sorted(times)
    assert not any(PLACEHOLDER.decode() in line for line in lines)

    least, most = log.levels_since(written.last, written.last)
    assert (least, most) == (log.levels_since(written.last - 3600, written.last)[0], least)
    assert 0 < least.errors < counted.errors


def test_a_ratio_of_nothing_is_nothing_and_of_some_to_nothing_is_without_bound() -> None:
    assert ratio(Figure(0), Figure(5)) == 0
    assert ratio(Figure(0), Figure(0)) == 0
    assert ratio(Figure(1), Figure(0)) == math.inf
    assert ratio(Figure(1), Figure(4)) == 0.25


def test_lines_lost_are_shown_with_the_number_written() -> None:
    def result(ours: int, peer: int) -> Result:
        return Result(_lines(0), (Round(_run(Figure(ours, 180_000)), _run(Figure(peer, 181_480))),))

    good, bad = result(0, 445), result(3, 0)

    assert good.verdict is Verdict.OK
    assert re.search(r"^lines +0 of 180,000 +445 of 181,480 +0\.000 .* ok$", table([good]), re.MULTILINE)
    assert bad.verdict is Verdict.OVER
    assert re.search(r"^lines +3 of 180,000 +0 of 181,480 +inf .* OVER$", table([bad]), re.MULTILINE)


def _run(figure: Figure) -> Run:
    return Run(Outcome(seconds=1, peak_bytes=1, status=0, output=b"", error=b"", shown=b""), figure)


def _lines(bar: float, peer: Side | None = None) -> Entry:
    ours = Side("ours", NoInput(), lambda folder: Command(("true",), folder), figure=lambda *_: Figure(0, 1))
    return Entry("lines", "lines", Quantity.LINES, bar, 1, changes_input=False, ours=ours, peer=peer or ours)


def test_a_side_tells_its_own_figure_and_finds_its_input_as_it_was(tmp_path: Path) -> None:
    left = "left"

    def before(folder: Path) -> None:
        (folder / left).unlink(missing_ok=True)

    peer = Side(
        "peer",
        NoInput(),
        lambda folder: Command(("mkfifo", left), folder),  # fails where it is there
        before=before,
        figure=lambda folder, _outcome: Figure(len(list(folder.iterdir())), 10),
    )
    result = measure(lambda _scale: _lines(0, peer), Workshop(tmp_path), scale=1, rounds=3, tell=lambda _line: None)

    assert not result.void
    assert (result.ours, result.peer) == (Figure(0, 1), Figure(1, 10))


def test_a_missing_program_voids_its_entry_and_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(NotInstalled):
        program("no-such-program")
    peer = Side("peer", NoInput(), lambda folder: Command((program("no-such-program", package="such"),), folder))
    result = measure(lambda _scale: _lines(0, peer), Workshop(tmp_path), scale=1, rounds=1, tell=lambda _line: None)

    assert result.verdict is Verdict.VOID
    assert result.void == "peer: no-such-program is not installed; install the package such (apt, dnf or brew)"


def test_a_program_that_is_missing_before_the_clock_starts_voids_its_entry_too(tmp_path: Path) -> None:
    def before(_folder: Path) -> None:
        program("no-such-program")

    peer = Side("peer", NoInput(), lambda folder: Command(("true",), folder), before=before)
    result = measure(lambda _scale: _lines(0, peer), Workshop(tmp_path), scale=1, rounds=1, tell=lambda _line: None)

    assert result.void.startswith("peer: no-such-program is not installed; ")


@pytest.mark.slow
def test_the_list_names_every_entry_with_its_bar() -> None:
    done = bench("--list")

    assert done.returncode == 0, done.stderr
    bars = dict(re.findall(r"^(\S+) +(\d[\d.]*) ", done.stdout, re.MULTILINE))
    assert bars == {
        "cache-cleanup": "0.9",
        "cache-cleanup-memory": "1.1",
        "log-review": "1.5",
        "error-monitor": "0.35",
        "error-monitor-flat": "1.15",
        "log-rotation-gzip": "0.15",
        "log-rotation-pigz": "0.4",
        "log-rotation-size": "1.12",
        "log-soak": "0",
        "log-crash": "0",
        "generation-records": "0.333333",
        "backup-again": "0.2",
        **{
            f"backup-{step}-{content}{peer}": bar
            for content in ("text", "packed")
            for step, peer, bar in (
                ("again", "", "0.2"),
                ("create", "-restic", "6"),
                ("create", "-borg", "5"),
                ("again", "-restic", "1"),
                ("again", "-borg", "1"),
                ("verify", "-restic", "30"),
                ("verify", "-borg", "15"),
                ("restore", "-restic", "6"),
                ("restore", "-borg", "5"),
            )
        },
        "health-check": "1.15",
        "config-review": "1.25",
        "list": "1.3",
        "progress-cost": "1.02",
    }


@pytest.mark.slow
def test_an_unknown_name_and_an_impossible_number_are_refused() -> None:
    assert bench("--only", "cache-cleanupp").returncode == 2
    assert bench("--rounds", "0").returncode == 2
    assert bench("--scale", "-1").returncode == 2
