"""Signing what goes out (DKIM, RFC 6376; Ed25519: RFC 8463), over the very bytes that leave."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from functools import cached_property
from hashlib import sha256

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from emaild.clock import Clock
from emaild.errors import Rejected
from emaild.settings.dkim import USUAL_HEADERS, SigningOptions, signing_key

FIELDS = re.compile(rb"\r\n(?![ \t])")
BLANKS = re.compile(rb"[ \t]+")
FOLD = b"\r\n\t"
WIDTH = 72  # characters of a folded line


class Signer:
    """Signs for one domain. *where* is the way's server, for errors."""

    def __init__(self, options: SigningOptions, clock: Clock, where: str) -> None:
        self._options = options
        self._clock = clock
        self._where = where

    def signed(self, raw: bytes) -> bytes:
        """The mail, whose line ends are CRLF, with a DKIM-Signature above it; all else stays byte for byte.

        Raises:
            Rejected: the key is no good, and so no mail may go out.
        """
        try:
            return self._field(raw) + raw
        except (ValueError, UnsupportedAlgorithm) as error:
            raise Rejected(self._where, "sign (DKIM)", str(error)) from error

    @cached_property
    def _key(self) -> RSAPrivateKey | Ed25519PrivateKey:
        """Read once, for that takes longer than to sign."""
        if self._options.dkim_key is None:
            raise ValueError("dkim-key is missing")
        return signing_key(self._options.dkim_key)

    def _field(self, raw: bytes) -> bytes:
        options, key = self._options, self._key
        header, _, body = raw.partition(b"\r\n\r\n")
        names, chosen = _chosen(header, options.dkim_headers or USUAL_HEADERS)
        algorithm = b"ed25519" if isinstance(key, Ed25519PrivateKey) else b"rsa"
        unsigned = FOLD.join(
            (
                b"DKIM-Signature: v=1; a=" + algorithm + b"-sha256; c=relaxed/relaxed;",
                b"d=" + options.dkim_domain.lower().encode() + b";",
                b"s=" + options.dkim_selector.encode() + b"; t=%d;" % self._clock.now().timestamp(),
                b"h=" + (b":" + FOLD).join(names) + b";",
                b"bh=" + b64encode(sha256(_relaxed_body(body)).digest()) + b";",
                b"b=",
            )
        )
        content = b"".join((*chosen, _relaxed(unsigned).removesuffix(b"\r\n")))
        if isinstance(key, Ed25519PrivateKey):
            signature = key.sign(sha256(content).digest())
        else:
            signature = key.sign(content, PKCS1v15(), SHA256())
        encoded = b64encode(signature)
        lines = (encoded[at : at + WIDTH] for at in range(0, len(encoded), WIDTH))
        return unsigned + FOLD.join(lines) + b"\r\n"


def _chosen(header: bytes, wanted: Sequence[str]) -> tuple[list[bytes], list[bytes]]:
    """The names for h= and the fields that they mean, the last of a name first (RFC 6376 §5.4.2).

    Each name stands there once more than there are fields, so that none can be added (§8.15).
    """
    found: dict[bytes, list[bytes]] = {}
    for field in FIELDS.split(header):
        found.setdefault(_name(field), []).append(field)
    names: list[bytes] = []
    chosen: list[bytes] = []
    for name in {name.lower(): name.encode() for name in wanted}.values():
        fields = found.get(name.lower(), [])
        names += [name] * (len(fields) + 1)
        chosen += map(_relaxed, reversed(fields))
    return names, chosen


def _name(field: bytes) -> bytes:
    return field.partition(b":")[0].strip().lower()


def _relaxed(field: bytes) -> bytes:
    """A field in canonical form (RFC 6376 §3.4.2)."""
    value = field.partition(b":")[2].replace(b"\r\n", b"")
    return _name(field) + b":" + BLANKS.sub(b" ", value).strip(b" ") + b"\r\n"


def _relaxed_body(body: bytes) -> bytes:
    """A body in canonical form (RFC 6376 §3.4.4)."""
    single = BLANKS.sub(b" ", body) if b"\t" in body or b"  " in body else body
    text = single.replace(b" \r\n", b"\r\n").rstrip(b"\r\n")
    return text + b"\r\n" if text else b""
