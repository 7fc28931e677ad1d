"""Several ways out: which is taken on the command line, who is asked, files as a way, and what no way takes."""

from __future__ import annotations

import os
import pty
import select
import signal
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from emaild.cli.main import INTERRUPTED
from emaild.store.outbox_entries import Choice, OutboxEntry
from tests.daemon.harness import COMMAND, Emaild, smtp_section
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.wait import eventually

QUESTION = b"By which way out?"
MAIL = ("--from", "ann@example.com", "--to", "bob@example.net", "--text", "Hi")
RESTING = "[smtp-client-rests]\nserver = c.example\nenable-client = false\nsenders = rests@example.com\n"
WAYS = (
    "[smtp-client]\nserver = a.example\n",
    "[smtp-client-other]\nserver = b.example\nsenders = @other.example\n",
    RESTING,
)


def eml(folder: Path, name: str = "smtp-client-files", **options: str) -> str:
    """A way out that is a folder."""
    given = "".join(f"{key.replace('_', '-')} = {value}\n" for key, value in options.items())
    return f"[{name}]\nserver-type = eml\neml-directory = {folder}\n{given}"


@dataclass
class Terminal:
    """A command that somebody started on a terminal."""

    process: subprocess.Popen[bytes]
    master: int
    shown: bytes = b""

    def asked(self) -> bool:
        """Whether it asks; False: it ended without."""
        while QUESTION not in self.shown and (piece := self._read()):
            self.shown += piece
        return QUESTION in self.shown

    def answers(self, keys: bytes) -> int:
        """What is typed; returns the exit code."""
        assert self.asked(), self.shown
        os.write(self.master, keys)
        while piece := self._read():
            self.shown += piece
        return self.process.wait(30)

    def _read(self) -> bytes:
        assert select.select([self.master], [], [], 60)[0], f"it says no more: {self.shown!r}"
        try:
            return os.read(self.master, 4096)
        except OSError:  # EIO: nobody holds the other end any more (pty(7))
            return b""


@contextmanager
def terminal(daemon: Emaild, *arguments: str, said: int | None = None) -> Iterator[Terminal]:
    """`emaild send` on a terminal of its own; *said*: where standard error goes instead."""
    master, slave = pty.openpty()
    words = [*COMMAND, "send", "--conf", str(daemon.conf), *arguments]
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *words], stdin=slave, stdout=subprocess.DEVNULL, stderr=said or slave
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)


def queued(daemon: Emaild) -> list[OutboxEntry]:
    """The mails in the outbox."""
    if not (daemon.home / "state").exists():
        return []
    with daemon._store() as store:
        return list(store.outbox.newest(Choice()))


@pytest.fixture
def daemon(tmp_path: Path) -> Emaild:
    daemon = Emaild(tmp_path)
    daemon.configure(*WAYS)
    return daemon


# Who is asked


def test_dynamics_1_who_sits_at_a_terminal_chooses_among_the_ways_that_work(daemon: Emaild) -> None:
    with terminal(daemon, *MAIL) as person:
        assert person.answers(b"2\n") == os.EX_OK
    assert b"1  smtp-client (smtp a.example)\r\n2  smtp-client-other (smtp b.example)\r\n" in person.shown
    assert b"rests" not in person.shown
    (mail,) = queued(daemon)
    assert (mail.way_out, mail.interactive) == ("smtp-client-other", True)


@pytest.mark.parametrize("keys", [b"3\n", b"0\n", b"\n", b"yes\n", b"\xc2\xb2\n", b"\xff\xfe\n", b"\x04"], ids=repr)
def test_a_wrong_answer_or_none_sends_nothing(daemon: Emaild, keys: bytes) -> None:
    with terminal(daemon, *MAIL) as person:
        assert person.answers(keys) == os.EX_USAGE
    assert b"emaild: expected a number from 1 to 2, found " in person.shown
    assert b"Traceback" not in person.shown
    assert queued(daemon) == []


def test_who_breaks_off_sends_nothing(daemon: Emaild) -> None:
    with terminal(daemon, *MAIL) as person:
        assert person.answers(b"\x03") in (INTERRUPTED, -signal.SIGINT)
    assert b"Traceback" not in person.shown
    assert queued(daemon) == []


@pytest.mark.parametrize(
    ("arguments", "sections", "way"),
    [
        (("--batch",), (), "smtp-client"),
        (("--way-out", "smtp-client-other"), (), "smtp-client-other"),
        (("--from", "ann@other.example"), (), "smtp-client-other"),
        (("--from", "rests@example.com"), (), "smtp-client-rests"),
        ((), ("[email-processing]\ninteractive-way-out = smtp-client-other\n",), "smtp-client-other"),
        ((), ("[smtp-client-own]\nserver = d.example\ncallers = command-line\n",), "smtp-client-own"),
    ],
    ids=["batch", "named", "claimed", "claimed by one that rests", "usual", "claims the command line"],
)
def test_where_there_is_nothing_to_choose_nobody_is_asked(
    daemon: Emaild, arguments: tuple[str, ...], sections: tuple[str, ...], way: str
) -> None:
    daemon.configure(*WAYS, *sections)
    with terminal(daemon, *MAIL, *arguments) as person:
        assert not person.asked()
        assert person.process.wait(30) == os.EX_OK
    assert [mail.way_out for mail in queued(daemon)] == [way]


def test_nobody_is_asked_where_there_is_one_way_or_no_terminal(daemon: Emaild, tmp_path: Path) -> None:
    assert daemon.command("send", *MAIL).returncode == os.EX_OK  # a script
    with (tmp_path / "said").open("wb") as file, terminal(daemon, *MAIL, said=file.fileno()) as person:
        assert not person.asked()  # who could not see the question
        assert person.process.wait(30) == os.EX_OK
    daemon.configure(WAYS[0], RESTING)
    with terminal(daemon, *MAIL) as person:
        assert not person.asked()
    assert [mail.way_out for mail in queued(daemon)] == ["smtp-client"] * 3


