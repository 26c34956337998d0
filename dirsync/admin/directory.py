"""A directory as an administrator's commands see it: which kind it is, where its tree begins, who and what is in it."""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from dirsync.admin.connection import AdminAccess, connect
from dirsync.admin.edit import Edit, Values
from dirsync.admin.filters import all_of, any_of, equal, present
from dirsync.admin.found import Found
from dirsync.admin.operations import AdminConnection, OperationRefused
from dirsync.errors import DirectoryRefused
from dirsync.mapping import in_our_words
from schema.active_directory import Add
from schema.attributes import ATTRIBUTES
from schema.dn import fold
from schema.entry import Entry, EntryId, User
from schema.parse import ACCOUNT_ATTRIBUTES, ADDRESS_ATTRIBUTES, DIRECTORY_ATTRIBUTES, names_of, parse_entry

_ROOT = ("defaultNamingContext", "configurationNamingContext", "namingContexts", "changeLog", "supportedCapabilities")
_IS_ACTIVE_DIRECTORY = "1.2.840.113556.1.4.800"  # MS-ADTS 3.1.1.3.4.3.1
# Of secrets only what is sealed or digested, which tells nothing without the key ring; shared secrets may be clear.
_UNREAD = "dirfactorSharedSecret"
_OURS = tuple(item.name for item in ATTRIBUTES if item.name != _UNREAD and item.forward_link is None)
_IDS = ("objectGUID", "entryUUID", "nsUniqueId")
_GUID_OCTETS = 16
_PEOPLE = ("user", "inetOrgPerson", "posixAccount", "account")
# LDAP result codes (RFC 4511 appendix A)
_NO_SUCH_ATTRIBUTE = 16
_UNDEFINED_TYPE = 17
_CONSTRAINT = 19
_VALUE_EXISTS = 20
_CLASS_VIOLATION = 65


class Dialect(StrEnum):
    """What the directory's own attributes are called, and whether entries list their auxiliary classes."""

    ACTIVE_DIRECTORY = "active directory"
    LDAP = "ldap"


# Which attributes hold a login name of a kind (`schema.parse.names_of`).
_NAMES = {
    Dialect.ACTIVE_DIRECTORY: {
        "sam": "sAMAccountName",
        "upn": "userPrincipalName",
        "mail": "mail",
        "loginName": "dirfactorLoginName",
    },
    Dialect.LDAP: {"sam": "uid", "mail": "mail", "loginName": "dirfactorLoginName"},
}


@dataclass(frozen=True, slots=True)
class AdminDirectory:
    """An open directory. Every method blocks, and raises as `AdminConnection` does.

    Attributes:
        connection: bound to it.
        dialect: what kind it is.
        base: DN of its tree.
        attributes: what is read of an entry.
        extra_attributes: those among them in which policies may find phone numbers or mail addresses, beside the usual.
        netbios_name: the domain's short name, if it has one.
        mapping: name of ours in lower case -> what stands in for it in a directory without our schema.
    """

    connection: AdminConnection
    dialect: Dialect
    base: str
    attributes: tuple[str, ...]
    extra_attributes: tuple[str, ...] = ()
    netbios_name: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)

    def read(self, dn: str) -> Found | None:
        """The entry with this DN, with all that is read of entries; None when there is none."""
        return next(map(self._in_our_words, self.connection.search(dn, attributes=self.attributes)), None)

    def named(self, text: str) -> Found | None:
        """The entry, if the text is the DN of one."""
        try:
            return self.read(text) if fold(text) else None
        except ValueError:
            return None

    def search(self, where: str, base: str = "") -> Iterator[Found]:
        """The entries below `base`, or of the whole tree, that match a filter of `dirsync.admin.filters`."""
        found = self.connection.stream(base or self.base, where, scope="SUBTREE", attributes=self.attributes)
        return map(self._in_our_words, found)

    def count(self, where: str, base: str = "") -> int:
        """How many these are; costs a search that sends nothing of them but their DNs."""
        found = self.connection.stream(base or self.base, where, scope="SUBTREE", attributes=("1.1",))
        return sum(1 for _ in found)

    def users(self, typed: str, names: Sequence[tuple[str, str]]) -> list[Found]:
        """The users that have one of these login names.

        Args:
            typed: the name as it was typed, without a domain.
            names: the (kind, folded name) pairs that it stands for, see `schema.parse.names_of`.
        """
        spellings = {typed.strip(), *(name for _, name in names)}
        kinds = _NAMES[self.dialect]
        asked = [equal(kinds[kind], text) for kind, _ in names if kind in kinds for text in sorted(spellings)]
        if not asked:
            return []
        # the server's idea of equal names is wider or narrower than ours, so ours has the last word
        return [found for found in self.search(all_of([are_people(), any_of(asked)])) if self._bears(found, names)]

    def parsed(self, found: Found) -> Entry | None:
        """The typed entry, read as the sync reads it."""
        return parse_entry(found.attributes, self.extra_attributes)

    def write(self, edit: Edit | Add) -> None:
        """Make an edit, or add an entry.

        Raises:
            DirectoryRefused: the directory lacks our schema or has something else stand in for the attribute,
                somebody else was faster, or the account may not.
            DirectoryUnavailable: the server did not answer.
        """
        try:
            if isinstance(edit, Add):
                self.connection.add(edit.dn, edit.attributes)
            elif edit.changes:
                self._demand_ours(edit)
                self.connection.change(edit)
        except OperationRefused as refusal:
            raise _explained(refusal) from refusal

    def classes(self, found: Found, *wanted: str) -> tuple[Values, ...]:
        """The auxiliary classes that the entry lacks, as a change; AD adds them to whole classes, in its schema."""
        have = {value.lower() for value in found.attributes.get("objectclass", ())}
        missing = tuple(name.encode() for name in wanted if name.lower().encode() not in have)
        return (Values("objectClass", (), missing),) if missing and self.dialect is Dialect.LDAP else ()

    def _demand_ours(self, edit: Edit) -> None:
        for change in edit.changes:
            if theirs := self.mapping.get(change.attribute.lower()):
                raise DirectoryRefused(
                    f"[map] has {theirs} stand in for {change.attribute} in this directory",
                    remedy=f"set {theirs} of {edit.dn} with the directory's own tools",
                )

    def _in_our_words(self, found: Found) -> Found:
        return Found(found.dn, in_our_words(found.attributes, self.mapping)) if self.mapping else found

    def _bears(self, found: Found, names: Sequence[tuple[str, str]]) -> bool:
        entry = self.parsed(found)
        return isinstance(entry, User) and not set(names).isdisjoint(names_of(entry))


