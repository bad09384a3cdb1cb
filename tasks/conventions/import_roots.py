"""From which folders the project's modules are imported: by its build configuration, its packages and its imports."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from .build_files import ini, line_of, literal, pyproject, setup_arguments, table, texts
from .convention import Convention, Evidence
from .project_files import ProjectFiles, is_foreign

_SOUGHT = (
    "package folders in pyproject.toml, setup.cfg and setup.py, folders with __init__.py, and imports of the sources"
)

_IMPORT = re.compile(rb"(?m)^[ \t]*(?:from|import)[ \t]+([A-Za-z_]\w*)")


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
    as mypy and pytest have it; a folder without one, where a source imports it by name, from the folder that holds it.
    """
    roots: dict[str, ImportRoot] = {}
    for root in (*_configured(files), *_of_packages(files), *_of_imports(files)):
        roots.setdefault(root.path, root)
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
    """Yield the root of the project where sources import its modules, or folders that are packages without a mark."""
    here = {path.partition("/")[0].removesuffix(".py") for path in files.sources}
    for match in files.matches(_IMPORT, files.sources):
        if match.found[1].decode() in here:
            yield ImportRoot(".", Evidence(match.path, match.line, match.text))
            return


def _normal(path: PurePosixPath) -> str | None:
    """Return a path without dots; ``None`` where it leads out of the project."""
    if path.is_absolute() or ".." in path.parts:
        return None
    return str(path)
