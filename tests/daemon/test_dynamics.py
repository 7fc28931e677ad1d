"""What Dynamics 365's e-mail subsystem shows of mails and mailboxes, and SuperOffice's logs, through a daemon."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.adapters.turns import mail
from tests.daemon.harness import Emaild, pop3_section, smtp_section
from tests.daemon.moved_clock import MovedClock
from tests.daemon.signing_in import MARY, Login, follows, knowing, tokens
from tests.daemon.test_sending_waits import DAY, send, states
from tests.servers.authority import Authority
from tests.servers.authorization import AuthorizationServer
from tests.servers.authorization_rules import Client
from tests.servers.dovecot import Dovecot
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.graph import GraphServer
from tests.servers.wait import eventually

ANN = "ann@example.com"
WAITING = ("QUEUED", "DEFERRED")
FULL = "452 4.2.2 Mailbox full, come again"


def test_dynamics_3_a_mail_that_cannot_be_sent_expires_after_30_days_where_message_lifetime_is_0(
    free_port: Callable[[], int], tmp_path: Path
) -> None:
    clock = MovedClock(tmp_path / "clock")
    with Emaild(tmp_path / "daemon") as daemon:
        daemon.configure(smtp_section(free_port(), message_lifetime=0))
        mail = send(daemon)
        for passed, last in ((29 * DAY, False), (2 * DAY, True)):
            clock.advance(passed)
            before = daemon.count("way_out.failed")
            daemon.start(clock.environment)
            daemon.wait_for("way_out.failed", before + 1)
            if last:
                daemon.wait_for("outbound.expired", outbound=mail)
            (state,) = states(daemon).values()
            assert state in (("EXPIRED",) if last else WAITING)
            daemon.stop()


def test_dynamics_4_history_holds_mails_of_both_kinds_with_the_servers_words_for_30_days_where_it_is_0(
    faulty_smtp: Callable[..., FaultySmtp], tmp_path: Path
) -> None:
    clock = MovedClock(tmp_path / "clock")
    server = faulty_smtp(refuse={ANN: "550 5.1.1 no such person"})
    with Emaild(tmp_path / "daemon") as daemon:
        daemon.configure(smtp_section(server.smtp), "[store]\nkeep-history = 0\n")
        older = send(daemon)
        daemon.start(clock.environment)
        daemon.wait_for("outbound.failed")
        clock.advance(2 * DAY)
        kinds = {send(daemon): True, send(daemon, "--batch"): False}
        daemon.wait_for("outbound.failed", 3)
        daemon.stop()
        clock.advance(29 * DAY)
        daemon.start(clock.environment)
        eventually(lambda: older not in states(daemon), within=20, what="the end of what is 31 days old")
        listed = daemon.listed("history")
        assert {one["id"]: one["interactive"] for one in listed} == kinds
        assert all("550 5.1.1 no such person" in one["diagnosis"] for one in listed)


def test_dynamics_6_an_application_with_its_key_sends_as_the_mailbox_of_the_way(
    authority: Authority, tmp_path: Path
) -> None:
    with AuthorizationServer(authority) as people, GraphServer(authority) as graph, Emaild(tmp_path) as daemon:
        people.realm.clients["emaild"] = Client("emaild", secret="the application's")
        graph.accepts = lambda token: people.realm.active(token) is not None
        box = graph.mailbox("support@example.com")
        asked = tokens(people, protocol="smtp") | {"grant-type": "client_credentials", "password": "the application's"}
        del asked["mail.smtp.auth.mechanisms"]
        own = {"server-type": "graph", "server": graph.url, "ca-file": authority.ca_file, "user": box.user}
        daemon.configure(smtp_section(443, **asked | own))
        daemon.start()
        send(daemon, "--batch")
        daemon.wait_for("outbound.sent")
        assert [form["grant_type"] for form in people.grants] == ["client_credentials"]
        assert graph.count("POST /v1.0/users/support@example.com/sendMail") == 1


def test_dynamics_16_exchange_web_services_may_be_chosen_and_their_end_is_told(tmp_path: Path) -> None:
    with Emaild(tmp_path) as daemon:
        server = "https://outlook.office365.com/EWS/Exchange.asmx"
        daemon.configure(smtp_section(443, server_type="ews", server=server, user=ANN, password="secret"))
        done = daemon.command("check")
        assert done.returncode == 0
        assert "Exchange Online blocks EWS" in done.stdout + done.stderr
        assert "type or server-type graph would be right" in done.stdout + done.stderr


@pytest.mark.parametrize("key", ["gone", "another's"])
def test_dynamics_13_secrets_that_were_sealed_elsewhere_ask_for_a_new_sign_in_and_crash_nothing(
    authority: Authority, tmp_path: Path, key: str
) -> None:
    with (
        AuthorizationServer(authority) as people,
        FaultySmtp() as relay,
        Dovecot(authority, introspection=knowing(people).introspection_endpoint, relay=relay.smtp) as server,
        Emaild(tmp_path / "old") as old,
        Emaild(tmp_path / "new") as new,
    ):
        section = smtp_section(
            server.submission,
            server="localhost",
            user=MARY,
            enable_authentication="true",
            smtp_connection_security="start-tls",
            ca_file=authority.ca_file,
            **tokens(people, protocol="smtp"),
        )
        (old.home / "state").mkdir(mode=0o700)
        for daemon in (old, new):
            daemon.configure(section)
        signs_in(old, authority)
        shutil.copytree(old.home / "state", new.home / "state")
        seal = new.home / "state/seal.key"
        seal.unlink() if key == "gone" else seal.write_bytes(secrets.token_bytes(seal.stat().st_size))

        new.start()
        waiting = send(new)
        failed = new.wait_for("way_out.failed")[0]
        assert failed["cause"] == "sign-in-unreadable"
        assert "emaild login smtp-client" in failed["reason"]
        assert "emaild login SECTION" in failed["remedy"]
        assert new.ended() is None
        assert states(new)[waiting] in WAITING
        signs_in(new, authority)
        new.wait_for("outbound.sent", outbound=waiting, within=40)
        assert new.stop() == 0
    assert len(relay.mails) == 1


def signs_in(daemon: Emaild, authority: Authority) -> None:
    """Somebody does, for the way out."""
    with Login(daemon, "smtp-client") as login:
        assert follows(authority, login.url, MARY) == 200
        assert login.end()[0] == 0


def test_superoffice_8_each_item_of_inbox_and_outbox_shows_its_state_its_tries_and_its_last_error_at_length(
    dovecot: Dovecot, authority: Authority, faulty_smtp: Callable[..., FaultySmtp], tmp_path: Path
) -> None:
    server = faulty_smtp(refuse={ANN: FULL})
    dovecot.drop("superoffice-8", [mail("hello")])
    with Emaild(tmp_path) as daemon:
        box = pop3_section("pop-client", dovecot.pop3s, "superoffice-8", authority, first_fetch="all")
        daemon.configure(box, smtp_section(server.smtp))
        daemon.start()
        waiting = send(daemon)
        daemon.wait_for("outbound.deferred", outbound=waiting)
        daemon.wait_for("interaction.created")
        (item,) = daemon.listed("outbox")
        assert (item["id"], item["state"], item["attempts"], item["cause"]) == (waiting, "DEFERRED", 1, "mailbox-full")
        assert FULL in item["diagnosis"]
        told = " ".join(daemon.command("outbox", waiting).stdout.split())
        assert FULL in told
        assert "The recipient's mailbox is full" in told
        server.refuse.clear()
        daemon.command("outbox", waiting, "--retry")
        daemon.wait_for("outbound.sent", outbound=waiting)
        assert daemon.listed("outbox") == []
        assert states(daemon) == {waiting: "SENT"}
        assert [one["id"] for one in daemon.listed("outbox", "--history")] == [waiting]
        (came,) = daemon.listed("inbox")
        assert (came["subject"], came["state"] != "") == ("hello", True)
        assert daemon.listed("inbox", "--held") == []
