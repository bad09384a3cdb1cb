from __future__ import annotations

import json
import time
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from tasks.backups.offsite import repository_verification
from tasks.backups.offsite.borg_backend import Borg, is_address
from tasks.backups.offsite.repository_backend import (
    ListedFile,
    Listing,
    Problem,
    Snapshot,
    json_records,
    listed_file,
)
from tasks.backups.offsite.repository_sample import candidates, files_to_restore, holds_project, next_data_part
from tasks.core.report.model import Report, Status

from .conftest import NOW, PASSWORD, Programs, Verify, findings_of

RESTIC = {"program": "restic", "location": "/srv/restic", "password_env": "FILED"}
BORG = {"program": "borg", "location": "borg", "password_env": "FILED", "read_percent": 100}
CONTENT = {"data/a.json": "{}", "data/b.yaml": "a: [1\n"}

SNAPSHOTS = json.dumps(
    [
        {"time": "2026-11-20T12:00:00.123456789Z", "id": "old", "paths": ["/data"]},
        {"time": "2026-11-26T00:00:00+00:00", "id": "new", "paths": ["/data"]},
    ]
)
ARCHIVES = json.dumps({"archives": [{"name": "a1", "time": "2026-11-26T00:00:00.000000+00:00"}], "repository": {}})


def lines(kind: str, slash: str = "") -> str:
    entries: list[dict[str, Any]] = [
        {"type": kind, "path": f"{slash}{name}", "size": len(text)} for name, text in CONTENT.items()
    ]
    return "".join(json.dumps(each) + "\n" for each in [{"id": "x"}, {"type": "d", "path": f"{slash}data"}, *entries])


def restic(programs: Programs, **answers: Any) -> None:
    well: dict[str, Any] = {
        "snapshots": {"out": SNAPSHOTS},
        "check": {},
        "ls": {"out": lines("file", "/")},
        "restore": {"files": CONTENT},
    }
    programs.install("restic", **({name: each for name, each in answers.items() if " " in name} | well | answers))


def borg(programs: Programs, **answers: Any) -> None:
    well: dict[str, Any] = {
        "--json": {"out": ARCHIVES},
        "--json-lines": {"out": lines("-")},
        "check": {},
        "extract --dry-run": {},
        "extract": {"files": CONTENT, "status": 1, "err": "a warning"},
    }
    programs.install("borg", **(well | answers))


def level(report: Report) -> str | None:
    (row,) = report.data["repositories"]
    value: str | None = row["level"]
    return value


def test_restic_is_listed_checked_and_restored_from(verify: Verify, programs: Programs, root: Path) -> None:
    restic(programs)
    report = verify(repositories={"disk": RESTIC})
    assert findings_of(report, "external") == [(Status.OK, "restic holds 2 snapshots, the newest 0.5 days old.")]
    assert findings_of(report, "external.check") == [
        (Status.OK, "restic found no fault: part 1 of 10 of its data was read.")
    ]
    assert findings_of(report, "external.restored") == [
        (Status.OK, "Restored of the newest snapshot: 2 files (8 B), each as it was listed.")
    ]
    ((status, message),) = findings_of(report, "external.content")
    assert (status, message.startswith("1 file broken when it was saved: data/b.yaml (")) == (Status.WARNING, True)
    assert level(report) == "restored"
    assert report.files == ["backups/repositories.json"]
    assert [path.name for path in (root / "backups").iterdir()] == ["repositories.json"]
    assert all(call[:3] == ["--repo", "/srv/restic", "--no-lock"] for call in programs.calls())
    assert PASSWORD not in str(programs.calls())
    assert {each["RESTIC_PASSWORD"] for each in programs.environments()} == {PASSWORD}


