"""Which files state the project's version, and whether they agree."""

from __future__ import annotations

from .build_files import line_of
from .convention import Convention, Evidence
from .project_files import ProjectFiles
from .stated_version import StatedVersions

_SOUGHT = (
    "pyproject.toml, setup.cfg, setup.py, package.json, VERSION, and __version__ in the packages of the root and of src"
)


def find_version_sources(files: ProjectFiles, found: StatedVersions) -> Convention[StatedVersions]:
    """Return what the files say of the version; different versions contradict each other.

    Args:
        files: the project's.
        found: what they state.
    """
    evidence = tuple(
        Evidence(each.place, line_of(files, each.place, ["version", "__version__"]), each.version)
        for each in found.stated
    )
    if found.from_tags:
        evidence += (Evidence(found.from_tags, None, "made from the tags"),)
    versions = sorted({each.version for each in found.stated})
    contradiction = ""
    if len(versions) > 1:
        sides = " and ".join(f"{each.version} in {each.place}" for each in found.stated)
        contradiction = f"The version is {sides}."
    value = found if found.stated or found.from_tags else None
    return Convention(
        "version",
        _SOUGHT,
        None if contradiction else value,
        ", ".join([*versions, *(["from the tags"] if found.from_tags else [])]),
        evidence,
        contradiction,
        setting="maintenance.release.version_files",
    )
