"""What is demanded of a server before anything is trusted to it: release, memory policy, role, rights."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from auth.shared.connection import Asking, NoPermissionError
from auth.shared.line import Command
from auth.shared.names import Names
from auth.shared.scripts import ALL, BEGIN_EPOCH, GIVE_BACK, NEW_RUN, RESERVE
from auth.state import StateUnavailable
from schema.errors import Fault

OLDEST: Final = (6, 2)
"""The release of Redis from which on it has all that is asked; every Valkey is later."""
_LONGEST = 200
_MOST_SKEW_SECONDS = 5.0
RIGHTS: Final = (
    "-@all +auth +ping +info +time +eval +evalsha +wait +scan +get +set +del +exists +hset +hget +hmget +hgetall "
    "+hvals +hkeys +hdel +hincrby +pexpire +pexpireat +sadd +srem +scard +smembers"
)
"""Of our user in the server's ACL."""


class Demands:
    """Examines servers.

    Args:
        names: of the keys.
    """

    def __init__(self, names: Names) -> None:
        self._names = names

    async def examine(self, servers: Asking) -> str:
        """Look at all servers that take writes.

        Returns:
            What changes when one of them is started again, or another takes its place.

        Raises:
            StateUnavailable: there is none that can be asked, which may pass by itself.
            Fault: a server is set up in a way that cannot be used.
        """
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
        """Every script once, on a key that nobody uses."""
        probe = self._names.probe
        for answer in await servers.exchange([_trial(script.source, probe) for script in ALL]):
            if isinstance(answer, Exception):
                raise self._refused(answer)
        others: list[Command] = [
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
        for answer in await servers.exchange(others):
            if isinstance(answer, Exception):
                raise self._refused(answer)

    def _refused(self, error: Exception) -> Fault:
        said = str(error)
        # in a script it is an error of the script, told in the words of Redis 6.2, of 7.0, or of later ones
        in_script = ("NOPERM", "The user executing the script", "ACL failure in script")
        if isinstance(error, NoPermissionError) or any(words in said for words in in_script):
            return Fault(
                f"[state]: the server's ACL does not allow what is needed: {said[:_LONGEST]}",
                remedy=f"ACL SETUSER NAME on >PASSWORD ~{self._names.prefix}:* {RIGHTS}",
            )
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
