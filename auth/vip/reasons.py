"""The reason codes of VIP: whose business each one is, what it means and what helps."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """Whose business an answer is. Only `SUCCESS` opens; only `PERSON` is a violation."""

    SUCCESS = "success"
    PERSON = "person"
    CONFIGURATION = "configuration"
    SERVICE = "service"
    RESYNCHRONISE = "resynchronise"


@dataclass(frozen=True, slots=True)
class VipReason:
    """One way in which VIP can answer.

    Attributes:
        code: hexBinary in upper case as the service's schema has it, `soap:` and the local name of a SOAP 1.1
            fault code, or `local`.
        kind: whose business it is.
        meaning: what it says, as a phrase.
        remedy: what to do about it, as an instruction; empty for success.
    """

    code: str
    kind: Kind
    meaning: str
    remedy: str = ""


NOT_A_CODE = VipReason(
    "local",
    Kind.PERSON,
    "what was typed cannot be a VIP code (6 to 10 letters and digits), so VIP was not asked",
    "type the code as VIP Access shows it",
)

_ROWS = (
    VipReason("0000", Kind.SUCCESS, "success"),
    # credential and code
    VipReason(
        "4879",
        Kind.SERVICE,
        "the service is temporarily unavailable",
        "try again; see the service's status page",
    ),
    VipReason(
        "4923",
        Kind.RESYNCHRONISE,
        "the code is outside the look-ahead: the credential has drifted",
        "set the device's clock, or synchronise the credential with two consecutive codes in VIP Manager",
    ),
    VipReason(
        "4952",
        Kind.CONFIGURATION,
        "the temporary security code has the wrong length",
        "set a temporary security code of six characters in VIP Manager",
    ),
    VipReason(
        "4953",
        Kind.CONFIGURATION,
        "the expiration is not within the next 30 days",
        "set an expiration within the next 30 days",
    ),
    VipReason(
        "4990",
        Kind.CONFIGURATION,
        "the credential's state does not allow this",
        "look at the credential's state in VIP Manager, and enable it",
    ),
    VipReason(
        "4993",
        Kind.CONFIGURATION,
        "the credential is disabled",
        "enable it in VIP Manager, or give the person a temporary security code",
    ),
    # the published table breaks off in this row; that it means "locked" follows from its neighbours only
    VipReason("4994", Kind.CONFIGURATION, "the credential is locked", "unlock it in VIP Manager"),
    VipReason("49B5", Kind.PERSON, "the code is wrong or was used before", "wait for the next code and type that"),
    # request and account
    VipReason(
        "4E02",
        Kind.CONFIGURATION,
        "the service could not read our request",
        "report it with the correlation id; check that the URL belongs to this service",
    ),
    VipReason(
        "4E03",
        Kind.CONFIGURATION,
        "the credential is not active in this VIP account, or our certificate is of another account or type",
        "check the id in dirfactorVipCredential, activate the credential, and see `dirfactor vip test`",
    ),
    VipReason(
        "4E04",
        Kind.CONFIGURATION,
        "the service does not speak our protocol version",
        "check that the URL belongs to the VIP Authentication Service",
    ),
    VipReason("4E1B", Kind.CONFIGURATION, "the credential was activated before", "assign it without activating it"),
    # VIP User Services
    VipReason("6003", Kind.CONFIGURATION, "VIP does not know the user", "create the user in VIP Manager"),
    VipReason("6004", Kind.CONFIGURATION, "the credential id is invalid", "check the id in dirfactorVipCredential"),
    VipReason("6005", Kind.SERVICE, "the service has an internal error", "try again; see the service's status page"),
    VipReason(
        "6007",
        Kind.CONFIGURATION,
        "the credential is not bound to this user",
        "bind it to the user in VIP Manager",
    ),
    VipReason(
        "6008",
        Kind.CONFIGURATION,
        "the user has no enabled credential of this type",
        "enable or add a credential in VIP Manager",
    ),
    VipReason("6009", Kind.PERSON, "authentication failed", "wait for the next code and type that"),
    # SOAP 1.1 section 4.4.1
    VipReason(
        "soap:Server",
        Kind.SERVICE,
        "the service could not process the request",
        "try again; see the service's status",
    ),
)

_TABLE = MappingProxyType({row.code: row for row in (*_ROWS, NOT_A_CODE)})


def look_up(code: str) -> VipReason:
    """What a reason code means.

    Args:
        code: as `VipReason.code`; hexBinary in either case (the service sends both `49B5` and `4e04`).

    Returns:
        the row; for a code that has none, a row of kind `CONFIGURATION`: it neither opens nor blames a person.
    """
    known = _TABLE.get(code) or _TABLE.get(code.upper())
    if known is not None:
        return known
    return VipReason(
        code,
        Kind.CONFIGURATION,
        f"the VIP service answered {code}, which has no known meaning here",
        "look the code up in the VIP Web Services Developer's Guide",
    )
