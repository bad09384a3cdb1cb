from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.dependencies.requirements.declarations import (
    constraint_lines,
    declared_packages,
    option_lines,
    relaxed_lines,
)
from tasks.dependencies.requirements.requirement_files import RequirementsTree, read_tree


def tree(root: Path, **files: str | bytes) -> RequirementsTree:
    for name, content in files.items():
        path = root / f"{name.replace('__', '/')}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_tree(root, "requirements.txt")


def message_of(found: RequirementsTree) -> str:
    (problem,) = found.problems
    assert problem.remedy
    return problem.message


def test_files_that_are_included_from_where_they_are_named(tmp_path: Path) -> None:
    found = tree(
        tmp_path,
        requirements="-r sub/more.txt\none==1\n",
        sub__more="-c ../limits.txt\n-r other.txt\ntwo\n",
        sub__other="three\n",
        limits="-r limits-too.txt\none<2\n",
    )
    (tmp_path / "limits-too.txt").write_text("two<3\n")
    found = read_tree(tmp_path, "./requirements.txt")
    assert {name: file.constraints for name, file in found.files.items()} == {
        "requirements.txt": False,
        "sub/more.txt": False,
        "limits.txt": True,
        "sub/other.txt": False,
        "limits-too.txt": False,
    }
    assert found.problems == ()
    assert [each.path for each in declared_packages(found)["two"]] == ["sub/more.txt", "limits-too.txt"]
    assert {*declared_packages(found)} == {"one", "two", "three"}
    assert {*declared_packages(found, constraints=True)} == {"one"}
    assert constraint_lines(found) == ["one<2"]


@pytest.mark.parametrize("lines", ["-c base.txt\n-r base.txt\n", "-r base.txt\n-c base.txt\n"])
def test_what_is_both_required_and_constrained_is_required(tmp_path: Path, lines: str) -> None:
    found = tree(tmp_path, requirements=lines, base="one==1.0\n")
    assert found.problems == ()
    assert [*declared_packages(found)] == ["one"]


def test_pip_takes_the_same_files_for_requirements(tmp_path: Path) -> None:
    oracle = pytest.importorskip("pip._internal.req.req_file")
    found = tree(
        tmp_path,
        requirements="-c limits.txt\n-r base.txt\none\n",
        limits="-r more.txt\n-c more-limits.txt\ntwo<2\n",
        more="three\n",
        base="four\n-c more.txt\n",
    )
    (tmp_path / "more-limits.txt").write_text("five<2\n")
    found = read_tree(tmp_path, "requirements.txt")
    seen = [*oracle.parse_requirements(str(tmp_path / "requirements.txt"), session=None)]
    required = {each.requirement for each in seen if not each.constraint}
    assert required == {*relaxed_lines(found, {})} == {"one", "three", "four"}
    assert {each.requirement for each in seen} - required == {*constraint_lines(found)} == {"two<2", "five<2"}


def test_no_file_at_all(tmp_path: Path) -> None:
    assert read_tree(tmp_path, "requirements.txt") == RequirementsTree({}, missing=True)
    assert read_tree(tmp_path, "gone/requirements.txt").missing


def test_an_included_file_that_is_missing(tmp_path: Path) -> None:
    found = tree(tmp_path, requirements="one\n-r more.txt\n")
    assert message_of(found) == "more.txt does not exist, but requirements.txt includes it."
    assert [*declared_packages(found)] == ["one"]


@pytest.mark.parametrize("second", ["-r requirements.txt\n", "-r ./more.txt\n", "-c ../p/requirements.txt\n"])
def test_a_circle_is_told_and_the_rest_read(tmp_path: Path, second: str) -> None:
    root = tmp_path / "p"
    root.mkdir()
    found = tree(root, requirements="-r more.txt\none\n", more=f"two\n{second}")
    if second.startswith("-c"):
        assert "outside the project" in message_of(found)
    else:
        assert "leads in a circle: " in message_of(found)
    assert [*declared_packages(found)] == ["one", "two"]


def test_a_circle_off_the_shortest_way_is_told(tmp_path: Path) -> None:
    found = tree(tmp_path, requirements="-r b.txt\n-r c.txt\n", b="-r c.txt\n", c="-r b.txt\n")
    assert message_of(found) == "c.txt, line 1, leads in a circle: b.txt → c.txt → b.txt."


def test_the_same_file_twice_is_no_circle(tmp_path: Path) -> None:
    found = tree(tmp_path, requirements="-r a.txt\n-r b.txt\n", a="-r c.txt\n", b="-r c.txt\n", c="one\n")
    assert found.problems == ()
    assert len(declared_packages(found)["one"]) == 1


