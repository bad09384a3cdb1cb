"""That ``tests.check --all`` looks for every program that a test needs."""

from __future__ import annotations

import pytest

from . import conftest


def test_a_program_that_nobody_looks_for_is_noticed(request: pytest.FixtureRequest) -> None:
    request.node.add_marker(pytest.mark.needs("git", "a-program-of-nobody"))
    assert conftest.unlisted_programs([request.node]) == ["a-program-of-nobody"]
    with pytest.raises(pytest.UsageError, match="add that to PROGRAMS"):
        conftest.pytest_collection_modifyitems([request.node])
