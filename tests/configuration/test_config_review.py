from __future__ import annotations

from pathlib import Path
from threading import Event

from tasks.configuration.config_review import unreadable_files
from tasks.core.report.model import Report, Status
from tasks.core.settings.model import Settings


def read(root: Path) -> Report:
    return unreadable_files(
        Settings(root=str(root)), redact=lambda text: text.replace("known", "[redacted]"), stop=Event()
    )


def write(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text)


def test_a_project_without_configuration_is_no_fault(tmp_path: Path) -> None:
    assert (read(tmp_path).findings, read(tmp_path).summary) == ([], "0 configured files read")


def test_what_can_be_read_is_no_finding_even_where_it_is_doubtful(tmp_path: Path) -> None:
    write(tmp_path, "data/materials.yaml", "a: 1\na: 2\n")  # another case than configured, and a key twice
    write(tmp_path, "components/text/config.yaml", "a: 1\n")
    assert (read(tmp_path).findings, read(tmp_path).summary) == ([], "2 configured files read")


def test_what_cannot_be_read_is_told_with_its_place_and_without_secrets(tmp_path: Path) -> None:
    write(tmp_path, "config/settings.py", "known = (\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/Materials.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    report = read(tmp_path)
    statuses = {each.subject: each.status for each in report.findings}
    assert statuses["config/settings.py"] is Status.CRITICAL
    assert all("known" not in each.message for each in report.findings)
