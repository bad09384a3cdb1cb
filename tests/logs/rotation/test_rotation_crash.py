from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import tasks

from . import crash
from .conftest import can_collapse

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("content", ["distinct", "equal", "crossing"])
@pytest.mark.parametrize("strategy", crash.WAYS)
def test_a_kill_at_any_point_loses_and_doubles_nothing(tmp_path: Path, strategy: str, content: str) -> None:
    if strategy in {"collapse", "refused", "blank"} and not can_collapse(tmp_path):
        pytest.skip("the file system under the temporary folder is neither ext4 nor XFS")
    # what is killed leaves torn records of its coverage
    environment = {name: text for name, text in os.environ.items() if not name.startswith("COVERAGE")}
    repository = Path(tasks.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, crash.__file__, strategy, content, "1", str(tmp_path)],
        env={**environment, "PYTHONPATH": str(repository)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    *wrong, last = done.stdout.splitlines()
    assert wrong == []
    assert done.returncode == 0, done.stderr
    assert int(last.split()[0]) > 25
