"""What an SMS centre's refusal means. No I/O."""

from typing import Final

from auth.channels.base import DeliveryFailed

# section 5.1.3 of SMPP 3.4
_NAMES: Final = {
    0x01: "ESME_RINVMSGLEN", 0x03: "ESME_RINVCMDID", 0x04: "ESME_RINVBNDSTS", 0x05: "ESME_RALYBND",
    0x06: "ESME_RINVPRTFLG", 0x08: "ESME_RSYSERR", 0x0A: "ESME_RINVSRCADR", 0x0B: "ESME_RINVDSTADR",
    0x0D: "ESME_RBINDFAIL", 0x0E: "ESME_RINVPASWD", 0x0F: "ESME_RINVSYSID", 0x14: "ESME_RMSGQFUL",
    0x15: "ESME_RINVSERTYP", 0x43: "ESME_RINVESMCLASS", 0x45: "ESME_RSUBMITFAIL", 0x48: "ESME_RINVSRCTON",
    0x49: "ESME_RINVSRCNPI", 0x50: "ESME_RINVDSTTON", 0x51: "ESME_RINVDSTNPI", 0x53: "ESME_RINVSYSTYP",
    0x58: "ESME_RTHROTTLED", 0x64: "ESME_RX_T_APPN", 0xFF: "ESME_RUNKNOWNERR",
}  # fmt: skip
_NUMBER: Final = {0x0B}
_ONE_TEXT: Final = {0x01, 0x45}
_BUSY: Final = {0x08, 0x14, 0x58, 0x64}
_CREDENTIALS: Final = {0x0D, 0x0E, 0x0F, 0x53}
_BUSY_REMEDY = "wait; if it stays like this, ask the operator for a higher rate or add another gateway"
_REMEDIES = {
    0x05: "end what else is bound with this system_id, or ask the operator for more binds",
    0x0A: "set sender to one that the operator has given you",
    0x15: "set service_type as the operator wants it",
    0x48: "set sender_ton and sender_npi as the operator wants them",
    0x49: "set sender_ton and sender_npi as the operator wants them",
}


def refused(what: str, status: int, *, partly_taken: bool = False) -> DeliveryFailed:
    """The failure that a command_status other than 0 stands for.

    Args:
        what: what was refused, such as `the text`.
        status: command_status.
        partly_taken: an earlier part of the text was taken, so that another attempt sends some of it twice.
    """
    permanent = status in _NUMBER
    if permanent:
        remedy = "check the person's phone number"
    elif status in _BUSY:
        remedy = _BUSY_REMEDY
    elif status in _CREDENTIALS:
        remedy = "check system_id, password and system_type of the gateway's section"
    else:
        remedy = _REMEDIES.get(status, "ask the operator what it means for your account")
    name = _NAMES.get(status, "not named by the specification")
    return DeliveryFailed(
        f"refused {what} with command_status 0x{status:08X} ({name})",
        remedy=remedy,
        permanent=permanent,
        answered=status in _ONE_TEXT,
        unknown=partly_taken and not permanent,
    )
