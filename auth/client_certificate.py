"""The names that a client certificate is known by, once TLS has proved it. Pure."""

from cryptography import x509
from cryptography.x509.oid import NameOID


def names_of(certificate: bytes) -> tuple[str, ...]:
    """What an access node's dirfactorCertificateName may say of this certificate.

    The DNS names, or without any the common name (RFC 6125 section 6.4.4 has them in this order), and the whole subject
    as RFC 4514 writes it.

    Args:
        certificate: as DER.
    """
    known = x509.load_der_x509_certificate(certificate)
    try:
        extension = known.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = extension.value.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        names = []
    if not names:
        names = [str(item.value) for item in known.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    subject = known.subject.rfc4514_string()
    return (*names, *([subject] if subject else []))
