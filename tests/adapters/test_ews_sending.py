"""Sending over EWS: one request a mail, and what its answer means for the recipients."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emaild.errors import Busy, Rejected, Unreachable
from emaild.settings.secret import Secret
from tests.adapters.ews_ways import ANN, Given, Ways, young
from tests.adapters.ways import FAILED, RAW, SENT, WAITING, codes, states
from tests.servers.authority import Authority
from tests.servers.ews import Exchange, Failure, denied, fault
from tests.servers.mails import generated

TO = b"To: one@example.net\r\n" + RAW


@pytest.fixture
def exchange(authority: Authority) -> Iterator[Exchange]:
    """A server with one mailbox that may send."""
    with Exchange(authority) as server:
        server.mailbox(ANN)
        yield server


def test_mails_leave_byte_for_byte_by_one_connection(exchange: Exchange, ways: Ways) -> None:
    sink = ways.sink()
    mails = [b"To: one@example.net\r\n" + one.raw.replace(b"\r\nTo: Support <support@example.com>", b"", 1)
             for one in generated(10, seed=32, largest=60_000)]  # fmt: skip
    for raw in mails:
        receipts = sink.send(young(raw=raw))
        assert (states(receipts), codes(receipts)) == ([SENT], ["NoError"])
    assert exchange.sent == [(ANN, raw, False) for raw in mails]
    assert exchange.connections == 1


def test_copy_is_kept_where_that_is_asked_for(exchange: Exchange, ways: Ways) -> None:
    box = exchange.mailboxes[ANN]
    ways.sink().send(young(raw=TO))
    assert box.held(box.folders["sentitems"]) == []
    ways.sink(save_sent_copy=True).send(young(raw=TO))
    assert box.held(box.folders["sentitems"]) == [TO]


def test_only_the_envelopes_recipients_get_it(exchange: Exchange, ways: Ways) -> None:
    """Exchange reads them from the header, so that says the same: nobody more, and who is hidden in Bcc."""
    raw = b"To: one@example.net, Two <two@example.net>\r\n" + RAW
    receipts = ways.sink().send(young("two@example.net", "three@example.net", raw=raw))
    assert states(receipts) == [SENT, SENT]
    ((_, sent, _),) = exchange.sent
    header = sent.partition(b"\r\n\r\n")[0]
    assert b"one@example.net" not in header
    assert b"To: two@example.net" in header.replace(b"Two <two@example.net>", b"two@example.net")
    assert b"Bcc: three@example.net" in header


@pytest.mark.parametrize("offers", [("Basic",), ("NTLM",)], ids=" ".join)
def test_wrong_password_is_the_ways_fault(exchange: Exchange, ways: Ways, offers: tuple[str, ...]) -> None:
    exchange.offers = offers
    with pytest.raises(Rejected, match="sign in: wrong user or password"):
        ways.sink(password=Secret("wrong")).send(young(raw=TO))
    assert exchange.sent == []


def test_ntlm_and_tokens_sign_in(exchange: Exchange, ways: Ways) -> None:
    exchange.offers = ("NTLM",)
    assert states(ways.sink().send(young(raw=TO))) == [SENT]
    exchange.offers, exchange.tokens = (), {"good": ANN}
    assert states(ways.sink(tokens=Given("old", "good")).send(young(raw=TO))) == [SENT]
    assert [who for who, *_ in exchange.sent] == [ANN, ANN]


@pytest.mark.parametrize(
    ("code", "state"),
    [
        ("ErrorSendAsDenied", FAILED),
        ("ErrorMessageSizeExceeded", FAILED),
        ("ErrorInvalidRecipients", FAILED),
        ("ErrorMimeContentInvalid", FAILED),
        ("ErrorQuotaExceeded", WAITING),
        ("ErrorSubmissionQuotaExceeded", WAITING),
    ],
)
@pytest.mark.parametrize("form", [denied, lambda _, code, text: fault(code, text)], ids=["message", "fault"])
def test_refusal_of_a_mail_is_told_for_each_recipient(
    exchange: Exchange, ways: Ways, code: str, state: object, form: object
) -> None:
    exchange.fails = lambda *_: form("CreateItem", code, "that will not do")  # type: ignore[operator]
    raw = b"Cc: two@example.net\r\n" + TO
    receipts = ways.sink().send(young("one@example.net", "two@example.net", raw=raw))
    assert states(receipts) == [state, state]
    assert {(one.code, one.text) for one in receipts} == {(code, "that will not do")}


def test_server_that_takes_no_such_request_refuses_the_mail_alone(exchange: Exchange, ways: Ways) -> None:
    """413, and what IIS says instead; a mail that is too large must not close the way for others."""
    sink = ways.sink()
    for failure in (Failure(413), Failure(404, body=b"<title>IIS Detailed Error - 404.13 - Not Found</title>")):
        exchange.fails = lambda *_, failure=failure: failure
        receipts = sink.send(young(raw=TO))
        assert (states(receipts), codes(receipts)) == ([FAILED], ["ErrorMessageSizeExceeded"])
    exchange.fails = lambda *_: None
    assert states(sink.send(young(raw=TO))) == [SENT]


@pytest.mark.parametrize(
    ("failure", "kind", "wait"),
    [
        (fault("ErrorServerBusy", BackOffMilliseconds="5000"), Busy, 5.0),
        (denied("CreateItem", "ErrorMailboxStoreUnavailable"), Busy, 0.0),
        (Failure(503, {"Retry-After": "60"}), Busy, 60.0),
        (denied("CreateItem", "ErrorAccessDenied"), Rejected, 0.0),
        (Failure(404), Rejected, 0.0),
    ],
)
def test_way_that_does_not_work_leaves_the_mail_untouched(
    exchange: Exchange, ways: Ways, failure: Failure, kind: type[Busy], wait: float
) -> None:
    exchange.fails = lambda *_: failure
    with pytest.raises(kind) as told:
        ways.sink().send(young(raw=TO))
    assert told.value.retry_after == wait
    assert exchange.sent == []


def test_server_that_is_down_is_unreachable(ways: Ways, free_port: object) -> None:
    with pytest.raises(Unreachable, match="connect: Connection refused"):
        ways.sink(server=f"https://localhost:{free_port()}/EWS/Exchange.asmx").send(young(raw=TO))  # type: ignore[operator]


def test_connection_that_was_idle_is_closed(exchange: Exchange, ways: Ways) -> None:
    sink = ways.sink(cnx_max_idle_time=100.0)
    assert sink.rest() is None
    sink.send(young(raw=TO))
    ways.clock.advance(40)
    assert sink.rest() == 60
    ways.clock.advance(60)
    assert sink.rest() is None
    sink.send(young(raw=TO))
    assert exchange.connections == 2
