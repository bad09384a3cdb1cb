from __future__ import annotations

from pathlib import Path

import pytest

from tasks.configuration.config_files import ConfigFiles, FoundFile, Listing, ReviewedFile, read_config_file
from tasks.configuration.file_findings import file_findings, unknown_findings, unknown_values
from tasks.configuration.reading.document_reader import read_document
from tasks.configuration.reading.parsed_document import Problem
from tasks.configuration.reading.python_reader import read_python
from tasks.core.report.model import Finding, Status


def findings_on(each: ReviewedFile) -> list[Finding]:
    return [*file_findings(ConfigFiles((each,), (), Listing(Path())), lambda text: text.replace("known", "[redacted]"))]


def reviewed(*problems: Problem, readable: bool = True, broken: bool = False) -> ReviewedFile:
    return ReviewedFile(FoundFile("a.yaml", "a.yaml"), None, problems, readable, "", broken)


@pytest.mark.parametrize(
    ("readable", "broken", "status"),
    [(True, False, Status.WARNING), (False, True, Status.CRITICAL), (False, False, Status.UNKNOWN)],
)
def test_the_status_of_a_problem(*, readable: bool, broken: bool, status: Status) -> None:
    (finding,) = findings_on(reviewed(Problem("it is odd"), readable=readable, broken=broken))
    assert (finding.status, finding.message, finding.remedy) == (status, "It is odd.", "Look at a.yaml.")


@pytest.mark.parametrize(
    ("problem", "message", "excerpt"),
    [
        (Problem("odd", 3, 2, "a: b\n ^"), "Line 3, column 2: odd.", "a: b\n ^"),
        (Problem("odd", 3), "Line 3: odd.", None),
        (Problem("'known' is odd", 3, 2, "known: b\n ^"), "Line 3, column 2: '[redacted]' is odd.", "[redacted]: b"),
        (Problem("odd", 3, 2, "password: x\n ^"), "Line 3, column 2: odd.", "password: [redacted]"),
    ],
)  # fmt: skip
def test_a_problem_has_its_place_and_no_secret(problem: Problem, message: str, excerpt: str | None) -> None:
    finding = findings_on(reviewed(problem))[0]
    assert (finding.message, finding.excerpt or None) == (message, excerpt)


@pytest.mark.parametrize(
    "line", ["smtp: {{host: mail.example.com, {}password: made-up-words-only-99, port: 25, x: 1: 2}}"]
)
@pytest.mark.parametrize("before", ["", "user: anna, ", "comment: a long one that goes on for a while, "])
def test_the_excerpt_of_a_long_line_shows_no_secret_whose_name_is_not_in_it(line: str, before: str) -> None:
    document = read_document("a.yaml", line.format(before))
    (finding,) = findings_on(reviewed(*document.problems))
    assert "made-up" not in str(finding.excerpt)
    assert "words" not in finding.message


def test_the_excerpt_with_a_secret_is_the_beginning_of_the_line() -> None:
    problem = Problem("odd", 1, 300, "xxx\n ^", f"password: x{' y' * 300}")
    (finding,) = findings_on(reviewed(problem))
    assert finding.excerpt == "password: [redacted]"
    (finding,) = findings_on(reviewed(problem._replace(whole=f"{'z' * 300} known")))
    assert finding.excerpt == "z" * 100


def test_names_that_differ_by_case_only_are_told() -> None:
    each = ReviewedFile(FoundFile("A.yaml", "A.yaml", ("a.yaml",)), {}, readable=True)
    (finding, well) = findings_on(each)
    assert (finding.check, finding.status, well.status) == ("configuration.case", Status.WARNING, Status.OK)
    assert '"a.yaml"' in finding.message


def test_a_file_that_has_gone_meanwhile_is_missing(tmp_path: Path) -> None:
    assert read_config_file(tmp_path, FoundFile("a.yaml", "a.yaml"), 1000) == ReviewedFile(FoundFile("a.yaml", None))


def test_what_was_not_read_is_not_called_readable() -> None:
    assert findings_on(reviewed(readable=False)) == []


def test_values_that_only_running_would_tell_are_named() -> None:
    text = "".join(f"A{number} = f()\n" for number in range(7))
    each = ReviewedFile(FoundFile("a.py", "a.py"), read_document("a.py", text).value, readable=True)
    (finding,) = unknown_findings(ConfigFiles((each,), (), Listing(Path())))
    assert finding.status is Status.OK
    assert finding.message.startswith(
        "7 values that only running it would tell: A0 (line 1: it is computed), A1 (line 2"
    )
    assert finding.message.endswith("A4 (line 5: it is computed) and 2 more.")


def test_what_only_running_would_tell_is_named_with_its_place() -> None:
    module = read_python("import os\nA = 1\nB = f()\nC = {'x': [1, os.getenv('X')], 'y': ({'z': g()}, 2)}\n")
    assert [(path, each.line, each.source) for path, each in unknown_values(module.value)] == [
        ("B", 3, "f()"),
        ("C.x[1]", 4, "os.getenv('X')"),
        ("C.y[0].z", 4, "g()"),
    ]
