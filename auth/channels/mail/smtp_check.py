"""What can be wrong in an [email:NAME] section before anybody is asked. No I/O."""

from auth.channels.mail.settings import Security, SmtpSettings
from auth.tls import stays_on_this_host
from schema.errors import Fault

_MOST_CONNECTIONS = 50
_PORTS = range(1, 65536)


def check_smtp(settings: SmtpSettings) -> None:
    """Raises Fault: the section cannot work; without a name in front."""
    if settings.security is Security.NONE and not stays_on_this_host(settings.host):
        raise Fault(
            f"mails would travel to {settings.host} in clear text", remedy="set security = starttls or security = tls"
        )
    if settings.port is not None and settings.port not in _PORTS:
        raise Fault("port is no TCP port", remedy="give a number from 1 to 65535, or leave it out")
    if settings.client_key and not settings.client_certificate:
        raise Fault("client_key is set without client_certificate", remedy="set both, or none")
    check_seconds(settings.timeout_seconds)
    if not 1 <= settings.connections <= _MOST_CONNECTIONS:
        raise Fault(f"connections is not from 1 to {_MOST_CONNECTIONS}", remedy="leave it out, or give such as 3")
    _check_login(settings)


def check_seconds(seconds: float) -> None:
    """Raises Fault: no mail could go in so many seconds."""
    if not seconds > 0:
        raise Fault("timeout_seconds is not positive", remedy="give seconds, such as 3")


def _check_login(settings: SmtpSettings) -> None:
    printable = settings.username.isprintable()
    if not printable:
        raise Fault("username has characters that are not printed", remedy="give the account's name")
    if settings.token_url:
        if settings.password:
            raise Fault("password and token_url are both set", remedy="leave one of them out")
        if not settings.username:
            raise Fault("username is missing", remedy="set it to the mailbox that the tokens are for")
        return
    if bool(settings.username) != bool(settings.password):
        raise Fault("username and password are not both set", remedy="set both, or none for a server without AUTH")
    set_in_vain = {
        "client_id": settings.client_id,
        "client_secret": settings.client_secret,
        "assertion_certificate": settings.assertion_certificate,
        "assertion_key": settings.assertion_key,
        "refresh_token": settings.refresh_token,
        "scope": settings.scope,
    }
    if vain := [key for key, value in set_in_vain.items() if value]:
        raise Fault(f"{', '.join(vain)} set without token_url", remedy="set token_url, or leave them out")
