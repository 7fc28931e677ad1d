"""What an authority refuses or cannot do just now: named by its cause, remembered, and asked for again in time."""

from __future__ import annotations

import pytest

from emaild.errors import Busy, Rejected, Unreachable
from emaild.net.oauth.causes import MICROSOFT
from emaild.net.oauth.grant import Way
from emaild.net.oauth.refusal import fitting
from tests.servers.authority import Authority
from tests.servers.authorization import Asked, Said
from tests.servers.authorization_rules import as_json
from tests.tokens import ANN, PASSWORD, SECRET, TokenOffice, proved_by

APPLICATION = {"grant_type": "client_credentials", "password": SECRET}
SIGNED_IN = {"grant_type": "authorization_code", "password": ""}


# Refused by the authority


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (50076, r"multi-factor sign-in is demanded .*grant-type authorization_code and emaild login pop-client"),
        (50079, "must set up multi-factor"),
        (53003, "Conditional Access blocks"),
        (50053, "locked after too many wrong passwords"),
        (50057, "disabled"),
        (50055, "password has expired"),
    ],
)
def test_trouble_of_the_user_is_named_and_so_is_what_to_do(office: TokenOffice, trouble: int, words: str) -> None:
    office.server.realm.people[ANN].trouble = trouble
    with pytest.raises(Rejected, match=words) as refused:
        office.tokens().token()
    assert f"AADSTS{trouble}" in str(refused.value)


def test_every_code_that_is_known_is_named_by_its_own_cause(office: TokenOffice) -> None:
    tokens = office.tokens()
    for cause in MICROSOFT:
        office.server.realm.people[ANN].trouble = int(cause.code.removeprefix("AADSTS"))
        with pytest.raises(Busy if cause.temporary else Rejected) as refused:
            tokens.token()
        assert refused.value.reason == fitting(cause, Way.PASSWORD).replace("SECTION", "pop-client")
        assert refused.value.reason.startswith(f"{cause.cause} ({cause.code}); ")
        office.clock.advance(3601)
    assert len({cause.code for cause in MICROSOFT}) == len(MICROSOFT) == len(office.server.grants)


@pytest.mark.parametrize("words", ["It\x1b[2J is\r\n so.", "a" * 100_000], ids=["control", "long"])
def test_code_that_is_not_known_is_told_in_the_authoritys_words(office: TokenOffice, words: str) -> None:
    said = Said(as_json({"error": "invalid_grunt", "error_description": f"AADSTS99999999: {words}"}), 400)
    office.server.judge = lambda asked: said if asked.path.endswith("/token") else None
    with pytest.raises(Rejected, match=r"the authority says: AADSTS99999999.*\(AADSTS99999999\)") as refused:
        office.tokens().token()
    assert refused.value.reason.isprintable()
    assert len(refused.value.reason) < 400


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"password": "wrong"}, "AADSTS50126.*set password"),
        ({"mailbox": "bob@contoso.com"}, "AADSTS50034.*full address"),
        ({"client_id": "other"}, "AADSTS700016.*set client-id"),
        ({"directory_id": "fabrikam"}, "AADSTS90002.*set directory-id"),
        ({"scope": "https://other.example.com/.default"}, "AADSTS65001.*consent"),
        ({"grant_type": "client_credentials"}, "AADSTS700025"),
    ],
)
def test_wrong_option_is_named(office: TokenOffice, options: dict[str, str], words: str) -> None:
    office.client.permissions = frozenset({"https://outlook.office"})
    with pytest.raises(Rejected, match=words) as refused:
        office.tokens(**options).token()
    assert PASSWORD not in str(refused.value)


def test_secret_that_is_wrong_or_expired_is_named(office: TokenOffice) -> None:
    office.client.secret = "another"
    with pytest.raises(Rejected, match=r"client secret is wrong .AADSTS7000215.*not its ID"):
        office.tokens(**APPLICATION).token()
    office.client.secret, office.client.secret_expired = SECRET + "2", True
    with pytest.raises(Rejected, match=r"client secret has expired .AADSTS7000222"):
        office.tokens(**{**APPLICATION, "password": SECRET + "2"}).token()


def test_application_that_must_prove_itself_is_named(office: TokenOffice) -> None:
    office.client.secret = SECRET
    with pytest.raises(Rejected, match=r"AADSTS7000218.*must|must prove itself"):
        office.tokens().token()


def test_certificate_that_is_not_the_applications_is_named(office: TokenOffice) -> None:
    certificate, key = office.certificate()
    office.certificate(name="newer")
    with pytest.raises(Rejected, match="AADSTS700027"):
        office.tokens(**proved_by(certificate, key)).token()


def test_sign_in_that_ended_wants_another(office: TokenOffice) -> None:
    office.sign_in(office.section(**SIGNED_IN))
    office.server.realm.revoke(ANN)
    with pytest.raises(Rejected, match=r"AADSTS700082.*sign in again: emaild login pop-client"):
        office.tokens(**SIGNED_IN).token()


def test_nobody_signed_in_is_named(office: TokenOffice) -> None:
    with pytest.raises(Rejected, match="nobody has signed in for it yet; sign in: emaild login pop-client"):
        office.tokens(**SIGNED_IN).token()
    assert office.server.asked == []


def test_sign_in_of_another_machine_wants_another(office: TokenOffice) -> None:
    section = office.section(**SIGNED_IN)
    office.sign_in(section)
    (office.state / "seal.key").unlink()
    with pytest.raises(Rejected, match="its key is gone; sign in again: emaild login pop-client"):
        office.tokens(**SIGNED_IN).token()


