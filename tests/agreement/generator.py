"""Random directories, and people who log on: most of it good, so that a login gets far, and then something odd."""

from random import Random

from agreement.naive.policy import BUILT_IN

PASSWORDS = {
    "Teapot-41": "right",
    "Kettle-40": "expired",
    "Saucer-39": "must-change",
    "Ladle-38": "hours",
    "Whisk-37": "workstation",
    "Sieve-36": "disabled",
    "Grater-35": "account-expired",
    "Funnel-34": "locked",
    "Mortar-33": "unavailable",
    "Tea513270": "right",
    "662607Tea": "right",
}
CODES = {
    "vip": {
        "verdicts": {"513270": "right", "662607": "drifted", "111119": "unavailable", "111118": "misconfigured"},
        "second": {"015893": "662607"},
    },
    "totp": {
        "verdicts": {"40718293": "right", "40718294": "drifted", "11111118": "misconfigured"},
        "second": {"40718295": "40718294"},
    },
    "hotp": {"verdicts": {"299792": "right", "299793": "drifted"}, "second": {"299794": "299793"}},
}
PIN, OTHER_PIN, RESPONSE = "2468", "975310", "60221408"
KEYWORDS = {"sms": "text me", "email": "mail", "vip": "call"}
METHODS = ["none", "password", "token", "pin", "passwordThenToken", "tokenThenPassword", "passwordUntilToken"]
PAIRS = [
    ("password", "token"),
    ("password", "token"),
    ("password", "token"),
    ("token", "none"),
    ("token", "password"),
    ("passwordThenToken", "none"),
    ("tokenThenPassword", "none"),
    ("passwordUntilToken", "none"),
    ("password", "pin"),
    ("pin", "token"),
    ("pin", "none"),
    ("password", "none"),
]
KINDS = ["sms", "email", "vip", "totp", "hotp"]
MODES = ["onLogon", "onLogon", "keyword", "ahead"]
DAY = 86400


def world(rng: Random) -> dict:
    """A directory with one user who logs on, what stands around them, and what the outside says."""
    policies = {name: policy(rng, good=rng.random() < 0.8) for name in ("p1", "p2", "p3")}
    made = {
        "user": user(rng),
        "groups": [],
        "units": [],
        "policies": policies,
        "node": node(rng),
        "server_default": None,
        "found": 1,
        "age": 5,
        "expired_after": 10 * DAY,
        "configured": ["sms", "email", "vip"],
        "down": [],
        "failures": [],
        "passwords": PASSWORDS,
        "codes": CODES,
        "draws": [int(rng.random() * 10**10) for _ in range(80)],
    }
    if rng.random() < 0.25:
        place(rng, made)
    if rng.random() < 0.3:
        rng.choice(ODD)(rng, made)
    return made


def plain() -> dict:
    """A world in which nothing is odd, to tell what is odd in another."""
    quiet = Random(0)
    return {
        "user": {**user(quiet), "response": None, "pin": PIN, "pin_at": None},
        "node": {**node(quiet), "mode": "challenge"},
        "groups": [],
        "units": [],
        "server_default": None,
        "found": 1,
        "age": 5,
        "expired_after": 10 * DAY,
        "configured": ["sms", "email", "vip"],
        "down": [],
        "failures": [],
    }


def policy(rng: Random, *, good: bool) -> dict:
    first, second = rng.choice(PAIRS) if good else (rng.choice(METHODS), rng.choice(METHODS))
    order = KINDS[:]
    rng.shuffle(order)
    changed = {
        "first_method": first,
        "second_method": second,
        "token_order": order,
        "sms_enabled": True,
        "email_enabled": True,
        "sms_mode": rng.choice(MODES),
        "email_mode": rng.choice(MODES),
        "sms_codes_per_message": rng.choice([1, 1, 2, 3]),
        "email_codes_per_message": rng.choice([1, 2]),
        "temporary_response_allowed": rng.random() < 0.5,
        "token_fallback": rng.random() < 0.5,
        "codes_per_window": rng.choice([5, 5, 1]),
        "pin_with_token": rng.random() < 0.15,
    }
    if rng.random() < 0.4:
        changed |= {f"{kind}_keyword": word for kind, word in KEYWORDS.items()}
    if rng.random() < 0.3:
        kind = rng.choice(["sms", "email"])
        changed |= {f"{kind}_keyword_kind": rng.choice(["pin", "password"]), f"{kind}_mode": "keyword"}
    for _ in range(rng.choice([0, 0, 1, 2])):
        name, values = rng.choice(CHANGES)
        changed[name] = rng.choice(values)
    return BUILT_IN | changed


