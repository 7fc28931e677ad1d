"""`emaild add` where a person signs in: new mailboxes, and those that are turned from their password to a token."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest

from tests.adapters.turns import mail
from tests.daemon.adding import CLOSED, AtTerminal, files, imap_flags, secret_file, smtp_flags
from tests.daemon.harness import COMMAND, Emaild, imap_section
from tests.daemon.signing_in import JOE, MARY, PERSONS_PASSWORD, follows, kept
from tests.servers.authority import Authority
from tests.servers.authorization import AuthorizationServer
from tests.servers.authorization_rules import Person
from tests.servers.dovecot import Dovecot
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.graph import GraphServer

BOX, WAY = "pop-client-mary", "smtp-client-mary"
UPN = "mary@contoso.onmicrosoft.com"


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Emaild]:
    (tmp_path / "state").mkdir(mode=0o700)
    with Emaild(tmp_path) as made:
        made.configure()
        yield made


@pytest.fixture
def clouds(
    authority: Authority, people: AuthorizationServer, faulty_smtp: Callable[..., FaultySmtp]
) -> Iterator[Dovecot]:
    """Reads and sends with a token."""
    with Dovecot(authority, introspection=people.introspection_endpoint, relay=faulty_smtp().smtp) as server:
        yield server


class Adding:
    """`emaild add` under way, without a terminal."""

    def __init__(self, daemon: Emaild, *arguments: str) -> None:
        pipe = subprocess.PIPE
        command = [*COMMAND, "add", "--conf", str(daemon.conf), "--no-browser", *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def first(self, pattern: str) -> re.Match[str]:
        """The first line of its output in which that is found."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        for line in self.process.stdout:
            if found := re.search(pattern, line):
                return found
        raise AssertionError(self.process.stderr.read())

    @property
    def url(self) -> str:
        """The page to sign in on."""
        return self.first(r"^https://\S+$")[0]

    def end(self) -> tuple[int, str, str]:
        """Its exit code, and what else it said."""
        said, wrong = self.process.communicate(timeout=90)
        return self.process.returncode, said, wrong


def by_token(people: AuthorizationServer) -> list[str]:
    """Who gives tokens."""
    return ["--oauth", "--client-id", "emaild", "--authority", people.url, "--tenant", "contoso"]


def test_a_person_signs_in_once_and_the_daemon_reads_and_sends(
    daemon: Emaild, authority: Authority, people: AuthorizationServer, clouds: Dovecot
) -> None:
    daemon.start()
    flags = [*imap_flags(clouds.imaps, authority), *smtp_flags(clouds.submission), *by_token(people)]
    with Adding(daemon, MARY, *flags) as adding:
        assert follows(authority, adding.url, MARY) == 200
        code, said, wrong = adding.end()
    assert (code, wrong) == (0, "")
    assert said.endswith(f"the daemon reads [{BOX}]\n")
    assert daemon.count("mailbox.failed") == 0, "its token was there before the section"
    assert len(kept(daemon)) == 1
    text = files(daemon)[f"{BOX}.conf"].decode()
    assert text.count("grant-type = authorization_code\n") == 2
    assert "password" not in text
    assert daemon.command("send", "--from", MARY, "--to", JOE, "--text", "t").returncode == 0
    daemon.wait_for("outbound.sent", section=WAY)
    assert daemon.stop() == 0


def test_a_mailbox_of_graph_is_added_by_a_code_that_is_typed_elsewhere(
    daemon: Emaild, authority: Authority, people: AuthorizationServer
) -> None:
    with GraphServer(authority) as graph:
        graph.mailbox(MARY)
        graph.accepts = lambda token: people.realm.active(token) is not None
        server = ["--type", "graph", "--server", graph.url, "--ca-file", str(authority.ca_file)]
        with Adding(daemon, MARY, *server, *by_token(people), "--device") as adding:
            people.realm.approve(adding.first(r"type this code: (\w+)$")[1], MARY)
            code, said, wrong = adding.end()
    assert (code, wrong) == (0, ""), said
    text = files(daemon)[f"{BOX}.conf"].decode()
    assert f"[{BOX}]\ntype = GRAPH\nserver = {graph.url}\n" in text
    assert f"[{WAY}]\nserver-type = graph\n" in text
    assert daemon.command("check").returncode == 0


