"""What a logon can come to, as closed types, and what keeps it from coming to anything."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Accepted:
    """The person has shown every factor that the policy demands.

    Attributes:
        correlation: what the audit knows this step by.
        attributes: values by name, such as `Filter-Id`; a name may have several.
    """

    correlation: str
    attributes: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Challenged:
    """Another answer is wanted: show `message`, and hand this with what was typed to `answer`.

    Attributes:
        correlation: what the audit knows this step by.
        message: the prompt for the person.
        method: the token that is asked for, e.g. `sms`.
        expires_in: seconds for which the challenge stays good.
        user: the login name.
        state: goes back with the answer; good for one.
    """

    correlation: str
    message: str
    method: str
    expires_in: int
    user: str
    state: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """No; why is in the audit only.

    Attributes:
        correlation: what the audit knows this step by.
        message: for the person.
    """

    correlation: str
    message: str


Outcome = Accepted | Challenged | Refused


class LogonError(Exception):
    """There is no outcome, so nobody may be let in."""


class ServiceUnavailable(LogonError):
    """The service was not reached, gave no answer in time, or none that can be used.

    It may have counted a code all the same: do not ask again by yourself, let the person log on again.
    """


class RequestRefused(LogonError):
    """The service does not take such a request: a wrong key, a field too long.

    Attributes:
        status: HTTP status.
        detail: what is wrong with it.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail
