"""Who changed an attribute, when and where, as far as a directory keeps that."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schema.entry import EntryId


@dataclass(frozen=True, slots=True)
class Authorship:
    """A change that somebody made.

    Attributes:
        who: the author's DN; None where the directory records none, as Active Directory does outside of its event
            log (event 5136 of the security log has it, where `Audit Directory Service Changes` is on).
        when: the instant.
        where: the server at which it was made; None where that is not recorded.
    """

    who: str | None
    when: datetime
    where: str | None


class Chronicle(Protocol):
    """A source that can be asked about the past."""

    def changed_when(self, entry: EntryId, attribute: str) -> Authorship | None:
        """The last change of an attribute; None when the directory does not tell.

        Raises:
            Fault: the directory could not be asked.
        """
        ...
