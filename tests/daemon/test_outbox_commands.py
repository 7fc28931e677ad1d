"""What an operator sees of mails out, and does to them: the commands on a store beside a daemon, or without one."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from emaild.message import Outbound
from emaild.store import Store, open_store
from tests.daemon.harness import COMMAND, Emaild, smtp_section
from tests.samples import lease_of, mail, outbound, tried, unsent
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.wait import eventually

NASTY = "\x1b]0;owned\x07\x9b31m\u202e"
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


@pytest.fixture
def emaild(tmp_path: Path) -> Iterator[Emaild]:
    """One that does not run, with a way out that leads nowhere."""
    with Emaild(tmp_path) as daemon:
        daemon.configure(smtp_section(9), smtp_section(9, "smtp-client-other"))
        yield daemon


@contextmanager
def store_of(emaild: Emaild) -> Iterator[Store]:
    store = open_store(emaild.home / "state")
    try:
        yield store
    finally:
        store.close()


def queued(emaild: Emaild, *mails: Outbound) -> None:
    with store_of(emaild) as store:
        for one in mails:
            store.outbox.add(one, datetime.now(UTC))


def ids(emaild: Emaild, *arguments: str) -> list[str]:
    """In the order in which they were made."""
    return sorted(one["id"] for one in emaild.listed(*arguments))


def said(emaild: Emaild, *arguments: str) -> str:
    done = emaild.command(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def stopped(emaild: Emaild) -> str:
    """What a command says on standard error, in words, where no daemon runs; no event stands beside it."""
    return f"emaild: no daemon runs on {emaild.home / 'state'}: nothing moves until emaild is started\n"


def test_each_filter_finds_its_mails(emaild: Emaild) -> None:
    ann, bob = outbound("ann@one.example", "carl@two.example"), outbound("bob@two.example", way_out="smtp-client-other")
    queued(emaild, ann, bob)
    with store_of(emaild) as store:
        now = datetime.now(UTC)
        refused = tried(lease_of(store, bob, now), 452, retry_at=now + timedelta(hours=1), text="4.2.2 mailbox full")
        store.sending.record([refused], now)
        store.outbox.hold(ann.id, now)
    assert ids(emaild, "outbox") == [ann.id, bob.id]
    for filters, found in (
        ("--state held", [ann]),
        ("--state Held --state deferred", [ann, bob]),
        ("--state sent", []),
        ("--way-out smtp-client-other", [bob]),
        ("--from SUPPORT@example.com", [ann, bob]),
        ("--from @example.com --to @one.example", [ann]),
        ("--to @TWO.example", [ann, bob]),
        ("--to bob@two.example", [bob]),
        ("--text mailbox", [bob]),
        (f"--message-id {bob.message_id.strip('<>')}", [bob]),
        ("--since 1h", [ann, bob]),
        ("--until 1h", []),
        ("--since 2020-01-01 --until today", [ann, bob]),
        ("--limit 1", [bob]),
    ):
        assert ids(emaild, "outbox", *filters.split()) == [one.id for one in found], filters
    assert said(emaild, "outbox", "--to", "nobody@example.com") == "no mail fits\n"


def test_the_history_can_be_listed_with_the_outbox(emaild: Emaild) -> None:
    waits, gone = outbound(), outbound()
    queued(emaild, waits, gone)
    assert said(emaild, "outbox", "--cancel", gone.id) == "1 mail is cancelled\n"
    assert ids(emaild, "outbox") == [waits.id]
    assert ids(emaild, "history") == [gone.id]
    assert ids(emaild, "outbox", "--history") == [waits.id, gone.id]
    assert ids(emaild, "outbox", "--state", "cancelled") == [gone.id]


@pytest.mark.parametrize(
    "arguments",
    [
        "outbox --cancel",
        "outbox --all",
        "outbox --cancel --all --to a@b.example",
        "outbox --cancel --to a@b.example --limit 1",
        "outbox --hold --all --watch",
        "outbox 0MWQ0000000000XX --to a@b.example",
        "outbox --hold --retry --all",
        "outbox --state lost",
        "outbox --since tomorrow",
        "history --cancel --all",
        "history --state queued",
        "inbox 0MWQ0000000000XX --from a@b.example",
        "inbox --watch 0",
    ],
)
def test_a_command_that_does_not_say_what_it_means_changes_nothing(emaild: Emaild, arguments: str) -> None:
    queued(emaild, outbound("a@b.example"))
    done = emaild.command(*arguments.split())
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (os.EX_USAGE, "", 1)
    assert [one["state"] for one in emaild.listed("outbox")] == ["QUEUED"]


def test_all_that_fit_are_held_let_go_and_cancelled(emaild: Emaild) -> None:
    mails = [outbound(f"{number}@many.example") for number in range(450)]
    queued(emaild, outbound("other@one.example"))
    with store_of(emaild) as store:
        now = datetime.now(UTC)
        for one in mails:
            store.outbox.add(one, now)
        lease_of(store, mails[7], now)  # and those before it
    busy = "9 mails are being sent at this moment, and left alone\n"
    many = ("--to", "@many.example")
    done = emaild.command("outbox", "--hold", *many)
    assert done.stdout == "442 mails are held\n" + busy.replace("9", "8")
    assert done.stderr == stopped(emaild)
    assert len(ids(emaild, "outbox", "--state", "held")) == 442
    assert said(emaild, "outbox", "--retry", "--state", "held") == "442 mails are due now\n"
    assert said(emaild, "outbox", "--cancel", "--all") == "442 mails are cancelled\n" + busy
    assert said(emaild, "history", "--retry", *many) == "no mails are due now\n"
    assert said(emaild, "history", "--retry", "--state", "cancelled", *many) == "442 mails are due now\n"
    document = {"changed": 442, "being_sent": 9, "woken": []}
    assert json.loads(said(emaild, "outbox", "--cancel", "--all", "--json")) == document
    assert said(emaild, "outbox", "--retry", "--text", "nothing like it") == "no mails are due now\n"


def test_one_mail_is_held_by_its_id_and_one_that_is_being_sent_is_not(emaild: Emaild) -> None:
    first, second = outbound(), outbound()
    queued(emaild, first, second)
    with store_of(emaild) as store:
        lease_of(store, first, datetime.now(UTC))
    done = emaild.command("outbox", "--hold", second.id.lower())
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 mail is held\n", stopped(emaild))
    for action in ("--hold", "--cancel", "--retry"):
        done = emaild.command("outbox", action, first.id)
        assert (done.returncode, done.stdout) == (os.EX_UNAVAILABLE, "")
        assert f"{first.id} is being sent at this moment" in done.stderr
    again = emaild.command("outbox", "--hold", second.id)
    assert (again.returncode, "is held already" in again.stderr) == (os.EX_UNAVAILABLE, True)
    assert emaild.command("outbox", "--hold", "0MWQ0000000000XX").returncode == os.EX_DATAERR


def test_one_mail_is_told_as_a_person_would_tell_it(emaild: Emaild) -> None:
    sick = outbound("ann@full.example", raw=mail(f"Your order {NASTY}"))
    queued(emaild, sick)
    with store_of(emaild) as store:
        now = datetime.now(UTC)
        for minute in range(3):
            store.sending.release(
                [unsent(lease_of(store, sick, now), at=now + timedelta(minutes=minute), retry_at=now)]
            )
        words = f"4.2.2 The mailbox is full {NASTY}"
        got = tried(lease_of(store, sick, now), 452, at=now, retry_at=now + timedelta(hours=2, seconds=30), text=words)
        store.sending.record([got], now)
    told = " ".join(said(emaild, "outbox", sick.id.lower()).split())
    for part in (
        ", in 2 h",
        "Your order",
        "Ann <ann@example.com>",
        "ann@full.example",
        "Tries 1 to 3, all alike,",
        "Try 4, ",
        "WAITING ann@full.example: 452 4.2.2 The mailbox is full",
        "connect: refused",
        "(enhanced status 4.2.2)",
        "Cause: ",
        "(mailbox-full)",
        "What to do:",
        f"But {stopped(emaild)[8:-1]}.",
    ):
        assert part in told, part
    (document,) = emaild.listed("outbox", sick.id)
    assert [(one["number"], one["times"], one["seconds"]) for one in document["log"]] == [(1, 3, 0.5), (4, 1, 0.5)]
    assert document["attempts"] == 4
    assert said(emaild, "outbox").splitlines()[1].split()[4] == "4"
    assert (document["cause"], document["deferrals"], document["interactive"]) == ("mailbox-full", 0, False)
    assert document["remedy"]


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("arguments", [("outbox",), ("outbox", "ID"), ("ways",), ("outbox", "--json"), ("inbox",)])
def test_nothing_that_mails_or_servers_say_plays_with_the_terminal(
    emaild: Emaild, arguments: tuple[str, ...], columns: int
) -> None:
    sick = outbound(f"{'long' * 60}@full.example", raw=mail(f"Your order {NASTY} {'x' * 300}"))
    queued(emaild, sick)
    with store_of(emaild) as store:
        now = datetime.now(UTC)
        got = tried(lease_of(store, sick, now), 452, at=now, retry_at=now, text=f"{NASTY} {'y' * 300}")
        store.sending.record([got], now)
    shown = on_terminal(emaild, [sick.id if one == "ID" else one for one in arguments], columns)
    bare = re.sub(r"\x1b\[[0-9;]*m", "", shown.replace("\r\n", "\n"))  # bold headings are ours
    assert not CONTROLS.search(bare)
    assert "--json" in arguments or max(map(len, bare.splitlines())) <= columns


def on_terminal(emaild: Emaild, arguments: list[str], columns: int) -> str:
    """What a command prints on a terminal of that width."""
    name, *rest = arguments
    ours, theirs = pty.openpty()
    around = {**os.environ, "COLUMNS": str(columns), "LINES": "24", "TERM": "xterm"}
    command = [*COMMAND, name, "--conf", str(emaild.conf), *rest]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL, env=around) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                shown += os.read(ours, 65536)
            except OSError:  # it ended
                break
        assert process.wait(30) == 0
    os.close(ours)
    return shown.decode()


class Watching:
    """A running `--watch`."""

    def __init__(self, emaild: Emaild, *arguments: str, stdout: int = subprocess.PIPE) -> None:
        name, *rest = arguments
        command = [*COMMAND, name, "--conf", str(emaild.conf), *rest]
        self.process = subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE)

    def line(self) -> str:
        assert self.process.stdout is not None
        assert select.select([self.process.stdout], [], [], 30)[0]
        return self.process.stdout.readline().decode()

    def end(self) -> tuple[int, bytes]:
        """Ctrl-C; the exit code, and what else it had printed."""
        self.process.send_signal(signal.SIGINT)
        rest, errors = self.process.communicate(timeout=30)
        assert errors == b""
        return self.process.returncode, rest or b""


def test_what_changes_is_told_in_a_pipe_a_line_each(emaild: Emaild) -> None:
    first, second = outbound("ann@example.com"), outbound("bob@example.com")
    queued(emaild, first)
    watching = Watching(emaild, "outbox", "--watch", "0.1")
    assert watching.line().split()[:2] == [first.id, "QUEUED"]
    queued(emaild, second)
    assert watching.line().split()[:2] == [second.id, "QUEUED"]
    emaild.command("outbox", "--hold", first.id)
    assert watching.line().split()[:2] == [first.id, "HELD"]
    emaild.command("outbox", "--cancel", second.id)
    assert watching.line().split()[:2] == [second.id, "CANCELLED"]
    assert watching.end() == (0, b"")


def test_changes_are_objects_with_json(emaild: Emaild) -> None:
    one = outbound()
    queued(emaild, one)
    watching = Watching(emaild, "outbox", "--watch", "0.1", "--json")
    assert json.loads(watching.line())["state"] == "QUEUED"
    emaild.command("outbox", "--hold", one.id)
    assert json.loads(watching.line())["state"] == "HELD"
    assert watching.end() == (0, b"")


def test_a_terminal_is_drawn_anew_with_no_more_rows_than_it_has(emaild: Emaild) -> None:
    queued(emaild, *(outbound() for _ in range(60)))
    ours, theirs = pty.openpty()
    name = "outbox"
    around = {**os.environ, "COLUMNS": "120", "LINES": "24", "TERM": "xterm"}
    command = [*COMMAND, name, "--conf", str(emaild.conf), "--watch", "0.1"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL, env=around) as process:
        os.close(theirs)
        shown = b""
        while shown.count(b"Ctrl-C ends this") < 3:
            assert select.select([ours], [], [], 30)[0]
            shown += os.read(ours, 65536)
        process.send_signal(signal.SIGINT)
        while True:
            try:
                shown += os.read(ours, 65536)
            except OSError:
                break
        assert process.wait(30) == 0
    os.close(ours)
    first = shown.split(b"Ctrl-C ends this")[1]
    assert first.count(b"QUEUED") <= 20
    assert b", and more" in shown
    assert shown.rstrip().endswith((b"\x1b[?25h", b"\x1b[?1049l"))  # the screen is as it was


def test_ways_out_are_shown_at_a_glance(faulty_smtp: Callable[..., FaultySmtp], tmp_path: Path) -> None:
    server = faulty_smtp()
    with Emaild(tmp_path) as daemon:
        daemon.configure(
            smtp_section(server.smtp),
            smtp_section(9, "smtp-client-dead", server="127.0.0.1"),
            smtp_section(9, "smtp-client-off", enable_client="false"),
        )
        daemon.start()
        for way in ("smtp-client", "smtp-client-dead"):
            daemon.command("send", "--from", "a@b.example", "--to", "c@d.example", "--text", "x", "--way-out", way)
        daemon.wait_for("outbound.sent")
        daemon.wait_for("way_out.failed", section="smtp-client-dead")
        states = {"smtp-client": "ok", "smtp-client-dead": "failing", "smtp-client-off": "resting"}
        eventually(lambda: {one["name"]: one["state"] for one in daemon.listed("ways")} == states)
        well, dead, off = daemon.listed("ways")
        assert well["last_sent"]
        assert (well["queued"], well["deferred"], well["oldest"]) == (0, 0, None)
        assert "connect" in dead["last_error"]
        assert (dead["deferred"], off["deferred"]) == (1, 0)
        assert dead["oldest"]
        table = said(daemon, "ways")
        assert [line.split()[:2] for line in table.splitlines()[1:]] == [list(pair) for pair in states.items()]
        (waiting,) = daemon.listed("outbox")
        told = " ".join(said(daemon, "outbox", waiting["id"]).split())
        assert "The way out smtp-client-dead does not work at this moment: connect" in told


def test_interactions_are_found_by_each_filter(emaild: Emaild) -> None:
    script = (
        "import sys; from datetime import UTC, datetime; from pathlib import Path\n"
        "from dataclasses import replace\n"
        "from emaild.store import open_store; from tests.samples import kept, mail, taken\n"
        "store = open_store(Path(sys.argv[1]).parent / 'state')\n"
        "for box, subject in (('pop-client-a', 'An ORDER'), ('pop-client-b', 'A complaint')):\n"
        "    kept(store, box, [taken(subject, mail(subject), received=datetime.now(UTC), mailbox=box)])\n"
    )
    emaild.python(script)
    one, two = sorted(entry["id"] for entry in emaild.listed("inbox"))
    for filters, found in (
        (("--mailbox", "pop-client-a"), [one]),
        (("--queue", "inbound"), [one, two]),
        (("--queue", "other"), []),
        (("--state", "new"), [one, two]),
        (("--state", "stopped"), []),
        (("--subtype", "InboundNew"), [one, two]),
        (("--subtype", "InboundNDR"), []),
        (("--from", "ANN@example.com"), [one, two]),
        (("--from", "@example.com"), [one, two]),
        (("--from", "nn@example.com"), []),
        (("--to", "Support@example.com"), [one, two]),
        (("--to", "@example.com"), [one, two]),
        (("--to", "port@example.com"), []),
        (("--to", "example.com"), []),
        (("--subject", "order"), [one]),
        (("--since", "1h ago"), [one, two]),
        (("--until", "1h ago"), []),
        (("--limit", "1"), [two]),
    ):
        assert ids(emaild, "inbox", *filters) == found, filters
    watching = Watching(emaild, "inbox", "--watch", "0.1", "--subject", "complaint")
    assert watching.line().split()[0] == two
    assert watching.end() == (0, b"")
