"""Sections that sign in with tokens: their authority, their server and the daemon that has them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

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
        eventually(
            lambda: self.dovecot.open_sessions(READER) == self.dovecot.sessions(READER, tokens)[tokens - 1 :], within=10
        )

    def arrives(self, subject: str, *users: str, within: float = 30) -> None:
        """A mail comes to each of them, and becomes an interaction."""
        before = self.daemon.count("interaction.created")
        for user in users:
            self.dovecot.drop(user, [mail(f"{subject} {before}")])
        self.daemon.wait_for("interaction.created", before + len(users), within=within)


def sign_in(office: Office) -> None:
    """A person signs in for the mailbox that idles."""
    with Login(office.daemon, BOX) as login:
        assert follows(office.authority, login.url, READER) == 200
        code, _, wrong = login.end()
    assert code == 0, wrong
