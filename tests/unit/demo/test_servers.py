"""The demo's servers, talked to as the daemon talks to them: over sockets."""

from __future__ import annotations

import gc
import imaplib
import signal
import smtplib
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from imapclient import IMAPClient

from emaild.demo.mails import Sample, samples
from emaild.demo.servers import ImapServer, SmtpServer

USER = "support@shop.example"
PASSWORD = "pass-word"
SAMPLES = samples(datetime(2026, 3, 2, 9, 30, tzinfo=UTC))
PLAIN = b"Subject: one\r\n\r\nHello\r\n"
ODD = {
    "every byte but NUL, CR and LF": b"Subject: x\r\n\r\n" + bytes(set(range(1, 256)) - {10, 13}) + b"\r\n",
    "no header": b"only text",
    "header broken": b'From: <a@b>, "\xff\r\nContent-Type: ;;\r\nDate: never\r\n\r\n.\r\n..\r\n',
    "no text": b"Subject: x\r\n\r\n",
    "a megabyte in lines": b"Subject: x\r\n\r\n" + (b"x" * 76 + b"\r\n") * 13_500,
    "a megabyte in one line": b"Subject: x\r\n\r\n" + b"x" * 1_000_000,
}
TWO_SERVERS = """
import sys
from pathlib import Path
from emaild.demo.servers import ImapServer, SmtpServer
with ImapServer("u", "p") as imap, SmtpServer("u", "p", Path(sys.argv[1])) as smtp:
    print(imap.port, smtp.port, flush=True)
    sys.stdin.read()
"""


@contextmanager
def signed_in(server: ImapServer) -> Iterator[IMAPClient]:
    client = IMAPClient(server.host, server.port, ssl=False, timeout=10)
    try:
        client.login(server.user, server.password)
        client.select_folder("INBOX")
        yield client
    finally:
        client.shutdown()


def in_inbox(server: ImapServer) -> list[bytes]:
    with signed_in(server) as client:
        rows = client.fetch(client.search(), ["BODY.PEEK[]"])
        return [rows[uid][b"BODY[]"] for uid in sorted(rows)]


def answers(port: int) -> bool:
    with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=10):
        return True
    return False


@pytest.fixture
def imap() -> Iterator[ImapServer]:
    with ImapServer(USER, PASSWORD) as server:
        yield server


@pytest.fixture
def smtp(tmp_path: Path) -> Iterator[SmtpServer]:
    with SmtpServer(USER, PASSWORD, tmp_path) as server:
        yield server


@pytest.fixture
def sender(smtp: SmtpServer) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP(smtp.host, smtp.port, timeout=10) as client:
        yield client


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.title)
def test_a_sample_comes_back_byte_for_byte(imap: ImapServer, sample: Sample) -> None:
    imap.deliver(sample.raw)
    assert in_inbox(imap) == [sample.raw]


@pytest.mark.parametrize("raw", ODD.values(), ids=ODD.keys())
def test_an_odd_mail_comes_back_byte_for_byte(imap: ImapServer, raw: bytes) -> None:
    imap.deliver(raw)
    assert in_inbox(imap) == [raw]


def test_the_inbox_is_empty_at_the_start_and_keeps_the_order(imap: ImapServer) -> None:
    assert in_inbox(imap) == []
    for sample in SAMPLES:
        imap.deliver(sample.raw)
    assert in_inbox(imap) == [sample.raw for sample in SAMPLES]


def test_the_mailbox_can_what_the_daemon_needs(imap: ImapServer) -> None:
    with signed_in(imap) as client:
        assert {b"IDLE", b"UIDPLUS", b"MOVE"} <= set(client.capabilities())


@pytest.mark.parametrize(("user", "password"), [(USER, "wrong"), ("nobody@shop.example", PASSWORD)])
def test_a_wrong_imap_sign_in_is_refused(imap: ImapServer, user: str, password: str) -> None:
    with (
        imaplib.IMAP4(imap.host, imap.port, timeout=10) as client,
        pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"),
    ):
        client.login(user, password)


def test_an_idle_client_hears_of_a_mail(imap: ImapServer) -> None:
    with signed_in(imap) as client:
        client.idle()
        imap.deliver(PLAIN)
        assert (1, b"EXISTS") in client.idle_check(timeout=5)


def test_an_idle_client_hears_of_a_mail_that_came_just_before(imap: ImapServer) -> None:
    """Read from the socket: IMAPClient's `idle_check` misses what comes in one segment with the continuation."""
    with (
        socket.create_connection((imap.host, imap.port), timeout=10) as client,
        client.makefile("rb") as answers,
    ):
        client.sendall(b"a LOGIN %b %b\r\nb SELECT INBOX\r\n" % (USER.encode(), PASSWORD.encode()))
        next(line for line in answers if line.startswith(b"b OK"))
        imap.deliver(PLAIN)
        client.sendall(b"c IDLE\r\n")
        assert answers.readline() == b"+ Idling.\r\n"
        assert answers.readline() == b"* 1 EXISTS\r\n"


