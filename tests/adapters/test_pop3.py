"""Reading over POP3, on Dovecot: connecting, signing in, what is taken and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from emaild.errors import Busy, Rejected, Unreachable
from emaild.settings.mailbox import AfterFetch, FirstFetch, MailboxType
from emaild.settings.properties import Pop3Properties
from emaild.settings.secret import Secret
from emaild.settings.server import Security
from emaild.sources import Wait
from tests.adapters.turns import Sources, mail, subjects, turn
from tests.servers.authority import Authority
from tests.servers.dovecot import REFUSED, UNAVAILABLE, Dovecot
from tests.servers.mails import generated


@pytest.fixture
def pop3(dovecot: Dovecot, authority: Authority) -> Iterator[Sources]:
    """Sources of mailboxes on the Dovecot that all tests share."""
    with Sources(MailboxType.POP3, dovecot.pop3s, authority) as sources:
        yield sources


def port(dovecot: Dovecot, security: Security) -> int:
    return dovecot.pop3s if security in (Security.SSL_TLS, Security.AUTOMATIC) else dovecot.pop3


# The connection


@pytest.mark.parametrize("security", Security)
def test_mail_is_taken_whatever_protects_the_connection(dovecot: Dovecot, pop3: Sources, security: Security) -> None:
    user = f"pop-security-{security}"
    dovecot.drop(user, [mail("one")])
    source = pop3(user, security_given=security, port=port(dovecot, security), first_fetch=FirstFetch.ALL)
    assert turn(source).raws == dovecot.held(user) == [mail("one")]


@pytest.mark.parametrize("security", [Security.SSL_TLS, Security.START_TLS])
def test_certificate_that_is_not_trusted_is_rejected_before_the_password(
    dovecot: Dovecot, pop3: Sources, authority: Authority, security: Security
) -> None:
    fields: dict[str, Any] = {"security_given": security, "port": port(dovecot, security)}
    with pytest.raises(Rejected, match="certificate is not trusted: unable to get local issuer"):
        pop3("pop-untrusted", ca_file=authority.other_ca_file, **fields).open()
    with pytest.raises(Rejected, match=r"certificate is not trusted: Hostname mismatch.*'127\.1'"):
        pop3("pop-untrusted", server="127.1", **fields).open()
    assert dovecot.sessions("pop-untrusted") == []


def test_wrong_password_is_rejected(pop3: Sources) -> None:
    with pytest.raises(Rejected, match=r"sign in: -ERR \[AUTH\]") as failure:
        pop3("pop-joe", password=Secret("a wrong one")).open()
    assert "a wrong one" not in str(failure.value)
    with pytest.raises(Rejected, match=r"\[AUTH\]"):
        pop3(REFUSED).open()


def test_server_that_cannot_check_passwords_now_is_busy(pop3: Sources) -> None:
    """RFC 3206 §4: SYS/TEMP passes by itself."""
    with pytest.raises(Busy, match=r"sign in: -ERR \[SYS/TEMP\]"):
        pop3(UNAVAILABLE).open()


def test_server_that_is_down_is_unreachable(pop3: Sources, free_port: Callable[[], int]) -> None:
    with pytest.raises(Unreachable, match="connect: Connection refused"):
        pop3("pop-joe", port=free_port()).open()


# What is taken


def test_mails_that_lie_there_at_first_contact_are_skipped_by_default(dovecot: Dovecot, pop3: Sources) -> None:
    dovecot.drop("pop-first", [mail("old"), mail("older")])
    source = pop3("pop-first")
    contact = turn(source)
    assert (contact.listing.first_contact, contact.listing.held, contact.mails) == (True, 2, ())
    assert len(contact.listing.skipped) == 2
    dovecot.drop("pop-first", [mail("new")])
    after = turn(source, contact.cursor, known=contact.listing.skipped)
    assert (subjects(after.raws), after.listing.first_contact, after.listing.held) == (["new"], False, 3)


def test_first_fetch_of_all_takes_them_all(dovecot: Dovecot, pop3: Sources) -> None:
    dovecot.drop("pop-all", [mail("old"), mail("older")])
    contact = turn(pop3("pop-all", first_fetch=FirstFetch.ALL))
    assert (subjects(contact.raws), contact.listing.skipped) == (["old", "older"], ())


def test_key_names_a_mail_in_every_session(dovecot: Dovecot, pop3: Sources) -> None:
    """RFC 1939 §7: a unique-id persists across sessions."""
    dovecot.drop("pop-key", [mail("one")])
    source = pop3("pop-key", first_fetch=FirstFetch.ALL)
    first = turn(source)
    dovecot.drop("pop-key", [mail("two")])
    second = turn(source, first.cursor, known=first.listing.keys)
    assert second.listing.keys[:1] == first.listing.keys
    assert [one.key for one in second.mails] == list(second.listing.keys[1:])


def test_empty_mailbox_is_nothing_special(dovecot: Dovecot, pop3: Sources) -> None:
    source = pop3("pop-empty", cycle_time=42.0)
    for cursor in (None, turn(source).cursor):
        empty = turn(source, cursor)
        assert (empty.listing.keys, empty.listing.skipped, empty.listing.held) == ((), (), 0)
    assert source.wait() == Wait(42.0)


def test_mails_that_arrived_before_begin_date_are_told(dovecot: Dovecot, pop3: Sources) -> None:
    """POP3 tells no date of arrival: the topmost Received line is the mailbox's own server's (RFC 5321 §4.4)."""
    received = "Received: from a by b; {}\r\nReceived: from c by a; Thu, 1 Jan 2015 00:00:00 +0000\r\n"
    dates = ("Sun, 1 Feb 2026 00:30:00 +0100", "Sun, 01 Feb 2026\r\n\t00:30:00 +0000 (UTC)")
    dovecot.drop("pop-begin", [received.format(date).encode() + mail("x") for date in dates])
    dovecot.drop("pop-begin", [b"Date: Sat, 31 Jan 2026 10:00:00 +0000\r\n" + mail("date"), mail("no date")])
    source = pop3("pop-begin", first_fetch=FirstFetch.ALL)
    source.open()
    keys = source.look(None).keys
    old = source.before(datetime(2026, 2, 1, tzinfo=UTC), keys)
    assert old == {keys[0], keys[2]}
    (batch,) = source.fetch(keys[1:2])
    assert batch[0].received == datetime(2026, 2, 1, 0, 30, tzinfo=UTC)
    source.finish()


@pytest.mark.parametrize("disabletop", [False, True])
def test_mails_from_before_so_many_days_are_told_or_not_given(
    dovecot: Dovecot, pop3: Sources, disabletop: bool
) -> None:
    """Without TOP the date of a mail is known once it was fetched, and it goes no further."""
    user, now = f"pop-days-{disabletop}".lower(), datetime.now(UTC)
    when = [format_datetime(now - timedelta(days=days)) for days in (9, 6)]
    dovecot.drop(user, [f"Received: from a by b; {date}\r\n".encode() + mail(date) for date in when])
    properties = Pop3Properties(disabletop=disabletop)
    source = pop3(user, first_fetch=FirstFetch.ALL, download_days=7, pop3=properties)
    source.open()
    keys = source.look(None).keys
    begin = now - timedelta(days=7)
    assert source.before(begin, keys) == (set() if disabletop else {keys[0]})
    assert subjects([one.raw for batch in source.fetch(keys) for one in batch]) == (when[1:] if disabletop else when)
    assert source.before(begin, keys) == {keys[0]}


# How it is taken


@pytest.mark.parametrize("pipelining", [True, False])
def test_mails_come_byte_for_byte_as_the_server_holds_them(dovecot: Dovecot, pop3: Sources, pipelining: bool) -> None:
    """Among them long lines, lines that begin with a dot and lines that are one. Dovecot's CAPA says PIPELINING."""
    user = f"pop-bytes-{pipelining}"
    dovecot.drop(user, [one.raw for one in generated(60, seed=22, largest=60_000)])
    dots = mail("dots", ".", "..", ".x", "", "\rcarriage return first", "return last\r", "\r", "x" * 300_000)
    dovecot.drop(
        user, [dots, b"Subject: nothing more\r\n\r\n", b"no header\r\n", b"a\r\n\x80\xff\r\n", b".x\r\n", b"no\r\nend"]
    )
    source = pop3(user, first_fetch=FirstFetch.ALL, pop3=Pop3Properties(disablecapa=not pipelining))
    taken = turn(source)
    assert len(taken.mails) == 66
    assert taken.raws == dovecot.held(user)


