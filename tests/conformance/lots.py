"""Who and what is chosen by lot, from what the world has and its rules permit."""

import random

from conformance.dialects import CHOICES, Choices, Kind
from conformance.world import Item, World

# few names, so that entries take over names that others have had; with all that a DN must escape
NAMES = ("anna", "Bert", "c d", "Dörte", "e, f", "g+h", "i=j", "#k", 'l"m', "n\\o", "p;q", "<r>", *"stuvwxyz")
LOGINS = 400
DEEPEST = 5
LARGEST_TREE = 40
HOLDERS = (Kind.UNIT, Kind.SHELF)


class Lots:
    """Draws entries, places and names.

    Args:
        world: the directory; it is only read.
        chance: decides everything.
    """

    def __init__(self, world: World, chance: random.Random) -> None:
        self._world = world
        self._chance = chance

    def nobody(self) -> str:
        """A DN that nobody has, or will have some day."""
        kind = self._chance.choice((Kind.PERSON, Kind.GROUP))
        return f"{self._world.rdn(kind, self._chance.choice(NAMES))},{self._world.dn(self.holder(kind))}"

    def pick(self, items: list[Item]) -> Item | None:
        return self._chance.choice(items) if items else None

    def tree(self) -> Item | None:
        """An entry with some below it."""
        return self.pick(
            [item for item in self._world.of(*HOLDERS) if 0 < len(self._world.below(item)) <= LARGEST_TREE]
        )

    def holder(self, kind: Kind) -> Item | None:
        """A place for an entry: a shelf holds units only, and stands in units only."""
        holders = self._world.of(*HOLDERS) if kind is Kind.UNIT else self._world.of(Kind.UNIT)
        return self._chance.choice([None, *holders])

    def free_place(self, kind: Kind) -> tuple[Item | None, str] | None:
        above, name = self.holder(kind), self._chance.choice(NAMES)
        fits = self._world.is_free(above, name) and self.depth(above) < DEEPEST
        return (above, name) if fits else None

    def depth(self, item: Item | None) -> int:
        return 0 if item is None else 1 + self.depth(item.above)

    def height(self, item: Item) -> int:
        return (
            1 + max((self.depth(one) for one in self._world.below(item)), default=self.depth(item)) - self.depth(item)
        )

    def login(self, kind: Kind) -> str:
        if kind not in {Kind.PERSON, Kind.GROUP}:
            return ""
        taken = self._world.logins()
        return self._chance.choice(
            [login for login in (f"u{number}" for number in range(LOGINS)) if login not in taken]
        )

    def choices(self, kind: Kind) -> Choices:
        return {**CHOICES[kind], **self._world.dialect.choices.get(kind, {})}
