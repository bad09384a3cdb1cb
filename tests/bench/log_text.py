"""What the logs of the benchmark say: minutes of a program that asks LLM providers for text.

Both sides' speed and size depend on the text, so it is like that of a real log, request by request: some eight
lines share a request's names, and three or four requests are under way at a time, so that their lines alternate.
Messages begin with a capital, as most programs write them (``Response from Grok …``, ``Cache miss for Titanium …``,
and httpx's own ``HTTP Request: POST …``). That matters: grep looks at every capital that may begin a level, and
takes three times as long for it as on a text without any. Keys, times and token counts are random, as they are in
life; that is what a packed log consists of. It is ASCII, with which grep is at its fastest.

Two requests in a hundred fail, three more are answered with a warning. So of the records about 0.4 % are warnings,
0.25 % errors, a good third of them with a traceback of four lines, and 0.02 % critical. A few lines carry the word
in a message and are none of these: ``ERROR_COUNT=0``.
"""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Iterator
from typing import NamedTuple

PLACEHOLDER = b"@@@@-@@-@@ @@:@@"
"""Stands in a minute for its date, hour and minute, which have the same length."""

GREP_PATTERN = "ERROR|WARN|CRITICAL"
"""What people look for."""

MINUTES = 47
"""Different ones that are made."""

_BYTES = 92_593
"""Of a minute: 30 days of them are 4 GB. gzip looks back 32 kB only, so that it gains nothing by their return."""

_SEED = 1905
_MATERIALS = (
    "Alabaster", "Titanium", "Stainless Steel", "Aluminum", "Carbon Fiber Reinforced Polymer", "Copper", "Brass",
    "Granite", "Limestone", "Oak", "Silicon Nitride", "Zirconia", "Borosilicate Glass", "Inconel", "Bronze",
    "Porcelain", "Marble", "Gallium Arsenide", "Cast Iron", "Polycarbonate", "Tungsten", "Slate", "Walnut", "Nickel",
)  # fmt: skip
_COMPONENTS = ("caption", "subtitle", "faq", "frontmatter", "description", "metatags", "jsonld", "table")
_PROVIDERS = (
    ("DeepSeek", "https://api.deepseek.com/v1/chat/completions", "deepseek-chat"),
    ("Grok", "https://api.x.ai/v1/chat/completions", "grok-4-fast"),
)
_WARNING, _ERROR, _CRITICAL = 0.03, 0.02, 0.0015
"""Chances that a request logs one."""
_ALL_WELL = 0.01
"""Chance that a request is followed by a line with ``ERROR_COUNT=0``."""


class Minute(NamedTuple):
    """A minute of the log.

    Attributes:
        text: its lines, with the placeholder.
        warnings, errors, criticals: its records of that level.
        matching: its lines in which ``grep`` finds the pattern.
    """

    text: bytes
    warnings: int
    errors: int
    criticals: int
    matching: int


class _Line(NamedTuple):
    """A record: milliseconds after the minute began, logger, level, message and what follows it."""

    at: int
    logger: str
    level: str
    message: str


@functools.cache
def minutes() -> tuple[Minute, ...]:
    """Return the minutes of which logs are made, the same ones every time."""
    chance = random.Random(_SEED)
    return tuple(_minute(chance) for _ in range(MINUTES))


def _minute(chance: random.Random) -> Minute:
    requests, size = [], 0
    while size < _BYTES:
        request = [*_request(chance)]
        size += sum(len(_shaped(line)) for line in request)
        requests.append(request)
    records = sorted((line for request in requests for line in request), key=lambda line: line.at)
    text = b"".join(_shaped(line) for line in records)
    levels = [line.level for line in records]
    matching = len(re.findall(rb"^.*(?:" + GREP_PATTERN.encode() + rb")", text, re.MULTILINE))
    warnings, errors, criticals = (levels.count(level) for level in ("WARNING", "ERROR", "CRITICAL"))
    return Minute(text, warnings, errors, criticals, matching)


def _shaped(line: _Line) -> bytes:
    seconds, thousandths = divmod(line.at, 1000)
    text = f":{seconds:02},{thousandths:03} - {line.logger} - {line.level} - {line.message}\n"
    return PLACEHOLDER + text.encode("ascii")


