"""The server's own key: drawn once, kept in a file that nobody else can read."""

import os
from pathlib import Path

from auth.clock import Entropy
from auth.keys import private_file
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
        private_file.make(file, entropy.octets(_OCTETS))
    key = private_file.read(file)
    if len(key) != _OCTETS:
        raise Fault(f"{file} does not hold a key", remedy="move it away and start again; open logins are lost")
    return key
