"""Whatever somebody writes into the suite's own files: nothing outside the project is read, changed or given away.

The files are those that the declarations name, so that one more without an entry here fails. Each is forged: its
fields and keys one at a time, its bytes, what it is (a link, a hard link, a pipe, a folder), whose it is. Then what
reads it runs: as root, as a user, and as root in the project of a user.
"""

from __future__ import annotations

import copy
import gzip
import json
import os
import shutil
import signal
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from threading import Event
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.audit import trend
from tasks.audit.data.data_area import examine_data
from tasks.audit.performance import benchmark_ledger
from tasks.backups.creation import create
from tasks.backups.offsite.offsite_verification import verify_offsite
from tasks.backups.verification import verify
from tasks.cache.cache_growth import growth
from tasks.cache.cache_usage import usage
from tasks.cache.cleanup import clean_up
from tasks.capacity.recorded_sizes import read_history
from tasks.configuration.config_review import run_review
from tasks.configuration.drift.drift_acceptance import ConfigReviewFlags
from tasks.core.errors import UserError
from tasks.core.files.lock import LOCK_FILE, SHORT_LOCK_FILE
from tasks.core.output.report_files import with_file
from tasks.core.report.model import Report
from tasks.core.report.reused_reports import fresh
from tasks.core.run import stamps
from tasks.core.run.own_files import SHARED, quarter
from tasks.core.run.registry import _written, procedures
from tasks.core.settings.model import Settings
from tasks.dependencies.dependency_update import Flags, _undo_interrupted
from tasks.dependencies.planning import Scope
from tasks.dependencies.undo.undo_journal import FOLDER, JOURNAL
from tasks.logs.errors.error_monitor import watch
from tasks.logs.log_archives import RELEASE_JOURNAL, ArchiveOrigin, gzip_header
from tasks.logs.reading.log_levels import Level
from tasks.logs.review.log_review import review
from tasks.logs.rotation.log_rotation import rotate
from tasks.providers import provider_history
from tasks.providers.provider_months import compare_months

NOW = datetime(2026, 11, 23, 12, 5, 9, tzinfo=UTC)
AT = NOW.isoformat()
EARLIER = (NOW - timedelta(days=1)).isoformat()
OWNER, OTHER = 12345, 23456
HIDDEN = "what nobody in the project may read"
DIGEST = "0" * 64
MARK = "0123456789abcdef0123456789abcde\n"
LINES = b"".join(b"2026-11-23 11:00:00,000 - app - ERROR - line %d\n" % number for number in range(200))
ARCHIVE = "app_20261123.log.gz"

Runner = Callable[[Settings], object]


class Sample(NamedTuple):
    """A file of the suite: its path, what it holds, and what reads it."""

    path: str
    content: Any
    runs: Runner


def _nothing(_count: int) -> None:
    pass


def _rotate(its: Settings) -> object:
    return rotate(its, now=NOW, dry_run=False, force=False, older_than_days=None, advance=_nothing)


def _review(its: Settings) -> object:
    return review(
        its, now=NOW, dry_run=False, since=None, lowest=Level.WARNING, archives=True, redact=str, advance=_nothing
    )


def _watch(its: Settings) -> object:
    return watch(its, now=NOW, dry_run=False, mutes=(), until=None, resolves=(), redact=str, advance=_nothing)


def _cache(its: Settings) -> object:
    return (
        usage(its, now=NOW),
        clean_up(its, now=NOW, dry_run=False, kinds=(), older_than=None, advance=_nothing),
        growth(its, now=NOW),
    )


def _configuration(its: Settings) -> object:
    looks = ConfigReviewFlags(accept=False, accept_paths=(), diff=False, dry_run=False)
    return [
        run_review(its, each, keys={}, environ={}, now=NOW, redact=str, stop=Event(), advance=_nothing)
        for each in (looks, looks._replace(accept=True))
    ]


def _providers(its: Settings) -> object:
    entry = {"timestamp": AT, "source": "daily.health-check", "providers": {}}
    return (
        compare_months(its, now=NOW),
        provider_history.append(Path(its.root), "logs", entry, now=NOW, days=400),
    )


