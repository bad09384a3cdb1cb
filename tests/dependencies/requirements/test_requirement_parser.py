from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import Version

from tasks.dependencies.requirements.declarations import with_new_versions
from tasks.dependencies.requirements.requirement_files import encoded
from tasks.dependencies.requirements.requirement_parser import LineKind, RequirementLine, parse_requirements


def only(text: str) -> RequirementLine:
    (entry,) = parse_requirements(text)
    return entry


def pin(text: str) -> str | None:
    entry = only(text)
    return None if entry.pin is None else text[slice(*entry.pin)]


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("demo", LineKind.REQUIREMENT, "demo"),
        ("Demo_Package.x>=1,<2 # why", LineKind.REQUIREMENT, "demo-package-x"),
        ('demo[a,b] == 1.0 ; python_version > "3.8"', LineKind.REQUIREMENT, "demo"),
        ("demo (>=1.0)", LineKind.REQUIREMENT, "demo"),
        ("demo==1.0 --hash=sha256:abc", LineKind.REQUIREMENT, "demo"),
        ("demo==1.0 \\\n    --hash=sha256:abc \\\n    --hash=sha256:def", LineKind.REQUIREMENT, "demo"),
        ("demo @ https://example.org/demo.zip", LineKind.DIRECT, "demo"),
        ("https://example.org/demo.whl", LineKind.DIRECT, ""),
        ("git+https://example.org/demo#egg=demo", LineKind.DIRECT, ""),
        ("./demo", LineKind.DIRECT, ""),
        ("wheels/demo-1.0-py3-none-any.whl", LineKind.DIRECT, ""),
        ("demo==${VERSION}", LineKind.DIRECT, ""),
        ("demo===${VERSION}", LineKind.DIRECT, ""),
        ("demo==${version}", LineKind.BROKEN, ""),
        ('folder/demo ; python_version > "3"', LineKind.DIRECT, ""),
        ("file:demo", LineKind.DIRECT, ""),
        ("-e .", LineKind.EDITABLE, ""),
        ("--editable=./demo", LineKind.EDITABLE, ""),
        ("demo===", LineKind.BROKEN, ""),
        ("-egit+https://example.org/demo#egg=demo", LineKind.EDITABLE, ""),
        ("--extra-index-url https://example.org/simple", LineKind.OPTION, ""),
        ("--require-hashes", LineKind.OPTION, ""),
        ("--requirements.txt", LineKind.OPTION, ""),
        ("-r other.txt", LineKind.INCLUDE, ""),
        ("-rother.txt", LineKind.INCLUDE, ""),
        ("--requirement=other.txt", LineKind.INCLUDE, ""),
        ("-c limits.txt # these", LineKind.CONSTRAINTS, ""),
        ("--constraint limits.txt", LineKind.CONSTRAINTS, ""),
        ("--index-url https://example.org/simple", LineKind.OPTION, ""),
        ("-i https://example.org/simple", LineKind.OPTION, ""),
        ("--pre", LineKind.OPTION, ""),
        ("demo==", LineKind.BROKEN, ""),
        ("two words", LineKind.BROKEN, ""),
        ("<<<<<<< HEAD", LineKind.BROKEN, ""),
        (">>>>>>> feature/new", LineKind.BROKEN, ""),
        ("note: this", LineKind.BROKEN, ""),
        ("-r", LineKind.BROKEN, ""),
        ("-c ''", LineKind.BROKEN, ""),
        ("-r 'other.txt", LineKind.BROKEN, ""),
        ("demo==" + "9" * 99, LineKind.REQUIREMENT, "demo"),
        ("demo==" + "9" * 100, LineKind.BROKEN, ""),
        ("demo; " + "(" * 50 + 'python_version > "3"' + ")" * 50, LineKind.REQUIREMENT, "demo"),
        ("demo; " + "(" * 51 + 'python_version > "3"' + ")" * 51, LineKind.BROKEN, ""),
    ],
)
def test_the_kinds_of_lines(text: str, kind: LineKind, name: str) -> None:
    entry = only(f"\n# a comment\n   \n{text}\n")
    assert (entry.kind, entry.name, entry.line) == (kind, name, 4)
    assert bool(entry.problem) == (kind is LineKind.BROKEN)


