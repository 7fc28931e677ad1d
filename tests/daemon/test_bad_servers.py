"""Servers that are silent, refuse or break off harm nobody else, are told of once, and are left alone for a while."""

from collections.abc import Callable
from pathlib import Path

from tests.daemon.harness import Emaild, imap_section, pop3_section
from tests.servers.authority import Authority
from tests.servers.dovecot import REFUSED, Dovecot
from tests.servers.scripted import Dialog, Scripted, silent
from tests.servers.wait import eventually

IMPATIENT = {"connect_timeout": "1s", "protocol_timeout": "1s"}
PLAIN = {"pop_connection_security": "none"}
LISTS = (("UIDL", "+OK\r\n1 one\r\n2 two\r\n."), ("LIST", "+OK\r\n1 20\r\n2 40\r\n."))


def cuts_off(dialog: Dialog) -> None:
    """A POP3 server that breaks the connection in the middle of its second mail."""
    dialog.send("+OK ready")
    for expected, answer in (("CAPA", "-ERR"), ("USER .*", "+OK"), ("PASS .*", "+OK"), *LISTS):
        dialog.expect(expected)
        dialog.send(answer)
    while (command := dialog.readline()) != b"RETR 2":
        assert command == b"RETR 1"
        dialog.send("+OK", "Subject: whole", "", "hello", ".")
    dialog.send("+OK", "Subject: half of a mail", "", "hel")
    dialog.close()


def test_bad_mailboxes_back_off_and_the_others_go_on(
    dovecot: Dovecot, authority: Authority, scripted: Callable[..., Scripted], tmp_path: Path
) -> None:
    mute, cutter = scripted(silent), scripted(cuts_off)
    with Emaild(tmp_path) as daemon:
        daemon.configure(
            imap_section("pop-client-good", dovecot.imaps, "unharmed", authority),
            imap_section("pop-client-mute", mute.port, "mute", authority, **IMPATIENT, **PLAIN),
            imap_section("pop-client-locked", dovecot.imaps, REFUSED, authority),
            pop3_section("pop-client-cutter", cutter.port, "cutter", authority, first_fetch="all", **PLAIN),
        )
        daemon.start()
        daemon.wait_for("mailbox.failed", 3)
        dovecot.deliver("unharmed", b"Subject: all is well\r\n\r\n")
        daemon.wait_for("interaction.created", section="pop-client-good")

        def states() -> dict[str, dict[str, object]]:
            return {box["name"]: box for box in daemon.listed("mailboxes")}

        wanted = dict.fromkeys(("pop-client-mute", "pop-client-locked", "pop-client-cutter"), "failing")
        wanted["pop-client-good"] = "ok"
        eventually(lambda: {name: box["state"] for name, box in states().items()} == wanted, within=10)
        seen = states()
        assert "no answer in time" in str(seen["pop-client-mute"]["last_error"])
        assert "AUTHENTICATIONFAILED" in str(seen["pop-client-locked"]["last_error"])
        assert "broke" in str(seen["pop-client-cutter"]["last_error"])
        eventually(lambda: cutter.connections >= 3, within=30, what="it is tried again")
        assert daemon.count("mailbox.failed", section="pop-client-cutter") == 1, "told of once"
        assert [entry.facts.subject for entry in daemon.interactions() if entry.mailbox == "pop-client-cutter"] == [
            "whole"
        ]


def test_a_mailbox_whose_server_comes_back_recovers(authority: Authority, tmp_path: Path) -> None:
    with Dovecot(authority) as server, Emaild(tmp_path) as daemon:
        server.kill()
        daemon.configure(imap_section("pop-client", server.imaps, "back", authority, cycle_time="1s"))
        daemon.start()
        daemon.wait_for("mailbox.failed")
        server.start()
        server.deliver("back", b"Subject: back again\r\n\r\n")
        daemon.wait_for("mailbox.recovered", within=30)
        daemon.wait_for("interaction.created")
        server.restart()
        server.deliver("back", b"Subject: and again\r\n\r\n")
        daemon.wait_for("interaction.created", 2, within=30)


def test_one_silent_server_does_not_take_every_worker(
    dovecot: Dovecot, authority: Authority, scripted: Callable[..., Scripted], tmp_path: Path
) -> None:
    """connections-per-host: eight mailboxes of a dead server and two workers for it leave two for the others."""
    mute = scripted(silent)
    stuck = [
        imap_section(f"pop-client-stuck{n}", mute.port, "x", authority, server="127.0.0.1", **PLAIN) for n in range(8)
    ]
    with Emaild(tmp_path) as daemon:
        daemon.configure(
            *stuck,
            imap_section("pop-client-good", dovecot.imaps, "not-stuck", authority),
            head="inbound-workers = 4\nconnections-per-host = 2",
        )
        dovecot.drop("not-stuck", [b"Subject: through\r\n\r\n"])
        daemon.start()
        daemon.wait_for("interaction.created", section="pop-client-good")
        assert mute.connections <= 2
