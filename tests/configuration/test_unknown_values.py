from __future__ import annotations

from tasks.configuration.reading.python_reader import read_python
from tasks.configuration.unknown_values import unknown_values


def test_what_only_running_would_tell_is_named_with_its_place() -> None:
    module = read_python("import os\nA = 1\nB = f()\nC = {'x': [1, os.getenv('X')], 'y': ({'z': g()}, 2)}\n")
    assert [(path, each.line, each.source) for path, each in unknown_values(module.value)] == [
        ("B", 3, "f()"),
        ("C.x[1]", 4, "os.getenv('X')"),
        ("C.y[0].z", 4, "g()"),
    ]