def test_in_so_many_runs_all_parts_are_read(verify: Verify, programs: Programs, root: Path) -> None:
    restic(programs)
    repository = RESTIC | {"read_percent": 40}
    for _ in range(4):
        verify(repositories={"disk": repository})
    parts = [word.partition("=")[2] for call in programs.calls() for word in call if "subset" in word]
    assert parts == ["1/3", "2/3", "3/3", "1/3"]
    restic(programs, check={"status": 1, "err": "Fatal: repository contains errors"})
    verify(repositories={"disk": repository})
    assert json.loads((root / "backups/repositories.json").read_text()) == {"disk": [1, 3]}


def test_borg_is_listed_checked_and_restored_from(verify: Verify, programs: Programs, root: Path) -> None:
    borg(programs)
    report = verify(repositories={"nas": BORG})
    assert findings_of(report, "external") == [(Status.OK, "borg holds 1 archive, the newest 0.5 days old.")]
    assert findings_of(report, "external.check") == [(Status.OK, "borg found no fault: all of its data was read.")]
    assert findings_of(report, "external.restored")[0][0] is Status.OK
    assert ["check", "--repository-only", "borg"] in programs.calls()
    assert ["extract", "--bypass-lock", f"{root / 'borg'}::a1"] in programs.calls()
    assert {each["BORG_PASSPHRASE"] for each in programs.environments()} == {PASSWORD}


@pytest.mark.parametrize(("install", "repository"), [(restic, RESTIC), (borg, BORG)])
def test_in_a_dry_run_nothing_is_restored_or_written(
    verify: Verify, programs: Programs, root: Path, install: Any, repository: dict[str, Any]
) -> None:
    install(programs)
    report = verify(repositories={"it": repository}, dry_run=True)
    assert findings_of(report, "external.restored") == [(Status.OK, "It is intact; nothing of it was restored.")]
    assert [*root.iterdir()] == []
    words = [word for call in programs.calls() for word in call]
    assert "restore" not in words
    assert ("check" in words) == (install is restic)  # borg's own writes into the repository
    assert [(action.target, action.done) for action in report.actions] == [("backups/repositories.json", False)]


def test_without_reading_data_its_structure_is_checked(verify: Verify, programs: Programs) -> None:
    restic(programs)
    report = verify(repositories={"disk": RESTIC | {"read_percent": 0}})
    assert findings_of(report, "external.check") == [(Status.OK, "restic found no fault: its data was not read.")]
    assert report.actions == []
    borg(programs)
    report = verify(repositories={"nas": BORG | {"read_percent": 0}})
    assert findings_of(report, "external.check") == [(Status.OK, "borg found no fault: its data was not read.")]
    assert ["check", "--archives-only", "--last", "1", "borg"] in programs.calls()


@pytest.mark.parametrize(
    ("stderr", "status", "message"),
    [
        ("Fatal: wrong password or no key found", "critical", "the password in FILED is not that of the repository"),
        (
            "passphrase supplied in BORG_PASSPHRASE, by BORG_PASSCOMMAND or via BORG_PASSPHRASE_FD is incorrect.",
            "critical",
            "the password in FILED is not that of the repository",
        ),
        ("unable to create lock in backend: repository is already locked by PID 1", "unknown", "it is locked"),
        ("Failed to create/acquire the lock /srv/lock.exclusive (timeout).", "unknown", "it is locked"),
        ("write /tmp/x: no space left on device", "unknown", "there is no room on the disk"),
        ("OSError: [Errno 28] No space left on device: '/srv/x'", "unknown", "there is no room on the disk"),
        ("Fatal: unable to open config file: dial tcp: connection refused", "unknown", "it cannot be reached"),
        ("Fatal: unable to open config file: stat x: permission denied", "unknown", "it may not be read"),
        ("Fatal: unable to open config file: stat x\nIs there", "critical", "there is no repository of restic there"),
        ("Repository /srv/x does not exist.", "critical", "there is no repository of"),
        ("/srv/x is not a valid repository. Check repo config.", "critical", "there is no repository of"),
        (
            f"Traceback:\n  error\nsome Error: {PASSWORD} is in it\nSSH: None",
            "critical",
            "restic ended with status 1: some Error: [redacted] is in it",
        ),
        (f"{'error ' * 48}{PASSWORD} is in it", "critical", f"{'error ' * 48}[redacted] i"),
        ("", "critical", "restic ended with status 1."),
    ],
)
def test_why_a_repository_could_not_be_listed(
    verify: Verify, programs: Programs, stderr: str, status: str, message: str
) -> None:
    restic(programs, snapshots={"err": stderr, "status": 1})
    report = verify(repositories={"disk": RESTIC})
    ((found_status, found),) = findings_of(report, "external")
    assert found_status is Status(status)
    assert found.startswith("It could not be looked at: ")
    assert message in found
    assert PASSWORD not in str(report)
    assert level(report) is None


