from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tasks.core.output.console import Console, JsonConsole, Page, QuietConsole, TextConsole, console_for
from tasks.core.output.layout import report_lines, verdict_lines
from tasks.core.output.markdown import page
from tasks.core.report.model import Finding, Report, RunReport, Status, encode
from tasks.core.settings.loading import Loaded

REPORT = Report(
    task="weekly.cache-cleanup",
    summary="not [bold]well[/bold] — :warning:",
    findings=[Finding(check="c", subject="cache/temp", status=Status.CRITICAL, message="12 files", remedy="Run it.")],
)
DOCUMENT = RunReport(root="/p", started="2026-11-23T12:00:00+00:00", duration_seconds=1.2, reports=[REPORT])
PLAIN = "".join(
    "".join(text for text, _ in line).rstrip() + "\n" for line in [*report_lines(REPORT), *verdict_lines(DOCUMENT)]
)
STYLE = re.compile(r"\x1b\[[0-9;]*m")
COLOUR = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|9[0-7])[0-9;]*m")

consoles = pytest.mark.parametrize("console", [TextConsole, JsonConsole])


class _Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def _print(console: Console) -> None:
    console.report(REPORT)
    console.verdict(DOCUMENT)


def test_the_settings_choose_the_renderer(loaded: Loaded) -> None:
    stream = io.StringIO()
    assert isinstance(console_for(loaded.settings, stream), TextConsole)
    as_json = msgspec.structs.replace(loaded.settings, output="json")
    assert isinstance(console_for(as_json, stream), JsonConsole)


@pytest.mark.parametrize("output", ["text", "json"])
def test_standard_output_is_where_reports_go(loaded: Loaded, capsys: pytest.CaptureFixture[str], output: str) -> None:
    console_for(msgspec.structs.replace(loaded.settings, output=output)).verdict(DOCUMENT)
    captured = capsys.readouterr()
    assert "critical" in captured.out
    assert captured.err == ""


def test_json_is_one_document_on_one_line_and_nothing_else() -> None:
    stream = io.StringIO()
    _print(JsonConsole(stream))
    assert stream.getvalue() == encode(DOCUMENT).decode() + "\n"
    assert json.loads(stream.getvalue())["status"] == "critical"


def test_json_is_not_styled_on_a_terminal(terminal: io.StringIO) -> None:
    _print(JsonConsole(terminal))
    assert terminal.getvalue() == encode(DOCUMENT).decode() + "\n"


def test_text_in_a_pipe_is_plain() -> None:
    stream = io.StringIO()
    _print(TextConsole(stream))
    assert stream.getvalue() == PLAIN


def test_text_in_a_pipe_has_no_blanks_at_its_line_ends() -> None:
    stream = io.StringIO()
    _print(TextConsole(stream))
    assert not re.search(r"[ \t]$", stream.getvalue(), re.MULTILINE)


