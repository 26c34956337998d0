"""An entry as an administrator's search finds it: names and octets, not yet parsed."""

from dataclasses import dataclass

from schema.parse import Attributes


@dataclass(frozen=True, slots=True)
class Found:
    """An entry as the directory has it.

    Attributes:
        dn: its DN.
        attributes: names in lower case -> values; those without values are absent.
    """

    dn: str
    attributes: Attributes

    def text(self, attribute: str) -> str:
        """The attribute's first value as text; empty when there is none."""
        values = self.attributes.get(attribute.lower(), ())
        return values[0].decode(errors="replace") if values else ""
