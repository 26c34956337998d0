"""Reads from a directory, over LDAP, everything that decides about a person: what the replica knows of everybody."""

from collections.abc import Iterator

from dirsync.admin.directory import AdminDirectory, Dialect, entry_id
from dirsync.admin.filters import any_of, equal
from dirsync.admin.found import Found
from dirsync.view import Ancestor, Membership, Person, PolicyLink
from schema.dn import fold, is_below, parent
from schema.entry import Container, Group, Policy, User


class PeopleReader:
    """Reads people; remembers policies and containers, so it is for one command.

    Args:
        directory: where they are. Every method raises as its methods do.
    """

    def __init__(self, directory: AdminDirectory) -> None:
        self._directory = directory
        self._policies: dict[str, PolicyLink] = {}
        self._ancestors: dict[str, Ancestor | None] = {}

    def person(self, found: Found, user: User) -> Person:
        """The user, with groups and containers as the directory has them now.

        Args:
            found: the user's entry.
            user: the same, parsed.
        """
        return Person(
            id=entry_id(found),
            dn=found.dn,
            user=user,
            policy=self._policy_of(found),
            groups=tuple(self._memberships(found, user)),
            ancestors=tuple(self._above(found.dn)),
        )

    def _policy_of(self, found: Found) -> PolicyLink | None:
        dns = [value.decode(errors="replace") for value in found.attributes.get("dirfactorpolicy", ())]
        if not dns:
            return None
        link = self._policy(dns[0])
        # two policies where one is allowed: nobody can say which is meant, so there is none that may be used
        return link if len(dns) == 1 else PolicyLink(link.id, link.dn, None)

    def _policy(self, dn: str) -> PolicyLink:
        key = fold(dn)
        if key not in self._policies:
            found = self._directory.read(dn)
            policy = self._directory.parsed(found) if found else None
            link_id = entry_id(found) if found else key.encode()
            self._policies[key] = PolicyLink(link_id, dn, policy if isinstance(policy, Policy) else None)
        return self._policies[key]

    def _memberships(self, found: Found, user: User) -> Iterator[Membership]:
        """Upward from the user, one level of nesting after the other, each group when it is first met."""
        level: list[tuple[tuple[str, ...], Found]] = [
            ((), group) for group in [*self._holders(found), *self._primary(user)]
        ]
        met: set[str] = set()
        while level:
            above: list[tuple[tuple[str, ...], Found]] = []
            for path, holder in sorted(level, key=lambda item: item[1].dn):
                group = self._directory.parsed(holder)
                if fold(holder.dn) in met or not isinstance(group, Group):
                    continue
                met.add(fold(holder.dn))
                here = (*path, holder.dn)
                yield Membership(entry_id(holder), holder.dn, group, self._policy_of(holder), here)
                above += [(here, item) for item in self._holders(holder)]
            level = above

    def _holders(self, member: Found) -> list[Found]:
        """The groups that have it as a direct member."""
        asked = [equal("member", member.dn)]
        if self._directory.dialect is Dialect.LDAP:
            asked.append(equal("uniqueMember", member.dn))
            asked += [equal("memberUid", member.text("uid"))] if member.text("uid") else []
        return list(self._directory.search(any_of(asked)))

    def _primary(self, user: User) -> list[Found]:
        """AD does not list a user among the members of their primary group (MS-ADTS 3.1.1.4.5.2)."""
        sid = user.primary_group_sid
        return list(self._directory.search(equal("objectSid", sid))) if sid else []

    def _above(self, dn: str) -> Iterator[Ancestor]:
        base = self._directory.base
        while is_below(dn, base):
            dn = parent(dn)
            key = fold(dn)
            if key not in self._ancestors:
                self._ancestors[key] = self._container(dn)
            known = self._ancestors[key]
            if known is not None:
                yield known

    def _container(self, dn: str) -> Ancestor | None:
        found = self._directory.read(dn)
        container = self._directory.parsed(found) if found else None
        if found is None or not isinstance(container, Container):
            return None
        return Ancestor(entry_id(found), found.dn, container, self._policy_of(found))
