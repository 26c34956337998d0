"""How the account that reads the directory is let in, and what keeps it out."""

from typing import Final

from dirsync.errors import DirectoryAway, DirectoryRefused, DirectoryUnavailable
from dirsync.settings import DirectorySettings, SignIn
from dirsync.wire import kerberos
from dirsync.wire.complaints import CredentialsRefused
from dirsync.wire.connection import Connection
from dirsync.wire.handle import SEALED, is_encrypted
from schema.errors import Fault

# What the Kerberos library's words mean (MIT krb5's and cyrus-sasl's messages). A KDC that was not reached has been
# shown nothing that could lock the account.
_KERBEROS: Final[tuple[tuple[str, type[Fault], str], ...]] = (
    ("cannot contact any kdc", DirectoryAway, "check that the realm's KDC runs, and krb5.conf or DNS names it"),
    ("cannot find kdc", DirectoryAway, "let krb5.conf or DNS name the KDC of the keytab's realm"),
    ("clock skew", DirectoryUnavailable, "set this machine's clock by the domain's"),
    (
        "server not found in kerberos database",
        DirectoryRefused,
        "write in url of [directory] the server's full DNS name: its principal is ldap/NAME",
    ),
    ("not found in kerberos database", DirectoryRefused, "make a keytab for an account that the domain has"),
    ("preauthentication failed", DirectoryRefused, "export the keytab again: the account's password has changed since"),
    ("revoked", DirectoryRefused, "enable or unlock the account"),
    ("no worthy mechs", DirectoryRefused, "install the package libsasl2-modules-gssapi-mit"),
    ("no mechanism available", DirectoryRefused, "install the package libsasl2-modules-gssapi-mit"),
    ("no kerberos credentials", DirectoryRefused, "check that keytab in [directory] has the account's present keys"),
    ("sign or seal", DirectoryRefused, "leave TLS out: use ldap:// without start_tls, which Kerberos encrypts"),
    (
        "data 35b",
        DirectoryRefused,
        "the server demands channel binding: use ldap:// without start_tls, which Kerberos encrypts",
    ),
)
_REMEDIES: Final = {
    SignIn.SIMPLE: "set bind_dn and bind_password in [directory] to an account that may log on",
    SignIn.GSSAPI: "check that keytab in [directory] has the present keys of an account that may log on",
    SignIn.EXTERNAL: "let the server map client_certificate of [directory], or the process's user, to an account",
}


def prepare(settings: DirectorySettings) -> None:
    """Make ready what signing in takes; to be called at the start, so that faults come up then.

    Raises:
        Fault: something that it takes is missing, or the keytab cannot be used.
    """
    if settings.sign_in is SignIn.SIMPLE and not (settings.bind_dn.strip() and settings.bind_password):
        raise Fault(
            "a directory tells nothing to strangers",
            remedy="set bind_dn and bind_password in [directory] to an account that may read the directory",
        )
    if settings.sign_in is SignIn.GSSAPI:
        if settings.keytab is None:
            raise Fault("no keytab is named", remedy="set keytab in [directory]")
        kerberos.use(settings.keytab, settings.principal)


def sign_in(connection: Connection, settings: DirectorySettings) -> None:
    """Give a connection the rights of the service account.

    Args:
        connection: over which nobody has bound yet.
        settings: with which it was opened.

    Raises:
        DirectoryUnavailable: the server, or Kerberos, does not answer; DirectoryAway when no KDC was reached.
        DirectoryRefused: the account is refused, or the connection would not be encrypted.
        Fault: as `prepare`.
    """
    prepare(settings)
    try:
        match settings.sign_in:
            case SignIn.SIMPLE:
                password = settings.bind_password.text if settings.bind_password else ""
                connection.bind(settings.bind_dn, password)
            case SignIn.EXTERNAL:
                connection.bind_sasl("EXTERNAL")
            case SignIn.GSSAPI:
                _sealed(connection, settings, connection.bind_sasl("GSSAPI"))
    except (DirectoryRefused, DirectoryUnavailable) as fault:
        raise _explained(fault, connection.server, settings) from fault


def _sealed(connection: Connection, settings: DirectorySettings, strength: int) -> None:
    if not is_encrypted(connection.server, settings) and strength < SEALED:
        raise DirectoryRefused(
            f"Kerberos would not encrypt the connection (strength {strength})",
            remedy="allow AES keys for the account, or use ldaps://",
        )


def _explained(fault: Fault, server: str, settings: DirectorySettings) -> Fault:
    if settings.sign_in is SignIn.GSSAPI:
        words = fault.problem.lower()
        for phrase, kind, remedy in _KERBEROS:
            if phrase in words:
                return kind(f"Kerberos does not let us in: {fault.problem}", remedy=remedy)
    if isinstance(fault, DirectoryUnavailable) and not isinstance(fault, CredentialsRefused):
        return fault
    return DirectoryRefused(
        f"{server} does not let {_who(settings)} in: {fault.problem}", remedy=_REMEDIES[settings.sign_in]
    )


def _who(settings: DirectorySettings) -> str:
    match settings.sign_in:
        case SignIn.SIMPLE:
            return f"the account {settings.bind_dn!r}"
        case SignIn.GSSAPI:
            return f"the account of {settings.keytab}"
        case SignIn.EXTERNAL:
            return f"the certificate {settings.client_certificate}" if settings.client_certificate else "this user"
