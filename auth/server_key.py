"""The server's own key: drawn once, kept in a file that nobody else can read."""

import os
from pathlib import Path

from auth.clock import Entropy
from schema.errors import Fault

_OCTETS = 32


def server_key(file: Path, entropy: Entropy) -> bytes:
    """The 32 octets in the file, which is made when it is not there.

    Raises:
        Fault: the file cannot be made or read, is readable by others, or does not hold a key.
    """
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return _read(file)
    except OSError as error:
        raise Fault(f"{file} cannot be made: {error.strerror}", remedy="let the service write its folder") from error
    with os.fdopen(descriptor, "wb") as opened:
        key = entropy.octets(_OCTETS)
        opened.write(key)
        opened.flush()
        os.fsync(opened.fileno())
    return key


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
