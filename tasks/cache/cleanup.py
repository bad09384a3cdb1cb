"""``weekly.cache-cleanup``: one walk that deletes what has expired, moves misplaced files and counts what is left.

A file at the top of the cache whose prefix names a kind is misplaced: it is deleted where it has expired by that
kind's age, else moved to the folder of the kind. Files inside a kind's folder are never judged by their prefix: the
program put them there.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from ..core.files import json_files, safe_files, state_files
from ..core.files.file_locks import held_by_others
from ..core.files.lock import project_lock, require_writable
from ..core.files.safe_files import Refused, move
from ..core.files.state_files import StateFile
from ..core.programs.interrupt import deferred_interrupt
from ..core.report.history import append_sizes
from ..core.report.history_entries import Sizes
from ..core.report.model import Interrupted, Report
from ..core.run.clock import clock_doubt
from ..core.run.registry import own_files
from ..core.settings.model import Settings
from ..core.text.formatting import printable
from .cleanup_outcome import CleanupOutcome, Tally, TopFolder, WrittenFile
from .cleanup_report import STATISTICS_FILE, evaluate, report_path, statistics, weekly_report
from .expiry import MARKERS, Expiry, Plan, plan
from .sweep import BATCH, DELETERS, Entry, Place, Walk, delete, sweep

TASK = "weekly.cache-cleanup"


def clean_up(
    settings: Settings,
    *,
    now: datetime,
    dry_run: bool = False,
    kinds: Collection[str] = (),
    older_than: float | None = None,
    advance: Callable[[int], None] = lambda _count: None,
) -> Report:
    """Clean the project's cache and report on it.

    Deletes the expired entries of each kind and the subfolders that this leaves empty, creates the folders
    that are missing, moves misplaced files to the folders of their kinds, and records what is left in
    ``stats.json`` and in the weekly report. All of that comes from one walk; the folders are walked side by side.

    Args:
        settings: the project's settings, ``root`` absolute.
        now: the moment of the run, aware of its zone.
        dry_run: change nothing, report what a run would do.
        kinds: clean only these kinds; the others are counted all the same. Empty: all of them.
        older_than: hours that take the place of every configured expiry.
        advance: called with the number of entries looked at since its last call, from several threads.

    Raises:
        Refused: the root is no folder.
        LockedByOther: another changing run is at work in this project.
        NotWritable: the root cannot be written.
        Interrupted: Ctrl-C; it carries the report of what was done until then.
    """
    root = Path(settings.root)
    if not root.is_dir():
        raise Refused(f"The project {printable(root)} does not exist or is no folder. Correct maintenance.root.")
    doubt = clock_doubt(settings, now)
    planned = plan(
        settings.cache, _nanoseconds(now), kinds=kinds, older_than=older_than, clock_doubted=doubt is not None
    )
    outcome = CleanupOutcome(planned, doubt, settings.cache.directory)
    if dry_run:
        require_writable(root)
    with (
        nullcontext() if dry_run else project_lock(root, TASK, now),
        deferred_interrupt() as stop,
        ThreadPoolExecutor(DELETERS) as deleters,
    ):
        walk = Walk(not dry_run, stop, advance, deleters)
        try:
            _clean(root, settings.cache.directory, _own_names(settings), outcome, walk)
        except KeyboardInterrupt:  # raised by *advance*
            stop.set()
        outcome.interrupted = stop.is_set()
        if outcome.usable:
            _record(root, settings, outcome, now, dry_run=dry_run)
            if not (dry_run or outcome.interrupted):
                held = outcome.total.bytes + outcome.total.expired_bytes
                append_sizes(root, settings.logs.directory, Sizes(moment=now, source=TASK, held={"cache": held}))
    report = evaluate(settings.cache, outcome, dry_run=dry_run)
    if stop.is_set():
        raise Interrupted(report)
    return report


def _own_names(settings: Settings) -> Callable[[str], bool]:
    """Return what tells the suite's own files at the top of the cache, by name."""
    own = own_files(settings)
    return lambda name: own.owns(f"{settings.cache.directory}/{name}")


def _nanoseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000) * 1000


