"""POST /v1/explain: what `dirfactor explain` prints."""

from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus

import msgspec

from auth.facts_reader import FactsReader
from auth.http.answer import Answer
from auth.http.call import BodyOf, Call
from auth.http.callers import Callers
from auth.http.messages import Field
from auth.http.operation import Access, Operation
from auth.http.problem import Problem
from auth.rights import Right
from auth.state import Store
from auth.why.instant import NotAnInstant, read_instant
from auth.why.report import as_data, reported
from auth.why.report_data import Explained
from auth.why.whom import NobodyMeant, people_meant
from schema.errors import Fault


class ExplainBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose logon is asked about.

    Attributes:
        user: login name as a client would send it, DN, or objectGUID.
        node: the access node; may be left out when there is just one.
        at: another instant than now, such as 2026-11-24T07:30Z, Mon 07:30 or +2h; in UTC when it has no zone.
    """

    user: Field
    node: Field | None = None
    at: Field | None = None


def explain(known: FactsReader, store: Store, callers: Callers, now: Callable[[], datetime]) -> Operation:
    """The operation.

    Args:
        known: reads what a logon would be decided from.
        store: recalls what logons have left.
        callers: tell who may ask.
        now: the instant.
    """
    bodies = BodyOf(ExplainBody)

    async def handle(call: Call) -> Answer:
        callers.demand(call, Right.EXPLAIN)
        body = bodies.read(call)
        node = body.node or _only_node(known)
        present = now()
        try:
            at = read_instant(body.at, present, UTC) if body.at else None
            people = people_meant(known, node, body.user)
            then = at or present
            recalled = await store.recall(known.wanted(node, people, then), then)
            report = reported(known.facts(node, people, recalled), present, at)
        except NotAnInstant as fault:
            raise Problem(HTTPStatus.BAD_REQUEST, f"at: {fault}") from None
        except NobodyMeant as fault:
            raise Problem(HTTPStatus.NOT_FOUND, str(fault)) from None
        except Fault as fault:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, str(fault)) from None
        return Answer(msgspec.json.encode(as_data(report)))

    return Operation(
        method="POST",
        path="/v1/explain",
        name="explain",
        summary="What would happen at a logon, and why.",
        access=Access.ADMINISTRATOR,
        handle=handle,
        takes=ExplainBody,
        answers={HTTPStatus.OK: Explained},
        problems=(HTTPStatus.NOT_FOUND,),
    )


def _only_node(known: FactsReader) -> str:
    names = known.nodes.names()
    if len(names) != 1:
        there = ", ".join(names) or "none"
        raise Problem(HTTPStatus.BAD_REQUEST, f"the access node decides too: name it in `node`; there are {there}")
    return names[0]
