"""Runs a real mail server (Postfix) that demands TLS and keeps what it accepts in a local mailbox.

It has a door for whoever is on this machine, one for each way to log in with a password (Cyrus SASL), one for access
tokens, and one for clients that show a certificate.
"""

import os
import pwd
import shutil
from collections.abc import Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import trustme

from rig.certificates import issue
from rig.ports import LOOPBACK, answers, free_port
from rig.process import Process, run, wait_for

HOST = "mail.example.test"
QUEUE_DIRECTORIES = ("active", "bounce", "corrupt", "defer", "deferred", "hold", "incoming", "pid", "private", "public")

MAIN = """\
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
daemon_directory = {daemons}
command_directory = /usr/sbin
maillog_file = {home}/postfix.log
maillog_file_prefixes = {home}
myhostname = {host}
mynetworks = 127.0.0.0/8
inet_protocols = ipv4
alias_maps =
alias_database =
biff = no

# Whatever is accepted stays here, in one mailbox; nothing is ever sent on.
mydestination =
local_transport = error:no local delivery
default_transport = error:nothing leaves this server
virtual_mailbox_domains = static:all
virtual_mailbox_maps = static:everybody/
virtual_mailbox_base = {home}/mail
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}

smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = {home}/tls/server.pem
smtpd_tls_key_file = {home}/tls/server.key
smtpd_recipient_restrictions = check_recipient_access texthash:{home}/refusals, permit_mynetworks, reject

cyrus_sasl_config_path = {home}/sasl
smtpd_sasl_local_domain = {host}
smtputf8_enable = yes
"""

# Options of each door. Nobody sends who has not proved who he is; said at once, and not when the recipient is named.
FIRST = "check_sender_access static:{{530 5.7.0 Authentication required}}"
REFUSALS_FIRST = "smtpd_recipient_restrictions = check_recipient_access texthash:{home}/refusals"
LOGGED_IN = (
    "smtpd_sasl_auth_enable = yes",
    "smtpd_delay_reject = no",
    f"smtpd_sender_restrictions = permit_sasl_authenticated, {FIRST}",
    f"{REFUSALS_FIRST}, permit_sasl_authenticated, reject",
)
LOGINS = {
    "plain": (*LOGGED_IN, "smtpd_sasl_mechanism_filter = plain"),
    "login": (*LOGGED_IN, "smtpd_sasl_mechanism_filter = login"),
    "cram-md5": (*LOGGED_IN, "smtpd_sasl_mechanism_filter = cram-md5"),
    "xoauth2": (*LOGGED_IN, "smtpd_sasl_type = dovecot", "smtpd_sasl_path = private/tokens"),
    "certificate": (
        "smtpd_tls_ask_ccert = yes",
        "smtpd_tls_CAfile = {home}/clients.pem",
        "smtpd_delay_reject = no",
        f"smtpd_sender_restrictions = permit_tls_all_clientcerts, {FIRST}",
        f"{REFUSALS_FIRST}, permit_tls_all_clientcerts, reject",
    ),
}

SASL = """\
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: {home}/sasl/sasldb2
mech_list: PLAIN LOGIN CRAM-MD5
"""

