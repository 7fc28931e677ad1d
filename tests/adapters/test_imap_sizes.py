"""Sizes over IMAP: what the server tells, and mails that are left or deleted for theirs."""

from __future__ import annotations

from collections.abc import Callable

from emaild.settings.mailbox import AfterFetch, FirstFetch, MailboxType
from emaild.settings.server import Security
from tests.adapters.scripts import ImapScript
from tests.adapters.turns import Sources, mail, subjects, turn
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.scripted import Dialog, Scripted


def test_sizes_are_those_of_the_bytes_and_what_is_gone_has_none(dovecot: Dovecot, imap: Sources) -> None:
    dovecot.drop("sizes", [mail("one"), mail("two", "x" * 5000)])
    source = imap("sizes")
    source.open()
    keys = source.look(None).keys
    assert source.sizes([*keys, f"{keys[0].split('/')[0]}/4711", "1/1"]) == {
        key: len(raw) for key, raw in zip(keys, dovecot.held("sizes"), strict=True)
    }
    assert list(source.sizes(keys[1:])) == [keys[1]]


def test_sizes_are_asked_for_once(scripted: Callable[..., Scripted], authority: Authority) -> None:
    server = scripted(ImapScript({11: mail("one"), 12: mail("two")}))
    with Sources(MailboxType.IMAP, server.port, authority) as sources:
        source = sources("joe", security_given=Security.NONE, first_fetch=FirstFetch.ALL)
        source.open()
        keys = source.look(None).keys
        source.sizes(keys)
        assert [len(batch) for batch in source.fetch(keys)] == [2]
    assert len([line for line in server.transcript if "RFC822.SIZE" in line and " C: " in line]) == 1


def test_server_that_tells_no_sizes_is_told_apart_from_mails_of_none(
    scripted: Callable[..., Scripted], authority: Authority
) -> None:
    def fetch(dialog: Dialog, tag: str, rest: str) -> None:
        if "RFC822.SIZE" in rest:
            dialog.send(f"{tag} NO not today")
        else:
            script.fetch(dialog, tag, rest)

    script = ImapScript({11: mail("one")}, {"UID FETCH": fetch})
    with Sources(MailboxType.IMAP, scripted(script).port, authority) as sources:
        source = sources("joe", security_given=Security.NONE, first_fetch=FirstFetch.ALL)
        source.open()
        keys = source.look(None).keys
        assert source.sizes(keys) == {}
        assert [subjects([one.raw for one in batch]) for batch in source.fetch(keys)] == [["one"]]


def test_mails_that_were_left_are_listed_once_more_where_they_are_still_there(dovecot: Dovecot, imap: Sources) -> None:
    dovecot.drop("left", [mail("one"), mail("two"), mail("three"), mail("four")])
    source = imap("left", after_fetch=AfterFetch.LEAVE)
    contact = turn(source)
    keys = contact.listing.keys
    with dovecot.imap_client("left") as client:
        client.select()
        client.store("2", "+FLAGS", "\\Deleted")
        client.expunge()
    dovecot.drop("left", [mail("five")])
    source.open()
    listing = source.look(contact.cursor, [keys[1], keys[2], "1/1"])
    assert listing.keys[0] == keys[2]
    assert len(listing.keys) == 2
    assert source.look(contact.cursor).keys == listing.keys[1:]
    assert source.look(contact.cursor, [listing.keys[1]]).keys == listing.keys[1:]


def test_mails_are_deleted_whatever_becomes_of_the_others(dovecot: Dovecot, imap: Sources) -> None:
    dovecot.drop("big", [mail("marked by a person")], flags="T")
    dovecot.drop("big", [mail("one"), mail("two")])
    source = imap("big", after_fetch=AfterFetch.LEAVE, delete_big_msg=True)
    source.open()
    keys = source.look(None).keys
    assert source.delete(keys[1:2])
    source.finish()
    assert subjects(dovecot.held("big")) == ["marked by a person", "two"]
