"""kill -9 at every state of the two flows: nothing is lost, nothing doubled, but for the one case that is named.

A fault point places the kill (emaild/fault_points.py); the README's table names the same states.
"""

from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path

import pytest

from emaild.fault_points import VARIABLE, FaultPoint
from tests.daemon.harness import Emaild, imap_section, pop3_section, smtp_section
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.wait import eventually

KILLED = -9
INBOUND = [point for point in FaultPoint if point.label.startswith("inbound.")]
AFTER = ("seen", "move", "delete", "pop3-leave", "pop3-delete")
UNTOLD = ("seen", "pop3-delete")  # while a mail is looked at no server is told anything: one of each protocol will do
CASES = [
    (point, after, nth)
    for point in INBOUND
    for after in (UNTOLD if point is FaultPoint.UNDERSTANDING else AFTER)
    for nth in (1, 2)
]
OUTBOUND = [FaultPoint.LEASED, FaultPoint.OFFERED, FaultPoint.ACCEPTED, FaultPoint.RECORDED]
SUBJECTS = [f"mail {number}" for number in range(240)]  # two turns of 120, each of two batches
MAILS = [b"Subject: %s\r\nMessage-ID: <%s@x>\r\n\r\nhello\r\n" % (s.encode(), s[5:].encode()) for s in SUBJECTS]


@pytest.mark.parametrize(("point", "after", "nth"), CASES, ids=lambda value: getattr(value, "label", value))
def test_mail_in_is_neither_lost_nor_doubled(
    point: FaultPoint, after: str, nth: int, dovecot: Dovecot, authority: Authority, tmp_path: Path
) -> None:
    user = f"kill-{after}-{point.label}-{nth}"
    dovecot.drop(user, MAILS)
    kind, _, rest = after.rpartition("-")
    options = {"first_fetch": "all", "after_fetch": rest, "maximum_msg_number": 12}  # a turn takes ten times as many
    if rest == "move":
        options["after_fetch_folder"] = "Done"
    make, port = (pop3_section, dovecot.pop3s) if kind == "pop3" else (imap_section, dovecot.imaps)
    with Emaild(tmp_path) as daemon:
        daemon.configure(make("pop-client", port, user, authority, **options))
        daemon.start({VARIABLE: f"{point.label}:{nth}"}, wait=False)
        assert daemon.wait() == KILLED
        daemon.start()
        eventually(lambda: len(daemon.interactions()) >= len(SUBJECTS), within=20)
        eventually(lambda: settled(dovecot, user, rest), within=20, what=f"after-fetch {rest} for all")
        daemon.stop()
        assert sorted(entry.facts.subject for entry in daemon.interactions()) == sorted(SUBJECTS)


def settled(dovecot: Dovecot, user: str, after: str) -> bool:
    """Whether the server shows of all mails what after-fetch asks for."""
    match after:
        case "seen":
            return dovecot.flags(user) == [("\\Seen",)] * len(SUBJECTS)
        case "move":
            return not dovecot.held(user) and len(dovecot.held(user, "Done")) == len(SUBJECTS)
        case "delete":
            return not dovecot.held(user)
    return len(dovecot.held(user)) == len(SUBJECTS)


@pytest.mark.parametrize("point", OUTBOUND, ids=lambda point: point.label)
def test_mail_out_is_sent_once_or_again_under_its_message_id(
    point: FaultPoint, faulty_smtp: Callable[..., FaultySmtp], tmp_path: Path
) -> None:
    server = faulty_smtp()
    with Emaild(tmp_path) as daemon:
        daemon.configure(smtp_section(server.smtp))
        mail = daemon.command("send", "--from", "a@example.com", "--to", "b@example.com").stdout.strip()
        daemon.start({VARIABLE: point.label}, wait=False)
        assert daemon.wait() == KILLED
        daemon.start()
        eventually(daemon.sent, within=20)
        assert daemon.listed("outbox") == []
        assert [entry["id"] for entry in daemon.listed("history")] == [mail]
    at_least_once = point is FaultPoint.ACCEPTED
    assert len(server.mails) == (2 if at_least_once else 1)
    assert len({message_from_bytes(accepted.content)["Message-ID"] for accepted in server.mails}) == 1


def test_a_mail_killed_before_the_commit_was_never_promised(
    faulty_smtp: Callable[..., FaultySmtp], tmp_path: Path
) -> None:
    server = faulty_smtp()
    with Emaild(tmp_path) as daemon:
        daemon.configure(smtp_section(server.smtp))
        arguments = ("send", "--from", "a@example.com", "--to", "b@example.com")
        done = daemon.command(*arguments, environment={VARIABLE: FaultPoint.COMPOSED.label})
        assert (done.returncode, done.stdout) == (KILLED, "")
        assert daemon.command("send", *arguments[1:]).returncode == 0
        assert len(daemon.listed("outbox")) == 1


def test_a_mail_killed_after_the_commit_is_sent_though_its_caller_has_no_answer(
    faulty_smtp: Callable[..., FaultySmtp], tmp_path: Path
) -> None:
    server = faulty_smtp()
    with Emaild(tmp_path) as daemon:
        daemon.configure(smtp_section(server.smtp))
        arguments = ("send", "--from", "a@example.com", "--to", "b@example.com")
        done = daemon.command(*arguments, environment={VARIABLE: FaultPoint.QUEUED.label})
        assert (done.returncode, done.stdout) == (KILLED, "")
        daemon.start()
        daemon.wait_for("outbound.sent")
        assert len(server.mails) == 1
