"""A server's certificate in words."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import NameOID


def words(encoded: bytes | None, now: datetime) -> str:
    """For whom it is (DER), who signed it, when it ends and how long that is from *now*; empty where there is none."""
    if not encoded:
        return ""
    try:
        found = x509.load_der_x509_certificate(encoded)
        names, issuer, ends = _names(found), _name(found.issuer), found.not_valid_after_utc
    except ValueError:  # OpenSSL takes more than this parser does
        return "a certificate that cannot be read"
    days = (ends - now).days
    left = f"{days} days left" if days >= 0 else f"ended {-days} days ago"
    return f"certificate for {names} by {issuer}, until {ends:%Y-%m-%d} ({left})"


def _names(found: x509.Certificate) -> str:
    """The host names, which are what counts (RFC 9525 §2); else the subject."""
    try:
        alternative = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension):
        return _name(found.subject)
    hosts = alternative.get_values_for_type(x509.DNSName)
    more = f" and {len(hosts) - 2} more" if len(hosts) > 2 else ""
    return ", ".join(hosts[:2]) + more or _name(found.subject)


def _name(name: x509.Name) -> str:
    """The common name, or whatever it has."""
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME) or name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return str(common[0].value) if common else name.rfc4514_string() or "nobody"
