"""What /v1/authenticate takes and answers. Pure, and all that a client of ours needs."""

from typing import Annotated

import msgspec

Field = Annotated[str, msgspec.Meta(max_length=1024)]


class AuthenticateBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A first step of a logon, or with `state` the answer to a challenge.

    Attributes:
        user: login name.
        password: what was typed in the password field.
        passcode: the code: with `state` the answer, without it a code typed in a field of its own.
        state: of the challenge that is answered.
        node: the caller's own access node; may be left out.
    """

    user: Field
    password: Field | None = None
    passcode: Field | None = None
    state: Field | None = None
    node: Field | None = None

    def __repr__(self) -> str:
        return f"AuthenticateBody({self.user!r})"


class Attribute(msgspec.Struct, frozen=True):
    """A reply attribute for the access node to apply, e.g. `Filter-Id` = `vpn-staff`."""

    name: str
    value: str


class AcceptedAnswer(msgspec.Struct, frozen=True, tag_field="outcome", tag="accepted"):
    """The person has shown every factor that the policy demands.

    Attributes:
        correlation: what the audit knows this step by.
        reply_attributes: of the policy, its groups and the node.
    """

    correlation: str
    reply_attributes: list[Attribute]


class ChallengedAnswer(msgspec.Struct, frozen=True, tag_field="outcome", tag="challenged"):
    """Another answer is wanted.

    Attributes:
        correlation: what the audit knows this step by.
        state: to be returned with the answer; good for one.
        message: the prompt for the person.
        method: the token that is asked for, e.g. `sms`.
        expires_in: seconds for which the challenge stays good.
    """

    correlation: str
    state: str
    message: str
    method: str
    expires_in: int

    def __repr__(self) -> str:
        return f"ChallengedAnswer({self.correlation!r}, {self.method!r})"


class RefusedAnswer(msgspec.Struct, frozen=True, tag_field="outcome", tag="refused"):
    """No; why is in the audit only.

    Attributes:
        correlation: what the audit knows this step by.
        message: for the person.
    """

    correlation: str
    message: str


AuthenticateAnswer = AcceptedAnswer | ChallengedAnswer | RefusedAnswer
