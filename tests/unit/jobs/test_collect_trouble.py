"""Reading a mailbox when things go wrong: nothing is lost, nothing doubled, and one bad mail stops no other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from emaild.errors import Rejected, Unreachable
from emaild.jobs.asked import Fetched
from emaild.jobs.collect import LEAST_BACKOFF, MOST_BACKOFF
from emaild.jobs.left_out import MOST_BREAKS, REST
from emaild.jobs.workers import AFTER_A_FAULT
from emaild.store import Store
from tests.clock import START, ManualClock
from tests.full_disk import no_more_bytes
from tests.reading import Reading
from tests.said import Said

REFUSED = Rejected("mail.example:143", "sign in", "wrong password")


@pytest.fixture
def reading(store: Store, clock: ManualClock) -> Iterator[Reading]:
    with Reading(store, clock) as made:
        yield made


def test_what_is_stored_when_the_server_cannot_be_told_is_told_again_and_not_doubled(
    reading: Reading, clock: ManualClock
) -> None:
    reading.mailbox.add("1", "2", "3")
    reading.mailbox.breaks_at_acknowledging = 1
    wait = reading.run()
    assert wait is not None
    assert wait >= LEAST_BACKOFF
    assert reading.subjects == ["Mail 1", "Mail 2"]
    assert reading.mailbox.told == []

    reading.job = reading.restarted(clock)
    reading.run()
    assert reading.subjects == ["Mail 1", "Mail 2", "Mail 3"]
    assert reading.mailbox.told == ["1", "2", "3"]
    assert reading.store.interactions.unsettled(reading.section.account) == []
    assert [line for line in reading.mailbox.log if line.startswith("fetch")] == ["fetch 1 2", "fetch 3"]


def test_telling_the_server_is_tried_until_it_works(reading: Reading) -> None:
    reading.mailbox.add("1", "2")
    reading.mailbox.breaks_at_acknowledging = 3
    for _ in range(4):
        reading.run()
    assert reading.mailbox.told == ["1", "2"]
    assert len(reading.interactions) == 2


def test_what_was_stored_is_never_told_before_it_is_stored(reading: Reading) -> None:
    reading.mailbox.add("1", "2", "3", "4")
    with no_more_bytes():
        reading.run()
    assert reading.mailbox.told == []
    assert reading.interactions == []


def test_a_full_disk_leaves_mails_on_the_server_until_there_is_room(reading: Reading, said: Said) -> None:
    reading.mailbox.add("1", "2")
    with no_more_bytes():
        assert reading.run() == LEAST_BACKOFF
        assert not reading.source.connected
        assert reading.run() == LEAST_BACKOFF
    reading.run()
    assert reading.subjects == ["Mail 1", "Mail 2"]
    assert reading.mailbox.told == ["1", "2"]
    assert {event["action"] for event in said.all("store.failed")} == {"keep mail of pop-client"}


def test_a_mail_that_always_breaks_the_connection_comes_last_and_the_others_arrive(reading: Reading) -> None:
    reading.mailbox.add("1", "bad", "2", "3", "4", "5")
    reading.mailbox.breaks_at = {"bad"}
    for _ in range(6):
        reading.run()
    assert reading.subjects == ["Mail 1", "Mail 2", "Mail 3", "Mail 4", "Mail 5"]

    reading.mailbox.add("6")
    reading.run()
    assert "Mail 6" in reading.subjects
    reading.mailbox.breaks_at = set()
    reading.run()
    assert "Mail bad" in reading.subjects


def test_the_server_is_told_of_the_others_although_one_mail_always_breaks_the_connection(reading: Reading) -> None:
    """RFC 1939 §6: what a POP3 server was told counts when the session ends as it should."""
    reading.mailbox.add("1", "2", "bad", "3")
    reading.mailbox.breaks_at = {"bad"}
    for _ in range(6):
        reading.run()
    assert sorted(reading.mailbox.told) == ["1", "2", "3"]
    reading.mailbox.add("4")
    reading.run()
    assert sorted(reading.mailbox.told) == ["1", "2", "3", "4"]


def test_mails_that_break_the_connection_are_tried_in_turn(reading: Reading) -> None:
    reading.mailbox.add("bad 1", "bad 2", "bad 3")
    reading.mailbox.breaks_at = {"bad 1", "bad 2", "bad 3"}
    for _ in range(6):
        reading.run()
    reading.mailbox.breaks_at = {"bad 1"}
    for _ in range(4):
        reading.run()
    assert reading.subjects == ["Mail bad 2", "Mail bad 3"]


def test_two_mails_that_break_the_connection_come_last_too(reading: Reading) -> None:
    reading.mailbox.add("1", "bad 1", "2", "bad 2", "3")
    reading.mailbox.breaks_at = {"bad 1", "bad 2"}
    for _ in range(7):
        reading.run()
    assert reading.subjects == ["Mail 1", "Mail 2", "Mail 3"]
    assert sorted(reading.mailbox.told) == ["1", "2", "3"]


def test_a_bad_mail_does_not_come_first_again_while_many_others_wait(store: Store, clock: ManualClock) -> None:
    with Reading(store, clock, most=2) as reading:
        reading.mailbox.add("bad", *map(str, range(6)))
        reading.mailbox.breaks_at = {"bad"}
        waits = [reading.run() for _ in range(5)]
        assert len(reading.subjects) == 6
        failed = [wait for wait in waits if wait]
        assert len(failed) <= 2, "the bad mail was tried between the others"


def test_the_connection_that_broke_is_closed_and_made_anew(reading: Reading) -> None:
    reading.mailbox.add("1")
    reading.mailbox.breaks_at = {"1"}
    reading.run()
    assert not reading.source.connected
    reading.mailbox.breaks_at = set()
    reading.run()
    assert reading.mailbox.log == ["open", "close", "open", "fetch 1"]


def test_a_mailbox_that_fails_backs_off_and_is_told_of_once(reading: Reading, said: Said) -> None:
    reading.mailbox.down = REFUSED
    waits = [reading.run() or 0.0 for _ in range(12)]
    assert waits[0] >= reading.section.cycle_time * 0.8
    assert waits[-1] == MOST_BACKOFF
    assert all(0 < wait <= MOST_BACKOFF for wait in waits)
    failed = said.one("mailbox.failed")
    assert (failed["level"], failed["action"], failed["reason"]) == ("error", "sign in", "wrong password")

    reading.mailbox.down = None
    reading.run()
    assert said.one("mailbox.recovered")["failures"] == 12


def test_another_kind_of_failure_is_told_of_too(reading: Reading, said: Said) -> None:
    for trouble in (REFUSED, Unreachable("x", "connect", "refused"), Unreachable("x", "connect", "no answer in time")):
        reading.mailbox.down = trouble
        reading.run()
    assert [(event["level"], event["action"]) for event in said.all("mailbox.failed")] == [
        ("error", "sign in"),
        ("warning", "connect"),
    ]


def test_the_state_of_a_mailbox_that_fails_is_shown_until_it_works(reading: Reading) -> None:
    reading.mailbox.down = REFUSED
    wait = reading.run() or 0.0
    status = reading.status
    assert (status.state, status.last_error) == ("failing", "sign in: wrong password")
    assert (status.last_poll, status.next_due) == (START, START + timedelta(seconds=wait))
    reading.mailbox.down = None
    reading.run()
    assert (reading.status.state, reading.status.last_error) == ("ok", None)


def test_a_mail_that_breaks_every_connection_is_left_out_once_it_is_sure_and_the_mailbox_is_well_again(
    reading: Reading, said: Said
) -> None:
    reading.mailbox.add("1", "bad", "2")
    reading.mailbox.breaks_at = {"bad"}
    waits = [reading.run() for _ in range(10 + MOST_BREAKS)]
    assert waits[-5:] == [reading.section.cycle_time] * 5
    assert reading.status.state == "ok"
    assert reading.mailbox.log.count("close") == MOST_BREAKS + 1
    event = said.one("mail.breaks_connection")
    assert (event["key"], event["reason"], event["retry_in"]) == ("bad", "the connection broke", REST)

    reading.mailbox.log.clear()
    reading.mailbox.add("3")
    assert reading.run() == reading.section.cycle_time
    assert reading.mailbox.log == ["fetch 3"]


def left_out(reading: Reading) -> None:
    """A mailbox with one mail that is left out because it breaks the connection."""
    reading.mailbox.add("1", "bad")
    reading.mailbox.breaks_at = {"bad"}
    for _ in range(10 + MOST_BREAKS):
        reading.run()
    assert reading.status.state == "ok"


@pytest.mark.parametrize("restart", [True, False])
def test_it_is_tried_again_after_a_day_or_a_restart_and_taken_where_it_comes(
    reading: Reading, clock: ManualClock, *, restart: bool
) -> None:
    left_out(reading)
    reading.mailbox.breaks_at = set()
    reading.run()
    assert reading.subjects == ["Mail 1"]
    if restart:
        reading.job = reading.restarted(clock)
    else:
        clock.advance(REST)
    reading.run_until_done()
    assert reading.subjects == ["Mail 1", "Mail bad"]
    reading.run()
    assert reading.store.interactions.cursor(f"left-out:{reading.section.account}") == "{}"


def test_it_is_tried_last_and_told_of_once(reading: Reading, clock: ManualClock, said: Said) -> None:
    left_out(reading)
    clock.advance(REST)
    reading.mailbox.log.clear()
    reading.mailbox.mails = {"bad": reading.mailbox.mails["bad"]}
    reading.mailbox.add("2", "3")
    reading.run()
    assert "fetch 2 3" in reading.mailbox.log
    assert "close" not in reading.mailbox.log
    for _ in range(3):
        reading.run()
    assert reading.mailbox.log.count("close") == 1
    assert reading.status.state == "ok"
    said.one("mail.breaks_connection")


def test_a_mail_is_not_held_to_break_the_connection_where_no_other_comes(reading: Reading, said: Said) -> None:
    """It may be the server."""
    reading.mailbox.add("1", "2")
    reading.mailbox.breaks_at = {"1", "2"}
    for _ in range(10 * MOST_BREAKS):
        reading.run()
    assert said.all("mail.breaks_connection") == []
    reading.mailbox.breaks_at = {"1"}
    for _ in range(4):
        reading.run()
    assert said.one("mail.breaks_connection")["key"] == "1"
    assert reading.subjects == ["Mail 2"]


def test_mails_that_make_no_sense_are_stored_all_the_same(reading: Reading) -> None:
    reading.mailbox.mails = {"1": b"\xff" * 1000, "2": b"", "3": b"Content-Type: multipart/mixed; boundary=\r\n\r\n--"}
    reading.run()
    assert len(reading.interactions) == 3
    assert reading.mailbox.told == ["1", "2", "3"]


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_fault_of_ours_is_shown_and_told_to_who_asked_for_the_look_and_passes(
    store: Store, clock: ManualClock, by_hand: bool
) -> None:
    given: dict[str, Any] = {"cycle_time": 0.0} if by_hand else {}
    with Reading(store, clock, **given) as reading:
        reading.mailbox.add("1")
        reading.mailbox.down = ZeroDivisionError("hunter2")
        told: list[Fetched] = []
        reading.job.ask(told.append)
        with pytest.raises(ZeroDivisionError):
            reading.run()
        ((taken, error, temporary),) = [(one.taken, one.error, one.temporary) for one in told]
        assert (taken, temporary) == (0, False)
        assert error.startswith("internal error: ZeroDivisionError in reading.py, line ")
        assert "hunter2" not in error
        shown = reading.status
        assert (shown.state, shown.last_error) == ("failing", error.removesuffix("; the log says more"))
        assert shown.next_due == (None if by_hand else START + timedelta(seconds=AFTER_A_FAULT))

        reading.mailbox.down = None
        reading.job.ask(told.append)
        reading.run()
        assert (reading.status.state, reading.status.last_error, told[1].taken) == ("ok", None, 1)
