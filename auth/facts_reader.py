"""Gathers what is known about a login from replica, nodes and what the store recalls, for serve and explain alike."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from msgspec.structs import replace

from auth.effective import effective_policy
from auth.facts import Facts, NodeFacts, Reach
from auth.guessing import guesses
from auth.login_name import names_meant
from auth.memorised.pin import chosen_at, has_pin, kept_key
from auth.memorised.temporary_response import consumed_key
from auth.nodes import Nodes
from auth.standing import unlocked_at
from auth.state import Recalled, Wanted, stock_key
from auth.tokens import Usable, usable_tokens
from dirsync.view import Directory, Person
from schema.entry import EntryId, Policy
from schema.words import SendMode, TokenKind

_NO_STOCK: Mapping[TokenKind, int] = {}
_NO_STOCKS: Mapping[TokenKind, str] = {}
_NOTHING = Wanted()
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


@dataclass(frozen=True, slots=True)
class FactsReader:
    """Reads facts.

    Attributes:
        directory: the replica.
        nodes: the access nodes.
        rules: what config.ini says.
        key_ids: ids of the keys in the key ring, which changes while the service runs.
    """

    directory: Directory
    nodes: Nodes
    rules: Rules
    key_ids: Callable[[], frozenset[str] | None] = lambda: None
    _reached: dict[frozenset[str] | None, Reach] = field(default_factory=dict, init=False, repr=False)

    def wanted(self, node: str, found: Sequence[Person], now: datetime) -> Wanted:
        """What the state store is to recall for `facts` of the same. Raises Fault as `facts` does."""
        if len(found) != 1:
            return _NOTHING
        (one,) = found
        known = self.nodes.named(node)
        return Wanted(
            user=one.id,
            marks=(consumed_key(one.id),) if one.user.temporary_response is not None else (),
            stocks=tuple(self._stocks(known.facts, one).values()) if known else (),
            kept=(kept_key(one.id),) if has_pin(one.user) else (),
            counted=guesses(one.id, unlocked_at(one.user, now)),
        )

    def facts(self, node: str, found: Sequence[Person], recalled: Recalled) -> Facts:
        """What is known now about a login of these users through a node.

        Args:
            node: the name of the access node.
            found: the users.
            recalled: what `wanted` asked for; nothing, where nobody has ever logged on.

        Raises:
            Fault: it cannot be known, because the replica cannot be read.
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
            failures=recalled.failures,
            stock=self._stock(known.facts, one, recalled) if known and one else _NO_STOCK,
            response_mark=recalled.marks[0] if recalled.marks else None,
            region=self.rules.region,
            wrong_today=sum(recalled.counted),
            pin_chosen_at=_pin_chosen_at(recalled),
        )

    def again(self, facts: Facts, recalled: Recalled) -> Facts:
        """The same facts with what the store remembers by now; the very same where that has not changed.

        Raises:
            Fault: as `facts`.
        """
        if len(facts.found) != 1:
            return facts
        mark = recalled.marks[0] if recalled.marks else None
        stock = self._stock(facts.node, facts.found[0], recalled) if facts.node else _NO_STOCK
        today, chosen = sum(recalled.counted), _pin_chosen_at(recalled)
        before = (facts.failures, facts.response_mark, facts.stock, facts.wrong_today, facts.pin_chosen_at)
        if (recalled.failures, mark, stock, today, chosen) == before:
            return facts
        return replace(
            facts,
            failures=recalled.failures,
            response_mark=mark,
            stock=stock,
            wrong_today=today,
            pin_chosen_at=chosen,
        )

    def _reach(self, keys: frozenset[str] | None) -> Reach:
        """The same object while the keys are the same."""
        known = self._reached.get(keys)
        if known is None:
            self._reached.clear()
            known = self._reached[keys] = replace(self.rules.reach, keys=keys)
        return known

    def _stock(self, node: NodeFacts, person: Person, recalled: Recalled) -> Mapping[TokenKind, int]:
        if not recalled.stocks:
            return _NO_STOCK
        return dict(zip(self._stocks(node, person), recalled.stocks, strict=True))

    def _stocks(self, node: NodeFacts, person: Person) -> Mapping[TokenKind, str]:
        """The keys of the addresses to which the policy has codes sent ahead; all else counts for nothing."""
        if not any(kind in person.user.tokens for kind in _STOCKED):
            return _NO_STOCKS
        policy = effective_policy(person, node.node.name, node.policy, self.rules.server_default).policy
        if policy is None or SendMode.ON_LOGON is policy.sms_mode is policy.email_mode:
            return _NO_STOCKS
        return {
            token.kind: stock_key(person.id, token.kind, token.address)
            for token in usable_tokens(person.user, policy, self.rules.region, self.rules.reach)
            if isinstance(token, Usable) and token.address
        }

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


def _pin_chosen_at(recalled: Recalled) -> datetime | None:
    return chosen_at(recalled.kept[0]) if recalled.kept else None
