"""Finds the domain controllers of a domain in DNS, those of a site first (MS-ADTS section 6.3.2.3)."""

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

import dns.exception
import dns.nameserver
import dns.rdtypes.IN.SRV
import dns.resolver

from dirsync.errors import DirectoryAway
from dirsync.settings import DirectorySettings, SignIn
from dirsync.wire.srv import Record, ordered
from dirsync.wire.surroundings import Surroundings
from schema import dn
from schema.errors import Fault

_FRESH_SECONDS: Final = 300.0
_DOUBTED_SECONDS: Final = 5.0  # at most so often DNS is asked because a server failed
_DNS_PORT: Final = 53


def domain_of(settings: DirectorySettings) -> str:
    """The DNS name of the domain: as set, or made of the DC= parts of base; empty when there are none."""
    if settings.domain:
        return settings.domain.strip(".")
    labels: list[str] = []
    rest = settings.base
    try:
        while rest:
            rdn, rest = dn.split(rest)
            kind, _, value = dn.fold(rdn).partition("=")
            labels += [value] if kind == "dc" else []
    except ValueError:
        return ""
    return ".".join(labels)


class Discovery:
    """The domain controllers that DNS names; asked again every five minutes, and when one of them has failed.

    Args:
        settings: of the directory.
        surroundings: time and chance.

    Raises:
        Fault: a DNS server in the settings is no address.
    """

    def __init__(self, settings: DirectorySettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._surroundings = surroundings
        self._resolver = _resolver(settings)
        self._servers: tuple[str, ...] = ()
        self._asked = 0.0
        self._stale_after = 0.0

    def servers(self) -> tuple[str, ...]:
        """The URLs of the domain controllers in the order in which to try them.

        When DNS does not answer, what it said before holds.

        Raises:
            DirectoryAway: DNS does not answer, or names none, and never has.
        """
        now = self._surroundings.monotonic()
        if not self._servers or now >= self._stale_after:
            try:
                records = self._find()
            except DirectoryAway:
                if not self._servers:
                    raise
            else:
                self._servers = tuple(dict.fromkeys(_url(record, self._settings) for record in records))
            self._asked, self._stale_after = now, now + _FRESH_SECONDS
        return self._servers

    def doubt(self) -> None:
        """A server has failed: DNS may know better by now."""
        self._stale_after = min(self._stale_after, self._asked + _DOUBTED_SECONDS)

    def _find(self) -> tuple[Record, ...]:
        domain, site = domain_of(self._settings), self._settings.site
        names = [f"_ldap._tcp.{site}._sites.dc._msdcs.{domain}"] if site else []
        names.append(f"_ldap._tcp.dc._msdcs.{domain}")
        found: tuple[Record, ...] = ()
        for name in names:
            found += ordered(self._ask(name, needed=name == names[-1] and not found), self._surroundings.below)
        return found

    def _ask(self, name: str, *, needed: bool) -> list[Record]:
        try:
            answer = self._resolver.resolve(
                f"{name}.", "SRV", lifetime=self._settings.timeout_seconds, raise_on_no_answer=True
            )
        except dns.exception.DNSException as error:
            if not needed:
                return []
            raise DirectoryAway(
                f"DNS names no domain controller as {name}: {error}",
                remedy="check domain (or base) and dns_servers in [directory], or name the servers in url",
            ) from error
        return [
            Record(item.priority, item.weight, item.port, item.target.to_text(omit_final_dot=True))
            for item in answer
            if isinstance(item, dns.rdtypes.IN.SRV.SRV)
        ]


def _url(record: Record, settings: DirectorySettings) -> str:
    """DNS names the port of ldap://. That is good for Kerberos and StartTLS; ldaps:// has a port of its own."""
    if settings.start_tls or settings.sign_in is SignIn.GSSAPI:
        return f"ldap://{record.host}:{record.port}"
    return f"ldaps://{record.host}"


def _resolver(settings: DirectorySettings) -> dns.resolver.Resolver:
    if not settings.dns_servers:
        try:
            return dns.resolver.Resolver()
        except dns.resolver.NoResolverConfiguration as error:
            raise Fault(
                f"this machine has no resolver: {error}",
                remedy="set dns_servers in [directory], or name the servers of the directory in url",
            ) from error
    resolver = dns.resolver.Resolver(configure=False)
    try:
        servers = [urlsplit(f"//{text}") for text in settings.dns_servers]
        resolver.nameservers = [
            dns.nameserver.Do53Nameserver(str(ip_address(server.hostname or "")), server.port or _DNS_PORT)
            for server in servers
        ]
    except ValueError as error:
        raise Fault(
            f"dns_servers in [directory]: {error}", remedy="give addresses, such as 192.0.2.53 or 192.0.2.53:5353"
        ) from error
    return resolver
