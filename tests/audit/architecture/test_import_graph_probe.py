from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from grimp.exceptions import SourceSyntaxError

from tasks.audit.architecture import import_graph_probe
from tasks.audit.architecture.import_graph_probe import Finder, examine, main


def code(folder: Path, **modules: str) -> None:
    (folder / "planted").mkdir()
    for name, text in {"__init__": "", **modules}.items():
        (folder / "planted" / f"{name}.py").write_text(text)


def test_what_is_told(tmp_path: Path) -> None:
    code(tmp_path, a="import planted.b", b="\nimport planted.a, planted.c", c="import planted.d", d="x = (", e="")
    result = examine(str(tmp_path), ["planted", "sys"], ["planted.a", "planted.e", "planted.gone"])
    assert result == {
        "loaded": ["sys"],
        "deep": [],
        "broken": [(str(tmp_path / "planted" / "d.py"), 1, "x = (")],
        "imports": 4,
        "cycles": 1,
        "shortest": [
            {"size": 2, "imports": [("planted.a", "planted.b", 1, False), ("planted.b", "planted.a", 2, False)]}
        ],
        "used": ["planted.a"],
        "own": 4,
        "unresolved": 0,
        "example": None,
    }
    assert "planted" not in sys.modules
    assert not any(isinstance(each, Finder) for each in sys.meta_path)


def test_what_python_finds_too_deep_is_left_out_when_cautious(tmp_path: Path) -> None:
    code(tmp_path, a="import planted.b\nx = 1" + "+1" * 30_000, b="(")
    assert examine(str(tmp_path), ["planted"], [])["imports"] == 1
    result = examine(str(tmp_path), ["planted"], [], cautious=True)
    assert [each[1:] for each in result["broken"]] == [(1, "(")]
    assert result["deep"] == [str(tmp_path / "planted" / "a.py")]
    assert result["imports"] == 0


def test_the_shortest_of_several_ways_round_and_imports_of_itself(tmp_path: Path) -> None:
    code(
        tmp_path,
        alone="import planted.alone",
        a="import planted.b",
        b="import planted.c",
        c="import planted.d, planted.b_too",
        d="import planted.a",
        b_too="import planted.e",
        e="import planted.c",
    )
    (result,) = examine(str(tmp_path), ["planted"], [])["shortest"]
    assert [each[0] for each in result["imports"]] == ["planted.b_too", "planted.e", "planted.c"]
    assert result["size"] == 6


def test_imports_inside_functions_are_told_apart(tmp_path: Path) -> None:
    inside = "async def f():\n    import planted.{0}\n"
    code(
        tmp_path,
        a=inside.format("b"),
        b=inside.format("a") + "import planted.a\n",
        __init__="import planted.c",
        c="class C:\n    def f(self):\n        import planted\n",
    )
    first, second = examine(str(tmp_path), ["planted"], [])["shortest"]
    assert first["imports"] == [("planted", "planted.c", 1, False), ("planted.c", "planted", 3, True)]
    assert second["imports"] == [("planted.a", "planted.b", 2, True), ("planted.b", "planted.a", 3, False)]


def test_syntax_of_a_python_to_come_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_text: bytes) -> None:
        raise SyntaxError

    code(tmp_path, a="def f(): import planted.b", b="import planted.a")
    monkeypatch.setattr("ast.parse", unknown)
    (result,) = examine(str(tmp_path), ["planted"], [])["shortest"]
    assert result["imports"][0] == ("planted.a", "planted.b", 1, False)


def test_other_modules_are_not_for_this_finder(tmp_path: Path) -> None:
    finder = Finder(tmp_path, ["planted"])
    assert finder.find_spec("planted.a") is None
    spec = finder.find_spec("planted")
    assert spec is not None
    assert spec.loader is None


def test_without_packages_there_is_nothing() -> None:
    assert examine("/nowhere", [], [])["imports"] == 0


def test_too_many_broken_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_graph_probe, "MOST_BROKEN", 1)
    code(tmp_path, a="(", b="(")
    with pytest.raises(SourceSyntaxError):
        examine(str(tmp_path), ["planted"], [])


