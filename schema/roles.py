"""Who may do what: the roles that an administrator delegates in Active Directory, each as the rights it takes.

Reading the property set gives what is not secret: a confidential attribute takes the right to control access as well
(MS-ADTS section 3.1.1.4.4). To write one takes neither, so a seed can be written by somebody who can never read one.
"""

from dataclasses import dataclass
from enum import StrEnum

from schema.access import Grant, ObjectType, Reach, Right
from schema.active_directory import PROPERTY_SET_TITLE
from schema.attributes import ATTRIBUTES, BY_NAME, CLASSES, PROPERTY_SET_GUID


class RoleName(StrEnum):
    """How commands call a role."""

    SYNC = "sync"
    HELPDESK = "helpdesk"
    PROVISIONING = "provisioning"
    POLICY = "policy"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Role:
    """A task that is delegated as one.

    Attributes:
        name: its name.
        purpose: one line for the administrator: what whoever has it can do, and what not.
        grants: the rights at the base that it is delegated for.
        deleted_objects: the rights to the container of the domain's deleted entries.
    """

    name: RoleName
    purpose: str
    grants: tuple[Grant, ...]
    deleted_objects: tuple[Grant, ...] = ()


_SETTINGS = ObjectType(PROPERTY_SET_TITLE, PROPERTY_SET_GUID)
_READ_AND_LIST = Right.READ_PROPERTY | Right.LIST_CONTENTS
_READ_SETTINGS = Grant(Right.READ_PROPERTY, _SETTINGS)


def _attributes(rights: Right, *names: str) -> tuple[Grant, ...]:
    found = (BY_NAME[name.lower()] for name in names)
    return tuple(Grant(rights, ObjectType(item.name, item.guid)) for item in found)


def _entries_of(name: str) -> tuple[Grant, ...]:
    item = next(item for item in CLASSES if item.name == name)
    kind = ObjectType(item.name, item.guid)
    return (
        Grant(Right.CREATE_CHILD | Right.DELETE_CHILD, kind),
        Grant(_READ_AND_LIST | Right.WRITE_PROPERTY | Right.DELETE, heirs=kind, reach=Reach.BELOW),
    )


ROLES = (
    Role(
        RoleName.SYNC,
        "the service account: reads the directory, secrets and deletions included, and writes nothing",
        (
            Grant(_READ_AND_LIST),
            *_attributes(
                Right.READ_PROPERTY | Right.CONTROL_ACCESS, *(item.name for item in ATTRIBUTES if item.confidential)
            ),
        ),
        deleted_objects=(Grant(_READ_AND_LIST, reach=Reach.HERE),),
    ),
    Role(
        RoleName.HELPDESK,
        "unlocks and sets temporary responses; reads settings, and no seed, PIN or other secret",
        (
            _READ_SETTINGS,
            *_attributes(Right.WRITE_PROPERTY, "dirfactorUnlockedAt", "dirfactorTemporaryResponse"),
        ),
    ),
    Role(
        RoleName.PROVISIONING,
        "assigns and removes tokens, VIP credentials, numbers and addresses, PINs and seeds; reads no secret",
        (
            _READ_SETTINGS,
            *_attributes(
                Right.WRITE_PROPERTY,
                "dirfactorToken",
                "dirfactorVipCredential",
                "dirfactorPhone",
                "dirfactorMail",
                "dirfactorPin",
                "dirfactorPinSetAt",
                "dirfactorSecret",
            ),
        ),
    ),
    Role(
        RoleName.POLICY,
        "makes, changes and deletes policies and access nodes, and assigns policies; touches nobody's tokens",
        (
            _READ_SETTINGS,
            *_entries_of("dirfactorSecurityPolicy"),
            *_entries_of("dirfactorAccessNode"),
            *_attributes(Right.WRITE_PROPERTY, "dirfactorPolicy", "dirfactorReplyAttribute"),
        ),
    ),
    Role(RoleName.AUDITOR, "reads all settings but no secret, and writes nothing", (_READ_SETTINGS,)),
)
