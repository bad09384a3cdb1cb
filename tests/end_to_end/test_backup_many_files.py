from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.core.text.formatting import count

from .conftest import Inv

pytestmark = pytest.mark.slow

FILES = int(os.environ.get("BACKUP_TEST_FILES", "5000"))


def test_a_backup_of_many_small_files_is_created_and_verified(inv: Inv, project: Path) -> None:
    """Back up 5,000 files, in 5 seconds; the long form, BACKUP_TEST_FILES=100000, took 224 on two busy cores."""
    for number in range(FILES):
        if number % 1000 == 0:
            folder = project / f"data/{number // 1000:03}"
            folder.mkdir(parents=True)
        (folder / f"{number}.json").write_text(f'{{"n": {number}}}')
    created = inv("backup.create")
    assert created.status == 0, created.err
    (archive,) = (project / "backups").glob("*.tar.gz")
    assert archive.stat().st_size < 100 * FILES
    verified = inv("quarterly.backup-verification")
    assert verified.status == 0, verified.out
    (found,) = verified.findings("backup.verified")
    assert found["message"] == f"Restored: {count(FILES, 'file')}, each as it was saved."
    assert not (project / "backups/.restore-test").exists()
