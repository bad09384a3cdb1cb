"""Reads the imports of a mirrored project with grimp; a program of its own, so that a crash or a hang is only its own.

It takes the path of a JSON document with the work and that of one for the answer. Nothing of the project is
imported: while grimp looks for packages, a finder that comes before all others names the folder of each and has
nothing that could execute it.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import grimp
from grimp.exceptions import SourceSyntaxError

MOST_BROKEN = 100
"""Files with a syntax error that are left out one after the other; with more, there is no answer."""

MOST_CYCLES = 10

_ASIDE = ".aside"
"""What the name of a copy that is left out ends with; an empty one takes its place."""

_MOST_TRIED = 5_000
"""Imports of one circle that are tried for the shortest way round."""


class Finder:
    """Finds the packages of a folder, as namespaces without code."""

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        self._folder = folder
        self._names = frozenset(names)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the place of a package; ``None`` for one that is not of the folder."""
        del path, target
        if name not in self._names:
            return None
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(self._folder / name)]
        return spec


def main(arguments: Sequence[str]) -> None:
    """Do the work of a document and write the answer."""
    work, answer = map(Path, arguments)
    result = examine(**json.loads(work.read_text(encoding="utf-8")))
    answer.write_text(json.dumps(result), encoding="utf-8")


def examine(
    folder: str,
    names: Sequence[str],
    components: Sequence[str],
    *,
    own: Sequence[str] = (),
    bare: Sequence[str] = (),
    cautious: bool = False,
) -> dict[str, Any]:
    """Return what there is in a mirror.

    Args:
        folder: the mirror.
        names: the packages at its top.
        components: the modules (packages) for which ``used`` is wanted.
        own: further names of packages that are the project's, from wherever they are imported.
        bare: the folders in it that have no ``__init__.py`` in the project.
        cautious: leave out what Python finds too deeply nested; far deeper nesting makes grimp crash.

    Returns:
        ``loaded``: the packages that cannot be looked at, because the interpreter has loaded one of that name;
        ``deep``: the paths of the files that are left out for their nesting;
        ``broken``: path, line and text of each syntax error;
        ``imports``: how many there are;
        ``cycles``: how many; ``shortest``: of the first ten, the size and a shortest way round, as importer, imported,
        line and whether that is inside a function;
        ``used``: the components that are imported from outside;
        ``own``: how many imports are of the project's own modules, as far as their names tell;
        ``unresolved``: how many of them name no module that is there;
        ``example``: path, line and text of the first of these; ``None`` where there is none.
    """
    loaded = [name for name in names if name in sys.modules or name in sys.builtin_module_names]
    looked_at = [name for name in names if name not in loaded]
    deep = list(_too_deep(Path(folder))) if cautious else []
    broken: list[tuple[str, int, str]] = []
    graph = _graph(Path(folder), looked_at, broken)
    names_of_own = {*looked_at, *own} - {*loaded, *sys.stdlib_module_names}
    resolution = _resolution(graph, Path(folder), names_of_own, frozenset(bare))
    circles = list(_circles(graph))
    shortest = sorted(
        (_shortest_cycle(graph, Path(folder), circle) for circle in circles[:MOST_CYCLES]),
        key=lambda each: each["imports"],
    )
    return {
        "loaded": loaded,
        "deep": deep,
        "broken": broken,
        "imports": graph.count_imports(),
        "cycles": len(circles),
        "shortest": shortest,
        "used": [name for name in components if _is_used(graph, name)],
        **resolution,
    }


def _too_deep(folder: Path) -> Iterator[str]:
    for aside in folder.rglob(f"*{_ASIDE}"):
        aside.rename(aside.with_suffix(""))  # the crash came before anybody could report it
    for path in sorted(folder.rglob("*.py")):
        try:
            ast.parse(path.read_bytes())
        except (RecursionError, MemoryError):
            _blank(path)
            yield str(path)
        except (SyntaxError, ValueError):
            continue


def _blank(copy: Path) -> None:
    copy.rename(f"{copy}{_ASIDE}")
    copy.touch()


def _graph(folder: Path, names: Sequence[str], broken: list[tuple[str, int, str]]) -> grimp.ImportGraph:
    finder = Finder(folder, names)
    sys.meta_path.insert(0, finder)
    try:
        while names:
            try:
                return grimp.build_graph(*names, exclude_type_checking_imports=True, cache_dir=None)
            except SourceSyntaxError as error:
                if len(broken) == MOST_BROKEN:
                    raise
                broken.append((error.filename, error.lineno or 1, (error.text or "").strip()[:200]))
                _blank(Path(error.filename))
    finally:
        sys.meta_path.remove(finder)
    return grimp.ImportGraph()


class _Import(NamedTuple):
    """An import statement's part: the module it names, and what it takes of that; empty where it takes the module."""

    line: int
    level: int
    module: str
    name: str
    text: str


