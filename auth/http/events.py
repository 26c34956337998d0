"""GET /v1/events: what has become of logons, for the helpdesk; what `dirfactor audit show` prints."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import islice
from typing import Annotated

import msgspec

from auth.audit.files import AuditFiles
from auth.audit.told.search import Whom, login_of, logins, whom
from auth.audit.told.wanted import Wanted
from auth.audit.told.words import LoginTold, as_data
from auth.http.answer import Answer
from auth.http.call import Call, QueryOf
from auth.http.callers import Callers
from auth.http.messages import Field
from auth.http.operation import Access, Operation
from auth.http.problem import Problem
from auth.reason import Reason
from auth.rights import Right
from auth.why.instant import NotAnInstant, read_instant
from dirsync.replica import Replica


class EventsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which logins are asked for; what is left out does not count.

    Attributes:
        user: login name, DN or objectGUID.
        reason: reason code that one of the steps came to.
        node: access node.
        event: the login that has this correlation id.
        refused: only logins that came to a refusal.
        since: from then on: 2026-11-24, 2026-11-24T07:30Z, -2h or -30d; in UTC when it has no zone.
        limit: so many logins at most.
    """

    user: Field = ""
    reason: Reason | None = None
    node: Field = ""
    event: Field = ""
    refused: bool = False
    since: Field = "-1d"
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20


class Events(msgspec.Struct, frozen=True):
    """Logins, the newest first."""

    logins: Sequence[LoginTold]


def events(files: AuditFiles, replica: Replica, callers: Callers, now: Callable[[], datetime]) -> Operation:
    """The operation.

    Args:
        files: where the audit lies.
        replica: knows people by other names than they typed.
        callers: tell who may ask.
        now: the instant.
    """
    queries = QueryOf(EventsQuery)
    one_at_a_time = asyncio.Lock()  # logons share the processor with whoever reads the audit

    async def handle(call: Call) -> Answer:
        callers.demand(call, Right.EVENTS)
        query = queries.read(call)
        try:
            since = read_instant(query.since, now(), UTC)
        except NotAnInstant as fault:
            raise Problem(HTTPStatus.BAD_REQUEST, f"since: {fault}") from None
        asked = whom(query.user, replica)
        async with one_at_a_time:
            try:
                found = await asyncio.to_thread(_found, files, query, asked, since)
            except OSError as error:
                detail = f"the audit cannot be read: {error.strerror}"
                raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail) from None
        return Answer(found)

    return Operation(
        method="GET",
        path="/v1/events",
        name="events",
        summary="What has become of logons, the newest first.",
        access=Access.ADMINISTRATOR,
        handle=handle,
        asks=EventsQuery,
        answers={HTTPStatus.OK: Events},
    )


def _found(files: AuditFiles, query: EventsQuery, asked: Whom, since: datetime) -> bytes:
    names, ids = asked
    login = login_of(files, query.event)
    wanted = Wanted(names, ids, login, query.node, query.reason or "", query.refused, since)
    return msgspec.json.encode(Events([as_data(story) for story in islice(logins(files, wanted), query.limit)]))
