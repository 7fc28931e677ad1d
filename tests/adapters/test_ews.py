"""Reading over EWS: signing in, what is taken and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emaild.errors import Rejected, Unreachable
from emaild.settings.ews import VERSIONS, ExchangeAccess
from emaild.settings.mailbox import AfterFetch, FirstFetch
from emaild.settings.secret import Secret
from emaild.sources import Wait
from tests.adapters.ews_ways import ANN, Given, Ways
from tests.adapters.turns import mail, subjects, turn
from tests.servers.authority import Authority
from tests.servers.ews import Exchange
from tests.servers.ews_mailbox import RECEIVED, Mailbox
from tests.servers.mails import generated

BOB = "bob@example.com"


@pytest.fixture
def exchange(authority: Authority) -> Iterator[Exchange]:
    """A server that pages early, so that every list has pages."""
    with Exchange(authority, page=3) as server:
        yield server


# Signing in


@pytest.mark.parametrize("offers", [("Basic",), ("Negotiate", "NTLM", "Basic"), ("NTLM",)], ids=" ".join)
def test_mail_is_taken_however_the_server_wants_us_to_sign_in(
    exchange: Exchange, ann: Mailbox, ways: Ways, offers: tuple[str, ...]
) -> None:
    exchange.offers = offers
    ann.drop(mail("one"))
    assert turn(ways.source()).raws == ann.held() == [mail("one")]
    assert exchange.connections == 1


@pytest.mark.parametrize("offers", [("Basic",), ("NTLM",)], ids=" ".join)
def test_wrong_password_is_rejected_and_not_told(
    exchange: Exchange, ann: Mailbox, ways: Ways, offers: tuple[str, ...]
) -> None:
    exchange.offers = offers
    with pytest.raises(Rejected, match="sign in: wrong user or password") as failure:
        ways.source(password=Secret("a wrong one")).open()
    assert "a wrong one" not in str(failure.value)
    assert exchange.asked == []


def test_token_goes_to_no_server_without_encryption(ways: Ways) -> None:
    """It is refused before anybody is asked for one, or for a connection."""
    with pytest.raises(Rejected, match=r"mail\.example\.invalid:80: sign in: a token goes to https alone"):
        ways.source(server="http://mail.example.invalid/ews/exchange.asmx", tokens=Given()).open()


def test_token_signs_in_and_one_that_is_refused_is_replaced_once(exchange: Exchange, ann: Mailbox, ways: Ways) -> None:
    exchange.offers, exchange.tokens = (), {"good": ANN}
    ann.drop(mail("one"))
    tokens = Given("old", "good")
    assert subjects(turn(ways.source(tokens=tokens)).raws) == ["one"]
    assert tokens.refusals == ["old"]
    assert {*tokens.acceptances} == {"good"}
    with pytest.raises(Rejected, match="sign in: the server refused the token"):
        ways.source(tokens=Given("old", "older")).open()


def test_certificate_that_is_not_trusted_is_rejected_before_anything_is_said(
    exchange: Exchange, ways: Ways, authority: Authority
) -> None:
    with pytest.raises(Rejected, match="connect: the certificate is not trusted: unable to get local issuer"):
        ways.source(ca_file=authority.other_ca_file).open()
    assert exchange.asked == []


def test_proxies_and_passwords_of_the_environment_are_not_used(
    exchange: Exchange, ann: Mailbox, ways: Ways, monkeypatch: pytest.MonkeyPatch, free_port: object
) -> None:
    """requests would take both from there."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")  # type: ignore[operator]
    ann.drop(mail("one"))
    assert subjects(turn(ways.source()).raws) == ["one"]


def test_another_mailbox_is_read_as_a_delegate_or_in_its_owners_name(exchange: Exchange, ways: Ways) -> None:
    exchange.mailbox(ANN)
    exchange.mailbox(BOB, delegates=(ANN,)).drop(mail("for bob"))
    assert subjects(turn(ways.source(address=BOB)).raws) == ["for bob"]
    assert set(exchange.acting) == {""}
    acting = ways.source(address=BOB, exchange_access=ExchangeAccess.IMPERSONATION)
    with pytest.raises(Rejected, match="ErrorImpersonateUserDenied"):
        acting.open()
    exchange.impersonators.add(ANN)
    assert subjects(turn(acting).raws) == ["for bob"]
    assert exchange.acting[-1] == BOB


def test_mailbox_without_rights_to_it_is_rejected(exchange: Exchange, ann: Mailbox, ways: Ways) -> None:
    exchange.mailbox(BOB)
    with pytest.raises(Rejected, match="open folder INBOX: ErrorAccessDenied"):
        ways.source(address=BOB).open()


