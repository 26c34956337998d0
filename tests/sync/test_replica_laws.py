"""Laws of the replica: whatever a directory goes through, and however it is told, the replica ends equal to it."""

import contextlib
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from dirsync.change import Batch, Change, Delete
from dirsync.replica import Replica, ReplicaWriter, first_load
from schema.entry import EntryId
from small_directory import (
    NOW,
    SOURCE,
    Thing,
    Things,
    content,
    difference,
    dn_of,
    increment,
    partial_put,
    refresh,
    thing,
    whole_put,
)
from small_world import FOLDER, KINDS, MEMBER, NODE_MEMBER, POLICY, STEPS, WITH_SHELVES, World, in_memory, worlds

EXAMPLES = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def freshly_loaded(things: Things) -> dict:
    with in_memory() as fresh:
        fresh.apply(refresh(things), SOURCE)
        return content(fresh)


def batches(data: st.DataObject, changes: list[Change]) -> list[list[Change]]:
    """The changes cut into batches anywhere."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(changes)), max_size=4), label="cuts"))
    return [changes[start:end] for start, end in zip([0, *cuts], [*cuts, len(changes)], strict=True)]


@EXAMPLES
@given(STEPS, STEPS, st.data())
def test_told_as_ad_does_in_any_order_and_any_batches_it_equals_a_fresh_load(first, then, data):
    """DirSync: each entry once, only what differs of its own, in no order, the moved container alone."""
    before, after = worlds(first, then)
    changes = data.draw(st.permutations(difference(before, after)), label="changes")
    with in_memory() as replica:
        replica.apply(refresh(before), SOURCE)
        for batch in batches(data, changes):
            replica.apply(increment(batch), SOURCE)
        assert content(replica) == freshly_loaded(after)
        # and once more changes nothing, also not the version
        assert not replica.apply(increment(changes), SOURCE)
        assert content(replica) == freshly_loaded(after)


@EXAMPLES
@given(STEPS, STEPS, st.data())
def test_what_stands_below_an_entry_of_no_use_moves_along(first, then, data):
    """Such an entry is not stored, so its children are known by their DNs: right while no DN passes to another."""
    steps = [step for step in then if step[0] != "swap"]
    before, after = worlds(first, steps, kinds=WITH_SHELVES, rdns=())
    with in_memory() as replica:
        replica.apply(refresh(before), SOURCE)
        replica.apply(increment(data.draw(st.permutations(difference(before, after)))), SOURCE)
        assert content(replica) == freshly_loaded(after)


@EXAMPLES
@given(STEPS, st.data())
def test_told_step_by_step_it_equals_a_fresh_load(steps, data):
    """Each step as it happens, wholly or partly told."""
    world = World({}, WITH_SHELVES)
    changes: list[Change] = []
    for step in steps:
        if step[0] == "swap":  # a directory needs a third name for it
            continue
        before = dict(world.things)
        world.step(*step)
        changes += told(data, before, world.things)
    with in_memory() as replica:
        for batch in batches(data, changes):
            replica.apply(increment(batch), SOURCE)
        assert content(replica) == freshly_loaded(world.things)


def told(data: st.DataObject, before: Things, after: Things) -> list[Change]:
    gone = [Delete(key) for key in before.keys() - after.keys()]
    whole = data.draw(st.booleans(), label="whole")
    # what fell with a deleted target is not told
    differing = [item for key, item in after.items() if before.get(key) != item] if not gone else []
    return [
        whole_put(after, item) if whole or item.id not in before else partial_put(after, before[item.id], item)
        for item in differing
    ] + gone


@EXAMPLES
@given(STEPS)
def test_told_by_a_source_that_knows_no_parents_it_equals_a_fresh_load(steps):
    """RFC 4533: whole entries by their DNs, one after the other as it happened; a renamed container alone."""
    world = World({}, KINDS)
    with in_memory() as replica, in_memory() as fresh:
        for step in steps:
            before = dict(world.things)
            if step[0] == "swap":
                continue
            world.step(*step)
            puts = [
                replace(whole_put(world.things, item), parent=None)
                for key, item in world.things.items()
                if before.get(key) != item
            ]
            gone = [Delete(key) for key in before.keys() - world.things.keys()]
            replica.apply(increment([*(puts if not gone else []), *gone]), SOURCE)
        final = (replace(whole_put(world.things, item), parent=None) for item in world.things.values())
        fresh.apply(Batch(final, b"", refresh=True, as_of=NOW), SOURCE)
        assert content(replica) == content(fresh)


@EXAMPLES
@given(STEPS, STEPS, st.randoms(use_true_random=False))
def test_a_full_read_repairs_any_state_and_a_second_one_finds_nothing(first, then, random):
    """A lost cookie, another domain controller, a restored one: what was there before does not matter."""
    before, after = worlds(first, then)
    with in_memory() as replica:
        replica.apply(refresh(before), SOURCE)
        shuffled = random.sample(list(after.items()), len(after))
        was = content(replica)
        applied = replica.apply(refresh(dict(shuffled)), SOURCE)
        assert content(replica) == freshly_loaded(after)
        assert bool(applied) == (content(replica) != was)
        assert replica.apply(refresh(after), SOURCE) == replace(applied, added=0, changed=0, removed=0)


@EXAMPLES
@given(STEPS, STEPS, st.data())
def test_a_directory_that_changes_while_it_is_read_is_told_right_by_the_next_increment(first, then, data):
    """Some entries are told as they were and others as they are; then comes all that has changed meanwhile."""
    before, after = worlds(first, then)
    order = data.draw(st.permutations(list(before | after)), label="order")
    early = data.draw(st.integers(0, len(order)), label="told as they were")
    told = [
        whole_put(state, state[key])
        for number, key in enumerate(order)
        if key in (state := before if number < early else after)
    ]
    changes = data.draw(st.permutations(difference(before, after)), label="changes")
    with in_memory() as replica:
        if data.draw(st.booleans(), label="known"):
            replica.apply(refresh(before), SOURCE)
        replica.apply(Batch(iter(told), b"cookie", refresh=True, as_of=NOW), SOURCE)
        replica.apply(increment(changes), SOURCE)
        assert content(replica) == freshly_loaded(after)


@EXAMPLES
@given(STEPS, STEPS, st.data())
def test_a_first_load_ends_as_a_refresh_of_a_replica_that_is_not_empty(first, then, data):
    """Whatever is named twice, in part, or deleted on the way, and wherever the rows happen to be written."""
    before, after = worlds(first, then)
    told = [*refresh(before).changes, *difference(before, after)]
    changes = told if data.draw(st.booleans()) else data.draw(st.permutations(told), label="changes")
    stranger = thing("stranger", "user")
    with in_memory() as empty, in_memory() as other, pytest.MonkeyPatch.context() as patch:
        patch.setattr(first_load, "_AT_ONCE", data.draw(st.integers(1, 5), label="at once"))
        other.apply(refresh({stranger.id: stranger}), SOURCE)
        applied = [
            replica.apply(Batch(iter(changes), b"", refresh=True, as_of=NOW), SOURCE) for replica in (empty, other)
        ]
        assert content(empty) == content(other)
        assert (applied[0].added, applied[0].changed) == (applied[1].added, applied[1].changed)
        assert indexes(empty) == indexes(other)


def indexes(writer: ReplicaWriter) -> list[tuple]:
    return writer._db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name").fetchall()


@EXAMPLES
@given(STEPS, STEPS, st.data())
def test_any_split_into_batches_equals_one_batch(first, then, data):
    before, after = worlds(first, then)
    changes = difference(before, after)
    with in_memory() as one, in_memory() as many:
        for replica in (one, many):
            replica.apply(refresh(before), SOURCE)
        one.apply(increment(changes), SOURCE)
        for batch in batches(data, changes):
            many.apply(increment(batch), SOURCE)
        assert content(one) == content(many)


@EXAMPLES
@given(STEPS, STEPS)
def test_the_counts_are_those_of_the_difference(first, then):
    before, after = worlds(first, then, kinds=("user", "group", "ou", "policy", "node"))
    with in_memory() as replica:
        replica.apply(refresh(before), SOURCE)
        was = content(replica)
        applied = replica.apply(increment(difference(before, after)), SOURCE)
        assert (applied.added, applied.removed) == (
            len(after.keys() - before.keys()),
            len(before.keys() - after.keys()),
        )
        assert bool(applied) == (content(replica) != was)
        assert applied.version == bool(before) + bool(applied)


@EXAMPLES
@given(STEPS)
def test_what_is_read_is_what_the_directory_says(steps):
    """People with groups, nearest first by their shortest path, and containers upward; nodes; names; DNs."""
    things, _ = worlds(steps, kinds=WITH_SHELVES)
    with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
        path = Path(folder) / "r"
        with contextlib.closing(ReplicaWriter(path)) as loader:
            loader.apply(refresh(things), SOURCE)
            with contextlib.closing(Replica(path)) as replica:
                for item in things.values():
                    if item.kind == "user":
                        check_person(things, item, replica)
                    if item.kind in {"shelf", "computer"}:
                        assert replica.lookup(dn_of(things, item)) is None
                    else:
                        assert replica.lookup(dn_of(things, item).upper()) == item.id
                assert {node.id: (node.members, policy_of(node)) for node in replica.nodes()} == {
                    item.id: (item.targets(NODE_MEMBER), expected_policy(things, item))
                    for item in things.values()
                    if item.kind == "node"
                }


def check_person(things: Things, user: Thing, replica: Replica) -> None:
    person = replica.person(user.id)
    note(repr(person))
    assert person.dn == dn_of(things, user)
    assert policy_of(person) == expected_policy(things, user)
    above = []
    holder = user.parent
    while holder is not None:
        if things[holder].kind == "ou":
            above.append((holder, dn_of(things, things[holder]), expected_policy(things, things[holder])))
        holder = things[holder].parent
    assert [(item.id, item.dn, policy_of(item)) for item in person.ancestors] == above
    paths = expected_groups(things, user)
    assert [(group.id, group.path) for group in person.groups] == paths
    assert [policy_of(group) for group in person.groups] == [expected_policy(things, things[key]) for key, _ in paths]
    for kind, values in (("sam", "samaccountname"), ("mail", "mail")):
        for value in user.attributes.get(values, ()):
            same = {
                item.id
                for item in things.values()
                if item.kind == "user" and item.attributes.get(values, (b"",))[0].lower() == value.lower()
            }
            assert set(replica.find([(kind, value.decode().lower())])) == same


def policy_of(holder) -> tuple | None:
    link = holder.policy
    return link and (link.id, link.dn, link.policy is not None)


def expected_policy(things: Things, item: Thing) -> tuple | None:
    for target in item.targets(POLICY):
        found = things.get(target)
        return (target, dn_of(things, found) if found else None, bool(found) and found.kind == "policy")
    return None


def expected_groups(things: Things, user: Thing) -> list[tuple[EntryId, tuple[str, ...]]]:
    """By trying every path up to the number of groups, shortest first; slow and plain."""
    groups = {key: item for key, item in things.items() if item.kind == "group"}
    primary = user.attributes.get("objectsid", (b"",))[0][:-4] + int(
        user.attributes.get("primarygroupid", (b"0",))[0]
        if user.attributes.get("primarygroupid", (b"0",))[0].isdigit()
        else 0
    ).to_bytes(4, "little")
    level = {
        key: (dn_of(things, item),)
        for key, item in groups.items()
        if user.id in item.targets(MEMBER) or item.attributes.get("objectsid", (b"none",))[0] == primary
    }
    found: dict[EntryId, tuple[str, ...]] = {}
    ordered: list[tuple[EntryId, tuple[str, ...]]] = []
    while level:
        ordered += sorted(level.items(), key=lambda pair: pair[1][-1])
        found |= level
        paths: dict[EntryId, list[tuple[str, ...]]] = {}
        for key, path in level.items():
            for holder, item in groups.items():
                if key in item.targets(MEMBER) and holder not in found:
                    paths.setdefault(holder, []).append((*path, dn_of(things, item)))
        level = {key: min(options, key=lambda path: path[-2]) for key, options in paths.items()}
    return ordered
