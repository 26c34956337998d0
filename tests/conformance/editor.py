"""The administrator's connection: sends requests to a directory, one after the other."""

import ldap
from ldap.controls import RequestControl

from conformance.requests import Add, How, Modify, Remove, Rename, Request, Values
from rig.ldaptools import LdapTools

TREE_DELETE = RequestControl("1.2.840.113556.1.4.805", criticality=True)
MODIFICATIONS = {How.ADD: ldap.MOD_ADD, How.DELETE: ldap.MOD_DELETE, How.REPLACE: ldap.MOD_REPLACE}


class Refused(Exception):
    """The server has refused what the world says it permits."""


class Editor:
    """One connection, made anew after `close`.

    Args:
        account: where, and as whom.
    """

    def __init__(self, account: LdapTools) -> None:
        self._account = account
        self._handle = None

    def send(self, request: Request) -> None:
        """Have a request done.

        Raises:
            Refused: the server has not done it.
        """
        handle = self._handle or self._open()
        try:
            match request:
                case Add(dn, attributes):
                    handle.add_s(dn, [(name, _octets(values)) for name, values in attributes.items() if values])
                case Modify(dn, changes):
                    handle.modify_s(dn, [(MODIFICATIONS[how], name, _octets(given)) for how, name, given in changes])
                case Rename(dn, rdn, above):
                    handle.rename_s(dn, rdn, above)
                case Remove(dn, tree):
                    handle.delete_ext_s(dn, [TREE_DELETE] if tree else None)
        except ldap.LDAPError as error:
            raise Refused(f"{error}\n{request.ldif()}") from error

    def dns(self, base: str) -> list[str]:
        """The DN of every entry below `base`, as the server shows them to anybody."""
        handle = self._handle or self._open()
        return [dn for dn, _ in handle.search_s(base, ldap.SCOPE_SUBTREE, "(objectClass=*)", ["1.1"]) if dn != base]

    def close(self) -> None:
        """Let go of the server."""
        if self._handle is not None:
            self._handle.unbind_ext_s()
            self._handle = None

    def _open(self):
        handle = ldap.initialize(self._account.uri, bytes_mode=False)
        handle.set_option(ldap.OPT_X_TLS_CACERTFILE, str(self._account.ca_file))
        handle.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
        handle.set_option(ldap.OPT_NETWORK_TIMEOUT, 10.0)
        handle.set_option(ldap.OPT_TIMEOUT, 30.0)
        handle.simple_bind_s(self._account.who, self._account.password)
        self._handle = handle
        return handle


def _octets(values: Values) -> list[bytes] | None:
    return [value.encode() for value in values] or None
