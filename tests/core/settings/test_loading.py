from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tasks.core.errors import SettingsError
from tasks.core.settings.all_settings import defaults
from tasks.core.settings.loading import Loaded, load
from tasks.core.settings.model import Settings
from tasks.core.settings.sources import ENVIRONMENT_PREFIX, Level, Sources

HERE = Path(__file__).resolve().parent
PROVIDER = {"base_url": "https://llm.example", "model": "m", "key_env": "MY_KEY"}
HEAD = "The settings cannot be used; nothing was run."


def _load(
    *trees: object, env: Mapping[str, str] | None = None, above: tuple[object, ...] = (), folder: Path = HERE
) -> Loaded:
    variables = {ENVIRONMENT_PREFIX + name: text for name, text in (env or {}).items()}
    below = [Level(f"file {number}", tree) for number, tree in enumerate(trees, 1)]
    return load(Sources(below, variables, [Level(f"above {n}", tree) for n, tree in enumerate(above, 1)], folder))


def _problems(*trees: object, env: Mapping[str, str] | None = None, folder: Path = HERE) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        _load(*trees, env=env, folder=folder)
    head, *problems = str(caught.value).splitlines()
    assert head == HEAD
    assert all(problem.startswith("  ") for problem in problems)
    return [problem.strip() for problem in problems]


# What holds


def test_without_sources_the_defaults_hold() -> None:
    loaded = _load()
    assert loaded.settings == msgspec.structs.replace(Settings(), root=str(HERE))
    assert loaded.tree == defaults() | {"root": str(HERE)}
    assert set(loaded.origins.values()) == {"default"}
    assert loaded.folder == HERE


