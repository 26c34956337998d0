"""Starts the double of Microsoft, with an application registered at it, and gives settings that fit."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from auth.channels.mail.settings import GraphSettings
from auth.oauth.settings import TokenSettings
from channels.peers import REPOSITORY, DemoProgram
from schema.secret import Secret

TENANT, CLIENT_ID, MAILBOX = "example.org", "11111111-2222-3333-4444-555555555555", "logon@example.org"
SECRET, REFRESH = "canary-Secret-9~x", "canary-Refresh-1.token"
SMTP_SCOPE = "https://outlook.office365.com/.default"


@dataclass
class Double:
    """The program, and what its one application has."""

    program: DemoProgram
    ca_file: Path
    certificate: Path
    key: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{self.program.port}"

    @property
    def token_url(self) -> str:
        return f"{self.url}/{TENANT}/oauth2/v2.0/token"

    def withdraw_tokens(self) -> None:
        os.kill(self.program.process.pid, signal.SIGUSR1)
        for event in self.events():  # they are withdrawn when it has told these
            self.program.events.put(event)

    def graph(self, **changes) -> GraphSettings:
        standard = {
            "tenant": TENANT,
            "client_id": CLIENT_ID,
            "client_secret": Secret(SECRET),
            "sender": MAILBOX,
            "login_url": self.url,
            "graph_url": self.url,
            "ca_file": self.ca_file,
        }
        return GraphSettings(**(standard | changes))

    def tokens(self, **changes) -> TokenSettings:
        standard = {
            "url": self.token_url,
            "client_id": CLIENT_ID,
            "client_secret": Secret(SECRET),
            "scope": SMTP_SCOPE,
            "ca_file": self.ca_file,
        }
        return TokenSettings(**(standard | changes))

    def events(self) -> list[dict]:
        """What it has said since the last question."""
        os.kill(self.program.process.pid, signal.SIGUSR2)
        return list(iter(lambda: self.program.events.get(timeout=30), {"event": "said"}))


@contextmanager
def microsoft_double(folder: Path, *, seconds: int = 3600):
    """The double, in a folder of its own."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(folder / "tls.pem"))
    certificate, key = register(folder, "application")
    (folder / "secret").write_text(SECRET)
    (folder / "refresh").write_text(REFRESH)
    files = {"--tls": "tls.pem", "--application": certificate.name, "--secret": "secret", "--refresh-token": "refresh"}
    words = {"--tenant": TENANT, "--client-id": CLIENT_ID, "--mailbox": MAILBOX, "--seconds": str(seconds)}
    named = {option: str(folder / name) for option, name in files.items()} | words
    command = [sys.executable, "-m", "microsoft", *(word for pair in named.items() for word in pair)]
    process = subprocess.Popen(command, cwd=REPOSITORY / "tests", stdout=subprocess.PIPE, text=True)
    program = DemoProgram(process)
    try:
        yield Double(program, folder / "ca.pem", certificate, key)
    finally:
        program.close()


def register(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate that stands for an application, as the documents have it made, and its key."""
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "dirfactor")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=100))
        .sign(key, hashes.SHA256())
    )
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_bytes(made.public_bytes(Encoding.PEM))
    files[1].touch(mode=0o600)
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files
