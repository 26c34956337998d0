"""The partial order of policies and nodes: which change of a field makes one stricter, and which fields have none."""

from collections.abc import Callable
from random import Random

FEWER = "fewer"
MORE = "more"
SHUT = "shut"  # a switch that is turned off
DEMANDED = "demanded"

ORDER = {
    "first_method_attempts": FEWER,
    "second_method_attempts": FEWER,
    "code_attempts": FEWER,
    "logon_attempts": FEWER,
    "violation_limit": FEWER,
    "lock_minutes": MORE,
    "code_lifetime": FEWER,
    "codes_per_window": FEWER,
    "reset_on_success": SHUT,
    "allow_expired_password": SHUT,
    "token_fallback": SHUT,
    "sms_enabled": SHUT,
    "email_enabled": SHUT,
    "vip_enabled": SHUT,
    "totp_enabled": SHUT,
    "hotp_enabled": SHUT,
    "temporary_response_allowed": SHUT,
    "temporary_response_multiple_use": SHUT,
    "temporary_response_minutes": FEWER,
    "second_method": DEMANDED,
    "logon_hours": "narrower",
    "maximum_staleness": "sooner",
}
"""Field of a policy -> in which direction it is stricter."""

NO_ORDER = {
    "first_method": "which method comes first decides what is typed where",
    "token_order": "it decides which token is asked for",
    "priority": "it decides which policy governs",
    "prompt": "words",
    "code_length": "more digits are more to guess, and another code",
    "ahead_lifetime": "when a stock is over a new message is sent, and its codes are others",
    "sms_mode": "it decides when a code is sent",
    "email_mode": "likewise",
    "sms_keyword": "what has a code sent",
    "email_keyword": "likewise",
    "vip_keyword": "likewise",
    "sms_keyword_kind": "likewise",
    "email_keyword_kind": "likewise",
    "sms_codes_per_message": "how many codes are on stock",
    "email_codes_per_message": "likewise",
    "sms_template": "words",
    "sms_gateways": "by whom it is sent",
    "sms_phone_attribute": "where it is sent",
    "email_subject": "words",
    "email_template": "words",
    "email_html_template": "words",
    "email_gateways": "by whom it is sent",
    "email_mail_attribute": "where it is sent",
    "pin_with_token": "it decides what is typed: PIN and code, which without it are no code",
    "pin_expire_days": "an expired PIN is followed by a question more, and what is typed answers that one",
    "pin_minimum_length": "about a new PIN, not about a logon",
    "pin_maximum_length": "likewise",
    "totp_window": "numbers of a judge: a code that is too far ahead under fewer is asked for twice; see tests/judges",
    "hotp_look_ahead": "likewise",
    "resynchronise_window": "likewise",
    "reply_attribute": "what an accept carries",
    "name": "a name",
    "malformed": "nobody is let in by a policy that cannot be read",
}
"""Fields of a policy that are in no order, and why."""

NODE_ORDER = {"enabled": SHUT, "members": "narrower"}
NODE_NO_ORDER = {
    "mode": "it decides what is typed where",
    "policy": "another policy",
    "malformed": "nobody is let in by it",
}


def stricter(rng: Random, world: dict) -> tuple[dict, str]:
    """The same world with one field of the user's policy, or of the node, made stricter; and what was done."""
    if rng.random() < 0.06 and world["node"]:
        return narrower_node(rng, world)
    lax = world["policies"]["p1"]
    name = rng.choice([name for name in ORDER if CAN.get(name, anything)(world, lax)])
    value = tightened(rng, ORDER[name], lax[name])
    return {
        **world,
        "policies": {**world["policies"], "p1": {**lax, name: value}},
    }, f"{name}: {lax[name]!r} -> {value!r}"


def narrower_node(rng: Random, world: dict) -> tuple[dict, str]:
    everybody = ["alice", "bob", "g1", "g2"] if world["node"]["members"] is None else world["node"]["members"]
    fewer = [member for member in everybody if rng.random() < 0.5]
    change = {"enabled": False} if rng.random() < 0.2 else {"members": fewer}
    return {**world, "node": {**world["node"], **change}}, f"node: {change}"


def tightened(rng: Random, direction: str, value: object) -> object:
    """A value at least as strict."""
    if direction == SHUT:
        return False
    if direction == DEMANDED:
        return rng.choice(["token", "pin", "password"]) if value == "none" else value
    if direction == "narrower":
        return rng.choice([value, "always" if value is None else "never", "never"])
    if direction == MORE:
        return rng.choice([value, value * 2, value * 50])
    if direction == "sooner":
        return rng.choice([max(1, value // 2), value]) if value else 61
    return rng.choice([value, max(1, value - 1), 1])


def anything(_world: dict, _policy: dict) -> bool:
    return True


def one_token(world: dict, _policy: dict) -> bool:
    """Else another token is asked for."""
    return len(world["user"]["tokens"]) <= 1


def nothing_sent(world: dict, _policy: dict) -> bool:
    """While a temporary response counts nothing is sent: without it, people have a code that they had not before."""
    return world["user"]["response"] is None or not set(world["user"]["tokens"]) & {"sms", "email"}


def in_fields_of_their_own(world: dict, policy: dict) -> bool:
    """Else a text is cut, or not; and without a first method the laxer policy demands nothing and lets nobody in."""
    mode = world["node"]["mode"] if world["node"] else ""
    return policy["first_method"] in ("password", "pin", "token") and mode not in ("append", "codeOnly")


CAN: dict[str, Callable[[dict, dict], bool]] = {
    **dict.fromkeys(("sms_enabled", "email_enabled", "vip_enabled", "totp_enabled", "hotp_enabled"), one_token),
    **dict.fromkeys(
        ("temporary_response_allowed", "temporary_response_multiple_use", "temporary_response_minutes"), nothing_sent
    ),
    "second_method": in_fields_of_their_own,
}
"""Fields that are in the order only where this holds."""
