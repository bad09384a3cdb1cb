from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.core.report.model import Finding, Status
from tasks.core.settings.model import HealthSettings
from tasks.system import system_findings
from tasks.system.machine_figures import (
    Amount,
    Busy,
    Cpu,
    Disk,
    Figures,
    Holder,
    Load,
    Memory,
    OpenFiles,
    Quota,
    Unmeasured,
)

LIMITS = HealthSettings()
GB = 1_000_000_000

FIGURES = Figures(
    cpu=Cpu(1.0, 2, 23.04, 4.0, 0.5),
    busiest=(),
    load=Load(0.5, 1.0, 2.0, 4),
    memory=Memory(Amount(4 * GB, 10 * GB)),
    swap=Amount(0, 2 * GB),
    disks={".": Disk(Amount(50 * GB, 100 * GB), Amount(100, 1000))},
    open_files=OpenFiles((Holder("python", 7, 112, 1024), Holder("worker", 8, 30, 256), Holder("one", 9, 3, 1024))),
)
"""A machine in good order."""

FAILED = Unmeasured("Permission denied")


def every(figures: Figures, check: str, limits: HealthSettings = LIMITS) -> list[Finding]:
    return [finding for finding in system_findings.findings(limits, figures) if finding.check == check]


def only(figures: Figures, check: str, limits: HealthSettings = LIMITS) -> Finding:
    (finding,) = every(figures, check, limits)
    return finding


def cpu(percent: float, quota: Quota | None = None, busiest: tuple[Busy, ...] = ()) -> Finding:
    return only(replace(FIGURES, cpu=Cpu(1.0, 2, percent, 0, 0, quota), busiest=busiest), "system.cpu")


def load(five: float, processors: int = 4) -> Finding:
    return only(replace(FIGURES, load=Load(9.0, five, 0.5, processors)), "system.load")


def memory(percent: float, group: float | None = None) -> Finding:
    amount = Memory(part(percent), None if group is None else part(group))
    return only(replace(FIGURES, memory=amount), "system.memory")


def swap(percent: float, memory: float) -> Finding:
    return only(replace(FIGURES, swap=part(percent), memory=Memory(part(memory))), "system.swap")


def disk(percent: float, check: str = "system.disk", limits: HealthSettings = LIMITS) -> Finding:
    return only(replace(FIGURES, disks={"logs": Disk(part(percent), part(percent))}), check, limits)


def opened(*holders: Holder, closed: int = 0, left: int = 0) -> list[Finding]:
    return every(replace(FIGURES, open_files=OpenFiles(holders, closed, left)), "system.open_files")


def part(percent: float) -> Amount:
    return Amount(round(percent * GB), 100 * GB)


# As a whole


def test_a_machine_in_good_order_is_ok() -> None:
    assert [(finding.check, finding.subject) for finding in system_findings.findings(LIMITS, FIGURES)] == [
        ("system.cpu", "processors"),
        ("system.load", "load"),
        ("system.memory", "memory"),
        ("system.swap", "swap"),
        ("system.disk", "."),
        ("system.inodes", "."),
        ("system.open_files", "processes"),
    ]
    assert {finding.status for finding in system_findings.findings(LIMITS, FIGURES)} == {Status.OK}
    assert {finding.remedy for finding in system_findings.findings(LIMITS, FIGURES)} == {None}


def test_what_could_not_be_measured_is_unknown_with_the_reason() -> None:
    figures = Figures(FAILED, (), FAILED, FAILED, FAILED, {".": FAILED, "logs": FAILED}, FAILED)
    found = [*system_findings.findings(LIMITS, figures)]
    assert [finding.subject for finding in found] == [
        "processors",
        "load",
        "memory",
        "swap",
        ".",
        "logs",
        "processes",
    ]
    assert {finding.status for finding in found} == {Status.UNKNOWN}
    assert {finding.message for finding in found} == {"It could not be measured: Permission denied."}
    assert all(finding.remedy and finding.value is None for finding in found)
    assert [*system_findings.metrics(figures)] == []
    assert system_findings.data(figures) == {}
    assert system_findings.summary(figures) == "processors unknown, memory unknown, disk unknown"


def test_a_reason_is_shown_on_one_line() -> None:
    found = only(replace(FIGURES, load=Unmeasured("a\n\x1b[2J")), "system.load")
    assert found.message == r"It could not be measured: a\n\x1b[2J."


def test_one_failure_leaves_the_rest_judged() -> None:
    found = system_findings.findings(LIMITS, replace(FIGURES, memory=FAILED))
    assert [finding.check for finding in found if finding.status is not Status.OK] == ["system.memory"]


