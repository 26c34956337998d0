"""At which of several servers somebody opens: a look that costs them a handshake of TCP, and tells them nothing."""

import errno
import os
import selectors
import socket
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import closing
from math import ceil
from threading import Event
from typing import Final
from urllib.parse import urlsplit

from dirsync.wire.lookups import SLICE_SECONDS, Address, Lookups, Question

_PORTS: Final = {"ldap": 389, "ldaps": 636}
_UNDER_WAY: Final = (0, errno.EINPROGRESS)


def knock(urls: Iterable[str], seconds: float, lookups: Lookups, interrupted: Event) -> dict[str, str]:
    """Connect to all servers at once, and hang up.

    Args:
        urls: of the servers.
        seconds: how long to wait when nobody opens; once somebody does, the others have a moment more.
        lookups: who is asked for addresses.
        interrupted: once it is set, by any thread, it ends within a moment.

    Returns:
        The servers at which nobody opened, and why. A socket of this machine (ldapi) is never one of them.
    """
    questions = {url: question for url in urls if (question := _question(url)) is not None}
    answers = {url: lookups.ask(question) for url, question in questions.items()}
    closed = dict.fromkeys(questions, f"nobody says within {seconds:g} s what its address is")
    opened: set[str] = set()
    slices, slice_seconds = ceil(seconds / SLICE_SECONDS), min(seconds, SLICE_SECONDS)
    with selectors.DefaultSelector() as selector:
        try:
            wait(answers.values(), slice_seconds)
            while (answers or selector.get_map()) and slices > 0 and not interrupted.is_set():
                for url in tuple(answers):
                    if not answers[url].done():
                        lookups.ask(questions[url])  # once more, after a while
                    else:
                        closed[url] = f"no answer within {seconds:g} s"
                        for why in _set_out(url, answers.pop(url), selector):
                            closed[url] = why
                arrived = _arrived(selector, slice_seconds)
                closed |= {url: why for url, why in arrived if why}
                opened |= {url for url, why in arrived if not why}
                # what is back at the same time should be known at the same time
                slices = min(slices, 1) if arrived and opened else slices - (not arrived)
        finally:
            for connection in _connections(selector):
                connection.close()
    return {url: why for url, why in closed.items() if url not in opened}


def _question(url: str) -> Question | None:
    """Which address belongs to a server; None for one that is no host."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS:
        return None
    return Question(parts.hostname or "", parts.port or _PORTS[parts.scheme], type=socket.SOCK_STREAM)


def _set_out(url: str, answer: "Future[Sequence[Address]]", selector: selectors.BaseSelector) -> Iterator[str]:
    """Begin to connect to each address of a server. What stands in the way at once."""
    try:
        found = answer.result()
    except (OSError, UnicodeError) as error:
        name = urlsplit(url).hostname
        yield f"the name {name} is not known to DNS ({getattr(error, 'strerror', None) or error})"
        return
    for family, kind, protocol, _, address in found:
        connection = socket.socket(family, kind, protocol)
        connection.setblocking(False)
        number = connection.connect_ex(address)
        if number in _UNDER_WAY:
            selector.register(connection, selectors.EVENT_WRITE, url)
        else:
            connection.close()
            yield os.strerror(number)


def _arrived(selector: selectors.BaseSelector, seconds: float) -> list[tuple[str, str]]:
    """The servers to which a connection was made, or why it was not."""
    found: list[tuple[str, str]] = []
    for key, _ in selector.select(seconds):
        selector.unregister(key.fileobj)
        if isinstance(key.fileobj, socket.socket):
            with closing(key.fileobj) as connection:
                number = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            found.append((key.data, os.strerror(number) if number else ""))
    return found


def _connections(selector: selectors.BaseSelector) -> list[socket.socket]:
    return [key.fileobj for key in selector.get_map().values() if isinstance(key.fileobj, socket.socket)]