def test_what_a_person_signed_in_with_is_not_kept_where_the_mailbox_does_not_work(
    daemon: Emaild, authority: Authority, people: AuthorizationServer
) -> None:
    flags = [*imap_flags(CLOSED, authority), "--no-smtp", *by_token(people)]
    with Adding(daemon, MARY, *flags) as adding:
        follows(authority, adding.url, MARY)
        code, _, wrong = adding.end()
    assert (code, "nothing was written" in wrong) == (os.EX_TEMPFAIL, True)
    assert (kept(daemon), files(daemon)) == ([], {})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_sign_in_that_is_broken_off_leaves_nothing(
    daemon: Emaild, authority: Authority, people: AuthorizationServer, tmp_path: Path, number: signal.Signals
) -> None:
    with Adding(daemon, MARY, *imap_flags(CLOSED, authority), "--no-smtp", *by_token(people)) as adding:
        assert adding.url
        adding.process.send_signal(number)
        assert adding.end()[0] == 130
    assert sorted(path.name for path in tmp_path.iterdir()) == ["emaild.conf", "state"]
    assert list((tmp_path / "state").iterdir()) == []


def test_superoffice_4_a_user_whose_name_is_not_the_address_is_told_how_to_say_so(
    daemon: Emaild, authority: Authority, people: AuthorizationServer, clouds: Dovecot
) -> None:
    people.realm.people[UPN] = Person(UPN, PERSONS_PASSWORD)
    flags = [*imap_flags(clouds.imaps, authority), "--no-smtp", *by_token(people)]
    with Adding(daemon, MARY, *flags) as adding:
        follows(authority, adding.url, UPN)
        code, _, wrong = adding.end()
    assert code == os.EX_NOPERM
    assert f"{UPN} signed in, but [{BOX}] is for {MARY}, so nothing was kept" in wrong
    assert "--shared" in wrong
    assert f"where {MARY} is signed in to by another name, that is --user" in wrong
    assert (kept(daemon), files(daemon)) == ([], {})
    with Adding(daemon, MARY, *flags, "--user", UPN) as adding:
        follows(authority, adding.url, UPN)
        code, _, wrong = adding.end()
    assert (code, wrong) == (0, "")
    assert f"mailbox = {UPN}\naddress = {MARY}\n" in files(daemon)[f"{BOX}.conf"].decode()


def test_superoffice_4_a_shared_mailbox_is_opened_by_whoever_may(
    daemon: Emaild, authority: Authority, people: AuthorizationServer
) -> None:
    flags = [*imap_flags(CLOSED, authority), "--no-smtp", *by_token(people), "--no-check"]
    with Adding(daemon, MARY, *flags) as adding:
        follows(authority, adding.url, JOE)
        assert adding.end()[0] == os.EX_NOPERM
    with Adding(daemon, MARY, *flags, "--shared") as adding:
        follows(authority, adding.url, JOE)
        code, said, _ = adding.end()
    assert (code, f"{JOE} signed in for {MARY}" in said) == (0, True)
    assert len(kept(daemon)) == 1


