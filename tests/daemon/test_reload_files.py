"""The files that a configuration is made of change in every way that files do, and mail goes on flowing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.daemon.harness import Emaild, imap_section
from tests.servers.authority import Authority
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.wait import eventually


def deliver_and_see(daemon: Emaild, dovecot: Dovecot, user: str, subject: str) -> None:
    """A mail for that user becomes an interaction."""
    dovecot.deliver(user, f"Subject: {subject}\r\n\r\nhello\r\n".encode())
    eventually(lambda: subject in {entry.facts.subject for entry in daemon.interactions()}, within=10, what=subject)


def test_included_files_are_followed(dovecot: Dovecot, authority: Authority, tmp_path: Path) -> None:
    """What an included file holds, a new file that a pattern meets, and a file that comes to be included."""
    sites = tmp_path / "elsewhere" / "sites"
    sites.mkdir(parents=True)

    def box(user: str, **options: object) -> str:
        return imap_section(f"pop-client-{user}", dovecot.imaps, user, authority, **options)

    (sites / "a.conf").write_text(box("included-a"))
    with Emaild(tmp_path / "home") as daemon:
        daemon.configure(head=f"include = {sites}/*.conf")
        daemon.start()
        daemon.wait_for("mailbox.first_contact", section="pop-client-included-a")
        (sites / "b.conf").write_text(box("included-b"))
        daemon.wait_for("reload.applied", start=["pop-client-included-b"])
        (sites / "a.conf").write_text(box("included-a", cycle_time="00:00:07"))
        daemon.wait_for("reload.applied", start=["pop-client-included-a"])
        deliver_and_see(daemon, dovecot, "included-a", "for the changed")
        deliver_and_see(daemon, dovecot, "included-b", "for the new")
        order = [row["file"] for row in daemon.listed("show") if "file" in row]
        assert order == [str(daemon.conf), str(sites / "a.conf"), str(sites / "b.conf")]


def test_a_file_that_an_include_named_too_early_is_taken_once_it_is_there(
    dovecot: Dovecot, authority: Authority, tmp_path: Path
) -> None:
    late = tmp_path / "elsewhere" / "late.conf"
    late.parent.mkdir()
    with Emaild(tmp_path / "home") as daemon:
        daemon.configure()
        daemon.start()
        daemon.configure(head=f"include = {late}")
        (refused,) = daemon.wait_for("reload.refused")
        assert refused["faults"] == [
            f"{daemon.conf}:3: [emaild] include: {late}: cannot read the file: No such file or directory"
        ]
        late.write_text(imap_section("pop-client", dovecot.imaps, "included-late", authority))
        daemon.wait_for("reload.applied", start=["pop-client"])
        deliver_and_see(daemon, dovecot, "included-late", "at last")


def test_a_secret_file_that_rotates_is_a_reload(dovecot: Dovecot, authority: Authority, tmp_path: Path) -> None:
    secret = tmp_path / "secrets" / "support"
    secret.parent.mkdir()
    secret.write_text("wrong")
    secret.chmod(0o600)
    with Emaild(tmp_path / "home") as daemon:
        section = imap_section("pop-client", dovecot.imaps, "rotates", authority, password=f"file:{secret}")
        daemon.configure(section)
        daemon.start()
        daemon.wait_for("mailbox.failed")
        draft = secret.with_suffix(".new")
        draft.write_text(PASSWORD)
        draft.replace(secret)
        daemon.wait_for("reload.applied", start=["pop-client"])
        deliver_and_see(daemon, dovecot, "rotates", "with the new password")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_for_a_while_changes_nothing(
    dovecot: Dovecot, authority: Authority, tmp_path: Path
) -> None:
    with Emaild(tmp_path) as daemon:
        daemon.configure(imap_section("pop-client", dovecot.imaps, "unreadable", authority))
        daemon.start()
        daemon.wait_for("mailbox.first_contact")
        daemon.conf.chmod(0)
        (refused,) = daemon.wait_for("reload.refused")
        assert refused["faults"] == [f"{daemon.conf}:1: cannot read the file: Permission denied"]
        deliver_and_see(daemon, dovecot, "unreadable", "all the same")
        daemon.conf.chmod(0o600)
        deliver_and_see(daemon, dovecot, "unreadable", "and after")
        assert len(dovecot.sessions("unreadable", 1)) == 1


def test_a_file_that_is_gone_for_a_while_changes_nothing(
    dovecot: Dovecot, authority: Authority, tmp_path: Path
) -> None:
    with Emaild(tmp_path) as daemon:
        daemon.configure(imap_section("pop-client", dovecot.imaps, "gone-file", authority))
        daemon.start()
        daemon.wait_for("mailbox.first_contact")
        away = daemon.conf.with_suffix(".away")
        daemon.conf.rename(away)
        (refused,) = daemon.wait_for("reload.refused")
        assert refused["faults"] == [f"{daemon.conf}:1: cannot read the file: No such file or directory"]
        away.rename(daemon.conf)
        deliver_and_see(daemon, dovecot, "gone-file", "through it all")
        assert len(dovecot.sessions("gone-file", 1)) == 1


def test_a_half_written_file_is_refused_and_the_whole_one_taken(
    dovecot: Dovecot, authority: Authority, tmp_path: Path
) -> None:
    section = imap_section("pop-client", dovecot.imaps, "half-written", authority)
    with Emaild(tmp_path) as daemon:
        daemon.configure(section)
        daemon.start()
        daemon.wait_for("mailbox.first_contact")
        whole = daemon.conf.read_text() + "cycle-time = 00:00:07\n"
        daemon.conf.write_text(whole[: whole.index("password =") + 3])
        daemon.wait_for("reload.refused")
        deliver_and_see(daemon, dovecot, "half-written", "by what ran before")
        daemon.conf.write_text(whole)
        daemon.wait_for("reload.applied", start=["pop-client"])
        deliver_and_see(daemon, dovecot, "half-written", "by the whole file")


def test_a_warning_is_told_of_once_and_not_at_each_reload(tmp_path: Path) -> None:
    with Emaild(tmp_path) as daemon:
        daemon.configure("[email-processing]\nsocket-timeout = 60\n")
        daemon.start()
        daemon.configure("[store]\nkeep-history = 7\n[email-processing]\nsocket-timeout = 60\n")
        daemon.wait_for("reload.applied")
        assert daemon.count("conf.warned") == 1
