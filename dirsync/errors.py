"""What can go wrong between us and a directory."""

from schema.errors import Fault


class DirectoryUnavailable(Fault):
    """No server of the directory could be used just now; trying again later may help."""


class ReplicaUnavailable(Fault):
    """The local replica could not be read or written; whoever needs it is refused."""


class DirectoryRefused(Fault):
    """The directory answered and said no: wrong credentials, a missing right, an unknown base."""
