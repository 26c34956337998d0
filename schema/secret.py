"""A value that must not be seen: its text form is `***` wherever it may end up."""

import hmac
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Secret:
    """A password, code or key on its way through the program.

    It has no `==`: compare with `matches`, which takes the same time whatever differs.
    """

    text: str

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self.text)

    def __eq__(self, other: object) -> bool:
        msg = "secrets are compared with matches()"
        raise TypeError(msg)

    __hash__ = None  # type: ignore[assignment]

    @property
    def octets(self) -> bytes:
        """The secret as UTF-8."""
        return self.text.encode()

    def matches(self, other: "Secret") -> bool:
        """Whether both are the same, in constant time."""
        return hmac.compare_digest(self.octets, other.octets)
