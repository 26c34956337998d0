"""GET /healthz, /readyz and /metrics: what load balancers and Prometheus ask."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus

import msgspec

from auth.http.answer import Answer
from auth.http.call import Call
from auth.http.callers import Callers
from auth.http.operation import Access, Operation
from auth.metrics.exposition import CONTENT_TYPE
from auth.overview import Health


class Alive(msgspec.Struct, frozen=True):
    """The process answers."""

    status: str


class Readiness(msgspec.Struct, frozen=True):
    """Whether logons can be decided.

    Attributes:
        status: ready or not ready.
        problems: what is in the way.
    """

    status: str
    problems: Sequence[str]


def health_operations(
    health: Callable[[], Health], metrics: Callable[[], bytes], callers: Callers
) -> Iterator[Operation]:
    """The operations.

    Args:
        health: asked for each /readyz.
        metrics: asked for each /metrics.
        callers: tell who may read metrics.
    """

    async def healthz(_: Call) -> Answer:
        return Answer(msgspec.json.encode(Alive("alive")))

    async def readyz(_: Call) -> Answer:
        found = health()
        status = HTTPStatus.SERVICE_UNAVAILABLE if found.problems else HTTPStatus.OK
        word = "not ready" if found.problems else "ready"
        ready: Mapping[str, object] = {"status": word, "problems": found.problems, **found.details}
        return Answer(msgspec.json.encode(ready), status)

    async def read(call: Call) -> Answer:
        callers.demand_for_metrics(call)
        return Answer(metrics(), media_type=CONTENT_TYPE)

    yield Operation(
        "GET",
        "/healthz",
        "healthz",
        "Whether the process answers.",
        Access.EVERYBODY,
        healthz,
        answers={HTTPStatus.OK: Alive},
    )
    yield Operation(
        "GET",
        "/readyz",
        "readyz",
        "Whether logons can be decided, with figures for people.",
        Access.EVERYBODY,
        readyz,
        answers={HTTPStatus.OK: Readiness, HTTPStatus.SERVICE_UNAVAILABLE: Readiness},
    )
    yield Operation(
        "GET",
        "/metrics",
        "metrics",
        "Metrics in Prometheus' text format.",
        Access.METRICS,
        read,
        answers={HTTPStatus.OK: str},
        media_type=CONTENT_TYPE,
    )
