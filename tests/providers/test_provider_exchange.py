from __future__ import annotations

import asyncio
import gzip
import logging
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

import httpx
import pytest

from tasks.providers import provider_faults
from tasks.providers.exchange import Answer, exchange, quiet
from tasks.providers.provider_faults import Failure, Fault

from .conftest import SECRET, Handler, closed_port, hostile, run, says


def _exchange(url: str, *, seconds: float = 60, method: str = "GET", content: bytes | None = None) -> Answer | Failure:
    async def ask() -> Answer | Failure:
        async with httpx.AsyncClient() as client:
            deadline = asyncio.get_running_loop().time() + seconds
            return await exchange(client, method, url, key=SECRET, content=content, deadline=deadline)

    return run(ask())


def _failure(handle: Handler, *, seconds: float = 60) -> Failure:
    with hostile(handle) as url:
        failure = _exchange(url, seconds=seconds)
    assert isinstance(failure, Failure)
    assert SECRET not in repr(failure)
    return failure


def _answer(handle: Handler) -> Answer:
    with hostile(handle) as url:
        answer = _exchange(url)
    assert isinstance(answer, Answer)
    return answer


def test_an_answer_has_status_headers_body_and_times() -> None:
    answer = _answer(says(b'{"a": 1}', status="418 I'm a teapot", headers={"X-Some": "Thing"}))
    assert (answer.status, answer.body, answer.headers["x-some"]) == (418, b'{"a": 1}', "Thing")
    assert 0 < answer.first_byte <= answer.total
    assert "Thing" not in repr(answer)


def test_an_empty_body_has_its_first_byte_at_the_end() -> None:
    answer = _answer(says(b""))
    assert answer.body == b""
    assert answer.first_byte == answer.total


def test_the_key_is_in_one_header_and_nothing_packed_is_asked_for() -> None:
    heads: list[bytes] = []

    def handle(connection: socket.socket, ended: Event) -> None:
        received = b""
        while not received.endswith(b"\r\n\r\n[]"):
            received += connection.recv(65536)
        heads.append(received)
        says(b"{}")(connection, ended)

    with hostile(handle, read=False) as url:
        assert isinstance(_exchange(f"{url}/path", method="POST", content=b"[]"), Answer)
    head = heads[0].decode().lower()
    assert head.startswith("post /path http/1.1\r\n")
    assert head.count(SECRET) == 1
    assert f"\r\nauthorization: bearer {SECRET}\r\n" in head
    assert "\r\naccept-encoding: identity\r\n" in head
    assert "\r\ncontent-type: application/json\r\n" in head


def test_time_to_first_byte_does_not_count_signs_of_life() -> None:
    passed: list[float] = []

    def handle(connection: socket.socket, ended: Event) -> None:
        began = time.monotonic()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 36\r\n\r\n\n\n")
        for part in (b": keep-alive\n", b"\n: keep-alive\n\n"):
            ended.wait(0.2)
            connection.sendall(part)
        ended.wait(0.2)
        passed.append(time.monotonic() - began)
        connection.sendall(b"{}  \n\n")

    answer = _answer(handle)
    assert answer.body.strip() == b"{}"
    assert answer.first_byte >= passed[0] - 0.05


@pytest.mark.parametrize("drip", [b"\n", b"x"])
def test_a_server_that_drips_cannot_stretch_the_deadline(drip: bytes) -> None:
    def handle(connection: socket.socket, ended: Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not ended.wait(0.02):
            connection.sendall(drip)

    began = time.monotonic()
    failure = _failure(handle, seconds=0.5)
    assert time.monotonic() - began < 300  # the whole answer takes half an hour
    # The exchange begins a little after the deadline was set.
    assert failure.fault is Fault.TIMEOUT
    assert re.fullmatch(r"It did not answer within (500|4\d\d) ms\.", failure.message)


def test_a_server_that_drips_its_headers_cannot_either() -> None:
    def handle(connection: socket.socket, ended: Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while not ended.wait(0.02):
            connection.sendall(b"X: y\r\n")

    assert _failure(handle, seconds=0.5).fault is Fault.TIMEOUT


def test_a_server_that_never_answers_is_given_up() -> None:
    def handle(_connection: socket.socket, ended: Event) -> None:
        ended.wait()

    assert _failure(handle, seconds=0.3).fault is Fault.TIMEOUT


def test_a_deadline_that_has_passed_sends_nothing_that_waits() -> None:
    with hostile(says(b"{}")) as url:
        failure = _exchange(url, seconds=-1)
    assert failure == Failure(Fault.TIMEOUT, "It did not answer within 0 ms.")


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    sent = [0]

    def handle(connection: socket.socket, _ended: Event) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        for _ in range(100):
            connection.sendall(b"x" * 1_000_000)
            sent[0] += 1

    failure = _failure(handle)
    assert failure == Failure(Fault.MALFORMED, "Its answer is larger than 1 MB.", 200)
    assert sent[0] < 50


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        (gzip.compress(bytes(20_000_000)), "gzip", "larger than 1 MB"),
        (b"plain", "gzip", "packing is broken"),
        (gzip.compress(b"{}")[:-3], "gzip", "end is missing"),
        (b"{}", "br", "not asked for"),
    ],
    ids=["bomb", "plain", "cut", "unknown"],  # the same in every process: packed bytes hold the time
)
def test_packed_answers_that_cannot_be_used_are_malformed(content: bytes, encoding: str, message: str) -> None:
    failure = _failure(says(content, headers={"Content-Encoding": encoding}))
    assert failure.fault is Fault.MALFORMED
    assert message in failure.message


