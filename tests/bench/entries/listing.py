"""``inv --list`` here against the least that Invoke can do: a ``tasks.py`` with one task."""

from __future__ import annotations

import py_compile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..entry import Entry, NoInput, Quantity, Side
from ..process import Command, Outcome
from ..suite import INV, inv

_TASKS = '''\
from invoke import task


@task
def hello(c):
    """Say hello."""
    print("hello")
'''


@dataclass(frozen=True, slots=True)
class OneTask:
    """The input: a folder with a one-task ``tasks.py``, compiled as Python leaves it after a first run."""

    def make(self, folder: Path) -> None:
        """Make it in *folder*."""
        path = folder / "tasks.py"
        path.write_text(_TASKS)
        py_compile.compile(str(path), doraise=True)


def entry(_scale: float) -> Entry:
    """Return the entry, which has the same size at every scale."""
    return Entry(
        name="list",
        about="inv --list here against that of a one-task tasks.py",
        quantity=Quantity.TIME,
        bar=1.3,
        rounds=20,
        changes_input=False,
        ours=Side("inv --list", NoInput(), lambda folder: inv("--list", root=folder), _lists("weekly.cache-cleanup")),
        peer=Side(
            "inv --list with one task", OneTask(), lambda folder: Command((INV, "--list"), folder), _lists("hello")
        ),
    )


def _lists(task: str) -> Callable[[Path, Outcome], str | None]:
    def problem(_folder: Path, outcome: Outcome) -> str | None:
        return None if task.encode() in outcome.output else f"does not list {task}"

    return problem
