"""Commands as the user can type them: sentences hold ``inv NAME``, with the name that a procedure declares.

How the suite was called decides what works: under which name the namespace is mounted, with which ``-c`` the tasks were
found, and whether the program is Invoke's, Fabric's or a console script. One place puts that into every report.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from ..text.formatting import printable

if TYPE_CHECKING:
    from ..report.model import Report


@dataclass(frozen=True)
class Commands:
    """How the suite was called.

    Attributes:
        program: the program's name.
        collection: what was given with ``-c``; empty: nothing.
        search_root: what was given with ``-r``; empty: nothing.
        file: what was given with ``-f``; empty: nothing.
        script: the path of a program that brings its tasks with it, as a console script does; empty: tasks are found.
        names: by the name that a procedure or a collection declares, the one under which it is mounted.
    """

    program: str = "inv"
    collection: str = ""
    search_root: str = ""
    file: str = ""
    script: str = ""
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """The program with the flags that it needs to find the same tasks and settings."""
        given = (("-c", self.collection), ("-r", self.search_root), ("-f", self.file))
        flags = [word for flag, value in given if value for word in (flag, value)]
        return printable(shlex.join([self.program, *flags]))

    def as_typed(self, text: str) -> str:
        """Return *text* with each ``inv NAME`` as it can be typed; names that are not known stay as they are."""
        return text if self._pattern is None else self._pattern.sub(self._replacement, text)

    def in_report(self, report: Report) -> Report:
        """Return the report with the commands in its sentences as they can be typed."""
        import msgspec  # only where something is to be replaced: this module is loaded at every start

        if self._pattern is None:
            return report
        findings = [
            msgspec.structs.replace(
                each,
                message=self.as_typed(each.message),
                remedy=self.as_typed(each.remedy) if each.remedy else each.remedy,
            )
            for each in report.findings
        ]
        return msgspec.structs.replace(report, summary=self.as_typed(report.summary), findings=findings)

    @cached_property
    def _known(self) -> Mapping[str, str]:
        return {**{typed: typed for typed in self.names.values()}, **self.names}

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        """What finds a command, its flags and its names; ``None`` where all commands can be typed as they are."""
        if self.prefix == "inv" and all(name == typed for name, typed in self.names.items()):
            return None
        known = "|".join(re.escape(name) for name in sorted(self._known, key=len, reverse=True))
        # A name ends before a full stop that ends the sentence, and not before one that a longer name has.
        return re.compile(rf"(?<![\w./-])inv((?: --?[a-z][a-z-]*)*)((?: (?:{known})(?![\w-]|\.\w))+)")

    def _replacement(self, found: re.Match[str]) -> str:
        names = [self._known[name] for name in found[2].split()]
        return f"{self.prefix}{found[1]} {' '.join(names)}"
