"""What a decision is made from: everything known about one login, gathered before it is decided. Values only."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from string import digits
from typing import ClassVar, Self

import msgspec

from auth.chap.response import Shown
from auth.spend.numbers import NumberRules
from dirsync.password import PasswordVerdict
from dirsync.view import Freshness, Person, PolicyLink
from schema.entry import AccessNode, EntryId, Policy
from schema.secret import Secret
from schema.words import Method, TokenKind


class NodeFacts(msgspec.Struct, frozen=True):
    """The access node that asks.

    Attributes:
        node: its settings; its name is `node.name`.
        policy: the policy assigned to it.
        members: users and groups that may use it; None lets everyone.
    """

    node: AccessNode
    policy: PolicyLink | None
    members: frozenset[EntryId] | None


class Reach(msgspec.Struct, frozen=True):
    """What config.ini has for reaching people's tokens; by default nothing.

    Attributes:
        sms: names of the SMS gateways, [sms:NAME].
        mail: names of the mail servers, [email:NAME].
        vip: whether there is a [vip] section.
        numbers: which phone numbers get no text.
        keys: ids of the keys in the key ring; None where it is not known, and nothing is held against a token.
    """

    sms: frozenset[str] = frozenset()
    mail: frozenset[str] = frozenset()
    vip: bool = False
    numbers: NumberRules = NumberRules()
    keys: frozenset[str] | None = None


class Facts(msgspec.Struct, frozen=True):
    """Everything known about one login.

    Attributes:
        node: the node that asks; None when nobody knows it.
        found: the users that the login name may stand for.
        server_default: the [policy:default] section.
        freshness: which state of the user's directory this is; of the oldest one while there is no one user.
        expired_after: seconds of age at which the directory's data is too old, when the policy says nothing.
        reach: what config.ini has for reaching tokens.
        failures: instants of the user's wrong codes.
        wrong_today: how many wrong codes of the user are counted within a day, see `auth.guessing`.
        pin_chosen_at: when the user chose the PIN that the store keeps; None when it keeps none. Whether a PIN has
            expired is found when it is checked; this is for whoever foretells that.
        stock: how many codes for logons to come the user has at the address that a token has now, by kind of token.
        response_mark: the last temporary response of the user that was used up, as `used_up` wants it.
        region: country for phone numbers without a country code, e.g. `AT`.
    """

    node: NodeFacts | None
    found: Sequence[Person]
    server_default: Policy | None
    freshness: Freshness
    expired_after: int
    reach: Reach
    failures: Sequence[datetime] = ()
    stock: Mapping[TokenKind, int] = msgspec.field(default_factory=dict)
    response_mark: int | None = None
    region: str | None = None
    wrong_today: int = 0
    pin_chosen_at: datetime | None = None


class Typed(msgspec.Struct, frozen=True):
    """What is in a field, as far as the decision may see it; never the text itself.

    Attributes:
        length: how many characters; None when there is no such field.
        leading_digits: how many of them, from the first on, are digits.
        trailing_digits: how many, up to the last.
        readable: whether the text is here. If not, there is only a response that was computed from it, and that can be
            compared with codes that we know; unless the text is empty, its length is not known then.
    """

    ABSENT: ClassVar["Typed"]
    EMPTY: ClassVar["Typed"]
    GIVEN: ClassVar["Typed"]

    length: int | None
    leading_digits: int = 0
    trailing_digits: int = 0
    readable: bool = True

    @property
    def given(self) -> bool:
        """Whether anything stands in the field."""
        return bool(self.length) or (self.length is None and not self.readable)

    @property
    def only_digits(self) -> bool:
        """Whether there are digits and nothing else."""
        return self.given and self.leading_digits == self.length


Typed.ABSENT = Typed(None)
Typed.EMPTY = Typed(0)
Typed.GIVEN = Typed(8)


def typed(text: Shown | None) -> Typed:
    """What a decision may see of a field: digits are those of ASCII."""
    if text is None:
        return Typed.ABSENT
    if not isinstance(text, Secret):
        return Typed(0 if text.proves(Secret("")) else None, readable=False)
    plain = text.text
    leading = len(plain) - len(plain.lstrip(digits))
    return Typed(len(plain), leading, len(plain) - len(plain.rstrip(digits)))


class Field(StrEnum):
    """A field of the request."""

    PASSWORD = "password"  # noqa: S105 - the name of a field
    CODE = "code"


class Question(StrEnum):
    """What a challenge asks for: the code of a kind of token, or what each member says."""

    PASSWORD = "password"  # noqa: S105 - the name of a question
    PIN = "pin"
    NEW_PIN = "newPin"
    SMS = TokenKind.SMS
    EMAIL = TokenKind.EMAIL
    VIP = TokenKind.VIP
    TOTP = TokenKind.TOTP
    HOTP = TokenKind.HOTP
    FORWARDED = "forwarded"  # whatever another server asks

    @property
    def token(self) -> TokenKind | None:
        """The kind of token whose code is asked for."""
        own = (Question.PASSWORD, Question.PIN, Question.NEW_PIN, Question.FORWARDED)
        return None if self in own else TokenKind(self.value)


class CodeVerdict(StrEnum):
    """What came of checking a code, or what a policy takes for one."""

    RIGHT = "right"
    WRONG = "wrong"
    RESYNCHRONISE = "resynchronise"  # the token has drifted: the next code of it tells
    EXHAUSTED = "exhausted"  # wrong, and the challenge has no attempt left
    LOCKED = "locked"  # not looked at: the user was locked meanwhile
    UNAVAILABLE = "unavailable"  # nobody could say
    MISCONFIGURED = "misconfigured"  # the service refuses us, not the person


class PinShown(StrEnum):
    """What came of checking a PIN that was not wrong; a wrong one is told like a wrong code."""

    RIGHT = "right"
    EXPIRED = "expired"  # right, and past its time
    CHANGED = "changed"  # right, and a new one that the policy allows stood behind it
    UNFIT = "unfit"  # right, and the new one is not what the policy allows


class ForwardVerdict(StrEnum):
    """What came of asking another server."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    ASKED = "asked"  # it wants another answer
    UNAVAILABLE = "unavailable"  # it said nothing that is proven