def _request(chance: random.Random) -> Iterator[_Line]:
    """Yield what one request logs, somewhere within the minute."""
    now = chance.randrange(54_000)
    material, component = chance.choice(_MATERIALS), chance.choice(_COMPONENTS)
    provider, url, model = chance.choice(_PROVIDERS)
    entry = f"cache/api_responses/api_{chance.getrandbits(48):012x}.json"
    prompted, completed = chance.randrange(420, 980), chance.randrange(60, 480)
    took = chance.randrange(900, 5_000)
    wrong = chance.random()

    def line(logger: str, level: str, message: str, *, after: int = 3) -> _Line:
        nonlocal now
        now += chance.randrange(after) + after
        return _Line(min(now, 59_999), logger, level, message)

    generator = f"generator.{component}"
    yield line(generator, "INFO", f"Generating {component} for {material} with {provider} ({model})")
    yield line("cache.store", "DEBUG", f"Cache miss for {material}, asking {provider}: {entry}")
    yield line("prompts.builder", "DEBUG", f"Prompt for {component} of {material}: {prompted * 4 + 3} characters")
    yield line("api.client", "DEBUG", f"POST {url} model={model} max_tokens=500 temperature=0.7")
    if wrong < _CRITICAL:
        yield line("api.client", "CRITICAL", f"{provider}: API key invalid, HTTP 401 from {url}", after=120)
        return
    if wrong < _CRITICAL + _ERROR:
        yield line(*_failure(chance, provider, url, material, component), after=took // 2)
        yield line(generator, "INFO", f"Retrying {component} for {material}, attempt 2 of 3")
        return
    if wrong < _CRITICAL + _ERROR + _WARNING:
        yield line("api.client", "WARNING", _hint(chance, provider, material, component), after=40)
    yield line("api.client", "INFO", f'HTTP Request: POST {url} "HTTP/1.1 200 OK"', after=took // 2)
    used = f"prompt_tokens={prompted} completion_tokens={completed} total_tokens={prompted + completed}"
    yield line("api.client", "INFO", f"Response from {provider} in {took / 1000:.3f} s: {used} finish_reason=stop")
    yield line("cache.store", "DEBUG", f"Response stored: {entry}, {completed * 4 + 211} bytes, expires in 24 h")
    yield line(
        generator, "INFO", f"Wrote {component} for {material}: {completed * 3 // 4} words in {took / 1000 + 0.02:.2f} s"
    )
    if chance.random() < _ALL_WELL:
        yield line("batch.runner", "INFO", f"Batch finished: ERROR_COUNT=0 for {material}")


def _hint(chance: random.Random, provider: str, material: str, component: str) -> str:
    return chance.choice(
        (
            f"{provider}: HTTP 429 Too Many Requests, waiting {chance.randrange(1, 9)} s before attempt 2",
            f"{provider} is slow: no answer after {chance.randrange(15, 40)} s",
            f"{material}: {component} is {chance.randrange(4, 60)} words too long, cut at the last sentence",
            f"{material}: no value for thermalConductivity, leaving it out of the prompt",
        )
    )


def _failure(chance: random.Random, provider: str, url: str, material: str, component: str) -> tuple[str, str, str]:
    """Return logger, level and message of an error."""
    generator = f"generator.{component}"
    error = chance.choice(("KeyError: 'density'", "TypeError: 'NoneType' object is not subscriptable"))
    place = f'  File "/srv/zbeam/components/{component}/generator.py", line {chance.choice((88, 131))}, in generate'
    source = '    density = material["properties"]["density"]["value"]'
    traceback = "\n".join(
        (f"{material}: {component} failed", "Traceback (most recent call last):", place, source, error)
    )
    return chance.choice(
        (
            ("api.client", "ERROR", f"{provider}: HTTP 503 Service Unavailable from {url}"),
            ("api.client", "ERROR", f"{provider}: Connection failed after {chance.randrange(3_000, 60_000)} ms"),
            ("validation.schema", "ERROR", f"{material}: {component} is no valid YAML, line {chance.randrange(2, 80)}"),
            (generator, "ERROR", traceback),
            (generator, "ERROR", traceback),
        )
    )