def test_every_setting_has_an_origin() -> None:
    def leaves(tree: Mapping[str, Any], path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
        return set().union(
            *(leaves(value, (*path, key)) if isinstance(value, dict) else {(*path, key)} for key, value in tree.items())
        )

    assert set(_load().origins) == leaves(defaults())


def test_settings_are_frozen() -> None:
    with pytest.raises(AttributeError):
        _load().settings.root = "/"  # type: ignore[misc]


@pytest.mark.parametrize("tree", [None, {}, {"cache": None}, {"cache": {"expiry_hours": None}}, {"cache": {}}])
def test_an_empty_section_changes_nothing(tree: object) -> None:
    assert _load(tree) == _load()


def test_a_section_is_merged_and_not_replaced() -> None:
    cache = _load({"cache": {"expiry_hours": {"temp": 1, "new": 2}}}).settings.cache
    expected = {"api_responses": 24, "material_data": 168, "component_cache": 6, "temp": 1, "new": 2}
    assert cache.expiry_hours == expected
    assert cache.directory == "cache"


def test_a_list_is_replaced_and_not_merged() -> None:
    assert _load({"logs": {"critical_patterns": ["a.*b"]}}).settings.logs.critical_patterns == ("a.*b",)


def test_null_takes_a_kind_and_a_provider_away() -> None:
    loaded = _load({"cache": {"expiry_hours": {"temp": None}}, "providers": {"grok": None}})
    assert list(loaded.settings.cache.expiry_hours) == ["api_responses", "material_data", "component_cache"]
    assert list(loaded.settings.providers) == ["deepseek"]
    assert ("cache", "expiry_hours", "temp") not in loaded.origins
    assert not any(path[:2] == ("providers", "grok") for path in loaded.origins)


def test_null_for_what_is_not_there_changes_nothing() -> None:
    assert _load({"cache": {"expiry_hours": {"x": None}}, "providers": {"x": None}}) == _load()


def test_what_one_level_took_away_another_can_bring_back() -> None:
    loaded = _load({"providers": {"grok": None}}, {"providers": {"grok": PROVIDER}})
    assert loaded.settings.providers["grok"].base_url == "https://llm.example"
    assert loaded.origins[("providers", "grok", "model")] == "file 2"


def test_a_prefix_whose_kind_was_taken_away_is_no_problem_while_it_is_a_default() -> None:
    loaded = _load({"cache": {"expiry_hours": {"api_responses": None}}})
    assert "api_responses" not in loaded.settings.cache.expiry_hours


def test_a_provider_of_ones_own_needs_three_settings_only() -> None:
    provider = _load({"providers": {"mine": PROVIDER}}).settings.providers["mine"]
    assert (provider.model, provider.probe, provider.deadline_seconds) == ("m", "chat", 60)


def test_the_effective_settings_of_ones_own_provider_are_all_there() -> None:
    loaded = _load({"providers": {"mine": PROVIDER}})
    assert loaded.tree["providers"]["mine"]["probe"] == "chat"
    assert loaded.origins[("providers", "mine", "probe")] == "default"
    assert loaded.origins[("providers", "mine", "model")] == "file 1"


def test_loading_changes_no_source() -> None:
    tree = {"cache": {"expiry_hours": {"temp": None}}, "logs": {"critical_patterns": ["a"]}}
    _load(tree, {"cache": {"expiry_hours": {"new": 1}}}, env={"CACHE_EXPIRY_HOURS_NEW": "3"})
    assert tree == {"cache": {"expiry_hours": {"temp": None}}, "logs": {"critical_patterns": ["a"]}}
    assert _load().settings.cache == Settings().cache


# Precedence

LEVELS = ["below 1", "below 2", "below 3", "environment", "above 1", "above 2"]


@given(st.sets(st.sampled_from(range(len(LEVELS)))))
def test_the_highest_level_that_says_something_wins(present: set[int]) -> None:
    def tree(place: int) -> object:
        return {"cache": {"directory": f"from-{place}"}} if place in present else {"cache": {}}

    variables = {ENVIRONMENT_PREFIX + "CACHE_DIRECTORY": "from-3"} if 3 in present else {}
    loaded = load(
        Sources(
            [Level(LEVELS[place], tree(place)) for place in (0, 1, 2)],
            variables,
            [Level(LEVELS[place], tree(place)) for place in (4, 5)],
            HERE,
        )
    )
    highest = max(present, default=None)
    origin = loaded.origins[("cache", "directory")]
    if highest is None:
        assert (loaded.settings.cache.directory, origin) == ("cache", "default")
    else:
        assert loaded.settings.cache.directory == f"from-{highest}"
        assert origin == ("environment INVOKE_MAINTENANCE_CACHE_DIRECTORY" if highest == 3 else LEVELS[highest])


# The root


def test_a_relative_root_starts_at_the_folder_of_tasks_py(project: Path) -> None:
    (project / "app").mkdir()
    assert _load({"root": "app"}, folder=project).settings.root == str(project / "app")


def test_an_absolute_root_is_taken_as_it_is(project: Path) -> None:
    assert _load({"root": str(project)}).settings.root == str(project)


def test_links_in_the_root_are_resolved(project: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(project)
    assert _load({"root": str(tmp_path / "link")}).settings.root == str(project)


def test_a_root_in_the_home_is_found(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(project.parent))
    assert _load({"root": f"~/{project.name}"}).settings.root == str(project)


def test_a_missing_root_is_named_in_full(project: Path) -> None:
    (problem,) = _problems({"root": "gone"}, folder=project)
    assert problem.startswith(
        f"maintenance.root (file 1): '{project}/gone' cannot be used; expected the folder of the "
    )


def test_a_root_that_is_a_file_is_refused(project: Path) -> None:
    (project / "file").write_text("")
    (problem,) = _problems({"root": "file"}, folder=project)
    assert problem.startswith(
        f"maintenance.root (file 1): '{project}/file' cannot be used; expected the folder of the "
    )


def test_a_default_root_that_is_missing_is_refused_too(project: Path) -> None:
    (problem,) = _problems(folder=project / "gone")
    assert problem.startswith("maintenance.root (default): ")


def test_an_empty_root_is_not_the_folder_of_tasks_py(project: Path) -> None:
    assert _problems(env={"ROOT": ""}, folder=project) == [
        "maintenance.root (environment INVOKE_MAINTENANCE_ROOT): is empty; expected the folder of the project"
    ]


@pytest.mark.parametrize("root", ["a\0b", "x" * 5000, "~nobody-of-this-name/x", "loop", "\udcff"], ids=ascii)
def test_a_root_that_no_system_could_have_is_a_settings_error(project: Path, root: str) -> None:
    (project / "loop").symlink_to("loop")
    (problem,) = _problems({"root": root}, folder=project)
    assert problem.startswith("maintenance.root (file 1): ")


# What cannot be used


def test_every_problem_is_reported_at_once_with_its_origin() -> None:
    problems = _problems(
        {"cach": {}, "logs": {"recent_errors": -1}, "output": "xml"},
        {"health": {"cpu_percent": 101}},
        env={"FAIL_ON": "sometimes", "CACHE_DIRECTROY": "x"},
    )
    assert problems == [
        "maintenance.cach (file 1): there is no such setting; did you mean maintenance.cache?",
        (
            "environment INVOKE_MAINTENANCE_CACHE_DIRECTROY: there is no setting of this name; "
            "did you mean INVOKE_MAINTENANCE_CACHE_DIRECTORY?"
        ),
        "maintenance.output (file 1): 'xml' cannot be used; expected one of text, json",
        (
            "maintenance.fail_on (environment INVOKE_MAINTENANCE_FAIL_ON): 'sometimes' cannot be used; "
            "expected one of warning, unknown, critical, never"
        ),
        "maintenance.logs.recent_errors (file 1): -1 cannot be used; expected a whole number, 0 or more",
        "maintenance.health.cpu_percent (file 2): 101 cannot be used; expected a number from 0 to 100",
    ]


def test_every_rule_that_is_broken_is_reported_at_once() -> None:
    problems = _problems(
        {"logs": {"directory": "/var/log", "critical_patterns": ["("]}, "cache": {"directory": "../cache"}}
    )
    assert [problem.partition(" ")[0] for problem in problems] == [
        "maintenance.logs.directory",
        "maintenance.cache.directory",
        "maintenance.logs.critical_patterns",
    ]


def test_a_settings_error_ends_with_a_status_that_no_verdict_has() -> None:
    assert SettingsError.exit_status == 78


@pytest.mark.parametrize(
    ("tree", "problem"),
    [
        ({"outptu": "text"}, "maintenance.outptu (file 1): there is no such setting; did you mean maintenance.output?"),
        (
            {"cache": {"expiry_hour": {"temp": 1}}},
            (
                "maintenance.cache.expiry_hour (file 1): there is no such setting; "
                "did you mean maintenance.cache.expiry_hours?"
            ),
        ),
        (
            {"min_hit_rate": 0.5},
            "maintenance.min_hit_rate (file 1): there is no such setting; did you mean maintenance.cache.min_hit_rate?",
        ),
        ({"zzz": {}}, "maintenance.zzz (file 1): there is no such setting"),
        ({True: 1}, "maintenance.True (file 1): there is no such setting"),
        (
            {"providers": {"grok": {"basse_url": "x"}}},
            (
                "maintenance.providers.grok.basse_url (file 1): there is no such setting; "
                "did you mean maintenance.providers.grok.base_url?"
            ),
        ),
    ],
)
def test_an_unknown_key_is_named_with_the_one_that_was_meant(tree: object, problem: str) -> None:
    assert _problems(tree) == [problem]


NUMBER = "expected a number from 0 to 1000000"


@pytest.mark.parametrize(
    ("tree", "shown", "expected"),
    [
        ({"root": 1}, "maintenance.root (file 1): 1", "expected a text"),
        ({"root": None}, "maintenance.root (file 1): None", "expected a text"),
        (
            {"root": dt.date(2026, 11, 23)},
            "maintenance.root (file 1): datetime.date(2026, 11, 23)",
            "expected a text",
        ),
        (
            {"logs": {"allow_copytruncate": "no"}},
            "maintenance.logs.allow_copytruncate (file 1): 'no'",
            "expected true or false",
        ),
        (
            {"logs": {"allow_copytruncate": 1}},
            "maintenance.logs.allow_copytruncate (file 1): 1",
            "expected true or false",
        ),
        ({"logs": {"window_hours": "24"}}, "maintenance.logs.window_hours (file 1): '24'", NUMBER),
        ({"logs": {"window_hours": True}}, "maintenance.logs.window_hours (file 1): True", NUMBER),
        ({"logs": {"window_hours": float("nan")}}, "maintenance.logs.window_hours (file 1): nan", NUMBER),
        ({"logs": {"window_hours": float("inf")}}, "maintenance.logs.window_hours (file 1): inf", NUMBER),
        (
            {"cache": {"expiry_hours": {"temp": -1}}},
            "maintenance.cache.expiry_hours.temp (file 1): -1",
            NUMBER,
        ),
        (
            {"logs": {"recent_errors": 2.5}},
            "maintenance.logs.recent_errors (file 1): 2.5",
            "expected a whole number, 0 or more",
        ),
        ({"cache": {"min_hit_rate": 1.1}}, "maintenance.cache.min_hit_rate (file 1): 1.1", "expected a number from 0"),
        (
            {"configuration": {"files": "one.yaml"}},
            "maintenance.configuration.files (file 1): 'one.yaml'",
            "expected a list of texts",
        ),
        (
            {"configuration": {"files": [1]}},
            "maintenance.configuration.files (file 1): [1]",
            "expected a list of texts",
        ),
        (
            {"dependencies": {"ignore": [{"id": "x"}]}},
            "maintenance.dependencies.ignore (file 1): [{'id': 'x'}]",
            "expected a list of records with id, package, reason and until",
        ),
        ({"cache": "cache"}, "maintenance.cache (file 1): 'cache'", "expected a mapping of settings"),
        ({"cache": []}, "maintenance.cache (file 1): []", "expected a mapping of settings"),
        (["root"], "maintenance (file 1): ['root']", "expected a mapping of settings"),
    ],
)
def test_a_value_that_cannot_be_used_is_shown_with_what_was_expected(tree: object, shown: str, expected: str) -> None:
    (problem,) = _problems(tree)
    assert problem.startswith(f"{shown} cannot be used; {expected}")


def test_a_provider_without_what_it_needs_names_what_is_missing() -> None:
    assert _problems({"providers": {"mine": {"model": "m"}}}) == [
        "maintenance.providers.mine.base_url (file 1): is missing; expected a text",
        "maintenance.providers.mine.key_env (file 1): is missing; expected a text",
    ]


def test_an_empty_provider_names_all_that_is_missing() -> None:
    assert len(_problems({"providers": {"mine": {}}})) == 3


def test_a_long_value_is_shortened() -> None:
    (problem,) = _problems({"output": "x" * 10_000})
    assert len(problem) < 350
    assert "…" in problem


@pytest.mark.parametrize(
    "tree",
    [
        {"logs": {"directory": "../logs"}},
        {"logs": {"directory": "/var/log"}},
        {"cache": {"directory": "."}},
        {"cache": {"directory": "a/../../b"}},
        {"generation": {"file": ".."}},
        {"dependencies": {"requirements": ""}},
        {"cache": {"expiry_hours": {"../home": 0}}},
        {"cache": {"expiry_hours": {"a/b": 0}}},
    ],
)
def test_no_folder_outside_the_root_can_be_set(tree: object) -> None:
    (problem,) = _problems(tree)
    assert "(file 1)" in problem


def test_a_pattern_that_does_not_compile_is_named_with_the_reason() -> None:
    (problem,) = _problems({"logs": {"critical_patterns": ["fine", "br(oken"]}})
    assert "'br(oken' is none: missing ), unterminated subpattern" in problem


@pytest.mark.parametrize(
    "tree",
    [
        {"generation": {"very_slow_seconds": 10}},
        {"providers": {"deepseek": {"deadline_seconds": 1}}},
        {"providers": {"deepseek": {"very_slow_seconds": 1}}},
        {"providers": {"mine": {**PROVIDER, "deadline_seconds": 1}}},
    ],
)
def test_a_value_at_odds_with_a_default_is_refused(tree: object) -> None:
    assert _problems(tree)


# Secrets


@pytest.mark.parametrize("name", ["base_url", "key_env"])
@pytest.mark.parametrize(
    "value", ["https://me:sk-secret-123@api.example", "sk-secret-123", ["sk-secret-123"], {"sk-secret-123": 1}]
)
def test_what_may_be_a_key_is_never_repeated(name: str, value: object) -> None:
    text = "\n".join(_problems({"providers": {"grok": {name: value}}}))
    assert "secret" not in text
    assert f"maintenance.providers.grok.{name} (file 1): the value given cannot be used" in text


@pytest.mark.parametrize("name", ["BASE_URL", "KEY_ENV"])
def test_a_key_in_the_environment_is_never_repeated(name: str) -> None:
    (problem,) = _problems(env={f"PROVIDERS_GROK_{name}": "sk-secret-123"})
    assert "secret" not in problem


@pytest.mark.parametrize("tree", [{"providers": {"grok": "sk-secret-123"}}, {"providers": "sk-secret-123"}])
def test_a_key_in_the_place_of_a_provider_is_never_repeated(tree: object) -> None:
    assert "secret" not in "\n".join(_problems(tree))


# The environment


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((text, True) for text in ("true", "True", "YES", "on", "1", " yes ")),
        *((text, False) for text in ("false", "False", "NO", "off", "0", " no ")),
    ],
)
def test_a_boolean_in_the_environment_means_what_it_says(text: str, *, value: bool) -> None:
    assert _load(env={"LOGS_ALLOW_COPYTRUNCATE": text}).settings.logs.allow_copytruncate is value


