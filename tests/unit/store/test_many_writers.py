"""Several threads and several processes on one store."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from emaild.store import Store, open_store
from tests.clock import START
from tests.samples import in_outbox, kept, leased, outbound, taken

ACCOUNT = "pop3:ann@example.com"

WRITER = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from emaild.message import Outbound, new_id
from emaild.store import open_store

store = open_store(Path(sys.argv[1]))
now = datetime.now(UTC)
for number in range(int(sys.argv[3])):
    store.outbox.add(
        Outbound(id=new_id(now), way_out="smtp-client", sender="a@b.c", recipients=("d@e.f",),
                 message_id=f"<{number}@{sys.argv[2]}>", raw=f"{sys.argv[2]} {number}".encode()), now)
store.close()
"""


def test_two_processes_that_write_at_once_lose_nothing_and_wait_for_each_other(tmp_path: Path) -> None:
    # Neither finds a store: both make it, and one of them comes second.
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), name, "40"], stderr=subprocess.PIPE, text=True)
        for name in ("one", "two")
    ]
    said = [writer.communicate(timeout=60)[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0], said
    store = open_store(tmp_path)
    ids = {entry.message_id for entry in in_outbox(store)}
    assert ids == {f"<{number}@{name}>" for number in range(40) for name in ("one", "two")}
    store.close()


def test_a_process_that_writes_is_seen_by_one_that_has_the_store_open(store: Store, tmp_path: Path) -> None:
    assert not store.sending.has_due("smtp-client", START.replace(year=2200))
    subprocess.run([sys.executable, "-c", WRITER, str(tmp_path / "state"), "other", "1"], check=True, timeout=60)
    assert store.sending.has_due("smtp-client", START.replace(year=2200))


def test_no_two_threads_lease_the_same_mail(store: Store) -> None:
    for _ in range(40):
        store.outbox.add(outbound(), START)
    begin = threading.Barrier(8)

    def lease_all(_: int) -> list[str]:
        begin.wait(timeout=10)
        found: list[str] = []
        while some := leased(store, most=3):
            found += [one.mail.id for one in some]
        return found

    with ThreadPoolExecutor(8) as threads:
        names = [name for found in threads.map(lease_all, range(8)) for name in found]
    assert sorted(names) == sorted(entry.id for entry in in_outbox(store))


def test_many_threads_read_while_one_writes(store: Store) -> None:
    written = threading.Event()

    def read(_: int) -> list[int]:
        counts = []
        while not written.is_set():
            counts.append(len(store.interactions.unsettled(ACCOUNT)))
        return [*counts, len(store.interactions.unsettled(ACCOUNT))]

    with ThreadPoolExecutor(6) as threads:
        readings = threads.map(read, range(6))
        for number in range(20):
            kept(store, ACCOUNT, [taken(f"{number}a"), taken(f"{number}b")], settled=False)
        written.set()
        for counts in readings:
            assert counts == sorted(counts)
            assert counts[-1] == 40
            assert all(count % 2 == 0 for count in counts), "a commit was seen half"
