"""What no type can say: values that contradict each other, the machine or common sense."""

from __future__ import annotations

import difflib
import re
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from re import _parser  # type: ignore[attr-defined]  # the only way to see what an expression is made of
from typing import Any
from urllib.parse import urlsplit

from ..files.safe_files import TEMPORARY
from .all_settings import gate_names
from .fields import SettingPath
from .model import (
    AuditSettings,
    DependencySettings,
    LogSettings,
    ProviderSettings,
    ReleaseSettings,
    RepositorySettings,
    ScheduleSettings,
    Settings,
)

_LIMITED = ("logs", "cache", "backups")

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def violations(settings: Settings) -> Iterator[tuple[SettingPath, str]]:
    """Yield the path of each value that cannot be used, with what was expected instead."""
    yield from _root(Path(settings.root))
    yield from _paths(settings)
    yield from _logs(settings.logs)
    yield from _cache(settings)
    if settings.generation.slow_seconds > settings.generation.very_slow_seconds:
        yield ("generation", "slow_seconds"), "no more than very_slow_seconds"
    yield from _dependencies(settings.dependencies)
    for name, limit in settings.capacity.limits_mb.items():
        if name not in _LIMITED:
            yield ("capacity", "limits_mb", name), f"one of {', '.join(_LIMITED)} as the name"
        elif not limit:
            yield ("capacity", "limits_mb", name), "more than 0"
    yield from _audit(settings.audit)
    yield from _release(settings.release)
    yield from _copies(settings)
    yield from _backups(settings)
    for name, repository in settings.backups.repositories.items():
        for path, expected in _repository(repository):
            yield ("backups", "repositories", name, *path), expected
    yield from _schedule(settings.schedule)
    for name, provider in settings.providers.items():
        for path, expected in _provider(provider):
            yield ("providers", name, *path), expected


def _root(root: Path) -> Iterator[tuple[SettingPath, str]]:
    try:
        is_folder = stat.S_ISDIR(root.stat().st_mode)
    except FileNotFoundError:
        yield ("root",), "the folder of the project; it does not exist"
    except OSError as error:
        yield ("root",), f"the folder of the project; {error.strerror}"
    else:
        if not is_folder:
            yield ("root",), "the folder of the project; it is not a folder"
        elif root == root.parent:
            yield ("root",), "the folder of the project; this is the whole file system"


def _paths(settings: Settings) -> Iterator[tuple[SettingPath, str]]:
    paths: dict[SettingPath, str] = {
        ("logs", "directory"): settings.logs.directory,
        ("cache", "directory"): settings.cache.directory,
        ("generation", "file"): settings.generation.file,
        ("dependencies", "requirements"): settings.dependencies.requirements,
        ("configuration", "baseline"): settings.configuration.baseline,
        ("backups", "directory"): settings.backups.directory,
        ("release", "changelog"): settings.release.changelog,
    }
    for path, value in paths.items():
        if not _is_below(value):
            yield path, "a relative path below the root and outside .git"
    for path, values in (
        (("configuration", "files"), settings.configuration.files),
        (("configuration", "components"), settings.configuration.components),
        (("backups", "sources"), settings.backups.sources),
        (("audit", "data"), settings.audit.data),
        (("audit", "places"), settings.audit.places),
        (("audit", "packages"), settings.audit.packages),
        (("release", "version_files"), settings.release.version_files),
    ):
        if not all(map(_is_below, values)):
            yield path, "relative paths below the root"


def _logs(logs: LogSettings) -> Iterator[tuple[SettingPath, str]]:
    if not _is_name(logs.pattern):
        yield ("logs", "pattern"), "a pattern of file names, without a folder"
    for pattern in logs.critical_patterns:
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            yield ("logs", "critical_patterns"), f"regular expressions, but {pattern!r} is none: {error}"
        else:
            if _UNBOUNDED & set(_operations(_parser.parse(pattern))):
                yield (
                    ("logs", "critical_patterns"),
                    f"regular expressions whose time is bounded: {pattern!r} looks around or refers back",
                )


_UNBOUNDED = {"ASSERT", "ASSERT_NOT", "GROUPREF", "GROUPREF_EXISTS", "ATOMIC_GROUP", "POSSESSIVE_REPEAT"}
"""What no engine matches in a time that grows with the text and no faster."""


def _operations(tree: Any) -> Iterator[str]:
    """Yield the names of all operations in a parsed expression."""
    for operation, argument in tree:
        yield str(operation)
        pending = [argument]
        while pending:
            part = pending.pop()
            if isinstance(part, _parser.SubPattern):
                yield from _operations(part)
            elif isinstance(part, list | tuple):
                pending += part


def _is_below(text: str) -> bool:
    path = PurePosixPath(text)
    return bool(path.parts) and not path.is_absolute() and not {"..", ".git"} & {*path.parts} and "\0" not in text


def _is_name(text: str) -> bool:
    return _is_below(text) and len(PurePosixPath(text).parts) == 1 and "/" not in text


def _cache(settings: Settings) -> Iterator[tuple[SettingPath, str]]:
    cache, logs = PurePosixPath(settings.cache.directory), PurePosixPath(settings.logs.directory)
    if cache.parts and logs.parts and (cache.is_relative_to(logs) or logs.is_relative_to(cache)):
        yield ("cache", "directory"), f"a folder apart from that of the logs ({logs})"
    for kind in settings.cache.expiry_hours:
        if not _is_name(kind) or kind in {"stats.json", TEMPORARY}:
            yield ("cache", "expiry_hours", kind), "the name of one folder as the kind"
    for prefix, kind in settings.cache.prefixes.items():
        if not prefix or "/" in prefix:
            yield ("cache", "prefixes", prefix), "the start of a file name as the prefix"
        if kind not in settings.cache.expiry_hours:
            kinds = ", ".join(settings.cache.expiry_hours) or "none is set"
            yield ("cache", "prefixes", prefix), f"one of the kinds in cache.expiry_hours ({kinds})"


