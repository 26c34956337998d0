"""A software token as dirfactorSecret holds it: kind, digits and serial clear, the rest sealed. Pure."""

from functools import lru_cache

import msgspec

from auth.keys.ring import Ring
from auth.keys.sealing import sealed, unsealed
from auth.keys.text import NotOurs, Purpose, taken_apart
from auth.otp.token import Algorithm, SoftwareToken
from schema.entry import EntryId, User
from schema.words import TokenKind

_HEADER_PARTS = 3


class _Body(msgspec.Struct, frozen=True, array_like=True):
    seed: bytes
    algorithm: Algorithm
    period: int
    first: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Body).decode


class SealedToken(msgspec.Struct, frozen=True):
    """What is clear of a sealed token.

    Attributes:
        kind: totp or hotp.
        digits: of its codes.
        serial: what people call it.
        key_id: the key that it is sealed with.
        text: the whole value.
    """

    kind: TokenKind
    digits: int
    serial: str
    key_id: str
    text: str

    def __repr__(self) -> str:
        return f"SealedToken({self.kind}, {self.digits}, {self.serial}, {self.key_id})"


def sealed_token(ring: Ring, entry: EntryId, token: SoftwareToken, nonce: bytes) -> str:
    """A value of dirfactorSecret for the entry; see `auth.keys.sealing.sealed`. Raises NoEntryId."""
    body = _encode(_Body(token.seed, token.algorithm, token.period, token.first))
    return sealed(ring, Purpose.SEED, entry, (token.kind, str(token.digits), token.serial), body, nonce)


def unsealed_token(ring: Ring, entry: EntryId, text: str) -> SoftwareToken:
    """The token in a value of dirfactorSecret.

    Raises:
        NotOurs, KeyMissing, SealBroken, NoEntryId: see `auth.keys.sealing.unsealed`.
        UnfitToken: it was sealed all the same, and is none that can be used.
    """
    clear = read_sealed(text)
    try:
        body = _decode(unsealed(ring, Purpose.SEED, entry, text, _HEADER_PARTS).octets)
    except msgspec.MsgspecError as error:
        raise _not_ours() from error
    return SoftwareToken(clear.kind, clear.serial, body.seed, body.algorithm, clear.digits, body.period, body.first)


@lru_cache(maxsize=4096)  # of what is clear in the directory
def read_sealed(text: str) -> SealedToken:
    """What is clear of a value of dirfactorSecret. Raises NotOurs."""
    parts = taken_apart(Purpose.SEED, text, _HEADER_PARTS)
    kind, digits, serial = parts.header
    try:
        return SealedToken(TokenKind(kind), int(digits), serial, parts.key_id, text)
    except ValueError as error:
        raise _not_ours() from error


def sealed_tokens(user: User, kind: TokenKind) -> tuple[SealedToken, ...]:
    """The user's sealed tokens of a kind, by serial; values that are not ours are passed over."""
    return tuple(token for token in held_seeds(user) if token.kind is kind)


def held_seeds(user: User) -> tuple[SealedToken, ...]:
    """All of the user's sealed tokens, by serial; values that are not ours are passed over."""
    found = []
    for text in user.secrets:
        try:
            found.append(read_sealed(text))
        except NotOurs:
            continue
    return tuple(sorted(found, key=lambda token: token.serial))


def _not_ours() -> NotOurs:
    return NotOurs("a sealed token is not one that dirfactor wrote", remedy="enrol it anew: dirfactor token assign")
