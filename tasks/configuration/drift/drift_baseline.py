"""The accepted state of every reviewed file, and in a private file beside it the key of its secrets' hashes."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ...core.files import safe_files, state_files
from ...core.files.state_files import StateFile
from ...core.text.formatting import printable
from ..secret_values import KEY_BYTES, Sealer

SCHEMA = 1

_LIMIT = 500_000_000
"""Bytes that are read of a baseline: those of two megabytes of YAML take three."""


class Accepted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file as it was accepted: when (ISO 8601), and its values by their paths."""

    accepted: str
    values: dict[str, bool | int | float | str | dict[str, Any] | None]


class _Content(msgspec.Struct, frozen=True):
    schema: int
    updated: str
    files: dict[str, Accepted]


class _Head(msgspec.Struct, frozen=True):
    schema: int


class Baseline(NamedTuple):
    """What was accepted.

    Attributes:
        files: by the names under which they are reviewed; ``None`` where there is no baseline that can be used.
        problem: why not, as a sentence; ``None`` where it can or is not there.
        broken: True where the file is to be kept aside before it is replaced.
        replaceable: False where a newer version of the suite wrote it, or where it cannot be read at all.
        updated: when it was written last (ISO 8601); empty where that is not known.
    """

    files: Mapping[str, Accepted] | None = None
    problem: str | None = None
    broken: bool = False
    replaceable: bool = True
    updated: str = ""


def read_baseline(root: Path, path: str) -> Baseline:
    """Return the baseline in the file *path* below *root*."""
    name = printable(path)
    try:
        content = state_files.read_bytes(root, path, limit=_LIMIT)
    except FileNotFoundError:
        return Baseline()
    except safe_files.Refused as error:
        is_forged = isinstance(error, state_files.Distrusted)
        return Baseline(problem=str(error), broken=is_forged, replaceable=is_forged)
    except OSError as error:
        return Baseline(problem=f"{name} cannot be read: {error.strerror}.", replaceable=False)
    try:
        if (schema := state_files.decode(content, _Head).schema) > SCHEMA:
            problem = f"{name} was written by a newer version of the suite (schema {schema}, {SCHEMA} is known here)."
            return Baseline(problem=problem, replaceable=False)
        decoded = state_files.decode(content, _Content)
        return Baseline(decoded.files, updated=decoded.updated)
    except ValueError as error:
        return Baseline(problem=f"{name} is no baseline, or not all of one: it {error}.", broken=True)


def write_baseline(root: Path, path: str, accepted: Mapping[str, Accepted], now: str, before: Baseline) -> str | None:
    """Write the baseline, a value on each line so that version control shows what was accepted.

    Returns:
        The path under which a broken one was kept; ``None`` where there was none.

    Raises:
        Refused, OSError: it was not written, and the old one is as it was.
    """
    if not before.replaceable:
        raise safe_files.Refused(before.problem or f"{printable(path)} cannot be replaced.")
    content = msgspec.json.encode(_Content(SCHEMA, now, dict(sorted(accepted.items()))))
    state: StateFile[object] = StateFile(exists=True, broken=before.broken)
    return state_files.write(root, path, msgspec.json.format(content, indent=1) + b"\n", state)


def key_path(path: str) -> str:
    """Return the path of the key of a baseline."""
    return f"{path}.key"


def read_key(root: Path, path: str) -> bytes | None:
    """Return the key of the baseline *path*; ``None`` where there is none that can be used."""
    try:
        key = bytes.fromhex(state_files.read_bytes(root, key_path(path), limit=1000).decode("ascii").strip())
    except (safe_files.Refused, OSError, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None


def key_problem(root: Path, path: str) -> str | None:
    """Return why the key of the baseline *path* cannot be used, as a sentence; ``None`` where it can or is missing."""
    name = key_path(path)
    try:
        state_files.read_bytes(root, name, limit=1000)
    except FileNotFoundError:
        return None
    except safe_files.Refused as error:
        return str(error)
    except OSError as error:
        return f"{printable(name)} cannot be read: {error.strerror}."
    return None if read_key(root, path) else f"{printable(name)} holds no key."


def baseline_sealer(root: Path, path: str, *, create: bool) -> Sealer:
    """Return what makes the hashes of a baseline's secrets.

    Args:
        root: the project.
        path: the baseline.
        create: keep a new key where there is none that can be used, and what is there under another name; else one
            is made for this run only.

    Raises:
        Refused, OSError: the new key cannot be kept.
    """
    key = read_key(root, path)
    if key is None:
        key = secrets.token_bytes(KEY_BYTES)
        if create:
            there: StateFile[object] = StateFile(exists=True, broken=True)
            state_files.write(root, key_path(path), key.hex().encode() + b"\n", there, private=True)
    return Sealer(key)
