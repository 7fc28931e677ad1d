"""Mails of which a part stays on the server, with the real daemon and real servers: one interaction each, for good."""

from __future__ import annotations

from pathlib import Path

import pytest

from emaild.fault_points import VARIABLE, FaultPoint
from emaild.message import Interaction
from emaild.mime.cut import NOTE
from tests.adapters.ews_ways import ANN
from tests.daemon.harness import Emaild, imap_section, pop3_section
from tests.daemon.test_graph import Cloud, cloud
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.ews import Exchange
from tests.servers.wait import eventually

__all__ = ["cloud"]
KILLED = -9
LIMIT = 2048
INBOUND = [point for point in FaultPoint if point.label.startswith("inbound.")]


def long(number: int) -> bytes:
    """A mail with a file that is larger than the limits here."""
    head = b"From: ann@example.com\r\nSubject: long %d\r\nMessage-ID: <long%d@example.com>\r\n" % (number, number)
    return (
        head + b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nSee the file.\r\n'
        b"--b\r\nContent-Type: application/pdf; name=foo.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + b"%b\r\n" % (b"QUJD" * 19) * 200
        + b"--b--\r\n"
    )


def short(number: int) -> bytes:
    return b"From: a@example.com\r\nSubject: short %d\r\nMessage-ID: <short%d@example.com>\r\n\r\nHello\r\n" % (
        number,
        number,
    )


SUBJECTS = sorted(f"{kind} {number}" for kind in ("long", "short") for number in range(3))
MAILS = [make(number) for number in range(3) for make in (long, short)]
OPTIONS = {"first_fetch": "all", "cycle_time": "1s", "idle": "false", "retrieve_limit": LIMIT}


def check(entries: list[Interaction]) -> None:
    """The beginnings of the long mails, and the short ones whole, each once."""
    assert sorted(entry.facts.subject for entry in entries) == SUBJECTS
    for entry in entries:
        said = str(entry.user_data.get(f"Header_{NOTE}", ""))
        assert said.startswith("all but the first ") == entry.facts.subject.startswith("long"), entry
        assert [part.name for part in entry.facts.attachments] == (["foo.pdf"] if said else [])
        assert sum(part.size for part in entry.facts.attachments) < LIMIT


@pytest.mark.parametrize("point", INBOUND, ids=lambda point: point.label)
@pytest.mark.parametrize("kind", ["imap", "pop3", "parts"])
def test_the_rest_is_never_deleted_and_nothing_doubled_whenever_the_daemon_is_killed(
    dovecot: Dovecot, authority: Authority, tmp_path: Path, kind: str, point: FaultPoint
) -> None:
    user = f"partly-{kind}-{point.label}"
    dovecot.drop(user, MAILS)
    make, port = (pop3_section, dovecot.pop3s) if kind == "pop3" else (imap_section, dovecot.imaps)
    options = {**OPTIONS, "after_fetch": "delete"}
    if kind == "parts":
        options |= {"retrieve_limit": "", "maximum_attachment_size": "2k"}
    with Emaild(tmp_path) as daemon:
        daemon.configure(make("pop-client", port, user, authority, **options))
        daemon.start({VARIABLE: point.label}, wait=False)
        assert daemon.wait() == KILLED
        daemon.start()
        eventually(lambda: len(dovecot.held(user)) == 3, within=20)
        daemon.command("fetch")
        dovecot.drop(user, [short(9)])
        eventually(lambda: "short 9" in [entry.facts.subject for entry in daemon.interactions()], within=20)
        eventually(lambda: len(dovecot.held(user)) == 3, within=20)
        assert daemon.stop() == 0
        entries = [entry for entry in daemon.interactions() if entry.facts.subject != "short 9"]
    assert sorted(dovecot.held(user)) == [long(number) for number in range(3)]
    if kind != "parts":
        check(entries)
        return
    assert sorted(entry.facts.subject for entry in entries) == SUBJECTS
    said = {entry.user_data.get(f"Header_{NOTE}") for entry in entries if entry.facts.attachments}
    assert said == {"attachments: foo.pdf (application/pdf, about 11400 bytes)"}


def test_the_beginnings_of_mails_come_from_graph(cloud: Cloud, tmp_path: Path) -> None:
    cloud.box.deliver(*MAILS)
    with Emaild(tmp_path) as daemon:
        daemon.configure(cloud.mailbox(first_fetch="all", after_fetch="delete", retrieve_limit=LIMIT))
        daemon.start()
        daemon.wait_for("interaction.created", 6)
        eventually(lambda: len(cloud.box.held()) == 3, within=20)
        daemon.command("fetch")
        assert daemon.stop() == 0
        check(daemon.interactions())
    assert len(cloud.box.held()) == 3


def test_the_beginnings_of_mails_come_from_exchange(authority: Authority, tmp_path: Path) -> None:
    with Exchange(authority, offers=("NTLM",)) as server, Emaild(tmp_path) as daemon:
        box = server.mailbox(ANN)
        box.drop(*MAILS)
        daemon.configure(
            f"[pop-client]\ntype = ews\nmailbox = {ANN}\ncycle-time = 1s\nserver = {server.url}\npassword = secret\n"
            f"ca-file = {authority.ca_file}\nafter-fetch = delete\nfirst-fetch = all\nretrieve-limit = {LIMIT}\n"
        )
        daemon.start()
        daemon.wait_for("interaction.created", 6)
        eventually(lambda: len(box.held()) == 3, within=20)
        daemon.command("fetch")
        assert daemon.stop() == 0
        check(daemon.interactions())
        assert sorted(box.held()) == [long(number) for number in range(3)]
