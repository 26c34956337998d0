"""Who is asked where the primary is, and what is told when nobody knows."""

import asyncio
import re

import pytest
from valkey import exceptions

from auth.shared.connection import _Sentinels
from auth.shared.rights import RIGHTS_AT_SENTINELS, NotAllowed
from auth.state import StateUnavailable

UP = {"is_master": True, "is_sdown": False, "is_odown": False, "num-other-sentinels": 2}


class Adviser:
    """A sentinel that answers this, or raises it, a moment later."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = 0

    async def sentinel_masters(self):
        self.asked += 1
        await asyncio.sleep(0)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def sentinels(*answers):
    asked = _Sentinels(())
    asked.sentinels = [Adviser(answer) for answer in answers]
    return asked


KNOWS = {"logins": UP | {"ip": "127.0.0.1", "port": 6379}}
GONE = exceptions.ConnectionError("gone")
NO_RIGHT = exceptions.NoPermissionError("this user has no permissions")
NO_ACCOUNT = exceptions.AuthenticationError("invalid username-password pair")


@pytest.mark.parametrize("first", [GONE, exceptions.TimeoutError(), NO_RIGHT, NO_ACCOUNT, {}, {"others": UP}])
async def test_the_next_sentinel_is_asked_whatever_one_answers_and_the_one_that_knew_is_asked_first_then(first):
    asked = sentinels(first, KNOWS)
    useless, useful = asked.sentinels
    for _ in range(3):
        assert await asked.discover_master("logins") == ("127.0.0.1", 6379)
    assert (useless.asked, useful.asked) == (1, 3)


async def test_however_many_ask_at_once_every_sentinel_goes_on_being_one():
    asked = sentinels(GONE, {}, KNOWS)
    before = list(asked.sentinels)
    await asyncio.gather(*(asked.discover_master("logins") for _ in range(5)))
    assert sorted(map(id, asked.sentinels)) == sorted(map(id, before))


@pytest.mark.parametrize(
    ("answers", "problem", "remedy"),
    [
        ((GONE, GONE), "logins is: gone$", "network"),
        ((GONE, exceptions.TimeoutError()), "logins is: gone; TimeoutError$", "network"),
        (({}, {}), "none knows one of this name that is up", "what they call the primary"),
        (({"logins": UP | {"is_odown": True}},), "none knows one of this name that is up", "sentinels"),
        ((GONE, NO_ACCOUNT), "refuse our name or password", "sentinel_password"),
        ((NO_RIGHT, {}), "no permissions", "sentinels"),
    ],
)
async def test_what_keeps_all_of_them_from_telling_is_told_and_may_pass_by_itself(answers, problem, remedy):
    with pytest.raises(StateUnavailable) as caught:
        await sentinels(*answers).discover_master("logins")
    assert not isinstance(caught.value, NotAllowed)
    assert remedy in caught.value.remedy
    assert re.search(problem, caught.value.problem)


async def test_that_none_of_them_allows_the_question_does_not_pass_by_itself():
    with pytest.raises(NotAllowed) as caught:
        await sentinels(NO_RIGHT, NO_RIGHT).discover_master("logins")
    assert RIGHTS_AT_SENTINELS in caught.value.remedy
