"""Serves until it is told to stop, and exchanges the parts behind the doors when config.ini is to be read again."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial

from prometheus_client import CollectorRegistry

from auth.app import App, Lasting, opened, purge, shown_tls
from auth.audit.upkeep import keep_up
from auth.clock import Clock, Entropy
from auth.config import ConfigFault
from auth.http.api import Routes, http_app
from auth.http.callers import Callers
from auth.metrics.exposition import as_text, registry_of
from auth.metrics.gauges import discards, process, state_of
from auth.metrics.reading import Reading, added
from auth.pauses import freeze_what_stays
from auth.preflight import examined_config, needed_to_serve
from auth.radius.door import RadiusDoor
from auth.radius.habits_file import counting
from auth.receipts.door import receipt_operations
from auth.serving.current import Behind, Current
from auth.serving.doors import open_doors
from auth.serving.manager import ServiceManager
from auth.settings import Settings
from auth.vip.client import VipClient
from auth.vip.watch import CertificateWatch
from dirsync.scheduler import SyncScheduler, stop_all
from schema.errors import Fault

_log = logging.getLogger("dirfactor.app")
_SYNC_PATIENCE = 20.0
_PATIENCE = 30.0
"""Seconds for which what was begun may go on with the parts before; a logon takes less."""


class Serving:
    """The parts in force, their upkeep, and how others take their place.

    Args:
        clock: where time comes from.
        entropy: where randomness comes from.
        lasting: what is the same whatever config.ini says.
        doors: the RADIUS doors, for what they discard.
    """

    def __init__(self, clock: Clock, entropy: Entropy, lasting: Lasting, doors: Sequence[RadiusDoor]) -> None:
        self._clock = clock
        self._entropy = entropy
        self._lasting = lasting
        self._doors = doors
        self._stack = AsyncExitStack()
        self._upkeep = AsyncExitStack()
        self._syncs: Mapping[str, SyncScheduler] = {}
        self.settings: Settings | None = None

    async def begin(self, settings: Settings) -> Behind:
        """Open the parts, and begin their upkeep. Raises Fault."""
        stack = AsyncExitStack()
        app = await stack.enter_async_context(opened(settings, self._clock, self._entropy, self._lasting))
        self._keep_up(app)
        self._stack, self.settings = stack, settings
        return self._behind(app)

    async def exchange(self, settings: Settings, current: Current) -> None:
        """Put other parts in the place of those in force, which end what they have begun.

        Raises:
            Fault: they cannot be opened; nothing has changed.
        """
        stack = AsyncExitStack()
        # the new parts write the same replica, which a sync may be writing
        async with AsyncExitStack() as held:
            for name, sync in self._syncs.items():
                if not await asyncio.to_thread(sync.hold, _SYNC_PATIENCE):
                    raise Fault(
                        f"a sync of {name or 'the directory'} is under way", remedy="try again when it has ended"
                    )
                held.callback(sync.go_on)
            app = await stack.enter_async_context(opened(settings, self._clock, self._entropy, self._lasting))
        before = self._stack
        await self._upkeep.aclose()  # one sync at a time
        self._keep_up(app)
        self._stack, self.settings = stack, settings
        replaced = current.exchange(self._behind(app))
        if not await replaced.unasked(_PATIENCE):
            _log.error("logons that began before the configuration was read again took too long, and were broken off")
        await before.aclose()

    async def end(self) -> None:
        """End the upkeep, and close the parts."""
        await self._upkeep.aclose()
        await self._stack.aclose()
        self._lasting.close()

    def _keep_up(self, app: App) -> None:
        """Sync, purge, audit and certificate watches, in a stack of their own, which is closed before the parts are."""
        loop = asyncio.get_running_loop()
        self._syncs = app.syncs
        self._upkeep = upkeep = AsyncExitStack()
        upkeep.push_async_callback(asyncio.to_thread, stop_all, app.syncs.values())
        for sync in app.syncs.values():
            sync.start()
        watches = [CertificateWatch(app.vip, self._clock).run()] if isinstance(app.vip, VipClient) else []
        for task in (purge(app), keep_up(app.audit, app.settings.audit.sync), *watches):
            upkeep.push_async_callback(_cancel, loop.create_task(task))

    def _behind(self, app: App) -> Behind:
        routes = Routes(
            service=app.measured,
            known=app.known,
            callers=Callers(app.nodes, app.settings.administrators),
            overview=app.overview,
            metrics=partial(as_text, self._metrics(app)),
            entropy=app.entropy,
            tally=app.tally,
            further=receipt_operations(app.settings.receipts, app.delivery.book, app.clock.now),
        )
        return Behind(app.measured, app.nodes, http_app(routes))

    def _metrics(self, app: App) -> CollectorRegistry:
        """Everything that is counted and measured, as one registry."""
        overview = app.overview

        def readings() -> tuple[Reading, ...]:
            discarded = [discards(door.discarded) for door in self._doors]
            return (app.tally.reading(), state_of(overview), process("0"), *discarded)

        return registry_of(lambda: added(readings()))


async def serve(settings: Settings, clock: Clock, entropy: Entropy) -> None:
    """Open the doors, keep the replica up to date, and return after SIGTERM or SIGINT when what was begun is done.

    SIGHUP has config.ini read again: all of it is in force afterwards, or nothing of it.

    Raises:
        Fault: before anything listens.
    """
    stop, reread = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number, event in ((signal.SIGTERM, stop), (signal.SIGINT, stop), (signal.SIGHUP, reread)):
        loop.add_signal_handler(number, event.set)
    manager = ServiceManager(os.environ, os.getpid())
    radius: list[RadiusDoor] = []
    lasting = Lasting(clock, entropy, shown_tls(settings, clock))
    serving = Serving(clock, entropy, lasting, radius)
    async with AsyncExitStack() as stack:
        current = Current(await serving.begin(settings))
        stack.push_async_callback(serving.end)
        doors = await stack.enter_async_context(AsyncExitStack())
        habits = await stack.enter_async_context(counting(settings.service.habits_file))
        opening = open_doors(settings, current, lasting.tls, clock, entropy, doors, radius, habits)
        places = ", ".join([place async for place in opening])
        freeze_what_stays()
        _log.info("ready: %s", places)
        manager.ready(places)
        watchdog = loop.create_task(_stay_alive(manager))
        stack.push_async_callback(_cancel, watchdog)
        while not await _told_to_stop(stop, reread):
            reread.clear()
            manager.reloading(clock.monotonic())
            await _read_again(serving, current, clock, entropy)
            manager.ready(places)
        _log.info("stopping")
        manager.stopping()


async def _read_again(serving: Serving, current: Current, clock: Clock, entropy: Entropy) -> None:
    """All of config.ini is in force afterwards, or nothing of it."""
    before = serving.settings
    if before is None:
        return
    try:
        settings = await examined_config(before.file, needed_to_serve, clock, entropy)
        demand_changeable(before, settings)
        await serving.exchange(settings, current)
    except ConfigFault as fault:
        _log.error("the configuration stays as it was, for the new one cannot be used:\n%s", fault)
    except Fault as fault:
        _log.error("the configuration stays as it was: %s", fault)
    else:
        logging.getLogger("dirfactor").setLevel(settings.service.log_level.upper())
        _log.info("config.ini was read again, and is in force")


def demand_changeable(before: Settings, after: Settings) -> None:
    """See that nothing differs that only a restart can change: where doors and files are. Raises Fault."""
    pairs = (
        ("[radius]", before.radius, after.radius),
        ("[radsec]", before.radsec, after.radsec),
        ("[http]", before.http, after.http),
        ("state_directory of [service]", before.service.state_directory, after.service.state_directory),
        ("audit_file of [service]", before.service.audit_file, after.service.audit_file),
    )
    fixed = [name for name, old, new in pairs if old != new]
    if fixed:
        raise Fault(
            f"{', '.join(fixed)} cannot change while the service runs",
            remedy="restart the service, or put it back as it was and have the file read again",
        )


async def _told_to_stop(stop: asyncio.Event, reread: asyncio.Event) -> bool:
    """Wait for either; whether it is the end."""
    waits = {asyncio.ensure_future(event.wait()) for event in (stop, reread)}
    _, left = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in left:
        wait.cancel()
    return stop.is_set()


async def _stay_alive(manager: ServiceManager) -> None:
    """Tell the service manager twice within the time that it waits."""
    while manager.watched:
        manager.alive()
        await asyncio.sleep(manager.watched / 2)


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
