"""The certificate that an application proves itself with, and the key files of service accounts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from emaild.net.loading import loaded
from emaild.settings.secret import Secret

LONGEST_FILE = 1 << 20


@dataclass(frozen=True)
class ApplicationCertificate:
    """Certificate and key as PEM; `ends` is its last moment."""

    certificate: str
    key: Secret
    ends: datetime


def certificate_ends(path: Path) -> datetime:
    """The last moment of a certificate.

    Raises:
        ValueError: the file holds none.
    """
    ends: datetime = _certificate(path, _read(path)).not_valid_after_utc
    return ends


def read_certificate(certificate: Path, key: Path | None, password: Secret | None) -> ApplicationCertificate:
    """The certificate of those files.

    Raises:
        ValueError: they cannot be used; the text names the option and says why.
    """
    rsa: Any = loaded("cryptography.hazmat.primitives.asymmetric.rsa")
    serialization: Any = loaded("cryptography.hazmat.primitives.serialization")
    shown, kept = _read(certificate), _read(key or certificate)
    found = _certificate(certificate, shown)
    try:
        private = serialization.load_pem_private_key(kept, password.reveal().encode() if password else None)
    except Exception as error:  # ValueError, TypeError, and cryptography's own
        wrong = "or application-key-password is not its" if password else "or one that needs application-key-password"
        raise ValueError(f"application-key: {key or certificate} holds no private key (PEM), {wrong}") from error
    if private.public_key() != found.public_key():
        raise ValueError("application-key: it is not the key of application-certificate")
    if not isinstance(private, rsa.RSAPrivateKey):
        raise ValueError("application-certificate: its key is not RSA, which Microsoft demands")
    plain = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return ApplicationCertificate(
        shown.decode("ascii", "replace"), Secret(plain.decode(), literal=False), found.not_valid_after_utc
    )


def read_service_account(path: Path) -> dict[str, Any]:
    """The key file of a service account, as Google's console gives it.

    Raises:
        ValueError: it cannot be used; the text says why.
    """
    try:
        found = json.loads(_read(path))
    except (RecursionError, json.JSONDecodeError, UnicodeDecodeError):
        found = None
    needed = ("client_email", "private_key", "token_uri")
    if not isinstance(found, dict) or not all(isinstance(found.get(name), str) for name in needed):
        raise ValueError(f"service-account-file: {path} is not the key file (JSON) of a service account")
    return found


def _certificate(path: Path, content: bytes) -> Any:
    x509: Any = loaded("cryptography.x509")
    try:
        return x509.load_pem_x509_certificate(content)
    except ValueError as error:
        raise ValueError(f"application-certificate: {path} holds no certificate (PEM)") from error


def _read(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(LONGEST_FILE)
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from error
