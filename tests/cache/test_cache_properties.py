"""Random trees, inside and outside the cache: what a clean-up does to them is compared with a model of it."""

from __future__ import annotations

import os
import stat
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.cache.expiry import MARKERS, plan
from tasks.core.report.model import Report
from tasks.core.settings.model import CacheSettings
from tests.examples import examples

from .conftest import HOUR_NS, NOW_NS, Project, Seen, done, every, look, planned

KINDS = ("api_responses", "material_data", "component_cache", "temp")
PREFIXES = {"api_": "api_responses", "material_": "material_data", "component_": "component_cache", "tmp_": "temp"}

CORNERS = [hours for limit in (6, 24, 168) for hours in (limit - 1, limit, limit + 1)]


class Item(NamedTuple):
    """Something to put into the tree."""

    place: str
    below: list[str]
    name: str
    sort: str
    target: str
    age_ns: int
    content: bytes
    mode: int


def _usable(name: str) -> bool:
    return name not in {"", ".", "..", ".git", "stats.json"} and len(os.fsencode(name)) <= 255


def _named(text: str) -> str:
    return text.replace("/", "-").replace("\0", "0")


ODD = [
    "-rf",
    "--help",
    " ",
    "new\nline",
    "tab\t",
    "\x1b[31m",
    os.fsdecode(b"\xff\xfe"),
    "ü",
    "e\u0301",
    "\u202egnp",
    "x" * 255,
    "\u0436" * 127,
    "*",
    "$(id)",
    "'\"",
    "...",
    ".hidden",
    *sorted(MARKERS),
]
PLAIN = ["a", "b", "c", "api_1", "api_2", "material_1", "component_1", "tmp_1", "temp", "other"]
names = st.one_of(
    st.sampled_from(PLAIN),
    st.sampled_from(ODD),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).map(_named),
    st.binary(min_size=1, max_size=8).map(os.fsdecode).map(_named),
).filter(_usable)

inside = st.sampled_from([*(f"cache/{kind}" for kind in KINDS), "cache", "cache/other"])
outside = st.sampled_from(["outside", "outside/cache/temp", "logs"])
targets = st.sampled_from(
    ["outside", "outside/a", "cache", "cache/temp", "cache/temp/a", "cache/api_responses", ".", "..", "nowhere", "SELF"]
)
ages = st.one_of(
    st.builds(
        lambda hours, extra: hours * HOUR_NS + extra, st.sampled_from(CORNERS), st.sampled_from([-1, 0, 1, 12345])
    ),
    st.integers(-48 * HOUR_NS, 10_000 * HOUR_NS),
)
sorts = st.sampled_from(["file"] * 8 + ["folder", "folder", "symlink", "symlink", "hardlink", "pipe", "repository"])


below: st.SearchStrategy[list[str]] = st.one_of(
    st.just([]),
    st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=2),
    st.lists(st.sampled_from(["a", "ü", "-rf", "new\nline"]) | names, max_size=3),
)
loose = st.builds(
    lambda prefix, name: (prefix + name)[:40], st.sampled_from(list(PREFIXES)), st.sampled_from(["1", "2", "3"]) | names
)


def items(
    place: st.SearchStrategy[str],
    below: st.SearchStrategy[list[str]] = below,
    names: st.SearchStrategy[str] = names,
    sorts: st.SearchStrategy[str] = sorts,
) -> st.SearchStrategy[Item]:
    return st.builds(
        Item,
        place,
        below,
        names,
        sorts,
        targets,
        ages,
        st.binary(max_size=40),
        st.sampled_from([0o600, 0o644, 0o755, 0o400]),
    )


trees = st.tuples(
    st.lists(items(outside), max_size=5),
    st.lists(items(inside), min_size=8, max_size=25),
    st.lists(items(st.just("cache"), st.just([]), loose, st.sampled_from(["file", "file", "hardlink"])), max_size=8),
    st.lists(ages, max_size=12),
).map(lambda drawn: ([*drawn[0], *drawn[1], *drawn[2]], drawn[3]))
Tree = tuple[list[Item], list[int]]


def build(root: Path, tree: Tree) -> None:
    """Make the tree; what cannot be, for its name is taken or a folder is missing, is left out."""
    drawn, folder_ages = tree
    (root / "outside/cache/temp").mkdir(parents=True)
    (root / "outside/kept").write_bytes(b"kept")
    for number, item in enumerate(drawn):
        with suppress(OSError):
            make(root, item, number)
    folders = sorted((path for path, seen in look(root).items() if stat.S_ISDIR(seen.mode)), reverse=True)
    for number, path in enumerate(folders if folder_ages else []):
        moment = NOW_NS - folder_ages[number % len(folder_ages)]
        os.utime(root / path, ns=(moment, moment), follow_symlinks=False)


