"""Serves until it is told to stop, and exchanges the parts behind the doors when config.ini is to be read again."""

import asyncio
import logging
import signal
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial

from auth.app import App, Lasting, opened, shown_tls
from auth.audit.upkeep import keep_up
from auth.clock import Clock, Entropy
from auth.config import ConfigFault
from auth.http.api import Routes, http_app
from auth.http.callers import Callers
from auth.meanwhile import meanwhile
from auth.metrics.exposition import as_text, registry_of
from auth.metrics.gauges import discards, process, state_of
from auth.metrics.reading import Reading, added
from auth.pauses import free_what_was_replaced, freeze_what_stays
from auth.preflight import examined_config, needed_to_serve
from auth.radius.door import RadiusDoor
from auth.radius.habits_file import counting, habits_of
from auth.receipts.door import receipt_operations
from auth.serving.allocator import give_back_what_is_free
from auth.serving.current import Behind, Current
from auth.serving.doors import open_doors
from auth.serving.upkeep import FirstUpkeep, OtherUpkeep, Upkeep
from auth.serving.worker import POST_SECONDS, Manager, Posted, Worker, counted
from auth.settings import Settings
from auth.vip.client import VipClient
from auth.vip.watch import CertificateWatch
from schema.errors import Fault

_log = logging.getLogger("dirfactor.app")
_PATIENCE = 30.0
"""Seconds for which what was begun may go on with the parts before; a logon takes less."""


class Serving:
    """The parts in force, their upkeep, and how others take their place.

    Args:
        clock: where time comes from.
        entropy: where randomness comes from.
        lasting: what is the same whatever config.ini says.
        doors: the RADIUS doors, for what they discard.
        worker: which of the host's this is.
    """

    def __init__(
        self, clock: Clock, entropy: Entropy, lasting: Lasting, doors: Sequence[RadiusDoor], worker: Worker
    ) -> None:
        self._clock = clock
        self._entropy = entropy
        self._lasting = lasting
        self._doors = doors
        self._worker = worker
        self._common: Upkeep = FirstUpkeep(worker) if worker.is_first else OtherUpkeep(worker)
        said = worker.said(worker.number)
        self._before = counted(said.reading) if said else Reading({}, {})
        self._stack = AsyncExitStack()
        self._upkeep = AsyncExitStack()
        self._app: App | None = None
        self.settings: Settings | None = None

    async def begin(self, settings: Settings) -> Behind:
        """Open the parts, and begin their upkeep. Raises Fault."""
        stack = AsyncExitStack()
        app = await stack.enter_async_context(self._opened(settings))
        await self._keep_up(app)
        self._stack, self.settings = stack, settings
        return self._behind(app)

    async def exchange(self, settings: Settings, current: Current) -> None:
        """Put other parts in the place of those in force, which end what they have begun.

        Raises:
            Fault: they cannot be opened; nothing has changed.
        """
        stack = AsyncExitStack()
        async with self._common.held():
            app = await stack.enter_async_context(self._opened(settings))
        before = self._stack
        await self._upkeep.aclose()  # one sync at a time
        await self._keep_up(app)
        self._stack, self.settings = stack, settings
        replaced = current.exchange(self._behind(app))
        if not await replaced.unasked(_PATIENCE):
            _log.error("logons that began before the configuration was read again took too long, and were broken off")
        await before.aclose()

    async def end(self) -> None:
        """End the upkeep, and close the parts."""
        await self._upkeep.aclose()
        await self._stack.aclose()
        await self._lasting.aclose()

    async def tell(self) -> None:
        """Say now and then how this worker is doing, until cancelled."""
        while self._app is not None and self._worker.count > 1:
            syncs = self._app.syncs if self._worker.is_first else {}
            self._worker.say(
                Posted(
                    self._clock.monotonic(),
                    self._reading(self._app),
                    {name: sync.status for name, sync in syncs.items()},
                    self._common.wanted(),
                )
            )
            await asyncio.sleep(POST_SECONDS)

    def _opened(self, settings: Settings) -> AbstractAsyncContextManager[App]:
        syncs = partial(self._common.syncing, settings, self._clock, self._entropy)
        return opened(settings, self._clock, self._entropy, self._lasting, syncs)

    async def _keep_up(self, app: App) -> None:
        """Syncs, purge, audit, certificate watches, in a stack of their own, which is closed before the parts are."""
        self._app = app
        self._upkeep = upkeep = AsyncExitStack()
        upkeep.push_async_callback(self._common.end)
        await self._common.begin(app)
        watches = [CertificateWatch(app.vip, self._clock).run()] if isinstance(app.vip, VipClient) else []
        for work in (keep_up(app.audit, app.settings.audit.sync), *watches):
            await upkeep.enter_async_context(meanwhile(work))

    def _behind(self, app: App) -> Behind:
        routes = Routes(
            service=app.measured,
            known=app.known,
            store=app.store,
            callers=Callers(app.nodes, app.settings.administrators),
            overview=app.overview,
            metrics=partial(as_text, registry_of(partial(self._readings, app))),
            entropy=app.entropy,
            tally=app.tally,
            further=receipt_operations(app.settings.receipts, app.delivery.book, app.clock.now),
        )
        return Behind(app.measured, app.nodes, http_app(routes))

    def _readings(self, app: App) -> Reading:
        """Everything that is counted and measured on this host."""
        return added((self._reading(app), *(other.reading for other in self._worker.others())))

    def _reading(self, app: App) -> Reading:
        """What this worker counts and measures, and those in its place have counted before."""
        discarded = (discards(door.discarded) for door in self._doors)
        own = process(str(self._worker.number))
        return added((self._before, app.tally.reading(), state_of(app.overview), own, *discarded))


