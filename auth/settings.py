"""config.ini as values: one frozen structure per section, defaults included."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from auth.audit.files import AuditFiles
from auth.audit.settings import AuditSettings
from auth.channels.mail.settings import MailSettings
from auth.channels.sms.sections import SmsSettings
from auth.prompts.language import Language
from auth.receipts.settings import ReceiptSettings
from auth.shared.settings import SharedSettings
from auth.spend.settings import SpendSettings
from auth.vip.settings import CertificateFile, DialectName, Proxy, VipSettings
from dirsync.mapping import policy_id
from dirsync.settings import DirectorySettings, SyncSettings
from dirsync.view import PolicyLink
from schema.entry import AccessNode, EntryId, Policy
from schema.secret import Secret

MOST_WORKERS = 64
"""Processes that may answer."""


class ServiceSettings(msgspec.Struct, frozen=True):
    """The [service] section.

    Attributes:
        state_directory: where the replica, the state of open logins and the server's own key are kept.
        audit_file: what the audit's files are called after: lines go to one file a day, for audit.jsonl to
            audit-20261126.jsonl beside it; `audit.jsonl` in the state directory when absent.
        region: country (ISO 3166, such as AT) of phone numbers that the directory has without a country code.
        language: en or de: of refusals, and of prompts for whoever's preferredLanguage is none of ours.
        refusal_seconds: no refusal is given sooner than this after the request, so that its time tells nothing.
        delivery_seconds: how long all gateways together may take to accept a message.
        journal_days: for how many days `explain --event` can say what an outcome was decided from; 0 keeps nothing.
        workers: how many processes answer; a processor's core each is what they can use.
        log_level: debug, info, warning or error.
    """

    state_directory: Path = Path("/var/lib/dirfactor")
    audit_file: Path | None = None
    region: str | None = None
    language: Language = Language.ENGLISH
    refusal_seconds: float = 1.0
    delivery_seconds: float = 4.0
    journal_days: int = 30
    workers: int = 1
    log_level: str = "info"

    @property
    def replica_file(self) -> Path:
        """The replica of the directory."""
        return self.state_directory / "replica.sqlite"

    @property
    def state_file(self) -> Path:
        """The state of logins under way."""
        return self.state_directory / "state.sqlite"

    @property
    def own_copy_file(self) -> Path:
        """What this node keeps of a state that it shares with others."""
        return self.state_directory / "shared.sqlite"

    @property
    def journal_file(self) -> Path:
        """What outcomes were decided from."""
        return self.state_directory / "journal.sqlite"

    @property
    def habits_file(self) -> Path:
        """What access nodes have sent."""
        return self.state_directory / "radius-clients.json"

    @property
    def key_file(self) -> Path:
        """The server's own key, drawn at the first start."""
        return self.state_directory / "server.key"

    @property
    def ring_file(self) -> Path:
        """The keys of what is sealed or digested in the directory; made when a command first needs it."""
        return self.state_directory / "keys.ring"

    @property
    def audit(self) -> AuditFiles:
        """Where audit lines go."""
        return AuditFiles(self.audit_file or self.state_directory / "audit.jsonl", self.state_directory / "audit.key")


PRIVATE_NETWORKS = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
)
"""Where packets that only a shared secret protects may come from (RFC 1918, 3927, 6598, 4193)."""


class RadiusSettings(msgspec.Struct, frozen=True):
    """The [radius] section.

    Attributes:
        enabled: whether the RADIUS door is open.
        host: address to listen at.
        port: UDP port; 0 lets the system choose.
        packets_per_second: how many packets one address may send for ever, and twice as many at once; 0 for no limit.
        networks: from where RADIUS over UDP may come; by default everywhere but the public internet.
        accounting_port: UDP port on which accounting is acknowledged, and not kept; absent, nobody answers it.
    """

    enabled: bool = True
    host: str = "0.0.0.0"  # noqa: S104 - NASes are elsewhere; unknown ones are never answered
    port: int = 1812
    packets_per_second: int = 1000
    networks: tuple[str, ...] = PRIVATE_NETWORKS
    accounting_port: int | None = None


VERSIONS = frozenset({"1.0", "1.1"})
"""Of RADIUS over TLS."""


class RadsecSettings(msgspec.Struct, frozen=True):
    """The [radsec] section; without it RADIUS does not come over TLS.

    Attributes:
        certificate: PEM file of the server's certificate and chain.
        client_ca_file: PEM file of the authorities of the access nodes' certificates.
        private_key: PEM file of the server's private key; in the certificate's file when absent.
        host: address to listen at.
        port: TCP port; 0 lets the system choose.
        versions: of RADIUS that are spoken: 1.0, 1.1 (RFC 9765), or both.
    """

    certificate: Path
    client_ca_file: Path
    private_key: Path | None = None
    host: str = "0.0.0.0"  # noqa: S104 - clients are elsewhere, and show a certificate
    port: int = 2083
    versions: tuple[str, ...] = ("1.0",)


