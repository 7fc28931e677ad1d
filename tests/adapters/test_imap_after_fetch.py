"""What becomes of a mail on its IMAP server once it is in the store, on Dovecot."""

from __future__ import annotations

from typing import Any

import pytest

from emaild.settings.mailbox import AfterFetch
from tests.adapters.turns import Sources, mail, subjects, turn
from tests.servers.dovecot import Dovecot


def test_mail_is_marked_as_seen_by_default_and_nothing_is_lost(dovecot: Dovecot, imap: Sources) -> None:
    dovecot.drop("after-default", [mail("one"), mail("two")])
    turn(imap("after-default"))
    assert dovecot.flags("after-default") == [("\\Seen",), ("\\Seen",)]


def test_fetching_alone_marks_nothing(dovecot: Dovecot, imap: Sources) -> None:
    dovecot.drop("after-nothing", [mail("one")])
    source = imap("after-nothing")
    source.open()
    assert [subjects([one.raw for one in batch]) for batch in source.fetch(source.look(None).keys)] == [["one"]]
    source.finish()
    assert dovecot.flags("after-nothing") == [()]


def test_leave_changes_nothing(dovecot: Dovecot, imap: Sources) -> None:
    """RFC 3501 §6.3.2: the folder is opened by EXAMINE, so that not even \\Recent is taken from it."""
    dovecot.drop("after-leave", [mail("one")])
    assert subjects(turn(imap("after-leave", after_fetch=AfterFetch.LEAVE)).raws) == ["one"]
    assert dovecot.flags("after-leave") == [()]
    with dovecot.imap_client("after-leave") as client:
        client.select()
        assert client.recent() == ("OK", [b"1"])


def test_delete_removes_ours_and_leaves_what_others_marked(dovecot: Dovecot, imap: Sources) -> None:
    """RFC 4315 §2.1: UID EXPUNGE removes the named mails, not all that are marked."""
    dovecot.drop("after-delete", [mail("marked by a person")], flags="ST")
    dovecot.drop("after-delete", [mail("one"), mail("two")])
    assert subjects(turn(imap("after-delete", after_fetch=AfterFetch.DELETE)).raws) == ["one", "two"]
    assert subjects(dovecot.held("after-delete")) == ["marked by a person"]
    assert dovecot.flags("after-delete") == [("\\Deleted", "\\Seen")]


def test_move_makes_the_folder_and_then_uses_it(dovecot: Dovecot, imap: Sources) -> None:
    """The levels are written with folder-separator; Dovecot's own is a dot here (RFC 3501 §5.1.1)."""
    dovecot.drop("after-move", [mail("one")])
    source = imap("after-move", after_fetch=AfterFetch.MOVE, after_fetch_folder="Done/2026/Zürich")
    cursor = turn(source).cursor
    dovecot.drop("after-move", [mail("two")])
    turn(source, cursor)
    assert dovecot.held("after-move") == []
    assert subjects(dovecot.held("after-move", "Done.2026.Z&APw-rich")) == ["one", "two"]
    assert dovecot.flags("after-move", "Done.2026.Z&APw-rich") == [(), ()]


AFTER: list[dict[str, Any]] = [
    {"after_fetch": AfterFetch.LEAVE},
    {"after_fetch": AfterFetch.SEEN},
    {"after_fetch": AfterFetch.DELETE},
    {"after_fetch": AfterFetch.MOVE, "after_fetch_folder": "Done"},
]


@pytest.mark.parametrize("after", AFTER, ids=lambda fields: str(fields["after_fetch"]))
def test_acknowledging_twice_is_harmless(dovecot: Dovecot, imap: Sources, after: dict[str, Any]) -> None:
    """The daemon may have been killed after the server was told and before it wrote that down."""
    user = f"twice-{after['after_fetch']}"
    dovecot.drop(user, [mail("one"), mail("two")])
    source = imap(user, **after)
    first = turn(source)
    source.acknowledge([one.key for one in first.mails])
    source.finish()
    source.close()
    source.open()
    source.look(first.cursor)
    source.acknowledge([one.key for one in first.mails])
    source.finish()
    held = [subjects(dovecot.held(user, folder)) for folder in ("INBOX", "Done") if _exists(dovecot, user, folder)]
    assert (
        held
        == {"leave": [["one", "two"]], "seen": [["one", "two"]], "delete": [[]], "move": [[], ["one", "two"]]}[
            after["after_fetch"]
        ]
    )


@pytest.mark.parametrize("after", AFTER, ids=lambda fields: str(fields["after_fetch"]))
def test_keys_of_another_numbering_are_ignored(dovecot: Dovecot, imap: Sources, after: dict[str, Any]) -> None:
    user = f"other-keys-{after['after_fetch']}"
    dovecot.drop(user, [mail("one")])
    source = imap(user, **after)
    source.open()
    (key,) = source.look(None).keys
    validity, uid = key.split("/")
    strange = [f"{int(validity) + 1}/{uid}", f"{validity}/4711"]
    assert list(source.fetch(strange)) == []
    source.acknowledge(strange)
    source.finish()
    assert (subjects(dovecot.held(user)), dovecot.flags(user)) == (["one"], [()])


def _exists(dovecot: Dovecot, user: str, folder: str) -> bool:
    with dovecot.imap_client(user) as client:
        return client.list('""', folder)[1] != [None]
