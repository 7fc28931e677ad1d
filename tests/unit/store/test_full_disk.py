"""A disk that is full: nothing is half done, and all goes on when there is room again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from emaild.errors import StateUnusable, StoreFailed
from emaild.store import open_store
from emaild.store.engine import FILE, back_up
from emaild.store.mailboxes import MailboxStatus
from emaild.store.outbox_entries import Choice
from tests.clock import START
from tests.full_disk import no_more_bytes
from tests.samples import in_outbox, kept, leased, outbound, taken, tried, unsent

ACCOUNT = "pop3:ann@example.com"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system; test_no_write_is_possible runs for everybody")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=700", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_changes_nothing_and_the_store_goes_on_when_there_is_room(small_disk: Path) -> None:
    store = open_store(small_disk)
    first = taken("first")
    kept(store, ACCOUNT, [first], settled=False)
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"\0" * 1_000_000)
    batch = [taken("small"), taken("large", b"\0" * 3_000_000)]
    with pytest.raises(StoreFailed, match="full"):
        kept(store, ACCOUNT, batch, settled=False)
    assert store.interactions.unknown(ACCOUNT, ["first", "small", "large"]) == ["small", "large"]
    assert [entry.id for entry in store.interactions.all()] == [first[1].id]

    ballast.unlink()
    kept(store, ACCOUNT, batch[:1], settled=False)
    store.outbox.add(outbound(), START)
    assert leased(store)
    store.close()
    again = open_store(small_disk)
    assert again.interactions.unknown(ACCOUNT, ["first", "small", "large"]) == ["large"]
    again.close()


def test_a_disk_that_fills_up_mail_by_mail_keeps_every_one_that_was_promised(small_disk: Path) -> None:
    store = open_store(small_disk)
    promised = {}

    def fill() -> None:
        while True:
            mail = outbound(raw=os.urandom(20_000))
            store.outbox.add(mail, START)
            promised[mail.id] = mail.raw

    with pytest.raises(StoreFailed):
        fill()
    store.close()
    again = open_store(small_disk)
    kept = {entry.id: again.outbox.raw(entry) for entry in in_outbox(again)}
    assert kept == promised
    assert promised
    again.close()


def test_a_full_disk_makes_no_store(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(b"\0" * (2 << 20))
    with pytest.raises(StateUnusable):
        open_store(small_disk)


def test_a_backup_that_does_not_fit_leaves_nothing_and_harms_nothing(small_disk: Path, tmp_path: Path) -> None:
    store = open_store(tmp_path / "state")
    kept(store, ACCOUNT, [taken("1", b"\0" * 3_000_000)], settled=False)
    with pytest.raises(StateUnusable, match="cannot back up"):
        back_up(tmp_path / "state" / FILE, small_disk / "copy.db")
    assert list(small_disk.iterdir()) == []
    kept(store, ACCOUNT, [taken("2")], settled=False)
    store.close()


def test_no_write_is_possible_and_every_one_says_so(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    kept(store, ACCOUNT, [taken("1")], settled=False)
    for _ in range(2):
        store.outbox.add(outbound("a@b.c"), START)
    (lease,) = leased(store)
    before = [(entry.attempts, entry.state) for entry in in_outbox(store)]
    waits = in_outbox(store)[0].id
    writes: list[Callable[[], object]] = [
        lambda: kept(store, ACCOUNT, [taken("2")], settled=False),
        lambda: store.interactions.remember(ACCOUNT, "here"),
        lambda: store.interactions.settle(ACCOUNT, ["1"], "here"),
        lambda: store.interactions.prune(START.replace(year=2030), 10),
        lambda: store.outbox.add(outbound(), START),
        lambda: leased(store),
        lambda: store.sending.keep(lease, START),
        lambda: store.sending.renew([lease], START),
        lambda: store.sending.record([tried(lease, 250)], START),
        lambda: store.sending.release([unsent(lease)]),
        lambda: store.sending.give_back([lease], START),
        lambda: store.sending.take_back(START + timedelta(days=1)),
        lambda: store.sending.resume(START, lease=900.0),
        lambda: store.sending.defer("smtp-client", START, START, why="", past=None, most=10),
        lambda: store.sending.reroute("smtp-client", "another", START, why="", most=10),
        lambda: store.sending.expire("smtp-client", START + timedelta(days=1), START),
        lambda: store.outbox.hold(waits, START),
        lambda: list(store.outbox.cancel_all(Choice(), START)),
        lambda: store.mailboxes.report([MailboxStatus(name="pop-client", state="ok")], ["pop-client"]),
    ]
    with no_more_bytes():
        for write in writes:
            with pytest.raises(StoreFailed):
                write()
        assert len(list(store.interactions.all())) == 1
    assert store.interactions.unsettled(ACCOUNT) == ["1"]
    assert store.interactions.cursor(ACCOUNT) is None
    assert [(entry.attempts, entry.state) for entry in in_outbox(store)] == before
    for write in writes[:4]:
        write()
    store.close()
