"""One look at one software token: is this a code of it, and may it be accepted now."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from auth.chap.response import Shown
from auth.facts import CodeVerdict
from auth.judges.base import Asked, Checked
from auth.otp.token import SoftwareToken
from auth.otp.window import Position, drift_after, matches, wider_window, window
from auth.state import Store, Wanted
from schema.secret import Secret
from schema.words import TokenKind


class _Held(msgspec.Struct, frozen=True, array_like=True):
    """The first of two codes that find a token again: it says where the token was, and no code."""

    identity: str
    position: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Held).decode
_decode_told = msgspec.msgpack.Decoder(tuple[int, ...]).decode


class Look:
    """The token as it stands, and a code that was typed; each method answers, or None when it is not for it to say.

    Args:
        store: where the token is is remembered there.
        token: the token.
        identity: of it.
        position: where it is.
        told: positions of which somebody was told that their code is right, and too far away.
        asked: whose; the policy says how wide the windows are.
        code: what was typed, plain, or as the client shows it.
        now: the present instant.
    """

    def __init__(
        self,
        store: Store,
        token: SoftwareToken,
        identity: str,
        position: Position,
        told: tuple[int, ...],
        asked: Asked,
        code: Shown,
        now: datetime,
    ) -> None:
        self._store = store
        self._token = token
        self._identity = identity
        self._policy = asked.policy
        self._challenge = asked.challenge
        self._code = code
        self._now = now
        self._position = position
        self._window = window(token, self._position, self._policy, now)
        self._told = told
        self._found = matches(token, code, self._window)

    async def in_window(self) -> Checked | None:
        """Right, when it is a code that counts now and was not accepted yet.

        The same digits may come at several positions: all of them are used up. Who guessed a code of the wider window
        was told so, and would only have to wait until its time has come: such a code is good for nothing any more.
        """
        if not self._found or not set(self._found).isdisjoint(self._told) or not await self._consume(self._found[-1]):
            return None
        if self._token.kind is TokenKind.TOTP:
            await self._keep(drift_after(self._token, self._position, self._found[-1], self._policy, self._now))
        return self._right(self._found[-1], f"token {self._token.serial}")

    async def second_of_two(self) -> Checked | None:
        """Right, when it is the code after the one that was typed before."""
        held = self._held()
        if held is None or held.identity != self._identity:
            return None
        where = held.position + 1
        if not matches(self._token, self._code, (where,)) or not await self._consume(where):
            return None
        if self._token.kind is TokenKind.TOTP:
            await self._keep(where - self._token.step(self._now))
        return self._right(where, f"token {self._token.serial}, found again by two codes in a row")

    async def first_of_two(self) -> Checked | None:
        """One more code is wanted, when this one is of the wider window and was not accepted yet."""
        around = wider_window(self._token, self._position, self._policy, self._now)
        mark = self._position.mark
        far = [where for where in around if where not in self._window and (mark is None or where > mark)]
        for where in matches(self._token, self._code, far):
            detail = f"token {self._token.serial} is {self._distance(where)}"
            await self._tell(where, around)
            held = _encode(_Held(self._identity, where))
            return Checked(CodeVerdict.RESYNCHRONISE, detail, violation=False, held=held)
        return None

    async def used_already(self) -> Checked | None:
        """Wrong, and why, when it is a code that was right once.

        Where all of the window is behind the mark, the fault is the clock's and not the person's.
        """
        if not self._found:
            return None
        if not set(self._found).isdisjoint(self._told):
            return Checked(CodeVerdict.WRONG, f"token {self._token.serial}: the code was shown before its time")
        recalled = await self._store.recall(Wanted(marks=(_mark_key(self._identity),)), self._now)
        mark = recalled.marks[0]
        if mark is not None and self._window[-1] < mark:
            detail = f"token {self._token.serial}: this machine's clock is behind the code that was accepted last"
            return Checked(CodeVerdict.WRONG, detail, violation=False)
        return Checked(CodeVerdict.WRONG, f"token {self._token.serial}: the code was accepted already, or a later one")

    def _right(self, where: int, detail: str) -> Checked:
        proven = None if isinstance(self._code, Secret) else self._token.code(where)
        return Checked(CodeVerdict.RIGHT, detail, proven=proven)

    async def _consume(self, where: int) -> bool:
        return await self._store.consume(_mark_key(self._identity), where)

    async def _keep(self, drift: int) -> None:
        if drift != self._position.drift:
            await self._store.keep(_drift_key(self._identity), str(drift).encode())

    async def _tell(self, where: int, around: range) -> None:
        told = {position for position in self._told if position >= around[0]} | {where}
        await self._store.keep(_told_key(self._identity), _encode(tuple(sorted(told))))

    def _distance(self, where: int) -> str:
        if self._token.kind is TokenKind.TOTP:
            steps = where - self._token.step(self._now)
            return f"{abs(steps)} time steps {'ahead' if steps > 0 else 'behind'}"
        return f"{where - self._window[0]} codes ahead"

    def _held(self) -> _Held | None:
        octets = self._challenge.held if self._challenge else None
        try:
            return _decode(octets) if octets else None
        except msgspec.MsgspecError:
            return None


async def looks_at(
    store: Store, tokens: Sequence[SoftwareToken], asked: Asked, code: Shown, now: datetime
) -> list[Look]:
    """A look at each token where it is now. Raises StateUnavailable when that cannot be known."""
    identities = [token.identity for token in tokens]
    kept = (*map(_drift_key, identities), *map(_told_key, identities))
    recalled = await store.recall(Wanted(marks=tuple(map(_mark_key, identities)), kept=kept), now)
    drifts, told = recalled.kept[: len(tokens)], recalled.kept[len(tokens) :]
    return [
        Look(store, token, identity, Position(mark, int(drift) if drift else 0), _positions(far), asked, code, now)
        for token, identity, mark, drift, far in zip(tokens, identities, recalled.marks, drifts, told, strict=True)
    ]


def _mark_key(identity: str) -> str:
    return f"otp {identity}"


def _drift_key(identity: str) -> str:
    return f"drift {identity}"


def _told_key(identity: str) -> str:
    return f"told {identity}"


def _positions(octets: bytes | None) -> tuple[int, ...]:
    return _decode_told(octets) if octets else ()
