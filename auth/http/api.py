"""Puts the HTTP door together: every operation, and the document that describes them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from auth.clock import Entropy
from auth.facts_reader import FactsReader
from auth.http.authenticate import authenticate
from auth.http.callers import Callers
from auth.http.directories import directory_operations
from auth.http.door import HttpDoor
from auth.http.events import events
from auth.http.explain import explain
from auth.http.health import health_operations
from auth.http.openapi import openapi
from auth.http.operation import Operation
from auth.metrics.catalogue import Metric
from auth.metrics.tally import Tally
from auth.overview import Overview
from auth.request import Service
from auth.state import Store


@dataclass(frozen=True, slots=True)
class Routes:
    """What the routes of the door ask.

    Attributes:
        service: decides.
        callers: tell who calls.
        known: reads what a logon would be decided from.
        store: recalls what logons have left.
        overview: how the service is doing.
        metrics: Prometheus' text.
        entropy: draws correlation ids.
        tally: where answers are counted.
        further: operations of others, which see to it themselves who may call.
    """

    service: Service
    callers: Callers
    known: FactsReader
    store: Store
    overview: Overview
    metrics: Callable[[], bytes]
    entropy: Entropy
    tally: Tally
    further: Iterable[Operation] = ()


def http_app(routes: Routes) -> HttpDoor:
    """Everything behind the listener."""
    tally = routes.tally
    return HttpDoor(operations(routes), lambda route, status: tally.count(Metric.HTTP_ANSWERS, (route, str(status))))


def operations(routes: Routes) -> list[Operation]:
    """Everything that the door serves."""
    callers, overview, now = routes.callers, routes.overview, routes.overview.clock.now
    found = [
        authenticate(routes.service, callers, routes.entropy),
        explain(routes.known, routes.store, callers, now),
        *directory_operations(overview, callers),
        events(overview.settings.service.audit, overview.replica, callers, now),
        *health_operations(overview.health, routes.metrics, callers),
        *routes.further,
    ]
    found.append(openapi(lambda: found))
    return found
