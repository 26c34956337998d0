"""Which token, what its codes are like, and what its keyword is."""

from agreement.naive.world import RESPONSE_LENGTH, SENT, bare, is_assigned_and_usable


class Tokens:
    """Chooses a token, and knows its keyword."""

    def temporary(self):
        """Whether there is a temporary response that counts now."""
        response, policy = self.world["user"]["response"], self.policy
        if response is None or not policy["temporary_response_allowed"]:
            return False
        minutes = min(response["minutes"], policy["temporary_response_minutes"])
        multiple = response["multiple"] and policy["temporary_response_multiple_use"]
        return self.now < response["issued_at"] + minutes * 60 and (multiple or not self.response_used)

    def choose(self):
        login = self.login
        wanted = login["keyword"] or login.get("judged")
        asked = login["asked"]
        if wanted is None and asked is not None and asked["what"] not in ("password", "pin", "newPin"):
            wanted = asked["what"]
        usable = [k for k in self.policy["token_order"] if is_assigned_and_usable(self.world, self.policy, k)]
        failed = [kind for kind in usable if kind in login["undelivered"] and not self.on_stock(kind)]
        if failed and not self.policy["token_fallback"]:
            return None
        for kind in usable:
            if kind in failed:
                continue
            if wanted is None or wanted == kind or wanted in login["undelivered"]:
                return kind
        if self.temporary() and self.world["user"]["tokens"]:
            return wanted or self.world["user"]["tokens"][0]
        return None

    def length(self, token):
        if not is_assigned_and_usable(self.world, self.policy, token):
            return RESPONSE_LENGTH
        return self.policy["code_length"] if token in SENT else {"vip": 6, "totp": 8, "hotp": 6}[token]

    def mode_of(self, token):
        return self.policy[f"{token}_mode"] if token in SENT else "onLogon"

    def on_stock(self, token):
        if self.mode_of(token) == "onLogon":
            return 0
        here = self.address(token)
        return sum(until > self.now for (_, to), until in self.stock[token].items() if to == here)

    def address(self, token):
        """Where a token's codes are sent now."""
        user = self.world["user"]
        homes = {"sms": ("phone", "mobile"), "email": ("mail_override", "mail")}
        override, home = homes.get(token, (None, None))
        return None if override is None else user[override] if user[override] is not None else user[home]

    def may_be_known(self, token):
        asked = self.login["asked"]
        sent = asked is not None and asked["code"] is not None and asked["what"] == token
        return token not in SENT or sent or self.on_stock(token) > 0

    def known_lengths(self, token):
        own = [self.length(token)] if self.may_be_known(token) else []
        return own + ([RESPONSE_LENGTH] if self.temporary() else [])

    def may_be_typed(self, token):
        by_keyword = self.mode_of(token) == "keyword" and self.asks()
        return self.may_be_known(token) or self.temporary() or by_keyword or self.login["answer"] is not None

    def asks(self):
        return self.mode not in ("append", "rejectThenCode")

    # keywords

    def keyword_kind(self, token):
        if self.mode_of(token) != "keyword" or not self.asks():
            return None
        kind = self.policy[f"{token}_keyword_kind"]
        return kind if kind != "word" else None

    def never(self, token):
        """Why nobody can ever come by a code of a token that waits for a keyword."""
        if self.mode_of(token) != "keyword" or not self.asks() or self.may_be_known(token) or self.temporary():
            return None
        kind = self.keyword_kind(token)
        if kind == "pin":
            return "pin-missing" if self.world["user"]["pin"] is None else None
        if kind == "password":
            return None
        return ("no-first-factor" if not self.may_send() else None) if self.words() else "no-token"

    def taken_for_a_code(self, token, text):
        asked = self.login["asked"]
        if asked is not None and asked["code"] is not None:
            return True
        digits = all(letter in "0123456789" for letter in text)
        lengths = self.known_lengths(token)
        behind_pin = self.policy["pin_with_token"] and any(len(text) > length for length in lengths)
        return digits and (len(text) in lengths or behind_pin)

    def is_keyword(self, kind, text):
        if kind == "pin":
            pin, since = self.pin()
            if pin != bare(text):
                return "wrong"
            return "outdated" if self.too_old(since) else "right"
        verdict = self.world["passwords"].get(text, "wrong")
        if verdict == "right" or (verdict == "expired" and self.policy["allow_expired_password"]):
            return "right"
        return "unavailable" if verdict == "unavailable" else "wrong"

    def words(self):
        """The keywords that may be typed now, and the token that each has a code sent by."""
        found = {}
        for kind in self.policy["token_order"] if self.asks() else []:
            if kind in ("sms", "email", "vip") and is_assigned_and_usable(self.world, self.policy, kind):
                word = self.policy[f"{kind}_keyword"]
                if word and (kind == "vip" or self.policy[f"{kind}_keyword_kind"] == "word"):
                    found.setdefault(word.strip().lower(), kind)
        return found

    def word(self, text):
        """The token whose keyword this is."""
        return self.words().get(text.strip().lower())

    def keyword_typed(self, token, *, factor=False):
        login = self.login
        refused = self.look()
        if refused:
            return ("refused", refused, None)
        login |= {"keyword": token, "factor": factor, "used": True}
        return self.send(token)
