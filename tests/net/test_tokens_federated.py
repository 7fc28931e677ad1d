"""A password at Microsoft's way where another server of the organization checks it: msal asks that by WS-Trust."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emaild.errors import Busy, Rejected, Unreachable
from tests.said import Said as Log
from tests.servers.authority import Authority, new_authority
from tests.servers.authorization import Asked, AuthorizationServer, Said
from tests.servers.federation import MEX, TRUST
from tests.servers.proxies import ProxyProgram
from tests.tokens import ANN, PASSWORD, TokenOffice

OPENING = b"<t:RequestSecurityTokenResponse><t:TokenType>"
FAULT = b"<s:Fault><s:Subcode><s:Value>"


@pytest.fixture
def own(office: TokenOffice, authority: Authority) -> Iterator[AuthorizationServer]:
    """The organization's own server, which checks Ann's password."""
    with AuthorizationServer(authority) as server:
        realm = office.server.realm
        server.realm.federation = realm.federation
        realm.federation.people[ANN] = PASSWORD
        realm.federated[ANN] = server.url + MEX
        yield server


def test_password_is_checked_there_and_gets_a_token(office: TokenOffice, own: AuthorizationServer) -> None:
    given = office.server.realm.active(office.tokens().token().reveal())
    assert given is not None
    assert given.user == ANN
    assert [asked.path for asked in own.asked] == [MEX, TRUST]
    assert all("password" not in form for form in office.server.grants)


def test_wrong_password_is_named_and_not_tried_again_soon(office: TokenOffice, own: AuthorizationServer) -> None:
    said, tokens = Log(), office.tokens(password="wrong<&")
    for _ in range(5):
        with pytest.raises(
            Rejected, match=r"wrong at the organization's sign-in server.*FailedAuthentication.*set pas"
        ):
            tokens.token()
        office.clock.advance(50)
    assert len(own.asked) == 2
    assert "wrong<&" not in str(said.events)


def test_token_that_is_not_taken_is_named(office: TokenOffice, own: AuthorizationServer) -> None:
    own.realm.federation = type(own.realm.federation)({ANN: PASSWORD})
    with pytest.raises(Rejected, match=r"token of the organization's sign-in server is not taken .AADSTS50008"):
        office.tokens().token()


@pytest.mark.parametrize("program", ["tinyproxy", "microsocks"])
def test_every_request_goes_through_the_proxy(office: TokenOffice, own: AuthorizationServer, program: str) -> None:
    with ProxyProgram(program) as proxy:
        line = f"[proxy]\nuseProxy = true\nhost = 127.0.0.1\nport = {proxy.port}"
        assert office.tokens(line).token()
        proxy.stop()
        asked = len(own.asked)
        office.clock.advance(3600)
        with pytest.raises(Unreachable, match=r"\[proxy\]"):
            office.tokens(line).token()
        assert len(own.asked) == asked


def test_server_that_is_not_trusted_gets_no_password(
    office: TokenOffice, own: AuthorizationServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with AuthorizationServer(new_authority(tmp_path_factory.mktemp("strange"))) as stranger:
        office.server.realm.federated[ANN] = stranger.url + MEX
        with pytest.raises(Rejected, match=f"{stranger.port}.*certificate is not trusted"):
            office.tokens().token()
        assert stranger.asked == []


@pytest.mark.parametrize("place", ["http://localhost:1/mex", "ftp://localhost/mex", "https://", "mex", "https://a@b/"])
def test_place_that_is_no_https_url_gets_no_password(office: TokenOffice, place: str) -> None:
    office.server.realm.federated[ANN] = place
    with pytest.raises(Rejected, match="no https URL"):
        office.tokens().token()


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"", 200, Unreachable),
        (b"<html>", 200, Unreachable),
        (b"<a>" * 300_000, 200, Unreachable),
        (b"<a>" * 100_000 + b"</a>" * 100_000, 200, Unreachable),
        (OPENING * 20_000, 200, Unreachable),
        (FAULT + b"a:FailedAuthentication<" + OPENING * 20_000, 200, Unreachable),
        (FAULT * 30_000, 200, Unreachable),
        (b"<s:Subcode>" + b" " * 900_000, 200, Unreachable),
        (b"\xff\xfe\x00" * 1000, 200, Unreachable),
        (b'<?xml version="1.0" encoding="none"?><a/>', 200, Unreachable),
        (b"x" * (2 << 20), 200, Unreachable),
        (b"", 503, Busy),
        (b"<html>down</html>", 500, Busy),
        (b"", 302, Unreachable),
        (b"", 404, Unreachable),
    ],
    ids=[
        "empty",
        "html",
        "open",
        "deep",
        "tags",
        "fault-and-tags",
        "faults",
        "spaces",
        "binary",
        "encoding",
        "long",
        "503",
        "500",
        "302",
        "404",
    ],
)
@pytest.mark.parametrize("path", [MEX, TRUST])
def test_whatever_it_answers_is_bounded_and_named(
    office: TokenOffice, own: AuthorizationServer, path: str, body: bytes, status: int, kind: type[Exception]
) -> None:
    """With 20,000 opening tags msal alone would search for minutes."""

    def judge(asked: Asked) -> Said | None:
        return Said(body, status, "application/soap+xml") if asked.path == path else None

    own.judge = judge
    words = "status 50" if kind is Busy else "too long" if len(body) > 1 << 20 else "organization's sign-in server"
    with pytest.raises(kind, match=words) as failed:
        office.tokens().token()
    assert PASSWORD not in str(failed.value)