def _history(its: Settings) -> object:
    root, report = Path(its.root), Report(task="daily.log-review", summary="s", started=AT)
    return (
        stamps.read_all(root, "logs", ["daily.log-review", "weekly.log-rotation"], NOW),
        read_history(root, "logs", "backups", now=NOW, days=400),
        trend.last_audit(root, "logs", NOW, quarter),
        benchmark_ledger.read(root, "logs"),
        stamps.record(root, "logs", "daily.log-review", report, ended=NOW, reason=None),
    )


def _audit(its: Settings) -> object:
    return examine_data(its, now=NOW, stop=Event(), advance=_nothing, dry_run=False)


def _backups(its: Settings) -> object:
    return (
        create(its, now=NOW, dry_run=False, advance=_nothing),
        verify(its, now=NOW, stop=Event(), dry_run=False, advance=_nothing),
        verify_offsite(its, environ={}, keys={}, redact=str, now=NOW, stop=Event(), dry_run=False, advance=_nothing),
    )


def _undo(its: Settings) -> object:
    flags = Flags(check=False, yes=True, scope=Scope(frozenset(), security=False), dry_run=False)
    return [*_undo_interrupted(its, flags, None, Event(), {"PATH": "/usr/bin:/bin"})]


def _report_of(path: str, procedure: str) -> Runner:
    def runs(its: Settings) -> object:
        root = Path(its.root)
        return (
            fresh(root, path, procedure, now=NOW, days=40),
            read_history(root, "logs", "backups", now=NOW, days=400),
            trend.last_audit(root, "logs", NOW + timedelta(days=90), quarter),
            with_file(root, path, Report(task=procedure, summary="s"), NOW, check="a.b"),
        )

    return runs


def _kept_report(path: str, procedure: str) -> Sample:
    finding = {"check": "a.b", "subject": "s", "status": "ok", "message": "m"}
    figures = {"capacity.used disk": 5, "capacity.folder data": 7}
    content = {
        "schema": 1,
        "updated": EARLIER,
        "status": "ok",
        "summary": "s",
        "findings": [finding],
        "metrics": [],
        "data": {"percent": 90, "score": [{"check": "audit.data", "result": "ok"}]},
        "runs": [{"started": EARLIER, "status": "ok", "figures": figures}],
    }
    return Sample(path, content, _report_of(path, procedure))


def _group() -> dict[str, Any]:
    return {
        "title": "line",
        "level": "ERROR",
        "state": "ongoing",
        "first_seen": EARLIER,
        "last_seen": EARLIER,
        "count": 3,
        "days": {"2026-11-22": 3},
        "log": "app.log",
        "sample": "line",
        "patterns": ["a"],
        "alerted": EARLIER,
        "alerted_at": 1,
        "resolved": None,
        "muted_until": None,
    }


RUN = {
    "kind": "run",
    "task": "daily.log-review",
    "began": EARLIER,
    "ended": EARLIER,
    "status": "ok",
    "duration_seconds": 1.5,
    "results": {"a.b": "ok"},
    "figures": [["disk.used_bytes", ".", 5, "B"]],
}
STAMP = {"completed": {"began": EARLIER, "ended": EARLIER, "status": "ok", "duration_seconds": 1.5}, "attempt": None}
CURSOR = {"device": 1, "inode": 2, "offset": 10, "head": {"5": "ab"}, "before": {"5": "ab"}, "archives": [ARCHIVE]}
ENTRY = [0o40755, 0, 0, "", [0, 0]]

REPORTS = {
    "{logs}/health_reports/health_report_{day}.json": "daily.health-check",
    "{logs}/api_reports/api_health_{day}.json": "weekly.api-health",
    "{logs}/dependency_reports/dependency_report_{month}.json": "monthly.dependency-update",
    "{logs}/monthly_reports/monthly_report_{month}.json": "monthly.performance-analysis",
    "{logs}/config_reports/config_review_{month}.json": "monthly.config-review",
    "{logs}/capacity_reports/capacity_{quarter}.json": "quarterly.capacity-planning",
    "{logs}/emergency_reports/recovery_{second}.json": "emergency.recover",
    "{logs}/backup_reports/backup_verification_{quarter}.json": "quarterly.backup-verification",
    "{logs}/audit_reports/audit_{quarter}.json": "quarterly.system-audit",
    "{logs}/release_reports/release_{second}.json": "release.checklist",
}

