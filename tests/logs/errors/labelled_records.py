"""Error records of a program that asks LLM providers, reads YAML and caches files; same label: same bug.

Each is (label, logger, message, details).
"""

from __future__ import annotations

Record = tuple[str, str, str, str]


def _traceback(*frames: tuple[str, int, str, str], end: str, head: str = "Traceback (most recent call last):") -> str:
    lines = [head]
    for path, line, function, source in frames:
        lines += f'  File "{path}", line {line}, in {function}', f"    {source}"
    return "\n".join([*lines, end]) if end else "\n".join(lines)


_HOME = "/home/deploy/z-beam-generator"
_SERVER = "/srv/zbeam"
_MAC = "/Users/Ben Ode/Projects/zbeam"
_PY11 = "/usr/lib/python3.11"
_PY12 = "/opt/python/lib/python3.12"


def _rate_limited(root: str, line: int, library: str, key: str) -> str:
    return _traceback(
        (f"{root}/run.py", 12, "<module>", "main()"),
        (f"{root}/api/client.py", line, "request", "response.raise_for_status()"),
        (f"{library}/site-packages/httpx/_models.py", line + 700, "raise_for_status", "raise HTTPStatusError(message)"),
        end=f"httpx.HTTPStatusError: Client error '429 Too Many Requests' for url 'https://api.deepseek.com/v1/chat?{key}'"
        "\nFor more information check: https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/429",
    )


def _unavailable(root: str) -> str:
    return _rate_limited(root, 88, f"{root}/.venv/lib/python3.11", "k=1").replace(
        "Client error '429 Too Many Requests'", "Server error '503 Service Unavailable'"
    )


def _missing_key(root: str, line: int, function: str = "load") -> str:
    return _traceback(
        (f"{root}/run.py", line, "<module>", "main()"),
        (f"{root}/data/materials.py", line + 30, function, "return material['density']"),
        end="KeyError: 'density'",
    )


def _connect(root: str, stdlib: str, error: str, marks: str = "") -> str:
    return _traceback(
        (f"{root}/generator/pool.py", 20, "run", "self.ask()"),
        (f"{root}/api/client.py", 41, "ask", f"socket.create_connection(address){marks}"),
        (f"{stdlib}/socket.py", 851, "create_connection", "raise exceptions[0]"),
        end=error,
    )


def _chained(root: str, cause: str, joint: str) -> str:
    first = _traceback((f"{root}/cache/store.py", 50, "read", "json.load(file)"), end=cause)
    second = _traceback(
        (f"{root}/run.py", 9, "<module>", "main()"),
        (f"{root}/cache/store.py", 55, "get", "raise CacheError(key) from error"),
        end="cache.store.CacheError: cannot read entry 8f3a2b1c",
    )
    return f"{first}\n\n{joint}\n\n{second}"


_CAUSE = "The above exception was the direct cause of the following exception:"
_CONTEXT = "During handling of the above exception, another exception occurred:"


def _group(root: str, lines: tuple[int, ...], message: str) -> str:
    parts = [
        "  + Exception Group Traceback (most recent call last):",
        f'  |   File "{root}/run.py", line {lines[0]}, in <module>',
        "  |     asyncio.run(main())",
        f'  |   File "{root}/generator/batch.py", line {lines[0] + 3}, in main',
        "  |     async with asyncio.TaskGroup() as group:",
        f"  | ExceptionGroup: {message} ({len(lines)} sub-exception{'s' * (len(lines) > 1)})",
    ]
    for number, line in enumerate(lines, 1):
        parts += [
            f"  {'+-+' if number == 1 else '  +'}---------------- {number} ----------------",
            "    | Traceback (most recent call last):",
            f'    |   File "{root}/generator/batch.py", line {line + 9}, in generate',
            "    |     await client.ask(prompt)",
            "    |     ^^^^^^^^^^^^^^^^^^^^^^^^",
            f"    | ValueError: empty answer for prompt {line}",
        ]
    return "\n".join([*parts, "    +------------------------------------"])


def _recursion(root: str, repeated: int, shown: int) -> str:
    frame = f'  File "{root}/data/merge.py", line 14, in merge\n    merge(child)'
    lines = ["Traceback (most recent call last):", f'  File "{root}/run.py", line 3, in <module>\n    main()']
    lines += [frame] * shown
    if repeated:
        lines.append(f"  [Previous line repeated {repeated} more times]")
    return "\n".join([*lines, "RecursionError: maximum recursion depth exceeded"])


