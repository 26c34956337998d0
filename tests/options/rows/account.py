"""Rows of Defender's Account, Expiry and Logon Hours tabs."""

from datetime import timedelta

from options import courses
from options.people import NOTHING, Setup
from options.row import Missing, Scenario, policy, user
from options.sealed import PIN, PIN_DIGEST, START, directory_time
from options.world import EXPIRED_PASSWORD
from scenarios.company import Value

ACCOUNT, EXPIRY, HOURS = "Account", "Expiry", "Logon Hours"
ONE_LOCKS = policy(LogonAttempts="1", ViolationLimit="1")
HAS_PIN: dict[str, Value] = {
    "dirfactorPin": PIN_DIGEST,
    "dirfactorPinSetAt": directory_time(START - timedelta(days=31)),
}
PIN_IN_FRONT = Setup(user=HAS_PIN, policy={"dirfactorPinWithToken": "TRUE"})
PIN_ALONE = Setup(user=HAS_PIN, policy={"dirfactorFirstMethod": "pin", "dirfactorSecondMethod": "none"})

ROWS = (
    Scenario(
        ACCOUNT,
        "Enable Account Lockout",
        policy(ViolationLimit="1"),
        policy(ViolationLimit="100"),
        courses.after_a_wrong_code,
        "violations-locked",
        "code-sent",
        common=policy(LogonAttempts="1"),
        note="there is always a lock; a hundred violations that lock for one minute come next to none",
    ),
    Scenario(
        ACCOUNT,
        "Lockout after n violations",
        policy(ViolationLimit="1"),
        policy(ViolationLimit="2"),
        courses.after_a_wrong_code,
        "violations-locked",
        "code-sent",
        common=policy(LogonAttempts="1"),
        note="counted across logins, access nodes and protocols",
    ),
    Scenario(
        ACCOUNT,
        "(failed attempts that make a violation)",
        policy(LogonAttempts="1"),
        policy(LogonAttempts="2"),
        courses.after_a_wrong_code,
        "violations-locked",
        "code-sent",
        common=policy(ViolationLimit="1"),
        note="an attribute of its own; Defender takes Logon Attempts of the method",
    ),
    Missing(
        ACCOUNT,
        "Lockout Windows account after indicated violations",
        "whoever types wrong codes could lock people out of Windows",
    ),
    Scenario(
        ACCOUNT,
        "(lockout duration)",
        policy(LockMinutes="90"),
        policy(LockMinutes="30"),
        courses.after_an_hour,
        "violations-locked",
        "code-sent",
        common=ONE_LOCKS,
    ),
    Scenario(
        ACCOUNT,
        "(reset the violation count on success)",
        policy(ResetOnSuccess="TRUE"),
        policy(ResetOnSuccess="FALSE"),
        courses.wrong_right_wrong,
        "code-sent",
        "violations-locked",
        common=policy(LogonAttempts="1", ViolationLimit="2"),
    ),
    Missing(EXPIRY, "Enable Defender Password Expiry", "there is no Defender password; a PIN can expire"),
    Scenario(
        EXPIRY,
        "Enable PIN Expiry; Expire after",
        policy(PinExpireDays="30"),
        policy(PinExpireDays="0"),
        courses.in_one_field(PIN),
        "pin-expired",
        "accepted",
        common=PIN_ALONE,
        note="the person chooses a new one at the prompt; 0 is never",
    ),
    Scenario(
        EXPIRY,
        "Allow authentication with expired Active Directory password",
        policy(AllowExpiredPassword="TRUE"),
        policy(AllowExpiredPassword="FALSE"),
        courses.in_one_field(EXPIRED_PASSWORD),
        "code-sent",
        "password-expired",
    ),
    Missing(
        EXPIRY,
        "Allow expired Active Directory password to be changed",
        "RADIUS with PAP has no safe way to carry a new password",
    ),
    Scenario(
        HOURS,
        "Logon permitted, Logon denied",
        policy(LogonHours="Wed-Fri 07:00-19:00; UTC"),
        policy(LogonHours="Tue 07:00-19:00; UTC"),
        courses.first,
        "logon-hours",
        "code-sent",
        note="a line that can be typed, with a time zone; AD's own logonHours count as well",
    ),
    Scenario(
        HOURS,
        "Permit All",
        NOTHING,
        policy(LogonHours="Mon 07:00-19:00; UTC"),
        courses.first,
        "code-sent",
        "logon-hours",
        note="leave the attribute empty",
    ),
    Missing(
        HOURS, "Deny All", "disable the access node (`dirfactorNodeEnabled`) or the account: it says what is meant"
    ),
    Missing(HOURS, "Invert", "a button of the grid; the line is typed"),
    Scenario(
        "ours",
        "a code has its own number of tries",
        policy(CodeAttempts="1"),
        policy(CodeAttempts="3"),
        courses.wrong_code,
        "attempts-exhausted",
        "code-wrong-retry",
    ),
    Scenario(
        "ours",
        "fewest digits of a PIN",
        policy(PinMinimumLength="6"),
        policy(PinMinimumLength="4"),
        courses.in_one_field(f"{PIN}97539753"),
        "pin-unfit",
        "accepted",
        common=PIN_ALONE,
        note="asked of the PIN that the person chooses, and of `dirfactor user pin`",
    ),
    Scenario(
        "ours",
        "most digits of a PIN",
        policy(PinMaximumLength="5"),
        policy(PinMaximumLength="6"),
        courses.in_one_field(f"{PIN}975312975312"),
        "pin-unfit",
        "accepted",
        common=PIN_ALONE,
    ),
    Scenario(
        "ours",
        "when a PIN was set",
        user(PinSetAt=directory_time(START - timedelta(days=31))),
        user(PinSetAt=directory_time(START - timedelta(days=29))),
        courses.in_one_field(PIN),
        "pin-expired",
        "accepted",
        common=PIN_ALONE.over(policy(PinExpireDays="30")),
    ),
)
