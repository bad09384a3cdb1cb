"""A package index to try things on: a small server on loopback with the simple repository API (PEP 503 and 691)."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from threading import Event, Lock
from typing import Any, NamedTuple

from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename

from .loopback import Request, Response, serve

_JSON = "application/vnd.pypi.simple.v1+json"
_PROJECT = re.compile(r"/simple/([^/]+)/?")
_FILE = re.compile(r"/files/([^/]+)")


class OfferedFile(NamedTuple):
    """One file that the index offers.

    Attributes:
        content: its bytes.
        uploaded: when it was; ``None``: the index does not tell.
        yanked: why it was withdrawn; ``None``: it was not.
    """

    content: bytes
    uploaded: datetime | None = None
    yanked: str | None = None


@dataclass
class Behaviour:
    """How an index answers.

    Attributes:
        html_only: it has no JSON, as older servers.
        user: ``name:password`` that it asks for; empty: it asks for none.
        delay_seconds: how long a page takes.
        page: what is sent in the place of every page.
    """

    html_only: bool = False
    user: str = ""
    delay_seconds: float = 0
    page: Response | None = None


@dataclass
class Index:
    """An index that serves.

    Attributes:
        files: what it offers, by file name; may be changed while it serves.
        url: its address, for ``--index-url``.
        pages: the projects that were asked for, in their order.
        fetched: the files that were fetched, in their order.
    """

    files: dict[str, OfferedFile]
    behaviour: Behaviour
    url: str = ""
    pages: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    ended: Event = field(default_factory=Event)
    lock: Lock = field(default_factory=Lock)

    def answer(self, request: Request) -> Response:
        """Return the answer to a request."""
        if self.behaviour.user and request.headers.get("authorization") != _basic(self.behaviour.user):
            return Response(HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": 'Basic realm="index"'})
        if match := _PROJECT.fullmatch(request.path):
            with self.lock:
                self.pages.append(match[1])
            self.ended.wait(self.behaviour.delay_seconds)
            return self.behaviour.page or self._page(match[1], request.headers.get("accept", ""))
        if match := _FILE.fullmatch(request.path):
            with self.lock:
                self.fetched.append(match[1])
            if match[1] in self.files:
                return Response(HTTPStatus.OK, self.files[match[1]].content)
        return Response(HTTPStatus.NOT_FOUND)

    def _page(self, name: str, accept: str) -> Response:
        files = [_entry(file, offered) for file, offered in self.files.items() if _release(file)[0] == name]
        if not files:
            return Response(HTTPStatus.NOT_FOUND, b"there is no such project")
        if self.behaviour.html_only or _JSON not in accept:
            return Response(HTTPStatus.OK, _as_html(files).encode(), {"Content-Type": "text/html; charset=utf-8"})
        versions = sorted({_release(file["filename"])[1] for file in files})
        page = {"meta": {"api-version": "1.1"}, "name": name, "versions": versions, "files": files}
        return Response(HTTPStatus.OK, json.dumps(page).encode(), {"Content-Type": _JSON})


def _basic(user: str) -> str:
    return f"Basic {base64.b64encode(user.encode()).decode()}"


def _release(file: str) -> tuple[str, str]:
    """Return the normalized name and the version of a file's release."""
    if file.endswith(".whl"):
        name, version, *_ = parse_wheel_filename(file)
    else:
        name, version = parse_sdist_filename(file)
    return canonicalize_name(name), str(version)


def _entry(file: str, offered: OfferedFile) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "filename": file,
        "url": f"../../files/{file}",
        "hashes": {"sha256": hashlib.sha256(offered.content).hexdigest()},
        "size": len(offered.content),
        "yanked": offered.yanked if offered.yanked is not None else False,
    }
    if offered.uploaded is not None:
        entry["upload-time"] = f"{offered.uploaded.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    if required := _requires_python(file, offered.content):
        entry["requires-python"] = required
    return entry


def _requires_python(file: str, content: bytes) -> str | None:
    if not file.endswith(".whl"):
        return None
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (path,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        found = re.search(r"^Requires-Python: (.+)$", archive.read(path).decode(), re.MULTILINE)
    return found[1] if found else None


def _as_html(files: list[dict[str, Any]]) -> str:
    return "<!DOCTYPE html><html><body>\n" + "".join(map(_anchor, files)) + "</body></html>\n"


def _anchor(entry: Mapping[str, Any]) -> str:
    attributes = f'href="{entry["url"]}#sha256={entry["hashes"]["sha256"]}"'
    if "requires-python" in entry:
        attributes += f' data-requires-python="{html.escape(entry["requires-python"])}"'
    if entry["yanked"] is not False:
        attributes += f' data-yanked="{html.escape(entry["yanked"])}"'
    return f"<a {attributes}>{entry['filename']}</a>\n"


@contextmanager
def package_index(files: Mapping[str, OfferedFile], behaviour: Behaviour | None = None) -> Iterator[Index]:
    """Serve *files*, by their names, on a free port of 127.0.0.1 until the block ends."""
    index = Index(dict(files), behaviour or Behaviour())
    with serve(index.answer) as address:
        index.url = f"{address}/simple"
        try:
            yield index
        finally:
            index.ended.set()
