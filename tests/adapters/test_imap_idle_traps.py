"""IDLE on servers that make it hard: nothing they say is waited for in vain."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from emaild.clock import SystemClock
from emaild.errors import Unreachable
from emaild.net.idle import IdleWatch
from emaild.settings.mailbox import FirstFetch, MailboxType
from emaild.settings.server import Security
from emaild.sources import Source, Wait
from tests.adapters.scripts import Answer, ImapScript, cuts, says
from tests.adapters.turns import Sources, mail, subjects, turn
from tests.servers.authority import Authority
from tests.servers.scripted import Dialog, Gone, Scripted

Play = Callable[..., tuple[Source, ImapScript]]


@pytest.fixture
def imap(scripted: Callable[..., Scripted], authority: Authority) -> Iterator[Play]:
    """Makes a source and the server that it is read from; *answers* are the server's to single commands."""
    with Sources(MailboxType.IMAP, 0, authority) as sources:

        def play(answers: dict[str, Answer], *, tls: bool = False, **given: Any) -> tuple[Source, ImapScript]:
            capabilities = given.pop("capabilities", "IMAP4rev1 IDLE")
            script = ImapScript({}, answers, capabilities=capabilities)
            server = scripted(script, authority=authority, tls=tls)
            security = Security.SSL_TLS if tls else Security.NONE
            return sources(
                "joe", port=server.port, security_given=security, first_fetch=FirstFetch.ALL, **given
            ), script

        yield play


@pytest.fixture
def watch() -> Iterator[IdleWatch]:
    """A watch that runs."""
    idle = IdleWatch(SystemClock())
    idle.start()
    yield idle
    idle.stop()


@pytest.mark.parametrize("tls", [False, True], ids=["one segment", "one TLS record"])
@pytest.mark.parametrize("first", [b"+ idling\r\n* 1 EXISTS\r\n", b"* 1 EXISTS\r\n+ idling\r\n", b"+ idling\r\n* 1 EX"])
def test_news_that_come_along_with_the_permission_to_idle_are_not_missed(imap: Play, tls: bool, first: bytes) -> None:
    """They lie in imaplib's buffer, where no selector ever sees them."""

    def idle(dialog: Dialog, tag: str, rest: str) -> None:
        script.mails[1] = mail("one")
        dialog.send_raw(first)

    def done(dialog: Dialog, tag: str, rest: str) -> None:
        dialog.send_raw((b"" if first.endswith(b"\n") else b"ISTS\r\n") + f"{tag} OK idled\r\n".encode())

    source, script = imap({"IDLE": idle, "DONE": done}, tls=tls)
    cursor = turn(source).cursor
    wait = source.wait()
    assert wait.connection is None
    assert wait.seconds < 1
    assert subjects(turn(source, cursor).raws) == ["one"]


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_silence_after_the_permission_to_idle_is_left_to_the_selector(imap: Play, tls: bool) -> None:
    source, _ = imap({}, tls=tls)
    turn(source)
    assert source.wait().connection is not None


def test_news_during_the_turn_are_not_missed(imap: Play) -> None:
    """A server tells of a mail once: here with the answer to the search, when the search did not find it yet."""

    def search(dialog: Dialog, tag: str, rest: str) -> None:
        if script.mails:
            script.search(dialog, tag, rest)
            return
        script.mails[1] = mail("one")
        dialog.send("* SEARCH", "* 1 EXISTS", f"{tag} OK done")

    source, script = imap({"UID SEARCH": search})
    cursor = turn(source).cursor
    assert source.wait().connection is None
    assert subjects(turn(source, cursor).raws) == ["one"]
    assert source.wait().connection is not None


def test_server_without_idle_is_asked_by_cycle_time(imap: Play) -> None:
    source, _ = imap({}, capabilities="IMAP4rev1", cycle_time=42.0)
    turn(source)
    assert source.wait() == Wait(42.0)


def test_server_that_refuses_idle_is_asked_by_cycle_time(imap: Play) -> None:
    """RFC 2177 §3: it may be NO, and that does not harm the connection."""
    source, script = imap({"IDLE": says("* OK wait", "TAG NO not for you")}, cycle_time=42.0)
    cursor = turn(source).cursor
    assert source.wait() == Wait(42.0)
    script.mails[1] = mail("one")
    assert subjects(turn(source, cursor).raws) == ["one"]


def test_server_that_hangs_up_during_idle_wakes_the_watch(imap: Play, watch: IdleWatch) -> None:
    """IMAPClient's idle_check would say for ever that nothing was said."""
    hang_up = threading.Event()

    def idle(dialog: Dialog, tag: str, rest: str) -> None:
        dialog.send("+ idling")
        assert hang_up.wait(10)
        raise Gone

    source, _ = imap({"IDLE": idle})
    turn(source)
    wait = source.wait()
    assert wait.connection is not None
    back = threading.Event()
    watch.watch("box", wait.connection, wait.seconds, back.set)
    hang_up.set()
    assert back.wait(10)
    with pytest.raises(Unreachable, match="wake: the connection broke"):
        source.open()
    assert turn(source).mails == ()


def test_server_that_says_bye_during_idle_is_connected_anew(imap: Play) -> None:
    def idle(dialog: Dialog, tag: str, rest: str) -> None:
        dialog.send("+ idling", "* BYE Idle for too long")
        raise Gone

    source, _ = imap({"IDLE": idle})
    turn(source)
    source.wait()
    with pytest.raises(Unreachable, match="wake: "):
        source.open()
    source.open()


def test_server_that_hangs_up_instead_of_idling_is_unreachable(imap: Play) -> None:
    source, _ = imap({"IDLE": cuts})
    turn(source)
    with pytest.raises(Unreachable, match="idle: the connection broke"):
        source.wait()


def test_server_that_only_says_it_is_still_there_does_no_harm(imap: Play) -> None:
    """Dovecot says `* OK Still here` every two minutes."""
    source, script = imap({"IDLE": says("+ idling", "* OK Still here")})
    cursor = turn(source).cursor
    for _ in range(3):
        source.wait()
        assert turn(source, cursor).mails == ()
    script.mails[1] = mail("one")
    assert subjects(turn(source, cursor).raws) == ["one"]
