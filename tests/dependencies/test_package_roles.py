from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tasks.dependencies.environment import Environment, Installed
from tasks.dependencies.package_roles import Role, applies, required_by, roles


def environment(*packages: Installed, version: str = "3.12.4") -> Environment:
    return Environment(
        python=Path("/venv/bin/python"),
        origin="a test",
        version=version,
        prefix=Path("/venv"),
        virtual=True,
        runs_suite=False,
        folders=(Path("/venv/lib"),),
        scripts=Path("/venv/bin"),
        index_url=None,
        packages={package.name: package for package in packages},
    )


def of(found: Environment, *requirements: str) -> dict[str, str]:
    direct = [Requirement(text) for text in requirements]
    return {name: role.value for name, role in roles(found, direct, declared=True).items()}


def test_what_is_asked_for_what_that_needs_and_what_nobody_needs() -> None:
    found = environment(
        Installed("app", "1", requires=("Lib.One", "gone")),
        Installed("lib-one", "1", requires=("deep",)),
        Installed("deep", "1", requires=("app",)),
        Installed("tool", "1", requested=True),
    )
    assert of(found, "App") == {"app": "direct", "lib-one": "transitive", "deep": "transitive", "tool": "other"}


def test_what_is_both_is_direct() -> None:
    found = environment(Installed("app", "1", requires=("lib",)), Installed("lib", "1"))
    assert of(found, "app", "lib") == {"app": "direct", "lib": "direct"}


def test_extras_bring_what_they_name_even_where_the_package_was_seen_without() -> None:
    found = environment(
        Installed("first", "1", requires=("app",)),
        Installed("app", "1", requires=('more; extra == "full"', 'rest; extra == "other"')),
        Installed("more", "1"),
        Installed("rest", "1"),
    )
    assert of(found, "first") == {"first": "direct", "app": "transitive", "more": "other", "rest": "other"}
    assert of(found, "first", "app[full]")["more"] == "transitive"
    assert of(found, "app[full]", "first")["more"] == "transitive"


def test_markers_go_by_the_projects_python() -> None:
    app = Installed("app", "1", requires=('old; python_version < "3.9"', 'new; python_full_version >= "3.9"'))
    packages = (app, Installed("old", "1"), Installed("new", "1"))
    assert of(environment(*packages, version="3.8.1"), "app") == {
        "app": "direct",
        "old": "transitive",
        "new": "other",
    }
    assert of(environment(*packages), "app") == {"app": "direct", "old": "other", "new": "transitive"}


def test_without_a_requirements_file_direct_is_what_was_asked_for_by_name() -> None:
    found = environment(Installed("app", "1", requested=True, requires=("lib",)), Installed("lib", "1"))
    assert roles(found, [], declared=False) == {"app": Role.DIRECT, "lib": Role.TRANSITIVE}
    assert roles(found, [], declared=True) == {"app": Role.OTHER, "lib": Role.OTHER}


def test_requirements_that_cannot_be_read_are_left_out() -> None:
    app = Installed("app", "1", requires=("not a requirement", "lib>=1"))
    assert [each.name for each in required_by(app, environment(app))] == ["lib"]


@pytest.mark.parametrize(
    ("text", "extras", "expected"),
    [
        ("x", (), True),
        ('x; extra == "a"', (), False),
        ('x; extra == "a"', ("a",), True),
        ('x; python_version == "3.12"', (), True),
        ('x; python_version != "3.12"', (), False),
    ],
)
def test_whether_a_requirement_applies(text: str, extras: tuple[str, ...], *, expected: bool) -> None:
    assert applies(Requirement(text), environment(), extras) is expected
