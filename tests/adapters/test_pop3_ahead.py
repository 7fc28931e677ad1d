"""POP3 mails that are asked for while the ones before are with us: what becomes of them, whatever comes between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from emaild.errors import Unreachable
from emaild.settings.mailbox import AfterFetch, FirstFetch, MailboxType
from emaild.settings.properties import Pop3Properties
from emaild.settings.server import Security
from emaild.sources import AHEAD_BYTES, BATCH_MAILS, Source
from tests.adapters.scripts import Answer, Pop3Script
from tests.adapters.turns import Sources, mail, turn
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.mails import generated
from tests.servers.scripted import Dialog, Gone, Scripted
from tests.servers.wait import eventually

MANY = {b"%d" % number: mail(f"number {number}") for number in range(1, 3 * BATCH_MAILS)}
KEYS = [key.decode() for key in MANY]
Play = Callable[..., tuple[Source, Scripted]]


@pytest.fixture
def real(dovecot: Dovecot, authority: Authority) -> Iterator[Sources]:
    """Sources of mailboxes on the Dovecot that all tests share."""
    with Sources(MailboxType.POP3, dovecot.pop3s, authority) as sources:
        yield sources


@pytest.fixture
def play(scripted: Callable[..., Scripted], authority: Authority) -> Iterator[Play]:
    """Makes a source without TLS that pipelines, and the server of *mails* that it is read from."""
    with Sources(MailboxType.POP3, 0, authority) as sources:

        def made(
            mails: dict[bytes, bytes] = MANY,
            answers: dict[str, Answer] | None = None,
            pipelining: bool = True,
            **given: Any,
        ) -> tuple[Source, Scripted]:
            server = scripted(Pop3Script(mails, answers))
            fields = {"security_given": Security.NONE, "first_fetch": FirstFetch.ALL}
            properties = Pop3Properties(pipelining=pipelining, disablecapa=True)
            return sources("joe", port=server.port, pop3=properties, **(fields | given)), server

        yield made


def asked(server: Scripted) -> int:
    return len([line for line in server.transcript if "C: RETR" in line])


@pytest.mark.parametrize("pipelining", [True, False])
def test_mails_are_asked_for_before_their_turn_only_where_the_server_can_pipeline(play: Play, pipelining: bool) -> None:
    source, _ = play(pipelining=pipelining)
    assert not source.may_ask_ahead
    source.open()
    assert source.may_ask_ahead is pipelining


@pytest.mark.parametrize("pipelining", [True, False])
def test_next_mails_are_asked_for_before_the_caller_has_done_with_these_where_the_server_can_pipeline(
    play: Play, pipelining: bool
) -> None:
    source, server = play(pipelining=pipelining)
    source.open()
    given = source.fetch(source.look(None).keys)
    assert [one.key for one in next(given)] == KEYS[:BATCH_MAILS]
    if pipelining:
        eventually(lambda: asked(server) == 2 * BATCH_MAILS, what="the second batch of RETR")
    assert [one.key for batch in given for one in batch] == KEYS[BATCH_MAILS:]
    assert asked(server) == len(MANY), "each is asked for once"
    source.finish()


@pytest.mark.parametrize("after", [AfterFetch.DELETE, AfterFetch.LEAVE])
def test_mails_come_byte_for_byte_and_all_are_acknowledged(dovecot: Dovecot, real: Sources, after: AfterFetch) -> None:
    user = f"pop-ahead-{after}"
    dovecot.drop(user, [one.raw for one in generated(3 * BATCH_MAILS, seed=42, largest=30_000)])
    held = dovecot.held(user)
    taken = turn(real(user, after_fetch=after, first_fetch=FirstFetch.ALL))
    assert taken.raws == held
    assert dovecot.held(user) == (held if after is AfterFetch.LEAVE else [])


def test_what_was_taken_is_deleted_where_the_caller_stops_after_a_batch(dovecot: Dovecot, real: Sources) -> None:
    dovecot.drop("pop-stops", MANY.values())
    source = real("pop-stops", after_fetch=AfterFetch.DELETE, first_fetch=FirstFetch.ALL)
    source.open()
    for batch in source.fetch(source.look(None).keys):
        source.acknowledge([one.key for one in batch])
        break
    source.finish()
    assert dovecot.held("pop-stops") == list(MANY.values())[BATCH_MAILS:]


def test_other_questions_may_be_asked_between_two_batches(play: Play) -> None:
    source, _ = play()
    source.open()
    raws = []
    for batch in source.fetch(source.look(None).keys):
        raws += [one.raw for one in batch]
        assert source.head(KEYS[-1], 10) == MANY[b"%s" % KEYS[-1].encode()][:10]
    assert raws == list(MANY.values())


def test_mails_that_do_not_fit_the_buffers_are_not_asked_for_ahead(play: Play) -> None:
    source, server = play(dict.fromkeys(MANY, b"x" * (AHEAD_BYTES // 10) + b"\r\n"))
    source.open()
    given = source.fetch(source.look(None).keys)
    first = len(next(given))
    source.head(KEYS[-1], 10)
    assert asked(server) == first
    assert first + sum(map(len, given)) == len(MANY)


def test_what_came_before_the_connection_broke_is_given(play: Play) -> None:
    def retrieve(dialog: Dialog, tag: str, rest: str) -> None:
        if int(rest) == BATCH_MAILS + 3:
            raise Gone
        Pop3Script(MANY).retrieve(dialog, tag, rest)

    source, _ = play(answers={"RETR": retrieve})
    source.open()
    given = source.fetch(source.look(None).keys)
    assert [one.key for one in next(given)] == KEYS[:BATCH_MAILS]
    assert [one.key for one in next(given)] == KEYS[BATCH_MAILS : BATCH_MAILS + 2]
    with pytest.raises(Unreachable, match="fetch: the connection broke"):
        next(given)


def test_deletions_are_said_together_when_the_turn_ends(play: Play) -> None:
    """The server does them at QUIT (RFC 1939 §6), and an answer to each would have to wait for the mails under way."""
    source, server = play(after_fetch=AfterFetch.DELETE)
    turn(source)
    said = [line.split()[2] for line in server.transcript if " C: " in line][-len(MANY) - 1 :]
    assert said == ["DELE"] * len(MANY) + ["QUIT"]
