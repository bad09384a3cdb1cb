"""The backups elsewhere in ``quarterly.backup-verification``: repositories, copies, and the number of all copies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

from ...core.files import safe_files, state_files
from ...core.files.state_files import StateFile
from ...core.report.model import Action, Finding, Metric, Report
from ...core.run.registry import own_files
from ...core.secrets.keys import Key
from ...core.settings.model import RepositorySettings, Settings
from ...core.text.formatting import printable
from ..archive_format import Stopped
from ..backup_folder import Backup, archive_digest, backups
from ..source_selection import select
from ..verification_findings import Level
from . import offsite_findings
from .archive_copies import ComparedCopy, compare_copy
from .repository_sample import PARTS, next_data_part
from .repository_verification import RepositoryContext, VerifiedRepository, verify_repository
from .rule_3_2_1 import Copy, CopyCount, count_copies, medium_of, place_of, repository_copy

FILE = "repositories.json"
"""Beside the archives: which part of each repository's data was read last."""


def verify_offsite(
    settings: Settings,
    *,
    environ: Mapping[str, str],
    keys: Mapping[str, Key],
    redact: Callable[[str], str],
    now: datetime,
    stop: Event,
    dry_run: bool,
    advance: Callable[[int], None],
) -> Report:
    """Verify the repositories and the copies, and count them.

    Args:
        settings: the project's settings, ``root`` absolute.
        environ: the environment of the run, for the programs.
        keys: the passwords, by their variables.
        redact: takes secrets out of a text.
        now: the moment of the run, aware of its zone.
        stop: ends it where it is set; nothing stays of what was being restored.
        dry_run: restore and write nothing.
        advance: called after each repository and each copy.
    """
    root, own = Path(settings.root), settings.backups
    if not own.repositories and not own.copies:
        return Report(summary="", findings=[offsite_findings.nothing_configured(own.directory)])
    archives = _archives(root, own.directory, stop)
    files = _files_of_project(settings, stop) if own.repositories else frozenset()
    context = RepositoryContext(root, own.directory, environ, keys, redact, now, stop, dry_run, files)
    read = state_files.read(root, f"{own.directory}/{FILE}", _Ledger)
    before = read.content or {}
    examined, parts = {}, {}
    for name, settled in own.repositories.items():
        if not stop.is_set():
            parts[name] = next_data_part(before.get(name), settled.read_percent)
            examined[name] = verify_repository(settled, parts[name], context)
            advance(1)
    compared = []
    for path in own.copies if archives else ():
        if not stop.is_set():
            compared.append(compare_copy(path, archives, (root / own.directory).stat(), stop))
            advance(1)
    findings = [
        finding
        for name, each in examined.items()
        for finding in offsite_findings.repository_findings(name, own.repositories[name], each, own.max_age_days, now)
    ]
    findings += (
        offsite_findings.copy_findings(compared, len(archives)) if archives else offsite_findings.no_archive(own.copies)
    )
    numbers = _count_sound(root, bool(archives), own.repositories, examined, compared)
    findings.append(offsite_findings.media_finding(numbers))
    done = {name: [*parts[name]] for name, each in examined.items() if parts[name][1] and each.checked}
    actions = list(_keep_parts(context, read, done, own.repositories, findings)) if done else []
    return Report(
        summary=offsite_findings.summary(examined, len(compared), numbers),
        findings=findings,
        metrics=[*_metrics(examined, numbers, now)],
        actions=actions,
        files=[action.target for action in actions if action.done],
        data={"repositories": [*_rows(own.repositories, examined)]},
    )


Part: TypeAlias = Annotated[int, Meta(ge=1, le=PARTS)]

_Ledger = dict[Annotated[str, Meta(max_length=1000)], tuple[Part, Part]]
"""By the name of a repository, which part of how many of its data was read last."""


