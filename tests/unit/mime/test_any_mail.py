"""Whatever bytes come as a mail, there are facts of it, and they can be stored."""

from __future__ import annotations

import json
from dataclasses import asdict

from hypothesis import example, given
from hypothesis import strategies as st

from emaild.message import Facts
from emaild.mime.charset import decoded
from emaild.mime.headers import words
from emaild.mime.view import facts

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
mails = st.lists(line, max_size=25).map("\r\n".join)


def said(raw: bytes) -> Facts:
    """The facts of a mail, and that a store can take them."""
    found = facts(raw)
    shown = asdict(found)
    shown["date"] = found.date.isoformat() if found.date else None
    json.dumps(shown, ensure_ascii=False).encode()  # no lone surrogates, which no file, terminal or database takes
    assert not set("\r\n") & set(found.subject + found.sender + "".join(found.to + found.cc))
    assert not any(set("\r\n") & set(attachment.name) for attachment in found.attachments)
    return found


@given(mails)
@example("Content-Type: text/plain; charset=undefined\r\n\r\né")
@example("Content-Disposition: attachment; filename*=undefined''%FF\r\n\r\n")
@example("Subject: =?utf-7?q?+2AA-?=\r\nMessage-ID: <é@x>")
def test_lines_of_any_kind_are_a_mail(text: str) -> None:
    said(text.encode("utf-8", "replace"))
    said(text.encode("latin-1", "replace"))
    said(text.encode("utf-16", "replace"))


@given(st.binary(max_size=400))
def test_bytes_of_any_kind_are_a_mail(raw: bytes) -> None:
    said(raw)
    said(b"Content-Type: text/plain\r\nSubject: " + raw)


@given(st.binary(max_size=60), st.one_of(st.none(), st.sampled_from(CHARSETS), st.text(max_size=12)))
def test_bytes_under_any_label_are_text(content: bytes, label: str | None) -> None:
    decoded(content, label).encode()


@given(st.text(max_size=80))
def test_what_holds_no_encoded_word_stays_as_it_is(text: str) -> None:
    if "=?" not in text:
        assert words(text) == text
