"""From the octets of a directory entry to a typed one. What cannot be read becomes a `Malformed`, never an error."""

import re
import struct
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from schema.attributes import CLASSES, AttributeType
from schema.entry import AccessNode, AttributeText, Container, Entry, Group, Policy, User
from schema.errors import Malformed
from schema.grammar import TIME, ReplyRule
from schema.matching import prepared
from schema.placeholders import IN_MESSAGES, unknown_in
from schema.syntax import Syntax

# attribute name in lower case -> its values as the directory gave them
Attributes = Mapping[str, tuple[bytes, ...]]

# Where a policy may look for a phone number or mail address without `extra_attributes` in config.ini.
ADDRESS_ATTRIBUTES = (
    "mobile",
    "telephoneNumber",
    "homePhone",
    "pager",
    "ipPhone",
    "otherMobile",
    "mail",
    "otherMailbox",
    *(f"extensionAttribute{number}" for number in range(1, 16)),
)
# What else the parser reads, in the names of AD and of inetOrgPerson.
DIRECTORY_ATTRIBUTES = (
    "objectClass",
    "sAMAccountName",
    "uid",
    "cn",
    "ou",
    "dc",
    "name",
    "userPrincipalName",
    "displayName",
    "preferredLanguage",
    "userAccountControl",
    "accountExpires",
    "lockoutTime",
    "lockoutDuration",
    "logonHours",
    "primaryGroupID",
    "objectSid",
)
# What says that an account must not be used, where the directory is not AD: draft-behera-ldap-password-policy-10,
# RFC 2307 and 389 Directory Server.
ACCOUNT_ATTRIBUTES = (
    "pwdAccountLockedTime",
    "pwdStartTime",
    "pwdEndTime",
    "shadowExpire",
    "nsAccountLock",
    "accountUnlockTime",
)
_CODE = "{code}"
_PLACES = "no words in braces but " + " and ".join(f"{{{word}}}" for word in IN_MESSAGES)
_FOR_GOOD = b"000001010000Z"  # pwdAccountLockedTime: until an administrator undoes it, not by wrong passwords
_NEVER_UNLOCKED = b"19700101000000Z"  # accountUnlockTime: likewise
_LAST_DAY = (date.max - date(1970, 1, 1)).days
_FILETIME_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_LAST_TICK = (datetime.max.replace(tzinfo=UTC) - _FILETIME_EPOCH) // timedelta(microseconds=1) * 10 + 9
_INTEGER = re.compile(rb"-?[0-9]{1,19}")
_SURE_DIGITS: Final = 18  # a number of so many is within 64 bits; most are
_NEVER_EXPIRES = {0, 0x7FFFFFFFFFFFFFFF}  # accountExpires, MS-ADA1 2.3
_NOT_LOCKED = {0}  # lockoutTime: only 0 (MS-ADA1)
_FOR_EVER = {0, -0x8000000000000000}  # lockoutDuration, MS-ADTS 3.1.1.4.5
_ACCOUNT_DISABLED = 0x2  # userAccountControl, MS-ADTS 2.2.16

_USERS: Final = {"user", "inetorgperson", "posixaccount", "account"}
_GROUPS: Final = {"group", "groupofnames", "groupofuniquenames", "posixgroup"}
_CONTAINERS: Final = {
    "organizationalunit",
    "domaindns",
    "domain",
    "dcobject",
    "container",
    "builtindomain",
    "organization",
}
# object class -> its plain attributes in the order of the table: key in `Attributes`, field, attribute type
_PLAIN: Final = {
    item.name: tuple(
        (attribute.name.lower(), attribute.field, attribute)
        for attribute in item.may
        if attribute.syntax is not Syntax.DN
    )
    for item in CLASSES
}
_ADDRESS_KEYS: Final = tuple(name.lower() for name in ADDRESS_ATTRIBUTES)
_RID_OCTETS: Final = 4
_DOMAINS: Final = 64  # of a forest, whose users are read one after the other
# A directory has few combinations of object classes; with this many a broken one costs time, not memory.
_COMBINATIONS: Final = 1024


