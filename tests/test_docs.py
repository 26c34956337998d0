"""What the documents say is what the program does."""

import re
from pathlib import Path

import pytest

from auth.audit.settings import AuditSettings
from auth.channels.mail.settings import GraphSettings, SmtpSettings
from auth.channels.sms.command.settings import CommandSettings
from auth.channels.sms.http.presets import presets
from auth.channels.sms.http.settings import HttpSmsSettings
from auth.channels.sms.smpp.settings import SmppSettings
from auth.config import read_config
from auth.doctor.catalogue import as_table
from auth.receipts.settings import ReceiptSettings
from auth.settings import HttpSettings, RadiusSettings, ServiceSettings, VipSection
from auth.spend.settings import SpendSettings
from dirsync.settings import DirectorySettings, SyncSettings

ROOT = Path(__file__).resolve().parents[1]
SECTIONS = {
    "service": ServiceSettings,
    "directory": DirectorySettings,
    "sync": SyncSettings,
    "radius": RadiusSettings,
    "http": HttpSettings,
    "audit": AuditSettings,
    "vip": VipSection,
    "sms:kannel": HttpSmsSettings,
    "sms:operator": SmppSettings,
    "sms:modem": CommandSettings,
    "email:relay": SmtpSettings,
    "email:office": GraphSettings,
    "receipts:kannel": ReceiptSettings,
    "spend": SpendSettings,
}


def preset_table() -> str:
    rows = [
        f"| `{each.name}` | {each.title} | {'; '.join(f'`{key}`: {meaning}' for key, meaning in each.means.items())} |"
        for each in presets().values()
    ]
    return "\n".join(["| preset | service | what the section says |", "|---|---|---|", *rows, ""])


def test_every_preset_is_documented_with_what_it_needs():
    text = (ROOT / "docs" / "sms.md").read_text()
    begin = text.index("| preset |")
    table = text[begin : text.index("\n\n", begin) + 1]
    assert table == preset_table(), f"put this table into docs/sms.md:\n{preset_table()}"


def test_every_check_of_doctor_is_documented_with_its_statuses_and_remedy():
    text = (ROOT / "docs" / "doctor.md").read_text()
    table = text[text.index("| check |") : text.rindex("|\n") + 1]
    assert table == as_table(), f"put this table into docs/doctor.md:\n{as_table()}"


def sample_without_file_key(tmp_path: Path) -> Path:
    """The sample names no directory file, which only the operator can know."""
    text = (ROOT / "config.ini").read_text().replace("#file = directory.ldif", "file = directory.ldif")
    file = tmp_path / "config.ini"
    file.write_text(text)
    return file


def test_the_sample_configuration_loads_and_holds_the_defaults(tmp_path):
    settings = read_config(sample_without_file_key(tmp_path))
    assert settings.service == ServiceSettings()
    assert settings.sync == SyncSettings()
    assert settings.radius == RadiusSettings()
    assert settings.http == HttpSettings()
    assert settings.audit == AuditSettings()
    assert settings.spend == SpendSettings()
    assert settings.directories[""].kind is DirectorySettings().kind
    assert settings.directories[""].timeout_seconds == DirectorySettings().timeout_seconds


@pytest.mark.parametrize("section", sorted(SECTIONS))
def test_the_sample_names_every_setting_of_a_section(section):
    text = (ROOT / "config.ini").read_text()
    block = re.search(rf"^#?\[{section}\]\n(.*?)(?=^#?\[|\Z)", text, re.MULTILINE | re.DOTALL)[1]
    named = set(re.findall(r"^#?(\w+) =", block, re.MULTILINE))
    # the mapping is a section of its own
    assert named == set(SECTIONS[section].__struct_fields__) - {"mapping"}


def test_every_file_that_a_document_names_in_code_type_exists():
    """Paths such as `auth/service.py` in README, ARCHITECTURE, SECURITY and CONTRIBUTING."""
    for name in ("README.md", "ARCHITECTURE.md", "SECURITY.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text()
        for path in re.findall(r"`((?:auth|dirsync|schema|tests|ldif|docs)/[\w./-]*)`", text):
            assert (ROOT / path).exists(), f"{name}: {path}"
