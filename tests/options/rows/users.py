"""Rows of a user's tabs in Defender."""

from datetime import timedelta

from options import courses
from options.people import NOTHING, OPEN, STAFF, Setup
from options.row import Elsewhere, Missing, Scenario, policy, user
from options.rows.account import ONE_LOCKS
from options.sealed import (
    HOTP_SEED_SEALED,
    PIN,
    PIN_DIGEST,
    RESPONSE,
    START,
    TOTP_SEED_SEALED,
    directory_time,
    response,
)

WIZARD, TAB, DIALOG = "Token Programming Wizard", "User: Defender", "VIP Credential Configuration"
ALLOWED = policy(TemporaryResponseAllowed="TRUE", TemporaryResponseMultipleUse="TRUE")
HOUR = user(TemporaryResponse=response(minutes=60, multiple=True))
NOBODYS = user(TemporaryResponse=None)

TOTP = Setup(user={"dirfactorToken": "totp", "dirfactorSecret": TOTP_SEED_SEALED})
HOTP = Setup(user={"dirfactorToken": "hotp", "dirfactorSecret": HOTP_SEED_SEALED})

ROWS = (
    Elsewhere(
        TAB,
        "Tokens: Program",
        ("dirfactor token assign",),
        "tests/commands/test_token_real.py::test_an_assigned_token_stands_in_the_directory_and_the_user_is_to_be_told",
    ),
    Missing(
        TAB,
        "Tokens: Recover",
        "a token that went astray is set right at the logon; a PIN is set anew by `dirfactor user pin`",
    ),
    Missing(TAB, "Tokens: Test", "`dirfactor explain` says what a logon would do; a code is tried by logging on"),
    Scenario(
        TAB,
        "Tokens: Helpdesk (temporary response)",
        HOUR,
        NOBODYS,
        courses.typed(RESPONSE),
        "accepted",
        "code-wrong-retry",
        common=ALLOWED,
        note="of the user, not of one token; `dirfactor user temporary-response`",
    ),
    Scenario(
        TAB,
        "Tokens: Helpdesk (minutes of a temporary response)",
        policy(TemporaryResponseMinutes="60"),
        policy(TemporaryResponseMinutes="30"),
        courses.response_later(minutes=45),
        "accepted",
        "code-wrong-retry",
        common=ALLOWED.over(HOUR),
        note="the policy has the last word, also over one that was set before",
    ),
    Scenario(
        TAB,
        "Tokens: Helpdesk (temporary response of multiple use)",
        policy(TemporaryResponseMultipleUse="TRUE"),
        policy(TemporaryResponseMultipleUse="FALSE"),
        courses.response_twice,
        "accepted, accepted",
        "accepted, code-wrong-retry",
        common=ALLOWED.over(HOUR),
    ),
    Scenario(
        "ours",
        "whether there may be temporary responses",
        policy(TemporaryResponseAllowed="TRUE"),
        policy(TemporaryResponseAllowed="FALSE"),
        courses.typed(RESPONSE),
        "accepted",
        "code-wrong-retry",
        common=HOUR,
    ),
    Elsewhere(
        TAB,
        "Tokens: Unassign",
        ("dirfactor token remove",),
        "tests/commands/test_token_real.py::test_a_removed_token_is_gone_and_what_is_left_is_told",
        note="nothing is left behind that would have to be deleted",
    ),
    Elsewhere(
        TAB,
        "Tokens: Add",
        ("dirfactor token assign",),
        "tests/commands/test_token_real.py::test_credentials_phone_and_mail_go_where_the_logon_reads_them",
    ),
    Scenario(
        TAB,
        "Tokens: Set PIN",
        user(Pin=PIN_DIGEST),
        NOTHING,
        courses.in_one_field(PIN),
        "accepted",
        "pin-missing",
        common=policy(FirstMethod="pin", SecondMethod="none"),
        note="of the user, not of one token",
    ),
    Missing(TAB, "Tokens: Password", "there is no Defender password"),
    Scenario(
        TAB,
        "Defender ID",
        user(LoginName="a.archer"),
        user(LoginName="alice.a"),
        courses.named("a.archer"),
        "code-sent",
        "user-unknown",
    ),
    Scenario(
        TAB,
        "(violation count, reset)",
        user(UnlockedAt=directory_time(START + timedelta(minutes=30))),
        user(UnlockedAt=directory_time(START - timedelta(minutes=30))),
        courses.after_an_hour,
        "code-sent",
        "violations-locked",
        common=ONE_LOCKS.over(policy(LockMinutes="90")),
        note="write the present time with any tool, or `dirfactor user unlock`",
    ),
    Missing(TAB, "(last logon)", "nothing is written to the directory at a logon; the audit has it"),
    Scenario(
        "User: Policy",
        "Select, Clear",
        user(Policy=OPEN),
        user(Policy=STAFF),
        courses.first,
        "accepted",
        "code-sent",
    ),
    Elsewhere(
        "User: Policy",
        "Effective",
        ("dirfactor explain",),
        "tests/scenarios/test_commands.py::test_explain_names_every_policy_and_why_it_lost",
        note="also says why every other policy lost",
    ),
    Scenario(
        "User: RADIUS Payload",
        "(attributes of an accept)",
        user(ReplyAttribute="Filter-Id=alice"),
        user(ReplyAttribute="Filter-Id=other"),
        courses.attributes,
        "Filter-Id=alice",
        "Filter-Id=other",
    ),
)
