from __future__ import annotations

import pytest

from tasks.logs.errors.message_masks import masked


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        # times, quantities, ids
        ("2026-11-23 11:59:59,707 late", "<time> late"),
        ("Mon, 23 Nov 2026 11:59:59 GMT and 23.11.2026", "<time> and <time>"),
        ("20261123_115959 and 11:59:59 PM", "<time> and <time>"),
        ("took 1 h 3 min or 500 ms", "took # or #"),
        ("1,234.5 tokens at 91 %, at -5 °C", "# tokens at #, at #"),
        ("retry 3/5 in 1m30s, rate 1e-05", "retry #/# in #, rate #"),
        ("items 3, 7 and 9", "items #"),
        ("worker3 of Thread-12 (pid 31337)", "worker# of Thread-# (pid #)"),
        ("ThreadPoolExecutor-10_12 and ThreadPoolExecutor-0_3", "ThreadPoolExecutor-# and ThreadPoolExecutor-#"),
        ("at 0x7f3a, 550e8400-e29b-41d4-a716-446655440000", "at #"),
        ("job-550e8400-e29b-41d4-a716-446655440000", "job-#"),
        ("retry_after_many_seconds_no=30", "retry_after_many_seconds_no=#"),
        ("chatcmpl-9aBcDeFgHiJkLmNoPq12", "chatcmpl-#"),
        ("request_id=abcDEF, user=anna", "request_id=#, user=#"),
        # addresses
        ("10.1.2.3:80 or fe80::1%eth0 or [::1]:80", "<ip> or <ip> or […]:#"),
        ("mail anna.b+c@example.com", "mail <email>"),
        ("https://anna:x@API.x.ai:443/v1/chat/completions?a=b", "https://api.x.ai/#/chat/completions"),
        ("http://127.0.0.1:8080/models/ and http://[::1]/", "http://<ip>/models and http://<ip>"),
        ("GET /v1/models?page=2", "GET /#/models"),
        ("host='api2.x.ai', port=443", "host=api#.x.ai, port=#"),
        # paths
        ("open /srv/x/y.yaml:12:3, ~/a, ../b/c and C:\\a\\b.py", "open <path>, <path>, <path> and <path>"),
        ("data/Materials.yaml and run.py and \\\\nas\\x\\y", "<path> and <path> and <path>"),
        ("read/write, I/O, tokens/s, and/or, api.client", "read/write, I/O, tokens/s, and/or, api.client"),
        ("url: /v1/x?page=2", "url: <path>"),
        # quoted values
        ("material 'Alabaster' or \"steel\" or “x” or `y z`", "material <text> or <text> or <text> or <text>"),
        ("can't open the user's file", "can't open the user's file"),
        ("not here: 'anna's file'", "not here: <text>"),
        ("KeyError: 'density'", "KeyError: 'density'"),
        ("KeyError: 'Alabaster'", "KeyError: <text>"),
        ("missing property 'meltingPoint'", "missing property 'meltingPoint'"),
        ("'NoneType' object has no attribute 'Get'", "'NoneType' object has no attribute 'Get'"),
        ("f() missing an argument: 'x'", "f() missing an argument: 'x'"),
        ("name 'foo' is not defined", "name 'foo' is not defined"),
        ("error '429 Too Many Requests' for 'https://x.ai/a'", "error 429 Too Many Requests for https://x.ai/a"),
        ("status '503' or '429 of them' or 'see https://x.ai'", "status 503 or <text> or <text>"),
        ("Material Alabaster failed for user Anna", "Material <text> failed for user <text>"),
        # lists and bodies
        ("unknown ['a', 'b'], [[1], [2]] but [] and [api.client]", "unknown […], […] but [] and [api.client]"),
        ("answer {'a': {'b': 1}} and ] and {\"cut", "answer {…} and ] and {…}"),
        ("[open 12", "[open #"),
        ("429 - {'code': 'insufficient_quota', 'param': None}", "# - {code=insufficient_quota}"),
        ("[type=missing, input_value={'a': 1}]", "[type=missing]"),
        ("[SSL: X_Y] and [Errno -2] and [WinError 10061]", "[SSL: X_Y] and [Errno -2] and [WinError 10061]"),
        # statuses
        ('"POST /x/17 HTTP/1.1" 500 812', '"POST /x/# HTTP/#" 500 #'),
        ("HTTP 429, HTTP503, HTTP-503, 5xx", "HTTP 429, HTTP503, HTTP-503, 5xx"),
        ("<Response [503]> status=503 response_status: 404", "<Response [503]> status=503 response_status: 404"),
        ("returned 503 for x", "returned 503 for x"),
        ("returned 503 rows", "returned # rows"),
        ("with 500 tokens, with 500 ms", "with # tokens, with #"),
        ("got 512, expected 256", "got #, expected #"),
        ("Rate limit exceeded (429)", "Rate limit exceeded (429)"),
        ("many rows (429)", "many rows (#)"),
        ("503 Service Unavailable, 429 Client Error", "503 Service Unavailable, 429 Client Error"),
        ("port 443, line 404, status 4040", "port #, line #, status #"),
        ("exit code 137, errno=111, (os error 2)", "exit code 137, errno=111, (os error 2)"),
        # the line itself
        ("  a \t b\r\n c ", "a b c"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("", ""),
    ],
)
def test_what_is_volatile_is_masked_and_what_tells_bugs_apart_is_kept(message: str, shown: str) -> None:
    assert masked(message) == shown
