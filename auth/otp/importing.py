"""What a file of software tokens gives, whatever its form: tokens with their users, or all that is wrong with it."""

from collections.abc import Sequence
from dataclasses import dataclass

from auth.otp.token import SoftwareToken
from schema.errors import Fault


@dataclass(frozen=True, slots=True)
class ImportedToken:
    """A token of a file.

    Attributes:
        token: the token.
        user: whose it is to be, as the file says: a login name or DN; empty when it says nothing.
        where: where it stands in the file, for messages.
    """

    token: SoftwareToken
    user: str
    where: str


class BadFile(Fault):
    """A file of tokens cannot be taken in; nothing of it is.

    Args:
        problems: (where, what is wrong and what would be right), none of them with a seed.
    """

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        lines = "\n".join(f"{where}: {what}" for where, what in problems)
        super().__init__(lines, remedy="mend the file and import it again; nothing was written")
        self.problems = tuple(problems)


def demand_different(found: Sequence[ImportedToken]) -> None:
    """See that no seed and no user's serial is in the file twice. Raises BadFile."""
    problems = []
    met: dict[tuple[str, ...], ImportedToken] = {}
    for item in found:
        for key, what in (
            (("seed", item.token.identity), "the seed"),
            (("serial", item.user.casefold(), item.token.serial), f"serial {item.token.serial}"),
        ):
            first = met.setdefault(key, item)
            if first is not item:
                problems.append((item.where, f"{what} stands at {first.where} already"))
    if problems:
        raise BadFile(problems)
