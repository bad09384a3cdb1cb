"""``weekly.cache-cleanup``: one walk that deletes what has expired, tidies up and counts what is left."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from datetime import datetime
from pathlib import Path

from ..core.files import safe_files
from ..core.files.lock import project_lock, require_writable
from ..core.programs.interrupt import deferred_interrupt
from ..core.report.model import Interrupted, Report
from ..core.settings.model import Settings
from ..core.text.formatting import printable
from . import statistics
from .cleanup_findings import evaluate
from .cleanup_outcome import CleanupOutcome
from .loose import Home, tidy
from .rules import plan
from .sweep import DELETERS, Place, Walk, sweep
from .sweep_tally import Tally

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
    that are missing, moves loose files home, and records what is left in ``stats.json`` and in the weekly
    report. All of that comes from one walk; the folders are walked side by side.

    Args:
        settings: the project's settings, ``root`` absolute.
        now: the moment of the run, aware of its zone.
        dry_run: change nothing, report what a run would do.
        kinds: clean only these kinds; the others are counted all the same. Empty: all of them.
        older_than: hours that take the place of every configured expiry.
        advance: called with the number of entries looked at since its last call, from several threads.

    Raises:
        Refused: the root is no folder.
        Held: another changing run is at work in this project.
        Closed: the root cannot be written.
        Interrupted: Ctrl-C; it carries the report of what was done until then.
    """
    root = Path(settings.root)
    if not root.is_dir():
        raise safe_files.Refused(
            f"The project {printable(root)} does not exist or is no folder. Correct maintenance.root."
        )
    planned = plan(settings.cache, _nanoseconds(now), kinds=kinds, older_than=older_than)
    outcome = CleanupOutcome(planned, settings.cache.directory)
    if dry_run:
        require_writable(root)
    with (
        nullcontext() if dry_run else project_lock(root, TASK, now),
        deferred_interrupt() as stop,
        ThreadPoolExecutor(DELETERS) as deleters,
    ):
        try:
            _clean(root, settings.cache.directory, outcome, Walk(not dry_run, stop, advance, deleters))
        except KeyboardInterrupt:  # raised by *advance*
            stop.set()
        outcome.interrupted = stop.is_set()
        if outcome.usable:
            statistics.record(root, settings, outcome, now, dry_run=dry_run)
    report = evaluate(settings.cache, outcome, dry_run=dry_run)
    if stop.is_set():
        raise Interrupted(report)
    return report


def _nanoseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000) * 1000


def _clean(root: Path, directory: str, outcome: CleanupOutcome, walk: Walk) -> None:
    """Walk the cache and act; what happens is noted in *outcome*."""
    with ExitStack() as opened:
        try:
            top = _open(root, directory, outcome, walk, opened)
        except (safe_files.Refused, OSError) as error:
            outcome.refuse(directory, error)
            outcome.usable = False
            return
        homes = {}
        for kind in outcome.plan.expiry:
            path = f"{directory}/{kind}"
            if not outcome.plan.expiry[kind].active and not (root / path).exists():
                continue
            try:
                descriptor = None if top is None else _open(root, path, outcome, walk, opened)
            except (safe_files.Refused, OSError) as error:
                outcome.refuse(path, error)
            else:
                homes[kind] = Home(descriptor, outcome.tallies.setdefault(kind, Tally()))
        if top is None:
            outcome.created += [f"{directory}/{kind}" for kind in homes]
            return
        try:
            tidy(top, homes, outcome.plan, walk, outcome.top, own=statistics.FILE)
        except OSError as error:
            outcome.refuse(directory, error)
        _sweep_all(root, directory, homes, outcome, walk)


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


def _sweep_all(root: Path, directory: str, homes: Mapping[str, Home], outcome: CleanupOutcome, walk: Walk) -> None:
    """Sweep the kinds side by side and count the other folders; Ctrl-C ends each after its batch."""
    with ThreadPoolExecutor((os.cpu_count() or 1) + 1) as pool:
        running = {pool.submit(_count_others, root, directory, outcome, walk): directory}
        for kind, home in homes.items():
            if home.descriptor is not None:
                place = Place(home.descriptor, outcome.plan.expiry[kind])
                running[pool.submit(sweep, place, walk, home.tally)] = f"{directory}/{kind}"
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
        except (safe_files.Refused, OSError) as error:
            outcome.refuse(path, error)
