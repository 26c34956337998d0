"""The client certificate: what cannot work is said when the program starts, and the key leaves no trace."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)

from auth.clock import SYSTEM_ENTROPY
from auth.demo.certificates import Authority, Issued
from auth.vip.certificate import ClientCertificate, open_certificate, tls_context
from auth.vip.settings import CertificateFile
from schema.errors import Fault
from schema.secret import Secret

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
PASSWORD = Secret("a password of the test")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.make("Test Authority", NOW)


@pytest.fixture
def file(tmp_path, authority) -> Path:
    path = tmp_path / "client.p12"
    path.write_bytes(authority.client("Test Account").pkcs12(PASSWORD))
    return path


def open_pkcs12(path: Path, password: Secret, now: datetime) -> ClientCertificate:
    return open_certificate(CertificateFile(path, password), now)


def refusal(path: Path, password: Secret = PASSWORD, now: datetime = NOW) -> str:
    with pytest.raises(Fault) as caught:
        open_pkcs12(path, password, now)
    assert caught.value.remedy
    assert str(path) in caught.value.problem
    assert not password or password.text not in str(caught.value)
    return caught.value.problem


def test_expiry_is_known(file):
    assert open_pkcs12(file, PASSWORD, NOW).expires == NOW + timedelta(days=90)


def test_the_certificate_is_good_until_its_last_second_and_no_longer(file):
    ends = NOW + timedelta(days=90)
    assert open_pkcs12(file, PASSWORD, ends - timedelta(seconds=1)).expires == ends
    assert "expired at 2026-08-30 12:00 UTC" in refusal(file, now=ends)


def test_a_certificate_of_tomorrow_is_refused(file):
    assert "not valid before" in refusal(file, now=NOW - timedelta(days=1))


def test_a_missing_file_is_named(tmp_path):
    assert "cannot be read: No such file" in refusal(tmp_path / "none.p12")


def test_a_wrong_password_is_told_from_a_wrong_file(file, tmp_path, authority):
    assert "password" in refusal(file, Secret("another password"))
    text = tmp_path / "client.txt"
    text.write_bytes(b"neither")
    assert "is neither PKCS#12 nor PEM" in refusal(text)


def pem_file(tmp_path: Path, *parts: bytes) -> Path:
    path = tmp_path / "client.pem"
    path.write_bytes(b"".join(parts))
    return path


def key_of(issued: Issued, password: Secret | None) -> bytes:
    encryption = BestAvailableEncryption(password.octets) if password else NoEncryption()
    return issued.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


@pytest.mark.parametrize("password", [PASSWORD, None])
def test_pem_is_as_good_whether_its_key_is_encrypted_or_not_and_in_any_order(tmp_path, authority, password):
    issued = authority.client("Test Account")
    parts = [authority.certificate.public_bytes(Encoding.PEM), issued.certificate.public_bytes(Encoding.PEM)]
    for order in ([key_of(issued, password), *parts], [*parts, key_of(issued, password)]):
        found = open_pkcs12(pem_file(tmp_path, *order), PASSWORD, NOW)
        assert found.chain == (issued.certificate, authority.certificate)
        assert tls_context(found, None, SYSTEM_ENTROPY).verify_mode is ssl.CERT_REQUIRED


def test_pem_with_a_wrong_password_without_key_or_with_another_certificate_is_refused(tmp_path, authority):
    issued, other = authority.client("Test Account"), authority.client("Another")
    own = issued.certificate.public_bytes(Encoding.PEM)
    assert "password" in refusal(pem_file(tmp_path, key_of(issued, PASSWORD), own), Secret("another password"))
    assert "password" in refusal(pem_file(tmp_path, key_of(issued, PASSWORD), own), Secret(""))
    assert "no private key" in refusal(pem_file(tmp_path, own))
    assert "not its certificate" in refusal(pem_file(tmp_path, key_of(other, None), own))
    assert "not its certificate" in refusal(pem_file(tmp_path, key_of(other, None)))


@pytest.mark.parametrize("damage", [slice(0, 40), slice(0, -1)])
def test_a_truncated_file_is_a_fault(file, damage):
    file.write_bytes(file.read_bytes()[damage])
    refusal(file)


def test_a_certificate_without_its_key_is_refused(file, authority):
    encryption = BestAvailableEncryption(PASSWORD.octets)
    file.write_bytes(pkcs12.serialize_key_and_certificates(None, None, None, [authority.certificate], encryption))
    assert "no private key" in refusal(file)


def test_a_key_without_its_certificate_is_refused(file, authority):
    encryption = BestAvailableEncryption(PASSWORD.octets)
    file.write_bytes(pkcs12.serialize_key_and_certificates(None, authority.key, None, None, encryption))
    assert "not its certificate" in refusal(file)


@pytest.mark.parametrize(
    ("content", "why"), [(None, "No such file"), ("", "no PEM certificate"), ("text", "no PEM certificate")]
)
def test_a_ca_file_that_is_none_is_a_fault(file, tmp_path, content, why):
    ca_file = tmp_path / "ca.pem"
    if content is not None:
        ca_file.write_text(content)
    with pytest.raises(Fault, match=why) as caught:
        tls_context(open_pkcs12(file, PASSWORD, NOW), ca_file, SYSTEM_ENTROPY)
    assert caught.value.remedy


def test_the_server_is_verified_by_name_and_authority_with_tls_1_2_or_later(file):
    context = tls_context(open_pkcs12(file, PASSWORD, NOW), None, SYSTEM_ENTROPY)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_the_key_is_never_readable_in_a_file_and_the_file_is_gone(file, tmp_path, monkeypatch):
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    seen = []
    load = ssl.SSLContext.load_cert_chain

    def spy(self, certfile, keyfile=None, password=None):
        seen.append((Path(certfile).stat().st_mode & 0o777, Path(certfile).read_bytes(), password()))
        return load(self, certfile, keyfile, password)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", spy)
    tls_context(open_pkcs12(file, PASSWORD, NOW), None, SYSTEM_ENTROPY)
    ((mode, pem, password),) = seen
    assert mode == 0o600
    with pytest.raises(TypeError, match="encrypted"):
        load_pem_private_key(pem, None)
    assert password not in pem
    assert list(folder.iterdir()) == []


def test_no_room_for_the_temporary_file_is_a_fault(file, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(Fault, match="no temporary file"):
        tls_context(open_pkcs12(file, PASSWORD, NOW), None, SYSTEM_ENTROPY)


def test_neither_key_nor_password_shows(file):
    certificate = open_pkcs12(file, PASSWORD, NOW)
    assert "PRIVATE" not in repr(certificate)
    assert str(certificate.key.private_numbers().private_value) not in repr(certificate)
