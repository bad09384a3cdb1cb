"""The version as the project's files state it. Nothing of the project is run: files are read by their formats."""

from __future__ import annotations

import ast
import configparser
import json
import tomllib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from ..core.files import safe_files
from ..core.text.formatting import printable

_LIMIT = 1_000_000

_PLACES = ("pyproject.toml", "setup.cfg", "setup.py", "package.json", "VERSION", "VERSION.txt")
_MODULES = ("__init__.py", "__about__.py", "__version__.py", "_version.py", "version.py")
_NO_PACKAGES = frozenset({"build", "dist", "env", "node_modules", "test", "tests", "venv"})

_TAGGERS = ("hatch-vcs", "poetry-dynamic-versioning", "setuptools-scm", "setuptools_scm", "versioningit")
"""Build requirements that make the version from tags."""


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
    """The file leaves the version to another one; the message is its path, if it says which."""


def read_versions(root: Path, configured: Sequence[str], own: Sequence[str]) -> StatedVersions:
    """Return what the project's files say of its version.

    Args:
        root: the project.
        configured: the files to read, below the root; none: those that usually state one, where they are there.
        own: folders below the root in which nothing is looked for.
    """
    stated: list[StatedVersion] = []
    problems: list[str] = []
    from_tags = left = ""
    pending = [*(configured or _usual(root, own))]
    for path in pending:  # it may grow
        try:
            version, problem = _look(root, path, asked=path in configured)
        except _FromTags:
            from_tags = path
        except _ElsewhereError as elsewhere:
            left = path
            pending += {str(elsewhere)} - {"", *pending}
        else:
            stated += [StatedVersion(path, version)] if version else []
            problems += [problem] if problem else []
    if from_tags and not configured:  # what a build wrote down is that build's
        stated = [each for each in stated if PurePosixPath(each.place).name not in _MODULES]
    if left and not (stated or from_tags or problems):
        problems.append(f"{printable(left)} leaves the version to the build, and no file was found that states it.")
    return StatedVersions(tuple(stated), from_tags, tuple(problems))


def _look(root: Path, path: str, *, asked: bool) -> tuple[str, str]:
    """Return the version that a file states, and what is wrong with the file as a sentence; each may be empty.

    A file that was *asked* for has to state one.

    Raises:
        _FromTags, _ElsewhereError: it leaves that to others.
    """
    name = printable(path)
    try:
        version = _version(path, safe_files.read(root, path, limit=_LIMIT), asked=asked)
    except FileNotFoundError:
        return "", f"{name} is not there."
    except safe_files.Refused as error:
        return "", str(error)
    except OSError as error:
        return "", f"{name} cannot be read: {error.strerror}."
    except (ValueError, SyntaxError, RecursionError, MemoryError, configparser.Error) as error:
        return "", f"{name} does not parse: {printable(' '.join(str(error).split()))}."
    return version, f"{name} states no version." if asked and not version else ""


def _usual(root: Path, own: Sequence[str]) -> Iterator[str]:
    yield from (name for name in _PLACES if (root / name).is_file())
    for top in (root, root / "src"):
        try:
            folders = sorted(each for each in top.iterdir() if each.is_dir() and not each.is_symlink())
        except OSError:
            continue
        for folder in folders:
            relative = folder.relative_to(root).as_posix()
            if folder.name.startswith(".") or folder.name in _NO_PACKAGES or relative in own:
                continue
            yield from (f"{relative}/{name}" for name in _MODULES if (folder / name).is_file())


def _version(path: str, content: bytes, *, asked: bool) -> str:
    """Return the version that a file states; empty: none."""
    name = PurePosixPath(path)
    text = content.decode("utf-8-sig")
    if name.name == "pyproject.toml":
        return _of_pyproject(tomllib.loads(text))
    if name.suffix == ".py":
        return _of_module(text, setup=name.name == "setup.py", names=_ASKED if asked else _FOUND)
    return _BY_SUFFIX.get(name.suffix, _of_text)(text)


_FOUND = frozenset({"__version__"})
_ASKED = frozenset({"__version__", "VERSION", "version"})


def _of_pyproject(tree: Mapping[str, Any]) -> str:
    project, tool = _table(tree, "project"), _table(tree, "tool")
    if "version" in _list(project, "dynamic"):
        requires = _list(_table(tree, "build-system"), "requires")
        hatch, pdm = _table(_table(tool, "hatch"), "version"), _table(_table(tool, "pdm"), "version")
        if hatch.get("source") == "vcs" or pdm.get("source") == "scm" or "setuptools_scm" in tool:
            raise _FromTags
        if any(str(each).lower().startswith(_TAGGERS) for each in requires) and "path" not in hatch:
            raise _FromTags
        raise _ElsewhereError(str(hatch.get("path") or pdm.get("path") or ""))
    return _text(project) or _text(_table(tool, "poetry"))


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
    if version.startswith(("attr:", "file:")):
        raise _ElsewhereError(version.removeprefix("file:").strip() if version.startswith("file:") else "")
    return version


def _of_json(text: str) -> str:
    tree = json.loads(text)
    return _text(tree) if isinstance(tree, dict) else ""


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


def _of_module(text: str, *, setup: bool, names: frozenset[str]) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(text)
    for node in ast.walk(tree) if setup else tree.body:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            value = next((each.value for each in node.keywords if each.arg == "version"), None)
            if setup and called == "setup" and (version := _constant(value)):
                return version
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(each, ast.Name) and each.id in names for each in targets):
                return _constant(node.value)
    return ""


def _constant(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