def test_a_program_that_is_not_installed(verify: Verify) -> None:
    report = verify(repositories={"disk": RESTIC, "nas": BORG})
    assert findings_of(report, "external") == [
        (Status.UNKNOWN, "It could not be looked at: restic is not installed."),
        (Status.UNKNOWN, "It could not be looked at: borg is not installed."),
    ]
    assert "apt install borgbackup" in str(report.findings[1].remedy)


def test_a_program_that_cannot_be_run(verify: Verify, programs: Programs) -> None:
    restic(programs)
    (programs.folder / "restic").write_text("#!/nonexistent/interpreter\n")
    ((status, message),) = findings_of(verify(repositories={"disk": RESTIC}), "external")
    assert (status, "restic cannot be started" in message) == (Status.UNKNOWN, True)


def test_a_program_that_hangs_is_ended_at_its_deadline(verify: Verify, programs: Programs) -> None:
    restic(programs, check={"seconds": 600})
    began = time.monotonic()
    report = verify(repositories={"disk": RESTIC | {"deadline_seconds": 2}})
    assert time.monotonic() - began < 300
    assert findings_of(report, "external.check") == [
        (Status.UNKNOWN, "Its check did not pass: restic was not done after 2.0 s.")
    ]


@pytest.mark.parametrize("out", ["", "{", '{"a": 1}', '[{"id": 1}]', "\xff"])
def test_what_a_program_says_may_not_be_understood(verify: Verify, programs: Programs, out: str) -> None:
    restic(programs, snapshots={"out": out})
    assert findings_of(verify(repositories={"disk": RESTIC}), "external")[0][0] is Status.UNKNOWN
    borg(programs, **{"--json": {"out": out or '{"archives": [{"name": "a", "time": "noon"}]}'}})
    assert findings_of(verify(repositories={"nas": BORG}), "external")[0][0] is Status.UNKNOWN


@pytest.mark.parametrize("out", ["[]", "null"])
def test_an_empty_repository_is_critical(verify: Verify, programs: Programs, out: str) -> None:
    restic(programs, snapshots={"out": out})
    report = verify(repositories={"disk": RESTIC})
    assert findings_of(report, "external") == [(Status.CRITICAL, "restic holds no snapshot there.")]


@pytest.mark.parametrize(
    ("own", "status"), [(0, Status.CRITICAL), (3, Status.WARNING), (30, Status.OK)], ids=["general", "3", "30"]
)
def test_an_old_snapshot_is_told_by_its_own_limit_or_the_general_one(
    verify: Verify, programs: Programs, own: int, status: Status
) -> None:
    restic(programs, snapshots={"out": '[{"time": "2026-11-20T12:00:00Z", "id": "old"}]'})
    report = verify(repositories={"disk": RESTIC | {"max_age_days": own}}, max_age_days=1)
    assert findings_of(report, "external") == [(status, "restic holds 1 snapshot, the newest 6.0 days old.")]


