"""A backup: consistent while others write, complete or not there, and a store when it is put back."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emaild.errors import StateUnusable
from emaild.store import Store, open_store
from emaild.store.engine import FILE, back_up
from tests.samples import in_outbox, kept, outbound, taken
from tests.servers.wait import eventually

ACCOUNT = "pop3:ann@example.com"


@contextmanager
def somebody_writing(store: Store) -> Iterator[list[str]]:
    """Another thread that keeps a mail after the other without a pause; gives the ids of those that are committed."""
    done: list[str] = []
    enough = threading.Event()

    def write() -> None:
        while not enough.is_set():
            inbound, entry = taken(str(len(done)))
            kept(store, ACCOUNT, [(inbound, entry)], settled=True)
            done.append(entry.id)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield done
    finally:
        enough.set()
        writer.join()


def test_a_backup_taken_while_somebody_writes_is_a_store_with_all_that_was_committed(
    store: Store, tmp_path: Path
) -> None:
    # Larger than what is copied at once by any means, so that commits fall into the copying.
    large = [taken(f"large {number}", bytes([number]) * 2_000_000) for number in range(15)]
    kept(store, ACCOUNT, large, settled=False)
    mail = outbound("a@b.c")
    store.outbox.add(mail, large[0][1].received)
    with somebody_writing(store) as done:
        before = list(eventually(lambda: done))
        back_up(tmp_path / "state" / FILE, tmp_path / "copy.db")
    (tmp_path / "restored").mkdir()
    (tmp_path / "copy.db").rename(tmp_path / "restored" / FILE)

    restored = open_store(tmp_path / "restored")
    there = {entry.id: entry for entry in restored.interactions.all()}
    originals = {entry.id: entry for entry in store.interactions.all()}
    assert set(before) | {entry.id for _, entry in large} <= there.keys()
    for name, entry in there.items():
        assert entry == originals[name]
        assert hashlib.sha256(restored.interactions.raw(entry)).hexdigest() == entry.raw_digest
    assert sorted(restored.interactions.unsettled(ACCOUNT)) == sorted(inbound.key for inbound, _ in large)
    assert [entry.id for entry in in_outbox(restored)] == [mail.id]
    kept(restored, ACCOUNT, [taken("after")], settled=True)
    restored.close()


def test_a_backup_is_one_file_that_only_its_owner_reads(store: Store, tmp_path: Path) -> None:
    kept(store, ACCOUNT, [taken("1")], settled=True)
    folder = tmp_path / "copies"
    folder.mkdir()
    back_up(tmp_path / "state" / FILE, folder / "copy.db")
    assert [path.name for path in folder.iterdir()] == ["copy.db"]
    assert (folder / "copy.db").stat().st_mode & 0o777 == 0o600


def test_a_backup_takes_the_place_of_an_older_one(store: Store, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_bytes(b"old")
    (tmp_path / "copy.db.partial").write_bytes(b"left by one that was cut short")
    back_up(tmp_path / "state" / FILE, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_bytes().startswith(b"SQLite format 3\0")
    assert not (tmp_path / "copy.db.partial").exists()


@pytest.mark.parametrize("target", ["no such folder/copy.db", "folder"])
def test_a_backup_that_cannot_be_written_leaves_nothing(store: Store, tmp_path: Path, target: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StateUnusable, match="cannot back up"):
        back_up(tmp_path / "state" / FILE, tmp_path / target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "state"]


def test_a_backup_of_what_is_no_store_keeps_the_older_one(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"this is no store" * 1000)
    (tmp_path / "copy.db").write_bytes(b"old")
    with pytest.raises(StateUnusable):
        back_up(tmp_path / FILE, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_bytes() == b"old"
    assert not (tmp_path / "copy.db.partial").exists()


def test_a_backup_of_nothing_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(StateUnusable, match="cannot back up"):
        back_up(tmp_path / FILE, tmp_path / "copy.db")
    assert list(tmp_path.iterdir()) == []
