"""What the properties mail.pop3.* change on the wire: pipelining, dates without TOP, RSET."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog

from emaild.errors import Rejected, Unreachable
from emaild.jobs.intake import Intake
from emaild.jobs.left_out import LeftOut
from emaild.jobs.looking import Looking
from emaild.settings.mailbox import AfterFetch, FirstFetch, MailboxSection, MailboxType
from emaild.settings.properties import Pop3Properties
from emaild.settings.server import Security
from emaild.sources import Source
from emaild.store import Store, open_store
from tests.adapters.scripts import Answer, Pop3Script, says
from tests.adapters.turns import Sources, mail, section, subjects, turn
from tests.clock import ManualClock
from tests.reading import settings
from tests.servers.authority import Authority
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.scripted import Dialog, Gone, Scripted

Play = Callable[..., tuple[Source, Scripted]]
CAN_PIPELINE: dict[str, Answer] = {"CAPA": says("+OK", "USER", "PIPELINING", ".")}
THREE = {name.encode(): mail(name) for name in ("one", "two", "three")}
SOON = 1.0  # seconds that a server may be silent where its silence is what the test is about


@pytest.fixture
def pop3(scripted: Callable[..., Scripted], authority: Authority) -> Iterator[Play]:
    """Makes a source and the server that it is read from, by mails, answers, properties and fields of the section."""
    with Sources(MailboxType.POP3, 0, authority) as sources:

        def play(
            mails: dict[bytes, bytes], answers: dict[str, Answer] | None = None, *, tls: bool = False, **given: Any
        ) -> tuple[Source, Scripted]:
            server = scripted(Pop3Script(mails, answers), authority=authority, tls=tls)
            options = {name: given.pop(name) for name in tuple(given) if name in Pop3Properties.__dataclass_fields__}
            fields = {
                "security_given": Security.SSL_TLS if tls else Security.NONE,
                "first_fetch": FirstFetch.ALL,
                "pop3": Pop3Properties(**options),
            }
            return sources("joe", port=server.port, **(fields | given)), server

        yield play


def said(server: Scripted) -> list[str]:
    """What the client said."""
    return [line.partition(" C: ")[2] for line in server.transcript if " C: " in line]


def waits_for_more(count: int, answer: Answer) -> Answer:
    """Answers a command, and then the ones after it, only when that many were sent."""

    def waits(dialog: Dialog, tag: str, rest: str) -> None:
        following = [dialog.readline().decode() for _ in range(count - 1)]
        for line in [rest, *(command.partition(" ")[2] for command in following)]:
            answer(dialog, tag, line)

    return waits


# Pipelining


@pytest.mark.parametrize(
    ("answers", "properties", "ahead"),
    [
        (CAN_PIPELINE, {}, True),
        ({}, {"pipelining": True}, True),
        ({}, {}, False),
        (CAN_PIPELINE, {"disablecapa": True}, False),
    ],
)
def test_mails_are_asked_for_ahead_where_the_server_can_or_the_section_says_so(
    pop3: Play, answers: dict[str, Answer], properties: dict[str, Any], ahead: bool
) -> None:
    """RFC 2449 §6.6. This server answers no RETR before it has three of them, and no DELE either."""
    script = Pop3Script(THREE)
    patient = {"RETR": waits_for_more(3, script.retrieve), "DELE": waits_for_more(3, says("+OK"))}
    source, server = pop3(
        THREE, answers | patient, protocol_timeout=5.0 if ahead else SOON, after_fetch=AfterFetch.DELETE, **properties
    )
    if ahead:
        assert turn(source).raws == list(THREE.values())
        assert said(server)[-7:] == ["RETR 1", "RETR 2", "RETR 3", "DELE 1", "DELE 2", "DELE 3", "QUIT"]
    else:
        with pytest.raises(Unreachable, match="fetch: no answer in time"):
            turn(source)
        assert said(server)[-1] == "RETR 1"


@pytest.mark.parametrize("tls", [True, False])
def test_a_password_is_sent_ahead_of_the_answer_to_its_user_on_tls_alone(pop3: Play, tls: bool) -> None:
    source, server = pop3(THREE, CAN_PIPELINE | {"USER": says("-ERR nobody here by that name")}, tls=tls)
    with pytest.raises(Rejected, match="sign in: -ERR nobody"):
        source.open()
    if tls:
        source, server = pop3(THREE, CAN_PIPELINE | {"USER": waits_for_more(2, says("+OK"))}, tls=tls)
        source.open()
        assert said(server) == ["CAPA", "USER joe", f"PASS {PASSWORD}"]
    else:
        assert said(server) == ["CAPA", "USER joe"]


def test_commands_under_way_are_bounded_in_number(pop3: Play) -> None:
    """A server that has 100 of them gets no other before it has answered one: it would not come to read it."""
    mails = {b"%d" % number: mail(str(number)) for number in range(110)}
    script = Pop3Script(mails)
    source, server = pop3(mails, CAN_PIPELINE | {"RETR": waits_for_more(101, script.retrieve)}, protocol_timeout=SOON)
    with pytest.raises(Unreachable, match="fetch: no answer in time"):
        turn(source)
    assert said(server)[-1] == "RETR 100"


def test_mails_under_way_are_bounded_in_size(pop3: Play) -> None:
    """By what LIST says: two of these are above 8 MiB together."""
    sizes = says("+OK", "1 5000000", "2 5000000", "3 5", ".")
    script = Pop3Script(THREE)

    def retrieve(dialog: Dialog, tag: str, rest: str) -> None:
        if rest == "2":
            assert dialog.readline() == b"RETR 3"
            script.retrieve(dialog, tag, "2")
            rest = "3"
        script.retrieve(dialog, tag, rest)

    source, _ = pop3(THREE, CAN_PIPELINE | {"LIST": sizes, "RETR": retrieve})
    source.open()
    batches = [subjects([one.raw for one in batch]) for batch in source.fetch(source.look(None).keys)]
    assert batches == [["one"], ["two", "three"]]


def test_neither_side_waits_for_the_other_with_answers_far_above_every_buffer(pop3: Play) -> None:
    mails = {b"%d" % number: mail(str(number), "." + "x" * 70) * 1500 for number in range(120)}  # 150 KB each
    source, _ = pop3(mails, CAN_PIPELINE)
    assert turn(source).raws == list(mails.values())


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_mails_are_whole_however_they_are_cut_into_pieces(pop3: Play, size: int) -> None:
    """TLS gives each piece on its own."""
    mails = {b"one": mail("one", "..", ".", "", ".x"), b"two": b"", b"three": b".\r\n", b"four": b"\r\n"}
    stuffed = {b"one": mail("one", "...", "..", "", "..x"), b"two": b"", b"three": b"..\r\n", b"four": b"\r\n"}

    def retrieve(dialog: Dialog, tag: str, rest: str) -> None:
        answer = b"+OK\r\n" + list(stuffed.values())[int(rest) - 1] + b".\r\n"
        for start in range(0, len(answer), size):
            dialog.send_raw(answer[start : start + size])

    source, _ = pop3(mails, CAN_PIPELINE | {"RETR": retrieve}, tls=True)
    assert turn(source).raws == list(mails.values())


def test_a_refused_mail_among_those_under_way_leaves_out_no_other(pop3: Play) -> None:
    script = Pop3Script(THREE)

    def retrieve(dialog: Dialog, tag: str, rest: str) -> None:
        (says("-ERR cannot open that file") if rest == "2" else script.retrieve)(dialog, tag, rest)

    source, _ = pop3(THREE, CAN_PIPELINE | {"RETR": waits_for_more(3, retrieve)})
    with structlog.testing.capture_logs() as events:
        assert subjects(turn(source).raws) == ["one", "three"]
    assert [event["key"] for event in events if event["event"] == "mail.refused"] == ["two"]


def test_what_came_whole_before_the_connection_broke_is_taken(pop3: Play) -> None:
    script = Pop3Script(THREE)

    def retrieve(dialog: Dialog, tag: str, rest: str) -> None:
        if rest == "3":
            dialog.send_raw(b"+OK\r\nSubject: three\r\n\r\nhal")
            raise Gone
        script.retrieve(dialog, tag, rest)

    source, _ = pop3(THREE, CAN_PIPELINE | {"RETR": waits_for_more(3, retrieve)})
    source.open()
    batches = source.fetch(source.look(None).keys)
    assert subjects([one.raw for one in next(batches)]) == ["one", "two"]
    with pytest.raises(Unreachable, match="fetch: the connection broke"):
        next(batches)


def test_an_answer_too_many_is_not_taken_for_the_next_mail(pop3: Play) -> None:
    def retrieve(dialog: Dialog, tag: str, rest: str) -> None:
        dialog.send_raw(b"+OK\r\nSubject: one\r\n\r\n.\r\n+OK\r\nSubject: not two\r\n\r\n.\r\n")

    source, _ = pop3(THREE, {"RETR": retrieve})
    source.open()
    batches = source.fetch(source.look(None).keys)
    assert [one.key for one in next(batches)] == ["one"]
    with pytest.raises(Unreachable, match="fetch: what the server says is no POP3"):
        next(batches)


# Dates


DAY = datetime(2026, 2, 1, tzinfo=UTC)
OLD, NEW = b"Date: Sat, 31 Jan 2026 10:00:00 +0000\r\n", b"Date: Sun, 01 Feb 2026 10:00:00 +0000\r\n"
DATED = {b"old": OLD + mail("old"), b"new": NEW + mail("new")}


def taken(source: Source) -> tuple[list[str], list[str]]:
    """What a turn takes that leaves out what is old; and what the next one knows to be old."""
    source.open()
    keys = source.look(None).keys
    old = source.before(DAY, keys)
    raws = [one.raw for batch in source.fetch([key for key in keys if key not in old]) for one in batch]
    source.finish()
    source.open()
    source.look("contacted")
    known = sorted(source.before(DAY, keys))
    source.finish()
    return subjects(raws), known


def test_dates_are_told_by_top_and_asked_for_once(pop3: Play) -> None:
    source, server = pop3(DATED, begin_date=DAY)
    assert taken(source) == (["new"], ["old"])
    assert [line for line in said(server) if line.startswith(("TOP", "RETR"))] == ["TOP 1 0", "TOP 2 0", "RETR 2"]


@pytest.mark.parametrize("properties", [{"disabletop": True}, {"forgettopheaders": True}])
def test_dates_are_told_by_retr_where_top_must_not_be_used_or_is_not_trusted(
    pop3: Play, properties: dict[str, bool]
) -> None:
    """The TOP of this server shows the other mail's header. No mail is asked for twice."""
    script = Pop3Script(DATED)
    lies: dict[str, Answer] = {"TOP": lambda dialog, tag, rest: script.top(dialog, tag, f"{3 - int(rest[0])} 0")}
    source, _ = pop3(DATED, lies, begin_date=DAY)
    assert taken(source) == (["old"], ["new"])
    source, server = pop3(DATED, lies, begin_date=DAY, **properties)
    assert taken(source) == (["new"], ["old"])
    assert [line for line in said(server) if line.startswith(("TOP", "RETR"))] == ["RETR 1", "RETR 2"]


