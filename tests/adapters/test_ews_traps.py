"""EWS servers that are busy, break off, or answer what cannot be."""

from __future__ import annotations

import base64
import threading

import pytest
from lxml import etree

from emaild.errors import Busy, Rejected, Unreachable
from tests.adapters.ews_ways import ANN, Ways
from tests.adapters.turns import mail, subjects, turn
from tests.said import Said
from tests.servers.ews import Exchange, Fails, Failure, denied, fault
from tests.servers.ews_mailbox import Mailbox
from tests.servers.ews_operations import make_m, make_t


@pytest.fixture
def said() -> Said:
    """What is logged."""
    return Said()


def first(operation: str, failure: Failure) -> Fails:
    """It happens once, at the first request of that kind."""
    return lambda name, number: failure if (name, number) == (operation, 1) else None


def always(operation: str, failure: Failure) -> Fails:
    """It happens at every request of that kind."""
    return lambda name, _: failure if name == operation else None


BUSY = fault("ErrorServerBusy", "The server is busy.", BackOffMilliseconds="297749")
PASSING = {
    "busy": (BUSY, Busy, 297.749),
    "busy without a time": (fault("ErrorServerBusy"), Busy, 0.0),
    "busy for ever": (fault("ErrorServerBusy", BackOffMilliseconds="9" * 30), Busy, 3600.0),
    "busy, not in numbers": (fault("ErrorServerBusy", BackOffMilliseconds="-1e9"), Busy, 0.0),
    "503": (Failure(503, {"Retry-After": "120"}), Busy, 120.0),
    "429": (Failure(429, {"Retry-After": "soon"}), Busy, 0.0),
    "500 in the middle": (Failure(500, body=b"<html>oops"), Busy, 0.0),
    "502": (Failure(502), Busy, 0.0),
    "moving": (fault("ErrorMailboxMoveInProgress"), Busy, 0.0),
    "half an answer": (Failure(keep=300), Unreachable, 0.0),
    "half an answer of no length": (Failure(keep=400, told=False), Unreachable, 0.0),
    "no answer": (Failure(keep=0, told=False), Unreachable, 0.0),
    "no XML": (Failure(body=b"<html><body>Hello<br></body></html>"), Unreachable, 0.0),
    "XML but no SOAP": (Failure(body=b"<a><b/></a>"), Unreachable, 0.0),
    "another answer": (denied("GetFolder", "ErrorServerBusy"), Unreachable, 0.0),
    "too much": (Failure(body=b" " * (200 << 20)), Unreachable, 0.0),
    "a page for people": (Failure(body=b"<html/>", headers={"Content-Type": "text/html"}), Unreachable, 0.0),
    "an error page": (Failure(302, {"Location": "/ews/genericerrorpage.htm?aspxerrorpath=/ews"}), Busy, 0.0),
    "a fault as 200": (Failure(body=BUSY.body), Busy, 297.749),
    "bad gzip": (Failure(body=b"gzip?", headers={"Content-Encoding": "gzip"}), Unreachable, 0.0),
}


@pytest.mark.parametrize("operation", ["SyncFolderItems", "GetItem", "UpdateItem"])
@pytest.mark.parametrize("trouble", PASSING)
def test_trouble_that_passes_is_told_as_that_and_the_next_turn_takes_all(
    exchange: Exchange, ann: Mailbox, ways: Ways, operation: str, trouble: str
) -> None:
    failure, kind, wait = PASSING[trouble]
    exchange.fails = first(operation, failure)
    ann.drop(mail("one"), mail("two"))
    source = ways.source(maximum_msg_size=1_000_000)
    with pytest.raises(kind) as told_of:
        turn(source)
    assert told_of.value.retry_after == wait
    assert subjects(turn(source, "-").raws) == ["one", "two"]


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (Failure(404), "answered 404 Not Found; server must be the URL of Exchange.asmx"),
        (Failure(302, {"Location": "https://owa.example.com/"}), "302 Found, to https://owa.example.com/"),
        (Failure(403), "answered 403 Forbidden"),
        (Failure(440), "answered 440: it shows a login form; EWS must take Basic, NTLM or a token"),
        (Failure(302, {"Location": "https://x/owa/auth/logon.aspx?url=y"}), "url=y, a login form; EWS must take"),
        (fault("ErrorNonExistentMailbox", "No mailbox with such guid."), "ErrorNonExistentMailbox: No mailbox"),
        (fault("ErrorNever\nHeardOf", "odd\u2028words"), "ErrorNever HeardOf: odd words"),
    ],
)
def test_what_a_person_must_mend_is_rejected(
    exchange: Exchange, ann: Mailbox, ways: Ways, failure: Failure, words: str
) -> None:
    exchange.fails = always("GetFolder", failure)
    with pytest.raises(Rejected, match="open folder INBOX: ") as refused:
        ways.source().open()
    assert words in str(refused.value)


