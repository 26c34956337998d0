"""Gathers what is known about a login from replica, access nodes and state: the same for serve and explain."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from auth.facts import Facts, Reach
from auth.login_name import names_meant
from auth.nodes import Nodes
from dirsync.view import Directory, Person
from schema.entry import EntryId, Policy


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
    """Reads facts; keeps nothing.

    Attributes:
        directory: the replica.
        nodes: the access nodes.
        failures: instants of a user's wrong codes, from the state store.
        rules: what config.ini says.
        key_ids: ids of the keys in the key ring, which changes while the service runs.
    """

    directory: Directory
    nodes: Nodes
    failures: Callable[[EntryId], Sequence[datetime]]
    rules: Rules
    key_ids: Callable[[], frozenset[str] | None] = lambda: None

    def facts(self, node: str, found: Sequence[Person]) -> Facts:
        """What is known now about a login of these users through a node.

        Raises:
            Fault: it cannot be known, because replica or state cannot be read.
        """
        known = self.nodes.named(node)
        return Facts(
            node=known.facts if known else None,
            found=found,
            server_default=self.rules.server_default,
            freshness=self.directory.freshness(found[0].directory if len(found) == 1 else None),
            expired_after=self.rules.expired_after,
            reach=replace(self.rules.reach, keys=self.key_ids()),
            failures=self.failures(found[0].id) if len(found) == 1 else (),
            region=self.rules.region,
        )

    def ids(self, node: str, name: str) -> tuple[EntryId, ...]:
        """The users that a login name may stand for at a node. Raises Fault as `facts` does."""
        known = self.nodes.named(node)
        if known is None:
            return ()
        meant = names_meant(name, known.node.user_id_attribute, self.directory.domains())
        return self.directory.find(meant.names, meant.directory) if meant.names else ()

    def people(self, node: str, name: str) -> tuple[Person, ...]:
        """The same users with everything that decides about them. Raises Fault as `facts` does."""
        return tuple(person for entry in self.ids(node, name) if (person := self.directory.person(entry)))
