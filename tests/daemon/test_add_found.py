"""`emaild add` with nothing but an address: the rest is found, asked for, or told to be missing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.discovering import ISPDB, Make, World, document, own, server, worlds
from tests.daemon.adding import AtTerminal, files, secret_file
from tests.daemon.harness import Emaild
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.ports import LOOPBACK
from tests.servers.providers import Page

CLOUD = ["mx-host=cloud.test,cloud-test.mail.protection.outlook.com,0"]


@pytest.fixture
def make(authority: Authority, tmp_path: Path) -> Iterator[Make]:
    """Makes worlds to find things in."""
    with worlds(authority, tmp_path / "world") as made:
        yield made


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Emaild]:
    (tmp_path / "world").mkdir()
    with Emaild(tmp_path / "home") as made:
        yield made


def lives_in(daemon: Emaild, world: World) -> None:
    """The conf file of a machine for which there is nothing but this world, behind a proxy."""
    daemon.configure(
        f"[discovery]\nispdb = https://{ISPDB}/v1.1/\ndns-servers = {LOOPBACK}:{world.names.port}\n"
        f"ca-file = {world.authority.ca_file}\ntimeout = 30s\n",
        f"[proxy]\nuseProxy = true\nhost = {LOOPBACK}\nport = {world.proxy.port}\n",
    )


def test_an_address_and_its_password_are_enough(
    daemon: Emaild, make: Make, dovecot: Dovecot, authority: Authority
) -> None:
    user = "found@shop.test"
    with FaultySmtp(authority=authority, tls="implicit", user=user) as smtp:
        page = document("shop.test", server("imap", "localhost", dovecot.imaps), server("smtp", "localhost", smtp.smtp))
        ports = {f"localhost:{port}": port for port in (dovecot.imaps, smtp.smtp)}
        lives_in(daemon, make(own("shop.test", Page(page)), others=ports))
        daemon.start()
        flags = ["--ca-file", str(authority.ca_file), "--password-file", str(secret_file(daemon)), "--yes"]
        done = daemon.command("add", user, *flags)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert f"{user} is at shop.test, says step 1.1: https://autoconfig.shop.test/" in done.stdout
        assert done.stdout.endswith("the daemon reads [pop-client-found]\n")
        text = files(daemon)["pop-client-found.conf"].decode()
        assert "found by step 1.1, https://autoconfig.shop.test/" in text.splitlines()[0]
        assert f"server = localhost\nport = {smtp.smtp}\nsmtp-connection-security = ssl-tls\n" in text
        assert daemon.stop() == 0


def test_a_password_goes_nowhere_doubtful_unless_a_person_says_so(daemon: Emaild, make: Make) -> None:
    names = ["srv-host=_imaps._tcp.shop.test,imap.elsewhere.test,993,0,1"]
    lives_in(daemon, make(names=names))
    flags = ["ann@shop.test", "--no-smtp", "--no-check"]
    done = daemon.command("add", *flags, "--password-stdin", given=b"secret")
    assert done.returncode == os.EX_USAGE
    assert "imap.elsewhere.test is not in shop.test" in done.stderr
    assert "--yes lets the password go there" in done.stderr
    assert files(daemon) == {}
    with AtTerminal(daemon, "add", *flags) as person:
        person.asked(r"Shall the password go there\? \[y/N\] ")
        person.type("y")
        person.asked("Password of ")
        person.type("secret")
        person.asked(r"Write this\?")
        person.type("y")
        assert person.end()[0] == 0
    assert "server = imap.elsewhere.test\n" in files(daemon)["pop-client-ann.conf"].decode()


def test_microsoft_is_read_by_graph_with_an_application_of_ones_own(daemon: Emaild, make: Make) -> None:
    lives_in(daemon, make(names=CLOUD))
    missing = daemon.command("add", "ann@cloud.test")
    assert (missing.returncode, "--client-id is needed" in missing.stderr) == (os.EX_USAGE, True), missing.stderr
    done = daemon.command("add", "ann@cloud.test", "--client-id", "c", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "[pop-client-ann]\ntype = GRAPH\nmailbox = ann@cloud.test\ngrant-type = authorization_code\n" in done.stdout
    assert "[smtp-client-ann]\nserver-type = graph\nuser = ann@cloud.test\n" in done.stdout
    imap = daemon.command("add", "ann@cloud.test", "--client-id", "c", "--type", "imap", "--dry-run").stdout
    assert "server = outlook.office365.com\npop-connection-security = ssl-tls\n" in imap
    assert "server = smtp.office365.com\nport = 587\nsmtp-connection-security = start-tls\n" in imap
    refused = daemon.command("add", "ann@cloud.test", "--password-stdin", given=b"secret")
    assert (refused.returncode, "is not signed in to with a password" in refused.stderr) == (os.EX_USAGE, True)


def test_gmail_takes_an_app_password_or_an_application_with_its_secret(daemon: Emaild, make: Make) -> None:
    lives_in(daemon, make())
    by_token = daemon.command("add", "ann@gmail.com", "--client-id", "c", "--dry-run").stdout
    assert by_token.count("tenant-authority = https://accounts.google.com\n") == 2
    assert by_token.count("secret = ann\n") == 2
    assert f"[secret-ann]\npassword = file:{daemon.home}/conf.d/pop-client-ann.client-secret\n" in by_token
    by_password = daemon.command("add", "ann@gmail.com", "--password-stdin", "--dry-run", given=b"app").stdout
    assert "grant-type" not in by_password
    assert "server = imap.gmail.com\npop-connection-security = ssl-tls\n" in by_password


def test_where_nothing_is_found_a_person_is_asked_and_a_script_told(daemon: Emaild, make: Make) -> None:
    lives_in(daemon, make())
    done = daemon.command("add", "ann@nowhere.test", "--password-stdin", given=b"secret")
    assert done.returncode == os.EX_USAGE
    assert "Nothing was found of ann@nowhere.test" in done.stdout
    assert "--type is needed" in done.stderr
    with AtTerminal(daemon, "add", "ann@nowhere.test", "--no-check") as person:
        for question, answer in (
            ("How is it read", "imap"),
            ("Server that it is read from", "imap.nowhere.test"),
            ("Server that its mail goes out by", ""),
            ("Password of ", "secret"),
            (r"Write this\?", "y"),
        ):
            person.asked(question)
            person.type(answer)
        assert person.end()[0] == 0
    assert "smtp-client" not in files(daemon)["pop-client-ann.conf"].decode()
