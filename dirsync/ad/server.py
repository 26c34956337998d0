"""Which domain controller answers, and what it is called: dialogues without a connection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dirsync.ad.controls import SHOW_DELETED, entry_id
from dirsync.ad.cookie import Server
from dirsync.ad.witness import Past, Witness, read_witness, search
from dirsync.errors import DirectoryRefused, DirectoryUnavailable
from dirsync.wire.ber import MalformedAnswer
from dirsync.wire.search import Dialogue, Page, RawEntry, Scope, Search
from schema.dn import fold, is_below, join
from schema.entry import EntryId

_ROOT_DSE: Final = (
    "dsServiceName",
    "highestCommittedUSN",
    "isSynchronized",
    "defaultNamingContext",
    "namingContexts",
)
# GUID_DELETED_OBJECTS_CONTAINER_W (MS-ADTS section 6.1.1.4): the container is found whatever it is called.
_DELETED_OBJECTS: Final = "18E2EA80684F11D2B9AA00C04F79F805"


@dataclass(frozen=True, slots=True)
class Controller:
    """A domain controller, and the domain that it serves.

    Attributes:
        domain: objectGUID of the domain.
        context: its DN.
        server: the controller as it is now.
    """

    domain: EntryId
    context: str
    server: Server


def identify(base: str) -> Dialogue[Controller]:
    """Who answers, as it is now (MS-ADTS section 3.1.1.3.2).

    Args:
        base: DN of the domain that the server should serve, or of an entry in it.

    Raises:
        DirectoryRefused: it serves another one.
        DirectoryUnavailable: it is not fit to be read.
    """
    root = only((yield Search("", _ROOT_DSE)), "the rootDSE")[1]
    context = _text(root, "defaultNamingContext")
    others = [value.decode(errors="replace") for value in root.get("namingContexts", ())]
    below = [other for other in others if _within(other, context) and not _same(other, context)]
    if not _within(base, context) or any(_within(base, other) for other in below):
        raise DirectoryRefused(
            f"the server serves the domain {context}, not {base}",
            remedy=f"set base = {context} in [directory], or let url name domain controllers of the other domain",
        )
    if b"FALSE" in root.get("isSynchronized", ()):
        raise DirectoryUnavailable(
            "the domain controller has not got all data of its domain yet",
            remedy="wait until it has replicated, or let url name another one",
        )
    name, usn = _text(root, "dsServiceName"), _usn(root)
    settings = only((yield Search(name, ("invocationId",))), name)[1]
    head = only((yield Search(context, ("objectGUID",))), context)[1]
    server = Server(name, b"".join(settings.get("invocationId", ())), Past(usn))
    return Controller(entry_id(_first(head, "objectGUID")), context, server)


def highest_usn() -> Dialogue[int]:
    """The last number that the server has given to a change, in whichever of its naming contexts.

    Raises:
        MalformedAnswer: it tells none.
    """
    return _usn(only((yield Search("", ("highestCommittedUSN",))), "the rootDSE")[1])


def tells_dearly() -> Dialogue[bool]:
    """Whether change notification costs this server more than being looked at: whether it is Samba."""
    root = only((yield Search("", ("vendorName",))), "the rootDSE")[1]
    return b"Samba" in b"".join(root.get("vendorName", ()))


def find_witnesses(context: str, *pasts: Past | None) -> Dialogue[tuple[Witness, ...]]:
    """Those who prove these pasts, and those by whom they can be proven later.

    Args:
        context: DN of the domain.
        pasts: those that are to be proven or recorded.

    Raises:
        MalformedAnswer: an entry makes no sense.
    """
    page = yield search(context, *pasts)
    return tuple(found for found in map(read_witness, page.entries) if found)


def lists_deleted(context: str) -> Dialogue[bool]:
    """Whether the account may list and read the deleted entries of a domain: else they vanish without a word.

    Args:
        context: DN of the domain.
    """
    question = Search(f"<WKGUID={_DELETED_OBJECTS},{context}>", ("objectClass",), controls=(SHOW_DELETED,))
    try:
        # who may not read the container sees that it is there, and nothing of it
        return any(attributes for _, attributes in (yield question).entries)
    except DirectoryRefused:
        return False


def find_netbios_name(base: str) -> Dialogue[str | None]:
    """The domain's short name, from the crossRef object of its naming context (MS-ADTS section 6.1.1.2.1.1).

    Args:
        base: DN of the domain, or of an entry in it.

    Raises:
        DirectoryRefused: the partitions cannot be read.
    """
    root = only((yield Search("", ("configurationNamingContext",))), "the rootDSE")[1]
    partitions = join("CN=Partitions", _text(root, "configurationNamingContext"))
    page = yield Search(partitions, ("nCName", "nETBIOSName"), Scope.SUBTREE, "(objectClass=crossRef)")
    names = {_text(found, "nCName"): _text(found, "nETBIOSName") for _, found in page.entries if "nETBIOSName" in found}
    # the base of a child domain is below its parent's, too
    above = [context for context in names if _within(base, context)]
    return names[max(above, key=len)] if above else None


def only(page: Page, what: str) -> RawEntry:
    """The one entry of a page.

    Raises:
        MalformedAnswer: there is another number of them.
    """
    entries = list(page.entries)
    if len(entries) != 1:
        raise MalformedAnswer(f"there are {len(entries)} entries where {what} should be")
    return entries[0]


def _usn(root: Mapping[str, Sequence[bytes]]) -> int:
    usn = _text(root, "highestCommittedUSN")
    if not usn.isdecimal():
        raise MalformedAnswer(f"{usn!r} is no update sequence number")
    return int(usn)


def _same(one: str, other: str) -> bool:
    try:
        return fold(one) == fold(other)
    except ValueError:
        return False


def _within(dn: str, base: str) -> bool:
    try:
        return _same(dn, base) or is_below(dn, base)
    except ValueError:
        return False


def _first(attributes: Mapping[str, Sequence[bytes]], name: str) -> bytes:
    values = attributes.get(name, ())
    if not values:
        raise MalformedAnswer(f"it has no {name}", remedy="let url name domain controllers and nothing else")
    return values[0]


def _text(attributes: Mapping[str, Sequence[bytes]], name: str) -> str:
    return _first(attributes, name).decode(errors="replace")
