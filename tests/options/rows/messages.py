"""Rows of Defender's SMS Token and E-mail Token tabs: the same switches for two kinds of message."""

from collections.abc import Iterator

from options import courses
from options.people import Setup
from options.row import Elsewhere, Row, Scenario, policy, user
from options.rows.account import HAS_PIN
from options.sealed import PIN
from options.world import PASSWORD

SMS, EMAIL = "SMS Token", "E-mail Token"
MAILED = user(Token="email")
TEXTED = user(Token="sms")
GATEWAY = "tests/channels/sms/test_http_request.py"


def _both(kind: str, tab: str, names: dict[str, str], has: Setup) -> Iterator[Row]:
    """The rows that the two tabs have in common; `names` are Defender's for each of ours."""

    def chosen(**values: str) -> Setup:
        return policy(**{f"{kind}{name}": value for name, value in values.items()})

    yield Scenario(
        tab, names["Enabled"], chosen(Enabled="TRUE"), chosen(Enabled="FALSE"), courses.first, "code-sent", "no-token",
        common=has,
    )  # fmt: skip
    yield Scenario(
        tab,
        names["ahead"],
        chosen(Mode="ahead"),
        chosen(Mode="onLogon"),
        courses.number_of_messages,
        "1 messages",
        "2 messages",
        common=has.over(chosen(CodesPerMessage="3")),
        note="the next message goes out when the last code is about to be used",
    )
    yield Scenario(
        tab,
        names["keyword"],
        chosen(Mode="keyword"),
        chosen(Mode="onLogon"),
        courses.sent_at_once,
        "0 messages",
        "1 messages",
        common=has.over(chosen(Keyword="send")),
    )
    yield Scenario(
        tab,
        names["CodesPerMessage"],
        chosen(CodesPerMessage="10"),
        chosen(CodesPerMessage="1"),
        courses.codes_in_the_message,
        "10 codes",
        "1 codes",
        common=has.over(chosen(Mode="ahead")),
        note="1 to 10, as there",
    )
    yield Scenario(
        tab,
        names["Keyword"],
        chosen(Keyword="send"),
        chosen(Keyword="other"),
        courses.typed("SEND"),
        "code-sent",
        "code-wrong-retry",
        common=has.over(chosen(Mode="keyword")),
        note="case does not count; it also takes another token in the middle of a challenge",
    )
    yield Scenario(
        tab,
        names["pin"],
        chosen(KeywordKind="pin"),
        chosen(KeywordKind="word"),
        courses.typed(PIN),
        "code-sent",
        "code-wrong-retry",
        common=has.over(Setup(user=HAS_PIN)).over(chosen(Mode="keyword", Keyword="send")),
        note="a wrong one counts like a wrong code",
    )
    yield Scenario(
        tab,
        names["password"],
        chosen(KeywordKind="password"),
        chosen(KeywordKind="word"),
        courses.typed(PASSWORD),
        "code-sent",
        "code-wrong-retry",
        common=has.over(chosen(Mode="keyword", Keyword="send")),
        note="a wrong one counts like a wrong code, and is asked of the directory once",
    )


