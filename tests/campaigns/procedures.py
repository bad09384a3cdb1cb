"""The calls that get faults: for each procedure that changes something, at least one."""

from __future__ import annotations

from tasks.core.run.registry import scheduled

from .checks import backups, cache_and_logs, dependencies, machine, records
from .scenario import Scenario

_ROTATED = ("logs/archive/*",)
_CACHE = ("cache/*",)
_DUE = ("weekly.cache-cleanup", "weekly.log-rotation")
"""What ``schedule.due`` runs: what changes something and takes little time."""

_MANAGED = ("project", 'home"', "home>", "home/.config", "home/Library", "programs/../crontab")

SCENARIOS = (
    Scenario(procedure="daily.health-check", missing=records.not_measured, lost=records.times_lost),
    Scenario(procedure="daily.error-monitor", missing=cache_and_logs.errors_not_tracked, writes=True),
    Scenario(
        procedure="daily.log-review",
        missing=cache_and_logs.not_reviewed,
        lost=cache_and_logs.archives_whole,
        changes=_ROTATED,
        writes=True,
    ),
    Scenario(
        procedure="weekly.cache-cleanup",
        missing=cache_and_logs.cache_not_clean,
        lost=cache_and_logs.cache_lost,
        changes=_CACHE,
    ),
    Scenario(
        procedure="weekly.log-rotation",
        arguments=("--force",),
        missing=cache_and_logs.old_archive_there,
        lost=cache_and_logs.archives_whole,
        changes=_ROTATED,
        writes=True,
    ),
    Scenario(procedure="weekly.api-health", missing=records.not_measured, lost=records.times_lost),
    Scenario(
        procedure="monthly.dependency-update",
        arguments=("--yes",),
        prepare=dependencies.prepare,
        missing=dependencies.not_updated,
        not_undone=dependencies.not_undone,
        lost=dependencies.lost,
        changes=(".venv/*", "requirements*", "home/*"),
        unread=("site-packages/pip/", "/.venv/bin/", "/.venv/pyvenv.cfg"),
        slow=True,
    ),
    Scenario(procedure="monthly.performance-analysis"),
    Scenario(
        procedure="monthly.config-review",
        arguments=("--accept",),
        prepare=records.accept_first,
        missing=records.not_accepted,
        lost=records.secret_written,
    ),
    Scenario(
        procedure="quarterly.backup-verification",
        prepare=backups.back_up,
        missing=backups.not_verified,
        lost=backups.no_backup,
    ),
    Scenario(procedure="quarterly.capacity-planning"),
    Scenario(
        procedure="quarterly.system-audit",
        prepare=records.committed_and_backed_up,
        missing=records.no_audit_page,
        lost=backups.no_backup,
        unread=("/.git/",),
        slow=True,
    ),
    Scenario(
        procedure="emergency.recover",
        arguments=("--yes",),
        prepare=cache_and_logs.break_cache,
        missing=cache_and_logs.not_recovered,
        lost=cache_and_logs.statistics_lost,
        changes=(*_CACHE, *_ROTATED, "logs/.maintenance-tmp"),
        writes=True,
    ),
    Scenario(
        procedure="release.checklist",
        prepare=records.committed_and_backed_up,
        missing=records.no_checklist_page,
        lost=backups.no_backup,
        unread=("/.git/",),
        slow=True,
    ),
    Scenario(
        procedure="backup.create", prepare=backups.two_backups, missing=backups.not_backed_up, lost=backups.no_backup
    ),
    Scenario(
        procedure="backup.restore",
        prepare=backups.back_up,
        missing=backups.not_restored,
        lost=backups.no_backup,
        changes=("restored", "restored/*"),
        repeats=False,
    ),
    Scenario(
        procedure="backup.restore",
        arguments=("--force",),
        prepare=backups.spoil,
        missing=backups.not_put_back,
        lost=backups.neither_old_nor_new,
        changes=backups.RESTORED,
    ),
    Scenario(
        procedure="schedule.due",
        settings={"schedule": {"cadence": {each.name: "never" for each in scheduled() if each.name not in _DUE}}},
        missing=cache_and_logs.due_not_done,
        afterwards=(("weekly.cache-cleanup",), ("weekly.log-rotation", "--force")),
        lost=cache_and_logs.cache_lost,
        changes=(*_CACHE, *_ROTATED),
        writes=True,
    ),
    Scenario(
        procedure="schedule.install",
        arguments=("--cron",),
        prepare=machine.user_has_crontab,
        missing=machine.no_line,
        lost=machine.table_lost,
        watched=_MANAGED,
    ),
    Scenario(procedure="schedule.install", arguments=("--systemd",), missing=machine.no_timer, watched=_MANAGED),
    Scenario(procedure="schedule.install", arguments=("--launchd",), missing=machine.no_agent, watched=_MANAGED),
    Scenario(
        procedure="schedule.uninstall",
        prepare=machine.installed_twice,
        anew=True,
        missing=machine.still_installed,
        lost=machine.table_lost,
        watched=_MANAGED,
    ),
    Scenario(
        procedure="settings.init",
        prepare=machine.copied,
        missing=machine.no_settings,
        watched=("suite",),
        unread=("/suite/tasks", '/suite"', "/suite>"),
        repeats=False,
        in_copy=True,
    ),
    Scenario(
        procedure="demo",
        prepare=machine.copy_with_settings,
        missing=machine.no_demo,
        watched=("suite/demo-site",),
        unread=("/.git/", "/.venv/"),
        in_copy=True,
        slow=True,
    ),
)
