"""What a text is made of, counted: its entropy, and whether its letters follow each other as in words."""

from __future__ import annotations

import math
import re
from collections import Counter

from .lexicon import PAIRS

_SHORT_RUN, _LONG_RUN = 2.5, 3.5
"""Characters of one kind in a row, on average, from which a value may be made of words. Random ones have about two."""

_PIECE = 8
"""Characters of a piece between separators up to which it says nothing: paths and versions are made of those."""

_COMMON, _LESS_COMMON = 0.5, 0.35
"""Share of the common pairs among a text's pairs of letters from which it reads like words; random ones have 0.21."""

_RUNS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_SEPARATORS = re.compile(r"[^A-Za-z0-9]+")
_NO_WORDS = re.compile(r"[0-9a-f-]+|[0-9A-Z]+")
"""Hexadecimal digits, and capitals among digits: both have long runs of letters by chance."""

_PIECE_OF_WORDS = re.compile(r"[A-Za-z]+[0-9]{0,3}|v?[0-9]+[a-z]?")
_LETTERS = re.compile(r"[a-z]{2,}")


def entropy(text: str) -> float:
    """Return Shannon's entropy of a text, in bits per character."""
    return -sum(number / len(text) * math.log2(number / len(text)) for number in Counter(text).values())


def looks_like_words(value: str) -> bool:
    """Tell whether a value is made of words and numbers: a path, an identifier, the name of a model."""
    pieces = [piece for piece in _SEPARATORS.split(value) if not (piece.isalpha() or piece.isdigit())]
    longest = max(pieces, key=len, default="")
    if longest and len(longest) <= _PIECE and len(value) > 2 * _PIECE:
        return True
    return reads_like_words(value)


def is_made_of_words(value: str) -> bool:
    """Tell whether a value is words and numbers and nothing else, as ``label-arrow-2`` is and ``f00dCafe`` is not."""
    pieces = [piece for piece in _SEPARATORS.split(value) if piece]
    return all(_PIECE_OF_WORDS.fullmatch(piece) for piece in pieces) and _share_of_common_pairs(value) >= _COMMON


def reads_like_words(value: str) -> bool:
    """Tell whether a value's letters come in long runs, and follow each other as the letters of words do."""
    runs = _RUNS.findall(value)
    if not runs or (not value.isalpha() and _NO_WORDS.fullmatch(value)):
        return False
    run, common = sum(map(len, runs)) / len(runs), _share_of_common_pairs(value)
    return (run >= _SHORT_RUN and common >= _COMMON) or (run >= _LONG_RUN and common >= _LESS_COMMON)


def _share_of_common_pairs(value: str) -> float:
    pairs = [run[at : at + 2] for run in _LETTERS.findall(value.lower()) for at in range(len(run) - 1)]
    return sum(pair in PAIRS for pair in pairs) / len(pairs) if pairs else 0
