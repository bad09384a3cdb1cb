from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import jsonschema
import pytest

from tasks.demo_site.provider_stand_in import Behaviour, Reply, StandIn, stand_in

from .conftest import Inv, fingerprint

TASK = "weekly.api-health"
KEYS = {"DEEPSEEK_API_KEY": "sk-of-deepseek-0123456789", "GROK_API_KEY": "xai-of-grok-0123456789abcdef"}

LIMITS = {
    "x-ratelimit-limit-requests": "100",
    "x-ratelimit-remaining-requests": "5",
    "x-ratelimit-reset-requests": "1s",
}


@pytest.fixture
def servers() -> Iterator[dict[str, StandIn]]:
    """Two providers as they should be; the first tells its balance, the second the state of its key."""
    deepseek = Behaviour(
        models=("deepseek-chat",),
        key=KEYS["DEEPSEEK_API_KEY"],
        balance={"is_available": True, "balance_infos": [{"currency": "USD", "total_balance": "12.50"}]},
    )
    grok = Behaviour(
        models=("grok-4",),
        key=KEYS["GROK_API_KEY"],
        key_state={"api_key_blocked": False, "api_key_disabled": False, "team_blocked": False},
        bases=("/v1",),
    )
    with stand_in(deepseek) as one, stand_in(grok) as other:
        yield {"deepseek": one, "grok": other}


def at(servers: dict[str, StandIn]) -> dict[str, str]:
    """Return the environment that leads to the stand-ins."""
    urls = {
        f"INVOKE_MAINTENANCE_PROVIDERS_{name.upper()}_BASE_URL": server.url + "/v1" * (name == "grok")
        for name, server in servers.items()
    }
    accounts = {
        "INVOKE_MAINTENANCE_PROVIDERS_DEEPSEEK_ACCOUNT": "balance",
        "INVOKE_MAINTENANCE_PROVIDERS_GROK_ACCOUNT": "api-key",
    }
    return {**KEYS, **urls, **accounts}


def test_providers_that_are_well_are_measured(inv: Inv, project: Path, servers: dict[str, StandIn]) -> None:
    result = inv(TASK, env=at(servers))
    assert (result.status, result.report["status"]) == (0, "ok"), result.out
    jsonschema.validate(result.document, json.loads(inv("report.schema", json=False).out))
    for server in servers.values():
        budgets = [seen.body["max_tokens"] for seen in server.seen if seen.path.endswith("chat/completions")]
        assert budgets == [50, 200, 500]
    assert {finding["subject"] for finding in result.findings("providers.answer")} == {"deepseek", "grok"}
    rates = {
        each["subject"]: each["value"] for each in result.report["metrics"] if each["name"].endswith("success_rate")
    }
    assert rates == {"deepseek": 1, "grok": 1}
    history = json.loads((project / "logs/api_performance.json").read_text())
    assert [sorted(entry["providers"]) for entry in history] == [["deepseek", "grok"]]
    (written,) = (project / "logs/api_reports").iterdir()
    assert json.loads(written.read_text())["status"] == "ok"
    assert f"logs/api_reports/{written.name}" in result.report["files"]


def test_a_second_run_adds_to_what_is_kept(inv: Inv, project: Path, servers: dict[str, StandIn]) -> None:
    for _ in range(2):
        assert inv(TASK, env=at(servers)).status == 0
    assert len(json.loads((project / "logs/api_performance.json").read_text())) == 2
    (written,) = (project / "logs/api_reports").iterdir()
    assert len(json.loads(written.read_text())["runs"]) == 2


def test_a_dry_run_asks_nobody_and_writes_nothing(inv: Inv, project: Path, servers: dict[str, StandIn]) -> None:
    before = fingerprint(project)
    for result in (inv(TASK, "--dry-run", env=at(servers)), inv("-R", TASK, env=at(servers))):
        assert result.status == 0
        assert result.report["dry_run"]
        assert {action["done"] for action in result.report["actions"]} == {False}
    assert not any(server.seen for server in servers.values())
    assert fingerprint(project) == before


def test_what_is_wrong_is_told_apart(inv: Inv, project: Path) -> None:
    with ExitStack() as stack:
        servers = {
            "deepseek": stack.enter_context(
                stand_in(
                    Behaviour(
                        models=("deepseek-v9",),
                        headers=LIMITS,
                        balance={
                            "is_available": False,
                            "balance_infos": [{"currency": "USD", "total_balance": "0.00"}],
                        },
                    )
                )
            ),
            "grok": stack.enter_context(stand_in(Behaviour(models=("grok-4",), key="another", bases=("/v1",)))),
        }
        result = inv(TASK, env=at(servers))
    assert result.status == 2
    findings = {(finding["check"], finding["subject"]): finding for finding in result.report["findings"]}
    model = findings["providers.model", "deepseek"]
    assert model["status"] == "critical"
    assert "deepseek-v9" in model["message"]
    assert findings["providers.account", "deepseek"]["status"] == "critical"
    assert findings["providers.rate_limit", "deepseek"]["status"] == "warning"
    refused = findings["providers.answer", "grok"]
    assert refused["status"] == "critical"
    assert "GROK_API_KEY" in refused["message"] + (refused["remedy"] or "")
    for text in (result.out, result.err, *(path.read_text() for path in project.rglob("*") if path.is_file())):
        assert not [key for key in KEYS.values() if key in text]


