"""The main job, end to end: an attribute edited in a real Active Directory decides how the next person logs on."""

import asyncio
import json
import re
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pyotp
import pytest

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.demo.certificates import CertificateFolder
from auth.demo.program import started
from auth.demo.service import RunningService, audit_lines, free_port
from rig.radclient import RadiusReply, radclient
from schema.secret import Secret

PASSWORD = "Copper-Ladder-63"
SERVICE_PASSWORD = "Reader-of-things-9"
PHONE = "+436640000071"
EFFECT_SECONDS = 5.0
CONFIG = """\
[service]
state_directory = state
refusal_seconds = 0.2

[directory]
kind = ad
url = {ldaps}
base = {base}
bind_dn = svc-dirfactor@{domain}
bind_password = file:directory.password
ca_file = {ca_file}

[sync]
interval_seconds = 1

[radius]
host = 127.0.0.1
port = {radius_port}

[http]
port = {http_port}

[sms:kannel]
method = GET
url = {sendsms}?username={{username}}&password={{password}}&to={{phone}}&text={{text}}&charset=UTF-8
username = {kannel_user}
password = file:kannel.password
success_status = 202
success_body = ^0:

[email:postfix]
host = localhost
port = {mail_port}
sender = logon@example.test
ca_file = {mail_ca}

[vip]
certificate = certificates/client.p12
password = file:certificates/client.password
url = https://localhost:{vip_port}
ca_file = certificates/ca.pem

[node:vpn]
dirfactorAddress = 127.0.0.1
secret = file:radius.secret
dirfactorMember = {group}
"""


