"""A scenario's company in a real OpenLDAP server, and what config.ini says of it."""

from pathlib import Path

from rig.slapd import Slapd
from scenarios.company import BASE, Company

PASSWORD_FILE = "directory.password"


def fill_directory(slapd: Slapd, company: Company, file: Path) -> None:
    """The company in the server's tree, which has its own root and organisational units already."""
    there = {BASE, *(f"ou={name},{BASE}" for name in ("people", "policies"))}
    for entry in company.entries.values():
        if "inetOrgPerson" in (entry.attributes["objectClass"] or ()):
            entry.attributes |= {"cn": entry.attributes["uid"], "sn": entry.attributes["uid"]}
    texts = [entry.text() for entry in company.entries.values() if entry.dn not in there]
    file.write_text("\n".join(texts).replace(BASE, slapd.base_dn).replace("{CLEARTEXT}", ""))
    slapd.bulk_load(file)


def write_password(slapd: Slapd, folder: Path) -> None:
    """That of the account that reads, where `following` has it stand; `folder` is that of config.ini."""
    file = folder / PASSWORD_FILE
    file.touch(mode=0o600)
    file.write_text(slapd.sync_password)


def following(text: str, slapd: Slapd, port: int, timeout_seconds: float) -> str:
    """This config.ini, with the server behind a port of loopback as the directory."""
    section = (
        f"kind = openldap\nurl = ldaps://127.0.0.1:{port}\nbase = {slapd.base_dn}\nbind_dn = {slapd.sync}\n"
        f"bind_password = file:{PASSWORD_FILE}\nca_file = {slapd.ca_file}\ntimeout_seconds = {timeout_seconds}\n"
    )
    return text.replace("kind = ldif\nfile = directory.ldif\n", section).replace(BASE, slapd.base_dn)