def test_the_summary_tells_what_was_judged() -> None:
    assert system_findings.summary(FIGURES) == "processors 23.0 %, memory 40.0 %, disk 50.0 %"
    assert isinstance(FIGURES.cpu, Cpu)
    tight = replace(
        FIGURES,
        cpu=replace(FIGURES.cpu, quota=Quota(0.5, 77.77)),
        memory=Memory(Amount(4, 10), Amount(9, 10)),
        disks={"logs": Disk(part(50), part(50))},
    )
    assert system_findings.summary(tight) == "processors 77.8 %, memory 90.0 %, disk unknown"


# Processors


@pytest.mark.parametrize(
    ("percent", "status"),
    [(0, Status.OK), (80, Status.OK), (80.04, Status.OK), (80.06, Status.WARNING), (100, Status.WARNING)],
)
def test_busy_processors(percent: float, status: Status) -> None:
    found = cpu(percent)
    assert (found.status, found.value, found.unit, found.warning) == (status, round(percent, 1), "%", 80)
    assert bool(found.remedy) is (status is Status.WARNING)


def test_what_is_said_of_processors() -> None:
    assert cpu(23.04).message == "The processors were 23.0 % busy (2 of them, over 1.0 s)."
    assert cpu(93, busiest=(Busy("py\n", 12, 87.6), Busy("b", 3, 5.0))).message == (
        "The processors were 93.0 % busy (2 of them, over 1.0 s). Up to 80 % is expected. "
        r"Busiest, in percent of one processor: py\n (pid 12, 88 %), b (pid 3, 5 %)."
    )
    assert cpu(93).message.endswith("Up to 80 % is expected.")
    assert "py" not in cpu(23, busiest=(Busy("py", 12, 87.6),)).message


@pytest.mark.parametrize(
    ("percent", "quota", "status", "value"),
    [
        (10, 80.0, Status.OK, 80.0),
        (10, 80.1, Status.WARNING, 80.1),
        (90, 10.0, Status.WARNING, 90.0),
        (20, 10.0, Status.OK, 20.0),
    ],
)
def test_the_tighter_of_machine_and_quota_counts(percent: float, quota: float, status: Status, value: float) -> None:
    found = cpu(percent, Quota(0.5, quota))
    assert (found.status, found.value) == (status, value)
    assert f"The control group may use 0.5 processors, and {quota:.1f} % of that was used." in found.message


def test_one_processor_is_one() -> None:
    assert "may use 1 processor, and" in cpu(1, Quota(1.0, 1)).message


# Load


@pytest.mark.parametrize(
    ("five", "processors", "status"),
    [
        (8.0, 4, Status.OK),
        (8.01, 4, Status.OK),
        (8.04, 4, Status.WARNING),
        (2.0, 1, Status.OK),
        (2.01, 1, Status.WARNING),
    ],
)
def test_the_load_counts_per_processor(five: float, processors: int, status: Status) -> None:
    found = load(five, processors)
    assert (found.status, found.warning) == (status, 2.0)
    assert bool(found.remedy) is (status is Status.WARNING)


def test_what_is_said_of_the_load() -> None:
    assert load(1.0).message == (
        "The load was 9.00, 1.00 and 0.50 over 1, 5 and 15 minutes, 0.25 per processor over 5 minutes (4 processors)."
    )
    assert load(1.0).value == 0.25
    assert load(9.0).message.endswith(" Up to 2 per processor is expected over 5 minutes.")


# Memory and swap


@pytest.mark.parametrize(
    ("percent", "group", "status", "value"),
    [
        (85.0, None, Status.OK, 85.0),
        (85.1, None, Status.WARNING, 85.1),
        (10.0, 85.0, Status.OK, 85.0),
        (10.0, 85.1, Status.WARNING, 85.1),
        (85.1, 10.0, Status.WARNING, 85.1),
    ],
)
def test_the_tighter_memory_counts(percent: float, group: float | None, status: Status, value: float) -> None:
    found = memory(percent, group)
    assert (found.status, found.value, found.warning) == (status, value, 85)
    assert bool(found.remedy) is (status is Status.WARNING)


def test_what_is_said_of_memory() -> None:
    assert memory(40).message == "40.0 % (40.0 GB of 100.0 GB) of the memory is in use."
    assert memory(90, 50).message == (
        "90.0 % (90.0 GB of 100.0 GB) of the memory is in use. "
        "The control group uses 50.0 % (50.0 GB of 100.0 GB) of what it may. Up to 85 % is expected."
    )


