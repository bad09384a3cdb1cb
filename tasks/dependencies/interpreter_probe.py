"""What the project's interpreter reports about itself; that interpreter runs this file as a program of its own.

It prints one JSON document. It needs only the standard library of Python 3.8 or newer, and neither pip nor
anything of the suite: the project's environment has none of it.
"""

from __future__ import annotations

import json
import os
import platform
import re
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from importlib import metadata
from typing import Any


def main() -> None:
    """Print what there is."""
    prefix = os.path.realpath(sys.prefix)
    folders = [os.path.realpath(sysconfig.get_path(name)) for name in ("purelib", "platlib")]
    description = {
        "version": platform.python_version(),
        "prefix": prefix,
        "virtual": sys.prefix != sys.base_prefix,
        "folders": sorted(set(folders)),
        "scripts": os.path.realpath(sysconfig.get_path("scripts")),
        "index_url": _index_url(),
        "packages": list(_packages(folders)),
    }
    json.dump(description, sys.stdout)


def _index_url() -> str | None:
    """Return the index that pip asks where nothing else is configured; its own constant is the only source."""
    try:
        from pip._internal.models.index import PyPI
    except Exception:  # noqa: BLE001 - it is not the pip that we know
        return None
    url: str = PyPI.simple_url
    return url


def _packages(folders: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield each installed package once: the first one of a name is the one that is imported."""
    seen = set()
    for found in metadata.distributions():
        name = found.metadata["Name"]
        if not name:
            continue
        name = re.sub(r"[-_.]+", "-", name).lower()
        if name in seen:
            continue
        seen.add(name)
        place = os.path.realpath(str(found.locate_file("")))
        direct = found.read_text("direct_url.json")
        yield {
            "name": name,
            "version": found.version,
            "requested": found.read_text("REQUESTED") is not None,
            "direct_url": _parsed(direct) if direct else None,
            "requires": found.requires or [],
            "inside": place in folders,
            "egg": found.read_text("RECORD") is None,
        }


def _parsed(text: str) -> dict[str, Any]:
    try:
        direct = json.loads(text)
    except ValueError:
        return {}
    return direct if isinstance(direct, dict) else {}


if __name__ == "__main__":
    main()
