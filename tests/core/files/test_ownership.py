from __future__ import annotations

import grp
import os
import pwd
import stat
from types import SimpleNamespace

import pytest

from tasks.core.files import ownership
from tasks.core.files.ownership import distrust

US, OWNER, OTHER = 1000, 1001, 1002
PRIVATE, SHARED = 1001, 2000

FILE = stat.S_IFREG
FOLDER = stat.S_IFDIR


def _status(
    mode: int, user: int = OWNER, group: int = PRIVATE, links: int = 1, kind: int = stat.S_IFREG
) -> os.stat_result:
    return os.stat_result((kind | mode, 1, 1, links, user, group, 0, 0, 0, 0))


def _folder(mode: int = 0o755, user: int = OWNER, group: int = PRIVATE) -> os.stat_result:
    return _status(mode, user, group, 2, stat.S_IFDIR)


@pytest.fixture(autouse=True)
def _accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two users with private groups, and a shared group; nobody else has an entry."""
    users = {US: ("us", US), OWNER: ("owner", PRIVATE)}
    groups = {US: ("us", []), PRIVATE: ("owner", ["owner"]), SHARED: ("staff", ["us"])}

    def user(number: int) -> SimpleNamespace:
        name, group = users[number]
        return SimpleNamespace(pw_name=name, pw_gid=group)

    def group(number: int) -> SimpleNamespace:
        name, members = groups[number]
        return SimpleNamespace(gr_name=name, gr_mem=members)

    monkeypatch.setattr(pwd, "getpwuid", user)
    monkeypatch.setattr(grp, "getgrgid", group)
    ownership._is_private.cache_clear()


@pytest.mark.parametrize("owner", [US, OWNER, 0])
@pytest.mark.parametrize("user", [US, 0])
def test_a_file_of_ours_of_root_or_of_the_owner_of_its_folder_is_believed(user: int, owner: int) -> None:
    reason = distrust(_status(0o644, owner), _folder(), user)
    assert (reason is None) is (owner in {user, OWNER, 0})


def test_the_file_of_somebody_else_is_not_believed() -> None:
    reason = distrust(_status(0o644, OTHER), _folder(), US)
    assert reason == "belongs to user 1002, who is neither the owner of its folder nor the user of this run"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (stat.S_IFLNK, "is a symbolic link"),
        (stat.S_IFDIR, "is not a regular file"),
        (stat.S_IFIFO, "is not a regular file"),
        (stat.S_IFSOCK, "is not a regular file"),
        (stat.S_IFCHR, "is not a regular file"),
    ],
)
def test_only_a_regular_file_is_believed(kind: int, reason: str) -> None:
    assert distrust(_status(0o644, kind=kind), _folder(), OWNER) == reason


@pytest.mark.parametrize(("links", "believed"), [(0, True), (1, True), (2, False)])
def test_a_file_with_a_second_name_is_not_believed(links: int, *, believed: bool) -> None:
    """One without a name was replaced while it was open: it is what the last run wrote."""
    reason = distrust(_status(0o644, links=links), _folder(), OWNER)
    assert reason == (None if believed else "has a second name elsewhere (hard link)")


@pytest.mark.parametrize("user", [OWNER, US, 0])
def test_what_everybody_can_write_is_not_believed(user: int) -> None:
    assert distrust(_status(0o646), _folder(0o777), user) == "is writable by everybody (mode 0646)"


@pytest.mark.parametrize("user", [OWNER, 0])
def test_a_private_group_widens_nothing(user: int) -> None:
    assert distrust(_status(0o664), _folder(0o775), user) is None


def test_a_private_group_with_a_second_member_is_a_shared_one(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = SimpleNamespace(gr_name="owner", gr_mem=["owner", "us"])
    monkeypatch.setattr(grp, "getgrgid", lambda _number: entry)
    assert distrust(_status(0o664), _folder(0o775), 0) == "is writable by group 1001 (mode 0664)"


def test_a_primary_group_of_another_name_is_a_shared_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS, where everybody's group is named staff and lists nobody."""
    monkeypatch.setattr(grp, "getgrgid", lambda _number: SimpleNamespace(gr_name="staff", gr_mem=[]))
    assert distrust(_status(0o664), _folder(), 0) == "is writable by group 1001 (mode 0664)"


def test_the_private_group_of_somebody_else_is_a_shared_one() -> None:
    assert distrust(_status(0o664, group=US), _folder(), 0) == "is writable by group 1000 (mode 0664)"
    assert distrust(_status(0o664, group=US), _folder(), US) is None


@pytest.mark.parametrize("owner", [OWNER, OTHER])
@pytest.mark.parametrize(
    ("user", "folder", "believed"),
    [
        (US, _folder(0o2775, group=SHARED), True),
        (US, _folder(0o2755, group=SHARED), False),
        (US, _folder(0o2777, group=SHARED), False),
        (US, _folder(0o775, group=PRIVATE), False),
        (0, _folder(0o2775, group=SHARED), False),
    ],
    ids=["shared", "group cannot write the folder", "everybody can", "another group", "root"],
)
def test_members_of_a_group_who_share_a_folder_believe_each_other_and_root_believes_none_of_them(
    user: int, folder: os.stat_result, owner: int, *, believed: bool
) -> None:
    assert (distrust(_status(0o664, owner, SHARED), folder, user) is None) is believed


def test_who_has_no_entry_has_no_private_group() -> None:
    assert distrust(_status(0o664, OTHER, OTHER), _folder(0o755, OTHER, OTHER), OTHER) == (
        "is writable by group 1002 (mode 0664)"
    )
    assert distrust(_status(0o664, OTHER, OTHER), _folder(0o775, OTHER, OTHER), OTHER) is None


def test_who_asks_is_the_user_of_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: OTHER)
    assert distrust(_status(0o644, OTHER), _folder()) is None
