from __future__ import annotations

import pytest

from tasks.core.text.addresses import is_loopback


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8080/v1", True),
        ("http://127.8.9.1", True),
        ("http://[::1]:8080", True),
        ("http://localhost:1234/v1", True),
        ("http://a.localhost", True),
        ("http://10.0.0.1", False),
        ("https://api.x.ai/v1", False),
        ("https://localhost.example", False),
        ("http://[::2]", False),
        ("no address", False),
    ],
)
def test_this_machine_is_known(url: str, expected: bool) -> None:  # noqa: FBT001 - a column of the table
    assert is_loopback(url) is expected
