"""The recorded result, and the mutants that are accepted as equivalent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

import msgspec

_RECORDED = Path(__file__).with_name("recorded.json")
_EQUIVALENT = Path(__file__).with_name("equivalent.json")


class FunctionResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was found out about one function.

    Attributes:
        source: the hash of its source.
        mutants: how many there are.
        killed: how many of them a test notices.
        equivalent: the changes that no test can notice; :func:`equivalents` has the reasons.
        survivors: the changes that no test notices.
    """

    source: str
    mutants: int
    killed: int
    equivalent: list[str] = []
    survivors: list[str] = []


Record: TypeAlias = dict[str, dict[str, FunctionResult]]
"""By module and function."""

Equivalents: TypeAlias = Mapping[str, Mapping[str, Mapping[str, str]]]
"""By module, function and change: the reason why no test can notice it."""


def recorded() -> Record:
    """Return the recorded result; empty where there is none."""
    if not _RECORDED.exists():
        return {}
    return msgspec.json.decode(_RECORDED.read_bytes(), type=Record)


def record(result: Record) -> None:
    """Write the result to be recorded."""
    plain = {
        path: {name: _lists_left_out(found) for name, found in sorted(functions.items())}
        for path, functions in sorted(result.items())
    }
    _RECORDED.write_text(json.dumps(plain, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _lists_left_out(found: FunctionResult) -> Mapping[str, object]:
    return {name: value for name, value in msgspec.structs.asdict(found).items() if value != []}


def equivalents() -> Equivalents:
    """Return the accepted mutants with their reasons."""
    return msgspec.json.decode(_EQUIVALENT.read_bytes(), type=dict[str, dict[str, dict[str, str]]])


def unused(accepted: Equivalents, results: Iterable[tuple[str, str, FunctionResult]]) -> list[str]:
    """Return the accepted changes of checked functions that are no mutants or are killed, as lines for people."""
    return [
        f"{path} in {name}: {change}"
        for path, name, found in results
        for change in accepted.get(path, {}).get(name, {})
        if change not in found.equivalent
    ]
