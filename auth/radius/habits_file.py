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


def write_habits(file: Path, habits: Mapping[str, Habit]) -> None:
    """Put a new file in the place of the old one. Raises Fault."""
    private_file.replace(file, msgspec.json.encode(habits))


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
        _write(habits, file)


async def _keep(habits: Habits, file: Path) -> None:
    while True:
        await asyncio.sleep(_WRITE_SECONDS)
        _write(habits, file)


def _write(habits: Habits, file: Path) -> None:
    if habits.changed:
        habits.changed = False
        try:
            write_habits(file, habits.nodes)
        except Fault as fault:
            _log.warning("what access nodes send is not written down: %s", fault)
