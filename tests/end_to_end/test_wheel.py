"""The wheel, in a fresh environment, adopted by a project that has a tasks.py and a tasks/ folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from .conftest import PATIENCE, REPOSITORY, entry

pytestmark = [pytest.mark.slow, pytest.mark.invoke]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*build, "--wheel-dir", str(folder), str(REPOSITORY)], check=True, timeout=PATIENCE)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``inv`` of an environment that holds the wheel, and of the rest only what the wheel depends on."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, timeout=PATIENCE)
    ask = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip())
    # The dependencies are those of this environment: installing them anew would need a network.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    inv = folder / "bin" / "inv"
    inv.write_text(f"#!{python}\nfrom invoke.main import program\nprogram.run()\n")
    inv.chmod(0o755)
    return inv


def test_the_wheel_brings_one_package_of_its_own_name(wheel: Path) -> None:
    top = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == {"zbeam_maintenance"}


def test_a_project_with_tasks_of_its_own_adopts_it(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text("from zbeam_maintenance import namespace\n")
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "__init__.py").write_text("raise RuntimeError('of something else')\n")
    old = entry(tmp_path / "cache" / "temp" / "old.json", hours=100)
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("INVOKE_", "PYTHONPATH"))}

    def inv(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(installed), *arguments], cwd=tmp_path, env=kept, capture_output=True, text=True, check=False
        )

    listed = inv("--list")
    assert "weekly.cache-cleanup" in listed.stdout, listed.stderr
    plain = inv("weekly.cache-cleanup", "--dry-run")
    assert plain.returncode == 0, plain.stderr
    assert inv("settings.init").returncode == 0
    assert "executor_class: zbeam_maintenance.MaintenanceExecutor" in (tmp_path / "invoke.yaml").read_text()
    assert old.exists()
    done = inv("weekly.cache-cleanup", "settings.check")
    assert done.returncode == 0, done.stderr
    assert "2 procedures" in done.stdout
    assert not old.exists()
