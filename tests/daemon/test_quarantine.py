"""Mails that emaild itself fails on, with the real daemon: held, shown, tried again; the others arrive once."""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

import pytest

from emaild.fault_points import VARIABLE, FaultPoint
from emaild.jobs.quarantine import MOST_DEATHS
from tests.daemon.broken_build import ENDS, RAISES, broken_build
from tests.daemon.harness import Emaild, imap_section, pop3_section, smtp_section
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.wait import eventually

KILLED = -9


def mail(number: int, *lines: str) -> bytes:
    header = [f"Subject: mail {number}", f"Message-ID: <{number}@x>", "From: ann@example.com", *lines]
    return "\r\n".join([*header, "", "hello", ""]).encode()


def subjects(*numbers: int) -> list[str]:
    return sorted(f"mail {number}" for number in numbers)


def arrived(daemon: Emaild) -> list[str]:
    return sorted(entry.facts.subject for entry in daemon.interactions())


@pytest.mark.parametrize("after", ["seen", "delete", "pop3-leave", "pop3-delete"])
def test_a_mail_that_raises_is_held_and_becomes_an_interaction_after_an_upgrade(
    dovecot: Dovecot, authority: Authority, tmp_path: Path, after: str
) -> None:
    user = f"held-{after}"
    bad = mail(2, RAISES)
    dovecot.drop(user, [mail(1), bad, mail(3)])
    kind, _, rest = after.rpartition("-")
    make, port = (pop3_section, dovecot.pop3s) if kind == "pop3" else (imap_section, dovecot.imaps)
    broken = broken_build(tmp_path / "broken")
    with Emaild(tmp_path / "home") as daemon:
        daemon.configure(make("pop-client", port, user, authority, first_fetch="all", after_fetch=rest))
        daemon.start(broken)
        daemon.wait_for("mail.held")
        eventually(lambda: len(daemon.interactions()) == 2, within=20)
        if rest == "delete":
            eventually(lambda: not dovecot.held(user), within=20)
        (held,) = daemon.listed("inbox", "--held")
        assert (held["mailbox"], held["how"], held["error"]) == (
            "pop-client",
            "raised",
            "ValueError: no sense in this mail",
        )
        (event,) = daemon.events("mail.held")
        assert (event["held"], event["reason"]) == (held["id"], "ValueError")
        assert "in opened" in daemon.command("inbox", "--held", held["id"]).stdout
        assert daemon.command("inbox", "--held", held["id"], "--raw").stdout.encode() == bad.replace(b"\r\n", b"\n")

        again = daemon.command("inbox", "--again", held["id"], environment=broken)
        assert (again.returncode, again.stdout) == (os.EX_DATAERR, "")
        assert again.stderr.endswith(f"mail {held['id']} stays held: {held['error']}\n")
        assert [one["id"] for one in daemon.listed("inbox", "--held")] == [held["id"]]

        again = daemon.command("inbox", "--again", held["id"])  # beside the daemon, which is not upgraded yet
        assert again.returncode == os.EX_OK, again.stderr
        made = {entry.id: entry.facts.subject for entry in daemon.interactions()}
        assert made[again.stdout.strip()] == "mail 2"
        assert daemon.listed("inbox", "--held") == []
        daemon.stop()
        daemon.start()
        assert arrived(daemon) == subjects(1, 2, 3)
        assert bad in daemon.raws()


def test_all_held_mails_are_tried_again_and_those_that_fail_stay(
    dovecot: Dovecot, authority: Authority, tmp_path: Path
) -> None:
    dovecot.drop("held-all", [mail(1, RAISES), mail(2, RAISES)])
    broken = broken_build(tmp_path / "broken")
    with Emaild(tmp_path / "home") as daemon:
        daemon.configure(imap_section("pop-client", dovecot.imaps, "held-all", authority, first_fetch="all"))
        daemon.start(broken)
        daemon.wait_for("mail.held", 2)
        daemon.stop()
        again = daemon.command("inbox", "--again", "all", environment=broken)
        assert again.returncode == os.EX_DATAERR
        assert again.stderr.count("stays held: ValueError") == 2
        again = daemon.command("inbox", "--again", "all")
        assert (again.returncode, len(again.stdout.split())) == (os.EX_OK, 2)
        assert arrived(daemon) == subjects(1, 2)