@pytest.mark.parametrize("text", ["", "maybe", "2", "truefalse"])
def test_any_other_text_is_no_boolean(text: str) -> None:
    assert _problems(env={"LOGS_ALLOW_COPYTRUNCATE": text}) == [
        (
            "maintenance.logs.allow_copytruncate (environment INVOKE_MAINTENANCE_LOGS_ALLOW_COPYTRUNCATE): "
            f"{text!r} cannot be used; expected true or false"
        )
    ]


def test_a_list_in_the_environment_is_separated_by_commas() -> None:
    loaded = _load(env={"CONFIGURATION_FILES": " a.yaml, b/c.yaml ,,"})
    assert loaded.settings.configuration.files == ("a.yaml", "b/c.yaml")


def test_a_list_of_records_cannot_be_set_in_the_environment() -> None:
    (problem,) = _problems(env={"DEPENDENCIES_IGNORE": "a,b"})
    assert problem.endswith("expected a list of records with id, package, reason and until")


@pytest.mark.parametrize("text", ["", "soon", "nan", "inf", "-1", "1e999"])
def test_a_number_in_the_environment_keeps_its_limits(text: str) -> None:
    (problem,) = _problems(env={"LOGS_WINDOW_HOURS": text})
    assert problem.startswith("maintenance.logs.window_hours (environment INVOKE_MAINTENANCE_LOGS_WINDOW_HOURS): ")
    assert problem.endswith(NUMBER)


