"""What is done for all workers of a host by the first of them, and how the others have it done."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from datetime import datetime
from typing import Final, Protocol

from auth.app import App, purge, syncing
from auth.certificate_files import CertificateFilesWatch
from auth.clock import Clock, Entropy
from auth.meanwhile import meanwhile
from auth.overview import Sync
from auth.serving.allocator import give_back_what_is_free
from auth.serving.worker import Worker
from auth.settings import Settings
from dirsync.scheduler import SyncScheduler, SyncStatus, stop_all
from schema.errors import Fault

_SYNC_PATIENCE: Final = 20.0
_LOOK_SECONDS: Final = 0.25
_TIDY_SECONDS: Final = 1.0
_LONG_SYNC_SECONDS: Final = 0.5


class Upkeep(Protocol):
    """Syncs, and what else one worker does for all."""

    def syncing(self, settings: Settings, clock: Clock, entropy: Entropy) -> AbstractContextManager[Mapping[str, Sync]]:
        """The syncs that config.ini describes, by directory; they have not begun. Raises Fault."""
        ...

    async def begin(self, app: App) -> None:
        """Let those syncs of which `syncing` was asked last begin."""
        ...

    async def end(self) -> None:
        """End what was begun."""
        ...

    def held(self) -> AbstractAsyncContextManager[None]:
        """Nothing is written to the replica meanwhile. Raises Fault when somebody goes on writing."""
        ...

    def wanted(self) -> dict[str, int]:
        """How often a sync was asked for here that another worker carries out, by directory."""
        ...


class FirstUpkeep:
    """The first worker's: it carries everything out.

    Args:
        worker: itself.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._opened: Mapping[str, SyncScheduler] = {}
        self._begun: Mapping[str, SyncScheduler] = {}
        self._stack = AsyncExitStack()

    @contextmanager
    def syncing(self, settings: Settings, clock: Clock, entropy: Entropy) -> Iterator[Mapping[str, Sync]]:
        """See `Upkeep.syncing`."""
        with syncing(settings, clock, entropy) as syncs:
            self._opened = syncs
            yield syncs

    async def begin(self, app: App) -> None:
        """See `Upkeep.begin`."""
        self._begun = syncs = self._opened
        self._stack = stack = AsyncExitStack()
        stack.push_async_callback(asyncio.to_thread, stop_all, syncs.values())
        for sync in syncs.values():
            sync.start()
        certificates = CertificateFilesWatch(app.settings, app.clock).run()
        for work in (purge(app), self._hear(), tidy(syncs.values()), certificates):
            await stack.enter_async_context(meanwhile(work))

    async def end(self) -> None:
        """See `Upkeep.end`."""
        await self._stack.aclose()

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """See `Upkeep.held`."""
        async with AsyncExitStack() as stack:
            for name, sync in self._begun.items():
                if not await asyncio.to_thread(sync.hold, _SYNC_PATIENCE):
                    raise Fault(
                        f"a sync of {name or 'the directory'} is under way", remedy="try again when it has ended"
                    )
                stack.callback(sync.go_on)
            yield

    def wanted(self) -> dict[str, int]:
        """See `Upkeep.wanted`."""
        return {}

    async def _hear(self) -> None:
        """Look at a directory at once when another worker was asked to."""
        heard = self._wishes()
        while self._worker.count > 1:
            await asyncio.sleep(_LOOK_SECONDS)
            wishes = self._wishes()
            for name, sync in self._begun.items():
                if wishes.get(name, 0) != heard.get(name, 0):
                    sync.wake()
            heard = wishes

    def _wishes(self) -> dict[str, int]:
        wishes: dict[str, int] = {}
        for other in self._worker.others():
            for name, times in other.wanted.items():
                wishes[name] = wishes.get(name, 0) + times
        return wishes


class OtherUpkeep:
    """That of each other worker: it knows how the first one is doing, and can ask it.

    Args:
        worker: itself.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._wanted: dict[str, int] = {}

    @contextmanager
    def syncing(self, settings: Settings, clock: Clock, entropy: Entropy) -> Iterator[Mapping[str, Sync]]:
        """See `Upkeep.syncing`."""
        del clock, entropy
        yield {name: _Told(name, self._worker, self._wanted) for name in settings.directories}

    async def begin(self, app: App) -> None:
        """See `Upkeep.begin`."""

    async def end(self) -> None:
        """See `Upkeep.end`."""

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """See `Upkeep.held`."""
        yield

    def wanted(self) -> dict[str, int]:
        """See `Upkeep.wanted`."""
        return dict(self._wanted)


async def tidy(syncs: Collection[Sync]) -> None:
    """Have a long sync, which goes through all of a directory, leave no more memory taken than is needed; for ever.

    Args:
        syncs: all of them.
    """
    seen: dict[Sync, datetime | None] = {}
    while True:
        await asyncio.sleep(_TIDY_SECONDS)
        for sync in syncs:
            status = sync.status
            if status.last_success != seen.get(sync) and status.seconds >= _LONG_SYNC_SECONDS:
                await asyncio.to_thread(give_back_what_is_free)
            seen[sync] = status.last_success


class _Told:
    """A sync that the first worker carries out."""

    def __init__(self, name: str, worker: Worker, wanted: dict[str, int]) -> None:
        self._name, self._worker, self._wanted = name, worker, wanted

    @property
    def status(self) -> SyncStatus:
        """How it is doing, by what the first worker has said last."""
        said = self._worker.said(0)
        return said.syncs.get(self._name, _UNKNOWN) if said else _UNKNOWN

    def wake(self) -> None:
        """Have it look at once."""
        self._wanted[self._name] = self._wanted.get(self._name, 0) + 1


_UNKNOWN: Final = SyncStatus()
