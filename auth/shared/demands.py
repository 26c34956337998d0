"""What is demanded of a server before anything is trusted to it: release, memory policy, role, rights."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from auth.shared.connection import Asking, NoPermissionError, NoScriptError
from auth.shared.line import Command
from auth.shared.names import Names
from auth.shared.rights import NotAllowed, not_allowed
from auth.shared.scripts import ALL, BEGIN_EPOCH, GIVE_BACK, NEW_RUN, RESERVE
from auth.shared.settings import Arrangement
from auth.state import StateUnavailable
from schema.errors import Fault

OLDEST: Final = (6, 2)
"""The release of Redis from which on it has all that is asked; every Valkey is later."""
_LONGEST = 200
_NO_SCRIPT = 40 * "0"
_MOST_SKEW_SECONDS = 5.0


class Demands:
    """Examines servers.

    Args:
        names: of the keys.
        arrangement: of the servers.
    """

    def __init__(self, names: Names, arrangement: Arrangement = Arrangement.SERVER) -> None:
        self._names = names
        self._arrangement = arrangement

    async def examine(self, servers: Asking) -> str:
        """Look at all servers that take writes.

        Returns:
            What changes when one of them is started again, or another takes its place.

        Raises:
            StateUnavailable: there is none that can be asked, which may pass by itself.
            Fault: a server is set up in a way that cannot be used.
        """
        try:
            return await self._examined(servers)
        except NotAllowed as refused:  # it does not pass by itself
            raise Fault(refused.problem, remedy=refused.remedy) from refused

    async def _examined(self, servers: Asking) -> str:
        runs = []
        for answer in await servers.everywhere(("INFO", "everything")):
            if isinstance(answer, Exception):
                raise self._refused(answer)
            told = _values(answer)
            _demand(told)
            runs.append(told.get("run_id", ""))
        await self._try_rights(servers)
        return " ".join(sorted(runs))

    async def _try_rights(self, servers: Asking) -> None:
        """Every script once, on a key that nobody uses, and whatever is asked without one."""
        probe = self._names.probe
        everywhere: list[Command] = [("TIME",), ("SCAN", 0, "MATCH", probe, "COUNT", 1), ("WAIT", 0, 1)]
        if self._arrangement is Arrangement.CLUSTER:
            everywhere.append(("ASKING",))
        for command in everywhere:
            self._demand_all(await servers.everywhere(command))
        self._demand_all(await servers.exchange([_trial(script.source, probe) for script in ALL]))
        others: list[Command] = [
            ("EVALSHA", _NO_SCRIPT, 1, probe),
            ("DEL", probe),
            ("HSET", probe, "0", "0"),
            ("HGETALL", probe),
            ("HVALS", probe),
            ("HKEYS", probe),
            ("HMGET", probe, "node", "value"),
            ("DEL", probe),
            ("DEL", f"{probe}:set"),
            ("DEL", f"{probe}:other"),
            ("DEL", f"{probe}:over"),
            ("GET", probe),
            ("SMEMBERS", probe),
            ("SCARD", probe),
            ("SREM", probe, "nobody"),
        ]
        self._demand_all(await servers.exchange(others))

    def _demand_all(self, answers: Sequence[Any]) -> None:
        """Raises StateUnavailable: one of them is an error."""
        for answer in answers:
            # whoever does not know a script would have run it
            if isinstance(answer, Exception) and not isinstance(answer, NoScriptError):
                raise self._refused(answer)

    def _refused(self, error: Exception) -> StateUnavailable:
        said = str(error)
        # in a script it is an error of the script, told in the words of Redis 6.2, of 7.0, or of later ones
        in_script = ("NOPERM", "The user executing the script", "ACL failure in script")
        if isinstance(error, NoPermissionError) or any(words in said for words in in_script):
            return not_allowed(error, self._names.prefix, self._arrangement)
        return StateUnavailable(f"the state store refuses: {said[:_LONGEST]}", remedy="look at the server's log")


async def demand_the_time(servers: Asking, now: datetime) -> None:
    """See that this clock and the servers' agree.

    Failures and limits are counted by the instants that nodes tell, so these must agree with each other.

    Raises:
        StateUnavailable: they do not, or nobody can be asked.
    """
    for answer in await servers.everywhere(("TIME",)):
        if isinstance(answer, Exception):
            raise StateUnavailable(f"the state store tells no time: {answer}"[:_LONGEST], remedy="look at its ACL")
        seconds, micro = (int(part) for part in answer)
        ahead = now.timestamp() - seconds - micro / 1e6
        if abs(ahead) > _MOST_SKEW_SECONDS:
            raise StateUnavailable(
                f"this clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} that of the state store",
                remedy="have both follow the same time servers (NTP)",
            )


async def persists(servers: Asking) -> bool:
    """Whether every server writes what it holds to its disk as it goes. Raises StateUnavailable."""
    answers = await servers.everywhere(("INFO", "persistence"))
    return all(not isinstance(each, Exception) and _values(each).get("aof_enabled") == "1" for each in answers)


def _trial(source: str, probe: str) -> Command:
    """A script with arguments by which it does little, after the key was cleared by the one before."""
    clear = "for i = 1, #KEYS do redis.call('DEL', KEYS[i]) end\n"
    if source == RESERVE.source:
        return ("EVAL", clear + source, 1, probe, 60, 0, 1000, 0, 1)
    if source == GIVE_BACK.source:
        return ("EVAL", clear + source, 1, probe, 60, 1)
    if source in {BEGIN_EPOCH.source, NEW_RUN.source}:
        keys = (probe, f"{probe}:other", f"{probe}:set", f"{probe}:over")
        return ("EVAL", clear + source, len(keys), *keys, "1", "2", "3")
    return ("EVAL", clear + source, 1, probe, 1, 1, 1, 1, 1)


def _demand(info: Mapping[str, str]) -> None:
    release = tuple(int(part) for part in re.findall(r"\d+", info.get("redis_version", ""))[:2])
    if "valkey_version" not in info and release < OLDEST:
        raise Fault(
            f"[state]: the server is Redis {info.get('redis_version', 'of an unknown release')}",
            remedy=f"use Redis {'.'.join(map(str, OLDEST))} or later, or any Valkey",
        )
    if info.get("maxmemory_policy", "noeviction") != "noeviction":
        raise Fault(
            f"[state]: by maxmemory-policy {info['maxmemory_policy']} the server would forget which codes were used",
            remedy="CONFIG SET maxmemory-policy noeviction, and the same in its configuration file",
        )
    if info.get("role", "master") != "master":
        raise StateUnavailable("the state store is a replica", remedy="name the primary in [state], or its sentinels")
    if info.get("loading", "0") != "0":
        raise StateUnavailable("the state store is reading its files", remedy="wait until it has")


def _values(answer: Any) -> Mapping[str, str]:
    """Of what INFO says."""
    if isinstance(answer, dict):
        return {str(key): str(value) for key, value in answer.items()}
    lines = answer.decode(errors="replace").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)