@given(st.integers(0, 10**9))
def test_a_whole_number_survives_the_environment(number: int) -> None:
    assert _load(env={"LOGS_RECENT_ERRORS": str(number)}).settings.logs.recent_errors == number


@given(st.floats(0, 1_000_000))
def test_a_number_survives_the_environment(number: float) -> None:
    assert _load(env={"LOGS_WINDOW_HOURS": repr(number)}).settings.logs.window_hours == number


@given(st.lists(st.from_regex(r"[^,\s\0\ud800-\udfff](?:[^,\0\ud800-\udfff]*[^,\s\0\ud800-\udfff])?", fullmatch=True)))
def test_a_list_survives_the_environment(items: list[str]) -> None:
    loaded = _load(env={"CONFIGURATION_REQUIRED_PROPERTIES": ",".join(items)})
    assert loaded.settings.configuration.required_properties == tuple(items)


def test_bytes_that_are_no_utf_8_are_kept_in_a_text_and_no_choice() -> None:
    assert _load(env={"LOGS_PATTERN": "caf\udce9"}).settings.logs.pattern == "caf\udce9"
    (problem,) = _problems(env={"OUTPUT": "caf\udce9"})
    assert problem.endswith("expected one of text, json")


@given(st.text())
def test_a_text_is_taken_from_the_environment_as_it_is(text: str) -> None:
    assert _load(env={"DEPENDENCIES_PYTHON": text}).settings.dependencies.python == text


