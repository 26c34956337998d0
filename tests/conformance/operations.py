"""What administrators do, drawn by lot: only what the directory permits, and the world knows what comes of it."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from conformance.dialects import MEMBER_LINK, NODE_MEMBER_LINK, POLICY_LINK, Kind
from conformance.lots import DEEPEST, NAMES, Lots
from conformance.requests import How, Modify, Request
from conformance.world import Item, World, folded

SIZE = 280  # around which the number of entries moves
LASTING = tuple(f"lasting{number}" for number in range(10))
SUBJECTS = (Kind.PERSON, Kind.GROUP, Kind.UNIT, Kind.NODE)
KINDS = (*(Kind.PERSON,) * 10, *(Kind.GROUP,) * 5, *(Kind.UNIT,) * 4, Kind.POLICY, Kind.NODE, Kind.SHELF)


@dataclass(frozen=True)
class Operation:
    """One thing that an administrator does.

    Attributes:
        what: in words.
        requests: to be sent one after the other.
    """

    what: str
    requests: tuple[Request, ...]


class Administrator:
    """Draws one operation after the other.

    Args:
        world: the directory; it is changed with each operation.
        chance: decides everything.
    """

    def __init__(self, world: World, chance: random.Random) -> None:
        self._world = world
        self._chance = chance
        self._lots = Lots(world, chance)
        self._weights: dict[str, tuple[int, Callable[[], Iterator[Request] | None]]] = {
            "add": (10, self._add),
            "delete": (6, self._delete),
            "delete a subtree": (1, self._delete_tree),
            "create again under the same name": (4, self._create_again),
            "change a value": (16, self._change),
            "spoil a value": (4, self._spoil),
            "mend a value": (4, self._mend),
            "remove a value": (4, self._clear),
            "change nothing": (4, self._nothing),
            "change what is of no use": (2, self._of_no_use),
            "another login name": (3, self._log_on_as),
            "rename": (7, self._rename),
            "move": (7, self._move),
            "move a subtree": (3, self._move_tree),
            "rename a subtree": (3, self._rename_tree),
            "move and rename": (2, self._move_and_rename),
            "exchange names": (2, self._swap),
            "edit a group": (16, self._edit_group),
            "nest groups": (5, self._nest),
            "close a circle of groups": (2, self._circle),
            "assign a policy": (10, self._assign),
            "take a policy away": (4, self._take_away),
            "edit a node's members": (4, self._edit_node),
        }

    def beginning(self) -> Iterator[Operation]:
        """The first entries: those who are never deleted, and enough for everything else to be possible."""
        for login in LASTING:
            item = Item(Kind.PERSON, login, None, login, lasting=True)
            yield Operation("add", tuple(self._world.add(item)))
        while len(self._world.items) < SIZE // 2:
            yield self._drawn("add", self._add)

    def operation(self) -> Operation:
        """The next one."""
        size = len(self._world.items)
        names = list(self._weights)
        weights = [self._weights[name][0] for name in names]
        weights[0] = 14 if size < SIZE else 6
        while True:
            what = self._chance.choices(names, weights)[0]
            requests = self._weights[what][1]()
            if requests is not None:
                return Operation(what, tuple(requests))

    def _drawn(self, what: str, draw: Callable[[], Iterator[Request] | None]) -> Operation:
        while (requests := draw()) is None:
            pass
        return Operation(what, tuple(requests))

    def _add(self) -> Iterator[Request] | None:
        kind = self._chance.choice([kind for kind in KINDS if kind in self._world.dialect.classes])
        place = self._lots.free_place(kind)
        return place and self._world.add(self._new(kind, *place))

    def _new(self, kind: Kind, above: Item | None, name: str) -> Item:
        item = Item(kind, name, above, self._lots.login(kind))
        for attribute, (good, _) in self._lots.choices(kind).items():
            if attribute not in self._world.dialect.always.get(kind, {}) and self._chance.random() < 0.4:
                item.values[attribute] = self._chance.choice(good)
        return item

    def _delete(self) -> Iterator[Request] | None:
        item = self._lots.pick(self._world.items)
        return None if item is None or item.lasting or self._world.below(item) else self._world.remove(item)

    def _delete_tree(self) -> Iterator[Request] | None:
        item = self._lots.tree()
        return None if item is None or any(one.lasting for one in self._world.below(item)) else self._world.remove(item)

    def _create_again(self) -> Iterator[Request] | None:
        item = self._lots.pick(self._world.items)
        if item is None or item.lasting or self._world.below(item):
            return None
        again = self._new(item.kind, item.above, item.name)
        again.login = item.login
        return iter([*self._world.remove(item), *self._world.add(again)])

    def _change(self) -> Iterator[Request] | None:
        return self._set(lambda good, bad: good)

    def _spoil(self) -> Iterator[Request] | None:
        return self._set(lambda good, bad: bad)

    def _set(self, wanted: Callable[..., tuple]) -> Iterator[Request] | None:
        item = self._lots.pick(self._world.items)
        choices = self._lots.choices(item.kind) if item else {}
        offered = [(name, values) for name, both in choices.items() for values in wanted(*both)]
        if item is None or not offered:
            return None
        name, values = self._chance.choice(offered)
        return None if item.values.get(name) == values else self._world.replace(item, name, values)

    def _mend(self) -> Iterator[Request] | None:
        spoilt = [
            (item, name, good)
            for item in self._world.items
            for name, (good, bad) in self._lots.choices(item.kind).items()
            if item.values.get(name) in bad
        ]
        if not spoilt:
            return None
        item, name, good = self._chance.choice(spoilt)
        return self._world.replace(item, name, self._chance.choice(good))

    def _clear(self) -> Iterator[Request] | None:
        item = self._lots.pick([item for item in self._world.items if item.values])
        if item is None:
            return None
        name = self._chance.choice(sorted(item.values))
        fixed = name in self._world.dialect.always.get(item.kind, {}) or not item.values[name]
        return None if fixed else self._world.replace(item, name, ())

    def _nothing(self) -> Iterator[Request] | None:
        item = self._lots.pick([item for item in self._world.items if any(item.values.values())])
        if item is None:
            return None
        name = self._chance.choice(sorted(name for name, values in item.values.items() if values))
        return self._world.replace(item, name, item.values[name])

    def _of_no_use(self) -> Iterator[Request] | None:
        item = self._lots.pick(self._world.items)
        text = str(self._chance.randrange(1000))
        return item and iter([Modify(self._world.dn(item), [(How.REPLACE, "description", (text,))])])

    def _log_on_as(self) -> Iterator[Request] | None:
        item = self._lots.pick(self._world.of(Kind.PERSON))
        return None if item is None or item.lasting else self._world.log_on_as(item, self._lots.login(item.kind))

    def _rename(self) -> Iterator[Request] | None:
        item = self._lots.pick(self._world.items)
        return item and self._place(item, item.above)

    def _move(self) -> Iterator[Request] | None:
        item = self._lots.pick(self._world.items)
        return item and self._place(item, self._lots.holder(item.kind), item.name)

    def _move_tree(self) -> Iterator[Request] | None:
        item = self._lots.tree()
        return item and self._place(item, self._lots.holder(item.kind), item.name)

    def _rename_tree(self) -> Iterator[Request] | None:
        item = self._lots.tree()
        return item and self._place(item, item.above)

    def _move_and_rename(self) -> Iterator[Request] | None:
        item = self._lots.pick(self._world.items)
        return item and self._place(item, self._lots.holder(item.kind))

    def _place(self, item: Item, above: Item | None, name: str | None = None) -> Iterator[Request] | None:
        name = self._chance.choice(NAMES) if name is None else name
        if not self._carries(item):
            return None
        if self._world.stands_in(above, item) or not self._world.is_free(above, name, item):
            return None
        if (above, name) == (item.above, item.name) or self._lots.depth(above) + self._lots.height(item) > DEEPEST:
            return None
        return self._world.place(item, above, name)

    def _carries(self, item: Item) -> bool:
        """Whether what stands below the entry comes along when it is renamed."""
        return self._world.dialect.carries_names or not self._world.below(item)

    def _swap(self) -> Iterator[Request] | None:
        """Two siblings take each other's names, by way of a third."""
        one = self._lots.pick(self._world.items)
        if one is None:
            return None
        other = self._lots.pick([item for item in self._world.items if item.above is one.above and item is not one])
        if other is None or not (self._carries(one) and self._carries(other)):
            return None
        first, second = one.name, other.name
        place = self._world.place
        steps = ((one, "for a moment"), (other, first), (one, second))
        return iter([request for item, name in steps for request in place(item, one.above, name)])

    def _edit_group(self) -> Iterator[Request] | None:
        group = self._lots.pick(self._world.of(Kind.GROUP))
        return group and self._edit(
            group, MEMBER_LINK, self._world.of(Kind.PERSON), self._chance.choice((1, 1, 1, 3, 20))
        )

    def _nest(self) -> Iterator[Request] | None:
        group = self._lots.pick(self._world.of(Kind.GROUP))
        others = [item for item in self._world.of(Kind.GROUP) if item is not group]
        return group and self._edit(group, MEMBER_LINK, others, 1)

    def _circle(self) -> Iterator[Request] | None:
        """A group becomes a member of one of its members."""
        groups = {folded(self._world.dn(group)): group for group in self._world.of(Kind.GROUP)}
        pairs = [
            (groups[dn], self._world.dn(group))
            for group in groups.values()
            for dn in group.links.get(MEMBER_LINK, ())
            if dn in groups and groups[dn] is not group
        ]
        pairs = [(member, dn) for member, dn in pairs if folded(dn) not in member.links.get(MEMBER_LINK, ())]
        if not pairs:
            return None
        member, dn = self._chance.choice(pairs)
        return self._world.link(member, MEMBER_LINK, {dn}, set())

    def _edit_node(self) -> Iterator[Request] | None:
        node = self._lots.pick(self._world.of(Kind.NODE))
        return node and self._edit(node, NODE_MEMBER_LINK, self._world.of(Kind.PERSON, Kind.GROUP), 2)

    def _edit(self, item: Item, name: str, targets: list[Item], most: int) -> Iterator[Request] | None:
        """Some links come and some go; now and then all go."""
        held = item.links.get(name, {})
        lost = [dn for dn in held if self._chance.random() < self._chance.choice((0, 0, 0.3, 0.3, 1))]
        chosen = [self._world.dn(target) for target in self._chance.sample(targets, min(most, len(targets)))]
        if not self._world.dialect.links_follow and self._chance.random() < 0.1:
            chosen.append(self._lots.nobody())
        new = {folded(dn): dn for dn in chosen if folded(dn) not in held}
        return self._world.link(item, name, set(new.values()), set(lost)) if new or lost else None

    def _assign(self) -> Iterator[Request] | None:
        item, policy = self._lots.pick(self._world.of(*SUBJECTS)), self._lots.pick(self._world.of(Kind.POLICY))
        if item is None or policy is None:
            return None
        held, dn = item.links.get(POLICY_LINK, {}), self._world.dn(policy)
        return None if folded(dn) in held else self._world.link(item, POLICY_LINK, {dn}, set(held))

    def _take_away(self) -> Iterator[Request] | None:
        item = self._lots.pick([item for item in self._world.items if item.links.get(POLICY_LINK)])
        return item and self._world.link(item, POLICY_LINK, set(), set(item.links[POLICY_LINK]))
