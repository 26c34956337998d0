"""The security policies of a directory, and whom they are assigned to: found, made, changed, assigned."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dirsync.admin.directory import AdminDirectory, Dialect
from dirsync.admin.edit import Edit, Values, replaced
from dirsync.admin.filters import all_of, any_of, equal, present
from dirsync.admin.found import Found
from dirsync.errors import DirectoryRefused
from schema.active_directory import Add
from schema.attributes import CLASSES
from schema.dn import fold, join, parent, rdn
from schema.entry import Container

CLASS = "dirfactorSecurityPolicy"
LINK = "dirfactorPolicy"
_POLICIES = equal("objectClass", CLASS)
_SUBJECT = next(row for row in CLASSES if row.name == "dirfactorSubject")
# by what a group or container is called
_NAMES = ("cn", "ou", "sAMAccountName")
_GROUPS = ("group", "groupOfNames", "groupOfUniqueNames", "posixGroup")
_CONTAINERS = ("organizationalUnit", "domainDNS")


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies of one directory. Every method blocks, and raises as those of `AdminDirectory` do.

    Attributes:
        directory: where they are.
    """

    directory: AdminDirectory

    def all(self) -> list[Found]:
        """Every policy, by DN."""
        return sorted(self.directory.search(_POLICIES), key=lambda found: fold(found.dn))

    def named(self, name: str) -> Found:
        """The policy with this name or DN.

        Raises:
            DirectoryRefused: there is none, or there are several.
        """
        by_dn = self.directory.named(name)
        if by_dn and CLASS.lower().encode() in _classes(by_dn):
            return by_dn
        found = list(self.directory.search(all_of([_POLICIES, equal("cn", name)])))
        if len(found) == 1:
            return found[0]
        if found:
            raise DirectoryRefused(
                f"several policies are called {name}",
                remedy="give the DN: " + "; ".join(item.dn for item in found),
            )
        raise DirectoryRefused(f"there is no policy {name}", remedy="see `dirfactor policy list`")

    def assignments(self) -> Mapping[str, list[str]]:
        """DNs of the subjects of every policy that is assigned, by the policy's folded DN."""
        subjects: dict[str, list[str]] = {}
        for found in self.directory.search(present(LINK)):
            for value in found.attributes.get(LINK.lower(), ()):
                subjects.setdefault(fold(value.decode()), []).append(found.dn)
        return subjects

    def subjects(self, policy: Found) -> list[str]:
        """DNs of what the policy is assigned to."""
        return sorted(found.dn for found in self.directory.search(equal(LINK, policy.dn)))

    def home(self) -> str:
        """DN under which a new policy belongs: where the others are.

        Raises:
            DirectoryRefused: there are none yet, or they are in several places.
        """
        places = {fold(parent(found.dn)): parent(found.dn) for found in self.all()}
        if len(places) == 1:
            return next(iter(places.values()))
        raise DirectoryRefused(
            "policies are in several places" if places else "there is no policy yet beside which this one could stand",
            remedy="say with --base under which DN it is to stand",
        )

    def new(self, name: str, base: str, settings: Mapping[str, tuple[bytes, ...]]) -> Add:
        """The addition of a policy."""
        plain: tuple[tuple[str, tuple[str | bytes, ...]], ...] = (("objectClass", ("top", CLASS)), ("cn", (name,)))
        given = tuple((attribute, values) for attribute, values in settings.items() if values)
        return Add(join(rdn("cn", name), base), (*plain, *given))

    def group_or_container(self, name: str) -> list[Found]:
        """The groups, organizational units and domains that are called so."""
        kinds = any_of(equal("objectClass", kind) for kind in (*_GROUPS, *_CONTAINERS))
        called = any_of(equal(attribute, name) for attribute in _NAMES)
        return list(self.directory.search(all_of([kinds, called])))

    def assigning(self, subject: Found, policy: Found) -> Edit:
        """Assigns the policy to the subject, in the place of the one that it has.

        Raises:
            DirectoryRefused: nothing can be assigned to such an entry.
        """
        entry = self.directory.parsed(subject)
        is_ad = self.directory.dialect is Dialect.ACTIVE_DIRECTORY
        plain = is_ad and isinstance(entry, Container) and not _classes(subject) & {b"organizationalunit", b"domaindns"}
        if entry is None or plain:
            raise DirectoryRefused(
                f"no policy can be assigned to {subject.dn}",
                remedy="name a user, a group, an organizational unit, the domain or an access node",
            )
        before = tuple(value.decode() for value in subject.attributes.get(LINK.lower(), ()))
        if [fold(dn) for dn in before] == [fold(policy.dn)]:
            return Edit(subject.dn, ())
        links = replaced(subject, LINK, policy.dn.encode())
        return Edit(subject.dn, (*self.directory.classes(subject, *self._class_of(subject)), *links))

    def unassigning(self, subject: Found, policy: Found) -> Edit:
        """Takes the assignment of this policy away; nothing when it is not this one that is assigned."""
        values = subject.attributes.get(LINK.lower(), ())
        gone = tuple(value for value in values if fold(value.decode()) == fold(policy.dn))
        return Edit(subject.dn, (Values(LINK, gone),) if gone else ())

    def _class_of(self, subject: Found) -> Iterator[str]:
        """The class that lets it have a policy; an access node may have one as it is."""
        if b"dirfactoraccessnode" not in _classes(subject):
            yield _SUBJECT.name


def _classes(found: Found) -> set[bytes]:
    return {value.lower() for value in found.attributes.get("objectclass", ())}