def test_the_environment_reaches_what_a_file_adds() -> None:
    loaded = _load(
        {"cache": {"expiry_hours": {"thumb-nails": 1}}, "providers": {"mine": PROVIDER}},
        env={"CACHE_EXPIRY_HOURS_THUMB_NAILS": "7", "PROVIDERS_MINE_MODEL": "other"},
    )
    assert loaded.settings.cache.expiry_hours["thumb-nails"] == 7
    assert loaded.settings.providers["mine"].model == "other"


def test_the_environment_reaches_every_setting_of_a_provider_that_a_file_adds() -> None:
    loaded = _load({"providers": {"mine": PROVIDER}}, env={"PROVIDERS_MINE_PROBE": "models"})
    assert loaded.settings.providers["mine"].probe == "models"


def test_the_environment_reaches_what_only_a_higher_level_adds() -> None:
    loaded = _load(
        env={"PROVIDERS_MINE_MODEL": "other"}, above=({"providers": {"mine": {**PROVIDER, "model": "top"}}},)
    )
    assert loaded.settings.providers["mine"].model == "top"


def test_a_variable_that_names_no_setting_is_refused_with_the_nearest() -> None:
    assert _problems(env={"CACHE_DIRECTROY": "x"}) == [
        (
            "environment INVOKE_MAINTENANCE_CACHE_DIRECTROY: there is no setting of this name; "
            "did you mean INVOKE_MAINTENANCE_CACHE_DIRECTORY?"
        )
    ]


