"""What changed between two flattened documents: as few changes as tell the whole of it."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Literal, NamedTuple, TypeAlias

from ...core.text.formatting import count
from ..key_names import covers, last_key, parts
from ..secret_values import same_key
from .flattening import Leaf, same, shown

Kind: TypeAlias = Literal["added", "removed", "changed", "moved", "reordered", "unclear"]

_ALIGNED = 2000
"""Items of a list up to which what was put in or taken out is found; of longer ones, places are compared."""

_TELLING = 8
"""Characters of a text that by itself tells that a value is the one that went away elsewhere."""


_ITEM = re.compile(r"\[(?P<number>[0-9]{1,18})\]")


class Change(NamedTuple):
    """One change.

    Attributes:
        kind: what happened; ``reordered`` for a list with the same items in another order, ``unclear`` for a secret
            whose two hashes were made with two keys.
        path: where, in the document as it is now; where it was, for what was removed.
        old: the value before, as people read it; the number of values where a whole branch changed.
        new: the value now; the same.
        origin: where it was before, for what was moved.
        values: how many values it is about.
    """

    kind: Kind
    path: str
    old: str | None = None
    new: str | None = None
    origin: str | None = None
    values: int = 1


def compare(old: Mapping[str, Leaf], new: Mapping[str, Leaf]) -> list[Change]:
    """Return what changed, in the order of the paths.

    A branch that is there on one side only is one change. A list is compared by its items: one that was put in
    does not make all that follow it changed.

    Args:
        old: paths and values as they were accepted.
        new: paths and values as they are.
    """
    differing = [path for path, leaf in new.items() if path not in old or not same(old[path], leaf)]
    differing += [path for path in old if path not in new]
    if not differing:
        return []
    before, after = _Index(old), _Index(new)
    if "" in old or "" in new:
        return [_whole("", before, after)]
    lists, plain = _by_list(differing)
    changes: list[Change] = []
    for prefix in lists:
        one, other = before.items(prefix), after.items(prefix)
        if one and other:
            changes += _compare_lists(prefix, one, other)
        elif before.has(prefix) and after.has(prefix):
            changes.append(_whole(prefix, before, after))
            plain = [path for path in plain if not covers(prefix, path)]
        else:
            plain += before.branch(prefix)[:1] + after.branch(prefix)[:1]
    changes += _compare_plain(plain, before, after)
    return sorted(changes, key=lambda change: change.path)


def _whole(path: str, before: _Index, after: _Index) -> Change:
    """Return that something became something of another kind: a value, a list or a mapping."""
    one, other = before.branch(path), after.branch(path)
    sides = _branch_text(path, one, before), _branch_text(path, other, after)
    return Change("changed", path, *sides, values=max(len(one), len(other)))


def _by_list(paths: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the outermost lists in which paths lie, and the paths that lie in none."""
    lists: dict[str, None] = {}
    plain = []
    for path in paths:
        prefix = _list_of(path)
        if prefix is None:
            plain.append(path)
        else:
            lists[prefix] = None
    return [*lists], plain


def _list_of(path: str) -> str | None:
    if "[" not in path:
        return None
    prefix = ""
    for part in parts(path):
        if _ITEM.fullmatch(part):
            return prefix
        prefix += part
    return None


class _Index:
    """A flattened document in which branches are found by bisection."""

    def __init__(self, leaves: Mapping[str, Leaf]) -> None:
        self.leaves = leaves
        self._sorted = sorted(leaves)

    def branch(self, path: str) -> list[str]:
        """Return the paths at or below a path."""
        found = [path] if path in self.leaves else []
        for mark in ".[":
            at = bisect_left(self._sorted, path + mark) if path or mark == "[" else len(self._sorted)
            while at < len(self._sorted) and self._sorted[at].startswith(path + mark):
                found.append(self._sorted[at])
                at += 1
        return found if path else [*self._sorted]

    def has(self, path: str) -> bool:
        """Tell whether there is anything at or below a path."""
        if path in self.leaves:
            return True
        for mark in ".[":
            at = bisect_left(self._sorted, path + mark)
            if at < len(self._sorted) and self._sorted[at].startswith(path + mark):
                return True
        return False

    def items(self, path: str) -> list[dict[str, Leaf]]:
        """Return the items of the list at a path, each with its values by the rest of their paths."""
        items: dict[int, dict[str, Leaf]] = {}
        for each in self.branch(path):
            if item := _ITEM.match(each, len(path)):
                items.setdefault(int(item["number"]), {})[each[item.end() :]] = self.leaves[each]
        return [items[number] for number in sorted(items)]


# Mappings


def _compare_plain(paths: Sequence[str], before: _Index, after: _Index) -> Iterator[Change]:
    removed: dict[str, list[str]] = {}
    added: dict[str, list[str]] = {}
    for path in dict.fromkeys(paths):
        if path in before.leaves and path in after.leaves:
            yield _changed(path, before.leaves[path], after.leaves[path])
        elif path in before.leaves:
            top = _top(path, after)
            removed.setdefault(top, before.branch(top))
        else:
            top = _top(path, before)
            added.setdefault(top, after.branch(top))
    yield from _replaced(removed, added, before, after)
    for origin, path in _moved(removed, added, before, after):
        number = len(removed.pop(origin))
        yield Change("moved", path, origin=origin, new=_branch_text(path, added.pop(path), after), values=number)
    for path, values in removed.items():
        yield Change("removed", path, old=_branch_text(path, values, before), values=len(values))
    for path, values in added.items():
        yield Change("added", path, new=_branch_text(path, values, after), values=len(values))


