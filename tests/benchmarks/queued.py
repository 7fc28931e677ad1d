"""What mails that are queued already cost those that come after them: submission, and sending.

    python -m tests.benchmarks.queued [--rounds 3] [--json FILE]

An outbox is filled while no daemon runs; then a thousand mails a round are submitted by eight threads. Then the daemon
starts with all of them queued, and the rounds of sending are its first deliveries, a thousand each.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import pairwise

from emaild.message import Outbound, new_id
from emaild.store import Store, open_store
from tests.benchmarks.figures import Figure, Series, Table, beside, command, median
from tests.benchmarks.missing import needed, version_of
from tests.benchmarks.outbound import NEW_PROCESS, installed
from tests.benchmarks.outbound_programs import RECIPIENT, SENDER, CountingSink, mail
from tests.daemon.harness import smtp_section

BEFORE, BATCH = (0, 10_000, 100_000), 1000
QUICK_BEFORE, QUICK_BATCH = (0, 100), 20
SIZE = 2048
THREADS = 8
ABOUT = (
    "{batch:,} mails of 2 KB submitted by eight threads of one program with so many queued before, and as many sent"
    " by the daemon to an smtp-sink with all of them queued."
)


def main() -> None:
    command(__doc__, measure)


def measure(rounds: int, *, quick: bool = False) -> list[Table]:
    """One table; its series are rates over the mails queued before."""
    needed("smtp-sink")
    depths, batch = (QUICK_BEFORE, QUICK_BATCH) if quick else (BEFORE, BATCH)
    submitted, sent = [], []
    for before in depths:
        rates = _rates(before, batch, rounds)
        submitted.append(median(f"submission, {before:,} before", "mails/s", rates[0]))
        sent.append(median(f"sending, {before:,} before", "mails/s", rates[1]))
    figures = tuple(
        beside(one, found[0]) if one is not found[0] else one for found in (submitted, sent) for one in found
    )
    series = (_series("submission", depths, submitted), _series("sending", depths, sent))
    return [Table("Queued mails", ABOUT.format(batch=batch), figures, series, (version_of("postfix", "Postfix"),))]


def _series(name: str, depths: Sequence[int], found: Sequence[Figure]) -> Series:
    points = tuple((float(before), one.value) for before, one in zip(depths, found, strict=True))
    return Series(name, "mails queued before", "mails/s", points)


def _rates(before: int, batch: int, rounds: int) -> tuple[list[float], list[float]]:
    """Mails a second of each round, submitted and sent."""
    with CountingSink() as sink, installed() as daemon:
        store = open_store(daemon.home / "state")
        with ThreadPoolExecutor(THREADS) as pool:
            _submit(store, pool, range(before))
            submitted = [batch / _submit(store, pool, range(batch)) for _ in range(rounds)]
        store.close()
        daemon.configure(smtp_section(sink.smtp))
        daemon.start(NEW_PROCESS, wait=False)
        marks = [sink.wait_for(1 + batch * turn) for turn in range(rounds)]
        # The last round ends with the last mail where nothing was queued before.
        marks.append(sink.wait_for(batch * rounds))
        return submitted, [batch / (later - earlier) for earlier, later in pairwise(marks)]


def _submit(store: Store, pool: ThreadPoolExecutor, numbers: Sequence[int]) -> float:
    """Seconds until all of these mails are on the disk."""
    raws = [mail(number, SIZE) for number in numbers[:BATCH]]  # written before time runs; a large filling repeats them
    begun = time.perf_counter()
    for _ in pool.map(lambda number: _add(store, raws[number % BATCH]), numbers):
        pass
    return time.perf_counter() - begun


def _add(store: Store, raw: bytes) -> None:
    now = datetime.now(UTC)
    name = new_id(now)
    store.outbox.add(
        Outbound(
            id=name,
            way_out="smtp-client",
            sender=SENDER,
            recipients=(RECIPIENT,),
            message_id=f"<{name}@shop.example>",
            raw=raw,
        ),
        now,
    )


if __name__ == "__main__":
    main()
