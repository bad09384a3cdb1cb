"""Every setting with its type, its default and its description: the one place for all three.

The validation, the commented ``invoke.yaml`` of ``inv settings.init``, the JSON Schema for editors and the
README's table are made from these types.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct, field, to_builtins

from ..report.model import FailOn

Count: TypeAlias = Annotated[int, Meta(ge=0)]
MOST_HOURS = 1_000_000
"""The longest time that can be set, 114 years: beyond it lie only mistakes and numbers that no clock has."""

Hours: TypeAlias = Annotated[float, Meta(ge=0, le=MOST_HOURS)]
Days: TypeAlias = Annotated[float, Meta(ge=0, le=36_500)]
Seconds: TypeAlias = Annotated[float, Meta(ge=0)]
Megabytes: TypeAlias = Annotated[float, Meta(ge=0)]
Percent: TypeAlias = Annotated[float, Meta(ge=0, le=100)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A branch of the tree: its fields are settings or further sections."""


class LogSettings(Section, frozen=True, kw_only=True):
    """Where the project logs and how its logs are watched and rotated."""

    directory: Annotated[str, Meta(description="Folder of the log files, below the root.")] = "logs"
    pattern: Annotated[str, Meta(description="Which files in it are logs (a shell pattern).")] = "*.log"
    window_hours: Annotated[Hours, Meta(description='What "recent" means to the error monitor, in hours.')] = 24
    recent_errors: Annotated[Count, Meta(description="How many of the latest errors the review shows.")] = 5
    rotate_over_mb: Annotated[Megabytes, Meta(description="The daily review rotates a larger file.")] = 10
    archive_days: Annotated[Count, Meta(description="Archives older than this many days are deleted.")] = 90
    emergency_total_mb: Annotated[
        Megabytes, Meta(description="Emergency recovery rotates when the logs exceed this in all.")
    ] = 1000
    allow_copytruncate: Annotated[
        bool, Meta(description="Accept the loss of lines where no safe way of rotating is possible.")
    ] = False
    critical_patterns: Annotated[
        tuple[str, ...],
        Meta(description="Regular expressions, case-insensitive; words joined by .* match in either order."),
    ] = (
        "API.*key.*invalid",
        "Connection.*failed",
        "Disk.*full",
        "Memory.*error",
        "Configuration.*missing",
    )


class CacheSettings(Section, frozen=True, kw_only=True):
    """Where the cache lies and how long its entries live."""

    directory: Annotated[str, Meta(description="Folder of the cache, below the root.")] = "cache"
    expiry_hours: Annotated[
        dict[str, Hours],
        Meta(description="Per kind (a folder of the cache): hours after which an entry expires; null: no such kind."),
    ] = field(
        default_factory=lambda: {
            "api_responses": 24,
            "material_data": 168,
            "component_cache": 6,
            "temp": 24,
        }
    )
    age_by: Annotated[
        Literal["mtime", "newest"],
        Meta(description="mtime, or newest (the later of mtime and ctime) for entries with a foreign mtime."),
    ] = "mtime"
    prefixes: Annotated[
        dict[str, str],
        Meta(description="Where a file that lies loose in the cache folder belongs, by the start of its name."),
    ] = field(
        default_factory=lambda: {
            "api_": "api_responses",
            "material_": "material_data",
            "component_": "component_cache",
        }
    )
    min_hit_rate: Annotated[Share, Meta(description="A lower hit rate is a warning.")] = 0.3


class HealthSettings(Section, frozen=True, kw_only=True):
    """The limits of the machine."""

    cpu_percent: Annotated[Percent, Meta(description="Busier than this is a warning.")] = 80
    memory_percent: Annotated[Percent, Meta(description="Fuller than this is a warning.")] = 85
    disk_percent: Annotated[
        Percent, Meta(description="Fuller than this is critical; from 10 points lower, a warning.")
    ] = 90
    history_days: Annotated[
        Count, Meta(description="Measurements of the providers older than this many days are dropped.")
    ] = 400


class GenerationSettings(Section, frozen=True, kw_only=True):
    """The project's own record of its work."""

    file: Annotated[str, Meta(description="The record, written by the project.")] = "logs/performance.json"
    min_success_rate: Annotated[Share, Meta(description="A lower share of successes is a warning.")] = 0.9
    slow_seconds: Annotated[Seconds, Meta(description="A slower mean is a warning.")] = 30
    very_slow_seconds: Annotated[Seconds, Meta(description="A slower mean is critical.")] = 120


