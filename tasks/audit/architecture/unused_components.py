"""Which components nothing uses: no import from outside, and no mention of the name by which one could be loaded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ...core.report.model import Finding, Status
from ...core.text.formatting import count, listed
from ..audit_checks import UNREFERENCED
from .code_files import MOST_FILES, CodeFile, CodeWalk, Layout
from .code_mirror import LARGEST
from .import_graph import ImportGraph

_WILD = frozenset("*?[")

_READ = frozenset({".cfg", ".conf", ".env", ".ini", ".json", ".py", ".toml", ".yaml", ".yml"})
"""Of files in which a component may be named."""


class Component(NamedTuple):
    """A component: the path of its folder, and the name by which it is imported."""

    path: str
    module: str


def find_components(
    patterns: Iterable[str], packages: Sequence[str], roots: Sequence[str], found: Sequence[CodeFile]
) -> list[Component]:
    """Return the components that have code; a folder whose name starts with an underscore is none.

    Args:
        patterns: ``configuration.components``; components are the folders at a pattern's first wildcard.
        packages: ``audit.packages``.
        roots: the folders that modules are imported from.
        found: the project's files of code.
    """
    parents = {parent.parts for parent in _parents(patterns)}
    folders = {
        "/".join(parts[: len(above) + 1])
        for parts in (PurePosixPath(source.path).parts for source in found)
        for above in parents
        if len(parts) > len(above) + 1 and parts[: len(above)] == above and not parts[len(above)].startswith("_")
    }
    layout = Layout(tuple(packages), tuple(roots), frozenset())
    return [_component(path, layout) for path in sorted(folders)]


def _component(path: str, layout: Layout) -> Component:
    return Component(path, ".".join(PurePosixPath(path).relative_to(layout.base_of(path)).parts))


def _parents(patterns: Iterable[str]) -> Iterator[PurePosixPath]:
    for pattern in patterns:
        parts = PurePosixPath(pattern).parts
        wild = next((place for place, part in enumerate(parts) if _WILD & {*part}), 0)
        if 0 < wild < len(parts) - 1:
            yield PurePosixPath(*parts[:wild])


def unused_finding(
    root: Path, known: Sequence[Component], graph: ImportGraph, walk: CodeWalk, left_out: frozenset[str]
) -> Finding:
    """Return the finding on the components.

    Args:
        root: the project.
        known: its components.
        graph: what imports what.
        walk: a walk of the project; its problems are reported elsewhere.
        left_out: the paths of folders without configuration: logs, cache, backups.
    """
    if not known:
        return UNREFERENCED.finding(Status.SKIPPED, "components", "There are no components with code.")
    if graph.problem:
        message = "Whether the components are used is not known, for the imports could not be analysed."
        return UNREFERENCED.finding(Status.UNKNOWN, "components", message, "See to the finding on imports first.")
    candidates = [each for each in known if each.module not in graph.used]
    mentioned = _mentioned(root, candidates, walk, left_out) if candidates else set()
    unused = [each.path for each in candidates if each.path not in mentioned]
    if not unused:
        return UNREFERENCED.finding(
            Status.OK, "components", f"All of {count(len(known), 'component')} are used.", value=0, unit="components"
        )
    return UNREFERENCED.finding(
        Status.WARNING,
        "components",
        f"Of {count(len(known), 'component')}, {count(len(unused), 'is', 'are')} neither imported from outside "
        f"nor named in code or configuration: {listed(unused, len(unused), 10)}.",
        "Remove what is no longer used.",
        value=len(unused),
        unit="components",
    )


def _mentioned(root: Path, candidates: Sequence[Component], walk: CodeWalk, left_out: frozenset[str]) -> set[str]:
    """Return the paths of the components whose name is somewhere outside their folder, as a word of its own."""
    patterns = {each.path: _pattern(PurePosixPath(each.path).name) for each in candidates}
    mentioned: set[str] = set()
    for number, path in enumerate(walk.files("", _may_name, left_out)):
        left = {each: pattern for each, pattern in patterns.items() if each not in mentioned}
        if not left or number == MOST_FILES:
            break
        mentioned |= _in_file(root, path, left)
    return mentioned


def _may_name(name: str) -> bool:
    return PurePosixPath(name).suffix in _READ or name.startswith(".env")


def _pattern(name: str) -> re.Pattern[bytes]:
    """Return what a mention looks like: any case, and a hyphen for an underscore, as in settings."""
    words = [re.escape(word.encode("utf-8", "surrogateescape")) for word in re.split("[-_]", name)]
    return re.compile(rb"(?<![A-Za-z0-9_])" + rb"[-_]?".join(words) + rb"(?![A-Za-z0-9_])", re.IGNORECASE)


def _in_file(root: Path, path: str, patterns: Mapping[str, re.Pattern[bytes]]) -> set[str]:
    try:
        with (root / path).open("rb") as stream:
            content = stream.read(LARGEST)
    except OSError:
        return set()
    return {each for each, pattern in patterns.items() if not path.startswith(f"{each}/") and pattern.search(content)}
