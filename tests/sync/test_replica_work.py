"""What one edit costs: it grows with what has changed, and not with the directory."""

import contextlib
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from dirsync.change import Batch, LinkChange, LinkKind, Placing, Put
from dirsync.replica import ReplicaWriter
from small_directory import BASE, NOW, SOURCE, entry_id

FEW, MANY = 100, 1600


def people(count, placing):
    """An OU of users, and groups of ten."""
    by_dn = placing is not Placing.BY_PARENT
    holder = Put(entry_id("ou"), f"ou=people,{BASE}", None, {"objectclass": (b"organizationalUnit",)})
    users = [
        Put(
            entry_id(f"user{number}"),
            f"uid=user{number},{holder.dn}",
            None if by_dn else holder.id,
            {"objectclass": (b"inetOrgPerson",), "uid": (b"user%d" % number,), "mail": (b"a@example.test",)},
        )
        for number in range(count)
    ]
    groups = []
    for number in range(0, count, 10):
        members = users[number : number + 10]
        change = (
            LinkChange(dns=tuple(user.dn for user in members))
            if by_dn
            else LinkChange(added=tuple(user.id for user in members))
        )
        links = {LinkKind.MEMBER: change}
        attributes = {"objectclass": (b"groupOfNames",)}
        groups.append(Put(entry_id(f"group{number}"), f"cn=group{number},{BASE}", None, attributes, links))
    return [holder, *users, *groups]


def steps_of_an_edit(count, placing, edit):
    """How many steps SQLite's machine takes for it."""
    whole = Placing.BY_PARENT if placing is Placing.BY_PARENT else Placing.BY_DN
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(ReplicaWriter(Path(folder) / "r")) as writer:
        everything = people(count, placing)
        writer.apply(Batch(iter(everything), b"", refresh=True, as_of=NOW, placing=whole), SOURCE)
        steps = 0

        def step():
            nonlocal steps
            steps += 1

        changed = edit(everything)
        writer._db.set_progress_handler(step, 1)
        applied = writer.apply(Batch(iter([changed]), b"", refresh=False, as_of=NOW, placing=placing), SOURCE)
        writer._db.set_progress_handler(None, 1)
        assert applied
        return steps


def another_mail(everything):
    user = everything[7]
    return replace(user, attributes={**user.attributes, "mail": (b"b@example.test",)})


def another_member(everything):
    group, stranger = everything[-1], everything[1]
    (change,) = group.links.values()
    more = replace(change, dns=(*change.dns, stranger.dn)) if change.dns else replace(change, added=(stranger.id,))
    return replace(group, links={LinkKind.MEMBER: more})


def another_name(everything):
    """Of an entry that no other names: a name that others hold may change elsewhere untold, and all is read anew."""
    return replace(everything[-1], dn=f"cn=renamed,{BASE}")


@pytest.mark.parametrize("edit", [another_mail, another_member, another_name])
@pytest.mark.parametrize("placing", [Placing.BY_PARENT, Placing.BY_DN, Placing.BY_DN_IN_TURN])
def test_the_work_for_one_edit_does_not_grow_with_the_directory(placing, edit):
    few, many = (steps_of_an_edit(count, placing, edit) for count in (FEW, MANY))
    assert many < few * 1.5
