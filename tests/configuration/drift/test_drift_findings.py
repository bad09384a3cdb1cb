from __future__ import annotations

from pathlib import Path

import pytest

from tasks.configuration.drift.change_authors import LocatedChange, locate_drift
from tasks.configuration.drift.comparison import Change
from tasks.configuration.drift.drift_acceptance import AcceptedPart, accepted_part
from tasks.configuration.drift.drift_baseline import Accepted
from tasks.configuration.drift.drift_findings import change_rows, drift_findings, history_entries
from tasks.configuration.drift.file_drift import DriftedFile, PresentFile, drifted_files
from tasks.core.report.model import Status


def drifted(*changes: Change, accepted: str = "2026-10-01T00:00:00+00:00") -> DriftedFile:
    return DriftedFile("a.yaml", "a.yaml", accepted, [*changes], "")


def finding_on(root: Path, *changes: Change) -> tuple[Status, str]:
    (finding,) = drift_findings([drifted(*changes)], locate_drift(root, [drifted(*changes)]))
    return finding.status, finding.message


def test_files_that_came_went_or_changed() -> None:
    accepted = {name: Accepted("2026", {"x": 1}) for name in ("same", "changed", "gone", "unread")}
    files = [PresentFile(name, f"{name}.yaml", None, "text") for name in ("same", "changed", "come")]
    values = {"same": {"x": 1}, "changed": {"x": 2}, "come": {"x": 1, "y": 2}}
    found = drifted_files(accepted, files, values, ["unread"])
    assert [(each.name, each.path, each.accepted) for each in found] == [
        ("changed", "changed.yaml", "2026"),
        ("come", "come.yaml", ""),
        ("gone", "gone", "2026"),
    ]
    assert [each.changes[0][:4] for each in found] == [
        ("changed", "x", "1", "2"),
        ("added", "", None, "2 values"),
        ("removed", "", "1 value", None),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.yaml", AcceptedPart("a.yaml", "")),
        ("a.yaml:x.y", AcceptedPart("a.yaml", "x.y")),
        ("a.yaml:", AcceptedPart("a.yaml", "")),
        ("a.yaml:b:x", AcceptedPart("a.yaml:b", "x")),
        ("on-disk.yaml:x", AcceptedPart("a.yaml", "x")),
        ("a.yam", None),
        ("a.yamlx", None),
        ("", None),
    ],
)
def test_a_part_is_a_file_and_a_path(text: str, expected: AcceptedPart | None) -> None:
    assert accepted_part(text, ["a.yaml", "a.yaml:b"], {"on-disk.yaml": "a.yaml"}) == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (Change("changed", "x", "1", "2"), "x: 1 → 2."),
        (Change("added", "x", None, "2"), "x is new: 2."),
        (Change("removed", "x", "1", None), "x is gone: 1."),
        (Change("moved", "y", None, "1", "x"), "x is y now."),
        (Change("added", "", None, "3 values"), "It is new, with 3 values."),
        (Change("removed", "", "3 values", None), "It is gone, with 3 values."),
        (Change("changed", "", "1", "{}"), "the whole file: 1 → {}."),
        (Change("changed", "x", "1", "z" * 80), f"x: 1 → {'z' * 59}…."),
    ],
)
def test_one_change_is_told_by_itself(tmp_path: Path, change: Change, message: str) -> None:
    assert finding_on(tmp_path, change) == (Status.WARNING, message)


def test_several_changes_are_counted(tmp_path: Path) -> None:
    changes = [Change("changed", "x", "1", "2"), Change("added", "y", None, "2"), Change("changed", "z", "1", "2")]
    assert finding_on(tmp_path, *changes) == (Status.WARNING, "3 changes since 2026-10-01: 2 changed, 1 added.")


def test_another_order_is_no_drift_and_what_cannot_be_compared_is_unknown(tmp_path: Path) -> None:
    order, unclear = Change("reordered", "list"), Change("unclear", "key")
    assert finding_on(tmp_path, order) == (Status.OK, "1 change since 2026-10-01: 1 in another order.")
    assert finding_on(tmp_path, order, Change("changed", "x", "1", "2")) == (Status.WARNING, "x: 1 → 2.")
    assert finding_on(tmp_path, unclear)[0] is Status.UNKNOWN
    assert finding_on(tmp_path, unclear, unclear)[0] is Status.UNKNOWN
    assert finding_on(tmp_path, unclear, Change("changed", "x", "1", "2"))[0] is Status.WARNING


def test_rows_are_twenty_unless_all_are_asked_for(tmp_path: Path) -> None:
    changes = [Change("changed", f"x{number}", "1", "z" * 80) for number in range(30)]
    known = locate_drift(tmp_path, [drifted(*changes), drifted()])
    assert (len(change_rows(known, diff=False)), len(change_rows(known, diff=True))) == (20, 30)
    assert [len(str(change_rows(known, diff=diff)[0]["now"])) for diff in (False, True)] == [60, 80]
    (finding, _) = drift_findings([drifted(*changes), drifted()], known)
    assert "--diff shows every change" in str(finding.remedy)


def test_no_more_than_a_thousand_changes_are_told(tmp_path: Path) -> None:
    changes = [Change("changed", f"x{number}", "1", "2") for number in range(600)]
    assert len(locate_drift(tmp_path, [drifted(*changes), drifted(*changes)])) == 1000


def test_history_has_all_but_another_order() -> None:
    known = [
        LocatedChange("a.yaml", Change("moved", "y", None, "1", "x"), 3, None),
        LocatedChange("a.yaml", Change("reordered", "list"), 0, None),
    ]
    (entry,) = history_entries("drift", known, "now")
    assert (entry["event"], entry["path"], entry["old"], entry["new"]) == ("drift", "y", "x", "1")
