"""What holds of every client's exchange with the door, whatever client it is."""

from clients.relay import Relay
from rig.datagram import ACCESS_ACCEPT, ACCESS_REJECT, answers, begins_with_its_proof, exchange, with_identifier


def every_reply_begins_with_its_proof(relay: Relay) -> None:
    """The first attribute of every Access-* reply is Message-Authenticator (CVE-2024-3596)."""
    assert all(begins_with_its_proof(reply) for reply in relay.replies)


def repeats_are_answered_alike(relay: Relay, secret: bytes) -> None:
    """The same request was answered with the same octets, however often it came."""
    for request in set(relay.requests):
        assert len({reply for reply in relay.replies if answers(reply, request, secret)}) <= 1


def replay_is_refused(relay: Relay, door_port: int, secret: bytes) -> None:
    """The last request, which was accepted, opens nothing when it comes again with a new identifier."""
    request = relay.requests[-1]
    assert any(reply[0] == ACCESS_ACCEPT and answers(reply, request, secret) for reply in relay.replies)
    again = with_identifier(request, request[1] ^ 1, secret)
    reply = exchange(again, door_port, relay.source)
    assert reply is not None
    assert answers(reply, again, secret)
    assert reply[0] == ACCESS_REJECT