def test_state_that_the_server_forgot_starts_over_without_doubles(exchange: Exchange, ann: Mailbox, ways: Ways) -> None:
    ann.drop(mail("one"), mail("two"))
    source = ways.source()
    before = turn(source)
    ann.epoch += 1
    ann.drop(mail("three"))
    for again in (source, ways.source()):
        after = turn(again, before.cursor, known=before.listing.keys)
        assert subjects(after.raws) == ["three"]
        assert set(before.listing.keys) < set(after.listing.keys)
    assert turn(source, after.cursor).mails == ()


def test_state_that_is_never_good_is_rejected(exchange: Exchange, ann: Mailbox, ways: Ways) -> None:
    """Starting over must not go round in circles."""
    exchange.fails = always("SyncFolderItems", denied("SyncFolderItems", "ErrorInvalidSyncStateData"))
    source = ways.source()
    source.open()
    with pytest.raises(Rejected, match="list changes: ErrorInvalidSyncStateData"):
        source.look("c3RhdGU=")
    assert exchange.asked.count("SyncFolderItems") == 2


def test_bad_mail_does_not_stop_the_others(ann: Mailbox, ways: Ways, said: Said) -> None:
    ann.drop(mail("one"))
    (bad,) = ann.drop(mail("bad"), broken="ErrorMimeContentConversionFailed")
    ann.drop(mail("two"))
    assert subjects(turn(ways.source()).raws) == ["one", "two"]
    (refused,) = said.all("mail.refused")
    assert (refused["key"], refused["reason"]) == (bad, "ErrorMimeContentConversionFailed: the item is broken")
    assert bad in ann.inbox.items


def test_bad_mail_is_moved_out_of_the_way_where_that_is_asked_for(ann: Mailbox, ways: Ways, said: Said) -> None:
    (bad,) = ann.drop(mail("bad"), broken="ErrorCorruptData")
    ann.drop(mail("two"))
    source = ways.source(move_failed_ews_item=True, failed_items_folder_name="Failed")
    assert subjects(turn(source).raws) == ["two"]
    failed = ann.below(ann.root, "Failed")
    assert failed is not None
    assert subjects(ann.held(failed)) == ["bad"]
    assert [one["key"] for one in said.all("mail.failed_moved")] == [bad]


def _sync(*inside: object, last: str = "true", state: str = "c3RhdGU=") -> Failure:
    message = make_m.SyncFolderItemsResponseMessage(
        make_m.ResponseCode("NoError"), make_m.SyncState(state), make_m.IncludesLastItemInRange(last), *inside,
        ResponseClass="Success",
    )  # fmt: skip
    return _answer("SyncFolderItems", message)


def _answer(operation: str, *messages: object) -> Failure:
    inside = b"".join(etree.tostring(one) for one in messages)
    m = "http://schemas.microsoft.com/exchange/services/2006/messages"
    return Failure(
        body=b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        + f'<m:{operation}Response xmlns:m="{m}"><m:ResponseMessages>'.encode()
        + inside
        + f"</m:ResponseMessages></m:{operation}Response></s:Body></s:Envelope>".encode()
    )


def test_list_that_never_ends_and_goes_nowhere_is_left(exchange: Exchange, ann: Mailbox, ways: Ways) -> None:
    exchange.fails = always("SyncFolderItems", _sync(last="false"))
    source = ways.source()
    source.open()
    assert source.look(None).keys == ()
    assert exchange.asked.count("SyncFolderItems") == 2


def test_state_that_is_too_long_to_be_kept_is_not_kept(exchange: Exchange, ann: Mailbox, ways: Ways) -> None:
    ann.drop(mail("one"))
    exchange.fails = first(
        "SyncFolderItems", _sync(make_m.Changes(make_t.Delete(make_t.ItemId(Id="x"))), state="A" * (2 << 20))
    )
    source = ways.source()
    source.open()
    assert source.look(None).cursor_when_done == "-"


