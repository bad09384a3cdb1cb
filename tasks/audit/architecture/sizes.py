"""Which modules are larger than people can keep in mind."""

from __future__ import annotations

from collections.abc import Mapping

from ...core.report.model import Finding, Status
from ...core.text.formatting import count, printable
from .declared import SIZES

_MOST = 5


def sizes(lines: Mapping[str, int], limit: int) -> Finding:
    """Return the finding on the modules' sizes, the largest first.

    Args:
        lines: by the path of a file, how many lines of code it has.
        limit: of these lines.
    """
    largest = sorted(lines, key=lambda path: (-lines[path], path))
    over = [path for path in largest if lines[path] > limit]
    most = lines[largest[0]] if largest else 0
    if not over:
        return SIZES.finding(
            Status.OK,
            "modules",
            f"The largest of {count(len(lines), 'module')} has {count(most, 'line')} of code.",
            value=most,
            unit="lines",
            warning=limit,
        )
    shown = ", ".join(f"{printable(path)} ({lines[path]:,})" for path in over[:_MOST])
    rest = f" and {len(over) - _MOST:,} more" if len(over) > _MOST else ""
    return SIZES.finding(
        Status.WARNING,
        printable(over[0]),
        f"{count(len(over), 'module has', 'modules have')} more than {count(limit, 'line')} of code: {shown}{rest}.",
        "Divide them by what changes together.",
        value=most,
        unit="lines",
        warning=limit,
    )