def _syntax(root: str, line: int, source: str) -> str:
    return (
        f'Traceback (most recent call last):\n  File "{root}/run.py", line {line}, in <module>\n    import settings\n'
        f'  File "{root}/config/settings.py", line {line * 2}\n    {source}\n    ^\nSyntaxError: invalid syntax'
    )


TRACEBACKS: list[Record] = [
    # one bug on several machines, with other line numbers, Python versions, messages
    ("429 traceback", "api.client", "Request 17 failed", _rate_limited(_HOME, 88, "/usr/lib/python3.11", "key=8f3a")),
    ("429 traceback", "api.client", "Request 18 failed", _rate_limited(_SERVER, 93, "/x/lib/python3.13", "key=77aa")),
    ("429 traceback", "worker", "Giving up after 3 tries", _rate_limited(_MAC, 88, "/x/lib/python3.12", "key=1")),
    ("503 traceback", "api.client", "Request 17 failed", _unavailable(_HOME)),
    ("503 traceback", "api.client", "Request 21 failed", _unavailable(_SERVER)),
    ("missing key in load", "data", "Material Alabaster", _missing_key(_HOME, 10)),
    ("missing key in load", "data", "Material Steel", _missing_key(_SERVER, 11)),
    ("missing key in load", "data", "Material Oak", _missing_key("C:\\Users\\writer\\zbeam", 12).replace("/", "\\")),
    ("missing key in save", "data", "Material Alabaster", _missing_key(_HOME, 10, "save")),
    ("missing key in lambda", "data", "Material Alabaster", _missing_key(_HOME, 10, "<lambda>")),
    ("refused", "api", "x", _connect(_HOME, _PY11, "ConnectionRefusedError: [Errno 111] Connection refused")),
    ("refused", "api", "y", _connect(_SERVER, _PY12, "ConnectionRefusedError: [Errno 111] Connection refused")),
    ("refused", "api", "y", _connect(_MAC, _PY12, "ConnectionRefusedError: [Errno 111] refused", "\n    ~~~^^^^")),
    ("reset", "api", "x", _connect(_HOME, _PY11, "ConnectionResetError: [Errno 104] Connection reset by peer")),
    ("no route", "api", "x", _connect(_HOME, _PY11, "OSError: [Errno 113] No route to host")),
    ("unreachable", "api", "x", _connect(_HOME, _PY11, "OSError: [Errno 101] Network is unreachable")),
    ("connect timeout", "api", "x", _connect(_HOME, _PY11, "httpx.ConnectTimeout: timed out")),
    ("read timeout", "api", "x", _connect(_HOME, _PY11, "httpx.ReadTimeout: timed out")),
    ("read timeout", "api", "x", _connect(_SERVER, _PY11, "httpx.ReadTimeout")),
    ("timeout", "api", "x", _connect(_HOME, _PY11, "TimeoutError")),
    ("timeout", "api", "x", _connect(_HOME, "/usr/lib/python3.10", "asyncio.exceptions.TimeoutError")),
    ("timeout", "api", "x", _connect(_HOME, "/usr/lib/python3.9", "socket.timeout: timed out")),
    ("cache, caused", "cache", "x", _chained(_HOME, "json.decoder.JSONDecodeError: Expecting value: line 1", _CAUSE)),
    ("cache, caused", "cache", "x", _chained(_SERVER, "json.decoder.JSONDecodeError: Extra data: line 9", _CONTEXT)),
    ("cache, denied", "cache", "x", _chained(_SERVER, "PermissionError: [Errno 13] Permission denied: 'a'", _CAUSE)),
    ("group", "batch", "x", _group(_HOME, (30, 31), "errors in a TaskGroup")),
    ("group", "batch", "x", _group(_SERVER, (40, 41, 42), "unhandled errors in a TaskGroup")),
    ("group", "batch", "x", _group(_SERVER, (50,), "unhandled errors in a TaskGroup")),
    ("recursion", "data", "x", _recursion(_HOME, 994, 3)),
    ("recursion", "data", "x", _recursion(_SERVER, 0, 40)),
    ("syntax", "run", "x", _syntax(_HOME, 4, "A = = 1")),
    ("syntax", "run", "x", _syntax(_SERVER, 6, "def (")),
    (
        "comprehension",
        "data",
        "x",
        _traceback(
            ("/srv/zbeam/data/read.py", 4, "names", "[name(m) for m in all]"),
            ("/srv/zbeam/data/read.py", 4, "<listcomp>", "[name(m) for m in all]"),
            end="AttributeError: 'NoneType' object has no attribute 'name'",
        ),
    ),
    (
        "comprehension",
        "data",
        "x",
        _traceback(
            ("/home/u/z/data/read.py", 4, "names", "[name(m) for m in all]"),
            end="AttributeError: 'NoneType' object has no attribute 'name'",
        ),
    ),
    (
        "library only",
        "asyncio",
        "Task exception was never retrieved",
        _traceback(
            ("/usr/lib/python3.11/asyncio/events.py", 80, "_run", "self._context.run()"),
            ("/home/u/.venv/lib/python3.11/site-packages/httpx/_client.py", 8, "send", "raise exc"),
            end="httpx.PoolTimeout",
        ),
    ),
    (
        "library only",
        "asyncio",
        "Task exception was never retrieved",
        _traceback(
            ("/opt/lib/python3.12/asyncio/events.py", 88, "_run", "self._context.run()"),
            ("C:\\venv\\Lib\\site-packages\\httpx\\_client.py", 9, "send", "raise exc"),
            end="httpx.PoolTimeout",
        ),
    ),
    (
        "broken off",
        "api",
        "Request 7 failed",
        _traceback((f"{_HOME}/run.py", 1, "<module>", "main()"), (f"{_HOME}/api/c.py", 2, "ask", "x()"), end=""),
    ),
    (
        "broken off",
        "api",
        "Request 8 failed",
        _traceback((f"{_SERVER}/run.py", 5, "<module>", "main()"), (f"{_SERVER}/api/c.py", 6, "ask", "x()"), end=""),
    ),
    (
        "broken off, other message",
        "api",
        "Answer 8 unreadable",
        _traceback((f"{_SERVER}/run.py", 5, "<module>", "main()"), (f"{_SERVER}/api/c.py", 6, "ask", "x()"), end=""),
    ),
    (
        "only the line",
        "api",
        "asking failed",
        "json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)",
    ),
    (
        "only the line",
        "api",
        "asking failed",
        "json.decoder.JSONDecodeError: Expecting value: line 3 column 7 (char 99)",
    ),
    ("only another line", "api", "asking failed", "httpx.ReadTimeout"),
]


