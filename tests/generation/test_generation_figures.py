from __future__ import annotations

from array import array

import pytest

from tasks.core.report.model import Status
from tasks.core.settings.model import GenerationSettings
from tasks.generation.generation_figures import Figures, by_component, figures, rounded, slowness, summary, together
from tasks.generation.generation_tally import Group, Tally

from .conftest import periods


def test_figures_are_those_of_the_group() -> None:
    one = figures(Group(4, 3, 2, array("d", [1.0, 2.5]), 3.5))
    assert one == Figures(4, 3, 2, 2, 3.5)
    assert (one.mean, one.success_rate) == (1.75, 2 / 3)
    assert together([one, one]) == Figures(8, 6, 4, 4, 7.0)
    nothing = together([])
    assert (nothing, nothing.mean, nothing.success_rate) == (Figures(), None, None)


def test_components_come_with_the_most_generations_first() -> None:
    tally = Tally(periods())
    tally.groups[2, "b"] = Group(1)
    tally.groups[2, "c"] = Group(2)
    tally.groups[2, "a"] = Group(1)
    tally.groups[1, "d"] = Group(9)
    assert [*by_component(tally, 2)] == ["c", "a", "b"]


def test_numbers_are_rounded_for_tables() -> None:
    assert (rounded(1.23456), rounded(None)) == (1.235, None)


def test_the_summary_says_what_is_known() -> None:
    assert summary(Figures(), "today") == "no generations today"
    assert summary(Figures(1), "today") == "1 generation today"
    assert summary(Figures(1204, 1000, 973), "today") == "1,204 generations today, 97.3 % succeeded"


@pytest.mark.parametrize(
    ("mean", "status"),
    [
        (None, Status.UNKNOWN),
        (0.0, Status.OK),
        (30.0, Status.OK),
        (30.001, Status.WARNING),
        (120.0, Status.WARNING),
        (120.001, Status.CRITICAL),
    ],
)
def test_a_mean_beyond_a_threshold_is_too_slow(mean: float | None, status: Status) -> None:
    expected = {Status.WARNING: "; at most 30.0 s was expected", Status.CRITICAL: "; at most 2 min 0 s was expected"}
    assert slowness(GenerationSettings(), mean) == (status, expected.get(status, ""))