ROWS: tuple[Row, ...] = (
    *_both(
        "Sms",
        SMS,
        {
            "Enabled": "Enable SMS token",
            "ahead": "Send SMS to user as required",
            "keyword": "Only send SMS when user enters keyword",
            "CodesPerMessage": "Responses per SMS",
            "Keyword": "Keyword",
            "pin": "Keyword (the PIN of the SMS token)",
            "password": "Use AD Password",
        },
        TEXTED,
    ),
    Scenario(
        SMS,
        "Phone attribute",
        policy(SmsPhoneAttribute="telephoneNumber"),
        policy(SmsPhoneAttribute="mobile"),
        courses.recipient,
        "+436640000009",
        "+436640000001",
        common=Setup(user={"telephoneNumber": "+43 664 0000009"}),
        note="`dirfactorPhone` of the user comes before it",
    ),
    Elsewhere(
        SMS,
        "Mobile provider URL",
        ("[sms:NAME] url",),
        f"{GATEWAY}::test_in_the_path",
        note="placeholders may stand anywhere in it, in the path too",
    ),
    Elsewhere(SMS, "[USERID]", ("[sms:NAME] username",), f"{GATEWAY}::test_in_the_query"),
    Elsewhere(
        SMS,
        "[PASSWORD]",
        ("[sms:NAME] password",),
        f"{GATEWAY}::test_in_the_query",
        note="a reference to a file, a variable or a credential, never the password itself",
    ),
    Elsewhere(
        SMS,
        "POST Data",
        ("[sms:NAME] body", "[sms:NAME] fields", "[sms:NAME] template"),
        f"{GATEWAY}::test_in_a_form",
        note="query, form, JSON, XML or plain text, and headers",
    ),
    Elsewhere(
        SMS,
        "Success response",
        ("[sms:NAME] success_status", "[sms:NAME] success_body"),
        "tests/channels/sms/test_http_answer.py::test_a_body_that_does_not_say_success_is_a_refusal",
        note="status and body, and patterns for what is the number's fault",
    ),
    Scenario(
        SMS,
        "(several mobile providers)",
        policy(SmsGateways="second, first"),
        policy(SmsGateways="first"),
        courses.gateway,
        "second",
        "first",
        note="any number, in the policy's order; the next is asked when one fails",
    ),
    *_both(
        "Email",
        EMAIL,
        {
            "Enabled": "(enable e-mail token)",
            "ahead": "(send mail as required)",
            "keyword": "(only send mail when user enters keyword)",
            "CodesPerMessage": "(responses per mail)",
            "Keyword": "(keyword)",
            "pin": "(keyword: the PIN or the AD password)",
            "password": "(keyword: the PIN or the AD password)",
        },
        MAILED,
    ),
    Scenario(
        EMAIL,
        "(mail attribute)",
        policy(EmailMailAttribute="otherMailbox"),
        policy(EmailMailAttribute="mail"),
        courses.recipient,
        "private@example.org",
        "alice@example.org",
        common=MAILED.over(Setup(user={"otherMailbox": "private@example.org"})),
        note="`dirfactorMail` of the user comes before it",
    ),
    Scenario(
        EMAIL,
        "(SMTP server)",
        policy(EmailGateways="second, first"),
        policy(EmailGateways="first"),
        courses.gateway,
        "second",
        "first",
        common=MAILED,
        note="`[email:NAME] host` in config.ini; any number, in the policy's order",
    ),
    Elsewhere(
        EMAIL, "(port)", ("[email:NAME] port",), "tests/channels/test_mail.py::test_the_port_follows_from_the_security"
    ),
    Elsewhere(
        EMAIL,
        "(authentication: user name and password)",
        ("[email:NAME] username", "[email:NAME] password"),
        "tests/channels/test_mail.py::test_the_right_password_gets_through",
        note="over TLS only; the portal of Defender has no TLS switch",
    ),
    Elsewhere(EMAIL, "(from)", ("[email:NAME] sender",), "tests/channels/test_mail.py::test_arrives_as_it_was_written"),
    Scenario(
        EMAIL,
        "(subject)",
        policy(EmailSubject="Logon"),
        policy(EmailSubject="Code"),
        courses.message,
        "Logon | CODE",
        "Code | CODE",
        common=MAILED.over(policy(EmailTemplate="{code}")),
    ),
    Scenario(
        EMAIL,
        "(body)",
        policy(EmailTemplate="{code} is it"),
        policy(EmailTemplate="It is {code}"),
        courses.message,
        "Code | CODE is it",
        "Code | It is CODE",
        common=MAILED.over(policy(EmailSubject="Code")),
    ),
    Scenario(
        "ours",
        "HTML alternative of a mail",
        policy(EmailHtmlTemplate="<b>{code}</b>"),
        Setup(),
        courses.message,
        "Code | CODE | <b>CODE</b>",
        "Code | CODE",
        common=MAILED.over(policy(EmailTemplate="{code}", EmailSubject="Code")),
    ),
    Scenario(
        "ours",
        "the words of a text",
        policy(SmsTemplate="{code} for {minutes} minutes"),
        policy(SmsTemplate="Code {code}"),
        courses.message,
        "CODE for 5 minutes",
        "Code CODE",
    ),
    Scenario(
        "ours",
        "a number of the user's own for texts",
        user(Phone="+43 664 0000002"),
        user(Phone="+43 664 0000003"),
        courses.recipient,
        "+436640000002",
        "+436640000003",
    ),
    Scenario(
        "ours",
        "a mail address of the user's own for codes",
        user(Mail="one@example.org"),
        user(Mail="two@example.org"),
        courses.recipient,
        "one@example.org",
        "two@example.org",
        common=MAILED,
    ),
    Scenario(
        "ours",
        "digits of a code",
        policy(CodeLength="8"),
        policy(CodeLength="6"),
        courses.length_of_the_code,
        "8 digits",
        "6 digits",
    ),
    Scenario(
        "ours",
        "seconds for which a code is good",
        policy(CodeLifetime="60"),
        policy(CodeLifetime="120"),
        courses.later(seconds=90),
        "challenge-expired",
        "accepted",
    ),
    Scenario(
        "ours",
        "codes sent to one user in 15 minutes",
        policy(CodesPerWindow="5"),
        policy(CodesPerWindow="6"),
        courses.six_texts,
        "send-limit",
        "code-sent",
    ),
    Scenario(
        "ours",
        "hours for which codes sent ahead are good",
        policy(AheadLifetime="1"),
        policy(AheadLifetime="3"),
        courses.stock_later(hours=2),
        "code-wrong-retry",
        "accepted",
        common=policy(SmsMode="ahead", SmsCodesPerMessage="3"),
    ),
    Scenario(
        "ours",
        "another token when no gateway takes the message",
        policy(TokenFallback="TRUE"),
        policy(TokenFallback="FALSE"),
        courses.first_gateway_kind_down,
        "code-sent, alice@example.org",
        "delivery-failed, nothing sent",
        common=user(Token=("sms", "email")),
    ),
    Scenario(
        "ours",
        "which token is asked for first",
        policy(TokenOrder="email, sms"),
        policy(TokenOrder="sms, email"),
        courses.recipient,
        "alice@example.org",
        "+436640000001",
        common=user(Token=("sms", "email")),
    ),
    Scenario(
        "ours",
        "the words of the prompt",
        policy(Prompt="Code sent to {destination}?"),
        policy(Prompt="Code?"),
        courses.prompt,
        "Code sent to +43***01?",
        "Code?",
    ),
)
