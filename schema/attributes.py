"""THE table: every attribute type dirfactor adds to a directory. Numbers are append-only and never reused."""

import uuid
from dataclasses import dataclass

from schema import grammar
from schema.grammar import Grammar
from schema.syntax import Syntax
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

# Microsoft's arc for schema extensions without a registered number: 1.2.840.113556.1.8000.2554 and the parts of
# one GUID. The one constant to change before the first release under an arc of our own, and never after it.
ARC = "1.2.840.113556.1.8000.2554.24559.9090.13423.18928.44899.421097.5954808"
# Names hash into schemaIDGUIDs under this namespace, so they are the same in every forest.
GUID_NAMESPACE = uuid.UUID("576e35f3-f06c-4ad8-828c-72cc14a61c20")


@dataclass(frozen=True, slots=True)
class AttributeType:
    """One attribute type, in every dialect's terms.

    Attributes:
        number: last component of its OID under `ARC`.1; append-only.
        name: its lDAPDisplayName and its NAME.
        syntax: how values are stored.
        grammar: how one value is read.
        description: one line for the administrator.
        single: at most one value.
        indexed: worth an equality index.
        confidential: holds a secret (AD: searchFlags 128 and 512).
        low: smallest number, or fewest characters, that AD itself should accept.
        high: largest number, or most characters.
        back_link: name of the back link, for a forward link.
        forward_link: name of the forward link, for a back link.
    """

    number: int
    name: str
    syntax: Syntax
    grammar: Grammar
    description: str
    single: bool = True
    indexed: bool = False
    confidential: bool = False
    low: int | None = None
    high: int | None = None
    back_link: str | None = None
    forward_link: str | None = None

    @property
    def oid(self) -> str:
        """The attribute's object identifier."""
        return f"{ARC}.1.{self.number}"

    @property
    def guid(self) -> uuid.UUID:
        """The attribute's schemaIDGUID."""
        return uuid.uuid5(GUID_NAMESPACE, self.name)

    @property
    def field(self) -> str:
        """The name of the Python field that holds it: dirfactorSmsMode -> sms_mode."""
        name = self.name.removeprefix("dirfactor")
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).removeprefix("_")


def _words(number: int, name: str, words: Grammar, description: str, *, single: bool = True) -> AttributeType:
    return AttributeType(number, name, Syntax.STRING, words, description, single=single, low=1, high=128)


def _number(number: int, name: str, low: int, high: int, description: str) -> AttributeType:
    return AttributeType(number, name, Syntax.INTEGER, grammar.integer(low, high), description, low=low, high=high)


def _flag(number: int, name: str, description: str) -> AttributeType:
    return AttributeType(number, name, Syntax.BOOLEAN, grammar.BOOLEAN, description)


def _text(number: int, name: str, high: int, description: str) -> AttributeType:
    return AttributeType(number, name, Syntax.STRING, grammar.text(high), description, low=1, high=high)


def _secret(number: int, name: str, description: str, *, single: bool = True) -> AttributeType:
    shape = grammar.text(1024)
    return AttributeType(
        number, name, Syntax.EXACT, shape, description, single=single, confidential=True, low=1, high=1024
    )


USER = (
    AttributeType(
        1,
        "dirfactorToken",
        Syntax.STRING,
        grammar.word(TokenKind),
        "tokens assigned to this user: sms, email, vip, totp, hotp",
        single=False,
        indexed=True,
        low=1,
        high=16,
    ),
    AttributeType(
        2,
        "dirfactorVipCredential",
        Syntax.STRING,
        grammar.text(40),
        "Symantec VIP credential ids, such as VSST12345678",
        single=False,
        indexed=True,
        low=4,
        high=40,
    ),
    _text(3, "dirfactorPhone", 64, "phone number for SMS, instead of the attribute that the policy names"),
    _text(4, "dirfactorMail", 254, "mail address for codes, instead of the attribute that the policy names"),
    AttributeType(
        5,
        "dirfactorLoginName",
        Syntax.STRING,
        grammar.text(254),
        "alternative login name",
        indexed=True,
        low=1,
        high=254,
    ),
    _secret(6, "dirfactorPin", "keyed digest of the PIN"),
    AttributeType(7, "dirfactorPinSetAt", Syntax.TIME, grammar.TIME, "when the PIN was set, for its expiry"),
    _secret(8, "dirfactorSecret", "sealed seeds of TOTP and HOTP tokens", single=False),
    _secret(9, "dirfactorTemporaryResponse", "hash, expiry and uses of a temporary response"),
    AttributeType(
        10,
        "dirfactorUnlockedAt",
        Syntax.TIME,
        grammar.TIME,
        "violations before this instant do not count: write the present time to unlock",
    ),
)