def test_batches_are_bounded_by_number_and_by_size(dovecot: Dovecot, pop3: Sources) -> None:
    dovecot.drop("pop-batches", [mail(f"small {number}") for number in range(120)])
    dovecot.drop("pop-batches", [mail("large", "x" * 70 * 1024) * 50 for _ in range(4)])  # 3.5 MB each
    source = pop3("pop-batches", first_fetch=FirstFetch.ALL)
    source.open()
    batches = list(source.fetch(source.look(None).keys))
    source.finish()
    assert [len(batch) for batch in batches] == [100, 22, 2]
    assert all(sum(len(one.raw) for one in batch) <= 8 << 20 for batch in batches)


def test_sizes_are_those_of_the_mails(dovecot: Dovecot, pop3: Sources) -> None:
    """Also with line ends that the server has to repair."""
    dovecot.drop("pop-sizes", [mail("one"), mail("two", "." * 500), b"Subject: three\n\nline\nno end"])
    source = pop3("pop-sizes", first_fetch=FirstFetch.ALL)
    source.open()
    keys = source.look(None).keys
    sizes = source.sizes(keys)
    (batch,) = source.fetch(keys)
    assert sizes == {one.key: len(one.raw) for one in batch}
    assert source.sizes(keys[1:2]) == {keys[1]: sizes[keys[1]]}


