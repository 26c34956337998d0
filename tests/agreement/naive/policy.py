"""Which policy governs, in the most naive way. Shares no code with the service."""


def effective(world):
    """The policy's settings, or the reason why there is none."""
    user, policies = world["user"], world["policies"]
    if user["policy"] is not None:
        return of(policies, user["policy"])
    named = [group["policy"] for group in world["groups"] if group["policy"] is not None]
    if named:
        return between_groups(policies, named)
    for unit in world["units"]:
        if unit["policy"] is not None:
            return of(policies, unit["policy"])
    if world["node"]["policy"] is not None:
        return of(policies, world["node"]["policy"])
    if world["server_default"] is not None:
        return of({"default": world["server_default"]}, "default")
    return BUILT_IN


def of(policies, name):
    if name not in policies:
        return "policy-missing"
    return "policy-malformed" if policies[name]["malformed"] else policies[name]


def between_groups(policies, named):
    """One whose priority cannot be known comes before all others, so that nobody passes it over."""
    for name in named:
        if name not in policies or policies[name]["malformed"] == "dirfactorPriority":
            return of(policies, name)
    lowest = min(policies[name]["priority"] for name in named)
    winners = [name for name in named if policies[name]["priority"] == lowest]
    if policies[winners[0]]["malformed"]:
        return "policy-malformed"
    return policies[winners[0]] if len(set(winners)) == 1 else "policy-conflict"


BUILT_IN = {
    "first_method": "token",
    "first_method_attempts": 3,
    "second_method": "none",
    "second_method_attempts": 3,
    "token_order": ["sms", "email", "vip", "totp", "hotp"],
    "token_fallback": False,
    "priority": 1000,
    "code_length": 6,
    "code_lifetime": 300,
    "code_attempts": 3,
    "codes_per_window": 5,
    "ahead_lifetime": 168,
    "sms_enabled": False,
    "sms_mode": "onLogon",
    "sms_keyword": None,
    "sms_keyword_kind": "word",
    "sms_codes_per_message": 1,
    "email_enabled": False,
    "email_mode": "onLogon",
    "email_keyword": None,
    "email_keyword_kind": "word",
    "email_codes_per_message": 1,
    "vip_enabled": True,
    "vip_keyword": None,
    "totp_enabled": True,
    "hotp_enabled": True,
    "logon_attempts": 3,
    "violation_limit": 3,
    "lock_minutes": 15,
    "reset_on_success": True,
    "logon_hours": None,
    "allow_expired_password": False,
    "pin_with_token": False,
    "pin_minimum_length": 4,
    "pin_maximum_length": 8,
    "pin_expire_days": 0,
    "temporary_response_allowed": False,
    "temporary_response_minutes": 60,
    "temporary_response_multiple_use": False,
    "maximum_staleness": None,
    "malformed": "",
}