SUBJECT = (
    AttributeType(
        20,
        "dirfactorPolicy",
        Syntax.DN,
        grammar.DN,
        "security policy of this user, group, organizational unit, domain or access node",
        back_link="dirfactorPolicySubjects",
    ),
    AttributeType(
        22,
        "dirfactorReplyAttribute",
        Syntax.STRING,
        grammar.REPLY_RULE,
        "RADIUS attribute added to an accept, such as Filter-Id=vpn-staff",
        single=False,
        low=3,
        high=512,
    ),
)

BACK_LINKS = (
    AttributeType(
        21,
        "dirfactorPolicySubjects",
        Syntax.DN,
        grammar.DN,
        "who has this policy assigned (kept by the directory)",
        single=False,
        forward_link="dirfactorPolicy",
    ),
    AttributeType(
        24,
        "dirfactorMemberOfNode",
        Syntax.DN,
        grammar.DN,
        "access nodes that this user or group may use (kept by the directory)",
        single=False,
        forward_link="dirfactorMember",
    ),
)

POLICY = (
    # Defender's General tab
    _words(30, "dirfactorFirstMethod", grammar.word(Method), "first method: " + ", ".join(Method)),
    _number(31, "dirfactorFirstMethodAttempts", 1, 10, "tries of the first method in one logon"),
    _words(32, "dirfactorSecondMethod", grammar.word(Method), "second method, or none"),
    _number(33, "dirfactorSecondMethodAttempts", 1, 10, "tries of the second method in one logon"),
    _words(
        34,
        "dirfactorTokenOrder",
        grammar.words_in_order(TokenKind),
        "which token to ask for first: vip, sms, email",
    ),
    _flag(35, "dirfactorTokenFallback", "offer the next token when the first cannot be reached"),
    _number(36, "dirfactorPriority", 0, 100000, "between the policies of two groups the lower number wins"),
    _text(37, "dirfactorPrompt", 200, "prompt instead of the built-in one; {destination} may stand in it"),
    # the codes that we send
    _number(40, "dirfactorCodeLength", 6, 10, "digits of a code that we send"),
    _number(41, "dirfactorCodeLifetime", 30, 600, "seconds for which a code that we send is good"),
    _number(42, "dirfactorCodeAttempts", 1, 10, "wrong answers after which a challenge is dead"),
    _number(43, "dirfactorCodesPerWindow", 1, 100, "codes sent to one user in 15 minutes at most"),
    _number(44, "dirfactorAheadLifetime", 1, 720, "hours for which codes delivered ahead are good"),
    # Defender's SMS Token tab
    _flag(50, "dirfactorSmsEnabled", "whether the SMS token may be used"),
    _words(51, "dirfactorSmsMode", grammar.word(SendMode), "when a text is sent: onLogon, keyword, ahead"),
    _text(52, "dirfactorSmsKeyword", 64, "word that has a text sent"),
    _words(
        53,
        "dirfactorSmsKeywordKind",
        grammar.word(KeywordKind),
        "what serves as keyword: word, pin, password",
    ),
    _number(54, "dirfactorSmsCodesPerMessage", 1, 10, "codes in one text"),
    _text(55, "dirfactorSmsTemplate", 480, "the text; {code} must stand in it, {minutes} may"),
    _words(56, "dirfactorSmsGateways", grammar.names(8), "gateways by their names in config.ini, in order"),
    _words(57, "dirfactorSmsPhoneAttribute", grammar.ATTRIBUTE_NAME, "which attribute holds the phone number"),
    # Defender's E-mail Token tab
    _flag(60, "dirfactorEmailEnabled", "whether the e-mail token may be used"),
    _words(61, "dirfactorEmailMode", grammar.word(SendMode), "when a mail is sent: onLogon, keyword, ahead"),
    _text(62, "dirfactorEmailKeyword", 64, "word that has a mail sent"),
    _words(
        63,
        "dirfactorEmailKeywordKind",
        grammar.word(KeywordKind),
        "what serves as keyword: word, pin, password",
    ),
    _number(64, "dirfactorEmailCodesPerMessage", 1, 10, "codes in one mail"),
    _text(65, "dirfactorEmailSubject", 200, "subject of the mail"),
    _text(66, "dirfactorEmailTemplate", 4000, "plain text of the mail; {code} must stand in it, {minutes} may"),
    _text(67, "dirfactorEmailHtmlTemplate", 32000, "HTML alternative of the mail; {code} must stand in it"),
    _words(68, "dirfactorEmailGateways", grammar.names(8), "mail servers by their names in config.ini, in order"),
    _words(69, "dirfactorEmailMailAttribute", grammar.ATTRIBUTE_NAME, "which attribute holds the mail address"),
    # VIP and software tokens
    _flag(70, "dirfactorVipEnabled", "whether Symantec VIP credentials may be used"),
    _text(71, "dirfactorVipKeyword", 64, "word that has VIP send a code"),
    _flag(72, "dirfactorTotpEnabled", "whether time-based software tokens may be used"),
    _flag(73, "dirfactorHotpEnabled", "whether event-based software tokens may be used"),
    _number(74, "dirfactorTotpWindow", 0, 10, "time steps before and after now that are accepted"),
    _number(75, "dirfactorHotpLookAhead", 1, 100, "counter values ahead that are accepted"),
    _number(
        76,
        "dirfactorResynchroniseWindow",
        1,
        1000,
        "steps searched when two codes in a row resynchronise a token",
    ),
    # Defender's Account tab
    _number(80, "dirfactorLogonAttempts", 1, 10, "wrong codes that make one violation"),
    _number(81, "dirfactorViolationLimit", 1, 100, "violations that lock second-factor logon"),
    _number(82, "dirfactorLockMinutes", 1, 100000, "minutes for which the lock holds"),
    _flag(83, "dirfactorResetOnSuccess", "whether a successful logon forgets violations"),
    # Defender's Logon Hours and Expiry tabs
    AttributeType(
        84,
        "dirfactorLogonHours",
        Syntax.STRING,
        grammar.LOGON_HOURS,
        "when logon is permitted: Mon-Fri 07:00-19:00; Sat 09:00-12:00; Europe/Vienna",
        low=1,
        high=512,
    ),
    _flag(85, "dirfactorAllowExpiredPassword", "whether an expired but right password counts as right"),
    _flag(86, "dirfactorPinWithToken", "whether a PIN is typed in front of the code of a token"),
    _number(87, "dirfactorPinMinimumLength", 4, 16, "fewest digits of a PIN"),
    _number(88, "dirfactorPinMaximumLength", 4, 32, "most digits of a PIN"),
    _number(89, "dirfactorPinExpireDays", 0, 10000, "days after which a PIN expires; 0 is never"),
    _flag(90, "dirfactorTemporaryResponseAllowed", "whether the helpdesk may set temporary responses"),
    _number(91, "dirfactorTemporaryResponseMinutes", 1, 10080, "longest life of a temporary response"),
    _flag(92, "dirfactorTemporaryResponseMultipleUse", "whether a temporary response may be used repeatedly"),
    # ours
    _number(
        95,
        "dirfactorMaximumStaleness",
        60,
        2592000,
        "age of the directory data, in seconds, after which logon is refused",
    ),
)

