"""The demo project, built in the shape and size of the real Z-Beam Generator, with invented content."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from ..core.errors import UserError

FOLDER = "demo-site"

MARK = ".made-by-inv-demo"
"""The file by which the demo knows a folder that it may replace."""

VERSION = "1.2.0"

LOG = "logs/zbeam.log"

KNOWN_ERROR = "Request {} to api.x.ai failed: HTTP 503 Service Unavailable"
"""What failed yesterday as well; the number is that of the request."""

MATERIALS = 132
WITHOUT_DENSITY = 26
"""As many as in the real project's data."""

KEYS = {"deepseek": "DEMO_DEEPSEEK_KEY", "grok": "DEMO_GROK_KEY"}
"""The variables that hold the providers' keys, of names of their own: nobody's real keys are sent anywhere."""

_CATEGORIES = ("ceramic", "composite", "glass", "metal", "plastic", "semiconductor", "stone", "wood")
_COMPONENTS = ("author", "caption", "frontmatter", "metatags", "table", "text")
_FAILING = 7 * 60
"""Minutes between two failing requests."""

_WORDS = ("oxide", "removal", "pulse", "surface", "coating", "beam", "residue", "ablation", "polish", "layer")


def build_demo_project(folder: Path, now: datetime) -> None:
    """Make the demo project in *folder*, in the place of an earlier one.

    The content is the same at every call, times are relative to *now*.

    Raises:
        UserError: *folder* is something that the demo did not make.
    """
    _clear(folder)
    chance = random.Random(f"{folder.name}")  # noqa: S311 - varied, not secret
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text("Made by inv demo, which replaces this folder and everything in it.\n")
    _write(folder / ".gitignore", "*\n")
    for path, text in _files(chance, now):
        _write(folder / path, text)


def _clear(folder: Path) -> None:
    if not folder.is_symlink() and (not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))):
        return
    mark = folder / MARK
    ours = folder.is_dir() and not folder.is_symlink() and mark.is_file() and not mark.is_symlink()
    if not ours:
        raise UserError(
            f"{folder.name} is there already and was not made by inv demo, so it is left alone. "
            "Move it away, then run inv demo again."
        )
    # The mark goes last: a removal that is cut short must be able to begin again.
    for path in sorted(folder.iterdir(), key=lambda path: path == mark):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    folder.rmdir()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _files(chance: random.Random, now: datetime) -> Iterator[tuple[str, str]]:
    """Yield the project's own files: everything that the suite reads but must not change."""
    yield "README.md", "# Z-Beam demo\n\nMade by `inv demo`; it is replaced at the next one.\n"
    yield "run.py", "from generator import writer\n\n\ndef main() -> None:\n    print(writer.write())\n"
    yield "generator/__init__.py", ""
    yield "generator/writer.py", "from . import prompts\n\n\ndef write() -> str:\n    return prompts.TOPIC\n"
    yield "generator/prompts.py", 'TOPIC = "laser cleaning"\n'
    yield "pyproject.toml", f'[project]\nname = "zbeam-demo"\nversion = "{VERSION}"\n'
    yield (
        "CHANGELOG.md",
        f"# Changelog\n\n## [{VERSION}] - 2026-01-31\n\n### Added\n\n- Writing about laser cleaning.\n",
    )
    yield "tests/test_writer.py", _TEST
    yield "requirements.txt", "demo-widget>=1.0  # draws the tables\ndemo-parser==1.4\ndemo-internal\n"
    yield ".env.example", "".join(f"{variable}=\n" for variable in KEYS.values())
    yield "config/settings.py", _settings_module()
    yield "data/materials.yaml", "".join(_materials(chance))
    yield "data/Categories.yaml", "".join(_categories())
    for component in _COMPONENTS:
        yield f"components/{component}/config/{component}.yaml", f"name: {component}\nenabled: true\nretries: 3\n"
    yield LOG, "".join(_log(chance, now))


_TEST = """import unittest

from generator import writer


class Writing(unittest.TestCase):
    def test_the_topic_is_laser_cleaning(self):
        self.assertEqual(writer.write(), "laser cleaning")
"""


def _settings_module() -> str:
    components = "".join(
        f"    {name!r}: {{\n"
        f"        'enabled': True,\n        'provider': {provider!r},\n        'max_tokens': {tokens},\n"
        "        'temperature': 0.7,\n    },\n"
        for name, provider, tokens in zip(
            _COMPONENTS, ("deepseek", "grok") * 3, (200, 300, 4000, 500, 800, 3000), strict=True
        )
    )
    return f'"""The demo\'s settings."""\n\nCOMPONENTS = {{\n{components}}}\n\nRETRIES = 3\nTIMEOUT_SECONDS = 30\n'


def _materials(chance: random.Random) -> Iterator[str]:
    """Yield ``data/materials.yaml`` by pieces: nested as the real one is, some properties missing."""
    yield "materials:\n"
    lacking = set(chance.sample(range(MATERIALS), WITHOUT_DENSITY))
    for number in range(MATERIALS):
        yield f"  Material {number:03d}:\n    category: {chance.choice(_CATEGORIES)}\n    materialProperties:\n"
        yield "      material_characteristics:\n"
        if number not in lacking:
            yield f"        density: {{value: {chance.uniform(0.5, 20):.2f}, unit: g/cm³, min: 0.1, max: 23.0}}\n"
        yield f"        hardness: {{value: {chance.uniform(1, 10):.1f}, unit: Mohs}}\n"
        yield "      laser_material_interaction:\n"
        yield f"        thermalConductivity: {{value: {chance.uniform(0.1, 400):.1f}, unit: W/(m·K)}}\n"
        yield f"        meltingPoint: {{value: {chance.uniform(300, 3500):.0f}, unit: K}}\n"
        yield "    notes:\n"
        for _ in range(60):
            yield f"      - {' '.join(chance.choices(_WORDS, k=20))}\n"


def _categories() -> Iterator[str]:
    yield "categories:\n"
    for name in _CATEGORIES:
        yield f"  {name}:\n    description: Materials of the kind {name}\n"


def _log(chance: random.Random, now: datetime) -> Iterator[str]:
    """Yield a day of log lines in the shape of Python's ``logging``."""
    for minute in range(24 * 60, 0, -1):
        moment = now - timedelta(minutes=minute)
        words = f"wrote {chance.randrange(100, 900)} words"
        yield log_line(moment, f"generator.{chance.choice(_COMPONENTS)}", "INFO", words)
        if minute % _FAILING == 0:
            yield log_line(moment, "api.client", "ERROR", KNOWN_ERROR.format(chance.randrange(10**7)))


def log_line(moment: datetime, logger: str, level: str, message: str) -> str:
    """Return a line as Python's ``logging`` writes it."""
    return f"{moment:%Y-%m-%d %H:%M:%S},{moment.microsecond // 1000:03d} - {logger} - {level} - {message}\n"


def cache_entry(path: Path, chance: random.Random, written: datetime) -> None:
    """Write one cache entry of a realistic size, as if it had been written at *written*."""
    _write(
        path, json.dumps({"prompt": path.stem, "text": " ".join(chance.choices(_WORDS, k=chance.randrange(20, 300)))})
    )
    os.utime(path, (written.timestamp(), written.timestamp()))
