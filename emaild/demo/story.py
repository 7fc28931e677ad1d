"""What `emaild demo` does: the main job from end to end, with the real daemon, on a machine without a mail account."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from rich.console import Console

from emaild.cli.output import table
from emaild.demo.mails import samples
from emaild.demo.servers import ImapServer, SmtpServer
from emaild.errors import OperatorError, StoreFailed
from emaild.interrupts import ended_by_signals
from emaild.message import Interaction
from emaild.store import open_store

T = TypeVar("T")

PATIENCE = 12.0  # seconds for any one step; each takes about one
LOOK_EVERY = 0.05
MAILBOX = "support@shop.example"
PASSWORD = "demo-password"
CUSTOMER = "maria.keller@example.com"  # who asks the plain question among the samples

CONF = """\
# Made by `emaild demo`. Both servers are on this machine and end with the demo.

[emaild]
state-directory = {home}/state

[log]
message-format = json

[pop-client]
type = IMAP
server = 127.0.0.1
port = {imap}
mailbox = {mailbox}
password = {password}
cycle-time = 00:00:30
first-fetch = unseen
endpoint = support

[smtp-client]
server = 127.0.0.1
port = {smtp}
enable-authentication = true
user = {mailbox}
password = {password}
"""


def tell() -> int:
    """Run the demo. Returns 0 when everything that it promises was seen; nothing is left running in any case.

    Raises:
        OperatorError: a step did not come about; the text says where to look.
    """
    home = Path(tempfile.mkdtemp(prefix="emaild-demo-"))
    try:
        return _told(Console(highlight=False), home)
    except (TimeoutError, subprocess.SubprocessError) as error:
        raise OperatorError(f"the demo stopped: {error}; {home / 'emaild.log'} may say why") from error


def _told(console: Console, home: Path) -> int:
    with ExitStack() as running:
        running.enter_context(ended_by_signals())
        sent = home / "sent"
        sent.mkdir()
        imap = running.enter_context(ImapServer(MAILBOX, PASSWORD, log=home / "imap-server.log"))
        smtp = running.enter_context(SmtpServer(MAILBOX, PASSWORD, sent, log=home / "smtp-server.log"))
        conf = home / "emaild.conf"
        conf.write_text(
            CONF.format(home=home, imap=imap.port, smtp=smtp.port, mailbox=MAILBOX, password=PASSWORD), encoding="utf-8"
        )
        conf.chmod(0o600)
        _step(console, f"An IMAP and an SMTP server run on 127.0.0.1, ports {imap.port} and {smtp.port}")
        mails = samples(datetime.now(UTC))
        for mail in mails:
            imap.deliver(mail.raw)
        _step(console, f"{len(mails)} mails lie in the mailbox {MAILBOX}")
        running.enter_context(_daemon(conf, home / "emaild.log"))
        _step(console, f"emaild run --conf {conf}")
        arrived = _wait(lambda: _interactions(home, len(mails)), "the mails did not become interactions")
        _show(console, arrived, {mail.raw: mail.title for mail in mails}, home)
        _reply(console, conf, arrived, smtp)
        _reload(console, conf, home / "emaild.log")
    _epilogue(console, home, conf, arrived)
    return 0


def _step(console: Console, text: str) -> None:
    console.print(f"[bold green]*[/] {text}", soft_wrap=True)


@contextmanager
def _daemon(conf: Path, log: Path) -> Iterator[None]:
    """The real daemon as a process of its own, in a session of its own: the terminal's Ctrl-C reaches us alone."""
    command = [sys.executable, "-m", "emaild", "run", "--conf", str(conf)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except BaseException:  # a second Ctrl-C, or a daemon that hangs
            process.kill()
            process.wait()
            raise


def _wait(condition: Callable[[], T | None], otherwise: str) -> T:
    """Ask again and again, for PATIENCE seconds at most."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        value = condition()
        if value is not None:
            return value
        time.sleep(LOOK_EVERY)
    raise TimeoutError(f"{otherwise} within {PATIENCE:g} s")


def _interactions(home: Path, count: int) -> list[Interaction] | None:
    """All interactions, oldest first, once there are so many."""
    if not (home / "state" / "emaild.db").exists():
        return None
    with suppress(StoreFailed):
        store = open_store(home / "state")
        try:
            found = list(store.interactions.all())
        finally:
            store.close()
        return list(reversed(found)) if len(found) >= count else None
    return None


def _show(console: Console, arrived: list[Interaction], titles: dict[bytes, str], home: Path) -> None:
    """What became of each mail."""
    store = open_store(home / "state")
    try:
        rows = [
            (
                titles.get(store.interactions.raw(entry), "?"),
                entry.subtype,
                entry.queue,
                entry.facts.sender,
                entry.facts.subject,
                ", ".join(part.name for part in entry.facts.attachments),
            )
            for entry in arrived
        ]
    finally:
        store.close()
    console.print()
    table(("MAIL", "BECAME", "QUEUE", "FROM", "SUBJECT", "ATTACHMENTS"), rows, "")
    console.print()


def _reply(console: Console, conf: Path, arrived: list[Interaction], smtp: SmtpServer) -> None:
    """Answer a customer through the outbox, and see the answer arrive."""
    question = next(entry for entry in arrived if entry.facts.sender == CUSTOMER)
    command = ["send", "--conf", str(conf), "--from", MAILBOX, "--to", question.facts.sender]
    command += ["--subject", f"Re: {question.facts.subject}", "--header", f"In-Reply-To: {question.facts.message_id}"]
    command += ["--text", "Thank you for your mail. We are looking into it.\n"]
    done = subprocess.run(
        [sys.executable, "-m", "emaild", *command], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    _step(console, f"emaild send --to {question.facts.sender} ... put an answer into the outbox: {done.stdout.strip()}")
    received = smtp.wait_for(1, PATIENCE)[0]
    _step(console, f"it arrived at the SMTP server for {', '.join(received.recipients)}: {received.path}")


def _reload(console: Console, conf: Path, log: Path) -> None:
    """Edit the conf file and see the daemon take it up."""
    text = conf.read_text(encoding="utf-8")
    conf.write_text(text.replace("cycle-time = 00:00:30", "cycle-time = 00:00:10"), encoding="utf-8")
    _step(console, f"cycle-time changed in {conf}; the log says a moment later:")
    line = _wait(lambda: _event(log, "reload.applied"), "the daemon did not reload")
    console.print(f"  {line}", soft_wrap=True, markup=False)


def _event(log: Path, name: str) -> str | None:
    """The first log line of that event; the last line may be half written at this moment."""
    for line in log.read_text(encoding="utf-8", errors="replace").split("\n"):
        with suppress(ValueError):
            if json.loads(line).get("event") == name:
                return line
    return None


def _epilogue(console: Console, home: Path, conf: Path, arrived: list[Interaction]) -> None:
    _step(console, f"Everything has ended, and lies in {home}:")
    console.print(
        "    emaild.conf   the conf file            emaild.log   the daemon's log, a JSON object a line\n"
        "    state/        the store                sent/        what the SMTP server got",
        soft_wrap=True,
    )
    _step(console, "Try next:")
    for command, why in (
        (f"inbox --conf {conf}", "the interactions"),
        (f"inbox {arrived[0].id} --conf {conf}", "one of them, with its text"),
        (f"history --conf {conf}", "what was sent"),
        (f"show --conf {conf}", "every option in effect, and where it comes from"),
        ("options pop-client", "what can be set for a mailbox"),
    ):
        console.print(f"    {sys.argv[0]} {command}    [dim]# {why}[/]", soft_wrap=True)
