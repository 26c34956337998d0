"""What several tests of the core start from."""

import pytest

from core.config_file import CANARY, LDIF


@pytest.fixture
def write(tmp_path):
    """Write config.ini, below a [directory] section that is good."""
    (tmp_path / "vpn.secret").write_text(f"{CANARY}-vpn\n")
    (tmp_path / "vpn.secret").chmod(0o600)

    def writing(text, below=LDIF):
        file = tmp_path / "config.ini"
        file.write_text(below + text, encoding="utf-8")
        return file

    return writing