class ProviderSettings(Section, frozen=True, kw_only=True):
    """One LLM provider that speaks the OpenAI chat API."""

    base_url: Annotated[str, Meta(description="Where its API starts.")]
    model: Annotated[str, Meta(description="The model that the project uses.")]
    key_env: Annotated[str, Meta(description="The environment variable that holds its key.")]
    probe: Annotated[
        Literal["chat", "models"],
        Meta(description="What to ask: chat, one small paid request, or models, the free list."),
    ] = "chat"
    account: Annotated[
        Literal["auto", "balance", "api-key", "none"],
        Meta(description="How it tells of the account: balance (as DeepSeek), api-key (as xAI), none; auto: by host."),
    ] = "auto"
    slow_seconds: Annotated[Seconds, Meta(description="A slower answer is a warning.")] = 5
    very_slow_seconds: Annotated[Seconds, Meta(description="A slower answer is critical.")] = 15
    deadline_seconds: Annotated[Seconds, Meta(description="Give up after this long.")] = 60


class DependencySettings(Section, frozen=True, kw_only=True):
    """What the project requires, where it is installed, and how to tell that it still starts."""

    requirements: Annotated[str, Meta(description="The requirements file.")] = "requirements.txt"
    python: Annotated[
        str, Meta(description="The interpreter of the project's environment; empty: that of .venv, venv or the active.")
    ] = ""
    index_url: Annotated[str, Meta(description="The package index; empty: the one that pip is configured for.")] = ""
    osv_url: Annotated[
        str,
        Meta(description="Where to ask for vulnerabilities (/v1/query of OSV or a mirror); empty: pip-audit's own."),
    ] = ""
    ignore: Annotated[
        tuple[IgnoredVulnerability, ...], Meta(description="Accepted vulnerabilities: id, package, reason, until.")
    ] = ()
    cooldown_days: Annotated[
        Days, Meta(description="A release is taken after so many days; one that repairs a vulnerability, at once.")
    ] = 7
    largest_step: Annotated[
        Literal["major", "minor", "patch"], Meta(description="The largest step that an update takes.")
    ] = "minor"
    smoke_command: Annotated[
        str, Meta(description="Run in the root before, during and after an update; its failure undoes the update.")
    ] = 'python -c "from run import main"'
    smoke_seconds: Annotated[Seconds, Meta(description="Give up on that command after this long.")] = 120
    deadline_seconds: Annotated[
        Seconds, Meta(description="Give up on the index, on pip-audit and on each call of pip after this long.")
    ] = 600
    backup_days: Annotated[
        Count, Meta(description="Copies of the requirements older than this many days are deleted, but the newest.")
    ] = 90


