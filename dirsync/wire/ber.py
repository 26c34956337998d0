"""The few BER forms (X.690) that the values of LDAP controls are made of, written and strictly read."""

from typing import Final

from dirsync.errors import DirectoryUnavailable

BOOLEAN: Final = 0x01
OCTET_STRING: Final = 0x04
SET: Final = 0x31
_INTEGER: Final = 0x02
_ENUMERATED: Final = 0x0A
_SEQUENCE: Final = 0x30
_LONG_FORM: Final = 0x80
_LENGTH_OCTETS: Final = 4  # what Windows writes always, and more than any message has
_INTEGER_OCTETS: Final = 8


class MalformedAnswer(DirectoryUnavailable):
    """A server's answer is not what its specification says.

    Args:
        what: what is wrong with it, as a clause.
    """

    def __init__(self, what: str, *, remedy: str = "report this with the kind and version of the server") -> None:
        super().__init__(f"the directory server's answer cannot be read: {what}", remedy=remedy)


def integer(value: int) -> bytes:
    """An INTEGER in the fewest octets of two's complement (X.690 section 8.3)."""
    return _element(_INTEGER, _number(value))


def enumerated(value: int) -> bytes:
    """An ENUMERATED (X.690 section 8.4)."""
    return _element(_ENUMERATED, _number(value))


def octet_string(value: bytes) -> bytes:
    """An OCTET STRING (X.690 section 8.7, primitive)."""
    return _element(OCTET_STRING, value)


def sequence(*elements: bytes) -> bytes:
    """A SEQUENCE of elements that are encoded already (X.690 section 8.9)."""
    return _element(_SEQUENCE, b"".join(elements))


class Reader:
    """Reads one element after the other; lengths are definite, as RFC 4511 section 5.1 demands.

    Args:
        octets: the elements.
    """

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._position = 0

    def integer(self) -> int:
        """The next element as a number.

        Raises:
            MalformedAnswer: it is no INTEGER of 1 to 8 octets.
        """
        return self._number(_INTEGER, "INTEGER")

    def enumerated(self) -> int:
        """The next element as the number that it stands for.

        Raises:
            MalformedAnswer: it is no ENUMERATED of 1 to 8 octets.
        """
        return self._number(_ENUMERATED, "ENUMERATED")

    def number(self, tag: int) -> int:
        """The next element as a number, where a tag of its own stands for INTEGER or ENUMERATED (X.690 section 8.14).

        Args:
            tag: the identifier octet that it must have.

        Raises:
            MalformedAnswer: it has another one, or not 1 to 8 octets.
        """
        return self._number(tag, f"element with tag {tag:#04x}")

    def boolean(self) -> bool:
        """The next element as a truth value; RFC 4511 section 5.1 has TRUE in one form only, and not all keep to it.

        Raises:
            MalformedAnswer: it is no BOOLEAN.
        """
        contents = self._contents(BOOLEAN, "BOOLEAN")
        if len(contents) != 1:
            raise MalformedAnswer(f"a BOOLEAN has {len(contents)} octets")
        return contents != b"\0"

    def octet_string(self) -> bytes:
        """The next element's octets.

        Raises:
            MalformedAnswer: it is no OCTET STRING.
        """
        return self._contents(OCTET_STRING, "OCTET STRING")

    def sequence(self) -> "Reader":
        """A reader of the elements of the next element.

        Raises:
            MalformedAnswer: it is no SEQUENCE.
        """
        return Reader(self._contents(_SEQUENCE, "SEQUENCE"))

    def tagged(self, tag: int) -> "Reader":
        """A reader of the contents of the next element.

        Args:
            tag: the identifier octet that it must have.

        Raises:
            MalformedAnswer: it has another one.
        """
        return Reader(self._contents(tag, f"element with tag {tag:#04x}"))

    def tag(self) -> int | None:
        """The identifier octet of the next element, which stays the next one; None when there is none."""
        return self._octets[self._position] if self.more() else None

    def next_is(self, tag: int) -> bool:
        """Whether the next element has this identifier octet: an OPTIONAL one may be absent."""
        return self.tag() == tag

    def more(self) -> bool:
        """Whether there is another element."""
        return self._position < len(self._octets)

    def rest(self) -> bytes:
        """All that has not been read, as it is."""
        return self._take(len(self._octets) - self._position, "octet")

    def end(self) -> None:
        """Make sure that everything was read.

        Raises:
            MalformedAnswer: something is left.
        """
        if left := len(self._octets) - self._position:
            raise MalformedAnswer(f"{left} octets follow the last element")

    def _number(self, tag: int, name: str) -> int:
        contents = self._contents(tag, name)
        if not 1 <= len(contents) <= _INTEGER_OCTETS:
            raise MalformedAnswer(f"an {name} has {len(contents)} octets")
        return int.from_bytes(contents, "big", signed=True)

    def _contents(self, tag: int, name: str) -> bytes:
        if self._take(1, name)[0] != tag:
            raise MalformedAnswer(f"an element is no {name}")
        length = self._take(1, name)[0]
        if length >= _LONG_FORM:
            size = length - _LONG_FORM
            if not 1 <= size <= _LENGTH_OCTETS:
                raise MalformedAnswer(f"the length of an {name} is indefinite or in {size} octets")
            length = int.from_bytes(self._take(size, name), "big")
        return self._take(length, name)

    def _take(self, count: int, name: str) -> bytes:
        end = self._position + count
        if end > len(self._octets):
            raise MalformedAnswer(f"it ends within an element that should be an {name}")
        taken = self._octets[self._position : end]
        self._position = end
        return taken


def _number(value: int) -> bytes:
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    return value.to_bytes(size, "big", signed=True)


def _element(tag: int, contents: bytes) -> bytes:
    size = len(contents)
    if size < _LONG_FORM:
        return bytes((tag, size)) + contents
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG_FORM | len(length))) + length + contents
