from __future__ import annotations

from typing import Any

import pytest

from tasks.configuration.default_deviations import deviations
from tasks.configuration.reading.python_reader import read_python


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"TIMEOUT": 45, "DEFAULT_TIMEOUT": 30}, [("TIMEOUT", "45", "30", "DEFAULT_TIMEOUT")]),
        ({"timeout": 45, "timeout_default": 30}, [("timeout", "45", "30", "timeout_default")]),
        ({"maxTokens": 4, "defaultMaxTokens": 3}, [("maxTokens", "4", "3", "defaultMaxTokens")]),
        ({"a": [{"value": 4, "default": 3}]}, [("a[0].value", "4", "3", "a[0].default")]),
        (
            {"P": {"x": 1, "y": 2, "z": 3}, "DEFAULT_P": {"x": 1, "y": 5}},
            [("P.y", "2", "5", "DEFAULT_P.y")],
        ),
        ({"API_KEY": "mine", "DEFAULT_API_KEY": "theirs"}, [("API_KEY", "[secret]", "[secret]", "DEFAULT_API_KEY")]),
        ({"timeout": 30, "default_timeout": 30}, []),
        ({"default": 3, "other": 4, "default_missing": 1, "x": [1], "default_x": [2]}, []),
        ({1: 2, "default_1": 3}, []),
        ([1, "text"], []),
        (None, []),
    ],
)
def test_values_that_differ_from_a_default_beside_them(value: Any, found: list[tuple[str, ...]]) -> None:
    assert [tuple(each) for each in deviations(value)] == found


def test_what_only_running_would_tell_is_not_compared() -> None:
    module = read_python("import os\nA = os.getenv('A')\nDEFAULT_A = 3\nB = 2\nDEFAULT_B = f()\n")
    assert [*deviations(module.value)] == []
