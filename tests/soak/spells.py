"""When which fault was in force: what ends otherwise than it should within such a time is no finding."""

from dataclasses import dataclass, field


@dataclass
class Spell:
    """A fault of a thing, from one instant until another; until further notice where there is none."""

    thing: str
    begun: float
    ended: float = float("inf")
    aftermath: float = 0.0


@dataclass
class Spells:
    """All of them."""

    all: list[Spell] = field(default_factory=list)

    def begin(self, thing: str, at: float, *, aftermath: float) -> Spell:
        """A fault begins; once it is over the thing may be avoided for some seconds more."""
        self.all.append(Spell(thing, at, aftermath=aftermath))
        return self.all[-1]

    def touch(self, thing: str, begun: float, ended: float) -> bool:
        """Whether anything that went on between two instants may have met a fault of a thing."""
        return any(
            spell.thing == thing and spell.begun <= ended and begun <= spell.ended + spell.aftermath
            for spell in self.all
        )

    def seconds(self, begun: float, ended: float) -> float:
        """How long faults were in force between two instants, all things together."""
        return sum(max(0.0, min(ended, spell.ended) - max(begun, spell.begun)) for spell in self.all)
