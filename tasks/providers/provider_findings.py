"""What the answers of providers mean: pure, so that every sentence can be tested."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..conventions.unused_defaults import Unused
from ..core.report.model import Action, Finding, Report, Status, worst
from ..core.settings.model import ProviderSettings
from ..core.text.formatting import count, duration, listed, printable
from .exchange_outcome import Asked
from .provider_faults import NOT_SUPPORTED, Failure, Fault
from .response_figures import Measure, measure, not_offered, offer, trouble

ANSWER = "providers.answer"

_CONSOLE = "in the provider's console"

_REMEDIES = {
    Fault.KEY_MISSING: (
        "Set {key_env} in the environment or in .env; or set {setting} to null, where the project does not use it."
    ),
    Fault.KEY_REFUSED: f"Put a valid key into {{key_env}}; keys are made {_CONSOLE}.",
    Fault.OUT_OF_QUOTA: f"Top up the account or raise its limit {_CONSOLE}.",
    Fault.RATE_LIMITED: "Wait, then try again; see what else uses this key.",
    Fault.OVERLOADED: "Try again later; should it last, look at the provider's status page.",
    Fault.TIMEOUT: "Try again later; if it is always that slow, raise {setting}.deadline_seconds.",
    Fault.DNS: "Check the network, and the host in {setting}.base_url.",
    Fault.TLS: "Check the clock (date) and {setting}.base_url; name an authority of your own in SSL_CERT_FILE.",
    Fault.PROXY: "Correct HTTP_PROXY, HTTPS_PROXY and ALL_PROXY, or name the host in NO_PROXY.",
    Fault.CONNECTION_REFUSED: "Check {setting}.base_url and that the server runs; where HTTPS_PROXY is set, the proxy.",
    Fault.CONNECTION_LOST: "Check the network, then try again.",
    Fault.MALFORMED: "Check that {setting}.base_url is the address of its API.",
    Fault.REDIRECTED: "Set {setting}.base_url to that address, if it is the provider's.",
    Fault.MODEL_NOT_OFFERED: "Set {setting}.model to a model that is offered.",
    Fault.WRONG_REQUEST: "See what the provider says of the request, and check {setting}.model.",
    Fault.WRONG_ADDRESS: "Correct {setting}.base_url.",
}


def remedy(fault: Fault, name: str, settings: ProviderSettings) -> str:
    """Return what to do about *fault* of the provider *name*."""
    setting = f"maintenance.providers.{printable(name)}"
    return _REMEDIES[fault].format(setting=setting, key_env=printable(settings.key_env))


def not_asked(unused: Unused | None) -> list[Finding]:
    """Return the finding on the providers that do not apply, if there are any."""
    return [unused.finding(ANSWER)] if unused else []


def none_applies(unused: Unused | None) -> Report:
    """Return the report of a project without providers."""
    if unused:
        return Report(summary="no provider is used", findings=not_asked(unused))
    text = "No provider is set in maintenance.providers."
    finding = Finding(check=ANSWER, subject="providers", status=Status.SKIPPED, message=text)
    return Report(summary="no providers are set", findings=[finding])


def planned(requests: Mapping[str, int], refused: Sequence[Asked], history: str, withheld: Sequence[Finding]) -> Report:
    """Return the report of a dry run.

    Args:
        requests: how many requests each provider would be sent, by its name.
        refused: the providers that cannot be asked, for want of a key for one; nothing would be sent to them.
        history: the file that would be written to.
        withheld: the findings on what would be kept there.
    """
    closed = {asked.name for asked in refused}
    names = {name: printable(name) for name in requests if name not in closed}
    return Report(
        summary=f"{count(len(names), 'provider')} would be asked",
        dry_run=True,
        findings=[
            *(found for asked in refused for found in answer(asked)),
            *(
                Finding(check=ANSWER, subject=name, status=Status.SKIPPED, message="Not asked in a dry run.")
                for name in names.values()
            ),
            *withheld,
        ],
        actions=[
            *(Action(verb="request", target=shown, count=requests[name], done=False) for name, shown in names.items()),
            Action(verb="write", target=printable(history), done=False),
        ],
    )


def answer(asked: Asked) -> Iterator[Finding]:
    """Yield what there is to say of a provider's answers and of its key."""
    name, settings = printable(asked.name), asked.settings
    if asked.remark is not None:
        yield Finding(
            check="providers.key",
            subject=name,
            status=Status.WARNING,
            message=f"{printable(settings.key_env)} {asked.remark}; it was used without them.",
            remedy="Remove them: a program that takes the key as it is will be refused.",
        )
    if not asked.complete:
        yield Finding(
            check=ANSWER,
            subject=name,
            status=Status.UNKNOWN,
            message="It was told to stop (Ctrl-C or kill) before all answers were there.",
            remedy="Run it again.",
        )
        return
    figures, failure = measure(asked), trouble(asked)
    status, message, advice = _evaluated(asked, figures, failure)
    yield Finding(
        check=ANSWER,
        subject=name,
        status=status,
        message=message,
        value=None if figures.response_time is None else round(figures.response_time, 3),
        unit="s",
        warning=settings.slow_seconds,
        critical=settings.very_slow_seconds,
        remedy=advice,
    )


