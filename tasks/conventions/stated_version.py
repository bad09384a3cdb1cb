"""The version as the project's files state it. Nothing of the project is run: files are read by their formats."""

from __future__ import annotations

import ast
import configparser
import json
import re
import tomllib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, NoReturn

from ..core.files import safe_files
from ..core.text.formatting import printable
from .static_values import static_value

_LIMIT = 1_000_000

_PLACES = ("pyproject.toml", "setup.cfg", "setup.py", "package.json", "Cargo.toml", "VERSION", "VERSION.txt")
_MODULES = ("__init__.py", "__about__.py", "__version__.py", "_version.py", "version.py")
_NO_PACKAGES = frozenset(
    {"build", "dist", "doc", "docs", "env", "examples", "node_modules", "test", "testing", "tests", "vendor", "venv"}
)

_TAGGERS = frozenset(
    {"flit-scm", "hatch-vcs", "pbr", "poetry-dynamic-versioning", "setuptools-git-versioning", "setuptools-scm"}
    | {"uv-dynamic-versioning", "versioneer", "versioningit"}
)
"""Build requirements and tables of tools that make the version from tags."""


class StatedVersion(NamedTuple):
    """A version, and the file that states it."""

    place: str
    version: str


class StatedVersions(NamedTuple):
    """What the files say.

    Attributes:
        stated: the versions.
        from_tags: the file that says that the version is made from tags; empty: none does.
        problems: sentences on files that could not be read or state none.
    """

    stated: tuple[StatedVersion, ...] = ()
    from_tags: str = ""
    problems: tuple[str, ...] = ()


class _FromTags(Exception):
    """The version is made from tags."""


class _ElsewhereError(Exception):
    """The version stands in another place, or is computed.

    Args:
        paths: the files one of which states it; none where that is not said.
        name: the variable that holds it there; empty: the usual ones.
        line: that of the expression which computes it; 0 where it is not computed.
    """

    def __init__(self, *paths: str, name: str = "", line: int = 0) -> None:
        super().__init__(*paths)
        self.paths = paths
        self.name = name
        self.line = line


class _Place(NamedTuple):
    """A file to look into, and the variable to look for besides the usual one."""

    path: str
    name: str = ""


def read_versions(root: Path, configured: Sequence[str], is_own: Callable[[str], bool]) -> StatedVersions:
    """Return what the project's files say of its version.

    Args:
        root: the project.
        configured: the files to read, below the root; none: those that usually state one, where they are there.
        is_own: tells by its path below the root whether the suite wrote a file, which then states nothing.
    """
    stated: dict[str, StatedVersion] = {}
    problems: list[str] = []
    from_tags = left = ""
    pending = [_Place(path) for path in configured or _usual(root, is_own)]
    for place in pending:  # it may grow
        try:
            version, problem = _look(root, place, asked=place.path in configured)
        except _FromTags:
            from_tags = place.path
        except _ElsewhereError as elsewhere:
            does = f"{printable(place.path)}:{elsewhere.line} computes the version"
            left = left or (does if elsewhere.line else f"{printable(place.path)} leaves the version to the build")
            there = [path for path in elsewhere.paths if (root / path).is_file()] or [*elsewhere.paths[:1]]
            found = [_Place(path, elsewhere.name) for path in there[:1]]
            pending += [each for each in found if each not in pending]
        else:
            if version:
                stated.setdefault(place.path, StatedVersion(place.path, version))
            problems += [problem] if problem else []
    if from_tags and not configured:  # what a build wrote down is that build's
        stated = {path: each for path, each in stated.items() if PurePosixPath(path).name not in _MODULES}
    if left and not (stated or from_tags or problems):
        problems.append(f"{left}, and no file was found that states it.")
    return StatedVersions(tuple(stated.values()), from_tags, tuple(problems))


