"""``weekly.api-health``: answers of three lengths, models, limits, account and trend of every provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from ..core.keys import Key
from ..core.names import printable
from ..core.report import Finding, Report
from ..core.settings.model import ProviderSettings, Settings
from . import account, history, judgement, limits, measures, remembering, trending
from .address import account_kind
from .faults import LASTING, UNREACHABLE
from .outcome import Asked, Request

if TYPE_CHECKING:
    from .line import Line

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
    """
    if not settings.providers:
        return judgement.none_set()
    from .asking import ask_all, refused

    if dry_run:
        requests = {name: _number(provider) for name, provider in settings.providers.items()}
        return judgement.planned(requests, refused(settings.providers, keys), remembering.path(settings))
    everyone = ask_all(settings.providers, _ask, keys=keys, now=now, stop=stop, redact=redact)
    memory = remembering.remember(settings, everyone, TASK, now)
    trends = trending.of(history.read(Path(settings.root), settings.logs.directory), settings.providers, now)
    figures = {printable(asked.name): measures.measure(asked) for asked in everyone if asked.complete}
    return Report(
        summary=judgement.summary(everyone),
        findings=[*_findings(everyone, now), *map(trending.judge, trends, trends.values()), *memory.findings],
        metrics=[metric for name, measured in figures.items() for metric in measures.metrics(name, measured)],
        actions=[*judgement.actions(everyone), *memory.actions],
        files=memory.files,
        data=_tables(
            {
                "providers": [measures.row(name, measured) for name, measured in figures.items()],
                "limits": [row for asked in everyone for row in limits.rows(asked, now)],
                "trend": [trending.row(name, found) for name, found in trends.items()],
            }
        ),
    )


def _number(provider: ProviderSettings) -> int:
    """Return how many requests a run makes."""
    chats = len(LENGTHS) if provider.probe == "chat" else 0
    return 1 + chats + (account_kind(provider) != "none")


def _findings(everyone: Sequence[Asked], now: datetime) -> Iterator[Finding]:
    for asked in everyone:
        yield from judgement.answer(asked)
        yield from judgement.model(asked)
        yield from limits.judge(asked, now)
        yield from account.judge(asked)


def _tables(tables: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    return {name: rows for name, rows in tables.items() if rows}


async def _ask(line: Line) -> None:
    failure = (await line.ask_for_models()).failure
    if line.settings.probe == "chat":
        for length in LENGTHS:
            failure = (await line.ask(Request("chat", length))).failure
            if failure is not None and failure.fault in LASTING:
                break
    if account_kind(line.settings) != "none" and (failure is None or failure.fault not in UNREACHABLE):
        await line.ask(Request("account"))
