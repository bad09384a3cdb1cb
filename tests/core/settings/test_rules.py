from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.core.settings.all_settings import defaults, settings_type
from tasks.core.settings.model import CacheSettings, ConfigurationSettings, LogSettings, Settings
from tasks.core.settings.rules import violations

HERE = str(Path(__file__).parent)
PROVIDER = {"base_url": "https://llm.example", "model": "m", "key_env": "MY_KEY"}


def _merged(tree: dict[str, Any], update: dict[str, Any]) -> dict[str, Any]:
    return tree | {
        key: _merged(tree.get(key, {}), value) if isinstance(value, dict) else value for key, value in update.items()
    }


def _settings(**update: Any) -> Settings:
    return msgspec.convert(_merged(defaults(), {"root": HERE} | update), settings_type())


def _broken(**update: Any) -> list[str]:
    return [".".join(path) for path, _ in violations(_settings(**update))]


def _expected(**update: Any) -> str:
    ((_, expected),) = violations(_settings(**update))
    return expected


def test_the_defaults_break_no_rule() -> None:
    assert _broken() == []


def test_the_root_must_be_a_folder_that_exists(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("gone", "file", "file/below", "loop", "x" * 5000):
        assert _expected(root=str(tmp_path / name)).startswith("the folder of the project")
    assert _broken(root=str(tmp_path)) == []


def test_a_root_that_may_not_be_looked_at_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    tree = _settings()
    monkeypatch.setattr(Path, "stat", denied)
    assert [path for path, _ in violations(tree)] == [("root",)]


@pytest.mark.parametrize("path", ["logs.directory", "cache.directory", "generation.file", "dependencies.requirements"])
@pytest.mark.parametrize("value", ["", ".", "./.", "/", "/etc", "..", "../x", "a/../b", "a/..", "a\0b"])
def test_a_path_must_stay_below_the_root(path: str, value: str) -> None:
    section, name = path.split(".")
    assert _broken(**{section: {name: value}}) == [path]


@pytest.mark.parametrize("value", ["a", "a/b", "./a", "a/", "..a", "a..", "...", "~", "a b", "激光"])
def test_an_ordinary_path_below_the_root_is_fine(value: str) -> None:
    assert _broken(logs={"directory": value}) == []


@settings(deadline=None)
@given(st.text(st.sampled_from("./~a\0")))
def test_an_accepted_path_never_leads_out_of_the_root(value: str) -> None:
    if not _broken(cache={"directory": value}):
        target = Path("/srv/project", value)
        assert ".." not in target.parts
        assert Path("/srv/project") in target.parents


@pytest.mark.parametrize(
    "pattern", ["(", "[a-", "*", "(?P<1>x)", r"\1", "(?<=a*)b", "x{99999999999999999999}", "(" * 5000]
)
def test_a_pattern_must_compile(pattern: str) -> None:
    assert _broken(logs={"critical_patterns": ["fine", pattern]}) == ["logs.critical_patterns"]


def test_each_pattern_that_does_not_compile_is_named() -> None:
    messages = [expected for _, expected in violations(_settings(logs={"critical_patterns": ["(", "fine", "["]}))]
    assert len(messages) == 2
    assert "'('" in messages[0]
    assert "'['" in messages[1]


@pytest.mark.parametrize("kind", ["", ".", "..", "a/b", "/a", "a/", "a\0"])
def test_a_kind_must_be_the_name_of_one_folder(kind: str) -> None:
    assert _broken(cache={"expiry_hours": {kind: 1}}) == [f"cache.expiry_hours.{kind}"]


@pytest.mark.parametrize("prefix", ["", "/", "a/b"])
def test_a_prefix_must_be_the_start_of_a_file_name(prefix: str) -> None:
    assert _broken(cache={"prefixes": {prefix: "temp"}}) == [f"cache.prefixes.{prefix}"]


def test_a_prefix_must_lead_to_a_kind_that_there_is() -> None:
    assert _expected(cache={"prefixes": {"x_": "gone"}}) == (
        "one of the kinds in cache.expiry_hours (api_responses, material_data, component_cache, temp)"
    )


def test_where_there_is_no_kind_a_prefix_is_told_so() -> None:
    cache = msgspec.structs.replace(Settings().cache, expiry_hours={}, prefixes={"x_": "temp"})
    ((path, expected),) = violations(msgspec.structs.replace(_settings(), cache=cache))
    assert path == ("cache", "prefixes", "x_")
    assert expected.endswith("(none is set)")


@pytest.mark.parametrize(("slow", "very_slow", "fine"), [(1, 2, True), (2, 2, True), (3, 2, False)])
def test_slow_generation_is_no_slower_than_very_slow_one(slow: float, very_slow: float, *, fine: bool) -> None:
    broken = _broken(generation={"slow_seconds": slow, "very_slow_seconds": very_slow})
    assert broken == ([] if fine else ["generation.slow_seconds"])


@pytest.mark.parametrize(
    ("slow", "very_slow", "deadline", "fine"),
    [(1, 2, 3, True), (2, 2, 2, True), (3, 2, 4, False), (1, 5, 4, False), (5, 5, 1, False)],
)
def test_the_limits_of_a_provider_ascend(slow: float, very_slow: float, deadline: float, *, fine: bool) -> None:
    limits = {"slow_seconds": slow, "very_slow_seconds": very_slow, "deadline_seconds": deadline}
    assert _broken(providers={"mine": PROVIDER | limits}) == ([] if fine else ["providers.mine.slow_seconds"])


@pytest.mark.parametrize(
    "url", ["https://api.example", "http://localhost:8080/v1", "http://[::1]:80/", "HTTPS://API.EXAMPLE/"]
)
def test_a_web_address_is_fine(url: str) -> None:
    assert _broken(providers={"mine": PROVIDER | {"base_url": url}}) == []


@pytest.mark.parametrize(
    "url",
    [
        *("", "api.example", "ftp://api.example", "https://", "https:///v1", "http://[::1", "file:///etc/passwd"),
        *("https://me:secret@api.example", "https://sk-secret@api.example", "https://api.example:99999"),
        *("https://api.example:port",),
    ],
)
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    assert _broken(providers={"mine": PROVIDER | {"base_url": url}}) == ["providers.mine.base_url"]


@pytest.mark.parametrize(("name", "fine"), [("GROK_API_KEY", True), ("_x1", True), ("sk-12345", False), ("", False)])
def test_a_key_is_given_by_the_name_of_its_variable(name: str, *, fine: bool) -> None:
    assert _broken(providers={"mine": PROVIDER | {"key_env": name}}) == ([] if fine else ["providers.mine.key_env"])


def test_a_name_followed_by_a_line_end_is_no_name_of_a_variable() -> None:
    assert _broken(providers={"mine": PROVIDER | {"key_env": "KEY\n"}}) == ["providers.mine.key_env"]


def test_all_that_is_wrong_with_a_provider_is_said() -> None:
    wrong = {"base_url": "x", "model": "m", "key_env": "-", "slow_seconds": 99}
    assert _broken(providers={"mine": wrong}) == [
        *("providers.mine.base_url", "providers.mine.key_env", "providers.mine.slow_seconds")
    ]


@pytest.mark.parametrize(("cache", "logs"), [("logs", "logs"), ("logs/cache", "logs"), ("a", "a/logs"), ("./a", "a")])
def test_cache_and_logs_lie_apart(tmp_path: Path, cache: str, logs: str) -> None:
    settings = Settings(root=str(tmp_path), cache=CacheSettings(directory=cache), logs=LogSettings(directory=logs))
    assert ("cache", "directory") in [path for path, _ in violations(settings)]


@pytest.mark.parametrize("directory", [".git", "a/.git/b"])
def test_nothing_is_kept_in_a_repositorys_own_folder(tmp_path: Path, directory: str) -> None:
    settings = Settings(root=str(tmp_path), cache=CacheSettings(directory=directory))
    assert [path for path, _ in violations(settings)] == [("cache", "directory")]


@pytest.mark.parametrize("kind", ["stats.json", ".maintenance-tmp"])
def test_no_kind_has_the_name_of_a_file_that_the_clean_up_writes(tmp_path: Path, kind: str) -> None:
    settings = Settings(root=str(tmp_path), cache=CacheSettings(expiry_hours={kind: 1}, prefixes={}))
    assert [path for path, _ in violations(settings)] == [("cache", "expiry_hours", kind)]


def test_the_root_is_not_the_whole_file_system() -> None:
    assert [path for path, _ in violations(Settings(root="/"))] == [("root",)]


def test_no_pattern_of_files_leads_out_of_the_project(tmp_path: Path) -> None:
    settings = Settings(
        root=str(tmp_path),
        logs=LogSettings(pattern="../*.log"),
        configuration=ConfigurationSettings(files=("a.py", "/etc/passwd"), components=("../*/config.yaml",)),
    )
    assert [path for path, _ in violations(settings)] == [
        ("configuration", "files"),
        ("configuration", "components"),
        ("logs", "pattern"),
    ]


@pytest.mark.parametrize("name", ["index_url", "osv_url"])
@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("", True),
        ("http://127.0.0.1:8080/simple", True),
        ("https://mirror.example/simple/", True),
        ("ftp://mirror.example", False),
        ("mirror.example", False),
        ("https://", False),
        ("https://me:secret@mirror.example", False),
        ("https://mirror.example:x", False),
        ("https://mirror.example:0", False),
    ],
)
def test_the_addresses_of_packages_and_vulnerabilities_hold_no_secret(name: str, url: str, *, fine: bool) -> None:
    assert _broken(dependencies={name: url}) == ([] if fine else [f"dependencies.{name}"])


