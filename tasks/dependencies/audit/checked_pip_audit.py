"""pip-audit, with every answer looked at before pip-audit believes it; the suite's interpreter runs this as a program.

pip-audit takes each of these for "nothing is known": an answer that is JSON but empty in Python's eyes (``[]``,
``null``, ``0``), what a redirection leads to, an entry of a schema that it does not know, one without ``affected``,
and the first page of several. Here each of them ends the run. Like every failure of the service, it is reported in the
last line on standard error, as the end of a sentence, with exit status 70 (``EX_SOFTWARE`` in ``sysexits.h``).
"""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

import requests

STATUS = 70
"""How this program ends where there is no answer that can be believed."""

_QUERY = "POST"
"""OSV is queried; the package index, pip-audit's own choice, has a document to get for each release."""


class NoAnswer(Exception):
    """There is no answer that can be believed: the end of a sentence on why."""


def main() -> None:
    """Run pip-audit with this program's arguments."""
    answers: list[str] = []
    requests.Session.send = _checked(requests.Session.send, answers)  # type: ignore[method-assign]
    try:
        runpy.run_module("pip_audit", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if ended.code and not answers:  # it says why, and it is nothing that was found
            sys.exit(2)
        raise
    except NoAnswer as reason:
        _fail(str(reason))
    except ImportError as error:
        _fail(f"pip-audit is not installed beside this suite ({error})")
    except Exception as error:  # noqa: BLE001 - every failure is reported in one line
        _fail(f"pip-audit failed with {type(error).__name__}: {error}")
    if not answers:
        _fail("pip-audit has asked nobody")


def _fail(reason: str) -> None:
    print(" ".join(reason.split()), file=sys.stderr)  # noqa: T201 - how a program speaks
    sys.exit(STATUS)


def _checked(send: Callable[..., requests.Response], answers: list[str]) -> Callable[..., requests.Response]:
    """Return what sends as *send* does, notes each address that answered, and raises where the answer is none."""

    @wraps(send)
    def checked(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        query = request.method == _QUERY
        if query:
            options["allow_redirects"] = False  # it would go on as a GET, which asks nothing
        try:
            response = send(session, request, **options)
        except requests.Timeout:
            raise NoAnswer("the service did not answer in time") from None
        except requests.RequestException as error:
            raise NoAnswer(f"the service cannot be reached: {_reason(error)}") from None
        if query or not (response.is_redirect or response.status_code == HTTPStatus.NOT_FOUND):
            reason = flaw(response.status_code, response.content, query=query)
            if reason:
                raise NoAnswer(reason)
        answers.append(str(request.url))
        return response

    return checked


def _reason(error: BaseException) -> str:
    """Return what went wrong at the bottom of it."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return str(getattr(error, "strerror", None) or error)


def flaw(status: int, content: bytes, *, query: bool) -> str:
    """Return why an answer is not to be believed, as the end of a sentence; empty where it is.

    Args:
        status: its HTTP status.
        content: its body.
        query: True for OSV's answer to a query, False for a release's document of the package index.
    """
    if status != HTTPStatus.OK:
        where = " (a redirection)" if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST else ""
        return f"the service answered with HTTP {status}{where}"
    try:
        answer = json.loads(content)
    except ValueError:
        return "the service answered with something that is no JSON"
    found = answer.get("vulns" if query else "vulnerabilities") if isinstance(answer, dict) else None
    if query and answer == {}:
        return ""
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        return "the service answered with something else than advisories"
    if answer.get("next_page_token"):
        return "the service has a second page of advisories, which pip-audit does not read"
    left_out = [str(each.get("id")) for each in found if query and _is_left_out(each)]
    return f"pip-audit cannot read the form in which the service tells of {', '.join(left_out)}" if left_out else ""


def _is_left_out(advisory: dict[str, Any]) -> bool:
    """Tell whether pip-audit leaves out an advisory that is in force."""
    readable = str(advisory.get("schema_version", "1")).split(".")[0] == "1" and advisory.get("affected") is not None
    return not readable and advisory.get("withdrawn") is None


if __name__ == "__main__":
    main()
