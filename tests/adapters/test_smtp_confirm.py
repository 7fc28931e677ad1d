"""The last question before a server has a mail: whoever lost it hands nothing over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emaild.errors import LeaseLost
from emaild.settings.server import Security
from tests.adapters.scripts import SmtpScript, says
from tests.adapters.ways import FAILED, SENT, Sinks, outbound, said, states
from tests.servers.authority import Authority
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.postfix import Postfix
from tests.servers.scripted import Dialog, Gone, Scripted
from tests.servers.smtp_sink import SmtpSink
from tests.servers.wait import eventually

EHLOS = (("250 x",), ("250-x", "250 PIPELINING"))
LARGE = b"Subject: large\r\n\r\n" + b"A line of a large mail\r\n" * 100_000


def lost() -> None:
    """A mail that is not ours any more."""
    raise LeaseLost("somebody else sends it")


@pytest.mark.parametrize("ehlo", EHLOS)
def test_the_question_comes_when_nothing_but_the_dot_is_missing(
    scripted: Callable[..., Scripted], sinks: Sinks, ehlo: tuple[str, ...]
) -> None:
    answers: dict[str, Any] = {"EHLO": says(*ehlo)}
    server = scripted(SmtpScript(answers))
    sink = sinks(server.port).sink
    before: list[str] = []

    def asked() -> None:
        eventually(lambda: "The last line" in said(server), within=10)
        before.extend(said(server))

    raw = LARGE + b".dot\r\nThe last line\r\n"
    assert states(sink.send(outbound(raw=raw), asked).receipts) == [SENT]
    assert before[-3:] == ["A line of a large mail", "..dot", "The last line"]
    assert said(server)[len(before) :] == ["."]


@pytest.mark.parametrize("ehlo", EHLOS)
def test_a_small_mail_and_its_dot_are_one_packet_before_which_the_question_comes(
    scripted: Callable[..., Scripted], sinks: Sinks, ehlo: tuple[str, ...]
) -> None:
    server = scripted(SmtpScript({"EHLO": says(*ehlo)}))
    sink = sinks(server.port).sink
    before: list[str] = []
    raw = b"Subject: one\r\n\r\n.dot\r\nThe last line\r\n"
    assert states(sink.send(outbound(raw=raw), lambda: before.extend(said(server))).receipts) == [SENT]
    assert before[-1] == "DATA"
    assert said(server)[len(before) :] == ["Subject: one", "", "..dot", "The last line", "."]


@pytest.mark.parametrize("ehlo", EHLOS)
@pytest.mark.parametrize("raw", [b"Subject: one\r\n\r\nHello\r\n", LARGE], ids=["small", "large"])
def test_mail_that_is_ours_no_more_never_gets_its_end(
    scripted: Callable[..., Scripted], sinks: Sinks, ehlo: tuple[str, ...], raw: bytes
) -> None:
    """RFC 5321 §4.1.1.4: no mail without its end; and §4.1.1.10: no QUIT, which would be a line of the mail."""
    ended = []

    def reads(dialog: Dialog, tag: str, rest: str) -> None:
        dialog.send("354 go ahead")
        try:
            while True:
                ended.append(dialog.readline())
        except Gone:
            ended.append(b"gone")
            raise

    server = scripted(SmtpScript({"EHLO": says(*ehlo), "DATA": reads}))
    sink = sinks(server.port).sink
    with pytest.raises(LeaseLost, match="somebody else sends it"):
        sink.send(outbound(raw=raw), lost)
    eventually(lambda: ended[-1:] == [b"gone"], within=10)
    assert b"".join(line + b"\r\n" for line in ended[:-1]) == (raw if raw is LARGE else b"")
    assert sink.rest() is None


def test_postfix_delivers_nothing_of_a_mail_that_was_taken_back(
    postfix: Callable[..., Postfix], smtp_sink: Callable[..., SmtpSink], sinks: Sinks
) -> None:
    end = smtp_sink()
    relay = postfix(relay_to=end.smtp)
    sink = sinks(relay.smtp).sink
    for raw in (b"Subject: lost\r\n\r\nHello\r\n", LARGE):
        with pytest.raises(LeaseLost):
            sink.send(outbound(raw=raw), lost)
    eventually(lambda: relay.log().count("lost connection after DATA") == 2, within=10)
    assert states(sink.send(outbound(raw=b"Subject: kept\r\n\r\nHello\r\n"), lambda: None).receipts) == [SENT]
    (mail,) = eventually(end.received, within=20)
    assert b"Subject: kept" in mail.raw


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("pipelining", ["", "-p"])
def test_nobody_is_asked_about_a_mail_that_nobody_gets(
    smtp_sink: Callable[..., SmtpSink], sinks: Sinks, command: str, pipelining: str
) -> None:
    server = smtp_sink(refuse=[command], options=[pipelining] if pipelining else [])
    assert states(sinks(server.smtp).sink.send(outbound(), lost).receipts) == [FAILED]


def test_another_error_of_the_question_lets_go_of_the_mail_too(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks
) -> None:
    server = faulty_smtp()
    sink = sinks(server.smtp).sink

    def breaks() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sink.send(outbound(), breaks)
    assert server.mails == []
    assert states(sink.send(outbound(), lambda: None).receipts) == [SENT]
    assert server.connections == 2


# Who took it, and how it was protected


@pytest.mark.parametrize(
    ("tls", "security"),
    [("none", Security.NONE), ("implicit", Security.SSL_TLS), ("starttls", Security.START_TLS)],
)
def test_delivery_tells_server_and_encryption(
    faulty_smtp: Callable[..., FaultySmtp], authority: Authority, sinks: Sinks, tls: str, security: Security
) -> None:
    server = faulty_smtp(tls=tls, authority=authority)
    way = sinks(server.smtp, security_given=security, ca_file=authority.ca_file)
    delivery = way.sink.send(outbound(), lambda: None)
    assert states(delivery.receipts) == [SENT]
    assert delivery.server == f"localhost:{server.smtp}"
    assert delivery.tls == ("" if tls == "none" else "TLSv1.3 TLS_AES_256_GCM_SHA384")
