"""Reading a mailbox: what is taken, what the server is told, and when the next turn is."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from emaild.settings.mailbox import AfterFetch, FirstFetch
from emaild.settings.properties import MimeProperties
from emaild.store import Store
from tests.clock import START, ManualClock
from tests.reading import Reading
from tests.said import Said
from tests.samples import mail


@pytest.fixture
def reading(store: Store, clock: ManualClock) -> Iterator[Reading]:
    with Reading(store, clock) as made:
        yield made


def test_every_mail_becomes_an_interaction_and_then_the_server_is_told(reading: Reading, said: Said) -> None:
    reading.mailbox.add("1", "2", "3")
    assert reading.run() == reading.section.cycle_time
    assert reading.subjects == ["Mail 1", "Mail 2", "Mail 3"]
    assert reading.mailbox.told == ["1", "2", "3"]
    assert reading.store.interactions.unsettled(reading.section.account) == []
    assert said.names == ["mailbox.first_contact", *["interaction.created"] * 3]


def test_an_interaction_is_the_mail_byte_for_byte(reading: Reading, clock: ManualClock) -> None:
    reading.mailbox.mails["1"] = raw = b"Subject: x\n\nbare\rline\nends\0\xff"
    clock.advance(5)
    reading.run()
    (entry,) = reading.interactions
    assert reading.store.interactions.raw(entry) == raw
    assert (entry.type, entry.subtype, entry.mailbox, entry.state) == ("Inbound", "InboundNew", "pop-client", "NEW")
    assert (entry.received, entry.thread_id, entry.parent_id) == (clock.now(), entry.id, None)


def test_a_mail_is_read_as_the_section_says(store: Store, clock: ManualClock) -> None:
    with Reading(store, clock, mime=MimeProperties(charset="windows-1251")) as reading:
        reading.mailbox.mails["1"] = b"Subject: " + "Привет".encode("windows-1251") + b"\n\nx"
        reading.run()
        assert reading.subjects == ["Привет"]


def test_a_second_turn_takes_only_what_is_new(reading: Reading) -> None:
    reading.mailbox.add("1", "2")
    reading.run()
    reading.mailbox.add("3")
    reading.run()
    reading.run()
    assert [line for line in reading.mailbox.log if line.startswith("fetch")] == ["fetch 1 2", "fetch 3"]
    assert reading.mailbox.told == ["1", "2", "3"]


def test_the_queue_is_the_default_one_or_that_of_the_section(store: Store, clock: ManualClock) -> None:
    with Reading(store, clock) as plain:
        plain.mailbox.add("1")
        plain.run()
        assert [entry.queue for entry in plain.interactions] == ["default"]
    with Reading(store, clock, endpoint="sales") as chosen:
        chosen.mailbox.add("2")
        chosen.run()
        assert {entry.queue for entry in chosen.interactions} == {"default", "sales"}


def test_where_mails_are_left_alone_nothing_waits_for_the_server(store: Store, clock: ManualClock) -> None:
    with Reading(store, clock, after=AfterFetch.LEAVE) as reading:
        reading.mailbox.add("1", "2")
        reading.mailbox.breaks_at_acknowledging = 1
        reading.run()
        assert store.interactions.unsettled(reading.section.account) == []
        reading.run()
        assert reading.subjects == ["Mail 1", "Mail 2"]


def test_old_mails_of_a_new_mailbox_are_skipped_for_good_where_only_new_ones_are_wanted(
    store: Store, clock: ManualClock, said: Said
) -> None:
    with Reading(store, clock, first=FirstFetch.NEW) as reading:
        reading.mailbox.add("1", "2", "3")
        reading.run()
        reading.mailbox.add("4")
        reading.run()
        assert reading.subjects == ["Mail 4"]
        assert reading.mailbox.told == ["4"]
        contact = said.one("mailbox.first_contact")
        assert (contact["held"], contact["skipped"]) == (3, 3)


def test_mails_from_before_the_begin_date_are_skipped_for_good(store: Store, clock: ManualClock) -> None:
    with Reading(store, clock, begin_date=datetime(2026, 3, 1, tzinfo=UTC)) as reading:
        reading.mailbox.add("old", arrived=datetime(2026, 2, 28, 23, 59, tzinfo=UTC))
        reading.mailbox.add("new", arrived=datetime(2026, 3, 1, tzinfo=UTC))
        reading.run()
        assert reading.subjects == ["Mail new"]
        assert store.interactions.unknown(reading.section.account, ["old", "new"]) == []
        assert reading.mailbox.told == ["new"]


def test_mails_that_are_older_than_so_many_days_at_a_look_are_skipped_for_good(
    store: Store, clock: ManualClock, said: Said
) -> None:
    """The days are counted back from each look, and not from the first."""
    with Reading(store, clock, download_days=2) as reading:
        reading.mailbox.add("old", arrived=START.replace(hour=0, minute=0) - timedelta(days=2, seconds=1))
        reading.mailbox.add("new", arrived=START.replace(hour=0, minute=0) - timedelta(days=2))
        reading.run()
        assert reading.subjects == ["Mail new"]
        clock.advance(86_400)
        reading.mailbox.add("late", arrived=START.replace(hour=0, minute=0) - timedelta(days=2))
        reading.mailbox.add("recent", arrived=START - timedelta(days=1))
        reading.run()
        assert reading.subjects == ["Mail new", "Mail recent"]
        assert store.interactions.unknown(reading.section.account, ["old", "new", "late", "recent"]) == []
        assert reading.mailbox.told == ["new", "recent"]


def test_a_turn_takes_only_so_many_and_the_next_is_at_once(store: Store, clock: ManualClock) -> None:
    with Reading(store, clock, most=3) as reading:
        reading.mailbox.add(*map(str, range(8)))
        assert reading.run_until_done() == [0, 0, reading.section.cycle_time]
        assert reading.mailbox.told == [str(number) for number in range(8)]


def test_a_turn_takes_ten_times_as_many_where_no_other_job_waits(store: Store, clock: ManualClock) -> None:
    with Reading(store, clock, most=3) as reading:
        reading.mailbox.add(*(str(number) for number in range(1, 41)))
        assert reading.schedule.take() is reading.job
        assert reading.run() == 0.0
        assert len(reading.interactions) == 30
        reading.schedule.done(reading.job, 0.0)
        reading.schedule.add(Reading(store, clock).job)
        assert reading.schedule.take() is reading.job
        assert reading.run() == 0.0
        assert len(reading.interactions) == 33


def test_mails_that_the_server_will_not_give_do_not_stop_the_others(store: Store, clock: ManualClock) -> None:
    with Reading(store, clock, most=2) as reading:
        reading.mailbox.add("bad 1", "bad 2", "bad 3", "good 1", "good 2")
        reading.mailbox.refuses = {"bad 1", "bad 2", "bad 3"}
        waits = reading.run_until_done()
        assert waits[-1] == reading.section.cycle_time
        assert reading.subjects == ["Mail good 1", "Mail good 2"]
        reading.mailbox.refuses = set()
        reading.run_until_done()
        reading.run_until_done()
        assert len(reading.subjects) == 5


def test_a_mail_that_the_server_will_not_give_is_asked_for_once_a_turn(reading: Reading) -> None:
    reading.mailbox.add("bad", "good")
    reading.mailbox.refuses = {"bad"}
    assert reading.run_until_done() == [0, reading.section.cycle_time]
    assert reading.run_until_done() == [reading.section.cycle_time]
    assert reading.mailbox.told == ["good"]


def test_a_mail_that_is_gone_before_it_is_fetched_is_no_trouble(reading: Reading) -> None:
    reading.mailbox.add("1", "2")
    reading.mailbox.refuses = {"1"}
    assert reading.run() == 0
    del reading.mailbox.mails["1"]
    assert reading.run() == reading.section.cycle_time
    assert reading.subjects == ["Mail 2"]


def test_the_same_mail_under_a_new_key_stays_one_interaction(reading: Reading, said: Said) -> None:
    reading.mailbox.mails = {"1": mail("Hello")}
    reading.run()
    reading.mailbox.mails = {"2": mail("Hello")}
    reading.run()
    assert reading.subjects == ["Hello"]
    assert reading.mailbox.told == ["1", "2"]
    assert said.one("mail.duplicate")["key"] == "2"


def test_a_stopped_job_ends_after_its_batch_and_its_last_run_closes_the_connection(
    store: Store, clock: ManualClock
) -> None:
    with Reading(store, clock) as reading:
        reading.mailbox.add(*map(str, range(6)))
        assert reading.schedule.take() is reading.job
        reading.job.stop()
        assert reading.run() is None
        assert (reading.subjects, reading.source.connected) == ([], False)


def test_a_job_that_is_stopped_while_it_reads_ends_after_its_batch(reading: Reading) -> None:
    reading.mailbox.add(*map(str, range(6)))
    fetched = reading.mailbox.log

    class Stopping(list[str]):
        def append(self, line: str) -> None:
            fetched.append(line)
            if line == "fetch 0 1":
                reading.job.stop()

    reading.mailbox.log = Stopping()
    assert reading.run() == 0
    assert reading.subjects == ["Mail 0", "Mail 1"]
    assert reading.mailbox.told == ["0", "1"]
    assert reading.source.connected
    assert reading.run() is None
    assert not reading.source.connected


def test_where_the_server_tells_of_new_mail_its_connection_is_watched(
    store: Store, clock: ManualClock, said: Said
) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, Reading(store, clock) as reading:
        reading.mailbox.connection = ours
        assert reading.schedule.take() is reading.job
        reading.schedule.done(reading.job, reading.run())
        theirs.send(b"* 1 EXISTS\r\n")
        assert reading.schedule.take() is reading.job


def test_a_run_takes_the_connection_back_before_it_uses_it(store: Store, clock: ManualClock) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, Reading(store, clock) as reading:
        reading.mailbox.connection = ours
        assert reading.schedule.take() is reading.job
        reading.run()
        reading.mailbox.connection = None
        reading.schedule.done(reading.job, reading.run())
        theirs.send(b"* 1 EXISTS\r\n")
        reading.idle.recall("nobody")  # the watching thread has looked since
        other = reading.restarted(clock)
        reading.schedule.add(other)
        assert reading.schedule.take() is other


def test_the_state_of_a_mailbox_that_is_read_is_shown(reading: Reading, clock: ManualClock) -> None:
    reading.mailbox.add("1")
    reading.run()
    first = reading.status
    assert (first.state, first.last_poll, first.last_mail, first.last_error) == ("ok", START, START, None)
    assert first.next_due == START + timedelta(seconds=reading.section.cycle_time)
    clock.advance(30)
    reading.run()
    assert (reading.status.last_poll, reading.status.last_mail) == (START + timedelta(seconds=30), START)
