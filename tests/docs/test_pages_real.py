"""Every page, followed from its first block to its last on a real server: nothing on it is refused or unknown."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext

import pyotp
import pytest

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.demo.certificates import CertificateFolder
from docs.blocks import CLIENTS, PAGES, ROOT, Block, blocks
from docs.company import PASSWORD, PEOPLE, TEMPS, desk, hire
from docs.names import substituted
from docs.place import Place
from docs.tree import PlainSlapd, ds389_desk, openldap_desk
from docs.tree import hire as hire_in_tree
from rig.ds389 import DirectoryServer389
from rig.fixtures import MAIL_ACCOUNT, need, need_root, running
from rig.ldaptools import LdapRefused
from rig.ports import free_port
from vip.conftest import start

pytestmark = pytest.mark.servers

# Pages that do not begin where the first hour ends.
FIRST_HOUR = "first-hour-ad.md"
WITH_SCHEMA = {"least-privilege.md"}
WITHOUT_SCHEMA = {"ldifde.md", "no-schema.md"}
OTHER_SERVERS = {"openldap.md", "389-ds.md"}
DOCS = ROOT / "docs"
OTHER_SECRETS_OF_MAIL = ("mail-client.secret", "graph.secret", "google-client.secret", "google.token")


def follow(place: Place, page) -> None:
    try:
        for block in blocks(page):
            place.follow(block)
    finally:
        place.close()


def nothing_more(place, dc):
    """That nothing was refused says enough."""


def answered(place: Place, start: str) -> str:
    """What the last command that starts so has printed; it found nothing wrong."""
    ran = [each for each in place.ran if each.command.startswith(start)][-1]
    assert ran.status == 0, ran
    return ran.output


def of_ours(dc, name: str) -> dict[str, list[str]]:
    (entry,) = dc.ldapsearch(dc.base_dn, f"(sAMAccountName={name})")
    return {each: sorted(entry.texts(each)) for each in entry.attributes if each.startswith("dirfactor")}


def edits_are_undone(place, dc):
    assert of_ours(dc, "alice")["dirfactorToken"] == ["sms"]
    assert of_ours(dc, "carol") == {"dirfactorToken": ["vip"], "dirfactorPhone": ["+43 664 0000093"]}
    assert of_ours(dc, "helen")["dirfactorToken"] == ["sms", "vip"]
    assert of_ours(dc, "bob") == {}
    written = (place.folder / "who-has-what.csv").read_text().splitlines()
    assert written[0] == "SamAccountName,dirfactorPhone,mobile,tokens"
    assert set(written[1:]) >= {
        "alice,+43 664 0000091,+43 664 0000091,sms",
        "bob,+43 664 0000095,+43 664 0000092,sms",
        "helen,,+43 664 0000094,vip sms",
    }


def alice_would_be_let_in(place, dc):
    assert "sms" in answered(place, "dirfactor explain alice")


def display_is_as_it_was(place, dc):
    found = dc.ldapsearch(f"CN=DisplaySpecifiers,CN=Configuration,{dc.base_dn}", attributes=["*"])
    assert [
        entry.dn for entry in found if any("dirfactor" in repr(values) for values in entry.attributes.values())
    ] == []


def helen_has_unlocked(place, dc):
    assert f"unlocked by helen@{dc.domain}" in answered(place, "dirfactor user unlock alice")
    refused = dc.as_user(f"helen@{dc.domain}", PASSWORD)
    (alice,) = dc.ldapsearch(dc.base_dn, "(sAMAccountName=alice)")
    with pytest.raises(LdapRefused, match="result 50"):
        refused.modify(f"dn: {alice.dn}\nchangetype: modify\nreplace: dirfactorToken\ndirfactorToken: vip\n")


def nothing_is_wrong_any_longer(place, dc):
    assert "0 malformed values" in answered(place, "dirfactor check values")
    assert "added 0" in answered(place, "dirfactor sync")


OUTCOMES = {
    "powershell.md": edits_are_undone,
    "no-schema.md": alice_would_be_let_in,
    "ldifde.md": alice_would_be_let_in,
    "aduc.md": display_is_as_it_was,
    "least-privilege.md": helen_has_unlocked,
    "trouble.md": nothing_is_wrong_any_longer,
}
PAGES_OF_AD = [
    page for page in PAGES if page not in CLIENTS and page.name not in OTHER_SERVERS | {FIRST_HOUR} and blocks(page)
]


@pytest.mark.parametrize("page", PAGES_OF_AD, ids=lambda page: page.stem)
def test_a_page_about_active_directory_can_be_followed(page, first_hour, tmp_path, request):
    if page.name in WITHOUT_SCHEMA:
        first_hour.dc.reset()
        hire(first_hour.dc)
        place = desk(first_hour.dc, tmp_path / "desk", first_hour.kannel)
    elif page.name in WITH_SCHEMA:
        place = first_hour.with_schema(tmp_path / "desk")
    else:
        place = first_hour.again(tmp_path / "desk")
    if page.name == "trouble.md":
        make_trouble(place, first_hour.dc)
    if page.name == "http.md":
        set_up_http(place, first_hour)
    if page.name == "email.md":
        set_up_relay(place, page, request.getfixturevalue("postfix"))
    with vip_service(place, page) if page.name == "vip.md" else nullcontext():
        follow(place, page)
    OUTCOMES.get(page.name, nothing_more)(place, first_hour.dc)


def test_the_pages_about_clients_can_be_followed_one_after_the_other(first_hour, tmp_path):
    place = first_hour.again(tmp_path / "desk")
    for page in CLIENTS:
        follow(place, page)


def test_the_page_about_openldap_can_be_followed(tmp_path):
    need("slapd", "ldapmodify")
    with running(PlainSlapd(tmp_path / "slapd")) as server:
        hire_in_tree(server.tools(), server.base_dn)
        place = openldap_desk(server, tmp_path)
        follow(place, DOCS / "openldap.md")


def test_the_page_about_389_directory_server_can_be_followed(tmp_path):
    need("ns-slapd", "certutil", "ldapmodify")
    need_root()
    with running(DirectoryServer389(tmp_path / "ds389")) as server:
        hire_in_tree(server.tools(), server.base_dn)
        place = ds389_desk(server, tmp_path)
        follow(place, DOCS / "389-ds.md")


def make_trouble(place: Place, dc) -> None:
    """A token that is none, and many tokens taken away at once."""
    people = f"OU=People,{dc.base_dn}"
    for name in TEMPS:
        dc.add_user(name, PASSWORD, parent=people, dirfactorToken="sms", mobile="+43 664 0000096")
    (bob,) = dc.ldapsearch(people, "(sAMAccountName=bob)")
    dc.ldapmodify(f"dn: {bob.dn}\nchangetype: modify\nreplace: dirfactorToken\ndirfactorToken: smss\n")
    place.follow(sh("dirfactor sync"))
    dc.ldapmodify("\n".join(f"dn: CN={name},{people}\nchangetype: modify\ndelete: dirfactorToken\n" for name in TEMPS))
    with pytest.raises(AssertionError, match="held"):
        place.follow(sh("dirfactor sync"))


def set_up_http(place: Place, first_hour) -> None:
    """The port of the door, and what the reader finds in the answer before and on Alice's phone."""
    port, config = free_port(), place.folder / "config.ini"
    config.write_text(config.read_text().replace("[http]\n", f"[http]\nport = {port}\n"))
    place.names = place.names | {"127.0.0.1:8480": f"127.0.0.1:{port}"}
    text = first_hour.kannel.wait_for_text
    place.fill = place.fill | {
        "123456": lambda: re.search(r"\b\d{6}\b", text(PEOPLE["alice"][1].replace(" ", "")))[0],
        "STATE": lambda: re.search(r'"state":"([^"]+)"', place.last.output)[1],
    }