SAMPLES: Mapping[str, Sample] = {
    "{logs}/maintenance_history.jsonl": Sample("logs/maintenance_history.jsonl", RUN, _history),
    "{logs}/schedule/*.json": Sample("logs/schedule/daily.log-review.json", STAMP, _history),
    "{logs}/api_performance.json": Sample(
        "logs/api_performance.json",
        [{"timestamp": EARLIER, "provider": "deepseek", "response_time": 1.5, "success": True}],
        _providers,
    ),
    "{logs}/error_tracking.json": Sample(
        "logs/error_tracking.json",
        {"schema": 1, "visited": EARLIER, "logs": {"app.log": CURSOR}, "groups": {"1:0123456789ab": _group()}},
        _watch,
    ),
    "{logs}/log_review.json": Sample(
        "logs/log_review.json",
        {"schema": 1, "reviewed": EARLIER, "logs": {"app.log": {"bytes": 5, "inode": 7}}, "totals": [{"bytes": 3}]},
        lambda its: (_review(its), _history(its)),
    ),
    "{baseline}": Sample(
        "config/baseline.json",
        {
            "schema": 1,
            "updated": EARLIER,
            "files": {"config/a.yaml": {"accepted": EARLIER, "values": {"a": 2, "b": {"secret": "k:0"}}}},
        },
        _configuration,
    ),
    "{baseline}.key": Sample("config/baseline.json.key", "ab" * 32, _configuration),
    "{logs}/config_history.jsonl": Sample(
        "logs/config_history.jsonl",
        {"event": "drift", "file": "config/a.yaml", "path": "a", "change": "changed", "old": 2, "new": 1},
        _configuration,
    ),
    "{backups}/created.json": Sample(
        "backups/created.json",
        {"schema": 1, "runs": [{"started": EARLIER, "status": "ok", "figures": {"capacity.used backups": 5}}]},
        lambda its: (_backups(its), _history(its)),
    ),
    "{backups}/backup_{second}*.manifest.json": Sample(
        "backups/backup_20261122_120000.manifest.json",
        {
            "schema": 2,
            "created": EARLIER,
            "sources": ["data"],
            "entries": [
                {"path": "data", "mode": 493, "mtime_ns": 5},
                {"path": "data/a.yaml", "mode": 420, "mtime_ns": 5, "size": 5, "sha256": DIGEST, "sparse": True},
                {"path": "b", "mode": 420, "mtime_ns": 5, "size": 5, "sha256": DIGEST, "link": 1, "raw": "62"},
                {"path": "c", "mode": 420, "mtime_ns": 5, "sha256": DIGEST, "attributes": {"user.a": "YQ=="}},
            ],
            "archive_bytes": 10,
            "archive_sha256": DIGEST,
            "state": DIGEST,
            "confirmed": EARLIER,
            "owners": [{"uid": 5, "gid": 5, "user": "me", "group": "us"}],
        },
        _backups,
    ),
    "{backups}/verified.json": Sample(
        "backups/verified.json",
        {"backup_20261122_120000.tar.gz": {"tried": EARLIER, "restored": EARLIER}},
        _backups,
    ),
    "{backups}/repositories.json": Sample("backups/repositories.json", {"nas": [2, 10]}, _backups),
    "{cache}/stats.json": Sample("cache/stats.json", {"hits": 3, "misses": 1, "entries": 2, "bytes": 9}, _cache),
    "{logs}/cache_reports/cache_report_{day}.json": Sample(
        "logs/cache_reports/cache_report_20261123.json",
        {"schema": 1, "entries": 5, "bytes": 9, "kinds": {"temp": {"bytes": 9}}, "runs": [{"started": EARLIER}]},
        lambda its: (_cache(its), _history(its)),
    ),
    "{logs}/audit_checksums.json": Sample(
        "logs/audit_checksums.json",
        {"schema": 1, "taken": EARLIER, "files": {"data/a.yaml": [DIGEST, 5, 5]}},
        _audit,
    ),
    "{logs}/audit_benchmarks.json": Sample(
        "logs/audit_benchmarks.json",
        {"schema": 1, "runs": [{"moment": EARLIER, "identity": "m", "seconds": {"json": 1.5}}]},
        _history,
    ),
    "{logs}/archive/**": Sample(
        f"logs/archive/{RELEASE_JOURNAL}",
        {
            "schema": 1,
            "state": "marked",
            "way": "collapse",
            "log": "app.log",
            "device": 0,
            "inode": 0,
            "released": 4096,
            "end": 4096,
            "archive": f"2026/11/{ARCHIVE}",
            "rotated": "then",
            "token": MARK,
        },
        lambda its: (_rotate(its), _review(its)),
    ),
    f"{FOLDER}/**": Sample(
        f"{FOLDER}/{JOURNAL}",
        {
            "schema": 1,
            "prefix": "",
            "python": "python",
            "moves": ["a 1 -> 2"],
            "started": EARLIER,
            "listing": {
                ".": ENTRY,
                "lib": ENTRY,
                "lib/a.py": [0o100644, 5, 5, "", [0, 0]],
                "bin": [0o120777, 0, 0, "lib", [0, 0]],
            },
            "copies": {"lib/a.py": [0, DIGEST]},
            "project": {"requirements.txt": None},
            "project_copies": {},
        },
        _undo,
    ),
    LOCK_FILE: Sample(LOCK_FILE, {"task": "t", "process": 1, "host": "h", "since": EARLIER}, _cache),
    SHORT_LOCK_FILE: Sample(f"logs/{SHORT_LOCK_FILE}", "", _history),
    **{
        template: _kept_report(
            template.format(logs="logs", day="20261123", month="202611", quarter="2026Q4", second="20261123_120509"),
            procedure,
        )
        for template, procedure in REPORTS.items()
    },
}

