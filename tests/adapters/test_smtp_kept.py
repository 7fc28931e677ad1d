"""One SMTP connection for many mails: how it is kept, and how it ends without the loss of a mail."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from emaild.errors import Rejected
from tests.adapters.scripts import Answer, SmtpScript, says
from tests.adapters.ways import FAILED, SENT, WAITING, Sinks, codes, outbound, states
from tests.servers.faulty_smtp import CUT, HOLD, NORMAL, Command, FaultySmtp
from tests.servers.postfix import Postfix
from tests.servers.scripted import Dialog, Gone, Scripted
from tests.servers.smtp_sink import SmtpSink
from tests.servers.wait import eventually


def commands(server: Scripted) -> list[str]:
    """What the clients said, each command with the number of its connection: `1 MAIL`."""
    said = [line.split(" C: ") for line in server.transcript if " C: " in line]
    return [f"{number} {line.split()[0].upper()}" for number, line in said if line.partition(" ")[0].isalpha()]


# Keeping


def test_mails_share_one_connection(
    postfix: Callable[..., Postfix], smtp_sink: Callable[..., SmtpSink], sinks: Sinks
) -> None:
    relay = postfix(relay_to=smtp_sink().smtp)
    way = sinks(relay.smtp)
    for number in range(5):
        assert states(way.send(outbound(f"{number}@example.net"))) == [SENT]
    eventually(lambda: relay.log().count("status=sent") == 5, within=20)
    assert relay.log().count(": connect from") == 1


def test_refused_mail_does_not_cost_the_connection(faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks) -> None:
    replies: dict[Command, list[str]] = {
        "MAIL": ["550 5.7.1 no"],
        "RCPT": ["550 5.1.1 no"],
        "DATA": ["554 5.6.0 no"],
    }
    server = faulty_smtp(replies=replies)
    way = sinks(server.smtp)
    assert [states(way.send(outbound())) for _ in range(4)] == [[FAILED], [FAILED], [FAILED], [SENT]]
    assert server.connections == 1
    assert [command for _, command in server.commands].count("RSET") == 3


def test_connection_that_was_idle_for_long_is_asked_before_use(scripted: Callable[..., Scripted], sinks: Sinks) -> None:
    server = scripted(SmtpScript())
    way = sinks(server.port, cnx_check_idle_time=30.0, cnx_max_idle_time=300.0)
    for idle in (0, 30, 31):
        sinks.clock.advance(idle)
        assert states(way.send(outbound())) == [SENT]
    mail = ["1 MAIL", "1 RCPT", "1 DATA"]
    wanted = ["1 EHLO", *mail, *mail, "1 NOOP", *mail]
    assert [said for said in commands(server) if said.split()[1] in ("EHLO", "MAIL", "RCPT", "DATA", "NOOP")] == wanted


def test_connection_is_closed_when_it_was_idle_for_too_long(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks
) -> None:
    server = faulty_smtp()
    way = sinks(server.smtp, cnx_max_idle_time=300.0)
    assert way.rest() is None
    way.send(outbound())
    sinks.clock.advance(100)
    assert way.rest() == 200
    sinks.clock.advance(200)
    assert way.rest() is None
    assert server.commands[-1] == (1, "QUIT")
    assert states(way.send(outbound())) == [SENT]
    assert server.connections == 2


def test_mail_that_comes_after_too_long_a_pause_finds_a_new_connection(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks
) -> None:
    server = faulty_smtp()
    way = sinks(server.smtp, cnx_max_idle_time=300.0)
    for _ in range(2):
        assert states(way.send(outbound())) == [SENT]
        sinks.clock.advance(300)
    assert [mail.connection for mail in server.mails] == [1, 2]


def test_close_says_good_bye_once_and_never_fails(faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks) -> None:
    server = faulty_smtp()
    way = sinks(server.smtp)
    way.close()
    way.send(outbound())
    way.close()
    way.close()
    assert [command for _, command in server.commands].count("QUIT") == 1
    way.send(outbound())
    server.stop()
    way.close()


# Ending


@pytest.mark.parametrize("farewell", ["", "421 4.4.2 mail.example.com Error: timeout exceeded\r\n"])
def test_mail_survives_that_the_server_closed_the_kept_connection(
    scripted: Callable[..., Scripted], sinks: Sinks, farewell: str
) -> None:
    """It did nothing with the mail, so a new connection may be tried at once; the mail does not wait for a retry."""
    closed = threading.Event()

    def leaves(dialog: Dialog, tag: str, rest: str) -> None:
        if dialog.number > 1:
            dialog.send("250 taken")
            return
        dialog.send_raw(b"250 taken\r\n")
        assert sent.wait(10)
        dialog.send_raw(farewell.encode())
        dialog.close()
        closed.set()
        raise Gone

    sent = threading.Event()
    server = scripted(SmtpScript({".": leaves}))
    way = sinks(server.port)
    assert states(way.send(outbound())) == [SENT]
    sent.set()
    assert closed.wait(10)
    assert states(way.send(outbound())) == [SENT]
    assert server.connections == 2


def test_server_that_does_not_answer_noop_is_connected_anew(scripted: Callable[..., Scripted], sinks: Sinks) -> None:
    server = scripted(SmtpScript({"NOOP": says("421 4.4.2 too late")}))
    way = sinks(server.port)
    assert states(way.send(outbound())) == [SENT]
    sinks.clock.advance(31)
    assert states(way.send(outbound())) == [SENT]
    assert server.connections == 2


BETWEEN = {"RCPT": [NORMAL, "421 4.3.2 bye"]}
AT_LAST = {"RCPT": [NORMAL, NORMAL, "421 4.3.2 bye"]}
AFTER_THE_DOT = {"DATA": ["421 4.3.2 bye"]}


@pytest.mark.parametrize("replies", [BETWEEN, AT_LAST, AFTER_THE_DOT])
def test_server_that_closes_in_the_middle_leaves_all_recipients_waiting(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks, replies: dict[Command, list[str]]
) -> None:
    """RFC 5321 §3.8: 421 may come instead of any answer, and the transaction is void."""
    server = faulty_smtp(replies=replies)
    way = sinks(server.smtp)
    receipts = way.send(outbound("one@x.net", "two@x.net", "three@x.net"))
    assert (states(receipts), codes(receipts)) == ([WAITING] * 3, ["421"] * 3)
    assert receipts[0].text == "4.3.2 bye"
    assert states(way.send(outbound())) == [SENT]
    assert server.connections == 2
    assert len(server.mails) == 1


def test_server_that_closes_at_mail_on_a_new_connection_may_do_so_for_this_sender_alone(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks
) -> None:
    server = faulty_smtp(replies={"MAIL": ["421 4.3.2 bye"]})
    way = sinks(server.smtp)
    receipts = way.send(outbound("one@x.net", "two@x.net"))
    assert (states(receipts), codes(receipts)) == ([WAITING] * 2, ["421"] * 2)
    assert states(way.send(outbound())) == [SENT]
    assert server.connections == 2


@pytest.mark.parametrize("end", ["421 4.7.0 enough mails by this connection", CUT])
def test_server_that_ends_a_kept_connection_at_mail_gets_the_mail_by_a_new_one(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks, end: str
) -> None:
    server = faulty_smtp(replies={"MAIL": [NORMAL, end]})
    way = sinks(server.smtp)
    assert [states(way.send(outbound())) for _ in range(3)] == [[SENT]] * 3
    assert (server.connections, len(server.mails)) == (2, 3)


@pytest.mark.parametrize(
    "reply", ["530 5.7.57 Client not authenticated to send mail", "530 5.7.0 Must issue a STARTTLS command first"]
)
def test_server_that_wants_a_sign_in_before_mail_wants_it_for_any_mail(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks, reply: str
) -> None:
    """RFC 4954 §6, RFC 3207 §4: it is about the session, so no mail is to fail for it."""
    way = sinks(faulty_smtp(replies={"MAIL": [reply]}).smtp)
    with pytest.raises(Rejected, match="MAIL: 530 5"):
        way.send(outbound())
    assert states(way.send(outbound())) == [SENT]


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("fault", [CUT, HOLD])
def test_server_that_hangs_up_or_falls_silent_leaves_all_recipients_waiting(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks, command: Command, fault: str
) -> None:
    """After the final dot nobody can know whether it took the mail: it is sent again, and may arrive twice."""
    server = faulty_smtp(replies={command: [fault]})
    way = sinks(server.smtp, protocol_timeout=0.3)
    begun = time.monotonic()
    receipts = way.send(outbound("one@x.net", "two@x.net"))
    assert time.monotonic() - begun < 5
    assert (states(receipts), codes(receipts)) == ([WAITING] * 2, [""] * 2)
    assert receipts[0].text == "the connection broke before the server answered"
    assert len(server.mails) == (1 if command == "DATA" else 0)
    assert states(way.send(outbound())) == [SENT]
    assert server.connections == 2


def test_answer_that_is_none_ends_the_connection(scripted: Callable[..., Scripted], sinks: Sinks) -> None:
    server = scripted(SmtpScript({"RCPT": says("what do you mean?")}))
    way = sinks(server.port)
    assert [(one.state, one.code) for _ in range(2) for one in way.send(outbound())] == [(WAITING, "")] * 2
    assert server.connections == 2


def test_server_that_hangs_up_while_the_mail_is_on_its_way_leaves_it_waiting(
    scripted: Callable[..., Scripted], sinks: Sinks
) -> None:
    def reads_a_little(dialog: Dialog, tag: str, rest: str) -> None:
        dialog.send("354 go ahead")
        dialog.readline()
        dialog.reset()
        raise Gone

    answers: dict[str, Answer] = {"DATA": reads_a_little}
    way = sinks(scripted(SmtpScript(answers)).port)
    assert states(way.send(outbound(raw=b"X: y\r\n" * 2_000_000))) == [WAITING]