def test_a_packed_answer_is_unpacked() -> None:
    assert _answer(says(gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"})).body == b"{}"


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b"", Fault.CONNECTION_LOST),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort", Fault.CONNECTION_LOST),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n", Fault.CONNECTION_LOST),
        (b"HTTP/1.1 200 OK\r\nContent-", Fault.CONNECTION_LOST),
        (b"220 mail.example ESMTP\r\n\r\n", Fault.MALFORMED),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n", Fault.MALFORMED),
    ],
)
def test_an_answer_that_ends_early_is_told_from_one_that_is_no_http(raw: bytes, fault: Fault) -> None:
    def handle(connection: socket.socket, _ended: Event) -> None:
        connection.sendall(raw)

    assert _failure(handle).fault is fault


def test_a_connection_that_is_reset_is_lost() -> None:
    def handle(connection: socket.socket, _ended: Event) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")

    assert _failure(handle).fault is Fault.CONNECTION_LOST


def test_redirects_are_not_followed() -> None:
    visited = Event()

    def elsewhere(connection: socket.socket, ended: Event) -> None:
        visited.set()
        says(b"{}")(connection, ended)

    with (
        hostile(elsewhere) as other,
        hostile(says(b"", status="307 Temporary Redirect", headers={"Location": other})) as url,
    ):
        answer = _exchange(url)
    assert isinstance(answer, Answer)
    assert answer.status == 307
    assert not visited.is_set()


def test_nobody_there_is_a_refused_connection() -> None:
    port = closed_port()
    assert _exchange(f"http://127.0.0.1:{port}/v1") == Failure(
        Fault.CONNECTION_REFUSED, f"The connection to 127.0.0.1:{port} was refused."
    )


def test_a_name_that_does_not_exist_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_arguments: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)  # no test may ask a real resolver
    assert _exchange("https://provider.invalid/v1") == Failure(
        Fault.DNS, "The host provider.invalid cannot be resolved: Name or service not known."
    )


@pytest.mark.parametrize("url", ["http://a..b/", "http://exa mple/", "ftp://h/", f"http://{'a' * 70}.example/"])
def test_what_is_no_address_is_told_of(url: str) -> None:
    failure = _exchange(url)
    assert isinstance(failure, Failure)
    assert failure.fault in {Fault.WRONG_ADDRESS, Fault.DNS}


def test_ipv6_alone_is_enough() -> None:
    try:
        with hostile(says(b"{}"), host="::1") as url:
            answer = _exchange(url)
    except OSError:
        pytest.skip("this machine has no IPv6")
    assert url.startswith("http://[::1]:")
    assert isinstance(answer, Answer)


