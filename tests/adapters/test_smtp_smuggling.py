"""The last defence: whatever bytes lie in the outbox, one mail leaves as one mail, in lines that every server takes."""

from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes, policy

import pytest

from tests.adapters.ways import SENT, Sinks, outbound, states
from tests.servers.postfix import Postfix
from tests.servers.scripted import Dialog, Scripted
from tests.servers.smtp_sink import SmtpSink
from tests.servers.wait import eventually

HEAD = b"From: sender@example.com\r\nTo: one@example.net\r\nSubject: bait\r\n"
EVIL = b"MAIL FROM:<boss@example.com>\r\nRCPT TO:<victim@example.net>\r\nDATA\r\nSubject: forged\r\n\r\nPay.\r\n.\r\n"
ENDS = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r\n.\r",
    b"\r.\r\n",
    b"\r.\r",
    b"\r.\n",
    b"\n.\r",
    b"\r\n.\r\r\n",
    b"\n\r.\r\n",
    b"\r\r\n.\r\n",
    b"\r\n.\r\n",
    b"\r\n\0.\r\n",
    b"\r\n.\0\r\n",
]
LONG = b"x" * 3000


class Wire:
    """Plays an SMTP server that keeps the bytes between DATA and the end, as they came."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []

    def __call__(self, dialog: Dialog) -> None:
        dialog.send("220 ready")
        while True:
            command = dialog.readline().upper()
            if command == b"DATA":
                self._data(dialog)
            else:
                dialog.send("250-x\r\n250-8BITMIME\r\n250 PIPELINING" if command.startswith(b"EHLO") else "250 OK")

    def _data(self, dialog: Dialog) -> None:
        dialog.send("354 go ahead")
        lines = []
        while (line := dialog.read_raw_line()) != b".\r\n":
            lines.append(line)
        self.mails.append(b"".join(lines))
        dialog.send("250 taken")


def one_mail(raw: bytes) -> bool:
    """Whether every line ends with CRLF and none is a dot."""
    return b"\r" not in raw.replace(b"\r\n", b"") and b"\n" not in raw.replace(b"\r\n", b"") and raw.endswith(b"\r\n")


@pytest.mark.parametrize("end", ENDS)
def test_nothing_but_crlf_leaves_and_no_line_is_a_dot(
    scripted: Callable[..., Scripted], sinks: Sinks, end: bytes
) -> None:
    """RFC 5321 §2.3.8, §4.5.2: every line end is CRLF; a dot at the beginning of a line is doubled."""
    wire = Wire()
    raw = HEAD + b"\r\nHello" + end + EVIL + b"the end" + end
    assert states(sinks(scripted(wire).port).send(outbound(raw=raw))) == [SENT]
    (mail,) = wire.mails
    assert one_mail(mail)
    assert b"\r\n.\r\n" not in mail
    assert not [line for line in mail.split(b"\r\n") if line.startswith(b".") and not line.startswith(b"..")]


@pytest.mark.parametrize("end", ENDS)
def test_smtp_sink_gets_one_mail(smtp_sink: Callable[..., SmtpSink], sinks: Sinks, end: bytes) -> None:
    server = smtp_sink()
    way = sinks(server.smtp)
    for raw in (HEAD + b"\r\nHello" + end + EVIL + end, HEAD + b"\r\nafterwards\r\n"):
        assert states(way.send(outbound(raw=raw))) == [SENT]
    assert sorted(mail.sender for mail in server.received()) == ["sender@example.com"] * 2


def test_postfix_gets_one_mail_of_each_and_the_very_bytes(
    postfix: Callable[..., Postfix], smtp_sink: Callable[..., SmtpSink], sinks: Sinks
) -> None:
    end = smtp_sink()
    relay = postfix(relay_to=end.smtp, options={"smtpd_forbid_bare_newline": "no"})
    way = sinks(relay.smtp)
    for number, bare in enumerate(ENDS):
        raw = b"X-Number: %d\r\n" % number + HEAD + b"\r\nHello" + bare + EVIL + b"end"
        assert states(way.send(outbound(raw=raw))) == [SENT]
    eventually(lambda: relay.log().count("status=sent") == len(ENDS), within=30)
    found = end.received()
    assert [mail.sender for mail in found] == ["sender@example.com"] * len(ENDS)
    for mail in found:
        number = int(mail.raw.partition(b"X-Number: ")[2].partition(b"\r\n")[0])
        body = (b"Hello" + ENDS[number] + EVIL + b"end\n").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        wanted = body.replace(b"\n", b"\r\n")
        assert mail.raw.endswith(b"\r\n\r\n" + wanted) or b"\0" in wanted
    assert "victim" not in relay.log()


@pytest.mark.parametrize("body", [LONG + b"\r\nshort", b"a\0b", b"\0" * 2000, LONG + "Grüße".encode()], ids="abcd")
def test_lines_that_servers_need_not_take_are_encoded(
    scripted: Callable[..., Scripted], sinks: Sinks, body: bytes
) -> None:
    """RFC 5321 §4.5.3.1.6: 1,000 octets with CRLF; RFC 2045 §2.7: without NUL."""
    wire = Wire()
    raw = HEAD + b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + body + b"\r\n"
    assert states(sinks(scripted(wire).port).send(outbound(raw=raw))) == [SENT]
    (mail,) = wire.mails
    assert max(map(len, mail.split(b"\r\n"))) <= 998
    assert b"\0" not in mail
    assert message_from_bytes(mail, policy=policy.SMTP).get_payload(decode=True) == body + b"\r\n"


def test_signed_parts_are_not_touched(scripted: Callable[..., Scripted], sinks: Sinks) -> None:
    """RFC 1847 §2.1: whoever encodes them anew breaks the signature."""
    wire = Wire()
    kind = b'Content-Type: multipart/signed; protocol="application/pgp-signature"; boundary=b\r\n\r\n'
    raw = HEAD + b"MIME-Version: 1.0\r\n" + kind + b"--b\r\n\r\n" + LONG + b"\r\n--b--\r\n"
    assert states(sinks(scripted(wire).port).send(outbound(raw=raw))) == [SENT]
    assert wire.mails == [raw]


def test_hostile_mail_takes_no_more_time_than_its_size(scripted: Callable[..., Scripted], sinks: Sinks) -> None:
    """What looks at each byte of the rest again for each byte takes minutes for 400,000."""
    wire = Wire()
    way = sinks(scripted(wire).port, protocol_timeout=60.0)
    bodies = (b"\r", b"\n", b".\n", b"\n.\r", b" ", b"x" * 997 + b"\r\n")
    for body in bodies:
        raw = HEAD + b"\r\n" + body * (400_000 // len(body))
        assert states(way.send(outbound(raw=raw))) == [SENT]
    assert len(wire.mails) == len(bodies)
