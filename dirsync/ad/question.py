"""What is asked of a domain, whichever way its changes come: filter and attributes. Pure."""

from dataclasses import dataclass
from typing import Final

from dirsync.ad.entry import BOOKKEEPING, LINK_ATTRIBUTES
from schema.attributes import ATTRIBUTES
from schema.parse import ADDRESS_ATTRIBUTES, DIRECTORY_ATTRIBUTES

# By class alone: what stops matching a filter leaves the answers without a word, and the class of an entry is for
# ever. In AD a computer is a user.
WHERE: Final = (
    "(|(&(objectClass=user)(!(objectClass=computer)))(objectClass=group)(objectClass=organizationalUnit)"
    "(objectClass=container)(objectClass=builtinDomain)(objectClass=domainDNS)"
    "(objectClass=dirfactorSecurityPolicy)(objectClass=dirfactorAccessNode))"
)


@dataclass(frozen=True, slots=True)
class Domain:
    """What to read.

    Attributes:
        base: DN of the domain, or of an entry in it above all that is wanted.
        attributes: which attributes.
    """

    base: str
    attributes: tuple[str, ...]


def domain(base: str, extra_attributes: tuple[str, ...]) -> Domain:
    """A domain with the attributes that the parser and the replica want.

    Args:
        base: DN of the domain, or of an entry in it above all that is wanted.
        extra_attributes: further attributes for phone numbers and mail addresses.
    """
    ours = (attribute.name for attribute in ATTRIBUTES if attribute.forward_link is None)
    wanted = (*BOOKKEEPING, *DIRECTORY_ATTRIBUTES, *ADDRESS_ATTRIBUTES, *extra_attributes, *LINK_ATTRIBUTES, *ours)
    return Domain(base, tuple({name.lower(): name for name in wanted}.values()))
