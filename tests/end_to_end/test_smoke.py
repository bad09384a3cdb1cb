"""A process of its own does what the other end-to-end tests see ``inv`` do in theirs: once for each collection."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.namespace import namespace

from .conftest import Inv, Result, entry

CALLS = {
    "backup": ["backup.create", "--dry-run"],
    "daily": ["daily.log-review"],
    "emergency": ["emergency.recover", "--dry-run"],
    "monthly": ["monthly.config-review"],
    "quarterly": ["quarterly.capacity-planning", "--dry-run"],
    "release": ["release.checklist", "--dry-run"],
    "report": ["report.schema"],
    "schedule": ["schedule.status"],
    "settings": ["settings.show"],
    "weekly": ["weekly.cache-cleanup", "--dry-run"],
}


def outcome(result: Result, *, document: bool) -> object:
    """Return what two calls have in common: all but times."""
    if not document:
        return result
    reports = [(each["task"], each["status"], len(each["findings"])) for each in result.document["reports"]]
    return result.status, result.err, result.document["status"], reports


def test_each_collection_is_called() -> None:
    assert set(CALLS) == set(namespace.collections)


@pytest.mark.parametrize("name", CALLS)
def test_a_process_ends_as_the_call_in_this_one(name: str, inv: Inv, inv_process: Inv, project: Path) -> None:
    entry(project / "logs/app.log", content=b"2026-11-23 11:59:59,707 - api.client - ERROR - nothing came back\n")
    entry(project / "cache/temp/old.json", hours=100)
    ours, theirs = inv(*CALLS[name]), inv_process(*CALLS[name])
    document = name != "report"
    assert outcome(ours, document=document) == outcome(theirs, document=document)


@pytest.mark.parametrize("arguments", [["--list"], ["--help", "demo"], ["nothing.of-this-name"]])
def test_what_invoke_itself_prints_is_the_same(arguments: list[str], inv: Inv, inv_process: Inv) -> None:
    assert inv(*arguments, json=False) == inv_process(*arguments, json=False)
