"""Mails that are left on their server for their size: told of once, never lost, taken when the rules change."""

from __future__ import annotations

from emaild.settings.mailbox import AfterFetch
from emaild.store import Store
from tests.clock import ManualClock
from tests.reading import Reading
from tests.said import Said
from tests.samples import mail

LIMIT = 1000
LARGE = mail("Large") + b"x" * LIMIT


def fetches(reading: Reading) -> list[str]:
    """What was asked of the server, but for the connection."""
    return [line for line in reading.mailbox.log if line.startswith(("fetch", "delete"))]


def whole(reading: Reading) -> list[str]:
    """The subjects of the mails that were taken, headers left aside."""
    return sorted(entry.facts.subject for entry in reading.interactions if not entry.facts.wrapped)


def test_a_mail_above_the_limit_is_left_and_told_of_once_even_after_a_restart(
    store: Store, clock: ManualClock, said: Said
) -> None:
    with Reading(store, clock, maximum_msg_size=LIMIT) as reading:
        reading.mailbox.add("1")
        reading.mailbox.mails["2"] = LARGE
        reading.mailbox.add("3")
        assert reading.run_until_done() == [reading.section.cycle_time]
        reading.run()
        reading.job = reading.restarted(clock)
        reading.mailbox.add("4")
        reading.run()
        assert fetches(reading) == ["fetch 1 3", "fetch 4"]
        assert reading.mailbox.told == ["1", "3", "4"]
        assert whole(reading) == ["Mail 1", "Mail 3", "Mail 4"]
        event = said.one("mail.too_big")
        assert (event["key"], event["size"], event["limit"], event["deleted"]) == ("2", len(LARGE), LIMIT, False)


def test_it_does_not_keep_the_cursor_back(store: Store, clock: ManualClock) -> None:
    with Reading(store, clock, maximum_msg_size=LIMIT) as reading:
        reading.mailbox.mails["1"] = LARGE
        reading.mailbox.add("2")
        reading.run()
        assert store.interactions.cursor(reading.section.account) == "2 done"


def test_it_is_taken_when_the_limit_is_raised_and_not_when_it_is_lowered(
    store: Store, clock: ManualClock, said: Said
) -> None:
    mails = {"1": LARGE}
    for limit, taken in ((LIMIT, []), (LIMIT - 1, []), (LIMIT + 1, []), (0, ["Large"])):
        with Reading(store, clock, maximum_msg_size=limit) as reading:
            reading.mailbox.mails = mails
            reading.run_until_done()
            assert whole(reading) == taken
    reading.run()
    assert [event["limit"] for event in said.all("mail.too_big")] == [LIMIT, LIMIT + 1]
    assert store.interactions.cursor(f"left-out:{reading.section.account}") == "{}"


def test_it_is_forgotten_when_it_is_gone_from_the_server(store: Store, clock: ManualClock) -> None:
    with Reading(store, clock, maximum_msg_size=LIMIT) as first:
        first.mailbox.mails["1"] = LARGE
        first.run()
        place = f"left-out:{first.section.account}"
        assert store.interactions.cursor(place) == f'{{"1": {LIMIT}}}'
    with Reading(store, clock, maximum_msg_size=2 * LIMIT) as second:
        second.run()
        assert store.interactions.cursor(place) == "{}"


def test_it_is_deleted_where_the_section_says_so(store: Store, clock: ManualClock, said: Said) -> None:
    with Reading(store, clock, after=AfterFetch.LEAVE, maximum_msg_size=LIMIT, delete_big_msg=True) as reading:
        reading.mailbox.mails["1"] = LARGE
        reading.mailbox.add("2")
        assert reading.run_until_done() == [reading.section.cycle_time]
        assert fetches(reading) == ["delete 1", "fetch 2"]
        assert said.one("mail.too_big")["deleted"] is True
        assert whole(reading) == ["Mail 2"]


def test_it_is_told_of_once_where_it_cannot_be_deleted(store: Store, clock: ManualClock, said: Said) -> None:
    with Reading(store, clock, maximum_msg_size=LIMIT, delete_big_msg=True) as reading:
        reading.mailbox.mails["1"] = LARGE
        reading.mailbox.read_only = True
        reading.run()
        reading.run()
        assert said.one("mail.too_big")["deleted"] is False


def test_a_mail_of_another_size_than_was_told_is_taken_unless_that_is_not_allowed(
    store: Store, clock: ManualClock, said: Said
) -> None:
    mails = {"1": mail("Mail 1"), "2": mail("Mail 2")}
    for allowed, taken in ((False, ["Mail 2"]), (True, ["Mail 1", "Mail 2"])):
        with Reading(store, clock, allow_bad_msg_size=allowed) as reading:
            reading.mailbox.mails = mails
            reading.mailbox.tells["1"] = 7
            reading.run_until_done()
            reading.run()
            assert whole(reading) == taken
    event = said.one("mail.bad_size")
    assert (event["key"], event["told"], event["size"]) == ("1", 7, len(mails["1"]))


def test_a_mail_whose_server_told_too_small_a_size_is_left_all_the_same(
    store: Store, clock: ManualClock, said: Said
) -> None:
    with Reading(store, clock, maximum_msg_size=LIMIT) as reading:
        reading.mailbox.mails["1"] = LARGE
        reading.mailbox.tells["1"] = 7
        reading.run_until_done()
        reading.run()
        assert fetches(reading) == ["fetch 1"]
        assert whole(reading) == []
        assert said.one("mail.too_big")["size"] == len(LARGE)


def test_it_is_not_taken_for_the_mail_that_breaks_the_connection(store: Store, clock: ManualClock) -> None:
    with Reading(store, clock, maximum_msg_size=LIMIT) as reading:
        reading.mailbox.mails["1"] = LARGE
        reading.mailbox.add("2", "3", "4")
        reading.mailbox.breaks_at = {"2"}
        reading.run()
        reading.run()
        assert whole(reading) == ["Mail 3", "Mail 4"]