async def serve(settings: Settings, clock: Clock, entropy: Entropy, worker: Worker) -> None:
    """Open the doors, keep the replica up to date, and return after SIGTERM or SIGINT when what was begun is done.

    SIGHUP has config.ini read again: all of it is in force afterwards, or nothing of it.

    Args:
        settings: config.ini.
        clock: where time comes from.
        entropy: where randomness comes from.
        worker: which of the host's this is.

    Raises:
        Fault: before anything is answered.
    """
    stop, reread = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number, event in ((signal.SIGTERM, stop), (signal.SIGINT, stop), (signal.SIGHUP, reread)):
        loop.add_signal_handler(number, event.set)
    worker.orphaned(stop.set)
    manager = worker.manager
    radius: list[RadiusDoor] = []
    lasting = Lasting(clock, entropy, shown_tls(settings, clock), worker.number)
    serving = Serving(clock, entropy, lasting, radius, worker)
    async with AsyncExitStack() as stack:
        current = Current(await serving.begin(settings))
        stack.push_async_callback(serving.end)
        doors = await stack.enter_async_context(AsyncExitStack())
        habits = await stack.enter_async_context(counting(habits_of(settings.service.habits_file, worker.number)))
        opening = open_doors(worker.sockets, settings, current, lasting.tls, clock, entropy, doors, radius, habits)
        places = ", ".join([place async for place in opening])
        freeze_what_stays()
        await stack.enter_async_context(meanwhile(serving.tell()))
        await stack.enter_async_context(meanwhile(_stay_alive(manager)))
        _log.info("ready: %s", places)
        manager.ready(places)
        while not await _told_to_stop(stop, reread):
            reread.clear()
            manager.reloading(clock.monotonic())
            in_force = await _read_again(serving, current, clock, entropy)
            free_what_was_replaced()
            give_back_what_is_free()
            if in_force:
                manager.ready(places)
            else:
                manager.kept(places)
        _log.info("stopping")
        manager.stopping()


async def _read_again(serving: Serving, current: Current, clock: Clock, entropy: Entropy) -> bool:
    """All of config.ini is in force afterwards, or nothing of it; whether it is."""
    before = serving.settings
    if before is None:
        return False
    try:
        settings = await examined_config(before.file, needed_to_serve, clock, entropy)
        demand_changeable(before, settings)
        await serving.exchange(settings, current)
    except ConfigFault as fault:
        _log.error("the configuration stays as it was, for the new one cannot be used:\n%s", fault)
        return False
    except Fault as fault:
        _log.error("the configuration stays as it was: %s", fault)
        return False
    logging.getLogger("dirfactor").setLevel(settings.service.log_level.upper())
    _log.info("config.ini was read again, and is in force")
    return True


def demand_changeable(before: Settings, after: Settings) -> None:
    """See that nothing differs that only a restart can change: where doors and files are. Raises Fault."""
    pairs = (
        ("[radius]", before.radius, after.radius),
        ("[state]", before.state, after.state),
        ("[radsec]", before.radsec, after.radsec),
        ("[http]", before.http, after.http),
        ("workers of [service]", before.service.workers, after.service.workers),
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


async def _stay_alive(manager: Manager) -> None:
    """Tell the service manager twice within the time that it waits."""
    while manager.watched:
        manager.alive()
        await asyncio.sleep(manager.watched / 2)
