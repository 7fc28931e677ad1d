"""The test servers do what the other tests rely on."""

import contextlib
import imaplib
import poplib
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy

import pytest
from imapclient import IMAPClient

from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.mails import generated
from tests.servers.ports import LOOPBACK, listening
from tests.servers.postfix import Postfix
from tests.servers.smtp_sink import SmtpSink
from tests.servers.wait import eventually

MAIL = b"Subject: one\r\nX-Own: kept\r\n\r\n.dot\r\n..two\r\nFrom here\r\n" + b"x" * 5_000 + b"\r\n\xe9\r\n"
SENDER, RECIPIENT = "sender@example.com", "recipient@example.net"


@contextlib.contextmanager
def smtp(port: int, *, trusting: Authority | None = None) -> Iterator[smtplib.SMTP]:
    """A client that does not insist on saying goodbye."""
    client = smtplib.SMTP(LOOPBACK, port, timeout=10)
    try:
        if trusting:
            client.starttls(context=trusting.client_context())
        yield client
    finally:
        client.close()


def send(port: int, raw: bytes = MAIL, to: str = RECIPIENT) -> None:
    with smtp(port) as client:
        client.sendmail(SENDER, [to], raw, ["BODY=8BITMIME"] if not raw.isascii() else [])


# Dovecot


def test_dovecot_shows_a_certificate_that_strict_verification_accepts(dovecot: Dovecot, authority: Authority) -> None:
    for host in ("localhost", LOOPBACK):
        with imaplib.IMAP4_SSL(host, dovecot.imaps, ssl_context=authority.client_context()) as client:
            assert client.login("tls", "secret")[0] == "OK"


def test_dovecot_is_refused_by_those_who_trust_another_authority(dovecot: Dovecot, authority: Authority) -> None:
    context = ssl.create_default_context(cafile=str(authority.other_ca_file))
    raw = socket.create_connection((LOOPBACK, dovecot.imaps), timeout=10)
    with raw, pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(raw, server_hostname="localhost")


def test_dovecot_offers_starttls_and_stls(dovecot: Dovecot, authority: Authority) -> None:
    with imaplib.IMAP4(LOOPBACK, dovecot.imap) as client:
        client.starttls(authority.client_context())
        assert client.login("starttls", "secret")[0] == "OK"
    pop = poplib.POP3(LOOPBACK, dovecot.pop3, timeout=10)
    pop.stls(authority.client_context())
    pop.user("starttls")
    assert pop.pass_("secret").startswith(b"+OK")
    pop.quit()


@pytest.mark.parametrize(
    ("user", "password", "code"),
    [
        ("anyone", "wrong", "AUTHENTICATIONFAILED"),
        ("refused-user@example.com", "secret", "AUTHENTICATIONFAILED"),
        ("unavailable-user", "secret", "UNAVAILABLE"),
    ],
)
def test_dovecot_refuses_a_sign_in(dovecot: Dovecot, authority: Authority, user: str, password: str, code: str) -> None:
    with (
        imaplib.IMAP4_SSL(LOOPBACK, dovecot.imaps, ssl_context=authority.client_context()) as client,
        pytest.raises(imaplib.IMAP4.error, match=code),
    ):
        client.login(user, password)


def test_dovecot_serves_dropped_mails_byte_for_byte_in_order(dovecot: Dovecot) -> None:
    mails = [mail.raw for mail in generated(40, seed=1, largest=50_000)]
    assert dovecot.drop("Dropped@Example.com", mails) == 40
    dovecot.drop("dropped@example.com", [b"Subject: LF\n\nline ends\n"], flags="FS")
    assert dovecot.held("dropped@example.com") == [*mails, b"Subject: LF\r\n\r\nline ends\r\n"]
    assert dovecot.flags("dropped@example.com") == [()] * 40 + [("\\Flagged", "\\Seen")]


def test_dovecot_has_an_empty_mailbox_for_everybody(dovecot: Dovecot) -> None:
    assert dovecot.held("nobody-yet") == []
    assert dovecot.flags("nobody-yet") == []


def test_dovecot_takes_mail_by_lmtp(dovecot: Dovecot) -> None:
    dovecot.deliver("lmtp@example.com", MAIL)
    (held,) = dovecot.held("lmtp@example.com")
    assert held.startswith(f"Return-Path: <{SENDER}>\r\n".encode())
    assert held.endswith(MAIL)


