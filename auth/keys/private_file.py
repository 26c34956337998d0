"""Files that nobody but the service's user may read: made whole or not at all, replaced in one step, read strictly."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from schema.errors import Fault


def make(file: Path, octets: bytes) -> None:
    """Make the file, unless it is there; of several processes that try at once one succeeds, and all are content.

    It is durable when this returns, whoever made it: they may have ended before they saw to that, or be about to.

    Raises:
        Fault: it cannot be made.
    """
    try:
        if os.path.lexists(file):
            with suppress(PermissionError):  # of a folder of others, who put the file there long ago
                _settle(file.parent)
            return
        name = _beside(file, octets)
        try:
            with suppress(FileExistsError):
                os.link(name, file)  # unlike a rename it never replaces the file of another process
        finally:
            name.unlink(missing_ok=True)
        _settle(file.parent)
    except OSError as error:
        raise _unmakeable(file, error) from error


def replace(file: Path, octets: bytes) -> None:
    """Put a new file in the place of the old one, durable when this returns.

    Raises:
        Fault: it cannot be made; the old one is untouched.
    """
    name = _beside(file, octets)
    try:
        name.replace(file)
        _settle(file.parent)
    except OSError as error:
        raise _unmakeable(file, error) from error
    finally:
        name.unlink(missing_ok=True)


def read(file: Path) -> bytes:
    """The file's content.

    Raises:
        Fault: it cannot be read, or others may touch it.
    """
    try:
        if file.stat().st_mode & 0o077:
            raise Fault(f"{file} may be read by others", remedy=f"run chmod 600 {file}")
        return file.read_bytes()
    except OSError as error:
        raise Fault(f"{file} cannot be read: {error.strerror}", remedy="give it to the service's user") from error


def _beside(file: Path, octets: bytes) -> Path:
    """A complete file in the same folder, of mode 600 and the folder's owner when root makes it."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    except OSError as error:
        raise _unmakeable(file, error) from error
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(octets)
            opened.flush()
            if os.geteuid() == 0:  # an administrator's command must not take the file from the service
                owner = file.parent.stat()
                os.fchown(opened.fileno(), owner.st_uid, owner.st_gid)
            os.fsync(opened.fileno())
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise _unmakeable(file, error) from error
    return Path(name)


def _settle(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unmakeable(file: Path, error: OSError) -> Fault:
    return Fault(f"{file} cannot be made: {error.strerror}", remedy="let the service write its folder")
