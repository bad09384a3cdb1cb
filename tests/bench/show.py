"""Results as text for people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .entry import MEMORY_LIMIT, Entry, Figure, Quantity
from .figures import Result, Verdict

_HEADINGS = ("name", "ours", "peer", "ratio", "spread", "bar", "peak memory", "")
_NOTHING = "-"


def quantity(kind: Quantity, figure: Figure) -> str:
    """Return a figure with its unit: seconds, megabytes of a million bytes, or how many of all."""
    if kind is Quantity.TIME:
        return f"{figure.value:.3f} s"
    if kind in {Quantity.LINES, Quantity.KILLS}:
        return f"{figure.value:,.0f} of {figure.whole:,.0f}"
    return f"{figure.value / 1e6:.1f} MB"


def table(results: Sequence[Result]) -> str:
    """Return the table of all results, what the names mean, and why a figure is void or over."""
    rows = [_HEADINGS, *map(_row, results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_aligned(row, widths) for row in rows]
    for result in results:
        lines += ["", *_remarks(result)]
    return "\n".join(lines)


def catalogue(entries: Iterable[Entry]) -> str:
    """Return what can be measured: name, bar, rounds, what it shows."""
    rows = [("name", "bar", "rounds", "what it shows")]
    rows += [(entry.name, f"{entry.bar:g}", str(entry.rounds), entry.about) for entry in entries]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    """Names and verdicts to the left, figures to the right."""
    name, *figures, verdict = row
    middle = (figure.rjust(width) for figure, width in zip(figures, widths[1:-1], strict=True))
    return "  ".join((name.ljust(widths[0]), *middle, verdict)).rstrip()


def _row(result: Result) -> tuple[str, ...]:
    name, bar, verdict = result.entry.name, f"{result.entry.bar:g}", result.verdict.value
    if result.verdict is Verdict.VOID:
        return (name, _NOTHING, _NOTHING, _NOTHING, _NOTHING, bar, _NOTHING, verdict)
    return (
        name,
        quantity(result.entry.quantity, result.ours),
        quantity(result.entry.quantity, result.peer),
        f"{result.ratio:.3f}",
        f"{result.spread.least:.3f}-{result.spread.most:.3f}",
        bar,
        quantity(Quantity.MEMORY, Figure(result.peak_bytes)),
        verdict,
    )


def _remarks(result: Result) -> Iterable[str]:
    entry = result.entry
    yield f"{entry.name}: {entry.quantity.value} of {entry.ours.label} (ours) and {entry.peer.label} (peer)"
    if result.verdict is Verdict.VOID:
        yield f"  void: {result.void}"
        return
    yield f"  rounds: {len(result.rounds)}; ours, peer and ratio are of medians, the spread is of single rounds' ratios"
    if result.peak_bytes >= MEMORY_LIMIT:
        yield f"  over: ours must stay under {quantity(Quantity.MEMORY, Figure(MEMORY_LIMIT))}"
    if entry.note:
        yield f"  note: {entry.note}"
