from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tasks.core.report.model import Finding, Status
from tasks.core.settings.model import DependencySettings
from tasks.dependencies import package_findings
from tasks.dependencies.environment import Environment, Installed, NoEnvironment
from tasks.dependencies.index.index_client import IndexAnswer, IndexedProject, NotInIndex, QueryFailed
from tasks.dependencies.index.simple_api import Release
from tasks.dependencies.package_assessment import Package, ProjectRequirements, assess_packages
from tasks.dependencies.package_roles import Role
from tasks.dependencies.planning import Move, Scope, Why, caps, constraints, moves
from tasks.dependencies.requirements.declarations import Declaration

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=100)


def environment(*packages: Installed) -> Environment:
    return Environment(
        python=Path("/srv/p/.venv/bin/python"),
        origin="the project's .venv",
        version="3.11.7",
        prefix=Path("/srv/p/.venv"),
        virtual=True,
        runs_suite=False,
        folders=(Path("/srv/p/.venv/lib"),),
        scripts=Path("/srv/p/.venv/bin"),
        index_url=None,
        packages={package.name: package for package in packages},
    )


def project(*versions: str, uploaded: datetime | None = LONG_AGO, yanked: str = "") -> IndexedProject:
    return IndexedProject(
        tuple(Release(Version(each), uploaded, each == yanked, (SpecifierSet(),)) for each in versions)
    )


def line(text: str, number: int = 3, *, hashed: bool = False, path: str = "requirements.txt") -> Declaration:
    requirement = Requirement(text)
    pins = [each.version for each in requirement.specifier if each.operator == "=="]
    return Declaration(path, number, requirement, None if hashed or not pins else pins[0], hashed)


def assessed(
    *packages: Installed,
    answers: dict[str, IndexAnswer] | None = None,
    requirements: dict[str, tuple[Declaration, ...]] | None = None,
    limits: dict[str, tuple[Declaration, ...]] | None = None,
    fixes: dict[str, Version] | None = None,
    **options: Any,
) -> dict[str, Package]:
    return dict(
        assess_packages(
            environment(*packages),
            ProjectRequirements(requirements or {}, limits or {}, declared=True),
            answers or {},
            fixes or {},
            settings=DependencySettings(**options),
            now=NOW,
        )
    )


DEMO = Installed("demo", "1.0")


def test_a_pinned_package_can_move_for_its_pin_moves_with_it() -> None:
    found = assessed(DEMO, answers={"demo": project("1.0", "1.1")}, requirements={"demo": (line("demo==1.0"),)})
    assert found["demo"] == Package(
        "demo", "1.0", Role.DIRECT, latest="1.1", target="1.1", step="minor", released=LONG_AGO
    )
    assert found["demo"].moves


@pytest.mark.parametrize(
    ("requirement", "limits", "hold"),
    [
        (line("demo>=1,<1.1"), None, "requirements.txt, line 3, asks for <1.1,>=1"),
        (line("demo==1.0", hashed=True), None, "requirements.txt, line 3, with its hashes asks for ==1.0"),
        (line("demo"), line("demo<1.1", 2, path="limits.txt"), "limits.txt, line 2, asks for <1.1"),
    ],
)
def test_what_keeps_a_package_is_told_with_its_place(
    requirement: Declaration, limits: Declaration | None, hold: str
) -> None:
    found = assessed(
        DEMO,
        answers={"demo": project("1.0", "1.1")},
        requirements={"demo": (requirement,)},
        limits={"demo": (limits,)} if limits else None,
    )["demo"]
    assert (found.moves, found.latest, found.holds) == (False, "1.1", (hold,))


def test_what_another_package_asks_holds_as_well_and_less_is_taken() -> None:
    app = Installed("app", "2.0", requires=("demo<1.2",))
    found = assessed(app, DEMO, answers={"demo": project("1.0", "1.1", "1.2")}, requirements={"app": (line("app"),)})
    assert (found["demo"].role, found["demo"].target) == (Role.TRANSITIVE, "1.1")
    assert found["demo"].holds == ("app 2.0 asks for <1.2",)


def test_requirements_for_other_pythons_bind_nobody() -> None:
    other = line('demo<1.1; python_version<"3"')
    found = assessed(DEMO, answers={"demo": project("1.0", "1.1")}, requirements={"demo": (other,)})
    assert (found["demo"].role, found["demo"].target) == (Role.OTHER, "1.1")
    assert not found["demo"].moves  # an update leaves what no requirement leads to


