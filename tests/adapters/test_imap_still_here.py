"""What a server says in IDLE: of mails, or only that it is still there."""

from __future__ import annotations

import queue
import select
from collections.abc import Callable, Iterator

import pytest

from emaild.errors import Unreachable
from emaild.settings.mailbox import FirstFetch, MailboxType
from emaild.settings.server import Security
from emaild.sources import Source, Wait
from emaild.sources.imap_idle import MOST_LINES
from tests.adapters.scripts import ImapScript
from tests.adapters.turns import Sources, mail, subjects, turn
from tests.servers.authority import Authority
from tests.servers.scripted import Dialog, Gone, Scripted

HERE = b"* OK Still here\r\n"
EXISTS = b"* 1 EXISTS\r\n"
FLAGS = b"* 1 FETCH (FLAGS (\\Seen))\r\n"
DONE, END = b"(done)", b"(end)"


class Idling:
    """A mailbox in IDLE. `said` are its commands."""

    def __init__(self, sources: Sources, scripted: Callable[..., Scripted], authority: Authority, *, tls: bool) -> None:
        self._words: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.script = ImapScript({}, {"IDLE": self._idle, "DONE": self._done}, capabilities="IMAP4rev1 IDLE")
        self._server = scripted(self.script, authority=authority, tls=tls)
        security = Security.SSL_TLS if tls else Security.NONE
        port = self._server.port
        self.source: Source = sources("joe", port=port, security_given=security, first_fetch=FirstFetch.ALL)
        self.cursor = turn(self.source).cursor
        self.wait: Wait = self.source.wait()

    def _idle(self, dialog: Dialog, tag: str, rest: str) -> None:
        dialog.send("+ idling")
        self._idles = True
        while self._idles and (words := self._words.get(timeout=20)) is not DONE:
            if words is END:
                raise Gone
            dialog.send_raw(words.replace(b"TAG", tag.encode()))
            self._idles = b"TAG" not in words

    def _done(self, dialog: Dialog, tag: str, rest: str) -> None:
        dialog.send(f"{tag} OK idled" if self._idles else "* BAD no command")

    def says(self, words: bytes) -> bool:
        """The server says that, or ends the connection; whether it is news."""
        self._words.put(words)
        connection = self.wait.connection
        assert connection is not None
        assert select.select([connection], [], [], 10)[0]
        return self.wait.is_news()

    def looks(self) -> list[str]:
        """The subjects of what a look finds after IDLE."""
        self._words.put(DONE)
        return subjects(turn(self.source, self.cursor).raws)


@pytest.fixture(params=[False, True], ids=["plain", "TLS"])
def idling(request: pytest.FixtureRequest, scripted: Callable[..., Scripted], authority: Authority) -> Iterator[Idling]:
    with Sources(MailboxType.IMAP, 0, authority) as sources:
        made = Idling(sources, scripted, authority, tls=request.param)
        yield made
        made._words.put(DONE)


def test_a_server_that_is_still_there_tells_no_news_and_idle_goes_on(idling: Idling) -> None:
    assert not idling.says(HERE)
    assert not idling.says(HERE * 3)
    idling.script.mails[1] = mail("one")
    assert idling.says(EXISTS)
    assert idling.looks() == ["one"]


@pytest.mark.parametrize(
    "words",
    [EXISTS, HERE + EXISTS, EXISTS + HERE, b"* 1 FETCH (FLAGS (\\Seen))\r\n", b"* 1 EXPUNGE\r\n", b"* XNEW 1\r\n"],
)
def test_whatever_else_it_says_is_news(idling: Idling, words: bytes) -> None:
    idling.script.mails[1] = mail("one")
    assert idling.says(words)
    assert idling.looks() == ["one"]


def test_a_server_that_says_for_ever_that_it_is_there_keeps_nobody(idling: Idling) -> None:
    assert idling.says(HERE * (MOST_LINES + 1))
    assert idling.looks() == []


@pytest.mark.parametrize("answer", [b"TAG OK idle ended\r\n", HERE + b"TAG OK idle ended\r\n"])
def test_the_end_of_idle_by_the_server_is_news(idling: Idling, answer: bytes) -> None:
    idling.script.mails[1] = mail("one")
    assert idling.says(answer)
    assert idling.looks() == ["one"]


def test_the_end_of_the_connection_is_news(idling: Idling) -> None:
    assert idling.says(END)
    with pytest.raises(Unreachable, match="wake"):
        idling.source.open()


def test_a_bye_is_news_and_the_next_turn_connects_anew(idling: Idling) -> None:
    assert idling.says(b"* BYE Idle for too long\r\n")
    idling._words.put(END)
    with pytest.raises(Unreachable):
        idling.source.open()
    idling._words.put(DONE)
    assert turn(idling.source, idling.cursor).mails == ()


def test_what_is_no_imap_is_told_as_such(idling: Idling) -> None:
    with pytest.raises(Unreachable):
        idling.says(b"\0\xff nothing of the kind\r\n")
    assert turn(idling.source, idling.cursor).mails == ()
