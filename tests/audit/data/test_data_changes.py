from __future__ import annotations

from tasks.audit.data.data_changes import ChangeKind, CommitHistory, DataChange, data_changes, records_to_keep
from tasks.audit.data.data_checksums import ChecksumRecord

ONE, TWO = ChecksumRecord("1" * 64, 10, 100), ChecksumRecord("2" * 64, 11, 200)
SILENT = ChecksumRecord("3" * 64, 10, 100)
COMMIT = "commit abc of 2026-11-01 by A"


def history(*, tracked: str = "a", modified: str = "", commits: bool = False) -> CommitHistory:
    return CommitHistory(frozenset(tracked.split()), frozenset(modified.split()), {"a": COMMIT} if commits else {})


def change_of(
    before: ChecksumRecord | None, now: ChecksumRecord | None, known: CommitHistory | None = None
) -> DataChange | None:
    found = data_changes({"a": before} if before else {}, {"a": now} if now else {}, known)
    return found[0] if found else None


def test_what_is_the_same_is_not_told() -> None:
    assert change_of(ONE, ONE) is None
    assert change_of(ONE, ChecksumRecord(ONE.sha256, 10, 999)) is None


def test_a_new_file_needs_no_explanation() -> None:
    assert change_of(None, ONE) == DataChange("a", ChangeKind.NEW, explained=True, why="it is new")


def test_a_commit_explains_a_change_and_an_uncommitted_one_is_not_explained() -> None:
    assert change_of(ONE, TWO, history(commits=True)) == DataChange("a", ChangeKind.CHANGED, explained=True, why=COMMIT)
    for known in (history(), history(modified="a"), history(modified="a", commits=True)):
        assert change_of(ONE, TWO, known) == DataChange(
            "a", ChangeKind.CHANGED, explained=False, why="no commit has it"
        )


def test_where_git_does_not_know_a_file_writing_it_is_somebodys_work() -> None:
    for known in (None, history(tracked="b")):
        found = change_of(ONE, TWO, known)
        assert found is not None
        assert (found.explained, found.why) == (True, "it was written since")


def test_other_bytes_under_the_same_time_and_size_are_damage() -> None:
    for known in (None, history(), history(modified="a", commits=True)):
        found = change_of(ONE, SILENT, known)
        assert found is not None
        assert (found.kind, found.explained) == (ChangeKind.SILENT, False)
    found = change_of(ONE, SILENT, history(commits=True))  # Git writes files as well
    assert found is not None
    assert found.explained


def test_a_file_that_is_gone_is_told_once_unless_git_can_explain_it() -> None:
    assert change_of(ONE, None) == DataChange("a", ChangeKind.GONE, explained=False, why="nothing tells why", once=True)
    assert change_of(ONE, None, history(tracked="", modified="a")) == DataChange(
        "a", ChangeKind.GONE, explained=False, why="no commit has it"
    )
    assert change_of(ONE, None, history(tracked="", commits=True)) == DataChange(
        "a", ChangeKind.GONE, explained=True, why=COMMIT
    )


def test_what_is_not_explained_is_kept_as_it_was() -> None:
    before, now = {"a": ONE, "b": ONE, "c": ONE}, {"a": SILENT, "b": TWO, "d": TWO}
    found = data_changes(before, now, None)
    assert records_to_keep(before, now, found) == {"a": ONE, "b": TWO, "d": TWO}
    known = history(tracked="b", modified="b c")
    assert records_to_keep(before, now, data_changes(before, now, known)) == {"a": ONE, "b": ONE, "c": ONE, "d": TWO}
