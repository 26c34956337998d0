"""What python-ldap knows a connection by, with every option that makes it one that can be trusted and ends in time."""

from typing import Any, Final
from urllib.parse import urlsplit

import ldap

from dirsync.errors import DirectoryUnavailable
from dirsync.settings import DirectorySettings, SignIn
from dirsync.wire.dialling import IDLE_SECONDS, PROBE_SECONDS, PROBES, dial

_KEEPALIVE: Final = {
    ldap.OPT_X_KEEPALIVE_IDLE: IDLE_SECONDS,
    ldap.OPT_X_KEEPALIVE_PROBES: PROBES,
    ldap.OPT_X_KEEPALIVE_INTERVAL: PROBE_SECONDS,
}
# libldap before 2.5.14 and 2.6.4 heeds the timeout of a TLS handshake in this mode only, and otherwise spins for ever
# on a server that accepts and then says nothing; later ones heed it always, and mean something else by it (ITS#8047).
# What these old ones do not survive is a server on this very host that falls silent within a record of the handshake.
_SPINNING: Final = (range(20514), range(20600, 20604))
_LIBLDAP: Final[int] = ldap.get_option(ldap.OPT_API_INFO)["vendor_version"]
_CONNECT_ASYNC: Final = int(any(_LIBLDAP in versions for versions in _SPINNING))
# A security strength factor of 56 or more encrypts; 1 would only sign (RFC 4422 appendix A, MS-ADTS section 5.1.1.1.2).
SEALED: Final = 56


def is_encrypted(url: str, settings: DirectorySettings) -> bool:
    """Whether TLS protects a connection to this URL."""
    return urlsplit(url).scheme == "ldaps" or asks_for_tls(url, settings)


def asks_for_tls(url: str, settings: DirectorySettings) -> bool:
    """Whether a connection to this URL begins in clear text, with StartTLS (RFC 4511 section 4.14)."""
    return urlsplit(url).scheme == "ldap" and settings.start_tls


def handle(url: str, settings: DirectorySettings) -> Any:
    """What python-ldap knows a connection by; nothing is sent yet.

    Raises:
        DirectoryUnavailable: the certificates in the settings cannot be read, or nobody is there to be asked for
            StartTLS.
    """
    made = _made(url, settings)
    options = {
        ldap.OPT_REFERRALS: 0,
        ldap.OPT_NETWORK_TIMEOUT: settings.timeout_seconds,
        ldap.OPT_TIMEOUT: settings.timeout_seconds,
        ldap.OPT_CONNECT_ASYNC: _CONNECT_ASYNC,
        **_KEEPALIVE,
        ldap.OPT_X_TLS_REQUIRE_CERT: ldap.OPT_X_TLS_DEMAND,
        ldap.OPT_X_TLS_PROTOCOL_MIN: ldap.OPT_X_TLS_PROTOCOL_TLS1_2,
        **_sasl(url, settings),
    }
    if settings.ca_file:
        options[ldap.OPT_X_TLS_CACERTFILE] = str(settings.ca_file)
        options[ldap.OPT_X_TLS_CACERTDIR] = ""  # nobody else may vouch, whatever ldap.conf says
    if settings.client_certificate and settings.client_key:
        options[ldap.OPT_X_TLS_CERTFILE] = str(settings.client_certificate)
        options[ldap.OPT_X_TLS_KEYFILE] = str(settings.client_key)
    for option, value in options.items():
        made.set_option(option, value)
    # the options above take effect with a new context, so this one is the last
    try:
        made.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
    except (ldap.LDAPError, ValueError) as error:
        own = f", or {settings.client_certificate} with {settings.client_key} is no pair" if _has_own(settings) else ""
        raise DirectoryUnavailable(
            f"{settings.ca_file or 'the system'} gives no certificate authorities{own}",
            remedy="let ca_file in [directory] name a PEM file of certificates that the service may read"
            + (", and client_certificate and client_key PEM files of a certificate and its key" if own else ""),
        ) from error
    return made


def _made(url: str, settings: DirectorySettings) -> Any:
    """With StartTLS, over a socket of our own: libldap lets nobody bound its reads before it has sent something.

    In clear text anybody may answer, and the answer to StartTLS (RFC 4511 section 4.14.2) may end in the middle.
    """
    if not asks_for_tls(url, settings):
        return ldap.initialize(url)
    return ldap.initialize(url, fileno=dial(url, settings.timeout_seconds))


def _has_own(settings: DirectorySettings) -> bool:
    return settings.client_certificate is not None


def _sasl(url: str, settings: DirectorySettings) -> dict[int, Any]:
    """Kerberos encrypts where TLS does not, and must not where it does: AD refuses both at once."""
    if settings.sign_in is not SignIn.GSSAPI:
        return {}
    low, high = (0, 0) if is_encrypted(url, settings) else (SEALED, 256)
    # the name in the ticket is the name in the URL, whatever DNS makes of it
    return {ldap.OPT_X_SASL_NOCANON: 1, ldap.OPT_X_SASL_SSF_MIN: low, ldap.OPT_X_SASL_SSF_MAX: high}
