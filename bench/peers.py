# ruff: noqa: INP001 - bench is a folder of programs, no package
"""What other LDAP libraries need merely to read what our sync reads, all over LDAPS; and the edits to be noticed."""

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import bonsai
import company
import ldap
import ldap3
from ldap.controls import RequestControl, ResponseControl
from places import Place

from auth.clock import SYSTEM_CLOCK
from dirsync.ad import controls
from dirsync.ad.question import WHERE, domain

_PAGE: Final = 1000
_EVERYTHING: Final = "(objectClass=*)"
Edit = Callable[[int, str], None]


def _attributes(place: Place) -> list[str]:
    """What our sources ask for."""
    return list(domain(place.base, ()).attributes)


def _where(place: Place) -> str:
    return WHERE if place.kind == "ad" else _EVERYTHING


def ldap3_reads(place: Place) -> int:
    """ldap3's paged search as a generator, without its own checks against the schema."""
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=str(place.ca_file))
    server = ldap3.Server(place.url, tls=tls, get_info=ldap3.NONE)
    with ldap3.Connection(server, place.user, place.password, auto_bind=True) as connection:
        found = connection.extend.standard.paged_search(
            place.base, _where(place), attributes=_attributes(place), paged_size=_PAGE, generator=True
        )
        return sum(item["type"] == "searchResEntry" for item in found)


def bonsai_reads(place: Place) -> int:
    """The paged search of bonsai."""
    client = bonsai.LDAPClient(place.url)
    client.set_ca_cert(str(place.ca_file))
    client.set_credentials("SIMPLE", user=place.user, password=place.password)
    with client.connect() as connection:
        found = connection.paged_search(
            place.base, bonsai.LDAPSearchScope.SUB, _where(place), _attributes(place), page_size=_PAGE
        )
        return sum(1 for _ in found)


def python_ldap_reads(place: Place) -> int:
    """python-ldap's search, entry by entry; from Active Directory by DirSync, page after page, as a sync has to."""
    handle, cookie, count = _bound(place), b"", 0
    while True:
        wanted = (controls.dirsync(controls.OBJECT_SECURITY, cookie), controls.EXTENDED_DN)
        sent = [RequestControl(each.oid, criticality=True, encodedControlValue=each.value) for each in wanted]
        number = handle.search_ext(
            place.base,
            ldap.SCOPE_SUBTREE,
            _where(place),
            _attributes(place),
            serverctrls=sent if place.kind == "ad" else None,
        )
        answered: list[_Octets] = []
        kind = 0
        while kind != ldap.RES_SEARCH_RESULT:
            kind, data, _, answered = handle.result3(number, all=0, resp_ctrl_classes={controls.DIRSYNC: _Octets})
            count += sum(dn is not None for dn, _ in data)
        told = [controls.read_dirsync(each.octets) for each in answered if each.controlType == controls.DIRSYNC]
        if not any(page.more for page in told):
            handle.unbind_s()
            return count
        cookie = told[0].cookie


class _Octets(ResponseControl):  # type: ignore[misc] - python-ldap has no types
    """A control's value as it came."""

    def decodeControlValue(self, encodedControlValue: bytes) -> None:  # noqa: N802, N803 - python-ldap's names
        self.octets = encodedControlValue


READERS: Final[Mapping[str, Callable[[Place], int]]] = {
    "ldap3": ldap3_reads,
    "bonsai": bonsai_reads,
    "python-ldap": python_ldap_reads,
}


@contextmanager
def editor(place: Place, pause: float = 0.0) -> Iterator[Edit]:
    """How an administrator gives a person, by number, another VIP credential; a file is saved after such pauses."""
    if place.file is not None:
        in_file = _FileEditor(place.file, pause)
        yield in_file.edit
        in_file.save()
        return
    handle = _bound(place)
    try:
        yield lambda number, value: handle.modify_s(
            place.dn(number), [(ldap.MOD_REPLACE, "dirfactorVipCredential", [value.encode()])]
        )
    finally:
        handle.unbind_s()


class _FileEditor:
    """Keeps the file's text, and saves it whole: with the first edit after a pause, as an export may."""

    def __init__(self, file: Path, pause: float) -> None:
        self._pause = pause
        self._file = file
        self._text = file.read_text()
        self._now: dict[int, str] = {}
        self._saved = 0.0

    def edit(self, number: int, value: str) -> None:
        """Give a person another credential."""
        was = self._now.get(number, company.credential(number))
        self._text = self._text.replace(f"dirfactorVipCredential: {was}\n", f"dirfactorVipCredential: {value}\n")
        self._now[number] = value
        if SYSTEM_CLOCK.monotonic() - self._saved >= self._pause:
            self.save()

    def save(self) -> None:
        """Put another file in place of the file."""
        self._saved = SYSTEM_CLOCK.monotonic()
        beside = self._file.with_suffix(".new")
        beside.write_text(self._text)
        beside.rename(self._file)


def _bound(place: Place) -> Any:
    handle = ldap.initialize(place.url)
    handle.set_option(ldap.OPT_REFERRALS, 0)
    handle.set_option(ldap.OPT_X_TLS_CACERTFILE, str(place.ca_file))
    handle.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
    handle.simple_bind_s(place.user, place.password)
    return handle
