"""What a mail server's answer, or its silence, means. No I/O."""

import re

from auth.channels.base import DeliveryFailed
from auth.channels.mail.smtp_dialogue import Stage
from auth.tls import tls_problem

_ENHANCED = re.compile(r"[245]\.(\d{1,3})\.\d{1,3}\b", re.ASCII)  # RFC 3463 section 2
_OF_ADDRESS_OR_MAILBOX = {"0", "1", "2"}  # its section 3: 0 says nothing, the rest is about systems and policies
_PERMANENT = range(500, 600)  # RFC 5321 section 4.2.1
_ABOUT_US = {530, 534, 535, 538}  # RFC 4954 section 6: refused is who asks, not whom it is for
_REMEDIES = {
    Stage.CONNECTION: "check host, port and security of its section, and whether the server runs",
    Stage.LOGIN: "check username and password of its section, and whether the server lets this account log in",
    Stage.SENDER: "check sender, username and password of its section: the server must let us send",
    Stage.RECIPIENT: "look into the mail server's log",
    Stage.MAIL: "look into the mail server's log",
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
    return DeliveryFailed(
        f"refused {stage} with {code}{f' {enhanced[0]}' if enhanced else ''}",
        remedy="check the person's mail address" if permanent else _REMEDIES[stage],
        permanent=permanent,
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
