from __future__ import annotations

from tasks.core.output.markdown import page
from tasks.core.report.model import Finding, Report, Status

EXPECTED = r"""# System audit

**critical**: two

## What to do

| status | where | what | remedy |
| --- | --- | --- | --- |
| critical | data/a\|b | Bad \<b\>\*one\*\</b\>\\nand more. | Run inv x. |
| warning | data/a\|b | Not so well. | Mend it. |

## Score

| check | of | note |
| --- | --- | --- |
| a | 10 |  |
| b |  |  |

## 1 finding without anything to do

- ok: data/a\|b: Well.
"""


def finding(status: Status, message: str, remedy: str | None = None) -> Finding:
    return Finding(check="c", subject="data/a|b", status=status, message=message, remedy=remedy)


def test_what_is_to_be_done_comes_first_and_the_worst_of_it() -> None:
    report = Report(
        summary="two",
        findings=[
            finding(Status.OK, "Well."),
            finding(Status.WARNING, "Not so well.", "Mend it."),
            finding(Status.CRITICAL, "Bad <b>*one*</b>\nand more.", "Run inv x."),
        ],
        data={"score": [{"check": "a", "of": 10}, {"check": "b", "note": None}], "percent": 5, "texts": ["a"]},
    )
    assert page("System audit", report) == EXPECTED


def test_where_nothing_is_to_be_done_it_says_so() -> None:
    text = page("All & well", Report(summary="fine"))
    assert text == "# All &amp; well\n\n**ok**: fine\n\n## What to do\n\nNothing.\n\n"