NEVER_READ = {
    "{logs}/alerts/alert_{second}.json",
    "{logs}/dependency_reports/pip_audit_{day}.json",
    "{logs}/audit_reports/audit_{quarter}.md",
    "{logs}/release_reports/release_{second}.md",
    "{backups}/backup_{second}*.tar.gz",
}
"""What the suite writes for people and other programs, and archives, whose content the tests of backups forge."""

UNDECLARED = {f"{FOLDER}/**", LOCK_FILE, SHORT_LOCK_FILE}
"""What lies there during a run only."""


def test_every_file_that_the_suite_writes_and_reads_back_is_forged_here() -> None:
    declared = {*SHARED, *(path for each in procedures() if each.is_ours for path in _written(each))}
    assert declared | UNDECLARED == {*SAMPLES} | NEVER_READ


# The project, and what lies outside of it


def _build(base: Path) -> Settings:
    root, outside = base / "project", base / "outside"
    for folder in ("logs", "cache/temp", "data", "config", "backups", ".venv/lib", "logs/archive/2026/11"):
        (root / folder).mkdir(parents=True)
    (root / "logs/app.log").write_bytes(MARK.encode() + LINES[len(MARK) :])
    (root / "backups/backup_20261122_120000.tar.gz").write_bytes(b"no archive")
    (root / "data/a.yaml").write_text("a: 1\n")
    (root / "config/a.yaml").write_text("a: 1\nb: 2\n")
    (root / "cache/temp/old").write_text("{}")
    (root / ".venv/lib/new.py").write_text("")
    (outside / "folder").mkdir(parents=True)
    (outside / "secret.txt").write_text(HIDDEN)
    (outside / "folder/file").write_text("mine")
    (outside / "app.log").write_bytes(MARK.encode() + LINES[len(MARK) :])
    configuration = msgspec.structs.replace(Settings().configuration, baseline="config/baseline.json")
    return msgspec.structs.replace(Settings(), root=str(root), configuration=configuration)


def _write(base: Path, sample: Sample, content: Any) -> Path:
    """Write a state file, and for the journals what they speak of."""
    root = base / "project"
    path = root / sample.path
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.parent.name == FOLDER:
        path.parent.chmod(0o700)
        (path.parent / "0").write_text("kept\n")
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif path.suffix == ".key":
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    else:
        path.write_text(json.dumps(content) + "\n")
    if path.name == RELEASE_JOURNAL:
        _write_archive(root)
    return path


def _write_archive(root: Path) -> None:
    status = (root / "logs/app.log").stat()
    origin = ArchiveOrigin(
        log="app.log", device=status.st_dev, inode=status.st_ino, end=4096, released=4096, rotated="then"
    )
    held = gzip.compress(LINES[:4096])[10:]
    (root / f"logs/archive/2026/11/{ARCHIVE}").write_bytes(gzip_header(origin, 0) + held)


def _valid(base: Path, sample: Sample) -> Any:
    """Return the content that is well formed in this project."""
    content = copy.deepcopy(sample.content)
    if sample.path.endswith(RELEASE_JOURNAL):
        status = (base / "project/logs/app.log").stat()
        content.update(device=status.st_dev, inode=status.st_ino)
    elif sample.path.endswith(JOURNAL):
        content["prefix"] = str(base / "project/.venv")
    return content


