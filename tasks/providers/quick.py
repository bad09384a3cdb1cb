"""The providers' part of ``daily.health-check`` and ``emergency.recover``: one small request to each, all at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING

from ..conventions.unused_defaults import Unused
from ..core.report.model import Report
from ..core.secrets.keys import Key
from ..core.settings.model import Settings
from ..core.text.formatting import printable
from . import provider_findings, remembering, response_figures
from .all_providers import ask_all, refused
from .exchange_outcome import Request
from .provider_faults import Fault

if TYPE_CHECKING:
    from .session import Session

TASK = "daily.health-check"

MAX_TOKENS = 16
"""Tokens of the answer: enough to see that it is one."""


def ask_once(
    settings: Settings,
    *,
    keys: Mapping[str, Key],
    now: datetime,
    stop: Event,
    dry_run: bool = False,
    redact: Callable[[str], str] = str,
    unused: Unused | None = None,
    task: str = TASK,
) -> Report:
    """Ask every provider once and report on what came back.

    What is asked is what each provider's ``probe`` says: a chat completion of 16 tokens, or the free list of
    models. The figures go to the history of measurements, for which the caller holds the project's lock.

    Args:
        settings: the project's settings, ``root`` absolute.
        keys: the key of each environment variable that the providers name.
        now: the moment of the run, aware of its zone.
        stop: once it is set, what is under way is given up.
        dry_run: send and write nothing, report what a run would send.
        redact: takes secrets out of what servers say.
        unused: the providers that do not apply and are not in *settings*.
        task: the procedure that asks, which the history names.
    """
    if not settings.providers:
        return provider_findings.none_applies(unused)
    if dry_run:
        requests = dict.fromkeys(settings.providers, 1)
        withheld = remembering.withheld_for_clock(settings, task, now, dry_run=True)
        closed = refused(settings.providers, keys)
        return provider_findings.planned(
            requests, closed, remembering.path(settings), [*withheld, *provider_findings.not_asked(unused)]
        )
    everyone = ask_all(settings.providers, _ask, keys=keys, now=now, stop=stop, redact=redact)
    memory = remembering.remember(settings, everyone, task, now)
    figures = {printable(asked.name): response_figures.measure(asked) for asked in everyone if asked.complete}
    return Report(
        summary=provider_findings.summary(everyone),
        findings=[
            *(found for asked in everyone for found in provider_findings.answer(asked)),
            *memory.findings,
            *provider_findings.not_asked(unused),
        ],
        metrics=[metric for name, measured in figures.items() for metric in response_figures.metrics(name, measured)],
        actions=[*provider_findings.actions(everyone), *memory.actions],
        files=memory.files,
        data={"providers": [response_figures.row(name, measured) for name, measured in figures.items()]},
    )


async def _ask(line: Session) -> None:
    if line.settings.probe == "models":
        await line.ask_for_models()
        return
    outcome = await line.ask(Request("chat", MAX_TOKENS))
    if outcome.failure is not None and outcome.failure.fault is Fault.MODEL_NOT_OFFERED:
        await line.ask_for_models()  # to name those that are offered
