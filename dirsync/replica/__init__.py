"""The replica of the directory: one file, one writer, any number of readers."""

from dirsync.replica.reader import Replica
from dirsync.replica.writer import Applied, ReplicaWriter

__all__ = ["Applied", "Replica", "ReplicaWriter"]