def test_bounds_that_leave_nothing_between_say_so() -> None:
    found = assessed(DEMO, answers={"demo": project("1.1", "2.0")}, requirements={"demo": (line("demo!=1.1"),)})["demo"]
    assert found.holds == (
        "2.0 is a major step, and dependencies.largest_step is minor",
        "requirements.txt, line 3, asks for !=1.1",
    )


@pytest.mark.parametrize(
    ("installed", "answer", "reason"),
    [
        (DEMO, NotInIndex(), "the index does not know it"),
        (DEMO, QueryFailed("it is down"), "it is down"),
        (DEMO, None, "the index was not asked"),
        (Installed("demo", "odd one"), project("1.0"), "its version 'odd one' is none by PEP 440"),
        (Installed("demo", "1.0", source="editable"), project("2.0"), "it was installed from elsewhere (editable)"),
    ],
)
def test_of_what_no_releases_are_known(installed: Installed, answer: IndexAnswer | None, reason: str) -> None:
    found = assessed(installed, answers={"demo": answer} if answer else None)["demo"]
    assert (found.unknown, found.moves, found.latest) == (reason, False, None)


def test_a_fix_needs_no_cooldown_and_a_withdrawn_release_is_told() -> None:
    young = IndexedProject((*project("1.0", yanked="1.0").releases, *project("1.1", uploaded=NOW).releases))
    found = assessed(DEMO, answers={"demo": young})["demo"]
    assert (found.moves, found.yanked) == (False, True)
    fixed = assessed(DEMO, answers={"demo": young}, fixes={"demo": Version("1.1")})["demo"]
    assert fixed.target == "1.1"


def test_without_times_there_is_no_cooldown() -> None:
    assert assessed(DEMO, answers={"demo": project("1.1", uploaded=None)})["demo"].timeless


# What is thought of them


def package(**changes: Any) -> Package:
    known: dict[str, Any] = {"name": "demo", "version": "1.0", "role": Role.DIRECT, "target": "1.0"}
    return Package(**{**known, **changes})


def evaluated(*packages: Package) -> list[Finding]:
    return [*package_findings.release_findings({each.name: each for each in packages}, NOW)]


MOVABLE = {"latest": "1.1", "target": "1.1", "step": "minor", "released": LONG_AGO}


def test_findings_on_what_can_move() -> None:
    (finding,) = evaluated(package(**MOVABLE))
    assert (finding.check, finding.status) == ("dependencies.outdated", Status.WARNING)
    assert finding.message == "1.0 can move to 1.1, a minor step, released 100 days ago."
    assert finding.remedy == "inv monthly.dependency-update --only demo"
    (finding,) = evaluated(package(**{**MOVABLE, "released": None, "timeless": True}))
    assert finding.message.startswith("1.0 can move to 1.1, a minor step. The index does not tell when")
    (finding,) = evaluated(package(**{**MOVABLE, "latest": "2.0", "holds": ("2.0 is a major step",)}))
    assert finding.message == "1.0 can move to 1.1, as far as it may go now. 2.0 has to wait: 2.0 is a major step."


def test_findings_on_what_cannot() -> None:
    (finding,) = evaluated(package(latest="1.1", holds=("a", "b")))
    assert (finding.check, finding.status) == ("dependencies.held", Status.OK)
    assert finding.message == "1.0 stays though there is 1.1: a; b."
    (finding,) = evaluated(package(yanked=True))
    assert (finding.check, finding.remedy) == ("dependencies.yanked", "Look up why, and choose another version.")
    assert str(evaluated(package(yanked=True, **MOVABLE))[0].remedy).startswith("inv ")
    assert evaluated(package(role=Role.OTHER, **MOVABLE)) == []


def test_findings_on_groups() -> None:
    found = evaluated(
        package(name="a", role=Role.TRANSITIVE, **MOVABLE),
        package(name="b", unknown="it is down"),
        package(name="c", unknown="it is down"),
        package(name="d", unknown="from elsewhere", source="URL"),
    )
    assert [(each.check, each.status, each.value) for each in found] == [
        ("dependencies.transitive", Status.OK, 1),
        ("dependencies.releases", Status.UNKNOWN, 2),
        ("dependencies.releases", Status.SKIPPED, 1),
    ]


