"""The work of `dirfactor keys rotate`: what of a directory is sealed under an old key, and writing it sealed anew."""

from collections.abc import Iterable
from dataclasses import dataclass

from auth.cli.progress import followed
from auth.clock import SYSTEM_ENTROPY
from auth.keys.ring import Ring
from auth.keys.sealing import NONCE_OCTETS
from auth.rotation.resealing import Resealed, resealed_seeds, resealed_shared_secret
from dirsync.admin.directory import AdminDirectory
from dirsync.admin.edit import Edit, Values
from dirsync.errors import DirectoryRefused
from dirsync.view import Node, Person
from schema.dn import is_below
from schema.errors import Fault


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done.

    Attributes:
        changes: in this directory.
        elsewhere: how many entries of other directories wait.
        failed: what does not open, with its DN.
    """

    changes: tuple[Resealed, ...]
    elsewhere: int
    failed: tuple[str, ...]


def found_work(subjects: Iterable[Person | Node], base: str, ring: Ring) -> Work:
    """What is sealed under another key than the current one.

    Args:
        subjects: everybody and every access node, as the replica has them.
        base: DN of the tree of the directory that is written to.
        ring: opens and seals.
    """
    changes: list[Resealed] = []
    failed: list[str] = []
    for item in subjects:
        try:
            change = _resealed(item, ring)
        except Fault as fault:
            failed.append(f"{item.dn}: {fault.problem}")
            continue
        changes += [change] if change else []
    here = tuple(change for change in changes if is_below(change.dn, base))
    return Work(here, len(changes) - len(here), tuple(failed))


def resealed(directory: AdminDirectory, work: Work) -> tuple[int, tuple[str, ...]]:
    """Write it, entry by entry; how many were written, and what went wrong with the others.

    The old values are named, so somebody who was faster is not overwritten.

    Raises:
        DirectoryUnavailable: the server went away; what was written stays, and the rest waits for the next time.
    """
    refused: list[str] = []
    for change in followed(work.changes, "entries", lambda: len(work.changes)):
        try:
            directory.write(Edit(change.dn, (Values(change.attribute, change.removed, change.added),)))
        except DirectoryRefused as refusal:
            refused.append(f"{change.dn}: {refusal.problem}")
    return len(work.changes) - len(refused), (*work.failed, *refused)


def _resealed(item: Person | Node, ring: Ring) -> Resealed | None:
    if isinstance(item, Person):
        return resealed_seeds(item, ring, _nonce)
    return resealed_shared_secret(item, ring, _nonce)


def _nonce() -> bytes:
    return SYSTEM_ENTROPY.octets(NONCE_OCTETS)
