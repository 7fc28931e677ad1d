"""A mail leaves an Exchange mailbox once, whichever answer is lost, and leaves no draft behind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emaild.errors import Busy, RemoteError
from emaild.sinks import ews_drafts
from tests.adapters.ews_ways import ANN, Ways, young
from tests.adapters.ways import FAILED, RAW, SENT, WAITING, Way, states
from tests.servers.ews import Exchange, Fails, Failure, denied
from tests.servers.ews_mailbox import Mailbox

TO = b"To: one@example.net\r\n" + RAW
COPIES = pytest.mark.parametrize("copy", [False, True], ids=["no copy", "copy"])


def first(operation: str, failure: Failure) -> Fails:
    """It happens once, at the first request of that kind."""
    return lambda name, number: failure if (name, number) == (operation, 1) else None


def after_a_restart(ways: Ways, *, copy: bool = True) -> Way:
    """A sink of a process that remembers nothing."""
    ews_drafts._tried.clear()
    return ways.sink(save_sent_copy=copy)


def drafts(box: Mailbox) -> list[bytes]:
    return box.held(box.folders["drafts"])


@pytest.mark.usefixtures("ann")
def test_mail_that_was_never_tried_costs_two_requests(exchange: Exchange, ways: Ways) -> None:
    sink = ways.sink()
    for _ in range(2):
        assert states(sink.send(young(raw=TO))) == [SENT]
    assert exchange.asked == ["CreateItem", "SendItem"] * 2


@COPIES
@pytest.mark.parametrize("keep", [0, 300])
@pytest.mark.parametrize("operation", ["CreateItem", "SendItem"])
def test_mail_whose_answer_is_lost_is_sent_once(
    exchange: Exchange, ann: Mailbox, ways: Ways, operation: str, keep: int, copy: bool
) -> None:
    exchange.fails = first(operation, Failure(keep=keep))
    sink, mail = ways.sink(save_sent_copy=copy), young(raw=TO)
    (receipt,) = sink.send(mail)
    assert (receipt.state, receipt.code) == (WAITING, "")
    assert states(sink.send(replace(mail, attempts=1))) == [SENT]
    assert exchange.sent == [(ANN, TO, copy)]
    assert drafts(ann) == []
    assert ann.held(ann.folders["sentitems"]) == [TO] * copy


@COPIES
@pytest.mark.parametrize(
    "failure", [Failure(503), Failure(504, keep=9, told=False)], ids=["not done", "done behind a gateway"]
)
@pytest.mark.parametrize("operation", ["CreateItem", "SendItem"])
def test_mail_that_a_busy_server_may_have_taken_is_sent_once(
    exchange: Exchange, ann: Mailbox, ways: Ways, operation: str, failure: Failure, copy: bool
) -> None:
    """No attempt of the mail's: that it was tried is remembered all the same."""
    exchange.fails = first(operation, failure)
    sink, mail = ways.sink(save_sent_copy=copy), young(raw=TO)
    with pytest.raises(Busy):
        sink.send(mail)
    assert states(ways.sink(save_sent_copy=copy).send(mail)) == [SENT]
    assert exchange.sent == [(ANN, TO, copy)]
    assert drafts(ann) == []


@COPIES
@pytest.mark.parametrize("operation", ["FindItem", "GetItem"])
def test_mail_waits_where_nobody_can_tell_whether_it_was_sent(
    exchange: Exchange, ann: Mailbox, ways: Ways, operation: str, copy: bool
) -> None:
    lost = "CreateItem" if operation == "FindItem" else "SendItem"
    troubles = {(lost, 1): Failure(keep=0), (operation, 1): Failure(503), (operation, 2): Failure(keep=0)}
    exchange.fails = lambda name, number: troubles.get((name, number))
    sink, mail = ways.sink(save_sent_copy=copy), young(raw=TO)
    assert states(sink.send(mail)) == [WAITING]
    for _ in range(2):
        with pytest.raises(RemoteError, match="look for an earlier try"):
            sink.send(mail)
    assert states(sink.send(mail)) == [SENT]
    assert exchange.sent == [(ANN, TO, copy)]


def test_mail_on_its_way_is_sent_though_its_copy_is_not_filed_yet(exchange: Exchange, ann: Mailbox, ways: Ways) -> None:
    ann.slow = True
    exchange.fails = first("SendItem", Failure(keep=0))
    mail = young(raw=TO)
    assert states(ways.sink(save_sent_copy=True).send(mail)) == [WAITING]
    assert states(after_a_restart(ways).send(replace(mail, attempts=1))) == [SENT]
    assert len(exchange.sent) == 1


