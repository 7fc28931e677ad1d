"""Reading over IMAP, on Dovecot: connecting, signing in, what is taken and what is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from emaild.errors import Busy, Rejected, Unreachable
from emaild.settings.mailbox import AfterFetch, FirstFetch
from emaild.settings.secret import Secret
from emaild.settings.server import Security
from tests.adapters.turns import Sources, mail, subjects, turn
from tests.servers.authority import Authority
from tests.servers.dovecot import REFUSED, UNAVAILABLE, Dovecot
from tests.servers.mails import generated


def port(dovecot: Dovecot, security: Security) -> int:
    return dovecot.imaps if security is Security.SSL_TLS else dovecot.imap


# The connection


@pytest.mark.parametrize("security", Security)
def test_mail_is_taken_whatever_protects_the_connection(dovecot: Dovecot, imap: Sources, security: Security) -> None:
    user = f"security-{security}"
    dovecot.drop(user, [mail("one")])
    taken = turn(imap(user, security_given=security, port=port(dovecot, security)))
    assert taken.raws == dovecot.held(user) == [mail("one")]


@pytest.mark.parametrize("security", [Security.SSL_TLS, Security.START_TLS])
def test_certificate_of_an_unknown_authority_is_rejected_before_the_password(
    dovecot: Dovecot, imap: Sources, authority: Authority, security: Security
) -> None:
    source = imap(
        f"untrusted-{security}", security_given=security, port=port(dovecot, security), ca_file=authority.other_ca_file
    )
    with pytest.raises(Rejected, match="certificate is not trusted: unable to get local issuer certificate"):
        source.open()
    assert dovecot.sessions(f"untrusted-{security}") == []


@pytest.mark.parametrize("security", [Security.SSL_TLS, Security.START_TLS])
def test_certificate_of_another_host_is_rejected(dovecot: Dovecot, imap: Sources, security: Security) -> None:
    source = imap("wrong-host", security_given=security, port=port(dovecot, security), server="127.1")
    with pytest.raises(Rejected, match=r"certificate is not trusted: Hostname mismatch.*'127\.1'"):
        source.open()


def test_missing_ca_file_is_named(imap: Sources, authority: Authority) -> None:
    source = imap("no-ca", ca_file=authority.ca_file.with_name("none.pem"))
    with pytest.raises(Rejected, match=r"cannot read .*none\.pem: No such file"):
        source.open()


def test_wrong_password_is_rejected(imap: Sources) -> None:
    with pytest.raises(Rejected, match=r"sign in: \[AUTHENTICATIONFAILED\]") as failure:
        imap("joe", password=Secret("a wrong one")).open()
    assert "a wrong one" not in str(failure.value)
    with pytest.raises(Rejected, match="AUTHENTICATIONFAILED"):
        imap(REFUSED).open()


def test_server_that_cannot_check_passwords_now_is_busy(imap: Sources) -> None:
    """RFC 5530 §3: UNAVAILABLE is a failure of a subsystem, not of the client."""
    with pytest.raises(Busy, match=r"sign in: \[UNAVAILABLE\]"):
        imap(UNAVAILABLE).open()


def test_missing_folder_is_rejected_by_name(imap: Sources) -> None:
    source = imap("no-folder", folder_path="Nowhere")
    source.open()
    with pytest.raises(Rejected, match=r"open folder Nowhere: .*doesn't exist"):
        source.look(None)


def test_server_that_is_down_is_unreachable(imap: Sources, free_port: Callable[[], int]) -> None:
    with pytest.raises(Unreachable, match="connect: Connection refused"):
        imap("joe", port=free_port()).open()


# What is taken


@pytest.mark.parametrize(
    ("first", "taken"),
    [(FirstFetch.UNSEEN, ["unread"]), (FirstFetch.ALL, ["read", "unread"]), (FirstFetch.NEW, [])],
)
def test_first_contact_takes_what_the_section_says(
    dovecot: Dovecot, imap: Sources, first: FirstFetch, taken: list[str]
) -> None:
    user = f"first-{first}"
    dovecot.drop(user, [mail("read")], flags="S")
    dovecot.drop(user, [mail("unread")])
    source = imap(user, first_fetch=first)
    contact = turn(source)
    assert (contact.listing.first_contact, contact.listing.held) == (True, 2)
    assert subjects(contact.raws) == taken
    dovecot.drop(user, [mail("later")])
    after = turn(source, contact.cursor)
    assert not after.listing.first_contact
    assert subjects(after.raws) == ["later"]


def test_unseen_mails_are_the_default(dovecot: Dovecot, imap: Sources) -> None:
    dovecot.drop("first-default", [mail("read")], flags="S")
    dovecot.drop("first-default", [mail("unread")])
    assert subjects(turn(imap("first-default")).raws) == ["unread"]


def test_old_mails_stay_in_sight_until_the_cursor_moves_on(dovecot: Dovecot, imap: Sources) -> None:
    """The job takes so many a turn: until all are taken it looks with the cursor of the first contact."""
    dovecot.drop("cursor", [mail("one"), mail("two")])
    source = imap("cursor", after_fetch=AfterFetch.LEAVE)
    source.open()
    first = source.look(None)
    again = source.look(first.cursor)
    assert again.keys == first.keys
    assert not again.first_contact
    done = source.look(again.cursor_when_done)
    assert (done.keys, done.held) == ((), 2)


def test_mail_that_another_client_read_first_is_taken(dovecot: Dovecot, imap: Sources) -> None:
    source = imap("read-first")
    cursor = turn(source).cursor
    dovecot.drop("read-first", [mail("read by a person")], flags="S")
    assert subjects(turn(source, cursor).raws) == ["read by a person"]


def test_last_mail_is_not_taken_again(dovecot: Dovecot, imap: Sources) -> None:
    """RFC 3501 §6.4.8: `n:*` names the last mail even where its UID is below n."""
    dovecot.drop("last", [mail("one")])
    source = imap("last", after_fetch=AfterFetch.LEAVE)
    cursor = turn(source).cursor
    for _ in range(2):
        again = turn(source, cursor)
        assert (again.mails, again.cursor) == ((), cursor)


def test_folder_that_was_made_anew_is_told_and_its_old_keys_mean_nothing(dovecot: Dovecot, imap: Sources) -> None:
    """RFC 3501 §2.3.1.1: another UIDVALIDITY, and no UID means what it meant."""
    with dovecot.imap_client("renumbered") as client:
        client.create("Cases")
        client.append("Cases", "", "", mail("old"))
        source = imap("renumbered", folder_path="Cases", after_fetch=AfterFetch.DELETE)
        source.open()
        before = source.look(None)
        client.delete("Cases")
        client.create("Cases")
        client.append("Cases", "", "", mail("new"))
        client.append("Cases", "\\Seen", "", mail("read"))
    source.open()
    after = source.look(before.cursor)
    assert (after.renumbered, after.first_contact, after.held) == (True, False, 2)
    assert before.keys != after.keys
    assert list(source.fetch(before.keys)) == []
    source.acknowledge(before.keys)
    assert subjects(dovecot.held("renumbered", "Cases")) == ["new", "read"]
    assert subjects(turn(source, before.cursor).raws) == ["new"]


def test_mail_from_before_begin_date_is_not_taken(dovecot: Dovecot, imap: Sources) -> None:
    """RFC 3501 §6.4.4: SINCE goes by the internal date, which is when the server got the mail."""
    day = datetime(2026, 2, 1, tzinfo=UTC)
    with dovecot.imap_client("begin") as client:
        for days in (-30, -1, 0, 10):
            when = day + timedelta(days=days, hours=12)
            client.append("INBOX", "", f'"{when:%d-%b-%Y %H:%M:%S} +0000"', mail(f"{days}"))
    source = imap("begin", begin_date=day, first_fetch=FirstFetch.ALL)
    taken = turn(source)
    assert subjects(taken.raws) == ["0", "10"]
    assert taken.mails[0].received == day + timedelta(hours=12)
    assert source.before(day, [one.key for one in taken.mails]) == frozenset()


def test_mail_from_before_so_many_days_is_not_taken(dovecot: Dovecot, imap: Sources) -> None:
    now = datetime.now(UTC)
    with dovecot.imap_client("days") as client:
        for days in (9, 6, 0):
            when = now - timedelta(days=days)
            client.append("INBOX", "", f'"{when:%d-%b-%Y %H:%M:%S} +0000"', mail(f"{days}"))
    assert subjects(turn(imap("days", download_days=7, first_fetch=FirstFetch.ALL)).raws) == ["6", "0"]


def test_folder_below_others_is_found_by_the_servers_own_separator(dovecot: Dovecot, imap: Sources) -> None:
    with dovecot.imap_client("levels") as client:
        client.create("Work.Cases")  # Dovecot's separator with Maildir
        client.append("Work.Cases", "", "", mail("deep"))
    assert subjects(turn(imap("levels", folder_path="Work/Cases")).raws) == ["deep"]
    assert subjects(turn(imap("levels", folder_path="Work\\Cases", folder_separator="\\")).raws) == []


# How it is taken


@pytest.mark.parametrize("use", [r"\All", r"\all"])
def test_folder_is_found_by_its_special_use_whatever_the_server_calls_it(
    dovecot: Dovecot, imap: Sources, use: str
) -> None:
    """RFC 6154; Gmail's All Mail has a name in the language of its user."""
    user = f"special-{use[1:]}-{ord(use[1])}"
    with dovecot.imap_client(user) as client:
        client.create('"Every Mail"')
        client.append('"Every Mail"', "", "", mail("one"))
    assert subjects(turn(imap(user, folder_path=use)).raws) == ["one"]


