"""Reading over Microsoft Graph: servers that never come to an end, and lists longer than one look takes."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from emaild.errors import Unreachable
from emaild.net.http import ask
from emaild.net.peer import Peer
from emaild.settings.mailbox import AfterFetch, FirstFetch
from emaild.sources import graph_delta
from tests.adapters.graph_ways import Graphs
from tests.adapters.turns import mail, subjects, turn
from tests.clock import START
from tests.servers.graph_mailbox import Mailbox
from tests.servers.scripted import Dialog, Scripted

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
PIECE = b"x" * 8192


# Servers without end


def read_request(dialog: Dialog) -> None:
    while dialog.readline():
        pass


def is_there_after(seconds: float, dialog: Dialog) -> bool:
    """Whether the client has not closed its end by then."""
    dialog._socket.settimeout(seconds)
    with contextlib.suppress(TimeoutError):
        return bool(dialog._socket.recv(1))
    return True


def endless(begin: bytes, again: bytes, pause: float = 0.0) -> Callable[[Dialog], None]:
    def plays(dialog: Dialog) -> None:
        read_request(dialog)
        dialog._socket.sendall(begin)
        with contextlib.suppress(OSError):  # it went, as it should
            while not pause or is_there_after(pause, dialog):
                dialog._socket.sendall(again)

    return plays


@pytest.mark.parametrize(
    ("begin", "again", "pause"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 500, 0.0),
        (CHUNKED + b"2\r\n{}\r\n0\r\n", b"X-A: b\r\n" * 2000, 0.0),
        (CHUNKED, b"1;" + b"x" * 60_000 + b"\r\n \r\n", 0.0),
        (OK + b"X: ", b"a", 0.05),
        (OK + b"Content-Length: 8000000\r\n\r\n", b" ", 0.05),
        (CHUNKED, b"1\r\n \r\n", 0.05),
    ],
    ids=["heads", "trailers", "sizes of chunks", "head that drips", "body that drips", "chunks that drip"],
)
@pytest.mark.parametrize("value", [False, True], ids=["list", "mail"])
def test_an_answer_without_end_is_given_up(
    graph: Graphs, scripted: Callable[..., Scripted], begin: bytes, again: bytes, pause: float, value: bool
) -> None:
    server = scripted(endless(begin, again, pause))
    source = graph.source(server=f"http://localhost:{server.port}/v1.0", protocol_timeout=1.0)
    source.open()
    with pytest.raises(Unreachable, match=r"no answer in time|is too long"):
        list(source.fetch(["a"])) if value else source.look(None)
    assert server.connections == 1


def test_a_slow_answer_may_take_longer_than_the_timeout_for_one(
    graph: Graphs, scripted: Callable[..., Scripted]
) -> None:
    def slow(dialog: Dialog) -> None:
        read_request(dialog)
        dialog._socket.sendall(OK + b"Content-Length: %d\r\n\r\n" % (len(PIECE) * 30))
        for _ in range(30):
            is_there_after(0.1, dialog)
            dialog._socket.sendall(PIECE)

    server = scripted(slow)
    source = graph.source(server=f"http://localhost:{server.port}/v1.0", protocol_timeout=2.0)
    source.open()
    ((taken,),) = source.fetch(["a"])
    assert taken.raw == PIECE * 30


def test_an_answer_that_is_the_last_is_read_to_its_end(scripted: Callable[..., Scripted]) -> None:
    def last(dialog: Dialog) -> None:
        read_request(dialog)
        body = b"x" * 200_000
        dialog._socket.sendall(OK + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        with contextlib.suppress(OSError):
            dialog.wait_for_end()

    peer = Peer(host="localhost", port=scripted(last).port, connect_timeout=5.0, protocol_timeout=5.0)
    assert ask(peer, "GET", "/", {}).body == b"x" * 200_000


# What is no mail


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 206 Partial Content\r\nContent-Length: 10\r\nContent-Range: bytes 0-9/99\r\n\r\nFrom: a@b\n",
        OK + b"Content-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: Text/HTML; charset=utf-8\r\nContent-Length: 6\r\n\r\n<html>",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    ],
    ids=["204", "202", "206", "empty", "page", "json"],
)
def test_what_is_no_mail_is_not_taken_for_one(graph: Graphs, scripted: Callable[..., Scripted], answer: bytes) -> None:
    def says(dialog: Dialog) -> None:
        for _ in range(2):
            read_request(dialog)
            dialog._socket.sendall(answer)

    source = graph.source(server=f"http://localhost:{scripted(says).port}/v1.0", after_fetch=AfterFetch.DELETE)
    source.open()
    with pytest.raises(Unreachable, match="what it answers is no mail"):
        list(source.fetch(["a"]))
    with pytest.raises(Unreachable, match="what it answers is no mail"):
        source.head("a", 100)


# Long lists


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch, graph: Graphs) -> None:
    """Two mails on a page, and four in a look."""
    graph.server.page = 2
    monkeypatch.setattr(graph_delta, "MOST_LISTED", 4)


@pytest.mark.usefixtures("small_parts")
def test_a_long_list_is_taken_in_parts_and_no_mail_is_lost(graph: Graphs, box: Mailbox) -> None:
    source = graph.source(first_fetch=FirstFetch.ALL, after_fetch=AfterFetch.LEAVE)
    cursor: str | None = None
    box.deliver(*(mail(str(number)) for number in range(10)))
    taken: dict[str, bytes] = {}
    parts = []
    for number in range(4):
        one = turn(source, cursor, known=tuple(taken))
        assert not taken.keys() & {inbound.key for inbound in one.mails}
        taken |= {inbound.key: inbound.raw for inbound in one.mails}
        parts.append(len(one.listing.keys))
        cursor = one.cursor
        if number == 0:
            box.deliver(mail("new"))
        source.close()
    assert sorted(subjects(list(taken.values()))) == sorted([*map(str, range(10)), "new"])
    assert parts[:2] == [4, 4]


@pytest.mark.usefixtures("small_parts")
def test_what_was_read_before_the_first_contact_is_left_in_all_parts_and_later_ones_are_not(
    graph: Graphs, box: Mailbox
) -> None:
    old = box.deliver(*(mail(f"old {number}") for number in range(6)), read=True)
    source = graph.source(after_fetch=AfterFetch.LEAVE)
    contact = turn(source)
    assert (contact.listing.first_contact, contact.raws) == (True, [])
    box.deliver(mail("read by a person first"), read=True, received=START + timedelta(minutes=1))
    graph.clock.advance(3600)
    rest = turn(source, contact.cursor)
    assert rest.listing.first_contact
    assert {*contact.listing.skipped, *rest.listing.skipped} == {*old}
    assert subjects(rest.raws) == ["read by a person first"]
    again = source.look(contact.cursor)  # not all of it was taken at once
    assert (again.first_contact, again.keys) == (False, rest.listing.keys)
    box.deliver(mail("read, and new"), read=True, received=START - timedelta(days=1))
    assert "read, and new" in subjects(turn(source, rest.cursor).raws)


def test_a_first_list_that_was_not_taken_to_its_end_is_listed_again(graph: Graphs, box: Mailbox) -> None:
    keys = tuple(box.deliver(mail("one"), mail("two")))
    source = graph.source()
    source.open()
    listing = source.look(None)
    again = source.look(listing.cursor)
    assert (again.keys, again.first_contact, again.cursor) == (keys, False, listing.cursor)


def test_a_list_that_only_goes_on_is_left_for_the_next_look(graph: Graphs, scripted: Callable[..., Scripted]) -> None:
    def says(dialog: Dialog) -> None:
        for number in range(1000):
            read_request(dialog)
            link = f"http://localhost:{server.port}/v1.0/next?{number}"
            body = json.dumps({"value": [], "@odata.nextLink": link}).encode()
            dialog._socket.sendall(OK + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    server = scripted(says)
    source = graph.source(server=f"http://localhost:{server.port}/v1.0")
    source.open()
    listing = source.look(None)
    assert listing.cursor_when_done.endswith(f"/v1.0/next?{graph_delta.MOST_PAGES - 1}")
    assert listing.keys == ()


@pytest.mark.parametrize(
    ("entries", "reason"),
    [(100_000, "a page has 100000 entries"), (300_000, "the answer is too long")],
)
def test_a_page_that_is_too_large_is_not_taken(
    graph: Graphs, scripted: Callable[..., Scripted], entries: int, reason: str
) -> None:
    def says(dialog: Dialog) -> None:
        read_request(dialog)
        body = b'{"value":[%s]}' % b",".join([b'{"id":"1"}'] * entries)
        with contextlib.suppress(OSError):
            dialog._socket.sendall(OK + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    source = graph.source(server=f"http://localhost:{scripted(says).port}/v1.0")
    source.open()
    with pytest.raises(Unreachable, match=reason):
        source.look(None)


def test_the_bytes_of_a_look_are_bounded(graph: Graphs, box: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_delta, "MOST_BYTES", 1)
    graph.server.page = 2
    box.deliver(*(mail(str(number)) for number in range(5)))
    assert len(turn(graph.source()).listing.keys) == 2