def _dependencies(dependencies: DependencySettings) -> Iterator[tuple[SettingPath, str]]:
    for name in ("index_url", "osv_url"):
        address = getattr(dependencies, name)
        if address and not _is_address(address):
            yield (
                ("dependencies", name),
                "an http or https address without a user or password in it (pip and .netrc keep them)",
            )
    if expected := _no_command(dependencies.smoke_command):
        yield ("dependencies", "smoke_command"), expected


def _no_command(text: str) -> str:
    """Return what is expected where a text is no command; empty where it is one."""
    try:
        return "" if shlex.split(text) else "a command"
    except ValueError as error:
        return f"a command; {error}"


_REF = re.compile(r"[\w./+@#=-]*")
"""What may stand in the name of a tag, and is harmless to a shell (git-check-ref-format(1) allows more)."""


def _release(release: ReleaseSettings) -> Iterator[tuple[SettingPath, str]]:
    known = gate_names()
    for name in release.gates:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            yield ("release", "gates", name), f"one of {', '.join(known)} as the name of the gate{hint}"
    if release.test_command and (expected := _no_command(release.test_command)):
        yield ("release", "test_command"), f"{expected}, or nothing"
    for command in release.lint_commands:
        if _no_command(command):
            yield ("release", "lint_commands"), f"commands; {command!r} is none"
    if not all(branch.strip() for branch in release.branches):
        yield ("release", "branches"), "names of branches (shell patterns)"
    if not _REF.fullmatch(release.tag_prefix) or release.tag_prefix.startswith(("-", "/", ".")):
        yield ("release", "tag_prefix"), "the beginning of a tag's name, or nothing"
    if not release.deadline_seconds:
        yield ("release", "deadline_seconds"), "more than 0"


def _audit(audit: AuditSettings) -> Iterator[tuple[SettingPath, str]]:
    for name, licence in audit.licences_known.items():
        if not _is_licence(licence):
            yield ("audit", "licences_known", name), "an SPDX expression, MIT OR Apache-2.0 for one"
    for waiver in audit.waivers:
        if not waiver.reason.strip():
            yield ("audit", "waivers"), f"a reason why {waiver.check} {waiver.subject} is accepted"


def _is_licence(text: str) -> bool:
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        canonicalize_license_expression(text)
    except InvalidLicenseExpression:
        return False
    return True


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None
        usable &= parts.port != 0  # reading it raises for one that is no number
    except ValueError:
        return False
    return usable


def _provider(provider: ProviderSettings) -> Iterator[tuple[SettingPath, str]]:
    if not _is_address(provider.base_url):
        yield ("base_url",), "an http or https address without a user or password in it"
    if not _VARIABLE.fullmatch(provider.key_env):
        yield ("key_env",), "the name of an environment variable, not the key itself"
    if not provider.slow_seconds <= provider.very_slow_seconds <= provider.deadline_seconds:
        yield ("slow_seconds",), "slow_seconds, very_slow_seconds and deadline_seconds in ascending order"


def _backups(settings: Settings) -> Iterator[tuple[SettingPath, str]]:
    own = PurePosixPath(settings.backups.directory)
    for source in settings.backups.sources:
        path = PurePosixPath(source)
        if own == path or own in path.parents:
            yield ("backups", "directory"), f"a folder that holds nothing of what is backed up ({source} is)"


def _copies(settings: Settings) -> Iterator[tuple[SettingPath, str]]:
    root = PurePosixPath(settings.root)
    for copy in settings.backups.copies:
        path = PurePosixPath(copy)
        if not path.is_absolute() or ".." in path.parts or "\0" in copy:
            yield ("backups", "copies"), "absolute paths of folders, without .."
        elif path.is_relative_to(root):
            yield ("backups", "copies"), f"folders outside the root ({root}): what lies in it is lost with it"


def _schedule(schedule: ScheduleSettings) -> Iterator[tuple[SettingPath, str]]:
    if not _TIME.fullmatch(schedule.at):
        yield ("schedule", "at"), "a time of the day from 00:00 to 23:59, in quotes"
        return
    hour, minute = map(int, schedule.at.split(":"))
    if hour * 60 + minute + schedule.random_delay_minutes >= _DAY:
        delay = f"schedule.random_delay_minutes ({schedule.random_delay_minutes})"
        yield ("schedule", "at"), f"a time after which {delay} end before midnight, so that a day has one run"


_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_DAY = 24 * 60
"""Minutes."""

_PASSWORD_INSIDE = re.compile(r"//[^/@]*:[^/]*@")


def _repository(repository: RepositorySettings) -> Iterator[tuple[SettingPath, str]]:
    location = repository.location
    if not location.isprintable() or not location.strip() or location[0] in "-~ ":
        yield ("location",), "a path, absolute or from the root, or the address that the program takes"
    elif _PASSWORD_INSIDE.search(location):
        yield ("location",), "an address without a password in it (for a rest server: RESTIC_REST_PASSWORD)"
    elif repository.program == "borg" and "::" in location:
        yield ("location",), "the repository without an archive (::NAME) in it"
    if repository.password_env and not _VARIABLE.fullmatch(repository.password_env):
        yield ("password_env",), "the name of an environment variable, not the password itself"
    for name in ("deadline_seconds", "restore_mb"):
        if not getattr(repository, name):
            yield (name,), "more than 0"
