"""Small real files for the demo's mails to carry: a PDF and a PNG that viewers open."""

from __future__ import annotations

import struct
import zlib


def pdf(*lines: str) -> bytes:
    """Return a PDF 1.4 of one A5 page that shows *lines*: Latin-1 without brackets and backslashes."""
    text = " T* ".join(f"({line}) Tj" for line in lines).encode("latin-1")
    page = b"BT /F1 11 Tf 16 TL 40 540 Td " + text + b" ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 420 595] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(page), page),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    file = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"  # bytes above 127, so that nobody takes it for text (§7.5.2)
    places = b"0000000000 65535 f \n"
    for number, content in enumerate(objects, 1):
        places += b"%010d 00000 n \n" % len(file)
        file += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    count = len(objects) + 1
    end = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, len(file))
    return file + b"xref\n0 %d\n" % count + places + end


def png(width: int, height: int, red: int, green: int, blue: int) -> bytes:
    """Return a PNG of one colour, its parts from 0 to 255."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    size_and_rgb = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    row = b"\0" + bytes((red, green, blue)) * width  # each row starts with its filter, none
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", size_and_rgb)
        + chunk(b"IDAT", zlib.compress(row * height))
        + chunk(b"IEND", b"")
    )
