from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import trove_classifiers
from packaging.licenses import canonicalize_license_expression

from tasks.audit.compliance import compliance_area, licences_probe
from tasks.audit.compliance.compliance_area import examine_licences
from tasks.audit.compliance.licence_expressions import LicenceRules, LicenceVerdict, canonical, evaluate_licence
from tasks.audit.compliance.package_licences import CLASSIFIERS, GENERIC, StatedLicence, licence_of_text, stated_licence
from tasks.core.report.model import Finding, Status
from tasks.core.settings.model import AuditSettings

RULES = LicenceRules(("AGPL-*", "SSPL-*"), ("GPL-*",))
OSI = "License :: OSI Approved :: "


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project") / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return folder


def look(python: Path | None, reason: str = "", **settings: Any) -> tuple[list[Finding], list[dict[str, Any]]]:
    return examine_licences(python, reason, AuditSettings(**settings), os.environ, Event())


def install(environment: Path, name: str, *fields: str) -> None:
    (site,) = (environment / "lib").glob("python*/site-packages")
    info = site / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("\n".join(["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0", *fields, ""]))


def answering(folder: Path, *packages: dict[str, Any]) -> Path:
    """An interpreter that tells of certain packages."""
    (folder / "answer.json").write_text(json.dumps([{"version": "1", **each} for each in packages]))
    python = folder / "python"
    python.write_text(f"#!/bin/sh\ncat '{folder}/answer.json'\n")
    python.chmod(0o755)
    return python


@pytest.mark.parametrize(
    ("expression", "verdict"),
    [
        ("MIT", LicenceVerdict.ALLOWED),
        ("LGPL-3.0-only", LicenceVerdict.ALLOWED),
        ("GPL-3.0-only", LicenceVerdict.REVIEW),
        ("GPL-2.0+", LicenceVerdict.REVIEW),
        ("AGPL-3.0-or-later", LicenceVerdict.DENIED),
        ("MIT OR GPL-3.0-only", LicenceVerdict.ALLOWED),
        ("AGPL-3.0-only OR GPL-3.0-only", LicenceVerdict.REVIEW),
        ("MIT AND GPL-3.0-only", LicenceVerdict.REVIEW),
        ("MIT OR GPL-3.0-only AND AGPL-3.0-only", LicenceVerdict.ALLOWED),
        ("(MIT OR GPL-3.0-only) AND AGPL-3.0-only", LicenceVerdict.DENIED),
        ("(MIT OR (GPL-3.0-only AND MIT)) AND (GPL-3.0-only OR Apache-2.0)", LicenceVerdict.ALLOWED),
        ("GPL-2.0-only WITH Classpath-exception-2.0", LicenceVerdict.REVIEW),
        ("GPL-2.0-only WITH Classpath-exception-2.0 OR MIT", LicenceVerdict.ALLOWED),
        ("LicenseRef-Own", LicenceVerdict.ALLOWED),
    ],
)
def test_what_an_expression_allows(expression: str, verdict: LicenceVerdict) -> None:
    assert canonical(expression) == expression
    assert evaluate_licence(expression, RULES) is verdict


def test_patterns_know_no_case() -> None:
    assert evaluate_licence("MIT", LicenceRules(("mit",), ())) is LicenceVerdict.DENIED


