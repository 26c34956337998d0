"""Kerberos for a service without kinit: a keytab, read to know whose it is, and named to the GSSAPI library.

The library takes all this from the process's environment, so there is one keytab for the whole process: with keys of
several domains in it, if there are several directories. The tickets are kept in memory, and drawn and renewed by
the library itself. What libldap must know before it is loaded stands in `dirsync/__init__.py`.
"""

import os
from pathlib import Path
from typing import Final

from schema.errors import Fault

_KEYS: Final = "KRB5_CLIENT_KTNAME"
_TICKETS: Final = "KRB5CCNAME"
_VERSION: Final = b"\x05\x02"


def use(keytab: Path, principal: str | None) -> None:
    """Have every GSSAPI bind of this process use this keytab. To be called before the first one, best at the start.

    Args:
        keytab: file of the account's keys.
        principal: whose keys they must be, NAME or NAME@REALM as written there; None for whomever they belong to.

    Raises:
        Fault: the file is no keytab, is somebody else's, or the process uses another one already.
    """
    found = first_principal(_read(keytab))
    if found is None:
        raise Fault(f"{keytab} is no keytab, or an empty one", remedy="export it again, e.g. with ktpass or ktutil")
    if principal is not None and principal not in {found, found.partition("@")[0]}:
        raise Fault(
            f"the first key in {keytab} is that of {found}, which is the account that would sign in, not {principal}",
            remedy="set principal in [directory] to it, or make a keytab in which the account's keys come first",
        )
    name = f"FILE:{keytab}"
    if os.environ.setdefault(_KEYS, name) != name:
        raise Fault(
            f"this process signs in with the keys in {os.environ[_KEYS].removeprefix('FILE:')} already, and one "
            f"process can have one keytab only",
            remedy=f"name one keytab in every [directory:NAME], and do not set {_KEYS} in the environment",
        )
    os.environ[_TICKETS] = "MEMORY:dirfactor"


def first_principal(keytab: bytes) -> str | None:
    """The principal of the first entry in a keytab file, `NAME@REALM`; None when there is none.

    The format is MIT's, version 2: entries with their length in front, negative for a hole, each beginning with the
    principal.
    """
    if not keytab.startswith(_VERSION):
        return None
    position = len(_VERSION)
    while position + 4 <= len(keytab):
        size = int.from_bytes(keytab[position : position + 4], "big", signed=True)
        position += 4
        if size > 0:
            return _principal(keytab[position : position + size])
        position += -size or len(keytab)
    return None


def _principal(entry: bytes) -> str | None:
    count, position = int.from_bytes(entry[:2], "big"), 2
    parts: list[str] = []
    for _ in range(count + 1):
        size = int.from_bytes(entry[position : position + 2], "big")
        part = entry[position + 2 : position + 2 + size]
        if len(part) < size or not part:
            return None
        parts.append(part.decode(errors="replace"))
        position += 2 + size
    realm, *names = parts
    return f"{'/'.join(names)}@{realm}" if names else None


def _read(keytab: Path) -> bytes:
    try:
        return keytab.read_bytes()
    except OSError as error:
        raise Fault(
            f"the keytab {keytab} cannot be read: {error.strerror}",
            remedy="set keytab in [directory], and give the file to the user that the service runs as, mode 600",
        ) from error
