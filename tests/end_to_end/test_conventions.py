"""What the suite finds out about a project, as its user sees it."""

from __future__ import annotations

from pathlib import Path

import jsonschema

from tasks.core.report.model import schema

from .conftest import Inv, fingerprint

TASK = "settings.conventions"


def test_what_is_found_is_shown_with_its_place_and_what_is_not_with_what_was_looked_for(
    project: Path, inv: Inv
) -> None:
    (project / "app.py").write_text("import logging\nhandler = logging.FileHandler('out/logs/app.log')\n")
    (project / "CHANGELOG.md").write_text("# Changelog\n\n## 1.0\n")
    before = fingerprint(project)
    result = inv(TASK)
    assert fingerprint(project) == before
    jsonschema.validate(result.document, schema())
    found = {each["subject"]: each for each in result.findings("conventions.found")}
    assert found["log folders"]["status"] == "ok"
    assert found["log folders"]["message"] == (
        "out/logs. Found in app.py:2: handler = logging.FileHandler('out/logs/app.log')."
    )
    assert found["changelog"]["message"] == "CHANGELOG.md (markdown). Found in CHANGELOG.md:3: ## 1.0."
    assert found["cache folders"]["status"] == "skipped"
    assert found["cache folders"]["message"].startswith("Not found. Looked for folders named cache or .cache")
    data = result.report["data"]["conventions"]["log folders"]
    assert (data["found"], data["setting"]) == ("out/logs", "maintenance.logs.directory")
    assert result.status == 0


def test_what_contradicts_itself_is_unknown_with_both_sides(project: Path, inv: Inv) -> None:
    (project / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1.0"\n')
    (project / "x").mkdir()
    (project / "x/__init__.py").write_text('__version__ = "2.0"\n')
    result = inv(TASK)
    (finding,) = [each for each in result.findings("conventions.found") if each["subject"] == "version"]
    assert (result.status, finding["status"]) == (3, "unknown")
    assert finding["message"] == "The version is 1.0 in pyproject.toml and 2.0 in x/__init__.py."
    assert finding["remedy"] == "Correct one of them, or set maintenance.release.version_files."


def test_an_empty_project_has_none(inv: Inv) -> None:
    result = inv(TASK)
    assert (result.status, {each["status"] for each in result.report["findings"]}) == (0, {"skipped"})
    assert result.report["summary"].startswith("0 of 15 conventions found; 0 files looked at")
