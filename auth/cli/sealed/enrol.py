"""Enrolling a software token at a terminal: draw the seed, show it to the app, have the app show its first code."""

import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import segno
import typer

from auth.cli.access import read_password
from auth.cli.faults import UsageFault
from auth.cli.output import err
from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.codes import plain
from auth.keys import private_file
from auth.otp.enrolment import confirmed, otpauth
from auth.otp.token import Algorithm, SoftwareToken, UnfitToken, seed_from_text
from schema.entry import Policy
from schema.secret import Secret
from schema.words import TokenKind

_SEED_OCTETS = {Algorithm.SHA1: 20, Algorithm.SHA256: 32, Algorithm.SHA512: 64}  # RFC 6238 section 5.1: the hash's
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line says about the token.

    Attributes:
        serial: what it is called; drawn when empty.
        algorithm: the hash.
        digits: of its codes.
        period: seconds of a time step.
        issuer: what the app shows beside the account's name.
        seed_file: has the seed of a token that exists; drawn when None.
        png: where the QR code goes as a picture; None for nowhere.
        code: the first code that the token shows, without being asked for; empty to ask.
        confirm: whether a first code is wanted at all.
    """

    serial: str
    algorithm: Algorithm
    digits: int
    period: int
    issuer: str
    seed_file: Path | None
    png: Path | None
    code: str
    confirm: bool


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A token that the person has.

    Attributes:
        token: as it is to be sealed.
        address: the otpauth address, in which the seed stands.
    """

    token: SoftwareToken
    address: Secret


def enrol(kind: TokenKind, wish: Wish, account: str, policy: Policy) -> Enrolled:
    """Make the token and show it; returns when a first code has shown that the app has it, if that is wanted.

    Args:
        kind: totp or hotp.
        wish: what the command line says.
        account: the name that the app shows.
        policy: says how wide the windows are.

    Raises:
        UsageFault: there can be no such token, the picture's file is there already, or no code was right.
        Fault: a file cannot be read or written.
    """
    try:
        token = SoftwareToken(
            kind, wish.serial or _drawn_serial(), _seed(wish), wish.algorithm, wish.digits, wish.period
        )
    except UnfitToken as unfit:
        raise UsageFault(unfit.problem, remedy=unfit.remedy) from unfit
    address = otpauth(token, account, wish.issuer)
    if wish.png is not None and (wish.png.exists() or wish.png.is_symlink()):
        raise UsageFault(f"{wish.png} is there already", remedy="name a file that is not there, or delete it")
    _show(token, address, wish.png)
    try:
        return Enrolled(_confirmed(token, wish, policy) if wish.confirm else token, address)
    except BaseException:
        if wish.png is not None:
            wish.png.unlink(missing_ok=True)
        raise


def _seed(wish: Wish) -> bytes:
    if wish.seed_file is None:
        return SYSTEM_ENTROPY.octets(_SEED_OCTETS[wish.algorithm])
    return seed_from_text(read_password("", wish.seed_file).text)


def _drawn_serial() -> str:
    return f"DF{SYSTEM_ENTROPY.below(10**8):08d}"


def _show(token: SoftwareToken, address: Secret, png: Path | None) -> None:
    """On standard error, so that what a program reads stays free of it."""
    code = segno.make(address.text, error="m", micro=False)
    code.terminal(out=sys.stderr, compact=True)
    err.print(f"token {token.serial}; to type it instead: {' '.join(_fours(token.base32.text))}", markup=False)
    if png is not None:
        picture = io.BytesIO()
        code.save(picture, kind="png", scale=8)
        private_file.make(png, picture.getvalue())
        err.print(f"{png}: the QR code, for you alone; delete it when the app has it", markup=False)


def _confirmed(token: SoftwareToken, wish: Wish, policy: Policy) -> SoftwareToken:
    for typed in _typed(wish.code):
        found = confirmed(token, plain(typed), policy, SYSTEM_CLOCK.now())
        if found is not None:
            return found
        err.print("that is not the code that the token shows now", markup=False)
    raise UsageFault(
        "no code showed that the token works, and nothing was written",
        remedy="check the clock of this machine and of the phone, then enrol again; --no-confirm leaves the code out",
    )


def _typed(code: str) -> Iterator[Secret]:
    if code:
        yield Secret(code)
        return
    for _ in range(_TRIES):
        yield Secret(typer.prompt("Code that the token shows now", hide_input=True, err=True))


def _fours(text: str) -> Iterator[str]:
    return (text[start : start + 4] for start in range(0, len(text), 4))