def test_the_file_that_a_line_names() -> None:
    targets = [
        entry.target for entry in parse_requirements("-r 'a b.txt'\n-rc.txt\n--constraint=x/y.txt # z\n-c  'q.txt'\n")
    ]
    assert targets == ["a b.txt", "c.txt", "x/y.txt", "q.txt"]


@pytest.mark.parametrize("text", ["", "\n\n", "# x", "  # x==1", "\ufeff", "\\\n", "\\\n# x\n"])
def test_nothing_is_asked_for(text: str) -> None:
    assert parse_requirements(text) == []


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("demo==1.0", "1.0"),
        ("demo == 1.0  # ==2.0", "1.0"),
        ("demo[x]==1!1.0.post1+cpu", "1!1.0.post1+cpu"),
        ("demo===odd-version", "odd-version"),
        ("demo (==1.0)", "1.0"),
        ('demo==1.0;python_version=="3.11"', "1.0"),
        ("demo \\\n  == \\\n  1.0", "1.0"),
        ("demo==1.\\\n0", None),
        ("demo===a#b", None),
        ("demo==1.*", None),
        ("demo>=1.0", None),
        ("demo==1.0,!=1.1", None),
        ("demo~=1.0", None),
        ("demo", None),
        ("demo @ https://example.org/demo-1.0==1.zip", None),
        ("\ufeffdemo==1.0\r\n", "1.0"),
        ("demo==1.0\u00a0# c", "1.0"),
        ("demo \\\\\n==1.0", "1.0"),
    ],
)
def test_where_a_pinned_version_stands(text: str, version: str | None) -> None:
    assert pin(text) == version


def test_hashes_are_seen_on_continued_lines() -> None:
    assert only("demo==1.0 \\\n    --hash=sha256:abc").hashed
    assert not only("demo==1.0").hashed


def test_a_comment_ends_a_continued_line() -> None:
    entries = parse_requirements("demo==1.0 \\\n# no\nother==2.0\n")
    assert [(entry.name, entry.line) for entry in entries] == [("demo", 1), ("other", 3)]


NAMES = ["demo", "Demo_Two", "zope.interface", "a"]
VERSIONS = ["1.0", "2.0.1", "1!0.5", "0.1.dev3", "3.0rc1", "1.0.post2", "2024.1"]
names = st.sampled_from(NAMES)
versions = st.sampled_from(VERSIONS)
extras = st.sampled_from(["", "[x]", "[x, y]", " [x]"])
markers = st.sampled_from(["", '; python_version >= "3.8"', ' ; sys_platform == "linux"', ';extra=="q"'])
comments = st.sampled_from(["", "  # why", " #==9.9", "\t# ü"])
hashes = st.sampled_from(["", "", " --hash=sha256:" + "a" * 64, " \\\n    --hash=sha256:" + "b" * 64])
specs = st.one_of(
    st.builds("{}{}{}".format, st.sampled_from(["==", " == ", "===", "==  "]), versions, st.just("")),
    st.builds(">={},<99".format, versions),
    st.builds("~={}".format, st.sampled_from(["1.0", "2.0.1"])),
    st.builds("=={}.*".format, st.sampled_from(["1", "2.0"])),
    st.builds("=={},!=7".format, versions),
    st.just(""),
)
requirements = st.builds("{}{}{}{}{}{}".format, names, extras, specs, markers, hashes, comments)
others = st.sampled_from(
    [
        "",
        "# comment==1.0",
        "   ",
        "-r other.txt",
        "-c limits.txt",
        "--index-url https://example.org/simple",
        "-e ./local",
        "./wheels/demo-1.0-py3-none-any.whl",
        "demo @ https://example.org/demo-1.0.zip",
        "git+https://example.org/demo.git@v1.0#egg=demo",
        "demo == \\\n   1.0",
        "other==${A_VARIABLE_THAT_NOBODY_HAS}",
        "demo (==1.0)",
        "demo (>=1.0)",
        "--pre",
        "demo==1.0 --config-settings=a=b",
    ]
)
ends = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def texts(draw: st.DrawFn) -> str:
    lines = draw(st.lists(st.one_of(requirements, requirements, others), max_size=12))
    end = draw(ends)
    text = end.join(line.replace("\n", end) for line in lines) + draw(st.sampled_from(["", end]))
    return draw(st.sampled_from(["", "", "\ufeff"])) + text


