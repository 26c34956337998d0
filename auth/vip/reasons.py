"""The reason codes of VIP, of both dialects in one table: whose business each is, what it means, what helps. Pure."""

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
            fault code, or `local:` and a word where VIP was not asked or did not decide.
        kind: whose business it is.
        meaning: what it says, as a phrase.
        remedy: what to do about it, as an instruction; empty for success.
    """

    code: str
    kind: Kind
    meaning: str
    remedy: str = ""


NOT_A_CODE = VipReason(
    "local:not-a-code",
    Kind.PERSON,
    "what was typed cannot be a VIP code (6 to 10 letters and digits), so VIP was not asked",
    "type the code as VIP Access shows it",
)
NOT_ENABLED = VipReason(
    "local:not-enabled",
    Kind.CONFIGURATION,
    "the codes fit, or were not looked at, but no credential of the person is enabled",
    "look at the credential's state in VIP Manager: `dirfactor vip test --credential ID` prints it",
)
NOT_OURS = VipReason(
    "local:not-ours",
    Kind.PERSON,
    "the codes are those of a credential that is not assigned to the person here",
    "type the code of the assigned credential, or assign the other one",
)


def _service(code: str, meaning: str) -> VipReason:
    return VipReason(code, Kind.SERVICE, meaning, "try again; see the service's status page")


def _misset(code: str, meaning: str, remedy: str) -> VipReason:
    return VipReason(code, Kind.CONFIGURATION, meaning, remedy)


def _push(code: str, meaning: str) -> VipReason:
    return _misset(
        code, f"{meaning}, which nobody asked for", "report it with the correlation id; no push is ever used"
    )


_NEXT_CODE = "wait for the next code and type that"
_ITS_ID = "check the id in dirfactorVipCredential"

_ROWS = (
    VipReason("0000", Kind.SUCCESS, "success"),
    # credential and code
    _service("4879", "the service is temporarily unavailable"),
    VipReason(
        "4923",
        Kind.RESYNCHRONISE,
        "the code is outside the look-ahead: the credential has drifted",
        "type the next code as well; set the device's clock",
    ),
    _misset(
        "4952",
        "the temporary security code has the wrong length",
        "set a temporary security code of six characters in VIP Manager",
    ),
    _misset("4953", "the expiration is not within the next 30 days", "set an expiration within the next 30 days"),
    _misset(
        "4990",
        "the credential's state does not allow this",
        "look at the credential's state in VIP Manager, and enable it",
    ),
    _misset(
        "4993",
        "the credential is disabled",
        "enable it in VIP Manager, or give the person a temporary security code",
    ),
    # the published table breaks off in this row; that it means "locked" follows from its neighbours only
    _misset("4994", "the credential is locked", "unlock it in VIP Manager"),
    VipReason("49B5", Kind.PERSON, "the code is wrong or was used before", _NEXT_CODE),
    # request and account
    _misset(
        "4E02",
        "the service could not read our request",
        "report it with the correlation id; check that the URL belongs to this service",
    ),
    _misset(
        "4E03",
        "the credential is not active in this VIP account, or our certificate is of another account or type",
        "check the id in dirfactorVipCredential, activate the credential, and see `dirfactor vip test`",
    ),
    _misset(
        "4E04",
        "the service does not speak our protocol version",
        "check that the URL belongs to the VIP Authentication Service",
    ),
    _misset("4E1B", "the credential was activated before", "assign it without activating it"),
    # VIP User Services
    _misset("6001", "VIP does not know the account", "use a certificate of your VIP account, see `dirfactor vip test`"),
    _misset("6002", "VIP has this user already", "use the user that is there"),
    _misset("6003", "VIP does not know the user", "create the user in VIP Manager"),
    _misset("6004", "the credential id is invalid", _ITS_ID),
    _service("6005", "the service has an internal error"),
    _misset("6006", "the credential's type is invalid", f"{_ITS_ID}: telephones are sms:NUMBER or voice:NUMBER"),
    _misset("6007", "the credential is not bound to this user", "bind it to the user in VIP Manager"),
    _misset("6008", "the user has no enabled credential of this type", "enable or add a credential in VIP Manager"),
    VipReason("6009", Kind.PERSON, "authentication failed", _NEXT_CODE),
    _misset("600A", "VIP does not support this type of credential", "assign a credential of another type"),
    _misset(
        "600B",
        "the service could not read our request",
        "report it with the correlation id; check that the URL belongs to this service",
    ),
    _misset("601B", "the user is locked or disabled at VIP", "unlock or enable the user in VIP Manager"),
    _misset("6026", "the credential was registered before", "assign it without registering it"),
    _push("6040", "a push was sent"),
    _push("7000", "a push was approved"),
    _push("7001", "a push is in progress"),
    _push("7002", "a push was denied"),
    _push("7005", "a push was not found"),
    # SOAP 1.1 section 4.4.1
    VipReason(
        "soap:Server",
        Kind.SERVICE,
        "the service could not process the request",
        "try again; see the service's status",
    ),
    *(
        _misset(
            f"soap:{word}", f"the service calls our request {meaning}", "check that the URL belongs to this service"
        )
        for word, meaning in (
            ("Client", "malformed"),
            ("VersionMismatch", "no SOAP 1.1"),
            ("MustUnderstand", "one that it does not understand"),
            ("Other", "a fault of a kind of its own"),
        )
    ),
)

TABLE = MappingProxyType({row.code: row for row in (*_ROWS, NOT_A_CODE, NOT_ENABLED, NOT_OURS)})


def refined(status: str, detail: str | None) -> str:
    """The reason code that says most, of the two that VIP User Services may send.

    6009 says that a code did not open; its detail, a code of the Authentication Service, says why. Without one it is a
    wrong code. A detail never turns a failure into success.

    Args:
        status: the status, hexBinary in upper case.
        detail: the detail, likewise.
    """
    refines = status == "6009" and detail is not None and look_up(detail).kind is not Kind.SUCCESS
    return detail if refines and detail is not None else status


def look_up(code: str) -> VipReason:
    """What a reason code means.

    Args:
        code: as `VipReason.code`; hexBinary in either case (the service sends both `49B5` and `4e04`).

    Returns:
        the row; for a code that has none, a row of kind `CONFIGURATION`: it neither opens nor blames a person.
    """
    known = TABLE.get(code) or TABLE.get(code.upper())
    if known is not None:
        return known
    return VipReason(
        code,
        Kind.CONFIGURATION,
        f"the VIP service answered {code}, which has no known meaning here",
        "look the code up in the VIP Web Services Developer's Guide",
    )
