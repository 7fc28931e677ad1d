"""Tokens end while the daemon runs: mailboxes and ways out go on, and come back by themselves where they cannot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.turns import mail
from tests.daemon.harness import Emaild, imap_section, pop3_section, smtp_section
from tests.daemon.moved_clock import MovedClock
from tests.daemon.signing_in import Login, follows
from tests.servers.authority import Authority
from tests.servers.authorization import AuthorizationServer
from tests.servers.authorization_rules import Client, Person
from tests.servers.dovecot import Dovecot
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.wait import eventually

PASSWORD = "pw"  # that which `follows` types
LIFE, MARGIN = 3600, 300  # seconds
READER, POLLER, SENDER = "reader@example.com", "poller@example.com", "sender@example.com"
EVERYBODY = (READER, POLLER, SENDER)
OTHER = "other@example.com"
BOX = "pop-client-imap"


class Office:
    """An authority that may go away, a Dovecot that takes its tokens, and a daemon whose clock is moved."""

    def __init__(self, authority: Authority, folder: Path, stack: ExitStack) -> None:
        self.authority = authority
        self.people = stack.enter_context(AuthorizationServer(authority))
        self.realm = self.people.realm
        self.realm.people = {name: Person(name, PASSWORD) for name in EVERYBODY}
        self.realm.clients = {"emaild": Client("emaild")}
        checks = stack.enter_context(AuthorizationServer(authority))
        checks.realm = self.realm
        self.relay = stack.enter_context(FaultySmtp())
        self.dovecot = stack.enter_context(
            Dovecot(authority, introspection=checks.introspection_endpoint, relay=self.relay.smtp)
        )
        self.clock = MovedClock(folder / "clock")
        self.daemon = stack.enter_context(Emaild(folder))

    def tokens(self, protocol: str, grant_type: str = "password") -> dict[str, Any]:
        """The options of a section that signs in with tokens."""
        return {
            "password": PASSWORD if grant_type == "password" else "",
            "grant-type": grant_type,
            "tenant-authority": self.people.url,
            "directory-id": "contoso",
            "client-id": "emaild",
            f"mail.{protocol}.auth.mechanisms": "XOAUTH2",
        }

    def reader(self, grant_type: str = "password") -> str:
        """A mailbox that idles."""
        options = {**self.tokens("imap", grant_type), "first-fetch": "all", "cycle-time": "1s"}
        return imap_section(BOX, self.dovecot.imaps, READER, self.authority, **options)

    def poller(self) -> str:
        """A mailbox that is looked at every second."""
        options = {**self.tokens("pop3"), "first-fetch": "all"}
        return pop3_section("pop-client-pop3", self.dovecot.pop3s, POLLER, self.authority, **options)

    def sender(self) -> str:
        """A way out that keeps its connection for a day."""
        kept = {"cnx-max-idle-time": "1d", "cnx-check-idle-time": "1s", "token-expiry-margin-time": f"{MARGIN}s"}
        options: dict[str, Any] = {
            **self.tokens("smtp"),
            **kept,
            "server": "localhost",
            "ca-file": self.authority.ca_file,
            "smtp-connection-security": "start-tls",
            "enable-authentication": "true",
            "user": SENDER,
        }
        return smtp_section(self.dovecot.submission, **options)

    def start(self, *sections: str) -> None:
        """Start the daemon with these, and with a mailbox that needs no token."""
        other = imap_section("pop-client-other", self.dovecot.imaps, OTHER, self.authority, first_fetch="all")
        self.daemon.configure(other, *sections)
        self.daemon.start(self.clock.environment)

    def passes(self, seconds: float) -> None:
        """Time passes, and the thread that holds idle connections looks at the clock, for one of them has mail."""
        self.clock.advance(seconds)
        self.arrives("for somebody else", OTHER)

    def asked(self, user: str) -> int:
        """How many tokens that user got."""
        return len([form for form in self.people.grants if form.get("username") == user])

    def renews(self, tokens: int, *users: str) -> None:
        """Each of them gets that token, and the one who idles idles with it, though no mail came."""
        for user in users:
            eventually(lambda user=user: self.asked(user) == tokens, within=30, what=f"a token for {user}")  # type: ignore[misc]
        eventually(lambda: self.dovecot.open_sessions(READER) == self.dovecot.sessions(READER)[tokens - 1 :], within=10)

    def arrives(self, subject: str, *users: str, within: float = 30) -> None:
        """A mail comes to each of them, and becomes an interaction."""
        before = self.daemon.count("interaction.created")
        for user in users:
            self.dovecot.drop(user, [mail(f"{subject} {before}")])
        self.daemon.wait_for("interaction.created", before + len(users), within=within)


@pytest.fixture
def office(authority: Authority, tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(authority, tmp_path, stack)


def test_idle_polls_and_a_kept_way_out_go_on_with_a_new_token_before_the_old_one_ends(office: Office) -> None:
    office.start(office.reader(), office.poller(), office.sender())
    for life in (1, 2, 3):
        office.arrives("a mail", READER, POLLER)
        mail_out = ("--from", SENDER, "--to", "a@example.net", "--subject", "x", "--text", "x\n")
        assert office.daemon.command("send", *mail_out).returncode == 0
        office.daemon.wait_for("outbound.sent", life)
        assert len(office.dovecot.sessions(READER)) == len(office.dovecot.sessions(SENDER)) == life
        assert [office.asked(user) for user in EVERYBODY] == [life] * 3
        office.passes(LIFE - MARGIN + 1)
        office.renews(life + 1, READER, POLLER)
    assert office.daemon.stop() == 0
    assert office.daemon.count("mailbox.failed") == office.daemon.count("way_out.failed") == 0


def test_an_authority_that_is_away_costs_nothing_while_the_token_lasts_and_then_a_while(office: Office) -> None:
    office.start(office.reader())
    office.arrives("one", READER)
    office.people.stop()
    office.passes(LIFE - MARGIN + 1)
    office.daemon.wait_for("token.not_renewed")
    office.arrives("two", READER)
    assert office.daemon.count("mailbox.failed") == 0
    office.passes(MARGIN)
    office.daemon.wait_for("mailbox.failed", within=30)
    office.people.start()
    office.clock.advance(LIFE)
    office.arrives("three", READER, within=60)
    office.daemon.wait_for("mailbox.recovered")
    assert office.daemon.stop() == 0


def test_a_sign_in_that_was_revoked_is_told_and_a_new_one_is_used_without_a_restart(office: Office) -> None:
    section = office.reader("authorization_code")
    (office.daemon.home / "state").mkdir(mode=0o700)
    office.daemon.configure(section)
    sign_in(office)
    office.start(section)
    office.arrives("one", READER)
    office.realm.revoke(READER)
    office.passes(LIFE)
    told = office.daemon.wait_for("mailbox.failed", within=30)[-1]
    assert f"emaild login {BOX}" in told["reason"]
    assert told["level"] == "error"
    sign_in(office)
    office.arrives("two", READER, within=60)
    assert office.daemon.count("daemon.started") == 1
    assert office.daemon.count("reload.done") == 0
    assert office.daemon.stop() == 0


def sign_in(office: Office) -> None:
    with Login(office.daemon, BOX) as login:
        assert follows(office.authority, login.url, READER) == 200
        code, _, wrong = login.end()
    assert code == 0, wrong
