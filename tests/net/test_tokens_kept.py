"""What is beside the tokens: key files, refresh tokens that cannot be written, ends that are near, proxies."""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

from emaild.errors import Busy, Rejected, Unreachable
from tests.said import Said as Log
from tests.servers.authority import Authority
from tests.servers.authorization import Said
from tests.servers.presence import require
from tests.servers.proxies import ProxyProgram
from tests.tokens import ANN, APP, PASSWORD, SECRET, TokenOffice, proved_by

ROBOT = "robot@project.iam.gserviceaccount.com"
SIGNED_IN = {"grant_type": "authorization_code", "password": ""}


@pytest.fixture
def key_file(office: TokenOffice) -> Path:
    """The key file of a service account that the server knows."""
    openssl = require("openssl")
    made = (openssl, "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    private = subprocess.run(made, check=True, capture_output=True, timeout=30).stdout
    public = subprocess.run((openssl, "pkey", "-pubout"), input=private, check=True, capture_output=True, timeout=30)
    office.server.realm.service_accounts[ROBOT] = public.stdout.decode()
    account = {"type": "service_account", "client_email": ROBOT, "private_key_id": "1"}
    account |= {"private_key": private.decode(), "token_uri": "https://oauth2.googleapis.com/token"}
    path = office.folder / "robot.json"
    path.write_text(json.dumps(account))
    return path


def test_service_account_acts_for_the_mailbox(office: TokenOffice, key_file: Path) -> None:
    tokens = office.tokens(**office.google(service_account_file=key_file, password="", client_id=""))
    given = office.server.realm.active(tokens.token().reveal())
    assert given is not None
    assert (given.user, given.client, given.scope) == (ANN, ROBOT, "https://mail.google.com/")
    assert [asked.path for asked in office.server.asked] == ["/token"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scope": "https://www.googleapis.com/auth/gmail.imap_admin"}, "domain-wide delegation"),
        ({"mailbox": "nobody@contoso.com"}, "is mailbox an address of the domain"),
    ],
)
def test_service_account_that_may_not_is_named(
    office: TokenOffice, key_file: Path, change: dict[str, str], words: str
) -> None:
    options = office.google(service_account_file=key_file, password="", client_id="", **change)
    with pytest.raises(Rejected, match=words):
        office.tokens(**options).token()


@pytest.mark.parametrize(
    "content",
    ["", "junk", "[]", "[" * 100_000, "{}", '{"client_email": "a", "private_key": "junk", "token_uri": "x"}'],
    ids=["empty", "junk", "list", "deep", "without", "no key"],
)
def test_key_file_that_cannot_be_used_is_named(office: TokenOffice, key_file: Path, content: str) -> None:
    key_file.write_text(content)
    tokens = office.tokens(**office.google(service_account_file=key_file, password="", client_id=""))
    with pytest.raises(Rejected, match=r"service-account-file: .*robot\.json"):
        tokens.token()
    assert office.server.asked == []


# The application's certificate


def test_certificate_files_that_cannot_be_used_are_named(office: TokenOffice, authority: Authority) -> None:
    certificate, key = office.certificate()
    _, other = office.certificate(name="other")
    junk = office.folder / "junk.pem"
    junk.write_text("junk")
    for options, words in (
        (proved_by(junk, key), "application-certificate: .*junk.pem holds no certificate"),
        (proved_by(certificate, junk), "application-key: .*junk.pem holds no private key"),
        (proved_by(certificate, other), "not the key of application-certificate"),
        (proved_by(authority.cert_file, authority.key_file), "not RSA"),
    ):
        with pytest.raises(Rejected, match=words):
            office.tokens(**options).token()
    assert [asked for asked in office.server.asked if asked.method == "POST"] == []


def test_encrypted_key_is_opened_with_its_password(office: TokenOffice) -> None:
    certificate, key = office.certificate()
    locked = office.folder / "locked.key"
    command = (require("openssl"), "pkey", "-in", str(key), "-aes256", "-passout", "pass:hunter3", "-out", str(locked))
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    assert office.tokens(**proved_by(certificate, locked), application_key_password="hunter3").token()
    for password in ("", "wrong"):
        tokens = office.tokens(**proved_by(certificate, locked), application_key_password=password)
        with pytest.raises(Rejected, match="application-key-password"):
            tokens.token()


def test_new_certificate_in_the_file_ends_a_remembered_refusal(office: TokenOffice) -> None:
    certificate, key = office.certificate()
    newer, newer_key = office.certificate(name="newer")
    tokens = office.tokens(**proved_by(certificate, key))
    with pytest.raises(Rejected, match="AADSTS700027"):
        tokens.token()
    certificate.write_bytes(newer.read_bytes())
    key.write_bytes(newer_key.read_bytes())
    assert tokens.token()


# Refresh tokens


