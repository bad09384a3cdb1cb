"""A project with data of the size and shape of the real one's: two megabytes of YAML, 132 materials."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MATERIALS = 132
WITHOUT_DENSITY = 26

_SEED = 1087
_CATEGORIES = ("metal", "stone", "wood")
_WORDS = ("oxide", "removal", "pulse", "surface", "coating", "beam", "residue", "ablation", "polish", "layer")


@dataclass(frozen=True, slots=True)
class ConfigurationFiles:
    """The input: settings, categories and materials.

    Attributes:
        paragraphs: texts of some 180 characters for each material, which are most of the size.
    """

    paragraphs: int

    def make(self, folder: Path) -> None:
        """Make the project in *folder*."""
        (folder / "config").mkdir()
        (folder / "config" / "settings.py").write_text("TIMEOUT = 30\n", encoding="utf-8")
        materials_path(folder).parent.mkdir()
        materials_path(folder).write_text("".join(self._materials()), encoding="utf-8")
        categories = "".join(f"  {name}: {{}}\n" for name in _CATEGORIES)
        (folder / "data" / "Categories.yaml").write_text(f"categories:\n{categories}", encoding="utf-8")

    def _materials(self) -> Iterator[str]:
        chance = random.Random(_SEED)
        yield "materials:\n"
        for number in range(MATERIALS):
            yield f"  Material {number:03d}:\n    category: {chance.choice(_CATEGORIES)}\n    properties:\n"
            names = [f"property{place}" for place in range(70)]
            names += ["meltingPoint", "thermalConductivity", *(["density"] if number >= WITHOUT_DENSITY else [])]
            for name in names:
                yield f"      {name}:\n        value: {chance.uniform(1, 99):.2f}\n        unit: K\n"
                yield f"        source: ai_research\n        verified: {number % 2 == 0}\n"
            yield "    notes:\n"
            for _ in range(self.paragraphs):
                yield f"    - {' '.join(chance.choices(_WORDS, k=26))}\n"


def materials_path(project: Path) -> Path:
    """Return where the materials are, below *project*."""
    return project / "data" / "Materials.yaml"
