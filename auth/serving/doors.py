"""Opens the doors: RADIUS over UDP and TLS, accounting, HTTP."""

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack

from auth import ports
from auth.clock import Clock, Entropy
from auth.http.server import open_http
from auth.networks import Networks
from auth.radius.door import ACCOUNTING, LOGONS, RadiusDoor
from auth.radius.habits import Habits
from auth.radius.packet import Code
from auth.radius.radsec import RadsecListener, open_radsec
from auth.radius.udp import UdpListener, listen
from auth.reloaded_tls import ReloadedTls
from auth.serving.current import Current
from auth.settings import Settings

DRAIN_SECONDS = 5.0
"""How long logons that are under way may take when the service stops."""


async def open_doors(
    sockets: Mapping[str, socket.socket],
    settings: Settings,
    current: Current,
    tls: Mapping[str, ReloadedTls],
    clock: Clock,
    entropy: Entropy,
    doors: AsyncExitStack,
    opened: list[RadiusDoor],
    habits: Habits,
) -> AsyncIterator[str]:
    """Open one door after the other, and tell where each is.

    Args:
        sockets: where each door is, by its name in `auth.ports`.
        settings: config.ini.
        current: what is asked.
        tls: what the doors show, by the name of their section.
        clock: where time comes from.
        entropy: where randomness comes from.
        doors: closes them.
        opened: gets the RADIUS doors, which count what they discard.
        habits: counts what access nodes send.
    """

    def door(served: frozenset[Code]) -> RadiusDoor:
        rate = settings.radius.packets_per_second
        opened.append(
            RadiusDoor(
                service=current,
                clock=clock,
                entropy=entropy,
                served=served,
                packets_per_second=rate,
                habits=habits,
            )
        )
        return opened[-1]

    allowed = Networks(settings.radius.networks).have
    for name, served in ((ports.RADIUS, LOGONS), (ports.ACCOUNTING, ACCOUNTING)):
        if name not in sockets:
            continue
        listener = await listen(sockets[name], current.radius_door, door(served), allowed)
        doors.push_async_callback(_drain, listener)
        yield f"{name} udp://{listener.address[0]}:{listener.address[1]}"
    if settings.radsec is not None:
        radsec = RadsecListener(current.radsec_door, door(LOGONS | ACCOUNTING), versions=settings.radsec.versions)
        yield await open_radsec(sockets[ports.RADSEC], tls["radsec"], radsec, doors)
    if ports.HTTP in sockets:
        yield await open_http(sockets[ports.HTTP], tls.get("http"), current.http, clock, doors)


async def _drain(listener: UdpListener) -> None:
    await listener.drain(DRAIN_SECONDS)
