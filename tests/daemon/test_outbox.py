"""Mail out: over real servers, recipient by recipient."""

from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path
from typing import Any

from tests.daemon.harness import Emaild, smtp_section
from tests.servers.authority import Authority
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.postfix import Postfix
from tests.servers.smtp_sink import SmtpSink
from tests.servers.wait import eventually

MAILS = 500
QUICK = {"retry_first": "1s", "retry_maximum": "2s"}


def send(daemon: Emaild, *recipients: str, way_out: str = "smtp-client") -> str:
    """Put a mail into the outbox; returns its id."""
    to = [part for address in recipients for part in ("--to", address)]
    mail = ("--from", "support@example.com", *to, "--subject", "hello", "--text", "hello\n")
    done = daemon.command("send", "--way-out", way_out, *mail)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def history(daemon: Emaild, mail: str) -> dict[str, Any]:
    """A mail that is done with."""
    return next(entry for entry in daemon.listed("history") if entry["id"] == mail)


def fill(daemon: Emaild, count: int) -> None:
    """Put many mails into the outbox through the store, as `emaild send` does, without a process each."""
    script = (
        "import sys; from emaild.cli.main import command\n"
        f"for n in range({count}):\n"
        "    code = command(['send', '--conf', sys.argv[1], '--from', 'support@example.com', '--to',"
        " f'customer{n}@example.com', '--subject', f'mail {n}', '--text', f'number {n}\\n'])\n"
        "    assert code == 0\n"
    )
    daemon.python(script)


def test_five_hundred_mails_go_out_once_through_postfix(
    postfix: Callable[..., Postfix], smtp_sink: Callable[..., SmtpSink], authority: Authority, tmp_path: Path
) -> None:
    sink = smtp_sink()
    relay = postfix(relay_to=sink.smtp, starttls=authority)
    with Emaild(tmp_path) as daemon:
        daemon.configure(
            smtp_section(
                relay.smtp,
                server="localhost",
                smtp_connection_security="start-tls",
                ca_file=authority.ca_file,
            )
        )
        fill(daemon, MAILS)
        daemon.start()
        daemon.wait_for("outbound.sent", MAILS, within=60)
        eventually(lambda: len(sink.mails()) >= MAILS, within=60)
        assert daemon.listed("outbox") == []
        assert {entry["state"] for entry in daemon.listed("history")} == {"SENT"}
        assert daemon.stop() == 0
    subjects = sorted(str(message_from_bytes(mail)["Subject"]) for mail in sink.mails())
    assert subjects == sorted(f"mail {number}" for number in range(MAILS))
    connections = relay.log().count(": connect from")
    assert connections <= 6, "connections are kept"


def test_one_refused_recipient_among_three_is_reported_alone(
    faulty_smtp: Callable[..., FaultySmtp], tmp_path: Path
) -> None:
    server = faulty_smtp(refuse={"gone@example.com": "550 5.1.1 no such person"})
    with Emaild(tmp_path) as daemon:
        daemon.configure(smtp_section(server.smtp, **QUICK))
        daemon.start()
        mail = send(daemon, "ann@example.com", "gone@example.com", "bob@example.com")
        daemon.wait_for("outbound.failed", outbound=mail, recipients=["gone@example.com"], reply="550")
        entry = history(daemon, mail)
    assert entry["state"] == "PARTLY_SENT"
    assert [(one["address"], one["state"], one["code"]) for one in entry["recipients"]] == [
        ("ann@example.com", "SENT", "250"),
        ("gone@example.com", "FAILED", "550"),
        ("bob@example.com", "SENT", "250"),
    ]
    (accepted,) = server.mails
    assert accepted.recipients == ("ann@example.com", "bob@example.com")


def test_smtp_sink_refusing_recipients_fails_the_mail_for_good(
    smtp_sink: Callable[..., SmtpSink], tmp_path: Path
) -> None:
    sink = smtp_sink(refuse=["RCPT"])
    with Emaild(tmp_path) as daemon:
        daemon.configure(smtp_section(sink.smtp, **QUICK))
        daemon.start()
        mail = send(daemon, "ann@example.com")
        daemon.wait_for("outbound.failed", outbound=mail)
        assert history(daemon, mail)["state"] == "FAILED"


