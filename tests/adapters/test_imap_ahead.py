"""IMAP batches that are asked for while the one before is with us: what becomes of them, whatever comes between."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from emaild.errors import Rejected, Unreachable
from emaild.settings.mailbox import AfterFetch, FirstFetch, MailboxType
from emaild.settings.properties import ImapProperties
from emaild.settings.server import Security
from emaild.sources import AHEAD_BYTES, BATCH_MAILS, Source
from emaild.sources.imap import Imap
from emaild.sources.imap_connection import Connection
from tests.adapters.scripts import Answer, ImapScript, body, cuts, says, wanted
from tests.adapters.turns import Sources, mail, turn
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.mails import generated
from tests.servers.scripted import Dialog, Scripted
from tests.servers.wait import eventually

MANY = {uid: mail(f"number {uid}") for uid in range(1, 3 * BATCH_MAILS)}
FIRST, SECOND = min(MANY), min(MANY) + BATCH_MAILS
Play = Callable[..., tuple[Source, Scripted]]


@pytest.fixture
def play(scripted: Callable[..., Scripted], authority: Authority) -> Iterator[Play]:
    """Makes a source without TLS and the server of *mails* that it is read from, with some answers of its own."""
    with Sources(MailboxType.IMAP, 0, authority) as sources:

        def made(
            fetch: Answer | None = None,
            mails: dict[int, bytes] = MANY,
            answers: dict[str, Answer] | None = None,
            **given: Any,
        ) -> tuple[Source, Scripted]:
            server = scripted(ImapScript(mails, ({"UID FETCH": fetch} if fetch else {}) | (answers or {})))
            fields = {"security_given": Security.NONE, "first_fetch": FirstFetch.ALL}
            return sources("joe", port=server.port, **(fields | given)), server

        yield made


def asked(server: Scripted) -> list[tuple[int, int]]:
    """The first and the last UID of each FETCH of mails."""
    lines = [line for line in server.transcript if " C: " in line and "BODY" in line]
    named = [wanted(line.split(" ", 5)[5]) for line in lines]
    return [(min(uids), max(uids)) for uids in named]


def keys(uids: range) -> list[str]:
    return [f"7/{uid}" for uid in uids]


def test_next_batch_is_asked_for_before_the_caller_has_done_with_this_one(play: Play) -> None:
    source, server = play()
    source.open()
    given = source.fetch(source.look(None).keys)
    assert [one.key for one in next(given)] == keys(range(FIRST, SECOND))
    eventually(lambda: len(asked(server)) == 2, what="the second FETCH")
    assert asked(server)[1] == (SECOND, SECOND + BATCH_MAILS - 1)
    assert [len(batch) for batch in given] == [BATCH_MAILS, BATCH_MAILS - 1]
    assert len(asked(server)) == 3, "each is asked for once"


@pytest.mark.parametrize("after", [AfterFetch.SEEN, AfterFetch.DELETE, AfterFetch.MOVE, AfterFetch.LEAVE])
@pytest.mark.parametrize("compress", [True, False])
def test_mails_come_byte_for_byte_and_all_are_acknowledged(
    dovecot: Dovecot, imap: Sources, after: AfterFetch, compress: bool
) -> None:
    user = f"ahead-{after}-{compress}"
    dovecot.drop(user, [one.raw for one in generated(3 * BATCH_MAILS, seed=41, largest=30_000)])
    held = dovecot.held(user)
    folder: dict[str, Any] = {"after_fetch_folder": "Done"} if after is AfterFetch.MOVE else {}
    properties = ImapProperties(compress_enable=compress)
    source = imap(user, after_fetch=after, first_fetch=FirstFetch.ALL, imap=properties, **folder)
    taken = turn(source)
    assert taken.raws == held
    assert turn(source, taken.cursor).mails == ()
    assert len(dovecot.sessions(user, 2)) == 1 + 1, "that of `held`, and ours"
    match after:
        case AfterFetch.SEEN:
            assert dovecot.flags(user) == [("\\Seen",)] * len(held)
        case AfterFetch.MOVE:
            assert (dovecot.held(user), dovecot.held(user, "Done")) == ([], held)
        case _:
            assert dovecot.held(user) == (held if after is AfterFetch.LEAVE else [])


@pytest.mark.parametrize("idle", [True, False])
def test_connection_is_used_on_where_the_caller_stops_after_a_batch(
    dovecot: Dovecot, imap: Sources, idle: bool
) -> None:
    user = f"stops-{idle}"
    dovecot.drop(user, MANY.values())
    source = imap(user, first_fetch=FirstFetch.ALL, idle=idle)
    source.open()
    listing = source.look(None)
    given = source.fetch(listing.keys)
    first = next(given)
    source.acknowledge([one.key for one in first])
    del given
    source.finish()
    assert (source.wait().connection is not None) is idle
    source.open()
    assert source.look(listing.cursor_when_done).keys == ()
    rest = [one.raw for batch in source.fetch(listing.keys[len(first) :]) for one in batch]
    assert [one.raw for one in first] + rest == list(MANY.values())
    assert len(dovecot.sessions(user, 1)) == 1


@pytest.mark.parametrize("answered", [True, False])
def test_what_nobody_waited_for_leaves_nothing_behind(dovecot: Dovecot, imap: Sources, answered: bool) -> None:
    user = f"forgotten-{answered}"
    dovecot.drop(user, MANY.values())
    source = imap(user, first_fetch=FirstFetch.ALL, idle=True)
    source.open()
    listing = source.look(None)
    for _ in range(3):
        given = source.fetch(listing.keys)
        next(given)
        if answered:
            source.head(listing.keys[-1], 10)
        del given
        source.look(None)
    source.finish()
    assert source.wait().connection is not None
    assert isinstance(source, Imap)
    assert source._client is not None
    assert len(source._client._imap.tagged_commands) == 1, "IDLE"


def test_other_questions_may_be_asked_between_two_batches(dovecot: Dovecot, imap: Sources) -> None:
    dovecot.drop("between", MANY.values())
    source = imap("between", first_fetch=FirstFetch.ALL, after_fetch=AfterFetch.LEAVE)
    source.open()
    listed = source.look(None).keys
    raws = []
    for batch in source.fetch(listed):
        raws += [one.raw for one in batch]
        assert source.sizes(listed[-1:]) == {listed[-1]: len(MANY[max(MANY)])}
        assert source.head(listed[-1], 10) == MANY[max(MANY)][:10]
    assert raws == list(MANY.values())


def test_sizes_may_be_asked_for_between_two_batches(play: Play) -> None:
    source, _ = play(mails={uid: mail("x") for uid in range(1, 521)})
    source.open()
    *listed, other = source.look(None).keys[:501]
    given = source.fetch(listed)
    first = next(given)
    assert source.sizes([other]) == {other: len(mail("x"))}
    assert [one.key for batch in (first, *given) for one in batch] == listed


def test_batch_that_does_not_fit_the_buffers_is_not_asked_for_ahead(play: Play) -> None:
    large = dict.fromkeys(range(1, 2 * BATCH_MAILS), b"x" * (AHEAD_BYTES // 10))
    source, server = play(mails=large)
    source.open()
    listed = source.look(None).keys
    given = source.fetch(listed)
    first = len(next(given))
    assert source.sizes(listed), "an answer to a later question than FETCH"
    source.acknowledge(listed[:1])
    assert len(asked(server)) == 1
    assert first + sum(map(len, given)) == len(large)


def test_batch_that_is_refused_is_asked_for_one_by_one(play: Play) -> None:
    def fetch(dialog: Dialog, tag: str, rest: str) -> None:
        if "BODY" in rest and SECOND in wanted(rest):
            dialog.send(f"{tag} NO that one is broken")
        else:
            ImapScript(MANY).fetch(dialog, tag, rest)

    source, _ = play(fetch)
    assert [one.key for one in turn(source).mails] == keys(range(FIRST, SECOND)) + keys(
        range(SECOND + 1, max(MANY) + 1)
    )


def test_what_came_before_the_connection_broke_is_given_and_the_reason_is_kept(play: Play) -> None:
    def fetch(dialog: Dialog, tag: str, rest: str) -> None:
        (cuts if "BODY" in rest and SECOND in wanted(rest) else ImapScript(MANY).fetch)(dialog, tag, rest)

    source, _ = play(fetch)
    source.open()
    given = source.fetch(source.look(None).keys)
    first = next(given)
    assert len(first) == BATCH_MAILS
    source.acknowledge([one.key for one in first])
    with pytest.raises(Unreachable, match="the connection broke"):
        next(given)
    with pytest.raises(Unreachable, match="the connection broke"):
        source.finish()


def test_that_mails_are_marked_is_waited_for_at_the_next_time_or_at_the_end_of_the_turn(play: Play) -> None:
    answers = iter(["OK done", "NO disk full"])

    def store(dialog: Dialog, tag: str, rest: str) -> None:
        dialog.send(f"{tag} {next(answers)}")

    source, server = play(answers={"UID STORE": store}, after_fetch=AfterFetch.SEEN)
    source.open()
    listed = source.look(None).keys
    source.acknowledge(listed[:1])
    source.acknowledge(listed[1:2])
    with pytest.raises(Rejected, match=r"after-fetch seen: .*disk full"):
        source.finish()
    assert len([line for line in server.transcript if "UID STORE" in line]) == 2


def test_what_came_before_sizes_could_not_be_asked_for_is_given_and_the_reason_is_kept(play: Play) -> None:
    """They are asked for some hundreds of mails at a time."""
    mails = {uid: mail("x") for uid in range(1, 520)}

    def fetch(dialog: Dialog, tag: str, rest: str) -> None:
        (cuts if "SIZE" in rest and 501 in wanted(rest) else ImapScript(mails).fetch)(dialog, tag, rest)

    source, _ = play(fetch, mails)
    source.open()
    given = source.fetch(source.look(None).keys)
    assert sum(len(next(given)) for _ in range(500 // BATCH_MAILS)) == 500
    with pytest.raises(Unreachable, match="fetch sizes: the connection broke"):
        next(given)
    with pytest.raises(Unreachable, match="fetch sizes: the connection broke"):
        source.acknowledge(keys(range(1, 2)))


def test_answers_that_come_among_those_to_a_later_command_are_kept(play: Play) -> None:
    """RFC 3501 §5.5: a server may begin with a command before it is done with the one before."""
    late: list[Callable[[], None]] = []

    def fetch(dialog: Dialog, tag: str, rest: str) -> None:
        uids = wanted(rest)
        if "BODY" not in rest or SECOND not in uids:
            ImapScript(MANY).fetch(dialog, tag, rest)
            return
        half = b"".join(body(uid, uid, MANY[uid]) for uid in uids[:20])
        other = b"".join(body(uid, uid, MANY[uid]) for uid in uids[20:])
        dialog.send_raw(half)
        late.append(lambda: dialog.send_raw(b"* 7 EXPUNGE\r\n" + other + f"{tag} OK fetched\r\n".encode()))

    def store(dialog: Dialog, tag: str, rest: str) -> None:
        dialog.send("* 1 FETCH (FLAGS (\\Seen))", "* 151 EXISTS", f"{tag} OK stored")
        if late:
            late.pop()()

    source, _ = play(fetch, answers={"UID STORE": store})
    assert [one.raw for one in turn(source).mails] == list(MANY.values())
    assert source.wait().connection is None, "it told of a new mail, of which IDLE would say nothing"


def test_a_mail_is_asked_for_alone_once_those_before_it_have_come(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 3501 §5.5: a server may answer the later question first, and both answers look alike."""
    asks, reads = threading.Event(), threading.Event()
    line = Connection.line

    def noted(connection: Connection) -> bytes:
        if asks.is_set():
            reads.set()  # and so all that is asked before that is on its way
        return line(connection)

    def answers(dialog: Dialog, tag: str, rest: str) -> None:
        if "<0." in rest:
            dialog.send(f"* 9 FETCH (UID {wanted(rest)[0]} BODY[]<0> {{7}}", "Subject)", f"{tag} OK done")
            return
        if "BODY" in rest and SECOND in wanted(rest):
            assert reads.wait(timeout=30)
            if dialog.has_more():
                later, _, asked = dialog.readline().decode().split(" ", 2)
                answers(dialog, later, asked.partition(" ")[2])
        ImapScript(MANY).fetch(dialog, tag, rest)

    monkeypatch.setattr(Connection, "line", noted)
    source, _ = play(answers)
    source.open()
    listed = source.look(None).keys
    given = source.fetch(listed)
    raws = [one.raw for one in next(given)]
    asks.set()
    assert source.head(listed[-1], 7) == b"Subject"
    assert raws + [one.raw for batch in given for one in batch] == list(MANY.values())


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("BODY[] {10000000000}\r\nprivate", "the answer is too long"),
        ("BODY[] {99999999999999999999999}\r\nprivate", "what the server says is no IMAP"),
        ("BODY[] {-1}\r\nprivate", "what the server says is no IMAP"),
        ("FLAGS (\\Seen", "what the server says is no IMAP"),
    ],
)
@pytest.mark.parametrize("item", ["BODY", "SIZE"])
def test_answer_that_promises_too_much_ends_the_connection(play: Play, said: str, reason: str, item: str) -> None:
    def fetch(dialog: Dialog, tag: str, rest: str) -> None:
        if item in rest:
            dialog.send(f"* 1 FETCH (UID 1 {said}", f"{tag} OK done")
        else:
            ImapScript(MANY).fetch(dialog, tag, rest)

    source, _ = play(fetch)
    with pytest.raises(Unreachable, match=reason) as failure:
        turn(source)
    assert "private" not in str(failure.value)


def test_mails_of_more_octets_than_may_come_are_given_up_before_they_fill_the_memory(play: Play) -> None:
    """Their sizes were told otherwise."""
    large = b"x" * (5 << 20)

    def fetch(dialog: Dialog, tag: str, rest: str) -> None:
        if "BODY" not in rest:
            ImapScript(MANY).fetch(dialog, tag, rest)
            return
        for uid in wanted(rest):
            dialog.send_raw(body(uid, uid, large))

    source, server = play(fetch, maximum_msg_size=1 << 20)
    with pytest.raises(Unreachable, match="fetch: the answer is too long"):
        turn(source)
    given = sum(len(re.findall("INTERNALDATE", line)) for line in server.transcript)
    assert given < 10


@pytest.mark.parametrize("command", ["LIST", "UID SEARCH"])
def test_literal_that_no_memory_holds_ends_the_connection_wherever_it_comes(play: Play, command: str) -> None:
    answer = says("* LIST (\\All) {99999999999999999999999}", "TAG OK done")
    source, _ = play(answers={command: answer}, folder_path="\\All" if command == "LIST" else "INBOX")
    with closing(source), pytest.raises((Unreachable, Rejected), match="no IMAP"):
        turn(source)