def test_a_variable_like_no_other_gets_no_suggestion() -> None:
    (problem,) = _problems(env={"XYZ": "x"})
    assert problem == "environment INVOKE_MAINTENANCE_XYZ: there is no setting of this name"


def test_a_variable_that_names_two_settings_sets_neither_in_silence() -> None:
    (problem,) = _problems({"cache": {"expiry_hours": {"a-b": 1, "a_b": 2}}}, env={"CACHE_EXPIRY_HOURS_A_B": "7"})
    assert "a-b" in problem
    assert "a_b" in problem


def test_settings_that_share_a_variable_are_no_problem_while_it_is_not_set() -> None:
    assert _load({"cache": {"expiry_hours": {"a-b": 1, "a_b": 2}}}).settings.cache.expiry_hours["a-b"] == 1


# Whatever stands there


def _names() -> list[str]:
    def walk(tree: Mapping[str, Any]) -> set[str]:
        return set(tree).union(*(walk(value) for value in tree.values() if isinstance(value, dict)))

    return sorted(walk(defaults()))


_scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(10**30), 2**63, 0, 1])
    | st.floats()
    | st.text(st.characters() | st.characters(categories=["Cs"]), max_size=20)
    | st.sampled_from(
        ["", ".", "..", "/", "~", "~x", "a\0", "(", "x{99999999999999999999}", "[a-", "http://[", "models"]
    )
    | st.binary(max_size=5)
    | st.dates()
    | st.datetimes()
    | st.sets(st.integers(), max_size=2)
)
_keys = st.sampled_from(_names()) | st.text(max_size=5) | st.integers() | st.none() | st.booleans() | st.dates()
_junk = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=5),
    max_leaves=12,
)


