"""What those who call the HTTP door may use up. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Far below the 1024 files that a process usually may have open.

    Attributes:
        answered: with so many connections open, each further request is answered with status 503.
        connections: with so many open, TLS handshakes included, each further one is closed unread.
        arrival_seconds: how long a TLS handshake may take, and then a whole request, counted from the opening of
            the connection or the answer before.
        head_octets: how large a request's line, headers and trailers may be together.
        headers: how many headers it may have.
        body_octets: what is kept of a body; a larger one is for no route.
        most_octets: after so many octets behind a head, what frames the chunks of a body included, the connection is
            closed.
    """

    answered: int = 384
    connections: int = 512
    arrival_seconds: float = 10.0
    head_octets: int = 16 * 1024
    headers: int = 100
    body_octets: int = 64 * 1024
    most_octets: int = 1024 * 1024
