"""Sections that cannot sign in are tried at once when somebody signs in or asks for it, and hold up no end."""

from __future__ import annotations

import signal
import threading

import pytest

from tests.daemon.harness import imap_section
from tests.daemon.office import BOX, POLLER, READER, SENDER, Office, sign_in
from tests.daemon.signing_in import Login, follows
from tests.servers.authorization import Asked, Said

ACCOUNT_DISABLED = 50057
MAIL_OUT = ("--from", SENDER, "--to", "a@example.net", "--subject", "x", "--text", "x\n")


def seldom(office: Office, grant_type: str = "password") -> str:
    """A mailbox that is looked at every hour, so that its own next try is far away."""
    options = {**office.tokens("imap", grant_type), "first-fetch": "all", "cycle-time": "1h"}
    return imap_section(BOX, office.dovecot.imaps, READER, office.authority, **options)


def test_sign_in_wakes_a_mailbox_whose_server_refused_two_tokens_of_somebody_else(office: Office) -> None:
    section = seldom(office, "authorization_code")
    (office.daemon.home / "state").mkdir(mode=0o700)
    office.daemon.configure(section)
    with Login(office.daemon, BOX, "--shared") as login:
        assert follows(office.authority, login.url, POLLER) == 200
        assert login.end()[0] == 0
    office.start(section)
    office.daemon.wait_for("mailbox.failed", section=BOX)
    sign_in(office)
    office.daemon.wait_for("mailbox.connected", section=BOX, within=30)
    office.daemon.wait_for("mailbox.recovered", section=BOX)
    assert office.daemon.stop() == 0


def test_hangup_tries_mailboxes_and_ways_out_that_fail_though_no_file_has_changed(office: Office) -> None:
    for user in (READER, SENDER):
        office.realm.people[user].trouble = ACCOUNT_DISABLED
    office.start(seldom(office), office.sender())
    assert office.daemon.command("send", *MAIL_OUT).returncode == 0
    office.daemon.wait_for("mailbox.failed", section=BOX)
    office.daemon.wait_for("way_out.failed")
    for user in (READER, SENDER):
        office.realm.people[user].trouble = 0
    office.daemon.signal(signal.SIGHUP)
    office.daemon.wait_for("mailbox.recovered", section=BOX)
    office.daemon.wait_for("outbound.sent")
    assert office.daemon.events("reload.applied")[-1]["start"] == []
    assert office.daemon.stop() == 0


@pytest.mark.parametrize("grant_type", ["password", "authorization_code"])
def test_authority_that_hangs_does_not_hold_up_the_end(office: Office, grant_type: str) -> None:
    opened, waiting = threading.Event(), threading.Semaphore(0)

    def judge(asked: Asked) -> Said | None:
        waiting.release()
        opened.wait(120)
        return None

    section = seldom(office, grant_type)
    (office.daemon.home / "state").mkdir(mode=0o700)
    office.daemon.configure(section)
    if grant_type == "authorization_code":
        sign_in(office)
    office.people.judge = judge
    office.start(section, office.sender())
    assert office.daemon.command("send", *MAIL_OUT).returncode == 0
    try:
        for _ in range(2):
            assert waiting.acquire(timeout=30)
        assert office.daemon.stop() == 0
        assert office.daemon.events("daemon.stopped")[-1]["unfinished"] == 0
    finally:
        opened.set()
