"""A provider to try things on: a small server on loopback that answers as the OpenAI chat API does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import Event, Lock
from typing import Any, NamedTuple

from .loopback import Request, Response, serve

_VERSION = "/v1"


class Reply(NamedTuple):
    """One answer as it is sent, in the place of the proper one."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = {}


class Seen(NamedTuple):
    """One request as it came in; the names of its headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Behaviour:
    """How a stand-in answers.

    Attributes:
        models: the models that it offers and answers for.
        aliases: further names of them, by the model's; listed at ``/language-models`` only, as xAI does.
        key: the key that it accepts; ``None``: any.
        delay_seconds: how long a chat completion takes.
        tokens: the tokens that it reports for a chat completion: as many as were asked for at most; ``None``: it
            reports none.
        headers: sent with every answer: rate limits, for instance.
        balance: the answer of ``/user/balance``; ``None``: there is no such address.
        key_state: the answer of ``/v1/api-key``; ``None``: there is no such address.
        bases: where the API is: below ``/v1``, at the top, or both.
        replies: what is sent first, one per request, by the end of the path: ``chat/completions``, ``models``.
        always: the same for every request, once *replies* are used up.
    """

    models: tuple[str, ...] = ("stand-in",)
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    key: str | None = None
    delay_seconds: float = 0
    tokens: int | None = 1_000_000
    headers: Mapping[str, str] = field(default_factory=dict)
    balance: Mapping[str, Any] | None = None
    key_state: Mapping[str, Any] | None = None
    bases: tuple[str, ...] = ("", _VERSION)
    replies: Mapping[str, tuple[Reply, ...]] = field(default_factory=dict)
    always: Mapping[str, Reply] = field(default_factory=dict)


@dataclass
class StandIn:
    """A stand-in that serves.

    Attributes:
        url: where it is, without ``/v1``.
        seen: the requests that came in, in their order.
    """

    behaviour: Behaviour
    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    ended: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)

    def count(self, end: str) -> int:
        """Return how many requests came in whose path ends so."""
        return sum(1 for request in self.seen if request.path.endswith(f"/{end}"))

    def answer(self, request: Seen) -> Reply:
        """Return the answer to *request*, and remember that it came in."""
        with self.lock:
            self.seen.append(request)
            planned = self._planned(request.path)
        return planned or self._proper(request)

    def _planned(self, path: str) -> Reply | None:
        for end, replies in self.behaviour.replies.items():
            number = self.count(end)
            if path.endswith(f"/{end}") and number <= len(replies):
                return replies[number - 1]
        return next((reply for end, reply in self.behaviour.always.items() if path.endswith(f"/{end}")), None)

    def _proper(self, request: Seen) -> Reply:
        behaviour = self.behaviour
        if behaviour.key is not None and request.headers.get("authorization") != f"Bearer {behaviour.key}":
            return _error(HTTPStatus.UNAUTHORIZED, "Authentication Fails")
        place = f"{request.method} {request.path}"
        if any(place == f"POST {base}/chat/completions" for base in behaviour.bases):
            return self._completion(request.body)
        content = next((found for path, found in self._documents() if place == f"GET {path}"), None)
        if content is None:
            return _error(HTTPStatus.NOT_FOUND, f"There is nothing at {request.path}")
        return Reply(HTTPStatus.OK, content)

    def _documents(self) -> Iterator[tuple[str, Any]]:
        """Yield what can be read, with its path."""
        behaviour = self.behaviour
        yield "/user/balance", behaviour.balance
        yield f"{_VERSION}/api-key", behaviour.key_state
        for base in behaviour.bases:
            models = [{"id": name, "object": "model"} for name in behaviour.models]
            yield f"{base}/models", {"object": "list", "data": models}
            if behaviour.aliases:
                aliases = [{"id": name, "aliases": behaviour.aliases.get(name, ())} for name in behaviour.models]
                yield f"{base}/language-models", {"models": aliases}

    def _completion(self, body: Any) -> Reply:
        if not isinstance(body, dict) or not body.get("messages"):
            return _error(HTTPStatus.BAD_REQUEST, "messages: missing")
        known = {*self.behaviour.models, *(name for names in self.behaviour.aliases.values() for name in names)}
        if body.get("model") not in known:
            return _error(HTTPStatus.BAD_REQUEST, "Model Not Exist")
        self.ended.wait(self.behaviour.delay_seconds)
        message = {"role": "assistant", "content": "The beam heats the rust until it flakes off."}
        answer: dict[str, Any] = {
            "id": "stand-in-1",
            "object": "chat.completion",
            "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": "length"}],
        }
        if self.behaviour.tokens is not None:
            answer["usage"] = {"completion_tokens": min(self.behaviour.tokens, body.get("max_tokens", 1_000_000))}
        return Reply(HTTPStatus.OK, answer)


def _error(status: HTTPStatus, message: str) -> Reply:
    return Reply(status, {"error": {"message": message, "type": status.phrase.lower().replace(" ", "_")}})


@contextmanager
def stand_in(behaviour: Behaviour | None = None) -> Iterator[StandIn]:
    """Serve on a free port of 127.0.0.1, in a thread, until the block ends."""
    serving = StandIn(behaviour or Behaviour())

    def answer(request: Request) -> Response:
        body = json.loads(request.content) if request.content else None
        reply = serving.answer(Seen(request.method, request.path, request.headers, body))
        content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        headers = {"Content-Type": "application/json", **serving.behaviour.headers, **reply.headers}
        return Response(reply.status, content, headers)

    with serve(answer) as serving.url:
        try:
            yield serving
        finally:
            serving.ended.set()
