from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from invoke import Argument, Collection, Config, Executor, ParserContext, ParseResult

from tasks.core.report.model import Finding, Report, Status
from tasks.core.run.commands import Commands
from tasks.core.run.context import Run
from tasks.core.run.procedure import procedure
from tasks.core.run.runner import commands_of

NAMES = {
    "daily": "upkeep.daily",
    "daily.all": "upkeep.daily.all",
    "daily.log-review": "upkeep.daily.log-review",
    "demo": "upkeep.demo",
    "link-check": "link-check",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Run inv daily.log-review.", "Run inv upkeep.daily.log-review."),
        ("`inv daily`, or inv demo", "`inv upkeep.daily`, or inv upkeep.demo"),
        ("Run inv --debug daily.log-review to see.", "Run inv --debug upkeep.daily.log-review to see."),
        ("inv daily.log-review daily --quiet", "inv upkeep.daily.log-review upkeep.daily --quiet"),
        ("INVOKE_X=1 inv daily.log-review --level=ERROR", "INVOKE_X=1 inv upkeep.daily.log-review --level=ERROR"),
        ("Run inv daily.all.", "Run inv upkeep.daily.all."),
        ("Run inv link-check.", "Run inv link-check."),
        ("inv upkeep.daily.log-review", "inv upkeep.daily.log-review"),
        ("inv daily.other and inv daily-x", "inv daily.other and inv daily-x"),
        ("inv from a file", "inv from a file"),
        ("/usr/bin/inv daily, my-inv daily, inv.daily", "/usr/bin/inv daily, my-inv daily, inv.daily"),
    ],
)
def test_a_command_has_the_name_under_which_the_suite_is_mounted(text: str, expected: str) -> None:
    commands = Commands(names=NAMES)
    assert commands.as_typed(text) == expected
    assert commands.as_typed(expected) == expected


@pytest.mark.parametrize(
    ("commands", "prefix"),
    [
        (Commands(program="fab"), "fab"),
        (Commands(collection="invtasks"), "inv -c invtasks"),
        (Commands("invoke", "a b", "/srv/x", "my.yaml", ""), "invoke -c 'a b' -r /srv/x -f my.yaml"),
    ],
)
def test_a_command_has_the_program_and_the_flags_that_were_used(commands: Commands, prefix: str) -> None:
    commands = Commands(
        commands.program, commands.collection, commands.search_root, commands.file, "", {"demo": "demo"}
    )
    once = commands.as_typed("Run inv demo, then inv --dry demo.")
    assert once == f"Run {prefix} demo, then {prefix} --dry demo."
    assert commands.as_typed(once) == once


def test_where_all_can_be_typed_as_it_is_a_report_stays_the_same() -> None:
    report = Report(summary="inv demo")
    assert Commands(names={"demo": "demo"}).in_report(report) is report


def test_summary_messages_and_remedies_are_rewritten_and_excerpts_are_not() -> None:
    finding = Finding(
        check="a.b", subject="inv demo", status=Status.OK, message="inv demo", remedy="inv demo", excerpt="inv demo"
    )
    bare = Finding(check="a.b", subject="s", status=Status.OK, message="m")
    report = Commands(names=NAMES).in_report(Report(summary="inv demo", findings=[finding, bare]))
    assert report.summary == "inv upkeep.demo"
    assert report.findings == [
        msgspec.structs.replace(finding, message="inv upkeep.demo", remedy="inv upkeep.demo"),
        bare,
    ]


@procedure()
def look(_run: Run) -> Report:
    return Report(summary="Run inv test_commands.look.")


def _executor(project: Path, argv0: str, monkeypatch: pytest.MonkeyPatch, **given: Any) -> Executor:
    names = [("collection", "c"), ("search-root", "r"), ("config", "f")]
    arguments = ParserContext(args=[Argument(names=each) for each in names])
    for name, value in given.items():
        arguments.args[name.replace("_", "-")].value = value
    monkeypatch.setattr("sys.argv", [argv0, "look"])
    return Executor(Collection(mine=Collection(look)), Config(project_location=project), ParseResult([arguments]))


@pytest.mark.parametrize(
    ("argv0", "program"),
    [
        ("/usr/bin/inv", "inv"),
        ("fab", "fab"),
        ("/x/our-tool", "our-tool"),
        ("/x/invoke/__main__.py", "inv"),
        ("-c", "inv"),
    ],
)
def test_the_program_is_the_one_that_was_called(
    project: Path, argv0: str, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = commands_of(_executor(project, argv0, monkeypatch))
    names = {
        "test_commands.look": "mine.look",
        "test_commands": "mine",
        "test_commands.all": "mine.all",
    }
    assert commands == Commands(program, names=names)


def test_the_flags_are_those_that_were_given(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = commands_of(_executor(project, "inv", monkeypatch, collection="x", search_root="/y", config="z.yaml"))
    assert commands.prefix == "inv -c x -r /y -f z.yaml"


def test_without_a_command_line_it_is_inv(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["pytest"])
    assert commands_of(Executor(Collection(look), Config(project_location=project))).program == "inv"


def test_a_program_that_brings_its_tasks_is_known_by_its_path(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/opt/bin/our-tool", "look"])
    core = ParseResult([ParserContext(args=[Argument(names=("config", "f"))])])
    commands = commands_of(Executor(Collection(look), Config(project_location=project), core))
    assert (commands.program, commands.script) == ("our-tool", "/opt/bin/our-tool")
