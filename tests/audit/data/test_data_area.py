from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from tasks.audit.audit_checks import CHECKSUMS, PARSES
from tasks.audit.data import data_checksums
from tasks.audit.data.data_area import ExaminedData, examine_data
from tasks.core.report.model import Finding, Status
from tasks.core.settings.model import AuditSettings, Settings
from tests.audit.repository import git

NOW = datetime.now().astimezone()
LEDGER = "logs/audit_checksums.json"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "data/deep").mkdir(parents=True)
    (tmp_path / "data/a.yaml").write_text("a: 1\n")
    (tmp_path / "data/deep/b.json").write_text("{}")
    return tmp_path


def look(root: Path, *, dry_run: bool = False, days: float = 0, stop: bool = False) -> ExaminedData:
    event = Event()
    if stop:
        event.set()
    now = NOW + timedelta(days=days)
    return examine_data(Settings(root=str(root)), now=now, stop=event, advance=lambda _n: None, dry_run=dry_run)


def findings_of(found: ExaminedData, check: str = CHECKSUMS.name) -> list[Finding]:
    return [each for each in found.findings if each.check == check]


def only_finding(found: ExaminedData) -> Finding:
    (finding,) = findings_of(found)
    return finding


def commit(root: Path, message: str = "data") -> None:
    git(root, "add", "-A")
    git(root, "commit", "-m", message, "--allow-empty")


def test_a_project_without_data_has_nothing_to_check(tmp_path: Path) -> None:
    found = look(tmp_path)
    assert {each.status for each in found.findings} == {Status.SKIPPED}
    assert found.actions == []
    assert not (tmp_path / "logs").exists()


def test_the_first_audit_keeps_checksums_and_the_second_compares(project: Path) -> None:
    assert only_finding(look(project)).status is Status.SKIPPED
    kept = json.loads((project / LEDGER).read_text())
    assert [*kept["files"]] == ["data/a.yaml", "data/deep/b.json"]
    found = look(project, days=1)
    assert only_finding(found).status is Status.OK
    assert only_finding(found).message == f"2 files compared with {NOW.date()}."
    assert [(action.target, action.done) for action in found.actions] == [(LEDGER, True)]


def test_a_dry_run_and_one_that_is_stopped_keep_nothing(project: Path) -> None:
    assert [action.done for action in look(project, dry_run=True).actions] == [False]
    assert look(project, stop=True).actions == []
    assert not (project / "logs").exists()


def test_a_file_that_does_not_parse_is_critical(project: Path) -> None:
    (project / "data/a.yaml").write_text("a: [1\n")
    (finding,) = findings_of(look(project), PARSES.name)
    assert (finding.status, finding.subject) == (Status.CRITICAL, "data/a.yaml")


