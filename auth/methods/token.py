"""The method token: which token, whether a code is asked for, sent or checked, and what its keyword does."""

from auth.facts import CodeVerdict, Evidence, Typed
from auth.memorised.temporary_response import RESPONSE_DIGITS
from auth.methods.fields import field_of, shared, whole
from auth.methods.login import Login
from auth.methods.pin import after_pin, new_pin_is_due
from auth.otp.token import SOFTWARE_KINDS
from auth.reason import Reason
from auth.steps import AskCode, CheckCode, CheckKeyword, CheckPin, Part, Refuse, SendCode, Step, Trace, Words
from auth.tokens import Unusable, Usable
from schema.words import KeywordKind, LoginMode, SendMode, TokenKind

_SENT = (TokenKind.SMS, TokenKind.EMAIL)


def token_step(login: Login, evidence: Evidence, trace: Trace) -> Step | None:
    """The next step of the method; None when it was passed."""
    token = chosen_token(login, evidence, trace)
    if token is None:
        return Refuse(Reason.DELIVERY_FAILED if evidence.undelivered else Reason.NO_TOKEN)
    if new_pin_is_due(evidence):
        return after_pin(login, evidence, trace)
    if evidence.code is not None:
        return _judged(login, evidence, token, evidence.code, trace)
    if evidence.keyword is token.kind and token.kind not in evidence.undelivered:
        trace.note("keyword", f"that of {evidence.keyword}")
        return _send(login, evidence, token, trace)
    stuck = _stuck(login, evidence, token, trace)
    if stuck is not None:
        return Refuse(stuck)
    part, typed = _part(login, evidence, token)
    if part and typed.given and _can_be_typed(login, evidence, token):
        return _check(login, evidence, token, part, typed, trace)
    if evidence.answer is not None and typed.length == 0:
        trace.note("code", "empty")
        return Refuse(Reason.CODE_EMPTY)
    return _ask_or_send(login, evidence, token, trace)


def chosen_token(login: Login, evidence: Evidence, trace: Trace) -> Usable | None:
    """The first usable token in the policy's order, or the one that was asked for, as long as it is still usable.

    With a temporary response it is the first one assigned, when none is usable.
    """
    wanted = evidence.keyword or evidence.token or _waited_for(evidence)
    chosen: Usable | None = None
    for token in login.tokens:
        if isinstance(token, Unusable):
            trace.note(f"token {token.kind}", token.why)
        elif token.kind in evidence.undelivered and not _stock(login, token.kind):
            trace.note(f"token {token.kind}", "no gateway took the message")
            if not login.policy.token_fallback:
                return None
        elif wanted is not None and token.kind is not wanted and wanted not in evidence.undelivered:
            trace.note(f"token {token.kind}", f"usable, but {wanted} was asked for")
        elif chosen is not None:
            trace.note(f"token {token.kind}", f"usable, but {chosen.kind} comes first in dirfactorTokenOrder")
        else:
            trace.note(f"token {token.kind}", "usable")
            chosen = token
    assigned = login.person.user.tokens
    if chosen is None and assigned and _by_temporary(login, evidence):
        trace.note("temporary response", "stands for the assigned token")
        return Usable(wanted if wanted in assigned else assigned[0], code_length=RESPONSE_DIGITS)
    return chosen


def known_lengths(login: Login, evidence: Evidence, token: Usable) -> tuple[int, ...]:
    """How long a code may be that the person can know already; none where it must be sent first."""
    own = (token.code_length,) if _can_be_known(login, evidence, token) else ()
    return (*own, RESPONSE_DIGITS) if login.temporary else own


def comparable(login: Login, evidence: Evidence, token: Usable) -> bool:
    """Whether we know, or will know, in clear the only codes that may be typed here."""
    if login.temporary or login.policy.pin_with_token:
        return False
    if token.kind not in _SENT:
        return token.kind in SOFTWARE_KINDS
    if _stock(login, token.kind) or _codes_in_a_message(login, token.kind):
        return False
    waiting = evidence.waiting
    sent = waiting is not None and waiting.sent and waiting.question.token is token.kind
    return waiting is None or not sent or waiting.comparable


def sent_by_pin_alone(login: Login, evidence: Evidence, token: Usable) -> bool:
    """Whether a code of the token is to be had by typing the PIN, and by nothing else."""
    return _waits_for_keyword(login, evidence, token) and _keyword_kind(login, token) is KeywordKind.PIN


