"""What is asked of a provider, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from ..core.settings.model import ProviderSettings
from .provider_faults import Failure

Kind = Literal["chat", "models", "language-models", "account"]


class Request(NamedTuple):
    """One request to make; *max_tokens* is that of a chat completion."""

    kind: Kind
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ExchangeOutcome:
    """What became of one request.

    Attributes:
        request: the request.
        attempts: how often it was sent.
        failure: what was wrong with the last attempt; ``None`` where it succeeded.
        first_byte: seconds to the first byte of the answer to the last attempt; ``None`` where it failed.
        total: seconds to the last byte of it; ``None`` where it failed.
        content: what the answer held: of :mod:`answers`, by the kind of the request.
        headers: those of the answer, names in lower case; empty where there was none.
    """

    request: Request
    attempts: int
    failure: Failure | None = None
    first_byte: float | None = None
    total: float | None = None
    content: Any = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of all requests to one provider.

    Attributes:
        name: the provider.
        settings: its settings.
        outcomes: those of its requests, in the order in which they were made.
        refused: why it could not be asked at all.
        remark: what is wrong with its key although it could be used, as the end of a sentence.
        complete: False where it was told to stop.
    """

    name: str
    settings: ProviderSettings
    outcomes: tuple[ExchangeOutcome, ...] = ()
    refused: Failure | None = None
    remark: str | None = None
    complete: bool = True

    def of(self, kind: Kind) -> tuple[ExchangeOutcome, ...]:
        """Return the outcomes of one kind of request."""
        return tuple(outcome for outcome in self.outcomes if outcome.request.kind == kind)
