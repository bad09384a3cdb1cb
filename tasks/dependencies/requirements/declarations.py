"""What requirements files ask for: per package, as lines for a resolver, and with new versions in the place of old."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from ...core.text.formatting import printable
from .requirement_files import RequirementsTree, included_path
from .requirement_parser import LineKind, RequirementLine, parse_requirements


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


def declared_packages(tree: RequirementsTree, *, constraints: bool = False) -> Mapping[str, tuple[Declaration, ...]]:
    """Return, by normalized name, the lines that require a package, or those that constrain it."""
    found = defaultdict[str, list[Declaration]](list)
    for path, entry in _lines_of(tree, constraints=constraints):
        if entry.requirement is not None:
            pin = entry.pinned if entry.pin is not None and not entry.hashed else None
            found[entry.name].append(Declaration(path, entry.line, entry.requirement, pin, entry.hashed))
    return {name: tuple(declarations) for name, declarations in found.items()}


def _lines_of(tree: RequirementsTree, *, constraints: bool) -> Iterator[tuple[str, RequirementLine]]:
    for path, file in tree.files.items():
        if file.constraints is constraints:
            yield from ((path, entry) for entry in file.entries)


def option_lines(tree: RequirementsTree) -> list[str]:
    """Return the lines with options that a resolver needs, the index's address for one, in the order of pip.

    Among two addresses the last one counts, so the options of an included file stand where it is included. The option
    that demands hashes is left out: the lines for a resolver have none.
    """
    texts = (entry.text for entry in _lines_as_pip_reads(tree) if entry.kind is LineKind.OPTION)
    kept = (" ".join(word for word in text.split() if word != "--require-hashes") for text in texts)
    return [text for text in kept if text]


def _lines_as_pip_reads(tree: RequirementsTree) -> Iterator[RequirementLine]:
    """Yield the lines of all files, those of an included file in the place of the line that includes it."""
    left = dict(tree.files)

    def lines(path: str) -> Iterator[RequirementLine]:
        for entry in left.pop(path).entries:
            yield entry
            if (
                entry.kind in {LineKind.INCLUDE, LineKind.CONSTRAINTS}
                and (target := included_path(path, entry)) in left
            ):
                yield from lines(target)

    for top in [*tree.files][:1]:
        yield from lines(top)


def constraint_lines(tree: RequirementsTree) -> list[str]:
    """Return the lines that constrain."""
    return [
        str(entry.requirement)
        for _, entry in _lines_of(tree, constraints=True)
        if entry.requirement is not None and not entry.requirement.url
    ]


def relaxed_lines(tree: RequirementsTree, caps: Mapping[str, str]) -> list[str]:
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
        for _, entry in _lines_of(tree, constraints=False)
        if entry.kind is LineKind.REQUIREMENT and entry.requirement is not None
    ]


def _relaxed(entry: RequirementLine, caps: Mapping[str, str]) -> Requirement:
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


def with_new_versions(text: str, versions: Mapping[str, tuple[str, str]]) -> str:
    """Return a requirements file with new versions where it pins the old ones.

    A line with hashes is left, for they are those of the old version, and so is a line that pins another version
    than the old one: another marker's, for instance.

    Args:
        text: the file.
        versions: by normalized name, the old and the new version.
    """
    pieces, end = [], 0
    for entry in parse_requirements(text):
        if entry.pin is not None and pins_old_version(entry, versions):
            pieces += [text[end : entry.pin[0]], versions[entry.name][1]]
            end = entry.pin[1]
    return "".join([*pieces, text[end:]])


def pins_old_version(entry: RequirementLine, versions: Mapping[str, tuple[str, str]]) -> bool:
    """Tell whether a line pins the old version of one of these packages where it can be changed."""
    if entry.kind is not LineKind.REQUIREMENT or entry.hashed or entry.pin is None or entry.name not in versions:
        return False
    return _same_version(entry.pinned or "", versions[entry.name][0])


def _same_version(version: str, other: str) -> bool:
    try:
        return Version(version) == Version(other)
    except InvalidVersion:
        return version == other