@pytest.mark.parametrize(
    ("used", "memory", "status"),
    [
        (80.1, 85.1, Status.WARNING),
        (80.0, 85.1, Status.OK),
        (80.1, 85.0, Status.OK),
        (100.0, 10.0, Status.OK),
        (0.0, 100.0, Status.OK),
    ],
)
def test_full_swap_counts_where_the_memory_is_full(used: float, memory: float, status: Status) -> None:
    found = swap(used, memory)
    assert (found.status, found.value) == (status, used)
    assert found.warning == (80.0 if memory > 85 else None)
    assert bool(found.remedy) is (status is Status.WARNING)


def test_what_is_said_of_swap() -> None:
    assert swap(50, 10).message == "50.0 % (50.0 GB of 100.0 GB) of the swap space is in use."
    assert swap(90, 90).message.endswith(" Up to 80 % is expected while the memory is as full as it is.")


def test_a_machine_without_swap_is_skipped() -> None:
    found = only(replace(FIGURES, swap=Amount(0, 0), memory=Memory(part(99))), "system.swap")
    assert (found.status, found.message) == (Status.SKIPPED, "This machine has no swap space.")


def test_swap_is_judged_where_the_memory_is_unknown() -> None:
    found = only(replace(FIGURES, swap=part(99), memory=FAILED), "system.swap")
    assert found.status is Status.OK


# Disks


@pytest.mark.parametrize("check", ["system.disk", "system.inodes"])
@pytest.mark.parametrize(
    ("percent", "status"),
    [(80.0, Status.OK), (80.1, Status.WARNING), (90.0, Status.WARNING), (90.1, Status.CRITICAL)],
)
def test_a_disk_fills(check: str, percent: float, status: Status) -> None:
    found = disk(percent, check)
    assert (found.status, found.subject, found.value) == (status, "logs", percent)
    assert (found.warning, found.critical, found.unit) == (80, 90, "%")
    assert bool(found.remedy) is (status is not Status.OK)


@pytest.mark.parametrize(
    ("percent", "status"), [(0.0, Status.OK), (0.1, Status.WARNING), (5.0, Status.WARNING), (5.1, Status.CRITICAL)]
)
def test_a_low_limit_warns_from_the_first_byte(percent: float, status: Status) -> None:
    found = disk(percent, limits=HealthSettings(disk_percent=5))
    assert (found.status, found.warning) == (status, 0)


def test_what_is_said_of_disks() -> None:
    assert disk(25).message == "The disk is 25.0 % full, 75.0 GB of 100.0 GB are free."
    assert disk(85).message == "The disk is 85.0 % full, 15.0 GB of 100.0 GB are free; up to 80 % is expected."
    assert disk(95).message == "The disk is 95.0 % full, 5.0 GB of 100.0 GB are free; up to 90 % can be borne."
    assert only(FIGURES, "system.inodes").message == ("10.0 % of the inodes are in use, 900 more files can be created.")


def test_a_file_system_without_a_number_of_inodes_is_skipped() -> None:
    figures = replace(FIGURES, disks={".": Disk(part(10), Amount(0, 0))})
    assert only(figures, "system.inodes").status is Status.SKIPPED
    assert only(figures, "system.disk").status is Status.OK


def test_each_disk_is_judged_by_itself() -> None:
    figures = replace(FIGURES, disks={".": Disk(part(10), part(10)), "a\nb": Disk(part(99), part(10)), "c": FAILED})
    assert [(finding.subject, finding.status) for finding in every(figures, "system.disk")] == [
        (".", Status.OK),
        (r"a\nb", Status.CRITICAL),
        ("c", Status.UNKNOWN),
    ]


# Open files


@pytest.mark.parametrize(
    ("files", "status"), [(0, Status.OK), (800, Status.OK), (801, Status.WARNING), (1000, Status.WARNING)]
)
def test_a_process_nears_its_limit(files: int, status: Status) -> None:
    (found,) = opened(Holder("python", 7, files, 1000))
    assert (found.status, found.value, found.warning) == (status, files / 10, 80)
    assert found.subject == ("processes" if status is Status.OK else "python (process 7)")
    assert bool(found.remedy) is (status is Status.WARNING)


def test_what_is_said_of_open_files() -> None:
    assert only(FIGURES, "system.open_files").message == ("3 processes of the project, at most 30 of 256 files open.")
    assert [one.message for one in opened(Holder("a", 1, 2, 4), closed=1)] == [
        "1 process of the project, at most 2 of 4 files open. 1 process could not be looked at for want of rights."
    ]
    (near,) = opened(Holder("a\n", 1, 1900, 2000), Holder("b", 2, 3, 2000))
    assert near.subject == r"a\n (process 1)"
    assert near.message == "It has 1,900 of 2,000 files open, 95.0 %; up to 80 % is expected."


