"""The servers in this process, and the rest of what the other tests rely on, do what they say."""

import contextlib
import itertools
import poplib
import smtplib
import socket
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy

import pytest

from tests.servers.authority import Authority
from tests.servers.faulty_smtp import CUT, HOLD, NORMAL, FaultySmtp
from tests.servers.mails import generated
from tests.servers.ports import LOOPBACK, listening
from tests.servers.presence import require
from tests.servers.scripted import Dialog, Scripted, hang_up, silent
from tests.servers.wait import eventually

MAIL = b"Subject: one\r\nX-Own: kept\r\n\r\n.dot\r\n..two\r\nFrom here\r\n" + b"x" * 5_000 + b"\r\n\xe9\r\n"
SENDER, RECIPIENT = "sender@example.com", "recipient@example.net"


@contextlib.contextmanager
def smtp(port: int) -> Iterator[smtplib.SMTP]:
    """A client that does not insist on saying goodbye."""
    client = smtplib.SMTP(LOOPBACK, port, timeout=10)
    try:
        yield client
    finally:
        client.close()


def send(port: int, raw: bytes = MAIL) -> None:
    with smtp(port) as client:
        client.sendmail(SENDER, [RECIPIENT], raw, ["BODY=8BITMIME"] if not raw.isascii() else [])


def signs_in(client: smtplib.SMTP, mechanism: str, password: str) -> None:
    client.ehlo()
    client.user, client.password = "joe", password
    client.auth(mechanism, client.auth_plain if mechanism == "PLAIN" else client.auth_login)


# FaultySmtp


def test_faulty_replies_are_used_one_by_one(faulty_smtp: Callable[..., FaultySmtp]) -> None:
    server = faulty_smtp(replies={"RCPT": ["451 4.3.0 Later", NORMAL], "DATA": ["552 5.2.2 Full"]})
    with pytest.raises(smtplib.SMTPRecipientsRefused, match="451"):
        send(server.smtp)
    with pytest.raises(smtplib.SMTPDataError, match="552"):
        send(server.smtp)
    assert server.mails == []
    send(server.smtp)
    (mail,) = server.mails
    assert (mail.sender, mail.recipients, mail.options) == (SENDER, (RECIPIENT,), ("BODY=8BITMIME",))
    assert (mail.content, mail.connection, server.connections) == (MAIL, 3, 3)


def test_faulty_refuses_one_recipient_of_two(faulty_smtp: Callable[..., FaultySmtp]) -> None:
    server = faulty_smtp(refuse={"gone@example.net": "550 5.1.1 No such user"})
    with smtp(server.smtp) as client:
        refused = client.sendmail("", [RECIPIENT, "gone@example.net"], MAIL)
    assert refused == {"gone@example.net": (550, b"5.1.1 No such user")}
    assert (server.mails[0].sender, server.mails[0].recipients) == ("", (RECIPIENT,))


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_faulty_lets_in_who_knows_the_password(faulty_smtp: Callable[..., FaultySmtp], mechanism: str) -> None:
    server = faulty_smtp(user="joe", password="right")
    with smtp(server.smtp) as client:
        signs_in(client, mechanism, "right")
        client.sendmail(SENDER, [RECIPIENT], MAIL)
    with smtp(server.smtp) as client, pytest.raises(smtplib.SMTPAuthenticationError, match="535"):
        signs_in(client, mechanism, "wrong")
    with pytest.raises(smtplib.SMTPSenderRefused, match="530"):
        send(server.smtp)
    assert [mail.signed_in_as for mail in server.mails] == ["joe"]


def test_faulty_speaks_tls_both_ways(faulty_smtp: Callable[..., FaultySmtp], authority: Authority) -> None:
    offering = faulty_smtp(authority=authority, tls="starttls", user="joe")
    with smtp(offering.smtp) as client:
        client.ehlo()
        assert not client.has_extn("auth")
        client.starttls(context=authority.client_context())
        client.login("joe", "secret")
        client.sendmail(SENDER, [RECIPIENT], MAIL)
    implicit = faulty_smtp(authority=authority, tls="implicit")
    with smtplib.SMTP_SSL("localhost", implicit.smtp, context=authority.client_context(), timeout=10) as client:
        client.sendmail(SENDER, [RECIPIENT], MAIL)
    assert offering.mails[0].content == implicit.mails[0].content == MAIL


def test_faulty_announces_what_it_can(faulty_smtp: Callable[..., FaultySmtp]) -> None:
    server = faulty_smtp(eight_bit=False, size_limit=1_000)
    with smtp(server.smtp) as client:
        client.ehlo()
        assert set(client.esmtp_features) == {"size", "help"}
        with pytest.raises(smtplib.SMTPSenderRefused, match="552"):
            client.sendmail(SENDER, [RECIPIENT], MAIL)
    with smtp(faulty_smtp(utf8=True).smtp) as client:
        client.ehlo()
        assert {"smtputf8", "8bitmime"} <= set(client.esmtp_features)


