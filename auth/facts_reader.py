"""Gathers what is known about a login from replica, access nodes and state: the same for serve and explain."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from msgspec.structs import replace

from auth.effective import effective_policy
from auth.facts import Facts, NodeFacts, Reach
from auth.login_name import names_meant
from auth.memorised.temporary_response import consumed_key
from auth.nodes import Nodes
from auth.state import stock_key
from auth.tokens import Usable, usable_tokens
from dirsync.view import Directory, Person
from schema.entry import EntryId, Policy
from schema.words import SendMode, TokenKind

_NO_STOCK: Mapping[TokenKind, int] = {}
_STOCKED = (TokenKind.SMS, TokenKind.EMAIL)


@dataclass(frozen=True, slots=True)
class Rules:
    """What config.ini says about deciding.

    Attributes:
        server_default: the [policy:default] section.
        expired_after: seconds of age at which the directory's data is too old.
        region: country of phone numbers without a country code.
        reach: the gateways, mail servers and services there are.
    """

    server_default: Policy | None
    expired_after: int
    region: str | None
    reach: Reach


class Remembered(Protocol):
    """What the state store remembers of a user, as `auth.state.Store` has it; every verb raises StateUnavailable."""

    def failures(self, user: EntryId) -> Sequence[datetime]:
        """Instants of the user's wrong codes."""
        ...

    def left(self, key: str, now: datetime) -> int:
        """How many good codes are on stock under a key."""
        ...

    def mark(self, key: str) -> int | None:
        """Where a key's mark stands."""
        ...


class NothingRemembered:
    """`Remembered` of a world in which nobody has ever logged on."""

    def failures(self, user: EntryId) -> Sequence[datetime]:  # noqa: ARG002 - the same for all
        """None."""
        return ()

    def left(self, key: str, now: datetime) -> int:  # noqa: ARG002 - the same for all
        """None."""
        return 0

    def mark(self, key: str) -> int | None:  # noqa: ARG002 - the same for all
        """Nowhere."""
        return None


@dataclass(frozen=True, slots=True)
class FactsReader:
    """Reads facts.

    Attributes:
        directory: the replica.
        nodes: the access nodes.
        memory: the state store.
        rules: what config.ini says.
        key_ids: ids of the keys in the key ring, which changes while the service runs.
    """

    directory: Directory
    nodes: Nodes
    memory: Remembered
    rules: Rules
    key_ids: Callable[[], frozenset[str] | None] = lambda: None
    _reached: dict[frozenset[str] | None, Reach] = field(default_factory=dict, init=False, repr=False)

    def facts(self, node: str, found: Sequence[Person], now: datetime) -> Facts:
        """What is known now about a login of these users through a node; `now` is the instant (aware).

        Raises:
            Fault: it cannot be known, because replica or state cannot be read.
        """
        known = self.nodes.named(node)
        one = found[0] if len(found) == 1 else None
        return Facts(
            node=known.facts if known else None,
            found=found,
            server_default=self.rules.server_default,
            freshness=self.directory.freshness(one.directory if one else None),
            expired_after=self.rules.expired_after,
            reach=self._reach(self.key_ids()),
            failures=self.memory.failures(one.id) if one else (),
            stock=self._stock(known.facts, one, now) if known and one else _NO_STOCK,
            response_mark=self._response_mark(one) if one else None,
            region=self.rules.region,
        )

    def again(self, facts: Facts, now: datetime) -> Facts:
        """The same facts with what the store remembers by now; the very same where that has not changed.

        Raises:
            Fault: as `facts`.
        """
        if len(facts.found) != 1:
            return facts
        one = facts.found[0]
        failures, mark = self.memory.failures(one.id), self._response_mark(one)
        stock = self._stock(facts.node, one, now) if facts.node else _NO_STOCK
        if (failures, mark, stock) == (facts.failures, facts.response_mark, facts.stock):
            return facts
        return replace(facts, failures=failures, response_mark=mark, stock=stock)

    def _reach(self, keys: frozenset[str] | None) -> Reach:
        """The same object while the keys are the same."""
        known = self._reached.get(keys)
        if known is None:
            self._reached.clear()
            known = self._reached[keys] = replace(self.rules.reach, keys=keys)
        return known

    def _stock(self, node: NodeFacts, person: Person, now: datetime) -> Mapping[TokenKind, int]:
        """What is on stock at the addresses to which the policy has codes sent ahead; all else counts for nothing."""
        if not any(kind in person.user.tokens for kind in _STOCKED):
            return _NO_STOCK
        policy = effective_policy(person, node.node.name, node.policy, self.rules.server_default).policy
        if policy is None or SendMode.ON_LOGON is policy.sms_mode is policy.email_mode:
            return _NO_STOCK
        return {
            token.kind: self.memory.left(stock_key(person.id, token.kind, token.address), now)
            for token in usable_tokens(person.user, policy, self.rules.region, self.rules.reach)
            if isinstance(token, Usable) and token.address
        }

    def _response_mark(self, person: Person) -> int | None:
        return self.memory.mark(consumed_key(person.id)) if person.user.temporary_response is not None else None

    def ids(self, node: str, name: str) -> tuple[EntryId, ...]:
        """The users that a login name may stand for at a node. Raises Fault as `facts` does."""
        known = self.nodes.named(node)
        if known is None:
            return ()
        meant = names_meant(name, known.node.user_id_attribute, self.directory.domains())
        return self.directory.find(meant.names, meant.directory) if meant.names else ()

    def people(self, node: str, name: str) -> tuple[Person, ...]:
        """The same users with everything that decides about them. Raises Fault as `facts` does."""
        return self.entries(self.ids(node, name))

    def entries(self, ids: Iterable[EntryId]) -> tuple[Person, ...]:
        """Those of these users who are there, with everything that decides about them. Raises Fault as `facts` does."""
        return tuple(person for entry in ids if (person := self.directory.person(entry)))
