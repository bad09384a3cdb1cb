"""The figures of what providers answered, and the entry of the history that they make."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean
from typing import Any

from ..core.report.model import Metric
from ..core.text.formatting import count, listed
from .answers import Completion, Offer
from .exchange_outcome import Asked, ExchangeOutcome
from .provider_faults import Failure, Fault

_PLACES = 4
"""Decimal places of what is written down."""


@dataclass(frozen=True, slots=True)
class Measure:
    """The figures of one provider, of the requests that its ``probe`` makes.

    Attributes:
        requests: how many were sent, repeated ones included.
        failures: how many of them failed.
        response_time: mean seconds to the end of the answer; ``None`` where none came.
        first_byte: mean seconds to its first byte.
        tokens_per_second: tokens of all answers that count them, per second that those took.
        tokens: those tokens.
    """

    requests: int
    failures: int
    response_time: float | None
    first_byte: float | None
    tokens_per_second: float | None
    tokens: int | None

    @property
    def success_rate(self) -> float | None:
        """The share of the requests that succeeded; ``None`` where there were none."""
        return (self.requests - self.failures) / self.requests if self.requests else None


def probes(asked: Asked) -> tuple[ExchangeOutcome, ...]:
    """Return the outcomes that are measured: of chat completions, or of the free list of models."""
    return asked.of(asked.settings.probe)


def measure(asked: Asked) -> Measure:
    """Return the figures of a provider."""
    outcomes = probes(asked)
    good = [outcome for outcome in outcomes if outcome.failure is None]
    counted = [
        (outcome.content.tokens, outcome.total)
        for outcome in good
        if isinstance(outcome.content, Completion) and outcome.content.tokens is not None and outcome.total
    ]
    tokens, seconds = sum(number for number, _ in counted), sum(total for _, total in counted)
    requests = sum(outcome.attempts for outcome in outcomes)
    return Measure(
        requests=requests,
        failures=requests - len(good),
        response_time=_mean([outcome.total for outcome in good]),
        first_byte=_mean([outcome.first_byte for outcome in good]),
        tokens_per_second=tokens / seconds if counted else None,
        tokens=tokens if counted else None,
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def offer(asked: Asked) -> Offer | None:
    """Return what the provider's lists of models say, the later one where there are two; ``None`` without any."""
    offers = [found.content for found in (*asked.of("models"), *asked.of("language-models")) if found.failure is None]
    known = [found for found in offers if isinstance(found, Offer)]
    return next((found for found in known if found.offered), known[0] if known else None)


def trouble(asked: Asked) -> Failure | None:
    """Return what is wrong with a provider: why it was not asked, or the first failure; ``None`` where all is well."""
    if asked.refused is not None:
        return asked.refused
    failure = next((outcome.failure for outcome in probes(asked) if outcome.failure is not None), None)
    found = offer(asked)
    if found is None or (failure is not None and failure.fault is not Fault.MODEL_NOT_OFFERED):
        return failure
    if failure is not None:
        return Failure(failure.fault, f"{failure.message} {_offered(found)}", failure.status)
    if asked.settings.probe == "models" and not found.offered:
        return not_offered(asked.settings.model, found)
    return None


def not_offered(model: str, found: Offer) -> Failure:
    """Return the failure of a model that is not among those that a provider lists."""
    return Failure(Fault.MODEL_NOT_OFFERED, f"It does not offer the model {listed([model], 1)}. {_offered(found)}")


def _offered(found: Offer) -> str:
    return f"It offers {count(found.total, 'model')}: {listed(found.names, found.total)}."


def entry(everyone: Sequence[Asked], source: str, now: datetime) -> dict[str, Any] | None:
    """Return the entry of the history; ``None`` where no provider was asked to the end.

    Args:
        everyone: what became of the requests; a provider whose requests were broken off has no figures.
        source: the task that asked.
        now: the moment of the run, aware of its zone.
    """
    measured = [(asked, measure(asked)) for asked in everyone if asked.complete]
    if not measured:
        return None
    requests = sum(figures.requests for _, figures in measured)
    failures = sum(figures.failures for _, figures in measured)
    return {
        "timestamp": now.isoformat(),
        "source": source,
        "avg_response_time": _rounded(_mean([figures.response_time for _, figures in measured])),
        "success_rate": _rounded((requests - failures) / requests if requests else None),
        "providers": {asked.name: _of_provider(asked, figures) for asked, figures in measured},
    }


def _of_provider(asked: Asked, figures: Measure) -> dict[str, Any]:
    failure = trouble(asked)
    return {
        "avg_response_time": _rounded(figures.response_time),
        "success_rate": _rounded(figures.success_rate),
        "time_to_first_byte": _rounded(figures.first_byte),
        "tokens_per_second": _rounded(figures.tokens_per_second),
        "requests": figures.requests,
        "failures": figures.failures,
        "error": failure.fault.value if failure else None,
        "model": asked.settings.model,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _PLACES)


def metrics(name: str, figures: Measure) -> Iterator[Metric]:
    """Yield the numbers of the provider *name* that could be measured."""
    for metric, value, unit in (
        ("response_time", figures.response_time, "s"),
        ("first_byte", figures.first_byte, "s"),
        ("tokens_per_second", figures.tokens_per_second, "tokens/s"),
        ("success_rate", figures.success_rate, "share"),
    ):
        if value is not None:
            yield Metric(name=f"providers.{metric}", value=round(value, _PLACES), unit=unit, subject=name)


def row(name: str, figures: Measure) -> dict[str, Any]:
    """Return the line of the provider *name* in the table of providers; seconds, and 0 to 1 for success."""
    return {
        "provider": name,
        "mean": _rounded(figures.response_time),
        "first byte": _rounded(figures.first_byte),
        "success": _rounded(figures.success_rate),
        "tokens/s": _rounded(figures.tokens_per_second),
        "requests": figures.requests,
    }
