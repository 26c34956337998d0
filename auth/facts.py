"""What a decision is made from: everything known about one login, gathered before it is decided. Values only."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from auth.spend.numbers import NumberRules
from dirsync.password import PasswordVerdict
from dirsync.view import Freshness, Person, PolicyLink
from schema.entry import AccessNode, EntryId, Policy
from schema.words import TokenKind


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """The access node that asks.

    Attributes:
        node: its settings; its name is `node.name`.
        policy: the policy assigned to it.
        members: users and groups that may use it; None lets everyone.
    """

    node: AccessNode
    policy: PolicyLink | None
    members: frozenset[EntryId] | None


@dataclass(frozen=True, slots=True)
class Reach:
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
    numbers: NumberRules = field(default_factory=NumberRules)
    keys: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything known about one login.

    Attributes:
        node: the node that asks; None when nobody knows it.
        found: the users that the login name may stand for.
        server_default: the [policy:default] section.
        freshness: which state of the user's directory this is; of the oldest one while there is no one user.
        expired_after: seconds of age at which the directory's data is too old, when the policy says nothing.
        reach: what config.ini has for reaching tokens.
        failures: instants of the user's wrong codes.
        region: country for phone numbers without a country code, e.g. `AT`.
    """

    node: NodeFacts | None
    found: Sequence[Person]
    server_default: Policy | None
    freshness: Freshness
    expired_after: int
    reach: Reach
    failures: Sequence[datetime] = ()
    region: str | None = None


class Typed(StrEnum):
    """What is in a field; the decision never sees the text itself."""

    ABSENT = "absent"
    EMPTY = "empty"
    GIVEN = "given"


class CodeVerdict(StrEnum):
    """What came of checking a code."""

    RIGHT = "right"
    WRONG = "wrong"
    RESYNCHRONISE = "resynchronise"  # the token has drifted: the next code of it tells
    EXHAUSTED = "exhausted"  # wrong, and the challenge has no attempt left
    LOCKED = "locked"  # not looked at: the user was locked meanwhile
    UNAVAILABLE = "unavailable"  # nobody could say
    MISCONFIGURED = "misconfigured"  # the service refuses us, not the person


@dataclass(frozen=True, slots=True)
class Evidence:
    """What this login has shown so far.

    Attributes:
        stage: how many of the policy's methods have been passed.
        password: what the directory said to the password of this stage.
        code: what came of the code of this stage.
        token: the token that was asked for, once it is chosen.
        undelivered: tokens whose message no gateway took.
        send_limited: no further code may be sent to this user now.
        typed_password: what is in the password field.
        typed_code: what is in the code field.
        answering: an open challenge of this login is being answered.
    """

    stage: int = 0
    password: PasswordVerdict | None = None
    code: CodeVerdict | None = None
    token: TokenKind | None = None
    undelivered: frozenset[TokenKind] = frozenset()
    send_limited: bool = False
    typed_password: Typed = Typed.ABSENT
    typed_code: Typed = Typed.ABSENT
    answering: bool = False
