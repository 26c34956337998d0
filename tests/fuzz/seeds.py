"""Valid packets of every kind that clients send; mutations of them are what a careless or hostile client sends."""

from collections.abc import Iterator

from auth.chap.ms_chap import challenge_hash, challenge_response, nt_password_hash
from auth.radius.attributes import Attribute, Pair
from auth.radius.eap.packet import EapCode, EapPacket, EapType, eap_message
from auth.radius.eap.state import first_state, next_state
from auth.radius.node import NodeDoor
from auth.radius.packet import Code, Packet, encode, encode_request, encode_response, hide
from schema.secret import Secret

SECRET = b"correct-horse-battery-staple"
_NODE = NodeDoor("strict", SECRET)
_AUTHENTICATOR = bytes(range(16))
_NAME: Pair = (Attribute.USER_NAME, b"nobody")
_MICROSOFT = bytes((0, 0, 1, 0x37))
_STATE: Pair = (Attribute.STATE, b"c3RhdGU-0123456789")
_PROXIES = tuple((Attribute.PROXY_STATE, octets) for octets in (b"zuerich", b"aachen", b"w" * 253))
_CALLER = (
    (Attribute.CALLING_STATION_ID, b"192.0.2.9"),
    (Attribute.NAS_PORT, bytes(4)),
    (Attribute.ACCT_SESSION_ID, b"s1"),
)


ASKED = Packet(Code.ACCESS_REQUEST, 7, _AUTHENTICATOR, (_NAME, *_PROXIES))
"""What was asked of another server, whose replies are mutated as well."""


def seeds() -> tuple[bytes, ...]:
    """One datagram of each kind, in an order that stays."""
    return (
        *(encode_request(packet, SECRET) for packet in _access_requests()),
        *map(encode, _unproven()),
        *_replies(),
        encode_request(_packet(Code.ACCOUNTING_REQUEST, _NAME, *_CALLER, *_PROXIES), SECRET),
        encode_request(_packet(Code.STATUS_SERVER), SECRET),
    )


def _replies() -> Iterator[bytes]:
    attributes = ((Attribute.REPLY_MESSAGE, b"Enter the code."), _STATE, (Attribute.CLASS, b"OU=staff;"))
    for code in (Code.ACCESS_ACCEPT, Code.ACCESS_REJECT, Code.ACCESS_CHALLENGE):
        yield encode_response(code, ASKED, attributes, SECRET)


def _access_requests() -> tuple[Packet, ...]:
    typed = (Attribute.USER_PASSWORD, hide(b"Teapot", SECRET, _AUTHENTICATOR))
    long = (Attribute.USER_PASSWORD, hide(b"\xc3\xa4" * 64, SECRET, _AUTHENTICATOR))
    peer, challenge = b"p" * 16, b"sixteen octets.."
    response = challenge_response(challenge_hash(peer, challenge, b"nobody"), nt_password_hash("481516"))
    ms_challenge = (Attribute.VENDOR_SPECIFIC, _MICROSOFT + bytes((11, 18)) + challenge)
    ms_response = (Attribute.VENDOR_SPECIFIC, _MICROSOFT + bytes((25, 52, 7, 0)) + peer + bytes(8) + response)
    ms_first = (Attribute.VENDOR_SPECIFIC, _MICROSOFT + bytes((1, 52, 7, 1)) + bytes(24) + response)
    chap = ((Attribute.CHAP_PASSWORD, b"\7" + b"c" * 16), (Attribute.CHAP_CHALLENGE, challenge))
    identity, gtc = _eap(EapType.IDENTITY, b"nobody"), _eap(EapType.GTC, b"Teapot" * 50)
    first = (Attribute.STATE, first_state(_NODE, b"nobody", 7, _AUTHENTICATOR))
    following = (Attribute.STATE, next_state(Secret("c3RhdGU"), 7))
    return (
        _packet(Code.ACCESS_REQUEST, _NAME, typed),
        _packet(Code.ACCESS_REQUEST, _NAME, long, *_CALLER, *_PROXIES),
        _packet(Code.ACCESS_REQUEST, _NAME, typed, _STATE),
        _packet(Code.ACCESS_REQUEST, _NAME, *chap),
        _packet(Code.ACCESS_REQUEST, _NAME, ms_challenge, ms_response),
        _packet(Code.ACCESS_REQUEST, _NAME, ms_challenge, ms_first, _STATE),
        _packet(Code.ACCESS_REQUEST, _NAME, *identity),
        _packet(Code.ACCESS_REQUEST, _NAME, *gtc, first),
        _packet(Code.ACCESS_REQUEST, _NAME, *gtc, following, *_PROXIES),
        _packet(Code.ACCESS_REQUEST, _NAME, *_eap(EapType.NAK, bytes((6, 4))), first),
        _packet(Code.ACCESS_REQUEST, _NAME, (Attribute.EAP_MESSAGE, b"")),
    )


def _unproven() -> tuple[Packet, ...]:
    typed = (Attribute.USER_PASSWORD, hide(b"Teapot", SECRET, _AUTHENTICATOR))
    return (
        _packet(Code.ACCESS_REQUEST, _NAME, typed, *_CALLER),
        *(_packet(code, _NAME) for code in Code if code is not Code.ACCESS_REQUEST),
    )


def _packet(code: Code, *attributes: Pair) -> Packet:
    return Packet(code, 7, _AUTHENTICATOR, attributes)


def _eap(kind: EapType, octets: bytes) -> tuple[Pair, ...]:
    return eap_message(EapPacket(EapCode.RESPONSE, 7, kind, octets))
