"""Which policy governs: the order of the levels, priority between groups, and that nothing broken is passed over."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.effective import Level, effective_policy
from auth.reason import Reason
from core.logins import BASE, ancestor, link, membership, person, policy
from schema.errors import Malformed

BAD_PRIORITY = Malformed("dirfactorPriority", "first", "a whole number from 0 to 100000")
BAD_MODE = Malformed("dirfactorSmsMode", "later", "one of the words")

A = policy("a", priority=10)
B = policy("b", priority=10)
LOW = policy("low", priority=5)
BROKEN = policy("broken", priority=10, malformed=(BAD_MODE,))
UNRANKED = policy("unranked", malformed=(BAD_PRIORITY,))


def governs(assigned=None, groups=(), ancestors=(), node=None, default=None):
    somebody = person(
        assigned,
        [membership(f"g{number}", item) for number, item in enumerate(groups)],
        [ancestor(f"o{number}", item) for number, item in enumerate(ancestors)],
    )
    return effective_policy(somebody, "vpn", node, default)


def names(effective):
    return [(item.level, item.policy_name) for item in effective.candidates]


def won(effective):
    return [item for item in effective.candidates if item.won]


# one row for each level

LEVELS = {
    Level.USER: {"assigned": link(policy("user"))},
    Level.GROUP: {"groups": [link(policy("group"))]},
    Level.CONTAINER: {"ancestors": [None, link(policy("near")), link(policy("far"))]},
    Level.NODE: {"node": link(policy("node"))},
    Level.SERVER: {"default": policy("default")},
    Level.BUILT_IN: {},
}


@pytest.mark.parametrize("level", list(Level))
def test_every_level_wins_when_nothing_stands_before_it(level):
    order = list(Level)
    settings = {}
    for later in order[order.index(level) :]:
        settings |= LEVELS[later]
    found = governs(**settings)
    assert [item.level for item in won(found)] == [level]
    assert found.reason is None
    assert {item.level for item in found.candidates} == set(order[order.index(level) :])
    losers = {item.why for item in found.candidates if item.level is not level}
    assert losers <= {f"the {level} level comes first"}


def test_the_nearest_container_wins_and_the_farther_one_is_told_so():
    found = governs(ancestors=[None, link(A), link(B)])
    assert found.policy is A
    assert found.candidates[1].why == f"ou=o1,{BASE} is nearer"


def test_the_nearest_container_wins_whatever_the_priorities():
    found = governs(ancestors=[link(policy("near", priority=9)), link(policy("far", priority=1))])
    assert found.policy.name == "near"


def test_every_candidate_is_told_with_its_holder_and_why_it_lost():
    nested = membership("staff", link(A), path=("team",))
    somebody = person(None, [nested, membership("low", link(LOW))], [ancestor("unit", link(B))])
    found = effective_policy(somebody, "vpn", link(None, "gone"), policy("default"))
    assert [(item.level, item.holder, item.policy_name, item.why) for item in found.candidates] == [
        (
            Level.GROUP,
            f"cn=staff,{BASE}",
            f"cn=a,{BASE}",
            f"priority 10 is higher than 5, member through cn=team,{BASE} -> cn=staff,{BASE}",
        ),
        (
            Level.GROUP,
            f"cn=low,{BASE}",
            f"cn=low,{BASE}",
            f"lowest priority at the first level that has an assignment: 5, member through cn=low,{BASE}",
        ),
        (Level.CONTAINER, f"ou=unit,{BASE}", f"cn=b,{BASE}", "the group level comes first"),
        (Level.NODE, "vpn", f"missing object {b'gone'.ljust(16, b'.').hex()}", "the group level comes first"),
        (Level.SERVER, "config.ini", "[policy:default]", "the group level comes first"),
        (Level.BUILT_IN, "dirfactor", "built-in", "the group level comes first"),
    ]
    [own, *_] = governs(link(A)).candidates
    dn = person().dn
    assert (own.holder, own.policy_name, own.why) == (
        dn,
        f"cn=a,{BASE}",
        "nearest assignment at the first level that has one",
    )


def test_the_built_in_default_demands_a_token_and_nothing_else_is_needed_for_it():
    found = governs()
    assert found.name == "built-in"
    assert (found.policy.first_method, found.policy.second_method) == ("token", "none")


# between groups


def test_between_groups_the_lower_priority_wins_wherever_it_stands():
    for groups in ([link(A), link(LOW)], [link(LOW), link(A)], [link(A), link(B), link(LOW)]):
        found = governs(groups=groups)
        assert found.policy is LOW
        assert found.reason is None
        assert "lowest priority" in won(found)[0].why
        assert all(
            "10 is higher than 5" in item.why for item in found.candidates if item.policy_name.startswith("cn=a")
        )


def test_equal_priority_and_different_policies_is_a_conflict_that_names_both():
    found = governs(groups=[link(A), link(B)])
    assert (found.policy, found.reason) == (None, Reason.POLICY_CONFLICT)
    assert won(found) == []
    first, second = found.candidates[:2]
    assert (first.policy_name, second.policy_name) == (f"cn=a,{BASE}", f"cn=b,{BASE}")
    assert Reason.POLICY_CONFLICT.meaning in first.why
    assert f"same priority 10 as cn=a,{BASE}" in second.why


def test_a_conflict_does_not_fall_through_to_any_other_level():
    found = governs(groups=[link(A), link(B)], ancestors=[link(LOW)], node=link(LOW), default=LOW)
    assert (found.policy, found.reason) == (None, Reason.POLICY_CONFLICT)


def test_a_conflict_between_losers_does_not_matter():
    assert governs(groups=[link(A), link(B), link(LOW)]).policy is LOW


def test_the_same_policy_through_two_groups_is_no_conflict():
    found = governs(groups=[link(A), link(A)])
    assert (found.policy, found.reason) == (A, None)
    assert len(won(found)) == 1
    assert "the same policy" in found.candidates[1].why


def test_two_policies_with_equal_settings_are_still_two_policies():
    twin = policy("twin", priority=A.priority)
    assert governs(groups=[link(A), link(twin)]).reason is Reason.POLICY_CONFLICT


def test_the_users_own_policy_settles_a_conflict_of_groups():
    assert governs(assigned=link(LOW), groups=[link(A), link(B)]).policy is LOW


def test_a_nested_group_counts_and_its_path_is_told():
    somebody = person(groups=[membership("staff"), membership("all", link(A), path=("staff",))])
    found = effective_policy(somebody, "vpn", None, None)
    assert found.policy is A
    assert f"cn=staff,{BASE} -> cn=all,{BASE}" in won(found)[0].why


# what is broken

BROKEN_CASES = {
    "missing": (link(None), Reason.POLICY_MISSING),
    "malformed": (link(BROKEN), Reason.POLICY_MALFORMED),
}
HOLDERS = {
    "user": lambda item: {"assigned": item},
    "group": lambda item: {"groups": [item]},
    "container": lambda item: {"ancestors": [item, link(A)]},
    "node": lambda item: {"node": item},
}


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize("case", BROKEN_CASES)
def test_a_policy_that_is_missing_or_malformed_refuses_at_its_level_and_the_next_is_not_asked(holder, case):
    item, reason = BROKEN_CASES[case]
    settings = {"ancestors": [link(A)], "node": link(A), "default": A, **HOLDERS[holder](item)}
    if holder == "node":
        settings["ancestors"] = []
    found = governs(**settings)
    assert (found.policy, found.reason) == (None, reason)
    assert won(found) == []
    assert found.candidates[0].why.startswith(reason.meaning)


def test_a_malformed_server_default_refuses_instead_of_the_built_in_one():
    assert governs(default=BROKEN).reason is Reason.POLICY_MALFORMED


@pytest.mark.parametrize("groups", [[None, A], [A, None], [LOW, A, None], [None, None]])
def test_a_missing_policy_in_one_of_several_groups_refuses(groups):
    found = governs(groups=[link(item) for item in groups])
    assert (found.policy, found.reason) == (None, Reason.POLICY_MISSING)
    assert found.name == f"missing object {link(None).id.hex()}"
    assert "-1" not in "".join(item.why for item in found.candidates)


@pytest.mark.parametrize("groups", [[UNRANKED, LOW], [LOW, UNRANKED]])
def test_a_policy_whose_priority_cannot_be_read_is_not_outranked_by_another_group(groups):
    found = governs(groups=[link(item) for item in groups])
    assert (found.policy, found.reason) == (None, Reason.POLICY_MALFORMED)
    assert "-1" not in "".join(item.why for item in found.candidates)


def test_a_malformed_policy_that_would_lose_anyway_refuses_nobody():
    assert governs(groups=[link(BROKEN), link(LOW)]).policy is LOW


def test_a_malformed_policy_of_equal_priority_refuses_on_either_side():
    assert governs(groups=[link(BROKEN), link(A)]).reason is Reason.POLICY_MALFORMED
    assert governs(groups=[link(A), link(BROKEN)]).reason is Reason.POLICY_CONFLICT


# the same again, by a second and deliberately naive implementation


@dataclass(frozen=True)
class Spot:
    """One random policy: its number, whether it is there, what of it cannot be read, its priority."""

    number: int
    there: bool
    malformed: tuple[Malformed, ...]
    priority: int

    @property
    def ranked(self):
        return self.there and BAD_PRIORITY not in self.malformed

    def link(self):
        if not self.there:
            return link(None, f"p{self.number}")
        return link(policy(f"p{self.number}", priority=self.priority, malformed=self.malformed))


malformed = st.sampled_from([()] * 6 + [(BAD_MODE,), (BAD_PRIORITY,), (BAD_MODE, BAD_PRIORITY)])


@st.composite
def worlds(draw):
    """Random assignments of at most six policies, each of which is the same object wherever it is assigned."""
    pool = [Spot(number, draw(st.integers(0, 9)) > 0, draw(malformed), draw(st.integers(1, 3))) for number in range(6)]
    spot = st.sampled_from(pool)
    return {
        "user": draw(st.none() | st.none() | spot),
        "groups": draw(st.lists(st.none() | spot, max_size=4)),
        "containers": draw(st.lists(st.none() | spot, max_size=3)),
        "node": draw(st.none() | spot),
        "server": draw(st.booleans()),
    }


def naive(world):
    """(number of the policy or its level's name, None), or (None, reason). Written without looking at the other one."""
    if world["user"]:
        return judge(world["user"])
    groups = [spot for spot in world["groups"] if spot]
    if groups:
        for spot in groups:
            if not spot.ranked:
                return judge(spot)
        best = min(spot.priority for spot in groups)
        best_spots = [spot for spot in groups if spot.priority == best]
        if best_spots[0].malformed:
            return None, Reason.POLICY_MALFORMED
        if len({spot.number for spot in best_spots}) > 1:
            return None, Reason.POLICY_CONFLICT
        return judge(best_spots[0])
    for spot in world["containers"]:
        if spot:
            return judge(spot)
    if world["node"]:
        return judge(world["node"])
    return ("server", None) if world["server"] else ("built-in", None)


def judge(spot):
    if not spot.there:
        return None, Reason.POLICY_MISSING
    if spot.malformed:
        return None, Reason.POLICY_MALFORMED
    return f"p{spot.number}", None


@given(worlds())
def test_the_naive_implementation_comes_to_the_same_policy(world):
    spots = {key: world[key] for key in ("user", "node")}
    found = governs(
        spots["user"] and spots["user"].link(),
        [spot and spot.link() for spot in world["groups"]],
        [spot and spot.link() for spot in world["containers"]],
        spots["node"] and spots["node"].link(),
        policy("server") if world["server"] else None,
    )
    assert (found.policy and found.policy.name, found.reason) == naive(world)


@given(worlds())
def test_exactly_one_candidate_won_or_there_is_a_reason_and_every_candidate_says_why(world):
    found = governs(
        world["user"] and world["user"].link(),
        [spot and spot.link() for spot in world["groups"]],
        [spot and spot.link() for spot in world["containers"]],
        world["node"] and world["node"].link(),
        policy("server") if world["server"] else None,
    )
    assert len(won(found)) == (1 if found.reason is None else 0)
    assert (found.policy is None) == (found.reason is not None)
    assigned = [spot for spot in (world["user"], *world["groups"], *world["containers"], world["node"]) if spot]
    assert len(found.candidates) == len(assigned) + world["server"] + 1, "none is left out"
    assert all(item.why and not item.why.endswith(".") for item in found.candidates)
    order = list(Level)
    positions = [order.index(item.level) for item in found.candidates]
    assert positions == sorted(positions)
    if found.reason is None:
        assert won(found)[0].policy_name == found.name


@given(worlds(), st.randoms())
def test_the_order_in_which_a_user_is_in_groups_does_not_choose_the_policy(world, random):
    shuffled = world["groups"][:]
    random.shuffle(shuffled)
    one = governs(groups=[spot and spot.link() for spot in world["groups"]])
    other = governs(groups=[spot and spot.link() for spot in shuffled])
    assert (one.policy and one.policy.name) == (other.policy and other.policy.name)
    assert (one.reason is None) == (other.reason is None)
