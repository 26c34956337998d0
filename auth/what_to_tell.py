"""What a person must be told before the next logon: what comes, what to type, and in which order. Pure."""

from auth.addresses import masked
from auth.outlook import Outlook
from auth.tokens import Usable
from auth.vip.credential import shown
from schema.entry import Policy
from schema.words import KeywordKind, Method, SendMode, TokenKind


def what_to_tell(name: str, ahead: Outlook) -> str:
    """What the person must know about the next logon; empty when there is nothing good to tell."""
    token, policy = ahead.chosen, ahead.effective.policy
    if token is None or policy is None or not ahead.accepted:
        return ""
    pin = policy.pin_with_token or Method.PIN in ahead.explanation.decision.methods
    typed = " The PIN is typed " + ("in front of the code" if policy.pin_with_token else "by itself") if pin else ""
    return f"{name} {_what_comes(token, policy)}" + (f".{typed}" if pin else "")


def _what_comes(token: Usable, policy: Policy) -> str:
    if token.phone:
        sms = policy.sms_mode, policy.sms_keyword, policy.sms_keyword_kind, policy.sms_codes_per_message
        return _sent(f"a text to {masked(token.phone)}", *sms)
    if token.mail:
        mail = policy.email_mode, policy.email_keyword, policy.email_keyword_kind, policy.email_codes_per_message
        return _sent(f"a mail to {masked(token.mail)}", *mail)
    if token.serials:
        return f"is asked for the code of software token {' or '.join(token.serials)} at the next logon"
    if token.kind is not TokenKind.VIP or not token.credentials:
        return "is asked for the temporary response at the next logon"
    credentials = " or ".join(map(shown, token.credentials))
    return f"is asked for the security code of VIP credential {credentials} at the next logon"


def _sent(message: str, mode: SendMode, word: str | None, kind: KeywordKind, codes: int) -> str:
    match mode:
        case SendMode.ON_LOGON:
            return f"gets {message} at the next logon"
        case SendMode.AHEAD:
            return f"gets {message} with {codes} codes, each for one logon, when none is left"
        case SendMode.KEYWORD:
            keyword = {KeywordKind.WORD: f"the word {word}", KeywordKind.PIN: "the PIN"}.get(kind, "the password")
            return f"gets {message} after typing {keyword} where the code is asked for"