def _by_temporary(login: Login, evidence: Evidence) -> bool:
    """Whether a temporary response may stand for a token: it is good, or it has just been used up by being right."""
    used = evidence.code is CodeVerdict.RIGHT and login.person.user.temporary_response is not None
    return login.temporary or used


def _waited_for(evidence: Evidence) -> TokenKind | None:
    return evidence.waiting.question.token if evidence.waiting else None


def _stock(login: Login, kind: TokenKind) -> int:
    """How many codes for logons to come there are, where the policy's mode lets them count."""
    return login.facts.stock.get(kind, 0) if _mode(login, kind) is not SendMode.ON_LOGON else 0


def _mode(login: Login, kind: TokenKind) -> SendMode:
    modes = {TokenKind.SMS: login.policy.sms_mode, TokenKind.EMAIL: login.policy.email_mode}
    return modes.get(kind, SendMode.ON_LOGON)


def _can_be_known(login: Login, evidence: Evidence, token: Usable) -> bool:
    """Whether the person can have a code of the token: it makes them itself, or one was sent."""
    sent = evidence.waiting is not None and evidence.waiting.sent and evidence.waiting.question.token is token.kind
    return token.kind not in _SENT or sent or _stock(login, token.kind) > 0


def _can_be_typed(login: Login, evidence: Evidence, token: Usable) -> bool:
    """Whether what stands in the code's place can be a code or a keyword; else it is nothing that we have asked for."""
    known = _can_be_known(login, evidence, token) or login.temporary
    by_keyword = _mode(login, token.kind) is SendMode.KEYWORD and login.asks
    return known or by_keyword or evidence.answer is not None


def _part(login: Login, evidence: Evidence, token: Usable) -> tuple[Part | None, Typed]:
    """Where the code stands, and what is there."""
    parts = shared(login, evidence, known_lengths(login, evidence, token))
    if parts:
        length = parts[1].end or -(parts[1].start or 0)
        return parts[1], Typed(length, length, length)
    field = field_of(login, evidence)
    return (whole(field), evidence.typed(field)) if field else (None, Typed.ABSENT)


def _check(login: Login, evidence: Evidence, token: Usable, part: Part, typed: Typed, trace: Trace) -> Step:
    kind = _keyword_kind(login, token)
    words = _words(login)
    if kind is not None and not _looks_like_an_open_code(login, evidence, token, typed):
        trace.note("keyword", f"the {kind} is to be checked")
        return CheckKeyword(token, kind, part)
    lengths = (token.code_length, *((RESPONSE_DIGITS,) if login.temporary else ()))
    if login.policy.pin_with_token and evidence.pin is None:
        trace.note("PIN", "to be checked, in front of the code")
        return CheckPin(part, lengths, words)
    trace.note("code", "to be checked")
    if evidence.pin is not None:
        part = Part(part.field, evidence.pin_length, evidence.pin_length + evidence.code_length)
    return CheckCode(token, part, words)


def _stuck(login: Login, evidence: Evidence, token: Usable, trace: Trace) -> Reason | None:
    """Why nobody can ever come by a code of this token here, which waits for a keyword; None when somebody can."""
    if not _waits_for_keyword(login, evidence, token):
        return None
    kind = _keyword_kind(login, token)
    if kind is KeywordKind.PIN and login.person.user.pin is None:
        trace.note("keyword", "it is the PIN, and the user has none")
        return Reason.PIN_MISSING
    if kind is None and not _words(login):
        trace.note("keyword", f"none is set, so no code of {token.kind} is ever sent")
        return Reason.NO_TOKEN
    if kind is None and not _may_send(login, evidence):
        trace.note("keyword", "it is no factor, and no factor has been shown yet")
        return Reason.NO_FIRST_FACTOR
    return None


def _waits_for_keyword(login: Login, evidence: Evidence, token: Usable) -> bool:
    """Whether there is no code of the token, nor anything that stands for one, before its keyword is typed."""
    waits = _mode(login, token.kind) is SendMode.KEYWORD and login.asks
    return waits and not _can_be_known(login, evidence, token) and not login.temporary


def _looks_like_an_open_code(login: Login, evidence: Evidence, token: Usable, typed: Typed) -> bool:
    """Whether what was typed is to be taken for a code, and not for a PIN or password that is the keyword."""
    if evidence.waiting and evidence.waiting.sent:
        return True
    lengths = known_lengths(login, evidence, token)
    behind_pin = login.policy.pin_with_token and any((typed.length or 0) > length for length in lengths)
    return typed.only_digits and (typed.length in lengths or behind_pin)


