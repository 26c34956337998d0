"""How to learn from a domain controller what has changed: a dialogue of searches, without a connection."""

from dataclasses import dataclass
from typing import Final

from dirsync.ad.cookie import AdCookie, Standing
from dirsync.ad.poll import poll_everything, poll_since
from dirsync.ad.question import Domain
from dirsync.ad.reading import IncompleteError, Sink
from dirsync.ad.server import Controller, find_witnesses, identify
from dirsync.ad.walk import walk_everything, walk_since
from dirsync.errors import DirectoryRefused
from dirsync.settings import ChangeFeed
from dirsync.wire.search import Dialogue
from schema.dn import fold

_REASONS: Final = "it was restored from a copy, or what changed last was deleted and the account cannot see that"


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of the dialogue.

    Attributes:
        cookie: stands for all that has gone into the sink.
        refresh: the sink has all entries there are.
        feed: how the server was asked.
        context: DN of the domain.
        why: why the server did not say what has changed, though there was a cookie, or refused DirSync; else empty.
    """

    cookie: bytes
    refresh: bool
    feed: ChangeFeed
    context: str
    why: str = ""


def read_changes(wanted: Domain, feed: ChangeFeed, cookie: bytes | None, sink: Sink) -> Dialogue[Answer]:
    """Read what has changed since the cookie; all there is when the server cannot say what has changed.

    Args:
        wanted: what to read.
        feed: how to ask. With `auto` a full read tries DirSync, and what follows it goes on in the same way.
        cookie: of an earlier answer; None for all.
        sink: takes the changes; what is in it before is forgotten.

    Raises:
        DirectoryUnavailable: the server is not fit to be asked now, or its answer makes no sense.
        DirectoryRefused: the server denies a full read.
    """
    sink.clear()
    controller = yield from identify(wanted.base)
    context = controller.context
    feeds = _feeds(wanted, feed, controller)
    known = AdCookie.decode(cookie)
    if known and known.feed not in feeds:
        known = None
    before = known.seen(controller.server.name) if known else None
    present = yield from find_witnesses(context, controller.server.past, before.past if before else None)
    server = controller.server.recorded(present)
    why = ""
    if known:
        standing = known.standing(controller.domain, server, present)
        if standing is Standing.UNCHANGED:
            return Answer(known.encode(), refresh=False, feed=known.feed, context=context)
        if standing is Standing.CONTINUES:
            try:
                raw = yield from _since(wanted, controller, known, sink)
            except (DirectoryRefused, IncompleteError) as reason:
                sink.clear()
                why = str(reason)
            else:
                return Answer(known.advanced(server, raw).encode(), refresh=False, feed=known.feed, context=context)
        else:
            why = f"{server.name} is not as it was when it was read: {_REASONS}"
    raw, refusal = yield from _everything(wanted, feeds, sink)
    fresh = AdCookie(controller.domain, (server,), raw)
    return Answer(fresh.encode(), refresh=True, feed=fresh.feed, context=context, why=why or refusal)


def _feeds(wanted: Domain, feed: ChangeFeed, controller: Controller) -> tuple[ChangeFeed, ...]:
    """The ways in which this can be read, the best first."""
    whole = fold(wanted.base) == fold(controller.context)
    if feed is ChangeFeed.USN or (feed is ChangeFeed.AUTO and not whole):
        return (ChangeFeed.USN,)
    if not whole:
        raise DirectoryRefused(
            f"DirSync reads the whole domain {controller.context}, not {wanted.base} alone",
            remedy=f"set base = {controller.context}, or changes = usn, in [directory]",
        )
    return (ChangeFeed.DIRSYNC, ChangeFeed.USN) if feed is ChangeFeed.AUTO else (ChangeFeed.DIRSYNC,)


def _since(wanted: Domain, controller: Controller, known: AdCookie, sink: Sink) -> Dialogue[bytes | None]:
    before = known.seen(controller.server.name)
    if known.raw is not None:
        return (yield from walk_since(wanted, known.raw, sink))
    if before is not None:
        yield from poll_since(wanted, controller.context, before.past.usn, sink)
    return None


def _everything(wanted: Domain, feeds: tuple[ChangeFeed, ...], sink: Sink) -> Dialogue[tuple[bytes | None, str]]:
    """All there is, in the best way that the server does not refuse, and what it said to a better one."""
    refusal = ""
    if ChangeFeed.DIRSYNC in feeds:
        try:
            return (yield from walk_everything(wanted, sink)), ""
        except DirectoryRefused as fault:
            if ChangeFeed.USN not in feeds:
                raise
            refusal = f"DirSync is refused: {fault.problem}"
            sink.clear()
    yield from poll_everything(wanted, sink)
    return None, refusal
