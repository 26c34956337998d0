"""Told by names as syncrepl does, the replica equals a full read, whatever happens and however it is told."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dirsync.change import Batch, Change, Delete, Placing, Put
from dirsync.replica import ReplicaWriter, first_load
from dirsync.replica.store import transaction
from small_directory import BASE, NOW, entry_id
from small_openldap import Directory, expected, held, whole_content

SOURCE = "a small OpenLDAP"
OPERATIONS = ("add", "add", "add", "change", "link", "link", "link", "rename", "move", "delete", "convert")
NUMBER = st.integers(0, 30)
STEPS = st.lists(st.tuples(st.sampled_from(OPERATIONS), NUMBER, NUMBER, NUMBER), max_size=30)
FEW = st.integers(0, 3)
WHO_BEARS_A_NAME = st.lists(st.tuples(st.sampled_from(["add", "rename", "move", "delete"]), FEW, FEW, FEW), max_size=12)
TWO_PEOPLE_IN_A_GROUP = [("add", 0, 0, 0), ("add", 0, 0, 1), ("add", 1, 0, 2), ("link", 2, 0, 1), ("link", 2, 1, 1)]
EXAMPLES = settings(max_examples=60, deadline=None)
FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None


def after(steps, directory: Directory | None = None) -> Directory:
    directory = directory.copy() if directory else Directory()
    for step in steps:
        directory.step(*step)
    return directory


@contextlib.contextmanager
def writer() -> Iterator[ReplicaWriter]:
    with (
        tempfile.TemporaryDirectory(dir=FOLDER) as folder,
        contextlib.closing(ReplicaWriter(Path(folder) / "r")) as writer,
    ):
        yield writer


def freshly_loaded(directory: Directory) -> dict:
    with writer() as fresh:
        fresh.apply(directory.refresh(), SOURCE)
        return whole_content(fresh)


def increment(changes: list[Change], placing: Placing, present=None) -> Batch:
    return Batch(iter(changes), b"cookie", refresh=False, as_of=NOW, placing=placing, present=present)


def merged(replica: ReplicaWriter, batch: Batch) -> bool:
    """What a batch does, whatever doubts it leaves; whether that was anything."""
    with transaction(replica._db, replica._path):
        merge = replica._merge(batch)
        for change in batch.changes:
            if isinstance(change, Put):
                merge.put(change)
            else:
                merge.delete(change.id)
        return any(merge.finish().counts())


def cut(data: st.DataObject, changes: list[Change]) -> list[list[Change]]:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(changes)), max_size=4), label="cuts"))
    return [changes[start:end] for start, end in zip([0, *cuts], [*cuts, len(changes)], strict=True)]


@EXAMPLES
@given(STEPS, st.randoms(use_true_random=False))
def test_a_full_read_in_any_order_has_every_entry_in_its_place_and_every_name_lead_to_its_bearer(steps, random):
    directory = after(steps)
    with writer() as replica:
        replica.apply(directory.refresh(random.sample(list(directory.items), len(directory.items))), SOURCE)
        assert held(replica) == expected(directory)
        assert whole_content(replica) == freshly_loaded(directory)
        assert not replica.apply(directory.refresh(), SOURCE)


@EXAMPLES
@given(STEPS, STEPS, st.data())
def test_told_as_it_happens_in_any_batches_it_equals_a_full_read(first, then, data):
    directory = after(first)
    changes: list[Change] = []
    with writer() as replica:
        replica.apply(directory.refresh(), SOURCE)
        for step in then:
            before = directory.copy()
            directory.step(*step)
            changes += directory.told_since(before)
        for batch in cut(data, changes):
            merged(replica, increment(batch, Placing.BY_DN_IN_TURN))
        assert held(replica) == expected(directory)
        assert whole_content(replica) == freshly_loaded(directory)


@EXAMPLES
@given(STEPS, STEPS, st.data())
def test_resumed_with_what_was_deleted_it_equals_a_full_read(first, then, data):
    """The delete phase: entries as they are now, in any order, and who is gone."""
    before = after(first)
    now = after(then, before)
    changes = data.draw(st.permutations(now.told_since(before)))
    with writer() as replica:
        replica.apply(before.refresh(), SOURCE)
        merged(replica, increment(changes, Placing.BY_DN))
        assert held(replica) == expected(now)
        assert whole_content(replica) == freshly_loaded(now)
        assert not merged(replica, increment(changes, Placing.BY_DN))


@EXAMPLES
@given(STEPS, STEPS, st.data())
def test_resumed_with_what_is_still_there_it_equals_a_full_read(first, then, data):
    """The present phase: entries as they are now, in any order, and who is as they were; others are gone unnamed."""
    before = after(first)
    now = after(then, before)
    changes = [change for change in data.draw(st.permutations(now.told_since(before))) if not is_deletion(change)]
    with writer() as replica:
        replica.apply(before.refresh(), SOURCE)
        merged(replica, increment(changes, Placing.BY_DN, now.unchanged_since(before)))
        assert held(replica) == expected(now)
        assert whole_content(replica) == freshly_loaded(now)


def is_deletion(change: Change) -> bool:
    return not hasattr(change, "dn")


@EXAMPLES
@given(STEPS, STEPS, st.data())
def test_a_first_load_ends_as_a_full_read_into_a_replica_that_is_not_empty(first, then, data):
    """Whatever is named twice or deleted on the way, and wherever the rows happen to be written."""
    before = after(first)
    told = [*before.refresh().changes, *after(then, before).told_since(before)]
    changes = told if data.draw(st.booleans()) else data.draw(st.permutations(told), label="changes")
    with writer() as empty, writer() as other, pytest.MonkeyPatch.context() as patch:
        patch.setattr(first_load, "_AT_ONCE", data.draw(st.integers(1, 5), label="at once"))
        stranger = Put(entry_id("stranger"), f"cn=stranger,{BASE}", None, {"objectclass": (b"person",)})
        other.apply(increment([stranger], Placing.BY_DN), SOURCE)
        applied = [
            replica.apply(Batch(iter(changes), b"", refresh=True, as_of=NOW, placing=Placing.BY_DN), SOURCE)
            for replica in (empty, other)
        ]
        assert whole_content(empty) == whole_content(other)
        assert (applied[0].added, applied[0].changed) == (applied[1].added, applied[1].changed)


@EXAMPLES
@given(STEPS, STEPS)
def test_a_full_read_repairs_any_state(first, then):
    now = after(then)
    with writer() as replica:
        replica.apply(after(first).refresh(), SOURCE)
        was = whole_content(replica)
        applied = replica.apply(now.refresh(), SOURCE)
        assert whole_content(replica) == freshly_loaded(now)
        said = {key: value for key, value in was.items() if key in {"entry", "name", "link"}}
        assert bool(applied) == any(value != whole_content(replica)[key] for key, value in said.items())


@EXAMPLES
@given(STEPS, STEPS, st.data())
def test_the_version_grows_with_what_is_different_and_only_then(first, then, data):
    directory = after(first)
    with writer() as replica:
        replica.apply(directory.refresh(), SOURCE)
        for step in then:
            before = directory.copy()
            was = whole_content(replica)
            directory.step(*step)
            told = [*directory.told_since(before), *data.draw(again(directory))]
            applied = merged(replica, increment(told, Placing.BY_DN_IN_TURN))
            now = whole_content(replica)
            assert bool(applied) == any(was[key] != now[key] for key in ("entry", "name", "link"))


def again(directory: Directory) -> st.SearchStrategy[list[Change]]:
    """Some entries once more as they are: a server may repeat itself."""
    return (
        st.lists(st.sampled_from([directory.put(item) for item in directory.items.values()]), max_size=2)
        if (directory.items)
        else st.just([])
    )


def test_what_is_named_as_unchanged_and_is_not_there_has_everything_read_anew():
    """A server that was restored from a copy names an entry that had been deleted."""
    directory = after([("add", 0, 0, 0), ("add", 0, 0, 1)])
    before = directory.copy()
    directory.step("delete", 0, 0, 0)
    with writer() as replica:
        replica.apply(directory.refresh(), SOURCE)
        replica.apply(increment([], Placing.BY_DN, iter(before.items)), SOURCE)
        assert replica.cookie(SOURCE) is None
        replica.apply(before.refresh(), SOURCE)
        assert whole_content(replica) == freshly_loaded(before)
        assert replica.cookie(SOURCE) == b"cookie"


def test_after_a_renaming_that_links_may_have_followed_everything_is_read_anew():
    """The overlay refint writes the new DN into the groups, and the server does not tell."""
    user, group = 0, 1
    directory = after([("add", user, 0, 0), ("add", group, 0, 1), ("add", user, 0, 2), ("link", 1, 0, 1)])
    with writer() as replica:
        replica.apply(directory.refresh(), SOURCE)
        for which, read_anew in ((2, False), (0, True)):
            before = directory.copy()
            directory.step("rename", which, 3, 0)
            told = increment(directory.told_since(before), Placing.BY_DN_IN_TURN)
            was = whole_content(replica)
            applied = replica.apply(replace(told, as_of=NOW + timedelta(seconds=1)), SOURCE)
            assert (replica.cookie(SOURCE) is None) is read_anew
            assert bool(applied) is not read_anew
            assert (whole_content(replica) == was) is read_anew, "a group without its member asks for less"
            as_of = datetime.fromisoformat(replica._row("as_of")[0])
            assert as_of == (NOW if read_anew else NOW + timedelta(seconds=1)), "what is doubted is no fresh state"
            directory.step("rename", which, which, 0)
            replica.apply(directory.refresh(), SOURCE)


@settings(EXAMPLES, max_examples=200)
@given(WHO_BEARS_A_NAME, st.data())
def test_nobody_gets_a_link_that_an_overlay_took_away_untold(then, data):
    """The overlay refint mends links, and the server does not tell; a full read follows where that may matter."""
    directory = after(TWO_PEOPLE_IN_A_GROUP)
    in_turn = data.draw(st.booleans(), label="in turn")
    with writer() as replica:
        replica.apply(directory.refresh(), SOURCE)
        changes: list[Change] = []
        start, edited = directory.copy(), set()
        for step in then:
            before = directory.copy()
            directory.step(*step)
            told = directory.told_since(before)
            changes += told
            edited |= {change.id for change in told}
            directory.mend_links_since(before)
            if data.draw(st.booleans(), label="wait"):
                continue
            if not in_turn:  # as after a break: what was edited, as it is now
                gone = [Delete(key) for key in start.items.keys() - directory.items.keys()]
                puts = [directory.put(item) for key, item in directory.items.items() if key in edited]
                changes = data.draw(st.permutations([*gone, *puts]), label="changes")
            replica.apply(increment(changes, Placing.BY_DN_IN_TURN if in_turn else Placing.BY_DN), SOURCE)
            if replica.cookie(SOURCE) is None:
                replica.apply(directory.refresh(), SOURCE)
            assert real_links(held(replica)) <= real_links(expected(directory))
            changes, start, edited = [], directory.copy(), set()


def real_links(content: dict[str, set]) -> set[tuple]:
    return {link for link in content["links"] if link[2] is not None}


@pytest.mark.parametrize("placing", [Placing.BY_DN, Placing.BY_DN_IN_TURN])
def test_after_a_renaming_of_who_has_others_below_everything_is_read_anew(placing):
    """What stands below a person has another name then, which an overlay may have written to those who name it."""
    user, group = 0, 1
    before = after([("add", user, 0, 0), ("add", user, 1, 1), ("add", group, 0, 2), ("link", 2, 1, 1)])
    directory = after([("rename", 0, 3, 0)], before)
    with writer() as replica:
        replica.apply(before.refresh(), SOURCE)
        replica.apply(increment(directory.told_since(before), placing), SOURCE)
        assert replica.cookie(SOURCE) is None


@pytest.mark.parametrize("placing", [Placing.BY_DN, Placing.BY_DN_IN_TURN])
def test_who_is_called_as_a_deleted_member_was_has_everything_read_anew(placing):
    """The overlay refint took the value out of the group, and the server did not tell; the deletion alone is safe."""
    user, group = 0, 1
    directory = after([("add", user, 0, 0), ("add", group, 0, 1), ("link", 1, 0, 1), ("add", user, 0, 2)])
    with writer() as replica:
        replica.apply(directory.refresh(), SOURCE)
        for step in (("delete", 0, 0, 0), ("rename", 1, 0, 0)):
            before = directory.copy()
            directory.step(*step)
            told = directory.told_since(before)
            directory.mend_links_since(before)
            was = whole_content(replica)
            replica.apply(increment(told, placing), SOURCE)
            assert (replica.cookie(SOURCE) is None) is (step[0] == "rename"), "a deletion costs no full read"
        assert whole_content(replica) == was
        replica.apply(directory.refresh(), SOURCE)
        assert held(replica)["links"] == expected(directory)["links"] == set()


@pytest.mark.parametrize("placing", [Placing.BY_DN, Placing.BY_DN_IN_TURN])
def test_a_new_person_and_the_group_that_names_them_are_taken_in_without_a_full_read(placing):
    user, group = 0, 1
    before = after([("add", group, 0, 1)])
    directory = after([("add", user, 0, 0), ("link", 0, 1, 1)], before)
    (told_group, told_person) = directory.told_since(before)
    for changes in ([told_person, told_group], [told_group, told_person][:: 1 if placing is Placing.BY_DN else -1]):
        with writer() as replica:
            replica.apply(before.refresh(), SOURCE)
            replica.apply(increment(changes, placing), SOURCE)
            assert replica.cookie(SOURCE) == b"cookie"
            assert real_links(held(replica)) == expected(directory)["links"] != set()


@pytest.mark.parametrize("placing", [Placing.BY_DN, Placing.BY_DN_IN_TURN])
def test_a_name_that_nobody_bore_leads_to_whoever_gets_it_by_a_renaming(placing):
    user, group = 0, 1
    directory = after([("add", user, 0, 0), ("add", group, 0, 1), ("link", 1, 2, 1)])
    assert expected(directory)["links"] == {("member", entry_id("item 2"), None)}
    with writer() as replica:
        replica.apply(directory.refresh(), SOURCE)
        for name in (2, 0):
            before = directory.copy()
            directory.step("rename", 0, name, 0)
            merged(replica, increment(directory.told_since(before), placing))
            assert held(replica) == expected(directory)
        assert expected(directory)["links"] == {("member", entry_id("item 2"), None)}
