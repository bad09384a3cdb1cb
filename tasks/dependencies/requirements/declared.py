"""What requirements files ask for, package by package, and as lines for a resolver."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from ...core.text.formatting import printable
from .parsing import Entry, Kind
from .reading import Tree, included_path


class Declaration(NamedTuple):
    """One line that asks for a package.

    Attributes:
        path: the file, below the root.
        line: its number; 0 where it is not known.
        requirement: what it asks for.
        pin: the version that it pins where that can be changed; ``None`` where it cannot, or none is pinned.
        hashed: True where it gives hashes.
    """

    path: str
    line: int
    requirement: Requirement
    pin: str | None = None
    hashed: bool = False

    @property
    def place(self) -> str:
        """Where it stands, for people: ``requirements.txt, line 3``."""
        return f"{printable(self.path)}, line {self.line}" if self.line else printable(self.path)


def declared(tree: Tree, *, constraints: bool = False) -> Mapping[str, tuple[Declaration, ...]]:
    """Return, by normalized name, the lines that require a package, or those that constrain it."""
    found = defaultdict[str, list[Declaration]](list)
    for path, entry in _entries(tree, constraints=constraints):
        if entry.requirement is not None:
            pin = entry.pinned if entry.pin is not None and not entry.hashed else None
            found[entry.name].append(Declaration(path, entry.line, entry.requirement, pin, entry.hashed))
    return {name: tuple(declarations) for name, declarations in found.items()}


def _entries(tree: Tree, *, constraints: bool) -> Iterator[tuple[str, Entry]]:
    for path, file in tree.files.items():
        if file.constraints is constraints:
            yield from ((path, entry) for entry in file.entries)


def option_lines(tree: Tree) -> list[str]:
    """Return the lines with options that a resolver needs, the index's address for one, in the order of pip.

    Among two addresses the last one counts, so the options of an included file stand where it is included. The option
    that demands hashes is left out: the lines for a resolver have none.
    """
    texts = (entry.text for entry in _as_pip_reads(tree) if entry.kind is Kind.OPTION)
    kept = (" ".join(word for word in text.split() if word != "--require-hashes") for text in texts)
    return [text for text in kept if text]


def _as_pip_reads(tree: Tree) -> Iterator[Entry]:
    """Yield the lines of all files, those of an included file in the place of the line that includes it."""
    left = dict(tree.files)

    def lines(path: str) -> Iterator[Entry]:
        for entry in left.pop(path).entries:
            yield entry
            if entry.kind in {Kind.INCLUDE, Kind.CONSTRAINTS} and (target := included_path(path, entry)) in left:
                yield from lines(target)

    for top in [*tree.files][:1]:
        yield from lines(top)


def constraint_lines(tree: Tree) -> list[str]:
    """Return the lines that constrain."""
    return [
        str(entry.requirement)
        for _, entry in _entries(tree, constraints=True)
        if entry.requirement is not None and not entry.requirement.url
    ]


def relaxed_lines(tree: Tree, caps: Mapping[str, str]) -> list[str]:
    """Return the requirements as lines for a resolver, a pin that can be changed opened up to the package's cap.

    What comes from a folder or an address is left out, and so are hashes: nothing is installed by these lines. A pin
    with a local label (``1.0+cpu``) stays, for a label names a build that was chosen and has no place in an ordered
    comparison (PEP 440, "Inclusive ordered comparison"); for the same reason a cap counts without its label.

    Args:
        tree: the requirements.
        caps: by normalized name, the highest version that may be chosen.
    """
    return [
        str(_relaxed(entry, caps))
        for _, entry in _entries(tree, constraints=False)
        if entry.kind is Kind.REQUIREMENT and entry.requirement is not None
    ]


def _relaxed(entry: Entry, caps: Mapping[str, str]) -> Requirement:
    assert entry.requirement is not None  # noqa: S101 - looked at by the caller
    cap = caps.get(entry.name)
    if cap is None or entry.pin is None or entry.hashed or entry.pinned is None:
        return entry.requirement
    relaxed = Requirement(str(entry.requirement))
    try:
        lowest, highest = Version(entry.pinned), max(Version(entry.pinned), Version(cap))
    except InvalidVersion:
        return entry.requirement
    if lowest.local:
        return entry.requirement
    relaxed.specifier = type(relaxed.specifier)(f">={entry.pinned},<={highest.public}")
    return relaxed