def set_up_relay(place: Place, page, postfix) -> None:
    """The mail server of the page's first section, in the config.ini that the first hour has left."""
    (place.folder / "mail-ca.pem").write_bytes(postfix.ca_file.read_bytes())
    for name, text in (("mail.password", MAIL_ACCOUNT[1]), *((each, "canary") for each in OTHER_SECRETS_OF_MAIL)):
        (place.folder / name).touch(mode=0o600)
        (place.folder / name).write_text(text)
    here = f"host = {postfix.host}\nport = {postfix.ports['plain']}\nca_file = mail-ca.pem\ntimeout_seconds = 10"
    place.names = place.names | {"host = mail.example.org": here}
    relay = next(block for block in blocks(page) if block.kind == "ini")
    config = place.folder / "config.ini"
    config.write_text(f"{config.read_text()}\n{substituted(relay.text, place.names)}")


@contextmanager
def vip_service(place: Place, page) -> Iterator[None]:
    """VIP with a credential that nobody has activated, and the page's first section in the first hour's config.ini."""
    certificates = CertificateFolder(place.folder / "certificates")
    certificates.make(SYSTEM_CLOCK.now(), SYSTEM_ENTROPY)
    password = certificates.client_password.read_text()
    for name in ("vip.p12", "next-vip.p12"):
        (place.folder / name).touch(mode=0o600)
        (place.folder / name).write_bytes(certificates.client.read_bytes())
    for name, text in (("vip.password", password), ("next-vip.password", password), ("proxy.password", "canary")):
        (place.folder / name).touch(mode=0o600)
        (place.folder / name).write_text(text)
    entries = [{"id": "VSST12345678", "seed": pyotp.random_base32(), "status": "NEW"}]
    with closing(start(place.folder, certificates, entries)) as running:
        vip = next(running)
        section = next(block for block in blocks(page) if block.kind == "ini").text
        config = place.folder / "config.ini"
        config.write_text(f"{config.read_text()}\n{section}url = {vip.url}\nca_file = certificates/ca.pem\n")
        place.fill = place.fill | {
            "271828": lambda: vip.code("VSST12345678").text,
            "182845": lambda: vip.code("VSST12345678", 1).text,
        }
        yield


def sh(command: str) -> Block:
    return Block("trouble", 0, "sh", "", f"{command}\n")