def parse_entry(attributes: Attributes, extra_attributes: Iterable[str] = ()) -> Entry | None:
    """The typed entry, or None for a class that is of no use here (a computer, a contact).

    Args:
        attributes: names in lower case -> values.
        extra_attributes: further attributes that policies may name for phone numbers and mail addresses.
    """
    read = _reader(attributes.get("objectclass", ()))
    return read(attributes, extra_attributes) if read else None


_Reader = Callable[[Attributes, Iterable[str]], Entry]


@lru_cache(_COMBINATIONS)
def _reader(object_class: tuple[bytes, ...]) -> _Reader | None:
    """What reads an entry of these classes; None for those of no use."""
    classes = {str(value, "utf-8", "replace").lower() for value in object_class}
    if "dirfactorsecuritypolicy" in classes:
        return lambda attributes, _: parse_policy(_first(attributes, "cn", "name"), attributes)
    if "dirfactoraccessnode" in classes:
        return lambda attributes, _: parse_node(_first(attributes, "cn", "name"), attributes)
    if "computer" in classes:
        return None
    if classes & _USERS:
        return _user
    if classes & _GROUPS:
        return lambda attributes, _: _group(attributes)
    return (lambda attributes, _: _container(attributes)) if classes & _CONTAINERS else None


def parse_policy(name: str, attributes: Attributes) -> Policy:
    """A security policy of the directory, or of a [policy:NAME] section: the same words, the same reader."""
    reading = _Reading(attributes)
    values = reading.values("dirfactorSecurityPolicy")
    for field in ("sms_template", "email_template", "email_html_template"):
        text = values.get(field, _CODE)
        unknown = unknown_in(text)
        if _CODE in text and not unknown:
            continue
        found, expected = (f"{{{unknown[0]}}}", _PLACES) if unknown else ("...", f"{_CODE} in the text")
        reading.malformed.append(Malformed(_spelling("dirfactorSecurityPolicy", field), found, expected))
        del values[field]
    return Policy(name=name, malformed=tuple(reading.malformed), **values)


def parse_node(name: str, attributes: Attributes) -> AccessNode:
    """An access node of the directory, or of a [node:NAME] section."""
    reading = _Reading(attributes)
    values = reading.values("dirfactorAccessNode")
    return AccessNode(name=name, malformed=tuple(reading.malformed), **values)


class _Reading:
    """Reads the values of one entry and gathers what is malformed."""

    def __init__(self, attributes: Attributes) -> None:
        self.attributes = attributes
        self.malformed: list[Malformed] = []

    def values(self, object_class: str) -> dict[str, Any]:
        """Field name -> typed value, for each of the class's plain attributes that is there and well-formed."""
        read = {}
        for key, field, attribute in _PLAIN[object_class]:
            if raw := self.attributes.get(key):
                value = self._read(attribute, raw)
                if value is not None:
                    read[field] = value
        return read

    def number(self, attribute: str) -> int | None:
        """A directory integer of 64 bits, signed (AD's syntax 2.5.5.16); None when it is absent or malformed."""
        raw = self.attributes.get(attribute.lower())
        if not raw:
            return None
        if raw[0].isdigit() and len(raw[0]) <= _SURE_DIGITS:
            return int(raw[0])
        number = int(raw[0]) if _INTEGER.fullmatch(raw[0].strip()) else None
        if number is None or not -(2**63) <= number < 2**63:
            self.spoil(attribute, raw[0], f"a whole number from {-(2**63)} to {2**63 - 1}")
            return None
        return number

    def filetime(self, attribute: str, never: set[int]) -> datetime | None:
        """An instant from 100 ns ticks since 1601 (MS-DTYP 2.3.3); None for `never`, and when absent or malformed."""
        ticks = self.number(attribute)
        if ticks is None or ticks in never:
            return None
        if not 0 <= ticks <= _LAST_TICK:
            self.spoil(attribute, b"%d" % ticks, f"a time as a whole number from 0 to {_LAST_TICK}")
            return None
        return _FILETIME_EPOCH + timedelta(microseconds=ticks // 10)

    def day(self, attribute: str) -> datetime | None:
        """The beginning of a day from its number since 1970 (RFC 2307 section 2.2); None for a negative one: never."""
        days = self.number(attribute)
        if days is None or days < 0:
            return None
        if days > _LAST_DAY:
            self.spoil(attribute, b"%d" % days, f"days since 1970, up to {_LAST_DAY}")
            return None
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=days)

    def instant(self, attribute: str) -> datetime | None:
        """An instant from a GeneralizedTime (RFC 4517 section 3.3.13); None when it is absent or malformed."""
        raw = self.attributes.get(attribute.lower())
        if not raw:
            return None
        try:
            instant: datetime = TIME.read(raw[0].decode())
        except ValueError:
            self.spoil(attribute, raw[0], TIME.expected)
            return None
        return instant

    def _read(self, attribute: AttributeType, raw: tuple[bytes, ...]) -> Any:
        if attribute.single and len(raw) > 1:
            self.spoil(attribute.name, b"two or more values", "one value")
            return None
        values = []
        for octets in raw:
            try:
                values.append(attribute.grammar.read(octets.decode().strip()))
            except ValueError:
                shown = b"***" if attribute.confidential else octets
                self.spoil(attribute.name, shown, attribute.grammar.expected)
        if not values:
            return None
        if attribute.single:
            return values[0]
        return tuple(values if len(values) == 1 else dict.fromkeys(values))

    def spoil(self, attribute: str, octets: bytes, expected: str) -> None:
        """Note a finding; `expected` is a phrase that follows "expected"."""
        self.malformed.append(Malformed(attribute, octets.decode(errors="backslashreplace")[:200], expected))


