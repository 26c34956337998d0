"""The LDIF file that is a directory: read as a whole at one moment, although somebody may be saving it just then."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from dirsync.errors import DirectoryUnavailable
from schema.ldif_lines import BrokenLdif

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What changes when the file does: a save in place changes time or size, one by renaming the inode."""

    mtime_ns: int
    size: int
    inode: int


def stamp(path: Path) -> Stamp:
    """The file's stamp now.

    Raises:
        DirectoryUnavailable: there is no such file, or it must not be looked at.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from error
    return Stamp(status.st_mtime_ns, status.st_size, status.st_ino)


def read_whole(path: Path, understand: Callable[[bytes], T]) -> tuple[Stamp, T]:
    """What `understand` makes of the file's octets, and the stamp that they belong to.

    A file that is being written is read once more; half of a file is never taken for all of it when that shows.

    Args:
        path: the file.
        understand: raises BrokenLdif for octets that are not right.

    Raises:
        DirectoryUnavailable: the file cannot be read, is broken, or does not come to rest.
    """
    for _ in range(2):
        before = stamp(path)
        try:
            understood = understand(path.read_bytes())
        except OSError as error:
            raise _unreadable(path, error) from error
        except BrokenLdif as error:
            if stamp(path) == before:
                raise DirectoryUnavailable(
                    f"{path}, line {error.line}: {error.problem}",
                    remedy="mend the line and save the file; until then what it said before stays in force",
                ) from error
        else:
            if stamp(path) == before:
                return before, understood
    raise DirectoryUnavailable(f"{path} is being written", remedy="wait until it is saved")


def _unreadable(path: Path, error: OSError) -> DirectoryUnavailable:
    return DirectoryUnavailable(
        f"{path} cannot be read: {error.strerror}",
        remedy="put the LDIF file there and let the service's user read it",
    )
