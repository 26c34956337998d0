"""The names of the documents' example, example.org, and what they are called in the rig: the one substitution there is.

Every block is used word for word but for these names. `...` stands for a secret of the reader's own.
"""

from collections.abc import Mapping

from rig.ds389 import DirectoryServer389
from rig.samba import DomainController
from rig.slapd import Slapd


def of_domain(dc: DomainController) -> dict[str, str]:
    return {
        "ldaps://dc1.example.org": dc.ldaps,
        "ldaps://dc2.example.org": dc.ldaps,
        "dc1.example.org:636": f"{dc.address}:636",
        "admin@example.org": dc.admin,
        "DC=example,DC=org": dc.base_dn,
        "EXAMPLE\\": f"{dc.netbios}\\",
        "@example.org": f"@{dc.domain}",
    }


def of_tree(server: Slapd | DirectoryServer389) -> dict[str, str]:
    return {
        "ldapi:///": server.ldapi,
        "ldaps://ldap1.example.org": server.ldaps,
        "ldaps://ldap2.example.org": server.ldaps,
        "ldaps://ds1.example.org": server.ldaps,
        "dc=example,dc=org": server.base_dn,
        "userPassword: {SSHA}...": f"userPassword: {server.admin_password}",
        "userPassword: ...": f"userPassword: {server.admin_password}",
    }


def substituted(text: str, names: Mapping[str, str]) -> str:
    """The text with the rig's names; longer names first, so that none is taken apart."""
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name, names[name])
    return text
