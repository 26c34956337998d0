"""What [vip] of config.ini means for the client."""

from pathlib import Path

import pytest

from auth.clock import SYSTEM_CLOCK, SYSTEM_ENTROPY
from auth.config import ConfigFault, read_config
from auth.vip.client import VipClient
from auth.vip.settings import DialectName

BASE = "[directory]\nkind = ldif\nfile = directory.ldif\n\n[vip]\ncertificate = vip.p12\n"


@pytest.fixture
def vip(tmp_path):
    """The section with these lines, as the client is told."""
    for name in ("first", "next", "proxy"):
        (tmp_path / f"{name}.password").touch(mode=0o600)
        (tmp_path / f"{name}.password").write_text(f"the {name} password")

    def read(lines: str = ""):
        file = tmp_path / "config.ini"
        file.write_text(BASE + lines)
        return read_config(file, {}).vip.client

    return read


def test_little_is_needed(vip):
    settings = vip()
    assert settings.certificate.path.name == "vip.p12"
    assert not settings.certificate.password
    assert (settings.dialect, settings.next_certificate, settings.proxy) == (DialectName.AUTHENTICATION, None, None)


@pytest.mark.parametrize(
    ("lines", "host"),
    [("", "services-auth.vip.symantec.com"), ("dialect = user-services\n", "userservices-auth.vip.symantec.com")],
)
def test_each_dialect_has_its_own_address(vip, lines, host):
    assert VipClient(vip(lines), SYSTEM_CLOCK, SYSTEM_ENTROPY).urls == (f"https://{host}",)


def test_the_next_certificate_has_the_first_ones_password_unless_it_has_its_own(vip):
    first = "password = file:first.password\nnext_certificate = next.p12\n"
    assert vip(first).next_certificate.password.text == "the first password"
    assert vip(first + "next_password = file:next.password\n").next_certificate.password.text == "the next password"


def test_urls_and_proxy_are_told_as_they_stand(vip):
    settings = vip(
        "url = https://a.example.org/\nfallback_urls = https://b.example.org, https://c.example.org\n"
        "proxy = http://proxy.example.org:3128\nproxy_username = dirfactor\nproxy_password = file:proxy.password\n"
    )
    urls = VipClient(settings, SYSTEM_CLOCK, SYSTEM_ENTROPY).urls
    assert urls == ("https://a.example.org", "https://b.example.org", "https://c.example.org")
    assert (settings.proxy.url, settings.proxy.username) == ("http://proxy.example.org:3128", "dirfactor")
    assert "the proxy password" not in repr(settings)


def test_a_dialect_that_does_not_exist_is_told_with_its_line(vip):
    with pytest.raises(ConfigFault, match=r"config.ini:7: \[vip\] dialect"):
        vip("dialect = soap\n")


def test_paths_are_relative_to_the_file(vip, tmp_path):
    assert vip("next_certificate = sub/next.pem\n").next_certificate.path == Path(tmp_path, "sub", "next.pem")
