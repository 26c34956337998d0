"""Which secrets a run of tests had: each `Secret` that came to be in its process, and the constants of its modules."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from schema.secret import Secret

LEAST_OCTETS = 9
LEAST_DIGITS = 10
LEAST_LETTERS = 20
LEAST_DIFFERENT = 6
LONGEST = 64
MOST_OF_ONE = 100
_IN_ORDER = "01234567890123456789"
_CONSTANT = re.compile(r"(?:\w*_)?(?:PASSWORD|SECRET|KEY|TOKEN|PIN|SEED|REFRESH)")


@dataclass(slots=True)
class Known:
    """Secrets by a name that does not tell them.

    Attributes:
        by_text: secret -> who made it.
        by_maker: who made how many; of one that makes thousands the first `MOST_OF_ONE` are looked for.
        passed_over: of how many a text cannot be recognised.
    """

    by_text: dict[str, str] = field(default_factory=dict, repr=False)
    by_maker: Counter[str] = field(default_factory=Counter)
    passed_over: set[bytes] = field(default_factory=set, repr=False)

    def note(self, text: str, maker: str) -> None:
        """Remember what can be recognised of it: 64 characters of its longest line."""
        if self.by_maker[maker] >= MOST_OF_ONE:
            return
        longest = max(text.splitlines() or [""], key=len)[:LONGEST]
        if recognisable(longest):
            self.by_maker[maker] += longest not in self.by_text
            self.by_text.setdefault(longest, maker)
        else:
            self.passed_over.add(hashlib.sha256(text.encode(errors="replace")).digest())

    def note_constants(self, modules: Iterable[ModuleType], below: Path) -> None:
        """Remember what modules of a folder call PASSWORD, SECRET, KEY and the like: not all of it is a `Secret`."""
        for module in modules:
            file = getattr(module, "__file__", None)
            if file is None or not Path(file).is_relative_to(below):
                continue
            for name, value in vars(module).items():
                if isinstance(value, str) and _CONSTANT.fullmatch(name):
                    self.note(value, f"{Path(file).relative_to(below)}, {name}")

    def named(self) -> Mapping[str, str]:
        """Name -> secret."""
        return {f"{maker}, secret {number}": text for number, (text, maker) in enumerate(self.by_text.items(), 1)}


def recognisable(text: str) -> bool:
    """Whether a text that is found somewhere stands there because somebody put it there, and not by chance.

    Codes of six digits are in every file of times and numbers: `test_day` has longer ones. A word is in every file.
    """
    if not text.isascii() or len(set(text)) < LEAST_DIFFERENT or text in _IN_ORDER:
        return False
    if text.isdigit():
        return len(text) >= LEAST_DIGITS
    if text.replace(" ", "").isalpha():
        return len(text) >= LEAST_LETTERS
    return len(text) >= LEAST_OCTETS


@contextmanager
def noting(note: Callable[[str], None]) -> Iterator[None]:
    """Each `Secret` that is made in this process meanwhile is noted, whoever makes it: test or product."""
    made = Secret.__init__

    def noted(self: Secret, text: str) -> None:
        made(self, text)
        note(text)

    Secret.__init__ = noted
    try:
        yield
    finally:
        Secret.__init__ = made
