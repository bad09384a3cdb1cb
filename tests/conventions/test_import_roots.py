"""From which folders the modules of a project are imported."""

from __future__ import annotations

import pytest

from tasks.conventions.import_roots import find_import_roots

from .conftest import Project

PACKAGE = {"__init__.py": "", "a.py": "from pkg import b", "b.py": "from pkg import a"}


@pytest.mark.parametrize("root", [".", "src", "lib", "my-dist/src", "python"])
def test_a_package_is_imported_from_the_folder_above_it(project: Project, root: str) -> None:
    project.write({f"{root}/pkg/{name}": text for name, text in PACKAGE.items()})
    found = find_import_roots(project.files())
    assert found.shown == root
    assert [str(each) for each in found.evidence] == [f"{root}/pkg/__init__.py".removeprefix("./")]


def test_a_module_beside_the_package_changes_nothing(project: Project) -> None:
    project.write({"src/shim.py": "x = 1"} | {f"src/pkg/{name}": text for name, text in PACKAGE.items()})
    assert find_import_roots(project.files()).shown == "src"


def test_packages_within_packages_have_no_root_of_their_own(project: Project) -> None:
    project.write({"pkg/__init__.py": "", "pkg/inner/__init__.py": "", "two-words/__init__.py": ""})
    assert find_import_roots(project.files()).shown == "."


def test_several_distributions_have_a_root_each(project: Project) -> None:
    project.write({f"{each}/src/{each}/__init__.py": "" for each in ("one", "two")})
    assert find_import_roots(project.files()).shown == "one/src, two/src"


def test_folders_without_a_mark_are_packages_where_a_source_imports_them(project: Project) -> None:
    project.write({"run.py": "import os\nfrom generation.core import engine\n", "generation/core/engine.py": ""})
    found = find_import_roots(project.files())
    assert [str(each) for each in found.evidence] == ["run.py:2: from generation.core import engine"]
    assert found.shown == "."


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pyproject.toml", '[tool.setuptools.package-dir]\n"" = "code"\n'),
        ("pyproject.toml", '[tool.setuptools.packages.find]\nwhere = ["code"]\n'),
        ("pyproject.toml", '[tool.hatch.build.targets.wheel]\npackages = ["code/pkg"]\n'),
        ("pyproject.toml", '[tool.hatch.build.targets.wheel]\nsources = ["code"]\n'),
        ("pyproject.toml", '[tool.poetry]\npackages = [{include = "pkg", from = "code"}, "odd"]\n'),
        ("pyproject.toml", '[tool.pdm.build]\npackage-dir = "code"\n'),
        ("pyproject.toml", '[tool.uv.build-backend]\nmodule-root = "code"\n'),
        ("pyproject.toml", '[tool.maturin]\npython-source = "code"\n'),
        ("setup.cfg", "[options]\npackage_dir =\n    =code\n    other=elsewhere\n"),
        ("setup.cfg", "[options.packages.find]\nwhere = code\n"),
        ("setup.py", 'from setuptools import setup\nsetup(package_dir={"": "code"})\n'),
        ("setup.py", 'import setuptools\nsetuptools.setup(packages=setuptools.find_packages("code"))\n'),
        ("setup.py", 'from setuptools import *\nsetup(packages=find_packages(where="code"))\n'),
    ],
)
def test_what_the_build_names_comes_first_with_its_line(project: Project, file: str, text: str) -> None:
    project.write({file: text, "code/pkg/module.py": "", "app/__init__.py": ""})
    found = find_import_roots(project.files())
    assert found.shown == "code, ."
    assert found.evidence[0].place == file
    assert "'code'" in found.evidence[0].text


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pyproject.toml", '[tool.setuptools.packages.find]\nwhere = ["missing", "../code", "/code", 3]\n'),
        ("pyproject.toml", "[tool.setuptools.packages.find]\nwhere = {a = 1}\n"),
        ("pyproject.toml", "[tool]\nsetuptools = 3\npoetry = {packages = 3}\n"),
        ("pyproject.toml", "broken = ["),
        ("setup.cfg", "broken"),
        ("setup.py", "setup(package_dir=folders())"),
        ("setup.py", "setup(package_dir=3, packages=3)"),
        ("setup.py", "setup("),
        ("setup.py", "unrelated()"),
        ("tests/pyproject.toml", '[tool.maturin]\npython-source = "code"\n'),
    ],
)
def test_what_names_no_folder_of_the_project_says_nothing(project: Project, file: str, text: str) -> None:
    project.write({file: text, "tests/code/x.py": ""})
    assert find_import_roots(project.files()).value is None


def test_a_package_that_is_named_from_a_root_around_it_makes_no_root_of_its_own(project: Project) -> None:
    project.write(
        {
            "export/__init__.py": "",
            "domains/materials/image/__init__.py": "",
            "run.py": "from domains.materials.image import generator\n",
        }
    )
    assert find_import_roots(project.files()).shown == "."
    project.write({"other.py": "import image\n"})
    assert find_import_roots(project.files()).shown == "., domains/materials"


def test_a_root_that_the_build_names_stays_one(project: Project) -> None:
    project.write(
        {
            "setup.cfg": "[options.packages.find]\nwhere = src\n",
            "run.py": "import src.pkg\n",
            "src/pkg/__init__.py": "",
            "app/__init__.py": "",
        }
    )
    assert find_import_roots(project.files()).shown == "src, ."


def test_a_folder_that_no_import_can_name_is_a_root(project: Project) -> None:
    project.write({"pkg/__init__.py": "", "my-tools/inner/__init__.py": ""})
    assert find_import_roots(project.files()).shown == "., my-tools"


@pytest.mark.parametrize(
    ("files", "shown"),
    [
        ({"tools/a.py": "import os\nimport b\n", "tools/b.py": ""}, "tools"),
        ({"src/pkg/a.py": "from pkg import b\n", "src/pkg/b.py": ""}, "src"),
        ({"tools/a.py": "import b\n", "tools/b.py": "", "b.py": ""}, "."),
        ({"tools/a.py": "import a\n"}, ""),
        ({"tools/a.py": "import json\n", "tools/json.py": ""}, ""),
        ({"pkg/__init__.py": "", "pkg/a.py": "import b\n", "pkg/b.py": ""}, "."),
    ],
)
def test_modules_are_imported_from_the_folder_that_a_source_finds_them_in(
    project: Project, files: dict[str, str], shown: str
) -> None:
    project.write(files)
    assert find_import_roots(project.files()).shown == shown
