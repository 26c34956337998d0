"""What access nodes send, in a file of the state directory: written by the service, read by the command."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from auth.keys import private_file
from auth.radius.habits import Habit
from schema.errors import Fault

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


def write_habits(file: Path, habits: Mapping[str, Habit]) -> None:
    """Put a new file in the place of the old one. Raises Fault."""
    private_file.replace(file, msgspec.json.encode(habits))
