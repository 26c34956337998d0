"""Whether text is a security descriptor in SDDL (MS-DTYP 2.5.1.1)."""

import re

_SID = r"(?:[A-Z]{2}|S-1(?:-(?:[0-9]+|0x[0-9A-Fa-f]+)){1,15})"
_RIGHT = "(?:GA|GR|GW|GX|RC|SD|WD|WO|RP|WP|CC|DC|LC|SW|LO|DT|CR|FA|FX|FW|FR|KA|KR|KX|KW|NR|NW|NX)"
_RIGHTS = f"(?:{_RIGHT}*|0x[0-9A-Fa-f]+|[0-9]+)"
_GUID = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_ENTRY = rf"\((?:A|D|OA|OD|AU|OU|AL|OL);(?:CI|OI|NP|IO|ID|SA|FA)*;{_RIGHTS};(?:{_GUID})?;(?:{_GUID})?;{_SID}\)"
_FLAGS = "(?:P|AR|AI|NO_ACCESS_CONTROL)*"
_DESCRIPTOR = re.compile(rf"(?:O:{_SID})?(?:G:{_SID})?(?:D:{_FLAGS}(?:{_ENTRY})*)?(?:S:{_FLAGS}(?:{_ENTRY})*)?")


def is_sddl(text: str) -> bool:
    """Whether a domain controller can read it as a descriptor that says something."""
    return bool(text) and bool(_DESCRIPTOR.fullmatch(text))
