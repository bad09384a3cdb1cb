from __future__ import annotations

from pathlib import Path

import pytest

from tasks.configuration.environment_variables import Variables, key_findings, read_variables, variable_findings
from tasks.core.report.model import Status
from tasks.core.secrets.keys import Key


def variables(**values: str) -> Variables:
    return Variables(values, present=True)


def findings_on(own: Variables, example: Variables, **environ: str) -> list[tuple[str, Status, str]]:
    return [(each.subject, each.status, each.message) for each in variable_findings(own, example, environ)]


def test_a_file_of_variables_is_read_as_dotenv_reads_it(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\nexport B='x y'\n# note\nC\nA=2\n='\n")
    found = read_variables(tmp_path, ".env")
    assert (found.values, found.twice, found.odd, found.present) == (
        {"A": "2", "B": "x y", "C": None},
        ("A",),
        (6,),
        True,
    )
    assert "x y" not in repr(found)


def test_a_missing_file_has_none_and_one_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    assert read_variables(tmp_path, ".env") == Variables()
    (tmp_path / ".env").write_bytes(b"A=\xff\n")
    found = read_variables(tmp_path, ".env")
    assert found.present
    assert "0xFF is no UTF-8" in str(found.problem)
    ((subject, status, message),) = findings_on(found, variables(A=""))
    assert (subject, status) == (".env", Status.UNKNOWN)
    assert "0xFF" in message


def test_nothing_is_told_where_neither_is_there() -> None:
    assert findings_on(Variables(), Variables()) == []


def test_the_same_names_are_ok_whatever_their_values() -> None:
    assert findings_on(variables(A="1"), variables(A="")) == [
        (".env", Status.OK, ".env and .env.example name the same 1 variable.")
    ]


def test_names_on_one_side_are_told() -> None:
    assert findings_on(variables(A="1", B="2"), variables(A="", C="", D=""), D="set") == [
        (".env", Status.WARNING, '1 variable in .env and not in .env.example: "B".'),
        (".env.example", Status.WARNING, '1 variable of .env.example set nowhere: "C".'),
    ]


def test_without_env_the_environment_has_to_have_them() -> None:
    assert findings_on(Variables(), variables(A=""), A="1") == []
    assert findings_on(Variables(), variables(A="")) == [
        (".env.example", Status.WARNING, '1 variable of .env.example set nowhere: "A".')
    ]


def test_a_missing_example_is_told() -> None:
    ((subject, status, message),) = findings_on(variables(A="1"), Variables())
    assert (subject, status) == (".env", Status.WARNING)
    assert "there is no .env.example" in message


@pytest.mark.parametrize(
    ("key", "status", "message"),
    [
        (Key("value", "environment"), Status.OK, "It is set in the environment."),
        (Key("value", ".env"), Status.OK, "It is set in .env."),
        (Key("", "", "is set nowhere"), Status.CRITICAL, "It is set nowhere."),
        (Key("value", ".env", "has blanks around it in .env"), Status.WARNING, "It has blanks around it in .env."),
    ],
)
def test_a_key_is_there_or_not(key: Key, status: Status, message: str) -> None:
    (finding,) = key_findings({"A_KEY": key}, ["A_KEY", "A_KEY"])
    assert (finding.status, finding.message, finding.value) == (status, message, None)
    assert "value" not in f"{finding.message} {finding.remedy}"
