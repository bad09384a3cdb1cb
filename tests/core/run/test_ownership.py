"""Whether root may change a project, and what it says where it may not."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from tasks.core.report.model import SHARED_CHECKS, Report, Status
from tasks.core.run.definition import Definition
from tasks.core.run.ownership import Account, FolderOwner, RootRefusal, _folders, account_of, refusal_of, root_refusal
from tasks.core.settings.model import BackupSettings, CacheSettings, LogSettings, Settings

ALICE = Account(1000, 1001, "alice", "/home/alice")
WWW = Account(33, 33, "www-data", "/var/www")
COMMAND = "inv weekly"


def accounts(user: int) -> Account | None:
    return {1000: ALICE, 33: WWW}.get(user)


def refusal(*folders: FolderOwner) -> RootRefusal | None:
    return refusal_of("/srv/zbeam", folders, accounts, COMMAND)


def refused(*folders: FolderOwner) -> RootRefusal:
    found = refusal(*folders)
    assert found is not None
    return found


def folder(path: str = ".", user: int = 0, group: int = 0, mode: int = 0o40755) -> FolderOwner:
    return FolderOwner(path, user, group, mode)


@pytest.mark.parametrize(
    ("owner", "is_foreign"),
    [
        (folder(), False),
        (folder(user=1), True),
        (folder(group=1, mode=0o40755), False),
        (folder(group=1, mode=0o40775), True),
        (folder(group=0, mode=0o40775), False),
        (folder(group=0, mode=0o40777), True),
        (folder(mode=0o41777), False),
        (folder(group=1, mode=0o41775), False),
        (folder(user=1, mode=0o41777), True),
        (folder(mode=0o40757), True),
    ],
)
def test_a_folder_is_foreign_where_not_only_root_can_exchange_what_is_in_it(
    owner: FolderOwner, *, is_foreign: bool
) -> None:
    assert owner.is_foreign is is_foreign
    assert (refusal(owner) is not None) is is_foreign
    assert (refusal(folder(), folder("logs"), owner._replace(path="cache")) is not None) is is_foreign


def test_a_project_that_is_not_there_is_nobodys() -> None:
    assert refusal() is None


def test_the_owner_of_the_project_is_named_with_the_command() -> None:
    found = refused(folder(user=1000, group=7), folder("logs", user=33))
    assert found.owner == ALICE
    assert found.reason == "/srv/zbeam belongs to alice"
    assert found.remedy == (
        "Run `sudo -u alice inv weekly`, or set INVOKE_MAINTENANCE_RUN_AS_OWNER=true, with which a child process "
        "does so."
    )


def test_an_owner_without_an_entry_in_passwd_cannot_be_taken_the_place_of() -> None:
    found = refused(folder(user=4242, group=7))
    assert found.owner is None
    assert "belongs to the user number 4242, whom /etc/passwd does not name" in found.reason
    assert "`setpriv --reuid=4242 --regid=7 --clear-groups inv weekly`" in found.remedy
    assert "`--user 4242:7`" in found.remedy
    assert "--as-owner" not in found.remedy


@pytest.mark.parametrize(("user", "name"), [(33, "www-data"), (4242, "4242")])
def test_a_project_of_root_with_a_folder_of_somebody_else(user: int, name: str) -> None:
    found = refused(folder(), folder("logs"), folder("cache/temp", user=user), folder("backups", user=1000))
    assert found.owner is None
    assert found.reason == f"/srv/zbeam belongs to root, and /srv/zbeam/cache/temp to {name}"
    assert f"`chown -R {name}: /srv/zbeam`" in found.remedy
    assert "`chown -R root: /srv/zbeam/cache/temp`" in found.remedy


@pytest.mark.parametrize(
    ("path", "mode", "group", "who"),
    [
        (".", 0o40777, 5, "/srv/zbeam belongs to root, and every user can write in it (mode 0777)"),
        ("logs", 0o40775, 5, "/srv/zbeam/logs belongs to root, and the group number 5 can write in it (mode 0775)"),
    ],
)
def test_a_project_of_root_that_others_can_write(path: str, mode: int, group: int, who: str) -> None:
    place = who.partition(" ")[0]
    others = [] if path == "." else [folder()]
    found = refused(*others, folder(path, mode=mode, group=group))
    assert (found.owner, found.reason) == (None, who)
    assert f"`chmod go-w {place}`" in found.remedy


def test_the_report_of_a_refusal() -> None:
    report = refused(folder(user=1000)).report("weekly.log-rotation")
    (finding,) = report.findings
    assert (report.status, report.summary, report.actions) == (Status.UNKNOWN, "refused", [])
    assert (finding.check, finding.subject) == ("run.owner", "weekly.log-rotation")
    assert finding.check in SHARED_CHECKS
    assert finding.message == (
        "Root does not change a project that another user can write: /srv/zbeam belongs to alice. "
        "Refused; nothing was changed."
    )
    dry = refused(folder(user=1000)).finding("weekly.log-rotation", dry_run=True)
    assert (dry.status, dry.message.endswith("belongs to alice. A run would be refused.")) == (Status.UNKNOWN, True)


def test_an_account_is_that_of_the_password_database() -> None:
    entry = pwd.getpwuid(0)
    assert account_of(0) == Account(0, entry.pw_gid, entry.pw_name, entry.pw_dir)
    assert account_of(4_000_000) is None


def test_the_folders_that_are_looked_at(tmp_path: Path) -> None:
    settings = Settings(
        root=str(tmp_path),
        logs=LogSettings(directory="var/logs"),
        cache=CacheSettings(directory="var/cache"),
        backups=BackupSettings(directory="gone"),
    )
    for name in ("var/logs/archive/2026", "var/cache/temp", "data"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "var/cache/file").touch()
    (tmp_path / "var/cache/link").symlink_to("/")
    (tmp_path / "var/logs").chmod(0o775)
    status = tmp_path.stat()
    found = {each.path: each for each in _folders(settings)}
    assert [*found] == [".", "var", "var/logs", "var/cache", "var/logs/archive", "var/cache/temp"]
    assert {(each.user, each.group) for each in found.values()} == {(status.st_uid, status.st_gid)}
    assert found["var/logs"].mode & 0o777 == 0o775
    assert [*_folders(Settings(root=str(tmp_path / "missing")))] == []


def test_a_folder_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "logs").symlink_to("elsewhere")
    assert [each.path for each in _folders(Settings(root=str(tmp_path)))] == ["."]


def test_only_root_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o777)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert root_refusal(Settings(root=str(tmp_path)), COMMAND) is None
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert root_refusal(Settings(root=str(tmp_path)), COMMAND) is not None


def _look(_run: object) -> Report:
    return Report(summary="")


def _dry(_run: object, *, dry_run: bool) -> Report:
    return Report(summary=str(dry_run))


def _own(_run: object, *, as_owner: bool, dry_run: bool) -> Report:
    return Report(summary=f"{as_owner} {dry_run}")


@pytest.mark.parametrize(
    ("definition", "changes", "takes_as_owner"),
    [
        (Definition(name="a.b", body=_look, cadence=None), False, False),
        (Definition(name="a.b", body=_look, cadence="never"), True, True),
        (Definition(name="a.b", body=_look, cadence=None, writes=("{logs}/a",)), True, True),
        (Definition(name="a.b", body=_dry, cadence=None), True, True),
        (Definition(name="a.b", body=_own, cadence=None), True, False),
    ],
)
def test_a_procedure_changes_something_where_it_has_a_dry_run_writes_or_is_recorded(
    definition: Definition, *, changes: bool, takes_as_owner: bool
) -> None:
    assert (definition.changes, definition.takes_as_owner) == (changes, takes_as_owner)
