"""What imports what in the project's code, as grimp finds it in a copy of the code."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

import msgspec

from ...core.programs.processes import Ended, run
from ...core.text.formatting import duration, printable
from .code_files import CodeFile, package_names
from .code_mirror import CodeMirror, mirror_code

_PROBE = Path(__file__).with_name("import_graph_probe.py")

_SECONDS = 300.0
"""After which the analysis is not waited for; a thousand modules take about one."""


class CycleStep(NamedTuple):
    """One import of a circle: the importing module, the imported one, the line, and whether a function makes it."""

    importer: str
    imported: str
    line: int
    inside: bool


class ImportCycle(NamedTuple):
    """Modules that import each other: how many, and a shortest way round."""

    size: int
    steps: list[CycleStep]


class ImportGraph(NamedTuple):
    """What was found.

    Attributes:
        lines: by the path of a file, how many lines of code it has.
        modules: how many modules were analysed.
        imports: how many imports there are between them.
        cycles: how many circles.
        shown: the first of them.
        used: the asked components that something outside them imports.
        own: how many imports are of the project's own modules.
        unresolved: how many of these name no module that was found.
        example: the first of these, as ``path:line: import``; empty where there is none.
        unread: the files that were not analysed, as ``path:line: reason``.
        problem: why there is no analysis, as the end of a sentence; empty where there is one.
    """

    lines: dict[str, int]
    modules: int = 0
    imports: int = 0
    cycles: int = 0
    shown: Sequence[ImportCycle] = ()
    used: frozenset[str] = frozenset()
    own: int = 0
    unresolved: int = 0
    example: str = ""
    unread: Sequence[str] = ()
    problem: str = ""


def analyse_imports(
    root: Path, sources: Collection[CodeFile], components: Sequence[str], stop: Event, advance: Callable[[int], None]
) -> ImportGraph:
    """Return what the project's modules import of each other.

    Args:
        root: the project.
        sources: its files of code.
        components: the modules that may be unused.
        stop: ends it early where it is set.
        advance: called for each file.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="audit-") as folder:
            scratch = Path(folder).resolve()
            copy = scratch / "code"
            copy.mkdir()
            made = mirror_code(root, sources, copy, stop, advance)
            if not made.tops:
                return ImportGraph(made.lines, unread=made.unread)
            work = {
                "folder": str(copy),
                "names": sorted(made.tops),
                "components": list(components),
                "own": sorted(package_names(sources)),
                "bare": made.bare,
            }
            return _analysed(made, work, scratch, stop)
    except OSError as error:
        return ImportGraph({}, problem=f"the code cannot be copied to a temporary folder: {error.strerror}")


def _analysed(made: CodeMirror, work: dict[str, Any], scratch: Path, stop: Event) -> ImportGraph:
    answer = scratch / "answer.json"
    ended = _probed(scratch, work, answer, stop)
    if ended.status is not None and ended.status < 0 and not ended.overdue:
        ended = _probed(scratch, work | {"cautious": True}, answer, stop)
    if not ended.succeeded:
        return ImportGraph(made.lines, unread=made.unread, problem=_failure(ended))
    return _graph(made, msgspec.json.decode(answer.read_bytes(), type=dict[str, Any]))


def _probed(scratch: Path, work: dict[str, Any], answer: Path, stop: Event) -> Ended:
    asked = scratch / "work.json"
    asked.write_bytes(msgspec.json.encode(work))
    return run(
        [sys.executable, "-I", "-B", "-X", "utf8", "-W", "ignore", _PROBE, asked, answer],
        folder=scratch,
        environ={},
        deadline_seconds=_SECONDS,
        stop=stop,
    )


def _failure(ended: Ended) -> str:
    if ended.overdue:
        return f"it took longer than {duration(_SECONDS)} or was interrupted"
    if ended.status is not None and ended.status < 0:
        return f"it was ended by signal {-ended.status}"
    return printable(ended.problem or ended.last_words()) or "it ended without a word"


def _graph(made: CodeMirror, answer: dict[str, Any]) -> ImportGraph:
    broken = [f"{made.origins[path]}:{line}: syntax error{_quoted(text)}" for path, line, text in answer["broken"]]
    deep = [f"{made.origins[path]}: it is too deeply nested" for path in answer["deep"]]
    loaded = [f"{name}: Python or the suite has a module of that name" for name in answer["loaded"]]
    return ImportGraph(
        lines=made.lines,
        modules=len(made.origins) - len(broken) - len(deep),
        imports=answer["imports"],
        cycles=answer["cycles"],
        shown=[
            ImportCycle(each["size"], [CycleStep(*step) for step in each["imports"]]) for each in answer["shortest"]
        ],
        used=frozenset(answer["used"]),
        own=answer["own"],
        unresolved=answer["unresolved"],
        example=_place(made, *answer["example"]) if answer["example"] else "",
        unread=sorted([*made.unread, *broken, *deep, *loaded]),
    )


def _place(made: CodeMirror, path: str, line: int, text: str) -> str:
    return f"{made.origins[path]}:{line}: {text}"


def _quoted(text: str) -> str:
    return f' at "{printable(text)}"' if text else ""
