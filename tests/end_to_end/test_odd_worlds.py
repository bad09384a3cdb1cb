"""Everything, in surroundings that nobody would choose: each ends with a document and the status that it says."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
from datetime import datetime
from pathlib import Path

import psutil
import pytest

from .conftest import INV, REPOSITORY, entry

EVERYTHING = ("daily", "weekly", "monthly", "quarterly", "schedule.status", "backup.create", "emergency.recover")
STATUS = {"skipped": 0, "ok": 0, "warning": 1, "critical": 2, "unknown": 3}

pytestmark = pytest.mark.slow

ODD = {
    "twenty descriptors": 'ulimit -n 20; exec "$@"',
    "nine descriptors": 'ulimit -n 9; exec "$@"',
    "no home": 'unset HOME; exec "$@"',
    "a home that is missing": 'export HOME=/missing/home; exec "$@"',
    "no folder for temporary files": 'export TMPDIR=/missing; exec "$@"',
    "no PATH": 'unset PATH; exec "$@"',
    "an empty PATH": 'export PATH=; exec "$@"',
    "an unknown time zone": 'export TZ=Nowhere/Land; exec "$@"',
    "an unknown locale": 'export LC_ALL=xx_YY.latin9 PYTHONUTF8=0; exec "$@"',
    "no standard input": 'exec "$@" <&-',
    "no standard error": 'exec "$@" 2>&-',
    "no file may grow": 'ulimit -f 0; exec "$@"',
}

MOUNTED = {
    "no /proc": 'mount -t tmpfs none /proc; exec "$@"',
    "a root that is read-only": 'mount --bind "$ROOT" "$ROOT"; mount -o remount,ro,bind "$ROOT"; exec "$@"',
    "no inodes": 'mount -t tmpfs -o nr_inodes=60 none "$ROOT/logs"; cp -r "$ROOT/kept/." "$ROOT/logs"; '
    'n=0; while echo > "$ROOT/logs/$n.log"; do n=$((n + 1)); done 2>/dev/null; exec "$@"',
    "no room": 'mount -t tmpfs -o size=1M none "$ROOT/logs"; cp -r "$ROOT/kept/." "$ROOT/logs"; '
    'cat /dev/zero > "$ROOT/logs/fill" 2>/dev/null; exec "$@"',
}


@pytest.fixture
def world(project: Path, unmeasured: dict[str, str]) -> dict[str, str]:
    """A project with something for everybody to look at, and the variables for it."""
    for folder in ("logs", "kept"):
        (project / folder).mkdir()
        moment = f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S},000"
        (project / folder / "app.log").write_text(f"{moment} - api - ERROR - it broke\n")
    entry(project / "cache/temp/old", hours=1000)
    (project / "data").mkdir()
    (project / "data/materials.yaml").write_text("materials: {A: {density: 1}}\n")
    (project / "requirements.txt").write_text("demo-widget==1.0\n")
    settings = {"maintenance": {"providers": {"deepseek": None, "grok": None}}}
    (project.parent / "settings.json").write_text(json.dumps(settings))
    return unmeasured | {"ROOT": str(project), "INVOKE_MAINTENANCE_OUTPUT": "json"}


def run(shell: str, environment: dict[str, str], project: Path, *before: str) -> subprocess.CompletedProcess[str]:
    command = [*before, "/bin/bash", "-c", shell, "bash", INV, "-f", str(project.parent / "settings.json"), *EVERYTHING]
    return subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def is_honest(done: subprocess.CompletedProcess[str]) -> None:
    assert "Traceback" not in done.stdout + done.stderr
    document = json.loads(done.stdout)
    assert STATUS[document["status"]] == done.returncode
    ran = {report["task"] for report in document["reports"]}
    assert {"daily.health-check", "weekly.log-rotation", "quarterly.system-audit", "emergency.recover"} <= ran


@pytest.mark.parametrize("shell", ODD.values(), ids=ODD)
def test_an_odd_world(world: dict[str, str], project: Path, shell: str) -> None:
    is_honest(run(shell, world, project))


@pytest.mark.needs("unshare")
@pytest.mark.parametrize("shell", MOUNTED.values(), ids=MOUNTED)
def test_an_odd_file_system(world: dict[str, str], project: Path, shell: str) -> None:
    enter = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    probe = subprocess.run(
        [*enter, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, text=True, check=False
    )
    if probe.returncode != 0:
        pytest.skip(f"nothing can be mounted here: {shlex.join(enter)}: {probe.stderr.strip()}")
    is_honest(run(shell, world, project, *enter))


@pytest.mark.needs("strace")
def test_a_file_system_that_hangs_keeps_others_out_until_the_run_is_ended_and_then_no_longer(
    world: dict[str, str], project: Path
) -> None:
    """The call that removes an entry takes an hour, and nothing of the process can end it."""
    cleanup = [INV, "weekly.cache-cleanup"]
    hang = ["strace", "-f", "-qq", "-o", str(project.parent / "calls"), "-e", "trace=unlinkat,rmdir,unlink"]
    hanging = subprocess.Popen(
        [*hang, "-e", "inject=unlinkat:delay_enter=3600000000", *cleanup],
        cwd=REPOSITORY,
        env=world,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        lock = project / ".maintenance.lock"
        while not (lock.exists() and (held := lock.read_text().split())):
            assert hanging.poll() is None
            time.sleep(0.05)
        second = subprocess.run(cleanup, cwd=REPOSITORY, env=world, capture_output=True, text=True, check=False)
        assert second.returncode == 3, second.stderr
        (finding,) = json.loads(second.stdout)["reports"][0]["findings"]
        assert finding["check"] == "run.lock"
        (process,) = (each for each in psutil.Process(hanging.pid).children() if str(each.pid) in finding["message"])
        assert str(process.pid) in " ".join(held)
        process.kill()
    finally:
        for child in psutil.Process(hanging.pid).children(recursive=True):
            child.kill()
        hanging.kill()
        hanging.wait()
    third = subprocess.run(cleanup, cwd=REPOSITORY, env=world, capture_output=True, text=True, check=False)
    assert third.returncode == 0, third.stdout
    assert not (project / "cache/temp/old").exists()
