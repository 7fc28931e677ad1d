"""The beginning of a mail, for those that are too big to be taken: without marking it, in memory that is bounded."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from emaild.errors import Unreachable
from emaild.net.peer import peer_of
from emaild.settings.mailbox import FirstFetch, MailboxType
from emaild.settings.properties import Pop3Properties
from emaild.settings.server import Security
from emaild.sources import Source
from emaild.sources.pop3_client import Client
from tests.adapters.scripts import Answer, ImapScript, Pop3Script, body, cuts, says
from tests.adapters.turns import Sources, mail, section
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.scripted import Dialog, Scripted

MOST = 4096
LARGE = mail("large", *(f"..line {number}" for number in range(20_000)))
SMALL = mail("small")


@pytest.fixture(params=[MailboxType.IMAP, MailboxType.POP3])
def real(request: pytest.FixtureRequest, dovecot: Dovecot, authority: Authority) -> Iterator[Sources]:
    """Sources over each protocol on the Dovecot that all tests share."""
    port = dovecot.imaps if request.param is MailboxType.IMAP else dovecot.pop3s
    with Sources(request.param, port, authority) as sources:
        yield sources


@pytest.fixture
def opened(authority: Authority, scripted: Callable[..., Scripted]) -> Iterator[Callable[..., tuple[Source, str]]]:
    """Opens the one mail of a scripted server; returns the source and the mail's key."""
    with Sources(MailboxType.POP3, 0, authority) as pop3, Sources(MailboxType.IMAP, 0, authority) as imap:

        def opening(script: ImapScript | Pop3Script, **given: Any) -> tuple[Source, str]:
            make = imap if isinstance(script, ImapScript) else pop3
            port = scripted(script).port
            source = make("joe", port=port, security_given=Security.NONE, first_fetch=FirstFetch.ALL, **given)
            source.open()
            (key,) = source.look(None).keys
            return source, key

        yield opening


def test_beginning_is_byte_for_byte_and_leaves_the_mail_as_it_was(
    dovecot: Dovecot, real: Sources, request: pytest.FixtureRequest
) -> None:
    user = f"heads-{request.node.callspec.params['real'].lower()}"
    dovecot.drop(user, [LARGE, SMALL])
    source = real(user, first_fetch=FirstFetch.ALL)
    source.open()
    large, small = source.look(None).keys
    head = source.head(large, MOST)
    assert head is not None
    assert LARGE.startswith(head)
    assert len(mail("large")) < len(head) <= MOST
    assert source.head(small, MOST) == SMALL
    assert source.sizes([small]) == {small: len(SMALL)}  # what follows is understood
    source.close()
    assert dovecot.flags(user) == [(), ()]


def test_mail_that_is_gone_has_no_beginning(dovecot: Dovecot, real: Sources, request: pytest.FixtureRequest) -> None:
    user = f"headless-{request.node.callspec.params['real'].lower()}"
    dovecot.drop(user, [SMALL])
    source = real(user, first_fetch=FirstFetch.ALL)
    source.open()
    (key,) = source.look(None).keys
    assert source.head("1/4711", MOST) is None
    assert source.head(key.partition("/")[0] + "/4711", MOST) is None


def no_top(*_: object) -> None:
    pytest.fail("a server without TOP was asked for it")


@pytest.mark.parametrize(
    ("answers", "given"),
    [
        ({"TOP": says("-ERR unknown command")}, {}),
        ({"CAPA": says("+OK", "UIDL", "."), "TOP": no_top}, {}),
        ({"TOP": no_top}, {"pop3": Pop3Properties(disabletop=True)}),
    ],
    ids=["refused", "not offered", "disabletop"],
)
def test_pop3_server_that_cannot_is_no_failure(
    opened: Callable[..., tuple[Source, str]], answers: dict[str, Answer], given: dict[str, Any]
) -> None:
    source, key = opened(Pop3Script({b"one": SMALL}, answers), **given)
    assert source.head(key, MOST) is None
    assert [len(batch) for batch in source.fetch([key])] == [1]