@pytest.mark.parametrize(
    ("command", "fine"), [("python -m pytest -q", True), ("", False), ("  ", False), ("python -c 'x", False)]
)
def test_the_smoke_command_is_a_command(command: str, *, fine: bool) -> None:
    assert _broken(dependencies={"smoke_command": command}) == ([] if fine else ["dependencies.smoke_command"])


def test_the_audit_looks_below_the_root_and_knows_licences() -> None:
    assert _broken(audit={"places": ["/etc"], "packages": ["../x"]}) == ["audit.places", "audit.packages"]
    assert _broken(audit={"licences_known": {"one": "MIT OR LicenseRef-Own", "two": "free beer"}}) == [
        "audit.licences_known.two"
    ]


# Backups elsewhere

REPOSITORY = {"program": "restic", "location": "/mnt/disk/restic"}


@pytest.mark.parametrize(
    "location",
    [
        *("/mnt/disk/restic", "backups/restic", "sftp:me@host:/srv/restic", "rest:https://backup.example/zbeam/"),
        *("s3:s3.example.com/bucket", "ssh://me@host:2222/./borg", "me@host:borg"),
    ],
)
def test_a_path_or_an_address_of_a_repository_is_fine(location: str) -> None:
    assert _broken(backups={"repositories": {"mine": REPOSITORY | {"location": location}}}) == []


