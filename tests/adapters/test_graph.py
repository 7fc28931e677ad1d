"""Reading over Microsoft Graph: what is taken, how, and what becomes of it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from emaild.errors import Busy, Rejected, Unreachable
from emaild.settings.mailbox import AfterFetch, FirstFetch
from emaild.sources import Wait
from tests.adapters.graph_ways import Graphs
from tests.adapters.turns import mail, subjects, turn
from tests.said import Said
from tests.servers.graph_answers import Asked
from tests.servers.graph_mailbox import Mailbox
from tests.servers.mails import generated


@pytest.fixture
def said() -> Said:
    """What is logged from here on."""
    return Said()


# What is taken


def test_mails_come_byte_for_byte_and_are_marked_as_read(graph: Graphs, box: Mailbox) -> None:
    raws = [one.raw for one in generated(50, seed=6, largest=60_000)]
    box.deliver(*raws)
    taken = turn(graph.source())
    assert taken.raws == raws
    assert taken.listing.first_contact
    assert [one.read for one in box.held()] == [True] * 50


def test_mails_that_were_read_before_the_first_contact_are_left_and_later_ones_are_not(
    graph: Graphs, box: Mailbox
) -> None:
    (old,) = box.deliver(mail("read long ago"), read=True)
    box.deliver(mail("never read"))
    source = graph.source()
    contact = turn(source)
    assert (subjects(contact.raws), contact.listing.skipped, contact.listing.held) == (["never read"], (old,), 2)
    box.deliver(mail("read by a person first"), read=True)
    assert subjects(turn(source, contact.cursor).raws) == ["read by a person first"]


@pytest.mark.parametrize(("first", "taken"), [(FirstFetch.ALL, ["one", "two"]), (FirstFetch.NEW, [])])
def test_first_fetch_says_which_of_the_old_ones_are_taken(
    graph: Graphs, box: Mailbox, first: FirstFetch, taken: list[str]
) -> None:
    box.deliver(mail("one"), mail("two"), read=True)
    contact = turn(graph.source(first_fetch=first))
    assert subjects(contact.raws) == taken
    assert len(contact.listing.skipped) == 2 - len(taken)


def test_many_pages_are_one_list(graph: Graphs, box: Mailbox) -> None:
    graph.server.page = 7
    box.deliver(*(mail(str(number)) for number in range(50)))
    source = graph.source()
    contact = turn(source)
    assert subjects(contact.raws) == [str(number) for number in range(50)]
    box.deliver(*(mail(f"new {number}") for number in range(20)))
    assert subjects(turn(source, contact.cursor).raws) == [f"new {number}" for number in range(20)]


def test_a_look_that_brings_nothing_leaves_the_cursor_as_it_is(graph: Graphs, box: Mailbox) -> None:
    source = graph.source(cycle_time=42.0)
    contact = turn(source)
    assert contact.listing.keys == ()
    box.deliver(mail("elsewhere"), folder="archive")
    quiet = turn(source, contact.cursor)
    assert (quiet.listing.keys, quiet.cursor, quiet.listing.cursor) == ((), contact.cursor, contact.cursor)
    assert source.wait() == Wait(42.0)


def test_what_was_listed_is_listed_again_until_the_cursor_moves(graph: Graphs, box: Mailbox) -> None:
    source = graph.source()
    start = turn(source).cursor
    keys = tuple(box.deliver(mail("one"), mail("two")))
    for _ in range(2):
        source.open()
        listing = source.look(start)
        assert (listing.keys, listing.cursor) == (keys, start)


def test_a_mail_that_went_before_it_was_taken_is_no_longer_listed(graph: Graphs, box: Mailbox) -> None:
    source = graph.source()
    start = turn(source).cursor
    gone, there = box.deliver(mail("gone"), mail("there"))
    source.open()
    assert source.look(start).keys == (gone, there)
    for _ in range(2):  # from the deleted items, too
        box.remove(box.messages[gone])
    assert list(source.fetch([gone])) == []
    assert source.look(start).keys == (there,)


@pytest.mark.parametrize("code", ["syncStateNotFound", "resyncRequired", "Gone"])
def test_a_forgotten_state_lists_all_anew_under_the_same_keys(graph: Graphs, box: Mailbox, code: str) -> None:
    source = graph.source(after_fetch=AfterFetch.LEAVE)
    known = box.deliver(mail("taken before"))
    start = turn(source).cursor
    (new,) = box.deliver(mail("new"))
    if code == "syncStateNotFound":
        box.forget_states()
    else:
        graph.server.fail("messages/delta", 410, code)
    again = turn(source, start, known=known)
    assert again.listing.keys == (*known, new)
    assert (again.listing.first_contact, again.listing.skipped) == (False, ())
    assert subjects(again.raws) == ["new"]
    assert turn(source, again.cursor).listing.keys == ()


def test_a_state_that_is_forgotten_between_two_pages_lists_all_anew_and_no_mail_twice(
    graph: Graphs, box: Mailbox
) -> None:
    known = box.deliver(mail("taken before"))
    source = graph.source(after_fetch=AfterFetch.LEAVE)
    start = turn(source).cursor
    new = box.deliver(mail("one"), mail("two"), mail("three"))
    graph.server.page = 1

    def forget_once(asked: Asked) -> None:
        if "$skiptoken" in asked.query:
            graph.server.meanwhile = lambda asked: None
            box.forget_states()

    graph.server.meanwhile = forget_once
    again = turn(source, start, known=known)
    assert again.listing.keys == (*known, *new)
    assert subjects(again.raws) == ["one", "two", "three"]


def test_a_folder_is_found_by_its_path_and_its_separator(graph: Graphs, box: Mailbox) -> None:
    outer = box.make("Kunden's", "")
    inner = box.make("Neu & alt", outer.id)
    box.deliver(mail("in a folder"), folder=inner.id)
    source = graph.source(folder_path="Kunden's|Neu & alt", folder_separator="|")
    assert subjects(turn(source).raws) == ["in a folder"]


def test_a_folder_that_was_made_anew_is_read_anew(graph: Graphs, box: Mailbox) -> None:
    old = box.make("Orders", "")
    source = graph.source(folder_path="Orders")
    start = turn(source).cursor
    del box.folders[old.id.lower()]
    box.deliver(mail("in the new one"), folder=box.make("Orders", "").id)
    assert subjects(turn(source, start).raws) == ["in the new one"]


def test_a_missing_folder_and_a_missing_mailbox_are_rejected(graph: Graphs) -> None:
    with pytest.raises(Rejected, match="find folder Nowhere: there is no such folder"):
        turn(graph.source(folder_path="Nowhere"))
    with pytest.raises(Rejected, match="404 ErrorInvalidUser"):
        turn(graph.source("nobody@example.com"))


def test_mails_of_before_begin_date_are_told(graph: Graphs, box: Mailbox) -> None:
    days = [datetime(2026, 1, 31, 23, 59, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)]
    old, new = (box.deliver(mail("x"), received=day)[0] for day in days)
    source = graph.source()
    source.open()
    keys = source.look(None).keys
    assert keys == (old, new)
    assert source.before(days[1], keys) == {old}
    assert [one.received for batch in source.fetch(keys) for one in batch] == days


# How it is taken


def test_of_a_mail_above_maximum_msg_size_only_one_byte_more_is_read(graph: Graphs, box: Mailbox) -> None:
    (big,) = box.deliver(mail("big", "x" * 900 * 1024))
    box.deliver(mail("small"))
    source = graph.source(maximum_msg_size=10_000)
    source.open()
    keys = source.look(None).keys
    (batch,) = source.fetch(keys)
    assert [len(one.raw) for one in batch] == [10_001, len(mail("small"))]
    assert batch[0].raw == box.messages[big].raw[:10_001]


def test_the_beginning_of_a_mail_is_given_without_the_rest(graph: Graphs, box: Mailbox) -> None:
    (key,) = box.deliver(mail("big", "x" * 900 * 1024))
    source = graph.source()
    source.open()
    assert source.head(key, 5000) == box.messages[key].raw[:5000]
    assert source.head(key, 10 << 20) == box.messages[key].raw
    box.remove(box.messages[key])
    box.remove(box.messages[key])
    assert source.head(key, 5000) is None
    assert not box.messages


def test_mails_that_were_left_out_are_listed_once_more_while_they_are_there(graph: Graphs, box: Mailbox) -> None:
    when = datetime(2026, 2, 1, 8, 0, tzinfo=UTC)
    source = graph.source()
    (left,) = box.deliver(mail("left out"), received=when)
    start = turn(source).cursor
    source.open()
    assert source.look(start, [left, "no-such-id"]).keys == (left,)
    assert [one.received for batch in source.fetch([left]) for one in batch] == [when]


def test_a_truncated_mail_is_not_taken_for_a_whole_one(graph: Graphs, box: Mailbox) -> None:
    box.deliver(mail("one"), mail("two", "x" * 1000))
    source = graph.source()
    source.open()
    keys = source.look(None).keys
    graph.server.fail(rf"GET .*{keys[1][-8:]}".replace("+", r"\+"), cut=100)
    batches = source.fetch(keys)
    assert [one.key for one in next(batches)] == [keys[0]]
    with pytest.raises(Unreachable, match=r"value: the answer ended too early"):
        next(batches)


@pytest.mark.parametrize("fits", ["mailFolders/inbox/messages/delta", r"\$batch"])
def test_half_an_answer_is_none(graph: Graphs, box: Mailbox, fits: str) -> None:
    box.deliver(mail("one"), mail("two"))
    source = graph.source(first_fetch=FirstFetch.ALL)
    graph.server.fail(fits, cut=20)
    with pytest.raises(Unreachable, match="ended too early"):
        turn(source)
    source.close()
    assert subjects(turn(source).raws) == ["one", "two"]


def test_a_mail_that_graph_cannot_give_now_breaks_the_turn_and_one_that_it_will_not_give_does_not(
    graph: Graphs, box: Mailbox
) -> None:
    box.deliver(mail("one"), mail("two"))
    source = graph.source()
    source.open()
    keys = source.look(None).keys
    graph.server.fail(r"\$value", 500, "InternalServerError")
    with pytest.raises(Unreachable, match="500 InternalServerError"):
        list(source.fetch(keys))
    graph.server.fail(r"\$value", 400, "ErrorMimeContentConversionFailed")
    (batch,) = source.fetch(keys)
    assert [one.key for one in batch] == [keys[1]]


def test_a_packed_answer_that_nobody_asked_for_is_not_taken_for_a_mail(graph: Graphs, box: Mailbox) -> None:
    box.deliver(mail("one"))
    source = graph.source()
    graph.server.fail(r"\$value", 200, Content_Encoding="gzip")
    with pytest.raises(Unreachable, match="the answer is packed, unasked"):
        turn(source)
    assert subjects(turn(source).raws) == ["one"]
    assert {asked.headers["accept-encoding"] for asked in graph.server.asked} == {"identity"}


@pytest.mark.parametrize("code", ["MailboxNotEnabledForRESTAPI", "ErrorInvalidUser", "ErrorAccessDenied"])
@pytest.mark.parametrize("fits", [r"\$value", "PATCH"])
def test_an_answer_about_the_mailbox_is_never_one_about_a_mail(
    graph: Graphs, box: Mailbox, fits: str, code: str
) -> None:
    box.deliver(mail("one"))
    source = graph.source(failed_items_folder_name="Failed")
    graph.server.fail(fits, 403 if "Denied" in code else 404, code)
    with pytest.raises(Rejected, match=code):
        turn(source)
    assert subjects(turn(source).raws) == ["one"]
    assert [one.read for one in box.held()] == [True]


@pytest.mark.parametrize("fits", ["delta", r"\$value", "PATCH"])
def test_a_redirection_is_not_followed(graph: Graphs, box: Mailbox, fits: str) -> None:
    box.deliver(mail("one"))
    source = graph.source(failed_items_folder_name="Failed")
    graph.server.fail(fits, 307, "Moved", Location=graph.server.url + "/elsewhere")
    with pytest.raises((Busy, Unreachable), match="307 Moved"):
        turn(source)
    assert graph.server.count("elsewhere") == 0
    assert subjects(turn(source).raws) == ["one"]


# What becomes of it


def test_a_mail_that_graph_will_not_give_goes_to_the_folder_for_failed_items(
    graph: Graphs, box: Mailbox, said: Said
) -> None:
    source = graph.source(failed_items_folder_name="Failed/Mails")
    start = turn(source).cursor
    bad, other, good = box.deliver(mail("bad"), mail("bad too"), mail("good"))
    graph.server.fail(r"\$value", 400, "ErrorMimeContentConversionFailed", times=2)
    assert subjects(turn(source, start).raws) == ["good"]
    place = next(one for one in box.folders.values() if one.name == "Mails")
    assert box.folders[place.parent.lower()].name == "Failed"
    assert [one.id for one in box.held(place.id)] == [bad, other]
    assert [(one["key"], one["folder"]) for one in said.all("mail.failed_moved")] == [
        (bad, "Failed/Mails"),
        (other, "Failed/Mails"),
    ]
    assert source.look(start, [bad]).keys == (good,)  # under its id it is still there, and would be taken for late
    assert graph.server.count("POST .*(mailFolders|childFolders)$") == 2


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, None),
        (403, None),
        (403, "ErrorMimeContentConversionFailed"),
        (400, "AccessDenied"),
        (400, "Authorization_RequestDenied"),
    ],
)
def test_a_refusal_that_is_not_about_the_mail_moves_none(
    graph: Graphs, box: Mailbox, status: int, code: str | None
) -> None:
    source = graph.source(failed_items_folder_name="Failed")
    start = turn(source).cursor
    keys = box.deliver(mail("one"), mail("two"))
    graph.server.fail(r"\$value", status, said={"error": {"code": code}} if code else {})
    with pytest.raises(Rejected, match=str(status)):
        turn(source, start)
    assert [one.id for one in box.held()] == keys


def test_a_mail_that_is_refused_for_an_unknown_reason_stays_where_it_is(graph: Graphs, box: Mailbox) -> None:
    source = graph.source(failed_items_folder_name="Failed")
    start = turn(source).cursor
    keys = box.deliver(mail("one"), mail("two"))
    graph.server.fail(r"\$value", 400, "AnUnknownCode")
    assert subjects(turn(source, start).raws) == ["two"]
    assert [one.id for one in box.held()] == keys


def test_a_mail_that_graph_will_not_give_stays_where_no_folder_for_it_is_named(graph: Graphs, box: Mailbox) -> None:
    (bad,) = box.deliver(mail("bad"))
    graph.server.fail(r"\$value", 400, "ErrorMimeContentConversionFailed")
    assert turn(graph.source()).raws == []
    assert [one.id for one in box.held()] == [bad]


def test_a_mail_that_cannot_be_moved_to_the_failed_ones_is_told_after_those_before_it(
    graph: Graphs, box: Mailbox
) -> None:
    keys = box.deliver(mail("good"), mail("bad"))
    source = graph.source(failed_items_folder_name="Failed")
    source.open()
    source.look(None)
    name = re.escape(keys[1][-8:])
    graph.server.fail(rf"GET .*{name}.*value", 400, "ErrorMimeContentConversionFailed")
    graph.server.fail("move", 403, "ErrorAccessDenied")
    batches = source.fetch(keys)
    assert [one.key for one in next(batches)] == keys[:1]
    with pytest.raises(Rejected, match="move a failed mail: 403 ErrorAccessDenied"):
        next(batches)


def test_moved_mails_keep_their_keys_and_the_folder_is_made(graph: Graphs, box: Mailbox) -> None:
    keys = box.deliver(*(mail(str(number)) for number in range(6)))
    source = graph.source(after_fetch=AfterFetch.MOVE, after_fetch_folder="Done/2026")
    taken = turn(source)
    assert taken.listing.keys == tuple(keys)
    done = next(one for one in box.folders.values() if one.name == "2026")
    assert box.folders[done.parent.lower()].name == "Done"
    assert [one.id for one in box.held(done.id)] == keys
    source.open()
    source.look(taken.cursor)
    source.acknowledge(keys)  # once more: the power failed before it was written down
    assert [one.id for one in box.held(done.id)] == keys
    assert graph.server.count("POST .*mailFolders$") == 1


def test_a_folder_to_move_to_that_went_is_made_anew_and_no_mail_is_taken_for_gone(graph: Graphs, box: Mailbox) -> None:
    source = graph.source(after_fetch=AfterFetch.MOVE, after_fetch_folder="Done")
    box.deliver(mail("one"))
    turn(source)
    del box.folders[next(name for name, one in box.folders.items() if one.name == "Done")]
    keys = box.deliver(mail("two"), mail("three"))
    with pytest.raises(Rejected, match="after-fetch move: 404 ErrorItemNotFound"):
        source.acknowledge(keys)
    source.acknowledge(keys)
    assert [one.id for one in box.held("Done")] == keys


def test_deleted_mails_go_to_the_deleted_items_and_left_ones_stay(graph: Graphs, box: Mailbox) -> None:
    box.deliver(mail("one"), mail("two"))
    turn(graph.source(after_fetch=AfterFetch.LEAVE))
    assert [one.read for one in box.held()] == [False, False]
    turn(graph.source(after_fetch=AfterFetch.DELETE))
    assert (box.held(), len(box.held("deleteditems"))) == ([], 2)


def test_what_is_gone_meanwhile_is_no_error(graph: Graphs, box: Mailbox) -> None:
    keys = box.deliver(*(mail(str(number)) for number in range(5)))
    source = graph.source()
    source.open()
    source.look(None)
    box.messages.pop(keys[1])
    source.acknowledge(keys)
    source.acknowledge(keys[1:2])
    assert [one.read for one in box.held()] == [True] * 4


def test_acknowledging_a_hundred_mails_takes_a_quarter_as_many_requests(graph: Graphs, box: Mailbox) -> None:
    keys = box.deliver(*(mail(str(number)) for number in range(100)))
    source = graph.source()
    source.acknowledge(keys)
    assert (graph.server.count("POST"), graph.server.most_at_once) == (25, 4)
