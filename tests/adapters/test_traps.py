"""Servers that fall silent or hang up, at each step of a turn over IMAP and POP3."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from emaild.errors import Unreachable
from emaild.settings.mailbox import AfterFetch, FirstFetch, MailboxType
from emaild.settings.server import Security
from emaild.sources import Source
from tests.adapters.scripts import Answer, ImapScript, Pop3Script, cuts, stays_silent
from tests.adapters.turns import Sources, mail, subjects, turn
from tests.servers.authority import Authority
from tests.servers.scripted import Dialog, Scripted, hang_up, silent

IMAP, POP3 = MailboxType.IMAP, MailboxType.POP3
Make = Callable[..., Source]

# Each command of a turn, and what the adapter was doing when it sent it.
STEPS = [
    (IMAP, "greeting", "connect"),
    (IMAP, "CAPABILITY", "connect"),
    (IMAP, "LOGIN", "sign in"),
    (IMAP, "SELECT", "open folder INBOX"),
    (IMAP, "UID SEARCH", "search"),
    (IMAP, "UID FETCH", "fetch sizes"),
    (IMAP, "UID STORE", "after-fetch delete"),
    (IMAP, "UID EXPUNGE", "after-fetch delete"),
    (IMAP, "IDLE", "idle"),
    (IMAP, "DONE", "wake"),
    (POP3, "greeting", "connect"),
    (POP3, "USER", "sign in"),
    (POP3, "PASS", "sign in"),
    (POP3, "UIDL", "list by UIDL"),
    (POP3, "RETR", "fetch"),
    (POP3, "DELE", "delete"),
    (POP3, "QUIT", "quit"),
]
SILENCE = 0.2  # seconds that the server may be silent in these tests
BOUND = 5.0  # seconds; far above SILENCE for slow machines, and far below the 5 minutes of the default


@pytest.fixture
def sources(authority: Authority) -> Iterator[Make]:
    """Makes sources of scripted servers whose patience is short, and closes them."""
    with Sources(IMAP, 0, authority) as imap, Sources(POP3, 0, authority) as pop3:

        def source(kind: MailboxType, server: Scripted, **given: Any) -> Source:
            fields: dict[str, Any] = {
                "security_given": Security.NONE,
                "first_fetch": FirstFetch.ALL,
                "after_fetch": AfterFetch.DELETE,
                "protocol_timeout": SILENCE,
            }
            return (imap if kind is IMAP else pop3)("joe", port=server.port, **(fields | given))

        yield source


def script(kind: MailboxType, command: str, answer: Answer) -> Callable[[Dialog], None]:
    """A server of one mail that answers a command so in the first connection, and properly in later ones."""

    def once(dialog: Dialog) -> None:
        answers = {command: answer} if dialog.number == 1 else {}
        play = ImapScript({1: mail("one")}, answers) if kind is IMAP else Pop3Script({b"1": mail("one")}, answers)
        play(dialog)

    return once


def turn_and_wait(source: Source) -> list[str]:
    """A turn, the waiting after it and the waking: every command that an adapter ever sends."""
    taken = turn(source)
    source.wait()
    source.open()
    return subjects(taken.raws)


@pytest.mark.parametrize(("kind", "command", "action"), STEPS)
def test_server_that_hangs_up_is_unreachable_and_the_next_turn_connects_anew(
    scripted: Callable[..., Scripted], sources: Make, kind: MailboxType, command: str, action: str
) -> None:
    """Never Rejected, which would call for a person; poplib and imaplib tell it in many ways."""
    source = sources(kind, scripted(script(kind, command, cuts)), protocol_timeout=BOUND)
    with pytest.raises(Unreachable, match=f": {action}: the connection broke") as failure:
        turn_and_wait(source)
    assert failure.value.temporary
    assert turn_and_wait(source) == ["one"]


@pytest.mark.parametrize(("kind", "command", "action"), STEPS)
def test_server_that_falls_silent_is_given_up_in_time(
    scripted: Callable[..., Scripted], sources: Make, kind: MailboxType, command: str, action: str
) -> None:
    source = sources(kind, scripted(script(kind, command, stays_silent)))
    begun = time.monotonic()
    with pytest.raises(Unreachable, match=f": {action}: no answer in time"):
        turn_and_wait(source)
    assert SILENCE <= time.monotonic() - begun < BOUND
    assert turn_and_wait(source) == ["one"]


@pytest.mark.parametrize("kind", [IMAP, POP3])
def test_server_that_never_begins_tls_is_given_up_in_time(
    scripted: Callable[..., Scripted], sources: Make, kind: MailboxType
) -> None:
    """The handshake has the time that connecting has."""
    source = sources(
        kind, scripted(silent), security_given=Security.SSL_TLS, connect_timeout=SILENCE, protocol_timeout=60.0
    )
    begun = time.monotonic()
    with pytest.raises(Unreachable, match="connect: no answer in time"):
        source.open()
    assert time.monotonic() - begun < BOUND


@pytest.mark.parametrize("kind", [IMAP, POP3])
@pytest.mark.parametrize("security", [Security.NONE, Security.SSL_TLS])
def test_server_that_hangs_up_at_once_is_unreachable(
    scripted: Callable[..., Scripted], sources: Make, kind: MailboxType, security: Security
) -> None:
    with pytest.raises(Unreachable, match="connect: "):
        sources(kind, scripted(hang_up), security_given=security).open()


@pytest.mark.parametrize("kind", [IMAP, POP3])
def test_port_without_tls_is_told(scripted: Callable[..., Scripted], sources: Make, kind: MailboxType) -> None:
    def greets(dialog: Dialog) -> None:
        dialog.send("* OK ready" if kind is IMAP else "+OK ready")
        dialog.wait_for_end()

    with pytest.raises(Unreachable, match=r"connect: \[SSL"):
        sources(kind, scripted(greets), security_given=Security.SSL_TLS, protocol_timeout=BOUND).open()


@pytest.mark.parametrize(
    "half",
    [b"* 1 FETCH (UID 1 BODY[] {100}\r\nhalf of it", b"* 1 FETCH (UID 1 BO", b"* 1 FETCH (UID 1 BODY[] {3}\r\nall)"],
)
def test_imap_mail_that_is_cut_off_is_not_taken(scripted: Callable[..., Scripted], sources: Make, half: bytes) -> None:
    def fetch(dialog: Dialog, tag: str, rest: str) -> None:
        if "BODY" not in rest:
            ImapScript({1: mail("one")}).fetch(dialog, tag, rest)
            return
        dialog.send_raw(half)
        cuts(dialog, tag, rest)

    source = sources(IMAP, scripted(script(IMAP, "UID FETCH", fetch)), protocol_timeout=BOUND)
    with pytest.raises(Unreachable, match="fetch: the connection broke"):
        turn(source)
    assert subjects(turn(source).raws) == ["one"]


def test_connection_that_is_reset_is_unreachable(scripted: Callable[..., Scripted], sources: Make) -> None:
    def resets(dialog: Dialog, tag: str, rest: str) -> None:
        dialog.reset()
        cuts(dialog, tag, rest)

    for kind, command in ((IMAP, "UID SEARCH"), (POP3, "UIDL")):
        source = sources(kind, scripted(script(kind, command, resets)), protocol_timeout=BOUND)
        with pytest.raises(Unreachable, match=r"Connection reset by peer|the connection broke"):
            turn(source)
        assert subjects(turn(source).raws) == ["one"]
