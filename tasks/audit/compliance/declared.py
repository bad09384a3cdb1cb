"""The check of the area, with what it is worth."""

from __future__ import annotations

from ..checks import Check

LICENCES = Check("audit.licences", "compliance", 4, "No installed package has a licence that the project may not use.")

CHECKS = (LICENCES,)
