"""A daemon that stands still while its lease runs out, and another that sends its mail meanwhile: it goes out once."""

from __future__ import annotations

import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from emaild.jobs.leasing import LEASE
from emaild.message import Delivery, OutboundState
from emaild.store import open_store
from emaild.store.tries import Tried
from tests.adapters.ways import Sinks
from tests.daemon.harness import Emaild, smtp_section
from tests.daemon.moved_clock import MovedClock
from tests.servers.faulty_smtp import HOLD, FaultySmtp
from tests.servers.wait import eventually


def stands_still(daemon: Emaild) -> bool:
    """Whether its process is stopped (proc(5), state T)."""
    return Path(f"/proc/{daemon.process}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def taken_over(daemon: Emaild, server: FaultySmtp) -> None:
    """Lease the mail of the daemon, whose lease is over, and send it."""
    now = datetime.now(UTC) + timedelta(seconds=LEASE + 1)
    store = open_store(daemon.home / "state")
    try:
        assert store.sending.take_back(now) == 1
        (leased,) = store.sending.lease("smtp-client", now, now + timedelta(seconds=LEASE), most=9)
        with Sinks() as sinks:
            receipts = sinks(server.smtp).send(leased.mail)
        delivery = Delivery(receipts=tuple(receipts), server="another")
        tried = Tried(leased=leased, at=now, seconds=0.0, delivery=delivery, retry_at=None)
        assert store.sending.record([tried], now) == [OutboundState.SENT]
    finally:
        store.close()


def test_a_daemon_that_stood_still_past_its_lease_does_not_send_what_another_sent_meanwhile(
    faulty_smtp: Callable[..., FaultySmtp], tmp_path: Path
) -> None:
    server, clock = faulty_smtp(replies={"RCPT": [HOLD]}), MovedClock(tmp_path / "clock")
    with Emaild(tmp_path / "daemon") as daemon:
        daemon.configure(smtp_section(server.smtp))
        daemon.start(clock.environment)
        given = ("--from", "a@example.com", "--to", "b@example.com", "--subject", "once", "--text", "once\n")
        sent = daemon.command("send", *given)
        assert sent.returncode == 0, sent.stderr
        eventually(lambda: any(command.startswith("RCPT") for _, command in server.commands), within=20)
        daemon.signal(signal.SIGSTOP)
        try:
            eventually(lambda: stands_still(daemon))
            clock.advance(LEASE + 1)
            taken_over(daemon, server)
            server.release()
        finally:
            daemon.signal(signal.SIGCONT)
        (lost,) = daemon.wait_for("outbound.lease_lost")
        assert lost["outbound"] == sent.stdout.strip()
        assert daemon.stop() == 0
        (entry,) = daemon.sent()
    assert (entry.state, entry.attempts) == (OutboundState.SENT, 1)
    assert len(server.mails) == 1
