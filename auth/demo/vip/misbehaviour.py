"""What the VIP simulator can be told to do wrong."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Wrong(StrEnum):
    """The ways of going wrong; the value is what the JSON file and the command line say."""

    OTHER_REQUEST_ID = "other-request-id"
    REASON = "reason"
    HANG = "hang"
    HTTP_500 = "http-500"
    STATUS = "status"
    HTML = "html"
    SOAP_FAULT = "soap-fault"
    GARBAGE = "garbage"
    OVERSIZED = "oversized"
    HALF_OPEN = "half-open"


_WITH_VALUE = frozenset({Wrong.REASON, Wrong.HANG, Wrong.STATUS})


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """One way of going wrong.

    Attributes:
        wrong: which.
        value: the reason code of `reason`, the seconds of `hang`, the HTTP status that `status` says success with;
            else empty.
    """

    wrong: Wrong
    value: str = ""

    @classmethod
    def read(cls, text: str) -> Self:
        """A misbehaviour as the JSON file and the command line write it, such as `garbage` or `reason:4879`.

        Raises:
            ValueError: none of these.
        """
        name, _, value = text.partition(":")
        wrong = Wrong(name)
        if (wrong in _WITH_VALUE) != bool(value):
            msg = f"{text}: {name} takes {'a' if wrong in _WITH_VALUE else 'no'} value"
            raise ValueError(msg)
        if wrong is Wrong.REASON:
            bytes.fromhex(value)
        if wrong is Wrong.HANG:
            float(value)
        if wrong is Wrong.STATUS:
            int(value)
        return cls(wrong, value)
