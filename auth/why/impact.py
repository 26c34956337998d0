"""Who comes to something else by a change of the directory: every user at every access node, before and after."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from auth.facts import Facts, NodeFacts
from auth.facts_reader import FactsReader
from auth.login_name import names_meant
from auth.state import Recalled
from auth.why.logon import Effect, Logon, both, effect
from dirsync.view import Person
from schema.entry import AccessNode, EntryId
from schema.parse import names_of
from schema.words import UserIdAttribute

ANY_NODE = "any access node"


@dataclass(frozen=True, slots=True)
class World:
    """The directory on one side of a change.

    Attributes:
        known: reads it; of the state, that nobody has failed lately.
    """

    known: FactsReader

    @property
    def nodes(self) -> Mapping[str, NodeFacts]:
        """The access nodes by their names."""
        nodes = self.known.nodes
        return {name: found.facts for name in nodes.names() if (found := nodes.named(name))}

    def facts(self, node: str, person: Person) -> Facts:
        """What is known of a login; where there is no access node at all, at one that everybody may use."""
        facts = self.known.facts(node, (person,), Recalled())
        return replace(facts, node=NodeFacts(AccessNode(name=ANY_NODE), None, None)) if node == ANY_NODE else facts

    def person(self, user: EntryId) -> Person | None:
        """The user; None when there is no such one."""
        return self.known.directory.person(user)


@dataclass(frozen=True, slots=True)
class Impact:
    """What a change does to a user's logons.

    Attributes:
        user: DN of the user, as it was, or as it is for somebody who is new.
        effect: what it does.
        nodes: names of the access nodes at which it does that.
        before: what a logon came to, in words.
        after: what it comes to.
        policy_before: what governed.
        policy_after: what governs.
    """

    user: str
    effect: Effect
    nodes: tuple[str, ...]
    before: str
    after: str
    policy_before: str
    policy_after: str


def node_names(before: World, after: World, only: str = "") -> tuple[str, ...]:
    """The access nodes to look at, those of either side; the one that is named, if one is."""
    return (only,) if only else tuple(sorted(before.nodes.keys() | after.nodes.keys())) or (ANY_NODE,)


def nodes_differ(before: World, after: World, nodes: Iterable[str]) -> bool:
    """Whether anything is different for those who have not changed themselves."""
    was, now = before.nodes, after.nodes
    return any(was.get(node) != now.get(node) for node in nodes)


def impacts(
    before: World, after: World, users: Iterable[EntryId], nodes: Sequence[str], at: datetime, *, exactly: bool
) -> Iterator[Impact]:
    """What becomes of these users.

    Args:
        before: the directory without the change.
        after: the directory with it.
        users: whom to look at; whoever is left out must be the same on both sides.
        nodes: the access nodes to look at.
        at: the instant of the logons.
        exactly: at this instant only; see `auth.why.logon.both`.
    """
    other = nodes_differ(before, after, nodes)
    alike = _alike(before, after, nodes)
    for user in users:
        was, now = before.person(user), after.person(user)
        if was == now and not other:
            continue
        found: dict[tuple[Effect, str, str, str, str], list[str]] = {}
        for names in alike:
            one, two = _logons(before, after, was, now, names[0], at, exactly=exactly)
            if what := effect(one, two):
                key = (what, _said(one), _said(two), one.policy if one else "", two.policy if two else "")
                found.setdefault(key, []).extend(names)
        dn = was.dn if was else now.dn if now else ""
        for (what, *said), where in found.items():
            yield Impact(dn, what, tuple(node for node in nodes if node in where), *said)


def _alike(before: World, after: World, nodes: Iterable[str]) -> list[list[str]]:
    """The nodes in groups at which every decision is the same: they differ in their names and in how they are known."""
    was, now = before.nodes, after.nodes
    groups: dict[tuple[NodeFacts | None, NodeFacts | None], list[str]] = {}
    for node in nodes:
        groups.setdefault((_bare(was.get(node)), _bare(now.get(node))), []).append(node)
    return list(groups.values())


def _bare(facts: NodeFacts | None) -> NodeFacts | None:
    if facts is None:
        return None
    known_by = {"address": (), "shared_secret": None, "shared_secret_name": None, "api_key_hash": None}
    return replace(facts, node=replace(facts.node, name="", **known_by))


def ambiguous(before: World, after: World, touched: Iterable[EntryId]) -> Iterator[Impact]:
    """Login names that mean two users or more after a change, and did not before."""
    names: dict[str, None] = {}
    for entry in touched:
        if person := after.person(entry):
            names |= dict.fromkeys(text for _, text in names_of(person.user))
    for name in sorted(names):
        pairs = names_meant(name, UserIdAttribute.ANY, {}).names
        was, now = before.known.directory.find(pairs), after.known.directory.find(pairs)
        if len(now) > 1 and len(was) <= 1:
            bearers = [person.dn for each in now if (person := after.person(each))]
            owner = after.person(was[0]) if was and was[0] in now else None
            meant = f"{name} means {' and '.join(bearers)}"
            yield Impact(
                owner.dn if owner else bearers[0], Effect.AMBIGUOUS, (), f"{name} means one user", meant, "", ""
            )


def _logons(
    before: World, after: World, was: Person | None, now: Person | None, node: str, at: datetime, *, exactly: bool
) -> tuple[Logon | None, Logon | None]:
    if was and now:
        return both(before.facts(node, was), after.facts(node, now), at, exactly=exactly)
    if was:
        known = before.facts(node, was)
        return both(known, known, at, exactly=exactly)[0], None
    if now:
        known = after.facts(node, now)
        return None, both(known, known, at, exactly=exactly)[1]
    return None, None


def _said(found: Logon | None) -> str:
    return str(found) if found else "is not there"
