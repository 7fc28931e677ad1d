"""How a mail is read where `mail.mime.*` wants it otherwise: the same bytes, other facts."""

from __future__ import annotations

import base64

import pytest

from emaild.message import Facts
from emaild.mime.view import facts
from emaild.settings.properties import MimeProperties


def lines(*given: str) -> bytes:
    return "\r\n".join(given).encode()


def both(raw: bytes, **otherwise: object) -> tuple[Facts, Facts]:
    """The facts as they are read by default, and with the properties given."""
    return facts(raw), facts(raw, MimeProperties(**otherwise))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "anywhere", "apart"),
    [
        ("x=?utf-8?q?a?=y", "xay", "x=?utf-8?q?a?=y"),
        ('"=?utf-8?q?a?="', '"a"', '"=?utf-8?q?a?="'),
        ("=?utf-8?q?a?==?utf-8?q?b?=", "ab", "=?utf-8?q?a?==?utf-8?q?b?="),
        ("=?utf-8?q?a b?=", "a b", "=?utf-8?q?a b?="),
        ("=?utf-8?q?a?=, b", "a, b", "=?utf-8?q?a?=, b"),
        ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab", "ab"),
        ("x =?utf-8?q?a?=\r\n =?utf-8?q?b?= y", "x ab y", "x ab y"),
        ("(=?utf-8?q?a?=) (x =?utf-8?q?b?=)", "(a) (x b)", "(a) (x b)"),
    ],
)
def test_strictly_encoded_words_count_between_white_space_or_edges_of_comments(
    written: str, anywhere: str, apart: str
) -> None:
    """RFC 2047 §5 (1) and (2); §2: no white space inside."""
    raw = lines(f"Subject: {written}", "", "")
    assert [found.subject for found in both(raw, decodetext_strict=True)] == [anywhere, apart]


def test_strictly_an_encoded_word_inside_a_file_name_stays_too() -> None:
    raw = lines('Content-Disposition: attachment; filename="x=?utf-8?q?a?="', "", "x")
    assert [found.attachments[0].name for found in both(raw, decodetext_strict=True)] == ["xa", "x=?utf-8?q?a?="]


@pytest.mark.parametrize(
    "line", ['Content-Disposition: attachment; filename="{}"', 'Content-Type: application/x; name="{}"']
)
def test_encoded_words_in_file_names_may_stay(line: str) -> None:
    written = "=?utf-8?q?Gr=C3=BC=C3=9Fe?="
    raw = lines(f"Subject: {written}", line.format(written), "", "x")
    decoded, kept = both(raw, decodefilename=False)
    assert [decoded.attachments[0].name, kept.attachments[0].name] == ["Grüße", written]
    assert kept.subject == "Grüße"


def test_a_file_name_by_rfc_2231_is_decoded_though_encoded_words_stay() -> None:
    raw = lines("Content-Disposition: attachment; filename*=utf-8''Gr%C3%BC%C3%9Fe", "", "x")
    assert facts(raw, MimeProperties(decodefilename=False)).attachments[0].name == "Grüße"


@pytest.mark.parametrize(
    ("parameters", "decoded", "plain"),
    [
        ("filename*=utf-8''Gr%C3%BC%C3%9Fe", "Grüße", "part-1.pdf"),
        ("filename*0=a; filename*1=b", "ab", "part-1.pdf"),
        ("filename=a%41.txt", "a%41.txt", "a%41.txt"),
        ('x="; filename=no"; FileName="a\\\\b;c"', "b;c", "b;c"),
        ("filename=a.txt ; x=y", "a.txt", "a.txt"),
    ],
)
def test_parameters_may_be_taken_as_they_stand(parameters: str, decoded: str, plain: str) -> None:
    raw = lines("Content-Type: application/pdf", f"Content-Disposition: attachment; {parameters}", "", "x")
    assert [found.attachments[0].name for found in both(raw, decodeparameters=False)] == [decoded, plain]


def test_a_charset_for_what_declares_none_is_used_where_it_is_not_utf_8() -> None:
    content = "Größe".encode("windows-1252")
    otherwise, meant = both(b"Subject: " + content + b"\r\n\r\n" + content, charset="koi8-r")
    assert meant.subject == meant.text == content.decode("koi8-r")
    assert otherwise.subject == otherwise.text == "Größe"
    assert facts(b"\r\n" + "Привет".encode(), MimeProperties(charset="koi8-r")).text == "Привет"


