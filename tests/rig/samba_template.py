"""Provisions an Active Directory domain once and keeps it, so that starting a domain controller is a copy.

The template is as Samba makes it, without the product's schema: applying that is the product's own command.
"""

import fcntl
import hashlib
import tempfile
from pathlib import Path

from rig.process import run

DOMAIN = "lab.example.test"
NETBIOS = "LAB"
HOST = "dc1"
BASE_DN = "DC=lab,DC=example,DC=test"
ADMINISTRATOR = f"administrator@{DOMAIN}"
ADMINISTRATOR_PASSWORD = "Passw0rd.Lab1"

PROVISION = (
    "samba-tool",
    "domain",
    "provision",
    "--quiet",
    f"--realm={DOMAIN.upper()}",
    f"--domain={NETBIOS}",
    f"--host-name={HOST}",
    "--host-ip=127.0.0.10",
    f"--adminpass={ADMINISTRATOR_PASSWORD}",
    "--server-role=dc",
    "--dns-backend=NONE",
)

# Tests choose any password, and none expires while they run.
PASSWORD_POLICY = f"""\
dn: {BASE_DN}
changetype: modify
replace: pwdProperties
pwdProperties: 0
-
replace: minPwdLength
minPwdLength: 1
-
replace: minPwdAge
minPwdAge: 0
-
replace: maxPwdAge
maxPwdAge: -9223372036854775808
-
replace: pwdHistoryLength
pwdHistoryLength: 0
-
replace: lockoutThreshold
lockoutThreshold: 0
"""


def samba_template(cache: Path) -> Path:
    """The directory of a provisioned domain; made in 3 to 5 s when `cache` has none that fits.

    Its name is a hash of all that went into it, Samba's version included, so that a change makes a new one.
    Several test runs may ask at once: one makes it, the others wait.

    Raises:
        ServerFailure: Samba could not provision it.
    """
    version = run(["samba", "--version"])
    inputs = repr((version, PROVISION, PASSWORD_POLICY))
    template = cache / f"samba-{hashlib.sha256(inputs.encode()).hexdigest()[:16]}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "samba.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not template.exists():
            with tempfile.TemporaryDirectory(dir=cache, prefix="provision-") as scratch:
                fresh = Path(scratch, "domain")
                _provision(fresh, Path(scratch, "empty.conf"))
                # In one step, so that an interrupted run leaves no half of a template.
                fresh.rename(template)
    return template


def _provision(target: Path, configuration: Path) -> None:
    # The machine's own smb.conf would leak in.
    configuration.write_text("[global]\n")
    run(
        [*PROVISION, f"--configfile={configuration}", f"--targetdir={target}"],
        environment={"TDB_NO_FSYNC": "1"},
    )
    run(
        ["ldbmodify", "-H", str(target / "private/sam.ldb"), f"--configfile={configuration}"],
        text=PASSWORD_POLICY,
        environment={"TDB_NO_FSYNC": "1"},
    )
