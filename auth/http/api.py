"""The HTTP door: begin and answer as one route, and the two routes that a load balancer asks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, assert_never

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.clock import Entropy
from auth.nodes import KnownNode, Nodes
from auth.request import Accepted, AnswerRequest, Challenged, Door, LoginRequest, Origin, Outcome, Refused, Service
from schema.secret import Secret

_LARGEST_BODY = 16 * 1024
_LONGEST_FIELD = 1024
_JSON = "application/json"
_PROBLEM = "application/problem+json"  # RFC 9457


class AuthenticateBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client posts to /v1/authenticate: a first step, or with `state` the answer to a challenge.

    Attributes:
        user: login name.
        password: what was typed in the password field.
        passcode: the code: with `state` the answer, without it a code typed in a field of its own.
        state: of the challenge that is answered.
        node: the caller's own access node; may be left out.
    """

    user: str
    password: str | None = None
    passcode: str | None = None
    state: str | None = None
    node: str | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the service can do its work.

    Attributes:
        problems: what is in the way, without secrets; none means ready.
        details: figures for people, e.g. the replica's version and age.
    """

    problems: Sequence[str]
    details: Mapping[str, float | int | str]


class _Problem(Exception):
    """An answer in RFC 9457's form."""

    def __init__(self, status: HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def http_app(
    service: Service, nodes: Nodes, health: Callable[[], Health], entropy: Entropy, further: Sequence[Route] = ()
) -> Starlette:
    """The ASGI application.

    Args:
        service: decides.
        nodes: tells who calls, by API key.
        health: asked for each /readyz.
        entropy: draws correlation ids.
        further: routes of others, which see to it themselves who may call.
    """

    async def authenticate(request: Request) -> Response:
        """POST /v1/authenticate."""
        node = _caller(request, nodes)
        body = await _body(request)
        if body.node is not None and body.node != node.node.name:
            raise _Problem(HTTPStatus.FORBIDDEN, "this API key is not the one of the node that the body names")
        address = request.client.host if request.client else ""
        correlation = entropy.octets(8).hex()
        origin = Origin(Door.HTTP, node.node.name, correlation, address)
        return _json({"correlation": correlation, **_said(await _ask(service, origin, body))})

    async def healthz(_: Request) -> Response:
        """GET /healthz: the process answers."""
        return _json({"status": "alive"})

    async def readyz(_: Request) -> Response:
        """GET /readyz: the service can decide."""
        found = health()
        status = HTTPStatus.SERVICE_UNAVAILABLE if found.problems else HTTPStatus.OK
        ready = {"status": "not ready" if found.problems else "ready", "problems": found.problems, **found.details}
        return _json(ready, status)

    async def problem(_: Request, error: Exception) -> Response:
        known = error if isinstance(error, _Problem) else _Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "see the log")
        document = {"title": known.status.phrase, "status": known.status.value, "detail": known.detail}
        response = _json(document, known.status, _PROBLEM)
        if known.status is HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = "Bearer"  # RFC 9110 section 15.5.2
        return response

    return Starlette(
        routes=[
            Route("/v1/authenticate", authenticate, methods=["POST"]),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            *further,
        ],
        exception_handlers={_Problem: problem, Exception: problem},
    )


def _caller(request: Request, nodes: Nodes) -> KnownNode:
    """The access node whose API key stands in `Authorization: Bearer KEY`."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    known = nodes.by_api_key(Secret(key.strip())) if scheme.lower() == "bearer" and key else None
    if known is None:
        raise _Problem(HTTPStatus.UNAUTHORIZED, "send `Authorization: Bearer KEY` with the API key of an access node")
    return known


async def _body(request: Request) -> AuthenticateBody:
    octets = b""
    async for chunk in request.stream():
        octets += chunk
        if len(octets) > _LARGEST_BODY:
            raise _Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is larger than {_LARGEST_BODY} octets")
    try:
        body = msgspec.json.decode(octets, type=AuthenticateBody)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        # a validation error names the field, never its value
        detail = str(error) if isinstance(error, msgspec.ValidationError) else "the body is no JSON"
        raise _Problem(HTTPStatus.BAD_REQUEST, detail) from None
    texts = (body.user, body.password, body.passcode, body.state, body.node)
    if any(text is not None and len(text) > _LONGEST_FIELD for text in texts):
        raise _Problem(HTTPStatus.BAD_REQUEST, f"a field is longer than {_LONGEST_FIELD} characters")
    if body.state is not None and (body.passcode is None) == (body.password is None):
        raise _Problem(HTTPStatus.BAD_REQUEST, "with `state` give the answer, in `passcode` or in `password`")
    return body


async def _ask(service: Service, origin: Origin, body: AuthenticateBody) -> Outcome:
    password = None if body.password is None else Secret(body.password)
    passcode = None if body.passcode is None else Secret(body.passcode)
    if body.state is None:
        return await service.begin(LoginRequest(origin, body.user, password, passcode))
    answer = passcode if passcode is not None else password
    return await service.answer(AnswerRequest(origin, Secret(body.state), answer or Secret(""), body.user))


def _said(outcome: Outcome) -> dict[str, Any]:
    """The outcome in the API's words; the reason of a refusal stays with us."""
    match outcome:
        case Accepted(reply_attributes=attributes):
            pairs = [{"name": item.name, "value": item.value} for item in attributes]
            return {"outcome": "accepted", "reply_attributes": pairs}
        case Challenged():
            return {
                "outcome": "challenged",
                "state": outcome.state.text,
                "message": outcome.message,
                "method": outcome.method,
                "expires_in": outcome.expires_in,
            }
        case Refused(message=message):
            return {"outcome": "refused", "message": message}
        case _:
            assert_never(outcome)


def _json(document: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK, media_type: str = _JSON) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(msgspec.json.encode(document), status.value, headers, media_type)
