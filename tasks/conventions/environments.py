"""Where the project's Python environment is."""

from __future__ import annotations

from .convention import Convention, Evidence
from .project_files import ProjectFiles

_NAMES = (".venv", "venv", "env", ".env", "virtualenv")


def find_environment(files: ProjectFiles) -> Convention[str]:
    """Return the folder of the environment: one with a ``pyvenv.cfg``, which tells its Python."""
    for name in _NAMES:
        path = files.root / name / "pyvenv.cfg"
        if path.is_file():
            try:
                lines = path.read_text(errors="replace").splitlines()
            except OSError:
                lines = []
            stated = next(
                ((number, line) for number, line in enumerate(lines, 1) if line.startswith("version")), (None, "")
            )
            return Convention(
                "environment", _sought(), name, name, (Evidence(f"{name}/pyvenv.cfg", *stated),), setting=_SETTING
            )
    return Convention("environment", _sought(), setting=_SETTING)


_SETTING = "maintenance.dependencies.python"


def _sought() -> str:
    return f"pyvenv.cfg in {', '.join(_NAMES)}"
