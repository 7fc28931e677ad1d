"""RTF as Outlook packs it: the examples of its specifications, and what is broken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaild.mime.rtf import MOST, decompressed, said

HELLO = bytes.fromhex(
    "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
)  # MS-OXRTFCP §3.2.1
CROSSING = bytes.fromhex("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0")  # MS-OXRTFCP §3.2.2


@pytest.mark.parametrize(
    ("packed", "rtf"),
    [
        (HELLO, b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"),
        (CROSSING, b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"),
        (bytes(8) + b"MELA" + bytes(4) + b"{\\rtf1 plain}", b"{\\rtf1 plain}"),
        (bytes(8) + b"none" + bytes(4) + b"{\\rtf1 plain}", b""),
        (b"", b""),
        (HELLO[:16], b""),
    ],
)
def test_what_is_compressed_is_read(packed: bytes, rtf: bytes) -> None:
    assert decompressed(packed) == rtf


@given(st.binary(max_size=300))
def test_compressed_bytes_of_any_kind_do_no_harm(packed: bytes) -> None:
    decompressed(HELLO[:16] + packed)
    said(packed)
    said(b"{\\rtf1\\fromhtml1 " + packed)


def test_a_reference_to_what_was_never_written_ends_it() -> None:
    assert decompressed(HELLO[:16] + b"\x02a" + (3000 << 4).to_bytes(2, "big") + b"bcd") == b"a"


def test_what_is_read_of_it_is_bounded() -> None:
    assert MOST - 1000 < len(decompressed(HELLO[:16] + b"\0xxxxxxxx" * (MOST // 7))) <= MOST


@pytest.mark.parametrize(
    ("rtf", "text"),
    [
        (rb"{\rtf1\ansi hello\par world}", "hello\nworld"),
        (rb"{\rtf1{\fonttbl{\f0 Arial;}}{\colortbl;\red0;}\f0\fs20 text}", "text"),
        (rb"{\rtf1\ansicpg1252 Gr\'fc\'dfe}", "Grüße"),
        (rb"{\rtf1\ansicpg1251 \'cf\'f0\'e8\'e2\'e5\'f2}", "Привет"),
        (rb"{\rtf1\ansicpg932 \'93\'fa\'96\'7b}", "日本"),
        (rb"{\rtf1\uc1 \u8364?5 \u26085\'3f}", "€5 日"),
        (rb"{\rtf1\uc0 \u8364 5}", "€5"),
        (rb"{\rtf1 a\tab b\line c\~d\{e\}\\}", "a\tb\nc\xa0d{e}\\"),
        (rb"{\rtf1 {\*\generator Riched20;}{\info{\title No}}{\pict 0102}yes}", "yes"),
        (b"{\\rtf1 one\r\ntwo}", "onetwo"),
        (rb"{\rtf1 {\bin5 {{{{{}x}", "x"),
        (rb"}}}{\rtf1 a", "a"),
        (rb"\u99999999999999 \bin-5 \uc-1 \ansicpg99999 a\'zz", None),
    ],
)
def test_the_text_of_rtf_is_read(rtf: bytes, text: str | None) -> None:
    found, html = said(rtf)
    assert html == ""
    assert text is None or found == text


def test_the_html_that_rtf_was_made_from_is_read() -> None:
    """MS-OXRTFEX §2.1.3: tags stand in groups of their own, what is for RTF alone between htmlrtf marks."""
    rtf = (
        rb"{\rtf1\ansi\ansicpg1252\fromhtml1 {\*\htmltag64 <p>}\htmlrtf {\b \htmlrtf0 one \'e4"
        rb"\htmlrtf }\htmlrtf0 {\*\htmltag72 </p>}{\*\mhtmltag8 <no>}\htmlrtf \par \htmlrtf0 {\*\htmltag84 &nbsp;}}"
    )
    assert said(rtf) == ("", "<p>one ä</p>&nbsp;")


@pytest.mark.timeout(30)
@pytest.mark.parametrize("piece", [b"{", b"}", b"\\", b"\\u", b"\\'", b"\\u1 ", b"a", b"\\*", b"{\\*\\x "])
def test_very_long_rtf_takes_no_time(piece: bytes) -> None:
    """The test's time limit is the assertion: what takes the square of its length takes minutes."""
    assert isinstance(said(piece * (300_000 // len(piece)))[0], str)
