"""What goes over the wire by SMTP: the very bytes, in the form that the server says it can take."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email import message_from_bytes, policy

import pytest

from emaild.render.finished import adopt, has_long_line
from tests.adapters.scripts import SmtpScript
from tests.adapters.ways import FAILED, SENT, Sinks, codes, outbound, states
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.mails import generated
from tests.servers.postfix import Postfix
from tests.servers.scripted import Scripted
from tests.servers.smtp_sink import SmtpSink

HEAD = b"From: sender@example.com\r\nTo: one@example.net\r\nMIME-Version: 1.0\r\n"
UMLAUTS = (
    HEAD + b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n"
)
RAW_SUBJECT = HEAD + b"Subject: Gr\xfc\xdfe\r\n\r\n8 bits in the header, where no encoding reaches\r\n"


# The bytes


def test_mails_arrive_byte_for_byte(faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks) -> None:
    """Among them 8-bit ones, lines that begin with a dot and lines that are one (RFC 5321 §4.5.2)."""
    server = faulty_smtp()
    way = sinks(server.smtp)
    raws = [mail.raw for mail in generated(80, seed=31, largest=60_000) if not has_long_line(mail.raw)]
    raws.append(b"Subject: dots\r\n\r\n.\r\n..\r\n.x\r\n\r\n.\r\n")
    assert [states(way.send(outbound(raw=raw))) for raw in raws] == [[SENT]] * len(raws)
    assert [mail.content for mail in server.mails] == raws
    assert server.connections == 1


def test_mails_arrive_byte_for_byte_at_postfixs_own_sink(smtp_sink: Callable[..., SmtpSink], sinks: Sinks) -> None:
    server = smtp_sink()
    way = sinks(server.smtp)
    raws = [mail.raw for mail in generated(30, seed=32, largest=30_000) if not has_long_line(mail.raw)]
    assert [states(way.send(outbound(raw=raw))) for raw in raws] == [[SENT]] * len(raws)
    assert sorted(server.mails()) == sorted(raws)


def test_mail_without_a_last_line_end_gets_one(faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks) -> None:
    server = faulty_smtp()
    sinks(server.smtp).send(outbound(raw=b"Subject: no end\r\n\r\nHello"))
    assert [mail.content for mail in server.mails] == [b"Subject: no end\r\n\r\nHello\r\n"]


@pytest.mark.parametrize(
    "end",
    [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r\n.\r", b"\r.\r\n", b"\r.\r", b"\r\n.\r\r\n", b"\n\r.\r\n", b"\r\n.\r\n"],
)
def test_no_mail_can_smuggle_another(faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks, end: bytes) -> None:
    """RFC 5321 §2.3.8: a bare CR or LF is no line end, but some servers take it for one, and so end the mail early."""
    evil = b"MAIL FROM:<boss@example.com>\r\nRCPT TO:<victim@example.net>\r\nDATA\r\nSubject: forged\r\n\r\nPay."
    given = b"From: a@example.com\nTo: one@example.net\nSubject: bait\n\nHello" + end + evil + end
    mail = adopt(given, now=datetime(2026, 1, 1, tzinfo=UTC), domain="")
    server = faulty_smtp()
    way = sinks(server.smtp)
    assert states(way.send(outbound(*mail.recipients, raw=mail.raw, sender=mail.sender))) == [SENT]
    assert states(way.send(outbound())) == [SENT]
    (content, _) = [one.content for one in server.mails]
    assert content.replace(b"\r\n", b"").translate(None, b"\r\n") == content.replace(b"\r\n", b"")
    assert [one.sender for one in server.mails] == ["a@example.com", "sender@example.com"]
    assert b"MAIL FROM:<boss@example.com>" in content


# What the server can take


def test_eight_bit_mail_is_declared(faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks) -> None:
    """RFC 6152 §2."""
    server = faulty_smtp()
    assert states(sinks(server.smtp).send(outbound(raw=UMLAUTS))) == [SENT]
    (mail,) = server.mails
    assert (mail.content, [option for option in mail.options if "BODY" in option]) == (UMLAUTS, ["BODY=8BITMIME"])


def test_seven_bit_mail_needs_no_declaration(faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks) -> None:
    server = faulty_smtp()
    sinks(server.smtp).send(outbound())
    assert not [option for option in server.mails[0].options if "BODY" in option]


def test_eight_bit_mail_is_encoded_anew_for_a_server_that_takes_seven(
    smtp_sink: Callable[..., SmtpSink], sinks: Sinks
) -> None:
    """RFC 6152 §3: convert, or return it."""
    server = smtp_sink(options=["-8"])
    assert states(sinks(server.smtp).send(outbound(raw=UMLAUTS))) == [SENT]
    (mail,) = server.received()
    assert mail.raw.isascii()
    assert not [option for option in mail.options if "BODY" in option]
    assert message_from_bytes(mail.raw, policy=policy.SMTP).get_content().strip() == "Grüße"


def test_eight_bit_mail_that_cannot_be_encoded_fails_without_an_offer(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks
) -> None:
    server = faulty_smtp(eight_bit=False)
    receipts = sinks(server.smtp).send(outbound("one@x.net", "two@x.net", raw=RAW_SUBJECT))
    assert (states(receipts), codes(receipts)) == ([FAILED] * 2, ["554"] * 2)
    assert receipts[0].text == "5.6.3 the mail is 8-bit and the server has no 8BITMIME"
    assert not [command for _, command in server.commands if command.startswith("MAIL")]


def test_mail_above_the_servers_size_fails_before_it_is_sent(
    postfix: Callable[..., Postfix], smtp_sink: Callable[..., SmtpSink], sinks: Sinks
) -> None:
    """RFC 1870 §6.1: a client need not try."""
    relay = postfix(relay_to=smtp_sink().smtp, message_size_limit=20_000)
    way = sinks(relay.smtp)
    receipts = way.send(outbound("one@x.net", "two@x.net", raw=b"X: y\r\n" * 4_000))
    assert (states(receipts), codes(receipts)) == ([FAILED] * 2, ["552"] * 2)
    assert receipts[0].text == "5.3.4 the mail has 24000 bytes, the server takes 20000 at most"
    assert states(way.send(outbound(raw=b"X: y\r\n" * 3_000))) == [SENT]
    assert relay.log().count(": connect from") == 1


def test_size_is_declared_of_what_is_really_sent(faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks) -> None:
    """Encoding anew makes a mail larger, perhaps too large."""
    binary = UMLAUTS + "Grüße\r\n".encode() * 2_000
    server = faulty_smtp(eight_bit=False, size_limit=100_000)
    assert states(sinks(server.smtp).send(outbound(raw=binary))) == [SENT]
    assert server.mails[0].options[0] == f"SIZE={len(server.mails[0].content)}"
    small = faulty_smtp(eight_bit=False, size_limit=len(binary) + 1)
    assert codes(sinks(small.smtp).send(outbound(raw=binary))) == ["552"]


@pytest.mark.parametrize(("sender", "recipient"), [("jörg@example.com", "one@x.net"), ("a@example.com", "jörg@x.net")])
def test_address_beyond_ascii_needs_smtputf8(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks, sender: str, recipient: str
) -> None:
    """RFC 6531 §3.4."""
    mail = outbound("plain@x.net", recipient, sender=sender)
    old, new = faulty_smtp(), faulty_smtp(utf8=True)
    receipts = sinks(old.smtp).send(mail)
    assert (states(receipts), codes(receipts)) == ([FAILED] * 2, ["553"] * 2)
    assert receipts[0].text == "5.6.7 an address is not ASCII and the server has no SMTPUTF8"
    assert not [command for _, command in old.commands if command.startswith("MAIL")]
    assert states(sinks(new.smtp).send(mail)) == [SENT, SENT]
    assert (new.mails[0].sender, new.mails[0].recipients) == (sender, ("plain@x.net", recipient))
    assert "SMTPUTF8" in new.mails[0].options


@pytest.mark.parametrize("utf8", [True, False])
def test_domain_beyond_ascii_goes_as_its_a_label(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks, utf8: bool
) -> None:
    """RFC 5891 §5: every server takes that, so SMTPUTF8 is not needed."""
    server = faulty_smtp(utf8=utf8)
    receipts = sinks(server.smtp).send(outbound("one@bücher.example", sender="ann@jörg.example"))
    assert (states(receipts), receipts[0].address) == ([SENT], "one@bücher.example")
    (mail,) = server.mails
    assert (mail.sender, mail.recipients) == ("ann@xn--jrg-sna.example", ("one@xn--bcher-kva.example",))
    assert "SMTPUTF8" not in mail.options


def test_domain_that_has_no_a_label_needs_smtputf8(faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks) -> None:
    (receipt,) = sinks(faulty_smtp().smtp).send(outbound("one@" + "ü" * 70 + ".example"))
    assert (receipt.state, receipt.code, receipt.status) == (FAILED, "553", "5.6.7")


def test_raw_utf8_in_the_header_needs_smtputf8(faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks) -> None:
    """RFC 6531 §3.1; known before the first command."""
    raw = HEAD + "Subject: Grüße\r\n\r\nHello\r\n".encode()
    old, new = faulty_smtp(), faulty_smtp(utf8=True)
    (receipt,) = sinks(old.smtp).send(outbound(raw=raw))
    assert (receipt.state, receipt.code) == (FAILED, "553")
    assert receipt.text == "5.6.7 its header is not ASCII and the server has no SMTPUTF8"
    assert not [command for _, command in old.commands if command.startswith("MAIL")]
    assert states(sinks(new.smtp).send(outbound(raw=raw))) == [SENT]
    assert "SMTPUTF8" in new.mails[0].options
    assert new.mails[0].content == raw


def test_header_in_another_charset_goes_as_eight_bits_as_ever(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks
) -> None:
    """No extension announces it, and servers take it."""
    server = faulty_smtp()
    assert states(sinks(server.smtp).send(outbound(raw=RAW_SUBJECT))) == [SENT]
    assert (server.mails[0].content, "SMTPUTF8" in server.mails[0].options) == (RAW_SUBJECT, False)


@pytest.mark.parametrize("address", ["a@b\r\nRSET", "a@b\n", "a\0@b", "a@b\u2028c"])
def test_address_that_holds_a_line_end_fails_before_the_first_command(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks, address: str
) -> None:
    server = faulty_smtp(utf8=True)
    way = sinks(server.smtp)
    for mail in (outbound("one@x.net", address), outbound(sender=address)):
        receipts = way.send(mail)
        assert {(one.state, one.status) for one in receipts} == {(FAILED, "5.1.3")}
    assert not [command for _, command in server.commands if command.startswith(("MAIL", "RSET"))]


@pytest.mark.parametrize("size", ["²", "9" * 5000, "-1", "1e3", "0", ""])
def test_size_that_is_no_number_of_bytes_limits_nothing(
    scripted: Callable[..., Scripted], sinks: Sinks, size: str
) -> None:
    """RFC 1870 §3: up to 20 digits; 0 and nothing are no limit."""
    ehlo = b"250-x\r\n250 SIZE " + size.encode("latin-1")
    server = scripted(SmtpScript({"EHLO": lambda dialog, tag, rest: dialog.send(ehlo)}))
    assert states(sinks(server.port).send(outbound())) == [SENT]
