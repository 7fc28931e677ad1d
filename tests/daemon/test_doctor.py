"""`emaild doctor` and `emaild send --test`: what an operator reads, and what a script goes by."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import subprocess
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.adapters.turns import mail
from tests.daemon.harness import COMMAND, Emaild, imap_section, pop3_section, smtp_section
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.presence import require_root
from tests.servers.processes import Home, unprivileged
from tests.servers.wait import eventually

JOE = "joe@example.net"


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Emaild]:
    """One that does not run yet."""
    with Emaild(tmp_path) as made:
        yield made


def marks(told: str) -> list[list[str]]:
    """The first two words of each step's line."""
    lines = [line.split() for line in told.splitlines()]
    return [words[:2] for words in lines if words and words[0] in ("ok", "failed", "skipped")]


def test_every_section_is_told_in_the_order_of_the_conf_file_and_resting_ones_by_name(
    daemon: Emaild, dovecot: Dovecot, authority: Authority, faulty_smtp: Callable[..., FaultySmtp]
) -> None:
    dovecot.drop("doctor-one", [mail("one")])
    server = faulty_smtp()
    daemon.configure(
        imap_section("pop-client-one", dovecot.imaps, "doctor-one", authority),
        pop3_section("pop-client-two", dovecot.pop3s, "doctor-two", authority),
        pop3_section("pop-client-rests", 9, "doctor-rests", authority, enable_client="false"),
        smtp_section(server.smtp),
    )
    done = daemon.command("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    titles = [line for line in done.stdout.splitlines() if line.startswith("[")]
    assert titles == [
        f"[pop-client-one] IMAP doctor-one at localhost:{dovecot.imaps}",
        f"[pop-client-two] POP3 doctor-two at localhost:{dovecot.pop3s}",
        "[pop-client-rests] POP3 doctor-rests at localhost:9: rests, not tried",
        f"[smtp-client] SMTP 127.0.0.1:{server.smtp}",
    ]
    assert "INBOX holds 1 mail\n" in done.stdout
    assert done.stdout.endswith("3 of 3 work; 1 rests\n")
    assert server.mails == []
    assert not (daemon.home / "state" / "emaild.db").exists()


def test_the_failure_is_told_with_its_cause_and_what_to_do_and_the_exit_code_says_what_kind(
    daemon: Emaild, dovecot: Dovecot, authority: Authority, free_port: Callable[[], int]
) -> None:
    daemon.configure(
        imap_section("pop-client-bad", dovecot.imaps, "refused-doctor", authority, password="hunter2"),
        smtp_section(free_port()),
    )
    done = daemon.command("doctor")
    assert done.returncode == os.EX_UNAVAILABLE
    assert ["failed", "sign-in"] in marks(done.stdout)
    assert "(password-wrong)" in done.stdout
    assert "\n          To do: Check mailbox and password" in done.stdout
    assert "hunter2" not in done.stdout + done.stderr
    assert done.stdout.endswith("0 of 2 work\n")
    away = daemon.command("doctor", "SMTP-Client")
    assert away.returncode == os.EX_TEMPFAIL
    assert marks(away.stdout)[-1] == ["failed", "connect"]


def test_programs_get_one_object_a_section(
    daemon: Emaild, dovecot: Dovecot, authority: Authority, free_port: Callable[[], int]
) -> None:
    daemon.configure(
        imap_section("pop-client-json", dovecot.imaps, "doctor-json", authority),
        smtp_section(free_port()),
        smtp_section(9, "smtp-client-rests", enable_client="false"),
    )
    done = daemon.command("doctor", "--json")
    good, bad, resting = (json.loads(line) for line in done.stdout.splitlines())
    assert (good["section"], good["works"], good["cause"]) == ("pop-client-json", True, None)
    assert [(one["step"], one["state"]) for one in good["steps"]][-1] == ("folder", "ok")
    assert (bad["works"], bad["temporary"], bad["cause"]) == (False, True, "connection-refused")
    assert bad["remedy"]
    assert (resting["section"], resting["rests"], resting["works"]) == ("smtp-client-rests", True, None)


def test_a_resting_section_is_tried_where_it_is_named_and_an_unknown_one_is_refused(
    daemon: Emaild, faulty_smtp: Callable[..., FaultySmtp]
) -> None:
    daemon.configure(smtp_section(faulty_smtp().smtp, "smtp-client-rests", enable_client="false"))
    assert daemon.command("doctor", "smtp-client-rests").stdout.endswith("1 of 1 work\n")
    unknown = daemon.command("doctor", "smtp-client-none")
    assert unknown.returncode == os.EX_USAGE
    assert "there are: smtp-client-rests" in unknown.stderr


def test_it_works_beside_a_daemon_that_runs_and_leaves_its_mails_alone(
    daemon: Emaild, dovecot: Dovecot, authority: Authority, faulty_smtp: Callable[..., FaultySmtp]
) -> None:
    dovecot.drop("doctor-beside", [mail("one")])
    server = faulty_smtp()
    box = imap_section("pop-client-b", dovecot.imaps, "doctor-beside", authority, first_fetch="new")
    daemon.configure(box, smtp_section(server.smtp))
    daemon.start()
    daemon.wait_for("mailbox.connected")
    assert daemon.command("doctor").returncode == 0
    assert daemon.command("send", "--test", "smtp-client", JOE).returncode == 0
    assert [taken.recipients for taken in server.mails] == [(JOE,)]
    assert daemon.stop() == 0
    assert (daemon.interactions(), daemon.sent()) == ([], [])
    assert dovecot.flags("doctor-beside") == [()]


def test_lines_fit_a_terminal_of_80_columns(daemon: Emaild, free_port: Callable[[], int]) -> None:
    daemon.configure(smtp_section(free_port()))
    lines = [line.rstrip() for line in on_terminal("doctor", "--conf", str(daemon.conf)).splitlines()]
    assert any("(connection-refused)" in line for line in lines), lines
    assert 60 < max(map(len, lines)) <= 80


def on_terminal(*arguments: str) -> str:
    """What a command prints on a terminal of 80 columns, without its colours."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    around = {**os.environ, "TERM": "xterm"}
    seen = b""
    with subprocess.Popen([*COMMAND, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=around):
        os.close(theirs)
        with os.fdopen(ours, "rb", buffering=0) as screen, contextlib.suppress(OSError):  # its other end is closed
            while piece := screen.read(65536):
                seen += piece
    return re.sub(r"\x1b\[[0-9;]*m", "", seen.decode())


def test_dynamics_14_a_test_mail_goes_out_at_once_and_each_step_is_told(
    daemon: Emaild, faulty_smtp: Callable[..., FaultySmtp]
) -> None:
    server = faulty_smtp(replies={"DATA": ["250 2.0.0 Ok: queued as 4ABC"]})
    daemon.configure(smtp_section(server.smtp))
    done = daemon.command("send", "--test", "smtp-client", JOE, "--from", "ann@example.com")
    assert (done.returncode, done.stderr) == (0, "")
    steps = ["name", "connect", "greeting", "EHLO", "sender", "recipient", "data", "end"]
    assert [name for mark, name in marks(done.stdout) if mark == "ok"] == steps
    assert "250 2.0.0 Ok: queued as 4ABC" in done.stdout
    assert [(taken.sender, taken.recipients) for taken in server.mails] == [("ann@example.com", (JOE,))]
    assert not (daemon.home / "state" / "emaild.db").exists()


def test_a_test_mail_that_is_refused_says_where_and_why_and_is_not_tried_again(
    daemon: Emaild, faulty_smtp: Callable[..., FaultySmtp]
) -> None:
    server = faulty_smtp(refuse={JOE: "550 5.1.1 no such user here"})
    daemon.configure(smtp_section(server.smtp))
    done = daemon.command("send", "--test", "smtp-client", JOE)
    assert done.returncode == os.EX_UNAVAILABLE
    assert marks(done.stdout)[-1] == ["failed", "recipient"]
    assert "550 5.1.1 no such user here" in done.stdout
    assert "The test mail was not sent. It is not tried again" in done.stdout
    assert server.mails == []


def test_a_test_mail_goes_by_the_outbox_where_that_is_asked_for(
    daemon: Emaild, faulty_smtp: Callable[..., FaultySmtp]
) -> None:
    server = faulty_smtp()
    daemon.configure(smtp_section(server.smtp))
    done = daemon.command("send", "--test", "smtp-client", JOE, "--queue")
    assert done.returncode == 0
    assert (len(done.stdout.strip()), server.connections) == (16, 0)
    assert [row["id"] for row in daemon.listed("outbox")] == [done.stdout.strip()]
    daemon.start()
    eventually(lambda: len(server.mails) == 1, within=20)


def test_queue_is_for_test_mails_alone(daemon: Emaild) -> None:
    daemon.configure(smtp_section(9))
    done = daemon.command("send", "--queue", "--from", "a@example.com", "--to", JOE)
    assert done.returncode == os.EX_USAGE
    assert "--test" in done.stderr


def test_as_root_what_it_writes_is_the_owners_of_the_state_directory(faulty_smtp: Callable[..., FaultySmtp]) -> None:
    require_root()
    account = unprivileged()
    home = Home("doctor", account)
    try:
        home.folder("state")
        files = home.folder("files")
        daemon = Emaild(home.path)
        daemon.configure(f"[smtp-client]\nserver-type = eml\neml-directory = {files}\n")
        assert daemon.command("doctor").returncode == 0
        assert daemon.command("send", "--test", "smtp-client", JOE).returncode == 0
        assert {path.stat().st_uid for path in files.iterdir()} == {account.uid}
        files.chmod(0o500)
        assert "may not write" in daemon.command("doctor").stdout
    finally:
        home.remove()
