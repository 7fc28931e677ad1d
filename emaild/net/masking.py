"""Secrets out of what a server says: as they are, escaped, or within base64."""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Iterable, Iterator
from html import unescape
from urllib.parse import quote_plus

from emaild.settings.secret import MASK, Secret

LEAST_INSIDE = 4  # characters of base64 that are a secret's own; fewer are found in any words

_ESCAPES = tuple(
    re.compile(escapes, re.IGNORECASE)
    for escapes in (
        rb"%[0-9a-f]{2}",
        rb"&(?:#[0-9]{1,7}|#x[0-9a-f]{1,6}|amp|lt|gt|quot|apos);",
        rb"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|\\u[0-9a-f]{4}|\\[\"/\\bfnrt]",
    )
)
_END_OF_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]*={0,2}")
_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-")
_FOR_URLS = bytes.maketrans(b"+/", b"-_")

Span = tuple[int, int]


def masked(text: str, secrets: Iterable[Secret]) -> str:
    """*text* with a mask where it repeats one of *secrets*; to be called before the text is cut.

    Found are the secret itself, percent-encoded, escaped as XML and JSON do, and in base64, alone or within a longer
    message as those of SASL and HTTP Basic. Takes a time that grows with the length of the text.
    """
    known = {_octets(secret.reveal()) for secret in secrets} - {b""}
    if not known:
        return text
    data = _octets(text)
    spans = list(_found(data, known))
    for escapes in _ESCAPES:
        plain, places = _unescaped(data, escapes)
        spans += [(places[start], places[end]) for start, end in _found(plain, known)]
    return _covered(data, sorted(spans)) if spans else text


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _found(data: bytes, known: Iterable[bytes]) -> Iterator[Span]:
    for secret in known:
        for form in {secret, quote_plus(secret).encode()}:
            yield from _places(data, form)
        for form in _in_base64(secret):
            last = 0
            for start, end in _places(data, form):
                if start >= last:
                    last = _END_OF_BASE64.match(data, end).end()  # type: ignore[union-attr]  # it matches anything
                    yield _start_of_base64(data, start), last


def _places(data: bytes, form: bytes) -> Iterator[Span]:
    start = data.find(form)
    while start >= 0:
        yield start, start + len(form)
        start = data.find(form, start + len(form))


def _in_base64(secret: bytes) -> set[bytes]:
    """All of it alone, and what is the secret's own wherever it stands in a message (RFC 4648 §4, §5)."""
    forms = {base64.b64encode(secret)}
    for before in range(3):
        size = before + len(secret)
        encoded = base64.b64encode(bytes(before) + secret)
        inside = encoded[(0, 2, 3)[before] : 4 * (size // 3) + size % 3]
        forms |= {inside} if len(inside) >= LEAST_INSIDE else set()
    return forms | {form.translate(_FOR_URLS) for form in forms}


def _start_of_base64(data: bytes, start: int) -> int:
    while start and data[start - 1] in _BASE64:
        start -= 1
    return start


def _unescaped(data: bytes, escapes: re.Pattern[bytes]) -> tuple[bytes, list[int]]:
    """What it is without these escapes, and where each octet of that, and its end, come from; nothing: it has none."""
    parts, places, last = [], [], 0
    for escape in escapes.finditer(data):
        octets = _octet_of(escape[0])
        parts += [data[last : escape.start()], octets]
        places += [*range(last, escape.start()), *[escape.start()] * len(octets)]
        last = escape.end()
    if not parts:
        return b"", []
    return b"".join((*parts, data[last:])), [*places, *range(last, len(data) + 1)]


def _octet_of(escape: bytes) -> bytes:
    if escape.startswith(b"%"):
        return bytes.fromhex(escape[1:].decode())
    text = escape.decode()
    if number := re.fullmatch(r"&#(x?)([0-9a-f]+);", text, re.IGNORECASE):  # unescape() knows better than the number
        code = int(number[2], 16 if number[1] else 10)
        return _octets(chr(code)) if code <= sys.maxunicode else escape
    return _octets(unescape(text) if text.startswith("&") else json.loads(f'"{text}"'))


def _covered(data: bytes, spans: Iterable[Span]) -> str:
    parts, last = [], 0
    for start, end in spans:
        if start >= last:
            parts += [data[last:start], MASK.encode()]
        last = max(last, end)
    return b"".join((*parts, data[last:])).decode("utf-8", "replace")
