"""What Microsoft Graph's answer to sendMail means. No I/O."""

import re

import msgspec

from auth.channels.base import DeliveryFailed

_TAKEN = 202
_UNAUTHORIZED = 401
_TOO_MANY = 429
_UNAVAILABLE = 503
_GATEWAY_TIMEOUT = 504  # RFC 9110 section 15.6.5: as good as no answer
_LONGEST_PAUSE = 300.0
_PAUSE = 5.0  # when Graph does not say for how long
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,60}")
_SECONDS = re.compile(r"\d{1,6}", re.ASCII)
_PERMANENT = {"ErrorInvalidRecipients"}
_NO_MAILBOX = "check sender: it must be a mailbox of this tenant in Exchange Online, with a licence"
_NO_RIGHT = (
    "give the application the permission Mail.Send (application, not delegated) with an administrator's consent; "
    "where it may use some mailboxes only, add the sender's"
)
_REMEDIES = {
    "ErrorAccessDenied": _NO_RIGHT,
    "Authorization_RequestDenied": _NO_RIGHT,
    "ErrorSendAsDenied": _NO_RIGHT,
    "ErrorInvalidUser": _NO_MAILBOX,
    "ErrorNonExistentMailbox": _NO_MAILBOX,
    "MailboxNotEnabledForRESTAPI": _NO_MAILBOX,
    "Request_ResourceNotFound": _NO_MAILBOX,
    "ResourceNotFound": _NO_MAILBOX,
    "ErrorExceededMessageLimit": "the mailbox has sent all that its plan allows: use another mailbox or server",
    "ErrorMessageSubmissionBlocked": "Microsoft has stopped this mailbox from sending: see its restricted entities",
    "ErrorQuotaExceeded": "the sender's mailbox is full",
}


class _Error(msgspec.Struct):
    code: str = ""


class _Refusal(msgspec.Struct):
    error: _Error = msgspec.field(default_factory=_Error)


def refused_token(status: int) -> bool:
    """Whether the answer is about the token, so that another one may do."""
    return status == _UNAUTHORIZED


def pause_seconds(status: int, retry_after: str) -> float:
    """For how long Graph wants to be left alone; 0 when it does not.

    Args:
        status: HTTP status.
        retry_after: the header, which is in seconds; empty when there is none.
    """
    if status not in (_TOO_MANY, _UNAVAILABLE):
        return 0.0
    return min(float(retry_after), _LONGEST_PAUSE) if _SECONDS.fullmatch(retry_after) else _PAUSE


def read_answer(status: int, body: bytes) -> None:
    """Graph has taken the mail.

    Args:
        status: HTTP status.
        body: the answer's body.

    Raises:
        DeliveryFailed: it has not, or that is not known.
    """
    if status == _TAKEN:
        return
    try:
        code = msgspec.json.decode(body, type=_Refusal).error.code
    except (msgspec.MsgspecError, RecursionError):
        code = ""
    said = f" {code}" if _CODE.fullmatch(code) else ""
    permanent = code in _PERMANENT
    raise DeliveryFailed(
        f"answered HTTP {status}{said}",
        remedy="check the person's mail address" if permanent else _remedy(status, code),
        permanent=permanent,
        unknown=status == _GATEWAY_TIMEOUT,
    )


def busy(seconds: float) -> DeliveryFailed:
    """Graph was not asked, because it wants to be left alone for some more seconds."""
    return DeliveryFailed(
        f"was not asked: it wants to be left alone for {seconds:.0f} s more",
        remedy="wait; when it comes back, spread mails over several mailboxes or servers",
    )


def _remedy(status: int, code: str) -> str:
    if code in _REMEDIES:
        return _REMEDIES[code]
    if status == _UNAUTHORIZED:
        return "check tenant and graph_url: Graph does not take the tokens that login_url gives"
    if status in (_TOO_MANY, _UNAVAILABLE):
        return "wait: Graph is busy, or this application asks too often"
    return "see Microsoft's list of error codes of Graph, and the service's health in the admin center"