def test_findings_on_the_environment() -> None:
    message = package_findings.environment_finding(environment(DEMO), Path("/srv/p")).message
    assert message == ".venv (the project's .venv): Python 3.11.7 with 1 package."
    own = environment(DEMO)._replace(runs_suite=True)
    message = package_findings.environment_finding(own, Path("/srv/other")).message
    assert message.startswith("/srv/p/.venv (the project's .venv, the one that this suite runs in): ")
    finding = package_findings.environment_finding(NoEnvironment("nothing is there", "make one"), Path("/srv"))
    assert (finding.status, finding.message, finding.remedy) == (Status.UNKNOWN, "nothing is there", "make one")


def test_versions_that_are_none_suit_any_requirement() -> None:
    wanted = ProjectRequirements({"demo": (line("demo>=2"),)}, declared=True)
    assert [*package_findings.requirement_findings(wanted, environment(Installed("demo", "odd one")))] == []


def test_records_and_tables() -> None:
    known = package(**MOVABLE)
    assert package_findings.table([known, package(name="b")]) == [
        {
            "package": "demo",
            "installed": "1.0",
            "moves to": "1.1",
            "latest": "1.1",
            "step": "minor",
            "wanted": "direct",
        }
    ]
    assert package_findings.record(known)["released"] == "2026-02-21T00:00:00+00:00"
    assert package_findings.record(package(source="URL", unknown="why"))["source"] == "URL"


# What an update would change

ODD = package(name="odd", version="not one", target="not one")
LOCAL = package(name="mine", source="editable")
OUTDATED = package(**MOVABLE)
TRANSITIVE = package(name="base", role=Role.TRANSITIVE, **MOVABLE)
EVERY = {each.name: each for each in (ODD, LOCAL, OUTDATED, TRANSITIVE)}


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(), {"demo": "1.1", "base": "1.1"}),
        (Scope(frozenset({"demo"})), {"demo": "1.1", "base": "1.0"}),
        (Scope(security=True), {"demo": "1.0", "base": "1.1"}),
        (Scope(frozenset({"demo"}), security=True), {"demo": "1.0", "base": "1.0"}),
    ],
)
def test_the_highest_versions_that_an_update_may_bring(scope: Scope, expected: dict[str, str]) -> None:
    assert caps(EVERY, {"base": Version("1.1")}, scope) == expected


def test_lines_that_keep_a_resolver_within_them() -> None:
    tool = Installed(
        "tool", "1.0", requires=("demo<1.5", "base", 'x<3; extra == "y"', 'z<2; python_version>"3"', "z @ https://x")
    )
    packages = {**EVERY, "tool": package(name="tool", role=Role.OTHER), "cpu": package(name="cpu", target="1.0+cpu")}
    limits = {"demo": "1.1", "base": "1.0", "tool": "1.0", "cpu": "1.0+cpu"}
    found = [*constraints(environment(tool), packages, limits, ["demo"])]
    assert found == ["base==1.0", "cpu<=1.0", "demo<1.5", 'z<2; python_version > "3"']


def test_one_bad_requirement_among_many_hides_none_of_the_others() -> None:
    found = environment(
        Installed("app", "1.0", requires=("nobody-asks-for-this-one<1",)),
        Installed("bad", "1.0", requires=("demo<1.5", "demo<=>1.4", "base<3")),
        Installed("tool", "1.0", requires=("base>0.5",)),
    )
    packages = {"app": package(name="app")} | {name: package(name=name, role=Role.OTHER) for name in ("bad", "tool")}
    assert [*constraints(found, packages, {}, [])] == ["demo<1.5", "base<3", "base>0.5"]


def test_what_changes_and_why() -> None:
    resolved = {"demo": "1.1", "base": "1.1", "mine": "9", "new": "1.0", "same": "1.0.0", "odd": "2.0"}
    packages = {**EVERY, "same": package(name="same")}
    found = moves(packages, resolved, {"base": Version("1.1")}, Scope(security=True))
    assert found == (
        Move("base", "1.0", "1.1", Why.VULNERABLE),
        Move("demo", "1.0", "1.1", Why.NEEDED),
        Move("new", "", "1.0", Why.MISSING),
        Move("odd", "not one", "2.0", Why.NEEDED),
    )
    assert str(found[2]) == "new (none) -> 1.0 (required and not installed)"
    assert moves(EVERY, {"demo": "1.1"}, {}, Scope())[0].why is Why.OUTDATED
    assert moves(EVERY, {"base": "1.0.5"}, {"base": Version("1.1")}, Scope(frozenset({"x"})))[0].why is Why.NEEDED
