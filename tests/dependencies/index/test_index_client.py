from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Timer
from time import monotonic

import pytest

from tasks.demo_site.loopback import Response
from tasks.demo_site.package_index import Behaviour, Index, OfferedFile, package_index
from tasks.demo_site.wheels import wheel
from tasks.dependencies.index.index_client import IndexAnswer, IndexedProject, NotInIndex, QueryFailed, query_indexes

UPLOADED = datetime(2026, 1, 1, tzinfo=UTC)


def files(*names: str, version: str = "1.0") -> dict[str, OfferedFile]:
    return {file: OfferedFile(content, UPLOADED) for file, content in (wheel(name, version) for name in names)}


def asked(*names: str, index: Index | str, seconds: float = 60, stop: Event | None = None) -> Mapping[str, IndexAnswer]:
    url = index if isinstance(index, str) else index.url
    return query_indexes(names, [url], deadline_seconds=seconds, stop=stop)


def reason(answer: IndexAnswer) -> str:
    assert isinstance(answer, QueryFailed)
    return answer.reason


@pytest.mark.parametrize("html_only", [False, True])
def test_what_the_index_has_and_has_not(html_only: bool) -> None:  # noqa: FBT001
    with package_index(files("demo", "other"), Behaviour(html_only=html_only)) as index:
        found = asked("demo", "gone", "other", "demo", index=index)
    demo = found["demo"]
    assert isinstance(demo, IndexedProject)
    assert [(str(each.version), each.uploaded) for each in demo.releases] == [("1.0", None if html_only else UPLOADED)]
    assert found["gone"] == NotInIndex()
    assert sorted(index.pages) == ["demo", "gone", "other"]


def test_nothing_to_ask_for() -> None:
    assert query_indexes([], ["http://127.0.0.1:9/simple"], deadline_seconds=1) == {}


def test_no_index_to_ask() -> None:
    assert "no index is known" in reason(query_indexes(["demo"], [], deadline_seconds=1)["demo"])


def closed_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def test_an_index_that_is_not_there_is_tried_once() -> None:
    found = asked(*(f"p{number}" for number in range(200)), index=f"http://127.0.0.1:{closed_port()}/simple")
    assert len(found) == 200
    assert {reason(answer).partition(":")[0] for answer in found.values()} == {"the index cannot be reached"}


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (Response(503), "the index answered with HTTP 503"),
        (Response(403), "the index answered with HTTP 403, which asks for credentials"),
        (Response(200, b"<html>hello", {"Content-Type": "text/plain"}), "no page of a package index"),
        (Response(200, b"{", {"Content-Type": "application/json"}), "no page of a package index"),
        (Response(302, b"", {"Location": "/simple/demo/"}), "asking the index failed"),
    ],
)
def test_an_index_that_answers_otherwise(response: Response, message: str) -> None:
    with package_index(files("demo"), Behaviour(page=response)) as index:
        assert message in reason(asked("demo", index=index)["demo"])


def test_a_page_without_an_end_is_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.dependencies.index.index_client._LARGEST", 10)
    with package_index(files("demo")) as index:
        assert "no page" in reason(asked("demo", index=index)["demo"])


def test_an_index_that_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    with package_index(files("demo"), Behaviour(delay_seconds=600)) as index:
        assert reason(asked("demo", index=index, seconds=0.5)["demo"]) == "it had not answered within 500 ms"
        stop = Event()
        Timer(0.3, stop.set).start()
        began = monotonic()
        assert reason(asked("demo", index=index, seconds=600, stop=stop)["demo"]) == "it was told to stop"
        assert monotonic() - began < 300
        monkeypatch.setattr("tasks.dependencies.index.index_client._SOCKET_SECONDS", 0.3)
        assert reason(asked("demo", index=index)["demo"]) == "the index did not answer within 300 ms"


def test_credentials_are_those_of_the_address_or_of_netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with package_index(files("demo"), Behaviour(user="me:secret")) as index:
        assert "HTTP 401, which asks for credentials" in reason(asked("demo", index=index)["demo"])
        with_user = index.url.replace("http://", "http://me:secret@")
        assert isinstance(asked("demo", index=with_user)["demo"], IndexedProject)
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password secret\n")
        (tmp_path / ".netrc").chmod(0o600)
        assert isinstance(asked("demo", index=index)["demo"], IndexedProject)
        (tmp_path / ".netrc").write_text("nonsense\n")
        assert "HTTP 401" in reason(asked("demo", index=index)["demo"])


def test_no_proxy_is_on_the_way_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with package_index(files("demo")) as index:
        assert isinstance(asked("demo", index=index)["demo"], IndexedProject)


def test_several_indexes_count_together() -> None:
    with ExitStack() as open_ones:
        first = open_ones.enter_context(package_index(files("demo", "mine")))
        second = open_ones.enter_context(package_index(files("demo", version="2.0")))
        urls = [first.url, second.url, f"http://127.0.0.1:{closed_port()}/simple", "file:///srv/simple"]
        found = query_indexes(["demo", "mine", "gone"], urls[:2], deadline_seconds=60)
        demo, mine = found["demo"], found["mine"]
        assert isinstance(demo, IndexedProject)
        assert isinstance(mine, IndexedProject)
        assert {str(each.version) for each in demo.releases} == {"1.0", "2.0"}
        assert (mine.note, found["gone"]) == ("", NotInIndex())
        found = query_indexes(["demo", "gone"], [urls[0], urls[2]], deadline_seconds=60)
        demo = found["demo"]
        assert isinstance(demo, IndexedProject)
        assert demo.note.startswith("Another index was not asked: the index cannot be reached")
        assert "cannot be reached" in reason(found["gone"])
        assert "no web address" in reason(query_indexes(["demo"], urls[3:], deadline_seconds=60)["demo"])


def test_hundreds_of_names_are_asked_side_by_side() -> None:
    with package_index({}, Behaviour(delay_seconds=0.05)) as index:
        found = asked(*(f"p{number}" for number in range(160)), index=index)
    assert {*found.values()} == {NotInIndex()}
    assert len(index.pages) == 160
