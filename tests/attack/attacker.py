"""Somebody who guesses, and the person whose codes they are."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from attack.people import PIN, number_of, token_of
from attack.site import Site
from auth.chap.response import ChapResponse
from auth.reason import Reason
from auth.request import Accepted, AnswerRequest, Challenged, Door, LoginRequest, Outcome
from scenarios.company import password_of
from schema.secret import Secret
from schema.words import TokenKind


@dataclass
class Attacker:
    """Knows a name, and perhaps the password, and guesses codes.

    Attributes:
        site: what is attacked.
        kind: of the token.
        number: which of the people.
        nodes: through which nodes.
        knows_password: whether the right password is typed.
        draw: draws a guess; None for six random digits.
        digits: of a guess.
        accepted: how often the attacker got in.
        locked: whether the person was found locked.
        waited: how often by a guess that was told to be right before its time.
        node: of the login that goes on.
    """

    site: Site
    kind: str
    number: int
    nodes: tuple[str, ...]
    knows_password: bool = True
    draw: Callable[["Attacker"], str] | None = None
    digits: int = 6
    accepted: int = 0
    locked: bool = False
    waited: int = 0
    node: str = ""

    @property
    def uid(self) -> str:
        return f"user{self.number}"

    @property
    def password(self) -> str:
        return password_of(self.uid) if self.knows_password else "not the password"

    def guess(self) -> str:
        return self.draw(self) if self.draw else f"{self.site.random.randrange(10**self.digits):0{self.digits}d}"

    async def begin(
        self, password: str | None, code: str | None = None, node: str | None = None, caller: str | None = None
    ) -> Outcome:
        """A first step through one of the nodes."""
        self.node = node or self.site.random.choice(self.nodes)
        origin = self.site.origin(self.node, Door.HTTP if code else None, caller)
        typed = [None if text is None else Secret(text) for text in (password, code)]
        return self._heard(await self.site.app.service.begin(LoginRequest(origin, self.uid, typed[0], typed[1])))

    async def answer(self, asked: Challenged, typed: str, node: str | None = None) -> Outcome:
        """The answer to a challenge of the node."""
        request = AnswerRequest(self.site.origin(node or self.node), asked.state, Secret(typed))
        return self._heard(await self.site.app.service.answer(request))

    async def respond(self, code: str) -> Outcome:
        """A first step with a CHAP response to one's own challenge."""
        self.node = self.site.random.choice(self.nodes)
        challenge = self.site.random.randbytes(16)
        right = ChapResponse(1, challenge, _chap(1, code, challenge))
        origin = self.site.origin(self.node, Door.RADIUS)
        return self._heard(await self.site.app.service.begin(LoginRequest(origin, self.uid, right)))

    async def person_logs_on(self) -> Outcome:
        """The person comes in between with the right code."""
        meter, before = self.site.meter, self.accepted
        meter.watching = False
        asked = await self.begin(password_of(self.uid), node="vpn")
        if isinstance(asked, Challenged) and self.kind.startswith("pin") and asked.method == "pin":
            asked = await self.answer(asked, PIN[: int(self.kind[3:])])
        outcome = await self.answer(asked, self._right()) if isinstance(asked, Challenged) else asked
        meter.watching, self.accepted = True, before
        return outcome

    def _right(self) -> str:
        if self.kind == "sms" or self.kind.startswith("pin"):
            return self.site.codes_to(number_of(self.number))[-1]
        if self.kind == "email":
            return self.site.codes_to(f"{self.uid}@demo.example")[-1]
        token = token_of(self.uid, TokenKind(self.kind))
        if self.kind == "totp":
            return token.code(token.step(self.site.hand.now)).text
        self.site.counters[self.uid] = where = self.site.counters.get(self.uid, -1) + 1
        return token.code(where).text

    def _heard(self, outcome: Outcome) -> Outcome:
        self.accepted += isinstance(outcome, Accepted)
        self.locked = self.locked or outcome.reason is Reason.VIOLATIONS_LOCKED
        return outcome


def _chap(identifier: int, code: str, challenge: bytes) -> bytes:
    return hashlib.md5(bytes((identifier,)) + code.encode() + challenge, usedforsecurity=False).digest()