def test_what_is_no_expression() -> None:
    assert [canonical(text) for text in ("", "MIT AND", "(MIT", "UNKNOWN", "Some License")] == [None] * 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MIT License", "MIT"),
        ("The MIT License (MIT)", "MIT"),
        ("Expat", "MIT"),
        ("MIT License\n\nCopyright (c) 2020 Somebody\n\nPermission is hereby granted", "MIT"),
        ("Permission is hereby granted, free of charge, to any person", "MIT"),
        ("Apache 2", "Apache-2.0"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("Apache Software License 2.0", "Apache-2.0"),
        ("Apache License\n   Version 2.0, January 2004\n http://", "Apache-2.0"),
        ("ASL 2.0", "Apache-2.0"),
        ("Apache", "LicenseRef-Apache"),
        ("BSD", "LicenseRef-BSD"),
        ("BSD License", "LicenseRef-BSD"),
        ("3-Clause BSD License", "BSD-3-Clause"),
        ("new BSD", "BSD-3-Clause"),
        ("BSD 3-Clause", "BSD-3-Clause"),
        ("BSD 2-Clause License", "BSD-2-Clause"),
        ("Simplified BSD", "BSD-2-Clause"),
        ("ISC License (ISCL)", "ISC"),
        ("MPL 2.0", "MPL-2.0"),
        ("Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
        ("PSFL", "PSF-2.0"),
        ("Python Software Foundation License", "PSF-2.0"),
        ("ZPL 2.1", "LicenseRef-ZPL"),
        ("Public Domain", "LicenseRef-Public-Domain"),
        ("The Unlicense (Unlicense)", "Unlicense"),
        ("zlib/libpng", "Zlib"),
        ("GPL", "GPL-1.0-or-later"),
        ("GPLv3", "GPL-3.0-only"),
        ("GPLv2+", "GPL-2.0-or-later"),
        ("GNU GPL v3 or later", "GPL-3.0-or-later"),
        ("GNU General Public License v3 (GPLv3)", "GPL-3.0-only"),
        ("GNU General Public License, version 2", "GPL-2.0-only"),
        ("GNU GENERAL PUBLIC LICENSE\n  Version 3, 29 June 2007\n\n Copyright", "GPL-3.0-only"),
        ("LGPL", "LGPL-2.0-or-later"),
        ("LGPLv2.1+", "LGPL-2.1-or-later"),
        ("GNU Lesser General Public License (LGPL), Version 3", "LGPL-3.0-only"),
        ("GNU AFFERO GENERAL PUBLIC LICENSE\n Version 3, 19 November 2007\n\n text", "AGPL-3.0-only"),
        ("AGPL", "AGPL-1.0-or-later"),
        ("", None),
        ("UNKNOWN", None),
        ("Proprietary", None),
        ("MIT or whatever you like", None),
    ],
)
def test_free_text(text: str, expected: str | None) -> None:
    assert licence_of_text(text) == expected
    assert expected is None or canonical(expected) == expected


def test_every_classifier_exists_and_names_a_licence_of_spdx() -> None:
    assert {*CLASSIFIERS, *GENERIC} - {"License"} <= set(trove_classifiers.all_classifiers)
    for name in CLASSIFIERS.values():
        assert canonicalize_license_expression(name) == name


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"expression": "mit or apache-2.0", "text": "GPL", "classifiers": [f"{OSI}BSD License"]}, "MIT OR Apache-2.0"),
        ({"expression": "nonsense", "text": "MIT"}, "MIT"),
        ({"classifiers": [f"{OSI}MIT License"], "text": "GPL"}, "MIT"),
        ({"classifiers": ["License :: OSI Approved", f"{OSI}MIT License", f"{OSI}MIT License"]}, "MIT"),
        ({"classifiers": [f"{OSI}BSD License"], "text": "BSD-3-Clause"}, "BSD-3-Clause"),
        ({"classifiers": [f"{OSI}BSD License"], "text": "see LICENSE"}, "LicenseRef-BSD"),
        ({"classifiers": [f"{OSI}MIT License", f"{OSI}Apache Software License"]}, "MIT AND LicenseRef-Apache"),
        ({"classifiers": ["License :: Other/Proprietary License"], "text": "MIT"}, None),
        ({"classifiers": [f"{OSI}MIT License", "License :: Freeware"]}, None),
        ({"classifiers": ["License :: OSI Approved"], "text": " mit "}, "MIT"),
        ({"text": "see LICENSE"}, None),
        ({}, None),
    ],
)
def test_which_field_counts(fields: dict[str, Any], expected: str | None) -> None:
    assert stated_licence(StatedLicence(name="x", version="1", **fields)) == expected


