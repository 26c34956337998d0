"""A second, deliberately naive implementation of a logon, after docs/logon.md: dictionaries, plain texts and ifs.

It shares no code with the service. What the service keeps as digests, sealed values and challenges is plain text here,
and there is one user. Instants are seconds; `world` is what `agreement.generator` makes.
"""

from agreement.naive.judging import Judging
from agreement.naive.looking import Looking
from agreement.naive.sending import Sending
from agreement.naive.tokens import Tokens
from agreement.naive.world import RESPONSE_LENGTH


class Naive(Looking, Tokens, Sending, Judging):
    """The service, simulated."""

    def __init__(self, world):
        self.world = world
        self.now = 0
        self.messages = []  # (kind, codes) of all that a gateway took
        self.strikes = list(world["failures"])
        self.sends = []
        self.stock = {"sms": {}, "email": {}}  # code -> good until
        self.open = None  # the challenge that may be answered
        self.parked = {}  # caller -> the challenge that a client without challenges comes back with
        self.response_used = False
        self.code_at = None
        self.looked = False  # whether a policy was found yet
        self.new_pin = None  # (PIN, since when) that the person has chosen
        self.drawn = 0

    # the two verbs

    def begin(self, password, code, caller):
        """A first step: outcome, reason, and what is asked for."""
        self.login = {
            "password": password,
            "code": code,
            "answer": None,
            "asked": None,
            "caller": None,
            "stage": 0,
            "cut": None,
            "keyword": None,
            "factor": False,
            "undelivered": set(),
            "limited": False,
            "tested": False,
            "tried": False,
            "methods": None,
        }
        node = self.world["node"]
        if node is not None and node["mode"] in ("append", "rejectThenCode") and self.world["found"] == 1:
            self.login["caller"] = caller
            parked = self.parked.pop(caller, None)
            if parked is not None and parked["until"] > self.now:
                self.login |= {"asked": parked, "methods": parked["methods"]}
                outcome = self.run()
                if not self.login["tested"]:
                    self.parked.setdefault(caller, parked)
                return self.told(outcome)
        return self.told(self.run())

    def answer(self, text):
        """The answer to the open challenge."""
        asked, self.open = self.open, None
        if asked is None:
            return ("refused", "challenge-unknown", None)
        if asked["until"] <= self.now:
            return ("refused", "challenge-expired", None)
        self.login = {
            "password": None,
            "code": None,
            "answer": text,
            "asked": asked,
            "caller": None,
            "stage": asked["stage"],
            "cut": None,
            "keyword": None,
            "factor": False,
            "undelivered": set(),
            "limited": False,
            "tested": False,
            "tried": False,
            "methods": asked["methods"],
        }
        return self.run()

    def told(self, outcome):
        """A node that can ask nothing hears a refusal instead of a challenge."""
        if outcome[0] == "challenged" and self.login["caller"] is not None:
            return ("refused", outcome[1], None)
        return outcome

    # before anything that is typed counts

    def run(self):
        refused = self.look()
        if refused:
            return ("refused", refused, None)
        login = self.login
        asked = login["asked"]
        if login["methods"] is not None and login["methods"] != self.methods:
            return ("refused", "challenge-unknown", None)
        second = self.mode == "rejectThenCode" and asked is not None and not login["code"] and login["answer"] is None
        if second and asked["stage"] < len(self.methods):
            digits = bool(login["password"]) and all(letter in "0123456789" for letter in login["password"])
            if asked["what"] in ("password", "pin", "newPin") or digits:
                login["answer"], login["password"] = login["password"], None
                login["stage"] = asked["stage"]
        while login["stage"] < len(self.methods):
            method = self.methods[login["stage"]]
            outcome = {"password": self.password_stage, "pin": self.pin_stage, "token": self.token_stage}[method]()
            if outcome is not None:
                return outcome
            refused = self.look()
            if refused:
                return ("refused", refused, None)
            if asked is not None and asked["stage"] <= login["stage"]:
                login["asked"] = asked = None
            login |= {"stage": login["stage"] + 1, "answer": None, "keyword": None, "factor": False, "tried": False}
        shown = "token" in self.methods or ("pin" in self.methods and not self.world["user"]["tokens"])
        if self.policy["reset_on_success"] and shown:
            self.strikes = []
        return ("accepted", "accepted", None)

    # what stands where

    def typed(self):
        """The text for the method that is due; None where this request has none for it."""
        login, methods = self.login, self.methods
        if login["answer"] is not None:
            return login["answer"]
        if login["asked"] is not None and login["asked"]["stage"] == login["stage"] and login["caller"] is None:
            return None
        if login["code"] is None:
            return login["password"] if login["stage"] == 0 else None
        due, others = methods[login["stage"]], [method for method in methods if method != "token"]
        if due == "token" or (len(methods) > 1 and "token" not in methods and due == methods[-1]):
            return login["code"]
        return login["password"] if due == others[0] else None

    def cut(self, text, lengths):
        """Password and code out of one field; None where it has no code."""
        login, at = self.login, self.code_at
        asked = login["asked"]
        second = self.mode == "rejectThenCode" and asked and asked["what"] not in ("password", "pin", "newPin")
        if second and self.methods == ["password", "token"] and not self.policy["pin_with_token"]:
            at = at or "end"
        if at is None or login["answer"] is not None or login["code"] is not None:
            return None
        for length in sorted(lengths, reverse=True):
            code = text[:length] if at == "start" else text[-length:]
            if len(text) > length and all(letter in "0123456789" for letter in code):
                return (text[length:] if at == "start" else text[:-length]), code
        return None

    # the methods

    def password_stage(self):
        login = self.login
        text = self.typed()
        if text == "":
            return ("refused", "password-empty", None)
        if text is None:
            if login["stage"] == 0:
                return ("refused", "password-empty", None)
            return self.ask("password", "password-wanted")
        if self.code_at or self.mode == "rejectThenCode":
            token = self.choose()
            parts = self.cut(text, self.known_lengths(token)) if token else None
            if parts:
                text, login["cut"] = parts
        answering = login["asked"] is not None and login["asked"]["stage"] == login["stage"]
        login |= {"tested": login["tested"] or answering, "tried": True}
        verdict = self.world["passwords"].get(text, "wrong")
        if verdict == "right" or (verdict == "expired" and self.policy["allow_expired_password"]):
            return None
        if verdict == "wrong" and login["answer"] is not None and answering and login["asked"]["left"] > 1:
            return self.ask("password", "password-wrong-retry")
        told = {"unavailable": "directory-unavailable", "account-expired": "account-expired"}
        told |= {"disabled": "account-disabled", "locked": "account-locked"}
        return ("refused", told.get(verdict, f"password-{verdict}"), None)

    def pin_stage(self):
        login = self.login
        if login["answer"] is not None and login["asked"]["what"] == "newPin":
            return self.new_pin_typed(login["answer"])
        text = self.typed()
        if not text:
            if text == "" and login["answer"] is not None:
                return ("refused", "code-empty", None)
            return self.ask("pin", "pin-wanted")
        verdict, read = self.counted(lambda: self.read_pin(text, [0]))
        refused = self.look()
        if refused:
            return ("refused", refused, None)
        if verdict == "right":
            return self.after_pin(read)
        return ("refused", "attempts-exhausted", None) if verdict == "exhausted" else self.ask("pin", "pin-wrong-retry")

    def token_stage(self):  # noqa: C901 - likewise
        login, policy = self.login, self.policy
        token = self.choose()
        if token is None:
            return ("refused", "delivery-failed" if login["undelivered"] else "no-token", None)
        if login["answer"] is not None and login["asked"]["what"] == "newPin":
            return self.new_pin_typed(login["answer"])
        reason = self.never(token)
        if reason:
            return ("refused", reason, None)
        text = login["cut"] if login["cut"] is not None else self.typed()
        text = None if login.get("used") else text
        if text and self.may_be_typed(token):
            kind = self.keyword_kind(token)
            if kind and not self.taken_for_a_code(token, text):
                verdict, _ = self.counted(lambda: (self.is_keyword(kind, text), None))
                return self.keyword_typed(token, factor=True) if verdict == "right" else self.not_right(token, verdict)
            if self.word(text):
                return self.keyword_typed(self.word(text))
            read = None
            if policy["pin_with_token"]:
                lengths = [self.length(token)] + ([RESPONSE_LENGTH] if self.temporary() else [])
                verdict, read = self.counted(lambda: self.read_pin(text, lengths))
                refused = self.look()
                if refused or verdict != "right":
                    return ("refused", refused, None) if refused else self.not_right(token, verdict)
                text = read["code"]
            verdict, _ = self.counted(lambda: (self.is_code(token, text), None))
            login |= {"judged": token, "tried": True}
            if verdict != "right":
                return self.not_right(token, verdict)
            return self.after_pin(read) if read else None
        if text == "" and login["answer"] is not None:
            return ("refused", "code-empty", None)
        return self.ask_or_send(token)

    def not_right(self, token, verdict):
        refused = self.look()
        if refused:
            return ("refused", refused, None)
        vip = token == "vip"
        if verdict == "wrong":
            return self.ask(token, "code-wrong-retry")
        if verdict == "drifted":
            return self.ask(token, "code-resynchronise")
        if verdict == "exhausted":
            return ("refused", "attempts-exhausted", None)
        if verdict == "unavailable":
            return ("refused", "vip-unavailable" if vip else "directory-unavailable", None)
        return ("refused", "vip-misconfigured" if vip else "token-unreadable", None)
