"""JavaMail's properties of SMTP, each as the server sees it."""

from __future__ import annotations

import time
from collections.abc import Callable
from email import message_from_bytes, policy
from threading import Event
from typing import Any

import pytest

from emaild.errors import Busy, Rejected, Unreachable
from emaild.message import Receipt
from emaild.settings.properties import Notify, Return, SessionProperties, SmtpProperties
from tests.adapters.scripts import Answer, SmtpScript, cuts, says, stays_silent
from tests.adapters.ways import FAILED, SENDER, SENT, WAITING, Sinks, codes, outbound, said, states
from tests.said import Said
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.postfix import Postfix
from tests.servers.scripted import Dialog, Gone, Scripted
from tests.servers.smtp_sink import SmtpSink
from tests.servers.wait import eventually

UMLAUTS = (
    b"From: sender@example.com\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n"
)
BOUNCES = "bounces@example.com"


# Names and senders


@pytest.mark.parametrize(
    ("smtp", "session", "sender"),
    [
        (BOUNCES, "other@example.com", BOUNCES),
        (f"Bounces <{BOUNCES}>", "", BOUNCES),
        ("", BOUNCES, BOUNCES),
        ("", "", SENDER),
        ("<>", "", ""),
    ],
)
def test_envelope_sender_is_the_one_of_the_section(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks, smtp: str, session: str, sender: str
) -> None:
    server = faulty_smtp()
    way = sinks(server.smtp, smtp=SmtpProperties(from_=smtp), session=SessionProperties(from_=session))
    assert states(way.send(outbound())) == [SENT]
    assert [mail.sender for mail in server.mails] == [sender]


def test_null_sender_is_never_replaced(faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks) -> None:
    """RFC 5321 §4.5.5: a notification that had a sender could be answered by another, for ever."""
    server = faulty_smtp()
    given = {"smtp": SmtpProperties(from_=BOUNCES), "session": SessionProperties(from_=BOUNCES)}
    assert states(sinks(server.smtp, **given).send(outbound(sender=""))) == [SENT]
    assert [mail.sender for mail in server.mails] == [""]


def test_name_in_ehlo_is_the_one_of_the_section(faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks) -> None:
    server = faulty_smtp()
    sinks(server.smtp, smtp=SmtpProperties(localhost="out.example.com")).send(outbound())
    assert server.commands[0] == (1, "EHLO out.example.com")


def test_without_ehlo_there_is_helo_at_once_and_no_extension(scripted: Callable[..., Scripted], sinks: Sinks) -> None:
    server = scripted(SmtpScript({"EHLO": says("250-x", "250-SIZE 1000", "250 DSN")}))
    properties = SmtpProperties(ehlo=False, localhost="out.example.com", dsn_ret=Return.FULL, mailextension="XTEST=1")
    assert states(sinks(server.port, smtp=properties).send(outbound())) == [SENT]
    assert said(server)[:2] == ["HELO out.example.com", f"MAIL FROM:<{SENDER}> XTEST=1"]


def test_refused_helo_is_busy(scripted: Callable[..., Scripted], sinks: Sinks) -> None:
    server = scripted(SmtpScript({"HELO": says("550 who?")}))
    with pytest.raises(Busy, match="greet: 550 who"):
        sinks(server.port, smtp=SmtpProperties(ehlo=False)).send(outbound())


# What MAIL and RCPT say beside the address


@pytest.mark.parametrize(
    ("properties", "extensions", "mail"),
    [
        ({"submitter": "e=mc2@example.com"}, "AUTH PLAIN", " AUTH=e+3Dmc2@example.com"),
        ({"submitter": "jörg +1@example.com"}, "AUTH PLAIN", " AUTH=j+C3+B6rg+20+2B1@example.com"),
        ({"submitter": "e=mc2@example.com"}, "DSN", " ENVID={id}"),
        ({"dsn_ret": Return.HEADERS}, "DSN", " RET=HDRS ENVID={id}"),
        ({"dsn_ret": Return.HEADERS}, "AUTH PLAIN", ""),
        ({"mailextension": "XVERP=+= X-Other"}, "HELP", " XVERP=+= X-Other"),
        ({"mailextension": "envid=mine"}, "DSN", " envid=mine"),
    ],
)
def test_mail_says_what_the_server_knows(
    scripted: Callable[..., Scripted], sinks: Sinks, properties: dict[str, Any], extensions: str, mail: str
) -> None:
    """AUTH=: RFC 4954 §5, whose example this is, and xtext of RFC 3461 §4; RET= and ENVID=: RFC 3461 §4.3 and §4.4."""
    given = outbound()
    server = scripted(SmtpScript({"EHLO": says("250-x", f"250 {extensions}")}))
    assert states(sinks(server.port, smtp=SmtpProperties(**properties)).send(given)) == [SENT]
    wanted = f"MAIL FROM:<{SENDER}>{mail.format(id=given.id)}"
    assert [line for line in said(server) if line.startswith("MAIL")] == [wanted]


