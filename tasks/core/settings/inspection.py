"""The procedures of the ``settings`` collection: show, check and write down the settings."""

from __future__ import annotations

from typing import Any

from ..files.safe_files import write
from ..report.model import Action, Finding, Report, Status
from ..text.formatting import count, printable
from .example import FILE, example
from .fields import dotted
from .loading import Loaded


def show(loaded: Loaded, *, changed: bool = False) -> Report:
    """Report every setting with its value and where that came from; with *changed* only what is no default."""
    records = [
        {"setting": dotted(path), "from": printable(origin), "value": _value(loaded, path)}
        for path, origin in loaded.origins.items()
        if not changed or origin != "default"
    ]
    records += [
        {"setting": dotted(path), "from": printable(origin), "value": None} for path, origin in loaded.removed.items()
    ]
    return Report(
        summary=f"{_numbers(loaded)}; the project is {printable(loaded.settings.root)}",
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


def init(loaded: Loaded, *, dry_run: bool) -> Report:
    """Write a commented ``invoke.yaml`` beside ``tasks.py``; one that is there is left as it is."""
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
    if not dry_run:
        write(loaded.folder, FILE, example().encode())
    would = "would be " if dry_run else ""
    return Report(
        summary=f"{FILE} {would}written",
        dry_run=dry_run,
        findings=[
            Finding(
                check="settings.file",
                subject=FILE,
                status=Status.OK,
                message=f"{printable(path)} {would}written, with every setting and its default.",
            )
        ],
        actions=[Action(verb="write", target=FILE, done=not dry_run)],
        files=[] if dry_run else [FILE],
    )


def _numbers(loaded: Loaded) -> str:
    own = sum(origin != "default" for origin in loaded.origins.values()) + len(loaded.removed)
    return f"{count(len(loaded.origins), 'setting')}, {own} of them not the default"


def _value(loaded: Loaded, path: tuple[str, ...]) -> object:
    value: Any = loaded.tree
    for key in path:
        value = value[key]
    return value