@pytest.mark.parametrize(
    ("operation", "copy", "times"),
    [("CreateItem", False, 1), ("CreateItem", True, 1), ("SendItem", True, 1), ("SendItem", False, 2)],
)
def test_mail_whose_daemon_died_is_sent_twice_only_where_nothing_is_kept_of_it(
    exchange: Exchange, ann: Mailbox, ways: Ways, operation: str, copy: bool, times: int
) -> None:
    exchange.fails = first(operation, Failure(keep=0))
    mail = young(raw=TO)
    assert states(ways.sink(save_sent_copy=copy).send(mail)) == [WAITING]
    assert states(after_a_restart(ways, copy=copy).send(replace(mail, attempts=1))) == [SENT]
    assert exchange.sent == [(ANN, TO, copy)] * times
    assert drafts(ann) == []


def test_mail_with_the_same_message_id_that_went_to_others_is_another(
    exchange: Exchange, ann: Mailbox, ways: Ways
) -> None:
    """As those are that a rule redirects."""
    sink = ways.sink(save_sent_copy=True)
    sink.send(young(raw=TO))
    other = replace(young("one@example.net", "two@example.net", raw=TO), attempts=1)
    assert states(sink.send(other)) == [SENT, SENT]
    assert len(exchange.sent) == 2
    assert states(sink.send(replace(other, attempts=2))) == [SENT, SENT]
    assert len(exchange.sent) == 2


def test_recipient_who_is_named_in_exchanges_own_way_is_known(exchange: Exchange, ann: Mailbox, ways: Ways) -> None:
    sink = ways.sink(save_sent_copy=True)
    mail = young("colleague@firm.internal", raw=b"To: colleague@firm.internal\r\n" + RAW)
    sink.send(mail)
    assert states(sink.send(replace(mail, attempts=1))) == [SENT]
    assert len(exchange.sent) == 1


@pytest.mark.parametrize(("code", "state"), [("ErrorSendAsDenied", FAILED), ("ErrorSubmissionQuotaExceeded", WAITING)])
def test_draft_that_may_not_be_sent_is_deleted(
    exchange: Exchange, ann: Mailbox, ways: Ways, code: str, state: object
) -> None:
    exchange.fails = first("SendItem", denied("SendItem", code))
    mail = young(raw=TO)
    assert states(ways.sink().send(mail)) == [state]
    assert drafts(ann) == []


def test_draft_of_a_busy_server_is_kept_and_sent(exchange: Exchange, ann: Mailbox, ways: Ways) -> None:
    exchange.fails = first("SendItem", denied("SendItem", "ErrorServerBusy"))
    mail = young(raw=TO)
    with pytest.raises(Busy):
        ways.sink().send(mail)
    assert states(ways.sink().send(mail)) == [SENT]
    assert exchange.asked.count("CreateItem") == 1


def test_draft_that_a_person_changed_is_looked_at_again(exchange: Exchange, ann: Mailbox, ways: Ways) -> None:
    exchange.fails = first("SendItem", denied("SendItem", "ErrorStaleObject"))
    mail = young(raw=TO)
    assert states(ways.sink().send(mail)) == [WAITING]
    assert states(ways.sink().send(replace(mail, attempts=1))) == [SENT]
    assert exchange.sent == [(ANN, TO, False)]


def deleted_by_a_person(box: Mailbox) -> None:
    for name in list(box.folders["drafts"].items):
        box.remove(name)


def test_draft_whose_deletion_nobody_answered_for_was_not_sent(exchange: Exchange, ann: Mailbox, ways: Ways) -> None:
    troubles = {("SendItem", 1): denied("SendItem", "ErrorSubmissionQuotaExceeded"), ("DeleteItem", 1): Failure(keep=0)}
    exchange.fails = lambda name, number: troubles.get((name, number))
    sink, mail = ways.sink(), young(raw=TO)
    assert states(sink.send(mail)) == [WAITING]
    assert (drafts(ann), exchange.sent) == ([], [])
    assert states(sink.send(replace(mail, attempts=1))) == [SENT]
    assert exchange.sent == [(ANN, TO, False)]


@pytest.mark.parametrize(
    ("failure", "copy"),
    [
        (denied("SendItem", "ErrorServerBusy"), False),
        (denied("SendItem", "ErrorServerBusy"), True),
        (Failure(503), True),
    ],
)
def test_draft_that_a_person_deleted_was_not_sent(
    exchange: Exchange, ann: Mailbox, ways: Ways, failure: Failure, copy: bool
) -> None:
    exchange.fails = first("SendItem", failure)
    sink, mail = ways.sink(save_sent_copy=copy), young(raw=TO)
    with pytest.raises(Busy):
        sink.send(mail)
    deleted_by_a_person(ann)
    assert states(sink.send(mail)) == [SENT]
    assert exchange.sent == [(ANN, TO, copy)]
