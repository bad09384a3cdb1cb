"""A project with a small environment whose files are the test's own: made in milliseconds, without any installer."""

from __future__ import annotations

import hashlib
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

from tasks.demo_site.wheels import unpack, wheel
from tasks.dependencies.environment import Environment, Installed
from tasks.dependencies.undo.rollback import roll_back
from tasks.dependencies.undo.snapshot import take_snapshot
from tasks.dependencies.undo.undo_journal import pending_journal

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MODULES = {"demo_one/__init__.py": "one = 1\n", "demo_one/deep/part.py": "part = 1\n", "demo_one/data.txt": "data\n"}


class Site:
    """A project with a small environment, in which two packages lie."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.prefix = root / ".venv"
        self.packages = self.prefix / "lib" / "site-packages"
        (self.prefix / "bin").mkdir(parents=True)
        self.packages.mkdir(parents=True)
        (self.prefix / "lib64").symlink_to("lib")
        (self.prefix / "bin/tool").write_text("#!/bin/sh\n")
        (self.prefix / "bin/tool").chmod(0o755)
        unpack(wheel("demo-one", "1.0", modules=MODULES)[1], self.packages)
        unpack(wheel("demo-two", "1.0")[1], self.packages)
        cache = self.packages / "demo_one/__pycache__"
        cache.mkdir()
        (cache / "__init__.cpython-311.pyc").write_bytes(b"compiled")
        (root / "requirements.txt").write_text("demo-one==1.0\n")
        (root / "requirements.txt").chmod(0o640)
        self.environment = Environment(
            python=self.prefix / "bin/python",
            origin="a test",
            version="3.11.7",
            prefix=self.prefix,
            virtual=True,
            runs_suite=False,
            folders=(self.packages,),
            scripts=self.prefix / "bin",
            index_url=None,
            packages={"demo-one": Installed("demo-one", "1.0"), "demo-two": Installed("demo-two", "1.0")},
        )
        for number, path in enumerate(sorted(self.prefix.rglob("*"))):
            os.utime(path, ns=(10**18 + number, 10**18 + number), follow_symlinks=False)

    def take(self) -> None:
        paths = ["requirements.txt", "requirements.lock.txt"]
        take_snapshot(self.root, self.environment, ["demo-one"], paths, moves=["demo-one 1.0 -> 2.0"], now=NOW)

    def restore(self) -> tuple[str, ...]:
        journal = pending_journal(self.root)
        assert journal is not None
        return roll_back(self.root, self.prefix, journal, Event()).problems

    def state(self) -> dict[str, tuple[Any, ...]]:
        found: dict[str, tuple[Any, ...]] = {}
        for path in [self.prefix, *sorted(self.prefix.rglob("*")), self.root / "requirements.txt"]:
            status = path.lstat()
            held = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
            link = str(path.readlink()) if path.is_symlink() else ""
            found[str(path)] = (status.st_mode, 0 if link else status.st_mtime_ns, link, held)
        return found

    def update(self) -> None:
        """Do what an installer and an editor of requirements do."""
        shutil.rmtree(self.packages / "demo_one")
        shutil.rmtree(self.packages / "demo_one-1.0.dist-info")
        unpack(wheel("demo-one", "2.0", modules={"demo_one/other.py": "two = 2\n", **MODULES})[1], self.packages)
        unpack(wheel("demo-new", "1.0")[1], self.packages)
        (self.prefix / "bin/new-tool").write_text("")
        (self.root / "requirements.txt").write_text("demo-one==2.0\n")
        (self.root / "requirements.lock.txt").write_text("locked\n")
