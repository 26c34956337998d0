"""Who has all but the factor that is demanded, and tries nevertheless: a cell that lets one in is a hole."""

from dataclasses import dataclass

from auth.otp.token import SoftwareToken
from faults.kinds import PIN, SECOND_STEP
from scenarios.company import Entry, password_of, person, phone, policy_dn, texted, with_vip
from scenarios.office import Office, another
from scenarios.sealed import SealedPeople
from schema.words import TokenKind

AT_REST = {
    ("password", "wrong"): "password-wrong",
    ("password", "missing"): "password-empty",
    ("text", "wrong"): "code-wrong-retry",
    ("text", "missing"): "code-empty",
    ("mail", "wrong"): "code-wrong-retry",
    ("mail", "missing"): "code-empty",
    ("VIP", "wrong"): "code-wrong-retry",
    ("VIP", "missing"): "code-empty",
    ("authenticator", "wrong"): "code-wrong-retry",
    ("authenticator", "missing"): "code-wanted",
    ("PIN and code", "wrong"): "code-wrong-retry",
    ("PIN and code", "missing"): "code-wrong-retry",
}
"""What is shown in the place of each kind's factor, and the reason with which it ends when nothing is the matter."""
_TOKEN = SoftwareToken(TokenKind.HOTP, "T-INTRUDER", b"a-seed-that-an-intruder-has-not")
_NEVER_REACHED = 5000
"""A counter so far ahead that its code is no right one."""
TURNS = 8
"""After how many rows the same person comes again: VIP locks a credential at the tenth wrong code in a row."""


@dataclass(frozen=True)
class Intruder:
    """One of them.

    Attributes:
        kind: of the logon.
        shown: in the place of the factor: something wrong, or nothing.
        turn: in which of `TURNS` it comes.
    """

    kind: str
    shown: str
    turn: int

    @property
    def uid(self) -> str:
        """Of the person in whose name it is."""
        return f"{self.shown}-{self.kind.lower().replace(' ', '-')}-{self.turn}"

    @property
    def credential(self) -> str:
        """Of VIP."""
        return f"VIP{self.shown.upper()}{self.turn}"

    @property
    def _number(self) -> int:
        return 1000 + 2 * self.turn + (self.shown == "wrong")

    def entry(self, sealed: SealedPeople) -> Entry:
        """That person."""
        match self.kind:
            case "password":
                return person(self.uid, dirfactorPolicy=policy_dn("alone"))
            case "text":
                return texted(self.uid, self._number, dirfactorPolicy=policy_dn("often"))
            case "mail":
                return person(self.uid, "email", dirfactorPolicy=policy_dn("often"))
            case "VIP":
                return with_vip(self.uid, self.credential, dirfactorPolicy=policy_dn("often"))
            case "authenticator":
                return sealed.with_token(self.uid, _TOKEN, dirfactorPolicy=policy_dn("codes"))
            case _:
                return sealed.with_token(self.uid, _TOKEN, pin=PIN, dirfactorPolicy=policy_dn("pins"))

    async def tries(self, office: Office) -> list[str]:
        """How each step ended, and with which reasons as the audit has them."""
        mark, lines = office.site.mark(), len(office.audit(name=self.uid))
        asked = await office.log_on("radius", self.uid, password=self._first())
        ends = [asked.outcome]
        if asked.outcome == "challenged" and self.kind in SECOND_STEP:
            code = "" if self.shown == "missing" else another(await self._right_code(office, mark))
            ends.append((await office.answer("radius", self.uid, asked.state, code)).outcome)
        return ends + [line["reason"] for line in office.audit(name=self.uid)[lines:]]

    def _first(self) -> str:
        """What is typed in the first step."""
        wrong = _TOKEN.code(_NEVER_REACHED).text if self.shown == "wrong" else ""
        match self.kind:
            case "password":
                return f"no-{password_of(self.uid)}" if self.shown == "wrong" else ""
            case "authenticator":
                return wrong
            case "PIN and code":
                return f"{PIN}{wrong}"
            case _:
                return password_of(self.uid)

    async def _right_code(self, office: Office, mark: int) -> str:
        match self.kind:
            case "text":
                return await office.site.text_code(mark, phone(self._number))
            case "mail":
                return await office.site.mail_code(mark, f"{self.uid}@demo.example")
            case _:
                return office.site.vip_code(self.credential)


INTRUDERS = tuple(Intruder(kind, shown, turn) for turn in range(TURNS) for kind, shown in AT_REST)


def of_turn(turn: int) -> tuple[Intruder, ...]:
    """Those who come now, of each kind two."""
    return tuple(intruder for intruder in INTRUDERS if intruder.turn == turn % TURNS)
