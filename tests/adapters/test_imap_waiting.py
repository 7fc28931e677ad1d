"""Between two turns: IDLE on Dovecot, polling where there is none, and connections that die meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from emaild.clock import SystemClock
from emaild.errors import Unreachable
from emaild.net.idle import IdleWatch
from emaild.settings.mailbox import AfterFetch, MailboxType
from emaild.sources import Source, Wait
from tests.adapters.turns import Sources, mail, subjects, turn
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot


@pytest.fixture
def watch() -> Iterator[IdleWatch]:
    """A watch that runs."""
    idle = IdleWatch(SystemClock())
    idle.start()
    yield idle
    idle.stop()


def idles(watch: IdleWatch, source: Source) -> threading.Event:
    """Hand a source's connection to the watch; what is returned is set when it comes back."""
    wait = source.wait()
    assert wait.connection is not None
    back = threading.Event()
    watch.watch("box", wait.connection, wait.seconds, back.set)
    return back


def test_mail_wakes_an_idle_connection_which_is_then_used_again(
    dovecot: Dovecot, imap: Sources, watch: IdleWatch
) -> None:
    """RFC 2177; one session in Dovecot's log, however many mails come."""
    source = imap("idle")
    cursor = turn(source).cursor
    for name in ("one", "two"):
        back = idles(watch, source)
        assert not back.is_set()
        dovecot.deliver("idle", mail(name))
        assert back.wait(10)
        taken = turn(source, cursor)
        assert subjects(taken.raws) == [name]
        cursor = taken.cursor
    assert len(dovecot.sessions("idle", 1)) == 1


def test_idle_ends_after_idle_renewal_and_is_begun_again(dovecot: Dovecot, imap: Sources) -> None:
    source = imap("renewal", idle_renewal=60.0)
    cursor = turn(source).cursor
    for _ in range(2):
        wait = source.wait()
        assert wait.seconds == 60.0
        assert wait.connection is not None
        assert turn(source, cursor).mails == ()
    assert len(dovecot.sessions("renewal", 1)) == 1


def test_folder_that_is_only_looked_at_idles_too(dovecot: Dovecot, imap: Sources, watch: IdleWatch) -> None:
    source = imap("idle-leave", after_fetch=AfterFetch.LEAVE)
    cursor = turn(source).cursor
    back = idles(watch, source)
    dovecot.deliver("idle-leave", mail("one"))
    assert back.wait(10)
    assert subjects(turn(source, cursor).raws) == ["one"]


def test_mail_that_came_during_the_turn_is_not_waited_for(dovecot: Dovecot, imap: Sources) -> None:
    """The server tells of it with the answer to STORE, and then not again in IDLE."""
    dovecot.drop("between", [mail("one")])
    source = imap("between")
    source.open()
    listing = source.look(None)
    dovecot.drop("between", [mail("two")])
    source.acknowledge(listing.keys)
    source.finish()
    wait = source.wait()
    assert wait.connection is None
    assert wait.seconds < 1
    assert subjects(turn(source, listing.cursor_when_done).raws) == ["two"]
    assert source.wait().connection is not None


def test_section_without_idle_is_read_by_cycle_time_over_one_connection(dovecot: Dovecot, imap: Sources) -> None:
    source = imap("no-idle", idle=False, cycle_time=42.0)
    cursor = turn(source).cursor
    assert source.wait() == Wait(42.0)
    dovecot.drop("no-idle", [mail("one")])
    assert subjects(turn(source, cursor).raws) == ["one"]
    assert len(dovecot.sessions("no-idle", 1)) == 1


@pytest.mark.parametrize("idle", [True, False])
def test_connection_that_died_is_told_once_and_then_made_anew(authority: Authority, idle: bool) -> None:
    with Dovecot(authority) as server, Sources(MailboxType.IMAP, server.imaps, authority) as sources:
        source = sources("dies", idle=idle)
        cursor = turn(source).cursor
        source.wait()
        server.kill()
        with pytest.raises(Unreachable, match="wake: "):
            source.open()
        with pytest.raises(Unreachable, match="connect: Connection refused"):
            source.open()
        server.start()
        server.drop("dies", [mail("one")])
        assert subjects(turn(source, cursor).raws) == ["one"]
        assert len(server.sessions("dies", 2)) == 2


def test_server_that_stops_wakes_the_watch(authority: Authority, watch: IdleWatch) -> None:
    with Dovecot(authority) as server, Sources(MailboxType.IMAP, server.imaps, authority) as sources:
        source = sources("stops")
        turn(source)
        back = idles(watch, source)
        server.stop()
        assert back.wait(10)
        with pytest.raises(Unreachable):
            source.open()