def make(root: Path, item: Item, number: int) -> None:
    """Put one item into the tree."""
    folder = root.joinpath(item.place, *item.below)
    if any(part.is_symlink() for part in (folder, *folder.parents) if part.is_relative_to(root) and part != root):
        return  # a link may lead into another part of the tree, or out of it
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / item.name
    match item.sort:
        case "folder":
            path.mkdir(item.mode | 0o700)
        case "repository":
            if folder == root / "cache":
                return  # that would be a kind of its own accord, which other tests look at
            (path / ".git").mkdir(parents=True)
        case "symlink":
            path.symlink_to(item.name if item.target == "SELF" else root / item.target)
        case "pipe":
            os.mkfifo(path, item.mode)
        case "hardlink":
            other = root / f"outside/linked_{number}"
            other.write_bytes(item.content)
            path.hardlink_to(other)
        case _:
            with path.open("xb") as file:
                file.write(item.content)
            path.chmod(item.mode)
    if item.sort != "symlink" or os.utime in os.supports_follow_symlinks:
        moment = NOW_NS - item.age_ns
        os.utime(path, ns=(moment, moment), follow_symlinks=False)


class Expected(NamedTuple):
    """What the model says of a clean-up."""

    after: dict[str, Seen]
    deleted: set[str]
    removed: set[str]
    moved: dict[str, str]
    created: set[str]
    walked: set[str]


class Model:
    """The clean-up again, in the plainest way: on the picture of a tree, with nothing to go wrong."""

    def __init__(self, tree: dict[str, Seen]) -> None:
        self.tree = tree
        self.children: defaultdict[str, list[str]] = defaultdict(list)
        for path in tree:
            self.children[path.rpartition("/")[0]].append(path)
        self.plan = plan(CacheSettings(prefixes=PREFIXES), NOW_NS)

    def expected(self) -> Expected:
        refused = {k for k in KINDS if f"cache/{k}" in self.tree and not self._is(stat.S_ISDIR, f"cache/{k}")}
        created = {f"cache/{kind}" for kind in KINDS if f"cache/{kind}" not in self.tree}
        if "cache" not in self.tree:
            created.add("cache")
        gone: set[str] = set()
        moved: dict[str, str] = {}
        for path in self.children["cache"]:
            name = path.removeprefix("cache/")
            kind = self.plan.kind_of(name)
            if not self._is(stat.S_ISREG, path) or name in KINDS or name in MARKERS or kind is None:
                continue
            if self._is_expired(path, kind):
                gone.add(path)
            elif kind not in refused and f"cache/{kind}/{name}" not in self.tree:
                moved[path] = f"cache/{kind}/{name}"
        for kind in set(KINDS) - refused:
            gone |= self._swept(f"cache/{kind}", kind, active=True)
        after = {moved.get(path, path): seen for path, seen in self.tree.items() if path not in gone}
        folders = {path for path in self.children["cache"] if self._is(stat.S_ISDIR, path)}
        walked = folders | {path for path in created if path != "cache"}
        removed = {path for path in gone if self._is(stat.S_ISDIR, path)}
        return Expected(after, gone - removed, removed, moved, created, walked)

    def _is(self, sort: object, path: str) -> bool:
        assert callable(sort)
        return bool(sort(self.tree[path].mode))

    def _is_expired(self, path: str, kind: str) -> bool:
        return self.tree[path].mtime_ns < self.plan.expiry[kind].before_ns

    def _swept(self, folder: str, kind: str, *, active: bool) -> set[str]:
        gone: set[str] = set()
        for path in self.children[folder]:
            if self._is(stat.S_ISDIR, path):
                inner = self._swept(path, kind, active=active and f"{path}/.git" not in self.tree)
                gone |= inner
                if active and self._is_expired(path, kind) and inner.issuperset(self.children[path]):
                    gone.add(path)
            elif self._is(stat.S_ISREG, path) and path.rpartition("/")[2] not in MARKERS and active:
                gone |= {path} if self._is_expired(path, kind) else set()
        return gone


def summed(paths: set[str], tree: dict[str, Seen]) -> dict[str, tuple[int, int]]:
    """Return per folder of the cache how many of *paths* lay there and their size."""
    sums: dict[str, tuple[int, int]] = {}
    for path in paths:
        place = "/".join(path.split("/")[:2]) if path.count("/") > 1 else "cache"
        count, size = sums.get(place, (0, 0))
        sums[place] = (count + 1, size + tree[path].size)
    return sums


def counted(tree: dict[str, Seen], folder: str) -> tuple[int, int]:
    """Return the number and the bytes of the entries below *folder*: regular files that are no markers."""
    sizes = [
        seen.size
        for path, seen in tree.items()
        if path.startswith(f"{folder}/") and stat.S_ISREG(seen.mode) and path.rpartition("/")[2] not in MARKERS
    ]
    return len(sizes), sum(sizes)


def is_entry_at_the_top(path: str, seen: Seen) -> bool:
    name = path.removeprefix("cache/")
    return "/" not in name and stat.S_ISREG(seen.mode) and name not in {*MARKERS, *KINDS, "stats.json"}


