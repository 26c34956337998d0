"""What can go wrong between us and the VIP service, apart from what it says about a code."""

from schema.errors import Fault


class VipUnavailable(Fault):
    """The service could not be asked, or gave no answer that we may use. Says nothing about the person."""


class VipTlsFailed(VipUnavailable):
    """No TLS connection: the service's certificate did not satisfy us, or ours did not satisfy the service."""


class VipAnswerRefused(VipUnavailable):
    """The service answered, but not our question: wrong message, wrong RequestId, or no such message at all."""
