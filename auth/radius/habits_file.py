"""What access nodes send, in a file of the state directory: written by the service, read by the command."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from auth.keys import private_file
from auth.meanwhile import meanwhile
from auth.radius.habits import Habit, Habits, together
from schema.errors import Fault

_log = logging.getLogger("dirfactor.radius")
_WRITE_SECONDS = 60.0
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Habit]).decode


def read_habits(file: Path) -> Mapping[str, Habit]:
    """What was counted; nothing where there is no file yet.

    Raises:
        Fault: it cannot be read, or is none.
    """
    try:
        return _decode(file.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Fault(f"{file} cannot be read: {error.strerror}", remedy="run this as the service's user") from error
    except msgspec.DecodeError as error:
        raise Fault(f"{file} is damaged", remedy="remove it; counting begins anew") from error


def read_all_habits(file: Path) -> Mapping[str, Habit]:
    """What all workers have counted. Raises Fault as `read_habits`."""
    others = sorted(file.parent.glob(f"{file.stem}-*{file.suffix}"))
    return together(map(read_habits, (file, *others)))


def habits_of(file: Path, worker: int) -> Path:
    """The file of one of several workers, each of which hears other clients."""
    return file if worker == 0 else file.with_stem(f"{file.stem}-{worker}")


@asynccontextmanager
async def counting(file: Path) -> AsyncIterator[Habits]:
    """Count on from what the file has, and write it down once a minute and at the end.

    A file that cannot be read or written costs counts, never the service: it is said in the log.
    """
    try:
        habits = Habits(read_habits(file))
    except Fault as fault:
        _log.warning("what access nodes send is counted anew: %s", fault)
        habits = Habits()
    try:
        async with meanwhile(_keep(habits, file)):
            yield habits
    finally:
        if octets := _changed(habits):
            _write(file, octets)


async def _keep(habits: Habits, file: Path) -> None:
    """Once a minute, until cancelled, and then not before what was begun is written: it must not come after the last.

    A thread waits for the disk, which may take seconds, and not those who log on.
    """
    while True:
        await asyncio.sleep(_WRITE_SECONDS)
        if octets := _changed(habits):
            writing = asyncio.create_task(asyncio.to_thread(_write, file, octets))
            try:
                await asyncio.shield(writing)
            finally:
                await writing


def _changed(habits: Habits) -> bytes:
    """What was counted, as it is now; nothing when it is as it was the last time."""
    if not habits.changed:
        return b""
    habits.changed = False
    return _encode(habits.nodes)


def _write(file: Path, octets: bytes) -> None:
    try:
        private_file.replace(file, octets)
    except Fault as fault:
        _log.warning("what access nodes send is not written down: %s", fault)
