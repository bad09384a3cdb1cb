"""The licence that a package states, as an SPDX expression.

Where a name leaves the version open, the identifier is a ``LicenseRef-`` of ours, or, for the GNU licences, that of
any version: theirs say that without a number any may be chosen. A name that says little about what is allowed
("Freeware", "Other/Proprietary License") is in no table: somebody has to look.
"""

from __future__ import annotations

import re

import msgspec

from .licence_expressions import canonical

_OSI = "License :: OSI Approved :: "

CLASSIFIERS = {
    "License :: CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
    "License :: CeCILL-B Free Software License Agreement (CECILL-B)": "CECILL-B",
    "License :: CeCILL-C Free Software License Agreement (CECILL-C)": "CECILL-C",
    "License :: Public Domain": "LicenseRef-Public-Domain",
    f"{_OSI}Academic Free License (AFL)": "LicenseRef-AFL",
    f"{_OSI}Apache Software License": "LicenseRef-Apache",
    f"{_OSI}Artistic License": "LicenseRef-Artistic",
    f"{_OSI}BSD License": "LicenseRef-BSD",
    f"{_OSI}Blue Oak Model License (BlueOak-1.0.0)": "BlueOak-1.0.0",
    f"{_OSI}Boost Software License 1.0 (BSL-1.0)": "BSL-1.0",
    f"{_OSI}CEA CNRS Inria Logiciel Libre License, version 2.1 (CeCILL-2.1)": "CECILL-2.1",
    f"{_OSI}CMU License (MIT-CMU)": "MIT-CMU",
    f"{_OSI}Common Development and Distribution License 1.0 (CDDL-1.0)": "CDDL-1.0",
    f"{_OSI}Common Public License": "CPL-1.0",
    f"{_OSI}Eclipse Public License 1.0 (EPL-1.0)": "EPL-1.0",
    f"{_OSI}Eclipse Public License 2.0 (EPL-2.0)": "EPL-2.0",
    f"{_OSI}Educational Community License, Version 2.0 (ECL-2.0)": "ECL-2.0",
    f"{_OSI}European Union Public Licence 1.0 (EUPL 1.0)": "EUPL-1.0",
    f"{_OSI}European Union Public Licence 1.1 (EUPL 1.1)": "EUPL-1.1",
    f"{_OSI}European Union Public Licence 1.2 (EUPL 1.2)": "EUPL-1.2",
    f"{_OSI}GNU Affero General Public License v3": "AGPL-3.0-only",
    f"{_OSI}GNU Affero General Public License v3 or later (AGPLv3+)": "AGPL-3.0-or-later",
    f"{_OSI}GNU Free Documentation License (FDL)": "GFDL-1.1-or-later",
    f"{_OSI}GNU General Public License (GPL)": "GPL-1.0-or-later",
    f"{_OSI}GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    f"{_OSI}GNU General Public License v2 or later (GPLv2+)": "GPL-2.0-or-later",
    f"{_OSI}GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    f"{_OSI}GNU General Public License v3 or later (GPLv3+)": "GPL-3.0-or-later",
    f"{_OSI}GNU Lesser General Public License v2 (LGPLv2)": "LGPL-2.0-only",
    f"{_OSI}GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.0-or-later",
    f"{_OSI}GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    f"{_OSI}GNU Lesser General Public License v3 or later (LGPLv3+)": "LGPL-3.0-or-later",
    f"{_OSI}GNU Library or Lesser General Public License (LGPL)": "LGPL-2.0-or-later",
    f"{_OSI}Historical Permission Notice and Disclaimer (HPND)": "HPND",
    f"{_OSI}IBM Public License": "IPL-1.0",
    f"{_OSI}ISC License (ISCL)": "ISC",
    f"{_OSI}MIT License": "MIT",
    f"{_OSI}MIT No Attribution License (MIT-0)": "MIT-0",
    f"{_OSI}MirOS License (MirOS)": "MirOS",
    f"{_OSI}Mozilla Public License 1.0 (MPL)": "MPL-1.0",
    f"{_OSI}Mozilla Public License 1.1 (MPL 1.1)": "MPL-1.1",
    f"{_OSI}Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    f"{_OSI}Mulan Permissive Software License v2 (MulanPSL-2.0)": "MulanPSL-2.0",
    f"{_OSI}NASA Open Source Agreement v1.3 (NASA-1.3)": "NASA-1.3",
    f"{_OSI}Open Software License 3.0 (OSL-3.0)": "OSL-3.0",
    f"{_OSI}PostgreSQL License": "PostgreSQL",
    f"{_OSI}Python License (CNRI Python License)": "CNRI-Python",
    f"{_OSI}Python Software Foundation License": "PSF-2.0",
    f"{_OSI}Qt Public License (QPL)": "QPL-1.0",
    f"{_OSI}SIL Open Font License 1.1 (OFL-1.1)": "OFL-1.1",
    f"{_OSI}Sleepycat License": "Sleepycat",
    f"{_OSI}The Unlicense (Unlicense)": "Unlicense",
    f"{_OSI}Universal Permissive License (UPL)": "UPL-1.0",
    f"{_OSI}University of Illinois/NCSA Open Source License": "NCSA",
    f"{_OSI}W3C License": "W3C",
    f"{_OSI}Zero-Clause BSD (0BSD)": "0BSD",
    f"{_OSI}Zope Public License": "LicenseRef-ZPL",
    f"{_OSI}zlib/libpng License": "Zlib",
}
"""Of the trove classifiers (the package trove-classifiers lists them) those that name a licence."""

