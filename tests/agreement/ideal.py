"""A person who does everything right, and how far they get: what `dirfactor explain` must say."""

from agreement.generator import CODES, OTHER_PIN, PIN, RESPONSE
from agreement.naive.service import Naive

RIGHT = {kind: next(iter(known["verdicts"])) for kind, known in CODES.items()}
MOST_STEPS = 12
SHORT_PIN = "7531"


def ideal(world: dict) -> str:
    """`accepted`, or `refused: ` with the reason; every message arrives."""
    naive = Naive({**world, "down": []})
    told = naive.begin(*move(naive)[1:])
    for _ in range(MOST_STEPS):
        if naive.open is None and "10.0.0.1" not in naive.parked:
            break
        verb, *typed = move(naive)
        told = naive.answer(*typed) if verb == "answer" else naive.begin(*typed)
    return told[0] if told[0] == "accepted" else f"refused: {told[1]}"


def move(naive: Naive) -> tuple:
    """What such a person does next."""
    if naive.open is not None:
        return ("answer", right(naive, naive.open))
    parked = naive.parked.get("10.0.0.1")
    return ("begin", *(first(naive) if parked is None else again(naive, parked)), "10.0.0.1")


def first(naive: Naive) -> tuple:
    """What stands in the password field of a first step, and that there is no other field."""
    methods = methods_of(naive)
    return {"password": "Teapot-41", "pin": PIN}.get(methods[0] if methods else "", ""), None


def methods_of(naive: Naive) -> list[str]:
    naive.login = {"answer": None}
    naive.look()
    return getattr(naive, "methods", [])


def again(naive: Naive, parked: dict) -> tuple:
    """The second login of a client without challenges."""
    text = right(naive, parked)
    if naive.mode == "append" and parked["what"] not in ("password", "pin", "newPin") and naive.code_at:
        return "Teapot-41" + text, None
    return text, None


def right(naive: Naive, asked: dict) -> str:
    """The right answer to what is asked for."""
    what = asked["what"]
    if what == "password":
        return "Teapot-41"
    if what == "pin":
        return PIN
    if what == "newPin":
        return (OTHER_PIN if naive.policy["pin_maximum_length"] >= len(OTHER_PIN) else SHORT_PIN) * 2
    code = RIGHT.get(what) or next((codes[0] for kind, codes in reversed(naive.messages) if kind == what), "")
    if naive.temporary():
        code = RESPONSE
    if not code:
        return keyword(naive, what)
    return (naive.pin()[0] or "") + code if naive.policy["pin_with_token"] else code


def keyword(naive: Naive, kind: str) -> str:
    """What has a code sent."""
    words = {"word": naive.policy[f"{kind}_keyword"] or "", "pin": naive.pin()[0], "password": "Teapot-41"}
    return words[naive.policy[f"{kind}_keyword_kind"]]