def test_of_what_does_not_pass_its_check_nothing_is_restored(verify: Verify, programs: Programs) -> None:
    restic(programs, check={"err": "Pack ID does not match\nFatal: repository contains errors", "status": 1})
    report = verify(repositories={"disk": RESTIC})
    assert findings_of(report, "external.check") == [
        (Status.CRITICAL, "Its check did not pass: restic ended with status 1: Pack ID does not match.")
    ]
    assert findings_of(report, "external.restored") == [(Status.SKIPPED, "It is present; nothing of it was restored.")]
    assert level(report) == "present"
    assert not any("restore" in call for call in programs.calls())


def test_a_snapshot_of_the_future_is_told(verify: Verify, programs: Programs) -> None:
    restic(programs, snapshots={"out": '[{"time": "2026-11-28T12:00:00Z", "id": "new"}]'})
    ((status, message),) = findings_of(verify(repositories={"disk": RESTIC}), "external")
    assert (status, message.startswith("The newest snapshot is dated 2.0 days in the future")) == (Status.WARNING, True)


def test_a_program_that_is_told_to_stop_ends(verify: Verify, programs: Programs, root: Path) -> None:
    restic(programs, ls={"seconds": 600})
    stop = Event()

    def when_it_lists() -> None:
        calls = programs.folder / "calls"
        while not (calls.exists() and '"ls"' in calls.read_text()):
            time.sleep(0.01)
        stop.set()

    Thread(target=when_it_lists, daemon=True).start()
    ((status, message),) = findings_of(verify(repositories={"disk": RESTIC}, stop=stop), "external.restored")
    assert (status, message.endswith("nothing is verified: it was told to stop.")) == (Status.UNKNOWN, True)
    assert not (root / "backups/.restore-external").exists()


def test_a_check_that_fails_while_somebody_is_at_work_is_unknown(verify: Verify, programs: Programs) -> None:
    restic(programs, check={"err": "Fatal: repository contains errors", "status": 1}, list={"out": "0a1b\n"})
    ((status, message),) = findings_of(verify(repositories={"disk": RESTIC}), "external.check")
    assert (status, "it is locked" in message) == (Status.UNKNOWN, True)
    borg(programs, check={"err": "Failed to create/acquire the lock x (timeout).", "status": 2})
    report = verify(repositories={"nas": BORG})
    assert findings_of(report, "external.check")[0][0] is Status.UNKNOWN
    ((status, message),) = findings_of(report, "external.restored")
    assert (status, message.endswith("; it is present, and not more.")) == (Status.OK, True)


@pytest.mark.parametrize(
    ("restore", "message"),
    [
        ({"err": "Fatal: There were 2 errors", "status": 1}, "restic ended with status 1: Fatal: There were 2 errors"),
        ({"files": {"data/a.json": "{}"}}, '"data/b.yaml" did not come back'),
        ({"files": CONTENT | {"data/a.json": "{} "}}, '"data/a.json" came back with another size or kind'),
    ],
)
def test_what_does_not_come_back_is_critical(
    verify: Verify, programs: Programs, root: Path, restore: dict[str, Any], message: str
) -> None:
    restic(programs, restore=restore)
    report = verify(repositories={"disk": RESTIC})
    ((status, stderr),) = findings_of(report, "external.restored")
    assert status is Status.CRITICAL
    assert stderr == f"Of the newest snapshot nothing is verified: {message}."
    assert level(report) == "intact"
    assert not (root / "backups/.restore-external").exists()


def test_a_file_that_cannot_be_listed_is_told(verify: Verify, programs: Programs) -> None:
    restic(programs, ls={"err": "Fatal: no tree", "status": 1})
    assert findings_of(verify(repositories={"disk": RESTIC}), "external.restored")[0][0] is Status.CRITICAL