class HttpSettings(msgspec.Struct, frozen=True):
    """The [http] section.

    Attributes:
        enabled: whether the HTTP door is open.
        host: address to listen at; other than loopback only with a certificate.
        port: TCP port; 0 lets the system choose.
        certificate: PEM file of the server's certificate and chain; without one it is plain HTTP.
        private_key: PEM file of its private key.
        client_ca_file: PEM file of the authorities of clients that may show a certificate instead of an API key.
    """

    enabled: bool = True
    host: str = "127.0.0.1"
    port: int = 8480
    certificate: Path | None = None
    private_key: Path | None = None
    client_ca_file: Path | None = None


class AdminSettings(msgspec.Struct, frozen=True):
    """An [admin:NAME] section: somebody, or a program, that may ask the administrative routes of the HTTP door.

    Attributes:
        api_key_hash: SHA-256 of the key, 64 hexadecimal digits; the key itself stands nowhere.
        roles: monitor, helpdesk or operator; several of them may do what any of them may.
    """

    api_key_hash: str
    roles: tuple[str, ...]


class VipSection(msgspec.Struct, frozen=True):
    """The [vip] section; without it VIP credentials cannot be used.

    Attributes:
        certificate: PKCS#12 or PEM file from VIP Manager.
        password: reference to its password, such as file:vip.password; not for a private key that is not encrypted.
        next_certificate: the certificate that takes over.
        next_password: reference to its password; that of the first one when absent.
        hand_over_days: how many days before the first one ends the next one takes over, once VIP accepts it.
        dialect: authentication or user-services.
        url: where the VIP service is; the dialect's own address when absent.
        fallback_urls: where else, when nothing could be sent there.
        proxy: what outbound HTTPS goes through, such as http://proxy.example.org:3128.
        proxy_username: for the proxy.
        proxy_password: reference to the password for the proxy.
        ca_file: PEM file of the authorities to trust for the service; the system's when absent.
        deadline_seconds: how long one code may take: all questions about it, at all URLs.
    """

    certificate: Path
    password: Secret | None = None
    next_certificate: Path | None = None
    next_password: Secret | None = None
    hand_over_days: float = 14.0
    dialect: DialectName = DialectName.AUTHENTICATION
    url: str | None = None
    fallback_urls: tuple[str, ...] = ()
    proxy: str | None = None
    proxy_username: str = ""
    proxy_password: Secret | None = None
    ca_file: Path | None = None
    deadline_seconds: float = 4.0

    @property
    def client(self) -> VipSettings:
        """What the client is told."""
        first = CertificateFile(self.certificate, self.password or Secret(""))
        password = self.next_password or first.password
        return VipSettings(
            certificate=first,
            dialect=self.dialect,
            next_certificate=CertificateFile(self.next_certificate, password) if self.next_certificate else None,
            hand_over_days=self.hand_over_days,
            url=self.url or "",
            fallback_urls=self.fallback_urls,
            proxy=Proxy(self.proxy, self.proxy_username, self.proxy_password) if self.proxy else None,
            ca_file=self.ca_file,
            deadline=self.deadline_seconds,
        )


@dataclass(frozen=True, slots=True)
class ConfiguredNode:
    """A [node:NAME] section.

    Attributes:
        node: its settings, read like those of an access node in the directory.
        secret: its RADIUS shared secret.
        policy: name of a [policy:NAME] section or DN of a policy; None for none.
        members: DNs of the users and groups that may use it; None lets everyone.
    """

    node: AccessNode
    secret: Secret | None = None
    policy: str | None = None
    members: tuple[str, ...] | None = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """All of config.ini.

    Named sections are under their names; of the directories, [directory] is the one whose name is empty.
    """

    file: Path
    service: ServiceSettings
    directories: Mapping[str, DirectorySettings]
    sync: SyncSettings
    radius: RadiusSettings
    http: HttpSettings
    audit: AuditSettings
    state: SharedSettings | None = None
    radsec: RadsecSettings | None = None
    vip: VipSection | None = None
    spend: SpendSettings = field(default_factory=SpendSettings)
    sms: Mapping[str, SmsSettings] = field(default_factory=dict)
    receipts: Mapping[str, ReceiptSettings] = field(default_factory=dict)
    email: Mapping[str, MailSettings] = field(default_factory=dict)
    policies: Mapping[str, Policy] = field(default_factory=dict)
    nodes: Mapping[str, ConfiguredNode] = field(default_factory=dict)
    administrators: Mapping[str, AdminSettings] = field(default_factory=dict)
    secrets: Mapping[str, Secret] = field(default_factory=dict)

    @property
    def named_policies(self) -> Mapping[EntryId, PolicyLink]:
        """The [policy:NAME] sections, by the ids under which a directory without our schema names them."""
        named = {policy_id(name): (f"[policy:{name}]", policy) for name, policy in self.policies.items()}
        return {key: PolicyLink(key, text, policy) for key, (text, policy) in named.items()}

    @property
    def node_policies(self) -> frozenset[str]:
        """DNs of the policies in the directory that [node:NAME] sections name."""
        return frozenset(node.policy for node in self.nodes.values() if node.policy) - self.policies.keys()
