"""Quantiles of measured values."""

from __future__ import annotations

from collections.abc import Sequence


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the value below which *share* (0 to 1) of *ordered*, ascending and not empty, lies.

    Between two values it is interpolated linearly, the smallest being 0 and the largest 1: type 7 of Hyndman and
    Fan, "Sample Quantiles in Statistical Packages" (1996), and ``method="inclusive"`` of
    :func:`statistics.quantiles`.
    """
    place = (len(ordered) - 1) * share
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
