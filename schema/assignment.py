"""Settings as an administrator types them, `dirfactorSmsEnabled=yes`: checked by the table before they are written."""

import difflib
from collections.abc import Iterable, Mapping

from schema.attributes import CLASSES, AttributeType
from schema.errors import Fault
from schema.parse import Attributes, parse_policy
from schema.syntax import Syntax

Assigned = Mapping[str, tuple[bytes, ...]]
"""Attribute name as the table spells it -> the values it is to have; none: the attribute goes."""

_SETTINGS = {
    item.name.lower(): item
    for row in CLASSES
    if row.name == "dirfactorSecurityPolicy"
    for item in row.may
    if item.syntax is not Syntax.DN
}


class WrongSetting(Fault):
    """A setting that no policy can have."""


def policy_settings() -> tuple[AttributeType, ...]:
    """What can be set in a policy, in the table's order."""
    return tuple(_SETTINGS.values())


def read_assignments(texts: Iterable[str]) -> Assigned:
    """The values that these texts set, each `attribute=value`; an empty value takes the attribute away.

    An attribute that may have several values is set to all that are given for it.

    Raises:
        WrongSetting: an unknown name, a value that its grammar does not read, or two where one is allowed.
    """
    assigned: dict[str, tuple[bytes, ...]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise WrongSetting(f"{text!r} sets nothing", remedy="write attribute=value, or attribute= to clear it")
        attribute = _attribute(name.strip())
        before = assigned.get(attribute.name, ())
        if before and attribute.single:
            raise WrongSetting(f"{attribute.name} is given twice and takes one value", remedy="give it once")
        assigned[attribute.name] = (*before, *_values(attribute, value.strip()))
    return assigned


def check_policy(attributes: Attributes, assigned: Assigned) -> None:
    """See that the policy is one that can govern, as far as these settings are concerned.

    Args:
        attributes: the policy as it will be.
        assigned: what is being set.

    Raises:
        WrongSetting: a setting says nothing that can be used, such as a text without `{code}` in it.
    """
    for finding in parse_policy("", attributes).malformed:
        if finding.attribute in assigned:
            raise WrongSetting(f"{finding.attribute} cannot be set so", remedy=f"expected is {finding.expected}")


def _attribute(name: str) -> AttributeType:
    try:
        return _SETTINGS[name.lower()]
    except KeyError:
        names = {item.name.lower(): item.name for item in _SETTINGS.values()}
        short = {key.removeprefix("dirfactor"): full for key, full in names.items()}
        close = difflib.get_close_matches(name.lower().removeprefix("dirfactor"), short, n=1)
        remedy = f"did you mean {short[close[0]]}?" if close else "docs/attributes.md lists what a policy has"
        raise WrongSetting(f"a policy has no {name!r}", remedy=remedy) from None


def _values(attribute: AttributeType, text: str) -> tuple[bytes, ...]:
    if not text:
        return ()
    try:
        value = attribute.grammar.read(text)
    except ValueError:
        raise WrongSetting(
            f"{attribute.name} cannot be {text!r}", remedy=f"expected is {attribute.grammar.expected}"
        ) from None
    # the one syntax in which the directory takes fewer spellings than we do (RFC 4517 section 3.3.3)
    if attribute.syntax is Syntax.BOOLEAN:
        text = "TRUE" if value else "FALSE"
    return (text.encode(),)
