from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tasks.configuration.drift.comparison import Change, compare
from tasks.configuration.drift.flattening import flatten
from tasks.configuration.key_names import below
from tasks.configuration.secret_values import Sealer

sealer = Sealer(b"k" * 32)

LEAVES = st.integers(0, 9) | st.text("abc", max_size=3) | st.booleans()
KEYS = st.text("abcxyz", min_size=1, max_size=4)
DOCUMENTS = st.dictionaries(
    KEYS,
    st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
        max_leaves=15,
    ),
    min_size=1,
    max_size=5,
)


LONG = "long enough"


def flat(value: Any) -> dict[str, Any]:
    return flatten(value, sealer, lambda text: text)


def changes(old: Any, new: Any) -> list[Change]:
    return compare(flat(old), flat(new))


def changes_between(old: Any, new: Any) -> list[tuple[str, str, str | None, str | None]]:
    return [(each.kind, each.path, each.origin or each.old, each.new) for each in changes(old, new)]


def places(value: Any, path: str = "") -> list[tuple[str, Any, Any]]:
    """Return each scalar's path, its collection and its key there."""
    found = []
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        here = below(path, key) if isinstance(value, dict) else f"{path}[{key}]"
        if isinstance(inner, dict | list):
            found += places(inner, here)
        else:
            found.append((here, value, key))
    return found


@given(DOCUMENTS)
def test_what_is_equal_has_not_changed(value: Any) -> None:
    assert changes(value, copy.deepcopy(value)) == []


@given(DOCUMENTS, st.data())
def test_one_value_that_changed_is_one_change_at_its_path(value: Any, data: st.DataObject) -> None:
    new = copy.deepcopy(value)
    found = places(new)
    assume(found)
    path, collection, key = data.draw(st.sampled_from(found))
    collection[key] = "something else"
    (change,) = changes(value, new)
    assert (change.kind, change.path, change.new) == ("changed", path, "something else")


@given(st.lists(st.integers(), unique=True, min_size=1), st.integers(0, 20), st.text("xyz", min_size=1, max_size=3))
def test_an_item_that_was_put_in_is_one_change(items: list[int], place: int, item: str) -> None:
    place = min(place, len(items))
    new = [*items[:place], item, *items[place:]]
    assert changes_between({"a": items}, {"a": new}) == [("added", f"a[{place}]", None, item)]
    assert changes_between({"a": new}, {"a": items}) == [("removed", f"a[{place}]", item, None)]


@given(
    st.lists(st.integers(), unique=True, min_size=2).flatmap(
        lambda items: st.tuples(st.just(items), st.permutations(items))
    )
)
def test_items_in_another_order_are_one_change_that_is_none(both: tuple[list[int], list[int]]) -> None:
    old, new = both
    expected = [] if old == new else [("reordered", "a", None, None)]
    assert changes_between({"a": old}, {"a": new}) == expected


