from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.dependencies.requirements.declared import constraint_lines, declared, option_lines, relaxed_lines
from tasks.dependencies.requirements.reading import Tree, read_tree


def tree(root: Path, **files: str | bytes) -> Tree:
    for name, content in files.items():
        path = root / f"{name.replace('__', '/')}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_tree(root, "requirements.txt")


def told(found: Tree) -> str:
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
        "limits-too.txt": True,
    }
    assert found.problems == ()
    assert {*declared(found)} == {"one", "two", "three"}
    assert {*declared(found, constraints=True)} == {"one", "two"}
    assert sorted(constraint_lines(found)) == ["one<2", "two<3"]


def test_no_file_at_all(tmp_path: Path) -> None:
    assert read_tree(tmp_path, "requirements.txt") == Tree({}, missing=True)
    assert read_tree(tmp_path, "gone/requirements.txt").missing


def test_an_included_file_that_is_missing(tmp_path: Path) -> None:
    found = tree(tmp_path, requirements="one\n-r more.txt\n")
    assert told(found) == "more.txt does not exist, but requirements.txt includes it."
    assert [*declared(found)] == ["one"]


@pytest.mark.parametrize("second", ["-r requirements.txt\n", "-r ./more.txt\n", "-c ../p/requirements.txt\n"])
def test_a_circle_is_told_and_the_rest_read(tmp_path: Path, second: str) -> None:
    root = tmp_path / "p"
    root.mkdir()
    found = tree(root, requirements="-r more.txt\none\n", more=f"two\n{second}")
    if second.startswith("-c"):
        assert "outside the project" in told(found)
    else:
        assert "leads in a circle: " in told(found)
    assert [*declared(found)] == ["one", "two"]


def test_the_same_file_twice_is_no_circle(tmp_path: Path) -> None:
    found = tree(tmp_path, requirements="-r a.txt\n-r b.txt\n", a="-r c.txt\n", b="-r c.txt\n", c="one\n")
    assert found.problems == ()
    assert len(declared(found)["one"]) == 1


def test_a_row_of_includes_has_an_end(tmp_path: Path) -> None:
    files = {f"f{number}": f"-r f{number + 1}.txt\n" for number in range(1, 40)}
    assert "20th include in a row" in told(tree(tmp_path, requirements="-r f1.txt\n", **files))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("-r https://example.org/x.txt", "an address, which is not followed"),
        ("-r ../outside.txt", "outside the project"),
        ("-r /etc/passwd", "outside the project"),
        ("-r sub", "sub"),
        ("demo==", "line 1, is no requirement"),
    ],
)
def test_lines_that_lead_nowhere(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "sub").mkdir()
    assert message in told(tree(tmp_path, requirements=f"{line}\n"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("demo\n".encode("utf-16"), "requirements.txt is in UTF-16."),
        (b"demo\0\n", "holds zero bytes"),
        (b"#" * 1_000_001, "1,000,001 bytes"),
    ],
)
def test_files_that_are_no_text(tmp_path: Path, content: bytes, message: str) -> None:
    assert message in told(tree(tmp_path, requirements=content))


def test_links_and_pipes_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("demo\n")
    (tmp_path / "requirements.txt").symlink_to("other.txt")
    assert "requirements.txt" in told(read_tree(tmp_path, "requirements.txt"))
    (tmp_path / "requirements.txt").unlink()
    os.mkfifo(tmp_path / "requirements.txt")
    assert "requirements.txt" in told(read_tree(tmp_path, "requirements.txt"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("demo\n")
    (tmp_path / "requirements.txt").chmod(0)
    assert told(read_tree(tmp_path, "requirements.txt")) == "requirements.txt cannot be read: Permission denied."


def test_bytes_that_are_no_utf_8_are_kept(tmp_path: Path) -> None:
    raw = b"demo==1.0 # caf\xe9\n"
    file = tree(tmp_path, requirements=raw).files["requirements.txt"]
    assert file.raw == raw
    assert file.entries[0].pinned == "1.0"


def test_what_is_declared_with_its_place(tmp_path: Path) -> None:
    text = 'one==1.0\none[x]>=1; python_version<"3"\ntwo==2.0 --hash=sha256:a\nthree @ https://example.org/x\n'
    found = declared(tree(tmp_path, requirements=text))
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
