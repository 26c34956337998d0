"""What a person has typed where a PIN is wanted: PIN, code behind it, and perhaps a new PIN twice. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from auth.codes import plain
from schema.secret import Secret

_LONGEST = 32  # of dirfactorPinMaximumLength


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read what was typed.

    Attributes:
        pin: what would be the PIN.
        code_length: how many characters behind it would be the code.
        new: what would be the new PIN; None where there is none.
    """

    pin: Secret
    code_length: int
    new: Secret | None


def readings(typed: Secret, code_lengths: tuple[int, ...]) -> Iterator[Reading]:
    """Every way to read `PIN code` and `PIN code new new`; those without a new PIN come first.

    Args:
        typed: what was typed; spaces and dashes in it do not count.
        code_lengths: how long the code may be; none when there is no code.
    """
    text = plain(typed).text
    lengths = code_lengths or (0,)
    yield from (Reading(Secret(text[: len(text) - n]), n, None) for n in lengths if len(text) > n)
    for half in range(1, min(len(text) // 2, _LONGEST + 1)):
        new = text[-half:]
        if text[-2 * half : -half] == new:
            rest = text[: -2 * half]
            yield from (Reading(Secret(rest[: len(rest) - n]), n, Secret(new)) for n in lengths if len(rest) > n)


def twice_the_same(typed: Secret) -> Secret | None:
    """The new PIN that was typed twice; None when it was not."""
    text = plain(typed).text
    half = len(text) // 2
    return Secret(text[:half]) if text and text[:half] == text[half:] else None


def first_right(found: Iterator[Reading], right: Callable[[Secret], bool]) -> Reading | None:
    """The first reading whose PIN is right."""
    return next((reading for reading in found if right(reading.pin)), None)