# Sizes


def left_out_of(rules: MailboxSection, source: Source, store: Store) -> LeftOut:
    clock = ManualClock()
    intake = Intake(rules, lambda: settings(rules), store=store, looking=Looking(), clock=clock)
    return LeftOut(rules, source, store.interactions, intake, clock)


@pytest.mark.parametrize("delete", [True, False])
def test_a_mail_above_the_limit_is_never_asked_for_and_deleted_where_the_section_says_so(
    pop3: Play, tmp_path: Path, delete: bool
) -> None:
    mails = {b"small": mail("small"), b"large": mail("large", "x" * 2000)}
    rules = section(MailboxType.POP3, 1, "joe", maximum_msg_size=1000, delete_big_msg=delete)
    source, server = pop3(mails)
    with contextlib.closing(open_store(tmp_path)) as store:
        left_out = left_out_of(rules, source, store)
        left_out.again()
        source.open()
        fitting, _ = left_out.before_fetch(source.look(None).keys)
        assert [one.key for batch in source.fetch(fitting) for one in batch] == ["small"]
        source.finish()
    assert [line for line in said(server) if line.startswith(("RETR", "DELE"))] == ["RETR 1"] + ["DELE 2"] * delete


@pytest.mark.parametrize(("told", "wrong"), [(0, False), (-2, False), (1, True), (-1, True)])
def test_a_mail_of_another_size_than_list_says_is_told_apart(
    pop3: Play, tmp_path: Path, told: int, wrong: bool
) -> None:
    """Two octets less are those of the line end without which the final dot could not be sent."""
    raw = mail("one")
    rules = section(MailboxType.POP3, 1, "joe", allow_bad_msg_size=False)
    source, _ = pop3({b"one": raw}, {"LIST": says("+OK", f"1 {len(raw) + told}", ".")})
    with contextlib.closing(open_store(tmp_path)) as store:
        left_out = left_out_of(rules, source, store)
        left_out.again()
        source.open()
        (batch,) = source.fetch(left_out.before_fetch(source.look(None).keys)[0])
        assert batch[0].raw == (raw[:-2] if told == -2 else raw)
        assert bool(left_out.after_fetch(batch)[0]) is not wrong


