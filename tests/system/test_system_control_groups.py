from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.system import control_groups
from tasks.system.machine_figures import Amount, Quota

MACHINE = 8_000_000_000


@pytest.fixture
def mount(tmp_path: Path) -> Path:
    """Return a folder that looks like the mounted file system of control groups."""
    folder = tmp_path / "cgroup"
    folder.mkdir()
    (folder / "cgroup.controllers").write_text("cpu memory pids\n")
    return folder


def groups(mount: Path, line: str) -> list[str]:
    own = mount.parent / "own"
    own.write_text(line)
    return [str(group.relative_to(mount)) for group in control_groups.own_groups(mount, own)]


def group(mount: Path, name: str, **files: str) -> Path:
    folder = mount / name
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (folder / file.replace("_", ".", 1)).write_text(text)
    return folder


# Which groups


def test_the_own_group_and_all_above_it_count(mount: Path) -> None:
    group(mount, "user.slice/user-1.slice/app")
    assert groups(mount, "0::/user.slice/user-1.slice/app\n") == [
        "user.slice/user-1.slice/app",
        "user.slice/user-1.slice",
        "user.slice",
        ".",
    ]


def test_the_groups_of_version_1_are_none(mount: Path) -> None:
    assert groups(mount, "4:memory:/app\n1:cpu:/\n") == []


def test_version_2_is_found_beside_version_1(mount: Path) -> None:
    assert groups(mount, "4:memory:/app\n0::/\n") == ["."]


def test_without_the_mount_there_are_no_groups(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("0::/\n")
    assert control_groups.own_groups(tmp_path / "missing", tmp_path / "own") == []


def test_without_control_groups_there_are_none(mount: Path) -> None:
    assert control_groups.own_groups(mount, mount / "missing") == []


@pytest.mark.parametrize("path", ["/../../other", "/docker/of-the-host"])
def test_a_path_of_another_container_leaves_the_nearest_that_can_be_seen(mount: Path, path: str) -> None:
    assert groups(mount, f"0::{path}\n") == ["."]


def test_this_machine_can_be_asked() -> None:
    assert all(folder.is_dir() for folder in control_groups.own_groups())


# Memory


def test_the_limit_and_what_cannot_be_given_back_at_once(mount: Path) -> None:
    app = group(
        mount, "app", memory_max="1000\n", memory_current="700\n", memory_stat="anon 100\ninactive_file 250\nfile 400\n"
    )
    assert control_groups.memory_limit([app], MACHINE) == Amount(450, 1000)


def test_without_statistics_all_counts(mount: Path) -> None:
    app = group(mount, "app", memory_max="1000", memory_current="700")
    assert control_groups.memory_limit([app], MACHINE) == Amount(700, 1000)


def test_more_to_give_back_than_used_is_nothing_used(mount: Path) -> None:
    app = group(mount, "app", memory_max="1000", memory_current="700", memory_stat="inactive_file 800")
    assert control_groups.memory_limit([app], MACHINE) == Amount(0, 1000)


def test_the_group_nearest_to_its_limit_counts(mount: Path) -> None:
    inner = group(mount, "a/b", memory_max="1000", memory_current="400")
    outer = group(mount, "a", memory_max="2000", memory_current="1900")
    assert control_groups.memory_limit([inner, outer], MACHINE) == Amount(1900, 2000)
    assert control_groups.memory_limit([outer, inner], MACHINE) == Amount(1900, 2000)


@pytest.mark.parametrize(
    ("limit", "current"),
    [("max", "5"), (str(MACHINE), "5"), (str(MACHINE + 1), "5"), ("0", "5"), ("10", ""), ("x", "5"), ("", "5")],
)
def test_what_limits_nothing_is_no_limit(mount: Path, limit: str, current: str) -> None:
    app = group(mount, "app", memory_max=limit, memory_current=current)
    assert control_groups.memory_limit([app], MACHINE) is None


def test_just_below_the_machine_is_a_limit(mount: Path) -> None:
    app = group(mount, "app", memory_max=str(MACHINE - 1), memory_current="0")
    assert control_groups.memory_limit([app], MACHINE) == Amount(0, MACHINE - 1)


def test_a_group_without_files_is_no_limit(mount: Path) -> None:
    assert control_groups.memory_limit([mount, mount / "missing"], MACHINE) is None


# Processors


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("50000 100000\n", 0.5),
        ("399999 100000", 3.99999),
        ("400000 100000", None),
        ("max 100000", None),
        ("0 100000", None),
        ("50000 0", None),
        ("50000", None),
        ("", None),
    ],
)
def test_a_quota_below_the_number_of_processors_counts(mount: Path, text: str, allowed: float | None) -> None:
    app = group(mount, "app", cpu_max=text)
    assert control_groups.processor_limits([app], 4) == ({} if allowed is None else {app: allowed})


def test_the_used_time_is_in_seconds(mount: Path) -> None:
    app = group(mount, "app", cpu_stat="usage_usec 2500000\nuser_usec 1\n")
    other = group(mount, "other", cpu_stat="nr_periods 3\n")
    assert control_groups.processor_seconds([app, other]) == {app: 2.5}


def test_the_tightest_quota_is_that_of_which_most_was_used() -> None:
    one, two = Path("one"), Path("two")
    quota = control_groups.tightest({one: 2.0, two: 0.5}, {one: 10.0, two: 1.0}, {one: 12.0, two: 1.9}, 2.0, 0.1)
    assert quota is not None
    assert quota.processors == 0.5
    assert quota.percent == pytest.approx(80.0)


def test_a_group_that_tells_only_once_has_no_quota() -> None:
    one = Path("one")
    assert control_groups.tightest({one: 1.0}, {one: 1.0}, {}, 1.0, 0.0) is None
    assert control_groups.tightest({one: 1.0}, {}, {one: 1.0}, 1.0, 0.0) is None
    assert control_groups.tightest({}, {one: 1.0}, {one: 2.0}, 1.0, 0.0) is None


def test_own_work_is_no_use_of_the_quota() -> None:
    one = Path("one")
    assert control_groups.tightest({one: 1.0}, {one: 1.0}, {one: 1.5}, 1.0, 0.9) == Quota(1.0, 0.0)


# Bad input


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_whatever_a_file_holds_nothing_is_raised(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.getbasetemp() / "any"
    folder.mkdir(exist_ok=True)
    for name in ("memory.max", "memory.current", "memory.stat", "cpu.max", "cpu.stat", "cgroup.controllers", "own"):
        (folder / name).write_bytes(content)
    control_groups.memory_limit([folder], MACHINE)
    control_groups.processor_limits([folder], 2)
    control_groups.processor_seconds([folder])
    assert control_groups.own_groups(folder, folder / "own") in ([], [folder])
