"""The access nodes of a directory, found by name."""

from dirsync.admin.directory import AdminDirectory
from dirsync.admin.filters import all_of, equal
from dirsync.admin.found import Found
from dirsync.errors import DirectoryRefused
from schema.entry import AccessNode

_CLASS = "dirfactorAccessNode"


def named_node(directory: AdminDirectory, name: str) -> Found:
    """The access node with this name or DN.

    Raises:
        DirectoryRefused: there is none, or there are several.
        DirectoryUnavailable: the server did not answer.
    """
    by_dn = directory.named(name)
    if by_dn and isinstance(directory.parsed(by_dn), AccessNode):
        return by_dn
    found = list(directory.search(all_of([equal("objectClass", _CLASS), equal("cn", name)])))
    if len(found) == 1:
        return found[0]
    if found:
        raise DirectoryRefused(
            f"several access nodes are called {name}", remedy="give the DN: " + "; ".join(item.dn for item in found)
        )
    raise DirectoryRefused(
        f"there is no access node {name} in the directory",
        remedy="check the name, or give the DN",
    )