NODE = (
    _words(110, "dirfactorNodeType", grammar.word(NodeType), "radius, http or proxy"),
    AttributeType(
        111,
        "dirfactorAddress",
        Syntax.STRING,
        grammar.NETWORK,
        "address or network that requests come from, such as 192.0.2.7 or 192.0.2.0/24",
        single=False,
        low=1,
        high=64,
    ),
    _secret(112, "dirfactorSharedSecret", "sealed RADIUS shared secret"),
    _text(
        113,
        "dirfactorSharedSecretName",
        64,
        "name of a [secret:NAME] section of config.ini, instead of the above",
    ),
    _words(114, "dirfactorLoginMode", grammar.word(LoginMode), "challenge, append, rejectThenCode or codeOnly"),
    _words(115, "dirfactorUserIdAttribute", grammar.word(UserIdAttribute), "any, sam, upn, mail or loginName"),
    AttributeType(
        116,
        "dirfactorMember",
        Syntax.DN,
        grammar.DN,
        "users and groups that may use this access node; nobody else may",
        single=False,
        back_link="dirfactorMemberOfNode",
    ),
    _flag(
        117,
        "dirfactorRequireMessageAuthenticator",
        "whether requests without Message-Authenticator are discarded",
    ),
    _flag(
        118,
        "dirfactorLimitProxyState",
        "whether requests with Proxy-State but no Message-Authenticator are discarded",
    ),
    _words(119, "dirfactorCharacterSet", grammar.word(CharacterSet), "how the client encodes what people type"),
    _flag(120, "dirfactorAsciiPrompts", "whether prompts are reduced to ASCII"),
    _text(121, "dirfactorApiKeyHash", 128, "SHA-256 of the API key of the node, in hex"),
    _text(122, "dirfactorCertificateName", 254, "subject name of the client certificate of the node"),
    AttributeType(
        123,
        "dirfactorProxyTarget",
        Syntax.STRING,
        grammar.TARGET,
        "address:port of the server that a proxy node forwards to",
        low=1,
        high=254,
    ),
    _number(124, "dirfactorCoalesceSeconds", 0, 300, "seconds for which a repeated first step joins the first one"),
    _flag(125, "dirfactorNodeEnabled", "whether the access node may be used"),
)

