"""What can go wrong between us and a directory."""

from schema.errors import Fault


class DirectoryUnavailable(Fault):
    """No server of the directory could be used just now; trying again later may help."""


class DirectoryAway(DirectoryUnavailable):
    """No server of the directory is there to be asked anything; none was shown a name or a password."""


class ReplicaUnavailable(Fault):
    """The local replica could not be read or written; whoever needs it is refused."""


class DirectoryRefused(Fault):
    """The directory answered and said no: wrong credentials, a missing right, an unknown base."""