def test_faulty_hangs_up_after_it_took_the_mail(faulty_smtp: Callable[..., FaultySmtp]) -> None:
    server = faulty_smtp(replies={"DATA": [CUT], "MAIL": [NORMAL, "421 4.3.2 Closing"]})
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(server.smtp)
    assert len(server.mails) == 1
    with smtp(server.smtp) as client:
        client.ehlo()
        assert client.mail(SENDER)[0] == 421
        with pytest.raises(smtplib.SMTPServerDisconnected):
            client.noop()


def test_faulty_answers_when_released(faulty_smtp: Callable[..., FaultySmtp]) -> None:
    server = faulty_smtp(replies={"DATA": [HOLD]})
    with smtp(server.smtp) as client:
        client.ehlo()
        client.mail(SENDER)
        client.rcpt(RECIPIENT)
        client.putcmd("DATA")
        assert client.getreply()[0] == 354
        client.send(b"Subject: held\r\n\r\n.\r\n")
        eventually(lambda: server.mails)
        server.release()
        assert client.getreply()[0] == 250


# Scripted


def test_scripted_plays_a_dialog_under_tls(scripted: Callable[..., Scripted], authority: Authority) -> None:
    def one_mail(dialog: Dialog) -> None:
        dialog.send("+OK ready")
        name = dialog.expect(r"user (\S+)")[1]
        dialog.send(f"+OK {name}")
        dialog.expect("pass .*")
        dialog.send("-ERR [IN-USE] locked")

    server = scripted(one_mail, authority=authority, tls=True)
    pop = poplib.POP3_SSL("localhost", server.port, context=authority.client_context(), timeout=10)
    pop.user("joe")
    with pytest.raises(poplib.error_proto, match="IN-USE"):
        pop.pass_("secret")
    pop.close()
    assert server.transcript[1:3] == ["1 C: USER joe", "1 S: +OK joe"]


def test_scripted_upgrades_to_tls(scripted: Callable[..., Scripted], authority: Authority) -> None:
    def upgrading(dialog: Dialog) -> None:
        dialog.send("+OK ready")
        dialog.expect("capa")
        dialog.send("+OK", "STLS", ".")
        dialog.expect("stls")
        dialog.send("+OK begin")
        dialog.start_tls()
        dialog.expect("quit")
        dialog.send("+OK bye")

    pop = poplib.POP3("localhost", scripted(upgrading, authority=authority).port, timeout=10)
    pop.stls(authority.client_context())
    assert pop.quit() == b"+OK bye"


def test_scripted_is_silent_or_hangs_up(scripted: Callable[..., Scripted]) -> None:
    quiet, rude = scripted(silent), scripted(hang_up)
    with socket.create_connection((LOOPBACK, quiet.port), timeout=0.1) as client, pytest.raises(TimeoutError):
        client.recv(1)
    for _ in range(2):
        with socket.create_connection((LOOPBACK, rude.port), timeout=10) as client:
            assert client.recv(1) == b""
    assert (quiet.connections, rude.connections) == (1, 2)


def test_scripted_raises_what_its_handler_found_wrong() -> None:
    def wants_quit(dialog: Dialog) -> None:
        dialog.expect("quit")

    server = Scripted(wants_quit)
    server.start()
    with socket.create_connection((LOOPBACK, server.port), timeout=10) as client:
        client.sendall(b"NOOP\r\n")
        assert client.recv(1) == b""
    with pytest.raises(AssertionError, match="NOOP"):
        server.__exit__(None, None, None)


# The rest


def test_generated_mails_are_the_same_every_time_and_parse() -> None:
    mails = list(generated(90, seed=3))
    assert mails == list(generated(90, seed=3))
    assert mails != list(generated(90, seed=4))
    assert len({mail.message_id for mail in mails}) == 90
    for mail in mails:
        parsed = message_from_bytes(mail.raw, policy=policy.default)
        attached = (part for part in parsed.walk() if part.get_content_disposition() == "attachment")
        assert parsed["Message-ID"] == mail.message_id
        assert tuple(part.get_filename() for part in attached) == mail.attachment_names
        assert mail.raw.replace(b"\r\n", b"").translate(None, b"\r\n") == mail.raw.replace(b"\r\n", b"")
    lines = set(itertools.chain.from_iterable(mail.raw.split(b"\r\n") for mail in mails))
    assert b"." in lines
    assert any(len(line) > 2_048 for line in lines)
    assert any(not mail.raw.isascii() for mail in mails)


def test_missing_server_skips_or_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMAILD_REQUIRE_SERVERS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-server"):
        require("openssl", "no-such-server")
    monkeypatch.setenv("EMAILD_REQUIRE_SERVERS", "1")
    with pytest.raises(pytest.fail.Exception, match="no-such-server"):
        require("no-such-server")


def test_nobody_listens_at_a_free_port(free_port: Callable[[], int]) -> None:
    port = free_port()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((LOOPBACK, port), timeout=10)
    with socket.create_server((LOOPBACK, port)):
        assert listening(port)
