from __future__ import annotations

import io
import os
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.output.console import ActionsConsole, Page, console_for
from tasks.core.output.github_actions import add_to_summary, annotate
from tasks.core.report.model import Finding, Report, RunReport, Status
from tasks.core.settings.loading import Loaded


def report(*statuses: Status, message: str = "So it is.", remedy: str | None = None) -> Report:
    findings = [
        Finding(check="release.a", subject="a, b", status=each, message=message, remedy=remedy) for each in statuses
    ]
    return Report(task="release.checklist", summary="NO-GO", findings=findings)


DOCUMENT = RunReport(root="/p", started="2026-11-26T12:00:00+00:00", duration_seconds=1.0, reports=[])


def test_what_is_not_well_becomes_an_annotation() -> None:
    found = [*annotate(report(*Status, message="50 % of it\r\nfailed: x, y", remedy="Do it."))]
    annotation = "title=release.checklist%3A a%2C b::50 %25 of it%0D%0Afailed: x, y Do it."
    assert found == [f"::warning {annotation}", f"::error {annotation}", f"::error {annotation}"]


@given(st.text(), st.text())
def test_an_annotation_is_one_line_that_no_text_can_break_out_of(subject: str, message: str) -> None:
    finding = Finding(check="c", subject=subject, status=Status.CRITICAL, message=message)
    (line,) = annotate(Report(task="t", summary="", findings=[finding]))
    assert not {"\r", "\n"} & {*line}
    command, properties, data = line.split("::", 2)[0], line.split("::", 2)[1], line.split("::", 2)[2]
    assert command == ""
    assert not {":", ","} & {*properties}
    decoded = data.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
    assert decoded.strip() == message.strip()


def summary_at(path: Path | str) -> dict[str, str]:
    return {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(path)}


def test_the_summary_is_appended_to_and_never_made(tmp_path: Path) -> None:
    file = tmp_path / "summary.md"
    assert "No such file" in (add_to_summary("# A\n", summary_at(file)) or "")
    assert not file.exists()
    file.write_text("before\n")
    assert add_to_summary("# A \udcff\n", summary_at(file)) is None
    assert file.read_text() == "before\n# A \\udcff\n\n"


def test_what_is_no_file_to_append_to_is_told(tmp_path: Path) -> None:
    assert add_to_summary("a", {}) == "The page was not added to the step's summary: GITHUB_STEP_SUMMARY is not set."
    assert "Is a directory" in (add_to_summary("a", summary_at(tmp_path)) or "")
    assert "embedded null " in (add_to_summary("a", summary_at("a\0b")) or "")
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert "is no regular file" in (add_to_summary("a", summary_at(tmp_path / "pipe")) or "")
    finally:
        os.close(reader)


def test_only_a_run_of_github_actions_is_told_so(loaded: Loaded) -> None:
    stream = io.StringIO()
    for environ in (None, {}, {"GITHUB_ACTIONS": "false"}):
        assert not isinstance(console_for(loaded.settings, stream, environ), ActionsConsole)
    assert isinstance(console_for(loaded.settings, stream, summary_at("x")), ActionsConsole)


@pytest.mark.parametrize("output", ["text", "json"])
def test_annotations_come_last_and_never_beside_a_document(loaded: Loaded, tmp_path: Path, output: str) -> None:
    file, stream = tmp_path / "summary.md", io.StringIO()
    file.touch()
    settings = msgspec.structs.replace(loaded.settings, output=output)
    console = console_for(settings, stream, summary_at(file))
    console.report(report(Status.CRITICAL), Page.OFFERED)
    console.report(report(Status.CRITICAL), Page.NONE)
    console.verdict(DOCUMENT)
    lines = stream.getvalue().splitlines()
    assert sum(line.startswith("::error") for line in lines) == (1 if output == "text" else 0)
    assert lines[-1].startswith("::error" if output == "text" else "{")
    assert file.read_text().count("# Release checklist") == 1


def test_a_page_that_was_asked_for_stays_a_page(
    loaded: Loaded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = io.StringIO()
    console = console_for(loaded.settings, stream, summary_at(tmp_path / "gone"))
    console.report(report(Status.CRITICAL), Page.ASKED)
    console.verdict(msgspec.structs.replace(DOCUMENT, reports=[report(Status.CRITICAL)]))
    assert stream.getvalue().startswith("# Release checklist\n\n**critical**: NO-GO\n")
    assert "::" not in stream.getvalue()
    assert capsys.readouterr().err.startswith("The page was not added")
