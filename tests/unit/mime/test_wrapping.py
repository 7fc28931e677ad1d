"""What stands for a mail that cannot be taken apart (guide: Handling Unparsable E-Mails)."""

from __future__ import annotations

import pytest

from emaild.message import Attachment, Facts
from emaild.mime.view import facts
from emaild.mime.wrapping import wrapping
from emaild.settings.processing import ProcessingSection

PROCESSING = ProcessingSection(default_domain="support.example.com")


def test_a_wrapping_message_keeps_the_header_and_has_the_mail_as_its_attachment() -> None:
    said = facts(b"From: Ann <a@b.example>\r\nTo: c@d.example\r\nSubject: x\r\nMessage-ID: <1@x>\r\nX-Y: z\r\n\r\nbody")
    found = wrapping(said, "it has more than 1000 parts", 12345, PROCESSING)
    assert (found.sender, found.sender_personal, found.to) == ("a@b.example", "Ann", ("c@d.example",))
    assert (found.subject, found.message_id, found.headers[-1]) == ("x", "<1@x>", ("X-Y", "z"))
    assert found.text.splitlines() == [
        "Error encountered during preprocessing of this message",
        "it has more than 1000 parts",
        "Original Incoming Email is attached to this Email",
    ]
    assert (found.reply, found.quoted, found.html) == (found.text, "", "")
    assert found.attachments == (Attachment(name="Original message.eml", content_type="message/rfc822", size=12345),)
    assert found.wrapped == "it has more than 1000 parts"


@pytest.mark.parametrize("raw", [b"", b"no header at all", b"\0\xff\r\n\r\n"])
def test_where_no_header_can_be_read_subject_and_sender_are_unknown(raw: bytes) -> None:
    found = wrapping(facts(raw), "x", 1, PROCESSING)
    assert (found.subject, found.sender) == ("Unknown subject", "unknown@support.example.com")


def test_a_header_without_a_subject_is_read_though() -> None:
    assert wrapping(facts(b"From: a@b.example\r\n\r\n"), "x", 1, PROCESSING).subject == ""


@pytest.mark.parametrize(
    ("sender", "kept"),
    [
        ("a@b.example", True),
        ('"a b"@c.example', True),
        ("jürg@bücher.example", True),
        ("a@[127.0.0.1]", True),
        ("", False),
        ("MAILER-DAEMON", False),
        ("a@", False),
        ("@b.example", False),
        ("a b@c.example", False),
        ("a@b@c", False),
    ],
)
def test_a_sender_that_is_no_address_is_unknown(sender: str, kept: bool) -> None:
    found = wrapping(Facts(sender=sender), "x", 1, PROCESSING)
    assert found.sender == (sender if kept else "unknown@support.example.com")


def test_the_unknown_sender_is_of_this_machine_where_no_domain_is_set() -> None:
    assert wrapping(Facts(), "x", 1, ProcessingSection()).sender == "unknown@localhost"


def test_a_header_beyond_its_limit_is_wrapped_and_read_as_far_as_it_goes() -> None:
    raw = b"From: a@b.example\r\nSubject: there\r\n" + b"X-Long: " + b"x" * (1 << 21) + b"\r\n\r\nbody"
    found = facts(raw, processing=PROCESSING)
    assert (found.subject, found.sender) == ("there", "a@b.example")
    assert found.wrapped == f"its header is longer than {1 << 20} bytes"
    assert found.attachments[0].size == len(raw)
