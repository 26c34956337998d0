"""Renders the attribute table as the page that administrators read."""

from collections.abc import Iterable

import msgspec

from schema.attributes import BACK_LINKS, NODE, POLICY, SUBJECT, USER, AttributeType
from schema.entry import AccessNode, Policy

_HEAD = """\
# Attributes

Everything that dirfactor adds to a directory. The names are the same in Active Directory and OpenLDAP, and in the
`[policy:NAME]` and `[node:NAME]` sections of config.ini. Words are read in any case. A value that cannot be read never
stops the sync: whoever depends on it is refused with `entry-malformed` or `policy-malformed`, and
`dirfactor check values` lists it.
"""


def render() -> str:
    """The page as Markdown."""
    policy, node = _defaults(Policy), _defaults(AccessNode)
    parts = [
        _HEAD,
        _table("On a user: class dirfactorUser", USER, {}),
        _table("On a user, group, organizational unit, domain or access node: class dirfactorSubject", SUBJECT, {}),
        _table("On a policy: class dirfactorSecurityPolicy", POLICY, policy),
        _table("On an access node: class dirfactorAccessNode", NODE, node),
        _table("Kept by the directory", BACK_LINKS, {}),
        _WITHOUT,
    ]
    return "\n".join(parts)


def _table(title: str, attributes: Iterable[AttributeType], defaults: dict[str, object]) -> str:
    rows = [
        f"| `{item.name}` | {_values(item)} | {_default(defaults.get(item.field))} | {_cell(item.description)} |"
        for item in attributes
    ]
    return "\n".join([f"## {title}", "", "| attribute | values | default | meaning |", "|---|---|---|---|", *rows, ""])


def _values(item: AttributeType) -> str:
    several = "" if item.single else "several; each "
    secret = "confidential; " if item.confidential else ""
    return _cell(f"{secret}{several}{item.grammar.expected}")


def _defaults(structure: type[msgspec.Struct]) -> dict[str, object]:
    return {
        item.name: item.default for item in msgspec.structs.fields(structure) if item.default is not msgspec.NODEFAULT
    }


def _default(value: object) -> str:
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    text = ", ".join(value) if isinstance(value, tuple) else str(value)
    return f"`{_cell(text)}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


_WITHOUT = """\
## What Defender has and this does not

| option on Defender's tabs | why not |
|---|---|
| Use Synchronous tokens as Event tokens | it accepts one code twice |
| Lock Windows account after violations | whoever types wrong codes could lock people out of Windows |
| Allow expired AD password to be changed | RADIUS with PAP has no safe way to carry a new password |
| Defender password | a second password beside the directory's; a PIN serves the purpose |
| GrIDsure | patented and closed |
"""
