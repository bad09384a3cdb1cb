"""The requests to one provider."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from ..core.settings.model import ProviderSettings
from . import address, answers, provider_faults, retries
from .cleaning import READ
from .exchange import Answer, exchange
from .exchange_outcome import ExchangeOutcome, Kind, Request
from .provider_faults import Failure, Fault
from .retries import named_wait

if TYPE_CHECKING:
    import httpx

PROMPT = "Explain how laser cleaning removes rust from steel."


@dataclass(slots=True)
class Session:
    """The connection to one provider: what is remembered from one of its requests to the next.

    Attributes:
        settings: the provider's settings.
        place: where its API is.
        client: sends the requests.
        key: goes into their headers.
        clean: makes what a server said fit to be shown.
        now: the moment of the run, aware of its zone.
        base: the address below which the API is, once that is known.
        outcomes: what became of the requests so far.
    """

    settings: ProviderSettings
    place: address.Address
    client: httpx.AsyncClient = field(repr=False)
    key: str = field(repr=False)
    clean: Callable[[str], str] = field(repr=False)
    now: datetime
    base: str | None = None
    outcomes: list[ExchangeOutcome] = field(default_factory=list)

    async def ask(self, request: Request) -> ExchangeOutcome:
        """Make *request*, once more where that is safe, and remember what became of it."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + self.settings.deadline_seconds
        attempts = 0
        while True:
            attempts += 1
            answer = await self._located(request, deadline)
            content = self._read(request, answer) if isinstance(answer, Answer) else answer
            if not isinstance(content, Failure):
                break
            free, remaining = request.kind != "chat", deadline - clock()
            wait = retries.pause(content, free=free, attempts=attempts, remaining=remaining)
            if wait is None:
                break
            await asyncio.sleep(wait)
        outcome = _exchange_outcome(request, attempts, answer, content)
        self.outcomes.append(outcome)
        return outcome

    async def ask_for_models(self) -> ExchangeOutcome:
        """Ask for the list of models; where the model is not in it, for the list with other names, which xAI has."""
        outcome = await self.ask(Request("models"))
        listed = outcome.content
        lacking = isinstance(listed, answers.Offer) and not listed.offered
        if lacking and address.account_kind(self.settings) == "api-key":
            await self.ask(Request("language-models"))
        return outcome

    async def _located(self, request: Request, deadline: float) -> Answer | Failure:
        """Send *request* to where the API is; until that is known, to both addresses where it may be.

        An address where there is no such API has processed nothing, so that nothing is paid for twice.
        """
        if request.kind == "account":
            kind = address.account_kind(self.settings)
            return await self._send(request, address.account_url(self.place, kind), deadline)
        path = _PATHS[request.kind]
        if self.base is not None:
            return await self._send(request, self.base + path, deadline)
        first = await self._send(request, self.place.base + path, deadline)
        if self._fault(first) is not Fault.WRONG_ADDRESS:
            if isinstance(first, Answer):
                self.base = self.place.base
            return first
        second = await self._send(request, self.place.other + path, deadline)
        if isinstance(second, Failure) or self._fault(second) is Fault.WRONG_ADDRESS:
            return first
        self.base = self.place.other
        return second

    async def _send(self, request: Request, url: str, deadline: float) -> Answer | Failure:
        if request.kind != "chat":
            return await exchange(self.client, "GET", url, key=self.key, content=None, deadline=deadline)
        body = msgspec.json.encode(
            {
                "model": self.settings.model,
                "messages": [{"role": "user", "content": PROMPT}],
                "max_tokens": request.max_tokens,
                "temperature": 0,
                "stream": False,
            }
        )
        return await exchange(self.client, "POST", url, key=self.key, content=body, deadline=deadline)

    def _fault(self, answer: Answer | Failure) -> Fault | None:
        if isinstance(answer, Failure):
            return answer.fault
        return provider_faults.of_status(answer.status, answer.body[:READ].decode("utf-8", "replace"))

    def _read(self, request: Request, answer: Answer) -> Any:
        """Return what *answer* holds, or the failure that it is."""
        fault = self._fault(answer)
        if fault is Fault.REDIRECTED:
            where = self.clean(address.target(self.place.base, answer.headers.get("location", "")))
            message = f"It redirects to {where} (HTTP {answer.status}); the key is not sent on."
            return Failure(fault, message, answer.status)
        if fault is not None:
            explanation = self.clean(answers.words(answer.body))
            wait = named_wait(answer.headers, self.now)
            return provider_faults.refusal(fault, answer.status, explanation, wait=wait)
        try:
            if request.kind in {"models", "language-models"}:
                return answers.offer(answers.models(answer.body), self.settings.model, self.clean)
            return _READERS[_form(request, self.settings)](answer.body)
        except answers.Malformed as error:
            message = f"Its answer (HTTP {answer.status}) is malformed: {self.clean(str(error))}."
            return Failure(Fault.MALFORMED, message, answer.status)


_PATHS: dict[Kind, str] = {
    "chat": "/chat/completions",
    "models": "/models",
    "language-models": "/language-models",
}

_READERS: dict[str, Callable[[bytes], Any]] = {
    "chat": answers.completion,
    "balance": answers.balance,
    "api-key": answers.key_state,
}


def _form(request: Request, settings: ProviderSettings) -> str:
    return address.account_kind(settings) if request.kind == "account" else request.kind


def _exchange_outcome(request: Request, attempts: int, answer: Answer | Failure, content: Any) -> ExchangeOutcome:
    headers = answer.headers if isinstance(answer, Answer) else {}
    if isinstance(content, Failure) or isinstance(answer, Failure):
        return ExchangeOutcome(request, attempts, content, headers=headers)
    return ExchangeOutcome(request, attempts, None, answer.first_byte, answer.total, content, headers)
