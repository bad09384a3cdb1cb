"""``emergency.recover``: diagnose, put right what can be put right, look again, and say what is left."""

from __future__ import annotations

from collections.abc import Callable

from ..core.report.model import Report
from .diagnosis import Diagnosis, diagnose
from .ports import STEPS, Context
from .recovery_findings import evaluate
from .steps import StepResult, take


def recover(scene: Context, advance: Callable[[int], None] = lambda _count: None) -> Report:
    """Get the project running again.

    Nothing of it needs room on the disk. Steps that fail keep none of the later ones from being taken; where it is
    told to stop, the report says what was done until then.

    Args:
        scene: the project, and what others do for it.
        advance: told after each step.
    """
    before = diagnose(scene)
    advance(1)
    taken: list[StepResult] = []
    for step in STEPS:
        if step in scene.steps and not scene.stop.is_set():
            taken.append(take(step, scene, taken[-1].room if taken else before.room))
            advance(1)
    return evaluate(scene, before, _after(scene, before, taken), taken)


def _after(scene: Context, before: Diagnosis, taken: list[StepResult]) -> Diagnosis:
    """Look again; a dry run changed nothing, and whoever stops it does not wait for more than the disk."""
    if scene.dry_run or not taken:
        return before
    after = None if scene.stop.is_set() else diagnose(scene, before)
    return before._replace(room=taken[-1].room) if after is None or scene.stop.is_set() else after