def test_https_with_a_server_that_speaks_http_is_a_fault_of_tls() -> None:
    with hostile(says(b"no TLS here"), read=False) as url:
        failure = _exchange(url.replace("http:", "https:"))
    assert isinstance(failure, Failure)
    assert failure.fault is Fault.TLS
    assert failure.message.startswith("No secure connection to 127.0.0.1:")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with a key and a certificate for 127.0.0.1 that nobody has signed but itself."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the program openssl is missing")
    folder = tmp_path_factory.mktemp("certificate")
    (folder / "openssl.cnf").write_text(
        "[req]\ndistinguished_name=name\nx509_extensions=more\nprompt=no\n"
        "[name]\nCN=127.0.0.1\n[more]\nsubjectAltName=IP:127.0.0.1\n"
    )
    arguments = "req -x509 -newkey rsa:2048 -nodes -days 30 -config openssl.cnf -keyout key.pem -out cert.pem"
    subprocess.run([openssl, *arguments.split()], cwd=folder, check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_text((folder / "key.pem").read_text() + (folder / "cert.pem").read_text())
    return both


def _tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_certificate_that_nobody_signed_is_not_trusted(certificate: Path) -> None:
    with hostile(says(b"{}"), tls=_tls(certificate)) as url:
        failure = _exchange(url)
    assert isinstance(failure, Failure)
    assert failure.fault is Fault.TLS
    assert "its certificate is not trusted (self" in failure.message


def test_an_authority_of_ones_own_is_named_in_the_environment(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with hostile(says(b"{}"), tls=_tls(certificate)) as url:
        assert isinstance(_exchange(url), Answer)


def _raised(error: Exception, cause: BaseException | None) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "fault", "message"),
    [
        (httpx.ConnectError("x"), Fault.CONNECTION_LOST, "No connection to h."),
        (
            _raised(httpx.ConnectError("x"), OSError(101, "Network is unreachable")),
            Fault.CONNECTION_LOST,
            "No connection to h: Network is unreachable.",
        ),
        (
            _raised(
                httpx.ConnectError("x"),
                _raised(OSError("all"), ExceptionGroup("both", [OSError(1, "a"), ConnectionRefusedError(111, "b")])),
            ),
            Fault.CONNECTION_REFUSED,
            "The connection to h was refused.",
        ),
        (_raised(httpx.ConnectError("x"), ssl.SSLError()), Fault.TLS, "the handshake failed"),
        (httpx.ProxyError("407 Nope\n"), Fault.PROXY, "refused the connection: 407 Nope\\n."),
        (httpx.InvalidURL("x"), Fault.WRONG_ADDRESS, "h is no address"),
        (httpx.UnsupportedProtocol("x"), Fault.WRONG_ADDRESS, "h is no address"),
        (UnicodeError("x"), Fault.WRONG_ADDRESS, "h is no address"),
        (httpx.ReadError("x"), Fault.CONNECTION_LOST, "h closed the connection"),
        (httpx.LocalProtocolError(f"Illegal header value b'Bearer {SECRET}'"), Fault.CONNECTION_LOST, "h closed"),
    ],
)
def test_the_errors_below_an_exception_tell_what_happened(error: Exception, fault: Fault, message: str) -> None:
    failure = provider_faults.of_exception(error, "h")
    assert failure.fault is fault
    assert message in failure.message
    assert SECRET not in failure.message


@pytest.fixture
def _debugging(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore.http11"):
        caplog.set_level(logging.DEBUG, name)


@pytest.mark.usefixtures("_debugging")
def test_nothing_that_is_sent_or_received_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    echo = says(b"{}", status=f"200 {SECRET}", headers={"X-Echo": SECRET})
    with hostile(echo) as url:
        _exchange(url)
        assert SECRET in caplog.text  # so it would be, were it not for this:
        caplog.clear()
        with quiet():
            assert isinstance(_exchange(url), Answer)
    assert SECRET not in caplog.text
    assert "httpcore" not in caplog.text


def test_the_loggers_are_left_as_they_were() -> None:
    names = ("httpx", "httpcore", "httpcore.http11")
    before = [logging.getLogger(name).level for name in names]
    logger = logging.getLogger("httpcore.http11")
    logger.setLevel(logging.INFO)

    def fail() -> None:
        with quiet():
            assert not logger.isEnabledFor(logging.ERROR)
            raise KeyError

    try:
        with pytest.raises(KeyError):
            fail()
        assert logger.level == logging.INFO
    finally:
        logger.setLevel(before[2])
    assert [logging.getLogger(name).level for name in names] == before


def test_a_resolver_that_hangs_does_not_stretch_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    release = Event()
    real: Callable[..., object] = socket.getaddrinfo

    def hang(host: object, *arguments: object, **options: object) -> object:
        if host in {"slow.invalid", b"slow.invalid"}:
            release.wait(600)
            raise socket.gaierror(socket.EAI_AGAIN, "too late")
        return real(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    began = time.monotonic()
    failure = _exchange("http://slow.invalid/", seconds=0.3)
    took = time.monotonic() - began
    release.set()
    assert isinstance(failure, Failure)
    assert failure.fault is Fault.TIMEOUT
    assert took < 300