class IgnoredVulnerability(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A vulnerability that was looked at and accepted until a date (``YYYY-MM-DD``)."""

    id: str
    package: str
    reason: str
    until: date


class ConfigurationSettings(Section, frozen=True, kw_only=True):
    """What the configuration review reads."""

    files: Annotated[
        tuple[str, ...],
        Meta(description="Settings and data files (shell patterns); where not set, those that are found as well."),
    ] = (
        "config/settings.py",
        "data/Materials.yaml",
        "data/Categories.yaml",
    )
    components: Annotated[tuple[str, ...], Meta(description="The components' own configuration (shell patterns).")] = (
        "components/*/config.yaml",
        "components/*/config/*.yaml",
    )
    required_properties: Annotated[tuple[str, ...], Meta(description="What every material must have.")] = (
        "density",
        "melting_point",
        "thermal_conductivity",
    )
    environment_keys: Annotated[
        tuple[str, ...], Meta(description="Keys that must be set in the environment or the project's .env.")
    ] = ("DEEPSEEK_API_KEY", "GROK_API_KEY")
    baseline: Annotated[
        str, Meta(description="Where the accepted state is kept; the key of its secrets' hashes lies beside it.")
    ] = "logs/config_baseline.json"
    history_kb: Annotated[Count, Meta(description="The history of drift is cut at its beginning beyond this.")] = 1000
    largest_mb: Annotated[Megabytes, Meta(description="A larger file is not read.")] = 20


class RepositorySettings(Section, frozen=True, kw_only=True):
    """A repository of another backup program, which that program lists, checks and restores from."""

    program: Annotated[Literal["restic", "borg"], Meta(description="The program that keeps it.")]
    location: Annotated[
        str, Meta(description="Where it is: a path (relative: from the root) or the address that the program takes.")
    ]
    password_env: Annotated[
        str,
        Meta(description="The variable that holds its password; empty: RESTIC_PASSWORD or BORG_PASSPHRASE."),
    ] = ""
    max_age_days: Annotated[Days, Meta(description="As backups.max_age_days, for this one; 0: that one.")] = 0
    read_percent: Annotated[
        Percent, Meta(description="How much of its data a check reads, in turn; borg reads all of it, or with 0 none.")
    ] = 10
    restore_mb: Annotated[
        Megabytes, Meta(description="Of a larger newest snapshot a sample of files is restored, up to this.")
    ] = 100
    deadline_seconds: Annotated[Seconds, Meta(description="Give up on each call of the program after this long.")] = (
        1800
    )

    @property
    def variable(self) -> str:
        """The environment variable that holds the password."""
        return self.password_env or {"restic": "RESTIC_PASSWORD", "borg": "BORG_PASSPHRASE"}[self.program]


class BackupSettings(Section, frozen=True, kw_only=True):
    """What is backed up, where to, and for how long."""

    directory: Annotated[str, Meta(description="Folder of the backups, below the root.")] = "backups"
    sources: Annotated[tuple[str, ...], Meta(description="Files and folders that are backed up (shell patterns).")] = (
        "data",
        "config",
        "components",
        "requirements.txt",
        "logs/*.json",
        "logs/*.jsonl",
    )
    exclude: Annotated[tuple[str, ...], Meta(description="Names and paths that are left out (shell patterns).")] = (
        "__pycache__",
        "*.pyc",
        ".env",
        ".env.local",
        ".env.*.local",
    )
    keep: Annotated[
        Count, Meta(description="So many of the newest backups stay, however old; the last whole one does.")
    ] = 12
    max_age_days: Annotated[
        Days, Meta(description="An older newest backup is a warning; three times as old, critical.")
    ] = 8
    verify_runs: Annotated[Count, Meta(description="In so many verifications each backup is restored once.")] = 4
    keep_days: Annotated[Days, Meta(description="Backups beyond those stay for so many days.")] = 30
    copies: Annotated[
        tuple[str, ...],
        Meta(description="Further folders, outside the root, that the archives are copied to; they are only read."),
    ] = ()
    repositories: Annotated[
        dict[str, RepositorySettings],
        Meta(description="Repositories of restic or borg, by a name of yours; null: no such repository."),
    ] = field(default_factory=dict)


class CapacitySettings(Section, frozen=True, kw_only=True):
    """How far ahead capacity is planned, and when growth calls for something."""

    horizon_days: Annotated[
        Days, Meta(description="A limit that is reached within so many days is a warning, where the level is high.")
    ] = 90
    high_percent: Annotated[Percent, Meta(description="From so much of the whole on, a level is high.")] = 60
    history_days: Annotated[Days, Meta(description="How far back measurements count.")] = 180
    limits_mb: Annotated[
        dict[str, Megabytes],
        Meta(description="What logs, cache and backups may hold, by these names; the logs else emergency_total_mb."),
    ] = field(default_factory=dict)


class Waiver(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A finding of the audit that was looked at and accepted until a date (``YYYY-MM-DD``)."""

    check: str
    subject: str
    reason: str
    until: date


class AuditSettings(Section, frozen=True, kw_only=True):
    """What the quarterly audit looks at, what it expects, and what is accepted."""

    places: Annotated[
        tuple[str, ...], Meta(description="Files and folders that the project must have; empty: none is expected.")
    ] = ()
    packages: Annotated[
        tuple[str, ...],
        Meta(
            description="Folders of code whose imports are analysed; empty: all, named from the import roots that "
            "`inv settings.conventions` shows."
        ),
    ] = ()
    module_lines: Annotated[
        Count, Meta(description="A module with more lines of code, without blank lines and comments, is a warning.")
    ] = 1000
    licences_denied: Annotated[
        tuple[str, ...],
        Meta(description="Licences that no installed package may have (shell patterns on SPDX identifiers): critical."),
    ] = ("AGPL-*", "SSPL-*")
    licences_review: Annotated[
        tuple[str, ...], Meta(description="Licences that somebody has to look at (the same patterns): a warning.")
    ] = ("GPL-*",)
    licences_known: Annotated[
        dict[str, str],
        Meta(description="By package: its licence as SPDX writes it, where it tells none or a wrong one."),
    ] = field(default_factory=dict)
    fresh_days: Annotated[
        Days, Meta(description="Reports of other procedures that are no older are used; else those are run.")
    ] = 7
    data: Annotated[tuple[str, ...], Meta(description="Data files whose checksums are kept (shell patterns).")] = (
        "data/**",
        "config/**",
    )
    benchmark_percent: Annotated[
        Count, Meta(description="A benchmark slower than before by more than so many percent is a warning.")
    ] = 50
    waivers: Annotated[
        tuple[Waiver, ...], Meta(description="Accepted findings: check, subject (a shell pattern), reason, until.")
    ] = ()


Severity: TypeAlias = Literal["block", "warn", "skip"]
"""What it means that a gate of the checklist says no, or could not be checked."""

GATES: tuple[str, ...] = (
    "tree",
    "branch",
    "version",
    "tests",
    "linters",
    "dependencies",
    "configuration",
    "errors",
    "providers",
    "backup",
    "disk",
    "maintenance",
)
"""The gates of the release checklist, in the order in which they are reported."""


def _gates() -> dict[str, Severity]:
    return {**dict.fromkeys(GATES, "block"), "maintenance": "warn"}


class ReleaseSettings(Section, frozen=True, kw_only=True):
    """What must be well before a release."""

    gates: Annotated[
        dict[str, Severity],
        Meta(description="Per gate: block (a no is NO-GO), warn (it is only told) or skip (it is not looked at)."),
    ] = field(default_factory=_gates)
    branches: Annotated[tuple[str, ...], Meta(description="Branches that releases are made from (shell patterns).")] = (
        "main",
        "master",
    )
    version_files: Annotated[
        tuple[str, ...], Meta(description="Files that state the version; empty: those that are found.")
    ] = ()
    changelog: Annotated[str, Meta(description="The changelog, in the format of Keep a Changelog.")] = "CHANGELOG.md"
    tag_prefix: Annotated[str, Meta(description="What stands before the version in the name of its tag.")] = "v"
    test_command: Annotated[
        str, Meta(description="Runs the project's tests, in the root; empty: pytest, where there are tests for it.")
    ] = ""
    lint_commands: Annotated[
        tuple[str, ...], Meta(description="Run as well; empty: ruff, mypy and flake8, where they are configured.")
    ] = ()
    deadline_seconds: Annotated[Seconds, Meta(description="Give up on each of these commands after this long.")] = 1800
    fresh_hours: Annotated[
        Hours, Meta(description="Reports of other procedures that are no older are used; else those are run.")
    ] = 24


class ScheduleSettings(Section, frozen=True, kw_only=True):
    """How often procedures are to run, and when the machine looks what is due."""

    cadence: Annotated[
        dict[str, Literal["daily", "weekly", "monthly", "quarterly", "never"]],
        Meta(
            description="By procedure: how often it is to run, where its collection does not say so or says otherwise."
        ),
    ] = field(default_factory=dict)
    at: Annotated[
        str, Meta(description="When the machine looks what is due, once a day (HH:MM in quotes, local time).")
    ] = "03:17"
    random_delay_minutes: Annotated[
        Annotated[int, Meta(ge=0, le=720)],
        Meta(description="Up to so much later, so that not all machines ask the same services at the same time."),
    ] = 20


class RunSettings(Section, frozen=True, kw_only=True):
    """As whom procedures run."""

    as_owner: Annotated[
        bool,
        Meta(description="Root runs as the project's owner, in a child process, where another user can write in it."),
    ] = False


class ClockSettings(Section, frozen=True, kw_only=True):
    """Whether the clock of the machine is believed."""

    trust: Annotated[
        bool,
        Meta(description="Delete by age even where the clock is more than 400 days past every log, stamp and archive."),
    ] = False


def _providers() -> dict[str, ProviderSettings]:
    return {
        "deepseek": ProviderSettings(
            base_url="https://api.deepseek.com", model="deepseek-chat", key_env="DEEPSEEK_API_KEY"
        ),
        "grok": ProviderSettings(base_url="https://api.x.ai/v1", model="grok-4", key_env="GROK_API_KEY"),
    }


class Settings(Section, frozen=True, kw_only=True):
    """All settings: the tree under ``maintenance:`` in Invoke's configuration."""

    root: Annotated[str, Meta(description="The project to maintain, relative to the folder of tasks.py.")] = "."
    output: Annotated[Literal["text", "json"], Meta(description="What is printed.")] = "text"
    fail_on: Annotated[FailOn, Meta(description="The lowest status that makes the exit status other than 0.")] = (
        "warning"
    )
    logs: LogSettings = LogSettings()
    cache: CacheSettings = CacheSettings()
    health: HealthSettings = HealthSettings()
    generation: GenerationSettings = GenerationSettings()
    providers: Annotated[
        dict[str, ProviderSettings], Meta(description="The LLM providers, by name; null: no such provider.")
    ] = field(default_factory=_providers)
    dependencies: DependencySettings = DependencySettings()
    configuration: ConfigurationSettings = ConfigurationSettings()
    backups: BackupSettings = BackupSettings()
    capacity: CapacitySettings = CapacitySettings()
    audit: AuditSettings = AuditSettings()
    release: ReleaseSettings = ReleaseSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    run: RunSettings = RunSettings()
    clock: ClockSettings = ClockSettings()


def plain(settings: Settings) -> dict[str, Any]:
    """Return *settings* as plain data: what a settings file could hold."""
    tree: dict[str, Any] = _with_lists(to_builtins(settings))
    return tree


def _with_lists(value: Any) -> Any:
    """Return *value* with lists for tuples: a setting that cannot change here is a list to everybody else."""
    if isinstance(value, dict):
        return {key: _with_lists(item) for key, item in value.items()}
    return [_with_lists(item) for item in value] if isinstance(value, tuple) else value
