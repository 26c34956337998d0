"""A directory in the head: what is there, and what each request makes of it. Pure.

Whoever calls sees to it that a server would permit the request: that names are free, and nothing moves into itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from conformance.dialects import MEMBER_LINK, Dialect, Kind
from conformance.requests import Add, How, Modify, Remove, Rename, Request, Values
from schema.dn import fold, join, rdn, rebase

folded = lru_cache(1 << 16)(fold)


@dataclass(eq=False)
class Item:
    """One entry.

    Attributes:
        kind: what it is.
        name: the value of its RDN.
        above: the entry that it stands below; None directly below the root.
        login: its login name, if any.
        lasting: it is never deleted, and keeps its login name.
        values: attributes that may be changed.
        links: attribute -> DNs, by their folded form, as they are written.
    """

    kind: Kind
    name: str
    above: "Item | None"
    login: str = ""
    lasting: bool = False
    values: dict[str, Values] = field(default_factory=dict)
    links: dict[str, dict[str, str]] = field(default_factory=dict)


class World:
    """All entries below a root.

    Args:
        root: DN under which they stand; itself no entry of the world.
        dialect: how the directory has it.
    """

    def __init__(self, root: str, dialect: Dialect) -> None:
        self.root = root
        self.dialect = dialect
        self.items: list[Item] = []

    def dn(self, item: Item | None) -> str:
        return self.root if item is None else join(self.rdn(item.kind, item.name), self.dn(item.above))

    def rdn(self, kind: Kind, name: str) -> str:
        return rdn(self.dialect.rdn[kind], name)

    def of(self, *kinds: Kind) -> list[Item]:
        return [item for item in self.items if item.kind in kinds]

    def below(self, item: Item) -> list[Item]:
        """All below an entry, the deepest last."""
        found = [item]
        for one in found:
            found += [other for other in self.items if other.above is one]
        return found[1:]

    def is_free(self, above: Item | None, name: str, but: Item | None = None) -> bool:
        """Whether nobody but one has the name; RDNs that differ only by type do not stand beside each other in AD."""
        wanted = name.casefold()
        return all(item.above is not above or item is but or item.name.casefold() != wanted for item in self.items)

    def logins(self) -> set[str]:
        return {item.login for item in self.items if item.login}

    def add(self, item: Item) -> Iterator[Request]:
        self.items.append(item)
        words = self.dialect
        attributes: dict[str, Values] = {"objectClass": words.classes[item.kind]}
        if item.login and (item.kind is Kind.PERSON or words.logins_of_groups):
            attributes[words.login] = (item.login,)
        if item.kind is Kind.GROUP and words.kept_member:
            attributes[MEMBER_LINK] = (words.kept_member,)
        for name, text in words.always.get(item.kind, {}).items():
            attributes[name] = (text.format(login=item.login, name=item.name),)
        yield Add(self.dn(item), attributes | item.values)

    def replace(self, item: Item, name: str, values: Values) -> Iterator[Request]:
        item.values[name] = values
        yield Modify(self.dn(item), [(How.REPLACE, name, values)])

    def log_on_as(self, item: Item, login: str) -> Iterator[Request]:
        """Another login name."""
        item.login = login
        changes = [(How.REPLACE, self.dialect.login, (login,))]
        for name, text in self.dialect.always.get(item.kind, {}).items():
            if "{login}" in text:
                changes.append((How.REPLACE, name, (text.format(login=login),)))
        yield Modify(self.dn(item), changes)

    def link(self, item: Item, name: str, add: set[str], remove: set[str]) -> Iterator[Request]:
        """Links to DNs come and go."""
        held = item.links.setdefault(name, {})
        changes = []
        if remove:
            changes.append((How.DELETE, name, tuple(held.pop(folded(dn)) for dn in sorted(remove))))
        if add:
            held |= {folded(dn): dn for dn in add}
            changes.append((How.ADD, name, tuple(sorted(add))))
        yield Modify(self.dn(item), changes)

    def place(self, item: Item, above: Item | None, name: str) -> Iterator[Request]:
        """Another name, another place, or both."""
        before = self.dn(item)
        item.above, item.name = above, name
        yield Rename(before, self.rdn(item.kind, name), self.dn(above))
        if self.dialect.links_follow:
            self._links_follow(before, self.dn(item))

    def remove(self, item: Item) -> Iterator[Request]:
        """An entry with all below it."""
        gone = [item, *self.below(item)]
        if self.dialect.removes_trees:
            yield Remove(self.dn(item), tree=len(gone) > 1)
        else:
            yield from [Remove(self.dn(one)) for one in reversed(gone)]
        dns = {folded(self.dn(one)) for one in gone}
        self.items = [one for one in self.items if one not in gone]
        if self.dialect.links_follow:
            for held in self._all_links():
                for dn in dns & held.keys():
                    del held[dn]

    def _links_follow(self, before: str, after: str) -> None:
        base = folded(before)
        for held in self._all_links():
            for key in [key for key in held if key == base or key.endswith(f",{base}")]:
                was = held.pop(key)
                now = after if key == base else rebase(was, before, after)
                held[folded(now)] = now

    def _all_links(self) -> Iterator[dict[str, str]]:
        return (held for item in self.items for held in item.links.values())

    def stands_in(self, above: Item | None, item: Item) -> bool:
        """Whether a place is the entry itself or below it."""
        while above is not None and above is not item:
            above = above.above
        return above is item