def test_text_appears_as_soon_as_there_is_some(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w", encoding="utf-8") as stream:
        TextConsole(stream).report(REPORT)
        assert (tmp_path / "out").read_text(encoding="utf-8").startswith("weekly.cache-cleanup  critical")


def test_text_on_a_terminal_is_styled_and_says_the_same(terminal: io.StringIO) -> None:
    _print(TextConsole(terminal))
    shown = terminal.getvalue()
    assert COLOUR.search(shown)
    assert "\x1b[1;31mcritical" in shown
    assert [line.rstrip() for line in STYLE.sub("", shown).splitlines()] == PLAIN.splitlines()


def test_no_color_is_honoured(terminal: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    _print(TextConsole(terminal))
    assert not COLOUR.search(terminal.getvalue())


def test_long_lines_are_not_broken_on_a_narrow_terminal(terminal: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    TextConsole(terminal).report(Report(task="t", summary="word " * 40 + "end"))
    assert len(terminal.getvalue().strip().splitlines()) == 1


@pytest.fixture
def broken_pipe() -> Callable[[str], io.TextIOWrapper]:
    def opened(encoding: str) -> io.TextIOWrapper:
        reader, writer = os.pipe()
        os.close(reader)
        return os.fdopen(writer, "w", encoding=encoding)

    return opened


@consoles
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_reader_that_leaves_early_is_no_error(
    broken_pipe: Callable[[str], io.TextIOWrapper], console: Callable[[io.TextIOWrapper], Console], encoding: str
) -> None:
    stream = broken_pipe(encoding)
    try:
        _print(console(stream))
    finally:
        # What is still in the buffer must not fail either when Python flushes it at its end.
        try:
            stream.close()
            closed = True
        except BrokenPipeError:
            closed = False
    assert closed


@consoles
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
@pytest.mark.parametrize("stream_type", [io.TextIOWrapper, _Terminal], ids=["pipe", "terminal"])
def test_a_stream_that_cannot_show_a_character_gets_an_escape(
    console: Callable[[io.TextIOWrapper], Console], encoding: str, stream_type: type[io.TextIOWrapper]
) -> None:
    written = io.BytesIO()
    stream = stream_type(written, encoding=encoding)
    _print(console(stream))
    stream.flush()
    assert "cache/temp" in written.getvalue().decode(encoding)


def test_json_on_an_ascii_stream_is_still_the_same_json() -> None:
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="ascii")
    report = Report(task="t", summary="Grüße — 激光 😀")
    document = msgspec.structs.replace(DOCUMENT, reports=[report])
    JsonConsole(stream).verdict(document)
    assert json.loads(written.getvalue()) == json.loads(encode(document))


@consoles
def test_bytes_that_are_no_utf_8_do_not_end_the_report(console: Callable[[io.TextIOWrapper], Console]) -> None:
    written = io.BytesIO()
    report = Report(task="t", summary="s", data={"settings": [{"value": ["caf\udce9"], "from": "environment"}]})
    shown = console(io.TextIOWrapper(written, encoding="utf-8"))
    shown.report(report)
    shown.verdict(msgspec.structs.replace(DOCUMENT, reports=[report]))
    assert b"caf" in written.getvalue()


def test_rich_is_not_loaded_for_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    _print(TextConsole(io.StringIO()))
    _print(JsonConsole(io.StringIO()))


def test_a_page_is_printed_in_place_of_a_report_and_of_the_verdict_where_it_is_alone() -> None:
    stream = io.StringIO()
    console = TextConsole(stream)
    console.report(REPORT, Page.ASKED)
    console.verdict(DOCUMENT)
    assert stream.getvalue() == page("Weekly cache cleanup", REPORT)
    console.verdict(msgspec.structs.replace(DOCUMENT, reports=[REPORT, REPORT]))
    assert stream.getvalue().splitlines()[-1].startswith("verdict: ")


def test_a_page_that_is_offered_and_not_asked_for_changes_nothing() -> None:
    stream = io.StringIO()
    console = TextConsole(stream)
    console.report(REPORT, Page.OFFERED)
    console.verdict(DOCUMENT)
    assert stream.getvalue() == PLAIN


# Quiet


@pytest.mark.parametrize("status", Status)
@consoles
def test_quiet_is_nothing_while_all_is_well_and_the_same_as_ever_where_it_is_not(
    console: Callable[[io.StringIO], Console], status: Status
) -> None:
    finding = Finding(check="c", subject="s", status=status, message="m")
    reports = [Report(task="one", summary="first"), Report(task="two", summary="second", findings=[finding])]
    document = msgspec.structs.replace(DOCUMENT, reports=reports)
    loud, quiet = io.StringIO(), io.StringIO()
    for shown in (console(loud), QuietConsole(console(quiet))):
        for report in reports:
            shown.report(report)
        shown.verdict(document)
    assert quiet.getvalue() == ("" if status in {Status.OK, Status.SKIPPED} else loud.getvalue())
