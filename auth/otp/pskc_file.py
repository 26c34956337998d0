"""Software tokens from a PSKC file (RFC 6030): python-pskc reads and decrypts it, within what we let it. Pure."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element, ParseError

import pskc
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from pskc.exceptions import PSKCError
from pskc.key import Key

from auth.otp.importing import BadFile, ImportedToken, demand_different
from auth.otp.token import LAST_COUNTER, Algorithm, SoftwareToken, UnfitToken
from schema.errors import Fault
from schema.secret import Secret
from schema.words import TokenKind

_MOST_ITERATIONS = 10_000_000
_PROFILE = "urn:ietf:params:xml:ns:keyprov:pskc:"
_KINDS = {f"{_PROFILE}hotp": TokenKind.HOTP, f"{_PROFILE}totp": TokenKind.TOTP}


class WrongKey(Fault):
    """The file is encrypted, and the key or password that was given does not open it."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What opens an encrypted file.

    Attributes:
        key: the pre-shared key.
        password: the password, for a file with password-based encryption.
    """

    key: bytes | None = None
    password: Secret | None = None

    def __repr__(self) -> str:
        return "Opening(***)"


def tokens_of_pskc(octets: bytes, opening: Opening, now: datetime) -> tuple[ImportedToken, ...]:
    """The tokens of the file.

    Document types and entities are refused before anything is read. A seed in CBC encryption, which by itself does not
    notice being altered, must have a MAC (RFC 6030 section 6.1.1), and the MAC must be right.

    Args:
        octets: the file.
        opening: what it is encrypted with.
        now: a key that may not be used yet, or not any more, is refused (section 5).

    Raises:
        WrongKey: a key or password is wanted and was not given, or is not the right one, or a MAC is wrong.
        BadFile: anything else is wrong with it, each thing with the key's name.
    """
    root = _parsed(octets)
    try:
        container = pskc.PSKC(io.BytesIO(octets))
        _open(container, opening)
        keys = list(container.keys)
    except PSKCError as error:
        raise BadFile([("file", f"it is no PSKC file that can be read: {error}")]) from error
    except (ValueError, TypeError, ArithmeticError) as error:
        raise BadFile([("file", f"it is no PSKC file that can be read: {type(error).__name__}")]) from error
    if not keys:
        raise BadFile([("file", "there is no key in it")])
    return _tokens(keys, _unguarded(root), now)


def _parsed(octets: bytes) -> Element:
    try:
        root: Element = fromstring(octets, forbid_dtd=True)
    except (DefusedXmlException, ParseError, ValueError, LookupError) as error:
        raise BadFile([("file", f"it is no XML that may be read: {type(error).__name__}")]) from error
    return root


def _open(container: pskc.PSKC, opening: Opening) -> None:
    if opening.key is not None:
        container.encryption.key = opening.key
    elif opening.password is not None:
        iterations = container.encryption.derivation.pbkdf2_iterations or 0
        if iterations > _MOST_ITERATIONS:
            raise BadFile([("file", f"{iterations} iterations of the password are more than anybody waits for")])
        container.encryption.derive_key(opening.password.text)


def _tokens(keys: list[Key], unguarded: bool, now: datetime) -> tuple[ImportedToken, ...]:  # noqa: FBT001 - read from the file
    found: list[ImportedToken] = []
    problems: list[tuple[str, str]] = []
    for number, key in enumerate(keys, start=1):
        where = f"key {key.serial or key.id or number}"
        try:
            found.append(_token(key, where, now))
        except UnfitToken as unfit:
            problems.append((where, f"{unfit.problem}; {unfit.remedy}"))
    if unguarded:
        problems.append(
            ("file", "seeds are encrypted in CBC mode without a MAC, so nobody can tell that they are right")
        )
    if problems:
        raise BadFile(problems)
    demand_different(found)
    return tuple(found)


def _token(key: Key, where: str, now: datetime) -> ImportedToken:
    kind = _KINDS.get((key.algorithm or "").lower())
    if kind is None:
        raise UnfitToken("it is neither HOTP nor TOTP", remedy="leave it out: codes by challenge are not supported")
    if not key.policy.may_use(key.policy.KEY_USE_OTP, now):
        raise UnfitToken("the file does not let it be used for codes, or not now", remedy="ask who made the file")
    if (key.response_encoding or "DECIMAL").upper() != "DECIMAL":
        raise UnfitToken("its codes are not decimal", remedy="leave it out")
    seed, counter, interval = _secrets(key, where)
    if any((number or 0) > LAST_COUNTER for number in (counter, interval, key.response_length)):
        # one of thousands of digits cannot even be quoted
        raise UnfitToken("a number in it is larger than any", remedy="get the file anew from the vendor")
    token = SoftwareToken(
        kind=kind,
        serial=key.serial or key.id or "",
        seed=seed,
        algorithm=_algorithm(key.algorithm_suite),
        digits=key.response_length or 6,
        period=interval or 30,
        first=(counter or 0) if kind is TokenKind.HOTP else 0,
    )
    return ImportedToken(token, key.userid or "", where)


def _secrets(key: Key, where: str) -> tuple[bytes, int | None, int | None]:
    """What may be encrypted; reading it decrypts it and checks its MAC."""
    try:
        seed, counter, interval = key.secret, key.counter, key.time_interval
    except (PSKCError, ValueError) as error:
        raise WrongKey(
            f"{where} does not open: {error}",
            remedy="give the file's own key with --pskc-key-file or its password with --pskc-password-file; "
            "if it is the right one, the file was altered: get it anew",
        ) from error
    if not seed:
        raise UnfitToken("it has no seed", remedy="get a file with seeds from the vendor")
    return seed, counter, interval


def _algorithm(suite: str | None) -> Algorithm:
    """The hash, from the names that vendors use: HMAC-SHA256, sha-512."""
    plain = "".join(character for character in (suite or "").lower() if character.isalnum())
    return next((item for item in Algorithm if plain.endswith(item)), None) or _sha1(plain, suite)


def _sha1(plain: str, suite: str | None) -> Algorithm:
    if plain:
        raise UnfitToken(f"its algorithm suite {suite!r} is not known", remedy="have SHA-1, SHA-256 or SHA-512 codes")
    return Algorithm.SHA1


def _unguarded(root: Element) -> bool:
    """Whether a seed is encrypted in CBC mode and has no MAC."""
    return any(_in_cbc(secret) and not _has_mac(secret) for secret in _named(root, "Secret"))


def _in_cbc(secret: Element) -> bool:
    return any(method.get("Algorithm", "").endswith("-cbc") for method in _named(secret, "EncryptionMethod"))


def _has_mac(secret: Element) -> bool:
    return next(_named(secret, "ValueMAC"), None) is not None


def _named(element: Element, name: str) -> Iterator[Element]:
    """The elements below with this local name."""
    return (item for item in element.iter() if isinstance(item.tag, str) and item.tag.rpartition("}")[2] == name)