CHANGES = [
    ("first_method_attempts", [1, 2, 5]),
    ("second_method_attempts", [1, 2, 5]),
    ("code_attempts", [1, 2, 5]),
    ("logon_attempts", [1, 2]),
    ("violation_limit", [1, 2]),
    ("lock_minutes", [1, 60]),
    ("reset_on_success", [False]),
    ("code_length", [7, 8]),
    ("code_lifetime", [30, 600]),
    ("codes_per_window", [1, 2]),
    ("ahead_lifetime", [1]),
    ("token_order", [["sms"], ["vip", "sms"], ["email", "hotp"], []]),
    ("sms_enabled", [False]),
    ("email_enabled", [False]),
    ("vip_enabled", [False]),
    ("totp_enabled", [False]),
    ("hotp_enabled", [False]),
    ("allow_expired_password", [True]),
    ("pin_minimum_length", [6]),
    ("pin_maximum_length", [5]),
    ("pin_expire_days", [10, 30]),
    ("temporary_response_minutes", [1, 600]),
    ("temporary_response_multiple_use", [True]),
    ("logon_hours", ["never", "always"]),
    ("maximum_staleness", [60, 3600]),
    ("priority", [1, 5]),
    ("malformed", ["dirfactorPriority", "dirfactorSmsMode"]),
]


def user(rng: Random) -> dict:
    return {
        "policy": "p1",
        "tokens": rng.choice([["sms"], ["sms"], ["email"], ["vip"], ["totp"], ["hotp"], ["sms", "email"], KINDS, []]),
        "mobile": "+436640000001",
        "phone": None,
        "mail": "alice@example.org",
        "mail_override": None,
        "credentials": ["VSST12345678"],
        "seeds": ["totp", "hotp"],
        "pin": PIN if rng.random() < 0.8 else None,
        "pin_at": rng.choice([-5 * DAY, -20 * DAY, -20 * DAY, None, DAY]),
        "response": {"text": RESPONSE, "issued_at": -60, "minutes": rng.choice([1, 30]), "multiple": rng.random() < 0.5}
        if rng.random() < 0.2
        else None,
        "disabled": False,
        "starts_at": None,
        "expires_at": None,
        "locked_at": None,
        "hours": None,
        "unlocked_at": None,
        "malformed": False,
    }


def node(rng: Random) -> dict:
    modes = ["challenge"] * 5 + ["codeOnly", "append", "append", "rejectThenCode", "rejectThenCode"]
    return {"enabled": True, "malformed": False, "mode": rng.choice(modes), "members": None, "policy": None}


def place(rng: Random, made: dict) -> None:
    """Policies at other places than the user."""
    made["user"]["policy"] = rng.choice([None, None, "p1", "missing"])
    named = [None, "p1", "p2", "p3", "missing"]
    made["groups"] = [
        {"name": name, "policy": rng.choice(named), "malformed": rng.random() < 0.05}
        for name in ("g1", "g2", "g3")[: rng.randrange(4)]
    ]
    made["units"] = [
        {"policy": rng.choice(named[:4]), "lockout": rng.choice([None, 0, 1800]), "malformed": rng.random() < 0.05}
        for _ in range(rng.randrange(3))
    ]
    made["node"]["policy"] = rng.choice([None, "p2", "missing"])
    made["server_default"] = policy(rng, good=True) if rng.random() < 0.4 else None
    made["node"]["members"] = rng.choice([None, None, ["alice"], ["g1"], ["g2", "bob"], []])


def _of_user(name, *values):
    def change(rng, made):
        made["user"][name] = rng.choice(values)

    return change


def _of_node(name, *values):
    def change(rng, made):
        if made["node"] is not None:  # an earlier edit may have taken it away
            made["node"][name] = rng.choice(values)

    return change


def _of_world(name, *values):
    def change(rng, made):
        made[name] = rng.choice(values)

    return change


ODD = [
    _of_user("disabled", True),
    _of_user("starts_at", 0, 50, -1),
    _of_user("expires_at", 0, 50, -1),
    _of_user("locked_at", -1200, -2000),
    _of_user("hours", "never", "always"),
    _of_user("unlocked_at", -30, 500),
    _of_user("malformed", True),
    _of_user("mobile", None, "none"),
    _of_user("phone", "+436640000002", "none"),
    _of_user("mail", None, "none"),
    _of_user("mail_override", "bob@example.org", "none"),
    _of_user("credentials", [], [f"VSST1234567{number}" for number in range(6)]),
    _of_user("seeds", [], ["hotp"]),
    _of_node("enabled", False),
    _of_node("malformed", True),
    _of_world("node", None),
    _of_world("found", 0, 2),
    _of_world("age", None, 90, 4000, 11 * DAY),
    _of_world("expired_after", 60, 3600),
    _of_world("configured", [], ["vip"], ["sms"]),
    _of_world("down", ["sms"], ["email"], ["sms", "email"]),
    _of_world("down", ["sms"], ["email"], ["sms", "email"]),
    _of_world("down", ["sms"], ["email"], ["sms", "email"]),
    _of_world("failures", [-40, -20], list(range(-9, 0)), [-1000, -990, -980, -970, -960, -950, -940, -930, -920]),
    _of_world("failures", list(range(-8, 0)), list(range(-3, 0))),
]
EDITS = [
    *ODD,
    _of_user("policy", "p2", "p3", None),
    _of_user("tokens", ["sms"], ["vip"], [], ["email"]),
    _of_user("pin", None, OTHER_PIN),
    _of_user("response", None),
]


