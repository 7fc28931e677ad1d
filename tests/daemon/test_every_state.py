"""Every state that a mail on its way out can have, come to by the daemon's own work and shown by its commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from emaild.message import OutboundState
from tests.daemon.harness import Emaild, smtp_section
from tests.daemon.moved_clock import MovedClock
from tests.daemon.test_sending_waits import states
from tests.servers.faulty_smtp import HOLD, FaultySmtp
from tests.servers.wait import eventually

HOUR = 3600.0
REFUSED = {"nobody@example.com": "550 5.1.1 no such person", "full@example.com": "452 4.2.2 Mailbox full"}
HELLO = ("send", "--from", "support@example.com", "--subject", "hello", "--text", "hello\n", "--to")


def test_every_state_is_come_to_and_shown(faulty_smtp: Callable[..., FaultySmtp], tmp_path: Path) -> None:
    server, slow = faulty_smtp(refuse=REFUSED), faulty_smtp(replies={"DATA": [HOLD]})
    clock = MovedClock(tmp_path / "clock")
    with Emaild(tmp_path / "daemon") as daemon:

        def done(*arguments: str) -> str:
            """What a command says."""
            made = daemon.command(*arguments)
            assert made.returncode == 0, made.stderr
            return made.stdout.strip()

        def sent_to(*recipients: str, way: str = "smtp-client") -> str:
            """The mail's id."""
            return done(*HELLO, ",".join(recipients), "--way-out", way)

        daemon.configure(
            smtp_section(server.smtp),
            smtp_section(server.smtp, "smtp-client-short", message_lifetime="1h"),
            smtp_section(slow.smtp, "smtp-client-slow", protocol_timeout="60s"),
            smtp_section(server.smtp, "smtp-client-resting", enable_client="false"),
        )
        expires = sent_to("full@example.com", way="smtp-client-short")
        daemon.start(clock.environment)
        daemon.wait_for("outbound.deferred", outbound=expires)
        clock.advance(2 * HOUR)
        daemon.wait_for("outbound.expired", outbound=expires, within=40)
        wanted = {
            expires: "EXPIRED",
            sent_to("ann@example.com"): "SENT",
            sent_to("nobody@example.com"): "FAILED",
            sent_to("ann@example.com", "nobody@example.com"): "PARTLY_SENT",
            sent_to("full@example.com"): "DEFERRED",
            sent_to("ann@example.com", way="smtp-client-slow"): "SENDING",
            sent_to("ann@example.com", way="smtp-client-resting"): "QUEUED",
        }
        for action, state in (("--hold", "HELD"), ("--cancel", "CANCELLED")):
            mail = sent_to("ann@example.com", way="smtp-client-resting")
            done("outbox", mail, action)
            wanted[mail] = state
        assert set(wanted.values()) == set(OutboundState)
        eventually(
            lambda: "QUEUED" not in {states(daemon)[mail] for mail in wanted if wanted[mail] != "QUEUED"}, within=30
        )
        assert states(daemon) == wanted
        for mail, state in wanted.items():
            of_that_state = daemon.listed("outbox", "--history", "--state", state)
            assert [one["id"] for one in of_that_state] == [mail]
        slow.release()
        eventually(lambda: "SENDING" not in states(daemon).values(), within=30)
