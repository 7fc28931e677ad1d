"""POP3 servers that answer strangely: each answer is told as what it is, and no mail is lost or taken in half."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog

from emaild.errors import Busy, Rejected, Unreachable
from emaild.settings.mailbox import AfterFetch, FirstFetch, MailboxType
from emaild.settings.properties import Pop3Properties
from emaild.settings.secret import Secret
from emaild.settings.server import Security
from emaild.sources import Source
from emaild.store import open_store
from tests.adapters.scripts import Answer, Pop3Script, says
from tests.adapters.turns import Sources, mail, subjects, turn
from tests.servers.authority import Authority
from tests.servers.scripted import Dialog, Gone, Scripted

THREE = {name.encode(): mail(name) for name in ("one", "two", "three")}
Make = Callable[..., Source]
MAXIMUM = 1  # MiB


@pytest.fixture
def pop3(authority: Authority) -> Iterator[Make]:
    """Makes sources of scripted servers, without TLS and taking all mails, and closes them."""
    with Sources(MailboxType.POP3, 0, authority) as sources:

        def source(server: Scripted, **given: Any) -> Source:
            fields = {"security_given": Security.NONE, "first_fetch": FirstFetch.ALL}
            return sources("joe", port=server.port, **(fields | given))

        yield source


@pytest.mark.parametrize(
    ("command", "answer", "kind"),
    [
        ("PASS", "-ERR [IN-USE] Do you have another POP session running?", Busy),
        ("PASS", "-ERR [LOGIN-DELAY] minimum time between mail checks violation", Busy),
        ("PASS", "-ERR [SYS/TEMP] try again", Busy),
        ("PASS", "-ERR maildrop already locked: mailbox is busy", Busy),
        ("PASS", "-ERR [SYS/PERM] this mailbox is no more", Rejected),
        ("USER", "-ERR sorry, no mailbox here by that name", Rejected),
    ],
)
def test_refused_sign_in_says_whether_it_passes(
    scripted: Callable[..., Scripted], pop3: Make, command: str, answer: str, kind: type[Exception]
) -> None:
    """RFC 2449 §8.1 and RFC 3206 §4 name the codes."""
    with pytest.raises(kind, match="sign in: " + re.escape(answer)):
        pop3(scripted(Pop3Script(THREE, {command: says(answer)}))).open()


def test_password_beyond_ascii_is_sent_as_utf_8(scripted: Callable[..., Scripted], pop3: Make) -> None:
    server = scripted(Pop3Script(THREE))
    pop3(server, password=Secret("geheimÜ")).open()
    assert "1 C: PASS geheimÜ" in server.transcript


def test_server_without_uidl_is_rejected(scripted: Callable[..., Scripted], pop3: Make) -> None:
    with pytest.raises(Rejected, match="list by UIDL: -ERR unknown command"):
        turn(pop3(scripted(Pop3Script(THREE, {"UIDL": says("-ERR unknown command")}))))


def test_keys_beyond_ascii_stay_different(scripted: Callable[..., Scripted], pop3: Make) -> None:
    """RFC 1939 §7 allows 0x21 to 0x7E; some servers do not know."""
    mails = {b"\xe4": mail("one"), b"\xf6": mail("two"), b"with a blank": mail("three"), "ü".encode(): mail("four")}
    taken = turn(pop3(scripted(Pop3Script(mails))))
    assert len(set(taken.listing.keys)) == 4
    assert subjects(taken.raws) == ["one", "two", "three", "four"]


def test_keys_with_nul_are_keys_that_the_store_finds_again(
    scripted: Callable[..., Scripted], pop3: Make, tmp_path: Path
) -> None:
    taken = turn(pop3(scripted(Pop3Script({b"a\0b": mail("one"), b"ab": mail("two"), b"\0": mail("three")}))))
    keys, store = taken.listing.keys, open_store(tmp_path)
    store.interactions.remember("joe", "here", keys)
    assert store.interactions.unknown("joe", [*keys, "new"]) == ["new"]
    store.close()
    assert subjects(taken.raws) == ["one", "two", "three"]


def test_mail_that_the_server_will_not_give_is_told_of_and_the_others_are_taken(
    scripted: Callable[..., Scripted], pop3: Make
) -> None:
    def retrieve(dialog: Dialog, tag: str, rest: str) -> None:
        if rest == "2":
            dialog.send("-ERR cannot open that file")
        else:
            script.retrieve(dialog, tag, rest)

    script = Pop3Script(THREE, {"RETR": retrieve, "TOP": says("-ERR not for you")})
    source = pop3(scripted(script))
    with structlog.testing.capture_logs() as said:
        assert subjects(turn(source).raws) == ["one", "three"]
    (told,) = [event for event in said if event["event"] == "mail.refused"]
    assert (told["key"], told["reason"]) == ("two", "-ERR cannot open that file")


def test_mail_whose_header_the_server_will_not_show_is_not_held_for_old(
    scripted: Callable[..., Scripted], pop3: Make
) -> None:
    """RFC 1939 §7: TOP is optional."""
    source = pop3(scripted(Pop3Script(THREE, {"TOP": says("-ERR unknown command")})))
    source.open()
    keys = source.look(None).keys
    assert source.before(datetime(2026, 1, 1, tzinfo=UTC), keys) == frozenset()
    assert [len(batch) for batch in source.fetch(keys)] == [3]


@pytest.mark.parametrize(
    "cut",
    [
        b"+OK 40 oct",
        b"+OK\r\nSubject: one\r\n\r\nhalf",
        b"+OK\r\nSubject: one\r\n\r\n.",
        b"+OK\r\nSubject: one\r\n\r\n..",
    ],
)
def test_mail_that_is_cut_off_is_not_taken(scripted: Callable[..., Scripted], pop3: Make, cut: bytes) -> None:
    """poplib calls it a refusal; and half of a doubled dot would be the mail's end to it."""

    def retrieve(dialog: Dialog, tag: str, rest: str) -> None:
        if dialog.number == 1:
            dialog.send_raw(cut)
            raise Gone
        script.retrieve(dialog, tag, rest)

    script = Pop3Script({b"one": mail("one")}, {"RETR": retrieve})
    source = pop3(scripted(script))
    with pytest.raises(Unreachable, match="fetch: the connection broke"):
        turn(source)
    assert subjects(turn(source).raws) == ["one"]