@pytest.mark.parametrize(("extension", "notify"), [("DSN", " NOTIFY=SUCCESS,DELAY"), ("HELP", "")])
def test_each_recipient_says_when_to_notify(
    scripted: Callable[..., Scripted], sinks: Sinks, extension: str, notify: str
) -> None:
    """RFC 3461 §4.1."""
    server = scripted(SmtpScript({"EHLO": says("250-x", f"250 {extension}")}))
    properties = SmtpProperties(dsn_notify=(Notify.SUCCESS, Notify.DELAY))
    assert states(sinks(server.port, smtp=properties).send(outbound("one@x.net", "two@x.net"))) == [SENT] * 2
    wanted = [f"RCPT TO:<one@x.net>{notify}", f"RCPT TO:<two@x.net>{notify}"]
    assert [line for line in said(server) if line.startswith("RCPT")] == wanted


def test_postfix_understands_what_is_asked_of_notifications(
    postfix: Callable[..., Postfix], smtp_sink: Callable[..., SmtpSink], sinks: Sinks
) -> None:
    """And passes it on."""
    end = smtp_sink()
    properties = SmtpProperties(dsn_notify=(Notify.FAILURE,), dsn_ret=Return.HEADERS)
    given = outbound()
    assert states(sinks(postfix(relay_to=end.smtp).smtp, smtp=properties).send(given)) == [SENT]
    (mail,) = eventually(end.received, within=20)
    assert {"RET=HDRS", f"ENVID={given.id}"} <= set(mail.options)


@pytest.mark.parametrize("properties", [{"mailextension": "X=1\r\nRSET"}, {"mailextension": "X=ü"}, {"from_": "a\nb"}])
def test_what_no_command_can_carry_stops_the_way_and_not_the_mail(
    scripted: Callable[..., Scripted], sinks: Sinks, properties: dict[str, Any]
) -> None:
    server = scripted(SmtpScript())
    with pytest.raises(Rejected, match=r"mail\.smtp\.from or mailextension"):
        sinks(server.port, smtp=SmtpProperties(**properties)).send(outbound())
    assert server.connections == 0


def test_eight_bits_are_never_sent_where_they_are_not_allowed(smtp_sink: Callable[..., SmtpSink], sinks: Sinks) -> None:
    server = smtp_sink()
    assert states(sinks(server.smtp, smtp=SmtpProperties(allow8bitmime=False)).send(outbound(raw=UMLAUTS))) == [SENT]
    (mail,) = server.received()
    assert mail.raw.isascii()
    assert not [option for option in mail.options if "BODY" in option]
    assert message_from_bytes(mail.raw, policy=policy.SMTP).get_content().strip() == "Grüße"


# Recipients


def test_mail_that_one_recipient_may_not_get_goes_to_nobody(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks
) -> None:
    refuse = {"gone@x.net": "550 5.1.1 No such user", "full@x.net": "452 4.2.2 Mailbox full"}
    server = faulty_smtp(refuse=refuse)
    way = sinks(server.smtp, smtp=SmtpProperties(sendpartial=False))
    reason = "sent to nobody, for the server refused gone@x.net: 5.1.1 No such user"
    assert way.send(outbound("one@x.net", "full@x.net", "gone@x.net")) == [
        Receipt(address="one@x.net", state=FAILED, code="550", text=reason),
        Receipt(address="full@x.net", state=FAILED, code="550", text=reason),
        Receipt(address="gone@x.net", state=FAILED, code="550", text="5.1.1 No such user"),
    ]
    assert states(way.send(outbound("one@x.net", "full@x.net"))) == [WAITING, WAITING]
    assert server.mails == []
    assert states(way.send(outbound("one@x.net", "two@x.net"))) == [SENT, SENT]
    assert [command for _, command in server.commands].count("RSET") == 2
    assert server.connections == 1


def test_recipients_beyond_the_servers_limit_wait(faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks) -> None:
    """RFC 5321 §4.5.3.1.10: 552 at RCPT is 452, once a recipient was accepted; before, the mailbox is full for good."""
    full = "552 5.5.3 too many"
    server = faulty_smtp(refuse={"first@x.net": full, "three@x.net": full})
    receipts = sinks(server.smtp).send(outbound("first@x.net", "one@x.net", "three@x.net"))
    assert (states(receipts), codes(receipts)) == ([FAILED, SENT, WAITING], ["552", "250", "452"])
    assert [mail.recipients for mail in server.mails] == [("one@x.net",)]


def test_accepted_recipients_are_logged_with_the_servers_words(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks
) -> None:
    server = faulty_smtp(refuse={"gone@x.net": "550 5.1.1 No such user"})
    mail = outbound("one@x.net", "gone@x.net", "two@x.net")
    said = Said()
    sinks(server.smtp, smtp=SmtpProperties(reportsuccess=True)).send(mail)
    found = [(one["recipient"], one["reply"], one["outbound"]) for one in said.all("outbound.recipient_accepted")]
    assert found == [("one@x.net", "250 2.1.5 OK", mail.id), ("two@x.net", "250 2.1.5 OK", mail.id)]


