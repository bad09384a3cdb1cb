"""All conventions of a project, each found when it is first asked for, and then kept."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cached_property
from pathlib import Path

from .cache_folders import find_cache_folders
from .changelog_file import ChangelogFile, find_changelog
from .commands import Command, find_lint_commands, find_test_command
from .configuration_files import find_configuration_files
from .convention import Convention, Evidence
from .data_files import find_data_files
from .distribution_names import DistributionNames, find_distribution_names
from .environment_file import find_environment_file
from .environments import find_environment
from .import_roots import ImportRoot, find_import_roots
from .key_variables import find_key_variables
from .log_folders import find_log_folders
from .project_files import ProjectFiles
from .requirement_sources import RequirementSource, find_requirement_sources
from .stated_version import StatedVersions, read_versions
from .tag_forms import Tags, find_tag_forms
from .version_sources import find_version_sources


class ProjectConventions:
    """What the project's own files say about how it works.

    Args:
        root: the project, absolute.
        is_own: tells by its path below the root whether the suite wrote a file.
        keys: the key variables of the providers that may apply.
    """

    def __init__(self, root: Path, *, is_own: Callable[[str], bool], keys: Collection[str]) -> None:
        self.files = ProjectFiles(root, is_own=is_own)
        self._keys = keys

    @cached_property
    def log_folders(self) -> Convention[tuple[str, ...]]:
        """The folders that the project logs to."""
        return find_log_folders(self.files)

    @cached_property
    def cache_folders(self) -> Convention[tuple[str, ...]]:
        """The folders of its caches."""
        return find_cache_folders(self.files)

    @cached_property
    def key_variables(self) -> Convention[frozenset[str]]:
        """The key variables that it names."""
        return find_key_variables(self.files, self._keys)

    @cached_property
    def environment_file(self) -> Convention[tuple[Evidence, ...]]:
        """What says that it keeps variables in a ``.env``."""
        return find_environment_file(self.files, self.key_variables)

    @cached_property
    def configuration_files(self) -> Convention[tuple[str, ...]]:
        """The files that configure it."""
        return find_configuration_files(self.files)

    @cached_property
    def data_files(self) -> Convention[tuple[str, ...]]:
        """The data that it reads."""
        return find_data_files(self.files)

    @cached_property
    def requirements(self) -> Convention[tuple[RequirementSource, ...]]:
        """The files that declare or lock what it requires."""
        return find_requirement_sources(self.files)

    @cached_property
    def environment(self) -> Convention[str]:
        """The folder of its environment."""
        return find_environment(self.files)

    @cached_property
    def import_roots(self) -> Convention[tuple[ImportRoot, ...]]:
        """The folders that its modules are imported from."""
        return find_import_roots(self.files)

    @cached_property
    def distributions(self) -> Convention[DistributionNames]:
        """The names under which it and what lies in it are distributed."""
        return find_distribution_names(self.files)

    @cached_property
    def versions(self) -> Convention[StatedVersions]:
        """The files that state its version."""
        return find_version_sources(self.files, self.stated_versions)

    @cached_property
    def stated_versions(self) -> StatedVersions:
        """What its files say of the version, also where they contradict each other."""
        return read_versions(self.files.root, (), self.files.is_own)

    @cached_property
    def tags(self) -> Convention[Tags]:
        """How the tags of its releases are named."""
        return find_tag_forms(self.files)

    @cached_property
    def changelog(self) -> Convention[ChangelogFile]:
        """Its changelog."""
        return find_changelog(self.files)

    @cached_property
    def test_command(self) -> Convention[Command]:
        """The command that tests it."""
        return find_test_command(self.files)

    @cached_property
    def lint_commands(self) -> Convention[tuple[Command, ...]]:
        """The linters that look at it."""
        return find_lint_commands(self.files)

    def every(self) -> list[Convention[object]]:
        """Return all of them, in the order in which they are shown."""
        return [
            self.log_folders,
            self.cache_folders,
            self.key_variables,
            self.environment_file,
            self.configuration_files,
            self.data_files,
            self.requirements,
            self.environment,
            self.import_roots,
            self.distributions,
            self.versions,
            self.tags,
            self.changelog,
            self.test_command,
            self.lint_commands,
        ]
