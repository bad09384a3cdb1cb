"""What procedures ask, on loopback: providers, a package index and an advisory service, for all trials."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from tasks.demo_site.package_index import OfferedFile, package_index
from tasks.demo_site.provider_stand_in import Behaviour, stand_in
from tasks.demo_site.vulnerability_service import vulnerability_service
from tasks.demo_site.wheels import wheel

_KEY = "CAMPAIGN_PROVIDER_KEY"
_LONG_AGO = timedelta(days=100)

_STAND_INS = {
    "crontab": """#!/bin/sh
table=$(dirname "$0")/../crontab
if [ "$1" != -l ]; then
  cat -- "$1" >"$table.new" && mv "$table.new" "$table"
elif [ -e "$table" ]; then
  cat "$table"
else
  echo "no crontab" >&2
  exit 1
fi
""",
    "systemctl": "#!/bin/sh\n",
    "launchctl": "#!/bin/sh\n",
    "loginctl": "#!/bin/sh\necho yes\n",
}


class Services(NamedTuple):
    """What serves.

    Attributes:
        settings: those that lead there, and further ones for all trials.
        environ: variables that lead there.
        index_url: the package index.
    """

    settings: Mapping[str, Any]
    environ: Mapping[str, str]
    index_url: str


@contextmanager
def serving() -> Iterator[Services]:
    """Serve until the block ends."""
    wheels = [
        *(wheel("demo-base", version) for version in ("1.0", "1.1")),
        *(wheel("demo-widget", version, requires=["demo-base>=1.0"]) for version in ("1.0", "1.1")),
    ]
    files = {name: OfferedFile(content, datetime.now(UTC) - _LONG_AGO) for name, content in wheels}
    with stand_in(Behaviour()) as provider, package_index(files) as index, vulnerability_service(()) as service:
        settings = _settings() | {
            "providers": {
                "deepseek": None,
                "grok": None,
                "stand-in": {"base_url": provider.url, "model": "stand-in", "key_env": _KEY},
            },
            "dependencies": {"index_url": index.url, "osv_url": service.url, "cooldown_days": 1},
        }
        yield Services(settings, {_KEY: "a-key-for-the-stand-in"}, index.url)


def _settings() -> dict[str, Any]:
    return {
        "configuration": {"environment_keys": []},
        "logs": {"rotate_over_mb": 0.02},
        "backups": {"keep": 1, "keep_days": 0},
        "health": {"cpu_percent": 100, "memory_percent": 100, "disk_percent": 100},
        "release": {"test_command": f"{sys.executable} -c pass", "lint_commands": [f"{sys.executable} -c pass"]},
    }


def put_stand_ins(folder: Path) -> None:
    """Write the programs that must not be the machine's own."""
    folder.mkdir()
    for name, text in _STAND_INS.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)


def environment(home: Path, programs: Path, root: Path) -> dict[str, str]:
    """Return the variables of a user who has set nothing but the root and the form of the output."""
    left_out = ("INVOKE_", "COVERAGE", "PIP_", "UV_", "XDG_", "GIT_", "VIRTUAL_ENV")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(left_out)}
    return {
        **kept,
        "HOME": str(home),
        "PATH": os.pathsep.join([str(programs), str(Path(sys.executable).parent), kept.get("PATH", os.defpath)]),
        "LC_ALL": "C.UTF-8",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_CACHE_DIR": "1",
        "UV_NO_CACHE": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        # The same calls in the same order, run by run.
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "INVOKE_MAINTENANCE_ROOT": str(root),
        "INVOKE_MAINTENANCE_OUTPUT": "json",
    }
