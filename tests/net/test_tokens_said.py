"""What is said where there is no token: who was asked, what to do, and no secret; and how sign-ins are guarded."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from urllib.parse import quote

import pytest

from emaild.errors import Rejected, RemoteError, Unreachable
from emaild.net.oauth import Sealed
from emaild.net.oauth.causes import SIGN_IN_AGAIN
from emaild.net.sign_in import SignIn
from emaild.settings.secret import Secret
from tests.said import Said as Log
from tests.servers.authorization import Asked, Said
from tests.servers.authorization_rules import as_json
from tests.tokens import ANN, PASSWORD, SECRET, TokenOffice

SIGNED_IN = {"grant_type": "authorization_code", "password": ""}
APPLICATION = {"grant_type": "client_credentials", "password": SECRET}


# Whom it was asked of


@pytest.mark.parametrize("google", [False, True])
def test_authority_is_named_where_it_cannot_be_reached(office: TokenOffice, google: bool) -> None:
    options = office.google(secret="g", password="rt") if google else {}
    tokens = office.tokens("[secret-g]\npassword = x", **options)
    office.server.stop()
    with pytest.raises(Unreachable) as failed:
        tokens.token()
    assert failed.value.action == f"ask localhost:{office.server.port} for a token"
    assert failed.value.reason == "Connection refused"


def test_authority_is_named_where_a_token_is_not_renewed(office: TokenOffice) -> None:
    said, tokens = Log(), office.tokens()
    tokens.token()
    office.server.stop()
    office.clock.advance(3600 - 100)
    tokens.token()
    reason = said.one("token.not_renewed")["reason"]
    assert reason == f"ask localhost:{office.server.port} for a token: Connection refused"


def test_token_that_never_was_is_not_told_as_one_that_is_not_renewed(office: TokenOffice) -> None:
    said, tokens = Log(), office.tokens(password="wrong")
    with pytest.raises(Rejected):
        tokens.token()
    assert said.all("token.not_renewed") == []


# What to do


@pytest.mark.parametrize(
    ("trouble", "remedy"),
    [
        (65001, "let the administrator consent"),
        (65004, "set client-id, and the application's secret or certificate, right"),
    ],
)
def test_nobody_is_told_to_sign_in_for_an_application(office: TokenOffice, trouble: int, remedy: str) -> None:
    wrong = {"error": "invalid_grant", "error_description": f"AADSTS{trouble}: No."}
    office.server.judge = lambda asked: Said(as_json(wrong), 400) if asked.path.endswith("/token") else None
    office.client.secret = SECRET
    with pytest.raises(Rejected) as refused:
        office.tokens(**APPLICATION).token()
    assert refused.value.reason.endswith(f"(AADSTS{trouble}); {remedy}")
    assert SIGN_IN_AGAIN.split(":")[0] not in refused.value.reason


# Secrets


@pytest.mark.parametrize("form", [str, quote, lambda text: base64.b64encode(f"x:{text}".encode()).decode()])
def test_no_secret_of_a_request_is_repeated_wherever_the_words_are_cut(office: TokenOffice, form: object) -> None:
    assert callable(form)
    refresh = office.sign_in(office.section(**SIGNED_IN))
    repeated: list[str] = []

    def judge(asked: Asked) -> Said | None:
        if not asked.path.endswith("/token"):
            return None
        repeated.append(form(asked.form.get("refresh_token") or asked.form["password"]))
        words = "x" * (201 - len(repeated[-1])) + repeated[-1]
        return Said(json.dumps({"error": f"e {repeated[-1]}", "error_description": words}).encode(), 400)

    office.server.judge = judge
    said = Log()
    for options in (SIGNED_IN, {"password": PASSWORD + "-is-long"}):
        with pytest.raises(RemoteError) as refused:
            office.tokens(**options).token()
        assert repeated[-1][:12] not in f"{refused.value!r} {said.events}"
        assert refresh[:12] not in f"{refused.value!r} {said.events}"


# Whose addresses


@pytest.mark.parametrize(
    "issuer",
    ["https://evil.example", "http://localhost:{port}/contoso/v2.0", "https://localhost:1/x", "https://[", "x"],
)
def test_addresses_that_another_authority_gives_are_not_used(office: TokenOffice, issuer: str) -> None:
    base = f"{office.server.url}/contoso"
    given = {"issuer": issuer.format(port=office.server.port), "token_endpoint": f"{base}/oauth2/v2.0/token"}
    config = as_json({**given, "authorization_endpoint": f"{base}/oauth2/v2.0/authorize"})
    office.server.judge = lambda asked: Said(config) if "openid" in asked.path else None
    with pytest.raises(Rejected, match="addresses of another one"):
        office.tokens().token()
    assert office.server.grants == []


def test_issuer_that_names_any_directory_is_the_authoritys_own(office: TokenOffice) -> None:
    base = f"{office.server.url}/contoso"
    given = {"issuer": office.server.url + "/{tenantid}/v2.0", "token_endpoint": f"{base}/oauth2/v2.0/token"}
    config = as_json({**given, "authorization_endpoint": f"{base}/oauth2/v2.0/authorize"})
    office.server.judge = lambda asked: Said(config) if "openid" in asked.path else None
    assert office.tokens().token()


# Short lives, and another way there


def test_connection_with_a_token_of_short_life_is_used_until_another_token_is_given(office: TokenOffice) -> None:
    office.server.realm.seconds = 60
    tokens = office.tokens()
    used: list[Secret | None] = []
    sign_in = SignIn(tokens, office.clock, 300.0)
    sign_in.by(used.append)
    for _ in range(60):
        office.clock.advance(1)
        if sign_in.lasts() <= 0:
            sign_in.by(used.append)
    assert len(used) == len({one.reveal() for one in used if one}) == 3


def test_proxy_that_changed_is_tried_at_once(office: TokenOffice) -> None:
    tokens = office.tokens("[proxy]\nuseProxy = true\nhost = 127.0.0.1\nport = 9")
    with pytest.raises(Unreachable):
        tokens.token()
    assert office.tokens().token()


# Who else may have them


def test_rights_that_are_too_wide_are_set_anew_and_that_is_told(tmp_path: Path) -> None:
    said, sealed = Log(), Sealed(tmp_path)
    sealed.write(ANN, Secret("token"))
    (tmp_path / "seal.key").chmod(0o644)
    (tmp_path / "tokens").chmod(0o777)
    assert sealed.read(ANN) == Secret("token")
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("seal.key", "tokens")] == [0o600, 0o700]
    told = [(event["path"], event["mode"], event["now"]) for event in said.all("seal.tightened")]
    assert told == [(str(tmp_path / "tokens"), "777", "700"), (str(tmp_path / "seal.key"), "644", "600")]


def test_sign_ins_are_neither_written_nor_read_through_a_symbolic_link(office: TokenOffice, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (office.state / "tokens").symlink_to(elsewhere)
    with pytest.raises(OSError, match="no symbolic link"):
        office.sign_in(office.section(**SIGNED_IN))
    with pytest.raises(RemoteError, match="no symbolic link"):
        office.tokens(**SIGNED_IN).token()
    assert list(elsewhere.iterdir()) == []


def test_folder_of_sign_ins_is_on_the_disk_before_there_is_one_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def seen(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", seen)
    Sealed(tmp_path).write(ANN, Secret("token"))
    assert synced[0] == str(tmp_path)
