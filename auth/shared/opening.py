"""Puts the parts of a shared store together."""

import socket
from collections.abc import Callable
from pathlib import Path

from auth.clock import Clock, Entropy
from auth.embedded_state import EmbeddedStore
from auth.shared.connection import exchanger
from auth.shared.names import Names
from auth.shared.own import OwnCopy
from auth.shared.session import Session
from auth.shared.settings import SharedSettings
from auth.shared.store import SharedStore
from auth.turn import Turns

_EPOCH_OCTETS = 16


async def open_shared_store(
    settings: SharedSettings, own_file: Path, before: Path, turns: Turns, clock: Clock, entropy: Entropy
) -> SharedStore:
    """The store of the [state] section, which this node takes part in.

    Args:
        settings: the section.
        own_file: where this node's own copy is kept.
        before: the embedded store's file, whose marks and PINs are taken along.
        turns: those of the event loop.
        clock: where time comes from.
        entropy: where randomness comes from.

    Raises:
        Fault: the section, or the server as it is set up, cannot be used.
    """
    names = Names(settings.prefix)
    own = OwnCopy(EmbeddedStore(own_file, "", turns), own_file, before)
    draw: Callable[[], str] = lambda: entropy.octets(_EPOCH_OCTETS).hex()  # noqa: E731 - it needs a type
    node = settings.node or socket.gethostname()
    try:
        session = Session(settings, node, names, exchanger(settings), own, clock, draw)
    except BaseException:
        own.close()
        raise
    try:
        await session.open()
    except BaseException:
        await session.aclose()
        raise
    return SharedStore(session, names)
