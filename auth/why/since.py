"""What is known otherwise than at another time: user, policies, groups, containers, node, config.ini. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final

import msgspec

from auth.addresses import masked
from auth.facts import Facts
from auth.vip.credential import shown
from auth.why.redact import redacted_node, redacted_person
from dirsync.view import Person, PolicyLink
from schema.entry import AttributeText
from schema.errors import Malformed
from schema.grammar import ReplyRule

_PASSING: Final = frozenset({"node", "found", "freshness", "failures"})  # told by themselves, or always another
_NUMBERS: Final = frozenset({"phone", "mail_override", "mail"})
_NONE: Final = "nothing"


def differences(before: Facts, after: Facts) -> tuple[str, ...]:
    """What differs, in lines such as `user tokens: sms -> sms, email`. Numbers are masked, secrets are only compared.

    Args:
        before: as they were kept.
        after: as they are known now.
    """
    then, now = dict(_flat(before)), dict(_flat(after))
    names = dict.fromkeys((*then, *now))
    return tuple(
        f"{name}: {then.get(name, _NONE)} -> {now.get(name, _NONE)}"
        for name in names
        if then.get(name, _NONE) != now.get(name, _NONE)
    )


def _flat(facts: Facts) -> Iterator[tuple[str, str]]:
    for name in facts.__struct_fields__:
        if name not in _PASSING:
            yield from _named(f"config.ini {name}", getattr(facts, name))
    if facts.node:
        bare = redacted_node(facts.node)
        yield from _named("access node", bare.node)
        yield from _policy("access node", bare.policy)
        members = bare.members
        yield "access node members", "everybody" if members is None else f"{len(members)} users and groups"
    for person in facts.found:
        yield from _person(redacted_person(person, facts.region, facts.reach.numbers))


def _person(person: Person) -> Iterator[tuple[str, str]]:
    yield "user DN", person.dn
    yield from _named("user", person.user)
    yield from _policy("user", person.policy)
    for group in person.groups:
        yield f"group {group.dn}", "member through " + " > ".join(group.path)
        yield from _named(f"group {group.dn}", group.group)
        yield from _policy(f"group {group.dn}", group.policy)
    for above in person.ancestors:
        yield f"container {above.dn}", "above the user"
        yield from _named(f"container {above.dn}", above.container)
        yield from _policy(f"container {above.dn}", above.policy)


def _policy(holder: str, link: PolicyLink | None) -> Iterator[tuple[str, str]]:
    if link is None:
        return
    yield f"policy of {holder}", link.dn or f"missing object {link.id.hex()}"
    if link.policy:
        yield from _named(f"policy {link.dn}", link.policy)


def _named(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    """Each field of a structure, or the value itself."""
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            shown = _shown(name, getattr(value, name))
            yield f"{prefix} {name}", shown
    elif is_dataclass(value):
        for field in fields(value):
            yield f"{prefix} {field.name}", _shown(field.name, getattr(value, field.name))
    else:
        yield prefix, _shown("", value)


def _shown(name: str, value: Any) -> str:
    match value:
        case None | () | frozenset():
            return _NONE if not value else ", ".join(sorted(map(str, value)))
        case AttributeText(attribute=attribute, value=text):
            return f"{attribute} {masked(text)}"
        case ReplyRule(name=attribute, value=text):
            return f"{attribute}={text}"
        case Malformed():
            return f"malformed {value.attribute}"
        case tuple():
            return ", ".join(_shown(name, item) for item in value)
        case bytes():
            return value.hex()
        case str():
            return _text(name, value)
        case Mapping():
            return ", ".join(f"{key}={item}" for key, item in value.items())
        case _ if is_dataclass(value):
            # not its own text: a set in it has no order, and two that are equal may be written otherwise
            parts = ((each.name, _shown(each.name, getattr(value, each.name))) for each in fields(value))
            return ", ".join(f"{part} {shown}" for part, shown in parts)
        case _:
            return str(value)


def _text(name: str, value: str) -> str:
    if name in _NUMBERS:
        return masked(value)
    return shown(value) if name == "vip_credentials" else str(value)
