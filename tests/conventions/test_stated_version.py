from __future__ import annotations

from pathlib import Path

import pytest

from tasks.conventions.stated_version import StatedVersion, StatedVersions, read_versions


def _own(path: str) -> bool:
    return path.startswith("logs/")


def _nothing(_path: str) -> bool:
    return False


def written(root: Path, path: str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text, encoding="utf-8")


def stated(root: Path, *configured: str) -> list[tuple[str, str]]:
    return [(each.place, each.version) for each in read_versions(root, configured, _own).stated]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pyproject.toml", "[project]\nversion = '1.2.0'\n"),
        ("pyproject.toml", "[tool.poetry]\nversion = '1.2.0'\n"),
        ("setup.cfg", "[metadata]\nversion = 1.2.0\n"),
        ("setup.py", "import setuptools\nif True:\n    setuptools.setup(name='a', version='1.2.0')\n"),
        ("setup.py", "from setuptools import setup\nprint('x')\nsetup(version='1.2.0')\n"),
        ("package.json", '{"version": "1.2.0"}'),
        ("VERSION", "1.2.0\nmore\n"),
        ("Cargo.toml", "[package]\nversion = '1.2.0'\n"),
        ("Cargo.toml", "[package]\nversion.workspace = true\n[workspace.package]\nversion = '1.2.0'\n"),
        ("setup.py", "VERSION = '1.2.0'\nsetup(version=VERSION)\n"),
        ("generator/__init__.py", "__version__ = '1.2.0'\n"),
        ("src/generator/__about__.py", "__version__: str = '1.2.0'\n"),
    ],
)
def test_where_a_version_usually_stands(tmp_path: Path, path: str, text: str) -> None:
    written(tmp_path, path, text)
    assert stated(tmp_path) == [(path, "1.2.0")]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pyproject.toml", "[project]\nname = 'a'\nversion = 5\n"),
        ("pyproject.toml", "project = 1\ntool = []\n"),
        ("setup.cfg", "[options]\n"),
        ("setup.py", "setup(**read())\n"),
        ("package.json", "[]"),
        ("generator/__init__.py", "__version__: str\n__version__ = None\nversion = '1.2.0'\n"),
        ("package.json", '{"version": "1.2.0", "private": true}'),
        ("Cargo.toml", "[package]\nversion = '1.2.0'\npublish = false\n"),
        ("docs/__init__.py", "__version__ = '1.2.0'\n"),
        ("tests/__init__.py", "__version__ = '1.2.0'\n"),
        (".hidden/__init__.py", "__version__ = '1.2.0'\n"),
        ("logs/__init__.py", "__version__ = '1.2.0'\n"),
    ],
)
def test_what_states_none_is_left_out(tmp_path: Path, path: str, text: str) -> None:
    written(tmp_path, path, text)
    assert read_versions(tmp_path, (), _own) == StatedVersions()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pyproject.toml", "[project\n"),
        ("pyproject.toml", "\x00"),
        ("setup.cfg", "version = 1\n"),
        ("package.json", "{"),
        ("generator/__init__.py", "__version__ = \n"),
    ],
)
def test_a_file_that_does_not_parse_is_named(tmp_path: Path, path: str, text: str) -> None:
    written(tmp_path, path, text)
    (problem,) = read_versions(tmp_path, (), _nothing).problems
    assert problem.startswith(f"{path} does not parse: ")


def test_files_that_the_settings_name_must_state_one(tmp_path: Path) -> None:
    written(tmp_path, "pyproject.toml", "[project]\nversion = '9'\n")
    written(tmp_path, "a/settings.py", "VERSION = '1.2.0'\n")
    written(tmp_path, "a/none.toml", "x = 1\n")
    written(tmp_path, "a/some.toml", "version = '1.3.0'\n")
    (tmp_path / "a/link").symlink_to("some.toml")
    names = ("a/settings.py", "a/none.toml", "a/some.toml", "a/link", "a/gone")
    found = read_versions(tmp_path, names, _nothing)
    assert found.stated == (StatedVersion("a/settings.py", "1.2.0"), StatedVersion("a/some.toml", "1.3.0"))
    assert found.problems[0] == "a/none.toml states no version."
    assert "symbolic link" in found.problems[1]
    assert found.problems[2] == "a/gone is not there."


DYNAMIC = "[project]\ndynamic = ['version']\n"


@pytest.mark.parametrize(
    "more",
    [
        "[tool.hatch.version]\nsource = 'vcs'\n",
        "[tool.setuptools_scm]\n",
        "[tool.pdm.version]\nsource = 'scm'\n",
        "[build-system]\nrequires = ['setuptools', 'setuptools-scm>=8']\n",
        "[build-system]\nrequires = ['setuptools', 'Setuptools_SCM[toml]>=8']\n",
        "[build-system]\nrequires = ['hatchling', 'uv-dynamic-versioning']\n",
        "[tool.versioneer]\nVCS = 'git'\n",
        "[tool.scikit-build]\nmetadata.version.provider = 'scikit_build_core.metadata.setuptools_scm'\n",
        "[tool.poetry]\nversion = '0.0.0'\n[tool.poetry-dynamic-versioning]\nenable = true\n",
    ],
)
def test_a_version_that_is_made_from_tags(tmp_path: Path, more: str) -> None:
    written(tmp_path, "pyproject.toml", more if more.startswith("[tool.poetry") else DYNAMIC + more)
    written(tmp_path, "generator/_version.py", "__version__ = '1.1.1.dev3'\n")
    assert read_versions(tmp_path, (), _nothing) == StatedVersions(from_tags="pyproject.toml")