@pytest.mark.parametrize("answer", ["TAG NO not today", "TAG OK done"], ids=["refused", "nothing given"])
def test_imap_server_that_will_not_is_no_failure(opened: Callable[..., tuple[Source, str]], answer: str) -> None:
    def fetch(dialog: Dialog, tag: str, rest: str) -> None:
        if "BODY.PEEK[]<0." in rest:
            dialog.send(answer.replace("TAG", tag))
        else:
            script.fetch(dialog, tag, rest)

    script = ImapScript({11: SMALL}, {"UID FETCH": fetch})
    source, key = opened(script)
    assert source.head(key, MOST) is None
    assert [len(batch) for batch in source.fetch([key])] == [1]


def test_imap_server_that_gives_the_whole_mail_instead_is_not_believed(
    opened: Callable[..., tuple[Source, str]],
) -> None:
    source, key = opened(
        ImapScript({11: SMALL}, {"UID FETCH": lambda dialog, tag, rest: whole(dialog, tag)}),
    )
    assert source.head(key, 10) is None


def whole(dialog: Dialog, tag: str) -> None:
    dialog.send_raw(body(1, 11, SMALL) + f"{tag} OK done\r\n".encode())


def top(raw: bytes, *pieces: int) -> Answer:
    """Answers TOP with all of a mail, whatever was asked for; cut into pieces at these places."""
    stuffed = b"+OK\r\n" + re.sub(rb"(?m)^\.", b"..", raw) + b".\r\n"

    def answer(dialog: Dialog, tag: str, rest: str) -> None:
        for start, end in zip((0, *pieces), (*pieces, len(stuffed)), strict=True):
            dialog.send_raw(stuffed[start:end])

    return answer


def test_what_a_pop3_server_gives_beyond_the_beginning_is_read_and_forgotten(
    opened: Callable[..., tuple[Source, str]],
) -> None:
    long = mail("long") + b"x" * 10 * MOST + b"\r\n"
    source, key = opened(Pop3Script({b"one": SMALL}, {"TOP": top(long)}))
    head = source.head(key, MOST)
    assert head == long[:MOST]
    assert [mails[0].raw for mails in source.fetch([key])] == [SMALL]


def test_the_beginning_of_a_huge_mail_takes_no_more_memory_than_itself() -> None:
    """A server of its own, for one that writes down what it said would take the memory."""
    block = b"x" * 65_534 + b"\r\n"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        thread = threading.Thread(target=serve, args=(listening, block, 1600), daemon=True)  # 105 MB
        thread.start()
        rules = section(MailboxType.POP3, port, "joe", security_given=Security.NONE)
        with contextlib.closing(Client(peer_of(rules), Pop3Properties())) as client:
            tracemalloc.start()
            head = client.beginning(b"TOP 1 1", MOST)
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
    thread.join(10)
    assert head == block[:MOST]
    assert most < 8 << 20


def serve(listening: socket.socket, block: bytes, blocks: int) -> None:
    """To CAPA a refusal; to the next command a mail of so many blocks."""
    connection, _ = listening.accept()
    with connection:
        connection.sendall(b"+OK ready\r\n")
        connection.recv(100)
        connection.sendall(b"-ERR what\r\n")
        connection.recv(100)
        connection.sendall(b"+OK\r\n")
        for _ in range(blocks):
            connection.sendall(block)
        connection.sendall(b".\r\n")


@pytest.mark.parametrize("cut", range(1, 24))
def test_the_end_of_a_pop3_answer_is_found_wherever_it_is_cut(
    opened: Callable[..., tuple[Source, str]], cut: int
) -> None:
    raw = b".A: b\r\n\r\n.\r\n..\r\n"
    source, key = opened(Pop3Script({b"one": SMALL}, {"TOP": top(raw, cut)}))
    assert source.head(key, MOST) == raw
    assert source.sizes([key]) == {key: len(SMALL)}


def test_connection_that_breaks_within_the_beginning_is_told(opened: Callable[..., tuple[Source, str]]) -> None:
    source, key = opened(Pop3Script({b"one": SMALL}, {"TOP": cuts}))
    with pytest.raises(Unreachable):
        source.head(key, MOST)
