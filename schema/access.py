"""What an access control entry of Active Directory can grant, and to what: the words that roles are made of."""

import uuid
from dataclasses import dataclass
from enum import Enum, IntFlag


class Right(IntFlag):
    """The rights to an object of the directory (MS-ADTS section 5.1.3.2), in the order in which SDDL writes them."""

    CREATE_CHILD = 0x1
    DELETE_CHILD = 0x2
    LIST_CONTENTS = 0x4
    READ_PROPERTY = 0x10
    WRITE_PROPERTY = 0x20
    CONTROL_ACCESS = 0x100
    DELETE = 0x10000


class Reach(Enum):
    """Which entries a grant is for."""

    HERE = "the entry alone"
    HERE_AND_BELOW = "the entry and everything below it"
    BELOW = "everything below the entry, of one class"


@dataclass(frozen=True, slots=True)
class ObjectType:
    """An attribute, a property set or a class, as an access control entry names it.

    Attributes:
        name: the name by which people and dsacls know it: lDAPDisplayName, or displayName of a property set.
        guid: its schemaIDGUID or rightsGuid.
    """

    name: str
    guid: uuid.UUID


@dataclass(frozen=True, slots=True)
class Grant:
    """Rights that are given to somebody: an access control entry without the name of an account.

    Attributes:
        rights: which rights.
        target: the attribute or property set that may be read or written, or the class of which entries may be made
            and deleted; None for all of them.
        heirs: the class of the entries below that it is for; exactly where the reach is BELOW.
        reach: which entries it is for.
    """

    rights: Right
    target: ObjectType | None = None
    heirs: ObjectType | None = None
    reach: Reach = Reach.HERE_AND_BELOW

    def __str__(self) -> str:
        rights = ", ".join(str(right.name).lower().replace("_", " ") for right in Right if right in self.rights)
        about = f" of {self.target.name}" if self.target else ""
        heirs = f" ({self.heirs.name})" if self.heirs else ""
        return f"{rights}{about}: {self.reach.value}{heirs}"
