"""The tripwire: what takes the second factor from too many is held, whatever edit it is, until somebody says yes."""

import contextlib
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from auth.keys.ring import Key, Ring
from auth.otp.sealed import sealed_token
from auth.otp.token import SoftwareToken
from auth.weakening import loss_under
from dirsync.change import Batch, Delete, LinkChange, LinkKind, Placing, Put
from dirsync.replica import Replica, ReplicaWriter
from dirsync.replica.concern import Side, concerned
from dirsync.replica.directories import names_of
from dirsync.replica.entrance import comers
from dirsync.replica.holding import WINDOW, held_batches, release
from dirsync.replica.snapshot import Snapshot
from dirsync.replica.tripwire import Held, Tripwire
from schema.entry import Policy
from schema.errors import Fault
from schema.words import Method, TokenKind
from small_directory import (
    BASE,
    NOW,
    SOURCE,
    content,
    difference,
    directory,
    entry_id,
    increment,
    partial_put,
    refresh,
    sid,
    thing,
    whole_put,
)
from small_world import KINDS, World, in_memory

MEMBER, POLICY = LinkKind.MEMBER, LinkKind.POLICY
PEOPLE = [f"user{number}" for number in range(20)]
STAFF = thing("staff", "ou", links={POLICY: ["both"]})
LAB = directory(
    thing("both", "policy", dirfactorFirstMethod="password", dirfactorSecondMethod="token"),
    thing("lax", "policy", dirfactorFirstMethod="password", dirfactorSecondMethod="none"),
    STAFF,
    thing("elsewhere", "ou"),
    thing("office", "ou", STAFF.id),
    thing("vpn", "group", links={POLICY: ["both"], MEMBER: ["inner"]}),
    thing("inner", "group", links={MEMBER: PEOPLE}),
    thing("plain", "group", links={MEMBER: PEOPLE}),
    *(thing(name, "user", thing("office", "ou").id, dirfactorToken="sms", mobile="1") for name in PEOPLE),
)
DEMANDS = (
    {"dirfactorFirstMethod": "password", "dirfactorSecondMethod": "token", "dirfactorPriority": "1"},
    {"dirfactorFirstMethod": "password", "dirfactorPriority": "2"},
    {"dirfactorFirstMethod": "token", "dirfactorPriority": "3", "dirfactorPinWithToken": "TRUE"},
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "replica.sqlite"


@pytest.fixture
def writer(path):
    """A replica of 20 people, of whom five may lose something."""
    with contextlib.closing(ReplicaWriter(path, tripwire=Tripwire(loss_under(None), users=5))) as writer:
        writer.apply(refresh(LAB), SOURCE)
        yield writer


@pytest.fixture
def replica(writer, path):
    with contextlib.closing(Replica(path)) as replica:
        yield replica


def edit(name, **attributes):
    """The change that sets these attributes of an entry; None removes one."""
    item = next(item for item in LAB.values() if item.rdn.partition("=")[2] == name)
    values = {key.lower(): (value.encode(),) if value else () for key, value in attributes.items()}
    return replace(whole_put(LAB, item), attributes=values, links={}, whole=False)


def relink(name, kind, *targets):
    links = {kind: LinkChange(tuple(thing(target, "user").id for target in targets))}
    return replace(edit(name), links=links)


def without_tokens(*names):
    return [edit(name, dirfactorToken=None) for name in names]


def at(minutes, changes):
    return replace(increment(changes, b"later"), as_of=NOW + timedelta(minutes=minutes))


MOVED = replace(edit("office"), dn=f"ou=office,ou=elsewhere,{BASE}", parent=thing("elsewhere", "ou").id)
MISTAKES = {
    "tokens removed": without_tokens(*PEOPLE[:6]),
    "people deleted": [Delete(thing(name, "user").id) for name in PEOPLE[:6]],
    "the group's policy weakened": [edit("both", dirfactorSecondMethod="none")],
    "the policy deleted": [Delete(thing("both", "policy").id), relink("vpn", POLICY), relink("staff", POLICY)],
    "the group given another policy": [relink("vpn", POLICY, "lax")],
    "a lax policy for the inner group, which comes first": [
        relink("inner", POLICY, "lax"),
        edit("lax", dirfactorPriority="1"),
    ],
    "the group emptied and the unit without a policy": [relink("inner", MEMBER), relink("staff", POLICY)],
    "the group deleted and the unit moved": [Delete(thing("vpn", "group").id), MOVED],
    "each put into a group with a lax policy that comes first": [
        edit("lax", dirfactorPriority="1"),
        relink("plain", POLICY, "lax"),
    ],
}
HARMLESS = {
    "five tokens removed": without_tokens(*PEOPLE[:5]),
    "other attributes": [edit(name, mobile="2") for name in PEOPLE],
    "sms instead of vip": [edit(name, dirfactorToken="email") for name in PEOPLE],
    "a stricter policy": [edit("lax", dirfactorSecondMethod="token")],
    "a group that decides nothing emptied": [relink("plain", MEMBER)],
    "a unit moved whose people are governed by a group": [MOVED],
    "code length": [edit("both", dirfactorCodeLength="8")],
    "people added": [whole_put(LAB, thing(f"new{number}", "user")) for number in range(50)],
}


@pytest.mark.parametrize("changes", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_held_and_everything_stays_as_it_was(writer, replica, changes):
    before, version, cookie = content(writer), replica.freshness(), writer.cookie(SOURCE)
    with pytest.raises(Held, match="dirfactor sync held") as caught:
        writer.apply(at(1, changes), SOURCE)
    assert len(caught.value.losses) >= 6
    assert (content(writer), replica.freshness(), writer.cookie(SOURCE)) == (before, version, cookie)


@pytest.mark.parametrize("changes", HARMLESS.values(), ids=HARMLESS.keys())
def test_what_takes_nothing_from_many_is_taken_in(writer, path, changes):
    assert writer.apply(at(1, changes), SOURCE)
    assert held_batches(path) == ()


def test_a_full_read_is_held_as_well_and_the_first_one_never(writer, path, tmp_path):
    with pytest.raises(Held):
        writer.apply(refresh(directory(STAFF)), SOURCE)
    with contextlib.closing(ReplicaWriter(tmp_path / "new", tripwire=Tripwire(loss_under(None), 1))) as fresh:
        assert fresh.apply(refresh(LAB), SOURCE).added == len(LAB)


def test_what_is_held_can_be_read_and_releasing_takes_in_exactly_that(writer, replica, path):
    changes = without_tokens(*PEOPLE[:8])
    for minute in (1, 2):
        with pytest.raises(Held):
            writer.apply(at(minute, changes), SOURCE)
    (held,) = held_batches(path)
    assert (held.directory, held.since, held.released) == ("", NOW + timedelta(minutes=1), False)
    assert {loss.what for loss in held.losses} == {"loses sms and has no token left"}
    assert [loss.dn.split(",")[0] for loss in held.losses] == sorted(f"cn={name}" for name in PEOPLE[:8])
    assert not writer.is_released()
    assert len(release(path, "").losses) == 8
    assert writer.is_released()
    grown = [*changes, *without_tokens(*PEOPLE[8:14])]
    with pytest.raises(Held):
        writer.apply(at(3, grown), SOURCE)
    assert not writer.is_released(), "what came since was not seen by who said yes"
    release(path, "")
    assert writer.apply(at(4, grown), SOURCE).changed == 14
    assert held_batches(path) == ()
    assert replica.person(thing("user13", "user").id).user.tokens == ()


def test_a_mistake_that_is_undone_in_the_directory_is_not_held_any_longer(writer, path):
    with pytest.raises(Held):
        writer.apply(at(1, without_tokens(*PEOPLE)), SOURCE)
    writer.apply(at(2, without_tokens(*PEOPLE[:2])), SOURCE)
    assert held_batches(path) == ()
    with pytest.raises(Fault, match="nothing of \\[directory\\] is held"):
        release(path, "")


def test_one_by_one_is_as_much_of_a_mistake_as_all_at_once(writer):
    for number in range(5):
        writer.apply(at(number, without_tokens(PEOPLE[number])), SOURCE)
    with pytest.raises(Held):
        writer.apply(at(5, without_tokens(PEOPLE[5])), SOURCE)


def test_what_was_lost_longer_ago_does_not_count(writer):
    later = WINDOW / timedelta(minutes=1) + 1
    for number in range(5):
        writer.apply(at(0, without_tokens(PEOPLE[number])), SOURCE)
    for number in range(5, 10):
        assert writer.apply(at(later, without_tokens(PEOPLE[number])), SOURCE)


def test_what_was_released_does_not_count(writer, path):
    with pytest.raises(Held):
        writer.apply(at(1, without_tokens(*PEOPLE[:10])), SOURCE)
    release(path, "")
    writer.apply(at(2, without_tokens(*PEOPLE[:10])), SOURCE)
    assert writer.apply(at(3, without_tokens(*PEOPLE[10:15])), SOURCE).changed == 5


@pytest.mark.parametrize(
    ("users", "everybody", "limit"), [(100, 10_000, 100), (100, 100, 20), (100, 10, 5), (3, 10_000, 3), (3, 4, 3)]
)
def test_a_fifth_of_all_is_too_many_in_any_case_and_five_never_are(users, everybody, limit):
    assert Tripwire(loss_under(None), users).limit(everybody) == limit


def test_members_by_primary_group_are_in_the_group(path):
    """AD does not list them; an edit of the group's policy reaches them all the same."""
    people = [thing(name, "user", objectSid=sid(1000), primaryGroupID="513", dirfactorToken="sms") for name in PEOPLE]
    policy = thing("both", "policy", dirfactorFirstMethod="password", dirfactorSecondMethod="token")
    everybody = thing("everybody", "group", objectSid=sid(513), links={POLICY: ["both"]})
    things = directory(*people, policy, everybody)
    with contextlib.closing(ReplicaWriter(path, tripwire=Tripwire(loss_under(None), 5))) as writer:
        writer.apply(refresh(things), SOURCE)
        weaker = thing("both", "policy", dirfactorFirstMethod="password", dirfactorSecondMethod="none")
        with pytest.raises(Held) as caught:
            writer.apply(increment([partial_put(things, policy, weaker)]), SOURCE)
    assert len(caught.value.losses) == len(PEOPLE)


PRIMARY = directory(
    thing("both", "policy", **DEMANDS[0]),
    thing("staff", "ou", links={POLICY: ["both"]}),
    thing("everybody", "group", objectSid=sid(513), links={POLICY: ["both"]}),
    *(
        thing(name, "user", where, objectSid=sid(1000), primaryGroupID=group, dirfactorToken="sms")
        for names, where, group in ((PEOPLE[:6], thing("staff", "ou").id, "1"), (PEOPLE[6:12], None, "513"))
        for name in names
    ),
)


def test_a_policy_that_no_longer_asks_for_a_pin_in_front_of_the_code_is_held(path):
    asks = {"dirfactorFirstMethod": "password", "dirfactorSecondMethod": "token", "dirfactorPinWithToken": "TRUE"}
    before = LAB | directory(thing("both", "policy", **asks))
    with contextlib.closing(ReplicaWriter(path, tripwire=Tripwire(loss_under(None), 5))) as writer:
        writer.apply(refresh(before), SOURCE)
        with pytest.raises(Held) as caught:
            writer.apply(at(1, [edit("both", dirfactorPinWithToken="FALSE")]), SOURCE)
        assert {(loss.what, loss.cause.attribute) for loss in caught.value.losses} == {
            ("is no longer asked for PIN", "dirfactorPinWithToken")
        }
        assert len(caught.value.losses) == len(PEOPLE)


def test_seeds_that_are_wiped_are_held_like_tokens_that_are_removed(path):
    unit = thing("office", "ou").id
    seeded = LAB | directory(
        *(thing(name, "user", unit, dirfactorToken="totp", dirfactorSecret=sealed(name)) for name in PEOPLE)
    )
    with contextlib.closing(ReplicaWriter(path, tripwire=Tripwire(loss_under(None), 5))) as writer:
        writer.apply(refresh(seeded), SOURCE)
        with pytest.raises(Held) as caught:
            writer.apply(at(1, [edit(name, dirfactorSecret=None) for name in PEOPLE]), SOURCE)
    assert {(loss.what, loss.cause.attribute) for loss in caught.value.losses} == {
        ("loses totp and has no token left", "dirfactorSecret")
    }


def sealed(name):
    token = SoftwareToken(TokenKind.TOTP, "T1", b"s" * 20)
    return sealed_token(Ring((Key(b"k" * 32, NOW),)), entry_id(name), token, b"n" * 12)


ALONE = {
    "moved out of the unit": {name: {"parent": None} for name in PEOPLE[:6]},
    "another primary group": {name: {"primarygroupid": (b"1",)} for name in PEOPLE[6:12]},
    "another SID of the primary group": {"everybody": {"objectsid": (sid(99),)}},
}


@pytest.mark.parametrize("edits", ALONE.values(), ids=ALONE.keys())
def test_a_policy_is_lost_with_the_unit_and_the_primary_group(path, edits):
    after = dict(PRIMARY)
    for name, values in edits.items():
        item = after[entry_id(name)]
        attributes = {**item.attributes, **{key: value for key, value in values.items() if key != "parent"}}
        after[item.id] = replace(item, attributes=attributes, parent=values.get("parent", item.parent))
    with contextlib.closing(ReplicaWriter(path, tripwire=Tripwire(loss_under(None), 5))) as writer:
        writer.apply(refresh(PRIMARY), SOURCE)
        with pytest.raises(Held) as caught:
            writer.apply(increment(difference(PRIMARY, after)), SOURCE)
    assert {loss.what for loss in caught.value.losses} == {"is no longer asked for password"}


UNIT = thing("office", "ou", STAFF.id, links={POLICY: ["lax"]})
IN_UNIT = directory(
    LAB[entry_id("both")],
    LAB[entry_id("lax")],
    STAFF,
    UNIT,
    thing("vpn", "group", links={POLICY: ["both"], MEMBER: PEOPLE}),
    thing("plain", "group", links={POLICY: ["lax"], MEMBER: PEOPLE}),
    *(LAB[entry_id(name)] for name in PEOPLE),
)


def test_a_unit_that_was_not_seen_before_may_bring_a_policy_for_those_below_it(path):
    things = {key: item for key, item in IN_UNIT.items() if item.kind != "group"}
    unseen = [change for change in refresh(things).changes if change.id != UNIT.id]
    with contextlib.closing(ReplicaWriter(path, tripwire=Tripwire(loss_under(None), 5))) as writer:
        writer.apply(replace(refresh(things), changes=iter(unseen)), SOURCE)
        with pytest.raises(Held) as caught:
            writer.apply(at(1, [whole_put(things, UNIT)]), SOURCE)
    assert {loss.what for loss in caught.value.losses} == {"is no longer asked for token"}


def test_a_policy_that_comes_first_now_governs_and_none_of_its_methods_was_touched(path):
    with contextlib.closing(ReplicaWriter(path, tripwire=Tripwire(loss_under(None), 5))) as writer:
        writer.apply(refresh(IN_UNIT), SOURCE)
        writer.apply(at(0, [edit("both", dirfactorPriority="5"), edit("lax", dirfactorPriority="9")]), SOURCE)
        with pytest.raises(Held):
            writer.apply(at(1, [edit("lax", dirfactorPriority="1")]), SOURCE)


def test_the_first_read_of_a_directory_takes_nothing_from_the_people_of_another(path):
    """Both read the same server, one of them with an account that sees no tokens."""
    tripwire = Tripwire(loss_under(None), 5)
    blind = {
        key: replace(
            item, attributes={name: held for name, held in item.attributes.items() if name != "dirfactortoken"}
        )
        for key, item in LAB.items()
    }
    with (
        contextlib.closing(ReplicaWriter(path, tripwire=tripwire)) as one,
        contextlib.closing(ReplicaWriter(path, directory="two", tripwire=tripwire)) as two,
    ):
        one.apply(refresh(LAB), SOURCE)
        with pytest.raises(Held):
            two.apply(refresh(blind), "two")


AT_THE_DOOR = directory(
    thing("both", "policy", dirfactorFirstMethod="password", dirfactorSecondMethod="token"),
    thing("lax", "policy", dirfactorFirstMethod="password"),
    thing("vpn", "node", links={POLICY: ["both"]}),
    *(thing(name, "user", dirfactorToken="sms") for name in PEOPLE),
)
WIDE_OPEN = {
    "its policy weakened": {"both": thing("both", "policy", dirfactorFirstMethod="password")},
    "given another policy": {"vpn": thing("vpn", "node", links={POLICY: ["lax"]})},
    "left to the default": {"vpn": thing("vpn", "node")},
    "no token, no question": {
        "both": thing("both", "policy", dirfactorFirstMethod="password", dirfactorSecondMethod="passwordUntilToken")
    },
}


@pytest.mark.parametrize("edits", WIDE_OPEN.values(), ids=WIDE_OPEN.keys())
def test_the_policy_of_an_access_node_is_that_of_everybody_who_comes_through_it(path, edits):
    after = AT_THE_DOOR | {item.id: item for item in edits.values()}
    default = Policy(name="default", first_method=Method.PASSWORD)
    with contextlib.closing(ReplicaWriter(path, tripwire=Tripwire(loss_under(default), 100))) as writer:
        writer.apply(refresh(AT_THE_DOOR), SOURCE)
        with pytest.raises(Held) as caught:
            writer.apply(increment(difference(AT_THE_DOOR, after)), SOURCE)
        assert any(
            loss.dn.lower().startswith("cn=vpn") and "whoever comes through it" in loss.what
            for loss in caught.value.losses
        )


def test_the_policy_that_a_node_of_the_configuration_names_is_watched_as_well(path):
    weaker = directory(thing("both", "policy", dirfactorFirstMethod="password"))
    tripwire = Tripwire(loss_under(None), 100, entrances=frozenset({f"CN=Both,{BASE}", "no DN"}))
    with contextlib.closing(ReplicaWriter(path, tripwire=tripwire)) as writer:
        writer.apply(refresh(AT_THE_DOOR | directory(thing("vpn", "node"))), SOURCE)
        with pytest.raises(Held) as caught:
            writer.apply(increment(difference(AT_THE_DOOR, AT_THE_DOOR | weaker)), SOURCE)
        assert any(
            loss.dn.lower().startswith("cn=both") and "whoever comes through it" in loss.what
            for loss in caught.value.losses
        )


def test_a_node_that_is_stricter_or_closed_or_gone_lets_nobody_in_more_easily(path):
    edits = (
        directory(thing("both", "policy", dirfactorFirstMethod="token", dirfactorSecondMethod="password")),
        directory(thing("vpn", "node", dirfactorNodeEnabled="FALSE", links={POLICY: ["lax"]})),
    )
    with contextlib.closing(ReplicaWriter(path, tripwire=Tripwire(loss_under(None), 100))) as writer:
        writer.apply(refresh(AT_THE_DOOR), SOURCE)
        for things in edits:
            assert writer.apply(increment(difference(AT_THE_DOOR, AT_THE_DOOR | things)), SOURCE)
        assert writer.apply(increment([Delete(entry_id("vpn"))]), SOURCE)


def test_a_renaming_that_links_follow_untold_is_read_anew_and_not_held(path):
    """OpenLDAP's overlay refint writes the new DNs into the group, and the server does not tell."""

    def told(unit, rest):
        dn = f"ou={unit},{BASE}"
        people = tuple(f"cn={name},{dn}" for name in PEOPLE)
        group = {MEMBER: LinkChange(dns=people), POLICY: LinkChange(dns=(f"cn=both,{BASE}",))}
        office = Put(entry_id("office"), dn, None, {"objectclass": (b"organizationalUnit",)})
        yield office
        if rest:
            person = {"objectclass": (b"inetOrgPerson",), "dirfactortoken": (b"sms",)}
            yield from (Put(entry_id(name), f"cn={name},{dn}", None, person) for name in PEOPLE)
            yield Put(entry_id("vpn"), f"cn=vpn,{BASE}", None, {"objectclass": (b"groupOfNames",)}, group)
            both = LAB[entry_id("both")].attributes
            yield Put(entry_id("both"), f"cn=both,{BASE}", None, both)

    def batch(unit, *, refresh, placing=Placing.BY_DN):
        return Batch(told(unit, refresh), b"cookie", refresh=refresh, as_of=NOW, placing=placing)

    judge = loss_under(Policy(name="default", first_method=Method.PASSWORD))
    with contextlib.closing(ReplicaWriter(path, tripwire=Tripwire(judge, 5))) as writer:
        writer.apply(batch("old", refresh=True), SOURCE)
        assert not writer.apply(batch("new", refresh=False, placing=Placing.BY_DN_IN_TURN), SOURCE)
        assert writer.cookie(SOURCE) is None
        assert writer.apply(batch("new", refresh=True), SOURCE).changed == len(PEOPLE) + 1
        assert held_batches(path) == ()


# people with tokens, groups that are somebody's primary group, units in units, policies that differ in their demands
SEED = directory(
    *(thing(f"policy{number}", "policy", **methods) for number, methods in enumerate(DEMANDS)),
    *(thing(f"ou{number}", "ou", thing("ou0", "ou").id if number else None) for number in range(3)),
    *(thing(f"node{number}", "node") for number in range(2)),
    *(thing(f"group{number}", "group", objectSid=sid(512 + number)) for number in range(3)),
    *(
        thing(
            f"user{number}",
            "user",
            thing(f"ou{number % 3}", "ou").id,
            objectSid=sid(1000 + number),
            primaryGroupID=str(512 + number % 3),
            dirfactorToken="sms",
        )
        for number in range(4)
    ),
)
EDITS = st.tuples(st.sampled_from(("link", "link", "link", "set", "move", "delete")), *(st.integers(1, 2**16 - 1),) * 4)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(EDITS, min_size=4, max_size=16), st.lists(EDITS, min_size=1, max_size=3), st.booleans())
def test_nobody_loses_anything_unnoticed(first, then, whole):
    """Whoever a look at every single user and access node finds to lose something is among those concerned."""
    world = World(dict(SEED), KINDS)
    for step in first:
        world.step(*step)
    before = dict(world.things)
    for step in then:
        world.step(*step)
    after = world.things
    judge = loss_under(None)
    with in_memory() as one, in_memory() as two:
        for side in (one, two):
            side.apply(refresh(before), SOURCE)
        two.apply(refresh(after) if whole else increment(difference(before, after)), SOURCE)
        touched = [row[0] for row in two._db.execute("SELECT id FROM temp.met WHERE outcome IS NOT NULL")]
        found = {user for user, _ in concerned(Side(one._db), Side(two._db), touched)}
        was, now = (Snapshot(side._db, names_of(side._db), 1, {}) for side in (one, two))
        losers = {user for user in before if (person := was.person(user)) and judge(person, now.person(user))}
        losers |= {door for door in before if any(judge(*comer) for comer in comers(was, now, door, ()))}
        event(f"losers: {len(losers)}")
        assert losers <= found