STRANGE = {
    "none": b"",
    "no ID": b"<t:Message/>",
    "an empty ID": b'<t:Message><t:ItemId Id=""/></t:Message>',
    "no base64": b'<t:Message><t:MimeContent>%%%</t:MimeContent><t:ItemId Id="x"/></t:Message>',
    "no MIME": b'<t:Message><t:ItemId Id="x"/></t:Message>',
    "beyond ASCII": '<t:Message><t:MimeContent>é</t:MimeContent><t:ItemId Id="x"/></t:Message>'.encode(),
    "a comment": b"<!-- -->",
}


@pytest.mark.parametrize("strange", STRANGE)
def test_strange_items_are_left_out(exchange: Exchange, ann: Mailbox, ways: Ways, strange: str) -> None:
    m, t = (f"http://schemas.microsoft.com/exchange/services/2006/{name}" for name in ("messages", "types"))
    body = (
        f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="{m}" xmlns:t="{t}"><s:Body>'
        '<m:GetItemResponse><m:ResponseMessages><m:GetItemResponseMessage ResponseClass="Success">'
        "<m:ResponseCode>NoError</m:ResponseCode><m:Items>"
    ).encode() + STRANGE[strange]
    body += b"</m:Items></m:GetItemResponseMessage></m:ResponseMessages></m:GetItemResponse></s:Body></s:Envelope>"
    exchange.fails = always("GetItem", Failure(body=body))
    ann.drop(mail("one"))
    assert turn(ways.source()).mails == ()


def test_half_a_mail_does_not_pass_for_a_whole_one(exchange: Exchange, ann: Mailbox, ways: Ways) -> None:
    """Where nothing says how long an answer is, only its end tells that it is whole."""
    exchange.fails = first("GetItem", Failure(keep=5_000, told=False))
    ann.drop(mail("long", "x" * 10_000))
    source = ways.source()
    with pytest.raises(Unreachable, match="fetch: it is not whole, or not XML"):
        turn(source)
    assert turn(source, "-").raws == ann.held()


def test_document_type_is_not_read(exchange: Exchange, ann: Mailbox, ways: Ways) -> None:
    """SOAP 1.1 §3 forbids it; its entities could grow without end."""
    right = denied("GetFolder", "ErrorAccessDenied").body.partition(b"?>")[2]
    exchange.fails = first("GetFolder", Failure(body=b'<!DOCTYPE a [<!ENTITY b "c">]>' + right))
    with pytest.raises(Unreachable, match="it is no SOAP"):
        ways.source().open()


def test_answers_for_fewer_mails_than_were_asked_for_are_none(exchange: Exchange, ann: Mailbox, ways: Ways) -> None:
    """They are told apart by their order alone."""
    exchange.fails = always("GetItem", denied("GetItem", "ErrorItemNotFound"))
    ann.drop(mail("one"), mail("two"))
    with pytest.raises(Unreachable, match="fetch: 2 answers were asked for, 1 came"):
        turn(ways.source())


def test_mail_that_is_larger_than_the_server_said_does_not_keep_the_others_away(
    ann: Mailbox, ways: Ways, said: Said
) -> None:
    ann.drop(mail("one"))
    (large,) = ann.drop(mail("large", "x" * (40 << 20)), size=1000)
    ann.drop(mail("two"))
    assert subjects(turn(ways.source(maximum_msg_size=1_000_000)).raws) == ["one", "two"]
    (refused,) = said.all("mail.refused")
    assert refused["key"] == large
    assert refused["reason"].startswith("MimeContent: it has more than 27")
    assert large in ann.inbox.items


def test_silence_is_bounded(exchange: Exchange, ann: Mailbox, ways: Ways) -> None:
    never = threading.Event()

    def waits(name: str, number: int) -> None:
        never.wait(30)

    exchange.fails = waits
    try:
        with pytest.raises(Unreachable, match="open folder INBOX: no answer in time"):
            ways.source(protocol_timeout=0.2).open()
    finally:
        never.set()


def test_debug_trace_hides_how_we_sign_in(exchange: Exchange, ann: Mailbox, ways: Ways, said: Said) -> None:
    turn(ways.source(enable_debug=True))
    lines = [one["line"] for one in said.all("protocol.sent")]
    assert "POST /EWS/Exchange.asmx HTTP/1.1" in lines
    assert "Authorization: Basic ***" in lines
    hidden = base64.b64encode(f"{ANN}:secret".encode()).decode()
    assert not any(hidden in line for line in lines)
