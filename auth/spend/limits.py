"""Which limits hold for one text, each with what it counts. Pure."""

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from auth.addresses import PhoneNumber
from auth.spend.settings import SpendSettings
from auth.state import Limit
from schema.entry import EntryId

HOUR, DAY = 3_600, 86_400
_MILLIONTHS = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of config.ini.

    Attributes:
        spend: the [spend] section.
        key: the server's own, under which numbers are counted: the store has none to read.
    """

    spend: SpendSettings
    key: bytes = field(repr=False)

    def of(self, user: EntryId, number: PhoneNumber, gateways: Sequence[str], parts: int) -> Iterator[Limit]:
        """The limits that this text counts against.

        Args:
            user: who gets it.
            number: where it goes.
            gateways: who may carry it; the dearest counts, for any of them may.
            parts: how many it has.
        """
        spend = self.spend
        user_key = f"spend user {user.hex()}"
        prefix = self.prefix(number)
        sealed = hmac.digest(self.key, f"spend number {number}".encode(), hashlib.sha256)[:16].hex()
        bounds = (
            ("per_user_hour", user_key, HOUR, spend.per_user_hour),
            ("per_user_day", user_key, DAY, spend.per_user_day),
            ("per_number_day", f"spend number {sealed}", DAY, spend.per_number_day),
            (f"per_prefix_day for +{prefix}", f"spend prefix {prefix}", DAY, spend.per_prefix_day),
            ("per_day", "spend all", DAY, spend.per_day),
        )
        for name, key, seconds, most in bounds:
            if most:
                yield Limit(name, key, seconds, most)
        price = max((spend.price_of.get(gateway, 0) for gateway in gateways), default=0) * parts
        if spend.money_per_day and price:
            most = round(spend.money_per_day * _MILLIONTHS)
            yield Limit("money_per_day", "spend money", DAY, most, price)

    def prefix(self, number: PhoneNumber) -> str:
        """The digits that the number has in common with its neighbours; never all of them."""
        digits = number.removeprefix("+")
        return digits[: min(self.spend.prefix_digits, len(digits) - 3)]
