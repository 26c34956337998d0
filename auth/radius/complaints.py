"""What the RADIUS door tells the operator about packets that it cannot serve, and how often."""

from collections.abc import Hashable
from enum import Enum

INTERVAL = 60.0
"""Seconds for which a complaint that was made is not made again."""

MOST_REMEMBERED = 4096
"""Complaints that are remembered; beyond that new ones stay unsaid, so that forged addresses cannot fill the log."""


class Complaint(Enum):
    """Everything there is to complain about; the value is the log line, which says what to do.

    Its fields are the client's address, the access node's name and, for some, a detail. Nothing that the client sent
    gets into it.
    """

    UNKNOWN_CLIENT = (
        "{address} belongs to no access node, discarded: add it to an access node (dirfactorAddress) if it is one"
    )
    TOO_MANY = (
        "{address} sends more packets than one address may ({detail} a second), the rest is discarded: find out what "
        "it is; if it needs them, raise packets_per_second of [radius]"
    )
    NOT_ALLOWED = (
        "{address} is in none of the networks that RADIUS over UDP may come from, discarded: it belongs on a network "
        "of your own; use RadSec, or add it to networks of [radius]"
    )
    UNKNOWN_CERTIFICATE = (
        "{address} shows a certificate of no access node, closed: set dirfactorCertificateName of the access node to "
        "one of its names ({detail}), and dirfactorAddress to its address or to none"
    )
    NO_CERTIFICATE = (
        "{address}, RadSec: closed, the client shows no certificate: give it one of an authority in client_ca_file of "
        "[radsec], and its key"
    )
    BAD_CERTIFICATE = (
        "{address}, RadSec: closed, the client's certificate is not believed ({detail}): give the client one that is "
        "good now with its chain, or add its authority to client_ca_file of [radsec]"
    )
    OLD_TLS = (
        "{address}, RadSec: closed, the client does not speak TLS 1.3: update it, or let it speak through a proxy such "
        "as radsecproxy"
    )
    NOT_BELIEVED = (
        "{address}, RadSec: the client breaks the TLS handshake off ({detail}): let it trust the authority of "
        "certificate of [radsec], and reach this server by a name in it; the client's own log says more"
    )
    TOO_MANY_CONNECTIONS = (
        "{address}, RadSec: closed unread, {detail} connections are open already: find out which clients hold so many; "
        "one is enough for each"
    )
    MALFORMED = (
        "{address}, access node {node}: discarded, not a RADIUS packet ({detail}): update the client, or find out what "
        "else sends to this port from there"
    )
    NOT_SERVED = (
        "{address}, access node {node}: discarded, {detail} is not answered on this port: "
        "let the client send its Access-Requests here"
    )
    NO_PROOF = (
        "{address}, access node {node}: discarded, no Message-Authenticator (CVE-2024-3596): update the client or make "
        "it send one; only if it cannot, set dirfactorRequireMessageAuthenticator of the node to FALSE"
    )
    NO_PROOF_STATUS = (
        "{address}, access node {node}: discarded, Status-Server without Message-Authenticator (RFC 5997 section 3): "
        "update the client"
    )
    NO_PROOF_EAP = (
        "{address}, access node {node}: discarded, EAP without Message-Authenticator (RFC 3579 section 3.2): "
        "make the client send one, or set it to PAP"
    )
    MALFORMED_EAP = (
        "{address}, access node {node}: discarded, its EAP-Message attributes are no EAP packet, or do not stand "
        "together (RFC 3579 section 3.1): update the client, or set it to PAP"
    )
    NO_GTC = (
        "{address}, access node {node}: rejected, the client's user wants EAP methods {detail} instead of EAP-GTC (6): "
        "set the client to EAP-GTC or PAP, or put FreeRADIUS in front for PEAP"
    )
    EAP_OUT_OF_TURN = (
        "{address}, access node {node}: rejected, an EAP packet that answers no question of ours: set the client to "
        "EAP-GTC or PAP; a proxy must return State and User-Name as they are"
    )
    NO_PROOF_PROXY = (
        "{address}, access node {node}: discarded, Proxy-State but no Message-Authenticator (CVE-2024-3596): make the "
        "proxy send one; only if it cannot, set dirfactorLimitProxyState of the node to FALSE"
    )
    NO_VERSION = (
        "{address}, RadSec: closed, the client with certificate {detail} does not offer RADIUS/1.1 (ALPN radius/1.1): "
        "update it, or allow 1.0 as well in versions of [radsec]"
    )
    WRONG_PROOF = (
        "{address}, access node {node}: discarded, the Message-Authenticator is wrong: wrong shared secret for node "
        "{node}? Type it again on both sides"
    )
    WRONG_ACCOUNTING = (
        "{address}, access node {node}: discarded, an Accounting-Request that the shared secret does not prove: wrong "
        "shared secret for node {node}? Type it again on both sides"
    )
    NOT_PAP = (
        "{address}, access node {node}: rejected, the client asks with {detail}: set its authentication protocol to PAP"
    )
    INCOMPLETE = "{address}, access node {node}: rejected, {detail}: check what the client sends"
    UNREADABLE = (
        "{address}, access node {node}: rejected, name or password are not in its character set: secret mismatch? "
        "Type the shared secret again on both sides, or set dirfactorCharacterSet of the node"
    )
    UNREADABLE_PROVEN = (
        "{address}, access node {node}: rejected, name or password are not in its character set though the shared "
        "secret is right: set dirfactorCharacterSet of the node"
    )
    NO_ROOM = (
        "{address}, access node {node}: an accept had no room for the reply attributes {detail}, which were left out: "
        "return fewer or shorter ones, a packet has at most 4096 octets"
    )
    BUSY = (
        "{address}, access node {node}: discarded, {detail} requests are being answered already: "
        "find out what makes answers slow"
    )
    FULL = (
        "{address}, access node {node}: not answered, the request's Proxy-State leaves no room for an answer: "
        "put fewer proxies between the client and this server"
    )
    FAULT = "{address}: discarded, {detail}: report it, this should not happen"


