"""The problems planted in the demo project's providers: stand-ins on loopback, and what was measured before."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ..core.report.model import Status
from .demo_project import KEYS
from .planted import Planted
from .provider_stand_in import Behaviour, stand_in

_HISTORY = "logs/api_performance.json"

_MODELS = {"deepseek": "deepseek-chat", "grok": "grok-4"}
_SLOW_SECONDS = 0.2
_DELAY_SECONDS = 0.5


@contextmanager
def serving() -> Iterator[dict[str, Mapping[str, Any]]]:
    """Serve two providers until the block ends, and give the settings that lead to them.

    The first answers slowly, the second takes no key.
    """
    slow = Behaviour(
        models=("deepseek-chat", "deepseek-reasoner"),
        delay_seconds=_DELAY_SECONDS,
        balance={"is_available": True, "balance_infos": [{"currency": "USD", "total_balance": "18.40"}]},
    )
    refusing = Behaviour(models=("grok-4",), key="another key than that of the demo")
    with stand_in(slow) as deepseek, stand_in(refusing) as grok:
        accounts = {"deepseek": "balance", "grok": "api-key"}
        yield {
            name: {
                "base_url": server.url,
                "model": _MODELS[name],
                "key_env": KEYS[name],
                "account": accounts[name],
                "slow_seconds": _SLOW_SECONDS,
            }
            for name, server in (("deepseek", deepseek), ("grok", grok))
        }


def plant(site: Path, now: datetime) -> Iterator[Planted]:
    """Plant them in the project at *site* and yield them."""
    lines = (f"{variable}=demo-key-of-{name}-0123456789\n" for name, variable in KEYS.items())
    (site / ".env").write_text("".join(lines), encoding="utf-8")
    yield Planted("a slow provider", "providers.answer", "deepseek", None, Status.WARNING)
    yield Planted("a provider that refuses the key", "providers.answer", "grok", None, Status.CRITICAL)

    history = [_measured(now - timedelta(days=day), 0.2 if day > 10 else 0.4) for day in range(20, 0, -1)]  # noqa: PLR2004
    (site / _HISTORY).write_text(json.dumps(history), encoding="utf-8")
    yield Planted("a provider that grew slower", "providers.trend", "deepseek", None, Status.WARNING)


def _measured(moment: datetime, seconds: float) -> dict[str, Any]:
    deepseek = {"avg_response_time": seconds, "success_rate": 1.0, "model": _MODELS["deepseek"]}
    return {
        "timestamp": moment.isoformat(),
        "source": "daily.health-check",
        "avg_response_time": seconds,
        "success_rate": 1.0,
        "providers": {"deepseek": deepseek},
    }
