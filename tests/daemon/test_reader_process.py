"""The process that reads the mails of a full mailbox beside the daemon: a help, and never more than that."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.daemon.harness import Emaild, imap_section
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.processes import is_running
from tests.servers.wait import eventually

pytestmark = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="with one core there is no such process")

SUBJECTS = [f"mail {number}" for number in range(1500)]
MAILS = [b"Subject: %s\r\nMessage-ID: <%s@x>\r\n\r\nhello\r\n" % (s.encode(), s[5:].encode()) for s in SUBJECTS]


@pytest.fixture
def configured(request: pytest.FixtureRequest, dovecot: Dovecot, authority: Authority, tmp_path: Path) -> Emaild:
    """A daemon with a mailbox that is full; a test may give options of [emaild]."""
    user = f"reader-{tmp_path.name}"
    dovecot.drop(user, MAILS)
    daemon = Emaild(tmp_path)
    section = imap_section("pop-client", dovecot.imaps, user, authority, first_fetch="all", maximum_msg_number=500)
    daemon.configure(section, head=getattr(request, "param", ""))
    return daemon


def all_taken_once(daemon: Emaild) -> None:
    eventually(lambda: len(daemon.interactions()) >= len(SUBJECTS), within=60)
    assert sorted(entry.facts.subject for entry in daemon.interactions()) == sorted(SUBJECTS)
    assert sorted(daemon.raws()) == sorted(MAILS)


def test_full_mailbox_is_read_with_its_help_and_it_ends_with_the_daemon(configured: Emaild) -> None:
    with configured as daemon:
        daemon.start()
        all_taken_once(daemon)
        (started,) = daemon.events("reader.started")
        assert is_running(started["process"])
        daemon.stop()
        assert not is_running(started["process"])
        (ended,) = daemon.events("reader.ended")
        assert ended["mails"] > 0
        assert not daemon.events("reader.failed")


def test_where_it_is_killed_the_daemon_reads_by_itself(configured: Emaild) -> None:
    with configured as daemon:
        daemon.start(wait=False)
        (started,) = eventually(lambda: daemon.events("reader.started"), within=20)
        os.kill(started["process"], signal.SIGKILL)
        all_taken_once(daemon)
        daemon.stop()
        assert len(daemon.events("reader.failed")) <= 1  # none where all were taken before it was killed


def test_where_the_daemon_is_killed_it_ends_and_nothing_is_lost_or_doubled(configured: Emaild) -> None:
    with configured as daemon:
        daemon.start(wait=False)
        (started,) = eventually(lambda: daemon.events("reader.started"), within=20)
        eventually(lambda: len(daemon.interactions()) > 300, within=30)
        daemon.kill()
        eventually(lambda: not is_running(started["process"]), within=10)
        daemon.start()
        all_taken_once(daemon)


@pytest.mark.parametrize("configured", ["reader-process = false"], indirect=True)
def test_there_is_none_where_it_is_not_wanted(configured: Emaild) -> None:
    with configured as daemon:
        daemon.start()
        all_taken_once(daemon)
        assert not daemon.events("reader.started")