def _files_of_project(settings: Settings, stop: Event) -> frozenset[str]:
    """Return the files that are backed up, by their paths below the root, without the suite's own."""
    own, is_own = settings.backups, own_files(settings).owns
    selected = select(Path(settings.root), own.sources, own.exclude, own.directory, stop)
    return frozenset(each.path for each in selected.entries if each.is_file and not is_own(each.path))


def _archives(root: Path, directory: str, stop: Event) -> list[Backup]:
    """Return the project's whole archives; none where the folder cannot be read, which its own verification reports."""
    try:
        found = [backup for backup in backups(root, directory) if backup.is_whole]
        return [backup if not backup.beside else _with_digest(root, directory, backup, stop) for backup in found]
    except (Stopped, safe_files.Refused, OSError):
        return []


def _with_digest(root: Path, directory: str, backup: Backup, stop: Event) -> Backup:
    """Return a backup whose SHA-256 is not kept beside it with the one that it has."""
    digest = archive_digest(root, directory, backup.name, stop)
    assert backup.manifest is not None  # noqa: S101 - it is whole
    return backup._replace(manifest=msgspec.structs.replace(backup.manifest, archive_sha256=digest))


def _count_sound(
    root: Path,
    has_archives: bool,
    configured: Mapping[str, RepositorySettings],
    examined: Mapping[str, VerifiedRepository],
    compared: Sequence[ComparedCopy],
) -> CopyCount:
    """Count what is there and well: the live data is the first copy, the project's own archives are the second."""
    here = medium_of(root.stat().st_dev)
    copies = [Copy(here, "live"), *([Copy(here, "archives")] if has_archives else [])]
    copies += [
        Copy(medium_of(each.status.st_dev), place_of(each.status))
        for each in compared
        if each.problem is None and each.status is not None
    ]
    for name, each in examined.items():
        if each.level in {Level.INTACT, Level.RESTORED} and each.failed_restore is None:
            with suppress(OSError):
                copies.append(repository_copy(configured[name].program, configured[name].location, root))
    return count_copies(copies)


def _keep_parts(
    context: RepositoryContext,
    read: StateFile[_Ledger],
    done: Mapping[str, list[int]],
    configured: Mapping[str, RepositorySettings],
    findings: list[Finding],
) -> Iterator[Action]:
    """Keep which parts were read, so that the next run reads the next ones."""
    path = f"{context.directory}/{FILE}"
    if context.dry_run:
        yield Action(verb="write", target=path, done=False)
        return
    before = {name: [*value] for name, value in (read.content or {}).items() if name in configured}
    try:
        state_files.write(context.root, path, before | {**done}, read)
    except (safe_files.Refused, OSError) as error:
        findings.append(offsite_findings.not_kept(path, printable(error).rstrip(".")))
    else:
        yield Action(verb="write", target=path)


def _metrics(examined: Mapping[str, VerifiedRepository], numbers: CopyCount, now: datetime) -> Iterator[Metric]:
    yield Metric(name="backup.copies", value=numbers.copies, unit="copies")
    yield Metric(name="backup.media", value=numbers.media, unit="media")
    yield Metric(name="backup.offsite", value=numbers.elsewhere, unit="copies")
    for name, each in examined.items():
        if each.snapshots:
            newest = each.newest or each.snapshots[0]
            age = round(offsite_findings.days_old(newest.made, now), 2)
            yield Metric(name="backup.external.age", value=age, unit="days", subject=printable(name))


def _rows(
    configured: Mapping[str, RepositorySettings], examined: Mapping[str, VerifiedRepository]
) -> Iterator[dict[str, Any]]:
    for name, each in examined.items():
        yield {
            "repository": printable(name),
            "program": configured[name].program,
            "snapshots": None if each.unlisted else len(each.snapshots),
            "newest": each.snapshots[0].made.isoformat(timespec="seconds") if each.snapshots else None,
            "level": None if each.level is None else each.level.value,
        }
