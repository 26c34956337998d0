"""What VIP says, in either dialect, as values. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from auth.vip.reasons import Kind, look_up


class TokenStatus(StrEnum):
    """The states of a credential, as TokenStatusType of the Authentication Service's schema lists them."""

    NEW = "NEW"
    ENABLED = "ENABLED"
    DISABLED = "DISABLED"
    LOCKED = "LOCKED"
    INACTIVE = "INACTIVE"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class TokenInformation:
    """What VIP tells about a credential.

    Attributes:
        credential: as we asked for it.
        status: its state; `UNKNOWN` for a word that nobody published.
        adapter: how it makes its codes, e.g. `OATH_TIME`; empty where the dialect does not say.
        expires: when it ends, in UTC; None where the dialect does not say.
        users: the active VIP users whom it belongs to; empty where the dialect does not say.
    """

    credential: str
    status: TokenStatus
    adapter: str = ""
    expires: datetime | None = None
    users: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Response:
    """What VIP answered to our request.

    Attributes:
        reason_code: as `auth.vip.reasons.VipReason.code`, hexBinary in upper case.
        message: the service's own words, one printable line of at most 200 characters; for people only.
        credential: the credential whose code it was, one of those that we asked about; None without success,
            and where the service does not say.
        information: the answer to a question about a credential; None without success.
        time: the answer to the question for the service's time, in UTC; None without success.
    """

    reason_code: str
    message: str = ""
    credential: str | None = None
    information: TokenInformation | None = None
    time: datetime | None = None

    @property
    def kind(self) -> Kind:
        """Whose business it is; only `Kind.SUCCESS` opens."""
        return look_up(self.reason_code).kind


@dataclass(frozen=True, slots=True)
class Verdict:
    """What VIP says about a code.

    Attributes:
        kind: whose business it is; only `Kind.SUCCESS` opens.
        reason_code: as `auth.vip.reasons.VipReason.code`.
        credential: the credential whose code it was; None without success, and where VIP does not say.
        detail: the service's own words, one printable line; for audit and operator.
    """

    kind: Kind
    reason_code: str
    credential: str | None = None
    detail: str = ""

    @classmethod
    def of(cls, response: Response) -> "Verdict":
        """The verdict in an answer."""
        return cls(response.kind, response.reason_code, response.credential, response.message)