def test_of_a_large_snapshot_a_sample_is_restored(verify: Verify, programs: Programs) -> None:
    restic(programs, restore={"files": {"data/a.json": "{}"}})
    report = verify(repositories={"disk": RESTIC | {"restore_mb": 3e-6}})
    ((status, message),) = findings_of(report, "external.restored")
    assert (status, message) == (
        Status.OK,
        "Restored of the newest snapshot: 1 of 2 files (2 B), each as it was listed.",
    )
    restores = [call for call in programs.calls() if "restore" in call]
    assert restores[0][-2:] == ["--include", "/data/a.json"]


def test_a_sample_of_nothing_restores_nothing(verify: Verify, programs: Programs) -> None:
    restic(programs)
    report = verify(repositories={"disk": RESTIC | {"restore_mb": 1e-9}})
    assert findings_of(report, "external.restored") == [
        (
            Status.WARNING,
            "Of the newest snapshot nothing is verified: none of its 2 files is small enough to be restored.",
        )
    ]
    assert not any("restore" in call for call in programs.calls())


def test_special_characters_of_names_are_no_patterns(verify: Verify, programs: Programs) -> None:
    name = "data/[a]*?\\b.txt"
    listing = f'{{"id": "x"}}\n{json.dumps({"type": "file", "path": "/" + name, "size": 1})}\n'
    listing += json.dumps({"type": "file", "path": "/data/large", "size": 10**9}) + "\n"
    restic(programs, ls={"out": listing}, restore={"files": {name: "1"}})
    assert findings_of(verify(repositories={"disk": RESTIC}), "external.restored")[0][0] is Status.OK
    assert programs.calls()[-1][-1] == "/data/\\[a]\\*\\?\\\\b.txt"


def test_a_folder_that_cannot_be_emptied_is_removed(verify: Verify, programs: Programs, root: Path) -> None:
    restic(programs, restore={"files": CONTENT, "mode": 0o500})
    (root / "backups/.restore-external/left").mkdir(parents=True)
    (root / "backups/.restore-external/left").chmod(0o500)
    (root / "backups/.restore-external/link").symlink_to(root)
    verify(repositories={"disk": RESTIC})
    assert not (root / "backups/.restore-external").exists()
    assert root.is_dir()


def test_where_nothing_can_be_restored_to_it_is_unknown(verify: Verify, programs: Programs, root: Path) -> None:
    restic(programs)
    (root / "backups").touch()
    report = verify(repositories={"disk": RESTIC})
    ((status, message),) = findings_of(report, "external.restored")
    assert (status, "it could not be restored here: backups is not a folder" in message) == (Status.UNKNOWN, True)
    assert findings_of(report, "ledger")[0][0] is Status.WARNING