def test_keys_that_are_missing_are_named(inv: Inv, project: Path) -> None:
    (project / ".env.example").write_text("".join(f"{name}=\n" for name in KEYS))
    result = inv(TASK, env=dict.fromkeys(KEYS, ""))
    assert result.status == 2
    for name, finding in zip(KEYS, result.findings("providers.answer"), strict=True):
        assert finding["message"].startswith(f"{name} is empty in the environment")


def test_a_provider_that_nothing_in_the_project_names_is_not_asked(inv: Inv, project: Path) -> None:
    (project / "app.py").write_text('KEY = os.environ["OTHER_API_KEY"]\n')
    result = inv(TASK, env=dict(zip(KEYS, ("secret-value-of-one", ""), strict=True)))
    assert (result.status, result.report["status"]) == (0, "skipped"), result.out
    (finding,) = result.findings("providers.answer")
    assert (finding["status"], finding["subject"]) == ("skipped", "deepseek, grok")
    for said in ("neither .env, .env.example", "name DEEPSEEK_API_KEY or GROK_API_KEY", "The environment has"):
        assert said in finding["message"]
    assert "secret-value" not in result.out


@pytest.mark.parametrize("where", [".env.example", "app/llm.py", "config/settings.yaml"])
def test_a_provider_whose_key_the_project_names_is_asked(inv: Inv, project: Path, where: str) -> None:
    (project / where).parent.mkdir(exist_ok=True)
    (project / where).write_text('KEY = "DEEPSEEK_API_KEY"\n')
    result = inv(TASK, env=dict.fromkeys(KEYS, ""))
    critical, skipped = result.findings("providers.answer")
    assert (critical["subject"], critical["status"]) == ("deepseek", "critical")
    assert (skipped["subject"], skipped["status"]) == ("grok", "skipped")


def test_a_provider_that_the_user_has_set_applies_by_that(inv: Inv, tmp_path: Path) -> None:
    settings = tmp_path / "own.yaml"
    settings.write_text("maintenance: {providers: {grok: {slow_seconds: 7}}}\n")
    result = inv("-f", str(settings), TASK, env=dict.fromkeys(KEYS, ""))
    assert {each["subject"]: each["status"] for each in result.findings("providers.answer")} == {
        "grok": "critical",
        "deepseek": "skipped",
    }


@pytest.mark.parametrize("none", ["{}", "{deepseek: null, grok: null}"])
def test_a_project_without_providers_has_nothing_to_ask(inv: Inv, tmp_path: Path, none: str) -> None:
    settings = tmp_path / "none.yaml"
    settings.write_text(f"maintenance: {{providers: {none}}}\n")
    result = inv("-f", str(settings), TASK)
    assert result.status == 0
    assert result.report["status"] == "skipped"


def test_a_history_that_is_broken_is_kept_aside(inv: Inv, project: Path, servers: dict[str, StandIn]) -> None:
    history = project / "logs/api_performance.json"
    history.parent.mkdir()
    history.write_text('[{"timestamp": "2026-')
    result = inv(TASK, env=at(servers))
    assert result.status == 1
    (finding,) = result.findings("providers.history")
    assert "api_performance.json" in finding["message"]
    asides = [path for path in history.parent.glob("api_performance.json*") if path != history]
    assert [path.read_text() for path in asides] == ['[{"timestamp": "2026-']
    assert len(json.loads(history.read_text())) == 1


def test_no_key_appears_anywhere_at_any_verbosity(inv_process: Inv, project: Path, environment: dict[str, str]) -> None:
    """Servers that echo the key in every way, keys in .env and in the environment, everything said and written."""
    filed, set_there = "sk-filed-7f3a9c2e51d04b68", KEYS["GROK_API_KEY"]
    (project / ".env").write_text(f"DEEPSEEK_API_KEY='{filed}'\n")
    environment.pop("DEEPSEEK_API_KEY", None)
    with ExitStack() as stack:
        for status in (200, 302, 400, 401, 429, 500):
            servers = {}
            for name, key in (("deepseek", filed), ("grok", set_there)):
                echo = Reply(
                    status,
                    {"error": {"message": f"Incorrect API key {key}; got Bearer {key}", "code": key}},
                    {"Location": f"http://127.0.0.1:9/{key}", "x-request-id": key, "x-ratelimit-limit-requests": key},
                )
                always = dict.fromkeys(("chat/completions", "models", "balance", "api-key"), echo)
                servers[name] = stack.enter_context(stand_in(Behaviour(always=always)))
            env = {name: value for name, value in at(servers).items() if name != "DEEPSEEK_API_KEY"}
            flags, output = ((), "json") if status in {200, 401} else (("--debug",), "text")
            given = {**env, "INVOKE_MAINTENANCE_OUTPUT": output}
            result = inv_process(*flags, TASK, "daily.health-check", json=False, env=given)
            assert all(server.seen for server in servers.values())
            assert not [key for key in (filed, set_there) if key in result.out + result.err], (status, flags)
    for path in project.rglob("*"):
        if path.is_file() and path.name != ".env":
            assert not [key for key in (filed, set_there) if key in path.read_text()], path
    assert (project / "logs/health_reports").is_dir()
