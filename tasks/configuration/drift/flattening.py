"""A document as flat paths with values that JSON can hold, so that two of them can be compared."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from ...core.secrets.evidence import is_opaque
from ...core.secrets.secret_names import names_secret
from ...core.text.formatting import printable
from ..key_names import below
from ..reading.python_reader import Unknown
from ..secret_values import Sealer

Leaf: TypeAlias = bool | int | float | str | dict[str, Any] | None
"""A value: a scalar, ``{"text", "sha256", "length"}`` for a long text, ``{"secret"}`` for a hash with a key,
``{"empty"}`` for a collection without members, ``{"unknown"}`` for the expression of what only running tells."""

_LONG = 300
"""Characters: a longer text is kept by its beginning and its digest."""

_BEGINNING = 120

_LARGEST = (1 << 63) - 1
"""Larger integers are kept as text, since JSON's readers differ about them."""


def flatten(value: Any, sealer: Sealer, redact: Callable[[str], str], *, secret: bool = False) -> dict[str, Leaf]:
    """Return every value of a document by its path.

    Args:
        value: what a reader returned.
        sealer: hashes what is secret.
        redact: takes secrets out of a text; a text that it changes is secret as a whole.
        secret: True where everything in the document is.
    """
    found, keys = _collected(value, {}, secret=secret)
    if not _suspicious(found, keys, redact):
        return {path: _leaf(each, sealer, secret=hidden) for path, (each, hidden) in found.items()}
    # A key that is a secret itself is called by its hash.
    names = {key: f"[secret {sealer.seal(key)}]" for key in keys if _is_secret(key, redact)}
    if names:
        found, _ = _collected(value, names, secret=secret)
    return {
        path: _leaf(each, sealer, secret=hidden or (isinstance(each, str | Unknown) and _is_secret(each, redact)))
        for path, (each, hidden) in found.items()
    }


def _collected(value: Any, names: Mapping[str, str], *, secret: bool) -> tuple[dict[str, tuple[Any, bool]], set[str]]:
    """Return each value by its path, with whether a key above it says that it is secret; and all keys.

    Args:
        value: the document.
        names: what paths have instead of keys that are secret.
        secret: True where everything is.
    """
    found: dict[str, tuple[Any, bool]] = {}
    keys: set[str] = set()

    def collect(inner: Any, path: str, *, hidden: bool) -> None:
        if not inner or not isinstance(inner, dict | list | tuple | set) or isinstance(inner, Unknown):
            found[path] = inner, hidden
        elif isinstance(inner, dict):
            for key, member in inner.items():
                if isinstance(key, str):
                    keys.add(key)
                    shown = names.get(key, key)
                    collect(member, below(path, shown), hidden=hidden or names_secret(key))
                else:
                    collect(member, below(path, key), hidden=hidden)
        else:
            for number, member in enumerate(sorted(inner, key=repr) if isinstance(inner, set) else inner):
                collect(member, f"{path}[{number}]", hidden=hidden)

    collect(value, "", hidden=secret)
    return found, keys


def _suspicious(found: Mapping[str, tuple[Any, bool]], keys: set[str], redact: Callable[[str], str]) -> bool:
    """Tell whether anything may be secret beside what its key says: one look at all texts instead of one at each."""
    texts = {
        each.source if isinstance(each, Unknown) else each
        for each, _ in found.values()
        if isinstance(each, str | Unknown)
    }
    together = "\n".join((*texts, *keys))
    return any(map(is_opaque, texts)) or any(map(is_opaque, keys)) or redact(together) != together


def _is_secret(value: str | Unknown, redact: Callable[[str], str]) -> bool:
    text = value.source if isinstance(value, Unknown) else value
    return is_opaque(text) or redact(text) != text


def _leaf(value: Any, sealer: Sealer, *, secret: bool) -> Leaf:
    leaf: Leaf
    match value:
        case Unknown(source=source):
            leaf = {"secret": sealer.seal(source)} if secret else {"unknown": source[:_LONG]}
        case dict():
            leaf = {"empty": "mapping"}
        case list() | tuple() | set():
            leaf = {"empty": "list"}
        case None | bool() | "":
            leaf = value
        case _ if secret:
            leaf = {"secret": sealer.seal(str(value))}
        case int():
            leaf = value if abs(value) <= _LARGEST else str(value)
        case float():
            leaf = value if math.isfinite(value) else str(value)
        case str():
            leaf = _text(value)
        case _:
            leaf = _text(value.isoformat() if hasattr(value, "isoformat") else repr(value))
    return leaf


def _text(text: str) -> Leaf:
    if len(text) <= _LONG and text.isprintable():
        return text
    if len(text) <= _LONG:
        return text.encode("utf-8", "backslashreplace").decode()
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return {"text": printable(text[:_BEGINNING]), "sha256": digest, "length": len(text)}


def same(one: Leaf, other: Leaf) -> bool:
    """Tell whether two values are one: ``1`` and ``1.0`` are, ``1`` and ``true`` are not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one == other


def shown(leaf: Leaf) -> str:
    """Return a value as people read it, on one line."""
    if isinstance(leaf, dict):
        if "secret" in leaf:
            return "[secret]"
        if "empty" in leaf:
            return "[]" if leaf["empty"] == "list" else "{}"
        if "unknown" in leaf:
            return f"⟨{printable(leaf['unknown'])}⟩"
        return f"{printable(leaf.get('text'))}… ({leaf.get('length')} characters)"
    if isinstance(leaf, str):
        return printable(leaf)
    return (
        {None: "null", True: "true", False: "false"}.get(leaf, str(leaf))
        if isinstance(leaf, bool | None)
        else str(leaf)
    )
