"""The procedures of the ``settings`` collection: show, check and write down the settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..files.safe_files import write
from ..report.model import Action, Finding, Report, Status
from ..text.formatting import count, printable
from .example import FILE, example
from .fields import SettingPath, dotted, value_at
from .loading import Loaded


class FoundSetting(NamedTuple):
    """What the project's own files say in the place of a default.

    Attributes:
        value: the value, as a settings file would have it.
        places: the places that say so.
    """

    value: Any
    places: str


def show(loaded: Loaded, *, changed: bool = False, found: Mapping[SettingPath, FoundSetting] | None = None) -> Report:
    """Report every setting with its value and where that came from; with *changed* only what is no default.

    Args:
        loaded: the settings.
        changed: leave out what is a default.
        found: what the project's own files say in the place of defaults.
    """
    found = found or {}
    records = [
        {
            "setting": dotted(path),
            "from": printable(f"convention ({found[path].places})" if path in found else origin),
            "value": found[path].value if path in found else value_at(loaded.tree, path),
        }
        for path, origin in loaded.origins.items()
        if not changed or origin != "default" or path in found
    ]
    records += [
        {"setting": dotted(path), "from": printable(origin), "value": None} for path, origin in loaded.removed.items()
    ]
    numbers = _numbers(loaded)
    if found:
        numbers += f", {len(found)} found in the project"
    return Report(
        summary=f"{numbers}; the project is {printable(loaded.settings.root)}",
        data={"settings": records},
    )


def check(loaded: Loaded) -> Report:
    """Report that the settings can be used: had they not been, the run would have ended before this."""
    return Report(
        summary="the settings can be used",
        findings=[
            Finding(
                check="settings.valid",
                subject="maintenance",
                status=Status.OK,
                message=f"{_numbers(loaded)}; the project is {printable(loaded.settings.root)}.",
                value=len(loaded.origins),
                unit="settings",
            )
        ],
    )


def init(
    loaded: Loaded,
    *,
    dry_run: bool,
    found: Mapping[SettingPath, FoundSetting] | None = None,
    unused: Iterable[SettingPath] = (),
    not_found: Iterable[Finding] = (),
) -> Report:
    """Write an ``invoke.yaml`` beside ``tasks.py`` with what was found; one that is there is left as it is.

    Args:
        loaded: the settings.
        dry_run: write nothing.
        found: what the project's own files say in the place of defaults.
        unused: the settings, or sections of them, that do not apply to the project.
        not_found: what was looked for and not found.
    """
    # Invoke reads the first of these that it finds: a new one must not switch another off.
    names = [loaded.folder / f"invoke.{suffix}" for suffix in ("yaml", "yml", "json", "py")]
    there = [name for name in names if name.is_symlink() or name.exists()]
    path = there[0] if there else loaded.folder / FILE
    if there:
        finding = Finding(
            check="settings.file",
            subject=FILE,
            status=Status.WARNING,
            message=f"{printable(path)} is there already and stays as it is.",
            remedy="Run inv settings.example to see one to copy from.",
        )
        return Report(summary="nothing written", dry_run=dry_run, findings=[finding])
    found, unused = found or {}, [*unused]
    if not dry_run:
        content = example({key: (each.value, printable(each.places)) for key, each in found.items()}, unused)
        write(loaded.folder, FILE, content.encode())
    would = "would be " if dry_run else ""
    message = f"{printable(path)} {would}written, with every setting and its default."
    if found:
        message += f" {count(len(found), 'setting')} found in the project: {', '.join(map(dotted, found))}."
    if unused:
        message += f" Left out, for the project does not use them: {', '.join(map(dotted, unused))}."
    return Report(
        summary=f"{FILE} {would}written",
        dry_run=dry_run,
        findings=[
            Finding(check="settings.file", subject=FILE, status=Status.OK, message=message),
            *not_found,
        ],
        actions=[Action(verb="write", target=FILE, done=not dry_run)],
        files=[] if dry_run else [FILE],
    )


def _numbers(loaded: Loaded) -> str:
    own = sum(origin != "default" for origin in loaded.origins.values()) + len(loaded.removed)
    return f"{count(len(loaded.origins), 'setting')}, {own} of them not the default"