def edit(rng: Random, made: dict) -> None:
    """The administrator changes something between two requests."""
    if rng.random() < 0.5 and made["user"]["policy"] in made["policies"]:
        name, values = rng.choice(CHANGES)
        made["policies"][made["user"]["policy"]][name] = rng.choice(values)
    else:
        rng.choice(EDITS)(rng, made)


def move(rng: Random, naive) -> tuple:
    """What happens next: ("begin", password, code, caller), ("answer", text), ("again", text), ("wait", seconds)."""
    chance = rng.random()
    if chance < 0.04:
        return ("wait", rng.choice([1, 20, 70, 700, 1000, 4000, 2 * DAY]))
    if chance < 0.05:
        return ("edit", rng.randrange(2**32))
    if chance < 0.06:
        return ("again", "513270")
    if naive.open is not None and chance < 0.93:
        return ("answer", typed(rng, naive, naive.open["what"]))
    password = typed(rng, naive, first_asked(naive, rng))
    code = typed(rng, naive, rng.choice(KINDS)) if rng.random() < 0.1 else None
    if code is not None and rng.random() < 0.2:
        password = None
    return ("begin", password, code, rng.choice(["a", "a", "a", "b"]))


def first_asked(naive, rng: Random) -> str:
    """What the first field most likely is for."""
    made = naive.world
    parked = naive.parked.get("a")
    if parked and rng.random() < 0.7:
        return parked["what"] if rng.random() < 0.5 else "joined"
    governing = made["policies"].get(made["user"]["policy"], BUILT_IN)
    first = governing["first_method"]
    if first in ("passwordThenToken", "tokenThenPassword") or (made["node"] and made["node"]["mode"] == "append"):
        return rng.choice(["joined", "joined", "password"])
    return {"token": "token", "pin": "pin"}.get(first, "password")


def typed(rng: Random, naive, what: str) -> str:
    """What is typed when this is asked for; right more often than not."""
    chance = rng.random()
    if chance < 0.03:
        return ""
    if chance < 0.10:
        return rng.choice(["000000", "0000000000", "nonsense", " ", "2468", *PASSWORDS, *KEYWORDS.values(), RESPONSE])
    if what == "password":
        return "Teapot-41" if rng.random() < 0.8 else rng.choice([*PASSWORDS, "wrong"])
    if what == "pin":
        return rng.choice([PIN, PIN, PIN, OTHER_PIN, PIN + OTHER_PIN * 2, PIN + "1234" * 2, "24-68", PIN + PIN * 2])
    if what == "newPin":
        return rng.choice([OTHER_PIN, "86420", "1111", PIN, "7531"]) * 2 if rng.random() < 0.8 else "86428643"
    if what == "joined":
        password = rng.choice(["Teapot-41", "Teapot-41", "Teapot-41", "Kettle-40", "Tea513270", "662607Tea", "wrong"])
        parts = [password, code(rng, naive, rng.choice(naive.world["user"]["tokens"] or KINDS))]
        start = (
            "tokenThenPassword" in (naive.policy["first_method"], naive.policy["second_method"]) if naive.looked else 0
        )
        return "".join(reversed(parts) if start and rng.random() < 0.9 else parts)
    kind = what if what in KINDS else rng.choice(naive.world["user"]["tokens"] or KINDS)
    text = code(rng, naive, kind)
    policy_of = naive.policy if naive.looked else BUILT_IN
    if policy_of["pin_with_token"] and rng.random() < 0.9:
        text = rng.choice([PIN, PIN, PIN, naive.pin()[0] or PIN, OTHER_PIN]) + text
        if rng.random() < 0.2:
            text += rng.choice([OTHER_PIN, "1111", "86420"]) * 2
    return text if rng.random() < 0.95 else f"{text[:3]} {text[3:]}"


def code(rng: Random, naive, kind: str) -> str:
    chance = rng.random()
    if chance < 0.12:
        return rng.choice([KEYWORDS.get(kind, "text me"), KEYWORDS["email"].upper(), PIN, "Teapot-41"])
    if chance < 0.2 and naive.world["user"]["response"]:
        return RESPONSE
    if chance < 0.3:
        return rng.choice(["000000", "00000000"])
    sent = [codes for to, codes in naive.messages if to == kind]
    if kind in CODES:
        known = CODES[kind]
        return rng.choice([*known["verdicts"], *known["second"], *[next(iter(known["verdicts"]))] * 5])
    if not sent:
        return "000000"
    return rng.choice(sent[-1]) if rng.random() < 0.85 else rng.choice(rng.choice(sent))
