from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from tasks.cache.cleanup_outcome import CleanupOutcome, Names, Tally, WrittenFile
from tasks.cache.cleanup_report import evaluate
from tasks.cache.expiry import plan
from tasks.core.files.safe_files import Refused
from tasks.core.report.model import Finding, Report, Status
from tasks.core.settings.model import CacheSettings

from .conftest import NOW_NS, done, every, found

SETTINGS = CacheSettings(expiry_hours={"temp": 24}, prefixes={"tmp_": "temp"})


def outcome(*, settings: CacheSettings = SETTINGS, kinds: tuple[str, ...] = (), **tallies: Tally) -> CleanupOutcome:
    return CleanupOutcome(plan(settings, NOW_NS, kinds=kinds), tallies=tallies)


def report(of: CleanupOutcome, *, dry_run: bool = False, settings: CacheSettings = SETTINGS) -> Report:
    return evaluate(settings, of, dry_run=dry_run)


def test_an_empty_cache_is_ok_and_says_so() -> None:
    one = report(outcome(temp=Tally()))
    assert one.status is Status.OK
    assert one.summary == "0 expired entries deleted (0 B), 0 kept (0 B)"
    assert one.actions == []
    assert found(one, "cache.expired").message == "0 entries older than 24 h deleted (0 B), 0 kept (0 B)."


def test_the_summary_adds_up_the_top_every_kind_and_all_other_folders() -> None:
    of = outcome(temp=Tally(files=1300, bytes=2_000_000, expired=1200, expired_bytes=3_000_000))
    of.others = Tally(files=7, bytes=70)
    of.top.tally = Tally(files=2, bytes=20, expired=1, expired_bytes=10)
    assert report(of).summary == "1,201 expired entries deleted (3.0 MB), 1,309 kept (2.0 MB)"
    assert report(of, dry_run=True).summary == "1,201 expired entries would be deleted (3.0 MB), 1,309 kept (2.0 MB)"
    assert (of.total.files, of.total.bytes, of.total.expired, of.total.expired_bytes) == (
        1309,
        2_000_090,
        1201,
        3_000_010,
    )
    assert (of.elsewhere.files, of.elsewhere.bytes) == (9, 90)
    assert of.top.tally.files == 2  # adding up changes nothing


def test_an_interrupted_run_says_how_far_it_came() -> None:
    of = outcome(temp=Tally(files=1, expired=2))
    of.interrupted = True
    one = report(of)
    assert one.summary == "interrupted: 2 expired entries deleted (0 B) until then"
    assert one.status is Status.UNKNOWN
    finding = found(one, "cache.interrupted", "cache")
    assert finding.remedy == "Run inv weekly.cache-cleanup again."
    assert one.metrics == []
    assert done(one, "delete") == {"cache/temp": (2, 0)}


def test_a_cache_that_could_not_be_opened_yields_that_and_nothing_else() -> None:
    of = outcome(temp=Tally(files=1))
    of.refuse("cache", Refused("cache is a symbolic link, which is not followed."))
    of.usable = False
    one = report(of)
    assert one.summary == "the cache could not be cleaned"
    (finding,) = one.findings
    assert finding.message.endswith(": cache is a symbolic link, which is not followed.")
    assert finding.remedy is not None
    assert finding.status is Status.UNKNOWN
    assert one.metrics == []


def test_a_refusal_names_the_path_readably_and_the_systems_reason() -> None:
    of = outcome()
    of.refuse("cache/new\nline", PermissionError(13, "Permission denied"))
    finding = found(report(of), "cache.folder")
    assert finding.subject == "cache/new\\nline"
    assert finding.message == "Not cleaned to its end: Permission denied."


@pytest.mark.parametrize(
    ("number", "message"), [(1, "1 missing folder created."), (2, "2 missing folders would be created.")]
)
def test_created_folders_are_told_of(number: int, message: str) -> None:
    of, dry_run = outcome(), "would" in message
    of.created = [f"cache/{index}" for index in range(number)]
    one = report(of, dry_run=dry_run)
    finding = found(one, "cache.structure", "cache")
    assert (finding.message, finding.value, finding.unit, finding.status) == (message, number, "folders", Status.OK)
    assert [(action.verb, action.done) for action in one.actions] == [("create", not dry_run)] * number


@pytest.mark.parametrize(
    ("age", "text"), [(0.5, " older than 30 min"), (6, " older than 6 h"), (168, " older than 7 days"), (0, "")]
)
def test_the_expiry_is_said_as_people_say_it(age: float, text: str) -> None:
    settings = msgspec.structs.replace(SETTINGS, expiry_hours={"temp": age})
    one = report(outcome(settings=settings, temp=Tally(expired=1)), dry_run=True, settings=settings)
    assert found(one, "cache.expired").message == f"1 entry{text} would be deleted (0 B), 0 kept (0 B)."


