"""Prints what the packages of an interpreter state about their licences; that interpreter runs this file, by itself.

It prints one JSON document. It needs the standard library only, of Python 3.8 or newer.
"""

from __future__ import annotations

import json
import re
import sys
from importlib import metadata
from typing import Any, Iterator  # noqa: UP035 - of Python 3.8, collections.abc cannot be subscripted

_LONGEST = 2_000
"""Characters of a field that are printed: some hold the whole text of a licence."""


def main() -> None:
    """Print what there is."""
    json.dump(list(packages()), sys.stdout)


def packages() -> Iterator[dict[str, Any]]:
    """Yield each installed package once: the first one of a name is the one that is imported."""
    seen = set()
    for found in metadata.distributions():
        fields: Any = found.metadata  # fields["Name"] of one that has no such field is deprecated since 3.12
        name = re.sub(r"[-_.]+", "-", str(fields.get("Name") or "")).lower()
        if not name or name in seen:
            continue
        seen.add(name)
        yield {
            "name": name,
            "version": str(fields.get("Version") or ""),
            "expression": str(fields.get("License-Expression") or "")[:_LONGEST],
            "text": str(fields.get("License") or "")[:_LONGEST],
            "classifiers": [
                str(each) for each in fields.get_all("Classifier") or [] if str(each).startswith("License")
            ],
        }


if __name__ == "__main__":
    main()
