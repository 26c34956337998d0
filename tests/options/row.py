"""What a row of the table says: one option, and how it is shown that ours does the same, or why there is none."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from options.people import NOTHING, PLACES, Setup, prefixed
from options.world import World

Course = Callable[[World], Awaitable[object]]
"""What people do in a world; the text form of what comes of it is compared."""


@dataclass(frozen=True)
class Scenario:
    """An option of ours that makes a difference.

    Attributes:
        tab: where Defender has it; `ours` where it has none.
        option: its name there.
        given: the directory with the option set.
        otherwise: the directory with its opposite.
        course: what is done in both.
        shows: what comes of it with the option.
        else_shows: what comes of it with the opposite.
        note: what is different from Defender, for the page.
        common: what both directories have beside what every scenario starts from.
    """

    tab: str
    option: str
    given: Setup
    otherwise: Setup
    course: Course
    shows: str
    else_shows: str
    note: str = ""
    common: Setup = NOTHING

    @property
    def places(self) -> tuple[str, ...]:
        """Where it is set: the attributes in which the two directories differ, and nothing else."""
        return tuple(sorted(self.given.differing(self.otherwise)))

    def value(self, place: str) -> str:
        """The value with which it is set there; empty where it is no single one."""
        values = [getattr(self.given, name).get(place) for name in PLACES]
        return next((value for value in values if isinstance(value, str)), "")


@dataclass(frozen=True)
class Elsewhere:
    """An option that is set in config.ini, or is a command; another test shows what it does.

    Attributes:
        tab: where Defender has it.
        option: its name there.
        places: the settings or commands.
        shown_by: file and name of the test, below tests/.
        note: what is different, for the page.
    """

    tab: str
    option: str
    places: tuple[str, ...]
    shown_by: str
    note: str = ""


@dataclass(frozen=True)
class Missing:
    """An option that there is not, and why; docs/attributes.md may say it too."""

    tab: str
    option: str
    note: str
    places: tuple[str, ...] = ()


Row = Scenario | Elsewhere | Missing
Rows = Iterable[Row]


def policy(**values: str) -> Setup:
    """Attributes of alice's policy, without the prefix dirfactor."""
    return Setup(policy=prefixed(values))


def user(**values: str | tuple[str, ...]) -> Setup:
    return Setup(user=prefixed(values))


def node(**values: str | tuple[str, ...]) -> Setup:
    return Setup(node=prefixed(values))