@contextmanager
def projects(tree: Tree) -> Iterator[Project]:
    """Build the tree in a folder of its own and clean it as often as the block wants."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project(Path(folder))
        project.set_cache(prefixes=PREFIXES)
        build(project.root, tree)
        yield project


def outside_of(tree: dict[str, Seen]) -> dict[str, tuple[object, ...]]:
    """Return all that no clean-up may change, times of folders included."""
    ours = ("cache", "logs/cache_reports", "logs/maintenance_history.jsonl")
    return {
        path: (seen.mode, seen.size, seen.content, seen.inode, seen.mtime_ns)
        if path != "logs"  # a folder may be made in it
        else (seen.mode, seen.inode)
        for path, seen in tree.items()
        if path not in ours and not path.startswith(tuple(f"{one}/" for one in ours))
    }


def inside_of(tree: dict[str, Seen]) -> dict[str, tuple[object, ...]]:
    """Return what must be in the cache after a clean-up; the times of its folders change with their content."""
    return {
        path: (seen.mode, seen.inode)
        if stat.S_ISDIR(seen.mode)
        else (seen.mode, seen.inode, seen.mtime_ns, seen.content)
        for path, seen in tree.items()
        if path.startswith("cache/") and path != "cache/stats.json"
    }


def without_new_folders(tree: dict[str, Seen], created: set[str]) -> dict[str, Seen]:
    return {path: seen for path, seen in tree.items() if path not in created}


def check_numbers(report: Report, before: dict[str, Seen], expected: Expected, after: dict[str, Seen]) -> None:
    """Compare every number of the report with what is on the disk."""
    assert done(report, "delete") == summed(expected.deleted, before)
    removed = {place: (number, 0) for place, (number, _) in summed(expected.removed, before).items()}
    assert done(report, "remove") == removed
    assert set(done(report, "create")) == expected.created
    homes: dict[str, tuple[int, int]] = {}
    for source, target in expected.moved.items():
        count, size = homes.get(target.rpartition("/")[0], (0, 0))
        homes[target.rpartition("/")[0]] = (count + 1, size + before[source].size)
    assert done(report, "move") == homes
    metrics = {(metric.name, metric.subject): metric.value for metric in report.metrics}
    total, total_bytes = 0, 0
    for folder in expected.walked:
        number, size = counted(after, folder)
        total, total_bytes = total + number, total_bytes + size
        if folder.removeprefix("cache/") in KINDS:
            assert (metrics["cache.files", folder], metrics["cache.bytes", folder]) == (number, size)
    loose = [seen.size for path, seen in after.items() if path.startswith("cache/") and is_entry_at_the_top(path, seen)]
    assert metrics["cache.files", "cache"] == total + len(loose)
    assert metrics["cache.bytes", "cache"] == total_bytes + sum(loose)
    special = [
        path
        for path, seen in after.items()
        if path.startswith("cache/")
        and stat.S_IFMT(seen.mode) not in {stat.S_IFREG, stat.S_IFDIR}
        and path.removeprefix("cache/") not in KINDS
    ]
    assert sum(int(str(one.value)) for one in every(report, "cache.special")) == len(special)


TREES = settings(max_examples=examples(50), deadline=None, suppress_health_check=[HealthCheck.too_slow])
FEWER = settings(TREES, max_examples=examples(30))


@TREES
@given(trees)
def test_a_clean_up_changes_exactly_what_it_must_and_reports_exactly_that(tree: Tree) -> None:
    with projects(tree) as project:
        before = project.look()
        report = project.run()
        after = project.look()
    expected = Model(before).expected()
    assert outside_of({k: v for k, v in after.items() if k != "logs" or k in before}) == outside_of(before)
    assert inside_of(without_new_folders(after, expected.created)) == inside_of(expected.after)
    assert expected.created <= after.keys()
    assert not [path for path in after if ".maintenance" in path]
    check_numbers(report, before, expected, after)


@FEWER
@given(trees)
def test_a_dry_run_leaves_every_byte_and_plans_what_the_run_after_it_does(tree: Tree) -> None:
    with projects(tree) as project:
        before, root_before = project.look(), project.root.stat().st_mtime_ns
        dry = project.run(dry_run=True)
        assert project.look() == before
        assert project.root.stat().st_mtime_ns == root_before
        wet = project.run()
    assert dry.actions == planned(wet)
    assert all(action.done for action in wet.actions)
    assert (dry.dry_run, wet.dry_run) == (True, False)
    assert dry.metrics == wet.metrics


@FEWER
@given(trees)
def test_a_second_run_finds_nothing_to_delete_and_nothing_to_make(tree: Tree) -> None:
    with projects(tree) as project:
        project.run()
        between = project.look()
        second = project.run()
        after = project.look()
    assert {action.verb for action in second.actions} <= {"write", "move"}
    assert len(inside_of(after)) == len(inside_of(between))
