"""GET /openapi.json: the door described by OpenAPI 3.1, made of the operations that it serves from."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from http import HTTPStatus
from inspect import cleandoc
from typing import Any

import msgspec

from auth.http import problem
from auth.http.answer import JSON, Answer
from auth.http.call import Call
from auth.http.operation import Access, Operation
from auth.http.problem import ProblemDocument
from auth.version import __version__

_REF = "#/components/schemas/{name}"
_SCHEMES = {
    "nodeKey": {"type": "http", "scheme": "bearer", "description": "API key of an access node of type http."},
    "nodeCertificate": {"type": "mutualTLS", "description": "Client certificate of an access node of type http."},
    "administratorKey": {"type": "http", "scheme": "bearer", "description": "API key of an [admin:NAME] section."},
}
_SECURITY: dict[Access, list[dict[str, list[str]]]] = {
    Access.EVERYBODY: [],
    Access.NODE: [{"nodeKey": []}, {"nodeCertificate": []}],
    Access.ADMINISTRATOR: [{"administratorKey": []}],
    Access.METRICS: [{}, {"nodeKey": []}, {"nodeCertificate": []}, {"administratorKey": []}],
}
_ATTRIBUTE = re.compile(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


def openapi(operations: Callable[[], Iterable[Operation]]) -> Operation:
    """The operation.

    Args:
        operations: all of the door.
    """

    @cache
    def document() -> bytes:
        return msgspec.json.encode(described(tuple(operations())))

    async def handle(_: Call) -> Answer:
        return Answer(document())

    return Operation(
        "GET",
        "/openapi.json",
        "openapi",
        "This document.",
        Access.EVERYBODY,
        handle,
        answers={HTTPStatus.OK: dict[str, Any]},
    )


def described(operations: Sequence[Operation]) -> dict[str, Any]:
    """The document.

    What providers of texts say to us is not in it: they decide its form, and our section follows them.
    """
    told = [operation for operation in operations if operation.access in _SECURITY]
    types = [ProblemDocument]
    for operation in told:
        types += [kind for kind in (operation.takes, operation.asks, *operation.answers.values()) if kind is not None]
    found, components = msgspec.json.schema_components(types, ref_template=_REF)
    schemas = {id(kind): schema for kind, schema in zip(types, found, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for operation in told:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, schemas, components)
    queries = {operation.asks.__name__ for operation in told if operation.asks is not None}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "dirfactor",
            "version": __version__,
            "description": "A second factor by the directory's attributes.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": {name: _explained(schema) for name, schema in components.items() if name not in queries},
            "securitySchemes": _SCHEMES,
        },
    }


def _operation(operation: Operation, schemas: dict[int, Any], components: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "security": _SECURITY[operation.access],
        "responses": {
            **{
                str(int(status)): _response(status, operation.media_type, schemas[id(kind)])
                for status, kind in operation.answers.items()
            },
            **{
                str(int(status)): _response(status, problem.MEDIA_TYPE, schemas[id(ProblemDocument)])
                for status in sorted(_problems(operation) - operation.answers.keys())
            },
        },
    }
    if operation.takes is not None:
        found["requestBody"] = {"required": True, "content": {JSON: {"schema": schemas[id(operation.takes)]}}}
    if operation.asks is not None:
        form = _explained(components[operation.asks.__name__])
        found["parameters"] = [
            {"in": "query", "name": name, "required": name in form.get("required", ()), "schema": schema}
            for name, schema in form["properties"].items()
        ]
    return found


def _problems(operation: Operation) -> set[HTTPStatus]:
    found = {HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE}
    if operation.takes is not None:
        found |= {HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE}
    if operation.access is not Access.EVERYBODY:
        found |= {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    return found | set(operation.problems)


def _response(status: HTTPStatus, media_type: str, schema: Any) -> dict[str, Any]:
    return {"description": HTTPStatus(status).phrase, "content": {media_type: {"schema": schema}}}


def _explained(schema: dict[str, Any]) -> dict[str, Any]:
    """A type's docstring shared out: what it is for the type, what each attribute is for its property."""
    head, _, rest = cleandoc(schema.get("description", "")).partition("\n\nAttributes:\n")
    told = {name: " ".join(words.split()) for name, words in _ATTRIBUTE.findall(rest)}
    properties = {
        name: {**each, "description": told[name]} if name in told and "$ref" not in each else each
        for name, each in schema.get("properties", {}).items()
    }
    return {**schema, **({"description": head} if head else {}), **({"properties": properties} if properties else {})}