def test_a_disk_that_is_full_is_unknown(verify: Verify, programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    restic(programs)
    monkeypatch.setattr(repository_verification, "restore_folder", full)
    ((_, message),) = findings_of(verify(repositories={"disk": RESTIC}), "external.restored")
    assert "it could not be restored here: No space left on device" in message


def test_when_it_is_told_to_stop_nothing_more_is_done(verify: Verify) -> None:
    stop = Event()
    stop.set()
    report = verify(repositories={"disk": RESTIC}, copies=["/srv/copies"], stop=stop)
    assert report.data["repositories"] == []


# Passwords


def test_a_variable_that_is_named_and_missing_is_told_as_that(verify: Verify, programs: Programs) -> None:
    programs.environ |= {"RESTIC_PASSWORD_FILE": "/x", "BORG_PASSCOMMAND": "true"}  # of other repositories
    for install, repository in ((restic, RESTIC), (borg, BORG)):
        install(programs)
        report = verify(repositories={"disk": repository | {"password_env": "OTHER"}})
        assert findings_of(report, "external") == [
            (Status.UNKNOWN, "It could not be looked at: its password is missing: OTHER is not set.")
        ]


def test_a_repository_of_borg_that_asks_for_a_password_that_is_not_set_says_so(
    verify: Verify, programs: Programs
) -> None:
    words = "passphrase supplied in BORG_PASSPHRASE, by BORG_PASSCOMMAND or via BORG_PASSPHRASE_FD is incorrect."
    repository = {"program": "borg", "location": "borg"}
    borg(programs, **{"--json": {"err": words, "status": 2}})
    assert findings_of(verify(repositories={"nas": repository}), "external") == [
        (Status.UNKNOWN, "It could not be looked at: its password is missing: BORG_PASSPHRASE is not set.")
    ]
    programs.environ["BORG_PASSCOMMAND"] = "true"
    ((status, message),) = findings_of(verify(repositories={"nas": repository}), "external")
    assert (status, "is not that of the repository" in message) == (Status.CRITICAL, True)


@pytest.mark.parametrize(("program", "other"), [("restic", "borg"), ("borg", "restic")])
def test_a_repository_of_the_other_program_is_told_as_that(
    verify: Verify, programs: Programs, root: Path, program: str, other: str
) -> None:
    restic(programs)
    borg(programs)
    (root / "repository").mkdir()
    if other == "borg":
        (root / "repository/config").write_text("[repository]\nversion = 1\n")
    else:
        (root / "repository/config").write_bytes(b"\0encrypted")
        for name in ("data", "index", "keys", "snapshots", "locks"):
            (root / "repository" / name).mkdir()
    own = {"program": program, "location": "repository", "password_env": "FILED"}
    report = verify(repositories={"disk": own})
    assert findings_of(report, "external") == [
        (Status.CRITICAL, f"It could not be looked at: it is a repository of {other}, not of {program}.")
    ]
    assert report.findings[0].remedy == f"Set program: {other}, or correct location."


# Whose snapshots they are


def with_project(root: Path) -> None:
    (root / "data").mkdir()
    (root / "data/mine.yaml").write_text("a: 1\n")
    (root / "logs").mkdir()
    (root / "logs/error_tracking.json").write_text("{}")


def listed(*paths: str) -> dict[str, str]:
    records = [{"type": "file", "path": path, "size": 2} for path in paths]
    return {"out": "".join(f"{json.dumps(each)}\n" for each in records)}


def test_a_snapshot_that_holds_nothing_of_the_project_is_no_copy(
    verify: Verify, programs: Programs, root: Path
) -> None:
    with_project(root)
    restic(programs, ls=listed("/etc/passwd", "/home/other/logs/error_tracking.json"))
    report = verify(repositories={"disk": RESTIC})
    assert findings_of(report, "external.restored") == [
        (
            Status.CRITICAL,
            "It is no copy: it holds nothing of this project: none of the 2 files in 1 snapshot is one of its own.",
        )
    ]
    assert {each.name: each.value for each in report.metrics}["backup.copies"] == 1


def test_the_newest_snapshot_that_holds_the_project_is_the_one_that_counts(
    verify: Verify, programs: Programs, root: Path
) -> None:
    with_project(root)
    snapshots = [
        {"time": "2026-11-26T11:00:00Z", "id": "other", "hostname": "web", "paths": ["/etc"]},
        {"time": "2026-11-26T10:00:00Z", "id": "older-of-other", "hostname": "web", "paths": ["/etc"]},
        {"time": "2026-11-22T12:00:00Z", "id": "own", "hostname": "web", "paths": ["/srv/project"]},
    ]
    restic(
        programs,
        snapshots={"out": json.dumps(snapshots)},
        **{"ls other": listed("/etc/passwd"), "ls own": listed("/srv/project/data/mine.yaml")},
        restore={"files": {"srv/project/data/mine.yaml": "{}"}},
    )
    report = verify(repositories={"disk": RESTIC})
    assert findings_of(report, "external.restored")[0][0] is Status.OK, report
    assert findings_of(report, "external") == [(Status.OK, "restic holds 3 snapshots, the newest 4.0 days old.")]
    assert not any("older-of-other" in call for call in programs.calls())


@pytest.mark.parametrize(
    ("paths", "cut", "held"),
    [
        (["data/a.yaml"], False, True),
        (["srv/project/data/a.yaml"], False, True),
        (["data/b.yaml", "x/data/a.yaml/y", "xdata/a.yaml", "a.yaml"], False, False),
        (["etc/passwd"], True, None),
        ([], False, False),
    ],
)
def test_a_file_of_the_project_is_known_wherever_the_project_lay(
    paths: list[str], *, cut: bool, held: bool | None
) -> None:
    listing = Listing([ListedFile(path, 1) for path in paths], cut)
    assert holds_project(listing, {"data/a.yaml", "config/b.py"}) is held


def test_of_each_origin_the_newest_snapshot_is_looked_at_and_five_in_all() -> None:
    def made(*origins: str) -> list[Snapshot]:
        return [Snapshot(str(place), NOW, origin) for place, origin in enumerate(origins)]

    assert [each.name for each in candidates(made("a", "a", "b", "a", "b"))] == ["0", "2"]
    assert [each.name for each in candidates(made("", "", "", "", "", ""))] == ["0", "1", "2", "3", "4"]


def test_a_password_of_the_environment_is_taken_as_it_is(verify: Verify, programs: Programs) -> None:
    restic(programs)
    programs.environ |= {
        "FILED": " with blanks around ",
        "RESTIC_PASSWORD_FILE": "/x",
        "RESTIC_REPOSITORY": "/y",
        "RESTIC_HOST": "z",
    }
    verify(repositories={"disk": RESTIC})
    (environ, *_) = programs.environments()
    assert environ.pop("RESTIC_CACHE_DIR")
    assert environ == {"RESTIC_PASSWORD": " with blanks around ", "RESTIC_HOST": "z"}


def test_without_a_password_restic_is_asked_only_where_the_user_has_a_file_for_it(
    verify: Verify, programs: Programs
) -> None:
    restic(programs)
    repository = {"program": "restic", "location": "/srv/restic"}
    ((status, message),) = findings_of(verify(repositories={"disk": repository}), "external")
    assert (status, message) == (
        Status.UNKNOWN,
        "It could not be looked at: its password is missing: RESTIC_PASSWORD is set nowhere.",
    )
    ((_, message),) = findings_of(verify(repositories={"disk": repository | {"password_env": "OTHER"}}), "external")
    assert "OTHER is not set" in message
    programs.environ["RESTIC_PASSWORD_FILE"] = "/x"  # noqa: S105 - the name of a file
    assert findings_of(verify(repositories={"disk": repository}), "external")[0][0] is Status.OK


def test_borg_asks_nobody_and_finds_the_users_keys(tmp_path: Path) -> None:
    borg, state = Borg(), tmp_path / "state"
    bare = borg.environment({}, None, state)
    assert bare["BORG_PASSPHRASE"] == ""
    assert "BORG_KEYS_DIR" not in bare
    assert "BORG_PASSPHRASE" not in borg.environment({"BORG_PASSCOMMAND": "pass"}, None, state)
    for name, below in (
        ("BORG_KEYS_DIR", ""),
        ("BORG_CONFIG_DIR", "keys"),
        ("BORG_BASE_DIR", ".config/borg/keys"),
        ("XDG_CONFIG_HOME", "borg/keys"),
        ("HOME", ".config/borg/keys"),
    ):
        (tmp_path / name / below).mkdir(parents=True)
        environ = borg.environment({name: str(tmp_path / name), "BORG_REPO": "x"}, "p", state)
        assert environ["BORG_KEYS_DIR"] == str(tmp_path / name / below)
        assert environ["BORG_BASE_DIR"] == str(state)
        assert "BORG_REPO" not in environ


def test_a_password_is_not_in_what_a_traceback_may_show() -> None:
    assert "secret" not in repr(Problem("it is locked", Status.UNKNOWN, ""))


# Listings, samples and turns


def test_records_of_a_listing_that_is_cut_off() -> None:
    assert json_records(b'{"a": 1}\n{"b": 2}\n[]\nnoise\n') == ([{"a": 1}, {"b": 2}], False)
    assert json_records(b'1}\n{"b": 2}\n') == ([{"b": 2}], True)
    assert json_records(b"") == ([], False)


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"path": 1},
        {"path": "a", "size": "1"},
        {"path": "/"},
        {"path": "a/../b"},
        {"path": "a\nb"},
        {"path": "a\ufffd"},
    ],
)
def test_a_record_that_names_no_file_that_can_be_asked_for(record: dict[str, object]) -> None:
    assert listed_file(record) is None