DISCARDS = frozenset(
    {
        Complaint.UNKNOWN_CLIENT,
        Complaint.TOO_MANY,
        Complaint.NOT_ALLOWED,
        Complaint.UNKNOWN_CERTIFICATE,
        Complaint.NO_VERSION,
        Complaint.NO_CERTIFICATE,
        Complaint.BAD_CERTIFICATE,
        Complaint.OLD_TLS,
        Complaint.NOT_BELIEVED,
        Complaint.TOO_MANY_CONNECTIONS,
        Complaint.MALFORMED,
        Complaint.NOT_SERVED,
        Complaint.NO_PROOF,
        Complaint.NO_PROOF_STATUS,
        Complaint.NO_PROOF_EAP,
        Complaint.MALFORMED_EAP,
        Complaint.NO_PROOF_PROXY,
        Complaint.WRONG_PROOF,
        Complaint.WRONG_ACCOUNTING,
        Complaint.BUSY,
        Complaint.FULL,
        Complaint.FAULT,
    }
)
"""Complaints about packets that got no answer, and about connections that brought none."""


class OncePerInterval:
    """Lets the same thing be said once in an interval.

    Args:
        interval: seconds.
        most_remembered: things that were said within the interval; when there are as many, a new one is not said.
    """

    def __init__(self, *, interval: float = INTERVAL, most_remembered: int = MOST_REMEMBERED) -> None:
        self._interval = interval
        self._most = most_remembered
        self._said: dict[Hashable, float] = {}  # oldest first

    def admit(self, subject: Hashable, now: float) -> bool:
        """Whether to say it at `now`, in seconds that never run backwards."""
        while self._said:
            oldest = next(iter(self._said))
            if now < self._said[oldest] + self._interval:
                break
            del self._said[oldest]
        if subject in self._said or len(self._said) >= self._most:
            return False
        self._said[subject] = now
        return True