def test_google_refusals_are_named(office: TokenOffice) -> None:
    office.client.secret = SECRET
    lines = f"[secret-g]\npassword = {SECRET}"
    with pytest.raises(Rejected, match=r"7 days where the application is in Testing.*invalid_grant.*into password"):
        office.tokens(lines, **office.google(secret="g", password="gone")).token()
    with pytest.raises(Rejected, match="client-id or its secret is wrong"):
        office.tokens(lines, **office.google(secret="g", password="gone", client_id="other")).token()


def test_refusal_is_remembered_and_not_asked_for_again_until_its_time(office: TokenOffice) -> None:
    office.server.realm.people[ANN].trouble = 50126
    tokens = office.tokens()
    for _ in range(5):
        with pytest.raises(Rejected):
            tokens.token()
    assert len(office.server.grants) == 1
    office.clock.advance(400)
    with pytest.raises(Rejected):
        tokens.token()
    assert len(office.server.grants) == 2
    office.clock.advance(3601)
    office.server.realm.people[ANN].trouble = 0
    assert tokens.token()


def test_new_sign_in_ends_a_remembered_refusal_at_once(office: TokenOffice) -> None:
    section = office.section(**SIGNED_IN)
    tokens = office.tokens(**SIGNED_IN)
    with pytest.raises(Rejected):
        tokens.token()
    office.sign_in(section)
    assert tokens.token()


def test_new_settings_end_a_remembered_refusal_at_once(office: TokenOffice) -> None:
    tokens = office.tokens(password="wrong")
    with pytest.raises(Rejected):
        tokens.token()
    assert office.tokens().token()


def test_refusal_while_the_token_of_now_is_valid_leaves_it_in_use(office: TokenOffice) -> None:
    tokens = office.tokens()
    first = tokens.token()
    office.clock.advance(3600 - 200)
    office.server.realm.people[ANN].trouble = 50057
    assert tokens.token() == first
    office.clock.advance(201)
    with pytest.raises(Rejected, match="AADSTS50057"):
        tokens.token()


# An authority in trouble


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (Said(b"{}", 503), Busy),
        (Said(b"{}", 429, headers=(("Retry-After", "120"),)), Busy),
        (Said(b'{"error": "temporarily_unavailable"}', 400), Busy),
        (Said(b"<html>", 200), Unreachable),
        (Said(b"[" * 100_000, 200), Unreachable),
        (Said(b"[1]", 200), Unreachable),
        (Said(b"x" * (2 << 20), 200), Unreachable),
        (Said(b"", 302, headers=(("Location", "http://localhost:1/"),)), Rejected),
    ],
    ids=["503", "429", "unavailable", "html", "deep", "list", "long", "redirect"],
)
@pytest.mark.parametrize("part", ["openid-configuration", "oauth2/v2.0/token", "google"])
def test_authority_in_trouble_is_asked_again_later(
    office: TokenOffice, said: Said, kind: type[Exception], part: str
) -> None:
    def judge(asked: Asked) -> Said | None:
        return said if asked.path.endswith(part) or asked.path == "/token" else None

    office.server.judge = judge
    google = office.google(secret="g", password="rt")
    tokens = office.tokens("[secret-g]\npassword = x", **google) if part == "google" else office.tokens()
    with pytest.raises((kind, Unreachable)):
        tokens.token()
    asked = len(office.server.asked)
    with pytest.raises((kind, Unreachable)):
        tokens.token()
    assert len(office.server.asked) == asked


def test_authority_that_asks_for_patience_is_left_alone_for_as_long(office: TokenOffice) -> None:
    office.server.judge = lambda asked: Said(b"{}", 429, headers=(("Retry-After", "1200"),))
    tokens = office.tokens()
    with pytest.raises(Busy) as busy:
        tokens.token()
    assert busy.value.retry_after == 1200
    office.server.judge = None
    office.clock.advance(1199)
    with pytest.raises(Busy):
        tokens.token()
    office.clock.advance(2)
    assert tokens.token()


def test_authority_that_is_down_is_unreachable_and_comes_back(office: TokenOffice) -> None:
    office.server.stop()
    tokens = office.tokens()
    with pytest.raises(Unreachable):
        tokens.token()
    office.server.start()
    office.clock.advance(60)
    assert tokens.token()


@pytest.mark.parametrize("token", ['""', '"with space"', '"line\\nfeed"', '"\\u0001"', "null", "17", '"ä"'])
def test_token_that_no_sign_in_can_carry_is_none(office: TokenOffice, token: str) -> None:
    answer = f'{{"access_token": {token}, "expires_in": 3600, "token_type": "Bearer"}}'.encode()
    office.server.judge = lambda asked: Said(answer) if asked.path.endswith("/token") else None
    with pytest.raises((Rejected, Unreachable)):
        office.tokens().token()


def test_authority_that_is_not_trusted_gets_no_password(office: TokenOffice, authority: Authority) -> None:
    with pytest.raises(Rejected, match="certificate is not trusted"):
        office.tokens(ca_file=authority.other_ca_file).token()
    assert office.server.asked == []


def test_authority_that_leads_to_a_place_without_tls_gets_no_password(office: TokenOffice) -> None:
    config = (
        b'{"issuer": "x", "authorization_endpoint": "https://localhost/a", "token_endpoint": "http://localhost/t/t"}'
    )
    office.server.judge = lambda asked: Said(config) if "openid" in asked.path else None
    with pytest.raises((Rejected, Unreachable)):
        office.tokens().token()
    assert office.server.grants == []
