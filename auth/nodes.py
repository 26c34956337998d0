"""The access nodes: those of config.ini and those of the directory, found by address or API key."""

import hashlib
import hmac
import ipaddress
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from auth.facts import NodeFacts
from auth.keys.ring import Ring
from auth.keys.shared_secret import unsealed_shared_secret
from auth.prompts import Language, first_prompt
from auth.radius.node import RADSEC_SECRET, NodeDoor, Upstream
from auth.settings import ConfiguredNode
from dirsync.errors import ReplicaUnavailable
from dirsync.replica.recent import Recent
from dirsync.view import Directory, Node, PolicyLink
from schema.entry import AccessNode, EntryId, Policy
from schema.errors import Fault
from schema.grammar import split_target
from schema.parse import fold
from schema.secret import Secret
from schema.words import LoginMode, NodeType

_log = logging.getLogger("dirfactor.nodes")
_ADDRESSES = 4096
_BY_RADIUS = frozenset({NodeType.RADIUS, NodeType.PROXY})
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Claim = TypeVar("_Claim")


@dataclass(frozen=True, slots=True)
class KnownNode:
    """An access node that may ask.

    Attributes:
        facts: what a decision needs of it.
        door: what the RADIUS door needs of it; None when it has no usable shared secret.
        upstream: the other server that it forwards to; None when it does not, or cannot.
    """

    facts: NodeFacts
    door: NodeDoor | None
    upstream: Upstream | None = None

    @property
    def node(self) -> AccessNode:
        """Its settings."""
        return self.facts.node


@dataclass(frozen=True, slots=True)
class _Table:
    """One state of all nodes."""

    version: int
    by_name: Mapping[str, KnownNode]
    by_network: tuple[tuple[_Network, KnownNode | None], ...]  # longest prefix first; None when two nodes claim it
    by_key_hash: Mapping[str, KnownNode | None] = field(repr=False)
    by_certificate: Mapping[str, KnownNode | None]
    by_address: Recent[str, tuple[KnownNode | None]]  # those that were asked for
    ring: Ring | None  # as it was when this was built
    closed: bool  # a shared secret did not open with it


