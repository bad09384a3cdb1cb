from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.providers.exchange import LIMIT, Body, Unusable, after_keep_alives


def _fed(parts: list[bytes], encoding: str = "") -> Body:
    body = Body(encoding)
    for part in parts:
        body.feed(part)
    body.end()
    return body


@pytest.mark.parametrize(
    ("beginning", "rest"),
    [
        (b"", b""),
        (b"{}", b"{}"),
        (b"\n\r\n \t{}\n", b"{}\n"),
        (b": keep-alive\n\n: keep-alive\n{}", b"{}"),
        (b"\n: keep-al", b": keep-al"),
        (b": keep-alive\n", b""),
        (b"{\n: x\n}", b"{\n: x\n}"),
    ],
)
def test_signs_of_life_are_no_content(beginning: bytes, rest: bytes) -> None:
    assert after_keep_alives(beginning) == rest


@given(st.lists(st.sampled_from([b"\n", b" ", b": keep-alive\n", b":\r\n"])), st.data())
def test_signs_of_life_are_left_out_wherever_they_are_cut(signs: list[bytes], data: st.DataObject) -> None:
    content = b'{"a": [1, 2]}\n'
    whole = b"".join(signs) + content
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)))))
    parts = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert _fed(parts).content == content


def test_a_body_begins_with_the_first_byte_that_is_no_sign_of_life() -> None:
    body = Body("")
    for part, started in ((b"\n", False), (b": keep", False), (b"-alive\n", False), (b" {", True), (b"\n", True)):
        body.feed(part)
        assert body.started is started
    assert body.content == b"{\n"


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_a_body_of_the_limit_is_read_and_one_byte_more_is_not(encoding: str) -> None:
    assert LIMIT == 1_000_000
    assert len(_fed([b"x" * LIMIT], encoding).content) == LIMIT
    with pytest.raises(Unusable, match="larger than 1 MB"):
        _fed([b"x" * LIMIT, b"x"], encoding)
    with pytest.raises(Unusable, match="larger than 1 MB"):
        _fed([b"\n" * LIMIT, b"\n"], encoding)


@pytest.mark.parametrize(
    ("encoding", "pack"), [("gzip", gzip.compress), ("X-GZip", gzip.compress), ("deflate", zlib.compress)]
)
def test_what_is_packed_is_unpacked_up_to_the_limit(encoding: str, pack: object) -> None:
    assert callable(pack)
    packed = pack(b'\n{"a": 1}')
    assert _fed([packed[:5], packed[5:]], encoding).content == b'{"a": 1}'
    assert len(_fed([pack(b"x" * LIMIT)], encoding).content) == LIMIT
    with pytest.raises(Unusable, match="larger than 1 MB"):
        _fed([pack(b"x" * (LIMIT + 1))], encoding)


def test_a_bomb_in_parts_is_not_unpacked_further_than_the_limit() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    body = Body("gzip")
    parts = [bomb[start : start + 500] for start in range(0, len(bomb), 500)]
    with pytest.raises(Unusable, match="larger than 1 MB"):
        [*map(body.feed, parts)]
    assert len(body.content) <= LIMIT


def test_packing_that_is_broken_cut_or_unknown_is_said() -> None:
    packed = gzip.compress(b"{}")
    with pytest.raises(Unusable, match="packing is broken"):
        _fed([b"no gzip at all"], "gzip")
    with pytest.raises(Unusable, match="end is missing"):
        _fed([packed[:-4]], "gzip")
    with pytest.raises(Unusable, match="not asked for"):
        Body("br")
    assert _fed([], "gzip").content == b""
