from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.logs.reading.line_shapes import begins_record, first_line, is_structured, next_record
from tasks.logs.reading.log_levels import Level

from .conftest import SetZone, levels, read

NOON = datetime(2025, 6, 2, 12, 0, tzinfo=UTC).timestamp()
T = NOON + 0.5

E, C, W = Level.ERROR, Level.CRITICAL, Level.WARNING

COLOURED = (
    b"\x1b[32m2025-06-02 12:00:00.500\x1b[0m | \x1b[31m\x1b[1mERROR   \x1b[0m | "
    b"\x1b[36m__main__\x1b[0m:\x1b[36m<module>\x1b[0m:\x1b[36m3\x1b[0m - \x1b[31m\x1b[1mit failed\x1b[0m"
)

SHAPES = [
    # Python's logging, as its documentation and its users write the format
    (b"2025-06-02 12:00:00,500 - api.client - ERROR - it failed", E, T, "api.client", "it failed"),
    (b"2025-06-02 12:00:00,500 - api.client - ERROR - it - failed: 2 - 1", E, T, "api.client", "it - failed: 2 - 1"),
    (b"2025-06-02 12:00:00,500 ERROR it failed", E, T, "", "it failed"),
    (b"2025-06-02 12:00:00.500 ERROR: it failed", E, T, "", "it failed"),
    (b"2025-06-02 12:00:00,500 ERROR api.client: it failed", E, T, "api.client", "it failed"),
    (b"2025-06-02 12:00:00,500 - ERROR - it failed", E, T, "", "it failed"),
    (b"2025-06-02 12:00:00,500 - ERROR - api.client - it failed", E, T, "api.client", "it failed"),
    (b"2025-06-02 12:00:00,500 [ERROR] api.client: it failed", E, T, "api.client", "it failed"),
    (b"2025-06-02 12:00:00,500 [ERROR] it failed", E, T, "", "it failed"),
    (b"2025-06-02 12:00:00,500 [MainThread] ERROR api.client - it failed", E, T, "api.client", "it failed"),
    (b"2025-06-02 12:00:00,500 [ThreadPoolExecutor-0_1] [ERROR] it failed", E, T, "", "it failed"),
    (b"2025-06-02 12:00:00,500 api.client ERROR it failed", E, T, "api.client", "it failed"),
    (b"2025-06-02 12:00:00,500 - api.client - ERROR - ", E, T, "api.client", ""),
    (b"2025-06-02T12:00:00.5Z WARN it is slow", W, T, "", "it is slow"),
    (b"2025-06-02T14:00:00.500+02:00 CRITICAL it is gone", C, T, "", "it is gone"),
    (b"ERROR: it failed", E, None, "", "it failed"),
    (b"WARNING: it is slow", W, None, "", "it is slow"),
    (b"[ERROR] it failed", E, None, "", "it failed"),
    (b"[ERROR] api.client: it failed", E, None, "api.client", "it failed"),
    (b"ERROR:root:it failed", E, None, "root", "it failed"),
    (b"CRITICAL:api.client:it failed: badly", C, None, "api.client", "it failed: badly"),
    (b"ERROR:http://host/ failed", E, None, "", "http://host/ failed"),
    (b"ERROR: http://host/ failed", E, None, "", "http://host/ failed"),
    (b"ERROR:root:", E, None, "root", ""),
    # Flask, celery, gunicorn, uvicorn, nginx
    (b"[2025-06-02 12:00:00,500] ERROR in app: Exception on / [GET]", E, T, "app", "Exception on / [GET]"),
    (b"[2025-06-02 12:00:00,500: ERROR/MainProcess] Task failed", E, T, "", "Task failed"),
    (b"[2025-06-02 12:00:00,500: WARNING/ForkPoolWorker-2] it is slow", W, T, "", "it is slow"),
    (b"[2025-06-02 12:00:00 +0000] [1234] [ERROR] Worker (pid:17) exited", E, NOON, "", "Worker (pid:17) exited"),
    (b"[2025-06-02 14:00:00 +0200] [1234] [CRITICAL] WORKER TIMEOUT", C, NOON, "", "WORKER TIMEOUT"),
    (b"ERROR:    Exception in ASGI application", E, None, "", "Exception in ASGI application"),
    (b"\x1b[31mERROR\x1b[0m:    Exception in ASGI application", E, None, "", "Exception in ASGI application"),
    (b"2025/06/02 12:00:00 [error] 12#0: *3 open() failed", E, NOON, "", "12#0: *3 open() failed"),
    # loguru, structlog
    (
        b"2025-06-02 12:00:00.500 | ERROR    | api.client:ask:12 - it failed",
        E,
        T,
        "api.client:ask",
        "it failed",
    ),
    (
        COLOURED,
        E,
        T,
        "__main__:<module>",
        "it failed",
    ),
    (b"2025-06-02T12:00:00.500Z [error    ] it failed   code=5", E, T, "", "it failed   code=5"),
    (b"2025-06-02 12:00:00 [warning  ] it is slow", W, NOON, "", "it is slow"),
    (
        b"\x1b[2m2025-06-02T12:00:00.5Z\x1b[0m [\x1b[31m\x1b[1merror    \x1b[0m] \x1b[1mit failed\x1b[0m",
        E,
        T,
        "",
        "it failed",
    ),
    (b"[critical ] it is gone", C, None, "", "it is gone"),
    # logfmt
    (
        b'time=2025-06-02T12:00:00.5Z level=error logger=api.client msg="it \\"failed\\" twice" code=5',
        E,
        T,
        "api.client",
        'it "failed" twice code=5',
    ),
    (b'time="2025-06-02T12:00:00.5Z" level="error" msg="it failed"', E, T, "", "it failed"),
    (b"ts=2025-06-02T12:00:00.5Z lvl=warn msg=slow name=api", W, T, "api", "slow"),
    (b'level=error msg="it failed" time="2025-06-02T12:00:00.5Z"', E, T, "", "it failed"),
    (b"level=fatal it failed", C, None, "", "it failed"),
    (b"severity=ERROR message=failed", E, None, "", "failed"),
    # JSON
    (
        b'{"timestamp": "2025-06-02T12:00:00.5Z", "level": "error", "logger": "api", "event": "it failed"}',
        E,
        T,
        "api",
        "it failed",
    ),
    (b'{"asctime": "2025-06-02 12:00:00,500", "levelname": "ERROR", "message": "it failed"}', E, T, "", "it failed"),
    (b'{"ts": 1748865600.5, "severity": "Warning", "name": "api", "msg": "slow"}', W, T, "api", "slow"),
    (b'{"time": 1748865600500, "level": "fatal", "msg": "gone"}', C, T, "", "gone"),
    (b'{"time": {"x": 1}, "ts": 1748865600, "level": "error", "text": 5}', E, NOON, "", "5"),
    (b'\xef\xbb\xbf{"ts": 1748865600, "level": "error", "msg": "it failed"}', E, NOON, "", "it failed"),
    (b'{"level": "ERROR"}', E, None, "", ""),
    # A time of day alone
    (b"12:00:00 ERROR api.client: it failed", E, None, "api.client", "it failed"),
    (b"\xef\xbb\xbf2025-06-02 12:00:00,500 ERROR it failed", E, T, "", "it failed"),
    (b"2025-06-02 12:00:00,500 ERROR caf\xc3\xa9 \xff", E, T, "", "caf\u00e9 \ufffd"),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: ascii(shape[0][:60]))
