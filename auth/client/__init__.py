"""A client of the HTTP door for applications; it needs httpx and msgspec and nothing of the server."""

from auth.client.clients import AsyncClient, Client
from auth.client.outcome import (
    Accepted,
    Challenged,
    LogonError,
    Outcome,
    Refused,
    RequestRefused,
    ServiceUnavailable,
)

__all__ = [
    "Accepted",
    "AsyncClient",
    "Challenged",
    "Client",
    "LogonError",
    "Outcome",
    "Refused",
    "RequestRefused",
    "ServiceUnavailable",
]