def test_a_wide_circle_is_not_tried_to_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_graph_probe, "_MOST_TRIED", 1)
    modules = {f"m{number}": f"import planted.m{(number + 1) % 4}" for number in range(4)}
    code(tmp_path, **modules)
    (result,) = examine(str(tmp_path), ["planted"], [])["shortest"]
    assert [each[0] for each in result["imports"]] == ["planted.m0", "planted.m1", "planted.m2", "planted.m3"]


def test_it_reads_its_work_and_writes_its_answer(tmp_path: Path) -> None:
    work, answer = tmp_path / "work.json", tmp_path / "answer.json"
    work.write_text(json.dumps({"folder": str(tmp_path), "names": [], "components": []}))
    main([str(work), str(answer)])
    assert json.loads(answer.read_text())["cycles"] == 0


@pytest.mark.parametrize(
    ("text", "own", "unresolved"),
    [
        ("import json, requests", 0, 0),
        ("import planted.b, planted", 2, 0),
        ("import planted.gone", 1, 1),
        ("import planted.b.attribute", 1, 1),
        ("from planted.b import attribute", 1, 0),
        ("from planted import attribute, b", 2, 0),
        ("from planted.gone import b", 1, 1),
        ("from . import b, attribute", 2, 0),
        ("from .b import attribute", 1, 0),
        ("from .gone import attribute", 1, 1),
        ("from .. import b", 1, 1),
        ("from planted import *", 1, 0),
        ("from planted.bare import module, gone", 2, 1),
        ("from planted.bare import *", 1, 0),
        ("import elsewhere.a", 1, 1),
        ("import b", 0, 0),
        ("def f():\n    from planted import b", 1, 0),
    ],
)
def test_the_imports_of_own_modules_are_counted(tmp_path: Path, text: str, own: int, unresolved: int) -> None:
    code(tmp_path, a=text, b="")
    bare = tmp_path / "planted" / "bare"
    bare.mkdir()
    for name in ("__init__.py", "module.py"):
        (bare / name).touch()
    found = examine(str(tmp_path), ["planted"], [], own=["elsewhere"], bare=[str(bare)])
    assert (found["own"], found["unresolved"]) == (own, unresolved)
    if unresolved:
        path, line, _ = found["example"]
        assert (path, line) == (str(tmp_path / "planted" / "a.py"), 1)


def test_what_lies_beside_a_module_is_own_only_where_the_folder_is_no_package(tmp_path: Path) -> None:
    code(tmp_path, a="import b, json, folder, other\n", b="")
    (tmp_path / "planted" / "folder").mkdir()
    found = examine(str(tmp_path), ["planted"], [], bare=[str(tmp_path / "planted")])
    assert (found["own"], found["unresolved"]) == (2, 2)
    assert examine(str(tmp_path), ["planted"], [])["own"] == 0


def test_a_module_with_a_name_of_the_standard_library_is_not_mixed_up_with_that(tmp_path: Path) -> None:
    code(tmp_path, a="import planted, wave\n")
    (tmp_path / "wave").mkdir()
    (tmp_path / "wave" / "__init__.py").touch()
    assert examine(str(tmp_path), ["planted", "wave"], [])["own"] == 1


def test_an_import_is_found_at_every_depth_and_the_first_unresolved_one_is_the_example(tmp_path: Path) -> None:
    code(
        tmp_path,
        a="try:\n    import planted.one\nexcept ImportError:\n    import planted.two\nelse:\n    import planted.three\n"
        "finally:\n    import planted.four\nmatch 1:\n    case 1:\n        import planted.five\n"
        "class C:\n    def f(self):\n        with x:\n            import planted.six\n"
        "if x:\n    pass\nelif y:\n    import planted.seven\nf = lambda: 1 if x else 2\n",
    )
    found = examine(str(tmp_path), ["planted"], [])
    assert (found["own"], found["unresolved"]) == (7, 7)
    assert found["example"] == (str(tmp_path / "planted" / "a.py"), 2, "import planted.one")