MESSAGES: list[Record] = [
    (label, logger, message, "")
    for label, logger, messages in [
        (
            "429",
            "api.client",
            [
                "DeepSeek request req_011CSHoEeqs5C35K2UUGG7Gy failed with status 429 after 3 attempts in 1.2 s",
                "DeepSeek request req_022DTiPFfrt6D46L3VVHH8Hz failed with status 429 after 1 attempt in 340 ms",
            ],
        ),
        (
            "503",
            "api.client",
            ["DeepSeek request req_033EUjQGgsu7E57M4WWII9Ia failed with status 503 after 3 attempts in 2 s"],
        ),
        (
            "grok 429",
            "api.client",
            ["Grok request req_44FVkRHhtv8F68N5XXJJ0Jb failed with status 429 after 3 attempts in 9 s"],
        ),
        (
            "http 500",
            "api.client",
            [
                'HTTP Request: POST https://api.deepseek.com/v1/chat/completions?k=3 "HTTP/1.1 500 Server Error"',
                'HTTP Request: POST https://api.deepseek.com:80/v1/chat/completions "HTTP/2 500 Server Error"',
            ],
        ),
        (
            "http 502",
            "api.client",
            ['HTTP Request: POST https://api.deepseek.com/v1/chat/completions "HTTP/1.1 502 Bad Gateway"'],
        ),
        (
            "http 500 of grok",
            "api.client",
            ['HTTP Request: POST https://api.x.ai/v1/chat/completions "HTTP/1.1 500 Internal Server Error"'],
        ),
        (
            "http 500 of models",
            "api.client",
            ['HTTP Request: GET https://api.deepseek.com/v1/models "HTTP/1.1 500 Internal Server Error"'],
        ),
        ("quota", "api", ["Error code: 429 - {'error': {'message': 'You have 0 left', 'code': 'insufficient_quota'}}"]),
        (
            "rate",
            "api",
            [
                "Error code: 429 - {'error': {'message': 'Limit 500 for org-8f3', 'code': 'rate_limit_exceeded'}}",
                'Error code: 429 - {"error": {"message": "Limit 60, try in 20s", "code": "rate_limit_exceeded"}}',
            ],
        ),
        (
            "refused message",
            "api",
            [
                "generation of 12 materials failed: httpx.ConnectError: [Errno 111] Connection refused",
                "generation of 7 materials failed: httpx.ConnectError: [Errno 111] Connection refused",
                "generation of 1 material failed: httpx.ConnectError: [Errno 111] Connection refused",
            ],
        ),
        (
            "reset message",
            "api",
            ["generation of 12 materials failed: httpx.ConnectError: [Errno 104] Connection reset by peer"],
        ),
        (
            "host refused",
            "api",
            [
                "Cannot connect to host api.x.ai:443 ssl:default [Connect call failed ('104.18.18.80', 443)]",
                "Cannot connect to host api.x.ai:8443 ssl:default [Connect call failed ('104.18.19.81', 8443)]",
                "Cannot connect to host api.x.ai:443 ssl:default [Connect call failed ('2606:4700::6812', 443, 0)]",
            ],
        ),
        (
            "other host refused",
            "api",
            ["Cannot connect to host api.deepseek.com:443 ssl:default [Connect call failed ('3.1.2.3', 443)]"],
        ),
        (
            "retries deepseek",
            "urllib3",
            [
                "HTTPSConnectionPool(host='api.deepseek.com', port=443): Max retries exceeded with url: /v1/data?p=2",
                "HTTPSConnectionPool(host='api.deepseek.com', port=8443): Max retries exceeded with url: /v1/models",
            ],
        ),
        (
            "retries grok",
            "urllib3",
            ["HTTPSConnectionPool(host='api.x.ai', port=443): Max retries exceeded with url: /v1/models"],
        ),
        ("key invalid", "api", ["API key invalid for DeepSeek", "API key  invalid for DeepSeek"]),
        ("key missing", "api", ["API key missing for DeepSeek"]),
        ("key invalid for grok", "api", ["API key invalid for Grok"]),
        ("disk full", "cache", ["Disk full: 0 B left on /dev/sda1", "Disk full: 12.5 kB left on /dev/nvme0n1p2"]),
        ("disk nearly full", "cache", ["Disk nearly full: 1.2 GB left on /dev/sda1"]),
        (
            "read denied",
            "cache",
            [
                "cannot read cache/api_responses/api_8f3a2b.json: Permission denied",
                "cannot read /srv/zbeam/cache/temp/x.json: Permission denied",
                "cannot read C:\\zbeam\\cache\\temp\\y.json: Permission denied",
            ],
        ),
        ("write denied", "cache", ["cannot write cache/api_responses/api_8f3a2b.json: Permission denied"]),
        ("timeout of connect", "api", ["connect timed out after 10 s", "connect timed out after 500 ms"]),
        ("timeout of read", "api", ["read timed out after 10 s", "read timed out after 1 min 30 s"]),
        ("slow", "api", ["answer took 93.2 s, limit 60 s"]),
        ("slow", "api", ["answer took 2 min 3 s, limit 60 s"]),
        ("slow elsewhere", "worker", ["answer took 93.2 s, limit 60 s"]),
        (
            "no such file",
            "data",
            [
                "[Errno 2] No such file or directory: '/home/writer/zbeam/data/Materials.yaml'",
                "[Errno 2] No such file or directory: 'config/settings.py'",
                '[Errno 2] No such file or directory: "/Users/Ben Ode/it\'s here/a.yaml"',
            ],
        ),
        ("is a folder", "data", ["[Errno 21] Is a directory: '/home/writer/zbeam/data'"]),
        (
            "yaml",
            "data",
            [
                'mapping values are not allowed here in "data/Materials.yaml", line 812, column 14',
                'mapping values are not allowed here in "/srv/zbeam/data/Categories.yaml", line 3, column 4',
            ],
        ),
        (
            "yaml tab",
            "data",
            ['found character that cannot start any token in "data/Materials.yaml", line 812, column 1'],
        ),
        (
            "no material",
            "data",
            ["Material 'Alabaster' not found", "Material 'Stainless Steel 304' not found", "Material 'oak' not found"],
        ),
        ("no category", "data", ["Category 'stone' not found"]),
        ("no density", "data", ["KeyError: 'density'", "KeyError:  'density'"]),
        ("no name", "data", ["KeyError: 'name'"]),
        ("no such material", "data", ["KeyError: 'Alabaster'", "KeyError: 'Stainless Steel'", "KeyError: 'steel 304'"]),
        ("no get", "data", ["'NoneType' object has no attribute 'get'"]),
        ("no items", "data", ["'NoneType' object has no attribute 'items'"]),
        ("no yaml", "run", ["No module named 'yaml'"]),
        ("no httpx", "run", ["No module named 'httpx'"]),
        (
            "object",
            "asyncio",
            [
                "Unclosed client session <aiohttp.client.ClientSession object at 0x7f3a5c1d2e90>",
                "Unclosed client session <aiohttp.client.ClientSession object at 0x10e2b7f40>",
            ],
        ),
        (
            "task",
            "asyncio",
            [
                "Task was destroyed but it is pending! task: <Task pending name='Task-12' coro=<ask() running>>",
                "Task was destroyed but it is pending! task: <Task pending name='Task-9' coro=<ask() running>>",
            ],
        ),
        (
            "uuid",
            "worker",
            [
                "job 550e8400-e29b-41d4-a716-446655440000 of batch 7 lost at 2026-11-23T11:59:59.707Z",
                "job 123e4567-e89b-12d3-a456-426614174000 of batch 1,024 lost at 2026-11-24 08:00:00,001",
            ],
        ),
        (
            "commit",
            "worker",
            [
                "cannot check out 9f3c2a7b10d4",
                "cannot check out 1234567890",
                "cannot check out 4f2a9c1e8b7d6f5a3c2b1a0d9e8f7a6b5c4d3e2f",
            ],
        ),
        (
            "user",
            "web",
            ["login of writer@example.com from 10.0.0.7:52144 failed", "login of b.ode@zbeam.example from ::1 failed"],
        ),
        (
            "pid",
            "worker",
            ["worker 4711 (pid 31337) died with exit code 137", "worker 5 (pid 99) died with exit code 137"],
        ),
        ("pid 1", "worker", ["worker 4711 (pid 31337) died with exit code 1"]),
        ("memory", "worker", ["memory at 93.5%, 1,234 MB of 16 GB", "memory at 100%, 15.9 GB of 16 GB"]),
        (
            "list",
            "data",
            ["unknown properties ['colour', 'taste'] in 3 materials", "unknown properties ['x'] in 1 material"],
        ),
        ("no list", "data", ["unknown properties [] in 3 materials"]),
        ("session", "web", ["session=aZ81kQ expired for user=writer", "session=Bx77wP expired for user=ben"]),
        (
            "model",
            "api",
            [
                "Response [404] from https://api.x.ai/v1/models/grok-3",
                "Response [404] from https://api.x.ai/v1/models/grok-4",
            ],
        ),
        ("model gone", "api", ["Response [410] from https://api.x.ai/v1/models/grok-3"]),
        (
            "local",
            "api",
            ["POST http://localhost:8080/v1/chat returned 500", "POST http://localhost:9191/v1/chat returned 500"],
        ),
        ("rows", "data", ["query returned 204 rows, expected 1", "query returned 305 rows, expected 12"]),
        ("empty", "", [""]),
        ("ssl", "api", ["[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed (_ssl.c:1007)"]),
        ("ssl", "api", ["[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed (_ssl.c:992)"]),
        ("ssl version", "api", ["[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1007)"]),
        ("hit rate", "cache", ["hit rate 0.12 below 0.3", "hit rate 1e-05 below 0.3", "hit rate -1 below 0.3"]),
        ("access", "web", ['"POST /generate/17 HTTP/1.1" 500 812', '"POST /generate/18 HTTP/1.1" 500 90']),
        ("access 404", "web", ['"POST /generate/17 HTTP/1.1" 404 812']),
        ("token", "web", ["bad cursor eyJhbGciOiJIUzI1NiJ9abc81kQ2", "bad cursor dGhpcyBpcyBhIGJhc2U2NCBibG9i0x9"]),
        ("read pool", "pool", ["ThreadPoolExecutor-0_3 died", "ThreadPoolExecutor-10_12 died"]),
        ("cut off", "api", ['bad answer {"id": 17, "text": "ab', 'bad answer {"id": 18, "text": "cdefg"']),
        ("rate in words", "api", ["Rate limit exceeded (429)"]),
        ("server in words", "api", ["Rate limit exceeded (503)"]),
        ("overloaded", "api", ["HTTP503 from provider", "HTTP503  from provider"]),
        ("other class", "api", ["HTTP504 from provider"]),
        ("shape", "api", ["got 512, expected 256", "got 300, expected 256"]),
    ]
    for message in messages
]

RECORDS = TRACEBACKS + MESSAGES
