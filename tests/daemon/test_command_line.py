"""An operator's mistake is one line that says what to do, and an exit code of sysexits.h; never a traceback."""

import os
import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.daemon.harness import COMMAND, Emaild, smtp_section


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A command line of its own."""
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)


def one_line(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """It failed with this code, and with one line on standard error that has these words."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert all(word in line for word in words), line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["COMMAND", "--help"]),
        (["grab"], ["'grab'", "run"]),
        (["run", "--fast"], ["--fast"]),
        (["inbox", "--limit", "none"], ["--limit", "none"]),
        (["inbox", "--limit", "0"], ["--limit", "0"]),
        (["options", "smpt-client"], ["no section smpt-client", "smtp-client"]),
        (["options", "--format", "pdf"], ["pdf", "markdown"]),
        (["backup"], ["FILE"]),
    ],
    ids=lambda value: " ".join(value) if value else "nothing",
)
def test_a_wrong_command_line(arguments: list[str], words: list[str]) -> None:
    one_line(run(*arguments), os.EX_USAGE, *words)


@pytest.mark.parametrize("command", ["run", "check", "show", "inbox", "outbox", "history", "mailboxes"])
def test_a_conf_file_that_is_not_there(command: str, tmp_path: Path) -> None:
    conf = tmp_path / "none.conf"
    one_line(run(command, "--conf", str(conf)), os.EX_CONFIG, f"{conf}:1:", "No such file")


def test_wrong_lines_are_all_told_and_nothing_starts(tmp_path: Path) -> None:
    daemon = Emaild(tmp_path)
    daemon.configure(
        "[pop-client]\ntype = FTP\nserver = mail.example.com\nmailbox = x\npassword = geheim!\nport = -1\n"
    )
    for command in ("check", "run"):
        done = daemon.command(command)
        assert (done.returncode, done.stdout) == (os.EX_CONFIG, "")
        first, second = done.stderr.splitlines()
        assert "[pop-client] type: expected POP3, IMAP, EWS or GRAPH, found 'FTP'" in first
        assert "[pop-client] port: expected a whole number from 1 to 65535" in second
        assert "geheim" not in done.stderr
    assert not (tmp_path / "state").exists()


def test_what_cannot_be_sent(tmp_path: Path) -> None:
    daemon = Emaild(tmp_path)
    daemon.configure(smtp_section(25))
    one_line(daemon.command("send"), os.EX_USAGE, "--from")
    one_line(daemon.command("send", "--from", "a@b.example"), os.EX_NOINPUT, "recipient")
    one_line(
        daemon.command("send", "--from", "nobody", "--to", "a@b.example"), os.EX_NOINPUT, "'nobody'", "name@domain"
    )
    one_line(daemon.command("send", str(tmp_path / "no.eml")), os.EX_NOINPUT, "no.eml", "No such file")
    one_line(daemon.command("send", "-", given=b"Subject: nobody's\r\n\r\n"), os.EX_NOINPUT, "From")
    to = ("--from", "a@b.example", "--to", "c@d.example")
    evil = ("--from", "a@b.example", "--to", "c@d.example", "--subject", "x\r\nBcc: all@d.example")
    one_line(daemon.command("send", *evil), os.EX_NOINPUT, "Subject", "line break")
    one_line(daemon.command("send", "--way-out", "smtp-none", *to), os.EX_USAGE, "smtp-none", "smtp-client")
    daemon.configure()
    one_line(daemon.command("send", "--from", "a@b.example", "--to", "c@d.example"), os.EX_CONFIG, "no way out")


def test_a_store_that_is_not_there_yet_or_has_no_such_id(tmp_path: Path) -> None:
    daemon = Emaild(tmp_path)
    daemon.configure(smtp_section(25))
    for command in ("inbox", "outbox", "history", "mailboxes"):
        one_line(daemon.command(command), os.EX_CANTCREAT, "no store yet")
    daemon.command("send", "--from", "a@b.example", "--to", "c@d.example")
    one_line(daemon.command("inbox", "0MWQ0000000000XX"), os.EX_DATAERR, "0MWQ0000000000XX", "emaild inbox")
    one_line(daemon.command("outbox", "0MWQ0000000000XX"), os.EX_DATAERR, "0MWQ0000000000XX")


def test_a_state_directory_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file", encoding="utf-8")
    daemon = Emaild(tmp_path)
    daemon.configure()
    one_line(daemon.command("run"), os.EX_CANTCREAT, str(tmp_path / "state"), "state-directory")


def test_a_state_directory_of_somebody_else(tmp_path: Path) -> None:
    state = Path("/proc/emaild" if os.geteuid() == 0 else "/root/emaild")  # not even root writes in /proc
    conf = tmp_path / "emaild.conf"
    conf.write_text(f"[emaild]\nstate-directory = {state}\n", encoding="utf-8")
    one_line(run("run", "--conf", str(conf)), os.EX_CANTCREAT, str(state), "state-directory")


def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    daemon = Emaild(tmp_path)
    daemon.configure(smtp_section(25))
    daemon.command("send", "--from", "a@b.example", "--to", "c@d.example")
    store = sqlite3.connect(tmp_path / "state" / "emaild.db")
    store.execute("UPDATE schema_version SET version = 99")
    store.commit()
    store.close()
    before = (tmp_path / "state" / "emaild.db").read_bytes()
    for command in ("run", "inbox"):
        one_line(daemon.command(command), os.EX_PROTOCOL, "newer emaild", "99")
    assert (tmp_path / "state" / "emaild.db").read_bytes() == before


def test_a_file_that_is_no_store(tmp_path: Path) -> None:
    daemon = Emaild(tmp_path)
    daemon.configure()
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "emaild.db").write_bytes(b"this is not a database at all" * 100)
    one_line(daemon.command("run"), os.EX_CANTCREAT, "emaild.db", "not a database")


def test_a_second_daemon_on_the_same_state_directory(tmp_path: Path) -> None:
    with Emaild(tmp_path) as daemon:
        daemon.configure()
        daemon.start()
        one_line(daemon.command("run"), os.EX_TEMPFAIL, "another emaild runs", "state-directory")
        assert daemon.stop() == 0
        daemon.start()
        assert daemon.stop() == 0


def test_a_backup_that_cannot_be_written(tmp_path: Path) -> None:
    daemon = Emaild(tmp_path)
    daemon.configure(smtp_section(25))
    daemon.command("send", "--from", "a@b.example", "--to", "c@d.example")
    one_line(daemon.command("backup", str(tmp_path / "none" / "b.db")), os.EX_CANTCREAT, "none", "no such folder")


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    daemon = Emaild(tmp_path)
    (tmp_path / "password").write_text("in-a-file\n", encoding="utf-8")
    daemon.configure(
        "[pop-client]\nserver = mail.example.com\nmailbox = x\npassword = in-the-conf\n",
        f"[pop-client1]\nserver = mail.example.com\nmailbox = x\npassword = file:{tmp_path}/password\n",
    )
    for command in (("check",), ("show",), ("show", "--json")):
        done = daemon.command(*command)
        assert done.returncode == 0
        assert "in-the-conf" not in done.stdout + done.stderr
        assert "in-a-file" not in done.stdout + done.stderr
    assert {row["value"] for row in daemon.listed("show") if row.get("option") == "password"} == {"***"}


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_are_no_fault(tmp_path: Path, closed: str) -> None:
    emaild = Emaild(tmp_path)
    emaild.configure("")
    line = f'exec "$@" {closed}'
    done = subprocess.run(
        ["/bin/sh", "-c", line, "sh", *COMMAND, "show", "--conf", str(emaild.conf)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
