from __future__ import annotations

import os
from pathlib import Path
from shutil import copy
from threading import Event

import pytest

from tasks.backups.creation import create
from tasks.backups.offsite import archive_copies, rule_3_2_1
from tasks.backups.offsite.rule_3_2_1 import Copy, count_copies, medium_of, repository_copy
from tasks.backups.verification import verify as verify_here
from tasks.core.report.model import Status
from tasks.core.settings.model import BackupSettings, RepositorySettings, Settings

from .conftest import NOW, Programs, Verify, findings_of
from .test_repositories import RESTIC, restic


@pytest.fixture
def backed_up(root: Path) -> Path:
    """The archive of a project that has one."""
    (root / "data").mkdir()
    (root / "data/a.json").write_text("{}")
    create(Settings(root=str(root), backups=BackupSettings(sources=("data",))), now=NOW)
    (archive,) = (root / "backups").glob("*.tar.gz")
    return archive


@pytest.fixture
def elsewhere(tmp_path: Path, backed_up: Path) -> Path:
    """A folder with a good copy of it."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for path in backed_up.parent.iterdir():
        copy(path, folder)
    return folder


def test_where_nothing_is_configured_that_is_told_and_no_warning(verify: Verify) -> None:
    report = verify()
    ((status, message),) = findings_of(report, "media")
    assert status is Status.SKIPPED
    assert message.startswith("Nothing but backups is known")
    assert report.findings[0].remedy


def test_a_copy_that_is_the_same_is_counted(verify: Verify, elsewhere: Path) -> None:
    report = verify(copies=[str(elsewhere)])
    assert findings_of(report, "copy") == [
        (Status.OK, "The newest archive is there and the same; by size, 1 of 1 archive.")
    ]
    ((status, message),) = findings_of(report, "media")
    assert status is Status.WARNING
    assert message == ("3 copies on 1 medium, none off-site; 3 copies on 2 media with 1 off-site are the rule (3-2-1).")
    assert report.findings[-1].remedy == (
        "Add 1 more copy, on another medium and off-site: backups.copies and backups.repositories name them."
    )


def test_a_copy_without_the_newest_archive_or_its_manifest(verify: Verify, elsewhere: Path, backed_up: Path) -> None:
    (manifest,) = elsewhere.glob("*.manifest.json")
    manifest.unlink()
    report = verify(copies=[str(elsewhere)])
    assert findings_of(report, "copy") == [(Status.WARNING, "The manifest of the newest archive is not beside it.")]
    (elsewhere / backed_up.name).unlink()
    report = verify(copies=[str(elsewhere)])
    assert findings_of(report, "copy") == [(Status.WARNING, f"The newest archive, {backed_up.name}, is not there.")]
    assert findings_of(report, "media")[0][1].startswith("2 copies on 1 medium")


def test_a_copy_that_differs_is_critical(verify: Verify, elsewhere: Path, backed_up: Path) -> None:
    content = bytearray((elsewhere / backed_up.name).read_bytes())
    content[20] ^= 1
    (elsewhere / backed_up.name).write_bytes(content)
    ((status, message),) = findings_of(verify(copies=[str(elsewhere)]), "copy")
    assert (status, message) == (Status.CRITICAL, f"The newest archive, {backed_up.name}, differs from the one here.")


def test_a_copy_that_is_a_link_is_not_followed(verify: Verify, elsewhere: Path, backed_up: Path) -> None:
    (elsewhere / backed_up.name).unlink()
    (elsewhere / backed_up.name).symlink_to(backed_up)
    ((status, message),) = findings_of(verify(copies=[str(elsewhere)]), "copy")
    assert (status, "is a symbolic link" in message) == (Status.CRITICAL, True)


def test_an_older_archive_of_another_size_is_told(verify: Verify, elsewhere: Path, backed_up: Path) -> None:
    for path in [*backed_up.parent.glob("backup_*")]:
        copy(path, path.with_name(path.name.replace("20261126", "20251126")))
    (elsewhere / backed_up.name.replace("20261126", "20251126")).touch()
    ((status, message),) = findings_of(verify(copies=[str(elsewhere)]), "copy")
    assert (status, message.startswith("1 archive of another size than here")) == (Status.CRITICAL, True)


def test_one_folder_under_several_names_is_one_copy_and_the_backups_themselves_are_none(
    verify: Verify, elsewhere: Path, backed_up: Path, tmp_path: Path
) -> None:
    for path in [*backed_up.parent.glob("backup_*")]:
        copy(path, elsewhere / path.name)
    (tmp_path / "link").symlink_to(elsewhere)
    (tmp_path / "itself").symlink_to(backed_up.parent)
    names = [str(elsewhere), f"{elsewhere}/", str(tmp_path / "link")]
    report = verify(copies=names)
    assert [each.value for each in report.metrics if each.name == "backup.copies"] == [3]
    report = verify(copies=[str(tmp_path / "itself")])
    assert [each.value for each in report.metrics if each.name == "backup.copies"] == [2]
    assert findings_of(report, "copy") == [(Status.WARNING, "It is the folder of the backups itself, and no copy.")]


@pytest.mark.usefixtures("backed_up")
def test_a_folder_of_copies_that_cannot_be_read_is_unknown(verify: Verify, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    report = verify(copies=[str(tmp_path / "gone"), str(tmp_path / "file")])
    assert [status for status, _ in findings_of(report, "copy")] == [Status.UNKNOWN] * 2
    assert findings_of(report, "copy")[0][1] == "It cannot be read: No such file or directory."


def test_without_an_archive_here_nothing_is_compared(verify: Verify, root: Path) -> None:
    report = verify(copies=["/srv/copies"])
    assert findings_of(report, "copy") == [(Status.SKIPPED, "There is no whole archive here to compare it with.")]
    (root / "backups").touch()
    assert findings_of(verify(copies=["/srv/copies"]), "copy")[0][0] is Status.SKIPPED


def test_told_to_stop_a_copy_is_not_read_to_its_end(elsewhere: Path, backed_up: Path) -> None:
    stop = Event()
    stop.set()
    assert archive_copies._digest(elsewhere, backed_up.name, stop) is None


@pytest.mark.usefixtures("backed_up")
def test_the_rule_is_met_by_an_archive_here_and_a_repository_elsewhere(verify: Verify, programs: Programs) -> None:
    restic(programs)
    report = verify(repositories={"far": RESTIC | {"location": "sftp:me@far.example:/srv/restic"}})
    assert findings_of(report, "media") == [(Status.OK, "3 copies on 2 media, 1 off-site: the rule 3-2-1 is met.")]
    assert report.summary == "1 repository, 1 restored from; 3 copies on 2 media, 1 off-site"


def test_a_repository_that_does_not_pass_is_no_copy(verify: Verify, programs: Programs) -> None:
    restic(programs, check={"status": 1})
    report = verify(repositories={"far": RESTIC | {"location": "s3:host/bucket"}})
    assert findings_of(report, "media")[0][1].startswith("1 copy on 1 medium, none off-site")


def test_partitions_of_a_disk_are_one_medium(tmp_path: Path) -> None:
    for number in (1, 2):
        part = tmp_path / f"devices/sda/sda{number}"
        part.mkdir(parents=True)
        (part / "partition").touch()
        (tmp_path / f"8:{number}").symlink_to(part)
    (tmp_path / "devices/sdb").mkdir()
    (tmp_path / "8:16").symlink_to(tmp_path / "devices/sdb")
    one, two, other, virtual = (
        medium_of(os.makedev(*numbers), tmp_path) for numbers in ((8, 1), (8, 2), (8, 16), (0, 40))
    )
    assert one == two
    assert len({one, other, virtual}) == 3


@pytest.mark.parametrize(
    ("program", "location", "host"),
    [
        ("restic", "sftp:me@far.example:/srv/restic", "far.example"),
        ("restic", "sftp://me@far.example:2222//srv/restic", "far.example"),
        ("restic", "rest:https://far.example:8000/", "far.example"),
        ("restic", "s3:far.example/bucket", "far.example"),
        ("restic", "s3:https://far.example/bucket", "far.example"),
        ("restic", "b2:bucket:path", "b2"),
        ("restic", "rclone:far:path", "rclone"),
        ("borg", "ssh://me@far.example/./borg", "far.example"),
        ("borg", "me@far.example:borg", "far.example"),
        ("borg", "far.example:/srv/borg", "far.example"),
    ],
)
def test_an_address_is_another_machine(program: str, location: str, host: str, root: Path) -> None:
    assert repository_copy(program, location, root) == Copy(host, location.rstrip("/"), elsewhere=True)


@pytest.mark.parametrize(
    ("program", "location"),
    [
        ("restic", "rest:http://localhost:8000/"),
        ("restic", "sftp:127.0.0.1:/srv"),
        ("borg", "ssh://[::1]/srv"),
        ("borg", "."),
        ("restic", "local:."),
        ("restic", "odd:name"),
        ("borg", "file://{root}"),
    ],
)
def test_what_is_on_this_machine_is_not_elsewhere(program: str, location: str, root: Path) -> None:
    (root / "odd:name").mkdir()
    found = repository_copy(program, location.format(root=root), root)
    assert (found.medium, found.elsewhere) == (medium_of(root.stat().st_dev), False)


def test_numbers_in_words() -> None:
    numbers = count_copies([Copy("a", "live"), Copy("a", "1"), Copy("a", "1"), Copy("far", "host:x", elsewhere=True)])
    assert numbers.suffices
    assert count_copies([Copy("a", "live")]).lacking() == "2 more copies, one of them on another medium and off-site"
    two = [Copy("a", "live"), Copy("a", "archives")]
    assert count_copies(two).lacking() == "1 more copy, on another medium and off-site"
    assert count_copies([*two, Copy("b", "disk")]).lacking() == "1 more copy, off-site"
    assert count_copies([*two, Copy("a", "folder")]).lacking() == "1 more copy, on another medium and off-site"
    assert rule_3_2_1.COPIES == 3


def test_where_a_repository_holds_the_backups_none_here_is_no_fault(root: Path) -> None:
    (root / "data").mkdir()
    (root / "data/a.json").write_text("{}")
    repositories = {"disk": RepositorySettings(program="restic", location="/srv/restic")}
    own = Settings(root=str(root), backups=BackupSettings(repositories=repositories))
    report = verify_here(own, now=NOW, stop=Event(), dry_run=True, advance=lambda _count: None)
    assert [(each.check, each.status) for each in report.findings] == [("backup.present", Status.SKIPPED)]


def test_an_archive_without_a_manifest_beside_it_is_compared_all_the_same(
    verify: Verify, elsewhere: Path, backed_up: Path
) -> None:
    (beside,) = backed_up.parent.glob("*.manifest.json")
    beside.unlink()
    ((status, message),) = findings_of(verify(copies=[str(elsewhere)]), "copy")
    assert status is Status.OK, message