def _is_of_active_directory(attributes: Attributes) -> bool:
    """Whether the entry is a user of AD: such a one always has a userAccountControl, readable or not."""
    classes = {value.lower() for value in attributes.get("objectclass", ())}
    return b"user" in classes and bool(attributes.get("objectsid") or attributes.get("samaccountname"))


def _is_locked_for_good(attributes: Attributes) -> bool:
    """Whether an administrator has locked the account of OpenLDAP or 389-ds.

    A lock that wrong passwords have brought about ends by itself, at a time that the directory alone knows: it refuses
    the password while it lasts.
    """
    return (
        _FOR_GOOD in attributes.get("pwdaccountlockedtime", ())
        or _NEVER_UNLOCKED in attributes.get("accountunlocktime", ())
        or b"true" in map(bytes.lower, attributes.get("nsaccountlock", ()))
    )


def _user(attributes: Attributes, extra_attributes: Iterable[str]) -> User:
    reading = _Reading(attributes)
    ours = reading.values("dirfactorUser")
    control = reading.number("userAccountControl") or 0
    if not attributes.get("useraccountcontrol") and _is_of_active_directory(attributes):
        reading.spoil("userAccountControl", b"no value", "a value that the sync account may read")
    keys = (*_ADDRESS_KEYS, *(name.lower() for name in extra_attributes)) if extra_attributes else _ADDRESS_KEYS
    texts = [
        AttributeText(key, str(octets, "utf-8", "replace"))
        for key in keys
        if key in attributes
        for octets in attributes[key]
    ]
    return User(
        sam=_text(attributes, "samaccountname", "uid"),
        upn=_text(attributes, "userprincipalname"),
        mail=_text(attributes, "mail"),
        display_name=_text(attributes, "displayname", "cn", "name"),
        language=_text(attributes, "preferredlanguage"),
        disabled=bool(control & _ACCOUNT_DISABLED) or _is_locked_for_good(attributes),
        starts_at=reading.instant("pwdStartTime"),
        expires_at=_end(reading),
        locked_at=reading.filetime("lockoutTime", _NOT_LOCKED),
        logon_grid=attributes["logonhours"][0] if attributes.get("logonhours") else None,
        primary_group_sid=_primary_group_sid(attributes, reading),
        texts=tuple(texts),
        tokens=ours.get("token", ()),
        vip_credentials=ours.get("vip_credential", ()),
        phone=ours.get("phone"),
        mail_override=ours.get("mail"),
        login_name=ours.get("login_name"),
        pin=ours.get("pin"),
        pin_set_at=ours.get("pin_set_at"),
        secrets=ours.get("secret", ()),
        temporary_response=ours.get("temporary_response"),
        unlocked_at=ours.get("unlocked_at"),
        reply_attributes=_reply_attributes(reading),
        malformed=tuple(reading.malformed),
    )


