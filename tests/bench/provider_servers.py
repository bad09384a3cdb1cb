"""Three providers on loopback that take two seconds to answer, for as long as the benchmark runs."""

from __future__ import annotations

import atexit
import json
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tasks.demo_site.provider_stand_in import Behaviour, stand_in

SECONDS = 2.0

SETTINGS = "settings.json"
"""Beside the project: what leads ``inv`` to them, for ``-f``."""

_ADDRESS = "address"
_KEY_ENV = "BENCH_PROVIDER_KEY"
ENVIRONMENT = {_KEY_ENV: "a-key-of-the-benchmark"}


@dataclass(frozen=True, slots=True)
class Providers:
    """A project with *number* such providers."""

    number: int = 3

    def make(self, folder: Path) -> None:
        """Start them, and say in *folder* where they are."""
        serving = ExitStack()
        atexit.register(serving.close)
        urls = [serving.enter_context(stand_in(Behaviour(delay_seconds=SECONDS))).url for _number in range(self.number)]
        none = dict.fromkeys(("deepseek", "grok"))
        ours = {
            f"provider_{place}": {"base_url": url, "model": "stand-in", "key_env": _KEY_ENV}
            for place, url in enumerate(urls)
        }
        settings = {"maintenance": {"providers": {**none, **ours}}}
        (folder / SETTINGS).write_text(json.dumps(settings), encoding="utf-8")
        (folder / _ADDRESS).write_text(f"{urls[0]}/v1/chat/completions", encoding="utf-8")


def address(folder: Path) -> str:
    """Return the address of the first provider's chat completion."""
    return (folder / _ADDRESS).read_text(encoding="utf-8")
