"""EWS servers that list without an end, answer less than they were asked, or refuse what is not about a mail."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lxml import etree

from emaild.errors import Rejected, Unreachable
from emaild.settings.mailbox import AfterFetch, FirstFetch
from tests.adapters.ews_ways import Ways
from tests.adapters.turns import mail, subjects, turn
from tests.said import Said
from tests.servers.ews import Exchange, Failure
from tests.servers.ews_mailbox import Mailbox
from tests.servers.ews_operations import MESSAGES, make_m, make_t


@pytest.fixture
def said() -> Said:
    """What is logged."""
    return Said()


def answer(operation: str, *messages: object) -> Failure:
    """Those response messages, whatever was asked."""
    inside = b"".join(etree.tostring(one) for one in messages)
    return Failure(
        body=b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        + f'<m:{operation}Response xmlns:m="{MESSAGES}"><m:ResponseMessages>'.encode()
        + inside
        + f"</m:ResponseMessages></m:{operation}Response></s:Body></s:Envelope>".encode()
    )


def pages(changes: Callable[[int], list[str]], until: int = 1 << 62) -> Callable[[str, int], Failure | None]:
    """SyncFolderItems tells of the items with those IDs at each page, which is the last after *until*."""

    def page(operation: str, number: int) -> Failure | None:
        if operation != "SyncFolderItems":
            return None
        made = [make_t.Create(make_t.Message(make_t.ItemId(Id=name))) for name in changes(number)]
        message = make_m.SyncFolderItemsResponseMessage(
            make_m.ResponseCode("NoError"), make_m.SyncState(f"state {number}"),
            make_m.IncludesLastItemInRange(str(number > until).lower()), make_m.Changes(*made), ResponseClass="Success",
        )  # fmt: skip
        return answer("SyncFolderItems", message)

    return page


@pytest.mark.usefixtures("ann")
def test_list_that_never_ends_and_tells_of_nothing_is_left_until_the_next_time(exchange: Exchange, ways: Ways) -> None:
    exchange.fails = pages(lambda number: [f"item {number}"] if number % 40 == 20 else [])
    source = ways.source()
    source.open()
    looks = [source.look(None) for _ in range(5)]
    assert 40 <= exchange.asked.count("SyncFolderItems") <= 110
    assert [len(look.keys) for look in looks] == sorted(len(look.keys) for look in looks)
    assert looks[-1].keys[0] == "item 20"


@pytest.mark.usefixtures("ann")
def test_list_that_is_too_long_goes_on_the_next_time(
    exchange: Exchange, ways: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the state that is reached, by the same source or by another one after a restart."""
    monkeypatch.setattr("emaild.sources.ews_listing.MOST_PAGES", 10)
    exchange.fails = pages(lambda number: [f"item {number}"], until=24)
    source = ways.source()
    source.open()
    first = source.look(None)
    assert (len(first.keys), first.cursor_when_done) == (10, "state 10")
    other = ways.source()
    other.open()
    second = other.look(first.cursor_when_done)
    assert second.keys == tuple(f"item {number}" for number in range(11, 21))
    third = other.look(second.cursor)
    assert third.keys == tuple(f"item {number}" for number in range(11, 26))


@pytest.mark.usefixtures("ann")
@pytest.mark.parametrize("first", [FirstFetch.NEW, FirstFetch.UNSEEN])
def test_old_mails_are_not_taken_for_new_where_their_list_was_cut(
    exchange: Exchange, ways: Ways, monkeypatch: pytest.MonkeyPatch, first: FirstFetch
) -> None:
    monkeypatch.setattr("emaild.sources.ews_listing.MOST_PAGES", 10)
    exchange.fails = pages(lambda number: [f"item {number}"], until=24)
    source = ways.source(first_fetch=first)
    for _ in range(2):
        source.open()
        with pytest.raises(Unreachable, match=r"list the old mails: .* the rest at the next try"):
            source.look(None)
        source.close()
    source.open()
    listing = source.look(None)
    assert listing.held == 25
    assert len(listing.keys) == (0 if first is FirstFetch.NEW else 25)
    assert len(listing.skipped) == (25 if first is FirstFetch.NEW else 0)