def _top(path: str, other: _Index) -> str:
    """Return the shortest beginning of a path at which the other document has nothing."""
    prefix = ""
    for part in parts(path):
        prefix += part
        if not other.has(prefix):
            return prefix
    return path


def _replaced(
    removed: dict[str, list[str]], added: dict[str, list[str]], before: _Index, after: _Index
) -> Iterator[Change]:
    """Yield the values that became mappings and the mappings that became values."""
    single = [path for path in removed if path in before.leaves and after.has(path)]
    single += [path for path in added if path in after.leaves and before.has(path)]
    for path in single:
        yield _whole(path, before, after)
        for side in (removed, added):
            for top in [top for top in side if covers(path, top)]:
                del side[top]


def _branch_text(path: str, values: Sequence[str], index: _Index) -> str:
    if len(values) == 1 and values[0] == path:
        return shown(index.leaves[path])
    return count(len(values), "value")


def _changed(path: str, old: Leaf, new: Leaf) -> Change:
    one, other = _secret(old), _secret(new)
    if one is not None and other is not None and not same_key(one, other):
        return Change("unclear", path, old=shown(old), new=shown(new))
    return Change("changed", path, old=shown(old), new=shown(new))


def _secret(leaf: Leaf) -> str | None:
    return str(leaf["secret"]) if isinstance(leaf, dict) and "secret" in leaf else None


def _moved(
    removed: Mapping[str, list[str]], added: Mapping[str, list[str]], before: _Index, after: _Index
) -> list[tuple[str, str]]:
    """Return the branches that are the same elsewhere, where only one went and only one came."""
    gone = {path: _print(path, values, before) for path, values in removed.items()}
    come = {path: _print(path, values, after) for path, values in added.items()}
    gone_counts, come_counts = Counter(gone.values()), Counter(come.values())
    places = {print_: path for path, print_ in come.items() if come_counts[print_] == 1}
    return [
        (origin, places[print_])
        for origin, print_ in gone.items()
        if gone_counts[print_] == 1 and print_ in places and _tells(origin, places[print_], removed[origin], before)
    ]


def _print(path: str, values: Iterable[str], index: _Index) -> str:
    return json.dumps(sorted((each[len(path) :], index.leaves[each]) for each in values), sort_keys=True)


def _tells(origin: str, path: str, values: Sequence[str], before: _Index) -> bool:
    """Tell whether two equal branches must be one: for their keys, or for a value of some length."""
    if values != [origin] or last_key(origin) == last_key(path):
        return True
    leaf = before.leaves[origin]
    return not isinstance(leaf, bool) and leaf is not None and len(shown(leaf)) >= _TELLING


# Lists


def _compare_lists(path: str, old: Sequence[dict[str, Leaf]], new: Sequence[dict[str, Leaf]]) -> Iterator[Change]:
    one, other = [*map(_key, old)], [*map(_key, new)]
    if sorted(one) == sorted(other):
        yield Change("reordered", path, values=len(new))
        return
    for tag, i1, i2, j1, j2 in _blocks(one, other):
        if tag == "equal":
            continue
        paired = min(i2 - i1, j2 - j1)
        for step in range(paired):
            yield from _within(f"{path}[{j1 + step}]", old[i1 + step], new[j1 + step])
        for number in range(i1 + paired, i2):
            yield Change("removed", f"{path}[{number}]", old=_item(old[number]), values=len(old[number]))
        for number in range(j1 + paired, j2):
            yield Change("added", f"{path}[{number}]", new=_item(new[number]), values=len(new[number]))


def _key(item: Mapping[str, Leaf]) -> str:
    return json.dumps(sorted(item.items()), sort_keys=True)


def _blocks(one: Sequence[str], other: Sequence[str]) -> Sequence[tuple[str, int, int, int, int]]:
    """Return which items correspond to each other, as :mod:`difflib` does, with as few changes as possible."""
    shortest = min(len(one), len(other))
    in_place = [("equal" if one[at] == other[at] else "replace", at, at + 1, at, at + 1) for at in range(shortest)]
    if len(one) != len(other):
        in_place.append(("replace", shortest, len(one), shortest, len(other)))
    if max(len(one), len(other)) > _ALIGNED:
        return in_place
    aligned = SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    return min(in_place, aligned, key=_number)


def _number(blocks: Iterable[tuple[str, int, int, int, int]]) -> int:
    return sum(max(i2 - i1, j2 - j1) for tag, i1, i2, j1, j2 in blocks if tag != "equal")


def _within(path: str, old: Mapping[str, Leaf], new: Mapping[str, Leaf]) -> Iterator[Change]:
    for change in compare(old, new):
        origin = None if change.origin is None else path + change.origin
        yield change._replace(path=path + change.path, origin=origin)


def _item(item: Mapping[str, Leaf]) -> str:
    return shown(item[""]) if [*item] == [""] else count(len(item), "value")