def _end(reading: _Reading) -> datetime | None:
    """The account's end: the first of those that the directory names."""
    ends = (
        reading.filetime("accountExpires", _NEVER_EXPIRES),
        reading.day("shadowExpire"),
        reading.instant("pwdEndTime"),
    )
    return min((end for end in ends if end is not None), default=None)


def _group(attributes: Attributes) -> Group:
    reading = _Reading(attributes)
    return Group(
        name=_first(attributes, "samaccountname", "cn", "name"),
        sid=_sid(attributes["objectsid"][0]) if attributes.get("objectsid") else None,
        reply_attributes=_reply_attributes(reading),
        malformed=tuple(reading.malformed),
    )


def _container(attributes: Attributes) -> Container:
    reading = _Reading(attributes)
    return Container(
        name=_first(attributes, "ou", "dc", "cn", "name"),
        lockout_seconds=_interval(reading.number("lockoutDuration")),
        reply_attributes=_reply_attributes(reading),
        malformed=tuple(reading.malformed),
    )


def _reply_attributes(reading: _Reading) -> tuple[ReplyRule, ...]:
    rules: tuple[ReplyRule, ...] = reading.values("dirfactorSubject").get("reply_attribute", ())
    return rules


def _text(attributes: Attributes, *names: str) -> str | None:
    for name in names:
        if values := attributes.get(name):
            return str(values[0], "utf-8", "replace")
    return None


def _first(attributes: Attributes, *names: str) -> str:
    return _text(attributes, *names) or "?"


def _spelling(object_class: str, field: str) -> str:
    return next(attribute.name for _, known, attribute in _PLAIN[object_class] if known == field)


def _interval(ticks: int | None) -> int | None:
    """Seconds from AD's negative 100 ns interval; 0 for the one that means for ever (MS-ADTS 3.1.1.4.5)."""
    if ticks is None:
        return None
    return 0 if ticks in _FOR_EVER else -ticks // 10_000_000


def _sid(octets: bytes) -> str | None:
    """A SID as text (MS-DTYP 2.4.2.1): `S-1-5-21-...-513`; None for octets that are none."""
    if len(octets) < 8 or len(octets) != 8 + 4 * octets[1]:  # noqa: PLR2004 - revision, count and authority
        return None
    authority = int.from_bytes(octets[2:8], "big")
    parts = struct.unpack(f"<{octets[1]}I", octets[8:])
    return "-".join(["S", str(octets[0]), str(authority), *map(str, parts)])


def _primary_group_sid(attributes: Attributes, reading: _Reading) -> str | None:
    """The user's domain SID with the primary group's RID in place of the user's own."""
    rid = reading.number("primaryGroupID")
    domain = _domain_sid(attributes["objectsid"][0][:-_RID_OCTETS]) if attributes.get("objectsid") else None
    return None if rid is None or domain is None else f"{domain}-{rid}"


@lru_cache(_DOMAINS)
def _domain_sid(octets: bytes) -> str | None:
    """A user's domain SID as text, from their own without its last number; None for octets that are none."""
    if len(octets) < 8 or not octets[1]:  # noqa: PLR2004 - revision, count and authority
        return None
    return _sid(bytes((octets[0], octets[1] - 1)) + octets[2:])


_Key = tuple[str, Callable[[User], str | None]]
_LOGIN_KEYS: tuple[_Key, ...] = (
    ("sam", lambda user: user.sam),
    ("upn", lambda user: user.upn),
    ("mail", lambda user: user.mail),
    ("loginName", lambda user: user.login_name),
)


def names_of(entry: Entry) -> tuple[tuple[str, str], ...]:
    """The names under which an entry is found, as (kind, folded name); groups by their SID."""
    if isinstance(entry, User):
        return tuple((kind, fold(name)) for kind, read in _LOGIN_KEYS if (name := read(entry)))
    if isinstance(entry, Group) and entry.sid:
        return (("sid", fold(entry.sid)),)
    return ()


def fold(name: str) -> str:
    """The form in which login names are compared, as a directory does: `schema.matching.prepared`."""
    return prepared(name)
