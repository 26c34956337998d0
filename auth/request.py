"""What a front door hands to the service, and what it gets back: values only."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from auth.chap.response import MsChap2Success, Shown
from auth.reason import Reason
from schema.secret import Secret


class Door(StrEnum):
    """By which protocol a request came in."""

    RADIUS = "radius"
    HTTP = "http"


class Origin(msgspec.Struct, frozen=True):
    """Where a request came from.

    Attributes:
        door: the protocol.
        node: name of the access node that the door authenticated (by address and shared secret, or by API key).
        correlation: id that ties packet, decision, message and audit line together; printable, no secret.
        address: the client's network address as text, for the audit.
        caller: what tells two simultaneous logins of one person apart when the client offers it
            (Calling-Station-Id, NAS-Port), joined; empty when it offers nothing. It may be the same for everybody, and
            it may be a phone number, so it is neither logged nor recorded.
        station: from where the person calls, when the client says (Calling-Station-Id); the same for a later login from
            the same place. Neither logged nor recorded.
        passed_on: what else the client has sent, number and value, where the access node forwards logins to another
            RADIUS server. Neither logged nor recorded.
        session: the client's own name for this one login (Acct-Session-Id, RFC 2866 section 5.5); empty when it gives
            none. Requests that share it are the same login asked again. Neither logged nor recorded.
        authenticator: what the client has drawn for this request alone (the Request Authenticator, RFC 2865 section 3);
            empty where the protocol has none. Two requests that share it are one, and a copy of it.
    """

    door: Door
    node: str
    correlation: str
    address: str
    caller: str = ""
    station: str = ""
    session: str = ""
    passed_on: tuple[tuple[int, bytes], ...] = ()
    authenticator: bytes = b""

    def __repr__(self) -> str:
        return f"Origin({self.door}, {self.node}, {self.correlation}, {self.address})"


class LoginRequest(msgspec.Struct, frozen=True):
    """The first step of a login: who, and what they typed.

    Attributes:
        origin: where it came from.
        user: the login name as typed.
        password: the password field as typed, or as the client shows it; None when the client sent none.
        passcode: a code typed in a field of its own (HTTP); None when there was no such field.
    """

    origin: Origin
    user: str
    password: Shown | None
    passcode: Secret | None = None


class AnswerRequest(msgspec.Struct, frozen=True):
    """A later step: the answer to a challenge.

    Attributes:
        origin: where it came from.
        state: the opaque value of the challenge, as it came back.
        answer: what the person typed, or how the client shows it.
        user: the login name that came with the answer, when the protocol repeats it (RADIUS does).
    """

    origin: Origin
    state: Secret
    answer: Shown
    user: str | None = None


class ReplyAttribute(msgspec.Struct, frozen=True):
    """One attribute for the access node to apply, e.g. `Filter-Id` = `vpn-staff`."""

    name: str
    value: str


class Accepted(msgspec.Struct, frozen=True):
    """The person has shown every factor that the policy demands.

    Attributes:
        reply_attributes: for the access node to apply.
        reason: who has accepted.
        passed_back: RADIUS attributes, number and value, that another server wants the node to apply.
        success: what a client of MS-CHAPv2 wants to be told.
    """

    reply_attributes: Sequence[ReplyAttribute] = ()
    reason: Reason = Reason.ACCEPTED
    success: MsChap2Success | None = None
    passed_back: tuple[tuple[int, bytes], ...] = ()


class Challenged(msgspec.Struct, frozen=True):
    """Another answer is wanted.

    Attributes:
        state: opaque, random, printable ASCII (at most 64 characters), good for one answer; returned with it.
        message: the prompt for the person, one line, at most 200 UTF-8 octets.
        method: the token that is asked for, e.g. `sms`.
        expires_in: whole seconds for which the challenge stays good.
        reason: why it is asked.
    """

    state: Secret
    message: str
    method: str
    expires_in: int
    reason: Reason


REFUSAL = "Logon failed."
"""The one wording of all refusals, until the service says it in its own language."""


class Refused(msgspec.Struct, frozen=True):
    """No. `message` is the one wording of all refusals; `reason` is for the audit and never leaves us."""

    reason: Reason
    message: str = REFUSAL


Outcome = Accepted | Challenged | Refused


class Service(Protocol):
    """The three verbs that serve every front door."""

    async def begin(self, request: LoginRequest) -> Outcome:
        """Start a login. Never raises for what a client sent."""
        ...

    async def answer(self, request: AnswerRequest) -> Outcome:
        """Continue a login with the answer to a challenge. Never raises for what a client sent."""
        ...

    async def decline(self, origin: Origin, user: str, reason: Reason) -> Refused:
        """Record and refuse a request of a known node that its door can take for neither.

        Args:
            origin: where it came from.
            user: the login name as typed; empty when there is none that can be read.
            reason: why it cannot be served.
        """
        ...
