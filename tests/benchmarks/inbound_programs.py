"""The programs that the inbound benchmark compares: emaild, mbsync, getmail6 and fetchmail, each with its defaults."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from emaild.message import Subtype
from emaild.store.engine import FILE
from tests.benchmarks.inbound_mailbox import Mailbox, Took, timed
from tests.benchmarks.missing import path_of
from tests.daemon.harness import Emaild, imap_section, pop3_section
from tests.servers.dovecot import PASSWORD
from tests.servers.processes import unprivileged

PATIENCE = 300.0  # seconds that a program may take
LOOK = 0.005  # seconds between two looks at what emaild has done
NEW_PROCESS = {"PYTHONPATH": str(Path(__file__).parents[2])}
KINDS = {Subtype.INBOUND_NEW, Subtype.INBOUND_CUSTOMER_REPLY}


def emaild_imap(mailbox: Mailbox) -> Took:
    return _emaild(mailbox, imap_section, mailbox.server.imaps)


def emaild_pop3(mailbox: Mailbox) -> Took:
    return _emaild(mailbox, pop3_section, mailbox.server.pop3s)


def _emaild(mailbox: Mailbox, section: Callable[..., str], port: int) -> Took:
    """From the sign-in to the last interaction in the store."""
    with Emaild(mailbox.home.path / "emaild") as daemon:
        daemon.configure(section("pop-client", port, mailbox.user, mailbox.authority, first_fetch="all"))
        daemon.start(NEW_PROCESS, wait=False)
        _until(daemon, lambda: mailbox.server.sessions(mailbox.user))
        begun, cpu = time.perf_counter(), cpu_of(daemon.process)
        store = daemon.home / "state" / FILE
        with sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True) as connection:
            count = "SELECT count(*) FROM interaction"
            _until(daemon, lambda: connection.execute(count).fetchone()[0] >= len(mailbox.mails))
        took = Took(time.perf_counter() - begun, cpu_of(daemon.process) - cpu)
        connection.close()
        _check(daemon, mailbox)
        return took


def _check(daemon: Emaild, mailbox: Mailbox) -> None:
    """Every mail is an interaction, once; all are classified, in threads, and their files named."""
    found = daemon.interactions()
    assert len(found) == len({entry.facts.message_id for entry in found}) == len(mailbox.mails)
    assert {entry.subtype for entry in found} == KINDS
    assert any(entry.parent_id for entry in found)
    names = [file.name for entry in found for file in entry.facts.attachments]
    assert len(names) == mailbox.files
    assert all(names)
    assert sorted(daemon.raws()) == sorted(mailbox.mails)


def cpu_of(process: int) -> float:
    """Seconds of the processor that a process has used, with its threads and its children (proc(5))."""
    here = Path("/proc") / str(process)
    fields = (here / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
    children = {int(child) for file in here.glob("task/*/children") for child in file.read_text("ascii").split()}
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK") + sum(map(cpu_of, children))


def _until(daemon: Emaild, condition: Callable[[], object]) -> None:
    begun = time.perf_counter()
    while not condition():
        if daemon.ended() is not None or time.perf_counter() - begun > PATIENCE:
            raise AssertionError(f"emaild did not get on: {daemon.log_file.read_text(encoding='utf-8')[-2000:]}")
        time.sleep(LOOK)


# Others

MBSYNC = """\
IMAPAccount far
Host localhost
Port {port}
User {user}
Pass {password}
SSLType IMAPS
CertificateFile {ca}

IMAPStore far
Account far

MaildirStore near
Path {home}/
Inbox {home}/INBOX

Channel all
Far :far:
Near :near:
Sync Pull
Create Near
SyncState *
"""

GETMAIL = """\
[retriever]
type = {kind}
server = localhost
port = {port}
username = {user}
password = {password}
ca_certs = {ca}

[destination]
type = Maildir
path = {home}/Maildir/
user = {account}

[options]
verbose = 0
"""

FETCHMAIL = """\
poll localhost protocol {kind} service {port}
  user "{user}" password "{password}" is "desk@shop.example" here
  ssl sslcertfile "{ca}"
  mda "/usr/lib/dovecot/dovecot-lda -e -c {home}/agent.conf"
  keep fetchall
"""

# Dovecot's default, mail_fsync = optimized, brings each delivered mail to the disk.
AGENT = """\
mail_location = maildir:{home}/Maildir
base_dir = {home}/run
state_dir = {home}/run
log_path = {home}/agent.log
postmaster_address = postmaster@shop.example
ssl = no
"""


def mbsync(mailbox: Mailbox) -> Took:
    conf = _written(mailbox, MBSYNC, port=mailbox.server.imaps)
    took = _run(mailbox, "mbsync", "-c", str(conf), "-q", "all")
    _all_in(mailbox, "INBOX")
    return took


def getmail(kind: str) -> Callable[[Mailbox], Took]:
    """getmail6 into a Maildir; *kind* is a retriever's name."""

    def way(mailbox: Mailbox) -> Took:
        port = mailbox.server.imaps if "IMAP" in kind else mailbox.server.pop3s
        conf = _written(mailbox, GETMAIL, port=port, kind=kind, account=unprivileged().name)
        for name in ("cur", "new", "tmp"):
            mailbox.home.folder("Maildir", name)
        arguments = ("--getmaildir", str(mailbox.home.path), "--rcfile", str(conf))
        took = _run(mailbox, "getmail", *arguments, switches=True)
        _all_in(mailbox, "Maildir")
        return took

    return way


def fetchmail(kind: str) -> Callable[[Mailbox], Took]:
    """fetchmail into a Maildir, by Dovecot's delivery agent: over SMTP each mail would wait 40 ms for an ACK."""

    def way(mailbox: Mailbox) -> Took:
        port = mailbox.server.imaps if kind == "IMAP" else mailbox.server.pop3s
        mailbox.home.write("agent.conf", AGENT.format(home=mailbox.home.path))
        conf = _written(mailbox, FETCHMAIL, port=port, kind=kind)
        took = _run(mailbox, "fetchmail", "--fetchmailrc", str(conf), "--nodetach", "--silent", "--nosyslog")
        _all_in(mailbox, "Maildir")
        return took

    return way


def _written(mailbox: Mailbox, text: str, **more: object) -> Path:
    """The program's conf file."""
    home = mailbox.home
    ca = home.write("ca.pem", mailbox.authority.ca_file.read_bytes())
    return home.write("conf", text.format(user=mailbox.user, password=PASSWORD, ca=ca, home=home.path, **more))


def _run(mailbox: Mailbox, program: str, *arguments: str, switches: bool = False) -> Took:
    """The whole program, its start included. It runs as an ordinary account, which some *switch* to by themselves."""
    home, account = str(mailbox.home.path), unprivileged()
    command: Sequence[str] = (path_of(program), *arguments)
    switch: dict[str, Any] = (
        {"user": account.uid, "group": account.gid, "extra_groups": ()} if os.geteuid() == 0 and not switches else {}
    )
    around = {"HOME": home, "FETCHMAILHOME": home, "PATH": os.environ["PATH"]}
    with timed() as watch:
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=home, env=around, timeout=PATIENCE, check=False, **switch
        )
    assert done.returncode == 0, (command, done.returncode, done.stdout, done.stderr)
    return watch.took


def _all_in(mailbox: Mailbox, maildir: str) -> None:
    files = [file for name in ("cur", "new") for file in (mailbox.home.path / maildir / name).iterdir()]
    assert len(files) == len(mailbox.mails), len(files)