@pytest.mark.parametrize(
    ("label", "meant"),
    [("iso-8859-1", "é"), ("x-unknown", "И"), ("us-ascii", "é")],
)
def test_a_declared_charset_goes_before_the_one_for_what_declares_none(label: str, meant: str) -> None:
    raw = f"Content-Type: text/plain; charset={label}\r\n\r\n".encode() + b"\xe9"
    assert facts(raw, MimeProperties(charset="koi8-r")).text == meant


INNER = b"Subject: inner\r\n\r\nbody"
PARTS = ("--real", "", "one", "--real", "Content-Type: text/html", "", "two", "--real--", "end")


def rewritten(named: str, *body: str) -> bytes:
    """A multipart whose header something on its way has changed."""
    return lines(f"Content-Type: multipart/mixed{named}", "", *body)


def test_a_boundary_that_no_longer_fits_is_found_in_the_body() -> None:
    raw = rewritten("; boundary=other", "preamble -- dashes", "-- ", "-----", *PARTS)
    for found in both(raw, multipart_ignoreexistingboundaryparameter=True):
        assert (found.text.splitlines()[0], found.html, found.attachments) == ("one", "two", ())


def test_a_boundary_that_fits_counts_though_another_line_looks_like_one() -> None:
    raw = rewritten("; boundary=real", "--not this", *PARTS, "--not this--")
    named, first = both(raw, multipart_ignoreexistingboundaryparameter=True)
    assert (named.text.splitlines()[0], named.html) == ("one", "two")
    assert first.html == ""


@pytest.mark.parametrize("named", ["", "; boundary=", "; x=y"])
def test_a_boundary_that_is_not_named_is_always_found_in_the_body(named: str) -> None:
    found = facts(rewritten(named, *PARTS))
    assert (found.text.splitlines()[0], found.html) == ("one", "two")


def test_a_line_of_white_space_may_end_a_header() -> None:
    raw = lines("Subject: one", " \t", "To: a@b.c", "", "body")
    goes_on, ended = both(raw, ignorewhitespacelines=True)
    assert (goes_on.to, goes_on.text) == (("a@b.c",), "body")
    assert (ended.subject, ended.to, ended.text) == ("one", (), "To: a@b.c\n\nbody")


def test_a_line_of_white_space_may_end_the_header_of_a_part() -> None:
    raw = rewritten("; boundary=b", "--b", "Content-Type: text/html", "   ", "To: x", "--b--")
    goes_on, ended = both(raw, ignorewhitespacelines=True)
    assert (goes_on.html, ended.html) == ("", "To: x")


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_a_header_ends_at_an_empty_line_whatever_ends_lines(end: str) -> None:
    raw = f"Subject: one two{end}To: a@b.c{end}{end}body: x{end}{end}y".encode()
    for found in both(raw, ignorewhitespacelines=True):
        assert (found.subject, found.to) == ("one two", ("a@b.c",))
        assert found.text.splitlines() == ["body: x", "", "y"]


@pytest.mark.parametrize(
    ("encoding", "encoded"),
    [
        ("base64", base64.encodebytes(b"Subject: inner\r\n\r\nbody")),
        ("quoted-printable", b"Subject: inner=0D=0A\r\nbody"),
    ],
)
def test_an_enclosed_mail_that_is_encoded_against_the_rules_is_decoded_or_not(encoding: str, encoded: bytes) -> None:
    """RFC 2046 §5.2.1 allows it no encoding."""
    head = f"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode()
    decoded, kept = both(head + encoded, allowencodedmessages=False)
    assert [found.attachments[0].size for found in (decoded, kept)] == [
        len(b"Subject: inner\r\n\r\nbody"),
        len(encoded),
    ]


def test_what_is_no_mail_is_decoded_though_an_enclosed_mail_is_not() -> None:
    raw = lines("Content-Transfer-Encoding: base64", "", "R3I=")
    assert facts(raw, MimeProperties(allowencodedmessages=False)).text == "Gr"
