"""How we prove to a mail server who we are: by a password, or by a token of somebody whom the server believes."""

from collections.abc import Container
from typing import Protocol

import aiosmtplib

from auth.channels.base import DeliveryFailed
from auth.oauth.answers import TokenRefused
from auth.oauth.source import TokenSource
from schema.secret import Secret

_METHODS = ("plain", "login", "cram-md5")


class SignIn(Protocol):
    """One account at a mail server."""

    @property
    def username(self) -> str:
        """Whose account it is."""
        ...

    def method(self, offered: Container[str]) -> str:
        """How it would be done, in small letters.

        Raises:
            DeliveryFailed: the server offers no way that we know.
        """
        ...

    async def credential(self) -> Secret:
        """What the log-in takes, to be had before the server waits for it.

        Raises:
            DeliveryFailed: it cannot be had.
        """
        ...

    async def log_in(self, client: aiosmtplib.SMTP, credential: Secret) -> None:
        """AUTH, once. Raises what the library raises."""
        ...

    def refused(self, credential: Secret) -> bool:
        """Take note that the server refused it; true when another one could be let in."""
        ...

    async def aclose(self) -> None:
        """Give back connections of its own."""
        ...


class PasswordSignIn:
    """`SignIn` with a password.

    Args:
        username: the account.
        password: its password.
    """

    def __init__(self, username: str, password: Secret) -> None:
        self.username = username
        self._password = password

    def method(self, offered: Container[str]) -> str:
        """The first of ours that is offered: inside TLS, PLAIN says no more than the others."""
        found = next((method for method in _METHODS if method in offered), None)
        if found is None:
            raise DeliveryFailed(
                "does not offer AUTH PLAIN, LOGIN or CRAM-MD5", remedy="check port and security, or leave out username"
            )
        return found

    async def credential(self) -> Secret:
        """The password."""
        return self._password

    async def log_in(self, client: aiosmtplib.SMTP, credential: Secret) -> None:
        """By one method: three of them tried with one wrong password are three steps towards a locked account."""
        log_in = {"plain": client.auth_plain, "login": client.auth_login, "cram-md5": client.auth_crammd5}
        await log_in[self.method(client.server_auth_methods)](self.username, credential.text)

    def refused(self, credential: Secret) -> bool:
        """A wrong password stays one."""
        del credential
        return False

    async def aclose(self) -> None:
        """There is nothing to give back."""


class TokenSignIn:
    """`SignIn` with an access token, by XOAUTH2.

    Args:
        username: the mailbox.
        source: where tokens come from; closed with this.
    """

    def __init__(self, username: str, source: TokenSource) -> None:
        self.username = username
        self._source = source

    def method(self, offered: Container[str]) -> str:
        """XOAUTH2, or nothing."""
        if "xoauth2" not in offered:
            raise DeliveryFailed(
                "does not offer AUTH XOAUTH2", remedy="check host, port and security, or use username and password"
            )
        return "xoauth2"

    async def credential(self) -> Secret:
        """A token."""
        try:
            return await self._source.token()
        except TokenRefused as fault:
            raise DeliveryFailed(fault.problem, remedy=fault.remedy) from None

    async def log_in(self, client: aiosmtplib.SMTP, credential: Secret) -> None:
        """With the token."""
        await client.auth_xoauth2(self.username, credential.text)

    def refused(self, credential: Secret) -> bool:
        """A token may have been withdrawn since it was given to us: a new one may be let in."""
        self._source.refused(credential)
        return True

    async def aclose(self) -> None:
        """Ask for no more tokens."""
        await self._source.aclose()
