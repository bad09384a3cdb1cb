from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from tasks.audit.architecture import code_mirror, import_graph
from tasks.audit.architecture.architecture_area import examine_architecture
from tasks.audit.architecture.code_files import CodeFile
from tasks.audit.audit_checks import ARCHITECTURE_CHECKS
from tasks.conventions.project_conventions import ProjectConventions
from tasks.core.report.model import Finding, Status
from tasks.core.settings.model import AuditSettings, ConfigurationSettings, Settings

Examine = Callable[..., dict[str, list[Finding]]]


@pytest.fixture
def examine(tmp_path: Path) -> Examine:
    def look(stop: Event | None = None, **audit: Any) -> dict[str, list[Finding]]:
        settings = Settings(audit=AuditSettings(**audit))
        before = fingerprint(tmp_path)
        findings = examine_architecture(tmp_path, settings, roots(tmp_path), stop or Event(), lambda _number: None)
        assert fingerprint(tmp_path) == before, "nothing is written"
        by_check = {
            check.name: [each for each in findings if each.check == check.name] for check in ARCHITECTURE_CHECKS
        }
        assert all(by_check.values()), "every check yields a finding"
        return {name.removeprefix("audit."): found for name, found in by_check.items()}

    return look


def roots(root: Path) -> list[str]:
    found = ProjectConventions(root, is_own=lambda _path: False, keys=()).import_roots.value
    return [each.path for each in found or ()]


def fingerprint(root: Path) -> list[tuple[str, int, int]]:
    return sorted((str(path), path.lstat().st_mtime_ns, path.lstat().st_size) for path in root.rglob("*"))


def plant(root: Path, **files: str) -> None:
    """Write files; ``components__a__b`` is components/a/b.py."""
    for name, text in files.items():
        write(root / f"{name.replace('__', '/')}.py", text)


