"""What our own processes left of a run of tests, and must be without secrets.

The rule: looked at is what the service, its commands and its crashes write by themselves:

- in a state directory, which is one that holds a store or the audit: everything but the keys, and but what an
  administrator put beside it;
- anywhere: what a service said (`service.log`, `serve.log`), the metrics that it told at its end, what a receiver of
  the audit was sent, archives for whoever helps, with what is in them, and cores.

Not looked at is what was given to it (config.ini, files of secrets, certificates, the directory as LDIF), its keys, and
what others write: directories, gateways, mail servers and RADIUS clients keep and show the secrets that they are for.
"""

import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

STORES = frozenset({"replica.sqlite", "state.sqlite", "shared.sqlite", "journal.sqlite", "audit.head"})
KEYS = frozenset({"server.key", "audit.key", "keys.ring"})
SAID = frozenset({"service.log", "serve.log", "metrics.txt", "seen.jsonl"})
GIVEN = (".ini", ".ldif", ".password", ".secret", ".token", ".key", ".pem", ".p12", ".pfx", ".csv", ".xml")


@dataclass(frozen=True, slots=True)
class Leaving:
    """A file, or a member of an archive.

    Attributes:
        name: below the folder that was looked through.
        path: where its octets are; of a member, those of `octets`.
        octets: of a member.
    """

    name: str
    path: Path
    octets: bytes | None = None


def leavings(folder: Path) -> Iterator[Leaving]:
    """All that the rule has looked at, below a folder.

    Raises:
        OSError: one of it cannot be read, so that nobody knows what it shows.
    """
    for place, folders, names in os.walk(folder, onerror=_not_read):
        folders.sort()
        is_state = not STORES.isdisjoint(names)
        for name in sorted(names):
            path = Path(place, name)
            if not path.is_file() or path.is_symlink():
                continue
            said = str(path.relative_to(folder))
            if name.endswith(".tar.gz"):
                yield from (Leaving(f"{said}:{each}", path, octets) for each, octets in _members(path))
            elif name in SAID or is_core(path) or (is_state and name not in KEYS and not name.endswith(GIVEN)):
                yield Leaving(said, path)


def is_core(path: Path) -> bool:
    """Whether it is what the kernel writes of a process that crashed: ELF of the type ET_CORE, called `core...`."""
    if not path.name.startswith("core"):
        return False
    with path.open("rb") as file:
        head = file.read(18)
    return head[:4] == b"\x7fELF" and 4 in {head[16], head[17]}  # e_type, in either order of octets


def _members(archive: Path) -> list[tuple[str, bytes]]:
    with tarfile.open(archive) as file:
        opened = ((each.name, file.extractfile(each)) for each in file.getmembers() if each.isfile())
        return [(name, content.read()) for name, content in opened if content is not None]


def _not_read(error: OSError) -> None:
    raise error