GENERIC = frozenset({"License", "License :: OSI Approved", "License :: DFSG approved"})
"""Classifiers that say of what kind a licence is, and not which."""

_VERSION_2 = r"[, ]*(?:version|v)?[. ]*2(?:\.0)?"
_LICENCE = r"(?: public| software)?(?: licen[cs]e)?"

_SPELLINGS = [
    (re.compile(pattern), name)
    for pattern, name in (
        (rf"(?:mit|expat){_LICENCE}(?: \((?:mit|expat){_LICENCE}\))?", "MIT"),
        (r"mit licen[cs]e copyright .*|(?:copyright .*)?permission is hereby granted, free of charge, .*", "MIT"),
        (rf"(?:apache|asl){_LICENCE}{_VERSION_2}(?: \(.*\))?", "Apache-2.0"),
        (r"apache licen[cs]e version 2\.0, january 2004 .*", "Apache-2.0"),
        (rf"apache{_LICENCE}", "LicenseRef-Apache"),
        (rf"(?:(?:new|modified|revised|3 clause) bsd|bsd 3(?: clause)?){_LICENCE}", "BSD-3-Clause"),
        (rf"(?:(?:simplified|freebsd|2 clause) bsd|bsd 2(?: clause)?){_LICENCE}", "BSD-2-Clause"),
        (rf"bsd{_LICENCE}", "LicenseRef-BSD"),
        (rf"isc{_LICENCE}(?: \(iscl?\))?", "ISC"),
        (rf"(?:mpl|mozilla public licen[cs]e){_VERSION_2}(?: \(.*\))?", "MPL-2.0"),
        (rf"(?:psfl?|psf 2\.0|python software foundation){_LICENCE}", "PSF-2.0"),
        (r"unlicen[cs]e(?: \(.*\))?", "Unlicense"),
        (rf"zlib(?:/libpng)?{_LICENCE}", "Zlib"),
        (r"public domain", "LicenseRef-Public-Domain"),
        (rf"zpl{_VERSION_2}(?:1|\.1)?", "LicenseRef-ZPL"),
    )
]
"""How free text names them, in lower case, with single spaces for other white space and hyphens."""

_GNU = re.compile(
    r"(?:gnu )?(?P<kind>(?:lesser |library |affero )?general public licen[cs]e|[la]?gpl)(?: \([la]?gpl\))?"
    r"[, ]*(?:version|v)?[. ]*(?P<major>[23])?(?:\.(?P<minor>[01]))?[, ]*(?P<later>or (?:later|newer|any later).*|\+)?"
    r"(?:,? \d+ \w+ \d+ .*)?(?: \(.*\))?"
)


def licence_of_text(text: str) -> str | None:
    """Return the licence that free text names; ``None`` where that is not known."""
    plain = re.sub(r"[\s-]+", " ", text).strip(" .").lower().removeprefix("the ")
    for pattern, name in _SPELLINGS:
        if pattern.fullmatch(plain):
            return name
    found = _GNU.fullmatch(plain)
    return _gnu(found) if found else None


def _gnu(found: re.Match[str]) -> str:
    kind = found["kind"]
    name = "LGPL" if kind.startswith("l") else "AGPL" if kind.startswith("a") else "GPL"
    if found["major"] is None:
        return {"LGPL": "LGPL-2.0-or-later", "AGPL": "AGPL-1.0-or-later", "GPL": "GPL-1.0-or-later"}[name]
    minor = found["minor"] if name == "LGPL" and found["major"] == "2" else None
    if name == "AGPL" or found["major"] == "3":
        return f"{name}-3.0-{'or-later' if found['later'] else 'only'}"
    return f"{name}-2.{minor or 0}-{'or-later' if found['later'] else 'only'}"


_UNVERSIONED = "LicenseRef-"


class StatedLicence(msgspec.Struct, frozen=True, kw_only=True):
    """What the metadata of a package say: the fields of the core metadata specification."""

    name: str
    version: str
    expression: str = ""
    text: str = ""
    classifiers: list[str] = []


def stated_licence(package: StatedLicence) -> str | None:
    """Return the licence of a package as an SPDX expression; ``None`` where it states none that is known.

    The field that is made for it comes first (PEP 639), then the classifiers, then free text. Several classifiers
    may be alternatives or not: nobody can know, so all are assumed to apply. Free text is asked too where a classifier
    leaves the version open.
    """
    if found := canonical(package.expression):
        return found
    named = [each for each in dict.fromkeys(package.classifiers) if each not in GENERIC]
    known = [CLASSIFIERS[each] for each in named if each in CLASSIFIERS]
    text = canonical(package.text.strip()) or licence_of_text(package.text)
    if named and len(known) == len(named):
        (first, *others) = known
        is_open = not others and first.startswith(_UNVERSIONED)
        return text if is_open and text else " AND ".join(known)
    return None if named else text