def _look(root: Path, place: _Place, *, asked: bool) -> tuple[str, str]:
    """Return the version that a file states, and what is wrong with the file as a sentence; each may be empty.

    A file that was *asked* for has to state one.

    Raises:
        _FromTags, _ElsewhereError: it leaves that to others.
    """
    path, name = place.path, printable(place.path)
    names = (_ASKED if asked else _FOUND) | ({place.name} if place.name else frozenset())
    try:
        version = _version(path, safe_files.read(root, path, limit=_LIMIT), names)
    except FileNotFoundError:
        return "", f"{name} is not there."
    except safe_files.Refused as error:
        return "", str(error)
    except OSError as error:
        return "", f"{name} cannot be read: {error.strerror}."
    except (ValueError, SyntaxError, RecursionError, MemoryError, configparser.Error) as error:
        return "", f"{name} does not parse: {printable(' '.join(str(error).split()))}."
    asked |= bool(place.name)
    return version, f"{name} states no version." if asked and not version else ""


def _usual(root: Path, is_own: Callable[[str], bool]) -> Iterator[str]:
    yield from (name for name in _PLACES if (root / name).is_file())
    for top in (root, root / "src"):
        try:
            folders = sorted(each for each in top.iterdir() if each.is_dir() and not each.is_symlink())
        except OSError:
            continue
        for folder in folders:
            if folder.name.startswith(".") or folder.name in _NO_PACKAGES:
                continue
            for name in _MODULES:
                path = f"{folder.relative_to(root).as_posix()}/{name}"
                if (folder / name).is_file() and not is_own(path):
                    yield path


def _version(path: str, content: bytes, names: frozenset[str]) -> str:
    """Return the version that a file states; empty: none."""
    name = PurePosixPath(path)
    text = content.decode("utf-8-sig")
    if name.name == "pyproject.toml":
        return _of_pyproject(tomllib.loads(text))
    if name.name == "Cargo.toml":
        return _of_cargo(tomllib.loads(text))
    if name.name == "setup.py":
        return _of_setup(text)
    if name.suffix == ".py":
        return _of_module(text, names)
    return _BY_SUFFIX.get(name.suffix, _of_text)(text)


_FOUND = frozenset({"__version__"})
_ASKED = frozenset({"__version__", "VERSION", "version"})


def _of_pyproject(tree: Mapping[str, Any]) -> str:
    project, tool = _table(tree, "project"), _table(tree, "tool")
    if _table(tool, "poetry-dynamic-versioning").get("enable") is True:
        raise _FromTags
    if "version" in _list(project, "dynamic"):
        _elsewhere(tree, project, tool)
    return _text(project) or _text(_table(tool, "poetry"))


def _elsewhere(tree: Mapping[str, Any], project: Mapping[str, Any], tool: Mapping[str, Any]) -> NoReturn:
    """Say where the version of a project stands that declares it as dynamic.

    Raises:
        _FromTags, _ElsewhereError: always.
    """
    requires = [str(each) for each in _list(_table(tree, "build-system"), "requires")]
    hatch, pdm = _table(_table(tool, "hatch"), "version"), _table(_table(tool, "pdm"), "version")
    scikit = _table(_table(_table(tool, "scikit-build"), "metadata"), "version")
    setuptools = _table(_table(tool, "setuptools"), "dynamic").get("version")
    path = hatch.get("path") or pdm.get("path") or scikit.get("input")
    if path:
        raise _ElsewhereError(str(path))
    if isinstance(setuptools, dict):
        files = setuptools.get("file")
        raise _of_reference(str(setuptools.get("attr") or ""), *([files] if isinstance(files, str) else files or ()))
    if hatch.get("source") == "nodejs":
        raise _ElsewhereError("package.json")
    names = {_requirement(each) for each in (*requires, *tool)}
    if "vcs" in str(hatch.get("source")) or pdm.get("source") == "scm" or names & _TAGGERS:
        raise _FromTags
    if "setuptools_scm" in str(scikit.get("provider")):
        raise _FromTags
    if "maturin" in names:
        raise _ElsewhereError("Cargo.toml")
    module = _table(_table(tool, "flit"), "module").get("name") or project.get("name")
    if "flit-core" in names and isinstance(module, str):
        raise _of_reference(f"{module.replace('-', '_')}.__version__")
    raise _ElsewhereError


