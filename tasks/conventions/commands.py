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


PYTEST_UNANSWERED = {4: "it was called wrongly", 5: "it found no tests"}
"""Exit statuses of pytest by which nothing was tested (its documentation, "Exit codes")."""


class Command(NamedTuple):
    """A command, and what says that the project uses it.

    Attributes:
        words: the program and its arguments.
        evidence: the place that says so.
        reason: the same as a clause: ``pytest.ini configures pytest``.
        unanswered: exit statuses that mean that nothing was checked, and why, as the end of a sentence.
    """

    words: tuple[str, ...]
    evidence: Evidence
    reason: str
    unanswered: Mapping[int, str] = {}


def find_test_command(files: ProjectFiles) -> Convention[Command]:
    """Return pytest, where it is configured or there are tests for it; in a repository without either, none."""
    evidence, reason = next(_pytest(files), (None, ""))
    words = ("python", "-m", "pytest", "-q")
    found = Command(words, evidence, reason, PYTEST_UNANSWERED) if evidence else None
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


def _pytest(files: ProjectFiles) -> Iterator[tuple[Evidence, str]]:
    """Yield the places that say that pytest tests the project, each with the reason as a clause."""
    for name in ("pytest.ini", ".pytest.ini"):
        if (files.root / name).is_file():
            yield Evidence(name), f"{name} configures pytest"
    for name, section in (("pyproject.toml", "tool.pytest"), ("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
        if section in _sections(files, name):
            evidence = Evidence(name, line_of(files, name, [f"[{section}"]), f"[{section}]")
            yield evidence, f"{name} configures pytest"
    for path in files.paths:
        folder, _, name = path.rpartition("/")
        is_test = name.endswith("_test.py") or (name.startswith("test_") and name.endswith(".py"))
        if is_test and folder.partition("/")[0] in {"tests", "test"}:
            yield Evidence(path), f"there are tests in {folder.partition('/')[0]}"
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
            words = (program, *arguments, *filter(None, checked))
            yield Command(words, evidence, f"{place} configures {program}")


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