def test_only_kinds_that_were_cleaned_have_a_finding_on_their_expiry() -> None:
    settings = CacheSettings()
    tallies = {kind: Tally() for kind in settings.expiry_hours}
    one = report(outcome(settings=settings, kinds=("temp",), **tallies), settings=settings)
    assert [finding.subject for finding in every(one, "cache.expired")] == ["cache/temp"]
    assert len(one.metrics) == 2 + 2 * 4


def test_folders_that_are_no_kind_are_listed_in_order_and_readably() -> None:
    of = outcome(temp=Tally())
    of.top.folders = ["z\x1b[31m", "a"]
    finding = found(report(of), "cache.unmanaged", "cache")
    assert finding.message == 'Counted and left alone, for no expiry is set: "a", "z\\x1b[31m".'
    assert (finding.value, finding.status) == (2, Status.OK)


# The top


def test_loose_files_moved_and_deleted_are_told_of() -> None:
    of = outcome(temp=Tally())
    of.top.tally = Tally(expired=2, expired_bytes=20)
    of.top.moved = {"temp": (3, 33)}
    one, dry = report(of), report(of, dry_run=True)
    assert found(one, "cache.misplaced").message == "3 misplaced files moved to temp."
    assert found(dry, "cache.misplaced").message == "3 misplaced files would be moved to temp."
    assert found(one, "cache.expired", "cache").value == 2
    assert "would be deleted" in found(dry, "cache.expired", "cache").message
    assert done(one, "move") == {"cache/temp": (3, 33)}
    assert done(one, "delete") == {"cache": (2, 20)}


def test_loose_files_that_stay_are_told_apart_by_the_reason() -> None:
    of = outcome(temp=Tally())
    of.top.tally = Tally(files=10)
    of.top.name_exists = Names(2, ["tmp_1", "tmp_2"])
    of.top.folder_closed = Names(3, ["tmp_3", "tmp_4", "tmp_5"])
    of.top.unsorted = 5
    one = report(of)
    occupied, homeless = every(one, "cache.misplaced")
    assert (occupied.value, occupied.status) == (2, Status.WARNING)
    assert occupied.remedy is not None
    assert '"tmp_1", "tmp_2"' in occupied.message
    assert (homeless.value, homeless.status) == (3, Status.WARNING)
    assert '"tmp_5"' in homeless.message
    unsorted = found(one, "cache.unsorted")
    assert (unsorted.value, unsorted.status) == (5, Status.OK)


def test_every_warning_says_what_to_do() -> None:
    of = outcome(temp=Tally(failed={"why": Names(1, ["a"])}, future=Names(1, ["b"])))
    of.top.name_exists = Names(1, ["tmp_1"])
    of.top.folder_closed = Names(1, ["tmp_2"])
    of.top.tally = Tally(files=2)
    of.files = [WrittenFile("cache.report", "logs/x.json", "It is bad.", "Look.")]
    warnings = [finding for finding in report(of).findings if finding.status is not Status.OK]
    assert len(warnings) == 5
    assert [finding.check for finding in warnings if not finding.remedy] == []


# Exceptions

EXCEPTIONS: dict[str, Callable[[Names], Tally]] = {
    "cache.failed": lambda names: Tally(failed={"the reason": names}),
    "cache.future": lambda names: Tally(future=names),
    "cache.locked": lambda names: Tally(locked=names),
    "cache.changed": lambda names: Tally(changed=names),
    "cache.special": lambda names: Tally(special=names),
    "cache.foreign": lambda names: Tally(foreign={"the reason": names}),
}


@pytest.mark.parametrize("check", EXCEPTIONS)
@pytest.mark.parametrize("place", ["cache", "cache/temp"])
def test_each_exception_is_told_of_where_it_happened(check: str, place: str) -> None:
    tally = EXCEPTIONS[check](Names(7, ["a", "b\n", "c", "d", "e", "f"]))
    of = outcome(temp=tally if place == "cache/temp" else Tally())
    if place == "cache":
        of.top.tally = tally
    finding = found(report(of), check)
    assert finding.subject == place
    assert finding.status is (Status.WARNING if check in {"cache.failed", "cache.future"} else Status.OK)
    assert (finding.value, finding.unit) == (7, "entries")
    assert finding.message.startswith("7 ")
    assert finding.message.endswith(': "a", "b\\n", "c", "d", "e" and 2 more.')
    assert ("the reason" in finding.message) is (check in {"cache.failed", "cache.foreign"})


@pytest.mark.parametrize("check", EXCEPTIONS)
def test_an_exception_that_did_not_happen_is_not_told_of(check: str) -> None:
    assert not every(report(outcome(temp=Tally())), check)