def _requirement(text: str) -> str:
    """Return the name of what is required, as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", text.strip(), maxsplit=1)[0]).lower()


def _of_reference(attribute: str, *files: str) -> _ElsewhereError:
    """Return where a version stands that setuptools is to find: an attribute of a module, or a file."""
    module, _, name = attribute.rpartition(".")
    if not module:
        return _ElsewhereError(*files)
    path = module.replace(".", "/")
    places = (f"{folder}{path}{end}" for folder in ("", "src/") for end in (".py", "/__init__.py"))
    return _ElsewhereError(*places, name=name)


def _of_cargo(tree: Mapping[str, Any]) -> str:
    package = _table(tree, "package")
    if package.get("publish") is False:
        return ""
    if _table(package, "version").get("workspace") is True:
        return _text(_table(_table(tree, "workspace"), "package"))
    return _text(package)


def _table(tree: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = tree.get(name)
    return value if isinstance(value, dict) else {}


def _list(tree: Mapping[str, Any], name: str) -> list[Any]:
    value = tree.get(name)
    return value if isinstance(value, list) else []


def _text(tree: Mapping[str, Any]) -> str:
    value = tree.get("version")
    return value if isinstance(value, str) else ""


def _of_ini(text: str) -> str:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    version = parser.get("metadata", "version", fallback="")
    if "versioneer" in parser and not version:
        raise _FromTags
    if version.startswith("attr:"):
        raise _of_reference(version.removeprefix("attr:").strip())
    if version.startswith("file:"):
        raise _ElsewhereError(version.removeprefix("file:").strip())
    return version


def _of_json(text: str) -> str:
    tree = json.loads(text)
    # A package that is never published has a version of no meaning.
    return _text(tree) if isinstance(tree, dict) and tree.get("private") is not True else ""


def _of_toml(text: str) -> str:
    return _text(tomllib.loads(text))


def _of_text(text: str) -> str:
    lines = text.split("\n", 1)
    return lines[0].strip()


_BY_SUFFIX: Mapping[str, Callable[[str], str]] = {
    ".cfg": _of_ini,
    ".ini": _of_ini,
    ".json": _of_json,
    ".toml": _of_toml,
}


def _of_module(text: str, names: frozenset[str]) -> str:
    """Return the version that a module assigns to one of these names.

    Raises:
        _ElsewhereError: the module computes it from what its text does not tell.
    """
    known: dict[str, Any] = {}
    for name, value in _assignments(_tree(text)):
        known[name] = static_value(value, known)
        if name not in names or (isinstance(value, ast.Constant) and not isinstance(value.value, str)):
            continue
        if isinstance(known[name], str):
            return str(known[name])
        if isinstance(known[name], tuple) and name != "__version__":
            return ".".join(map(str, known[name]))
        raise _ElsewhereError(line=value.lineno)
    return ""


def _of_setup(text: str) -> str:
    """Return the version that a ``setup.py`` gives to ``setup``.

    Raises:
        _FromTags, _ElsewhereError: it leaves that to others.
    """
    tree = _tree(text)
    known: dict[str, Any] = {}
    for name, value in _assignments(tree):
        known[name] = static_value(value, known)
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "setup"):
            continue
        given = {each.arg: each.value for each in node.keywords}
        if given.keys() & {"use_scm_version", "pbr"} or "versioneer." in ast.unparse(given.get("version", node.func)):
            raise _FromTags
        if "version" in given:
            version = static_value(given["version"], known)
            if isinstance(version, str):
                return version
            raise _ElsewhereError(line=given["version"].lineno)
    return ""


def _tree(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def _assignments(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names that a module assigns to outside of functions and branches, and what."""
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Name):
                    yield target.id, node.value
