"""What can go wrong between us and the VIP service, apart from what it says about a code."""

from schema.errors import Fault


class VipUnavailable(Fault):
    """The service could not be asked, or gave no answer that we may use. Says nothing about the person."""


class VipTlsFailed(VipUnavailable):
    """No TLS connection: the service's certificate did not satisfy us, or ours did not satisfy it."""


class VipAnswerRefused(VipUnavailable):
    """The service answered, but not our question: another message, another RequestId, or no message."""
