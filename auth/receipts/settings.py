"""The [receipts:NAME] section of config.ini: how to read what the provider of [sms:NAME] posts."""

from collections.abc import Collection, Iterator, Mapping

import msgspec

from auth.receipts.rules import Rule
from auth.receipts.words import DELIVERED, FAILED, Words
from schema.errors import Fault
from schema.secret import Secret

# key, problem, remedy
Finding = tuple[str, str, str]


class ReceiptSettings(msgspec.Struct, frozen=True):
    """A [receipts:NAME] section: lets a provider tell /v1/receipts/NAME what became of a text.

    message_id and status are read as `field:NAME`, a parameter of the URL or of a form; as `json:PATH`, names and
    positions with dots between them and * for each of a list; or as `regex:EXPRESSION`, whose first group is taken from
    the body, or from the URL's parameters when there is none.

    Attributes:
        token: reference to what the provider shows: as bearer token, as the password of basic authentication, or as the
            URL's parameter `token`.
        message_id: where the id stands that the provider gave the text when it took it.
        status: where the text's fate stands.
        delivered: words for a text that has reached the phone.
        failed: words for one that has not, and will not; other words mean that it is under way.
    """

    token: Secret
    message_id: str
    status: str
    delivered: tuple[str, ...] = DELIVERED
    failed: tuple[str, ...] = FAILED

    @property
    def words(self) -> Words:
        """The words for a text's fate."""
        return Words(self.delivered, self.failed)


def findings(sections: Mapping[str, ReceiptSettings], gateways: Collection[str]) -> Iterator[tuple[str, Finding]]:
    """Everything that is wrong with the sections, each with its name.

    Args:
        sections: by name.
        gateways: names of the SMS gateways.
    """
    for name, section in sections.items():
        if name not in gateways:
            yield name, ("", f"there is no [sms:{name}]", "known are " + (", ".join(gateways) or "none"))
        for key, text in (("message_id", section.message_id), ("status", section.status)):
            try:
                Rule(text)
            except Fault as fault:
                yield name, (key, fault.problem, fault.remedy)
