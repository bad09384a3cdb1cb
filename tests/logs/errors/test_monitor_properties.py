"""Any mix of appends, truncations and rotations between visits: every record that is left counts exactly once."""

from __future__ import annotations

import gzip
import os
import re
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.logs.rotation.log_rotation import rotate
from tests.examples import examples

from .test_error_monitor import NOW, Project, at, found, seen
from .test_monitor_rotation import Writer, writer

_NUMBER = re.compile(rb"number <(\d+)>")


class Append(NamedTuple):
    records: int
    width: int
    traceback: bool


class Truncate(NamedTuple):
    pass


class Rotate(NamedTuple):
    force: bool


class Open(NamedTuple):
    pass


class Close(NamedTuple):
    pass


class Look(NamedTuple):
    pass


Step = Append | Truncate | Rotate | Open | Close | Look

appends = st.builds(Append, st.integers(1, 30), st.sampled_from([0, 100, 3000]), st.booleans())
steps = st.one_of(
    appends,
    appends,
    st.builds(Truncate),
    st.builds(Rotate, st.booleans()),
    st.builds(Rotate, st.booleans()),
    st.builds(Open),
    st.builds(Close),
    st.builds(Look),
    st.builds(Look),
)


@pytest.fixture(scope="module")
def other() -> Iterator[Writer]:
    with writer() as process:
        yield process


class Model:
    """The log, and which of its records are still to be found somewhere."""

    def __init__(self, project: Project, other: Writer) -> None:
        self.project = project
        self.path = project.logs / "app.log"
        self.other = other
        self.written = 0
        self.expected: set[bytes] = set()
        self.minute = 0

    def take(self, step: Step) -> None:
        self.minute += 1
        now = NOW + timedelta(minutes=self.minute)
        if isinstance(step, Append):
            self._append("".join(self._record(step, now) for _ in range(step.records)))
        elif isinstance(step, Truncate):
            if self.path.exists():
                os.truncate(self.path, 0)
        elif isinstance(step, Rotate):
            rotate(self.project.settings, now=now, force=step.force)
        elif isinstance(step, Open):
            self.other.open(self.path)
        elif isinstance(step, Close):
            self.other.close()
        else:
            self.look()

    def _record(self, step: Append, now: object) -> str:
        self.written += 1
        record = f"{at(30 - self.minute * 60)} - x - ERROR - number <{self.written}> {'y' * step.width}\n"
        if step.traceback:
            record += f'Traceback (most recent call last):\n  File "/srv/a.py", line {self.written}, in run\nOSError\n'
        assert now
        return record

    def _append(self, text: str) -> None:
        if self.other.path is not None:
            for record in re.findall(r"2025-[^\0]*?\n(?=2025-|\Z)", text):
                self.other.write(record)
        else:
            with self.path.open("a") as file:
                file.write(text)

    def look(self) -> None:
        here = set(_NUMBER.findall(self.path.read_bytes())) if self.path.exists() else set()
        for archive in self.project.logs.glob("archive/*/*/*.gz"):
            here |= set(_NUMBER.findall(gzip.decompress(archive.read_bytes())))
        new = here - self.expected
        self.expected |= here
        report = self.project.watch(hours=self.minute / 60)
        assert seen(report) == (len(here), len(new))
        assert self.project.counted() == len(self.expected)
        assert found(report, "errors.window").status.value == "ok"


@given(st.lists(steps, max_size=14))
@settings(
    max_examples=examples(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_every_record_that_is_left_counts_once(other: Writer, steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _descriptor: None)
        model = Model(Project(Path(folder) / "project"), other)
        model.path.touch()
        try:
            for step in [*steps, Look(), Look()]:
                model.take(step)
        finally:
            other.close()
