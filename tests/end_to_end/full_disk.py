"""Run on a file system of its own that is full: mount it, fill it, call ``inv`` on it, and print what came of it.

Started in a mount namespace of its own (``unshare``), with which the file system vanishes.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

LINE = b"2026-11-23 11:59:59,707 - api.client - INFO - an article was written about the laser and the alabaster\n"


def main(place: str, options: str, kind: str, *command: str) -> None:
    """Do all of it and print one JSON object.

    Args:
        place: where to mount; the project lies there.
        options: those of the mount.
        kind: what fills the disk: ``cache``, ``logs``, ``data`` or ``inodes``.
        command: what to run then.
    """
    root = Path(place)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], check=True)  # noqa: S607 - wherever it is
    for folder in ("cache/temp", "cache/api_responses", "logs", "data"):
        (root / folder).mkdir(parents=True)
    (root / "data/materials.yaml").write_bytes(b"materials: {}\n" * 1000)
    (root / "data/link").symlink_to("materials.yaml")
    (root / "logs/app.log").write_bytes(LINE * (60_000 if kind == "logs" else 10))
    (root / "cache/stats.json").write_text('{"hit_rate": 0.5, "cache_size": 7}')
    fill(root, kind)
    before, free = fingerprint(root), os.statvfs(root)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    after = os.statvfs(root)
    found = {
        "status": done.returncode,
        "out": done.stdout,
        "err": done.stderr,
        "outside": before == fingerprint(root),
        "free_before": [free.f_bavail * free.f_frsize, free.f_favail],
        "free_after": [after.f_bavail * after.f_frsize, after.f_favail],
        "entries": sum(len(names) for _, _, names in os.walk(root / "cache/temp")),
        "statistics": (root / "cache/stats.json").read_text(),
        "archives": [str(path.relative_to(root)) for path in sorted(root.glob("logs/archive/*/*/*.gz"))],
        "reports": len([*root.glob("logs/emergency_reports/*.json")]),
    }
    print(json.dumps(found))  # noqa: T201 - what the test reads


def fill(root: Path, kind: str) -> None:
    """Write until there is no room."""
    folder = root / {"cache": "cache/temp", "inodes": "cache/temp", "logs": "data", "data": "data"}[kind]
    size = 0 if kind == "inodes" else 50_000
    number = 0
    try:
        while True:
            number += 1
            (folder / f"{number:05}.json").write_bytes(b"7" * size)
    except OSError:
        pass
    if kind == "logs":  # a little room, for an archive
        for number in range(1, 7):
            (folder / f"{number:05}.json").unlink()


def fingerprint(root: Path) -> str:
    """Return what tells whether anything outside cache and logs has changed."""
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        if path.relative_to(root).parts[0] in {"cache", "logs"}:
            continue
        status = path.lstat()
        digest.update(f"{path} {status.st_mode} {status.st_mtime_ns} {status.st_size}".encode())
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    main(*sys.argv[1:])