@given(DOCUMENTS, DOCUMENTS)
def test_what_is_not_equal_has_changed_and_no_path_is_told_twice(old: Any, new: Any) -> None:
    found = changes(old, new)
    assert bool(found) == (flat(old) != flat(new))
    assert len({(each.kind, each.path) for each in found}) == len(found)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": {"x": 1, "y": 2}}, {"b": {"x": 1, "y": 2}}, [("moved", "b", "a", "2 values")]),
        ({"a": {"r": 3}}, {"b": {"r": 3}}, [("moved", "b", "a", "1 value")]),
        ({"a": LONG}, {"b": LONG}, [("moved", "b", "a", LONG)]),
        ({"r": 3, "x": {}}, {"x": {"r": 3}}, [("removed", "r", "3", None), ("changed", "x", "{}", "1 value")]),
        (
            {"x": {"r": 3, "s": 1}, "y": {}},
            {"x": {"s": 1}, "y": {"r": 3}},
            [("removed", "x.r", "3", None), ("changed", "y", "{}", "1 value")],
        ),
        ({"a": 3}, {"b": 3}, [("removed", "a", "3", None), ("added", "b", None, "3")]),
        ({"a": True}, {"b": True}, [("removed", "a", "true", None), ("added", "b", None, "true")]),
        (
            {"a": LONG, "b": LONG},
            {"c": LONG},
            [("removed", "a", LONG, None), ("removed", "b", LONG, None), ("added", "c", None, LONG)],
        ),
        ({"a": 1}, {"a": {"x": 1, "y": 2}}, [("changed", "a", "1", "2 values")]),
        ({"a": {"x": 1, "y": 2}}, {"a": 1}, [("changed", "a", "2 values", "1")]),
        ({"a": [1, 2]}, {"a": 1}, [("changed", "a", "2 values", "1")]),
        ({"a": 1}, {"a": [1, 2]}, [("changed", "a", "1", "2 values")]),
        ({"a": []}, {"a": [1]}, [("changed", "a", "[]", "1 value")]),
        ({"a": {"b": [1]}}, {"a": {"b": {"c": 1}}}, [("changed", "a.b", "1 value", "1 value")]),
        ({"a": {"b": {"c": 1}, "d": 1}}, {"a": {"d": 1}}, [("removed", "a.b", "1 value", None)]),
        ({"a": [1, 2]}, {}, [("changed", "", "2 values", "{}")]),
        ({"a": [1, 2], "b": 1}, {"b": 1}, [("removed", "a", "2 values", None)]),
        ({"b": 1}, {"a": [1, 2], "b": 1}, [("added", "a", None, "2 values")]),
        (None, {"a": 1}, [("changed", "", "null", "1 value")]),
        ({"a": [{"x": 1}, {"x": 2}]}, {"a": [{"x": 1}, {"x": 3}]}, [("changed", "a[1].x", "2", "3")]),
        ({"a": [{"x": 1}]}, {"a": [{"y": LONG, "x": 1}]}, [("added", "a[0].y", None, LONG)]),
        ({"a": [[1, 2], [3]]}, {"a": [[1, 2], [3, 4]]}, [("added", "a[1][1]", None, "4")]),
        ({"a": [{"old": LONG}, 1]}, {"a": [{"new": LONG}, 1]}, [("moved", "a[0].new", "a[0].old", LONG)]),
        (
            {"a": [1, 2, 3, 4]},
            {"a": [9, 4]},
            [("changed", "a[0]", "1", "9"), ("removed", "a[1]", "2", None), ("removed", "a[2]", "3", None)],
        ),
        ({"a": [{"x": 1, "y": 1}]}, {"a": [{"x": 1, "y": 1}, {"x": 2, "y": 2}]}, [("added", "a[1]", None, "2 values")]),
        ({"a.b": 1, "a": {"b": 2}}, {"a.b": 3, "a": {"b": 2}}, [("changed", '"a.b"', "1", "3")]),
        ({"a": 30}, {"a": 30.0}, []),
    ],
)  # fmt: skip
def test_changes(old: Any, new: Any, expected: list[tuple[str, str, str | None, str | None]]) -> None:
    assert changes_between(old, new) == expected


def test_a_branch_says_how_many_values_it_has() -> None:
    (change,) = changes({"b": 1}, {"a": {"x": 1, "y": [2, 3]}, "b": 1})
    assert (change.kind, change.path, change.values) == ("added", "a", 3)


def test_a_long_list_is_compared_place_by_place() -> None:
    old = [*range(3000)]
    assert changes_between({"a": old}, {"a": [*old[:2999], "x"]}) == [("changed", "a[2999]", "2999", "x")]
    assert changes_between({"a": old}, {"a": [*old, "x"]}) == [("added", "a[3000]", None, "x")]


@pytest.mark.parametrize("path", ["a[x]", "a[]", "a[99999999999999999999]", "a..b", "a]", "[", ".", '"', "a[0][", " "])
def test_a_path_that_nothing_writes_is_compared_all_the_same(path: str) -> None:
    (change,) = compare({"b": 1, path: 2}, {"b": 1})
    assert change.kind == "removed"
    assert [each.kind for each in compare({"b": 1, path: 2}, {"b": 1, path: 3})] == ["changed"]


@pytest.mark.parametrize("leaf", [{}, {"text": 1}, {"length": "x"}, {"secret": 5}, {"unknown": None}, {"empty": 3}])
def test_a_value_that_somebody_wrote_by_hand_is_shown(leaf: dict[str, Any]) -> None:
    (change,) = compare({"a": leaf}, {"a": 1})
    assert isinstance(change.old, str)