class Nodes:
    """Every access node; follows the directory.

    Args:
        configured: the [node:NAME] sections.
        policies: the [policy:NAME] sections, which nodes may name.
        secrets: the [secret:NAME] sections, which nodes of the directory may name.
        directory: the replica.
        ring: reads the key ring, with which shared secrets in the directory are sealed. Raises Fault.
        language: of what is asked before anybody is known.
    """

    def __init__(
        self,
        configured: Mapping[str, ConfiguredNode],
        policies: Mapping[str, Policy],
        secrets: Mapping[str, Secret],
        directory: Directory,
        ring: Callable[[], Ring],
        language: Language = Language.ENGLISH,
    ) -> None:
        self._configured = configured
        self._policies = policies
        self._secrets = secrets
        self._directory = directory
        self._ring = ring
        self._language = language
        self._table: _Table | None = None

    def at(self, address: str) -> KnownNode | None:
        """The node that this network address belongs to: the one with the longest matching prefix, when one has it."""
        table = self._current()
        known = table.by_address.get(address)
        if known is None:
            known = table.by_address.keep(address, (self._owner(address, table),))
        return known[0]

    @staticmethod
    def _owner(address: str, table: _Table) -> KnownNode | None:
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return None
        if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
            ip = ip.ipv4_mapped
        return next((node for network, node in table.by_network if ip in network), None)

    def radius_door(self, address: str) -> NodeDoor | None:
        """What the RADIUS door needs to know of the node at this address."""
        known = self.at(address)
        return known.door if known else None

    def radsec_door(self, names: Iterable[str], address: str) -> NodeDoor | None:
        """What the RADIUS door needs to know of the node whose certificate has these names.

        Where the node has addresses, it must come from one of them. TLS proves who sends, so nothing else has to.
        """
        known = self.by_certificate(names)
        if known is None or known.node.node_type not in _BY_RADIUS:
            return None
        if known.node.address and self.at(address) is not known:
            return None
        door = _door(known.node, Secret(RADSEC_SECRET), self._language)
        return door and replace(door, require_message_authenticator=False, limit_proxy_state=False)

    def by_api_key(self, key: Secret) -> KnownNode | None:
        """The node whose API key this is; only the key's SHA-256 is known to us."""
        wanted = hashlib.sha256(key.octets).hexdigest()
        found = self._current().by_key_hash.get(wanted)
        known = (found.node.api_key_hash or "").lower() if found else ""
        return found if hmac.compare_digest(known, wanted) else None

    def by_certificate(self, names: Iterable[str]) -> KnownNode | None:
        """The node that a client certificate with these names is of; None when there is none, or several."""
        known = self._current().by_certificate
        found = [known[fold(name)] for name in names if fold(name) in known]
        return found[0] if found and all(each is found[0] for each in found) else None

    def named(self, name: str) -> KnownNode | None:
        """The node with this name."""
        return self._current().by_name.get(fold(name))

    def upstream(self, name: str) -> Upstream | None:
        """The other server that the node with this name forwards to."""
        known = self.named(name)
        return known.upstream if known else None

    def names(self) -> tuple[str, ...]:
        """The names of all nodes."""
        return tuple(sorted(known.node.name for known in self._current().by_name.values()))

    def _current(self) -> _Table:
        """The nodes as of now; while the replica cannot be read, the last ones that were known.

        So whoever asks meanwhile is still recognised, and refused by the decision, which needs the replica as well.

        Raises:
            ReplicaUnavailable: it could not be read yet.
        """
        try:
            version = self._directory.freshness().version
            if self._table is None or self._table.version != version or self._may_open(self._table):
                self._table = self._build(version)
        except ReplicaUnavailable:
            if self._table is None:
                raise
        return self._table

    def _may_open(self, table: _Table) -> bool:
        """Whether a shared secret that did not open may do so by now, since the key ring is another one."""
        return table.closed and self._ring_now() != table.ring

    def _ring_now(self) -> Ring | None:
        try:
            return self._ring()
        except Fault:
            return None

    def _build(self, version: int) -> _Table:
        by_name: dict[str, KnownNode] = {}
        ring, listed = self._ring_now(), self._directory.nodes()
        opened = {item.id: self._secret(item) for item in listed}
        for known in (*self._from_config(), *self._from_directory(listed, opened)):
            if by_name.setdefault(fold(known.node.name), known) is not known:
                _log.error("access node %s exists twice: only the first is used, rename one", known.node.name)
        usable = [known for known in by_name.values() if known.node.node_enabled and not known.node.malformed]
        networks = _claimed("address", usable, lambda node: {ipaddress.ip_network(text) for text in node.address})
        keys = _claimed("API key", usable, lambda node: {node.api_key_hash.lower()} if node.api_key_hash else set())
        certificates = _claimed(
            "certificate name",
            usable,
            lambda node: {fold(node.certificate_name)} if node.certificate_name else set(),
        )
        by_network = sorted(networks.items(), key=lambda item: -item[0].prefixlen)
        closed = any(item.node.shared_secret is not None and opened[item.id] is None for item in listed)
        return _Table(version, by_name, tuple(by_network), keys, certificates, Recent(_ADDRESSES), ring, closed)

    def _from_config(self) -> Iterator[KnownNode]:
        for item in self._configured.values():
            members = None
            if item.members is not None:
                found = (self._directory.lookup(dn) for dn in item.members)
                members = frozenset(entry for entry in found if entry is not None)
            facts = NodeFacts(item.node, self._policy(item.policy), members)
            yield self._known(facts, item.secret)

    def _from_directory(self, listed: Iterable[Node], opened: Mapping[EntryId, Secret | None]) -> Iterator[KnownNode]:
        for item in listed:
            yield self._known(NodeFacts(item.node, item.policy, item.members), opened[item.id])

    def _known(self, facts: NodeFacts, secret: Secret | None) -> KnownNode:
        return KnownNode(facts, _door(facts.node, secret, self._language), _upstream(facts.node, secret))

    def _policy(self, name: str | None) -> PolicyLink | None:
        """The policy that a [node:NAME] section names; a DN that leads nowhere is a missing policy, not none."""
        if name is None:
            return None
        if name in self._policies:
            return PolicyLink(name.encode(), f"[policy:{name}]", self._policies[name])
        entry = self._directory.lookup(name)
        return self._directory.policy(entry) if entry else PolicyLink(name.encode(), None, None)

    def _secret(self, item: Node) -> Secret | None:
        if item.node.shared_secret is not None:
            try:
                return unsealed_shared_secret(self._ring(), item.id, item.node.shared_secret)
            except Fault as fault:
                _log.error("access node %s has no usable dirfactorSharedSecret: %s", item.dn, fault)
                return None
        name = item.node.shared_secret_name
        if name is None:
            return None
        if name not in self._secrets:
            _log.error("access node %s names [secret:%s], which config.ini does not have", item.dn, name)
        return self._secrets.get(name)


def _claimed(
    what: str, nodes: Iterable[KnownNode], claims: Callable[[AccessNode], set[_Claim]]
) -> dict[_Claim, KnownNode | None]:
    """Whose each claim is; None for one of several nodes, as choosing one would let the wrong people in.

    It stays in the result, so that a shorter prefix does not take its place.
    """
    owners: dict[_Claim, list[KnownNode]] = {}
    for known in nodes:
        for claim in claims(known.node):
            owners.setdefault(claim, []).append(known)
    for claim, several in owners.items():
        if len(several) > 1:
            names = " and ".join(sorted(known.node.name for known in several))
            shown = f" {claim}" if isinstance(claim, _Network) else ""
            _log.error("access nodes %s have the same %s%s: none of them is used for it", names, what, shown)
    return {claim: several[0] if len(several) == 1 else None for claim, several in owners.items()}


def _door(node: AccessNode, secret: Secret | None, language: Language) -> NodeDoor | None:
    if secret is None or node.node_type not in _BY_RADIUS:
        return None
    try:
        return NodeDoor(
            name=node.name,
            secret=secret.octets,
            require_message_authenticator=node.require_message_authenticator,
            limit_proxy_state=node.limit_proxy_state,
            character_set=node.character_set,
            ascii_prompts=node.ascii_prompts,
            code_only=node.login_mode is LoginMode.CODE_ONLY,
            eap_prompt=first_prompt(node.login_mode, language),
            forwards=node.node_type is NodeType.PROXY,
        )
    except Fault as fault:
        _log.error("access node %s cannot be used: %s", node.name, fault)
        return None


def _upstream(node: AccessNode, secret: Secret | None) -> Upstream | None:
    if node.node_type is not NodeType.PROXY or node.malformed:
        return None
    if node.proxy_target is None or secret is None or not secret.octets:
        _log.error("access node %s forwards nothing: set dirfactorProxyTarget and the shared secret", node.name)
        return None
    host, port = split_target(node.proxy_target)
    return Upstream(host, port, secret.octets, node.character_set, node.require_message_authenticator)