@pytest.mark.usefixtures("ann")
def test_key_that_is_longer_than_any_is_none(exchange: Exchange, ways: Ways) -> None:
    exchange.fails = pages(lambda number: ["x" * 100_000, "short"], until=0)
    source = ways.source()
    source.open()
    assert source.look(None).keys == ("short",)


ABOUT_THE_MAILBOX = [
    "ErrorAccessDenied",
    "ErrorNonExistentMailbox",
    "ErrorImpersonateUserDenied",
    "ErrorAccountDisabled",
]


@pytest.mark.parametrize("code", ABOUT_THE_MAILBOX)
def test_refusal_that_is_about_the_mailbox_moves_no_mail(ann: Mailbox, ways: Ways, said: Said, code: str) -> None:
    ann.drop(mail("one"), mail("two"), broken=code)
    with pytest.raises(Rejected, match=f"fetch: {code}"):
        turn(ways.source(move_failed_ews_item=True, failed_items_folder_name="Failed"))
    assert subjects(ann.held()) == ["one", "two"]
    assert said.all("mail.refused") == []


def test_refusal_that_nobody_knows_is_told_and_moves_no_mail(ann: Mailbox, ways: Ways, said: Said) -> None:
    ann.drop(mail("one"))
    (odd,) = ann.drop(mail("odd"), broken="ErrorInvalidOperation")
    ann.drop(mail("two"))
    source = ways.source(move_failed_ews_item=True, failed_items_folder_name="Failed")
    assert subjects(turn(source).raws) == ["one", "two"]
    assert [one["key"] for one in said.all("mail.refused")] == [odd]
    assert odd in ann.inbox.items


def test_answer_without_a_mail_in_it_is_told_and_moves_no_mail(
    exchange: Exchange, ann: Mailbox, ways: Ways, said: Said
) -> None:
    (one,) = ann.drop(mail("one"))
    empty = make_m.GetItemResponseMessage(make_m.ResponseCode("NoError"), make_m.Items(), ResponseClass="Success")
    exchange.fails = lambda operation, _: answer("GetItem", empty) if operation == "GetItem" else None
    assert turn(ways.source(move_failed_ews_item=True, failed_items_folder_name="Failed")).mails == ()
    assert [refused["key"] for refused in said.all("mail.refused")] == [one]
    assert one in ann.inbox.items


ACTS = {"UpdateItem": AfterFetch.SEEN, "MoveItem": AfterFetch.MOVE, "DeleteItem": AfterFetch.DELETE}


@pytest.mark.parametrize("operation", ACTS)
@pytest.mark.parametrize("count", [0, 1, 3])
def test_answer_about_another_number_of_mails_counts_as_not_done(
    exchange: Exchange, ann: Mailbox, ways: Ways, operation: str, count: int
) -> None:
    message = getattr(make_m, f"{operation}ResponseMessage")(make_m.ResponseCode("NoError"), ResponseClass="Success")
    wrong = answer(operation, *[message] * count)
    exchange.fails = lambda name, number: wrong if (name, number) == (operation, 1) else None
    keys = ann.drop(mail("one"), mail("two"))
    source = ways.source(after_fetch=ACTS[operation], after_fetch_folder="Done")
    source.open()
    with pytest.raises(Unreachable, match=f"2 answers were asked for, {count} came"):
        source.acknowledge(keys)
    source.open()
    source.acknowledge(keys)
    assert all(item.read for item in ann.inbox.items.values())


def test_mails_that_the_answer_does_not_name_are_not_taken_for_gone(
    exchange: Exchange, ann: Mailbox, ways: Ways
) -> None:
    keys = ann.drop(mail("one"), mail("two"))
    source = ways.source()
    source.open()
    cursor = source.look(None).cursor_when_done
    exchange.fails = lambda name, number: answer("GetItem") if (name, number) == ("GetItem", 1) else None
    with pytest.raises(Unreachable, match="ask for mails: 2 answers were asked for, 0 came"):
        source.look(cursor, again=keys)
    source.open()
    assert list(source.look(cursor, again=keys).keys) == keys