@given(texts(), versions, versions)
def test_only_the_versions_that_are_meant_change(text: str, old: str, new: str) -> None:
    wanted = {"demo": (old, new), "zope-interface": (old, new)}
    meant = [
        entry
        for entry in parse_requirements(text)
        if entry.pin and not entry.hashed and entry.name in wanted and Version(entry.pinned or "") == Version(old)
    ]
    result = with_new_versions(text, wanted)
    expected, end = "", 0
    for entry in meant:
        assert entry.pin is not None
        expected += text[end : entry.pin[0]] + new
        end = entry.pin[1]
    assert result == expected + text[end:]
    before, after = parse_requirements(text), parse_requirements(result)
    assert len(before) == len(after)
    changed = {(entry.line, entry.name) for entry in meant}
    for one, other in zip(before, after, strict=True):
        if (one.line, one.name) in changed:
            assert other.pinned == new
            assert (one.kind, one.name, one.hashed) == (other.kind, other.name, other.hashed)
        else:
            assert one._replace(pin=None) == other._replace(pin=None)


@given(texts(), versions)
def test_an_edit_taken_back_gives_the_same_bytes(text: str, old: str) -> None:
    new = "77.7"
    there = with_new_versions(text, {"demo": (old, new), "a": (old, new)})
    assert encoded(with_new_versions(there, {"demo": (new, old), "a": (new, old)})) == encoded(text)


@given(texts())
def test_nothing_to_change_changes_nothing(text: str) -> None:
    assert with_new_versions(text, {}) == text
    raw = encoded(text)
    assert encoded(raw.decode("utf-8", "surrogateescape")) == raw


@given(st.one_of(st.text(), st.text(alphabet="d=1.0 #\\\n\r-rce;[]@:/$\ufeff\x85\f")))
def test_any_text_is_survived_and_spans_are_in_order(text: str) -> None:
    end = 0
    for entry in parse_requirements(text):
        if entry.pin is not None:
            assert end <= entry.pin[0] < entry.pin[1] <= len(text)
            assert text[slice(*entry.pin)] == entry.pinned
            end = entry.pin[1]
    assert with_new_versions(text, {"d": ("1.0", "2.0")}).count("\n") == text.count("\n")


def read(text: str) -> str:
    """Return a requirement in its one spelling; what is none by name as it is."""
    try:
        return str(Requirement(text))
    except InvalidRequirement:
        return text


@given(text=texts())
def test_pips_own_parser_sees_the_same_requirements(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    oracle = pytest.importorskip("pip._internal.req.req_file")
    folder = tmp_path_factory.getbasetemp() / "oracle"
    folder.mkdir(exist_ok=True)
    for name in ("other.txt", "limits.txt"):
        (folder / name).touch()
    (folder / "requirements.txt").write_bytes(encoded(text))
    seen = [
        (each.line_source.split()[1], read(each.requirement), "hashes" in each.options)
        for each in oracle.parse_requirements(str(folder / "requirements.txt"), session=None)
        if not each.is_editable
    ]
    ours = [
        (str(entry.line), read(entry.text.partition(" --")[0]), entry.hashed)
        for entry in parse_requirements(text)
        if entry.kind in {LineKind.REQUIREMENT, LineKind.DIRECT}
    ]
    assert ours == seen
    for entry in parse_requirements(text):
        if entry.requirement is not None:
            assert str(entry.requirement) == read(entry.text.partition(" --")[0])


def test_an_edit_of_each_shape(tmp_path: Path) -> None:
    text = (
        "# demo==1.0\r\n"
        "demo==1.0  # keep ==1.0\r\n"
        'demo[x] == 1.0 ; python_version < "4"\r\n'
        "demo==1.1\r\n"
        "demo==1.0 --hash=sha256:abc\r\n"
        "demo>=1.0\r\n"
        "other==1.0"
    )
    path = tmp_path / "requirements.txt"
    path.write_bytes(encoded(text))
    expected = text.replace("\r\ndemo==1.0  #", "\r\ndemo==2.0  #").replace("[x] == 1.0", "[x] == 2.0")
    assert with_new_versions(text, {"demo": ("1.0.0", "2.0")}) == expected


def test_versions_that_are_none_are_compared_as_they_are() -> None:
    assert with_new_versions("demo===odd\n", {"demo": ("odd", "2.0")}) == "demo===2.0\n"
    assert with_new_versions("demo===odd\n", {"demo": ("1.0", "2.0")}) == "demo===odd\n"
