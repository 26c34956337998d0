"""Messages with codes, and the questions that are asked."""

from agreement.naive.world import SENT

WINDOW = 900  # seconds in which dirfactorCodesPerWindow is counted


class Sending:
    """Sends, and asks."""

    def ask_or_send(self, token):
        login = self.login
        if self.temporary():
            return self.ask(token, "temporary-wanted")
        if token not in SENT or (self.mode_of(token) == "keyword" and self.asks()):
            return self.ask(token, "code-wanted")
        stock = self.on_stock(token)
        if stock > 1 or (stock and (login["limited"] or token in login["undelivered"] or not self.may_send())):
            return self.ask(token, "code-wanted")
        return self.send(token)

    def may_send(self):
        return self.login["stage"] > 0 or self.login["factor"] or self.mode == "codeOnly"

    def send(self, token):
        """One message, or what is done when it cannot be sent."""
        login, policy = self.login, self.policy
        if not self.may_send():
            return ("refused", "no-first-factor", None)
        if login["limited"]:
            return ("refused", "send-limit", None)
        if sum(at > self.now - WINDOW for at in self.sends) >= policy["codes_per_window"]:
            login["limited"] = True
            return self.send(token) if login["keyword"] == token else self.token_stage()
        self.sends.append(self.now)
        if token == "vip":
            self.messages.append(("vip", []))
            return self.ask("vip", "code-sent")
        stocked = self.mode_of(token) == "ahead"
        if self.mode_of(token) == "keyword" and policy[f"{token}_codes_per_message"] > 1:
            stocked = True
        codes = [self.draw() for _ in range(policy[f"{token}_codes_per_message"] if stocked else 1)]
        if token in self.world["down"]:
            login["undelivered"].add(token)
            other = self.choose()
            if other is None:
                return ("refused", "delivery-failed", None)
            return self.ask_or_send(other) if other == token else self.token_stage()
        self.messages.append((token, codes))
        if stocked:
            for code in codes:
                self.stock[token][code, self.address(token)] = self.now + policy["ahead_lifetime"] * 3600
        return self.ask(token, "code-sent", code=None if stocked else codes[0])

    def draw(self):
        length = self.policy["code_length"]
        code = self.world["draws"][self.drawn] % 10**length
        self.drawn += 1
        return f"{code:0{length}d}"

    # asking

    def ask(self, what, reason, code=None):
        """Open a challenge; again, while there are tries, the same one."""
        login = self.login
        earlier = login["asked"] if login["asked"] is not None and login["asked"]["stage"] == login["stage"] else None
        used = 1 if login["tried"] and reason != "code-sent" else 0
        if earlier is not None and earlier["what"] == what and reason != "code-sent":
            asked = earlier | {"left": earlier["left"] - used, "held": login.get("held") if used else earlier["held"]}
        else:
            left = self.tries_here() - used
            if earlier is not None and what not in ("password", "pin", "newPin"):
                left = min(left, earlier["left"])
            until = self.now + self.policy["code_lifetime"]
            asked = {"what": what, "stage": login["stage"], "code": code, "left": left, "until": until}
            asked |= {"methods": self.methods, "held": login.get("held"), "to": self.address(what)}
        if login["caller"] is not None:
            self.parked[login["caller"]] = asked
        else:
            self.open = asked
        return ("challenged", reason, what)
