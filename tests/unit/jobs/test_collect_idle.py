"""A mailbox whose server tells of mail: which of its words cost a look."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from emaild.errors import Unreachable
from emaild.jobs.asked import Fetched
from emaild.store import Store
from tests.clock import ManualClock
from tests.reading import Reading


@pytest.fixture
def idling(store: Store, clock: ManualClock) -> Iterator[tuple[Reading, socket.socket]]:
    """A mailbox after its first turn, and its server's end of the connection."""
    near, far = socket.socketpair()
    with near, far, Reading(store, clock) as reading:
        reading.mailbox.connection = near
        assert reading.schedule.take() is reading.job
        reading.schedule.done(reading.job, reading.run())
        reading.mailbox.add("1")
        yield reading, far


def woken(reading: Reading) -> None:
    """Run the job when the watch has woken it."""
    assert reading.schedule.take() is reading.job
    reading.schedule.done(reading.job, reading.run())


def test_words_that_tell_of_no_mail_cost_no_look(idling: tuple[Reading, socket.socket]) -> None:
    reading, server = idling
    reading.mailbox.speaks_of_mails = False
    for _ in range(3):
        server.sendall(b".")
        woken(reading)
        reading.mailbox.connection.recv(1)  # type: ignore[union-attr]
    assert reading.subjects == []
    reading.mailbox.speaks_of_mails = True
    server.sendall(b".")
    woken(reading)
    assert reading.subjects == ["Mail 1"]


def test_whoever_asks_gets_a_look_though_the_server_told_of_no_mail(idling: tuple[Reading, socket.socket]) -> None:
    reading, _ = idling
    reading.mailbox.speaks_of_mails = False
    told: list[Fetched] = []
    reading.job.ask(told.append)
    woken(reading)
    assert (reading.subjects, told) == (["Mail 1"], [Fetched(taken=1)])


def test_words_that_tell_of_no_mail_do_not_put_off_the_end_of_the_wait(
    idling: tuple[Reading, socket.socket], clock: ManualClock
) -> None:
    reading, server = idling
    reading.mailbox.speaks_of_mails = False
    clock.advance(reading.section.cycle_time - 1)
    server.sendall(b".")
    woken(reading)
    reading.mailbox.connection.recv(1)  # type: ignore[union-attr]
    clock.advance(1)
    reading.idle.time_has_passed()
    woken(reading)
    assert reading.subjects == ["Mail 1"]


def test_a_connection_that_is_gone_is_asked_for_no_more_words(idling: tuple[Reading, socket.socket]) -> None:
    reading, _ = idling
    reading.mailbox.speaks_of_mails = False
    reading.mailbox.down = Unreachable("mail.example", "connect", "it is down")
    reading.job.ask(lambda found: None)
    woken(reading)
    assert reading.status.state == "failing"
    reading.mailbox.down = None
    reading.schedule.wake(reading.job)
    woken(reading)
    assert reading.subjects == ["Mail 1"]
