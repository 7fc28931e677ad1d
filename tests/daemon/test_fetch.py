"""`emaild fetch`: the running daemon looks into mailboxes at once, also into those that are read by hand only."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from emaild.jobs.fetches import FOLDER
from tests.adapters.scripts import ImapScript, stays_silent
from tests.adapters.turns import mail
from tests.daemon.harness import Emaild, imap_section, pop3_section
from tests.daemon.test_api import program
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.scripted import Scripted
from tests.servers.wait import eventually

BY_HAND = {"cycle_time": "0", "first_fetch": "all", "after_fetch": "leave"}


@pytest.mark.parametrize("make", [imap_section, pop3_section])
def test_a_mailbox_by_hand_is_read_where_somebody_asks_and_at_no_other_time(
    dovecot: Dovecot, authority: Authority, tmp_path: Path, make: Callable[..., str]
) -> None:
    """Not at the start, not at a reload, not when a signal asks for one; IDLE tells of nothing."""
    user = f"by-hand-{make.__name__[:4]}"
    port = dovecot.imaps if make is imap_section else dovecot.pop3s
    dovecot.drop(user, [mail("one"), mail("two")])
    with Emaild(tmp_path) as daemon:
        daemon.configure(make("pop-client", port, user, authority, **BY_HAND))
        daemon.start()
        daemon.configure(make("pop-client", port, user, authority, **BY_HAND, maximum_msg_number=1))
        daemon.wait_for("reload.applied")
        assert dovecot.sessions(user) == []
        done = daemon.command("fetch", "POP-CLIENT")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.split()[-3:] == ["pop-client", "2", "0"]
        assert len(daemon.interactions()) == 2
        eventually(lambda: not dovecot.open_sessions(user), within=10)
        sessions = len(dovecot.sessions(user, 1))
        dovecot.drop(user, [mail("three")])
        assert [row["next_due"] for row in daemon.listed("mailboxes")] == [None]
        assert daemon.listed("fetch") == [
            {"section": "pop-client", "taken": 1, "left": 0, "error": "", "temporary": True}
        ]
        assert len(dovecot.sessions(user, sessions + 1)) > sessions
        assert daemon.stop() == 0
        assert [*(tmp_path / "state" / FOLDER).iterdir()] == []


def test_what_fails_is_told_beside_what_works(
    dovecot: Dovecot, authority: Authority, free_port: Callable[[], int], tmp_path: Path
) -> None:
    dovecot.drop("fetch-works", [mail("one"), mail("large", "x" * 5000)])
    works = imap_section(
        "pop-client", dovecot.imaps, "fetch-works", authority, **BY_HAND, maximum_msg_size="1k", type="POP3"
    ).replace(f"port = {dovecot.imaps}", f"port = {dovecot.pop3s}")
    down = imap_section("pop-client-down", free_port(), "joe", authority, **BY_HAND)
    wrong = imap_section("pop-client-wrong", dovecot.imaps, "joe", authority, **BY_HAND, password="no")
    rests = imap_section("pop-client-rests", dovecot.imaps, "joe", authority, **BY_HAND, enable_client="false")
    with Emaild(tmp_path) as daemon:
        daemon.configure(works, down, wrong, rests)
        daemon.start()
        done = daemon.command("fetch", "pop-client", "pop-client-down")
        assert done.returncode == os.EX_TEMPFAIL
        (_, first, second) = done.stdout.splitlines()
        assert first.split() == ["pop-client", "1", "1"]
        assert "Connection refused" in second
        done = daemon.command("fetch")
        assert done.returncode == os.EX_UNAVAILABLE
        assert "AUTHENTICATIONFAILED" in done.stdout
        assert "rests" not in done.stdout
        for given, words in (
            ("nowhere", "there is no [pop-client...] section nowhere; those that are there: pop-client, "),
            ("pop-client-rests", "[pop-client-rests] is not read: its enable-client is false"),
        ):
            done = daemon.command("fetch", given)
            assert (done.returncode, done.stdout) == (os.EX_USAGE, "")
            assert words in done.stderr


def test_a_mailbox_that_is_read_every_so_often_is_read_at_once(
    dovecot: Dovecot, authority: Authority, tmp_path: Path
) -> None:
    with Emaild(tmp_path) as daemon:
        daemon.configure(
            imap_section("pop-client", dovecot.imaps, "fetch-often", authority, cycle_time="1h", idle="false")
        )
        daemon.start()
        daemon.wait_for("mailbox.first_contact")
        dovecot.drop("fetch-often", [mail("one")])
        assert daemon.command("fetch", "--no-wait").returncode == 0
        daemon.wait_for("interaction.created")
        assert [*(tmp_path / "state" / FOLDER).iterdir()] == []


def test_without_a_daemon_nobody_waits(dovecot: Dovecot, authority: Authority, tmp_path: Path) -> None:
    """Nor is it read at the next start, though it was asked for."""
    with Emaild(tmp_path) as daemon:
        daemon.configure(imap_section("pop-client", dovecot.imaps, "fetch-nobody", authority, **BY_HAND))
        done = daemon.command("fetch")
        assert (done.returncode, done.stdout) == (os.EX_CANTCREAT, "")
        assert "no daemon runs on" in done.stderr


@pytest.mark.parametrize("ends", ["daemon", "patience"])
def test_a_server_that_says_nothing_keeps_nobody_for_ever(
    scripted: Callable[..., Scripted], authority: Authority, tmp_path: Path, ends: str
) -> None:
    server = scripted(ImapScript({1: mail("one")}, {"SELECT": stays_silent, "EXAMINE": stays_silent}))
    section = imap_section("pop-client", server.port, "joe", authority, **BY_HAND, pop_connection_security="none")
    with Emaild(tmp_path) as daemon:
        daemon.configure(section)
        daemon.start()
        if ends == "daemon":
            with ThreadPoolExecutor(1) as others:
                fetch = others.submit(daemon.command, "fetch")
                eventually(lambda: server.connections, within=10)
                daemon.kill()
                done = fetch.result()
            assert "the daemon ended" in done.stdout
        else:
            done = daemon.command("fetch", "--within", "1s")
            assert "it is not at its end yet" in done.stdout
        assert done.returncode == os.EX_TEMPFAIL


def test_a_look_of_several_turns_is_told_once_as_a_whole(
    dovecot: Dovecot, authority: Authority, tmp_path: Path
) -> None:
    dovecot.drop("fetch-turns", [mail(f"mail {number}") for number in range(25)])
    with Emaild(tmp_path) as daemon:
        daemon.configure(
            imap_section("pop-client", dovecot.imaps, "fetch-turns", authority, **BY_HAND, maximum_msg_number=1)
        )
        daemon.start()
        assert [(row["taken"], row["left"]) for row in daemon.listed("fetch")] == [(25, 0)]
        assert [(row["taken"], row["left"]) for row in daemon.listed("fetch")] == [(0, 0)]


def test_a_program_has_a_mailbox_by_hand_read_over_http(
    dovecot: Dovecot, authority: Authority, free_port: Callable[[], int], tmp_path: Path
) -> None:
    port = str(free_port())
    dovecot.drop("fetch-http", [mail("one")])
    with Emaild(tmp_path) as daemon:
        box = imap_section("pop-client", dovecot.imaps, "fetch-http", authority, **BY_HAND)
        daemon.configure(box, f"[api]\nlisten = 127.0.0.1:{port}\n")
        daemon.start()
        token = (tmp_path / "state/api-token").read_text(encoding="ascii").strip()
        with program(port, token) as client:
            eventually(lambda: client.get("/readyz").status_code == 200)
            assert dovecot.sessions("fetch-http") == []
            assert client.post("/v1/mailboxes/pop-client/poll").status_code == 202
            daemon.wait_for("interaction.created")
