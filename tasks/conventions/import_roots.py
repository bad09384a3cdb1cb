"""From which folders the project's modules are imported: by its build configuration, its packages and its imports."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from .build_files import ini, line_of, literal, pyproject, setup_arguments, table, texts
from .convention import Convention, Evidence
from .project_files import ProjectFiles, is_foreign

_SOUGHT = (
    "package folders in pyproject.toml, setup.cfg and setup.py, folders with __init__.py, and imports of the sources"
)

_IMPORT = re.compile(rb"(?m)^[ \t]*(?:from|import)[ \t]+([A-Za-z_]\w*(?:\.\w+)*)")


class ImportRoot(NamedTuple):
    """A folder from which modules are imported.

    Attributes:
        path: below the root of the project; ``.`` for that itself.
        evidence: what says so.
    """

    path: str
    evidence: Evidence


def find_import_roots(files: ProjectFiles) -> Convention[tuple[ImportRoot, ...]]:
    """Return the folders from which modules are imported: those of the build configuration first.

    A package that no build configuration names is imported from the first folder above it without an ``__init__.py``,
    as mypy and pytest have it; a module or a folder without one, where a source below the folder that holds it imports
    it by name, from that folder. A folder in another root whose modules more imports name from there is no root.
    """
    roots: dict[str, ImportRoot] = {}
    for root in _configured(files):
        roots.setdefault(root.path, root)
    configured = frozenset(roots)
    for root in (*_of_packages(files), *_of_imports(files)):
        roots.setdefault(root.path, root)
    for path in _named_from_above(files, roots):
        if path not in configured:
            del roots[path]
    return Convention(
        "import roots",
        _SOUGHT,
        tuple(roots.values()) or None,
        ", ".join(roots),
        tuple(root.evidence for root in roots.values()),
        setting="maintenance.audit.packages",
    )


def _configured(files: ProjectFiles) -> Iterator[ImportRoot]:
    for path in files.named("pyproject.toml", "setup.cfg", "setup.py"):
        if is_foreign(path):
            continue
        folder = PurePosixPath(path).parent
        for named, key in _named_folders(files, path):
            root = _normal(folder / named)
            if root is not None and (files.root / root).is_dir():
                yield ImportRoot(root, Evidence(path, line_of(files, path, [key]), f"{key} = {named!r}"))


def _named_folders(files: ProjectFiles, path: str) -> Iterator[tuple[str, str]]:
    """Yield the folders that a file names, and by which key."""
    if path.endswith("pyproject.toml"):
        yield from _of_pyproject(files, path)
    elif path.endswith("setup.cfg"):
        sections = ini(files, path)
        yield from ((each, "package_dir") for each in _ini_dir(sections.get("options", {}).get("package_dir", "")))
        yield from ((each, "where") for each in sections.get("options.packages.find", {}).get("where", "").split())
    else:
        arguments = setup_arguments(files, path)
        folders = literal(arguments.get("package_dir"))
        if isinstance(folders, dict) and isinstance(folders.get(""), str):
            yield folders[""], "package_dir"
        packages = arguments.get("packages")
        if isinstance(packages, ast.Call):
            given = [*packages.args[:1], *(each.value for each in packages.keywords if each.arg == "where")]
            yield from ((each, "packages") for node in given for each in texts(literal(node)))


def _ini_dir(text: str) -> Iterator[str]:
    """Yield the folder of all packages in the notation of setup.cfg: lines of ``= src``."""
    for line in text.splitlines():
        name, _, folder = line.partition("=")
        if not name.strip() and folder.strip():
            yield folder.strip()


def _of_pyproject(files: ProjectFiles, path: str) -> Iterator[tuple[str, str]]:
    tree = pyproject(files, path)
    tool = table(tree, "tool")
    yield from ((each, "package-dir") for each in texts(table(tool, "setuptools", "package-dir").get("")))
    yield from ((each, "where") for each in texts(table(tool, "setuptools", "packages", "find").get("where")))
    wheel = table(tool, "hatch", "build", "targets", "wheel")
    yield from ((str(PurePosixPath(each).parent), "packages") for each in texts(wheel.get("packages")))
    yield from ((each, "sources") for each in texts(wheel.get("sources")))
    for include in (
        table(tool, "poetry").get("packages", []) if isinstance(table(tool, "poetry").get("packages"), list) else []
    ):
        if isinstance(include, dict) and isinstance(include.get("from"), str):
            yield include["from"], "packages"
    yield from ((each, "package-dir") for each in texts(table(tool, "pdm", "build").get("package-dir")))
    yield from ((each, "module-root") for each in texts(table(tool, "uv", "build-backend").get("module-root")))
    yield from ((each, "python-source") for each in texts(table(tool, "maturin").get("python-source")))


def _of_packages(files: ProjectFiles) -> Iterator[ImportRoot]:
    """Yield the folder above each package that lies in no other package."""
    packages = {path.rpartition("/")[0] for path in files.sources if path.endswith("/__init__.py")}
    for package in sorted(packages, key=lambda each: (each.count("/"), each)):
        above = package.rpartition("/")[0]
        if above not in packages and package.rpartition("/")[2].isidentifier():
            yield ImportRoot(above or ".", Evidence(f"{package}/__init__.py"))


def _of_imports(files: ProjectFiles) -> Iterator[ImportRoot]:
    """Yield the folders above sources that hold a module, or a package without a mark, which these import by name.

    What the root of the project holds is imported from there; of other folders, from the one nearest to the source.
    """
    modules = {path.removesuffix(".py") for path in files.sources}
    folders = {str(folder) for path in files.sources for folder in PurePosixPath(path).parents}
    found: set[str] = set()
    for path in files.sources:
        above = (".", *map(str, PurePosixPath(path).parents))
        for match in _IMPORT.finditer(files.content(path) or b""):
            first = match[1].partition(b".")[0].decode()
            if first in sys.stdlib_module_names:
                continue
            folder = next((each for each in above if _is_in(first, each, modules, folders, path)), None)
            if folder is not None and folder not in found and _below(folder, "__init__") not in modules:
                found.add(folder)
                content = files.content(path) or b""
                begin = content.rfind(b"\n", 0, match.start(1)) + 1
                line = content[begin:].partition(b"\n")[0].decode("utf-8", "replace").strip()
                yield ImportRoot(folder, Evidence(path, content.count(b"\n", 0, begin) + 1, line))


def _is_in(name: str, folder: str, modules: Collection[str], folders: Collection[str], importer: str) -> bool:
    place = _below(folder, name)
    return f"{place}.py" != importer and (place in modules or place in folders)


def _below(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder}/{name}"


def _named_from_above(files: ProjectFiles, roots: Iterable[str]) -> list[str]:
    """Return the roots in another root whose modules more imports name from that one: ``domains.materials.image``."""
    nested = {root: dotted for root in roots if (dotted := _from_above(root, roots))}
    if not nested:
        return []
    first, prefixes = Counter[str](), Counter[str]()
    for path in files.sources:
        for found in _IMPORT.findall(files.content(path) or b""):
            parts = found.decode().split(".")
            first[parts[0]] += 1
            prefixes.update(".".join(parts[:end]) for end in range(1, len(parts) + 1))
    return [
        root
        for root, dotted in nested.items()
        if prefixes[dotted] > sum(first[name] for name in _names_in(files, root))
    ]


def _from_above(root: str, roots: Iterable[str]) -> str:
    """Return the name of a root as it is imported from the nearest root around it; empty where there is none."""
    for folder in PurePosixPath(root).parents:
        if str(folder) in roots:
            parts = PurePosixPath(root).relative_to(folder).parts
            return ".".join(parts) if all(part.isidentifier() for part in parts) else ""
    return ""


def _names_in(files: ProjectFiles, root: str) -> set[str]:
    """Return the names of the modules and packages in a folder."""
    return {
        path.removeprefix(f"{root}/").partition("/")[0].removesuffix(".py")
        for path in files.sources
        if path.startswith(f"{root}/")
    }


def _normal(path: PurePosixPath) -> str | None:
    """Return a path without dots; ``None`` where it leads out of the project."""
    if path.is_absolute() or ".." in path.parts:
        return None
    return str(path)