def test_without_a_limit_files_are_only_counted() -> None:
    (found,) = opened(Holder("a", 1, 20, None), Holder("b", 2, 9_000, None))
    assert found.status is Status.OK
    assert found.message == "2 processes of the project, at most 9,000 files open (no limit is seen)."


def test_a_limit_of_none_at_all_is_exceeded() -> None:
    (found,) = opened(Holder("a", 1, 3, 0))
    assert found.status is Status.WARNING


def test_each_process_near_its_limit_is_named() -> None:
    found = opened(Holder("a", 1, 99, 100), Holder("b", 2, 3, 100), Holder("c", 3, 90, 100))
    assert [one.subject for one in found] == ["a (process 1)", "c (process 3)"]


@pytest.mark.parametrize(
    ("closed", "message"),
    [
        (0, "No process of the project was seen."),
        (12, "No process of the project was seen. 12 processes could not be looked at for want of rights."),
    ],
)
def test_no_process_of_the_project_is_skipped(closed: int, message: str) -> None:
    (found,) = opened(closed=closed)
    assert (found.status, found.message) == (Status.SKIPPED, message)


def test_processes_not_reached_in_time_leave_it_unknown() -> None:
    found = opened(Holder("a", 1, 99, 100), left=3)
    assert [(one.status, one.subject) for one in found] == [
        (Status.WARNING, "a (process 1)"),
        (Status.UNKNOWN, "processes"),
    ]
    assert found[1].message == "3 processes could not be looked at in time."
    assert [one.status for one in opened(Holder("a", 1, 9, 100), left=1)] == [Status.UNKNOWN]


# More is never milder

percentages = st.floats(min_value=0, max_value=100)


@settings(deadline=None)
@given(percentages, percentages, st.sampled_from([cpu, memory, disk, load]))
def test_more_used_is_never_milder(one: float, other: float, evaluate: object) -> None:
    assert callable(evaluate)
    less, more = sorted((one, other))
    assert evaluate(less).status.severity <= evaluate(more).status.severity


@settings(deadline=None)
@given(percentages, percentages, percentages, percentages)
def test_more_swap_and_memory_are_never_milder(swap_1: float, swap_2: float, memory_1: float, memory_2: float) -> None:
    less = swap(min(swap_1, swap_2), min(memory_1, memory_2))
    more = swap(max(swap_1, swap_2), max(memory_1, memory_2))
    assert less.status.severity <= more.status.severity


@settings(deadline=None)
@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(0, 4000))
def test_more_open_files_are_never_milder(one: int, other: int, limit: int) -> None:
    less, more = sorted((one, other))
    ((before,), (after,)) = opened(Holder("a", 1, less, limit)), opened(Holder("a", 1, more, limit))
    assert before.status.severity <= after.status.severity


# Metrics and data


def test_the_metrics() -> None:
    assert [(one.name, one.value, one.unit, one.subject) for one in system_findings.metrics(FIGURES)] == [
        ("system.cpu", 23.0, "%", "processors"),
        ("system.load_1", 0.5, "processes", "load"),
        ("system.load_5", 1.0, "processes", "load"),
        ("system.load_15", 2.0, "processes", "load"),
        ("system.memory_used_bytes", 4 * GB, "B", "memory"),
        ("system.memory_total_bytes", 10 * GB, "B", "memory"),
        ("system.swap_used_bytes", 0, "B", "swap"),
        ("system.swap_total_bytes", 2 * GB, "B", "swap"),
        ("disk.used_bytes", 50 * GB, "B", "."),
        ("disk.total_bytes", 100 * GB, "B", "."),
        ("disk.inodes_used", 100, "inodes", "."),
        ("disk.inodes_total", 1000, "inodes", "."),
    ]


def test_the_data() -> None:
    assert system_findings.data(FIGURES) == {
        "watched_seconds": 1.0,
        "processors": 2,
        "own_cpu_percent": 4.0,
        "stolen_cpu_percent": 0.5,
        "load_processors": 4,
        "project_processes": 3,
        "closed_processes": 0,
        "open_files_most": 112,
    }


def test_the_data_of_a_control_group() -> None:
    figures = replace(
        FIGURES,
        cpu=Cpu(1.0, 2, 1, 1, 1, Quota(0.5, 12.34)),
        memory=Memory(Amount(1, 4), Amount(2, 3)),
        open_files=OpenFiles((), 5),
    )
    values = system_findings.data(figures)
    assert (values["quota_processors"], values["quota_percent"]) == (0.5, 12.3)
    assert (values["group_memory_used_bytes"], values["group_memory_total_bytes"]) == (2, 3)
    assert (values["project_processes"], values["closed_processes"], values["open_files_most"]) == (0, 5, 0)
