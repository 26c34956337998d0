"""Rows of Defender's VIP dialog and of its wizard that programs tokens."""

from options import courses
from options.people import NOTHING, Setup
from options.row import Elsewhere, Missing, Scenario, policy, user
from options.rows.general import WITH_VIP
from options.sealed import (
    HOTP_SEED_SEALED,
    TOTP_SEED_SEALED,
    counter_code,
    response,
    time_code,
)
from options.world import VIP_CODE

WIZARD, TAB, DIALOG = "Token Programming Wizard", "User: Defender", "VIP Credential Configuration"
ALLOWED = policy(TemporaryResponseAllowed="TRUE", TemporaryResponseMultipleUse="TRUE")
HOUR = user(TemporaryResponse=response(minutes=60, multiple=True))
NOBODYS = user(TemporaryResponse=None)

TOTP = Setup(user={"dirfactorToken": "totp", "dirfactorSecret": TOTP_SEED_SEALED})
HOTP = Setup(user={"dirfactorToken": "hotp", "dirfactorSecret": HOTP_SEED_SEALED})

ROWS = (
    Missing("GrIDsure Token", "(all of the tab)", "GrIDsure is patented and closed"),
    Elsewhere(
        DIALOG,
        "Install, Browse (certificate)",
        ("[vip] certificate",),
        "tests/vip/test_client.py::test_a_certificate_that_the_service_does_not_know",
    ),
    Elsewhere(
        DIALOG,
        "(password of the certificate)",
        ("[vip] password",),
        "tests/vip/test_certificate.py::test_a_wrong_password_is_told_from_a_wrong_file",
    ),
    Elsewhere(
        DIALOG,
        "(URL of the VIP service)",
        ("[vip] url",),
        "tests/vip/test_client.py::test_a_service_is_reached_by_https_only",
    ),
    Elsewhere(DIALOG, "Test", ("dirfactor vip test",), "tests/vip/test_client.py::test_the_right_code_opens"),
    Scenario(
        "ours",
        "whether VIP credentials may be used",
        policy(VipEnabled="TRUE"),
        policy(VipEnabled="FALSE"),
        courses.typed(VIP_CODE),
        "accepted",
        "no-token",
        common=WITH_VIP,
    ),
    Scenario(
        "ours",
        "keyword that has VIP send a code",
        policy(VipKeyword="send"),
        policy(VipKeyword="other"),
        courses.typed("send"),
        "code-sent",
        "code-wrong-retry",
        common=WITH_VIP,
    ),
    Scenario(
        WIZARD,
        "Software token: Google, Microsoft or another authenticator",
        Setup(user={"dirfactorSecret": TOTP_SEED_SEALED}),
        NOTHING,
        courses.typed(time_code()),
        "accepted",
        "no-token",
        common=user(Token="totp"),
        note="the seed is sealed for this one user; enrolled by QR code, or imported",
    ),
    Scenario(
        "ours",
        "whether time-based tokens may be used",
        policy(TotpEnabled="TRUE"),
        policy(TotpEnabled="FALSE"),
        courses.typed(time_code()),
        "accepted",
        "no-token",
        common=TOTP,
    ),
    Scenario(
        "ours",
        "time steps before and after now",
        policy(TotpWindow="2"),
        policy(TotpWindow="1"),
        courses.typed(time_code(2)),
        "accepted",
        "code-resynchronise",
        common=TOTP,
    ),
    Scenario(
        WIZARD,
        "Hardware token",
        Setup(user={"dirfactorSecret": HOTP_SEED_SEALED}),
        NOTHING,
        courses.typed(counter_code(0)),
        "accepted",
        "no-token",
        common=user(Token="hotp"),
        note="OATH tokens, imported from PSKC or CSV; DIGIPASS' own files are closed",
    ),
    Scenario(
        "ours",
        "whether event-based tokens may be used",
        policy(HotpEnabled="TRUE"),
        policy(HotpEnabled="FALSE"),
        courses.typed(counter_code(0)),
        "accepted",
        "no-token",
        common=HOTP,
    ),
    Scenario(
        "ours",
        "counter values ahead",
        policy(HotpLookAhead="20"),
        policy(HotpLookAhead="10"),
        courses.typed(counter_code(15)),
        "accepted",
        "code-resynchronise",
        common=HOTP,
    ),
    Scenario(
        TAB,
        "Tokens: Helpdesk (resynchronise)",
        policy(ResynchroniseWindow="50"),
        policy(ResynchroniseWindow="20"),
        courses.typed(counter_code(40), counter_code(41)),
        "accepted",
        "code-wrong-retry",
        common=HOTP,
        note="the person does it at the logon, by the next code",
    ),
    Scenario(
        WIZARD,
        "Software token: SMS token",
        user(Token="sms"),
        user(Token="email"),
        courses.recipient,
        "+436640000001",
        "alice@example.org",
        note="one word at the user; there is no token object to make, unassign or leave behind",
    ),
    Scenario(
        WIZARD,
        "Software token: e-mail token",
        user(Token="email"),
        user(Token="sms"),
        courses.recipient,
        "alice@example.org",
        "+436640000001",
    ),
    Missing(WIZARD, "Software token: Defender Soft Token", "closed; any authenticator of RFC 6238 serves the purpose"),
    Missing(WIZARD, "Software token: GrIDsure token", "GrIDsure is patented and closed"),
    Scenario(
        WIZARD,
        "Symantec VIP credential",
        user(VipCredential="VSST12345678"),
        user(VipCredential="VSST99999999"),
        courses.typed(VIP_CODE),
        "accepted",
        "code-wrong-retry",
        common=WITH_VIP,
        note="up to five for a user",
    ),
    Missing(WIZARD, "Expire token activation code after", "no activation code: a seed is shown once, at enrolment"),
    Missing(WIZARD, "Lock token passphrase after", "the passphrase of a soft token is the authenticator's business"),
)
