"""That the mutation check finds what a weak test leaves, on a module of one function."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.mutation import __main__ as command
from tests.mutation import record
from tests.mutation.mutants import functions, mutants
from tests.mutation.targets import NOT_RECORDED_YET, TARGETS

MODULE = "is_full.py"
SOURCE = """
def is_full(percent):
    noted = [percent]
    noted.append(percent)
    return percent >= 90 and len(noted) == 2
"""
GOOD = """
import is_full

def test_it_is_full_from_90_percent_on():
    for percent in (89, 90, 91):
        assert is_full.is_full(percent) is (percent >= 90)
"""
WEAK = """
import is_full

def test_it_is_full_with_100_percent():
    assert is_full.is_full(100)
    assert not is_full.is_full(5)
"""
BOUNDARY = "return percent >= 90 and len(noted) == 2 → return percent > 90 and len(noted) == 2"


class Check:
    """A module with its test, its record and its list of equivalent mutants, and the command on them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.source(SOURCE)
        self.equivalent({})

    def source(self, text: str) -> None:
        """Write the module."""
        (self._folder / MODULE).write_text(text)

    def test(self, text: str) -> None:
        """Write its test."""
        (self._folder / "test_is_full.py").write_text(text)

    def equivalent(self, accepted: dict[str, dict[str, dict[str, str]]]) -> None:
        """Write the list of equivalent mutants."""
        (self._folder / "equivalent.json").write_text(json.dumps(accepted))

    def run(self, *arguments: str) -> int:
        """Return the command's exit status."""
        return command.main([*arguments])


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Check:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(command, "TARGETS", {MODULE: ("test_is_full.py",)})
    monkeypatch.setattr(record, "_RECORDED", tmp_path / "recorded.json")
    monkeypatch.setattr(record, "_EQUIVALENT", tmp_path / "equivalent.json")
    return Check(tmp_path)


@pytest.mark.slow
def test_a_weak_test_leaves_a_survivor_that_is_named_and_a_good_one_notices_it(
    check: Check, capsys: pytest.CaptureFixture[str]
) -> None:
    check.test(WEAK)
    assert check.run() == 1
    assert f"no test notices {MODULE}:5 in is_full: {BOUNDARY}" in capsys.readouterr().out
    assert BOUNDARY in record.recorded()[MODULE]["is_full"].survivors
    check.test(GOOD)
    assert check.run() == 0
    assert "100.0%" in capsys.readouterr().out
    assert record.recorded()[MODULE]["is_full"].survivors == []


@pytest.mark.slow
def test_what_is_accepted_as_equivalent_is_no_survivor_and_has_to_go_once_a_test_notices_it(
    check: Check, capsys: pytest.CaptureFixture[str]
) -> None:
    check.test(WEAK)
    check.equivalent({MODULE: {"is_full": {BOUNDARY: "Nobody asks for 90."}}})
    check.run()
    assert record.recorded()[MODULE]["is_full"].equivalent == [BOUNDARY]
    check.test(GOOD)
    assert check.run() == 1
    assert f"Take it out of the list of equivalent mutants, a test notices it or it is none: {MODULE}" in (
        capsys.readouterr().out
    )


@pytest.mark.slow
def test_only_functions_that_changed_since_the_record_are_checked(
    check: Check, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    check.test(GOOD)
    assert check.run() == 0
    capsys.readouterr()
    check.source(SOURCE.replace("    noted =", '    """Tell it."""\n    # why\n    noted ='))
    with monkeypatch.context() as patch:
        patch.setattr(command, "trials", lambda *_arguments: pytest.fail("nothing is to be tried"))
        assert check.run("--changed") == 0
    assert capsys.readouterr().out == ""
    check.source(SOURCE.replace("percent >= 90", "90 <= percent"))
    check.test(WEAK)
    assert check.run("--changed") == 1
    assert "No test fails with this change, write one or say why none can: is_full.py:5" in capsys.readouterr().out


def test_a_module_without_a_record_is_named_and_fails_unless_its_first_check_is_still_to_be_made(
    check: Check, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check.run("--changed") == 1
    assert capsys.readouterr().out == f"{MODULE} has no record. Run `python -m tests.mutation {MODULE}`.\n"
    monkeypatch.setattr(command, "NOT_RECORDED_YET", {MODULE})
    assert check.run("--changed") == 0
    assert MODULE in capsys.readouterr().out


@pytest.mark.slow
def test_tests_that_fail_as_they_are_check_nothing(check: Check) -> None:
    check.test("def test_it():\n    assert False\n")
    assert check.run() == 2
    assert record.recorded() == {}


def test_each_listed_module_has_a_record_or_is_listed_as_not_recorded_yet() -> None:
    assert {*TARGETS} - record.recorded().keys() == NOT_RECORDED_YET


def test_statements_that_are_there_for_their_effect_are_removed() -> None:
    source = "def note(tally, file):\n    tally.count += 1\n    file.flush()\n    kept = file.read()\n    return kept\n"
    removed = {mutant.change for mutant in mutants("x.py", source) if mutant.change.endswith("→ pass")}
    assert removed == {"tally.count += 1 → pass", "file.flush() → pass"}


def test_layout_comments_and_docstrings_do_not_make_a_function_another_one() -> None:
    plain = functions("def f(x):\n    return x + 1\n")
    assert functions('def f(x):\n    """Add."""\n    return x + 1  # why\n\n') == plain
    assert functions("def f(x):\n    return x + 2\n")["f"] != plain["f"]
