"""What the RADIUS door needs to know of an access node."""

from dataclasses import dataclass, field

from schema.errors import Fault

RADSEC_SECRET = "radsec"  # noqa: S105 - the same for all
"""The shared secret over TLS, where it protects nothing: TLS does (RFC 6614 section 2.3)."""

_SAMPLE = "Az09 -_.@\\"


@dataclass(frozen=True, slots=True)
class NodeDoor:
    """An access node as its packets are read and answered.

    Attributes:
        name: of the access node; goes into the log, and to the service.
        secret: shared with it, at least one octet.
        require_message_authenticator: requests without one are discarded.
        limit_proxy_state: where one is not required, requests that have Proxy-State but no Message-Authenticator are
            discarded. Not for proxies, which need the former.
        character_set: how the client encodes names and passwords: a name Python knows, in which ASCII is ASCII.
        ascii_prompts: what people read is reduced to ASCII.
        code_only: it has checked the password itself, so that what it asks with is a code.
        eap_prompt: what an EAP dialogue asks first, when no more than the name is known and none may be told from
            another.
        forwards: some of its logins go on to another server, with what it sends.

    Raises:
        Fault: the secret is empty, or the character set is none.
    """

    name: str
    secret: bytes = field(repr=False)
    require_message_authenticator: bool = True
    limit_proxy_state: bool = True
    character_set: str = "utf-8"
    ascii_prompts: bool = False
    code_only: bool = False
    eap_prompt: str = "Enter your password."
    forwards: bool = False

    def __post_init__(self) -> None:
        if not self.secret:
            raise Fault(
                f"access node {self.name} has an empty shared secret",
                remedy="set dirfactorSharedSecret or dirfactorSharedSecretName, at least 16 random characters",
            )
        if not _is_superset_of_ascii(self.character_set):
            raise Fault(
                f"access node {self.name} has no usable character set: {self.character_set!r}",
                remedy="set dirfactorCharacterSet to utf-8, iso-8859-1 or windows-1252",
            )


@dataclass(frozen=True, slots=True)
class Upstream:
    """The other server of a proxy node.

    Attributes:
        host: its address.
        port: its UDP port.
        secret: shared with it: that of the node.
        character_set: how names and passwords are encoded there: as by the node.
        require_message_authenticator: a response without one is none.
    """

    host: str
    port: int
    secret: bytes = field(repr=False)
    character_set: str = "utf-8"
    require_message_authenticator: bool = True


def _is_superset_of_ascii(character_set: str) -> bool:
    try:
        return _SAMPLE.encode(character_set) == _SAMPLE.encode("ascii")
    except (LookupError, UnicodeError):
        return False