@pytest.mark.parametrize("use", [r"\Archive", r"\HasNoChildren", r"\ünlike"])
def test_special_use_that_no_folder_has_is_told(dovecot: Dovecot, imap: Sources, use: str) -> None:
    source = imap("special-none", folder_path=use)
    source.open()
    with pytest.raises(Rejected, match="no folder whose special use is"):
        source.look(None)


def test_mails_are_moved_to_the_folder_of_a_special_use(dovecot: Dovecot, imap: Sources) -> None:
    dovecot.drop("special-move", [mail("one")])
    with dovecot.imap_client("special-move") as client:
        client.create('"Every Mail"')
    turn(imap("special-move", after_fetch=AfterFetch.MOVE, after_fetch_folder=r"\All"))
    assert dovecot.held("special-move", "Every Mail") == [mail("one")]


def test_mails_come_byte_for_byte_as_the_server_holds_them(dovecot: Dovecot, imap: Sources) -> None:
    dovecot.drop("bytes", [one.raw for one in generated(60, seed=21, largest=60_000)])
    dovecot.drop(
        "bytes", [b"Subject: nothing more\r\n\r\n", b"no header\r\n", b"\r\n", b"Subject: no end", b"a\r\n\x80\xff\r\n"]
    )
    taken = turn(imap("bytes", first_fetch=FirstFetch.ALL))
    assert len(taken.mails) == 65
    assert taken.raws == dovecot.held("bytes")