def test_a_real_environment(empty: Path) -> None:
    python = empty / "bin" / "python"
    (finding,), table = look(python)
    assert (finding.status, table) == (Status.SKIPPED, [])
    install(empty, "permissive", "License-Expression: MIT OR GPL-3.0-only")
    install(empty, "Classified_Only", f"Classifier: {OSI}MIT License", "Classifier: Programming Language :: Python")
    (finding,), table = look(python)
    assert finding.status is Status.OK
    assert finding.message == "2 packages under 2 licences, all of them allowed."
    assert table == [{"licence": "MIT", "packages": 1}, {"licence": "MIT OR GPL-3.0-only", "packages": 1}]
    install(empty, "copyleft", "License: GPLv3")
    install(empty, "network", "License-Expression: AGPL-3.0-only")
    install(empty, "silent")
    denied, review, unknown = look(python)[0]
    assert (denied.status, denied.value) == (Status.CRITICAL, 1)
    assert "network 1.0 (AGPL-3.0-only)" in denied.message
    assert (review.status, review.value) == (Status.WARNING, 1)
    assert "copyleft 1.0 (GPL-3.0-only)" in review.message
    assert (unknown.status, unknown.value) == (Status.WARNING, 1)
    assert "no licence that is known: silent 1.0." in unknown.message
    (finding,), table = look(
        python, licences_known={"Silent": "mit", "network": "MIT", "copyleft": "LicenseRef-Bought"}
    )
    assert finding.status is Status.OK
    assert table[0] == {"licence": "MIT", "packages": 3}


def test_the_environment_of_the_tests() -> None:
    findings, table = look(Path(sys.executable))
    assert all(each.status in {Status.OK, Status.WARNING} for each in findings)
    numbers = {each["licence"]: each["packages"] for each in table}
    assert max(numbers, key=lambda name: numbers[name]) == "MIT"
    assert numbers.get("unknown", 0) < 5


def test_many_packages_are_not_all_listed(tmp_path: Path) -> None:
    python = answering(tmp_path, *({"name": f"p{number:02}", "expression": "GPL-2.0-only"} for number in range(12)))
    (finding,), table = look(python)
    assert finding.message.endswith("p09 1 (GPL-2.0-only) and 2 more.")
    assert table == [{"licence": "GPL-2.0-only", "packages": 12}]


def test_what_a_terminal_would_obey_is_shown_as_an_escape(tmp_path: Path) -> None:
    python = answering(tmp_path, {"name": "x", "version": "1\x1b[31m"})
    assert "\x1b" not in look(python)[0][0].message


def test_no_environment() -> None:
    (finding,), table = look(None, "There is no .venv.")
    assert (finding.status, table) == (Status.SKIPPED, [])
    assert finding.message == "No installed packages to look at. There is no .venv."


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("#!/bin/sh\necho broken >&2\nexit 1\n", "does not work: broken."),
        ("#!/bin/sh\nexit 1\n", "does not work: it ended without a word."),
        ("#!/nowhere/python\n", "cannot be started"),
        ("#!/bin/sh\necho hello\n", "answers with something else"),
        ("#!/bin/sh\necho '[{}]'\n", "answers with something else"),
        ("#!/bin/sh\nsleep 60\n", "it has not answered within 500 ms"),
    ],
)
def test_an_interpreter_that_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, message: str
) -> None:
    monkeypatch.setattr(compliance_area, "_SECONDS", 0.5)
    python = tmp_path / "python"
    python.write_text(program)
    python.chmod(0o755)
    (finding,), table = look(python)
    assert (finding.status, table) == (Status.UNKNOWN, [])
    assert message in finding.message


def test_the_probe_itself(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, name in (("a", "Twice"), ("b", "twice")):
        info = tmp_path / folder / "twice-1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Name: {name}\nVersion: {folder}\nLicense: {'x' * 5000}\nClassifier: Topic\n")
        monkeypatch.syspath_prepend(str(tmp_path / folder))
    (tmp_path / "a" / "nameless-1.dist-info").mkdir()
    licences_probe.main()
    packages = {each["name"]: each for each in json.loads(capsys.readouterr().out)}
    assert packages["twice"]["version"] == "b"
    assert len(packages["twice"]["text"]) == 2000
    assert packages["twice"]["classifiers"] == []
    assert "invoke" in packages
