"""The health check with three slow providers against one request to one of them."""

from __future__ import annotations

import json
from pathlib import Path

from ..entry import Entry, Quantity, Side
from ..process import Command, Outcome
from ..programs import program
from ..provider_servers import ENVIRONMENT, SECONDS, SETTINGS, Providers, address
from ..suite import REPOSITORY, inv

_MORE_SECONDS = 0.3
"""What the whole process may take more than its slowest part."""


def entry(_scale: float) -> Entry:
    """Return the entry; the providers take two seconds at any scale."""
    providers = Providers()
    return Entry(
        name="health-check",
        about="the health check with three providers of 2 s each, against curl asking one of them",
        quantity=Quantity.TIME,
        bar=(SECONDS + _MORE_SECONDS) / SECONDS,
        rounds=5,
        changes_input=False,
        ours=Side("inv daily.health-check", providers, _check, _problem),
        peer=Side("curl, one request", providers, _request),
        note="the bar is the slowest part and 0.3 s, the start of Python and Invoke included.",
    )


def _check(folder: Path) -> Command:
    settings = {"INVOKE_MAINTENANCE_OUTPUT": "json", "INVOKE_MAINTENANCE_FAIL_ON": "never", **ENVIRONMENT}
    return inv("-f", str(folder / SETTINGS), "daily.health-check", root=folder, settings=settings)


def _problem(_folder: Path, outcome: Outcome) -> str | None:
    (report,) = json.loads(outcome.output)["reports"]
    answered = [each for each in report["findings"] if each["check"] == "providers.answer" and each["status"] == "ok"]
    return None if len(answered) == Providers().number else f"{len(answered)} providers answered"


def _request(folder: Path) -> Command:
    body = json.dumps({"model": "stand-in", "messages": [{"role": "user", "content": "?"}], "max_tokens": 16})
    return Command((program("curl"), "--silent", "--fail", "--data", body, address(folder)), REPOSITORY)
