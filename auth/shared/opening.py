"""Puts the parts of a shared store together."""

import hashlib
import hmac
import socket
from collections.abc import Callable

from auth.clock import Clock, Entropy
from auth.shared.connection import exchanger
from auth.shared.names import Names
from auth.shared.own import OwnCopy, OwnFiles
from auth.shared.session import Node, Session
from auth.shared.settings import SharedSettings
from auth.shared.store import SharedStore
from auth.turn import Turns

_EPOCH_OCTETS = 16


async def open_shared_store(
    settings: SharedSettings, files: OwnFiles, key: bytes, turns: Turns, clock: Clock, entropy: Entropy
) -> SharedStore:
    """The store of the [state] section, which this node takes part in.

    Args:
        settings: the section.
        files: of this node's own copy.
        key: the server's key, which must be the same at all nodes.
        turns: those of the event loop.
        clock: where time comes from.
        entropy: where randomness comes from.

    Raises:
        Fault: the section, or the server as it is set up, cannot be used.
    """
    names = Names(settings.prefix, settings.parts)
    own = OwnCopy(files, turns)
    draw: Callable[[], str] = lambda: entropy.octets(_EPOCH_OCTETS).hex()  # noqa: E731 - it needs a type
    node = Node(settings.node or socket.gethostname(), hmac.digest(key, b"which key this is", hashlib.sha256).hex())
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
