"""Finds the operation that a request is for, and turns whatever goes wrong into a problem document."""

import logging
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus

from auth.http.answer import Answer
from auth.http.call import Call
from auth.http.operation import Operation
from auth.http.problem import Problem
from auth.incident import describe

_log = logging.getLogger("dirfactor.http")
Counted = Callable[[str, int], None]
"""Hears of each answer: its route, and its status."""


class HttpDoor:
    """Serves operations; no fault of ours tells the client more than that it is one.

    Args:
        operations: all that there is; a path that ends with `/` stands for every path with one more segment.
        counted: hears of each answer.
    """

    def __init__(self, operations: Iterable[Operation], counted: Counted) -> None:
        self._methods: dict[str, dict[str, Operation]] = {}
        for operation in operations:
            self._methods.setdefault(operation.path, {})[operation.method] = operation
        self._counted = counted

    async def answer(self, call: Call) -> Answer:
        """The answer; never raises."""
        path = call.path
        methods = self._methods.get(path)
        if methods is None:
            path = path[: path.rfind("/") + 1]
            methods = self._methods.get(path, {})
        answer = await _answer(methods, call)
        self._counted(path if methods else "none", answer.status)
        return answer


async def _answer(methods: Mapping[str, Operation], call: Call) -> Answer:
    operation = methods.get("GET" if call.method == "HEAD" else call.method)
    if operation is None:
        return _no_such(methods)
    try:
        return await operation.handle(call)
    except Problem as problem:
        return problem.answer
    except Exception as error:  # noqa: BLE001 - whatever failed, the client learns no more than that something did
        # no traceback: it could show what people typed
        _log.error("%s %s: a fault of ours: %s", call.method, operation.path, describe(error))
        return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "a fault of ours, see the log").answer


def _no_such(methods: Mapping[str, Operation]) -> Answer:
    if not methods:
        return Problem(HTTPStatus.NOT_FOUND, "there is no such route: see /openapi.json").answer
    allowed = sorted({*methods, *(["HEAD"] if "GET" in methods else [])})
    # RFC 9110 section 15.5.6 wants Allow
    return Problem(
        HTTPStatus.METHOD_NOT_ALLOWED, f"this route takes {' and '.join(allowed)}", {"allow": ", ".join(allowed)}
    ).answer