def test_version_is_found_out_and_one_that_is_given_is_not_left(exchange: Exchange, ann: Mailbox, ways: Ways) -> None:
    exchange.newest = "Exchange2010_SP1"
    ann.drop(mail("one"))
    assert subjects(turn(ways.source()).raws) == ["one"]
    assert exchange.asked.count("SyncFolderItems") == 1
    with pytest.raises(Rejected, match=r"agree on a version: .*know exchange-version = Exchange2016; it calls") as told:
        ways.source(exchange_version="Exchange2016").open()
    assert "it calls itself Exchange2010_SP1 15.1" in str(told.value)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_is_asked_as_it_is_given(exchange: Exchange, ann: Mailbox, ways: Ways, version: str) -> None:
    """The schemas that the server holds requests against say what each version knows."""
    exchange.newest = version
    ann.drop(mail("one"))
    assert subjects(turn(ways.source(exchange_version=version)).raws) == ["one"]


# What is taken


def test_folder_is_found_by_its_path(ann: Mailbox, ways: Ways) -> None:
    inner = ann.make("In", ann.make("Cases"))
    ann.drop(mail("inner"), folder=inner)
    ann.drop(mail("below"), folder=ann.make("Sub", ann.inbox))
    assert subjects(turn(ways.source(folder_path="Cases/In")).raws) == ["inner"]
    assert subjects(turn(ways.source(folder_path="inbox.sub", folder_separator=".")).raws) == ["below"]
    with pytest.raises(Rejected, match="open folder Cases/Out: there is no folder Out"):
        ways.source(folder_path="Cases/Out").open()


def test_unread_mails_are_taken_at_first_contact_and_all_that_come_later(ann: Mailbox, ways: Ways) -> None:
    ann.drop(*(mail(f"read {number}") for number in range(5)), read=True)
    ann.drop(mail("unread"))
    source = ways.source(first_fetch=FirstFetch.AUTOMATIC)
    contact = turn(source)
    assert (contact.listing.first_contact, contact.listing.held, subjects(contact.raws)) == (True, 6, ["unread"])
    assert len(contact.listing.skipped) == 5
    ann.drop(mail("read by a person first"), read=True)
    later = turn(source, contact.cursor, known=contact.listing.keys)
    assert (subjects(later.raws), later.listing.first_contact) == (["read by a person first"], False)


def test_new_takes_nothing_that_was_there(ann: Mailbox, ways: Ways) -> None:
    ann.drop(mail("old"), mail("older"), mail("oldest"), mail("ancient"))
    source = ways.source(first_fetch=FirstFetch.NEW)
    contact = turn(source)
    assert (contact.mails, len(contact.listing.skipped)) == ((), 4)
    ann.drop(mail("new"))
    assert subjects(turn(source, contact.cursor).raws) == ["new"]


def test_cursor_goes_on_in_another_process_and_moves_only_with_changes(ann: Mailbox, ways: Ways) -> None:
    ann.drop(*(mail(f"{number}") for number in range(10)))
    first = turn(ways.source())
    assert len(first.mails) == 10
    again = ways.source()
    quiet = turn(again, first.cursor)
    read_flags = turn(again, quiet.cursor)
    assert (quiet.mails, read_flags.mails) == ((), ())
    assert turn(again, read_flags.cursor).cursor == read_flags.cursor
    ann.drop(mail("new"))
    assert subjects(turn(ways.source(), read_flags.cursor).raws) == ["new"]


def test_folder_is_listed_once_and_not_once_for_each_turn(exchange: Exchange, ann: Mailbox, ways: Ways) -> None:
    """With first-fetch = all, 100,000 mails need a thousand turns."""
    ann.drop(*(mail(f"{number}") for number in range(30)))
    source = ways.source(after_fetch=AfterFetch.LEAVE)
    source.open()
    listed = [source.look("-").keys for _ in range(5)]
    assert {len(keys) for keys in listed} == {30}
    assert exchange.asked.count("SyncFolderItems") == 10 + 4


def test_mail_that_is_gone_before_it_is_fetched_is_left_out(ann: Mailbox, ways: Ways) -> None:
    ann.drop(mail("one"), mail("two"))
    source = ways.source()
    source.open()
    keys = source.look(None).keys
    ann.remove(keys[0])
    assert [one.key for batch in source.fetch(keys) for one in batch] == [keys[1]]
    source.acknowledge(keys)
    assert source.look("-").keys == keys[1:]


def test_what_is_no_mail_is_not_taken(ann: Mailbox, ways: Ways) -> None:
    ann.drop(mail("task"), kind="Task")
    ann.drop(mail("invitation"), kind="MeetingRequest")
    assert subjects(turn(ways.source(after_fetch=AfterFetch.LEAVE)).raws) == ["invitation"]


