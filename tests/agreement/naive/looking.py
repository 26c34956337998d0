"""Before anything that is typed counts: who may log on at all, by which policy and by which methods."""

from agreement.naive.policy import effective
from agreement.naive.world import expiry_of_lock

JOINED = ("passwordThenToken", "tokenThenPassword")


class Looking:
    """Looks; says the reason why not."""

    def look(self):  # noqa: C901, PLR0912 - one early answer after the other is what it is
        """The reason to refuse, whatever was typed; it also finds policy and methods."""
        world, user, node = self.world, self.world["user"], self.world["node"]
        if node is None or not node["enabled"] or node["malformed"]:
            return "node-unknown"
        if world["found"] == 0 and self.login["answer"] is None:
            return "user-unknown"
        if world["found"] > 1 and self.login["answer"] is None:
            return "user-ambiguous"
        if node["members"] is not None:
            mine = {"alice"} | {group["name"] for group in world["groups"]}
            if not mine & set(node["members"]):
                return "not-member"
        policy = effective(world)
        if isinstance(policy, str):
            return policy
        self.policy, self.mode, self.looked = policy, node["mode"], True
        if world["age"] is None or world["age"] + self.now > (policy["maximum_staleness"] or world["expired_after"]):
            return "replica-stale"
        if user["malformed"] or any(entry["malformed"] for entry in world["groups"] + world["units"]):
            return "entry-malformed"
        if user["disabled"] or (user["starts_at"] is not None and user["starts_at"] > self.now):
            return "account-disabled"
        if user["expires_at"] is not None and user["expires_at"] <= self.now:
            return "account-expired"
        if user["locked_at"] is not None and self.now < expiry_of_lock(user["locked_at"], world["units"]):
            return "account-locked"
        if user["hours"] == "never" or policy["logon_hours"] == "never":
            return "logon-hours"
        if self.locked():
            return "violations-locked"
        return self.find_methods()

    def locked(self):
        unlocked = self.world["user"]["unlocked_at"]
        limit = self.policy["logon_attempts"] * self.policy["violation_limit"]
        count, until = 0, None
        for strike in sorted(self.strikes):
            if unlocked is not None and strike <= unlocked <= self.now:
                continue
            if until is not None and strike >= until:
                count, until = 0, None
            count += 1
            if count >= limit and until is None:
                until = strike + self.policy["lock_minutes"] * 60
        return until is not None and self.now < until

    def find_methods(self):  # noqa: C901 - likewise
        policy, user, mode = self.policy, self.world["user"], self.mode
        self.methods, self.tries, self.code_at = [], [], None
        for place in ("first", "second"):
            setting = policy[f"{place}_method"]
            spelled = {"none": [], "passwordUntilToken": ["password", "token"] if user["tokens"] else ["password"]}
            for method in spelled.get(setting, ["password", "token"] if setting in JOINED else [setting]):
                if mode != "codeOnly" or method != "password":
                    self.methods.append(method)
                    self.tries.append(policy[f"{place}_method_attempts"])
            if setting in JOINED and self.code_at != "start":
                self.code_at = "end" if setting == "passwordThenToken" else "start"
        if not self.methods or len(set(self.methods)) < len(self.methods):
            return "method-unsupported"
        if mode == "append" and sorted(self.methods) == ["password", "token"]:
            if self.methods[0] == "token":
                self.tries.reverse()
            self.methods, self.code_at = ["password", "token"], "end"
        if self.methods[:2] != ["password", "token"]:
            self.code_at = None
        if mode == "append" and (len(self.methods) > 2 or (len(self.methods) == 2 and self.code_at is None)):
            return "method-unsupported"
        wants_pin = policy["pin_with_token"] and "token" in self.methods
        if wants_pin and self.code_at:
            return "method-unsupported"
        if ("pin" in self.methods or wants_pin) and user["pin"] is None:
            return "pin-missing"
        return None
