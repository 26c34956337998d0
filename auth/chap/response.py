"""What a person typed as a client shows it: the text, or a response that can only be compared with candidates."""

import hashlib
import hmac
from dataclasses import dataclass, field

from auth.chap.ms_chap import (
    authenticator_response,
    challenge_hash,
    is_response,
    master_keys,
    nt_password_hash,
)
from schema.secret import Secret


@dataclass(frozen=True, slots=True)
class MsChap2Success:
    """What a server that knows the code tells back (RFC 2759 section 5, RFC 3079 section 3).

    Attributes:
        identifier: of the response.
        proof: `S=` and 40 digits, by which the client sees that the server knows the code.
        send_key: 16 octets: encrypts what the access node sends.
        receive_key: 16 octets: encrypts what it receives.
    """

    identifier: int
    proof: str
    send_key: bytes = field(repr=False)
    receive_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, repr=False)
class ChapResponse:
    """CHAP (RFC 1994 section 4.1, RFC 2865 section 5.3).

    Attributes:
        identifier: 0 to 255.
        challenge: what it answers.
        octets: 16 octets.
    """

    identifier: int
    challenge: bytes
    octets: bytes

    def proves(self, candidate: Secret) -> bool:
        """Whether it was computed from this."""
        right = hashlib.md5(bytes((self.identifier,)) + candidate.octets + self.challenge, usedforsecurity=False)
        return hmac.compare_digest(right.digest(), self.octets)

    def success(self, candidate: Secret) -> MsChap2Success | None:  # noqa: ARG002 - as the others have it
        """CHAP tells nothing back."""
        return None


@dataclass(frozen=True, slots=True, repr=False)
class MsChapResponse:
    """MS-CHAP (RFC 2433), by its Windows NT response alone.

    Attributes:
        identifier: 0 to 255.
        challenge: 8 octets.
        octets: 24 octets.
    """

    identifier: int
    challenge: bytes
    octets: bytes

    def proves(self, candidate: Secret) -> bool:
        """Whether it was computed from this."""
        return _fits(self.challenge, self.octets, candidate)

    def success(self, candidate: Secret) -> MsChap2Success | None:  # noqa: ARG002 - as the others have it
        """MS-CHAP tells nothing back, and its keys are too weak to be given."""
        return None


@dataclass(frozen=True, slots=True, repr=False)
class MsChap2Response:
    """MS-CHAPv2 (RFC 2759).

    Attributes:
        identifier: 0 to 255.
        challenge: 8 octets, see `auth.chap.ms_chap.challenge_hash`.
        octets: 24 octets.
    """

    identifier: int
    challenge: bytes
    octets: bytes

    def proves(self, candidate: Secret) -> bool:
        """Whether it was computed from this."""
        return _fits(self.challenge, self.octets, candidate)

    def success(self, candidate: Secret) -> MsChap2Success | None:
        """What to tell back when it was computed from this."""
        hashed = nt_password_hash(candidate.text)
        send, receive = master_keys(hashed, self.octets)
        proof = authenticator_response(hashed, self.octets, self.challenge)
        return MsChap2Success(self.identifier, proof, send, receive)


Response = ChapResponse | MsChapResponse | MsChap2Response
"""A response: equal ones are the same login asked again."""

Shown = Secret | Response
"""What a person typed, as a client shows it."""


def ms_chap2_response(
    identifier: int, peer_challenge: bytes, authenticator_challenge: bytes, user: bytes, octets: bytes
) -> MsChap2Response:
    """A response of MS-CHAPv2 from what a client sends; of the user's name what follows the domain counts."""
    bare = user.rpartition(b"\\")[2]
    return MsChap2Response(identifier, challenge_hash(peer_challenge, authenticator_challenge, bare), octets)


def _fits(challenge: bytes, octets: bytes, candidate: Secret) -> bool:
    return is_response(octets, challenge, nt_password_hash(candidate.text))