MASTER = """\
cleanup  unix n - n - 0 cleanup
qmgr     unix n - n 300 1 qmgr
rewrite  unix - - n - - trivial-rewrite
bounce   unix - - n - 0 bounce
defer    unix - - n - 0 bounce
trace    unix - - n - 0 bounce
proxymap unix - - n - - proxymap
virtual  unix - n n - - virtual
error    unix - - n - - error
anvil    unix - - n - 1 anvil
tlsmgr   unix - - n 1000? 1 tlsmgr
postlog  unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """A mail server for any recipient, which refuses every mail before STARTTLS (RFC 3207: 530).

    Needs root: Postfix gives up privileges, and so must have them.

    Args:
        home: directory for everything of this server; made when missing. Others than root must be able to enter it.
        refusals: recipients that are refused, with the answer to each, e.g. `{"full@example.test": "452 4.2.2 full"}`.
        account: name and password of the one who may log in; nobody may without it.

    Attributes:
        port: the door for whoever is on this machine.
        ports: the doors for those who prove who they are, by the way to do so: see LOGINS.
        certificate: PEM file of the certificate that the door for certificates knows, and of its key.
        tokens: the socket at which a `rig.token_judge.TokenJudge` for the door for access tokens listens.
    """

    host = LOOPBACK

    def __init__(self, home: Path, refusals: Mapping[str, str], account: tuple[str, str] | None = None) -> None:
        self.port = free_port()
        self.ports = {way: free_port() for way in LOGINS} if account else {}
        self.ca_file = issue(home / "tls", HOST, "localhost", LOOPBACK).ca
        self.certificate = home / "client.pem"
        self.tokens = home / "queue/private/tokens"
        self._mailbox = home / "mail/everybody/new"
        self._taken: set[Path] = set()
        self._log = home / "postfix.log"
        owner = pwd.getpwnam("postfix")
        for name in ("data", "mail", "sasl", *(f"queue/{part}" for part in QUEUE_DIRECTORIES)):
            (home / name).mkdir(parents=True)
            shutil.chown(home / name, owner.pw_uid)
        daemons = run(["postconf", "-dh", "daemon_directory"]).strip()
        _write(home / "refusals", "".join(f"{recipient} {answer}\n" for recipient, answer in refusals.items()))
        _write(home / "main.cf", MAIN.format(home=home, daemons=daemons, host=HOST, uid=owner.pw_uid, gid=owner.pw_gid))
        _write(home / "master.cf", self._doors(home) + MASTER)
        if account:
            self._let_in(home, *account)
        home.chmod(0o755)
        (home / "queue").chmod(0o755)
        # Its own master in the foreground; the usual "postfix start" checks and mends /etc/postfix first.
        self.process = Process([f"{daemons}/master", "-c", str(home), "-d"], log=home / "master.log")

    def _doors(self, home: Path) -> str:
        options = {self.port: (), **{port: LOGINS[way] for way, port in self.ports.items()}}
        return "".join(
            f"{LOOPBACK}:{port} inet n - n - - smtpd\n"
            + "".join(f"    -o {{ {option.format(home=home)} }}\n" for option in chosen)
            for port, chosen in options.items()
        )

    def _let_in(self, home: Path, name: str, password: str) -> None:
        """Makes the account, and a certificate that stands for a client."""
        database = home / "sasl/sasldb2"
        run(["saslpasswd2", "-p", "-c", "-f", str(database), "-u", HOST, name], text=password)
        shutil.chown(database, "postfix")
        _write(home / "sasl/smtpd.conf", SASL.format(home=home))
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(home / "clients.pem"))
        authority.issue_cert("dirfactor.example.test").private_key_and_cert_chain_pem.write_to_path(
            str(self.certificate)
        )

    def start(self) -> None:
        """Starts and returns when it answers; about 0.02 s."""
        self.process.start(lambda: answers(LOOPBACK, self.port))

    def stop(self) -> None:
        """Ends in order; the queue stays."""
        self.process.stop()

    def wait_for_mail(self, address: str, timeout: float = 5.0) -> EmailMessage:
        """The next mail that was delivered to an address, each once.

        Args:
            address: the envelope's recipient.
            timeout: seconds to wait at most.

        Raises:
            ServerFailure: none was delivered in time.
        """
        file = wait_for(
            lambda: self._next_mail(address),
            timeout,
            lambda: f"no mail for {address} in {timeout} s\n{self._log.read_text()[-3000:]}",
        )
        self._taken.add(file)
        return _read(file)

    def mails_for(self, address: str) -> int:
        """How many mails were delivered to an address so far."""
        return sum(_read(file)["X-Original-To"] == address for file in self._mailbox.glob("*"))

    def log_has(self, text: str) -> bool:
        """Whether the log has a line with this text."""
        return text in self._log.read_text()

    def _next_mail(self, address: str) -> Path | None:
        """The oldest mail for an address that nobody has taken."""
        untaken = set(self._mailbox.glob("*")) - self._taken
        for file in sorted(untaken, key=lambda file: file.stat().st_mtime_ns):
            if _read(file)["X-Original-To"] == address:
                return file
        return None


def _write(file: Path, text: str) -> None:
    file.write_text(text)
    # Postfix waits until a file is two seconds old, lest somebody is still writing it.
    os.utime(file, (0, 0))


def _read(file: Path) -> EmailMessage:
    return message_from_bytes(file.read_bytes(), policy=policy.default)
