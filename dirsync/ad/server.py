"""Which domain controller answers, and what it is called: dialogues without a connection."""

from collections.abc import Mapping, Sequence
from typing import Final

from dirsync.ad.controls import entry_id
from dirsync.ad.cookie import Server
from dirsync.ber import MalformedAnswer
from dirsync.errors import DirectoryRefused, DirectoryUnavailable
from dirsync.search import Dialogue, Page, RawEntry, Scope, Search
from schema.dn import fold, join
from schema.entry import EntryId

_ROOT_DSE: Final = ("dsServiceName", "highestCommittedUSN", "isSynchronized", "defaultNamingContext")


def identify(base: str) -> Dialogue[tuple[EntryId, Server]]:
    """The objectGUID of the domain, and the server as it is now (MS-ADTS section 3.1.1.3.2).

    Args:
        base: DN of the domain that the server should serve.

    Raises:
        DirectoryRefused: it serves another one.
        DirectoryUnavailable: it is not fit to be read.
    """
    root = only((yield Search("", _ROOT_DSE)), "the rootDSE")[1]
    context = _text(root, "defaultNamingContext")
    if not _same(context, base):
        raise DirectoryRefused(
            f"the server serves the domain {context}, not {base}",
            remedy=f"set base = {context} in [directory], or let url name domain controllers of the other domain",
        )
    if b"FALSE" in root.get("isSynchronized", ()):
        raise DirectoryUnavailable(
            "the domain controller has not got all data of its domain yet",
            remedy="wait until it has replicated, or let url name another one",
        )
    name, usn = _text(root, "dsServiceName"), _text(root, "highestCommittedUSN")
    if not usn.isdecimal():
        raise MalformedAnswer(f"{usn!r} is no update sequence number")
    settings = only((yield Search(name, ("invocationId",))), name)[1]
    head = only((yield Search(base, ("objectGUID",))), base)[1]
    identity = entry_id(_first(head, "objectGUID"))
    return identity, Server(name, b"".join(settings.get("invocationId", ())), int(usn))


def find_netbios_name(base: str) -> Dialogue[str | None]:
    """The domain's short name, from the crossRef object of its naming context (MS-ADTS section 6.1.1.2.1.1).

    Args:
        base: DN of the domain.

    Raises:
        DirectoryRefused: the partitions cannot be read.
    """
    root = only((yield Search("", ("configurationNamingContext",))), "the rootDSE")[1]
    partitions = join("CN=Partitions", _text(root, "configurationNamingContext"))
    page = yield Search(partitions, ("nCName", "nETBIOSName"), Scope.SUBTREE, "(objectClass=crossRef)")
    found = [attributes for _, attributes in page.entries if attributes.get("nETBIOSName")]
    return next((_text(one, "nETBIOSName") for one in found if _same(_text(one, "nCName"), base)), None)


def only(page: Page, what: str) -> RawEntry:
    """The one entry of a page.

    Raises:
        MalformedAnswer: there is another number of them.
    """
    entries = list(page.entries)
    if len(entries) != 1:
        raise MalformedAnswer(f"there are {len(entries)} entries where {what} should be")
    return entries[0]


def _same(one: str, other: str) -> bool:
    try:
        return fold(one) == fold(other)
    except ValueError:
        return False


def _first(attributes: Mapping[str, Sequence[bytes]], name: str) -> bytes:
    values = attributes.get(name, ())
    if not values:
        raise MalformedAnswer(f"it has no {name}", remedy="let url name domain controllers and nothing else")
    return values[0]


def _text(attributes: Mapping[str, Sequence[bytes]], name: str) -> str:
    return _first(attributes, name).decode(errors="replace")
