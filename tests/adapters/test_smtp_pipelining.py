"""PIPELINING (RFC 2920): commands in groups, answers in order, and a connection that is right afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from emaild.errors import Rejected
from emaild.message import Outbound
from emaild.settings.properties import SmtpProperties
from tests.adapters.scripts import Answer, SmtpScript, says
from tests.adapters.ways import FAILED, SENT, WAITING, Sinks, Way, codes, outbound, said, states
from tests.servers.faulty_smtp import CUT, HOLD, NORMAL, Command, FaultySmtp
from tests.servers.postfix import Postfix
from tests.servers.scripted import Dialog, Gone, Scripted
from tests.servers.smtp_sink import SmtpSink

OFFERED = says("250-x", "250 PIPELINING")
PEOPLE = ("one@x.net", "two@x.net", "three@x.net")
ALL_OR_NOBODY = SmtpProperties(sendpartial=False)


class Batch:
    """Plays a server that answers nothing before it has read as many commands as there are answers."""

    def __init__(self, *answers: str, after: Sequence[str] = ()) -> None:
        self.answers = answers
        self.after = list(after)
        self.alone: list[bool] = []

    def __call__(self, dialog: Dialog) -> None:
        dialog.send("220 ready")
        dialog.readline()
        OFFERED(dialog, "", "")
        for _ in self.answers:
            dialog.readline()
        self.alone.append(not dialog.has_more())
        dialog.send_raw("".join(f"{answer}\r\n" for answer in self.answers).encode())
        for answer in self.after:
            if answer.startswith("354"):
                dialog.send(answer)
                continue
            list(iter(dialog.readline, b".")) if answer.startswith("end ") else dialog.readline()
            dialog.send(answer.removeprefix("end "))
        dialog.wait_for_end()


def commands(server: Scripted) -> list[str]:
    """The first words of what the clients said."""
    return [line.split(" ")[0] for line in said(server) if line]


# Groups


@pytest.mark.parametrize("people", [PEOPLE[:1], PEOPLE])
def test_envelope_and_data_go_out_at_once(
    scripted: Callable[..., Scripted], sinks: Sinks, people: tuple[str, ...]
) -> None:
    """RFC 2920 §3.1: DATA may only be the last of a group."""
    script = Batch("250 sender", *(f"250 {one}" for one in people), "354 go ahead", after=["end 250 taken"])
    server = scripted(script)
    receipts = sinks(server.port).send(outbound(*people))
    assert [(one.state, one.text) for one in receipts] == [(SENT, "taken")] * len(people)
    assert script.alone == [True]
    assert commands(server)[:-4] == ["EHLO", "MAIL", *["RCPT"] * len(people), "DATA"]


def each_alone(dialog: Dialog, tag: str, rest: str) -> None:
    """Take a command that must have come without another."""
    assert not dialog.has_more()
    dialog.send("250 OK")


@pytest.mark.parametrize(("offered", "given"), [(says("250 x"), {}), (OFFERED, {"pipelining": False})])
def test_each_command_waits_where_pipelining_is_not_offered_or_not_wanted(
    scripted: Callable[..., Scripted], sinks: Sinks, offered: Answer, given: dict[str, Any]
) -> None:
    server = scripted(SmtpScript({"EHLO": offered, "MAIL": each_alone, "RCPT": each_alone}))
    assert states(sinks(server.port, **given).send(outbound(*PEOPLE))) == [SENT] * 3


def test_data_waits_where_one_refusal_keeps_the_mail_from_all(scripted: Callable[..., Scripted], sinks: Sinks) -> None:
    script = Batch("250 sender", "250 one", "550 5.1.1 two", "250 three", after=["250 reset", "250 noop"])
    server = scripted(script)
    receipts = sinks(server.port, smtp=ALL_OR_NOBODY).send(outbound(*PEOPLE))
    assert states(receipts) == [FAILED] * 3
    assert receipts[0].text == "sent to nobody, for the server refused two@x.net: 5.1.1 two"
    assert (script.alone, commands(server)[1:6]) == ([True], ["MAIL", "RCPT", "RCPT", "RCPT", "RSET"])


def test_data_does_not_wait_for_a_single_recipient(scripted: Callable[..., Scripted], sinks: Sinks) -> None:
    script = Batch("250 sender", "250 one", "354 go ahead", after=["end 250 taken"])
    assert states(sinks(scripted(script).port, smtp=ALL_OR_NOBODY).send(outbound())) == [SENT]


def test_answers_belong_to_recipients_in_order(scripted: Callable[..., Scripted], sinks: Sinks) -> None:
    many = ("250-2.1.0 sender\r\n250 ok", "450 4.2.0 one", "250 two", "550 5.1.1 three", "354 go ahead")
    receipts = sinks(scripted(Batch(*many, after=["end 250 2.0.0 taken"])).port).send(outbound(*PEOPLE))
    assert [(one.code, one.text) for one in receipts] == [
        ("450", "4.2.0 one"),
        ("250", "2.0.0 taken"),
        ("550", "5.1.1 three"),
    ]


# Answers that were not hoped for, and what the connection is good for afterwards


def used_again(way: Way, server: Scripted) -> bool:
    """Whether the next mail is sent on the same connection."""
    return states(way.send(outbound())) == [SENT] and server.connections == 1


@pytest.mark.parametrize(
    ("envelope", "wanted"),
    [
        (["550 5.7.1 no", "503 5.5.1 no sender", "503 5.5.1 no recipient"], ("550", "5.7.1 no")),
        (["250 ok", "550 5.1.1 no such user", "554 5.5.1 no valid recipients"], ("550", "5.1.1 no such user")),
        (["250 ok", "452 4.2.2 full", "503 5.5.1 no valid recipients"], ("452", "4.2.2 full")),
        (["250 ok", "250 ok", "451 4.3.0 not now"], ("451", "4.3.0 not now")),
    ],
)
@pytest.mark.parametrize("dot", ["", "554 5.5.1 no valid recipients", "250 taken for nobody"])
def test_refused_envelope_leaves_a_connection_that_can_be_used(
    scripted: Callable[..., Scripted], sinks: Sinks, envelope: list[str], wanted: tuple[str, str], dot: str
) -> None:
    """RFC 2920 §3.1: DATA may be let in though nobody is to get the mail, and then it ends with a bare dot."""
    if dot and "451" in envelope[-1]:
        return
    planned = {"MAIL": [envelope[0]], "RCPT": [envelope[1]], "DATA": ["354 go ahead"] if dot else [envelope[2]]}

    def plays(dialog: Dialog) -> None:
        dialog.send("220 ready")
        mails = 0
        while True:
            word = dialog.readline().decode().split(" ")[0].upper()
            usual = {"EHLO": "250-x\r\n250 PIPELINING", "DATA": "354 go ahead"}.get(word, "250 OK")
            answer = planned[word].pop() if planned.get(word) else usual
            dialog.send(answer)
            if answer.startswith("354"):
                content = list(iter(dialog.readline, b"."))
                mails += 1
                assert bool(content) is (mails > 1 or not dot)
                dialog.send(dot if dot and mails == 1 else "250 taken")

    server = scripted(plays)
    way = sinks(server.port)
    (receipt,) = way.send(outbound())
    assert (receipt.code, receipt.text) == wanted
    assert used_again(way, server)


def test_nobody_is_asked_before_the_dot_that_ends_no_mail(scripted: Callable[..., Scripted], sinks: Sinks) -> None:
    def asked() -> None:
        raise AssertionError("there is nothing to ask")

    script = Batch("250 ok", "550 5.1.1 no", "354 go ahead", after=["end 554 5.5.1 none", "250 reset"])
    assert states(sinks(scripted(script).port).sink.send(outbound(), asked).receipts) == [FAILED]


@pytest.mark.parametrize("answer", ["250 OK", "220 what?", "334 go on"])
@pytest.mark.parametrize("offered", [says("250 x"), OFFERED])
def test_data_answered_with_anything_like_yes_is_not_taken_for_a_mail_that_was_sent(
    scripted: Callable[..., Scripted], sinks: Sinks, answer: str, offered: Answer
) -> None:
    def plays(dialog: Dialog) -> None:
        dialog.send("220 ready")
        while True:
            word = dialog.readline().upper().split(b" ")[0]
            offered(dialog, "", "") if word == b"EHLO" else dialog.send(answer if word == b"DATA" else "250 OK")

    (receipt,) = sinks(scripted(plays).port).send(outbound())
    assert (receipt.state, receipt.code) == (WAITING, "")


AT_MAIL = {"MAIL": ["421 4.3.2 bye"]}
BETWEEN = {"RCPT": [NORMAL, "421 4.3.2 bye"]}
AT_LAST = {"RCPT": [NORMAL, NORMAL, "421 4.3.2 bye"]}
AFTER_THE_DOT = {"DATA": ["421 4.3.2 bye"]}


@pytest.mark.parametrize("replies", [AT_MAIL, BETWEEN, AT_LAST, AFTER_THE_DOT])
def test_server_that_says_421_leaves_all_recipients_waiting(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks, replies: dict[Command, list[str]]
) -> None:
    server = faulty_smtp(replies=replies, pipelining=True)
    way = sinks(server.smtp)
    receipts = way.send(outbound(*PEOPLE))
    assert (states(receipts), codes(receipts)) == ([WAITING] * 3, ["421"] * 3)
    assert states(way.send(outbound())) == [SENT]
    assert (server.connections, len(server.mails)) == (2, 1)


def test_a_sign_in_that_is_wanted_before_any_mail_is_the_failure_of_the_way(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks
) -> None:
    reply = "530 5.7.57 sign in first"
    server = faulty_smtp(replies={"MAIL": [reply]}, pipelining=True)
    way = sinks(server.smtp)
    with pytest.raises(Rejected, match=f"MAIL: {reply}"):
        way.send(outbound(*PEOPLE))
    assert states(way.send(outbound())) == [SENT]
    assert (server.connections, len(server.mails)) == (2, 1)


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("fault", [CUT, HOLD])
def test_server_that_hangs_up_or_falls_silent_leaves_all_recipients_waiting(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks, command: Command, fault: str
) -> None:
    server = faulty_smtp(replies={command: [fault]}, pipelining=True)
    way = sinks(server.smtp, protocol_timeout=0.3)
    assert states(way.send(outbound(*PEOPLE))) == [WAITING] * 3
    assert states(way.send(outbound())) == [SENT]
    assert server.connections == 2


def test_refusal_at_data_does_not_hide_what_was_said_of_a_recipient(
    scripted: Callable[..., Scripted], sinks: Sinks
) -> None:
    script = Batch("250 ok", "250 one", "550 5.1.1 two", "250 three", "421 4.3.2 bye")
    receipts = sinks(scripted(script).port).send(outbound(*PEOPLE))
    assert codes(receipts) == ["421", "550", "421"]


@pytest.mark.parametrize("answer", ["421 4.3.2 bye", "550 5.0.0 no reset", None])
def test_connection_that_cannot_be_reset_is_not_used_again(
    scripted: Callable[..., Scripted], sinks: Sinks, answer: str | None
) -> None:
    def resets(dialog: Dialog, tag: str, rest: str) -> None:
        if answer is None:
            dialog.close()
            raise Gone
        dialog.send(answer)

    refused = iter(["550 5.1.1 no"])

    def recipient(dialog: Dialog, tag: str, rest: str) -> None:
        dialog.send(next(refused, "250 OK"))

    server = scripted(SmtpScript({"EHLO": says("250 x"), "RCPT": recipient, "RSET": resets}))
    way = sinks(server.port)
    assert [states(way.send(outbound())) for _ in range(2)] == [[FAILED], [SENT]]
    assert server.connections == 2


def test_farewell_in_one_packet_with_the_answer_ends_the_kept_connection(
    scripted: Callable[..., Scripted], sinks: Sinks
) -> None:
    """What was read beyond an answer must not become the answer to the next command."""

    def leaves(dialog: Dialog, tag: str, rest: str) -> None:
        dialog.send_raw(b"250 taken\r\n421 4.4.2 timeout\r\n" if dialog.number == 1 else b"250 taken\r\n")

    server = scripted(SmtpScript({".": leaves}))
    way = sinks(server.port)
    assert [states(way.send(outbound())) for _ in range(2)] == [[SENT], [SENT]]
    assert server.connections == 2


# Many recipients


def many(count: int, length: int = 12) -> Outbound:
    return outbound(*(f"{number:0{length}}@example.net" for number in range(count)))


def test_server_that_is_read_late_does_not_block_a_mail_to_thousands(
    scripted: Callable[..., Scripted], sinks: Sinks
) -> None:
    """It does not read while nobody reads its answers: whoever writes 5,000 commands first waits for ever."""
    long = "250-" + "x" * 450 + "\r\n250 OK"

    def narrow(dialog: Dialog) -> None:
        dialog.narrow(64 << 10)
        SmtpScript({"EHLO": OFFERED, "RCPT": says(long)})(dialog)

    server = scripted(narrow)
    receipts = sinks(server.port, protocol_timeout=15.0).send(many(5_000, length=900))
    assert states(receipts) == [SENT] * 5_000


def test_smtp_sink_takes_a_mail_to_thousands(smtp_sink: Callable[..., SmtpSink], sinks: Sinks) -> None:
    server = smtp_sink()
    mail = many(5_000)
    assert states(sinks(server.smtp).send(mail)) == [SENT] * 5_000
    (sunk,) = server.received()
    assert sunk.recipients == mail.recipients


def test_postfix_takes_as_many_recipients_as_it_wants_and_the_rest_next_time(
    postfix: Callable[..., Postfix], smtp_sink: Callable[..., SmtpSink], sinks: Sinks
) -> None:
    """RFC 5321 §4.5.3.1.10: 452 means enough for now."""
    relay = postfix(relay_to=smtp_sink().smtp, options={"smtpd_recipient_limit": "100"})
    way = sinks(relay.smtp)
    first = way.send(many(250))
    assert (states(first), set(codes(first)[100:])) == ([SENT] * 100 + [WAITING] * 150, {"452"})
    rest = [one.address for one in first if one.state is WAITING]
    assert states(way.send(outbound(*rest)))[:101] == [SENT] * 100 + [WAITING]
    assert relay.log().count(": connect from") == 1
