"""The entries of a directory as values: user, group, container, policy and access node, parsed and frozen.

They hold nothing that could lead back to them, and so the garbage collector need not go through them: `gc=False`.
"""

from datetime import datetime

import msgspec

from schema.errors import Malformed
from schema.grammar import ReplyRule
from schema.hours import LogonHours
from schema.words import (
    CharacterSet,
    KeywordKind,
    LoginMode,
    Method,
    NodeType,
    SendMode,
    TokenKind,
    UserIdAttribute,
)

# objectGUID or entryUUID as 16 octets in the order of RFC 4122. The only key of an entry: DNs change.
EntryId = bytes


class AttributeText(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One value of an attribute that a policy may name as the home of a phone number or mail address.

    Attributes:
        attribute: the attribute's name in lower case.
        value: the text as the directory has it.
    """

    attribute: str
    value: str


class User(msgspec.Struct, frozen=True, tag="user", omit_defaults=True, gc=False):
    """A person who logs on.

    Attributes:
        sam: sAMAccountName, or uid.
        upn: userPrincipalName.
        mail: mail.
        login_name: dirfactorLoginName.
        display_name: for people who read an audit.
        language: preferredLanguage, e.g. `de-AT`.
        disabled: the directory says that the account must not be used.
        starts_at: the account's beginning (pwdStartTime), before which it must not be used.
        expires_at: the account's end.
        locked_at: when the directory locked the account (lockoutTime); it ends by the domain's lockout duration.
        logon_grid: AD's logonHours; None permits always.
        primary_group_sid: SID of the primary group, which is not among the group's members in AD.
        texts: values of the attributes that policies may name.
        tokens: the tokens assigned.
        vip_credentials: ids of VIP credentials.
        phone: override of the phone attribute that the policy names.
        mail_override: override of the mail attribute that the policy names.
        pin: keyed digest of the PIN.
        pin_set_at: when the PIN was set.
        secrets: sealed seeds.
        temporary_response: hash, expiry and uses.
        unlocked_at: violations before this do not count.
        reply_attributes: added to an accept.
        malformed: values that could not be read; not empty means that the user is refused.
    """

    sam: str | None = None
    upn: str | None = None
    mail: str | None = None
    login_name: str | None = None
    display_name: str | None = None
    language: str | None = None
    disabled: bool = False
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    locked_at: datetime | None = None
    logon_grid: bytes | None = None
    primary_group_sid: str | None = None
    texts: tuple[AttributeText, ...] = ()
    tokens: tuple[TokenKind, ...] = ()
    vip_credentials: tuple[str, ...] = ()
    phone: str | None = None
    mail_override: str | None = None
    pin: str | None = None
    pin_set_at: datetime | None = None
    secrets: tuple[str, ...] = ()
    temporary_response: str | None = None
    unlocked_at: datetime | None = None
    reply_attributes: tuple[ReplyRule, ...] = ()
    malformed: tuple[Malformed, ...] = ()

    def values_of(self, attribute: str) -> tuple[str, ...]:
        """The texts under an attribute's name, in any case."""
        wanted = attribute.lower()
        return tuple(text.value for text in self.texts if text.attribute == wanted)


class Group(msgspec.Struct, frozen=True, tag="group", omit_defaults=True, gc=False):
    """A group of users and groups.

    Attributes:
        name: sAMAccountName or cn.
        sid: objectSid as text, to find primary groups.
        reply_attributes: added to an accept of its members.
        malformed: values that could not be read.
    """

    name: str
    sid: str | None = None
    reply_attributes: tuple[ReplyRule, ...] = ()
    malformed: tuple[Malformed, ...] = ()


class Container(msgspec.Struct, frozen=True, tag="container", omit_defaults=True, gc=False):
    """An organizational unit, domain or container: it holds entries and may have a policy assigned.

    Attributes:
        name: its ou, dc or cn.
        lockout_seconds: a domain's lockoutDuration; None where it has none, 0 where a lock lasts until it is undone.
        reply_attributes: added to an accept.
        malformed: values that could not be read.
    """

    name: str
    lockout_seconds: int | None = None
    reply_attributes: tuple[ReplyRule, ...] = ()
    malformed: tuple[Malformed, ...] = ()


class Policy(msgspec.Struct, frozen=True, tag="policy", omit_defaults=True, gc=False):
    """A security policy; the defaults are the built-in one. Fields are the attributes of `schema.attributes`.

    Three wrong codes make a violation, three violations lock: nine tries, one fewer than VIP allows in a row.
    """

    name: str
    first_method: Method = Method.TOKEN
    first_method_attempts: int = 3
    second_method: Method = Method.NONE
    second_method_attempts: int = 3
    token_order: tuple[TokenKind, ...] = tuple(TokenKind)
    token_fallback: bool = False
    priority: int = 1000
    prompt: str | None = None
    code_length: int = 6
    code_lifetime: int = 300
    code_attempts: int = 3
    codes_per_window: int = 5
    ahead_lifetime: int = 168
    sms_enabled: bool = False
    sms_mode: SendMode = SendMode.ON_LOGON
    sms_keyword: str | None = None
    sms_keyword_kind: KeywordKind = KeywordKind.WORD
    sms_codes_per_message: int = 1
    sms_template: str = "{code} is your logon code. It is good for {minutes} minutes."
    sms_gateways: tuple[str, ...] = ()
    sms_phone_attribute: str = "mobile"
    email_enabled: bool = False
    email_mode: SendMode = SendMode.ON_LOGON
    email_keyword: str | None = None
    email_keyword_kind: KeywordKind = KeywordKind.WORD
    email_codes_per_message: int = 1
    email_subject: str = "Your logon code"
    email_template: str = (
        "{code} is your logon code.\n\nIt is good for {minutes} minutes. If you are not logging on, tell your helpdesk."
    )
    email_html_template: str | None = None
    email_gateways: tuple[str, ...] = ()
    email_mail_attribute: str = "mail"
    vip_enabled: bool = True
    vip_keyword: str | None = None
    totp_enabled: bool = True
    hotp_enabled: bool = True
    totp_window: int = 1
    hotp_look_ahead: int = 10
    resynchronise_window: int = 100
    logon_attempts: int = 3
    violation_limit: int = 3
    lock_minutes: int = 15
    reset_on_success: bool = True
    logon_hours: LogonHours | None = None
    allow_expired_password: bool = False
    pin_with_token: bool = False
    pin_minimum_length: int = 4
    pin_maximum_length: int = 8
    pin_expire_days: int = 0
    temporary_response_allowed: bool = False
    temporary_response_minutes: int = 60
    temporary_response_multiple_use: bool = False
    maximum_staleness: int | None = None
    reply_attribute: tuple[ReplyRule, ...] = ()
    malformed: tuple[Malformed, ...] = ()


class AccessNode(msgspec.Struct, frozen=True, tag="node", omit_defaults=True, gc=False):
    """A NAS or application that may ask us. Fields are the attributes of `schema.attributes`."""

    name: str
    node_type: NodeType = NodeType.RADIUS
    address: tuple[str, ...] = ()
    shared_secret: str | None = None
    shared_secret_name: str | None = None
    login_mode: LoginMode = LoginMode.CHALLENGE
    user_id_attribute: UserIdAttribute = UserIdAttribute.ANY
    require_message_authenticator: bool = True
    limit_proxy_state: bool = True
    character_set: CharacterSet = CharacterSet.UTF_8
    ascii_prompts: bool = False
    api_key_hash: str | None = None
    certificate_name: str | None = None
    proxy_target: str | None = None
    coalesce_seconds: int = 20
    node_enabled: bool = True
    reply_attribute: tuple[ReplyRule, ...] = ()
    malformed: tuple[Malformed, ...] = ()


Entry = User | Group | Container | Policy | AccessNode