def test_a_mail_can_be_marked_moved_and_deleted(imap: ImapServer) -> None:
    for _ in range(3):
        imap.deliver(PLAIN)
    with signed_in(imap) as client:
        seen, moved, deleted = client.search()
        client.create_folder("Done")
        client.add_flags(seen, [b"\\Seen"])
        client.move(moved, "Done")
        client.add_flags(deleted, [b"\\Deleted"])
        client.uid_expunge(deleted)
    with signed_in(imap) as client:
        assert (client.search(), client.search("UNSEEN")) == ([seen], [])
        assert client.folder_status("Done", ["MESSAGES"]) == {b"MESSAGES": 1}


def test_the_garbage_collector_ends_no_connection(imap: ImapServer) -> None:
    with signed_in(imap) as client:
        gc.collect()
        assert client.noop()[0] == b"NOOP completed."


def test_a_mail_is_received_with_its_envelope_and_kept_as_a_file(
    smtp: SmtpServer, sender: smtplib.SMTP, tmp_path: Path
) -> None:
    raw = b"Subject: dots\r\n\r\n.\r\n..two\r\nGr\xc3\xbc\xc3\x9fe \xff\r\n"
    sender.login(USER, PASSWORD)
    sender.sendmail(USER, ["ann@example.com", "bob@example.org"], raw)
    (mail,) = smtp.wait_for(1, within=10)
    assert (mail.sender, mail.recipients) == (USER, ("ann@example.com", "bob@example.org"))
    assert mail.raw == mail.path.read_bytes() == raw
    assert mail.path == tmp_path / "001.eml"


def test_mails_are_counted_in_their_order(smtp: SmtpServer, sender: smtplib.SMTP) -> None:
    sender.login(USER, PASSWORD)
    for subject in (b"one", b"two", b"three"):
        sender.sendmail("", ["ann@example.com"], b"Subject: %b\r\n\r\n" % subject)
    mails = smtp.wait_for(3, within=10)
    assert [mail.path.name for mail in mails] == ["001.eml", "002.eml", "003.eml"]
    assert [mail.raw[9:-4] for mail in mails] == [b"one", b"two", b"three"]


def test_waiting_for_a_mail_that_does_not_come_ends(smtp: SmtpServer) -> None:
    with pytest.raises(TimeoutError, match=r"0 of 1 mails arrived within 0\.01 s"):
        smtp.wait_for(1, within=0.01)


def test_a_wrong_smtp_sign_in_is_refused(sender: smtplib.SMTP) -> None:
    with pytest.raises(smtplib.SMTPAuthenticationError) as refusal:
        sender.login(USER, "wrong")
    assert refusal.value.smtp_code == 535


def test_nothing_is_sent_without_a_sign_in(smtp: SmtpServer, sender: smtplib.SMTP, tmp_path: Path) -> None:
    with pytest.raises(smtplib.SMTPSenderRefused) as refusal:
        sender.sendmail(USER, ["ann@example.com"], PLAIN)
    assert refusal.value.smtp_code == 530
    assert list(tmp_path.iterdir()) == []


def test_the_servers_end_with_the_context_although_clients_stay(tmp_path: Path) -> None:
    with (
        ImapServer(USER, PASSWORD) as imap,
        SmtpServer(USER, PASSWORD, tmp_path) as smtp,
        signed_in(imap) as reader,
        socket.create_connection((smtp.host, smtp.port), timeout=10) as connection,
        connection.makefile("rb") as sender,
    ):
        reader.idle()
        assert sender.readline().startswith(b"220 ")
        imap.__exit__(None, None, None)
        smtp.__exit__(None, None, None)
        assert sender.readline() == b""
        with pytest.raises((imaplib.IMAP4.abort, ConnectionError)):
            reader.idle_done()
    assert not answers(imap.port)
    assert not answers(smtp.port)
    assert not any(thread.name.startswith("demo ") for thread in threading.enumerate())


def test_the_servers_die_with_a_killed_process_and_have_no_children(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", TWO_SERVERS, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with parent:
        assert parent.stdout is not None
        ports = [int(port) for port in parent.stdout.readline().split()]
        children = [task.read_text() for task in Path(f"/proc/{parent.pid}/task").glob("*/children")]
        assert [answers(port) for port in ports] == [True, True]
        parent.send_signal(signal.SIGKILL)
    assert children
    assert not any(children)
    assert [answers(port) for port in ports] == [False, False]


def test_the_terminal_stays_quiet_and_the_logs_know_no_password(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    imap_log, smtp_log = tmp_path / "imap.log", tmp_path / "smtp.log"
    with (
        ImapServer(USER, PASSWORD, log=imap_log) as imap,
        SmtpServer(USER, PASSWORD, tmp_path, log=smtp_log) as smtp,
    ):
        imap.deliver(PLAIN)
        for port in (imap.port, smtp.port):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as rude:
                rude.sendall(b"\xff\x00{999999999999}\r\nAUTH")
        with smtplib.SMTP(smtp.host, smtp.port, timeout=10) as sender:
            sender.login(USER, PASSWORD)
            sender.sendmail(USER, ["ann@example.com"], PLAIN)
    assert capfd.readouterr() == ("", "")
    assert "connected" in imap_log.read_text()
    assert "ann@example.com" in smtp_log.read_text()
    assert PASSWORD not in imap_log.read_text() + smtp_log.read_text()
