"""Software tokens, their owner and a store, in a few words."""

from datetime import UTC, datetime, timedelta

import msgspec

from auth.embedded_state import EmbeddedStore
from auth.judges.base import Asked
from auth.judges.software import SoftwareJudge
from auth.keys.ring import Key, Ring
from auth.otp.sealed import sealed_token
from auth.otp.token import SoftwareToken
from auth.state import Challenge
from auth.tokens import Usable
from auth.turn import Turns
from dirsync.view import Person
from schema.entry import Policy, User
from schema.words import TokenKind

NOW = datetime(2026, 11, 26, 2, 0, 10, tzinfo=UTC)
RING = Ring((Key(b"k" * 32, NOW),))
ALICE = b"a" * 16
TOTP, HOTP = TokenKind.TOTP, TokenKind.HOTP
POLICY = Policy(name="staff", totp_window=1, hotp_look_ahead=3, resynchronise_window=50)


def token(kind, serial="T-1", seed=b"12345678901234567890", **values):
    return SoftwareToken(kind, serial, seed, **values)


class World:
    """Alice has these tokens; `ask` is one attempt."""

    def __init__(self, folder, *tokens, policy=POLICY, ring=lambda: RING, entry=ALICE):
        self.tokens = tokens
        self.policy = policy
        self.file = folder / "state.sqlite"
        self.store = EmbeddedStore(self.file, "boot", Turns())
        self.ring = ring
        texts = tuple(
            sealed_token(RING, entry, item, bytes([number]) * 12) for number, item in enumerate(tokens, start=1)
        )
        self.person = Person(ALICE, "cn=alice", User(secrets=texts), None, (), ())

    def asked(self, held=None, kind=None):
        challenge = Challenge(b"c" * 16, ALICE, "vpn", 1, "totp", None, NOW + timedelta(hours=9), 3, "x", held=held)
        return Asked(self.person, self.policy, Usable(kind or self.tokens[0].kind), challenge if held else None)

    async def ask(self, code, now=NOW, held=None, kind=None):
        """What is said of a code, when it is safe that it is used up."""
        checked = await SoftwareJudge(self.store, self.ring).check(self.asked(held, kind), code, now)
        await self.store.settled()
        return checked

    def step(self, now=NOW):
        return self.tokens[0].step(now)

    def code(self, position, number=0):
        return self.tokens[number].code(position)

    def with_policy(self, **settings):
        self.policy = Policy(name="staff", **{name: getattr(POLICY, name) for name in _SET} | settings)
        return self

    def holding(self, **values):
        self.person = msgspec.structs.replace(self.person, user=User(**values))
        return self

    def close(self):
        self.store.close()


_SET = ("totp_window", "hotp_look_ahead", "resynchronise_window")