def test_a_line_as_a_person_reads_it(shape: tuple[bytes, Level, float | None, str, str], set_zone: SetZone) -> None:
    set_zone("UTC")
    line, level, time, logger, message = shape
    (record,) = read(line + b"\n")
    assert (record.level, record.time, record.logger, record.message) == (level, time, logger, message)
    assert record.details == ""


@pytest.mark.parametrize("line", [line for line, *_ in SHAPES])
def test_every_shape_begins_a_record(line: bytes) -> None:
    assert begins_record(line)
    assert is_structured(line)
    data = b"  and more\nof it\n" + line + b"\n"
    assert next_record(data, 0, len(data)) == 17


@pytest.mark.parametrize(
    "line",
    [
        b"2025-06-02 12:00:00,500 - api.client - INFO - after an ERROR - it works",
        b"2025-06-02 12:00:00,500 api.client DEBUG [error] again",
        b"[2025-06-02 12:00:00,500: INFO/MainProcess] Task failed with ERROR: x",
        b"[2025-06-02 12:00:00 +0000] [1234] [INFO] [ERROR] [CRITICAL] x",
        b"[2025-06-02 12:00:00,500] INFO in app: ERROR: x",
        b"2025-06-02 12:00:00.500 | SUCCESS  | ERROR:ask:12 - ERROR x",
        b"\x1b[32m2025-06-02 12:00:00.500\x1b[0m | \x1b[1mINFO    \x1b[0m | a:b:1 - \x1b[31mERROR\x1b[0m",
        b"2025-06-02T12:00:00.500Z [info     ] [error    ] ERROR status='error'",
        b"\x1b[2m2025-06-02T12:00:00Z\x1b[0m [\x1b[32m\x1b[1minfo     \x1b[0m] [\x1b[31merror\x1b[0m] ERROR x",
        b'time=2025-06-02T12:00:00.5Z level=info msg="ERROR: it failed" status=error',
        b'time="2025-06-02T12:00:00.5Z" level="info" msg="ERROR " state="error"',
        b'{"timestamp": "2025-06-02T12:00:00.5Z", "event": "ERROR ", "status": "error", "level": "info"}',
        b'\xef\xbb\xbf{"message": "ERROR: x", "level": "info"}',
        b"INFO:     ERROR: x",
        b"INFO:root:ERROR: x",
        b"[INFO] ERROR: x",
        b"NOTICE: ERROR",
        b"12:00:00 TRACE ERROR x",
    ],
)
def test_a_level_word_in_the_message_of_another_record_is_no_error(line: bytes) -> None:
    assert levels(line + b"\n") == []
    assert levels(b"INFO: first\n" + line) == []


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"Traceback (most recent call last):",
        b'  File "x.py", line 1, in <module>',
        b'    raise ValueError("2025-06-02 12:00:00 ERROR")',
        b"ValueError: ERROR it failed",
        b"ValueError: time data '2025-06-02 12:00:00' does not match format '%Y'",
        b'KeyError: "2025-06-02 12:00:00"',
        b"During handling of the above exception, another exception occurred:",
        b"ERRORS: 5",
        b"ERROR=5",
        b"ERROR_COUNT 3",
        b"  ERROR: indented",
        b"\tERROR: indented",
        b" 2025-06-02 12:00:00 indented",
        b"[errors] x",
        b"[error opening a file]",
        b"{} x",
        b"12:00 x",
        b"12:00:000 x",
    ],
)
def test_what_begins_no_record(line: bytes) -> None:
    assert not begins_record(line)
    assert next_record(line, 0, len(line)) is None