def test_a_held_mail_of_a_section_that_is_gone_stays_and_says_so(
    dovecot: Dovecot, authority: Authority, tmp_path: Path
) -> None:
    dovecot.drop("held-gone", [mail(1, RAISES)])
    with Emaild(tmp_path / "home") as daemon:
        daemon.configure(imap_section("pop-client", dovecot.imaps, "held-gone", authority, first_fetch="all"))
        daemon.start(broken_build(tmp_path / "broken"))
        daemon.wait_for("mail.held")
        daemon.stop()
        daemon.configure(smtp_section(1))
        again = daemon.command("inbox", "--again", "all")
        assert again.returncode == os.EX_DATAERR
        assert "stays held: the conf files have no section pop-client" in again.stderr
        assert len(daemon.listed("inbox", "--held")) == 1


@pytest.mark.parametrize("kind", ["imap", "pop3"])
def test_a_mail_that_ends_the_process_each_time_is_held_and_the_others_arrive_once(
    dovecot: Dovecot, authority: Authority, tmp_path: Path, kind: str
) -> None:
    name = f"ends-{kind}"
    section, port = (pop3_section, dovecot.pop3s) if kind == "pop3" else (imap_section, dovecot.imaps)
    dovecot.drop(name, [mail(1), mail(2, ENDS), mail(3)])
    dovecot.drop(f"{name}-other", [mail(number) for number in range(10, 30)])
    broken = broken_build(tmp_path / "broken")
    with Emaild(tmp_path / "home") as daemon:
        daemon.configure(
            section("pop-client", port, name, authority, first_fetch="all", after_fetch="delete"),
            section("pop-client1", port, f"{name}-other", authority, first_fetch="all", after_fetch="delete"),
        )
        for _ in range(1 + MOST_DEATHS):
            daemon.start(broken, wait=False)
            assert daemon.wait() == 139
        daemon.start(broken)
        daemon.wait_for("mail.held")
        eventually(lambda: not dovecot.held(name) and not dovecot.held(f"{name}-other"), within=20)
        assert daemon.ended() is None
        assert arrived(daemon) == subjects(1, 3, *range(10, 30))
        (held,) = daemon.listed("inbox", "--held")
        assert held["how"] == "ended the process"
        daemon.stop()
        assert daemon.command("inbox", "--again", held["id"], environment=broken).returncode == 139
        assert len(daemon.listed("inbox", "--held")) == 1
        assert daemon.command("inbox", "--again", held["id"]).returncode == os.EX_OK
        assert arrived(daemon) == subjects(1, 2, 3, *range(10, 30))


def test_kill_at_random_places_holds_nobody_and_doubles_nothing(
    dovecot: Dovecot, authority: Authority, tmp_path: Path
) -> None:
    chance = random.Random(7)
    count = 150
    dovecot.drop("random", [mail(number) for number in range(count)])
    with Emaild(tmp_path) as daemon:
        daemon.configure(
            imap_section("pop-client", dovecot.imaps, "random", authority, first_fetch="all", maximum_msg_number=6)
        )
        for _ in range(8):
            point = chance.choice([point for point in FaultPoint if point.label.startswith("inbound.")])
            nth = chance.randint(1, 60) if point is FaultPoint.UNDERSTANDING else 1
            daemon.start({VARIABLE: f"{point.label}:{nth}"}, wait=False)
            eventually(
                lambda: daemon.ended() is not None or len(daemon.interactions()) == count, within=20, what="an end"
            )
            daemon.kill()
        daemon.start()
        eventually(lambda: len(daemon.interactions()) >= count, within=20)
        eventually(lambda: dovecot.flags("random") == [("\\Seen",)] * count, within=20)
        assert Counter(arrived(daemon)) == Counter(subjects(*range(count)))
        assert daemon.listed("inbox", "--held") == []