def test_a_version_that_stands_elsewhere(tmp_path: Path) -> None:
    written(tmp_path, "pyproject.toml", DYNAMIC + "[tool.hatch.version]\npath = 'lib/deep/version.py'\n")
    (problem,) = read_versions(tmp_path, (), _nothing).problems
    assert problem == "lib/deep/version.py is not there."
    written(tmp_path, "lib/deep/version.py", "__version__ = '1.2.0'\n")
    assert stated(tmp_path) == [("lib/deep/version.py", "1.2.0")]
    written(tmp_path, "pyproject.toml", DYNAMIC)
    assert read_versions(tmp_path, (), _nothing).problems == (
        "pyproject.toml leaves the version to the build, and no file was found that states it.",
    )
    written(tmp_path, "generator/__init__.py", "__version__ = '1.2.0'\n")
    assert read_versions(tmp_path, (), _nothing) == StatedVersions((StatedVersion("generator/__init__.py", "1.2.0"),))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("setup.py", "setup(use_scm_version=True)\n"),
        ("setup.py", "setup(setup_requires=['pbr'], pbr=True)\n"),
        ("setup.py", "setup(version=versioneer.get_version())\n"),
        ("setup.cfg", "[metadata]\nname = a\n[versioneer]\nVCS = git\n"),
    ],
)
def test_older_build_files_may_make_it_from_tags(tmp_path: Path, path: str, text: str) -> None:
    written(tmp_path, path, text)
    assert read_versions(tmp_path, (), _nothing) == StatedVersions(from_tags=path)


@pytest.mark.parametrize(
    ("more", "path", "text"),
    [
        ("[tool.setuptools.dynamic]\nversion = {attr = 'a.b.VERSION'}\n", "src/a/b.py", "VERSION = (1, 2, 0)\n"),
        ("[tool.setuptools.dynamic]\nversion = {attr = 'a.number'}\n", "a/__init__.py", "number = '1.2.0'\n"),
        ("[tool.setuptools.dynamic]\nversion = {file = ['a/v.txt']}\n", "a/v.txt", "1.2.0\n"),
        ("[tool.setuptools.dynamic]\nversion = {file = 'a/v.txt'}\n", "a/v.txt", "1.2.0\n"),
        ("[build-system]\nrequires = ['maturin>=1']\n", "Cargo.toml", "[package]\nversion = '1.2.0'\n"),
        ("name = 'a-b'\n[build-system]\nrequires = ['flit_core']\n", "a_b.py", "__version__ = '1.2.0'\n"),
        ("[tool.hatch.version]\nsource = 'nodejs'\n", "package.json", '{"version": "1.2.0"}'),
        ("[tool.pdm.version]\nsource = 'file'\npath = 'a/v.py'\n", "a/v.py", "__version__ = '1.2.0'\n"),
    ],
)
def test_a_build_file_may_name_the_place(tmp_path: Path, more: str, path: str, text: str) -> None:
    written(tmp_path, "pyproject.toml", DYNAMIC + more)
    written(tmp_path, path, text)
    found = read_versions(tmp_path, (), _nothing)
    assert found == StatedVersions((StatedVersion(path, "1.2.0"),))


@pytest.mark.parametrize(
    "text",
    [
        "__version_info__ = (1, 2, 0)\n__version__ = '.'.join(map(str, __version_info__))\n",
        "INFO = [1, 2, 0, 'final']\n__version__ = '.'.join(str(each) for each in INFO[:3])\n",
        "A, B = 1, 2\nMAJOR = 1\n__version__ = f'{MAJOR}.2.' + str(0)\n",
        "__version__ = '%d.%d.%d' % (1, 2, 0)\n",
        "__version__ = '.'.join(['1', '2', '0'])\n",
    ],
)
def test_a_version_that_follows_from_the_text_is_put_together(tmp_path: Path, text: str) -> None:
    written(tmp_path, "a/_version.py", text)
    assert stated(tmp_path) == [("a/_version.py", "1.2.0")]


@pytest.mark.parametrize(
    "expression",
    ["version('a')", "'%d.%d' % (1,)", "'.'.join(PARTS)", "f'{x!r}'", "f'{1:>5}'", "'1' + x", "'.'.join(x for x in y)"],
)
def test_a_version_that_is_computed_is_not_known(tmp_path: Path, expression: str) -> None:
    written(tmp_path, "a/__init__.py", f"\n__version__ = {expression}\n")
    assert read_versions(tmp_path, (), _nothing) == StatedVersions(
        problems=("a/__init__.py:2 computes the version, and no file was found that states it.",)
    )
    written(tmp_path, "setup.py", "setup(version=read())\n")
    written(tmp_path, "VERSION", "1.2.0\n")
    assert read_versions(tmp_path, (), _nothing) == StatedVersions((StatedVersion("VERSION", "1.2.0"),))


def test_what_a_build_file_names_must_state_it(tmp_path: Path) -> None:
    written(tmp_path, "pyproject.toml", DYNAMIC + "[tool.setuptools.dynamic]\nversion = {attr = 'a.VERSION'}\n")
    written(tmp_path, "a.py", "OTHER = '1.2.0'\n")
    assert read_versions(tmp_path, (), _nothing).problems == ("a.py states no version.",)


@pytest.mark.parametrize(("named", "found"), [("file: VERSION.in", [("VERSION.in", "1.2.0")]), ("attr: a.b", [])])
def test_a_setup_cfg_may_name_another_file(tmp_path: Path, named: str, found: list[tuple[str, str]]) -> None:
    written(tmp_path, "setup.cfg", f"[metadata]\nversion = {named}\n")
    written(tmp_path, "VERSION.in", "1.2.0\n")
    assert stated(tmp_path) == found


def test_a_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tasks.conventions.stated_version.safe_files.read", denied)
    assert read_versions(tmp_path, ("VERSION",), _nothing).problems == ("VERSION cannot be read: Permission denied.",)