def test_refresh_token_that_cannot_be_written_is_told_used_and_written_later(
    office: TokenOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    section, said = office.section(**SIGNED_IN), Log()
    office.sign_in(section)
    tokens = office.tokens(**SIGNED_IN)

    def full(name: str, old: object, new: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(office.sealed, "replace", full)
    for _ in range(2):
        assert tokens.token()
        office.clock.advance(3600)
    assert {event["reason"] for event in said.all("token.not_kept")} == {"No space left on device"}
    monkeypatch.undo()
    assert tokens.token()
    office.clock.advance(3600)
    office.sealed = type(office.sealed)(office.state)
    assert office.tokens(**SIGNED_IN).token()
    used = [form["refresh_token"] for form in office.server.grants]
    assert len({*used}) == 4


def test_sign_in_while_a_refresh_token_waits_to_be_written_has_its_way(
    office: TokenOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = office.section(**SIGNED_IN)
    office.sign_in(section)
    tokens = office.tokens(**SIGNED_IN)
    with monkeypatch.context() as patched:
        patched.setattr("emaild.net.oauth.sealed.written", _full)
        tokens.token()
    newer = office.sign_in(section)
    office.clock.advance(3600)
    tokens.token()
    assert office.server.grants[-1]["refresh_token"] == newer


def _full(folder: Path, content: bytes) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("step", ["tempfile.mkstemp", "os.fsync", "os.replace"])
@pytest.mark.parametrize("used_once", [False, True])
def test_kill_before_the_refresh_token_that_follows_is_kept_leaves_the_one_before(
    office: TokenOffice, step: str, used_once: bool
) -> None:
    """Microsoft's and Google's are taken again; where one is taken once the sign-in is lost, and that is told."""
    office.server.realm.used_once = used_once
    section = office.section(**SIGNED_IN)
    first = office.sign_in(section)
    tokens = office.tokens(**SIGNED_IN)
    child = os.fork()
    if not child:
        try:
            module, _, name = step.partition(".")
            setattr(importlib.import_module(module), name, _killed)
            tokens.token()
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert len(office.server.grants) == 1
    again = office.tokens(**SIGNED_IN)
    if used_once:
        with pytest.raises(Rejected, match="sign in again: emaild login pop-client"):
            again.token()
    else:
        assert again.token()
        assert list(office.state.rglob(".new-*")) == []
    assert [form["refresh_token"] for form in office.server.grants] == [first, first]


def _killed(*_: object, **__: object) -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def test_refresh_token_that_stays_is_not_written_again(office: TokenOffice) -> None:
    office.server.realm.rotate = False
    section = office.section(**SIGNED_IN)
    office.sign_in(section)
    before = [path.stat() for path in sorted(office.state.glob("**/[!.]*")) if path.is_file()]
    assert office.tokens(**SIGNED_IN).token()
    after = [path.stat() for path in sorted(office.state.glob("**/[!.]*")) if path.is_file()]
    assert [one.st_mtime_ns for one in after] == [one.st_mtime_ns for one in before]


# What is told


def test_failed_renewal_is_told_while_the_token_of_now_is_used(office: TokenOffice) -> None:
    said, tokens = Log(), office.tokens()
    first = tokens.token()
    office.clock.advance(3600 - 200)
    office.server.judge = lambda asked: Said(b"{}", 503)
    assert tokens.token() == first
    assert said.one("token.not_renewed")["left"] == 200
    office.clock.advance(201)
    with pytest.raises(Busy, match="status 503"):
        tokens.token()
    assert [event["left"] for event in said.all("token.not_renewed")] == [200, 0]


def test_nothing_that_is_logged_holds_a_secret(office: TokenOffice) -> None:
    said = Log()
    token = office.tokens().token().reveal()
    office.server.realm.people[ANN].trouble = 50076
    office.clock.advance(3600)
    with pytest.raises(Rejected):
        office.tokens(password=PASSWORD + "2").token()
    assert said.one("token.obtained")["section"] == "pop-client"
    assert PASSWORD not in str(said.events)
    assert token not in str(said.events)


def test_secret_that_an_authority_repeats_is_masked(office: TokenOffice) -> None:
    echo = json.dumps({"error": "strange", "error_description": f"I do not like {PASSWORD}, it is short"}).encode()
    office.server.judge = lambda asked: Said(echo, 400) if asked.path.endswith("/token") else None
    with pytest.raises(Rejected, match=r"I do not like \*\*\*, it is short \(strange\)") as refused:
        office.tokens().token()
    assert PASSWORD not in repr(refused.value)


# Through a proxy


@pytest.mark.parametrize("program", ["tinyproxy", "microsocks"])
@pytest.mark.parametrize("way", ["microsoft", "google"])
def test_tokens_are_asked_for_through_the_proxy(office: TokenOffice, program: str, way: str) -> None:
    office.client.secret = SECRET if way == "google" else ""
    lines = [f"[secret-g]\npassword = {SECRET}"]
    refresh = office.server.realm.sign_in(ANN, APP)
    options = office.google(secret="g", password=refresh) if way == "google" else {}
    with ProxyProgram(program) as proxy:
        lines += [f"[proxy]\nuseProxy = true\nhost = 127.0.0.1\nport = {proxy.port}"]
        tokens = office.tokens(*lines, **options)
        assert tokens.token()
        proxy.stop()
        office.clock.advance(3600)
        with pytest.raises(Unreachable, match=r"\[proxy\]"):
            tokens.token()


def test_proxy_that_changed_is_used_from_then_on(office: TokenOffice) -> None:
    dead = "[proxy]\nuseProxy = true\nhost = 127.0.0.1\nport = 9"
    kept = office.tokens(dead)
    with pytest.raises(Unreachable):
        kept.token()
    fresh = office.tokens()
    office.clock.advance(60)
    assert fresh.token() == kept.token()