def test_a_sample_is_bounded_in_bytes_number_and_length_of_names() -> None:
    small = Listing([ListedFile(f"f{number}", 1) for number in range(1000)], cut=False)
    assert files_to_restore(small, 1000, NOW) == (small.files, True)
    assert len(files_to_restore(small, 999, NOW)[0]) == 300
    chosen, is_whole = files_to_restore(small._replace(cut=True), 10, NOW)
    assert (len(chosen), is_whole) == (10, False)
    assert chosen != files_to_restore(small, 10, NOW.replace(day=25))[0]
    assert (
        len(files_to_restore(Listing([ListedFile("x" * 20_000 + str(n), 1) for n in range(9)], cut=True), 9, NOW)[0])
        == 2
    )


def test_more_files_than_were_listed_are_told(verify: Verify, programs: Programs) -> None:
    restic(programs, ls={"out": 'cut"}\n' + lines("file", "/")})
    ((_, message),) = findings_of(verify(repositories={"disk": RESTIC}), "external.restored")
    assert message.startswith("Restored of the newest snapshot: 2 of more than 2 files")


@pytest.mark.parametrize(
    ("before", "percent", "expected"),
    [
        (None, 0, (0, 0)),
        (None, 100, (1, 1)),
        (None, 0.001, (1, 256)),
        ((1, 10), 10, (2, 10)),
        ((10, 10), 10, (1, 10)),
        ((3, 5), 10, (1, 10)),
        ((99, 10), 10, (10, 10)),
    ],
)
def test_turns(before: tuple[int, int] | None, percent: float, expected: tuple[int, int]) -> None:
    assert next_data_part(before, percent) == expected