def schema_command(dc, folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """`dirfactor schema ...` as an administrator runs it."""
    password = folder / "admin.password"
    password.write_text(dc.admin_password)
    where = ["--url", dc.ldaps, "--bind", dc.admin, "--password-file", str(password), "--ca-file", str(dc.ca_file)]
    command = [sys.executable, "-m", "auth", "schema", *arguments, *where]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def administer(dc) -> str:
    """What an administrator does with ldapmodify: a policy, linked to a group, and a token for each person."""
    people = f"OU=People,{dc.base_dn}"
    policies = f"OU=Policies,{dc.base_dn}"
    group = f"CN=VPN Users,{people}"
    dc.ldapmodify(
        f"dn: {people}\nchangetype: add\nobjectClass: organizationalUnit\n\n"
        f"dn: {policies}\nchangetype: add\nobjectClass: organizationalUnit\n"
    )
    dc.add_user("svc-dirfactor", SERVICE_PASSWORD)
    users = {
        "alice": {"mobile": "+43 664 0000071"},
        "bob": {"mail": "bob@example.test"},
        "carol": {},
        "tom": {},
    }
    for sam, attributes in users.items():
        dc.add_user(sam, PASSWORD, parent=people, **attributes)
    members = "".join(f"member: CN={sam},{people}\n" for sam in users)
    dc.ldapmodify(
        f"dn: {group}\nchangetype: add\nobjectClass: group\nsAMAccountName: VPN Users\n{members}\n"
        f"dn: CN=staff,{policies}\nchangetype: add\nobjectClass: dirfactorSecurityPolicy\n"
        "dirfactorFirstMethod: password\ndirfactorSecondMethod: token\ndirfactorTokenOrder: vip, sms, email\n"
        "dirfactorSmsEnabled: TRUE\ndirfactorEmailEnabled: TRUE\ndirfactorReplyAttribute: Filter-Id=staff\n\n"
        f"dn: CN=token-only,{policies}\nchangetype: add\nobjectClass: dirfactorSecurityPolicy\n"
        "dirfactorFirstMethod: token\ndirfactorSecondMethod: none\n\n"
        f"dn: {group}\nchangetype: modify\nadd: dirfactorPolicy\ndirfactorPolicy: CN=staff,{policies}\n\n"
        f"dn: CN=alice,{people}\nchangetype: modify\nadd: dirfactorToken\ndirfactorToken: sms\n-\n"
        "add: dirfactorVipCredential\ndirfactorVipCredential: VSST10000001\n\n"
        f"dn: CN=bob,{people}\nchangetype: modify\nadd: dirfactorToken\ndirfactorToken: email\n\n"
        f"dn: CN=carol,{people}\nchangetype: modify\nadd: dirfactorToken\ndirfactorToken: vip\n-\n"
        "add: dirfactorVipCredential\ndirfactorVipCredential: VSST10000002\n\n"
        f"dn: CN=tom,{people}\nchangetype: modify\nadd: dirfactorToken\ndirfactorToken: vip\n-\n"
        "add: dirfactorVipCredential\ndirfactorVipCredential: VSST10000003\n-\n"
        f"add: dirfactorPolicy\ndirfactorPolicy: CN=token-only,{policies}\n"
    )
    return group


@dataclass
class Logons:
    """Logs people on with FreeRADIUS's client."""

    port: int
    secret_file: Path

    async def __call__(self, user: str, password: str, state: str | None = None) -> RadiusReply:
        return await asyncio.to_thread(radclient, self.port, self.secret_file, user, password, state)


def code_in(text: str) -> str:
    return re.search(r"\b\d{6}\b", text)[0]


def last_reason(folder: Path) -> str:
    return audit_lines(folder / "state" / "audit.jsonl")[-1]["reason"]


def private(file: Path, text: str) -> Path:
    file.touch(mode=0o600)
    file.write_text(text)
    return file


@pytest.mark.servers
async def test_an_edit_in_active_directory_decides_how_the_next_person_logs_on(fresh_dc, kannel, postfix, tmp_path):
    dc = fresh_dc

    # (b) our schema, by our command; a second run finds nothing to do
    assert schema_command(dc, tmp_path, "plan").returncode == 1
    applied = schema_command(dc, tmp_path, "apply")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    assert schema_command(dc, tmp_path, "apply").stdout.strip() == "nothing to do"
    assert schema_command(dc, tmp_path, "verify").returncode == 0

    # (c) an administrator's edits
    group = administer(dc)

    # (d) the service, as a process, from a config.ini
    certificates = CertificateFolder(tmp_path / "certificates")
    certificates.make(SYSTEM_CLOCK.now(), SYSTEM_ENTROPY)
    seeds = {f"VSST1000000{number}": pyotp.random_base32() for number in (1, 2, 3)}
    entries = [{"id": name, "seed": seed, "status": "ENABLED"} for name, seed in seeds.items()]
    private(tmp_path / "credentials.json", json.dumps(entries))
    private(tmp_path / "directory.password", SERVICE_PASSWORD)
    private(tmp_path / "kannel.password", kannel.password)
    secret_file = private(tmp_path / "radius.secret", "a-secret-of-this-test-only-1234")
    vip_arguments = ["auth.demo.vip", "--certificates", str(certificates.folder)]
    vip_arguments += ["--credentials", str(tmp_path / "credentials.json")]
    async with started("VIP", vip_arguments) as vip:
        ready = await vip.event(lambda seen: seen["event"] == "ready")
        radius_port = free_port(socket.SOCK_DGRAM)
        config = CONFIG.format(
            ldaps=dc.ldaps,
            base=dc.base_dn,
            domain=dc.domain,
            ca_file=dc.ca_file,
            radius_port=radius_port,
            http_port=free_port(socket.SOCK_STREAM),
            sendsms=kannel.sendsms_url,
            kannel_user=kannel.username,
            mail_port=postfix.port,
            mail_ca=postfix.ca_file,
            vip_port=ready["port"],
            group=group,
        )
        (tmp_path / "config.ini").write_text(config)
        service = RunningService(
            tmp_path / "config.ini",
            Secret(secret_file.read_text()),
            Secret("none"),
            SYSTEM_ENTROPY,
            tmp_path / "service.log",
        )
        await service.start()
        try:
            await service.until_ready()
            await scenario(dc, kannel, postfix, service, seeds, Logons(radius_port, secret_file), tmp_path)
        finally:
            await service.stop()


async def scenario(dc, kannel, postfix, service, seeds, log_on, folder):
    def vip_code(credential: str) -> str:
        return pyotp.TOTP(seeds[credential]).now()

    # (e) SMS, by way of Kannel and its SMS centre
    asked = await log_on("alice", PASSWORD)
    assert (asked.code, asked.attributes["Reply-Message"]) == ("Challenge", "Enter the code sent to +43***71.")
    text = await asyncio.to_thread(kannel.wait_for_text, PHONE)
    let_in = await log_on("alice", code_in(text), asked.state)
    assert (let_in.code, let_in.attributes["Filter-Id"]) == ("Accept", "staff")
    assert (await log_on("alice", code_in(text), asked.state)).code == "Reject"
    assert last_reason(folder) == "challenge-unknown"

    # (e) e-mail, in a real mailbox; the login name in AD's own form
    asked = await log_on(f"{dc.netbios}\\\\bob", PASSWORD)
    mail = await asyncio.to_thread(postfix.wait_for_mail, "bob@example.test")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert (await log_on("bob", code_in(mail.get_content()), asked.state)).code == "Accept"

    # (e) VIP, by user principal name
    asked = await log_on(f"carol@{dc.domain}", PASSWORD)
    assert asked.code == "Challenge"
    assert (await log_on("carol", vip_code("VSST10000002"), asked.state)).code == "Accept"

    # a wrong password and a stranger hear the same
    wrong = await log_on("alice", "Wrong-Password-1")
    assert last_reason(folder) == "password-wrong"
    stranger = await log_on("mallory", PASSWORD)
    assert last_reason(folder) == "user-unknown"
    assert wrong.code == stranger.code == "Reject"
    assert wrong.said == stranger.said == {"Reply-Message": "Logon failed."}

    # (h) killed between challenge and answer: good exactly once after the restart
    asked = await log_on("alice", PASSWORD)
    text = await asyncio.to_thread(kannel.wait_for_text, PHONE)
    await service.kill()
    await service.start()
    assert (await log_on("alice", code_in(text), asked.state)).code == "Accept"
    assert (await log_on("alice", code_in(text), asked.state)).code == "Reject"

    # (f) from sms to vip in AD; the next logon follows
    dn = f"CN=alice,OU=People,{dc.base_dn}"
    dc.ldapmodify(f"dn: {dn}\nchangetype: modify\nreplace: dirfactorToken\ndirfactorToken: vip\n")
    edited = time.monotonic()
    while True:
        asked = await log_on("alice", PASSWORD)
        took = time.monotonic() - edited
        if asked.attributes["Reply-Message"] == "Enter the security code of your VIP credential.":
            break
        assert took < EFFECT_SECONDS, asked
        await asyncio.sleep(0.1)
    assert took < EFFECT_SECONDS
    assert (await log_on("alice", vip_code("VSST10000001"), asked.state)).code == "Accept"

    # (g) no domain controller: tokens go on, passwords are refused with that reason
    dc.stop()
    assert (await log_on("tom", vip_code("VSST10000003"))).code == "Accept"
    assert (await log_on("carol", PASSWORD)).code == "Reject"
    assert last_reason(folder) == "directory-unavailable"

    # and it is back by itself
    dc.start()
    assert (await log_on("carol", PASSWORD)).code == "Challenge"
