"""Puts the HTTP door together: every operation, and the document that describes them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from auth.clock import Entropy
from auth.http.authenticate import authenticate
from auth.http.callers import Callers
from auth.http.door import HttpDoor
from auth.http.health import health_operations
from auth.http.operation import Operation
from auth.metrics.catalogue import Metric
from auth.metrics.tally import Tally
from auth.overview import Overview
from auth.request import Service


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind the door.

    Attributes:
        service: decides.
        callers: tell who calls.
        overview: how the service is doing.
        metrics: Prometheus' text.
        entropy: draws correlation ids.
        tally: where answers are counted.
        further: operations of others, which see to it themselves who may call.
    """

    service: Service
    callers: Callers
    overview: Overview
    metrics: Callable[[], bytes]
    entropy: Entropy
    tally: Tally
    further: Iterable[Operation] = ()


def http_app(behind: Behind) -> HttpDoor:
    """The ASGI application."""
    tally = behind.tally
    return HttpDoor(_operations(behind), lambda route, status: tally.count(Metric.HTTP_ANSWERS, (route, str(status))))


def _operations(behind: Behind) -> Iterator[Operation]:
    yield authenticate(behind.service, behind.callers, behind.entropy)
    yield from health_operations(behind.overview.health, behind.metrics, behind.callers)
    yield from behind.further