def test_mails_that_arrived_before_begin_date_are_told(ann: Mailbox, ways: Ways) -> None:
    ann.drop(mail("old"), received=RECEIVED - timedelta(days=1))
    ann.drop(mail("new"), received=RECEIVED)
    source = ways.source()
    source.open()
    keys = source.look(None).keys
    assert source.before(datetime(2026, 11, 1, tzinfo=UTC), keys) == {keys[0]}
    ((_, second),) = source.fetch(keys)
    assert second.received == RECEIVED


# How it is taken


def test_mails_come_byte_for_byte_as_the_server_holds_them(ann: Mailbox, ways: Ways) -> None:
    ann.drop(*(one.raw for one in generated(60, seed=31, largest=60_000)))
    ann.drop(b"no header\r\n", b"a\r\n\x80\xff\0\r\n", b"bare\nline\rends", mail("long", "x" * 300_000))
    taken = turn(ways.source())
    assert taken.raws == ann.held()
    assert len(taken.mails) == 64


def test_batches_are_bounded_by_number_and_by_size(ann: Mailbox, ways: Ways) -> None:
    ann.drop(*(mail(f"small {number}") for number in range(120)))
    ann.drop(*(mail("large", "x" * 3_500_000) for _ in range(4)), size=3_500_000)
    source = ways.source()
    source.open()
    batches = list(source.fetch(source.look(None).keys))
    assert [len(batch) for batch in batches] == [100, 22, 2]


def test_size_is_told_of_what_is_too_big_alone(ann: Mailbox, ways: Ways) -> None:
    """What Exchange tells is not the size of the MIME, so that it would always be a wrong one."""
    small, big = ann.drop(mail("small")) + ann.drop(mail("big"), size=2_000_000)
    source = ways.source(maximum_msg_size=1_000_000)
    source.open()
    keys = source.look(None).keys
    assert keys == (small, big)
    assert source.sizes(keys) == {big: 2_000_000}
    assert source.head(big, 10_000) == b"Subject: big\r\nFrom: a@example.com\r\n\r\n"
    assert source.head(big, 14) == b"Subject: big\r\n"


def test_mails_that_were_left_out_are_listed_again_while_they_are_there(ann: Mailbox, ways: Ways) -> None:
    there, gone = ann.drop(mail("there"), mail("gone"))
    source = ways.source()
    cursor = turn(source).cursor
    ann.remove(gone)
    other = ways.source()
    other.open()
    assert other.look(cursor, [there, gone]).keys == (there,)


# What becomes of it


def test_mails_are_marked_read_by_default(exchange: Exchange, ann: Mailbox, ways: Ways) -> None:
    """And nobody who asked for a receipt is told that they were read by a person."""
    ann.drop(mail("one"))
    turn(ways.source())
    assert [item.read for item in ann.inbox.items.values()] == [True]
    (request,) = (one for one in exchange.requests if one.tag.endswith("UpdateItem"))
    assert request.get("SuppressReadReceipts") == "true"


def test_old_server_is_not_told_what_it_does_not_know(exchange: Exchange, ann: Mailbox, ways: Ways) -> None:
    """SuppressReadReceipts came with Exchange 2013; the server refuses it below."""
    exchange.newest = "Exchange2010_SP2"
    ann.drop(mail("one"), mail("two"))
    source = ways.source()
    turn(source)
    source.delete([next(iter(ann.inbox.items))])
    assert [item.read for item in ann.inbox.items.values()] == [True]


def test_mails_are_moved_to_a_folder_that_is_made(ann: Mailbox, ways: Ways) -> None:
    ann.drop(mail("one"), mail("two"))
    fields: dict[str, Any] = {"after_fetch": AfterFetch.MOVE, "after_fetch_folder": "Archive/Done"}
    taken = turn(ways.source(**fields))
    archive = ann.below(ann.root, "Archive")
    assert archive is not None
    done = ann.below(archive, "Done")
    assert done is not None
    assert (ann.held(), ann.held(done)) == ([], taken.raws)
    source = ways.source(**fields)
    source.open()
    source.acknowledge(taken.listing.keys)
    assert len(ann.held(done)) == 2


def test_mails_are_deleted_or_left_as_the_section_says(ann: Mailbox, ways: Ways) -> None:
    ann.drop(mail("one"))
    turn(ways.source(after_fetch=AfterFetch.LEAVE))
    assert [item.read for item in ann.inbox.items.values()] == [False]
    turn(ways.source(after_fetch=AfterFetch.DELETE))
    assert ann.held() == []


def test_mailbox_is_looked_at_by_time(ways: Ways, ann: Mailbox) -> None:
    source = ways.source(cycle_time=42.0)
    turn(source)
    assert source.wait() == Wait(42.0)


def test_server_that_is_down_is_unreachable(ways: Ways, free_port: object) -> None:
    with pytest.raises(Unreachable, match="connect: Connection refused"):
        ways.source(server=f"https://localhost:{free_port()}/EWS/Exchange.asmx").open()  # type: ignore[operator]
