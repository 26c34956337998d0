"""What a mail server's answer, or its silence, means. No I/O."""

import re
from enum import StrEnum

from auth.channels.base import DeliveryFailed
from auth.tls import tls_problem


class Stage(StrEnum):
    """How far a mail has come; once at MAIL, the server may have taken it."""

    CONNECTION = "the connection"
    LOGIN = "the login"
    SENDER = "the sender"
    RECIPIENT = "the recipient"
    MAIL = "the mail"


class LoginRefused(DeliveryFailed):
    """The server does not take our credential."""


_ENHANCED = re.compile(r"[245]\.(\d{1,3})\.\d{1,3}\b", re.ASCII)  # RFC 3463 section 2
_OF_ADDRESS_OR_MAILBOX = {"0", "1", "2"}  # its section 3: 0 says nothing, the rest is about systems and policies
_PERMANENT = range(500, 600)  # RFC 5321 section 4.2.1
_ABOUT_US = {530, 534, 535, 538}  # RFC 4954 section 6: refused is who asks, not whom it is for
_CLOSING = 421  # RFC 5321 section 3.8
_REMEDIES = {
    Stage.CONNECTION: "check host, port and security of its section, and whether the server runs",
    Stage.LOGIN: "check username and password of its section, and whether the server lets this account log in",
    Stage.SENDER: "check sender, username and password of its section: the server must let us send",
    Stage.RECIPIENT: "look into the mail server's log",
    Stage.MAIL: "look into the mail server's log",
}
# What is the same at every stage, by reply code or enhanced status code.
_KNOWN = {
    421: "the server is busy or going down: see whether it runs, and whether it limits us; connections may be fewer",
    432: "the server allows fewer connections at once: set connections lower",
    450: "the server puts us off, perhaps by greylisting: let it except us from that",
    451: "the server puts us off, perhaps by greylisting or for a fault of its own: look into its log",
    452: "a mailbox or the server's disk is full: look into its log",
    530: "the server wants TLS or a login first: check security, and username and password",
    534: "the server wants another way to log in: an application password, or token_url",
    538: "the server wants TLS before the login: set security = starttls",
    "5.7.30": "the provider no longer takes passwords: set token_url, or driver = graph",
    "5.7.139": "the provider has switched off SMTP AUTH for this mailbox: switch it on, or set driver = graph",
}


def refused(stage: Stage, code: int, text: str) -> DeliveryFailed:
    """A refusal in our words: those of the server may hold the address.

    It is permanent when it is about the recipient's mailbox, and for good.

    Args:
        stage: what was refused.
        code: the reply code; negative for an answer that is no SMTP.
        text: what follows it.
    """
    if code < 0:
        return silent(stage, None)
    enhanced = _ENHANCED.match(text)
    permanent = (
        stage in (Stage.RECIPIENT, Stage.MAIL)
        and code in _PERMANENT
        and code not in _ABOUT_US
        and (enhanced is None or enhanced[1] in _OF_ADDRESS_OR_MAILBOX)
    )
    known = _KNOWN.get(enhanced[0] if enhanced else "") or _KNOWN.get(code) or _REMEDIES[stage]
    kind = LoginRefused if stage is Stage.LOGIN and code in _PERMANENT else DeliveryFailed
    return kind(
        f"refused {stage} with {code}{f' {enhanced[0]}' if enhanced else ''}",
        remedy="check the person's mail address" if permanent else known,
        permanent=permanent,
        answered=stage in (Stage.RECIPIENT, Stage.MAIL) and code not in _ABOUT_US | {_CLOSING},
    )


def silent(stage: Stage, error: Exception | None) -> DeliveryFailed:
    """No answer, or none that can be read; what became of the mail is unknown once it was on its way.

    Args:
        stage: where the dialogue ended.
        error: what ended it; None when it was the answer.
    """
    if stage is Stage.MAIL:
        return DeliveryFailed(
            "gave no answer to the mail",
            remedy="see in the mail server's log whether it took the mail; on_unknown says whether another is tried",
            unknown=True,
        )
    problem = tls_problem(error) if error else None
    if problem is not None:
        return DeliveryFailed(
            f"could not be asked: {problem}", remedy="set ca_file to the authority of its certificate; check host"
        )
    why = "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__ if error else "no SMTP"
    return DeliveryFailed(f"broke off before {stage} was through ({why})", remedy=_REMEDIES[Stage.CONNECTION])


# Postfix and Sendmail; Exchange; Exim; Gmail. Nothing else of an answer is shown: it may hold the address.
_QUEUE_ID = re.compile(
    r"(?:queued as |InternalId=|\bid=|^(?:2\.\d\.\d )?OK +\d{9,11} )([A-Za-z0-9][A-Za-z0-9.-]{3,63})(?![\w.@-])",
    re.IGNORECASE,
)


def queue_id(text: str) -> str | None:
    """What the server calls the mail that it has taken; None when it does not say so in a way that we know.

    Args:
        text: what follows the reply code.
    """
    found = _QUEUE_ID.search(text)
    return found[1] if found else None