def _clean(root: Path, directory: str, is_own: Callable[[str], bool], outcome: CleanupOutcome, walk: Walk) -> None:
    """Walk the cache and act; what happens is noted in *outcome*. The suite's own files are no entries."""
    with ExitStack() as opened:
        try:
            top = _open(root, directory, outcome, walk, opened)
        except (Refused, OSError) as error:
            outcome.refuse(directory, error)
            outcome.usable = False
            return
        kind_folders: dict[str, _KindFolder] = {}
        for kind in outcome.plan.expiry:
            path = f"{directory}/{kind}"
            if not outcome.plan.expiry[kind].active and not (root / path).exists():
                continue
            try:
                descriptor = None if top is None else _open(root, path, outcome, walk, opened)
            except (Refused, OSError) as error:
                outcome.refuse(path, error)
            else:
                kind_folders[kind] = _KindFolder(descriptor, outcome.tallies.setdefault(kind, Tally()))
        if top is None:
            outcome.created += [f"{directory}/{kind}" for kind in kind_folders]
            return
        try:
            _sort_top_folder(top, kind_folders, outcome.plan, is_own, walk, outcome.top)
        except OSError as error:
            outcome.refuse(directory, error)
        _sweep_all(root, directory, kind_folders, outcome, walk)


def _open(root: Path, path: str, outcome: CleanupOutcome, walk: Walk, opened: ExitStack) -> int | None:
    """Open a folder of the cache, creating it where it is missing; ``None`` where a dry run would create it."""
    descriptor: int | None
    try:
        descriptor = opened.enter_context(safe_files.folder(root, path))
    except FileNotFoundError:
        descriptor = opened.enter_context(safe_files.folder(root, path, create=True)) if walk.apply else None
        outcome.created.append(path)
    if descriptor is not None:
        safe_files.refuse_precious(root, descriptor, path)
    return descriptor


def _sweep_all(
    root: Path, directory: str, kind_folders: Mapping[str, _KindFolder], outcome: CleanupOutcome, walk: Walk
) -> None:
    """Sweep the kinds side by side and count the other folders; Ctrl-C ends each after its batch."""
    with ThreadPoolExecutor((os.cpu_count() or 1) + 1) as pool:
        running = {pool.submit(_count_others, root, directory, outcome, walk): directory}
        for kind, folder in kind_folders.items():
            if folder.descriptor is not None:
                place = Place(folder.descriptor, outcome.plan.expiry[kind])
                running[pool.submit(sweep, place, walk, folder.tally)] = f"{directory}/{kind}"
    for future, path in running.items():
        try:
            future.result()
        except OSError as error:
            outcome.refuse(path, error)


def _count_others(root: Path, directory: str, outcome: CleanupOutcome, walk: Walk) -> None:
    """Count what lies in folders that are no kind, one after the other: there may be any number of them."""
    for name in outcome.top.folders:
        path = f"{directory}/{name}"
        try:
            with safe_files.folder(root, path) as descriptor:
                sweep(Place(descriptor, outcome.plan.unmanaged, f"{name}/"), walk, outcome.others)
        except (Refused, OSError) as error:
            outcome.refuse(path, error)


class _KindFolder(NamedTuple):
    """The folder of a kind.

    Attributes:
        descriptor: the open folder; ``None`` where a dry run finds none yet.
        tally: where a dry run counts the files that a run would move there.
    """

    descriptor: int | None
    tally: Tally


class _Misplaced(NamedTuple):
    entry: Entry
    kind: str
    written_ns: int


def _sort_top_folder(
    folder: int,
    kind_folders: Mapping[str, _KindFolder],
    planned: Plan,
    is_own: Callable[[str], bool],
    walk: Walk,
    top: TopFolder,
) -> None:
    """Move or delete the misplaced files at the top of the open cache *folder*, and count the others.

    Args:
        folder: its descriptor.
        kind_folders: per kind its folder; that of a kind that is missing here cannot be opened.
        planned: what becomes of which file.
        is_own: by name, whether a file is the suite's own and no entry.
        walk: whether to change anything, and when to stop.
        top: where everything is counted, complete up to any interruption.

    Raises:
        OSError: the folder cannot be read, or not to its end.
    """
    place = Place(folder, planned.unmanaged)
    with os.scandir(folder) as entries:
        while not walk.stop.is_set() and (batch := list(islice(entries, BATCH))):
            expired = []
            is_locked = held_by_others()
            for found in _misplaced(batch, planned, is_own, top):
                expiry = planned.expiry[found.kind]
                if expiry.has_expired(found.written_ns) and not expiry.clock_doubted:
                    expired.append(found.entry)
                elif is_locked(folder, found.entry.name, found.entry.seen.st_ino):
                    top.tally.locked.add(found.entry.name)
                    top.tally.keep(found.entry.seen.st_size, found.written_ns)
                elif not _move_to_kind(place, found, kind_folders.get(found.kind), expiry, walk, top):
                    top.tally.keep(found.entry.seen.st_size, found.written_ns)
            delete(place, expired, top.tally, walk)
            walk.advance(len(batch))


