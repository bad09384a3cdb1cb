"""``weekly.api-health``: answers of three lengths, models, limits, account and trend of every provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from ..conventions.unused_defaults import Unused
from ..core.report.model import Finding, Report
from ..core.secrets.keys import Key
from ..core.settings.model import ProviderSettings, Settings
from ..core.text.formatting import printable
from . import (
    account_findings,
    provider_findings,
    provider_history,
    rate_limits,
    remembering,
    response_figures,
    trend_findings,
)
from .address import account_kind
from .exchange_outcome import Asked, Request
from .provider_faults import LASTING, UNREACHABLE

if TYPE_CHECKING:
    from .session import Session

TASK = "weekly.api-health"

LENGTHS = (50, 200, 500)
"""Tokens of the three answers."""


def survey(
    settings: Settings,
    *,
    keys: Mapping[str, Key],
    now: datetime,
    stop: Event,
    dry_run: bool = False,
    redact: Callable[[str], str] = str,
    unused: Unused | None = None,
) -> Report:
    """Ask every provider for all that it tells of itself, and report on that and on its last 30 days.

    Per provider, in this order: the list of models, chat completions of 50, 200 and 500 tokens (not where
    ``probe`` is ``models``: only what is free is asked then), and the account. The figures go to the history,
    for which the caller holds the project's lock.

    Args:
        settings: the project's settings, ``root`` absolute.
        keys: the key of each environment variable that the providers name.
        now: the moment of the run, aware of its zone.
        stop: once it is set, what is under way is given up.
        dry_run: send and write nothing, report what a run would send.
        redact: takes secrets out of what servers say.
        unused: the providers that do not apply and are not in *settings*.
    """
    if not settings.providers:
        return provider_findings.none_applies(unused)
    from .all_providers import ask_all, refused

    if dry_run:
        requests = {name: _number(provider) for name, provider in settings.providers.items()}
        withheld = remembering.withheld_for_clock(settings, TASK, now, dry_run=True)
        closed = refused(settings.providers, keys)
        return provider_findings.planned(
            requests, closed, remembering.path(settings), [*withheld, *provider_findings.not_asked(unused)]
        )
    everyone = ask_all(settings.providers, _ask, keys=keys, now=now, stop=stop, redact=redact)
    memory = remembering.remember(settings, everyone, TASK, now)
    trends = trend_findings.of(
        provider_history.read(Path(settings.root), settings.logs.directory), settings.providers, now
    )
    figures = {printable(asked.name): response_figures.measure(asked) for asked in everyone if asked.complete}
    return Report(
        summary=provider_findings.summary(everyone),
        findings=[
            *_findings(everyone, now),
            *map(trend_findings.evaluate, trends, trends.values()),
            *memory.findings,
            *provider_findings.not_asked(unused),
        ],
        metrics=[metric for name, measured in figures.items() for metric in response_figures.metrics(name, measured)],
        actions=[*provider_findings.actions(everyone), *memory.actions],
        files=memory.files,
        data=_tables(
            {
                "providers": [response_figures.row(name, measured) for name, measured in figures.items()],
                "limits": [row for asked in everyone for row in rate_limits.rows(asked, now)],
                "trend": [trend_findings.row(name, found) for name, found in trends.items()],
            }
        ),
    )


def _number(provider: ProviderSettings) -> int:
    """Return how many requests a run makes."""
    chats = len(LENGTHS) if provider.probe == "chat" else 0
    return 1 + chats + (account_kind(provider) != "none")


def _findings(everyone: Sequence[Asked], now: datetime) -> Iterator[Finding]:
    for asked in everyone:
        yield from provider_findings.answer(asked)
        yield from provider_findings.model(asked)
        yield from rate_limits.evaluate(asked, now)
        yield from account_findings.evaluate(asked)


def _tables(tables: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    return {name: rows for name, rows in tables.items() if rows}


async def _ask(line: Session) -> None:
    failure = (await line.ask_for_models()).failure
    if line.settings.probe == "chat":
        for length in LENGTHS:
            failure = (await line.ask(Request("chat", length))).failure
            if failure is not None and failure.fault in LASTING:
                break
    if account_kind(line.settings) != "none" and (failure is None or failure.fault not in UNREACHABLE):
        await line.ask(Request("account"))
