"""The server's own key: drawn once, kept in a file that nobody else can read."""

import os
import tempfile
from pathlib import Path

from auth.clock import Entropy
from schema.errors import Fault

_OCTETS = 32


def server_key(file: Path, entropy: Entropy) -> bytes:
    """The 32 octets in the file, which is made when it is not there.

    The file appears with its whole content or not at all: of several processes that start together all get the same
    key, and a crash leaves no half of one.

    Raises:
        Fault: the file cannot be made or read, is readable by others, or does not hold a key.
    """
    if not os.path.lexists(file):
        _make(file, entropy.octets(_OCTETS))
    return _read(file)


def _make(file: Path, key: bytes) -> None:
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    except OSError as error:
        raise _unmakeable(file, error) from error
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(key)
            opened.flush()
            os.fsync(opened.fileno())
        os.link(name, file)  # unlike a rename it never replaces the key of another process
    except FileExistsError:
        return
    except OSError as error:
        raise _unmakeable(file, error) from error
    finally:
        Path(name).unlink(missing_ok=True)


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_mode & 0o077:
            raise Fault(f"{file} may be read by others", remedy=f"run chmod 600 {file}")
        key = file.read_bytes()
    except OSError as error:
        raise Fault(f"{file} cannot be read: {error.strerror}", remedy="give it to the service's user") from error
    if len(key) != _OCTETS:
        raise Fault(f"{file} does not hold a key", remedy="move it away and start again; open logins are lost")
    return key


def _unmakeable(file: Path, error: OSError) -> Fault:
    return Fault(f"{file} cannot be made: {error.strerror}", remedy="let the service write its folder")
