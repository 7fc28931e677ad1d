"""A person signs in, in a browser or by a device code, at an authorization server that verifies all of it."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from emaild.errors import Rejected
from emaild.net.oauth.person import Begun, begin, begin_by_device, keep
from emaild.settings.mailbox import MailboxSection
from tests.servers.authority import Authority
from tests.servers.authorization import Asked, Said
from tests.servers.authorization_rules import as_json
from tests.tokens import ANN, PASSWORD, SECRET, TokenOffice

REDIRECT = "http://localhost:4711"
SIGNED_IN = {"grant_type": "authorization_code", "password": ""}


@pytest.fixture(params=["microsoft", "google"])
def mailbox(office: TokenOffice, request: pytest.FixtureRequest) -> MailboxSection:
    """A mailbox that somebody is to sign in for."""
    if request.param == "microsoft":
        return office.settings(**SIGNED_IN).mailboxes["pop-client"]
    office.client.secret = SECRET
    options = office.google(secret="g", **SIGNED_IN)
    return office.settings(f"[secret-g]\npassword = {SECRET}", **options).mailboxes["pop-client"]


def browsed(begun: Begun, context: ssl.SSLContext, **typed: str) -> Mapping[str, str]:
    """What the browser comes back with after *typed* was sent from the page that the URL leads to."""
    place = urlsplit(begun.url)
    connection = http.client.HTTPSConnection(place.hostname or "", place.port, context=context, timeout=20)
    try:
        connection.request("GET", f"{place.path}?{place.query}")
        page = connection.getresponse()
        assert page.status == 200, page.read()
        page.read()
        form = urlencode({**dict(parse_qsl(place.query)), **typed})
        connection.request("POST", place.path, form, {"Content-Type": "application/x-www-form-urlencoded"})
        back = connection.getresponse().headers["Location"]
    finally:
        connection.close()
    assert back.startswith(REDIRECT)
    return dict(parse_qsl(urlsplit(back).query))


def test_code_with_pkce_signs_in_and_gives_tokens_from_then_on(
    office: TokenOffice, mailbox: MailboxSection, authority: Authority
) -> None:
    begun = begin(mailbox, proxy=None, redirect=REDIRECT)
    signed_in = begun.finish(browsed(begun, authority.client_context(), username=ANN, password=PASSWORD))
    assert signed_in.user == ANN
    keep(mailbox, office.sealed, signed_in)
    given = office.server.realm.active(office.of_section(mailbox).token().reveal())
    assert given is not None
    assert given.user == ANN


def test_superoffice_9_a_replayed_answer_is_refused(
    office: TokenOffice, mailbox: MailboxSection, authority: Authority
) -> None:
    begun = begin(mailbox, proxy=None, redirect=REDIRECT)
    answer = browsed(begun, authority.client_context(), username=ANN, password=PASSWORD)
    begun.finish(answer)
    with pytest.raises(Rejected, match="another sign-in"):
        begun.finish(answer)
    assert len(office.server.grants) == 1


def test_answer_to_another_sign_in_is_refused(
    office: TokenOffice, mailbox: MailboxSection, authority: Authority
) -> None:
    begun, other = (begin(mailbox, proxy=None, redirect=REDIRECT) for _ in range(2))
    answer = browsed(other, authority.client_context(), username=ANN, password=PASSWORD)
    with pytest.raises(Rejected, match="another sign-in"):
        begun.finish(answer)
    assert office.server.grants == []


def test_code_of_another_sign_in_is_refused_by_pkce(mailbox: MailboxSection, authority: Authority) -> None:
    begun, other = (begin(mailbox, proxy=None, redirect=REDIRECT) for _ in range(2))
    own = browsed(begun, authority.client_context(), username=ANN, password=PASSWORD)
    stolen = browsed(other, authority.client_context(), username=ANN, password=PASSWORD)
    with pytest.raises(Rejected, match=r"PKCE|expired or was revoked"):
        begun.finish({**own, "code": stolen["code"]})


def test_declined_consent_is_named(mailbox: MailboxSection, authority: Authority) -> None:
    begun = begin(mailbox, proxy=None, redirect=REDIRECT)
    answer = browsed(begun, authority.client_context(), deny="1")
    with pytest.raises(Rejected, match="consent was declined"):
        begun.finish(answer)


def test_mailbox_with_a_password_has_nobody_sign_in(office: TokenOffice) -> None:
    with pytest.raises(Rejected, match="needs grant-type = authorization_code"):
        begin(office.settings().mailboxes["pop-client"], proxy=None, redirect=REDIRECT)


def test_device_code_signs_in_on_another_machine(office: TokenOffice) -> None:
    device = begin_by_device(office.section(**SIGNED_IN), proxy=None)
    assert device.poll() is None
    office.server.realm.approve(device.user_code, ANN)
    signed_in = device.poll()
    assert signed_in is not None
    assert signed_in.user == ANN
    assert device.life == 900


@pytest.mark.parametrize(("state", "words"), [("declined", "declined"), ("expired", "code has expired")])
def test_device_code_that_failed_is_named(office: TokenOffice, state: str, words: str) -> None:
    device = begin_by_device(office.section(**SIGNED_IN), proxy=None)
    office.server.realm.approve(device.user_code, state=state)
    with pytest.raises(Rejected, match=words):
        device.poll()


def test_google_has_no_device_code(office: TokenOffice) -> None:
    office.client.secret = SECRET
    section = office.section(f"[secret-g]\npassword = {SECRET}", **office.google(secret="g", **SIGNED_IN))
    with pytest.raises(Rejected, match="no device code"):
        begin_by_device(section, proxy=None)


def test_authority_that_leads_to_a_place_without_tls_is_refused(office: TokenOffice) -> None:
    def judge(asked: Asked) -> Said | None:
        if "openid" not in asked.path:
            return None
        place, plain = f"{office.server.url}/contoso/oauth2/v2.0", f"http://localhost:{office.server.port}/devicecode"
        config = {"authorization_endpoint": f"{place}/authorize", "token_endpoint": f"{place}/token"}
        return Said(as_json({**config, "device_authorization_endpoint": plain}))

    office.server.judge = judge
    with pytest.raises(Rejected, match="no https URL"):
        begin_by_device(office.section(**SIGNED_IN), proxy=None)