@pytest.mark.parametrize(("reports", "reply"), [(False, "250 2.0.0 OK"), (True, "451 4.3.0 later")])
def test_nothing_is_reported_unasked_nor_of_a_mail_that_was_not_taken(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks, reports: bool, reply: str
) -> None:
    said = Said()
    sinks(faulty_smtp(replies={"DATA": [reply]}).smtp, smtp=SmtpProperties(reportsuccess=reports)).send(outbound())
    assert said.names == []


# The connection


@pytest.mark.parametrize(
    ("properties", "command", "answer", "connections"),
    [
        ({}, "NOOP", says("250 OK"), 1),
        ({}, "NOOP", says("502 5.5.1 what?"), 2),
        ({"noop_strict": False}, "NOOP", says("502 5.5.1 what?"), 1),
        ({"noop_strict": False}, "NOOP", says("421 4.4.2 bye"), 2),
        ({"noop_strict": False}, "NOOP", stays_silent, 2),
        ({"noop_strict": False}, "NOOP", cuts, 2),
        ({"userset": True}, "RSET", says("250 OK"), 1),
        ({"userset": True}, "RSET", says("451 4.3.0 no"), 2),
        ({"userset": True, "noop_strict": False}, "RSET", says("451 4.3.0 no"), 1),
    ],
)
def test_sign_of_life_is_the_one_that_the_section_asks_for(
    scripted: Callable[..., Scripted],
    sinks: Sinks,
    properties: dict[str, Any],
    command: str,
    answer: Answer,
    connections: int,
) -> None:
    server = scripted(SmtpScript({command: answer}))
    way = sinks(server.port, smtp=SmtpProperties(**properties), protocol_timeout=0.5)
    assert states(way.send(outbound())) == [SENT]
    sinks.clock.advance(31)
    assert states(way.send(outbound())) == [SENT]
    assert server.connections == connections
    asked = [line for line in said(server) if line in ("NOOP", "RSET")]
    assert asked == [command]


@pytest.mark.parametrize(("wait", "fastest", "slowest"), [(True, 1.0, 10.0), (False, 0.0, 1.0)])
def test_answer_to_quit_is_waited_for_or_not(
    scripted: Callable[..., Scripted], sinks: Sinks, wait: bool, fastest: float, slowest: float
) -> None:
    server = scripted(SmtpScript({"QUIT": stays_silent}))
    way = sinks(server.port, smtp=SmtpProperties(quitwait=wait))
    way.send(outbound())
    begun = time.monotonic()
    way.close()
    assert fastest <= time.monotonic() - begun < slowest
    eventually(lambda: said(server)[-1] == "QUIT")


@pytest.mark.parametrize("greeting", ["554 5.3.2 no service here", "421 4.3.2 overloaded"])
@pytest.mark.parametrize("quits", [True, False])
def test_server_that_turns_us_away_hears_quit_if_the_section_says_so(
    scripted: Callable[..., Scripted], sinks: Sinks, greeting: str, quits: bool
) -> None:
    gone = Event()

    def turns_away(dialog: Dialog) -> None:
        try:
            SmtpScript({"greeting": says(greeting)})(dialog)
        except Gone:
            gone.set()

    server = scripted(turns_away)
    with pytest.raises(Busy, match=f"connect: {greeting}"):
        sinks(server.port, smtp=SmtpProperties(quitonsessionreject=quits)).send(outbound())
    assert gone.wait(5)
    assert said(server) == (["QUIT"] if quits else [])


def trickles(dialog: Dialog, tag: str, rest: str) -> None:
    """Say a byte each 100 ms, for far longer than the tests below wait for the whole."""
    gone = Event()
    for octet in b"250 " + b"and so on " * 8:
        gone.wait(0.1)
        dialog.send_raw(bytes([octet]))
    dialog.send("")


@pytest.mark.parametrize("step", ["greeting", "EHLO"])
def test_server_that_trickles_an_answer_is_given_up_in_time(
    scripted: Callable[..., Scripted], sinks: Sinks, step: str
) -> None:
    """Each byte comes in time, but the whole must."""
    begun = time.monotonic()
    with pytest.raises(Unreachable, match="timed out"):
        sinks(scripted(SmtpScript({step: trickles})).port, protocol_timeout=0.5).send(outbound())
    assert 0.5 <= time.monotonic() - begun < 5


def test_mail_that_is_answered_in_a_trickle_waits(scripted: Callable[..., Scripted], sinks: Sinks) -> None:
    begun = time.monotonic()
    receipts = sinks(scripted(SmtpScript({".": trickles})).port, protocol_timeout=0.5).send(outbound())
    assert (states(receipts), codes(receipts)) == ([WAITING], [""])
    assert 0.5 <= time.monotonic() - begun < 5