def write(path: Path, text: str | bytes = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def only(findings: list[Finding]) -> Finding:
    (finding,) = findings
    return finding


def test_a_project_without_code(examine: Examine) -> None:
    found = examine()
    assert {each.status for findings in found.values() for each in findings} == {Status.SKIPPED}


def test_a_circle_is_reported_with_its_lines(examine: Examine, tmp_path: Path) -> None:
    plant(
        tmp_path,
        run="from components.a import main\n",
        components__a="import os\nfrom components.b import thing\n",
        components__b="# first\n\nfrom . import a\n",
    )
    finding = only(examine()["cycles"])
    assert finding.status is Status.WARNING
    assert finding.message == (
        "components.a → components.b → components.a (components.a line 2, components.b line 3). "
        "All of 3 imports of the project's own modules were resolved."
    )
    assert (finding.subject, finding.value, finding.unit) == ("components.a", 1, "cycles")


def test_the_shortest_way_round_is_reported_and_how_many_more_hang_together(examine: Examine, tmp_path: Path) -> None:
    plant(
        tmp_path,
        api__a="from api import b",
        api__b="from api import c, d",
        api__c="from api import a",
        api__d="from api import a, e",
        api__e="from api import d",
        api__apart="import api.a",
    )
    finding = only(examine()["cycles"])
    assert finding.message.startswith("api.d → api.e → api.d (")
    assert "3 more modules hang together with them" in finding.message


def test_a_circle_of_three(examine: Examine, tmp_path: Path) -> None:
    plant(tmp_path, api__b="from api import c", api__c="from api import a", api__a="from api import b")
    assert "api.a → api.b → api.c → api.a" in only(examine()["cycles"]).message


def test_of_a_long_circle_only_the_beginning_is_shown(examine: Examine, tmp_path: Path) -> None:
    for number in range(30):
        plant(tmp_path, **{f"api__m{number:02}": f"import api.m{(number + 1) % 30:02}"})
    finding = only(examine()["cycles"]).message
    assert "api.m07 → 22 more → api.m00 (" in finding
    assert "api.m07 line 1)" in finding


def test_what_is_between_two_circles_is_in_none(examine: Examine, tmp_path: Path) -> None:
    plant(
        tmp_path,
        api__a="import api.b",
        api__b="import api.a, api.between",
        api__between="import api.c",
        api__c="import api.d",
        api__d="import api.c",
    )
    finding = examine()["cycles"]
    assert [each.subject for each in finding] == ["api.a", "api.c"]
    assert {each.value for each in finding} == {2}


def test_circles_beyond_the_first_ten_are_counted(examine: Examine, tmp_path: Path) -> None:
    for number in range(13):
        plant(tmp_path, **{f"api__a{number}": f"import api.b{number}", f"api__b{number}": f"import api.a{number}"})
    finding = examine()["cycles"]
    assert len(finding) == 11
    assert finding[-1].message == "3 further circles of imports."


def test_imports_for_types_and_of_itself_make_no_circle(examine: Examine, tmp_path: Path) -> None:
    plant(
        tmp_path,
        api__a="from api import b\nimport api.a\n",
        api__b="from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from api import a\n",
    )
    finding = only(examine()["cycles"])
    assert (finding.status, finding.value) == (Status.OK, 0)
    assert finding.message == (
        "2 modules with 2 imports and no circle. All of 3 imports of the project's own modules were resolved."
    )


def test_modules_at_the_top_take_part(examine: Examine, tmp_path: Path) -> None:
    plant(tmp_path, run="import helper", helper="def f():\n    import run\n")
    assert only(examine()["cycles"]).message == (
        "helper → run → helper (helper line 2, run line 1). "
        "The import in helper is inside a function; that keeps Python from failing on it. "
        "All of 2 imports of the project's own modules were resolved."
    )


def test_the_src_layout_and_folders_that_are_named(examine: Examine, tmp_path: Path) -> None:
    plant(tmp_path, src__zbeam__a="import zbeam.b", src__zbeam__b="import zbeam.a")
    assert "zbeam.a → zbeam.b" in only(examine()["cycles"]).message
    plant(tmp_path, other__x="import zbeam.a")
    assert "zbeam.a → zbeam.b" in only(examine(packages=("other", "src/zbeam"))["cycles"]).message
    finding = examine(packages=("src/zbeam", "gone"))["cycles"]
    assert finding[-1].status is Status.UNKNOWN
    assert "gone: No such file or directory" in finding[-1].message


@pytest.mark.parametrize("base", ["lib", "python/src", "my-dist/src", "backend"])
def test_a_circle_is_found_from_wherever_the_package_is_imported(examine: Examine, tmp_path: Path, base: str) -> None:
    for name, text in {"__init__": "", "one": "from shop import two", "two": "import shop.one"}.items():
        write(tmp_path / base / "shop" / f"{name}.py", text)
    write(tmp_path / base / "conftest_helper.py", "x = 1")
    finding = only(examine()["cycles"])
    assert finding.status is Status.WARNING
    assert finding.message.startswith("shop.one → shop.two → shop.one")
    assert "All of 2 imports" in finding.message


def test_each_distribution_of_a_repository_is_looked_at(examine: Examine, tmp_path: Path) -> None:
    for name, other in (("red", "blue"), ("blue", "red")):
        write(tmp_path / f"dist-{name}" / "src" / name / "__init__.py", f"import {other}.core\n")
        write(tmp_path / f"dist-{name}" / "src" / name / "core.py", f"import {other}\n")
    first, second = examine()["cycles"]
    assert first.message.startswith("blue → red.core → blue")
    assert "All of 4 imports" in first.message
    assert second.message.startswith("blue.core → red → blue.core")
    assert "imports" not in second.message


def test_distributions_may_share_a_namespace_with_an_init_in_each(examine: Examine, tmp_path: Path) -> None:
    for name, other in (("red", "blue"), ("blue", "red")):
        write(tmp_path / name / "shared" / "__init__.py", "")
        write(tmp_path / name / "shared" / f"{name}.py", f"import shared.{other}\n")
    assert only(examine()["cycles"]).message.startswith("shared.blue → shared.red → shared.blue")


def test_loose_modules_import_what_lies_beside_them(examine: Examine, tmp_path: Path) -> None:
    plant(tmp_path, tools__one="import two", tools__two="import one")
    assert only(examine()["cycles"]).message.startswith("one → two → one")


def test_what_has_the_name_of_another_module_is_not_analysed(examine: Examine, tmp_path: Path) -> None:
    for service in ("a", "b"):
        write(tmp_path / "services" / service / "app" / "__init__.py", "")
        write(tmp_path / "services" / service / "app" / "main.py", "from app import main")
    found = examine()["cycles"]
    assert [each.status for each in found] == [Status.OK, Status.UNKNOWN]
    assert "services/b/app: services/b/app/main.py has the name of services/a/app/main.py" in found[1].message


def test_each_distribution_may_have_programs_of_the_same_name(examine: Examine, tmp_path: Path) -> None:
    for name in ("red", "blue"):
        write(tmp_path / name / name / "__init__.py", "")
        write(tmp_path / name / "setup.py", f"import {name}.setup\n")
        write(tmp_path / name / name / "setup.py", f"from {name} import *\n")
    finding = only(examine()["cycles"])
    assert (finding.status, finding.message) == (
        Status.OK,
        "4 modules with 2 imports and no circle. All of 2 imports of the project's own modules were resolved.",
    )


def test_an_example_is_a_project_of_its_own_and_in_nobodys_way(examine: Examine, tmp_path: Path) -> None:
    write(tmp_path / "src" / "shop" / "__init__.py", "")
    for example in ("first", "second"):
        write(tmp_path / "examples" / example / "shop" / "__init__.py", "")
        write(tmp_path / "examples" / example / "web" / "__init__.py", "import web.views, shop")
        write(tmp_path / "examples" / example / "web" / "views.py", "import shop")
    finding = only(examine()["cycles"])
    assert finding.status is Status.OK
    plant(tmp_path, examples__first__web__views="import web")
    assert only(examine()["cycles"]).message.startswith("web → web.views → web")


def test_the_share_that_could_not_be_resolved_decides(examine: Examine, tmp_path: Path) -> None:
    write(tmp_path / "shop" / "__init__.py", "")
    plant(tmp_path, shop__a="from . import b\n" * 9 + "import shop.gone\n", shop__b="import requests\n")
    finding = only(examine()["cycles"])
    assert finding.status is Status.OK
    assert finding.message.endswith(
        "9 of 10 imports of the project's own modules were resolved; not shop/a.py:10: import shop.gone, for one."
    )
    plant(tmp_path, shop__a="from . import b\n" * 8 + "import shop.gone\n")
    finding = only(examine()["cycles"])
    assert (finding.status, finding.value) == (Status.UNKNOWN, 1)
    assert finding.message.startswith("Whether there is a circle is not known. 8 of 9 imports")
    assert "maintenance.audit.packages" in (finding.remedy or "")


def test_a_package_that_is_looked_for_in_the_wrong_place_is_no_proof_of_no_circle(
    examine: Examine, tmp_path: Path
) -> None:
    for name, text in {"__init__": "", "one": "from shop import two", "two": "from shop import one"}.items():
        write(tmp_path / "lib" / "shop" / f"{name}.py", text)
    finding = only(examine(packages=("lib",))["cycles"])
    assert finding.status is Status.UNKNOWN
    assert "0 of 2 imports" in finding.message
    assert "lib/shop/one.py:1: from shop import two" in finding.message


def test_where_nothing_imports_the_project_that_is_what_is_told(examine: Examine, tmp_path: Path) -> None:
    plant(tmp_path, run="import os, requests\n")
    assert only(examine()["cycles"]).message == (
        "1 module with 0 imports and no circle. Nothing imports a module of the project."
    )
    plant(tmp_path, run="import os, helper\n", helper="")
    assert only(examine()["cycles"]).message.endswith("circle. 1 import of the project's own modules was resolved.")


def test_nothing_of_the_project_is_executed(examine: Examine, tmp_path: Path) -> None:
    trap = f"open({str(tmp_path / 'executed')!r}, 'w')\nraise SystemExit\n"
    plant(tmp_path, json__x=trap, sitecustomize=trap, api__x="", run=f"{trap}import api")
    write(tmp_path / "api" / "__init__.py", trap)
    write(tmp_path / "json" / "__init__.py", trap)
    finding = examine()["cycles"]
    assert not (tmp_path / "executed").exists()
    assert finding[0].status is Status.OK
    assert "json: Python or the suite has a module of that name" in finding[1].message


def test_code_with_errors_is_named_and_the_rest_is_analysed(examine: Examine, tmp_path: Path) -> None:
    plant(tmp_path, api__a="import api.b", api__b="import api.a", api__broken="x = 1\ndef f(:\n", api__worse='"""')
    write(tmp_path / "api" / "latin.py", b"x = 1\ny = '\xe9'\n")
    write(tmp_path / "api" / "nul.py", b"x = 1\0\n")
    write(tmp_path / "api" / "strange.py", b"# coding: klingon\n")
    circle, unread = examine()["cycles"]
    assert circle.status is Status.WARNING
    assert unread.status is Status.UNKNOWN
    assert unread.value == 5
    for expected in (
        'api/broken.py:2: syntax error at "def f(:"',
        "api/latin.py:2: it is no utf",
        "api/nul.py:1: syntax error",
        "api/strange.py:1: unknown encoding",
        "api/worse.py:1: syntax error",
    ):
        assert expected in unread.message


def test_more_errors_than_are_shown(examine: Examine, tmp_path: Path) -> None:
    plant(tmp_path, **{f"api__m{number}": "def" for number in range(8)})
    assert examine()["cycles"][-1].message.endswith("; and 3 more.")


def test_a_tree_that_is_no_python_has_no_analysis(examine: Examine, tmp_path: Path) -> None:
    plant(tmp_path, components__x__code="x = 1", **{f"api__m{number}": "def" for number in range(101)})
    found = examine()
    assert found["cycles"][0].status is Status.UNKNOWN
    assert "could not be analysed: " in found["cycles"][0].message
    assert only(found["unreferenced"]).status is Status.UNKNOWN
    assert only(found["sizes"]).status is Status.OK


def test_encodings_other_than_utf_8(examine: Examine, tmp_path: Path) -> None:
    write(tmp_path / "api" / "a.py", "# -*- coding: cp1252 -*-\nx = '€'\nimport api.b\n".encode("cp1252"))
    write(tmp_path / "api" / "b.py", "\N{ZERO WIDTH NO-BREAK SPACE}import api.a\r\n".encode())
    assert "(api.a line 3, api.b line 1)" in only(examine()["cycles"]).message


def test_code_that_is_too_deeply_nested_is_named_and_the_rest_is_analysed(examine: Examine, tmp_path: Path) -> None:
    plant(tmp_path, api__deep="x = 1" + "+1" * 400_000, api__a="import api.b", api__b="import api.a", api__c="(")
    circle, unread = examine()["cycles"]
    assert circle.message.startswith("api.a → api.b → api.a")
    assert "api/deep.py: it is too deeply nested" in unread.message
    assert "api/c.py:1: syntax error" in unread.message


def test_a_crash_of_the_analysis_is_reported(examine: Examine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probe = tmp_path.parent / f"{tmp_path.name}-probe.py"
    probe.write_text("import os; os.abort()")
    monkeypatch.setattr(import_graph, "_PROBE", probe)
    plant(tmp_path, api__a="")
    assert "could not be analysed: it was ended by signal 6." in only(examine()["cycles"]).message


def test_an_analysis_that_hangs(examine: Examine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probe = tmp_path.parent / f"{tmp_path.name}-probe.py"
    probe.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(import_graph, "_PROBE", probe)
    monkeypatch.setattr(import_graph, "_SECONDS", 0.5)
    plant(tmp_path, api__a="")
    assert "it took longer than 500 ms" in examine()["cycles"][0].message


def test_a_temporary_folder_without_room(examine: Examine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryDirectory", full)
    plant(tmp_path, api__a="")
    found = examine()
    assert "No space left on device" in found["cycles"][0].message
    assert only(found["sizes"]).status is Status.UNKNOWN


def test_what_cannot_be_read_is_reported(examine: Examine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path, api__a="", api__gone="", api__large="x" * 200)
    monkeypatch.setattr(code_mirror, "LARGEST", 100)
    real, listing = os.open, os.scandir

    def denied(path: Path, *rest: int, **options: Any) -> int:
        if str(path).endswith("gone.py"):
            raise PermissionError(13, "Permission denied")
        return real(path, *rest, **options)

    def closed(path: Any) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return listing(path)

    (tmp_path / "closed").mkdir()
    monkeypatch.setattr(os, "open", denied)
    monkeypatch.setattr(os, "scandir", closed)
    finding = examine()["cycles"][-1].message
    assert "closed: Permission denied" in finding
    assert "api/gone.py: Permission denied" in finding
    assert "api/large.py: it is larger than 0 MB" in finding


def test_only_files_that_are_none_to_read(examine: Examine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(tmp_path, api__a="")
    monkeypatch.setattr(code_mirror, "_bytes_of", lambda _path: mirror_failure())
    found = examine()
    assert only(found["sizes"]).status is Status.UNKNOWN
    assert found["cycles"][-1].status is Status.UNKNOWN


def mirror_failure() -> bytes:
    raise code_mirror.Unread(": gone")


def test_a_fifo_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.py")
    with pytest.raises(code_mirror.Unread, match="no file any more"):
        code_mirror.read_code(tmp_path / "a.py")


def test_links_are_not_followed(examine: Examine, tmp_path: Path) -> None:
    plant(tmp_path, api__a="x = 1")
    (tmp_path / "api" / "loop").symlink_to("..")
    (tmp_path / "api" / "self.py").symlink_to("self.py")
    (tmp_path / "other.py").symlink_to("api/a.py")
    found = examine()
    assert "The largest of 1 module has 1 line of code." in only(found["sizes"]).message
    assert only(examine(packages=("api",))["cycles"]).status is Status.OK


def test_names_that_no_import_can_write(examine: Examine, tmp_path: Path) -> None:
    write(tmp_path / "my-tools" / "a b.py", "x = 1\n" * 3)
    write(tmp_path / "api" / "1st.py", "x = (")
    write(tmp_path / "api" / "a.b.py", "x = 1")
    write(tmp_path / os.fsdecode(b"\xff.py"), "x = 1")
    found = examine(module_lines=2)
    assert only(found["cycles"]).status is Status.OK
    assert only(found["sizes"]).subject == "my-tools/a b.py"


def test_what_is_not_the_projects_own_is_left_out(examine: Examine, tmp_path: Path) -> None:
    plant(
        tmp_path,
        docs__conf="(",
        tests__test_a="(",
        tasks="(",
        tasks__namespace="(",
        tasks__core__run__procedure="(",
        site__run="(",
        env__lib__x="(",
        logs__x="(",
        api__tests__test_x="(",
    )
    write(tmp_path / ".hidden" / "x.py", "(")
    write(tmp_path / "api" / ".hidden.py", "(")
    write(tmp_path / "site" / ".made-by-inv-demo")
    write(tmp_path / "env" / "pyvenv.cfg")
    assert only(examine()["cycles"]).status is Status.SKIPPED


def test_a_package_hides_the_module_of_its_name(examine: Examine, tmp_path: Path) -> None:
    plant(tmp_path, api="import run", run="import api, api.b", api__b="import run")
    write(tmp_path / "api" / "__init__.py", "")
    write(tmp_path / "api" / "b" / "__init__.py", "")
    assert only(examine()["cycles"]).status is Status.OK


def test_a_module_hides_the_folder_of_its_name(examine: Examine, tmp_path: Path) -> None:
    plant(tmp_path, run="import api.b.c, api.b", api__b="", api__b__c="import run")
    finding = only(examine()["cycles"])
    assert finding.status is Status.UNKNOWN
    assert "not run.py:1: import api.b.c, for one." in finding.message
    plant(tmp_path, api__b="import run")
    circle, unresolved = examine()["cycles"]
    assert circle.message.startswith("api.b → run")
    assert "resolved" not in circle.message
    assert (unresolved.status, unresolved.value, unresolved.unit) == (Status.UNKNOWN, 1, "imports")
    assert unresolved.message.startswith("Whether there are more circles is not known. 3 of 4 imports of the")


def test_text_that_no_encoding_can_write(examine: Examine, tmp_path: Path) -> None:
    plant(tmp_path, api__a="# coding: utf-7\nx = '+2AA-'\n")
    assert only(examine()["cycles"]).status is Status.OK


def test_only_so_many_files_are_looked_at(examine: Examine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.audit.architecture.code_files.MOST_FILES", 2)
    plant(tmp_path, a="", b="", c="")
    assert "there are more than 2 files" in examine()["cycles"][-1].message


def test_an_audit_that_is_interrupted(examine: Examine, tmp_path: Path) -> None:
    plant(tmp_path, api__a="")
    stop = Event()
    stop.set()
    found = examine(stop)
    assert only(found["cycles"]).status is Status.UNKNOWN
    source = CodeFile("api/a.py", ("api", "a"), package=False)
    assert code_mirror.mirror_code(tmp_path, [source], tmp_path / "x", stop, lambda _: None).tops == set()


def test_large_modules_are_reported_the_largest_first(examine: Examine, tmp_path: Path) -> None:
    code = "# a comment\n\n    \nx = 1\n"
    plant(tmp_path, api__fits=code * 10, api__large=code * 11, api__larger=code * 12)
    finding = only(examine(module_lines=10)["sizes"])
    assert finding.message == ("2 modules have more than 10 lines of code: api/larger.py (12), api/large.py (11).")
    assert (finding.status, finding.subject, finding.value, finding.warning) == (
        Status.WARNING,
        "api/larger.py",
        12,
        10,
    )


def test_more_large_modules_than_are_shown(examine: Examine, tmp_path: Path) -> None:
    plant(tmp_path, **{f"api__m{number}": "x = 1" for number in range(7)})
    assert only(examine(module_lines=0)["sizes"]).message.endswith("and 2 more.")


def test_components_that_nothing_uses(examine: Examine, tmp_path: Path) -> None:
    plant(
        tmp_path,
        run="from components.imported.code import f\nLOADED = ['by_name']\n",
        components__imported__code="",
        components__by_name__code="",
        components__unused__code="from components.unused import other  # unused",
        components__unused__other="",
        components__in_settings__code="",
        components__only_within__code="",
        components___shared__code="",
    )
    write(tmp_path / "config" / "settings.yaml", "enabled: [In-Settings]\nunused_too: 1\n")
    write(tmp_path / "components" / "without_code" / "config.yaml", "x: 1")
    write(tmp_path / "logs" / "x.json", '"unused"')
    finding = only(examine()["unreferenced"])
    assert finding.status is Status.WARNING
    assert "2 are neither imported" in finding.message
    assert '"components/only_within", "components/unused"' in finding.message
    assert "Of 5 components" in finding.message


def test_components_that_are_all_used(examine: Examine, tmp_path: Path) -> None:
    plant(tmp_path, run="from components.a import code", components__a__code="")
    assert only(examine()["unreferenced"]).status is Status.OK
    plant(tmp_path, components__b__code="", components__c__code="import components.b.code  # c")
    write(tmp_path / "config.toml", "c = 1")
    assert only(examine()["unreferenced"]).message == "All of 3 components are used."


def test_a_file_that_cannot_be_searched_names_nothing(
    examine: Examine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(tmp_path, components__a__code="")
    write(tmp_path / "x.yaml", "a")
    real = Path.open

    def denied(self: Path, *rest: Any, **options: Any) -> Any:
        if self.name == "x.yaml":
            raise PermissionError
        return real(self, *rest, **options)

    monkeypatch.setattr(Path, "open", denied)
    assert only(examine()["unreferenced"]).status is Status.WARNING


def test_places(examine: Examine, tmp_path: Path) -> None:
    write(tmp_path / "README.md")
    write(tmp_path / "data" / "materials.yaml")
    finding = only(examine(places=("README.md", "data/"))["places"])
    assert (finding.status, finding.value) == (Status.OK, 0)
    finding = only(examine(places=("readme.md", "data/Materials.yaml", "config", "README.md/x"))["places"])
    assert finding.status is Status.WARNING
    assert finding.value == 4
    assert 'missing: "config", "README.md/x"' in finding.message
    assert '"data/materials.yaml" is there in the place of "data/Materials.yaml"' in finding.message
    assert '"README.md" is there in the place of "readme.md"' in finding.message


def test_components_are_where_the_settings_say(tmp_path: Path) -> None:
    plant(tmp_path, parts__one__code="", components__two__code="", run="")
    patterns = ("components.yaml", "parts/*/config.yaml", "*/config.yaml")
    settings = Settings(configuration=ConfigurationSettings(components=patterns))
    findings = examine_architecture(tmp_path, settings, (), Event(), lambda _number: None)
    assert (
        'configuration: "parts/one".' in only([each for each in findings if each.check == "audit.unreferenced"]).message
    )