def test_connection_that_breaks_after_delete_and_before_quit_is_unreachable(
    scripted: Callable[..., Scripted], pop3: Make
) -> None:
    """The server has deleted nothing, and the next turn asks it again."""

    def quits(dialog: Dialog, tag: str, rest: str) -> None:
        if dialog.number == 1:
            raise Gone
        dialog.send("+OK")

    answers: dict[str, Answer] = {"QUIT": quits}
    server = scripted(Pop3Script({b"one": mail("one")}, answers))
    source = pop3(server, after_fetch=AfterFetch.DELETE)
    with pytest.raises(Unreachable, match="quit: the connection broke"):
        turn(source)
    turn(source)
    assert [line for line in server.transcript if "DELE" in line] == ["1 C: DELE 1", "2 C: DELE 1"]


def test_greeting_that_is_none_is_told(scripted: Callable[..., Scripted], pop3: Make) -> None:
    with pytest.raises(Rejected, match="connect: 220 smtp is spoken here"):
        pop3(scripted(Pop3Script({}, {"greeting": says("220 smtp is spoken here")}))).open()


@pytest.mark.parametrize("piece", [b"xxxx", b"xx\r\n"])
def test_mail_without_an_end_is_given_up_before_it_fills_the_memory(
    scripted: Callable[..., Scripted], pop3: Make, piece: bytes
) -> None:
    """LIST told 68 octets."""

    def retrieve(dialog: Dialog, tag: str, rest: str) -> None:
        dialog.send("+OK")
        for _ in range(2 * (MAXIMUM + 8) + 2):
            dialog.send_raw(piece * (1 << 18))
        dialog.wait_for_end()

    with pytest.raises(Unreachable, match="fetch: the answer is too long"):
        turn(pop3(scripted(Pop3Script(THREE, {"RETR": retrieve})), maximum_msg_size=MAXIMUM << 20))


def test_answer_without_an_end_is_given_up(scripted: Callable[..., Scripted], pop3: Make) -> None:
    with pytest.raises(Unreachable, match="list by UIDL: line too long"):
        turn(pop3(scripted(Pop3Script(THREE, {"UIDL": lambda dialog, tag, rest: dialog.send_raw(b"+" * 200_000)}))))


@pytest.mark.parametrize("pipelining", [True, False])
def test_answer_that_is_no_pop3_is_unreachable_and_not_repeated(
    scripted: Callable[..., Scripted], pop3: Make, pipelining: bool
) -> None:
    """What comes after a mail with a dot that the server forgot to double may be a piece of that mail."""
    mails = {b"one": b"Subject: one\r\n\r\nbefore\r\n.\r\nprivate words\r\n", b"two": mail("two")}

    def retrieve(dialog: Dialog, tag: str, rest: str) -> None:
        dialog.send_raw(b"+OK\r\n" + mails[b"one"] + b".\r\n")

    with pytest.raises(Unreachable, match="fetch: what the server says is no POP3"):
        turn(pop3(scripted(Pop3Script(mails, {"RETR": retrieve})), pop3=Pop3Properties(pipelining=pipelining)))


def test_retr_that_the_server_is_too_busy_for_ends_the_turn(scripted: Callable[..., Scripted], pop3: Make) -> None:
    with pytest.raises(Busy, match=r"fetch: -ERR \[SYS/TEMP\]"):
        turn(pop3(scripted(Pop3Script(THREE, {"RETR": says("-ERR [SYS/TEMP] try again")}))))


def test_server_that_tells_no_sizes_is_read_one_by_one(scripted: Callable[..., Scripted], pop3: Make) -> None:
    source = pop3(scripted(Pop3Script(THREE, {"LIST": says("-ERR unknown command")})))
    source.open()
    keys = source.look(None).keys
    assert source.sizes(keys) == {}
    assert [len(batch) for batch in source.fetch(keys)] == [1, 1, 1]