class Waiting(msgspec.Struct, frozen=True):
    """An open challenge that this request may answer.

    Attributes:
        question: what it asks for.
        stage: how many methods had been passed when it was asked.
        sent: whether it has a code of its own, which was sent.
        last_try: whether it takes one answer more, and not two.
        comparable: whether that code can be compared with a response, see `Typed.readable`.
    """

    question: Question
    stage: int
    sent: bool = False
    last_try: bool = False
    comparable: bool = False


class Evidence(msgspec.Struct, frozen=True):
    """What this login has shown so far.

    Attributes:
        methods: those of the login as it began; None before it was first decided about.
        stage: how many of them have been passed.
        password: what the directory said to the password of this stage.
        pin: what came of the PIN of this stage.
        pin_length: how many characters of what was typed are the PIN.
        code_length: how many characters behind it are the code.
        code: what came of the code, or of a wrong PIN, of this stage.
        token: the token that was asked for, once it is chosen.
        keyword: the token for which the keyword was typed.
        factor: whether that keyword was a factor: PIN or password.
        undelivered: tokens whose message no gateway took.
        send_limited: no further code may be sent to this user now.
        typed_password: what is in the password field.
        typed_code: what is in the code field.
        answer: the field that holds the answer to the open challenge; None in a first step.
        waiting: the open challenge.
        forwarded: what another server said.
    """

    methods: tuple[Method, ...] | None = None
    stage: int = 0
    password: PasswordVerdict | None = None
    pin: PinShown | None = None
    pin_length: int = 0
    code_length: int = 0
    code: CodeVerdict | None = None
    token: TokenKind | None = None
    keyword: TokenKind | None = None
    factor: bool = False
    undelivered: frozenset[TokenKind] = frozenset()
    send_limited: bool = False
    typed_password: Typed = Typed.ABSENT
    typed_code: Typed = Typed.ABSENT
    answer: Field | None = None
    waiting: Waiting | None = None
    forwarded: ForwardVerdict | None = None

    def typed(self, field: Field) -> Typed:
        """What is in a field."""
        return self.typed_password if field is Field.PASSWORD else self.typed_code

    def without(self, field: Field) -> Self:
        """The same when what is in a field has been used up."""
        return self.with_typed(field, Typed.ABSENT)

    def with_typed(self, field: Field, typed: Typed) -> Self:
        """The same with something else in a field."""
        if field is Field.PASSWORD:
            return msgspec.structs.replace(self, typed_password=typed)
        return msgspec.structs.replace(self, typed_code=typed)
