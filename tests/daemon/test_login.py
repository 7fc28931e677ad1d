"""`emaild login`: somebody signs in, and the daemon reads the mailbox with that."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.adapters.turns import mail, subjects
from tests.daemon.harness import Emaild, imap_section, pop3_section, smtp_section
from tests.daemon.signing_in import (
    BOX,
    JOE,
    MARY,
    PERSONS_PASSWORD,
    SUPPORT,
    Login,
    configured,
    follows,
    google,
    kept,
    tokens,
)
from tests.servers.authority import Authority
from tests.servers.authorization import AuthorizationServer, Said
from tests.servers.authorization_rules import Person, as_json
from tests.servers.browser import Browser
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.presence import require_root
from tests.servers.processes import Account, Home, unprivileged
from tests.servers.wait import eventually


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Emaild]:
    (tmp_path / "state").mkdir(mode=0o700)
    with Emaild(tmp_path) as made:
        yield made


@pytest.mark.parametrize("protocol", ["imap", "pop3"])
def test_a_mailbox_with_a_password_goes_on_with_a_sign_in_in_a_browser(
    daemon: Emaild, authority: Authority, people: AuthorizationServer, protocol: str
) -> None:
    with Dovecot(authority, introspection=people.introspection_endpoint) as server, Browser() as browser:
        port, section = (server.imaps, imap_section) if protocol == "imap" else (server.pop3s, pop3_section)
        server.drop(MARY, [mail("one")])
        given = {"after-fetch": "leave", "first-fetch": "all", "cycle-time": "1s", "idle": "false"}
        daemon.configure(section(BOX, port, MARY, authority, **given))
        daemon.start()
        daemon.wait_for("interaction.created")
        daemon.configure(section(BOX, port, MARY, authority, **tokens(people, protocol=protocol, **given)))
        assert "emaild login pop-client-mary" in daemon.wait_for("mailbox.failed")[0]["reason"]
        server.drop(MARY, [mail("two")])
        with Login(daemon, BOX, tries=True) as login:
            browser.open(login.url)
            assert browser.value("[name=username]") == MARY
            browser.type("[name=password]", PERSONS_PASSWORD)
            browser.click("#allow")
            eventually(lambda: "signed in" in browser.text, within=30)
            assert f"{MARY} signed in for {MARY}" in browser.text
            code, said, wrong = login.end()
        assert (code, wrong) == (0, "")
        assert f"{MARY} signed in for {MARY}; [{BOX}] uses it" in said
        assert f"[{BOX}] works: {MARY} is signed in at localhost, INBOX is open; it holds 2 mails\n" in said
        daemon.wait_for("interaction.created", 2, within=60)
        server.drop(MARY, [mail("three")])
        daemon.wait_for("interaction.created", 3, within=60)
        eventually(lambda: f"user=<{MARY}>, method=XOAUTH2" in server.log())
        assert daemon.count("mailbox.first_contact") == 1
        assert daemon.stop() == 0
        assert sorted(subjects(daemon.raws())) == ["one", "three", "two"], "each once, whatever signed in"
    (file,) = kept(daemon)
    assert file.stat().st_mode & 0o077 == 0
    sealed = file.read_bytes()
    assert not [token for token in people.realm.refresh_tokens if token.encode() in sealed]
    assert not [token for token in people.realm.tokens if token in daemon.log_file.read_text(encoding="utf-8")]


@pytest.mark.parametrize("way", [tokens, google])
def test_whoever_owns_the_mailbox_may_sign_in(
    daemon: Emaild, authority: Authority, people: AuthorizationServer, way: Callable[..., dict[str, Any]]
) -> None:
    configured(daemon, authority, people, **way(people))
    with Login(daemon, BOX) as login:
        url = login.url
        assert dict(parse_qsl(urlsplit(url).query))["login_hint"] == MARY
        assert follows(authority, url, MARY) == 200
        assert login.end()[0] == 0
    assert len(kept(daemon)) == 1
    assert [form["code_verifier"] != "" for form in people.grants] == [True]


@pytest.mark.parametrize(("options", "user"), [({"address": "Mary@Example.com"}, "m17"), ({}, "MARY@example.com")])
def test_the_owner_is_known_by_the_name_or_by_the_address_whatever_their_case(
    daemon: Emaild, authority: Authority, people: AuthorizationServer, options: dict[str, object], user: str
) -> None:
    configured(daemon, authority, people, user, **options)
    with Login(daemon, BOX) as login:
        follows(authority, login.url, MARY)
        assert login.end()[0] == 0


def test_somebody_else_is_refused_unless_the_mailbox_is_shared(
    daemon: Emaild, authority: Authority, people: AuthorizationServer
) -> None:
    configured(daemon, authority, people, SUPPORT)
    with Login(daemon, BOX) as login:
        follows(authority, login.url, JOE)
        code, _, wrong = login.end()
    assert code == os.EX_NOPERM, wrong
    assert f"{JOE} signed in, but [{BOX}] is for {SUPPORT}" in wrong
    assert "--shared" in wrong
    assert kept(daemon) == []
    with Login(daemon, BOX, "--shared") as login:
        follows(authority, login.url, JOE)
        code, said, _ = login.end()
    assert code == 0
    assert f"{JOE} signed in for {SUPPORT}" in said
    assert len(kept(daemon)) == 1


@pytest.mark.parametrize("way", [tokens, google])
def test_consent_that_is_denied_is_told(
    daemon: Emaild, authority: Authority, people: AuthorizationServer, way: Callable[..., dict[str, Any]]
) -> None:
    configured(daemon, authority, people, **way(people))
    with Login(daemon, BOX) as login:
        follows(authority, login.url, MARY, deny=True)
        code, _, wrong = login.end()
    assert code == os.EX_NOPERM, wrong
    assert "declined" in wrong
    assert f"emaild login {BOX}" in wrong
    assert kept(daemon) == []


def test_superoffice_9_the_answer_needs_no_session_and_one_to_another_sign_in_is_turned_away(
    daemon: Emaild, authority: Authority, people: AuthorizationServer
) -> None:
    configured(daemon, authority, people)
    with Login(daemon, BOX) as login:
        url = login.url
        assert follows(authority, url, MARY, state="another") == 404
        assert people.grants == [], "its code is not redeemed"
        assert follows(authority, url, MARY) == 200
        code, _, _ = login.end()
    assert (code, len(kept(daemon))) == (0, 1)


def test_nobody_signs_in(daemon: Emaild, authority: Authority, people: AuthorizationServer) -> None:
    configured(daemon, authority, people)
    with Login(daemon, BOX, "--within", "1s") as login:
        code, _, wrong = login.end()
    assert (code, "nobody signed in within 1 seconds" in wrong) == (os.EX_NOPERM, True)


def test_a_code_signs_in_from_another_machine(
    daemon: Emaild, authority: Authority, people: AuthorizationServer
) -> None:
    configured(daemon, authority, people)
    with Login(daemon, BOX, "--device") as login:
        found = login.first(r"Open (\S+) in any browser, and type this code: (\w+)$")
        assert found[1] == f"{people.url}/device"
        people.realm.approve(found[2], MARY)
        code, said, _ = login.end()
    assert code == 0
    assert f"{MARY} signed in for {MARY}" in said
    assert len(kept(daemon)) == 1


@pytest.mark.parametrize(
    ("state", "words"), [("declined", "the consent was declined"), ("expired", "the code has expired")]
)
def test_a_code_that_leads_to_nothing_is_told(
    daemon: Emaild, authority: Authority, people: AuthorizationServer, state: str, words: str
) -> None:
    configured(daemon, authority, people)
    with Login(daemon, BOX, "--device") as login:
        people.realm.approve(login.first(r"type this code: (\w+)$")[1], MARY, state)
        code, _, wrong = login.end()
    assert (code, words in wrong) == (os.EX_NOPERM, True), wrong
    assert kept(daemon) == []


def test_a_code_that_nobody_types_ends_in_time(
    daemon: Emaild, authority: Authority, people: AuthorizationServer
) -> None:
    configured(daemon, authority, people)
    with Login(daemon, BOX, "--device", "--within", "1s") as login:
        code, _, wrong = login.end()
    assert (code, "nobody signed in with the code in time" in wrong) == (os.EX_NOPERM, True), wrong


def test_a_device_code_is_not_for_google(daemon: Emaild, authority: Authority, people: AuthorizationServer) -> None:
    configured(daemon, authority, people, **google(people))
    with Login(daemon, BOX, "--device") as login:
        code, _, wrong = login.end()
    assert (code, "Google has no device code" in wrong) == (os.EX_NOPERM, True)


def test_a_page_that_is_no_https_is_not_opened(
    daemon: Emaild, authority: Authority, people: AuthorizationServer
) -> None:
    configured(daemon, authority, people)
    base = f"{people.url}/contoso"
    found = {name: f"{base}/{name}" for name in ("issuer", "token_endpoint", "device_authorization_endpoint")}
    body = as_json({**found, "authorization_endpoint": "http://example.com/\x1b[2J"})
    people.judge = lambda asked: Said(body) if asked.path.endswith("openid-configuration") else None
    with Login(daemon, BOX) as login:
        code, said, wrong = login.end()
    assert (code, said, "no https URL" in wrong) == (os.EX_NOPERM, "", True), wrong


def test_whoever_signed_in_cannot_play_with_the_terminal(
    daemon: Emaild, authority: Authority, people: AuthorizationServer
) -> None:
    people.realm.people[MARY] = Person("joe@example.com\x1b[2J", PERSONS_PASSWORD)
    configured(daemon, authority, people)
    with Login(daemon, BOX) as login:
        follows(authority, login.url, MARY)
        code, _, wrong = login.end()
    assert code == os.EX_NOPERM, wrong
    assert "joe@example.com\N{REPLACEMENT CHARACTER}[2J signed in" in wrong
    assert "\x1b" not in wrong


def test_one_sign_in_is_for_all_sections_of_the_user(
    daemon: Emaild, authority: Authority, people: AuthorizationServer
) -> None:
    """One consent names the permissions of all, so that the refresh token serves them all."""
    sending = tokens(
        people,
        user=MARY,
        **{"ca-file": authority.ca_file, "enable-authentication": "true", "mail.smtp.auth.mechanisms": "XOAUTH2"},
    )
    del sending["mail.imap.auth.mechanisms"]
    daemon.configure(
        imap_section(BOX, 9, MARY, authority, **tokens(people)),
        smtp_section(9, **sending),
        imap_section("pop-client-joe", 9, JOE, authority, **tokens(people, scope="https://other.example/x")),
    )
    with Login(daemon, "SMTP-client") as login:
        words = dict(parse_qsl(urlsplit(login.url).query))["scope"].split()
    scopes = {word for word in words if word.startswith("https:")}
    assert scopes == {"https://outlook.office.com/IMAP.AccessAsUser.All", "https://outlook.office.com/SMTP.Send"}


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("pop-client-none", ["no section pop-client-none", f"somebody signs in for: {BOX}\n"]),
        ("pop-client-plain", ["grant-type = authorization_code", "mail.imap.auth.mechanisms = XOAUTH2"]),
    ],
)
def test_a_section_that_cannot_be_signed_in_for_is_told(
    daemon: Emaild, authority: Authority, people: AuthorizationServer, section: str, words: list[str]
) -> None:
    plain = imap_section("pop-client-plain", 9, JOE, authority, password=PASSWORD)
    daemon.configure(imap_section(BOX, 9, MARY, authority, **tokens(people)), plain)
    done = daemon.command("login", section)
    assert done.returncode == os.EX_USAGE
    assert all(word in done.stderr for word in words), done.stderr


def test_as_root_it_is_kept_by_the_owner_of_the_state_directory(
    authority: Authority, people: AuthorizationServer
) -> None:
    require_root()
    account = unprivileged()
    if not _may_import(account):
        pytest.skip(f"{account.name} may not read the Python that the tests run in")
    home = Home("login", account)
    try:
        state = home.folder("state")
        daemon = Emaild(home.path)
        readable: dict[str, Any] = {"ca-file": home.write("ca.pem", authority.ca_file.read_bytes())}
        configured(daemon, authority, people, **readable)
        with Login(daemon, BOX) as login:
            follows(authority, login.url, MARY)
            assert login.end()[0] == 0
        assert {path.stat().st_uid for path in state.rglob("*")} == {account.uid}
    finally:
        home.remove()


def _may_import(account: Account) -> bool:
    script = (sys.executable, "-c", "import emaild, msal, cryptography")
    try:
        done = subprocess.run(
            script, check=False, user=account.uid, group=account.gid, extra_groups=(), capture_output=True
        )
    except PermissionError:
        return False
    return done.returncode == 0


def test_a_person_may_sign_in_before_the_first_start(
    daemon: Emaild, authority: Authority, people: AuthorizationServer
) -> None:
    configured(daemon, authority, people)
    (daemon.home / "state").rmdir()
    with Login(daemon, BOX) as login:
        follows(authority, login.url, MARY)
        code, _, wrong = login.end()
    assert (code, "root's" in wrong) == (0, os.geteuid() == 0)
    assert (daemon.home / "state").stat().st_mode & 0o777 == 0o700
    assert len(kept(daemon)) == 1


def test_a_state_directory_that_cannot_be_is_told_before_anybody_signs_in(
    daemon: Emaild, authority: Authority, people: AuthorizationServer
) -> None:
    configured(daemon, authority, people)
    (daemon.home / "state").rmdir()
    (daemon.home / "state").touch()
    done = daemon.command("login", BOX)
    assert (done.returncode, "the state directory must exist" in done.stderr) == (os.EX_CANTCREAT, True), done.stderr
    assert people.asked == []
