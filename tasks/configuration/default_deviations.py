"""Values that differ from a default which is declared beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..core.secrets.secret_names import names_secret
from .key_names import bare_key, below
from .reading.python_reader import Unknown

_DEFAULT = re.compile(r"default_?(?P<after>.+)|(?P<before>.+?)_?default", re.IGNORECASE)

_SCALARS = (bool, int, float, str)


class Deviation(NamedTuple):
    """One value.

    Attributes:
        path: where the value is.
        value: what it is, as text.
        default: what is declared.
        declared: where the default is.
    """

    path: str
    value: str
    default: str
    declared: str


def deviations(value: Any, path: str = "") -> Iterator[Deviation]:
    """Yield the scalars of a document that differ from their default.

    A default is declared by a key beside the value: ``DEFAULT_TIMEOUT`` or ``timeout_default`` for ``TIMEOUT``, in any
    spelling, ``DEFAULT_PROVIDERS`` for each key of ``PROVIDERS``, and ``default`` beside ``value``.

    Args:
        value: what a reader returned.
        path: where the value is.
    """
    if isinstance(value, dict):
        for key, declared in _declared(value):
            yield from _differing(value[key], value[declared], below(path, key), below(path, declared))
        for key, inner in value.items():
            if isinstance(inner, dict | list):
                yield from deviations(inner, below(path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            if isinstance(inner, dict | list):
                yield from deviations(inner, f"{path}[{number}]")


def _declared(mapping: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    """Yield the keys that have a default in the same mapping, and the key of that."""
    texts = [key for key in mapping if isinstance(key, str)]
    candidates = [key for key in texts if "default" in key.lower()]
    if not candidates:
        return
    if "value" in mapping and "default" in mapping:
        yield "value", "default"
    plain = {bare_key(key): key for key in texts if key not in candidates}
    for declared in candidates:
        match = _DEFAULT.fullmatch(declared)
        if match and (key := plain.get(bare_key(match["after"] or match["before"]))) is not None:
            yield key, declared


def _differing(value: Any, default: Any, path: str, declared: str) -> Iterator[Deviation]:
    if isinstance(value, Unknown) or isinstance(default, Unknown):
        return
    if isinstance(value, dict) and isinstance(default, dict):
        for key in value:
            if key in default:
                yield from _differing(value[key], default[key], below(path, key), below(declared, key))
    elif isinstance(value, _SCALARS) and isinstance(default, _SCALARS) and value != default:
        secret = names_secret(path) or names_secret(declared)
        yield Deviation(path, *(("[secret]", "[secret]") if secret else (str(value), str(default))), declared)