def test_dovecot_pushes_new_mail_to_an_idle_client(dovecot: Dovecot, authority: Authority) -> None:
    with IMAPClient(LOOPBACK, dovecot.imaps, ssl_context=authority.client_context(), timeout=10) as client:
        client.login("idle-client", "secret")
        client.select_folder("INBOX")
        client.idle()
        dovecot.drop("idle-client", [MAIL])
        assert (1, b"EXISTS") in client.idle_check(timeout=10)
        client.idle_done()


def test_dovecot_serves_long_lines_and_lasting_uidls_by_pop3(
    dovecot: Dovecot, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poplib, "_MAXLINE", 1_000_000)
    dovecot.drop("pop", [MAIL])
    seen = set()
    for _ in range(2):
        pop = poplib.POP3_SSL(LOOPBACK, dovecot.pop3s, context=authority.client_context(), timeout=10)
        pop.user("pop")
        pop.pass_("secret")
        seen.add(tuple(pop.uidl()[1]))
        assert b"\r\n".join([*pop.retr(1)[1], b""]) == MAIL
        pop.quit()
    assert len(seen) == 1


def test_dovecot_logs_which_connections_are_kept(dovecot: Dovecot) -> None:
    with dovecot.imap_client("kept") as kept, dovecot.imap_client("kept"):
        kept.noop()
        first, second = eventually(lambda: dovecot.open_sessions("kept")[1:] and dovecot.open_sessions("kept"))
    eventually(lambda: not dovecot.open_sessions("kept"))
    assert dovecot.sessions("kept") == [first, second]


def test_dovecot_keeps_mails_and_ports_over_a_restart_and_a_crash(authority: Authority) -> None:
    with Dovecot(authority) as own:
        own.drop("user", [MAIL])
        client = own.imap_client("user")
        own.restart()
        with pytest.raises(imaplib.IMAP4.abort):
            client.noop()
        client.shutdown()
        own.kill()
        assert not listening(own.imaps)
        own.start()
        assert own.held("user") == [MAIL]


# Postfix and smtp-sink


def test_sink_gives_back_what_was_sent(smtp_sink: Callable[..., SmtpSink]) -> None:
    sink = smtp_sink()
    mails = [MAIL, *(mail.raw for mail in generated(20, seed=2, largest=50_000))]
    with smtp(sink.smtp) as client:
        for raw in mails:
            client.sendmail(SENDER, [RECIPIENT, "other@example.net"], raw)
        client.quit()
    assert sorted(sink.mails()) == sorted(mails)
    assert sink.received()[0].recipients == (RECIPIENT, "other@example.net")
    assert eventually(sink.sessions) == 1


def test_sink_refuses_or_defers_commands(smtp_sink: Callable[..., SmtpSink]) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused, match="500"):
        send(smtp_sink(refuse=["RCPT"]).smtp)
    with pytest.raises(smtplib.SMTPDataError, match="450"):
        send(smtp_sink(defer=["."]).smtp)
    with pytest.raises(smtplib.SMTPSenderRefused, match="550"):
        send(smtp_sink(refuse=["MAIL"], options=["-B", "550 5.7.1 No"]).smtp)


def test_postfix_relays_mail_unchanged_below_its_own_line(
    postfix: Callable[..., Postfix], smtp_sink: Callable[..., SmtpSink], authority: Authority
) -> None:
    sink = smtp_sink()
    server = postfix(relay_to=sink.smtp, starttls=authority, message_size_limit=100_000)
    with smtp(server.smtp, trusting=authority) as client:
        client.sendmail(SENDER, [RECIPIENT], MAIL, ["BODY=8BITMIME"])
        with pytest.raises(smtplib.SMTPSenderRefused, match="552"):
            client.sendmail(SENDER, [RECIPIENT], MAIL * 20)
    (raw,) = eventually(sink.mails)
    assert raw.endswith(b"\r\n" + MAIL)
    assert raw.startswith(b"Received:")
    eventually(lambda: f"to=<{RECIPIENT}>" in server.log())


def test_postfix_returns_a_failure_to_the_sender(
    postfix: Callable[..., Postfix], smtp_sink: Callable[..., SmtpSink], dovecot: Dovecot
) -> None:
    lmtp = f"lmtp:inet:{LOOPBACK}:{dovecot.lmtp}"
    failing = smtp_sink(refuse=["RCPT"])
    server = postfix(transport={"fail.test": f"smtp:[{LOOPBACK}]:{failing.smtp}", "example.com": lmtp})
    send(server.smtp, to="somebody@fail.test")
    (raw,) = eventually(lambda: dovecot.held(SENDER))
    report = message_from_bytes(raw, policy=policy.default)
    assert report.get_content_type() == "multipart/report"
    assert b"\nAction: failed" in raw
