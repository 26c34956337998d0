"""First steps that are repeats of each other and come to different nodes: one of them has a code sent.

A client that gets no answer in time asks the second server of its list. Each node checks what was typed and decides for
itself; only the message, and the challenge that it is for, are shared. `auth.coalesce` does more for one node.
"""

import asyncio
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from auth.clock import Clock, Entropy
from auth.state import Challenge, Store
from auth.tokens import Usable
from schema.entry import EntryId
from schema.secret import Secret

_SENDING = b""
_BESIDES: Final = 6.0
"""Seconds that whoever sends may need besides, to count it and to open the challenge."""
_LOOK_SECONDS: Final = 0.1
_NONCE_OCTETS: Final = 12


@dataclass(frozen=True, slots=True)
class Repeat:
    """What a first step has in common with those that repeat it.

    Attributes:
        digest: keyed digest of all that they bring; see `auth.coalesce.Coalescer.same`.
        seconds: for how long one challenge is for all of them; 0 for not at all.
    """

    digest: bytes
    seconds: int


@dataclass(frozen=True, slots=True)
class Repeats:
    """Knows who has a code sent.

    Args:
        store: what the nodes have in common.
        key: the server's key, which all nodes have.
        clock: where time comes from.
        entropy: where randomness comes from.
        sending_seconds: how long whoever carries a code may take at most.
    """

    store: Store
    key: bytes = field(repr=False)
    clock: Clock
    entropy: Entropy
    sending_seconds: float

    def place(self, repeat: Repeat, user: EntryId, token: Usable) -> str:
        """Under what is remembered who sends: it is the same only for the same message to the same address."""
        parts = (b"repeat", repeat.digest, user, token.kind.encode(), token.address.encode())
        framed = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return f"repeat {hmac.digest(self.key, framed, hashlib.sha256).hex()}"

    async def sent_elsewhere(self, place: str, node: str) -> tuple[Secret, Challenge] | None:
        """The open challenge that another node has had a code sent for, by its state; None when it is ours to send.

        While another one is sending it is waited for.

        Args:
            place: see `place`.
            node: the access node.

        Raises:
            StateUnavailable: it cannot be known.
            TimeoutError: somebody is sending all the time, and nobody should send besides.
        """
        async with asyncio.timeout(self.sending_seconds):
            while True:
                now = self.clock.now()
                found = await self.store.first(place, _SENDING, now, now + self._under_way)
                if found is None:
                    return None
                if found == _SENDING:
                    await self.store.settled()  # nothing that this login has taken waits for as long as it does
                    await asyncio.sleep(_LOOK_SECONDS)
                    continue
                state = self._opened(place, found)
                waiting = await self.store.waiting(state, node) if state is not None else None
                if state is not None and waiting is not None and waiting.expires_at > now:
                    return state, waiting
                # answered or over: this is another login, and of those who see that at once one sends
                if await self.store.replace(place, found, _SENDING, now + self._under_way):
                    return None

    async def sent(self, place: str, state: Secret, seconds: int) -> None:
        """A code was sent for this challenge. Raises StateUnavailable."""
        nonce = self.entropy.octets(_NONCE_OCTETS)
        sealed = nonce + self._cipher().encrypt(nonce, state.octets, place.encode())
        await self.store.supersede(place, sealed, self.clock.now() + timedelta(seconds=seconds))

    async def gave_up(self, place: str) -> None:
        """No code was sent; whoever waits may try. Raises StateUnavailable."""
        await self.store.supersede(place, _SENDING, self.clock.now())

    @property
    def _under_way(self) -> timedelta:
        """For how long whoever sends is taken to be still at it: nobody else sends while it may be."""
        return timedelta(seconds=self.sending_seconds + _BESIDES)

    def _opened(self, place: str, sealed: bytes) -> Secret | None:
        try:
            opened = self._cipher().decrypt(sealed[:_NONCE_OCTETS], sealed[_NONCE_OCTETS:], place.encode())
        except (InvalidTag, ValueError):
            return None
        return Secret(opened.decode())

    def _cipher(self) -> AESGCM:
        return AESGCM(hmac.digest(self.key, b"state of a challenge for repeats", hashlib.sha256))