@pytest.mark.parametrize(
    "location", ["", " ", " /mnt", "-r", "~/restic", "a\nb", "a\0b", "rest:https://me:secret@host/", "ssh://me:x@host/"]
)
def test_what_is_no_location_of_a_repository_is_refused(location: str) -> None:
    broken = _broken(backups={"repositories": {"mine": REPOSITORY | {"location": location}}})
    assert broken == ["backups.repositories.mine.location"]


def test_a_limit_of_nothing_is_refused() -> None:
    assert _broken(capacity={"limits_mb": {"logs": 0, "cache": 0.001}}) == ["capacity.limits_mb.logs"]


def test_the_other_values_of_a_repository() -> None:
    words = {"program": "borg", "location": "/srv/borg::today", "password_env": "my secret"}
    wrong = {**words, "deadline_seconds": 0, "restore_mb": 0}
    assert _broken(backups={"repositories": {"mine": wrong}}) == [
        "backups.repositories.mine.location",
        "backups.repositories.mine.password_env",
        "backups.repositories.mine.deadline_seconds",
        "backups.repositories.mine.restore_mb",
    ]


@pytest.mark.parametrize("program", ["restic", "borg"])
def test_the_variable_of_a_password_is_the_programs_unless_another_is_named(program: str) -> None:
    given = {"mine": REPOSITORY | {"program": program}, "other": REPOSITORY | {"password_env": "MINE"}}
    repositories = _settings(backups={"repositories": given}).backups.repositories
    assert repositories["mine"].variable == {"restic": "RESTIC_PASSWORD", "borg": "BORG_PASSPHRASE"}[program]
    assert repositories["other"].variable == "MINE"


