"""After a sign-in `emaild login` tries what was signed in for, and says what does not work yet."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from emaild.errors import Unreachable
from emaild.interrupts import bounded
from emaild.jobs.trial import trial
from emaild.net.oauth import Sealed
from emaild.settings.mailbox import MailboxType
from tests.adapters.scripts import ImapScript
from tests.adapters.turns import section
from tests.clock import ManualClock
from tests.daemon.harness import Emaild, imap_section, smtp_section
from tests.daemon.signing_in import (
    BOX,
    JOE,
    MARY,
    PERSONS_PASSWORD,
    Login,
    configured,
    follows,
    kept,
    tokens,
)
from tests.servers.authority import Authority
from tests.servers.authorization import AuthorizationServer
from tests.servers.authorization_rules import Client, Person
from tests.servers.dovecot import Dovecot
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.scripted import Dialog, Scripted


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Emaild]:
    (tmp_path / "state").mkdir(mode=0o700)
    with Emaild(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def closed(authority: Authority) -> Iterator[tuple[Dovecot, AuthorizationServer]]:
    """A mail server that takes tokens of nobody but their own users, and its authority."""
    with (
        AuthorizationServer(authority) as known,
        FaultySmtp() as relay,
        Dovecot(authority, introspection=known.introspection_endpoint, relay=relay.smtp) as server,
    ):
        known.realm.people = {name: Person(name, PERSONS_PASSWORD) for name in (MARY, JOE)}
        known.realm.clients = {"emaild": Client("emaild")}
        yield server, known


def tried(
    daemon: Emaild, authority: Authority, section: str, who: str, *arguments: str, name: str = BOX
) -> tuple[int, str, str]:
    """What `login` says in the end, when *who* has signed in."""
    daemon.configure(section)
    with Login(daemon, name, *arguments, tries=True) as login:
        follows(authority, login.url, who)
        code, said, wrong = login.end()
    return code, said.strip().rpartition("\n")[2], wrong


def test_what_a_mailbox_refuses_after_a_good_sign_in_is_told_and_the_sign_in_stays(
    daemon: Emaild, authority: Authority, closed: tuple[Dovecot, AuthorizationServer]
) -> None:
    server, known = closed
    section = imap_section(BOX, server.imaps, MARY, authority, **tokens(known))
    code, said, wrong = tried(daemon, authority, section, JOE, "--shared")
    assert (code, len(kept(daemon)), wrong.count("\n")) == (os.EX_UNAVAILABLE, 1, 1)
    assert f"{JOE} signed in for {MARY}" in said
    assert f"the sign-in is kept, but [{BOX}] does not work yet" in wrong
    assert ": sign in: the token was refused" in wrong
    assert "may this user, or the application, use the mailbox" in wrong


def test_a_folder_that_is_not_there_is_told(
    daemon: Emaild, authority: Authority, closed: tuple[Dovecot, AuthorizationServer]
) -> None:
    server, known = closed
    section = imap_section(BOX, server.imaps, MARY, authority, **tokens(known, **{"folder-path": "Nowhere"}))
    code, _, wrong = tried(daemon, authority, section, MARY)
    assert (code, ": open folder Nowhere: " in wrong, "is folder-path right?" in wrong) == (69, True, True), wrong


def test_a_server_that_is_not_there_may_be_there_later(
    daemon: Emaild, authority: Authority, people: AuthorizationServer, free_port: Callable[[], int]
) -> None:
    section = imap_section(BOX, free_port(), MARY, authority, **tokens(people))
    code, _, wrong = tried(daemon, authority, section, MARY)
    assert (code, ": connect: Connection refused; it may pass by itself" in wrong) == (os.EX_TEMPFAIL, True), wrong
    assert len(kept(daemon)) == 1


def test_a_way_out_is_tried_too(
    daemon: Emaild, authority: Authority, closed: tuple[Dovecot, AuthorizationServer]
) -> None:
    server, known = closed
    given = {
        **tokens(known, protocol="smtp"),
        "server": "localhost",
        "user": MARY,
        "ca-file": authority.ca_file,
        "enable-authentication": "true",
        "smtp-connection-security": "start-tls",
    }
    code, said, wrong = tried(daemon, authority, smtp_section(server.submission, **given), MARY, name="smtp-client")
    assert (code, said, wrong) == (0, f"[smtp-client] works: {MARY} is signed in at localhost", "")


def test_a_server_that_never_comes_to_an_end_is_left(scripted: Callable[..., Scripted], tmp_path: Path) -> None:
    """It says something often enough never to be silent for too long."""

    def goes_on(dialog: Dialog, tag: str, rest: str) -> None:
        while True:
            dialog.send("* OK wait")

    made = section(MailboxType.IMAP, scripted(ImapScript({}, {"LOGIN": goes_on})).port, "x")
    with pytest.raises((TimeoutError, Unreachable)), bounded(0.2):
        list(trial(made, proxy=None, sealed=Sealed(tmp_path), clock=ManualClock()))


def test_an_authority_that_is_not_there_is_told(
    daemon: Emaild, authority: Authority, people: AuthorizationServer, free_port: Callable[[], int]
) -> None:
    configured(daemon, authority, people, **{"tenant-authority": f"https://localhost:{free_port()}"})
    done = daemon.command("login", BOX)
    told = "Connection refused; are tenant-authority and [proxy] right?\n"
    assert (done.returncode, told in done.stderr, done.stdout) == (os.EX_NOPERM, True, ""), done.stderr


def test_ctrl_c_ends_it_and_keeps_nothing(daemon: Emaild, authority: Authority, people: AuthorizationServer) -> None:
    configured(daemon, authority, people)
    with Login(daemon, BOX) as login:
        assert login.url
        login.interrupt()
        code, _, wrong = login.end()
    assert (code, wrong) == (130, "")
    assert kept(daemon) == []


def test_how_to_sign_in_from_a_machine_with_a_browser_is_told(
    daemon: Emaild, authority: Authority, people: AuthorizationServer
) -> None:
    configured(daemon, authority, people)
    with Login(daemon, BOX) as login:
        back = urlsplit(dict(parse_qsl(urlsplit(login.url).query))["redirect_uri"])
        assert login.first(r"ssh -L (\d+):127\.0\.0\.1:(\d+) ").groups() == (str(back.port),) * 2
