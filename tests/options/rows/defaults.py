"""Rows of Defender's default policy, and of which policy is effective."""

from options import courses
from options.people import NOTHING, OPEN, STAFF, Setup
from options.row import Scenario, node, policy, user
from options.rows.general import VIP
from options.world import VIP_CODE
from scenarios.company import BASE

DEFAULT, EFFECTIVE = "Default policy", "Effective policy"
NONE_ASSIGNED = Setup(user={"dirfactorPolicy": None})
ASSIGNED_STAFF = Setup(user={"dirfactorPolicy": STAFF})
OF_THE_SERVER = Setup(config="\n[policy:default]\ndirfactorFirstMethod = password\ndirfactorSecondMethod = none\n")
VIP_ALONE = Setup(user={**VIP, "dirfactorPolicy": None})
TOKEN_ALONE = policy(FirstMethod="token", SecondMethod="none")


def of_group(dn: str) -> Setup:
    return Setup(group={"dirfactorPolicy": dn})


ROWS = (
    Scenario(
        DEFAULT,
        "(method: token)",
        VIP_ALONE,
        Setup(user={**VIP, "dirfactorPolicy": OPEN}),
        courses.in_one_field(VIP_CODE),
        "accepted",
        "password-wrong",
    ),
    Scenario(
        DEFAULT,
        "(three failed attempts make a violation)",
        VIP_ALONE,
        ASSIGNED_STAFF.over(Setup(user=VIP)),
        courses.wrong_codes(3),
        "attempts-exhausted",
        "violations-locked",
        common=TOKEN_ALONE.over(policy(LogonAttempts="2", ViolationLimit="1")),
    ),
    Scenario(
        DEFAULT,
        "(lock, and for how long)",
        VIP_ALONE,
        ASSIGNED_STAFF.over(Setup(user=VIP)),
        courses.wrong_codes(9, then=True),
        "violations-locked",
        "accepted",
        common=TOKEN_ALONE.over(policy(ViolationLimit="4")),
        note="nine tries and fifteen minutes, not twelve and three: VIP locks at ten",
    ),
    Scenario(
        DEFAULT,
        "(violations are reset on success)",
        VIP_ALONE,
        ASSIGNED_STAFF.over(Setup(user=VIP)),
        courses.wrong_codes(8, right=1, more=1, then=True),
        "accepted",
        "violations-locked",
        common=TOKEN_ALONE.over(policy(ResetOnSuccess="FALSE")),
    ),
    Scenario(
        DEFAULT,
        "(logon at any hour)",
        VIP_ALONE,
        ASSIGNED_STAFF.over(Setup(user=VIP)),
        courses.in_one_field(VIP_CODE),
        "accepted",
        "logon-hours",
        common=TOKEN_ALONE.over(policy(LogonHours="Mon 07:00-19:00; UTC")),
    ),
    Scenario(
        DEFAULT,
        "(SMS, e-mail and GrIDsure tokens disabled)",
        NONE_ASSIGNED,
        ASSIGNED_STAFF,
        courses.in_one_field(""),
        "no-token",
        "code-sent",
        common=TOKEN_ALONE.over(node(LoginMode="codeOnly")),
    ),
    Scenario(
        DEFAULT,
        "(only members of the access node)",
        node(Member=f"cn=staff,ou=policies,{BASE}"),
        NOTHING,
        courses.in_one_field(VIP_CODE),
        "not-member",
        "accepted",
        common=VIP_ALONE,
        note="whatever the policy",
    ),
    Scenario(
        EFFECTIVE,
        "User over group",
        user(Policy=STAFF),
        Setup(user={"dirfactorPolicy": None}),
        courses.first,
        "code-sent",
        "accepted",
        common=of_group(OPEN),
    ),
    Scenario(
        EFFECTIVE,
        "Group over access node",
        of_group(STAFF),
        NOTHING,
        courses.first,
        "code-sent",
        "accepted",
        common=NONE_ASSIGNED.over(node(Policy=OPEN)),
        note="between them the nearest organizational unit upward",
    ),
    Scenario(
        "ours",
        "policy of an organizational unit",
        Setup(unit={"dirfactorPolicy": STAFF}),
        NOTHING,
        courses.first,
        "code-sent",
        "accepted",
        common=NONE_ASSIGNED.over(node(Policy=OPEN)),
    ),
    Scenario(
        EFFECTIVE,
        "Access node over security server",
        node(Policy=STAFF),
        NOTHING,
        courses.first,
        "code-sent",
        "accepted",
        common=NONE_ASSIGNED.over(OF_THE_SERVER),
    ),
    Scenario(
        EFFECTIVE,
        "Security server over default",
        OF_THE_SERVER,
        NOTHING,
        courses.first,
        "accepted",
        "no-token",
        common=NONE_ASSIGNED,
        note="`[policy:default]` of config.ini",
    ),
    Scenario(
        EFFECTIVE,
        "Conflict of two groups",
        Setup(second={"dirfactorPolicy": OPEN}),
        NOTHING,
        courses.first,
        "policy-conflict",
        "code-sent",
        common=NONE_ASSIGNED.over(of_group(STAFF)),
        note="refused as there, unless `dirfactorPriority` of the policies differs",
    ),
    Scenario(
        "ours",
        "between the policies of two groups",
        policy(Priority="10"),
        policy(Priority="2000"),
        courses.first,
        "code-sent",
        "accepted",
        common=NONE_ASSIGNED.over(of_group(STAFF)).over(Setup(second={"dirfactorPolicy": OPEN})),
        note="",
    ),
    Scenario(
        "ours",
        "age of the directory's data",
        policy(MaximumStaleness="3600"),
        policy(MaximumStaleness="10000"),
        courses.old_data(hours=2),
        "replica-stale",
        "code-sent",
    ),
    Scenario(
        "ours",
        "attributes of an accept, of a policy",
        policy(ReplyAttribute="Filter-Id=staff"),
        policy(ReplyAttribute="Filter-Id=guests"),
        courses.attributes,
        "Filter-Id=staff",
        "Filter-Id=guests",
    ),
)