# The end


@pytest.mark.parametrize(
    ("properties", "after", "end"),
    [
        ({"rsetbeforequit": True}, AfterFetch.LEAVE, ["RETR 1", "RSET", "QUIT"]),
        ({"rsetbeforequit": True}, AfterFetch.DELETE, ["RETR 1", "DELE 1", "QUIT"]),
        ({}, AfterFetch.LEAVE, ["LIST", "RETR 1", "QUIT"]),
    ],
)
def test_rset_comes_before_quit_where_that_is_asked_for_and_nothing_of_ours_was_deleted(
    pop3: Play, properties: dict[str, bool], after: AfterFetch, end: list[str]
) -> None:
    source, server = pop3({b"one": mail("one")}, after_fetch=after, **properties)
    turn(source)
    assert said(server)[-3:] == end


def test_deletions_of_an_earlier_turn_do_not_keep_rset_back(pop3: Play) -> None:
    source, server = pop3({b"one": mail("one")}, after_fetch=AfterFetch.DELETE, rsetbeforequit=True)
    first = turn(source)
    turn(source, first.cursor, known=first.listing.keys)
    assert said(server)[-3:] == ["UIDL", "RSET", "QUIT"]


def test_capa_is_asked_unless_that_is_disabled(pop3: Play) -> None:
    for disabled in (False, True):
        source, server = pop3(THREE, disablecapa=disabled)
        source.open()
        assert ("CAPA" in said(server)) is not disabled


def test_mails_are_read_from_a_real_server_with_every_property_set(dovecot: Dovecot, authority: Authority) -> None:
    properties = Pop3Properties(rsetbeforequit=True, disabletop=True, disablecapa=True, pipelining=True)
    dovecot.drop("pop-properties", [OLD + mail("old"), *(NEW + mail(f"new {number}") for number in range(120))])
    with Sources(MailboxType.POP3, dovecot.pop3s, authority) as sources:
        source = sources("pop-properties", first_fetch=FirstFetch.ALL, begin_date=DAY, pop3=properties)
        subjects_taken, old = taken(source)
    assert subjects_taken == [f"new {number}" for number in range(120)]
    assert len(old) == 1