# How they are forged


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to each value in a tree, the whole of it included."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _places(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _places(inner, (*path, number))


def _hostile(base: Path) -> list[Any]:
    outside = base / "outside"
    deep: Any = 1
    for _ in range(200):
        deep = [deep]
    return [
        *(None, True, -1, 0, 1 << 63, 1 << 64, 10**40, 1e308, float("nan"), float("inf")),
        *("", ".", "..", "../outside/secret.txt", "../../outside/app.log", "archive/../../../outside/app.log"),
        *(str(outside), str(outside / "secret.txt"), str(outside / "folder/file"), "a\0b", "x" * 5000, "\udcff", "\n"),
        *([], {}, [{}], {"..": 1}, {str(outside / "folder"): {}}, deep),
    ]


def _changed(tree: Any, path: tuple[Any, ...], value: Any, *, key: bool) -> Any:
    """Return a tree with another value at a place, or where it is a key of an object, with another key."""
    if not path:
        return value
    tree = copy.deepcopy(tree)
    place = tree
    for step in path[:-1]:
        place = place[step]
    if key and isinstance(place, dict) and isinstance(value, str):
        place[value] = place.pop(path[-1])
    else:
        place[path[-1]] = value
    return tree


KINDS = (
    "link",
    "hard link",
    "fifo",
    "folder",
    "for everybody",
    "another's",
    "folder link",
    "log link",
    "log hard link",
)


def _forge(base: Path, sample: Sample, what: str, how: Any) -> None:
    valid = _valid(base, sample)
    if what == "field":
        place, number, key = how
        _write(base, sample, _changed(valid, place, _hostile(base)[number], key=key))
    elif what == "bytes":
        _write(base, sample, how)
    else:
        _forge_kind(base, _write(base, sample, valid), how)


def _forge_kind(base: Path, path: Path, kind: str) -> None:
    outside, log = base / "outside", base / "project/logs/app.log"
    if kind in {"link", "hard link"}:
        path.rename(outside / "state.json")
        with (outside / "state.json").open("a") as file:
            file.write(f"\n{json.dumps({HIDDEN: HIDDEN})}\n")
        if kind == "link":
            path.symlink_to(outside / "state.json")
        else:
            path.hardlink_to(outside / "state.json")
    elif kind == "fifo":
        path.unlink()
        os.mkfifo(path)
    elif kind == "folder":
        path.unlink()
        (path / "below").mkdir(parents=True)
    elif kind == "for everybody":
        path.chmod(0o666)
    elif kind == "folder link" and path.parent.name != "project":
        shutil.move(path.parent, outside / "moved")
        path.parent.symlink_to(outside / "moved")
    elif kind.startswith("log"):
        log.unlink()
        if kind == "log link":
            log.symlink_to(outside / "app.log")
        else:
            log.hardlink_to(outside / "app.log")
        if path.name == RELEASE_JOURNAL:
            _write_archive(base / "project")
            status = log.stat()
            path.write_text(
                json.dumps({**json.loads(path.read_text()), "device": status.st_dev, "inode": status.st_ino})
            )


# The proof


class _User(NamedTuple):
    """Who runs the suite, and whose the project is; a number of zero is root."""

    runs: int
    owns: int


USERS = {"root": _User(0, 0), "a user": _User(OWNER, OWNER), "root in a user's project": _User(0, OWNER)}


def _give(base: Path, sample: Sample, user: _User, how: Any) -> None:
    if os.geteuid() != 0:
        return
    for path in [base / "project", *(base / "project").rglob("*")]:
        if not path.is_symlink() and (path.is_dir() or path.stat().st_nlink == 1):
            os.chown(path, user.owns, user.owns)
    if how == "another's":
        os.chown(base / "project" / sample.path, OTHER, OTHER)


def _seen(folder: Path) -> dict[str, tuple[Any, ...]]:
    """Return what lies outside: content, mode, owners and times of each entry."""
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
        times = 0 if stat.S_ISDIR(status.st_mode) else status.st_mtime_ns
        found[str(path)] = (status.st_mode, status.st_uid, status.st_gid, times, content)
    return found


