"""kill -9 in the middle of thousands of mails, several times: all are delivered, and few of them twice.

    python -m tests.daemon.test_sending_killed [--mails 10000] [--kills 8] [--connections 4]

Doubles are mails that a server took and whose receipt was not written when the process died; a recipient knows them by
their Message-ID. There are never more of them than connections at each kill.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from emaild.message import Outbound, OutboundState, new_id
from emaild.store import open_store
from emaild.store.outbox_entries import Choice
from emaild.store.writes import Writes
from tests.daemon.harness import Emaild, smtp_section
from tests.servers.smtp_sink import SmtpSink
from tests.servers.wait import eventually

END = b"the end\r\n"  # of a mail that came whole
LINE = b"This line is here to make the mail as long as mails are.\r\n"
SIZE = 4096
MESSAGE_ID = re.compile(rb"^Message-ID: <(\d+)@example\.com>\r$", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """What came of it: how often each mail was taken, by its number, and in which states the store has them."""

    taken: Counter[int]
    states: Counter[OutboundState]

    @property
    def doubles(self) -> int:
        return self.taken.total() - len(self.taken)


def mails_out(count: int) -> Iterator[Outbound]:
    for number in range(count):
        header = b"From: a@example.com\r\nTo: b@example.com\r\nMessage-ID: <%d@example.com>\r\n\r\n" % number
        body = LINE * ((SIZE - len(header) - len(END)) // len(LINE))
        yield Outbound(
            id=new_id(datetime.now(UTC)),
            way_out="smtp-client",
            sender="a@example.com",
            recipients=("b@example.com",),
            message_id=f"<{number}@example.com>",
            raw=header + body + END,
        )


def killed(home: Path, sink: SmtpSink, *, mails: int, kills: int, connections: int) -> Outcome:
    """Send them, with as many kills on the way, each when its share has gone out."""
    with Emaild(home) as daemon:
        daemon.configure(smtp_section(sink.smtp, cnx_pool_size=connections))
        daemon.start()
        daemon.stop()  # the store is there
        store = open_store(home / "state")
        for some in in_parts(list(mails_out(mails)), 500):
            store.writing.commit(Writes(queued=tuple(some)), datetime.now(UTC))
        for number in range(1, kills + 1):
            daemon.start()
            daemon.wait_for("outbound.sent", mails * number // (kills + 1), within=300)
            daemon.kill()
        daemon.start()
        eventually(lambda: not store.outbox.chosen(Choice(done=False), after="", most=1), within=300, what="the rest")
        daemon.stop()
        states = Counter(entry.state for entry in store.outbox.newest(Choice()))
        store.close()
    return Outcome(Counter(map(number_of, filter(is_whole, sink.mails()))), states)


def in_parts(mails: list[Outbound], size: int) -> Iterator[list[Outbound]]:
    for start in range(0, len(mails), size):
        yield mails[start : start + size]


def is_whole(raw: bytes) -> bool:
    """Whether its dot came; of what a kill cut off smtp-sink keeps what there is."""
    return raw.endswith(END)


def number_of(raw: bytes) -> int:
    found = MESSAGE_ID.search(raw)
    assert found is not None
    return int(found[1])


def test_all_mails_arrive_though_the_daemon_is_killed_again_and_again(
    smtp_sink: Callable[..., SmtpSink], tmp_path: Path
) -> None:
    mails, kills, connections = 1500, 4, 4
    outcome = killed(tmp_path, smtp_sink(), mails=mails, kills=kills, connections=connections)
    assert set(outcome.taken) == set(range(mails))
    assert outcome.states == {OutboundState.SENT: mails}
    assert max(outcome.taken.values()) <= kills + 1
    assert outcome.doubles <= kills * connections


def main() -> None:
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--mails", type=int, default=10_000)
    arguments.add_argument("--kills", type=int, default=8)
    arguments.add_argument("--connections", type=int, default=4)
    given = arguments.parse_args()
    with SmtpSink() as sink, tempfile.TemporaryDirectory() as home:
        outcome = killed(Path(home), sink, **vars(given))
    lost = given.mails - len(outcome.taken)
    sys.stdout.write(
        f"{given.mails} mails, {given.kills} kills, {given.connections} connections: {lost} lost,"
        f" {outcome.doubles} came twice, {outcome.doubles / max(1, given.kills):.1f} for each kill\n"
    )


if __name__ == "__main__":
    main()