def _keyword_kind(login: Login, token: Usable) -> KeywordKind | None:
    """PIN or password, when that is the token's keyword."""
    policy = login.policy
    if _mode(login, token.kind) is not SendMode.KEYWORD or not login.asks:
        return None
    kind = policy.sms_keyword_kind if token.kind is TokenKind.SMS else policy.email_keyword_kind
    return kind if kind is not KeywordKind.WORD else None


def _words(login: Login) -> Words:
    """The keywords of all usable tokens. A node that asks nothing has no place to type one."""
    policy = login.policy
    keywords = {
        TokenKind.SMS: policy.sms_keyword if policy.sms_keyword_kind is KeywordKind.WORD else None,
        TokenKind.EMAIL: policy.email_keyword if policy.email_keyword_kind is KeywordKind.WORD else None,
        TokenKind.VIP: policy.vip_keyword,
    }
    if not login.asks or not any(keywords.values()):
        return ()
    kinds = (token.kind for token in login.tokens if isinstance(token, Usable))
    return tuple((word, kind) for kind in kinds if (word := keywords.get(kind)))


def _ask_or_send(login: Login, evidence: Evidence, token: Usable, trace: Trace) -> Step:
    """Ask for a code that the person has, or may get by a keyword; else send one."""
    if login.temporary:
        return AskCode(token, Reason.TEMPORARY_WANTED)
    if token.kind not in _SENT:
        return AskCode(token)
    stock, mode = _stock(login, token.kind), _mode(login, token.kind)
    if mode is SendMode.KEYWORD and login.asks:
        return AskCode(token)
    if stock > 1 or (stock and (evidence.send_limited or token.kind in evidence.undelivered)):
        trace.note("stock", f"{stock} codes of {token.kind}")
        return AskCode(token)
    if stock and not _may_send(login, evidence):
        return AskCode(token)
    return _send(login, evidence, token, trace)


def _may_send(login: Login, evidence: Evidence) -> bool:
    """Send only after a factor, or for a node that has checked one itself."""
    return evidence.stage > 0 or evidence.factor or login.mode is LoginMode.CODE_ONLY


def _send(login: Login, evidence: Evidence, token: Usable, trace: Trace) -> Step:
    if not _may_send(login, evidence):
        trace.note("send", "no factor has been shown yet")
        return Refuse(Reason.NO_FIRST_FACTOR)
    if evidence.send_limited:
        trace.note("send", f"{login.policy.codes_per_window} codes in 15 minutes were sent already")
        return Refuse(Reason.SEND_LIMIT)
    trace.note("send", f"a code by {token.kind}")
    return SendCode(token, _codes_in_a_message(login, token.kind))


def _codes_in_a_message(login: Login, kind: TokenKind) -> int:
    """How many codes for logons to come a message brings; 0 where its code is good for one login only."""
    policy, mode = login.policy, _mode(login, kind)
    number = policy.sms_codes_per_message if kind is TokenKind.SMS else policy.email_codes_per_message
    return number if mode is SendMode.AHEAD or (mode is SendMode.KEYWORD and number > 1) else 0


def _judged(login: Login, evidence: Evidence, token: Usable, verdict: CodeVerdict, trace: Trace) -> Step | None:
    trace.note("code", f"of {token.kind}: {verdict}")
    match verdict:
        case CodeVerdict.RIGHT:
            return after_pin(login, evidence, trace) if evidence.pin else None
        case CodeVerdict.WRONG:
            return AskCode(token, Reason.CODE_WRONG_RETRY)
        case CodeVerdict.RESYNCHRONISE:
            return AskCode(token, Reason.CODE_RESYNCHRONISE)
        case CodeVerdict.EXHAUSTED:
            return Refuse(Reason.ATTEMPTS_EXHAUSTED)
        case CodeVerdict.LOCKED:
            return Refuse(Reason.VIOLATIONS_LOCKED)
        case CodeVerdict.UNAVAILABLE:
            vip = token.kind is TokenKind.VIP
            return Refuse(Reason.VIP_UNAVAILABLE if vip else Reason.DIRECTORY_UNAVAILABLE)
        case CodeVerdict.MISCONFIGURED:
            vip = token.kind is TokenKind.VIP
            return Refuse(Reason.VIP_MISCONFIGURED if vip else Reason.TOKEN_UNREADABLE)
