"""A certificate in words: for whom, by whom, until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from emaild.net.certificate import words

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def made(*hosts: str, subject: str = "", days: int = 10) -> bytes:
    """A certificate (DER) that ends in so many days."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)] if subject else [])
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(
        issuer_name=x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "An Authority")]),
        subject_name=name,
        public_key=key.public_key(),
        serial_number=7,
        not_valid_before=NOW - timedelta(days=400),
        not_valid_after=NOW + timedelta(days=days),
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName(map(x509.DNSName, hosts)), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        (made("a.example"), "certificate for a.example by An Authority, until 2026-03-12 (10 days left)"),
        (made("a.example", days=0), "certificate for a.example by An Authority, until 2026-03-02 (0 days left)"),
        (made("a.example", days=-3), "certificate for a.example by An Authority, until 2026-02-27 (ended 3 days ago)"),
        (made(*"abcd"), "certificate for a, b and 2 more by An Authority, until 2026-03-12 (10 days left)"),
        (made(subject="old.example"), "certificate for old.example by An Authority, until 2026-03-12 (10 days left)"),
        (made(), "certificate for nobody by An Authority, until 2026-03-12 (10 days left)"),
        (b"\x30\x03\x02\x01\x00", "a certificate that cannot be read"),
        (None, ""),
    ],
    ids=["valid", "last-day", "over", "four-names", "by-its-subject", "nobody", "broken", "none"],
)
def test_a_certificate_says_for_whom_it_is_by_whom_and_how_long(encoded: bytes | None, expected: str) -> None:
    assert words(encoded, NOW) == expected