def test_a_temporary_refusal_is_tried_again_and_then_sent(
    faulty_smtp: Callable[..., FaultySmtp], tmp_path: Path
) -> None:
    refusals = ["451 4.3.0 not now", "451 4.3.0 not now"]
    servers = {command: faulty_smtp(replies={command: refusals}) for command in ("MAIL", "RCPT", "DATA")}
    with Emaild(tmp_path) as daemon:
        daemon.configure(
            *(smtp_section(server.smtp, f"smtp-client-{command}", **QUICK) for command, server in servers.items())
        )
        daemon.start()
        mails = {command: send(daemon, "ann@example.com", way_out=f"smtp-client-{command}") for command in servers}
        for command, mail in mails.items():
            daemon.wait_for("outbound.deferred", 2, outbound=mail, reply="451")
            daemon.wait_for("outbound.sent", outbound=mail, attempt=3)
            assert len(servers[command].mails) == 1
            (entry,) = daemon.listed("history", mail)
            assert [attempt["outcome"][:24] for attempt in entry["log"]] == [
                "ann@example.com: 451 4.3",
                "ann@example.com: 451 4.3",
                "sent to 1",
            ]


def test_a_recipient_who_was_served_is_not_served_again_when_another_is_retried(
    faulty_smtp: Callable[..., FaultySmtp], tmp_path: Path
) -> None:
    server = faulty_smtp(refuse={"slow@example.com": "450 4.2.0 mailbox busy"})
    with Emaild(tmp_path) as daemon:
        daemon.configure(smtp_section(server.smtp, **QUICK))
        daemon.start()
        mail = send(daemon, "ann@example.com", "slow@example.com")
        daemon.wait_for("outbound.deferred", outbound=mail)
        server.refuse.clear()
        daemon.wait_for("outbound.sent", 2, outbound=mail)
        assert history(daemon, mail)["state"] == "SENT"
    assert [accepted.recipients for accepted in server.mails] == [("ann@example.com",), ("slow@example.com",)]
    assert len({message_from_bytes(accepted.content)["Message-ID"] for accepted in server.mails}) == 1


def test_a_mail_that_cannot_be_sent_expires_with_its_last_reason(
    faulty_smtp: Callable[..., FaultySmtp], tmp_path: Path
) -> None:
    server = faulty_smtp(refuse={"ann@example.com": "450 4.2.0 mailbox busy"})
    with Emaild(tmp_path) as daemon:
        daemon.configure(smtp_section(server.smtp, message_lifetime="2s", **QUICK))
        daemon.start()
        mail = send(daemon, "ann@example.com")
        daemon.wait_for("outbound.expired", outbound=mail)
        entry = history(daemon, mail)
    assert entry["state"] == "EXPIRED"
    assert "mailbox busy" in str(entry["diagnosis"])


def test_a_way_out_that_does_not_work_keeps_its_mails_and_is_told_of_once(
    free_port: Callable[[], int], faulty_smtp: Callable[..., FaultySmtp], tmp_path: Path
) -> None:
    server = faulty_smtp()
    with Emaild(tmp_path) as daemon:
        daemon.configure(smtp_section(free_port()))
        daemon.start()
        mails = [send(daemon, f"customer{number}@example.com") for number in range(3)]
        daemon.wait_for("way_out.failed", 1)
        assert {entry["state"] for entry in daemon.listed("outbox")} <= {"QUEUED", "DEFERRED"}
        daemon.configure(smtp_section(server.smtp))
        daemon.wait_for("outbound.sent", len(mails))
        assert daemon.count("way_out.failed") == 1
    assert len(server.mails) == len(mails)


def test_a_finished_mail_goes_out_byte_for_byte(smtp_sink: Callable[..., SmtpSink], tmp_path: Path) -> None:
    raw = (
        b"From: support@example.com\r\nTo: ann@example.com\r\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n"
        b"Date: Mon, 01 Jan 2024 00:00:00 +0000\r\nMessage-ID: <fixed@example.com>\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        b".a line with a dot\r\n..\r\n\xc3\xbcber alles\r\n.\r\nend\r\n"
    )
    sink = smtp_sink()
    file = tmp_path / "mail.eml"
    file.write_bytes(raw)
    with Emaild(tmp_path / "daemon") as daemon:
        daemon.configure(smtp_section(sink.smtp))
        daemon.start()
        mail = daemon.command("send", str(file)).stdout.strip()
        daemon.wait_for("outbound.sent", outbound=mail, message_id="<fixed@example.com>")
    assert sink.mails() == [raw]
