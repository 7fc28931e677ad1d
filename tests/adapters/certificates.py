"""Certificates of servers that are not as they should be, and servers that show or want them."""

from __future__ import annotations

import datetime
import ssl
import warnings
from dataclasses import replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, NameOID

from tests.servers.authority import Authority

DAY = datetime.timedelta(days=1)
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])


def shown(
    authority: Authority, folder: Path, *, begin: datetime.timedelta = -DAY / 2, host: str = "", by_itself: bool = False
) -> Authority:
    """The authority whose server, with the usual key, shows a certificate for the day that starts *begin* from now.

    *host* instead of the usual names; *by_itself*: it is signed with its own key.
    """
    usual = x509.load_pem_x509_certificate(authority.cert_file.read_bytes())
    signer = authority.key_file if by_itself else authority.ca_file.with_name("ca.key")
    key = serialization.load_pem_private_key(signer.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    since = datetime.datetime.now(datetime.UTC) + begin
    other = x509.SubjectAlternativeName([x509.DNSName(host)])
    builder = x509.CertificateBuilder(
        issuer_name=NAME if by_itself else usual.issuer,
        subject_name=NAME,
        public_key=usual.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=since,
        not_valid_after=since + DAY,
        extensions=[
            x509.Extension(other.oid, one.critical, other) if host and one.oid == other.oid else one
            for one in usual.extensions
            if not (by_itself and one.oid == ExtensionOID.AUTHORITY_KEY_IDENTIFIER)
        ],
    )
    file = folder / f"{builder._serial_number}.pem"
    file.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return replace(authority, cert_file=file)


def locked(key_file: Path, folder: Path, password: str) -> Path:
    """The key in a file that needs a password."""
    key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    form, pem = serialization.PrivateFormat.PKCS8, serialization.Encoding.PEM
    file = folder / "locked.key"
    file.write_bytes(key.private_bytes(pem, form, serialization.BestAvailableEncryption(password.encode())))
    return file


class Chain(Authority):
    """Its server sends the authority's own certificate, too."""

    def server_context(self) -> ssl.SSLContext:
        both = self.cert_file.with_name("chain.pem")
        both.write_bytes(self.cert_file.read_bytes() + self.ca_file.read_bytes())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(both, self.key_file)
        return context


class Demanding(Authority):
    """Its server lets in only who shows a certificate of it."""

    def server_context(self) -> ssl.SSLContext:
        context = super().server_context()
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(self.ca_file)
        return context


class Old(Authority):
    """Its server speaks nothing newer than TLS 1.1."""

    def server_context(self) -> ssl.SSLContext:
        context = super().server_context()
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        return context


def of_kind(kind: type[Authority], authority: Authority) -> Authority:
    """The same files."""
    return kind(authority.ca_file, authority.cert_file, authority.key_file, authority.other_ca_file)