def test_one_of_a_kind_is_said_in_the_singular() -> None:
    for check, tally in EXCEPTIONS.items():
        message = found(report(outcome(temp=tally(Names(1, ["a"])))), check).message
        assert not any(word in message for word in ("1 entries", "1 links", "1 folders", " them", "their"))


def test_folders_left_alone_for_different_reasons_are_told_of_apart() -> None:
    tally = Tally()
    tally.leave("clone", "a Git repository")
    tally.leave("mount", "on another file system")
    messages = [finding.message for finding in every(report(outcome(temp=tally)), "cache.foreign")]
    assert messages == [
        '1 entry left alone (a Git repository): "clone".',
        '1 entry left alone (on another file system): "mount".',
    ]


def test_what_happened_in_other_folders_is_told_of_the_cache() -> None:
    of = outcome(temp=Tally())
    of.others.special.add("other/link")
    of.top.tally.special.add("link")
    finding = found(report(of), "cache.special")
    assert (finding.subject, finding.value) == ("cache", 2)
    assert '"link", "other/link"' in finding.message


# Files written


def note(note: WrittenFile, *, dry_run: bool = False) -> Finding:
    of = outcome()
    of.files = [note]
    return found(report(of, dry_run=dry_run), note.check)


def test_files_that_were_written_are_listed_and_need_no_finding() -> None:
    of = outcome()
    of.files = [WrittenFile("cache.statistics", "cache/stats.json", planned=True, written=True)]
    one = report(of)
    assert one.files == ["cache/stats.json"]
    assert one.findings == []
    assert done(one, "write") == {"cache/stats.json": (1, 0)}


def test_files_that_would_be_written_are_planned_and_not_listed() -> None:
    of = outcome()
    of.files = [
        WrittenFile("cache.statistics", "cache/stats.json", planned=True),
        WrittenFile("cache.report", "logs/x", "Refused."),
    ]
    one = report(of, dry_run=True)
    assert one.files == []
    assert [(action.target, action.done) for action in one.actions] == [("cache/stats.json", False)]


def test_a_file_that_should_have_been_written_and_was_not_is_no_action() -> None:
    of = outcome()
    of.files = [WrittenFile("cache.statistics", "cache/stats.json", "It is bad.", planned=True)]
    assert report(of).actions == []


def test_a_file_kept_aside_is_named() -> None:
    finding = note(
        WrittenFile(
            "cache.report", "logs/x.json", "It is bad.", planned=True, written=True, aside="logs/x.json.broken-1"
        )
    )
    assert finding.message == "It is bad. It was kept as logs/x.json.broken-1 and a new one begun."
    assert (finding.status, finding.subject) == (Status.WARNING, "logs/x.json")


def test_a_file_that_was_not_written_is_told_of_with_the_problem() -> None:
    finding = note(WrittenFile("cache.report", "logs/\x1b.json", "It is bad.", "Do it."))
    assert (finding.message, finding.remedy) == ("It is bad.", "Do it.")
    assert finding.subject == "logs/\\x1b.json"


def test_a_folders_removal_is_an_action_of_its_own() -> None:
    one = report(outcome(temp=Tally(expired=1, expired_bytes=3, folders_removed=2)))
    assert [(action.verb, action.target, action.count, action.bytes) for action in one.actions] == [
        ("delete", "cache/temp", 1, 3),
        ("remove", "cache/temp", 2, 0),
    ]


def test_names_that_are_no_text_are_readable_all_over_the_report() -> None:
    settings = CacheSettings(directory="ca\nche", expiry_hours={"te\x1bmp": 24}, prefixes={})
    of = outcome(settings=settings)
    tally = Tally(files=3, expired=1, folders_removed=1)
    for names in (tally.future, tally.locked, tally.changed, tally.special):
        names.add("\udcff\n")
    tally.fail("\udcff\n", OSError("odd\nreason"))
    tally.leave("\udcff\n", "why")
    of.tallies = {"te\x1bmp": tally}
    of.top.folders.append("\udcfe")
    of.top.unsorted = 1
    of.created = ["ca\nche/te\x1bmp"]
    of.top.moved = {"te\x1bmp": (1, 1)}
    of.top.name_exists.add("\udcff")
    of.top.folder_closed.add("\udcff")
    of.top.tally = Tally(files=9, expired=1)
    of.refuse("ca\nche/\udcff", OSError(5, "Input/output error"))
    of.files = [WrittenFile("cache.report", "lo\ngs/x", "bad", planned=True, written=True)]
    one = report(of, settings=settings)
    assert len(one.findings) == 16
    texts = [one.summary, *one.files]
    texts += [text for finding in one.findings for text in (finding.subject, finding.message)]
    texts += [action.target for action in one.actions] + [metric.subject or "" for metric in one.metrics]
    assert [text for text in texts if not text.isprintable()] == []
