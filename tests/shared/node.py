"""A node that shares its state, for tests: opened and asked from outside an event loop, each in a loop of its own."""

import asyncio
import tempfile
from pathlib import Path

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.shared.opening import open_shared_store
from auth.shared.own import OwnFiles
from auth.shared.settings import SharedSettings
from auth.turn import Turns
from plain_store import PlainStore

KEY = b"k" * 32


def settings(server, **values) -> SharedSettings:
    """The [state] section for a server of the rig."""
    # a busy machine is no reason for a refusal here
    return SharedSettings(**{"servers": (server.place,), "tls": False, "timeout_seconds": 8.0, **values})


async def opened(section: SharedSettings, folder: Path, clock=SYSTEM_CLOCK):
    """The store of a node whose files are in this folder."""
    files = OwnFiles(folder / "shared.sqlite", folder / "state.sqlite")
    return await open_shared_store(section, files, KEY, Turns(), clock, SYSTEM_ENTROPY)


class PlainNode(PlainStore):
    """A store with a loop of its own."""

    def __init__(self, section: SharedSettings, folder: Path | None = None, clock=SYSTEM_CLOCK) -> None:
        self._runner = asyncio.Runner()
        self._temporary = None if folder else tempfile.TemporaryDirectory()
        try:
            store = self._runner.run(opened(section, folder or Path(self._temporary.name), clock))
        except BaseException:
            self._end()
            raise
        super().__init__(store, self._settled)

    def _settled(self, verb):
        """What a verb returns, when nothing of it is on its way any more."""

        async def run():
            answer = await verb
            await self.inner.settled()
            return answer

        return self._runner.run(run())

    def settle_in(self) -> None:
        """Let it do what it does by itself; it has no loop but while it is asked."""
        self._runner.run(self.inner._session._beat())

    def close(self) -> None:
        self._runner.run(self.inner.aclose())
        self._runner.run(asyncio.sleep(0.01))  # what was cut off has its end in a later turn
        self._end()

    def _end(self) -> None:
        self._runner.close()
        if self._temporary is not None:
            self._temporary.cleanup()
