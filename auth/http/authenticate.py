"""POST /v1/authenticate: a first step, or the answer to a challenge."""

from http import HTTPStatus
from typing import assert_never

import msgspec

from auth.clock import Entropy
from auth.http.answer import Answer
from auth.http.call import BodyOf, Call
from auth.http.callers import Callers
from auth.http.messages import (
    AcceptedAnswer,
    Attribute,
    AuthenticateAnswer,
    AuthenticateBody,
    ChallengedAnswer,
    RefusedAnswer,
)
from auth.http.operation import Access, Operation
from auth.http.problem import Problem
from auth.request import Accepted, AnswerRequest, Challenged, Door, LoginRequest, Origin, Outcome, Refused, Service
from schema.secret import Secret

_encode = msgspec.json.Encoder().encode


def authenticate(service: Service, callers: Callers, entropy: Entropy) -> Operation:
    """The operation.

    Args:
        service: decides.
        callers: tell which access node it is.
        entropy: draws correlation ids.
    """
    bodies = BodyOf(AuthenticateBody)

    async def handle(call: Call) -> Answer:
        name = callers.node(call).node.name
        body = bodies.read(call)
        if body.state is not None and (body.passcode is None) == (body.password is None):
            raise Problem(HTTPStatus.BAD_REQUEST, "with `state` give the answer, in `passcode` or in `password`")
        if body.node is not None and body.node != name:
            raise Problem(HTTPStatus.FORBIDDEN, "the caller is not the node that the body names")
        origin = Origin(Door.HTTP, name, entropy.octets(8).hex(), call.address)
        return Answer(_encode(_said(origin.correlation, await _ask(service, origin, body))))

    return Operation(
        method="POST",
        path="/v1/authenticate",
        name="authenticate",
        summary="Begin a logon, or with `state` answer its challenge.",
        access=Access.NODE,
        handle=handle,
        takes=AuthenticateBody,
        answers={HTTPStatus.OK: AuthenticateAnswer},
    )


async def _ask(service: Service, origin: Origin, body: AuthenticateBody) -> Outcome:
    password = None if body.password is None else Secret(body.password)
    passcode = None if body.passcode is None else Secret(body.passcode)
    if body.state is None:
        return await service.begin(LoginRequest(origin, body.user, password, passcode))
    answer = passcode if passcode is not None else password
    return await service.answer(AnswerRequest(origin, Secret(body.state), answer or Secret(""), body.user))


def _said(correlation: str, outcome: Outcome) -> AuthenticateAnswer:
    """The outcome in the API's words; the reason of a refusal stays with us."""
    match outcome:
        case Accepted(reply_attributes=attributes):
            return AcceptedAnswer(correlation, [Attribute(item.name, item.value) for item in attributes])
        case Challenged():
            return ChallengedAnswer(
                correlation, outcome.state.text, outcome.message, outcome.method, outcome.expires_in
            )
        case Refused(message=message):
            return RefusedAnswer(correlation, message)
        case _:
            assert_never(outcome)