@contextmanager
def open_directory(
    access: AdminAccess,
    base: str = "",
    extra_attributes: Iterable[str] = (),
    mapping: Mapping[str, str] | None = None,
) -> Iterator[AdminDirectory]:
    """Connect, and find out what the directory is.

    Args:
        access: where and as whom.
        base: DN of the tree; found out when it is empty and the server has just one.
        extra_attributes: further attributes in which policies may find phone numbers or mail addresses.
        mapping: what stands in for ours, as in `DirectorySettings`.

    Raises:
        DirectoryRefused: the name or password is wrong, or the tree cannot be found out.
        DirectoryUnavailable: the server cannot be reached or trusted.
    """
    with connect(access) as connection:
        root = next(iter(connection.search("", attributes=_ROOT)), Found("", {}))
        capabilities = root.attributes.get("supportedcapabilities", ())
        dialect = Dialect.ACTIVE_DIRECTORY if _IS_ACTIVE_DIRECTORY.encode() in capabilities else Dialect.LDAP
        base = base or _tree(root, dialect)
        extra = tuple(extra_attributes)
        theirs = {ours.lower(): name for ours, name in (mapping or {}).items()}
        usual = (*DIRECTORY_ATTRIBUTES, *ACCOUNT_ATTRIBUTES, *ADDRESS_ATTRIBUTES)
        names = (*usual, *_OURS, *_IDS, *extra, *theirs.values())
        # twice the same name would be answered twice by some servers
        attributes = tuple({name.lower(): name for name in names}.values())
        netbios_name = _netbios_name(connection, root, base)
        yield AdminDirectory(connection, dialect, base, attributes, extra, netbios_name, theirs)


def are_people() -> str:
    """The filter for what the sync reads as users; computers are still among them."""
    return any_of(equal("objectClass", name) for name in _PEOPLE)


def entry_id(found: Found) -> EntryId:
    """The entry's objectGUID, nsUniqueId or entryUUID; empty when the account may not read it."""
    guid = found.attributes.get("objectguid", (b"",))[0]
    if len(guid) == _GUID_OCTETS:
        return uuid.UUID(bytes_le=guid).bytes  # MS-DTYP 2.3.4.2: the first three parts are little-endian
    # 389 Directory Server may have both, and the sync goes by its own
    text = found.text("nsUniqueId") or found.text("entryUUID")
    return uuid.UUID(text.replace("-", "")).bytes if text else b""


def _tree(root: Found, dialect: Dialect) -> str:
    # AD has several and says which is the domain; 389 Directory Server may call its own changelog the default
    default = root.text("defaultNamingContext") if dialect is Dialect.ACTIVE_DIRECTORY else ""
    named = (value.decode() for value in root.attributes.get("namingcontexts", ()))
    trees = [default] if default else [tree for tree in named if tree != root.text("changeLog")]
    if len(trees) == 1:
        return trees[0]
    raise DirectoryRefused(
        "the server has several trees: " + ", ".join(trees) if trees else "the server does not say which tree it has",
        remedy="name the one that is meant with --tree",
    )


def _netbios_name(connection: AdminConnection, root: Found, base: str) -> str | None:
    configuration = root.text("configurationNamingContext")
    if not configuration:
        return None
    where = all_of([equal("nCName", base), present("nETBIOSName")])
    found = connection.search(f"CN=Partitions,{configuration}", where, scope="LEVEL", attributes=["nETBIOSName"])
    return found[0].text("nETBIOSName") if found else None


def _explained(refusal: OperationRefused) -> DirectoryRefused:
    words = refusal.diagnostic.lower()
    # 16 stands for an unknown attribute as well, and both 19 and 65 for a second value where one is allowed
    unknown = refusal.code == _NO_SUCH_ATTRIBUTE and "schema" in words
    second = refusal.code in {_CONSTRAINT, _CLASS_VIOLATION} and "multiple values" in words
    if second or (refusal.code in {_NO_SUCH_ATTRIBUTE, _VALUE_EXISTS} and not unknown):
        return DirectoryRefused(
            f"somebody else has changed the entry meanwhile: {refusal.problem}",
            remedy="look at it once more, then repeat the command",
        )
    if unknown or refusal.code in {_UNDEFINED_TYPE, _CLASS_VIOLATION}:
        return DirectoryRefused(
            refusal.problem,
            remedy="see that the directory has the schema (dirfactor schema plan), and what the entry is",
        )
    return refusal
