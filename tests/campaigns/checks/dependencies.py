"""The project of ``monthly.dependency-update``: a real environment, whose packages come from an index on loopback."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

from ..projects import Place
from ..scenario import Inv

_OLD, _NEW = {"demo-base": "1.0", "demo-widget": "1.0"}, {"demo-base": "1.1", "demo-widget": "1.1"}


def prepare(place: Place, _inv: Inv) -> None:
    """Make the environment, with pip in it, and the older of each package."""
    settings = json.loads((place.folder / "settings.json").read_bytes())["maintenance"]
    environment = place.project / ".venv"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    pip = [str(environment / "bin/python"), "-I", "-B", "-m", "pip", "--disable-pip-version-check", "--quiet"]
    wanted = [f"{name}=={version}" for name, version in _OLD.items()]
    index = ("--no-cache-dir", "--index-url", settings["dependencies"]["index_url"])
    subprocess.run([*pip, "uninstall", "--yes", "setuptools"], check=True, capture_output=True)
    subprocess.run([*pip, "install", *index, *wanted], check=True, capture_output=True)
    (place.project / "requirements.txt").write_text("demo-widget==1.0  # keep this comment\ndemo-base>=1.0\n")


def _installed(place: Place) -> dict[str, str]:
    found = {}
    for path in (place.project / ".venv").glob("lib/python*/site-packages/demo_*.dist-info"):
        name, _, version = path.name.removesuffix(".dist-info").partition("-")
        found[name.replace("_", "-")] = version
    return found


def not_updated(place: Place) -> Iterator[str]:
    """Yield what is not as after the update."""
    if (found := _installed(place)) != _NEW:
        yield f"installed are {found}"
    if "demo-widget==1.1  # keep this comment\n" not in (place.project / "requirements.txt").read_text():
        yield "the requirements are those of before"


def not_undone(place: Place) -> Iterator[str]:
    """Yield what is not as before the update."""
    if (found := _installed(place)) != _OLD:
        yield f"installed are {found}"
    if "demo-widget==1.0  # keep this comment\n" not in (place.project / "requirements.txt").read_text():
        yield "the requirements are not those of before"


def lost(place: Place) -> Iterator[str]:
    """Yield what of the requirements is gone, at any moment."""
    text = (place.project / "requirements.txt").read_text()
    if text.count("\n") != 2 or "# keep this comment" not in text:
        yield f"the requirements hold {text!r}"
