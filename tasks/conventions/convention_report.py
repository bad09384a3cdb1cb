"""The report on what a project's own files say about how it works."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.report.model import Finding, Report, Status
from ..core.text.formatting import count, printable
from .convention import Convention
from .project_files import ProjectFiles

CHECK = "conventions.found"


def evaluate(conventions: Sequence[Convention[object]], files: ProjectFiles) -> Report:
    """Report each convention: ok where it was found, skipped where it was not, unknown where it contradicts itself.

    Args:
        conventions: those of the project, as they are shown.
        files: the files that were looked at.
    """
    found = [each for each in conventions if each.value is not None]
    looked = f"{count(len(files.paths), 'file')} looked at, by {files.source}"
    return Report(
        summary=f"{len(found)} of {len(conventions)} conventions found; {looked}",
        findings=[*map(_finding, conventions), *_cut(files)],
        data={
            "conventions": {
                each.name: {
                    "found": printable(each.shown),
                    "setting": each.setting,
                    "evidence": [str(place) for place in each.evidence],
                }
                for each in conventions
            }
        },
    )


def not_found(conventions: Sequence[Convention[object]]) -> list[Finding]:
    """Return the findings on what was looked for and not found, or contradicts itself."""
    return [_finding(each) for each in conventions if each.value is None]


def _finding(convention: Convention[object]) -> Finding:
    if convention.contradiction:
        message, status = convention.contradiction, Status.UNKNOWN
        remedy = f"Correct one of them, or set {convention.setting}."
        return Finding(check=CHECK, subject=convention.name, status=status, message=printable(message), remedy=remedy)
    if convention.value is None:
        message = f"Not found. Looked for {convention.sought}."
        return Finding(check=CHECK, subject=convention.name, status=Status.SKIPPED, message=printable(message))
    places = "; ".join(str(each) for each in convention.evidence)
    message = f"{printable(convention.shown)}. Found in {places}."
    return Finding(check=CHECK, subject=convention.name, status=Status.OK, message=message)


def _cut(files: ProjectFiles) -> list[Finding]:
    if not files.cut:
        return []
    return [
        Finding(
            check=CHECK,
            subject="files",
            status=Status.UNKNOWN,
            message=f"Not every file was looked at: {printable(files.cut)}.",
            remedy="Set what was not found in invoke.yaml.",
        )
    ]
