from __future__ import annotations

from datetime import datetime

import pytest

from tasks.core.errors import DeclarationError
from tasks.core.report.model import Report
from tasks.core.run.definition import Definition, ReportFile
from tasks.core.run.own_files import dated, own_files, quarter, report_path
from tasks.core.settings.model import LogSettings, Settings

NOW = datetime.fromisoformat("2026-11-23T12:05:09+01:00")
SETTINGS = Settings(logs=LogSettings(directory="var/log"))


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("a/a_{day}.json", "a/a_20261123.json"),
        ("a_{month}.json", "a_202611.json"),
        ("a_{quarter}.md", "a_2026Q4.md"),
        ("a_{second}.json", "a_20261123_120509.json"),
        ("{logs}/a.json", "{logs}/a.json"),
    ],
)
def test_a_declared_path_is_dated_by_the_moment_of_the_run(template: str, path: str) -> None:
    assert dated(template, NOW) == path


@pytest.mark.parametrize(("month", "name"), [(1, "Q1"), (3, "Q1"), (4, "Q2"), (9, "Q3"), (10, "Q4"), (12, "Q4")])
def test_a_quarter_has_three_months(month: int, name: str) -> None:
    assert quarter(NOW.replace(month=month)) == f"2026{name}"


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("var/log/a_20261123.json", True),
        ("var/log/a_20261123.json.broken-1", True),
        ("var/log/a_2026112.json", False),
        ("var/log/a_20261123.json2", False),
        ("logs/a_20261123.json", False),
        ("var/log/deep/a_20261123.json", False),
        ("var/log/archive/2026/11/app_20261123.log.gz", True),
        ("var/log/s_20261123_120509.json", True),
        ("var/log/s_20261123_120509_2.json", True),
        ("backups/verified.json", True),
        ("cache/stats.json", True),
        (".maintenance.lock", True),
        ("var/log/sub/.maintenance-tmp", True),
        ("var/log/maintenance_history.jsonl", True),
        ("var/log/maintenance_history.jsonl.broken-1", True),
        ("var/log/history.jsonl", False),
        ("var/log/app.log", False),
    ],
)
def test_what_is_declared_is_told_from_the_projects_own_files(path: str, *, own: bool) -> None:
    templates = [
        "{logs}/a_{day}.json",
        "{logs}/archive/**",
        "{logs}/s_{second}.json",
        "{backups}/*.json",
        "{cache}/stats.json",
    ]
    assert own_files(SETTINGS, templates).owns(path) is own


def test_a_field_that_there_is_not_is_named() -> None:
    with pytest.raises(DeclarationError, match=r"has the field 'week'; expected one of logs, cache"):
        own_files(SETTINGS, ["{logs}/a_{week}.json"])


def test_a_report_lies_where_it_is_declared() -> None:
    def body() -> Report:
        return Report(summary="")

    definition = Definition(name="a.b", body=body, report=ReportFile("a/a_{day}.json", "a.report"))
    assert report_path(definition, SETTINGS, NOW) == ("var/log/a/a_20261123.json", "a.report")
    with pytest.raises(TypeError, match=r"a\.b declares no report file"):
        report_path(Definition(name="a.b", body=body), SETTINGS, NOW)
