"""Cipher suites by their names, at IANA or in OpenSSL."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable
from functools import cache

# Whatever encrypts and asks for a certificate: the anonymous suites would be TLS with anyone.
_SOUND = "ALL:!aNULL:!PSK:!SRP:@SECLEVEL=0"


def openssl_name(name: str) -> str:
    """OpenSSL's name of a suite: `ECDHE-RSA-AES128-SHA` for `TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA`.

    A name that has no `_WITH_` is OpenSSL's already, as those of TLS 1.3 are. Java says `SSL_` for the oldest.
    """
    found = re.fullmatch(r"(?:TLS|SSL)_(\w+)_WITH_(\w+)", name.upper())
    if found is None:
        return name
    keys, cipher = found[1].replace("_", "-"), found[2]
    cipher = re.sub(r"^(AES|ARIA|CAMELLIA)_", r"\1", cipher).replace("_CBC_", "_").replace("CCM_8", "CCM8")
    cipher = cipher.replace("POLY1305_SHA256", "POLY1305").replace("_", "-")
    if keys == "ECDHE-RSA" and cipher.startswith("ARIA"):
        keys = "ECDHE"
    return cipher if keys == "RSA" else f"{keys}-{cipher}"


def split(names: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those of TLS 1.3, and the older ones, by OpenSSL's names and in their order.

    Raises:
        ValueError: one that cannot be had; the text says which.
    """
    known = _known()
    newest: list[str] = []
    older: list[str] = []
    for name in names:
        found = openssl_name(name)
        if found not in known:
            raise ValueError(f"there is no cipher suite {name} that encrypts and asks for a certificate")
        (newest if known[found] else older).append(found)
    return tuple(newest), tuple(older)


@cache
def _known() -> dict[str, bool]:
    """What this machine's OpenSSL can speak, and whether it is of TLS 1.3."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers(_SOUND)
    return {suite["name"]: suite["protocol"] == "TLSv1.3" for suite in context.get_ciphers()}