def test_batches_are_bounded_by_number_and_by_size(dovecot: Dovecot, imap: Sources) -> None:
    dovecot.drop("batches", [mail(f"small {number}") for number in range(120)])
    dovecot.drop("batches", [mail("large", "x" * 70 * 1024) * 50 for _ in range(4)])  # 3.5 MB each
    dovecot.drop("batches", [mail("huge", "x" * 1024) * 9_000])  # more than a batch may have
    source = imap("batches", after_fetch=AfterFetch.LEAVE)
    source.open()
    batches = list(source.fetch(source.look(None).keys))
    assert [len(batch) for batch in batches] == [100, 22, 2, 1]


def test_mail_that_is_gone_meanwhile_is_left_out(dovecot: Dovecot, imap: Sources) -> None:
    dovecot.drop("gone", [mail("one"), mail("two"), mail("three")])
    source = imap("gone")
    source.open()
    listing = source.look(None)
    with dovecot.imap_client("gone") as client:
        client.select()
        client.store("2", "+FLAGS", "\\Deleted")
        client.expunge()
    assert [subjects([one.raw for one in batch]) for batch in source.fetch(listing.keys)] == [["one", "three"]]


def test_source_that_was_closed_opens_again(dovecot: Dovecot, imap: Sources) -> None:
    source = imap("again")
    source.open()
    source.close()
    with pytest.raises(Unreachable, match="it is closed"):
        source.look(None)
    dovecot.drop("again", [mail("one")])
    assert subjects(turn(source).raws) == ["one"]
    assert len(dovecot.sessions("again", 2)) == 2
