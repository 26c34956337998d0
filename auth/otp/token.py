"""A software token as a value, and the codes that it shows (RFC 4226, RFC 6238). Pure."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import pyotp

from schema.errors import Fault
from schema.secret import Secret
from schema.words import TokenKind

SOFTWARE_KINDS = (TokenKind.TOTP, TokenKind.HOTP)
FEWEST_DIGITS, MOST_DIGITS = 6, 8
FEWEST_OCTETS, MOST_OCTETS = 16, 128  # RFC 4226 section 4, R6: at least 128 bits
SHORTEST_PERIOD, LONGEST_PERIOD = 10, 300
LAST_COUNTER = 2**62
_SERIAL = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Algorithm(StrEnum):
    """The hash under the HMAC."""

    SHA1 = "sha1"
    SHA256 = "sha256"
    SHA512 = "sha512"


class UnfitToken(Fault):
    """A software token has a property that none can have."""


@dataclass(frozen=True, slots=True)
class SoftwareToken:
    """A token whose codes follow from a seed and a number: the time step, or a counter.

    Attributes:
        kind: totp or hotp.
        serial: what people call it: letters, digits, dots, dashes and underscores, at most 64.
        seed: 16 to 128 octets.
        algorithm: the hash.
        digits: of a code, 6 to 8.
        period: seconds of a time step, 10 to 300; of no meaning for hotp.
        first: the first counter value, or time step, whose code is good.

    Raises:
        UnfitToken: one of them is not what it must be.
    """

    kind: TokenKind
    serial: str
    seed: bytes = field(repr=False)
    algorithm: Algorithm = Algorithm.SHA1
    digits: int = 6
    period: int = 30
    first: int = 0

    def __post_init__(self) -> None:
        if self.kind not in SOFTWARE_KINDS:
            raise UnfitToken(f"{self.kind} is no software token", remedy="use totp or hotp")
        if not _SERIAL.fullmatch(self.serial):
            raise UnfitToken(
                f"{self.serial!r} cannot be a serial",
                remedy="use letters, digits, dots, dashes and underscores, at most 64",
            )
        if not FEWEST_OCTETS <= len(self.seed) <= MOST_OCTETS:
            raise UnfitToken(
                f"a seed of {len(self.seed)} octets cannot be used",
                remedy=f"use one of {FEWEST_OCTETS} to {MOST_OCTETS} octets; RFC 4226 wants at least 128 bits",
            )
        if not FEWEST_DIGITS <= self.digits <= MOST_DIGITS:
            raise UnfitToken(
                f"codes of {self.digits} digits cannot be used", remedy=f"use {FEWEST_DIGITS} to {MOST_DIGITS}"
            )
        if not SHORTEST_PERIOD <= self.period <= LONGEST_PERIOD:
            raise UnfitToken(
                f"a period of {self.period} seconds cannot be used",
                remedy=f"use {SHORTEST_PERIOD} to {LONGEST_PERIOD}",
            )
        if not 0 <= self.first <= LAST_COUNTER:
            raise UnfitToken(f"{self.first} is no counter", remedy="use a whole number from 0 on")

    @property
    def generator(self) -> pyotp.HOTP:
        """The same token to pyotp, which writes the address for an authenticator app."""
        return pyotp.HOTP(self.base32.text, digits=self.digits, digest=_HASHES[self.algorithm])

    def code(self, position: int) -> Secret:
        """The code at a time step or counter value (RFC 4226 section 5.3)."""
        (digits,) = self.codes((position,))
        return Secret(digits.decode())

    def codes(self, positions: Iterable[int]) -> list[bytes]:
        """The digits of the codes at these positions.

        By hand, because a logon looks at a dozen positions and a search at hundreds: pyotp takes ten times as long for
        each. A test has both agree.
        """
        seed, algorithm, digits, codes = self.seed, self.algorithm, self.digits, 10**self.digits
        found = []
        for position in positions:
            shown = hmac.digest(seed, position.to_bytes(8, "big"), algorithm)
            at = shown[-1] & 0xF
            number = int.from_bytes(shown[at : at + 4], "big") & 0x7FFFFFFF
            found.append(b"%0*d" % (digits, number % codes))
        return found

    def step(self, now: datetime) -> int:
        """The time step of an instant (RFC 6238 section 4.2)."""
        return int(now.timestamp() // self.period)

    @property
    def identity(self) -> str:
        """Under what its position is kept: the same for the same seed wherever and however it is sealed.

        So a token that is sealed anew goes on where it was, one with a new seed begins anew under an old serial, and
        of a seed that two people have each code is good once.
        """
        return hmac.digest(self.seed, b"dirfactor position " + self.kind.encode(), hashlib.sha256)[:12].hex()

    @property
    def base32(self) -> Secret:
        """The seed as apps want it: RFC 4648 section 6, without padding."""
        return Secret(base64.b32encode(self.seed).decode().rstrip("="))


def seed_from_text(text: str) -> bytes:
    """The octets of a seed that is written in hex or base32, with spaces or dashes or without.

    Hex is tried first: what could be both has only the characters 2 to 7 and A to F, and is hardly base32.

    Raises:
        UnfitToken: it is neither. The text is not repeated.
    """
    plain = "".join(text.split()).replace("-", "")
    try:
        return bytes.fromhex(plain)
    except ValueError:
        pass
    try:
        return base64.b32decode(plain.rstrip("=") + "=" * (-len(plain.rstrip("=")) % 8), casefold=True)
    except (binascii.Error, ValueError) as error:
        raise UnfitToken("a seed is neither hex nor base32", remedy="write it as 40 hex digits or 32 of A-Z2-7") from (
            error
        )


_HASHES = {Algorithm.SHA1: hashlib.sha1, Algorithm.SHA256: hashlib.sha256, Algorithm.SHA512: hashlib.sha512}