def test_a_secret_with_another_key_is_unclear_not_changed() -> None:
    other = Sealer(b"o" * 32)
    old, new = ({"password": "same", "plain": 1}, {"password": "same", "plain": 2})
    found = compare(flat(old), flatten(new, other, lambda text: text))
    assert [(each.kind, each.path) for each in found] == [("unclear", "password"), ("changed", "plain")]
    assert changes_between({"password": "one"}, {"password": "two"}) == [
        ("changed", "password", "[secret]", "[secret]")
    ]


@pytest.mark.parametrize(("text", "kinds"), [("8 signs.", ["moved"]), ("7 signs", ["added", "removed"])])
def test_a_text_of_eight_characters_tells_that_a_value_was_moved(text: str, kinds: list[str]) -> None:
    assert sorted(change.kind for change in changes({"a": text}, {"b": text})) == kinds


def test_several_items_of_a_list_are_each_compared_with_the_one_in_their_place() -> None:
    old = {"a": [0, {"x": 1}, {"x": 2}, {"x": 3}, 9]}
    new = {"a": [0, {"x": 4}, {"x": 5}, {"x": 6}, 9]}
    assert changes_between(old, new) == [
        ("changed", "a[1].x", "1", "4"),
        ("changed", "a[2].x", "2", "5"),
        ("changed", "a[3].x", "3", "6"),
    ]


def test_a_change_is_about_one_value_where_nothing_else_is_said() -> None:
    assert [change.values for change in changes({"a": 1}, {"a": 2})] == [1]


def test_a_value_that_stands_often_in_a_long_list_is_aligned_like_any_other() -> None:
    items = [number % 3 for number in range(900)]
    assert changes_between({"a": items}, {"a": [7, *items]}) == [("added", "a[0]", None, "7")]


def test_items_after_one_that_was_put_in_are_compared_with_those_that_they_replaced() -> None:
    old = {"a": [0, {"x": 1}, {"x": 2}, {"x": 3}, 9, 8, 7]}
    new = {"a": ["first", 0, {"x": 4}, {"x": 5}, {"x": 6}, 9, 8, 7]}
    assert changes_between(old, new) == [
        ("added", "a[0]", None, "first"),
        ("changed", "a[2].x", "1", "4"),
        ("changed", "a[3].x", "2", "5"),
        ("changed", "a[4].x", "3", "6"),
    ]


def test_a_list_of_2000_items_is_aligned_and_one_of_2001_is_compared_place_by_place() -> None:
    items = [*range(1999)]
    assert changes_between({"a": items}, {"a": ["x", *items]}) == [("added", "a[0]", None, "x")]
    items = [*range(2000)]
    assert len(changes_between({"a": items}, {"a": ["x", *items]})) == 2001


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("0abc", "0xac", [("changed", "a[1]", "a", "x"), ("changed", "a[2]", "b", "a")]),
        ("0xac", "0abc", [("changed", "a[1]", "x", "a"), ("changed", "a[2]", "a", "b")]),
    ],
)
def test_items_stay_in_their_places_where_moving_them_would_save_no_change(
    old: str, new: str, expected: list[tuple[str, str, str, str]]
) -> None:
    assert changes_between({"a": [*old]}, {"a": [*new]}) == expected


def test_the_order_in_which_the_parts_of_a_long_text_were_written_does_not_count() -> None:
    long: dict[str, Any] = {"text": "beginning", "sha256": "0", "length": 400}
    turned = dict(reversed(long.items()))
    assert [each.kind for each in compare({"x": long}, {"y": turned})] == ["moved"]
    (change,) = compare({"a[0]": long, "a[1]": 1}, {"a[0]": "first", "a[1]": turned, "a[2]": 1})
    assert (change.kind, change.path) == ("added", "a[0]")


def test_of_a_value_with_another_one_below_it_only_the_one_that_is_gone_was_removed() -> None:
    (change,) = compare({"a": 1, "a.b": 2}, {"a": 1})
    assert (change.kind, change.path, change.values) == ("removed", "a.b", 1)