@pytest.mark.parametrize("path", ["backups", "../x", "/mnt/../etc", "/mnt/a\0b", HERE, f"{HERE}/below"])
def test_a_folder_of_copies_is_absolute_and_outside_the_root(path: str) -> None:
    assert _broken(backups={"copies": ["/mnt/disk", path]}) == ["backups.copies"]


# The release checklist


def test_only_gates_that_there_are_have_a_severity() -> None:
    assert _broken(release={"gates": {"tests": "warn", "disk": "skip"}}) == []
    assert "(did you mean tests?)" in _expected(release={"gates": {"tets": "warn"}})
    assert _expected(release={"gates": {"weather": "block"}}).endswith("maintenance as the name of the gate")


@pytest.mark.parametrize(
    ("name", "value", "fine"),
    [
        ("test_command", "make test", True),
        ("test_command", "  ", False),
        ("test_command", "make 'test", False),
        ("lint_commands", ["ruff check .", "mypy"], True),
        ("lint_commands", ["ruff check .", ""], False),
        ("lint_commands", ["ruff 'check"], False),
        ("branches", ["release/*"], True),
        ("branches", ["main", " "], False),
        ("tag_prefix", "", True),
        ("tag_prefix", "zbeam-v", True),
        ("tag_prefix", "-v", False),
        ("tag_prefix", "v v", False),
        ("changelog", "docs/CHANGES.md", True),
        ("changelog", "../CHANGES.md", False),
        ("version_files", ["a/b.py"], True),
        ("version_files", ["/etc/version"], False),
        ("deadline_seconds", 1, True),
        ("deadline_seconds", 0, False),
    ],
)
def test_the_other_settings_of_the_checklist(name: str, value: object, *, fine: bool) -> None:
    assert _broken(release={name: value}) == ([] if fine else [f"release.{name}"])


@pytest.mark.parametrize(
    ("at", "delay", "fine"),
    [
        ("03:17", 20, True),
        ("00:00", 720, True),
        ("23:59", 0, True),
        ("23:50", 9, True),
        ("23:50", 10, False),
        ("3:17", 0, False),
        ("24:00", 0, False),
        ("12:60", 0, False),
        ("noon", 0, False),
        ("", 0, False),
        ("03:17\n", 0, False),
    ],
)
def test_a_day_has_one_time_at_which_the_machine_looks_what_is_due(at: str, delay: int, *, fine: bool) -> None:
    assert _broken(schedule={"at": at, "random_delay_minutes": delay}) == ([] if fine else ["schedule.at"])


@pytest.mark.parametrize(("reason", "fine"), [("to be mended", True), ("", False), (" ", False)])
def test_nothing_is_accepted_without_a_reason(reason: str, *, fine: bool) -> None:
    waiver = {"check": "audit.cycles", "subject": "*", "reason": reason, "until": "2027-01-01"}
    assert _broken(audit={"waivers": [waiver]}) == ([] if fine else ["audit.waivers"])


@pytest.mark.parametrize(
    ("directory", "fine"), [("backups", True), ("data/backups", True), ("data", False), ("a", False)]
)
def test_the_backups_lie_in_nothing_that_holds_what_is_backed_up(directory: str, *, fine: bool) -> None:
    found = _broken(backups={"directory": directory, "sources": ["data", "a/b"]})
    assert found == ([] if fine else ["backups.directory"])