ATTRIBUTES: tuple[AttributeType, ...] = (*USER, *SUBJECT, *BACK_LINKS, *POLICY, *NODE)
BY_NAME = {attribute.name.lower(): attribute for attribute in ATTRIBUTES}


@dataclass(frozen=True, slots=True)
class ObjectClass:
    """One object class.

    Attributes:
        number: last component of its OID under `ARC`.2; append-only.
        name: its lDAPDisplayName and its NAME.
        description: one line for the administrator.
        may: the attribute types an entry of the class may have.
        structural: whether entries are made of it; else it is auxiliary.
        attach: AD classes that get it as auxiliaryClass, by cn of their classSchema object.
        superiors: AD classes under which a structural class may stand.
    """

    number: int
    name: str
    description: str
    may: tuple[AttributeType, ...]
    structural: bool = False
    attach: tuple[str, ...] = ()
    superiors: tuple[str, ...] = ("container", "organizationalUnit", "domainDNS")

    @property
    def oid(self) -> str:
        """The class's object identifier."""
        return f"{ARC}.2.{self.number}"

    @property
    def guid(self) -> uuid.UUID:
        """The class's schemaIDGUID."""
        return uuid.uuid5(GUID_NAMESPACE, self.name)


CLASSES = (
    ObjectClass(1, "dirfactorUser", "what a user brings to the second factor", USER, attach=("User",)),
    ObjectClass(
        2,
        "dirfactorSubject",
        "anything that a security policy can be assigned to",
        (*SUBJECT, BACK_LINKS[1]),
        attach=("User", "Group", "Organizational-Unit", "Domain-DNS"),
    ),
    ObjectClass(
        3,
        "dirfactorSecurityPolicy",
        "a security policy",
        (*POLICY, SUBJECT[1], BACK_LINKS[0]),
        structural=True,
    ),
    ObjectClass(4, "dirfactorAccessNode", "an access node: who may ask us", (*NODE, *SUBJECT), structural=True),
)

# One property set, so that one ACE delegates the lot (MS-ADTS 5.1.3.3.1).
PROPERTY_SET_GUID = uuid.UUID("37d9d62d-6a6d-43f2-a578-7e8cd9982a30")
