"""Content-Transfer-Encoding (RFC 2045 §6) undone, as far as a body is encoded as it says."""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterator

NO_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))
BASE64_LINE = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
BASE64_TEXT = re.compile(rb"(?:[A-Za-z0-9+/]{60,76}\r?\n)+[A-Za-z0-9+/]{0,76}={0,2}\s*\Z")
LONG_LINE = 40
UNENCODED = ("", "7bit", "8bit", "binary")
BARE_CR = re.compile(rb"\r(?!\n)")
SOFT_BREAK = re.compile(rb"=[ \t]+(?=\r?\n)")
UU_BEGIN = re.compile(rb"begin [0-7]{3,4} ")
UU_LINE = re.compile(rb"[ -`]+")
YENC = bytes((byte - 42) % 256 for byte in range(256))


def unpacked(body: bytes, encoding: str, *, text: bool = False) -> bytes:
    """The decoded body; never fails. *encoding*: its name in lower case.

    What is not encoded as it says stays as it is, and of what is cut off or broken there is as much as can be read.
    A *text* that does not say so, but is base64 from end to end and UTF-8 below it, is decoded as well.
    """
    decode = ENCODINGS.get(encoding)
    if decode is not None:
        return decode(body, text)
    if text and encoding in UNENCODED and BASE64_TEXT.match(body):
        content = b"".join(_blocks(body.translate(None, NO_BASE64)))
        if _is_utf_8(content):
            return content
    return body


def base64(body: bytes, text: bool = False) -> bytes:
    """Bytes from base64, whatever stands between its lines, and what programs append behind it as *text*."""
    try:
        return binascii.a2b_base64(body.translate(None, b"\r\n"), strict_mode=True)
    except ValueError:
        pass
    lines = body.splitlines(keepends=True)
    encoded, end = _encoded_lines(lines)
    first = encoded[0] if encoded else b""
    if len(first) < LONG_LINE and not first.endswith(b"=") and 2 * sum(map(len, encoded)) < len(body.strip()):
        return body
    content = b"".join(_blocks(b"".join(encoded)))
    tail = b"".join(lines[end:])
    return content + b"\n" + tail if text and tail.strip() else content


def _encoded_lines(lines: list[bytes]) -> tuple[list[bytes], int]:
    """The lines that are base64, and where the last of them ends. After another line only those count that are long."""
    encoded: list[bytes] = []
    end, broken = 0, False
    for number, line in enumerate(lines, 1):
        bare = line.strip()
        if not bare:
            continue
        clean = bare.translate(None, NO_BASE64)
        if broken:
            fits = BASE64_LINE.fullmatch(bare) and (len(bare) >= LONG_LINE or bare.endswith(b"="))
        else:
            fits = len(bare) - len(clean) <= len(bare) // 10 and b" " not in bare
        if fits:
            encoded.append(clean)
            end = number
        else:
            broken = True
    return encoded, end


def _blocks(encoded: bytes) -> Iterator[bytes]:
    """Padding ends a block, of which several may follow one another; what is left of a byte is dropped."""
    for block in encoded.split(b"="):
        yield binascii.a2b_base64(block[: len(block) - (len(block) % 4 == 1)] + b"==")


def _quoted_printable(body: bytes, text: bool) -> bytes:
    """Lines that end in CR alone are lines too; after `=` the library would drop all to the next LF."""
    if body.count(b"\r") != body.count(b"\r\n"):
        body = BARE_CR.sub(b"\n", body.replace(b"\r\r\n", b"\r\n"))
    return binascii.a2b_qp(SOFT_BREAK.sub(b"=", body) if b"= " in body or b"=\t" in body else body)


def _uuencode(body: bytes, text: bool) -> bytes:
    """uuencode (POSIX) from its `begin` line, which may be missing, to its end or its first line that is none."""
    lines = body.splitlines()
    begin = next((number for number, line in enumerate(lines, 1) if UU_BEGIN.match(line)), 0)
    content = bytearray()
    for line in lines[begin:]:
        size = (line[0] - 32 & 63) if line else 0
        length = 1 + (size * 4 + 2) // 3
        if not size or not UU_LINE.fullmatch(line) or (not begin and len(line) < length):
            break
        content += binascii.a2b_uu(line[:length])
    return bytes(content) or body


def _yenc(body: bytes, text: bool) -> bytes:
    """yEnc 1.3, one file of it: from after its `=ybegin` and `=ypart` lines to `=yend`, or to where it is cut off."""
    _, found, rest = body.partition(b"=ybegin ")
    if not found:
        return body
    lines = rest.splitlines()[1:]
    content = bytearray()
    for line in lines:
        if line.startswith(b"=yend"):
            break
        if not line.startswith(b"=ypart"):
            first, *escaped = line.split(b"=")
            content += first.translate(YENC)
            for piece in escaped:
                content += bytes([(piece[0] - 106) % 256]) if piece else b""
                content += piece[1:].translate(YENC)
    return bytes(content)


def _is_utf_8(content: bytes) -> bool:
    try:
        return not re.search(r"[\0-\x08\x0e-\x1f]", content.decode("utf-8"))
    except ValueError:
        return False


ENCODINGS: dict[str, Callable[[bytes, bool], bytes]] = {
    "base64": base64,
    "quoted-printable": _quoted_printable,
    **dict.fromkeys(("x-uuencode", "uuencode", "x-uue", "uue"), _uuencode),
    **dict.fromkeys(("x-yencode", "x-yenc", "yenc"), _yenc),
}
"""By their names in lower case; what is none of them (7bit, 8bit, binary) stands as it is."""
