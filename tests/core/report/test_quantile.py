from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.core.report.quantile import quantile


@given(st.lists(st.floats(0, 1e9), min_size=2, max_size=50))
def test_quantiles_are_those_of_the_standard_library(values: list[float]) -> None:
    ordered = sorted(values)
    expected = statistics.quantiles(values, n=100, method="inclusive")
    for hundredth in (1, 50, 95, 99):
        assert quantile(ordered, hundredth / 100) == pytest.approx(expected[hundredth - 1])
    assert (quantile(ordered, 0), quantile(ordered, 1)) == (min(values), max(values))


def test_the_quantile_of_one_value_is_that_value() -> None:
    assert quantile([3.0], 0.95) == 3.0
