"""Which of a user's tokens can be used: assigned, enabled by the policy, reachable. Pure."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import msgspec

from auth.addresses import EmailAddress, PhoneNumber, email_address, phone_number
from auth.facts import Reach
from auth.otp.sealed import sealed_tokens
from schema.entry import Policy, User
from schema.words import TokenKind


class Usable(msgspec.Struct, frozen=True):
    """A token that can be asked for.

    Attributes:
        kind: the token.
        phone: where its text goes, for SMS.
        mail: where its mail goes, for e-mail.
        credentials: the VIP credentials that may answer, for VIP.
        serials: the software tokens whose codes may be typed, for totp and hotp.
        code_length: how many characters its codes have; where password and code share a field it is cut by this.
    """

    kind: TokenKind
    phone: PhoneNumber | None = None
    mail: EmailAddress | None = None
    credentials: tuple[str, ...] = ()
    serials: tuple[str, ...] = ()
    code_length: int = 6

    @property
    def address(self) -> str:
        """Where its codes are sent; empty where none are."""
        return self.phone or self.mail or ""


class Unusable(msgspec.Struct, frozen=True):
    """A token that cannot be asked for, and why."""

    kind: TokenKind
    why: str


_Reader = Callable[[User, Policy, str | None, Reach], Usable | Unusable]


def usable_tokens(user: User, policy: Policy, region: str | None, reach: Reach) -> Iterator[Usable | Unusable]:
    """Every kind of token in the policy's order, usable or with the reason why not.

    Args:
        user: whose tokens.
        policy: says which are enabled, in which order, and where phone numbers and mail addresses are.
        region: country for phone numbers without a country code.
        reach: the gateways, mail servers and services that config.ini has.
    """
    for kind in policy.token_order:
        if kind not in user.tokens:
            yield Unusable(kind, "not assigned to the user (dirfactorToken)")
        else:
            yield _READERS[kind](user, policy, region, reach)
    for kind in user.tokens:
        if kind not in policy.token_order:
            yield Unusable(kind, "assigned, but not in the policy's dirfactorTokenOrder")


def phone_home(user: User, policy: Policy) -> tuple[str, str | None]:
    """The attribute in which the user's number for texts is looked for, and what stands there."""
    if user.phone:
        return "dirfactorPhone", user.phone
    return policy.sms_phone_attribute, next(iter(user.values_of(policy.sms_phone_attribute)), None)


def _sms(user: User, policy: Policy, region: str | None, reach: Reach) -> Usable | Unusable:
    if not policy.sms_enabled:
        return Unusable(TokenKind.SMS, "the policy does not enable it (dirfactorSmsEnabled)")
    lacking = _lacking("sms", policy.sms_gateways, reach.sms)
    if lacking:
        return Unusable(TokenKind.SMS, lacking)
    home, text = phone_home(user, policy)
    if text is None:
        return Unusable(TokenKind.SMS, f"the user has no phone number in {home}")
    phone = phone_number(text, region)
    if phone is None:
        return Unusable(TokenKind.SMS, f"{home} does not hold a phone number that can be dialled")
    refusal = reach.numbers.refusal(phone)
    if refusal is not None:
        return Unusable(TokenKind.SMS, f"the number in {home} {refusal.problem}: {refusal.remedy}")
    return Usable(TokenKind.SMS, phone=phone, code_length=policy.code_length)


def _email(user: User, policy: Policy, _region: str | None, reach: Reach) -> Usable | Unusable:
    if not policy.email_enabled:
        return Unusable(TokenKind.EMAIL, "the policy does not enable it (dirfactorEmailEnabled)")
    lacking = _lacking("email", policy.email_gateways, reach.mail)
    if lacking:
        return Unusable(TokenKind.EMAIL, lacking)
    texts = (user.mail_override,) if user.mail_override else user.values_of(policy.email_mail_attribute)
    home = "dirfactorMail" if user.mail_override else policy.email_mail_attribute
    if not texts:
        return Unusable(TokenKind.EMAIL, f"the user has no mail address in {home}")
    mail = email_address(texts[0])
    if mail is None:
        return Unusable(TokenKind.EMAIL, f"{home} does not hold one mail address")
    return Usable(TokenKind.EMAIL, mail=mail, code_length=policy.code_length)


def _vip(user: User, policy: Policy, _region: str | None, reach: Reach) -> Usable | Unusable:
    if not policy.vip_enabled:
        return Unusable(TokenKind.VIP, "the policy does not enable it (dirfactorVipEnabled)")
    if not reach.vip:
        return Unusable(TokenKind.VIP, "config.ini has no [vip] section")
    if not user.vip_credentials:
        return Unusable(TokenKind.VIP, "the user has no credential in dirfactorVipCredential")
    if len(user.vip_credentials) > _MOST_CREDENTIALS:
        return Unusable(TokenKind.VIP, f"more than {_MOST_CREDENTIALS} credentials in dirfactorVipCredential")
    return Usable(TokenKind.VIP, credentials=tuple(sorted(user.vip_credentials)))


def _lacking(section: str, named: Sequence[str], known: frozenset[str]) -> str:
    """What config.ini lacks for these messages; empty when nothing. One unknown name spoils all, as at delivery."""
    if not known:
        return f"config.ini has no [{section}:...] section"
    missing = next((name for name in named if name not in known), None)
    return f"the policy names gateway {missing}, which config.ini does not have" if missing is not None else ""


def _software(
    kind: TokenKind,
    enabled: Callable[[Policy], bool],
    setting: str,
    user: User,
    policy: Policy,
    _region: str | None,
    reach: Reach,
) -> Usable | Unusable:
    """A software token of either kind; what is sealed is not opened for it."""
    if not enabled(policy):
        return Unusable(kind, f"the policy does not enable it ({setting})")
    held = sealed_tokens(user, kind)
    if not held:
        return Unusable(kind, "the user has no seed for it in dirfactorSecret")
    known = [token for token in held if reach.keys is None or token.key_id in reach.keys]
    if not known:
        return Unusable(kind, f"token {held[0].serial} is sealed with key {held[0].key_id}, which is not in the ring")
    return Usable(kind, serials=tuple(token.serial for token in known), code_length=known[0].digits)


_MOST_CREDENTIALS = 5  # ValidateMultiple takes two to five
_READERS: dict[TokenKind, _Reader] = {
    TokenKind.SMS: _sms,
    TokenKind.EMAIL: _email,
    TokenKind.VIP: _vip,
    TokenKind.TOTP: partial(_software, TokenKind.TOTP, lambda policy: policy.totp_enabled, "dirfactorTotpEnabled"),
    TokenKind.HOTP: partial(_software, TokenKind.HOTP, lambda policy: policy.hotp_enabled, "dirfactorHotpEnabled"),
}
