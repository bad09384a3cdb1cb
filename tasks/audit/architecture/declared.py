"""The checks of the area, with what each is worth."""

from __future__ import annotations

from ..checks import Check

_AREA = "architecture"

PLACES = Check("audit.places", _AREA, 3, "The files and folders that belong to the project are there.")
CYCLES = Check("audit.cycles", _AREA, 8, "No modules import each other in a circle.")
SIZES = Check("audit.sizes", _AREA, 4, "No module is larger than people can keep in mind.")
UNREFERENCED = Check("audit.unreferenced", _AREA, 3, "Every component is used.")

CHECKS = (PLACES, CYCLES, SIZES, UNREFERENCED)