def test_many_broken_files_are_counted(verify: Verify, programs: Programs) -> None:
    names = [f"data/{number}.json" for number in range(5)]
    listing = "".join(json.dumps({"type": "file", "path": f"/{name}", "size": 1}) + "\n" for name in names)
    restic(programs, ls={"out": listing}, restore={"files": dict.fromkeys(names, "{")})
    ((_, message),) = findings_of(verify(repositories={"disk": RESTIC}), "external.content")
    assert message.startswith("5 files broken when it was saved: data/0.json (")
    assert message.endswith(" and 2 more.")


def test_in_a_dry_run_a_check_that_fails_is_told(verify: Verify, programs: Programs) -> None:
    borg(
        programs, **{"extract --dry-run": {"status": 2, "err": "Data integrity error: Segment entry checksum mismatch"}}
    )
    report = verify(repositories={"nas": BORG}, dry_run=True)
    assert findings_of(report, "external.check") == [
        (
            Status.CRITICAL,
            "Its check did not pass: borg ended with status 2: Data integrity error: Segment entry checksum mismatch.",
        )
    ]
    assert findings_of(report, "external.restored") == [(Status.SKIPPED, "It is present; nothing of it was restored.")]


@pytest.mark.parametrize(
    ("location", "is_it"), [("/srv/a:b", False), ("./a", False), ("host:a", True), ("ssh://host/a", True)]
)
def test_an_address_of_borg(location: str, *, is_it: bool) -> None:
    assert is_address(location) is is_it
