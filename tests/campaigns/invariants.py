"""What must hold after every run of a trial, and what after the one that follows a fault."""

from __future__ import annotations

import errno
import json
import os
import signal
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from tasks.backups.unfinished_restore import MARK
from tasks.core.files.safe_files import ASIDE
from tasks.core.run.registry import own_files
from tasks.core.settings.model import Settings

from .injection import Ended
from .projects import Place, state
from .scenario import Scenario, history

_VERDICTS = frozenset({0, 1, 2, 3})
_WITHOUT_DOCUMENT = frozenset({64, 74, 78})
_INTERRUPTED = 130
_MACHINE = ("system.", "recovery.freed")
"""What is measured of the machine and its disk differs from run to run, and is no matter of the project."""

_BAD = frozenset({"warning", "unknown", "critical"})
_SEVERE = frozenset({"unknown", "critical"})

_ERRORS = [os.strerror(each) for each in (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EINTR)]

Finding = tuple[str, str, str]
"""Task, check and subject."""


class Observed(NamedTuple):
    """What a run's document says, without what differs from run to run.

    Attributes:
        findings: the status of each finding.
        metrics: the value of each metric, by task, name and subject.
        messages: what the findings say.
    """

    findings: Mapping[Finding, str]
    metrics: Mapping[Finding, Any]
    messages: Mapping[Finding, str]

    @property
    def bad(self) -> set[tuple[Finding, str]]:
        """The findings that are not well, with their status; one that was skipped, where it names an error."""
        return {
            (key, status)
            for key, status in self.findings.items()
            if status in _BAD or (status == "skipped" and any(each in self.messages[key] for each in _ERRORS))
        }


def observed(ended: Ended, place: Place) -> Observed | None:
    """Return what the document of a run says; ``None`` where there is none."""
    try:
        document = json.loads(ended.out.replace(str(place.folder), "PLACE"))
    except ValueError:
        return None
    findings, metrics, messages = {}, {}, {}
    for report in document["reports"]:
        for each in report["findings"]:
            if each["check"].startswith(_MACHINE):
                continue
            key = (report["task"], each["check"], each["subject"])
            findings[key] = each["status"]
            messages[key] = each["message"]
        for each in report["metrics"]:
            if not each["name"].startswith(_MACHINE):
                metrics[report["task"], each["name"], each.get("subject") or ""] = each["value"]
    return Observed(findings, metrics, messages)


class Clean(NamedTuple):
    """What runs without a fault say: two on equal projects, and the one after that.

    Attributes:
        first: of the first run.
        second: of a run on an equal project.
        again: of one more on the same project.
    """

    first: Observed
    second: Observed
    again: Observed

    def news(self, found: Observed) -> set[tuple[Finding, str]]:
        """Return the findings that are not well and that no first run without a fault has."""
        return found.bad - self.first.bad - self.second.bad

    def unsaid(self, found: Observed) -> Iterator[str]:
        """Yield what both first runs say and *found* does not: findings, and metrics with their values."""
        for facts, others, seen in (
            (self.first.findings, self.second.findings, found.findings),
            (self.first.metrics, self.second.metrics, found.metrics),
        ):
            for key, value in facts.items():
                if others.get(key) == value and seen.get(key) != value:
                    yield f"{' '.join(key)} is {seen.get(key)} in place of {value}"


def was_stopped(ended: Ended) -> bool:
    """Whether a signal ended the run, at once or after its report."""
    return ended.status in {-signal.SIGKILL, -signal.SIGTERM, 128 + signal.SIGKILL, _INTERRUPTED}


def end_problems(ended: Ended, found: Observed | None, *, signalled: bool) -> Iterator[str]:
    """Yield what is wrong with the way in which a run ended."""
    if ended.status is None:
        yield "hangs"
        return
    for stream in (ended.out, ended.err):
        if "Traceback (most recent call last)" in stream:
            yield f"traceback: {stream.strip().splitlines()[-1][:200]}"
    if signalled and was_stopped(ended):
        return
    if ended.status not in _VERDICTS | _WITHOUT_DOCUMENT:
        yield f"undocumented exit status {ended.status}: {ended.err[-300:].strip()}"
    elif ended.status in _VERDICTS and found is None:
        yield f"exit status {ended.status} without a document: {(ended.err or ended.out)[-300:].strip()}"


def dishonest(ended: Ended, found: Observed | None, clean: Clean, not_done: list[str]) -> Iterator[str]:
    """Yield what a run left out without a word: of its work, and of what it says without a fault."""
    if ended.status not in _VERDICTS or found is None or clean.news(found):
        return
    for each in [*not_done, *clean.unsaid(found)]:
        yield f"dishonest: {each}"


def recovery_problems(found: Observed | None, clean: Clean, not_done: list[str]) -> Iterator[str]:
    """Yield what the run after a fault has not put right."""
    for each in not_done:
        yield f"not recovered: {each}"
    for key, status in clean.news(found) - clean.again.bad if found is not None else ():
        if found is not None and status in _SEVERE:
            yield f"not recovered: {' '.join(key)} is {status}: {found.messages[key][:200]}"


_OWN = own_files(Settings())


def kept_problems(place: Place, before: Mapping[str, tuple[Any, ...]], scenario: Scenario) -> Iterator[str]:
    """Yield what has changed that nobody may change, and records that cannot be read any more."""
    after = state(place.project)
    for path in sorted(before.keys() | after.keys()):
        if before.get(path) != after.get(path) and not _may_differ(path, before, after, scenario):
            what = "is new" if path not in before else "is gone" if path not in after else "has changed"
            yield f"lost: {path} {what}"
    yield from _unreadable(place.project, [path for path in after if after[path] != before.get(path)])
    entries = history(place)
    for entry in place.remembered("history") or []:
        if entries.count(entry) != 1:
            yield f"lost: an entry of the history is there {entries.count(entry)} times"
            break
    for each in scenario.lost(place):
        yield f"lost: {each}"


def _may_differ(
    path: str, before: Mapping[str, tuple[Any, ...]], after: Mapping[str, tuple[Any, ...]], scenario: Scenario
) -> bool:
    name = PurePosixPath(path)
    is_new_folder = path not in before and len(after[path]) == len(("mode", "user", "group"))
    is_log = name.parent == PurePosixPath("logs") and name.suffix == ".log"
    return _is_hidden(path) or is_new_folder or is_log or _OWN.owns(path) or scenario.may_change(path)


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") for part in PurePosixPath(path).parts)


def _is_being_restored(project: Path, path: str) -> bool:
    """Tell whether a file lies in a folder that is marked as half restored: it may be half of one."""
    return any((project / folder / MARK).exists() for folder in PurePosixPath(path).parents)


def _unreadable(project: Path, paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        if path.startswith(".venv/") or _is_being_restored(project, path):
            continue
        if ASIDE in path:
            yield f"lost: a record was kept aside as {path}"
        elif path.endswith((".json", ".jsonl")) and not _is_hidden(path):
            content = (project / path).read_bytes()
            try:
                for text in content.splitlines() if path.endswith(".jsonl") else [content]:
                    json.loads(text)
            except ValueError as error:
                yield f"lost: {path} is no JSON: {error}"


def leftovers(place: Place, before: Mapping[str, tuple[Any, ...]]) -> Iterator[str]:
    """Yield hidden files and folders that a run has left."""
    for path in state(place.project):
        if path not in before and PurePosixPath(path).name.startswith(".") and not path.startswith(".venv/"):
            yield f"left over: {path}"
