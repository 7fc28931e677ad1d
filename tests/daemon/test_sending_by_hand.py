"""What a person does where the daemon rests or has ended, against a server that hangs, refuses and behaves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.daemon.harness import Emaild, smtp_section
from tests.servers.faulty_smtp import HOLD, FaultySmtp
from tests.servers.wait import eventually

MAIL = ("--from", "a@example.com", "--to", "b@example.com", "--subject", "once", "--text", "once\n")


def send(daemon: Emaild) -> str:
    done = daemon.command("send", *MAIL)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_mail_that_is_retried_wakes_its_way_that_rests_for_a_sign_in(
    faulty_smtp: Callable[..., FaultySmtp], tmp_path: Path
) -> None:
    refused = "530 5.7.57 Client not authenticated to send mail"
    server = faulty_smtp(replies={"MAIL": [refused]})
    with Emaild(tmp_path) as daemon:
        daemon.configure(smtp_section(server.smtp, retry_first="1h"))
        daemon.start()
        mail = send(daemon)
        (failed,) = daemon.wait_for("way_out.failed")
        assert (failed["cause"], failed["retry_in"]) == ("authentication-required-exchange", 3600)
        eventually(lambda: [one["state"] for one in daemon.listed("ways")] == ["failing"])
        (waiting,) = daemon.listed("outbox")
        assert waiting["state"] == "DEFERRED"
        retried = daemon.command("outbox", mail, "--retry")
        assert "the way out smtp-client rested, for it failed; it is due now, too" in retried.stdout
        daemon.wait_for("way_out.woken", section="smtp-client")
        daemon.wait_for("outbound.sent", outbound=mail)
    assert len(server.mails) == 1


def test_the_log_of_a_mail_says_that_the_daemon_ended_while_it_was_sent(
    faulty_smtp: Callable[..., FaultySmtp], tmp_path: Path
) -> None:
    server = faulty_smtp(replies={"RCPT": [HOLD]})
    with Emaild(tmp_path) as daemon:
        daemon.configure(smtp_section(server.smtp))
        daemon.start()
        mail = send(daemon)
        eventually(lambda: any(command.startswith("RCPT") for _, command in server.commands), within=20)
        daemon.kill()
        server.release()
        daemon.start()
        daemon.wait_for("outbound.sent", outbound=mail)
        (shown,) = daemon.listed("history", mail)
    cut_off, sent = shown["log"]
    assert cut_off["outcome"] == "the daemon ended while it had this mail in hand; whether it was sent is not known"
    assert (cut_off["way_out"], cut_off["number"], sent["number"]) == ("smtp-client", 1, 2)
    assert shown["created"] <= cut_off["at"] <= sent["at"]
    assert sent["outcome"] == "sent to 1"