def test_a_row_of_includes_has_an_end(tmp_path: Path) -> None:
    files = {f"f{number}": f"-r f{number + 1}.txt\n" for number in range(1, 40)}
    assert "f19.txt, line 1, is the 20th include in a row" in message_of(
        tree(tmp_path, requirements="-r f1.txt\n", **files)
    )
    (tmp_path / "f19.txt").write_text("deep\n")
    found = read_tree(tmp_path, "requirements.txt")
    assert (found.problems, [*declared_packages(found)]) == ((), ["deep"])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("-r https://example.org/x.txt", "an address, which is not followed"),
        ("-r ../outside.txt", "outside the project"),
        ("-r /etc/passwd", "outside the project"),
        ("-r ${WHERE}/x.txt", "line 1, names a file by a variable"),
        ("-r sub", "sub is not a regular file"),
        (f"-r {'x' * 300}.txt", "cannot be read: File name too long."),
        ("demo==", "line 1, is no requirement"),
    ],
)
def test_lines_that_lead_nowhere(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "sub").mkdir()
    assert message in message_of(tree(tmp_path, requirements=f"{line}\n"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("demo\n".encode("utf-16"), "requirements.txt is in UTF-16."),
        (b"demo\0\n", "holds zero bytes"),
        (b"#" * 1_000_001, "1,000,001 bytes"),
    ],
)
def test_files_that_are_no_text(tmp_path: Path, content: bytes, message: str) -> None:
    assert message in message_of(tree(tmp_path, requirements=content))


def test_the_largest_file_that_is_read(tmp_path: Path) -> None:
    assert tree(tmp_path, requirements=b"#" * 1_000_000).problems == ()


def test_links_and_pipes_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("demo\n")
    (tmp_path / "requirements.txt").symlink_to("other.txt")
    assert "requirements.txt" in message_of(read_tree(tmp_path, "requirements.txt"))
    (tmp_path / "requirements.txt").unlink()
    os.mkfifo(tmp_path / "requirements.txt")
    assert "requirements.txt" in message_of(read_tree(tmp_path, "requirements.txt"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("demo\n")
    (tmp_path / "requirements.txt").chmod(0)
    assert message_of(read_tree(tmp_path, "requirements.txt")) == "requirements.txt cannot be read: Permission denied."


def test_bytes_that_are_no_utf_8_are_kept(tmp_path: Path) -> None:
    raw = b"demo==1.0 # caf\xe9\n"
    file = tree(tmp_path, requirements=raw).files["requirements.txt"]
    assert file.raw == raw
    assert file.entries[0].pinned == "1.0"


def test_what_is_declared_with_its_place(tmp_path: Path) -> None:
    text = 'one==1.0\none[x]>=1; python_version<"3"\ntwo==2.0 --hash=sha256:a\nthree @ https://example.org/x\n'
    found = declared_packages(tree(tmp_path, requirements=text))
    assert [(each.line, each.pin, each.hashed) for each in found["one"]] == [(1, "1.0", False), (2, None, False)]
    assert [(each.line, each.pin, each.hashed) for each in found["two"]] == [(3, None, True)]
    assert [each.requirement.url for each in found["three"]] == ["https://example.org/x"]


def test_lines_for_a_resolver(tmp_path: Path) -> None:
    found = tree(
        tmp_path,
        requirements=(
            "--index-url https://example.org/simple\n"
            'one[x]==1.0; python_version>"3" # why\n'
            "two==2.0 --hash=sha256:a\nthree>=1\nfour==4.0\n-e .\n./five\nsix===odd\nseven==7.0\n-c limits.txt\n"
        ),
        limits="one<2\n-e .\neight @ https://example.org/x\n",
    )
    caps = {"one": "1.5", "two": "9", "three": "3", "six": "7", "seven": "6.0"}
    assert relaxed_lines(found, caps) == [
        'one[x]<=1.5,>=1.0; python_version > "3"',
        "two==2.0",
        "three>=1",
        "four==4.0",
        "six===odd",
        "seven<=7.0,>=7.0",
    ]
    assert option_lines(found) == ["--index-url https://example.org/simple"]
    assert constraint_lines(found) == ["one<2"]


def test_local_labels_have_no_place_in_an_ordered_comparison(tmp_path: Path) -> None:
    found = tree(tmp_path, requirements="one==1.0+cpu\ntwo==1.0\n")
    assert relaxed_lines(found, {"one": "2.0", "two": "1.5+cpu"}) == ["one==1.0+cpu", "two<=1.5,>=1.0"]


def test_options_stand_in_the_order_in_which_pip_meets_them(tmp_path: Path) -> None:
    found = tree(
        tmp_path,
        requirements="--pre\n-r more.txt\n-c limits.txt\n-i https://example.org/last\n",
        more="--require-hashes\n-i https://example.org/first\n",
        limits="--require-hashes --extra-index-url https://example.org/limits\n-r more.txt\n",
    )
    assert option_lines(found) == [
        "--pre",
        "-i https://example.org/first",
        "--extra-index-url https://example.org/limits",
        "-i https://example.org/last",
    ]
    assert option_lines(RequirementsTree({}, missing=True)) == []