# What is too big


def test_dynamics_2_a_mail_that_is_too_big_is_refused_in_one_line_and_nothing_is_queued(
    daemon: Emaild, tmp_path: Path
) -> None:
    limits = "maximum-message-size = 64 KiB\nmaximum-attachment-size = 9 KiB\n"
    daemon.configure(f"[smtp-client]\nserver = a.example\n{limits}")
    file = tmp_path / "plan.bin"
    file.write_bytes(bytes(10 << 10))
    finished = tmp_path / "big.eml"
    finished.write_bytes(b"From: ann@example.com\nTo: bob@example.net\n\n" + b"word\n" * 20_000)
    for arguments, option in (
        ((*MAIL, "--attach", str(file)), "maximum-attachment-size"),
        ((str(finished),), "maximum-message-size"),
    ):
        done = daemon.command("send", *arguments)
        assert (done.returncode, done.stdout) == (os.EX_DATAERR, "")
        (line,) = done.stderr.splitlines()
        assert f"[smtp-client] {option} is " in line
    done = daemon.command("call", "--json", "CreateEmailOut", "From=a@x.example", "To=b@x.example", f"Text=@{finished}")
    assert done.returncode == os.EX_DATAERR
    assert '"fault": "too-big"' in done.stdout or '"fault":"too-big"' in done.stdout
    assert queued(daemon) == []


# Files


def test_dynamics_9_a_daemon_writes_files_that_a_mail_program_opens(tmp_path: Path) -> None:
    folder, plan = tmp_path / "drafts", tmp_path / "plan.pdf"
    folder.mkdir()
    plan.write_bytes(b"%PDF-1.7 plan")
    with Emaild(tmp_path / "home") as daemon:
        daemon.configure(eml(folder))
        assert daemon.command("check").stderr == ""
        daemon.start()
        mail = ("--subject", "Größe", "--bcc", "boss@example.net", "--attach", str(plan))
        assert daemon.command("send", *MAIL, *mail).returncode == os.EX_OK
        (event,) = daemon.wait_for("outbound.sent")
        (entry,) = daemon.sent()
        assert daemon.stop() == 0
    (file,) = folder.iterdir()
    assert (file.name, event["outbound"]) == (f"{entry.id}.eml", entry.id)
    draft = message_from_bytes(file.read_bytes(), policy=policy.default)
    assert isinstance(draft, EmailMessage)
    assert [draft[name] for name in ("X-Unsent", "To", "Bcc", "Subject")] == [
        "1", "bob@example.net", "boss@example.net", "Größe",
    ]  # fmt: skip
    assert [(one.get_filename(), one.get_content()) for one in draft.iter_attachments()] == [
        ("plan.pdf", b"%PDF-1.7 plan")
    ]
    assert not file.stat().st_mode & stat.S_IROTH


def test_mails_for_a_folder_wait_until_it_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "drafts"
    with Emaild(tmp_path / "home") as daemon:
        daemon.configure(eml(folder, retry_first="1s"))
        done = daemon.command("check")
        assert (done.returncode, f"eml-directory: there is no folder {folder}; mails wait" in done.stderr) == (0, True)
        daemon.start()
        daemon.command("send", *MAIL)
        (failed,) = daemon.wait_for("way_out.failed")
        assert "No such file or directory" in failed["reason"]
        folder.mkdir()
        daemon.signal(signal.SIGHUP)
        daemon.wait_for("outbound.sent", within=90)
    assert len(list(folder.iterdir())) == 1


def test_show_says_what_a_folder_is(tmp_path: Path) -> None:
    daemon = Emaild(tmp_path)
    daemon.configure(eml(tmp_path))
    done = daemon.command("show", "smtp-client-files")
    assert done.returncode == os.EX_OK, done.stderr
    rows = [line.split()[1:3] for line in done.stdout.splitlines() if line.startswith("smtp-client-files")]
    assert ["server-type", "eml"] in rows
    assert ["eml-directory", str(tmp_path)] in rows


# Programs


def test_programs_are_callers_by_their_tokens_and_by_that_of_the_state_directory(
    free_port: Callable[[], int], faulty_smtp: Callable[..., FaultySmtp], tmp_path: Path
) -> None:
    server, port = faulty_smtp(), free_port()
    api = f"[api]\nlisten = 127.0.0.1:{port}\n"
    ways = [smtp_section(server.smtp, f"smtp-client-{name}", callers=name) for name in ("api-token", "api-token-crm")]

    def send(token: str) -> str:
        headers = {"Authorization": f"Bearer {token}"}
        mail = {"from": "s@example.com", "to": ["ann@example.com"], "text": "Yes"}
        answer = httpx.post(f"http://127.0.0.1:{port}/v1/outbox", json=mail, headers=headers, trust_env=False)
        assert answer.status_code == 201, answer.text
        return str(httpx.get(
            f"http://127.0.0.1:{port}/v1/outbox/{answer.json()['id']}", headers=headers, trust_env=False
        ).json()["way_out"])  # fmt: skip

    with Emaild(tmp_path) as daemon:
        daemon.configure(smtp_section(server.smtp), *ways, api)
        daemon.start()
        assert send((tmp_path / "state/api-token").read_text().strip()) == "smtp-client-api-token"
        daemon.configure(smtp_section(server.smtp), *ways, api, "[API-Token-CRM]\ntoken = 0123456789abcdef\n")
        daemon.wait_for("reload.applied")
        assert send("0123456789abcdef") == "smtp-client-api-token-crm"
        eventually(lambda: len(server.mails) == 2, within=20)
