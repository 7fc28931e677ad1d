"""Mail in: out of real mailboxes, every mail once, byte for byte."""

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.daemon.harness import Emaild, imap_section, pop3_section
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.mails import generated
from tests.servers.wait import eventually

MAILS = 2_000


@pytest.mark.timeout(240)
@pytest.mark.parametrize("section", [imap_section, pop3_section], ids=["imap", "pop3"])
def test_two_thousand_mails_are_all_there_once_and_byte_for_byte(
    section: Callable[..., str], dovecot: Dovecot, authority: Authority, tmp_path: Path
) -> None:
    user = f"thousands-{section.__name__.partition('_')[0]}"
    mails = {mail.message_id: mail.attachment_names for mail in generated(MAILS, seed=1)}
    dovecot.drop(user, (mail.raw for mail in generated(MAILS, seed=1)))
    port = dovecot.imaps if section is imap_section else dovecot.pop3s
    with Emaild(tmp_path) as daemon:
        daemon.configure(section("pop-client", port, user, authority, first_fetch="all"))
        daemon.start()
        daemon.wait_for("interaction.created", MAILS, within=200)
        assert daemon.stop() == 0
        entries, raws = daemon.interactions(), daemon.raws()
    assert sorted(raws) == sorted(dovecot.held(user))
    assert {e.facts.message_id: tuple(part.name for part in e.facts.attachments) for e in entries} == mails


def test_fifty_mailboxes_are_read_by_one_daemon(dovecot: Dovecot, authority: Authority, tmp_path: Path) -> None:
    users = [f"fifty{number}" for number in range(50)]
    sections = []
    for number, user in enumerate(users):
        dovecot.drop(user, [mail.raw for mail in generated(4, seed=number, largest=8_000)])
        make, port = (imap_section, dovecot.imaps) if number % 2 else (pop3_section, dovecot.pop3s)
        sections.append(make(f"pop-client-{user}", port, user, authority, first_fetch="all"))
    with Emaild(tmp_path) as daemon:
        daemon.configure(*sections)
        daemon.start()
        daemon.wait_for("interaction.created", 200, within=60)
        per_mailbox = Counter(entry["mailbox"] for entry in daemon.listed("inbox"))
        assert per_mailbox == {f"pop-client-{user}": 4 for user in users}
        eventually(lambda: {box["state"] for box in daemon.listed("mailboxes")} == {"ok"}, within=10)
        assert len(daemon.listed("mailboxes")) == 50


def test_a_mail_for_an_idle_mailbox_is_pushed_and_not_polled(
    dovecot: Dovecot, authority: Authority, tmp_path: Path
) -> None:
    """RFC 2177: with a cycle-time of an hour only IDLE can bring it."""
    with Emaild(tmp_path) as daemon:
        daemon.configure(imap_section("pop-client", dovecot.imaps, "pushed", authority, cycle_time="1h"))
        daemon.start()
        eventually(lambda: any(box["state"] == "ok" for box in daemon.listed("mailboxes")))
        begun = time.monotonic()
        dovecot.deliver("pushed", b"Subject: here I am\r\n\r\nhello\r\n")
        daemon.wait_for("interaction.created", within=2)
        assert time.monotonic() - begun < 2
        (entry,) = daemon.listed("inbox")
        assert entry["subject"] == "here I am"
        assert len(dovecot.sessions("pushed", 1)) == 1


def test_what_becomes_of_a_mail_on_the_server_is_as_the_section_says(
    dovecot: Dovecot, authority: Authority, tmp_path: Path
) -> None:
    sections = []
    for user, after in (
        ("left-there", "leave"),
        ("marked-seen", "seen"),
        ("deleted-after", "delete"),
        ("deleted-by-pop", "delete"),
    ):
        dovecot.drop(user, [b"Subject: " + user.encode() + b"\r\n\r\nhello\r\n"])
        make, port = (pop3_section, dovecot.pop3s) if user == "deleted-by-pop" else (imap_section, dovecot.imaps)
        sections.append(make(f"pop-client-{user}", port, user, authority, after_fetch=after, first_fetch="all"))
    dovecot.drop("moved-away", [b"Subject: moved\r\n\r\nhello\r\n"])
    sections.append(
        imap_section(
            "pop-client-moved-away",
            dovecot.imaps,
            "moved-away",
            authority,
            after_fetch="move",
            after_fetch_folder="Archive/Done",
        )
    )
    with Emaild(tmp_path) as daemon:
        daemon.configure(*sections)
        daemon.start()
        daemon.wait_for("interaction.created", 5)
        eventually(lambda: not dovecot.held("deleted-by-pop") and not dovecot.held("moved-away"), within=10)
        assert dovecot.flags("left-there") == [()]
        assert dovecot.flags("marked-seen") == [("\\Seen",)]
        assert dovecot.held("deleted-after") == []
        assert dovecot.held("moved-away", "Archive.Done") == [b"Subject: moved\r\n\r\nhello\r\n"]


def test_old_mail_is_not_taken_by_surprise(dovecot: Dovecot, authority: Authority, tmp_path: Path) -> None:
    """first-fetch: what was read before stays outside, what comes later is taken, read or not."""
    dovecot.drop("old-imap", [b"Subject: read long ago\r\n\r\n"], flags="S")
    dovecot.drop("old-imap", [b"Subject: never read\r\n\r\n"])
    dovecot.drop("old-pop3", [b"Subject: old\r\n\r\n"])
    with Emaild(tmp_path) as daemon:
        daemon.configure(
            imap_section("pop-client", dovecot.imaps, "old-imap", authority, cycle_time="1s", idle="false"),
            pop3_section("pop-client1", dovecot.pop3s, "old-pop3", authority),
        )
        daemon.start()
        daemon.wait_for("mailbox.first_contact", 2)
        daemon.wait_for("interaction.created", 1)
        dovecot.drop("old-imap", [b"Subject: read by a person first\r\n\r\n"], flags="S")
        dovecot.drop("old-pop3", [b"Subject: new\r\n\r\n"])
        daemon.wait_for("interaction.created", 3)
        assert {entry["subject"] for entry in daemon.listed("inbox")} == {
            "never read",
            "read by a person first",
            "new",
        }