def test_superoffice_6_changing_to_oauth_keeps_the_mailbox_its_mails_and_settings(
    daemon: Emaild, authority: Authority, people: AuthorizationServer, clouds: Dovecot
) -> None:
    daemon.start()
    clouds.drop(MARY, [mail("one")])
    flags = [*imap_flags(clouds.imaps, authority), *smtp_flags(clouds.submission), "--option", "first-fetch=all"]
    done = daemon.command("add", MARY, *flags, "--password-file", str(secret_file(daemon)))
    assert done.returncode == 0, done.stderr
    daemon.wait_for("interaction.created")
    file = daemon.home / "conf.d" / f"{BOX}.conf"
    theirs = "# of mine\n[pop-client-other]\nenable-client = false\nserver = h\nmailbox = o\npassword = p # \n"
    file.write_text(f"{file.read_text()}\n{theirs}", encoding="utf-8")
    before = file.read_text(encoding="utf-8")
    refused = daemon.command("add", MARY)
    assert "--oauth turns it" in refused.stderr
    clouds.drop(MARY, [mail("two")])
    with Adding(daemon, MARY, *by_token(people), "--device") as adding:
        people.realm.approve(adding.first(r"type this code: (\w+)$")[1], MARY)
        code, said, wrong = adding.end()
    assert (code, wrong) == (0, "")
    assert said.endswith(f"the daemon reads [{BOX}]\n")
    clouds.drop(MARY, [mail("three")])
    daemon.wait_for("interaction.created", 3, within=60)
    after = file.read_text(encoding="utf-8")
    assert after.endswith(f"\n{theirs}")
    ours = [line for line in after.splitlines() if line not in before.splitlines()]
    assert [line.partition(" =")[0] for line in ours] == [
        *("grant-type", "tenant-authority", "directory-id", "client-id", "mail.imap.auth.mechanisms"),
        *("grant-type", "tenant-authority", "directory-id", "client-id", "mail.smtp.auth.mechanisms"),
    ]
    gone = [line for line in before.splitlines() if line not in after.splitlines()]
    assert {line.partition(" =")[0] for line in gone} == {"password"}
    assert sorted(files(daemon)) == [f"{BOX}.conf"], "nobody needs the password any more"
    assert f"user=<{MARY}>, method=XOAUTH2" in clouds.log()
    assert daemon.stop() == 0
    assert daemon.count("mailbox.first_contact", section=BOX) == 1, "it is the same mailbox to the store"
    assert {entry.mailbox for entry in daemon.interactions()} == {BOX}
    assert len(daemon.interactions()) == 3, "each once"


def test_superoffice_6_a_mailbox_in_the_main_file_is_turned_by_hand(
    daemon: Emaild, authority: Authority, people: AuthorizationServer
) -> None:
    daemon.configure(imap_section(BOX, CLOSED, MARY, authority))
    before = daemon.conf.read_bytes()
    done = daemon.command("add", MARY, *by_token(people))
    assert done.returncode == os.EX_DATAERR
    assert f"{daemon.conf}:" in done.stderr
    assert "change it there by hand" in done.stderr
    assert daemon.conf.read_bytes() == before


def test_superoffice_6_where_the_sign_in_fails_the_password_stays(
    daemon: Emaild, authority: Authority, people: AuthorizationServer
) -> None:
    flags = [*imap_flags(CLOSED, authority), "--no-smtp", "--no-check", "--password-stdin"]
    assert daemon.command("add", MARY, *flags, given=b"secret").returncode == 0
    before = files(daemon)
    with Adding(daemon, MARY, *by_token(people)) as adding:
        follows(authority, adding.url, MARY, deny=True)
        assert adding.end()[0] == os.EX_NOPERM
    assert files(daemon) == before
    assert kept(daemon) == []


def test_a_person_at_the_terminal_is_asked_for_the_application(
    daemon: Emaild, authority: Authority, people: AuthorizationServer
) -> None:
    flags = [*imap_flags(CLOSED, authority), "--no-smtp", "--no-check", "--no-browser", "--device", "--oauth"]
    with AtTerminal(daemon, "add", MARY, *flags, "--authority", people.url) as person:
        person.asked(r"Client ID of your application at 127.0.0.1:\d+|Client ID of your application at localhost:\d+")
        person.type("emaild")
        people.realm.approve(person.asked(r"type this code: (\w+)\n")[1], MARY)
        person.asked(r"Write this\? ")
        person.type("y")
        assert person.end()[0] == 0
    assert len(kept(daemon)) == 1