def _leaked(base: Path) -> list[Path]:
    """Return the files of the project that hold what lies outside, but for names of the files there."""
    theirs = {path.stat().st_ino for path in (base / "outside").rglob("*")}
    found = []
    for path in (base / "project").rglob("*"):
        status = path.lstat()
        if stat.S_ISREG(status.st_mode) and status.st_ino not in theirs:
            content = path.read_bytes()
            with suppress(OSError, EOFError, ValueError):
                content = gzip.decompress(content)
            if HIDDEN.encode() in content:
                found.append(path)
    return found


def _in_child(user: int, work: Callable[[], object]) -> str:
    """Do something in a child process as another user, and return what it said: its result, or an error of a user."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.alarm(120)
            os.close(reading)
            if user and os.geteuid() == 0:
                os.setgroups([])
                os.setgid(user)
                os.setuid(user)
            try:
                said = repr(work())
            except UserError as error:
                said = str(error)
            _write_all(writing, said.encode("utf-8", "backslashreplace"))
            status = 0
        except BaseException as error:  # noqa: BLE001 - whatever it is, the parent is to show it
            _write_all(writing, repr(error).encode("utf-8", "backslashreplace"))
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    assert status == 0, f"it ended with {status}: {said}"
    return said


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


@contextmanager
def _place() -> Iterator[Path]:
    """Give a folder that every user can reach."""
    memory = Path("/dev/shm")  # noqa: S108 - nothing here waits for a disk that others keep busy
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as name:
        base = Path(name).resolve()
        base.chmod(0o755)
        yield base


def _run(sample: Sample, its: Settings) -> object:
    results = []
    for _ in range(2):  # the second run meets what the first one left
        try:
            results.append(sample.runs(its))
        except UserError as error:
            results.append(str(error))
    return results


@pytest.fixture
def check(template: str, who: str) -> Callable[[str, Any], None]:
    """Return what forges a file in a new project, lets run what reads it, and looks at what lies outside."""
    user, sample = USERS[who], SAMPLES[template]
    if os.geteuid() != 0 and user.runs == 0:
        pytest.skip("only root can be root")
    with _place() as base:  # all that it imports is imported before a child without our rights needs it
        _run(sample, _build(base))

    def checked(what: str, how: Any) -> None:
        with _place() as base:
            its = _build(base)
            _forge(base, sample, what, how)
            _give(base, sample, user, how)
            before = _seen(base / "outside")
            said = _in_child(user.runs, lambda: _run(sample, its))
            assert _seen(base / "outside") == before, (what, how)
            assert HIDDEN not in said, (what, how)
            assert _leaked(base) == [], (what, how)

    return checked


LED = ("{logs}/archive/**", f"{FOLDER}/**")
"""Files that say what is to be done; they are forged as root in root's own project as well."""

CASES = [(template, who) for template in SAMPLES for who in USERS if who != "root" or template in LED]


@pytest.mark.slow
@pytest.mark.parametrize(("template", "who"), CASES)
def test_no_field_of_a_state_file_leads_out(template: str, check: Callable[[str, Any], None]) -> None:
    """Each field is forged at least once; of a file that says what is to be done, with every path that leads out."""
    places = [*_places(SAMPLES[template].content)]
    values = len(_hostile(Path()))
    content, chosen = SAMPLES[template].content, Random(template)
    for number, value in enumerate(_hostile(Path("/"))):
        if template in LED and isinstance(value, str) and "outside" in value:
            for place in places:
                if len(place) == 1 and isinstance(content[place[0]], str):
                    check("field", (place, number, False))
    for place in places:
        check("field", (place, chosen.randrange(values), bool(chosen.randrange(2))))

    @settings(max_examples=30 if template in LED else 4, deadline=None, suppress_health_check=[*HealthCheck])
    @given(st.tuples(st.sampled_from(places), st.integers(0, values - 1), st.booleans()))
    def forged(how: tuple[Any, int, bool]) -> None:
        check("field", how)

    forged()


@pytest.mark.slow
@pytest.mark.parametrize(("template", "who"), CASES)
def test_whatever_lies_in_the_place_of_a_state_file_leads_nowhere(
    template: str, check: Callable[[str, Any], None]
) -> None:
    assert template in SAMPLES
    for kind in KINDS:
        check("kind", kind)

    @settings(max_examples=3, deadline=None, suppress_health_check=[*HealthCheck])
    @given(st.binary(max_size=60))
    def forged(content: bytes) -> None:
        check("bytes", content)

    forged()