def _resolution(graph: grimp.ImportGraph, folder: Path, own: Collection[str], bare: Collection[str]) -> dict[str, Any]:
    """Return how many imports are of the project's own modules, and which of them name none that is there."""
    number, missing = 0, list[tuple[str, int, str]]()
    modules = frozenset(graph.modules)  # grimp makes a set of them at each access
    empty = {".".join(Path(each).relative_to(folder).parts) for each in bare}
    for path in sorted(folder.rglob("*.py")):
        package = path.parent.relative_to(folder).parts
        for each in _imports(path):
            target = _absolute(each, package)
            first = target.partition(".")[0]
            if not each.level and first not in own and not _is_beside(path.parent, first, bare):
                continue
            number += 1
            if not _is_there(modules, target, each.name, empty):
                missing.append((str(path), each.line, each.text))
    return {"own": number, "unresolved": len(missing), "example": min(missing, default=None)}


def _imports(path: Path) -> Iterator[_Import]:
    """Yield the imports of a file; none where Python's own parser cannot read it."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield _Import(node.lineno, 0, alias.name, "", f"import {alias.name}")
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            for alias in node.names:
                text = f"from {'.' * node.level}{module} import {alias.name}"
                yield _Import(node.lineno, node.level, module, alias.name, text)


def _statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield the statements of a module at every depth; walking its expressions as well takes twenty times as long."""
    left: list[ast.AST] = [*tree.body]
    while left:
        node = left.pop()
        yield node
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            inner = getattr(node, block, None)
            if isinstance(inner, list):  # the body of a lambda or the branches of an expression are single nodes
                left += inner


def _absolute(each: _Import, package: Sequence[str]) -> str:
    """Return the full name of the module that an import names; empty where it leads out of the top."""
    if not each.level:
        return each.module
    kept = len(package) - each.level + 1
    return ".".join([*package[:kept], *([each.module] if each.module else [])]) if kept > 0 else ""


def _is_beside(folder: Path, name: str, bare: Collection[str]) -> bool:
    """Tell whether a module lies beside the one that imports it, where only a program started there finds it."""
    if str(folder) not in bare or name in sys.stdlib_module_names:
        return False
    return (folder / name).is_dir() or (folder / f"{name}.py").is_file()


def _is_there(modules: Collection[str], module: str, name: str, empty: Collection[str]) -> bool:
    if module not in modules:
        return False
    # A folder without __init__.py has nothing but modules to give.
    return not name or name == "*" or module not in empty or f"{module}.{name}" in modules


def _circles(graph: grimp.ImportGraph) -> Iterator[set[str]]:
    """Yield the sets of modules that all lead to each other, in the order of their names.

    The standard library sorts out the modules that are in no circle, grimp knows which of the others reach each other.
    """
    left = _in_circles({module: graph.find_modules_directly_imported_by(module) for module in graph.modules})
    left &= _in_circles({module: graph.find_modules_that_directly_import(module) for module in graph.modules})
    while left:
        first = min(left)
        circle = graph.find_upstream_modules(first) & graph.find_downstream_modules(first)
        left -= {first}
        if circle - {first}:
            left -= circle
            yield circle | {first}


def _in_circles(neighbours: dict[str, set[str]]) -> set[str]:
    """Return the modules that are in a circle or behind one."""
    sorter = TopologicalSorter(neighbours)
    left = set(neighbours)
    try:
        sorter.prepare()
    except CycleError:
        while ready := sorter.get_ready():
            left -= {*ready}
            sorter.done(*ready)
        return left
    return set()


def _shortest_cycle(graph: grimp.ImportGraph, folder: Path, circle: Collection[str]) -> dict[str, Any]:
    chain = _shortest(graph, circle)
    steps = list(zip(chain, [*chain[1:], chain[0]], strict=True))
    return {"size": len(circle), "imports": [(one, other, *_import(graph, folder, one, other)) for one, other in steps]}


def _shortest(graph: grimp.ImportGraph, circle: Collection[str]) -> list[str]:
    """Return the modules of a shortest way round, from the first by name."""
    best: list[str] = []
    tried = 0
    for importer in sorted(circle):
        for imported in sorted(graph.find_modules_directly_imported_by(importer) & {*circle} - {importer}):
            tried += 1
            back = graph.find_shortest_chain(importer=imported, imported=importer)
            if back and (not best or len(back) < len(best)):
                best = [*back]
            if len(best) == 2 or (best and tried == _MOST_TRIED):  # noqa: PLR2004 - no circle is shorter than two
                return _from_first(best)
    return _from_first(best)


def _from_first(chain: list[str]) -> list[str]:
    start = chain.index(min(chain))
    return chain[start:] + chain[:start]


def _import(graph: grimp.ImportGraph, folder: Path, importer: str, imported: str) -> tuple[int, bool]:
    """Return the line of an import, and whether it is inside a function; one at the top of a module comes first."""
    bodies = list(_functions(folder, importer))
    details = graph.get_import_details(importer=importer, imported=imported)
    inside, line = min((any(each["line_number"] in body for body in bodies), each["line_number"]) for each in details)
    return line, inside


def _functions(folder: Path, module: str) -> Iterator[range]:
    """Yield the lines of each function of a module; none where Python's own parser does not know the syntax."""
    package = folder.joinpath(*module.split("."))
    path = package.with_name(f"{package.name}.py")
    try:
        tree = ast.parse((path if path.exists() else package / "__init__.py").read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _is_used(graph: grimp.ImportGraph, name: str) -> bool:
    if name not in graph.modules:
        return False
    own = {name, *graph.find_descendants(name)}
    return any(graph.find_modules_that_directly_import(module) - own for module in own)


if __name__ == "__main__":
    main(sys.argv[1:])
