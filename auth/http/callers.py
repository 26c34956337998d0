"""Who calls: an access node by API key or client certificate, an administrator by a key of their own."""

import hashlib
import hmac
from collections.abc import Mapping
from http import HTTPStatus

from auth.http.call import Call
from auth.http.problem import Problem
from auth.nodes import KnownNode, Nodes
from auth.rights import RIGHTS, Right, Role
from auth.settings import AdminSettings
from schema.secret import Secret
from schema.words import NodeType

_NODE_WANTED = "send `Authorization: Bearer KEY` with the API key of an access node, or show its client certificate"
_ADMIN_WANTED = "send `Authorization: Bearer KEY` with the API key of an [admin:NAME] section"


class Callers:
    """Everybody who may ask.

    Args:
        nodes: the access nodes.
        administrators: the [admin:NAME] sections.
    """

    def __init__(self, nodes: Nodes, administrators: Mapping[str, AdminSettings]) -> None:
        self._nodes = nodes
        self._rights = {
            admin.api_key_hash.lower(): frozenset[Right]().union(*(RIGHTS[Role(role)] for role in admin.roles))
            for admin in administrators.values()
        }

    def node(self, call: Call) -> KnownNode:
        """The access node that calls.

        Raises:
            Problem: there is none, or key and certificate are of different ones, or the certificate is not for HTTP.
        """
        key = _key(call)
        by_key = None if key is None else self._nodes.by_api_key(key)
        names = call.certificate_names
        by_certificate = self._nodes.by_certificate(names) if names else None
        if key is not None and by_key is None:
            raise Problem(HTTPStatus.UNAUTHORIZED, _NODE_WANTED)
        known = by_key or by_certificate
        if known is None:
            raise Problem(HTTPStatus.UNAUTHORIZED, _NODE_WANTED)
        if names and by_key is not None and (by_certificate is None or by_certificate.node.name != by_key.node.name):
            raise Problem(HTTPStatus.FORBIDDEN, "API key and client certificate are not of the same access node")
        if by_key is None and known.node.node_type is not NodeType.HTTP:
            # the certificate may be one for RadSec; a key has no other use than this
            raise Problem(HTTPStatus.FORBIDDEN, "this certificate is not for HTTP: set dirfactorNodeType to http")
        return known

    def demand(self, call: Call, right: Right) -> None:
        """That an administrator calls who may.

        Raises:
            Problem: it is nobody, or somebody who may not.
        """
        key = _key(call)
        rights = None if key is None else self._administrator(key)
        if rights is None:
            raise Problem(HTTPStatus.UNAUTHORIZED, _ADMIN_WANTED)
        if right not in rights:
            raise Problem(HTTPStatus.FORBIDDEN, f"the roles of this key do not include the right: {right}")

    def demand_for_metrics(self, call: Call) -> None:
        """That somebody on this host calls, an access node, or an administrator who may.

        Raises:
            Problem: it is somebody else.
        """
        if call.from_this_host and _key(call) is None:
            return
        key = _key(call)
        if key is not None and self._administrator(key) is not None:
            self.demand(call, Right.METRICS)
        else:
            self.node(call)

    def _administrator(self, key: Secret) -> frozenset[Right] | None:
        """The rights of the key; only its SHA-256 is known to us."""
        shown = hashlib.sha256(key.octets).hexdigest()
        found = [rights for known, rights in self._rights.items() if hmac.compare_digest(known, shown)]
        return found[0] if found else None


def _key(call: Call) -> Secret | None:
    scheme, _, key = call.header(b"authorization").partition(" ")
    if not scheme:
        return None
    return Secret(key.strip() if scheme.lower() == "bearer" else "")
