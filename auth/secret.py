"""A value that must not be seen."""

from schema.secret import Secret

__all__ = ["Secret"]
