"""TLS towards the services of others does not depend on the environment, and says what was wrong."""

import ssl

import pytest

from auth.tls import stays_on_this_host, tls_context, tls_problem


def test_session_keys_are_never_written_to_a_file(monkeypatch, tmp_path):
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    assert tls_context(None).keylog_filename is None


def test_certificate_and_name_are_verified_from_tls_1_2_on(ca_file):
    for context in (tls_context(None), tls_context(ca_file)):
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_the_system_is_not_trusted_besides_a_ca_file(ca_file):
    assert len(tls_context(ca_file).get_ca_certs()) == 1


def test_the_cause_in_tls_is_found_through_what_it_led_to():
    inner = ssl.SSLCertVerificationError(1, "no")
    inner.verify_message = "self-signed certificate"
    outer = OSError("cannot connect")
    outer.__cause__ = inner
    assert tls_problem(outer) == "its certificate was not accepted: self-signed certificate"
    assert tls_problem(OSError("refused")) is None
    assert tls_problem(ssl.SSLWantReadError()) is None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1"])
def test_loopback_stays_on_this_host(host):
    assert stays_on_this_host(host)


@pytest.mark.parametrize(
    "host",
    ["", "mail", "mail.example.org", "0.0.0.0", "10.0.0.1", "localhost.example.org", "::"],  # noqa: S104 - names
)
def test_nothing_else_does(host):
    assert not stays_on_this_host(host)
