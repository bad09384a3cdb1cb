from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tasks.core.text.pattern_search import Search, one_pass

pytest.importorskip("hyperscan")


def matches(search: Search, buffer: bytes) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    search(buffer, lambda number, _start, end, *_: found.append((number, end)))
    return found


def test_every_match_is_told_with_the_number_of_its_expression() -> None:
    search = one_pass((b"ab", b"b"), (0, 0))
    assert sorted(matches(search, b"abb")) == [(0, 2), (1, 2), (1, 3)]
    assert matches(search, b"") == []
    assert matches(search, b"none") == []


def test_threads_may_share_a_search() -> None:
    # hyperscan refuses one scratch space in two passes at a time; each pass is long enough to meet another
    search = one_pass((b"abc", b"secret"), (0, 0))
    texts = [b"abc " * 200_000, b"nothing at all " * 200_000]
    with ThreadPoolExecutor(2) as pool:
        for _ in range(5):
            assert [len(found) for found in pool.map(lambda text: matches(search, text), texts)] == [200_000, 0]


def test_without_hyperscan_it_says_so_though_it_was_compiled_before(monkeypatch: pytest.MonkeyPatch) -> None:
    one_pass((b"abc",), (0,))
    monkeypatch.setitem(sys.modules, "hyperscan", None)
    with pytest.raises(ImportError):
        one_pass((b"abc",), (0,))