@pytest.mark.parametrize("names", [("exc_info",), ("exception",), ("traceback",), ("stack_trace",)])
def test_details_in_json(names: tuple[str, ...]) -> None:
    (name,) = names
    line = f'{{"level": "error", "msg": "x", "{name}": "Traceback:\\n  File\\nKeyError: 1"}}'.encode()
    assert first_line(line).details == "Traceback:\n  File\nKeyError: 1"


def test_details_in_json_of_other_types() -> None:
    assert first_line(b'{"msg": "x", "exc_info": true}').details == ""
    assert first_line(b'{"msg": "x", "exc_info": null}').details == ""
    assert first_line(b'{"msg": "x", "traceback": ["one\\n", "two", 3]}').details == "one\ntwo\n3"
    assert first_line(b'{"msg": "x", "stack": {"a": 1}}').details == "{'a': 1}"


@pytest.mark.parametrize("line", [b'{"msg": "x"', b'{"msg": "\xff"}', b"{}}", b"{" * 5000, b'{"a":' * 5000])
def test_what_is_not_quite_json_is_text(line: bytes) -> None:
    assert first_line(line).message == line.decode("utf-8", "replace").strip(" \t-|:,;[]()<>/")


def test_a_line_without_a_level_is_all_message(set_zone: SetZone) -> None:
    set_zone("UTC")
    assert first_line(b"2025-06-02 12:00:00 all is well\n") == (NOON, "", "all is well", "")


@given(
    st.one_of(
        st.binary(max_size=200),
        st.sampled_from([line for line, *_ in SHAPES]).flatmap(
            lambda line: st.tuples(st.integers(0, len(line)), st.binary(max_size=5)).map(
                lambda change: line[: change[0]] + change[1] + line[change[0] :]
            )
        ),
    )
)
def test_any_bytes_are_survived(line: bytes) -> None:
    parsed = first_line(line)
    assert isinstance(parsed.message, str)
    read(line)
    read(line + b"\n" + line)