_PASSING = frozenset({Fault.RATE_LIMITED, Fault.OVERLOADED, Fault.CONNECTION_LOST, Fault.MALFORMED})
"""What may well be over at the next request: where another request succeeded, these are a warning."""


def _evaluated(asked: Asked, figures: Measure, failure: Failure | None) -> tuple[Status, str, str | None]:
    """Return status, message and remedy of the finding on a provider's answers."""
    succeeded = figures.requests - figures.failures
    slow, timing = _by_time(asked.settings, figures)
    if failure is None:
        return slow, timing, None if slow is Status.OK else _slow_remedy(asked)
    advice = remedy(failure.fault, asked.name, asked.settings)
    limited = failure.fault is Fault.RATE_LIMITED
    if not succeeded:
        tries = f" It was asked {figures.requests} times." if figures.requests > 1 else ""
        return Status.WARNING if limited else Status.CRITICAL, f"{failure.message}{tries}", advice
    passing = Status.WARNING if failure.fault in _PASSING else Status.CRITICAL
    return worst((passing, slow)), f"{failure.message} {timing}", advice


def _by_time(settings: ProviderSettings, figures: Measure) -> tuple[Status, str]:
    """Return the judgement of the mean time, and the figures as a sentence."""
    mean = figures.response_time
    if mean is None:
        return Status.OK, ""
    status, limit = Status.OK, ""
    for bound, above in ((settings.slow_seconds, Status.WARNING), (settings.very_slow_seconds, Status.CRITICAL)):
        if mean > bound:
            status, limit = above, f", more than {duration(bound)}"
    succeeded = figures.requests - figures.failures
    parts = [f"{'Answered' if succeeded == 1 else f'{succeeded} answers, each'} in {duration(mean)}"]
    parts.append(f"{'' if succeeded == 1 else ' on average'}{limit}")
    parts.append(f" (first byte after {duration(figures.first_byte or 0)})")
    if settings.probe == "chat":
        parts.append(f", {'tokens not reported' if figures.tokens is None else count(figures.tokens, 'token')}")
    if figures.tokens_per_second is not None:
        parts.append(f", {figures.tokens_per_second:,.1f} tokens/s")
    if figures.failures:
        parts.append(f"; {figures.failures} of {count(figures.requests, 'request')} failed")
    return status, f"{''.join(parts)}."


def _slow_remedy(asked: Asked) -> str:
    setting = f"maintenance.providers.{printable(asked.name)}"
    return f"Should it stay so, look at the provider's status page, or set {setting}.slow_seconds to what is usual."


def model(asked: Asked) -> Iterator[Finding]:
    """Yield whether the provider offers the model that the project uses."""
    if not asked.complete or asked.refused is not None or not asked.of("models"):
        return
    wanted, found, failure = listed([asked.settings.model], 1), offer(asked), asked.of("models")[0].failure
    works = any(outcome.failure is None for outcome in asked.of("chat"))
    if found is not None:
        status = Status.OK if found.offered else Status.CRITICAL
        text = f"It offers {wanted}." if found.offered else not_offered(asked.settings.model, found).message
    elif works:
        status, text = Status.OK, f"{wanted} answers; which models are offered is not reported."
    elif failure is None or failure.status in NOT_SUPPORTED:
        status, text = Status.SKIPPED, "Which models are offered is not reported."
    else:
        status, text = Status.UNKNOWN, f"Which models are offered could not be read: {failure.message}"
    advice = None
    if status is Status.CRITICAL:
        advice = remedy(Fault.MODEL_NOT_OFFERED, asked.name, asked.settings)
    elif status is Status.UNKNOWN and failure is not None:
        advice = remedy(failure.fault, asked.name, asked.settings)
    yield Finding(check="providers.model", subject=printable(asked.name), status=status, message=text, remedy=advice)


def actions(everyone: Sequence[Asked]) -> Iterator[Action]:
    """Yield how many requests each provider was sent."""
    for asked in everyone:
        if sent := sum(outcome.attempts for outcome in asked.outcomes):
            yield Action(verb="request", target=printable(asked.name), count=sent)


def summary(everyone: Sequence[Asked]) -> str:
    """Return how many of the providers answered as they should."""
    good = sum(1 for asked in everyone if asked.complete and trouble(asked) is None)
    return f"{good} of {count(len(everyone), 'provider')} answered as expected"
