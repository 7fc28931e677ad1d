"""kill -9 while the daemon reads and sends over EWS: nothing is lost, and doubles have one Message-ID.

A fault point places the kill (emaild/fault_points.py), or the server does, in the middle of a request.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest

from emaild.fault_points import VARIABLE, FaultPoint
from tests.adapters.ews_ways import ANN
from tests.daemon.forked import PRELOADED
from tests.daemon.harness import Emaild
from tests.daemon.test_ews import sections
from tests.servers.authority import Authority
from tests.servers.ews import Exchange, Failure
from tests.servers.ews_mailbox import Mailbox
from tests.servers.wait import eventually

KILLED = -9
READING = [FaultPoint.FETCHED, FaultPoint.STORED, FaultPoint.ACKNOWLEDGED, FaultPoint.SETTLED]
TOLD = [FaultPoint.STORED, FaultPoint.ACKNOWLEDGED]
SENDING = [FaultPoint.LEASED, FaultPoint.OFFERED, FaultPoint.ACCEPTED, FaultPoint.RECORDED]
MAILS = [b"Subject: mail %d\r\nMessage-ID: <%d@x>\r\n\r\nhello\r\n" % (number, number) for number in range(24)]
MAIL = ("--from", ANN, "--to", "bob@example.net", "--subject", "out", "--text", "hi")


@pytest.fixture
def exchange(authority: Authority) -> Iterator[Exchange]:
    """A server that pages."""
    with Exchange(authority, page=10) as server:
        yield server


@pytest.fixture
def ann(exchange: Exchange) -> Mailbox:
    """A mailbox with mails."""
    box = exchange.mailbox(ANN)
    box.drop(*MAILS)
    return box


@pytest.fixture
def daemon(
    exchange: Exchange, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Emaild]:
    """A daemon on that server, which has not been started; it is started some sixty times here."""
    monkeypatch.setenv(PRELOADED, "emaild.sources.ews emaild.sinks.ews")
    with Emaild(tmp_path) as made:
        made.configure(*sections(exchange, authority))
        yield made


def killed_in(daemon: Emaild, exchange: Exchange, request: tuple[str, int], *, done: bool) -> None:
    """Kill it while that request is with the server, which has carried it out where it is *done*."""

    struck, dead = threading.Event(), threading.Event()

    def strikes(name: str, number: int) -> Failure | None:
        if (name, number) != request:
            return None
        struck.set()
        assert dead.wait(20)
        return Failure(keep=0) if done else Failure(503)

    exchange.fails = strikes
    daemon.start(wait=False)
    assert struck.wait(20)
    daemon.kill()
    dead.set()


def all_taken_once(daemon: Emaild, ann: Mailbox, *, after: str) -> None:
    """Whether a new start brings every mail once."""
    daemon.start()

    def settled() -> bool:
        return all(item.read for item in ann.inbox.items.values()) if after == "seen" else not ann.held()

    eventually(lambda: len(daemon.interactions()) >= len(MAILS) and settled(), within=20, what=f"after-fetch {after}")
    assert daemon.stop() == 0
    assert sorted(daemon.raws()) == sorted(MAILS)


def after_fetch(daemon: Emaild, exchange: Exchange, authority: Authority, after: str) -> None:
    reads, sends = sections(exchange, authority)
    folder = "after-fetch-folder = Done\n" if after == "move" else ""
    daemon.configure(f"{reads}after-fetch = {after}\nfirst-fetch = all\nmaximum-msg-number = 1\n{folder}", sends)


@pytest.mark.parametrize(
    ("point", "after"),
    [*((point, "seen") for point in READING), *((point, after) for point in TOLD for after in ("move", "delete"))],
    ids=lambda value: getattr(value, "label", value),
)
def test_mail_in_is_neither_lost_nor_doubled_at_any_state(
    daemon: Emaild, exchange: Exchange, ann: Mailbox, authority: Authority, point: FaultPoint, after: str
) -> None:
    after_fetch(daemon, exchange, authority, after)
    daemon.start({VARIABLE: f"{point.label}:2"}, wait=False)
    assert daemon.wait() == KILLED
    all_taken_once(daemon, ann, after=after)


@pytest.mark.parametrize("done", [False, True], ids=["refused", "done"])
@pytest.mark.parametrize(
    ("operation", "after"),
    [
        ("SyncFolderItems", "seen"),
        ("GetItem", "seen"),
        ("UpdateItem", "seen"),
        ("MoveItem", "move"),
        ("DeleteItem", "delete"),
    ],
)
def test_mail_in_is_neither_lost_nor_doubled_in_the_middle_of_a_request(
    daemon: Emaild, exchange: Exchange, ann: Mailbox, authority: Authority, operation: str, done: bool, after: str
) -> None:
    after_fetch(daemon, exchange, authority, after)
    killed_in(daemon, exchange, (operation, 2), done=done)
    all_taken_once(daemon, ann, after=after)


def sent_in_the_end(daemon: Emaild, exchange: Exchange, count: int) -> None:
    """Whether a new start sends it, so that the server took it *count* times, under one Message-ID."""
    daemon.start()
    eventually(daemon.sent, within=20)
    assert daemon.stop() == 0
    assert daemon.listed("outbox") == []
    assert [entry["state"] for entry in daemon.listed("history")] == ["SENT"]
    assert len(exchange.sent) == count
    assert len({message_from_bytes(raw)["Message-ID"] for _, raw, _ in exchange.sent}) == 1
    assert exchange.mailboxes[ANN].held(exchange.mailboxes[ANN].folders["drafts"]) == []


def queued(daemon: Emaild, exchange: Exchange, authority: Authority, *, copy: bool) -> None:
    exchange.mailbox(ANN)
    reads, sends = sections(exchange, authority)
    daemon.configure(reads, f"{sends}save-sent-copy = {str(copy).lower()}\n")
    assert daemon.command("send", *MAIL).returncode == 0


@pytest.mark.parametrize(
    ("point", "copy"),
    [*((point, False) for point in SENDING), (FaultPoint.ACCEPTED, True)],
    ids=lambda value: getattr(value, "label", value),
)
def test_mail_out_is_sent_again_only_where_nothing_is_kept_of_it(
    daemon: Emaild, exchange: Exchange, authority: Authority, point: FaultPoint, copy: bool
) -> None:
    queued(daemon, exchange, authority, copy=copy)
    daemon.start({VARIABLE: point.label}, wait=False)
    assert daemon.wait() == KILLED
    sent_in_the_end(daemon, exchange, 2 if point is FaultPoint.ACCEPTED and not copy else 1)


@pytest.mark.parametrize("done", [False, True], ids=["refused", "done"])
@pytest.mark.parametrize(("operation", "copy"), [("CreateItem", False), ("SendItem", False), ("SendItem", True)])
def test_mail_out_is_not_lost_in_the_middle_of_its_request(
    daemon: Emaild, exchange: Exchange, authority: Authority, operation: str, copy: bool, done: bool
) -> None:
    queued(daemon, exchange, authority, copy=copy)
    killed_in(daemon, exchange, (operation, 1), done=done)
    sent_in_the_end(daemon, exchange, 2 if (operation, copy, done) == ("SendItem", False, True) else 1)
