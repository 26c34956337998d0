"""The server's own key: drawn once, kept in a file that nobody else can read."""

from pathlib import Path

from auth.clock import Entropy
from auth.keys import private_file
from schema.errors import Fault

_OCTETS = 32


def server_key(file: Path, entropy: Entropy) -> bytes:
    """The 32 octets in the file, which is made when it is not there.

    The file appears with its whole content or not at all: of several processes that start together all get the same
    key, and neither a crash nor a power failure leaves half of one or takes it back.

    Raises:
        Fault: the file cannot be made or read, is readable by others, or does not hold a key.
    """
    private_file.make(file, entropy.octets(_OCTETS))  # drawn in vain when it is there
    key = private_file.read(file)
    if len(key) != _OCTETS:
        raise Fault(f"{file} does not hold a key", remedy="move it away and start again; open logins are lost")
    return key
