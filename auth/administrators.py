"""What is wrong with [admin:NAME] sections, and what their roles may do. Pure."""

import re
from collections.abc import Iterator, Mapping

from auth.config_values import did_you_mean
from auth.rights import Role
from auth.settings import AdminSettings, ConfiguredNode

_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")
_OWN_KEY = "draw a key of its own: dirfactor api-key"
_Finding = tuple[str, str, str]


def findings(
    administrators: Mapping[str, AdminSettings], nodes: Mapping[str, ConfiguredNode]
) -> Iterator[tuple[str, _Finding]]:
    """What is wrong, by the section's name: the key it stands at, the problem, the remedy."""
    holders = {
        configured.node.api_key_hash.lower(): f"[node:{name}]"
        for name, configured in nodes.items()
        if configured.node.api_key_hash
    }
    for name, admin in administrators.items():
        if not _SHA256.fullmatch(admin.api_key_hash):
            remedy = "give the SHA-256 of the key as 64 hexadecimal digits: dirfactor api-key"
            yield name, ("api_key_hash", "is no SHA-256; the key itself does not stand here", remedy)
        other = holders.setdefault(admin.api_key_hash.lower(), f"[admin:{name}]")
        if other != f"[admin:{name}]":
            yield name, ("api_key_hash", f"is that of {other} as well", _OWN_KEY)
        known = [role.value for role in Role]
        for role in admin.roles:
            if role not in known:
                yield name, ("roles", f"there is no role {role}", did_you_mean(role, known))
        if not admin.roles:
            yield name, ("roles", "has no value", f"give one or several of {', '.join(known)}")
