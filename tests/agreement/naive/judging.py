"""Whether a code or a PIN is right, and what counts against somebody."""

from agreement.naive.world import DAY, SENT, bare, fits


class Judging:
    """Judges what was typed."""

    def left(self):
        """How many tries there are, this one included."""
        login = self.login
        if login["asked"] is not None and login["asked"]["stage"] == login["stage"]:
            return login["asked"]["left"]
        return self.tries_here()

    def tries_here(self):
        tries = self.tries[self.login["stage"]]
        return min(tries, self.policy["code_attempts"]) if self.methods[self.login["stage"]] == "token" else tries

    def counted(self, judge):
        """What was typed counts against the person unless it turns out not to be wrong."""
        left = self.left()
        here = self.login["asked"] is not None and self.login["asked"]["stage"] == self.login["stage"]
        self.login |= {"tested": self.login["tested"] or here, "held": None}
        verdict, found = judge()
        if verdict == "wrong":
            self.strikes.append(self.now)
        if verdict == "outdated":  # their own PIN, which is no guess and brings no code any more
            verdict = "wrong"
        self.login["tried"] = verdict != "right"
        if verdict in ("wrong", "drifted") and left <= 1:
            verdict = "exhausted"
        return verdict, found

    def is_code(self, token, text):
        asked = self.login["asked"]
        here = asked is not None and asked["stage"] == self.login["stage"] and asked["what"] == token
        held = asked["held"] if here else None
        response = self.world["user"]["response"]
        if response is not None and self.temporary() and bare(text) == response["text"]:
            self.response_used = True
            return "right"
        if token in SENT:
            now_at = self.address(token)
            if here and asked["code"] is not None and (asked["code"], asked["to"]) == (bare(text), now_at):
                return "right"
            if self.mode_of(token) != "onLogon" and self.stock[token].get((bare(text), now_at), self.now) > self.now:
                del self.stock[token][bare(text), now_at]
                return "right"
            return "wrong"
        known = self.world["codes"][token]
        if held is not None:
            return "right" if known["second"].get(text) == held else "wrong"
        verdict = known["verdicts"].get(text, "wrong")
        self.login["held"] = text if verdict == "drifted" else None
        return verdict

    # PINs

    def pin(self):
        """The PIN that counts, and since when: the newer one of the administrator's and the person's own."""
        user = self.world["user"]
        if user["pin"] is None:
            return None, None
        at = user["pin_at"] if user["pin_at"] is not None and user["pin_at"] <= self.now else None
        if self.new_pin is not None and (at is None or self.new_pin[1] > at):
            return self.new_pin
        return user["pin"], at

    def too_old(self, since):
        days = self.policy["pin_expire_days"]
        return days > 0 and (since is None or self.now - since >= days * DAY)

    def read_pin(self, text, lengths):
        """PIN, code of one of these lengths, and perhaps a new PIN twice."""
        pin, since = self.pin()
        text = bare(text)
        if pin is None or not text.startswith(pin):
            return "wrong", None
        rest = text[len(pin) :]
        for length in lengths:
            if len(rest) == length:
                return "right", {"code": rest, "old": self.too_old(since), "new": None}
        for half in range(1, len(rest) // 2 + 1):
            for length in lengths:
                if len(rest) == length + 2 * half and rest[-half:] == rest[-2 * half : -half]:
                    return "right", {"code": rest[:length], "old": self.too_old(since), "new": rest[-half:]}
        return "wrong", None

    def after_pin(self, read):
        """A PIN was right, and all else of its method: is there a new one, or must there be?"""
        if read["new"] is not None:
            if fits(read["new"], self.policy, self.pin()[0]):
                self.new_pin = (read["new"], self.now)
                return None
            reason = "pin-unfit"
        elif read["old"]:
            reason = "pin-expired"
        else:
            return None
        refused = self.look()
        if refused:
            return ("refused", refused, None)
        self.login["tried"] = self.login["tried"] or reason == "pin-unfit"
        return self.ask("newPin", reason) if self.asks() else ("refused", reason, None)

    def new_pin_typed(self, text):
        self.login["tested"] = self.login["tested"] or bool(text)
        if not text:
            return ("refused", "pin-expired", None)
        half = len(bare(text)) // 2
        pin = bare(text)[:half]
        if pin and pin + pin == bare(text) and fits(pin, self.policy, self.pin()[0]):
            self.new_pin = (pin, self.now)
            return None
        last = self.login["asked"]["left"] <= 1 or not self.asks()
        self.login["tried"] = True
        return ("refused", "pin-unfit", None) if last else self.ask("newPin", "pin-unfit")
