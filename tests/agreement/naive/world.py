"""What of a simulated world can be said without a logon. Shares no code with the service."""

FOR_EVER = 10**12
DAY = 86400
SENT = ("sms", "email")
RESPONSE_LENGTH = 8


def is_assigned_and_usable(world, policy, kind):
    """Whether a token is assigned, in the policy's order, enabled and reachable."""
    user, configured = world["user"], world["configured"]
    if kind not in user["tokens"] or kind not in policy["token_order"] or not policy[f"{kind}_enabled"]:
        return False
    if kind == "sms":
        number = user["phone"] if user["phone"] is not None else user["mobile"]
        return "sms" in configured and number is not None and number.startswith("+")
    if kind == "email":
        address = user["mail_override"] if user["mail_override"] is not None else user["mail"]
        return "email" in configured and address is not None and "@" in address
    if kind == "vip":
        return "vip" in configured and 1 <= len(user["credentials"]) <= 5
    return kind in user["seeds"]


def expiry_of_lock(locked_at, units):
    """When a lock of the directory ends: by the domain's duration, or when somebody undoes it."""
    for unit in units:
        if unit["lockout"] is not None:
            return locked_at + unit["lockout"] if unit["lockout"] > 0 else FOR_EVER
    return FOR_EVER


def fits(pin, policy, old):
    """Whether a new PIN is what the policy allows, and not the old one."""
    if not all(letter in "0123456789" for letter in pin) or pin == old:
        return False
    if not policy["pin_minimum_length"] <= len(pin) <= policy["pin_maximum_length"]:
        return False
    runs = ("0123456789" * 5, "9876543210" * 5, pin[0] * 50)
    return not any(pin in run for run in runs)


def bare(text):
    """Without what people put into codes and PINs to read them."""
    return "".join(letter for letter in text if letter not in " -\u00a0")
