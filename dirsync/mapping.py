"""No-schema mode: attributes that a directory has already stand in for ours, and policies are named, not linked."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from dirsync.authorship import Authorship
from dirsync.change import Batch, Change, LinkChange, LinkKind, Put, Source
from dirsync.replica.references import nobody
from schema.attributes import BY_NAME, SUBJECT, USER
from schema.entry import EntryId
from schema.parse import Attributes, fold

_POLICY: Final = "dirfactorpolicy"
# What may be mapped: nothing that holds a secret, for an attribute that was made for something else is read by all.
MAPPABLE: Final = tuple(item.name for item in (*USER, *SUBJECT) if not item.confidential)


def policy_id(name: str) -> EntryId:
    """The id by which links lead to the policy of a [policy:NAME] section."""
    return nobody(_policy_text(name))


class Mapped:
    """A source whose entries are told with our attributes in place of those that stand in for them.

    A value of an attribute that has many of them in our schema may hold several, with commas between them. The value
    of what stands in for dirfactorPolicy is the name of a [policy:NAME] section.

    Args:
        source: tells the directory's own attributes, those that stand in among them.
        mapping: the name of ours -> the name of what stands in for it.
    """

    def __init__(self, source: Source, mapping: Mapping[str, str]) -> None:
        self._source = source
        self._mapping = {ours.lower(): theirs.lower() for ours, theirs in mapping.items()}

    @property
    def identity(self) -> str:
        """The source's, and the mapping: another one makes other entries."""
        pairs = " ".join(f"{ours}={theirs}" for ours, theirs in sorted(self._mapping.items()))
        return f"{self._source.identity} mapped {pairs}"

    @property
    def method(self) -> str:
        """How changes come."""
        return self._source.method

    def changes(self, cookie: bytes | None, now: datetime) -> Batch:
        """What the source says has changed, in our words. Raises what the source raises."""
        batch = self._source.changes(cookie, now)
        return replace(batch, changes=self._translated(batch.changes))

    def wait(self, seconds: float) -> bool:
        """As the source waits."""
        return self._source.wait(seconds)

    def changed_when(self, entry: EntryId, attribute: str) -> Authorship | None:
        """As the source, of the attribute that stands in for ours."""
        return self._source.changed_when(entry, self._mapping.get(attribute.lower(), attribute))

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def _translated(self, changes: Iterable[Change]) -> Iterator[Change]:
        return (translated(change, self._mapping) if isinstance(change, Put) else change for change in changes)


def translated(put: Put, mapping: Mapping[str, str]) -> Put:
    """A change in our words.

    Args:
        put: in the directory's.
        mapping: names in lower case, ours -> what stands in for it.
    """
    attributes = in_our_words(put.attributes, mapping)
    if _POLICY not in mapping:
        return replace(put, attributes=attributes)
    links: dict[LinkKind, LinkChange] = {kind: put.links[kind] for kind in put.links if kind is not LinkKind.POLICY}
    names = attributes.pop(_POLICY, None)
    if names is None:
        return replace(put, attributes=attributes, links=links)
    texts = tuple(_policy_text(name.decode(errors="replace")) for name in names)
    # by id for sources that know ids, as a text that is no DN for those that know names: both mean the same target
    link = LinkChange(added=tuple(map(nobody, texts)), dns=texts)
    return replace(put, attributes=attributes, links={**links, LinkKind.POLICY: link})


def in_our_words(attributes: Attributes, mapping: Mapping[str, str]) -> dict[str, tuple[bytes, ...]]:
    """Attributes of an entry, with ours made of what stands in for them; what stands in stays as well.

    Args:
        attributes: names in lower case -> values; no values: the attribute is gone.
        mapping: name of ours in lower case -> what stands in for it, in any case.
    """
    found = {name: values for name, values in attributes.items() if name not in mapping}
    for ours, theirs in mapping.items():
        values = attributes.get(theirs.lower())
        if values is not None:
            found[ours] = _values(ours, values)
    return found


def _values(ours: str, values: tuple[bytes, ...]) -> tuple[bytes, ...]:
    if BY_NAME[ours].single:
        return values
    return tuple(part.strip() for value in values for part in value.split(b",") if part.strip())


def _policy_text(name: str) -> str:
    """What no DN is and no entry is called."""
    return f"[policy:{fold(name)}]"
