"""Mails that our own code fails on: held as they came, at no cost for the others, and nobody is held by mistake."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from unittest.mock import patch

import pytest
from sqlalchemy import Connection

from emaild.errors import StoreFailed
from emaild.jobs.looking import Looking
from emaild.jobs.quarantine import LONGEST_TRACEBACK, MOST_DEATHS, Look, Looked, Quarantine
from emaild.message import Inbound, Understood
from emaild.settings.mailbox import MailboxSection
from emaild.settings.secret import Secret
from emaild.store import Store
from emaild.store.engine import Database
from emaild.store.held import How
from tests.clock import START, ManualClock
from tests.full_disk import no_more_bytes
from tests.said import Said
from tests.samples import mail, taken

SECTION = MailboxSection(name="pop-client", server="mail.example", mailbox="ann", password=Secret("x"))
ACCOUNT = SECTION.account


class Killed(BaseException):
    """The process ends while a mail is looked at."""


class Code:
    """Our own code, with a fault: it fails on mails that hold one of these texts. It notes what was looked at."""

    def __init__(self, store: Store, clock: ManualClock) -> None:
        self._store = store
        self._clock = clock
        self.raises_at: set[bytes] = set()
        self.dies_at: set[bytes] = set()
        self.batches: list[list[str]] = []
        self.start()

    def start(self) -> None:
        """As a new process."""
        self.quarantine = Quarantine(SECTION, self._store, Looking(), self._clock)

    def take(self, *keys: str, settled: bool = False, coming: Sequence[str] = ()) -> None:
        mails = [Inbound(key=key, raw=mail(f"Mail {key}")) for key in keys]
        keep = partial(self._keep, settled=settled)
        self.quarantine.take(mails, self._begin, keep, settled=settled, coming=coming)

    def take_until_it_dies(self, *keys: str) -> None:
        """The process starts and ends while it looks at these mails."""
        self.start()
        with pytest.raises(Killed):
            self.take(*self._store.interactions.unknown(ACCOUNT, keys))

    def _begin(self) -> Look:
        self.batches.append([])
        return self._look

    def _look(self, inbound: Inbound) -> Callable[[], Looked]:
        self.batches[-1].append(inbound.key)
        if any(text in inbound.raw for text in self.dies_at):
            raise Killed
        if any(text in inbound.raw for text in self.raises_at):
            raise ValueError(f"no sense in {'x' * 100_000}{inbound.key}")
        _, entry = taken(inbound.key, inbound.raw)
        return lambda: (inbound, Understood(interactions=(entry,), digest=entry.raw_digest))

    def _keep(self, looked: Sequence[Looked], coming: Sequence[str], *, settled: bool) -> None:
        self._store.interactions.keep(ACCOUNT, looked, settled=settled, coming=coming)

    @property
    def stored(self) -> list[str]:
        return sorted(entry.facts.subject for entry in self._store.interactions.all())

    @property
    def held(self) -> list[tuple[str, How]]:
        return sorted((one.key, one.how) for one in self._store.held.all())


@contextmanager
def counted_writes() -> Iterator[list[int]]:
    """How many transactions write meanwhile."""
    writes, write = [0], Database.write

    @contextmanager
    def counting(self: Database) -> Iterator[Connection]:
        writes[0] += 1
        with write(self) as connection:
            yield connection

    with patch.object(Database, "write", counting):
        yield writes


def _no_room(*_: object, **__: object) -> None:
    raise StoreFailed("no room")


@pytest.fixture
def code(store: Store, clock: ManualClock) -> Code:
    return Code(store, clock)


# Mails that raise


def test_a_mail_that_raises_is_held_as_it_came_and_the_others_are_taken(code: Code, store: Store, said: Said) -> None:
    code.raises_at = {b"Mail 2"}
    code.take("1", "2", "3")
    assert code.stored == ["Mail 1", "Mail 3"]
    (one,) = store.held.all()
    assert (one.key, one.account, one.mailbox, one.how, one.at) == ("2", ACCOUNT, "pop-client", How.RAISED, START)
    assert store.held.raw(one) == mail("Mail 2")
    assert one.error.endswith("x2")
    assert len(one.traceback) <= LONGEST_TRACEBACK
    event = said.one("mail.held")
    assert (event["level"], event["key"], event["held"]) == ("error", "2", one.id)
    assert event["reason"] == "ValueError"


def test_a_batch_of_nothing_but_such_mails_is_held(code: Code) -> None:
    code.raises_at = {b"Mail"}
    code.take("1", "2")
    assert code.held == [("1", How.RAISED), ("2", How.RAISED)]


def test_the_server_is_told_of_a_held_mail_as_of_others(code: Code, store: Store) -> None:
    code.raises_at = {b"Mail 1", b"Mail 3"}
    code.take("1", "2")
    code.take("3", "4", settled=True)
    assert sorted(store.interactions.unsettled(ACCOUNT)) == ["1", "2"]


def test_a_store_that_fails_holds_nobody(code: Code) -> None:
    with no_more_bytes(), pytest.raises(StoreFailed):
        code.take("1", "2")
    code.take("1", "2")
    assert (code.stored, code.held) == (["Mail 1", "Mail 2"], [])


# Mails that end the process


def test_mails_are_looked_at_in_one_batch_where_nothing_happened(code: Code, said: Said) -> None:
    code.take("1", "2", "3")
    code.start()
    code.take("4", "5")
    assert code.batches == [["1", "2", "3"], ["4", "5"]]
    assert said.all("mail.suspected") == []


def test_after_an_unclean_end_the_batch_is_looked_at_one_by_one_and_after_the_others(code: Code, said: Said) -> None:
    code.dies_at = {b"Mail 2"}
    code.take_until_it_dies("1", "2", "3")
    code.dies_at = set()
    code.batches.clear()
    code.start()
    code.take("1", "2", "3", "4", "5")
    code.take("6", "7")
    assert code.batches == [["4", "5"], ["1"], ["2"], ["3"], ["6", "7"]]
    assert (len(code.stored), code.held) == (7, [])
    assert said.one("mail.suspected")["count"] == 3


def test_a_mail_that_ends_the_process_each_time_is_held_without_a_further_look_and_the_others_are_taken(
    code: Code, store: Store, said: Said
) -> None:
    code.dies_at = {b"Mail 2"}
    for _ in range(1 + MOST_DEATHS):
        code.take_until_it_dies("1", "2", "3")
    assert sum(batch == ["2"] for batch in code.batches) == MOST_DEATHS
    code.batches.clear()
    code.start()
    code.take(*store.interactions.unknown(ACCOUNT, ["1", "2", "3", "4"]))
    assert ["2"] not in code.batches
    assert code.stored == ["Mail 1", "Mail 3", "Mail 4"]
    assert code.held == [("2", How.ENDED)]
    assert "ended the process 3 times" in said.one("mail.held")["reason"]
    assert said.one("mail.held")["held"] == next(store.held.all()).id


def test_a_batch_is_marked_with_the_commit_of_the_one_before_it(code: Code, store: Store) -> None:
    """It ends the process as one that was marked on its own."""
    code.take("1", "2", coming=["3", "4", "5"])
    assert store.marks.suspects(ACCOUNT) == {"3": 0, "4": 0, "5": 0}
    with counted_writes() as writes:
        code.take("3", "4", coming=["5", "6"])
        code.dies_at = {b"Mail 6"}
        with pytest.raises(Killed):
            code.take("5", "6")
    assert writes == [1], "the commit that keeps 3 and 4 is the only one"
    code.start()
    code.dies_at = set()
    code.batches.clear()
    code.take("5", "6", "7")
    assert code.batches == [["7"], ["5"], ["6"]]


@pytest.mark.parametrize("coming", [["4", "5"], ["3"], ["9"], []])
def test_what_comes_other_than_expected_has_a_mark_of_its_own(code: Code, store: Store, coming: list[str]) -> None:
    code.take("1", "2", coming=coming)
    code.dies_at = {b"Mail 4"}
    with pytest.raises(Killed):
        code.take("3", "4")
    assert set(store.marks.suspects(ACCOUNT)) == {"3", "4"}


def test_a_batch_that_could_not_be_stored_marks_no_other(code: Code, store: Store) -> None:
    code.take("0", coming=["1"])
    with no_more_bytes(), pytest.raises(StoreFailed):
        code.take("1", coming=["2"])
    code.dies_at = {b"Mail 2"}
    with pytest.raises(Killed):
        code.take("2")
    assert set(store.marks.suspects(ACCOUNT)) == {"2"}


def test_a_mail_that_could_not_be_held_leaves_the_next_batch_marked(
    code: Code, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    code.raises_at = {b"Mail 1"}
    with monkeypatch.context() as broken:
        broken.setattr(code.quarantine, "_hold", _no_room)
        with pytest.raises(StoreFailed):
            code.take("1", "2", coming=["3"])
    code.dies_at = {b"Mail 3", b"Mail 4"}
    with pytest.raises(Killed):
        code.take("1", "4")
    assert set(store.marks.suspects(ACCOUNT)) == {"1", "4"}


def test_a_clean_end_between_two_batches_suspects_nobody(code: Code, said: Said) -> None:
    code.take("1", "2", coming=["3", "4"])
    code.quarantine.end()
    code.start()
    code.take("3", "4")
    assert code.batches[-1] == ["3", "4"]
    assert said.all("mail.suspected") == []


def test_where_all_that_was_marked_is_stored_a_clean_end_writes_nothing(code: Code) -> None:
    code.take("1", "2")
    with counted_writes() as writes:
        code.quarantine.end()
    assert writes == [0]


def test_two_such_mails_are_held_both(code: Code, store: Store) -> None:
    code.dies_at = {b"Mail 1", b"Mail 3"}
    for _ in range(1 + 2 * MOST_DEATHS):
        code.take_until_it_dies("1", "2", "3", "4")
    code.start()
    code.take(*store.interactions.unknown(ACCOUNT, ["1", "2", "3", "4"]))
    assert code.stored == ["Mail 2", "Mail 4"]
    assert code.held == [("1", How.ENDED), ("3", How.ENDED)]


def test_ends_of_a_batch_hold_nobody_however_often(code: Code, store: Store) -> None:
    """As of a power that fails again and again: each time another mail is looked at."""
    for number in range(3 * MOST_DEATHS):
        code.dies_at = {b"Mail %d" % number}
        code.take_until_it_dies(*(str(key) for key in range(3 * MOST_DEATHS)))
    code.dies_at = set()
    code.start()
    code.take(*store.interactions.unknown(ACCOUNT, [str(key) for key in range(3 * MOST_DEATHS)]))
    assert (len(code.stored), code.held) == (3 * MOST_DEATHS, [])


def test_fewer_ends_than_that_hold_nobody(code: Code) -> None:
    code.dies_at = {b"Mail 1"}
    for _ in range(MOST_DEATHS):
        code.take_until_it_dies("1")
    code.dies_at = set()
    code.start()
    code.take("1")
    assert (code.stored, code.held) == (["Mail 1"], [])


def test_a_clean_end_suspects_nobody(code: Code, said: Said) -> None:
    with no_more_bytes(), pytest.raises(StoreFailed):
        code.take("0")
    code.dies_at = {b"Mail 2"}
    code.take_until_it_dies("1", "2")
    code.quarantine.end()
    code.dies_at = set()
    code.start()
    code.take("1", "2")
    assert code.batches[-1] == ["1", "2"]
    assert said.all("mail.suspected") == []


def test_a_suspect_that_raises_is_held_for_that(code: Code) -> None:
    code.dies_at = {b"Mail 1"}
    code.take_until_it_dies("1", "2")
    code.dies_at, code.raises_at = set(), {b"Mail 1"}
    code.start()
    code.take("1", "2")
    assert (code.stored, code.held) == (["Mail 2"], [("1", How.RAISED)])
