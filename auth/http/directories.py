"""GET and POST /v1/sync, GET /v1/status: how the service is doing, and a look at the directories now."""

from collections.abc import Iterator, Sequence
from http import HTTPStatus

import msgspec

from auth.http.answer import Answer
from auth.http.call import BodyOf, Call
from auth.http.callers import Callers
from auth.http.messages import Field
from auth.http.operation import Access, Operation
from auth.http.problem import Problem
from auth.overview import DirectoryStatus, Overview, Status
from auth.rights import Right


class SyncBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which directory is to be looked at now.

    Attributes:
        directory: name of a [directory:NAME] section, empty for [directory]; all when it is left out.
    """

    directory: Field | None = None


class Synced(msgspec.Struct, frozen=True):
    """How fresh the data are; of a look that has just been asked for nothing is seen yet."""

    directories: Sequence[DirectoryStatus]


def directory_operations(overview: Overview, callers: Callers) -> Iterator[Operation]:
    """The operations.

    Args:
        overview: how the service is doing.
        callers: tell who may ask.
    """
    bodies = BodyOf(SyncBody)

    def synced(status: HTTPStatus) -> Answer:
        return Answer(msgspec.json.encode(Synced(tuple(overview.directories()))), status)

    async def status(call: Call) -> Answer:
        callers.demand(call, Right.STATUS)
        return Answer(msgspec.json.encode(overview.status()))

    async def look(call: Call) -> Answer:
        callers.demand(call, Right.STATUS)
        return synced(HTTPStatus.OK)

    async def sync(call: Call) -> Answer:
        callers.demand(call, Right.SYNC)
        body = bodies.read(call)
        names = overview.syncs.keys() if body.directory is None else {body.directory}
        if not names <= overview.syncs.keys():
            raise Problem(HTTPStatus.NOT_FOUND, "there is no directory section of this name")
        for name in names:
            overview.syncs[name].wake()
        return synced(HTTPStatus.ACCEPTED)

    yield Operation(
        "GET",
        "/v1/status",
        "status",
        "How the service, its directories, gateways and certificates are doing.",
        Access.ADMINISTRATOR,
        status,
        answers={HTTPStatus.OK: Status},
    )
    yield Operation(
        "GET",
        "/v1/sync",
        "sync_status",
        "How fresh the directories' data are.",
        Access.ADMINISTRATOR,
        look,
        answers={HTTPStatus.OK: Synced},
    )
    yield Operation(
        "POST",
        "/v1/sync",
        "sync",
        "Look at the directories now.",
        Access.ADMINISTRATOR,
        sync,
        takes=SyncBody,
        answers={HTTPStatus.ACCEPTED: Synced},
        problems=(HTTPStatus.NOT_FOUND,),
    )