def _valid(tree: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return trees in which every value is a default and anything may be missing, but nothing is emptied."""
    optional: dict[Any, st.SearchStrategy[Any]] = {
        key: _valid(value).filter(bool) if isinstance(value, dict) and value else st.just(value)
        for key, value in tree.items()
    }
    return st.fixed_dictionaries({}, optional=optional)


def _near_miss(tree: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return trees of the right shape in which any value may be junk."""
    optional: dict[Any, st.SearchStrategy[Any]] = {
        key: (_near_miss(value) if isinstance(value, dict) else st.just(value)) | _junk for key, value in tree.items()
    }
    return st.fixed_dictionaries({}, optional=optional)


_trees = _junk | st.dictionaries(_keys, _junk, max_size=5) | _near_miss(defaults())


_VARIABLES = ["_".join(path).upper() for path in _load().origins]

_environments = st.dictionaries(
    st.sampled_from(_VARIABLES),
    st.sampled_from(["", "1", "no", "0.5", "a,b", "\udcff", "\x1b", "9" * 5000]) | st.text(max_size=10),
    max_size=2,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tree=_trees, higher=_trees, env=_environments)
@example({"logs": {"critical_patterns": ["x{99999999999999999999}"]}}, None, {})
@example({"logs": {"critical_patterns": ["(" * 5000]}}, None, {})
@example({"root": "\0"}, None, {})
def test_any_tree_loads_or_is_a_settings_error(tree: object, higher: object, env: dict[str, str]) -> None:
    try:
        loaded = _load(tree, env=env, above=(higher,))
    except SettingsError:
        return
    assert Path(loaded.settings.root).is_dir()
    assert msgspec.convert(loaded.tree, Settings) == loaded.settings


@settings(deadline=None)
@given(_valid(defaults()), _valid(defaults()))
def test_any_part_of_the_defaults_changes_nothing_but_the_origins(tree: dict[str, Any], other: dict[str, Any]) -> None:
    loaded = _load(tree, other)
    assert loaded.settings == _load().settings
    assert set(loaded.origins) == set(_load().origins)


def test_an_empty_mapping_is_none_of_its_kind_and_a_later_level_may_add() -> None:
    none = _load({"providers": {}})
    assert none.settings.providers == {}
    assert none.removed == {("providers", "deepseek"): "file 1", ("providers", "grok"): "file 1"}
    assert {path for path in none.origins if path[0] == "providers"} == set()
    other = {"base_url": "https://api.example.org", "model": "m", "key_env": "A_KEY"}
    assert [*_load({"providers": {}}, {"providers": {"own": other}}).settings.providers] == ["own"]
    assert _load({"logs": {}}).settings == _load().settings


def test_a_tree_that_contains_itself_is_no_trap() -> None:
    tree: dict[str, Any] = {"logs": {"critical_patterns": []}}
    tree["cache"] = tree["providers"] = tree
    tree["logs"]["critical_patterns"].append(tree["logs"]["critical_patterns"])
    assert _problems(tree)


def test_no_message_can_steer_a_terminal() -> None:
    trees = {"\x1b[2J": 1, "output": "\x1b[2J", "cache": {"expiry_hours": {"\x1b[2J/": 1, "\x1b[2J": -1}}}
    problems = _problems(trees, env={"\x1b[2J": "x"})
    assert all(problem.isprintable() for problem in problems)


def test_the_environment_of_this_process_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVOKE_MAINTENANCE_OUTPUT", "json")
    assert _load().settings.output == "text"


@pytest.mark.parametrize(
    ("until", "fine"),
    [
        (dt.date(2027, 3, 31), True),
        ("2027-03-31", True),
        ("31.03.2027", False),
        ("2027-02-30", False),
        ("20270331", False),
        (20270331, False),
    ],
)
def test_a_day_may_be_quoted_or_not(until: object, *, fine: bool) -> None:
    tree = {"dependencies": {"ignore": [{"id": "x", "package": "p", "reason": "r", "until": until}]}}
    if fine:
        assert _load(tree).settings.dependencies.ignore[0].until == dt.date(2027, 3, 31)
    else:
        assert "maintenance.dependencies.ignore" in _problems(tree)[0]
