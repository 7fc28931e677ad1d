"""JavaMail's properties for IMAP that decide how mails are read and how long a connection is kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
import structlog

from emaild.errors import Rejected
from emaild.net.peer import peer_of
from emaild.settings.mailbox import AfterFetch, FirstFetch, MailboxType
from emaild.settings.properties import ImapProperties
from emaild.settings.server import Security
from emaild.sources import Source, Wait
from emaild.sources.imap import Imap
from tests.adapters.scripts import Answer, ImapScript, says
from tests.adapters.turns import Sources, mail, section, subjects, turn
from tests.clock import ManualClock
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.mails import generated
from tests.servers.scripted import Dialog, Scripted
from tests.servers.wait import eventually

THREE = {11: b"x" * 20, 12: b"y" * 25, 13: b""}
Play = Callable[..., tuple[Source, Scripted]]


@pytest.fixture
def real(dovecot: Dovecot, authority: Authority) -> Iterator[Sources]:
    """Sources of mailboxes on the Dovecot that all tests share."""
    with Sources(MailboxType.IMAP, dovecot.imaps, authority) as sources:
        yield sources


@pytest.fixture
def imap(scripted: Callable[..., Scripted], authority: Authority) -> Iterator[Play]:
    """Makes a source without TLS and the server of three mails that it is read from."""
    with Sources(MailboxType.IMAP, 0, authority) as sources:

        def play(answers: dict[str, Answer] | None = None, **given: Any) -> tuple[Source, Scripted]:
            server = scripted(ImapScript(THREE, answers))
            fields = {"security_given": Security.NONE, "first_fetch": FirstFetch.ALL}
            return sources("joe", port=server.port, **(fields | given)), server

        yield play


def said(server: Scripted, command: str) -> list[str]:
    """What the client said after that command, without tags."""
    lines = [line.partition(" C: ")[2] for line in server.transcript if " C: " in line]
    found = [re.fullmatch(rf"\S+ {command}\b ?(.*)", line) for line in lines]
    return [match[1] for match in found if match]


# In parts


def parts(dialog: Dialog, tag: str, rest: str) -> None:
    """Answers UID FETCH of sizes, and of BODY.PEEK[]<offset.size>."""
    uid = int(rest.split()[0].partition(",")[0].partition(":")[0])
    asked = re.search(r"BODY\.PEEK\[\]<(\d+)\.(\d+)>", rest)
    if asked is None:
        ImapScript(THREE).fetch(dialog, tag, rest)
        return
    offset, size = int(asked[1]), int(asked[2])
    part = THREE[uid][offset : offset + size]
    dialog.send_raw(b"* 1 FETCH (UID %d BODY[]<%d> {%d}\r\n%s)\r\n" % (uid, offset, len(part), part))
    dialog.send(f"{tag} OK done")


def test_mails_are_fetched_in_parts_until_one_is_short(imap: Play) -> None:
    source, server = imap({"UID FETCH": parts}, imap=ImapProperties(fetchsize_given=10))
    assert turn(source).raws == [b"x" * 20, b"y" * 25, b""]
    bodies = [line for line in said(server, "UID FETCH") if "BODY" in line]
    assert bodies == [
        "11 (BODY.PEEK[]<0.10> INTERNALDATE)",
        "11 (BODY.PEEK[]<10.10>)",
        "11 (BODY.PEEK[]<20.10>)",
        "12 (BODY.PEEK[]<0.10> INTERNALDATE)",
        "12 (BODY.PEEK[]<10.10>)",
        "12 (BODY.PEEK[]<20.10>)",
        "13 (BODY.PEEK[]<0.10> INTERNALDATE)",
    ]


def test_mails_in_parts_come_byte_for_byte_with_their_time(dovecot: Dovecot, real: Sources) -> None:
    dovecot.drop("parts", [one.raw for one in generated(12, seed=22, largest=60_000)])
    whole = turn(real("parts", after_fetch=AfterFetch.LEAVE)).mails
    taken = turn(real("parts", after_fetch=AfterFetch.LEAVE, imap=ImapProperties(partialfetch_given=True))).mails
    assert taken == whole
    assert max(len(one.raw) for one in taken) > 2 * ImapProperties().fetchsize
    assert [one.raw for one in taken] == dovecot.held("parts")


def all_from_anywhere(offset: int) -> str:
    """The answer of a server that knows no parts, and ends only so that the test does."""
    return f"BODY[]<{offset}> {{20}}\r\n{'x' * 20}" if offset < 60 else f'BODY[]<{offset}> ""'


def nothing_of_the_rest(offset: int) -> str:
    """The answer of a server that forgets the later parts."""
    return "FLAGS ()" if offset else f"BODY[]<0> {{10}}\r\n{'x' * 10}"


@pytest.mark.parametrize("answer", [all_from_anywhere, nothing_of_the_rest])
def test_mail_that_is_not_given_in_parts_is_refused_and_neither_cut_nor_repeated(
    imap: Play, answer: Callable[[int], str]
) -> None:
    def fetch(dialog: Dialog, tag: str, rest: str) -> None:
        asked = re.search(r"^11 .*<(\d+)\.", rest)
        if asked:
            dialog.send_raw(f"* 1 FETCH (UID 11 {answer(int(asked[1]))})\r\n{tag} OK done\r\n".encode())
        else:
            parts(dialog, tag, rest)

    source, _ = imap({"UID FETCH": fetch}, imap=ImapProperties(fetchsize_given=10))
    with structlog.testing.capture_logs() as told:
        assert turn(source).raws == [THREE[12], THREE[13]]
    assert [event["key"] for event in told if event["event"] == "mail.refused"] == ["7/11"]


# Marks and read-only folders


@pytest.mark.parametrize(("peek", "flags"), [(True, ()), (False, ("\\Seen",))])
@pytest.mark.parametrize("fetchsize", [None, 10], ids=["whole", "parts"])
def test_reading_marks_where_peek_is_false(
    dovecot: Dovecot, real: Sources, peek: bool, flags: tuple[str, ...], fetchsize: int | None
) -> None:
    user = f"peek-{peek}-{fetchsize}"
    dovecot.drop(user, [mail("one")])
    properties = ImapProperties(peek=peek, fetchsize_given=fetchsize)
    assert subjects(turn(real(user, after_fetch=AfterFetch.LEAVE, imap=properties)).raws) == ["one"]
    assert dovecot.flags(user) == [flags]


READ_ONLY = says("* 3 EXISTS", "* OK [UIDVALIDITY 7] ok", "* OK [UIDNEXT 14] next", "TAG OK [READ-ONLY] done")


@pytest.mark.parametrize(
    "changing",
    [
        {"after_fetch": AfterFetch.DELETE},
        {"after_fetch": AfterFetch.LEAVE, "delete_big_msg": True},
        {"after_fetch": AfterFetch.LEAVE, "imap": ImapProperties(peek=False)},
    ],
    ids=["after-fetch", "delete-big-msg", "peek"],
)
def test_folder_that_must_be_changed_and_cannot_is_rejected(imap: Play, changing: dict[str, Any]) -> None:
    source, _ = imap({"SELECT": READ_ONLY, "EXAMINE": READ_ONLY}, **changing)
    with pytest.raises(Rejected, match="open folder INBOX: the server lets it be read only"):
        turn(source)


def test_folder_that_may_be_read_only_is_read_and_told_of_once(imap: Play) -> None:
    properties = ImapProperties(allowreadonlyselect=True)
    answers = {"SELECT": READ_ONLY, "EXAMINE": READ_ONLY}
    source, server = imap(answers, imap=properties, after_fetch=AfterFetch.DELETE)
    with structlog.testing.capture_logs() as told:
        assert turn(source).raws == list(THREE.values())
        assert not source.delete(["7/11"])
        source.close()
        assert turn(source).raws == list(THREE.values())
    assert said(server, "UID STORE") == said(server, "UID EXPUNGE") == []
    assert [event["folder"] for event in told if event["event"] == "mailbox.read_only"] == ["INBOX"]


# How long a connection is kept


def test_connection_is_not_kept_where_the_pool_is_empty(dovecot: Dovecot, real: Sources) -> None:
    source = real("no-pool", imap=ImapProperties(connectionpoolsize=0), cycle_time=42.0)
    cursor = turn(source).cursor
    assert source.wait() == Wait(42.0)
    dovecot.drop("no-pool", [mail("one")])
    assert subjects(turn(source, cursor).raws) == ["one"]
    assert len(dovecot.sessions("no-pool", 2)) == 2
    eventually(lambda: dovecot.open_sessions("no-pool") == [], what="the end of both sessions")


def test_connection_that_is_not_kept_ends_with_logout(imap: Play) -> None:
    source, server = imap(imap=ImapProperties(connectionpoolsize=0))
    turn(source)
    turn(source)
    assert (server.connections, said(server, "LOGOUT"), said(server, "IDLE")) == (2, ["", ""], [])


@pytest.mark.parametrize(
    ("idle", "timeout", "connections"), [(False, 41_999, 2), (False, 42_000, 1), (False, None, 1), (True, 1, 1)]
)
def test_connection_is_not_kept_unused_longer_than_the_pools_timeout(
    imap: Play, idle: bool, timeout: int | None, connections: int
) -> None:
    properties = ImapProperties(connectionpooltimeout=timeout)
    source, server = imap(imap=properties, idle=idle, cycle_time=42.0)
    for _ in range(2):
        turn(source)
        source.wait()
    assert server.connections == connections
    assert len(said(server, "LOGOUT")) == (2 if connections == 2 else 0)


def test_idle_is_not_begun_again_before_its_time(scripted: Callable[..., Scripted]) -> None:
    clock = ManualClock()
    server = scripted(ImapScript(THREE))
    patient = ImapProperties(minidletime=60_000)
    given = {"cycle_time": 42.0, "first_fetch": FirstFetch.ALL, "imap": patient}
    made = section(MailboxType.IMAP, server.port, "joe", **given)
    with closing(Imap(made, peer_of(made), monotonic=clock.monotonic)) as source:
        cursor = turn(source).cursor
        assert source.wait().connection is not None
        clock.advance(1)
        turn(source, cursor)
        assert source.wait() == Wait(42.0)
        clock.advance(42)
        turn(source, cursor)
        assert source.wait() == Wait(17.0)
        clock.advance(17)
        turn(source, cursor)
        assert source.wait().connection is not None
    assert len(said(server, "IDLE")) == 2
