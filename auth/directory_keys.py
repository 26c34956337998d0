"""Which keys of a [directory] section go together: what is missing for its kind and sign-in, and what means nothing."""

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from dirsync.settings import DirectoryKind, DirectorySettings, SignIn
from dirsync.wire.discovery import domain_of

# key, problem, remedy
Finding = tuple[str, str, str]

_SECRET: Final = "give file:PATH, env:NAME or cred:NAME"  # noqa: S105 - how to refer to one
_BASE: Final = "name the domain, such as DC=example,DC=org"
_WANTED: Final[Mapping[SignIn, Mapping[str, str]]] = {
    SignIn.SIMPLE: {"bind_dn": "name the account that reads the directory", "bind_password": _SECRET},
    SignIn.GSSAPI: {"keytab": "name the file with the account's keys"},
    SignIn.EXTERNAL: {"client_certificate": "name its PEM file", "client_key": "name the PEM file of its key"},
}
_ALLOWED: Final[Mapping[SignIn, frozenset[str]]] = {
    SignIn.SIMPLE: frozenset({"bind_dn", "bind_password"}),
    SignIn.GSSAPI: frozenset({"keytab", "principal"}),
    SignIn.EXTERNAL: frozenset({"client_certificate", "client_key"}),
}
_DISCOVERY: Final = ("domain", "site", "dns_servers")
_LOCAL: Final = "ldapi"


def findings(directory: DirectorySettings) -> Iterator[Finding]:
    """Everything that is wrong with one section: key, problem and remedy."""
    if directory.kind is DirectoryKind.LDIF:
        if directory.file is None:
            yield "file", "is missing for kind = ldif", "name the LDIF file"
        return
    if not directory.base:
        yield "base", f"is missing for kind = {directory.kind}", _BASE
    yield from _servers(directory)
    yield from _account(directory)


def keytabs(directories: Mapping[str, DirectorySettings]) -> Iterator[tuple[str, Finding]]:
    """The directories that name another keytab than the first one that names any: a process has one."""
    named = {name: each.keytab for name, each in directories.items() if each.keytab is not None}
    for name, keytab in named.items():
        first = next(iter(named.values()))
        if keytab != first:
            yield name, ("keytab", f"is not {first}, which another directory names", "put all keys into one keytab")


def _servers(directory: DirectorySettings) -> Iterator[Finding]:
    if directory.url:
        for key in _DISCOVERY:
            if getattr(directory, key):
                yield key, "means nothing beside url", "remove it, or remove url to have the servers found in DNS"
    elif directory.kind is not DirectoryKind.AD or (directory.base and not domain_of(directory)):
        yield "url", f"is missing for kind = {directory.kind}", "name servers, such as ldaps://dc1.example.org"
    for url in directory.url:
        scheme = urlsplit(url).scheme
        if scheme == _LOCAL and directory.sign_in is SignIn.EXTERNAL:
            continue
        sealed = scheme == "ldap" and (directory.start_tls or directory.sign_in is SignIn.GSSAPI)
        if scheme != "ldaps" and not sealed:
            yield "url", f"{url} is not encrypted", "use ldaps://, or add start_tls = yes"


def _account(directory: DirectorySettings) -> Iterator[Finding]:
    local = bool(directory.url) and all(urlsplit(url).scheme == _LOCAL for url in directory.url)
    # over ldapi:// the server knows the process's user; half of a pair is no pair all the same
    pair = directory.client_certificate is not None or directory.client_key is not None
    if not local or pair:
        for key, remedy in _WANTED[directory.sign_in].items():
            if not getattr(directory, key):
                yield key, f"is missing for {_manner(directory)}", remedy
    for sign_in, keys in _ALLOWED.items():
        for key in sorted(keys):
            if sign_in is not directory.sign_in and getattr(directory, key):
                yield key, f"means nothing with sign_in = {directory.sign_in}", f"remove it, or set sign_in = {sign_in}"
    if directory.sign_in is SignIn.EXTERNAL and directory.url and not local and not _all_tls(directory):
        yield "sign_in", "external takes TLS or ldapi:// at each server", "use ldaps://, or add start_tls = yes"


def _manner(directory: DirectorySettings) -> str:
    simple = directory.sign_in is SignIn.SIMPLE
    return f"kind = {directory.kind}" if simple else f"sign_in = {directory.sign_in}"


def _all_tls(directory: DirectorySettings) -> bool:
    return all(urlsplit(url).scheme in {"ldaps", "ldap"} for url in directory.url)
