"""A setting of several lines, as opposed to a list on one line."""

from typing import NewType

Lines = NewType("Lines", tuple[str, ...])
