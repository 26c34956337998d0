"""Which of several sections of config.ini a command is about."""

from collections.abc import Mapping
from typing import TypeVar

from auth.cli.faults import UsageFault
from schema.errors import Fault

_Section = TypeVar("_Section")


def sections_named(sections: Mapping[str, _Section], kind: str, name: str, example: str) -> dict[str, _Section]:
    """The section with this name; all of them when none is named.

    Args:
        sections: those of the kind, by their names.
        kind: what stands before the colon, such as `sms`.
        name: the one that is wanted; empty for all.
        example: where an administrator sees one.

    Raises:
        Fault: there is no such section at all.
        UsageFault: there is none of this name.
    """
    if not sections:
        raise Fault(
            f"config.ini has no [{kind}:NAME] section", remedy=f"add a [{kind}:NAME] section, as {example} shows"
        )
    if not name:
        return dict(sections)
    if name not in sections:
        raise UsageFault(f"there is no [{kind}:{name}]", remedy=f"known are: {', '.join(sections)}")
    return {name: sections[name]}
