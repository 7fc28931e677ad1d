"""Mail that waits: for a limit, for its way out, for a server that is away; and who is told of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.daemon.harness import Emaild, smtp_section
from tests.daemon.moved_clock import MovedClock
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.smtp_sink import SmtpSink

DAY = 86400.0


def send(daemon: Emaild, *options: str) -> str:
    mail = ("--from", "support@example.com", "--to", "ann@example.com", "--subject", "hello", "--text", "hello\n")
    done = daemon.command("send", *mail, *options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def states(daemon: Emaild) -> dict[str, str]:
    """The states of all mails, by id."""
    return {one["id"]: one["state"] for one in (*daemon.listed("outbox"), *daemon.listed("history"))}


def held(daemon: Emaild) -> list[dict[str, Any]]:
    return [one for one in daemon.listed("outbox") if one["state"] == "DEFERRED"]


def test_dynamics_5_what_is_over_the_limit_waits_for_a_minute_but_not_what_a_person_waits_for(
    smtp_sink: Callable[..., SmtpSink], tmp_path: Path
) -> None:
    sink, clock = smtp_sink(), MovedClock(tmp_path / "clock")
    with Emaild(tmp_path / "daemon") as daemon:
        daemon.configure(smtp_section(sink.smtp, per_minute_limit=2, cnx_max_idle_time="1s"))
        mails = [send(daemon, "--batch") for _ in range(5)]
        daemon.start(clock.environment)
        (first, *_) = daemon.wait_for("outbound.held_back")
        assert (first["limit"], first["wait"] <= 60) == (2, True)
        daemon.wait_for("outbound.sent", 2)
        assert {one["id"] for one in held(daemon)} == set(mails[2:])
        assert "limit of 2 mails a minute" in held(daemon)[0]["diagnosis"]
        urgent = send(daemon)
        daemon.wait_for("outbound.sent", outbound=urgent)
        assert len(held(daemon)) == 3
        for _ in range(4):
            clock.advance(61)
            sent = daemon.count("outbound.sent")
            if sent == 6:
                break
            daemon.wait_for("outbound.sent", sent + 1)
        daemon.wait_for("outbound.sent", 6)
        assert set(states(daemon).values()) == {"SENT"}
    assert len(sink.mails()) == 6


def test_dynamics_15_mail_stays_while_its_way_out_rests_and_goes_when_it_does_not(
    smtp_sink: Callable[..., SmtpSink], tmp_path: Path
) -> None:
    sink = smtp_sink()
    with Emaild(tmp_path) as daemon:
        daemon.configure(smtp_section(sink.smtp, enable_client="false"))
        daemon.start()
        mail = send(daemon, "--batch")
        assert states(daemon) == {mail: "QUEUED"}
        daemon.configure(smtp_section(sink.smtp))
        daemon.wait_for("outbound.sent", outbound=mail)
    assert len(sink.mails()) == 1


def test_a_server_that_is_away_for_a_week_is_told_of_and_then_gets_the_mail(
    free_port: Callable[[], int], smtp_sink: Callable[..., SmtpSink], tmp_path: Path
) -> None:
    clock = MovedClock(tmp_path / "clock")
    with Emaild(tmp_path / "daemon") as daemon:
        notices = {"delay_notice_after": "4h", "failure_notice": "true", "message_lifetime": "30d"}
        daemon.configure(smtp_section(free_port(), **notices))
        mail = send(daemon)
        daemon.start(clock.environment)
        failed = daemon.wait_for("way_out.failed")[0]
        assert (failed["cause"], bool(failed["remedy"])) == ("connection-refused", True)
        daemon.stop()
        clock.advance(7 * DAY)
        daemon.start(clock.environment)
        daemon.wait_for("interaction.created", within=40, subtype="InboundReport")
        sink = smtp_sink()
        daemon.configure(smtp_section(sink.smtp, **notices))
        daemon.wait_for("outbound.sent", outbound=mail)
        (entry,) = daemon.interactions()
        assert (entry.subtype, entry.parent_id) == ("InboundReport", mail)
    assert len(sink.mails()) == 1


def test_who_never_gets_a_mail_is_told_of_as_if_the_mail_had_been_returned(
    faulty_smtp: Callable[..., FaultySmtp], tmp_path: Path
) -> None:
    server = faulty_smtp(refuse={"ann@example.com": "550 5.1.1 no such person"})
    with Emaild(tmp_path) as daemon:
        daemon.configure(smtp_section(server.smtp, failure_notice="true"))
        daemon.start()
        mail = send(daemon)
        daemon.wait_for("interaction.created", subtype="InboundNDR")
        failed = daemon.wait_for("outbound.failed")[0]
        assert (failed["outbound"], bool(failed["cause"]), bool(failed["remedy"])) == (mail, True, True)
        (entry,) = daemon.interactions()
        assert entry.parent_id == mail
        assert entry.facts.report is not None
        assert entry.facts.report.recipients[0].diagnostic.endswith("550 5.1.1 no such person")
    assert server.mails == []
