"""Rows of Defender's General tab: methods and their tries."""

from options import courses
from options.people import NOTHING, Setup
from options.row import Missing, Scenario, policy
from options.sealed import PIN, PIN_DIGEST
from options.world import PASSWORD, VIP_CODE
from scenarios.company import Value

TAB = "General"
VIP: dict[str, Value] = {"dirfactorToken": "vip", "dirfactorVipCredential": "VSST12345678"}
WITH_VIP = Setup(user=VIP)
NO_TOKENS = Setup(user={"dirfactorToken": None})


def alone(method: str) -> Setup:
    return policy(FirstMethod=method, SecondMethod="none")


ROWS = (
    Missing(TAB, "Description", "every directory entry has `description` already"),
    Scenario(
        TAB,
        "Use: Token",
        alone("token"),
        alone("password"),
        courses.in_one_field(VIP_CODE),
        "accepted",
        "password-wrong",
        common=WITH_VIP,
        note="nothing is sent before a factor was shown, except through a `codeOnly` node",
    ),
    Scenario(
        TAB,
        "Use: Defender password",
        alone("pin"),
        alone("password"),
        courses.in_one_field(PIN),
        "accepted",
        "password-wrong",
        common=Setup(user={"dirfactorPin": PIN_DIGEST}),
        note="a PIN in place of a second password beside the directory's",
    ),
    Scenario(
        TAB,
        "Use: Active Directory password",
        alone("password"),
        alone("token"),
        courses.first,
        "accepted",
        "code-wrong-retry",
        common=WITH_VIP,
    ),
    Missing(
        TAB,
        "Use: Token with Defender password",
        "the PIN stands in front of the code, not behind it",
        ("dirfactorPinWithToken",),
    ),
    Scenario(
        TAB,
        "Use: Defender password with token",
        policy(PinWithToken="TRUE"),
        policy(PinWithToken="FALSE"),
        courses.in_one_field(PIN + VIP_CODE),
        "accepted",
        "code-wrong-retry",
        common=Setup(user={"dirfactorPin": PIN_DIGEST}).over(WITH_VIP).over(alone("token")),
        note="PIN and code in one field",
    ),
    Scenario(
        TAB,
        "Use: Token with Active Directory password",
        alone("tokenThenPassword"),
        alone("passwordThenToken"),
        courses.in_one_field(VIP_CODE + PASSWORD),
        "accepted",
        "password-wrong",
        common=WITH_VIP,
        note="a code that has to be sent first is asked for afterwards",
    ),
    Scenario(
        TAB,
        "Use: Active Directory password with token",
        alone("passwordThenToken"),
        alone("tokenThenPassword"),
        courses.in_one_field(PASSWORD + VIP_CODE),
        "accepted",
        "password-wrong",
        common=WITH_VIP,
        note="a code that has to be sent first is asked for afterwards",
    ),
    Scenario(
        TAB,
        "Use: Active Directory password (rollout mode)",
        alone("passwordUntilToken"),
        alone("passwordThenToken"),
        courses.first,
        "accepted",
        "no-token",
        common=NO_TOKENS,
        note="an assigned token that cannot be used is never passed over",
    ),
    Missing(TAB, "Use: GrIDsure token (auto-enrolment mode)", "GrIDsure is patented and closed"),
    Scenario(
        TAB,
        "Logon Attempts (of the first method)",
        policy(FirstMethodAttempts="1"),
        policy(FirstMethodAttempts="3"),
        courses.in_one_field("000000"),
        "attempts-exhausted",
        "code-wrong-retry",
        common=WITH_VIP.over(alone("token")),
        note="a wrong password in the first step ends the login at once",
    ),
    Missing(
        TAB, "Use Synchronous tokens as Event tokens", "it would accept one code twice; no code is accepted twice here"
    ),
    Scenario(
        TAB,
        "Followed By",
        policy(SecondMethod="token"),
        policy(SecondMethod="none"),
        courses.first,
        "code-sent",
        "accepted",
        common=NOTHING,
    ),
    Scenario(
        TAB,
        "Logon Attempts (of the second method)",
        policy(SecondMethodAttempts="1"),
        policy(SecondMethodAttempts="3"),
        courses.wrong_code,
        "attempts-exhausted",
        "code-wrong-retry",
        note="`dirfactorCodeAttempts` limits the answers to one code as well",
    ),
)
