from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tasks.dependencies.environment import Environment
from tasks.dependencies.index.index_urls import index_urls

DEFAULT = "https://index.example/simple"


def environment(python: Path, index_url: str | None = DEFAULT) -> Environment:
    return Environment(
        python=python,
        origin="a test",
        version="3.11.7",
        prefix=python.parent,
        virtual=True,
        runs_suite=False,
        folders=(),
        scripts=python.parent,
        index_url=index_url,
        packages={},
    )


def asked(
    tmp_path: Path, pip_configuration: str = "", *lines: str, configured: str = "", index_url: str | None = DEFAULT
) -> list[str]:
    """Return the indexes where pip says *told* of its configuration."""
    python = tmp_path / "python"
    (tmp_path / "told").write_text(pip_configuration)
    python.write_text(f"#!/bin/sh\ncat '{tmp_path}/told'\n")
    python.chmod(0o755)
    return index_urls(environment(python, index_url), configured=configured, options=lines, environ=os.environ)


def test_the_setting_comes_first(tmp_path: Path) -> None:
    pip_configuration = "global.index-url='https://pip.example'\n"
    assert asked(tmp_path, pip_configuration, "-i https://file.example", configured="https://mine.example") == [
        "https://mine.example"
    ]


def test_pips_default_where_nothing_is_configured(tmp_path: Path) -> None:
    assert asked(tmp_path) == [DEFAULT]
    assert asked(tmp_path, index_url=None) == []


@pytest.mark.parametrize(
    ("pip_configuration", "expected"),
    [
        ("global.index-url='https://a'\n", ["https://a"]),
        ("global.index-url='https://a'\ninstall.index-url='https://b'\n", ["https://b"]),
        (":env:.index-url='https://c'\nglobal.index-url='https://a'\n", ["https://c"]),
        ("global.extra-index-url='https://x\\nhttps://y'\n", [DEFAULT, "https://x", "https://y"]),
        ("global.timeout='60'\nfreeze.index-url='https://a'\nnonsense\n", [DEFAULT]),
        ("global.index-url=not quoted\n", [DEFAULT]),
    ],
)
def test_what_pip_is_configured_for(tmp_path: Path, pip_configuration: str, expected: list[str]) -> None:
    assert asked(tmp_path, pip_configuration) == expected


def test_lines_of_the_requirements_come_before_pips_configuration(tmp_path: Path) -> None:
    pip_configuration = "global.index-url='https://a'\nglobal.extra-index-url='https://b'\n"
    lines = ["--index-url=https://one", "-i https://two", "--extra-index-url 'https://more'", "--pre", "-i 'open"]
    assert asked(tmp_path, pip_configuration, *lines) == ["https://two", "https://b", "https://more"]


def test_a_real_pip() -> None:
    environ = {"PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": "https://env.example/simple", "PATH": os.environ["PATH"]}
    found = index_urls(environment(Path(sys.executable)), configured="", options=[], environ=environ)
    assert found == ["https://env.example/simple"]