def damage(path: Path) -> None:
    status = path.stat()
    path.write_text(path.read_text().replace("1", "7"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_a_flipped_bit_is_critical_until_it_is_mended(project: Path) -> None:
    look(project)
    damage(project / "data/a.yaml")
    for days in (1, 2):
        finding = only_finding(look(project, days=days))
        assert (finding.status, finding.subject) == (Status.CRITICAL, "data/a.yaml")
        assert "its bytes are others, its size and time are the same" in finding.message
    os.utime(project / "data/a.yaml")
    assert only_finding(look(project, days=3)).status is Status.OK


def test_without_git_what_was_written_is_told_and_what_is_gone_is_a_warning_once(project: Path) -> None:
    look(project)
    (project / "data/a.yaml").write_text("a: 22\n")
    (project / "data/deep/b.json").unlink()
    finding = only_finding(look(project, days=1))
    assert (finding.status, finding.subject) == (Status.WARNING, "data gone")
    assert finding.message == f'1 file gone since {NOW.date()}, and nothing tells why: "data/deep/b.json".'
    assert only_finding(look(project, days=2)).status is Status.OK
    (project / "data/a.yaml").write_text("a: 333\n")
    finding = only_finding(look(project, days=3))
    assert finding.status is Status.OK
    assert "data/a.yaml (it was written since). Git was not asked: " in finding.message


@pytest.mark.parametrize("below", ["", "sub"])
@pytest.mark.needs("git")
def test_with_git_a_commit_explains_and_its_absence_does_not(tmp_path: Path, below: str) -> None:
    root = tmp_path / below if below else tmp_path
    (root / "data").mkdir(parents=True)
    (root / "data/a.yaml").write_text("a: 1\n")
    (root / "data/with\nline.json").write_text("{}")
    (root / ".gitignore").write_text("logs/\n")
    git(tmp_path, "init")
    commit(tmp_path)
    old = examine_data(
        Settings(root=str(root)),
        now=NOW - timedelta(days=30),
        stop=Event(),
        advance=lambda _n: None,
        dry_run=False,
    )
    assert only_finding(old).status is Status.SKIPPED
    (root / "data/a.yaml").write_text("a: 22\n")
    (root / "data/with\nline.json").unlink()
    first, second = findings_of(look(root))
    assert (first.subject, second.subject) == ("data changed", "data gone")
    assert "and no commit has it" in first.message
    assert first.status is second.status is Status.WARNING
    commit(tmp_path, "a is another")
    finding = only_finding(look(root))
    assert finding.status is Status.OK
    assert "by Somebody" in finding.message
    assert finding.value == 2


def test_a_ledger_that_cannot_be_used_is_unknown_and_kept_aside(project: Path) -> None:
    (project / "logs").mkdir()
    for content in ("{", '{"schema": 9}', '{"schema": 1, "files": {}, "taken": "soon"}'):
        (project / LEDGER).write_text(content)
        assert only_finding(look(project)).status is Status.UNKNOWN
        assert [*json.loads((project / LEDGER).read_text())["files"]] == ["data/a.yaml", "data/deep/b.json"]
    assert len([*(project / "logs").glob("*.broken-*")]) == 3
    content = json.loads((project / LEDGER).read_text())
    for path, row in (("data/a.yaml", ["no"]), ("../outside", ["0" * 64, 1, 1]), ("data/a.yaml", ["0" * 64, -1, 1])):
        forged = {**content, "files": {**content["files"], path: row}}
        (project / LEDGER).write_text(json.dumps(forged))
        assert only_finding(look(project)).status is Status.UNKNOWN
        assert json.loads((project / LEDGER).read_text())["files"] == content["files"]


def test_links_are_not_followed_and_environments_not_entered(project: Path) -> None:
    (project / "data/link.yaml").symlink_to(project / "data/a.yaml")
    (project / "data/loop").symlink_to(project / "data")
    (project / "data/.venv").mkdir()
    (project / "data/.venv/x.json").write_text("{")
    (project / "elsewhere").mkdir()
    (project / "config").symlink_to(project / "elsewhere")
    look(project)
    assert len(json.loads((project / LEDGER).read_text())["files"]) == 2


def test_patterns_name_files_and_folders(project: Path) -> None:
    (project / "top.json").write_text("{}")
    (project / "more").mkdir()
    (project / "more/x.txt").write_text("x")
    settings = Settings(root=str(project), audit=AuditSettings(data=("*.json", "more", "data/*.yaml")))
    examine_data(settings, now=NOW, stop=Event(), advance=lambda _n: None, dry_run=False)
    assert [*json.loads((project / LEDGER).read_text())["files"]] == ["data/a.yaml", "more/x.txt", "top.json"]


def test_what_cannot_be_read_is_unknown_and_remembered(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look(project)
    record = data_checksums._checksum

    def refusing(root: Path, path: str) -> data_checksums.ChecksumRecord:
        if path == "data/a.yaml":
            raise PermissionError(13, "Permission denied")
        if path == "data/deep/b.json":
            raise FileNotFoundError
        return record(root, path)

    monkeypatch.setattr(data_checksums, "_checksum", refusing)
    found = look(project, days=1)
    (unknown,) = [each for each in findings_of(found, PARSES.name) if each.status is Status.UNKNOWN]
    assert (unknown.subject, unknown.message) == ("data/a.yaml", "It cannot be read: Permission denied.")
    assert "data/a.yaml" in json.loads((project / LEDGER).read_text())["files"]


def test_checksums_that_cannot_be_kept_are_told(project: Path) -> None:
    (project / "logs").write_text("no folder")
    found = look(project)
    assert findings_of(found)[-1].status is Status.WARNING
    assert found.actions == []
