"""Provisioning documents and a running daemon: accounts come, change and go without a restart."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

from tests.daemon.harness import COMMAND, Emaild
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.wait import eventually
from tests.unit.provision.email2.documents import (
    GUID,
    OTHER,
    WHOLE,
    atomic,
    each,
    item,
    parms,
    syncml,
    tell,
    uri,
    wap,
    whole,
)

SECTION = f"pop-client-email2-{GUID.lower()}"
FILE = f"email2-{GUID.lower()}.conf"


@contextmanager
def trusting(tmp_path: Path, authority: Authority) -> Iterator[Emaild]:
    """A running daemon without any mailbox that trusts the authority of the tests as it trusts public ones."""
    with Emaild(tmp_path) as daemon:
        daemon.configure()
        daemon.start({"SSL_CERT_FILE": str(authority.ca_file)})
        yield daemon


def codes(printed: str) -> list[int]:
    """The codes of the Statuses in an answer, but that of its header."""
    body = fromstring(printed.replace(' xmlns="', ' was="'))
    return [int(one.findtext("Data", "")) for one in body.iter("Status")][1:]


def subjects(daemon: Emaild) -> set[str]:
    """Those of all interactions."""
    return {str(entry.facts.subject) for entry in daemon.interactions()}


def mail(subject: str) -> bytes:
    """A small mail."""
    return f"Subject: {subject}\r\nFrom: ann@contoso.example\r\n\r\nhello\r\n".encode()


@pytest.mark.parametrize("protocol", ["IMAP4", "POP3"])
def test_an_account_of_a_document_is_read_by_hand_changed_and_removed(
    dovecot: Dovecot, authority: Authority, tmp_path: Path, protocol: str
) -> None:
    """LINGER 0 is by hand (EMAIL2 9); what was taken stays when the account goes (EMAIL2 21)."""
    user = f"provisioned-{protocol.lower()}"
    port = dovecot.imaps if protocol == "IMAP4" else dovecot.pop3s
    nodes = {"SERVICETYPE": protocol, "INSERVER": f"localhost:{port}", "AUTHNAME": user, "AUTHSECRET": "secret"}
    dovecot.deliver(user, mail("lay there"))
    with trusting(tmp_path, authority) as daemon:
        made = daemon.command("provision", "-", given=syncml(whole(**nodes, DWNDAY="-1", LINGER="0", _8128000B="1")))
        assert (made.returncode, {*codes(made.stdout)}) == (0, {200}), made.stderr
        (applied,) = daemon.wait_for("reload.applied")
        assert SECTION in applied["start"]
        eventually(lambda: daemon.listed("mailboxes"), within=10, what="its state")
        assert [row["next_due"] for row in daemon.listed("mailboxes")] == [None]
        assert "by hand" in daemon.command("mailboxes").stdout
        fetched = daemon.command("fetch", SECTION)
        assert fetched.returncode == 0, fetched.stderr
        assert subjects(daemon) == {"lay there"}

        edit = syncml(atomic(each("Replace", {"LINGER": "30", "NAME": "Ann"})))
        assert daemon.command("provision", "-", given=edit).returncode == 0
        daemon.wait_for("reload.applied", 2)
        shown = daemon.listed("show", SECTION)
        assert next(row["value"] for row in shown if row["option"] == "cycle-time") == "1800s"

        assert daemon.command("provision", "-", given=syncml(tell("Delete", item(uri())))).returncode == 0
        daemon.wait_for("reload.applied", 3)
        eventually(lambda: not daemon.listed("mailboxes"), within=10, what="the account is gone")
        assert subjects(daemon) == {"lay there"}
        assert [*(tmp_path / "conf.d").iterdir()] == []
        logged = daemon.log_file.read_text(encoding="utf-8")
        assert '"secret"' not in logged


def test_without_the_bit_for_mail_a_document_rests_the_account(
    dovecot: Dovecot, authority: Authority, tmp_path: Path
) -> None:
    """EMAIL2 20: no contact until a document says that mail is meant, too."""
    user = "provisioned-bits"
    server = f"localhost:{dovecot.imaps}"
    nodes = {"INSERVER": server, "AUTHNAME": user, "AUTHSECRET": "secret", "DWNDAY": "-1"}
    dovecot.deliver(user, mail("waits"))
    with trusting(tmp_path, authority) as daemon:
        document = wap(parms({**WHOLE, **nodes, "SYNCINGCONTENTTYPES": "0x5"}))
        assert daemon.command("provision", "-", given=document).returncode == 0
        (rests,) = daemon.wait_for("reload.applied")
        assert daemon.command("provision", "-", given=wap(parms({"SYNCINGCONTENTTYPES": "0x7"}))).returncode == 0
        works = daemon.wait_for("reload.applied", 2)[1]
        assert [SECTION in applied["start"] for applied in (rests, works)] == [False, True]
        eventually(lambda: subjects(daemon) == {"waits"}, within=15, what="the mail")
        assert len(dovecot.sessions(user, 1)) == 1, "there was no contact before"


def with_attachment(subject: str, size: int) -> bytes:
    """A mail with some text and an attachment of so many bytes."""
    message = EmailMessage()
    message["Subject"], message["From"] = subject, "ann@contoso.example"
    message.set_content("see what is enclosed\n")
    message.add_attachment(b"x" * size, maintype="application", subtype="octet-stream", filename=f"{subject}.bin")
    return message.as_bytes()


def test_email2_10_11_17_what_a_document_says_of_large_mails_is_honoured(
    dovecot: Dovecot, authority: Authority, tmp_path: Path
) -> None:
    """An attachment above KEEPMAX stays on the server; a mail above RETRIEVE is cut; others are deleted."""
    server = f"localhost:{dovecot.imaps}"
    nodes = {"INSERVER": server, "AUTHSECRET": "secret", "DWNDAY": "-1", "LINGER": "0"}
    keeps, cuts = ({**nodes, "AUTHNAME": f"provisioned-{name}"} for name in ("keepmax", "retrieve"))
    for user in ("provisioned-keepmax", "provisioned-retrieve"):
        dovecot.deliver(user, with_attachment("large", 100_000))
        dovecot.deliver(user, with_attachment("small", 100))
    with trusting(tmp_path, authority) as daemon:
        documents = (whole(**keeps, KEEPMAX="25", SERVERDELETEACTION="1"), whole(**cuts, RETRIEVE="2048", guid=OTHER))
        assert daemon.command("provision", "-", given=syncml(*documents)).returncode == 0
        eventually(lambda: len(daemon.listed("mailboxes")) == 2, within=20, what="both accounts")
        fetched = daemon.command("fetch")
        assert fetched.returncode == 0, fetched.stderr
        assert len({(entry.facts.subject, entry.mailbox) for entry in daemon.interactions()}) == 4
        assert max(len(raw) for raw in daemon.raws()) < 3000, "neither has the large attachment"
        assert len(dovecot.held("provisioned-retrieve")) == 2
        assert [b"large.bin" in one for one in dovecot.held("provisioned-keepmax")] == [True], "small went, large stays"


def started(daemon: Emaild, document: bytes, name: str) -> subprocess.Popen[bytes]:
    """`emaild provision` on its way, as a process of its own; it prints into NAME.out."""
    file = daemon.home / name
    file.write_bytes(document)
    with file.with_suffix(".out").open("wb") as out:
        command = [*COMMAND, "provision", "--conf", str(daemon.conf), str(file)]
        return subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)


def test_documents_at_the_same_time_are_carried_out_one_after_the_other(tmp_path: Path) -> None:
    with Emaild(tmp_path) as daemon:
        daemon.configure()
        same = [
            started(daemon, syncml(whole("Add", NAME=f"Ann {number}", guid=GUID)), f"{number}.xml")
            for number in range(4)
        ]
        other = started(daemon, syncml(whole("Add", guid=OTHER)), "other.xml")
        assert [one.wait(60) for one in (*same, other)].count(0) == 2
        answers = [codes((tmp_path / f"{number}.out").read_text()) for number in range(4)]
        assert other.returncode == 0
        winners = [number for number, answer in enumerate(answers) if {*answer} == {200}]
        assert len(winners) == 1
        assert all(answer[0] == 507 for number, answer in enumerate(answers) if number not in winners)
        assert f"NAME = Ann {winners[0]}\n" in (tmp_path / "conf.d" / FILE).read_text()
        assert daemon.command("check").returncode == 0

        edits = [
            started(daemon, syncml(atomic(each("Replace", {node: value}))), f"{node}.xml")
            for node, value in (("NAME", "Bo"), ("LINGER", "60"), ("DWNDAY", "7"), ("CELLULARONLY", "1"))
        ]
        assert [one.wait(60) for one in edits] == [0, 0, 0, 0]
        text = (tmp_path / "conf.d" / FILE).read_text()
        for line in ("NAME = Bo", "LINGER = 60", "DWNDAY = 7", "CELLULARONLY = 1"):
            assert f"{line}\n" in text, "no edit is lost to another one"


def test_a_document_that_is_killed_leaves_the_old_account_or_the_new_one(tmp_path: Path) -> None:
    with Emaild(tmp_path) as daemon:
        daemon.configure()
        good = daemon.command("provision", "-", given=syncml(whole()))
        assert good.returncode == 0, good.stderr
        file = tmp_path / "conf.d" / FILE
        for kills in range(6):
            before = file.read_bytes()
            process = started(daemon, syncml(atomic(each("Replace", {"NAME": f"Ann {kills}"}))), "edit.xml")
            eventually(
                lambda before=before, process=process: (  # type: ignore[misc]
                    process.poll() is not None or file.read_bytes() != before or len(os.listdir(file.parent)) > 1
                ),
                within=30,
                what="the moment of its writing",
            )
            process.send_signal(signal.SIGKILL)
            process.wait(30)
            now = file.read_bytes()
            assert now == before or f"NAME = Ann {kills}\n".encode() in now
            assert daemon.command("check").returncode == 0
        done = daemon.command("provision", "-", given=syncml(atomic(each("Replace", {"NAME": "at last"}))))
        assert done.returncode == 0, done.stderr
        assert os.listdir(file.parent) == [FILE]
