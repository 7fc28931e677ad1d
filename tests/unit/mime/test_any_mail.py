"""Whatever bytes come as a mail, there are facts of it, and they can be stored."""

from __future__ import annotations

import json
from dataclasses import asdict

from hypothesis import example, given
from hypothesis import strategies as st

from emaild.message import Facts
from emaild.mime.charset import decoded
from emaild.mime.view import facts
from emaild.mime.words import words
from emaild.settings.properties import MimeProperties

FIELDS = ["From", "To", "Cc", "Subject", "Date", "Message-ID", "References", "Content-Type", "Content-ID"]
FIELDS += ["Content-Disposition", "Content-Transfer-Encoding", "MIME-Version"]
CHARSETS = ["utf-8", "us-ascii", "utf-7", "utf-16", "idna", "punycode", "undefined", "unicode_escape", "hex", "x", "ü"]
PIECES = [
    "multipart/mixed; boundary=b", "multipart/mixed", "message/rfc822", "message/partial", "text/plain; charset=",
    "text/html", "attachment; filename=", "; filename*0*=utf-8''%FF", "; name*=x'y'z", "base64", "quoted-printable",
    "x-uuencode", "8bit", "=?utf-8?q?=C3?=", "=?utf-8?b?AA?=", "=?utf-7?q?+2AA-?=", "<a@b>", '"', "\\", "(", ",", ";",
    ":", "a@b.c", "Mon, 02 Mar 2026 09:30:00 +0000", "\t", "\r\n ", "\x00", "é", "\u2028", *CHARSETS,
]  # fmt: skip

value = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=6).map("".join)
header = st.builds("{}: {}".format, st.sampled_from(FIELDS), value)
line = st.one_of(
    header, st.sampled_from(["", "", "--b", "--b--", "begin 644 x", "end", "R3LDvMOfZQ", "=ZZ", "From x"]), value
)
reading = st.builds(
    MimeProperties,
    charset=st.sampled_from(["", "koi8-r", "utf-16"]),
    decodetext_strict=st.booleans(),
    decodefilename=st.booleans(),
    decodeparameters=st.booleans(),
    multipart_ignoreexistingboundaryparameter=st.booleans(),
    ignorewhitespacelines=st.booleans(),
    allowencodedmessages=st.booleans(),
)
mails = st.lists(line, max_size=25).map("\r\n".join)


def said(raw: bytes, way: MimeProperties) -> Facts:
    """The facts of a mail, and that a store can take them."""
    found = facts(raw, way)
    shown = asdict(found)
    shown["date"] = found.date.isoformat() if found.date else None
    json.dumps(shown, ensure_ascii=False).encode()  # no lone surrogates, which no file, terminal or database takes
    assert not set("\r\n") & set(found.subject + found.sender + "".join(found.to + found.cc))
    assert not any(set("\r\n") & set(attachment.name) for attachment in found.attachments)
    return found


@given(mails, reading)
@example("Content-Type: text/plain; charset=undefined\r\n\r\né", MimeProperties())
@example("Content-Disposition: attachment; filename*=undefined''%FF\r\n\r\n", MimeProperties())
@example("Subject: =?utf-7?q?+2AA-?=\r\nMessage-ID: <é@x>", MimeProperties(decodetext_strict=True))
def test_lines_of_any_kind_are_a_mail(text: str, way: MimeProperties) -> None:
    said(text.encode("utf-8", "replace"), way)
    said(text.encode("latin-1", "replace"), way)
    said(text.encode("utf-16", "replace"), way)


@given(st.binary(max_size=400), reading)
def test_bytes_of_any_kind_are_a_mail(raw: bytes, way: MimeProperties) -> None:
    said(raw, way)
    said(b"Content-Type: text/plain\r\nSubject: " + raw, way)


@given(st.binary(max_size=60), st.one_of(st.none(), st.sampled_from(CHARSETS), st.text(max_size=12)))
def test_bytes_under_any_label_are_text(content: bytes, label: str | None) -> None:
    decoded(content, label).encode()


@given(st.text(max_size=80))
def test_what_holds_no_encoded_word_stays_as_it_is(text: str) -> None:
    if "=?" not in text:
        assert words(text) == words(text, strict=True) == text