def _misplaced(
    batch: list[os.DirEntry[str]], planned: Plan, is_own: Callable[[str], bool], top: TopFolder
) -> Iterator[_Misplaced]:
    """Count what stays of *batch* and yield each file that lies in the wrong place."""
    for entry in batch:
        name = entry.name
        try:
            seen = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        except OSError as error:
            top.tally.fail(name, error)
            continue
        if name in planned.expiry or is_own(name):
            continue
        if stat.S_ISDIR(seen.st_mode):
            top.folders.append(name)
        elif stat.S_ISREG(seen.st_mode) and name in MARKERS:
            continue
        elif not stat.S_ISREG(seen.st_mode):
            top.tally.special.add(name)
        else:
            kind = planned.kind_of(name)
            if kind is not None and planned.expiry[kind].active:
                yield _Misplaced(Entry(name, seen), kind, planned.expiry[kind].written_ns(seen))
            else:
                top.unsorted += kind is None
                top.tally.keep(seen.st_size, planned.unmanaged.written_ns(seen))


def _move_to_kind(
    place: Place, found: _Misplaced, target: _KindFolder | None, expiry: Expiry, walk: Walk, top: TopFolder
) -> bool:
    """Move one file to its kind's folder, or in a dry run count it there; return False and note why where it stays."""
    (name, seen), kind = found.entry, found.kind
    if target is None:
        top.folder_closed.add(name)
        return False
    try:
        if walk.apply and target.descriptor is not None:
            free = move((place.descriptor, name), (target.descriptor, name))
        else:
            for folder in filter(None, (place.descriptor, target.descriptor)):
                if not os.access(".", os.W_OK | os.X_OK, dir_fd=folder):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            free = _could_move(target, found, expiry)
    except FileNotFoundError:
        return True  # it has gone by itself
    except OSError as error:
        top.tally.fail(name, error)
        return False
    if not free:
        top.name_exists.add(name)
        return False
    count, size = top.moved.get(kind, (0, 0))
    top.moved[kind] = (count + 1, size + seen.st_size)
    return True


def _could_move(target: _KindFolder, found: _Misplaced, expiry: Expiry) -> bool:
    """Tell whether a run could move the file, and count it as it would then be counted in its kind's folder."""
    name, seen = found.entry
    if target.descriptor is not None:
        try:
            # The same file under both names is a move that was cut short; the walk of the kind's folder counts it.
            return os.path.samestat(os.stat(name, dir_fd=target.descriptor, follow_symlinks=False), seen)
        except FileNotFoundError:
            pass
    target.tally.keep(seen.st_size, found.written_ns)
    target.tally.withheld += expiry.has_expired(found.written_ns)
    if expiry.is_ahead(found.written_ns):
        target.tally.future.add(name)
    return True


def _record(root: Path, settings: Settings, outcome: CleanupOutcome, now: datetime, *, dry_run: bool) -> None:
    """Write ``stats.json`` and the weekly report, or in a dry run only note that they would be written.

    An interrupted run has no numbers for ``stats.json``, but what it did belongs into the day's report.
    """
    files = [("cache.report", report_path(settings, now), weekly_report)]
    if not outcome.interrupted:
        files.insert(0, ("cache.statistics", f"{settings.cache.directory}/{STATISTICS_FILE}", statistics))
    for check, path, content in files:
        # The project writes its statistics as well: they are taken, whoever wrote them.
        found: _Found
        found = json_files.read_object(root, path) if content is statistics else _read_report(root, path)
        file = WrittenFile(check, path, found.problem, broken=found.broken, planned=found.replaceable)
        outcome.files.append(file)
        if found.broken:
            file.remedy = "Look at what wrote it."
        elif not found.replaceable:
            file.remedy = "Move it away, or see that it can be read."
        if file.planned and not dry_run:
            _write(root, file, content(found.content or {}, outcome, now), found)


_Found: TypeAlias = json_files.Found | StateFile[dict[str, Any]]


def _read_report(root: Path, path: str) -> StateFile[dict[str, Any]]:
    """Read the day's report, which this suite alone writes."""
    found = state_files.read(root, path, dict[str, Any])
    if found.content and not isinstance(found.content.get("runs"), list):
        return StateFile(problem=f"{printable(path)} is no report of a clean-up.", exists=True, broken=True)
    return found


def _write(root: Path, file: WrittenFile, content: dict[str, Any], found: _Found) -> None:
    try:
        if isinstance(found, json_files.Found):
            file.aside = json_files.write_object(root, file.path, content, found)
        else:
            file.aside = state_files.write(root, file.path, content, found)
    except Refused as error:
        file.problem, file.remedy = str(error), "Move it away."
    except OSError as error:
        file.problem = f"{printable(file.path)} cannot be written: {error.strerror}."
        file.remedy = "Make room and see that the folder can be written."
    else:
        file.written = True
