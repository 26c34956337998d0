"""What is recorded of an outcome: its reason, its correlation id and all that explains it, without any secret."""

from datetime import datetime

import msgspec

from schema.errors import Fault


class AuditUnavailable(Fault):
    """The line could not be written; nobody is let in unrecorded."""


class AuditLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is recorded of one outcome.

    Attributes:
        at: the instant of the outcome (UTC).
        correlation: ties packet, decision, message and this line together.
        login: correlation of the request that began the login, when this is a later step.
        outcome: accepted, challenged or refused.
        reason: the reason code.
        door: radius or http.
        node: the access node.
        address: the client's network address.
        name: the login name as typed, cut to 253 characters.
        user: DN of the user, once found.
        user_id: its objectGUID or entryUUID.
        policy: the effective policy.
        method: the token that was asked for or checked, or password.
        destination: where a code was sent, masked.
        gateway: which gateway took it.
        message_id: under which id.
        journal: why what was decided from is not kept; empty when it is.
        detail: what a service said, or what went wrong, without secrets.
        directory_version: version of the replica that the decision was made from.
        directory_age: its age in seconds.
        milliseconds: how long the request took up to its outcome.
    """

    at: datetime
    correlation: str
    outcome: str
    reason: str
    door: str
    node: str
    address: str
    login: str = ""
    name: str = ""
    user: str = ""
    user_id: str = ""
    policy: str = ""
    method: str = ""
    destination: str = ""
    gateway: str = ""
    message_id: str = ""
    detail: str = ""
    journal: str = ""
    directory_version: int = 0
    directory_age: float = 0.0
    milliseconds: float = 0.0