# What becomes of it


def test_mails_are_left_by_default(dovecot: Dovecot, pop3: Sources) -> None:
    dovecot.drop("pop-leave", [mail("one")])
    turn(pop3("pop-leave", first_fetch=FirstFetch.ALL))
    assert subjects(dovecot.held("pop-leave")) == ["one"]


def test_mails_are_deleted_when_the_turn_is_finished(dovecot: Dovecot, pop3: Sources) -> None:
    """RFC 1939 §6: only QUIT makes it so. Acknowledging twice is harmless."""
    dovecot.drop("pop-delete", [mail("one"), mail("two"), mail("three")])
    source = pop3("pop-delete", after_fetch=AfterFetch.DELETE, first_fetch=FirstFetch.ALL)
    source.open()
    keys = source.look(None).keys
    source.acknowledge(keys[:2])
    source.acknowledge(keys[:2])
    assert list(source.fetch(keys[:1])) == []
    source.finish()
    assert subjects(dovecot.held("pop-delete")) == ["three"]
    source.open()
    source.look("contacted")
    source.acknowledge(keys[:2])
    source.finish()
    assert subjects(dovecot.held("pop-delete")) == ["three"]


def test_mails_can_be_deleted_whatever_the_section_says(dovecot: Dovecot, pop3: Sources) -> None:
    dovecot.drop("pop-delete-one", [mail("one"), mail("two")])
    source = pop3("pop-delete-one", after_fetch=AfterFetch.LEAVE, pop3=Pop3Properties(rsetbeforequit=True))
    source.open()
    listing = source.look(None)
    source.acknowledge(listing.skipped)
    assert source.delete(listing.skipped[:1])
    source.finish()
    assert subjects(dovecot.held("pop-delete-one")) == ["two"]


def test_connection_that_ends_before_the_turn_is_finished_deletes_nothing(dovecot: Dovecot, pop3: Sources) -> None:
    dovecot.drop("pop-breaks", [mail("one")])
    source = pop3("pop-breaks", after_fetch=AfterFetch.DELETE, first_fetch=FirstFetch.ALL)
    source.open()
    source.acknowledge(source.look(None).keys)
    source.close()
    assert subjects(dovecot.held("pop-breaks")) == ["one"]
    assert subjects(turn(source).raws) == ["one"]
    assert dovecot.held("pop-breaks") == []


def test_server_that_dies_in_the_turn_is_unreachable_and_the_next_turn_works(authority: Authority) -> None:
    with Dovecot(authority) as server, Sources(MailboxType.POP3, server.pop3s, authority) as sources:
        server.drop("pop-dies", [mail("one")])
        source = sources("pop-dies", after_fetch=AfterFetch.DELETE, first_fetch=FirstFetch.ALL)
        source.open()
        keys = source.look(None).keys
        source.acknowledge(keys)
        server.stop()
        with pytest.raises(Unreachable, match="delete: the connection broke"):
            source.finish()
        server.start()
        assert subjects(server.held("pop-dies")) == ["one"]
        assert subjects(turn(source).raws) == ["one"]
        assert server.held("pop-dies") == []
