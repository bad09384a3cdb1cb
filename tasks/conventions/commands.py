"""With which commands the project is tested and looked at by linters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .build_files import ini, line_of, pyproject, table
from .convention import Convention, Evidence
from .project_files import ProjectFiles

_SHARED = ("pyproject.toml", "setup.cfg", "tox.ini")

_LINTERS = (
    ("ruff", ("check", "."), ("ruff.toml", ".ruff.toml"), ("tool.ruff",)),
    ("mypy", (), ("mypy.ini", ".mypy.ini"), ("tool.mypy", "mypy")),
    ("flake8", (), (".flake8",), ("flake8",)),
)


class Command(NamedTuple):
    """A command, and what says that the project uses it."""

    words: tuple[str, ...]
    evidence: Evidence


def find_test_command(files: ProjectFiles) -> Convention[Command]:
    """Return pytest, where it is configured or there are tests for it; in a repository without either, none."""
    evidence = next(_pytest(files), None)
    found = Command(("python", "-m", "pytest", "-q"), evidence) if evidence else None
    return Convention(
        "test command",
        "settings of pytest, and files named test_*.py or *_test.py in tests or test",
        found,
        " ".join(found.words) if found else "",
        (evidence,) if evidence else (),
        setting="maintenance.release.test_command",
    )


def find_lint_commands(files: ProjectFiles) -> Convention[tuple[Command, ...]]:
    """Return the linters that have settings in the project."""
    found = tuple(_linters(files))
    return Convention(
        "lint commands",
        "settings of ruff, mypy and flake8",
        found or None,
        ", ".join(" ".join(each.words) for each in found),
        tuple(each.evidence for each in found),
        setting="maintenance.release.lint_commands",
    )


def _pytest(files: ProjectFiles) -> Iterator[Evidence]:
    yield from (Evidence(name) for name in ("pytest.ini", ".pytest.ini") if (files.root / name).is_file())
    for name, section in (("pyproject.toml", "tool.pytest"), ("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
        if section in _sections(files, name):
            yield Evidence(name, line_of(files, name, [f"[{section}"]), f"[{section}]")
    for path in files.paths:
        folder, _, name = path.rpartition("/")
        is_test = name.endswith("_test.py") or (name.startswith("test_") and name.endswith(".py"))
        if is_test and folder.partition("/")[0] in {"tests", "test"}:
            yield Evidence(path)
            return


def _linters(files: ProjectFiles) -> Iterator[Command]:
    for program, arguments, own, sections in _LINTERS:
        places = [(name, "") for name in own if (files.root / name).is_file()]
        places += [(name, section) for name in _SHARED for section in sections if section in _sections(files, name)]
        if places:
            place, section = places[0]
            evidence = Evidence(
                place, line_of(files, place, [f"[{section}"]) if section else None, section and f"[{section}]"
            )
            checked = ("." if program == "mypy" and not _names_its_files(files, place, section) else "",)
            yield Command((program, *arguments, *filter(None, checked)), evidence)


def _names_its_files(files: ProjectFiles, place: str, section: str) -> bool:
    """Tell whether the settings of mypy name what it is to check."""
    found = _sections(files, place) if section else ini(files, place)
    return bool({"files", "packages", "modules"} & {*found.get(section or "mypy", {})})


def _sections(files: ProjectFiles, name: str) -> Mapping[str, Mapping[str, Any]]:
    """Return the sections of a file that holds settings of several tools."""
    if not (files.root / name).is_file():
        return {}
    if name.endswith(".toml"):
        return {
            f"tool.{tool}": found
            for tool, found in table(pyproject(files, name), "tool").items()
            if isinstance(found, dict)
        }
    return ini(files, name)
