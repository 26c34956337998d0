"""Sets of network addresses, as config.ini names them. Pure."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

from schema.errors import Fault

_REMEMBERED = 4096


class Networks:
    """Some networks.

    Args:
        texts: each with its prefix, such as 10.0.0.0/8, or one address.

    Raises:
        Fault: one of them is none.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        try:
            self._networks = tuple(ipaddress.ip_network(text) for text in texts)
        except ValueError as error:
            raise Fault(
                f"networks: {error}", remedy="write networks with their prefixes, such as 10.0.0.0/8, 2001:db8::/32"
            ) from error
        self._find = lru_cache(_REMEMBERED)(self._looked_up)

    def have(self, address: str) -> bool:
        """Whether an address, IPv4 in its own form, is in any of them."""
        return self._find(address)

    def _looked_up(self, address: str) -> bool:
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(ip in network for network in self._networks)
