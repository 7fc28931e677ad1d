"""Conf files change while mail flows: what did not change keeps running, what is wrong changes nothing."""

import signal
from collections.abc import Callable
from pathlib import Path

from tests.daemon.harness import Emaild, imap_section, pop3_section, smtp_section
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.wait import eventually


def deliver_and_see(daemon: Emaild, dovecot: Dovecot, user: str, subject: str) -> None:
    """A mail for that user becomes an interaction."""
    dovecot.deliver(user, f"Subject: {subject}\r\n\r\nhello\r\n".encode())
    eventually(lambda: subject in {entry.facts.subject for entry in daemon.interactions()}, within=10, what=subject)


def test_a_reload_touches_only_what_changed(dovecot: Dovecot, authority: Authority, tmp_path: Path) -> None:
    def box(user: str, **options: object) -> str:
        return imap_section(f"pop-client-{user}", dovecot.imaps, user, authority, **options)

    with Emaild(tmp_path) as daemon:
        daemon.configure(box("stays"), box("changes"), box("goes"))
        daemon.start()
        daemon.wait_for("mailbox.first_contact", 3)
        deliver_and_see(daemon, dovecot, "stays", "before")

        daemon.configure(box("stays"), box("changes", cycle_time="00:00:07"), box("comes"))
        (applied,) = daemon.wait_for("reload.applied")
        assert applied["start"] == ["pop-client-changes", "pop-client-comes"]
        assert applied["stop"] == ["pop-client-changes", "pop-client-goes"]
        assert applied["keep"] == 1
        for user in ("stays", "changes", "comes"):
            deliver_and_see(daemon, dovecot, user, f"after, for {user}")

        assert len(dovecot.sessions("stays", 1)) == 1, "an untouched mailbox keeps its session"
        assert len(dovecot.sessions("changes", 2)) == 2
        eventually(lambda: not dovecot.open_sessions("goes"), within=10, what="the removed mailbox's connection ends")
        shown = daemon.listed("show", "pop-client-changes")
        assert next(row["value"] for row in shown if row["option"] == "cycle-time") == "7s"
        eventually(
            lambda: (
                {box["name"] for box in daemon.listed("mailboxes")}
                == {"pop-client-stays", "pop-client-changes", "pop-client-comes"}
            ),
            within=10,
        )


def test_a_broken_file_is_refused_line_by_line_and_what_ran_goes_on(
    dovecot: Dovecot, authority: Authority, tmp_path: Path
) -> None:
    good = imap_section("pop-client", dovecot.imaps, "unbroken", authority)
    with Emaild(tmp_path) as daemon:
        daemon.configure(good)
        daemon.start()
        daemon.wait_for("mailbox.first_contact")
        daemon.configure(good + "cycle-tim = 00:00:05\nport = lots\n", "[pop-clint]\n")
        (refused,) = daemon.wait_for("reload.refused")
        lines = daemon.conf.read_text(encoding="utf-8").splitlines()
        first_port = next(number for number, line in enumerate(lines, start=1) if line.startswith("port"))
        assert refused["faults"] == [
            f"{daemon.conf}:{lines.index('cycle-tim = 00:00:05') + 1}: [pop-client] cycle-tim: unknown option;"
            " did you mean cycle-time?",
            f"{daemon.conf}:{lines.index('port = lots') + 1}: [pop-client] port: it stands already at"
            f" {daemon.conf}:{first_port}; keep one of the two",
            f"{daemon.conf}:{lines.index('[pop-clint]') + 1}: [pop-clint]: unknown section; did you mean pop-client?",
        ]
        deliver_and_see(daemon, dovecot, "unbroken", "in spite of it")
        assert len(dovecot.sessions("unbroken", 1)) == 1

        daemon.configure(good + "cycle-time = 00:00:05\n")
        daemon.wait_for("reload.applied")
        deliver_and_see(daemon, dovecot, "unbroken", "with a good file again")


def test_a_hangup_signal_reloads_at_once_and_unchanged_files_change_nothing(
    dovecot: Dovecot, authority: Authority, tmp_path: Path
) -> None:
    with Emaild(tmp_path) as daemon:
        daemon.configure(imap_section("pop-client", dovecot.imaps, "hangup", authority))
        daemon.start()
        daemon.wait_for("mailbox.first_contact")
        daemon.signal(signal.SIGHUP)
        (applied,) = daemon.wait_for("reload.applied")
        assert (applied["keep"], applied["start"], applied["stop"]) == (1, [], [])


def test_a_mailbox_in_conf_d_comes_and_goes(dovecot: Dovecot, authority: Authority, tmp_path: Path) -> None:
    more = tmp_path / "conf.d"
    with Emaild(tmp_path) as daemon:
        daemon.configure()
        daemon.start()
        daemon.wait_for("daemon.idle")
        more.mkdir()
        (more / "sales.conf").write_text(
            pop3_section("pop-client-sales", dovecot.pop3s, "sales", authority), encoding="utf-8"
        )
        daemon.wait_for("reload.applied", start=["pop-client-sales"])
        daemon.wait_for("mailbox.first_contact", section="pop-client-sales")
        deliver_and_see(daemon, dovecot, "sales", "for conf.d")
        (more / "sales.conf").unlink()
        daemon.wait_for("reload.applied", stop=["pop-client-sales"])


def test_mails_wait_for_a_way_out_that_was_taken_away(faulty_smtp: Callable[..., FaultySmtp], tmp_path: Path) -> None:
    server = faulty_smtp(replies={"RCPT": ["450 4.2.0 later"]})
    way = smtp_section(server.smtp, retry_first="3s", retry_maximum="3s")
    with Emaild(tmp_path) as daemon:
        daemon.configure(way)
        daemon.start()
        daemon.command("send", "--from", "a@example.com", "--to", "b@example.com")
        daemon.wait_for("outbound.deferred")
        daemon.configure()
        daemon.wait_for("reload.applied", stop=["smtp-client"])
        assert len(daemon.listed("outbox")) == 1
        daemon.configure(way)
        daemon.wait_for("outbound.sent")


def test_options_that_need_a_restart_are_named(tmp_path: Path) -> None:
    with Emaild(tmp_path) as daemon:
        daemon.configure()
        daemon.start()
        daemon.configure(head="inbound-workers = 3")
        daemon.wait_for("reload.needs_restart", options=["[emaild] inbound-workers"])
