"""How long a mail waits that was put off, and a way that does not work: as the server's words ask for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emaild.diagnosis import diagnose_error
from emaild.errors import Busy, Rejected, RemoteError, Unreachable
from emaild.jobs.rest import WAY_BACKOFF
from emaild.jobs.waiting import least_rest, overload, wait_after
from emaild.message import Delivery, OutboundState, Receipt
from emaild.settings.sending import SendingOptions
from emaild.store import Store
from tests.clock import ManualClock
from tests.said import Said
from tests.samples import receipt
from tests.sending import Sending

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
GREYLISTED = "4.7.1 Recipient address rejected: Greylisted"
FULL = "4.2.2 The mailbox is full"
THROTTLED = "4.7.0 Too many messages from your host, slow down"


def section(first: float = MINUTE, maximum: float = HOUR) -> SendingOptions:
    return SendingOptions(retry_first=first, retry_maximum=maximum)


def said_of(*texts: str, code: int = 451) -> Delivery:
    receipts = [receipt(f"{number}@b.c", code, text) for number, text in enumerate(texts)]
    return Delivery(receipts=tuple(receipts), server="mx.example:25")


@pytest.mark.parametrize("first", [1.0, 1800.0])
def test_a_greylisted_mail_first_waits_for_a_little_more_than_five_minutes(first: float) -> None:
    waits = [wait_after(said_of(GREYLISTED), 1, section(first)) for _ in range(200)]
    assert 300 < min(waits) <= max(waits) <= 480


def test_a_greylister_that_says_how_long_is_believed() -> None:
    waits = [wait_after(said_of(f"{GREYLISTED}, try again in 60 seconds"), 1, section(HOUR)) for _ in range(200)]
    assert 60 <= min(waits) <= max(waits) <= 72


def test_waits_for_a_greylister_that_never_lets_in_grow_up_to_the_longest() -> None:
    waits = [wait_after(said_of(GREYLISTED), tries, section()) for tries in range(1, 9)]
    assert waits[2] > 2 * waits[0]
    assert waits[-1] == HOUR


def test_no_wait_for_a_greylister_is_longer_than_the_longest() -> None:
    assert wait_after(said_of(GREYLISTED), 1, section(1.0, 2.0)) <= 2.0


def test_a_full_mailbox_is_left_alone_for_hours() -> None:
    waits = [wait_after(said_of(FULL, code=452), tries, section()) for tries in (1, 2, 3, 9)]
    assert 0.8 * HOUR <= waits[0] <= 1.2 * HOUR
    assert waits[0] < waits[1] < waits[2] <= waits[3] == 4 * HOUR


def test_who_asks_for_a_longer_wait_gets_it() -> None:
    assert wait_after(said_of("4.3.0 try again in 2 hours"), 1, section()) == 2 * HOUR
    assert wait_after(said_of("4.3.0 try again in 2 seconds"), 9, section()) == HOUR


def test_recipients_are_tried_again_together_when_the_first_of_them_may_be() -> None:
    delivery = said_of("4.3.0 try again in 2 hours", GREYLISTED)
    assert wait_after(delivery, 1, section()) < 500


def test_who_was_served_or_refused_has_no_wait() -> None:
    mixed = (receipt("a@b.c", 250), receipt("d@e.f", 550), receipt("g@h.i", 451, "4.3.0 try again in 2 hours"))
    assert wait_after(Delivery(receipts=mixed), 1, section()) == 2 * HOUR
    assert wait_after(Delivery(receipts=mixed[:2]), 1, section()) == 0.0


def test_the_server_is_overloaded_where_it_says_that_of_the_mail_and_not_of_a_recipient() -> None:
    busy = overload(said_of(f"{THROTTLED}, try again in 5 minutes"))
    assert busy is not None
    assert (busy.where, busy.retry_after) == ("mx.example:25", 300.0)
    assert overload(said_of(GREYLISTED)) is None
    assert overload(said_of(FULL, code=452)) is None
    assert overload(said_of("4.7.1 Spam message deferred")) is None  # one mail, not all of ours
    assert overload(said_of("4.2.1 The user you are trying to contact is receiving mail too quickly")) is None
    some = Delivery(receipts=(receipt("a@b.c", 250), receipt("d@e.f", 451, THROTTLED)))
    assert overload(some) is None


def test_any_words_of_a_server_are_borne() -> None:
    for text in ("", "\0" * 100_000, "try again in " * 50_000, "try again in 99999999999 days", "\udcff"):
        delivery = Delivery(receipts=(Receipt(address="a@b.c", state=receipt("x", 451).state, code="", text=text),))
        assert 0 < wait_after(delivery, 1, section()) <= 4 * HOUR or wait_after(delivery, 1, section()) == DAY
        overload(delivery)


@pytest.mark.parametrize(
    ("error", "least"),
    [
        (Unreachable("mx.example:25", "connect", "Connection refused"), 0.0),
        (Unreachable("mx.example:25", "look up the name", "Temporary failure in name resolution"), 0.0),
        (Unreachable("mx.example:25", "look up the name", "Name or service not known"), MINUTE),
        (Rejected("mx.example:25", "sign in", "535 5.7.8 authentication failed"), MINUTE),
        (Rejected("mx.example:25", "TLS handshake", "certificate verify failed: certificate has expired"), MINUTE),
        (Busy("mx.example:25", "greeting", "421 4.7.0 too many connections"), MINUTE),
        (Busy("mx.example:25", "greeting", "421 4.7.0 too many connections, try again in 10 minutes"), 600.0),
    ],
)
def test_a_way_rests_for_as_long_as_what_failed_takes_to_mend(error: RemoteError, least: float) -> None:
    assert least_rest(error, diagnose_error(error), section()) == least


@pytest.fixture
def sending(store: Store, clock: ManualClock) -> Sending:
    return Sending(store, clock)


def put_off(sending: Sending, code: int, text: str) -> None:
    sending.server.answers = {"a@b.c": code}
    sending.server.words = {"a@b.c": text}


def test_an_overloaded_server_has_rest_from_all_mails(sending: Sending, said: Said) -> None:
    mails = [sending.queue("a@b.c"), sending.queue("d@e.f")]
    put_off(sending, 451, f"{THROTTLED}, try again in 10 minutes")
    sending.run()
    assert len(sending.server.taken) == 1
    failed = said.one("way_out.failed")
    assert (failed["cause"], failed["retry_in"]) == ("throttled", 600.0)
    assert failed["remedy"]
    assert [sending.state(mail) for mail in mails] == [OutboundState.DEFERRED, OutboundState.QUEUED]
    sending.clock.advance(599)
    sending.settle()
    assert len(sending.server.taken) == 1
    sending.server.answers = {}
    sending.clock.advance(2)
    sending.settle()
    assert [sending.state(mail) for mail in mails] == [OutboundState.SENT] * 2
    assert said.one("way_out.recovered")["failures"] == 1


def test_a_greylisted_mail_does_not_keep_others_waiting(sending: Sending, said: Said) -> None:
    late, other = sending.queue("a@b.c"), sending.queue("d@e.f")
    put_off(sending, 450, GREYLISTED)
    sending.run()
    assert [sending.state(mail) for mail in (late, other)] == [OutboundState.DEFERRED, OutboundState.SENT]
    assert "way_out.failed" not in said.names


def test_the_cause_is_kept_with_each_try_and_told(sending: Sending, said: Said) -> None:
    mail = sending.queue("a@b.c")
    put_off(sending, 452, FULL)
    sending.run()
    entry, tries = sending.store.outbox.get(mail.id)
    assert (entry.cause, [one.cause for one in tries]) == ("mailbox-full", ["mailbox-full"])
    assert said.one("outbound.deferred")["cause"] == "mailbox-full"
    put_off(sending, 550, "5.1.1 User unknown")
    sending.passed(2 * HOUR)
    entry, tries = sending.store.outbox.get(mail.id)
    assert [one.cause for one in tries] == ["mailbox-full", entry.cause]
    failed = said.one("outbound.failed")
    assert (failed["cause"], bool(failed["remedy"])) == (entry.cause, True)
    assert entry.cause not in ("", "mailbox-full")


def test_the_cause_of_a_way_that_does_not_work_is_kept_with_the_mail(sending: Sending, said: Said) -> None:
    mail = sending.queue("a@b.c")
    sending.server.down = Rejected("smtp.example:25", "sign in", "535 5.7.8 wrong password")
    sending.run()
    entry, (only,) = sending.store.outbox.get(mail.id)
    assert entry.cause == only.cause == said.one("way_out.failed")["cause"] == "password-wrong"
    sending.clock.advance(DAY + 1)
    sending.way.expire()
    assert said.one("outbound.expired")["cause"] == "password-wrong"


def test_a_server_that_cannot_be_reached_is_tried_again_soon(sending: Sending) -> None:
    sending.queue("a@b.c")
    sending.server.down = Unreachable("smtp.example:25", "connect", "Connection refused")
    wait = sending.run()
    assert wait is not None
    assert wait <= WAY_BACKOFF.first * 1.2


def test_a_mail_is_tried_once_more_at_the_end_of_its_time(store: Store, clock: ManualClock) -> None:
    sending = Sending(store, clock, lifetime=1000)
    mail = sending.queue("a@b.c")
    put_off(sending, 451, "4.3.0 try again in 1 hour")
    sending.run()
    assert store.outbox.get(mail.id)[0].next_attempt == clock.now() + timedelta(seconds=1000)
    sending.server.answers = {}
    sending.passed(1000)
    assert sending.state(mail) is OutboundState.SENT
