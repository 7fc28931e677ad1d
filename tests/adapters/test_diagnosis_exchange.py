"""What Microsoft Graph and Exchange Web Services refuse, through the adapters, each with its cause."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emaild.settings.secret import Secret
from tests.adapters import graph_ways
from tests.adapters.causes import cause, fresh
from tests.adapters.ews_ways import ANN, Ways
from tests.adapters.graph_ways import USER, GivenTokens, Graphs
from tests.servers.authority import Authority
from tests.servers.ews import Exchange, Failure, denied


@pytest.fixture
def graph(authority: Authority) -> Iterator[Graphs]:
    yield from graph_ways.graphs(authority)


@pytest.fixture
def exchange(authority: Authority) -> Iterator[Exchange]:
    """A server with one mailbox that may send."""
    with Exchange(authority) as server:
        server.mailbox(ANN)
        yield server


@pytest.fixture
def ways(exchange: Exchange, authority: Authority) -> Iterator[Ways]:
    """Sinks on that server."""
    with Ways(exchange, authority) as made:
        yield made


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (403, "ErrorAccessDenied", "exchange-access-denied"),
        (404, "ErrorInvalidUser", "exchange-mailbox-missing"),
        (400, "MailboxNotEnabledForRESTAPI", "exchange-mailbox-missing"),
        (403, "ErrorSendAsDenied", "send-as-denied"),
        (403, "ErrorAccountSuspend", "microsoft-account-blocked"),
        (400, "ErrorMimeContentInvalid", "mail-malformed"),
        (400, "ErrorInvalidRecipients", "mailbox-unknown"),
        (429, "ApplicationThrottled", "throttled"),
        (403, "ErrorExceededMessageLimit", "sending-quota"),
        (503, "ServiceUnavailable", "server-busy"),
        (502, "", "server-busy"),
    ],
)
def test_what_graph_refuses_has_its_cause(graph: Graphs, status: int, code: str, expected: str) -> None:
    graph.server.fail("sendMail", status, code)
    assert cause(graph.sink(), fresh(USER), server="graph.microsoft.com:443") == expected


def test_a_token_that_graph_refuses_and_a_strange_from_have_their_causes(graph: Graphs) -> None:
    tokens = GivenTokens(USER, "one", "two", "three")
    assert cause(graph.sink(tokens=tokens), fresh(USER)) == "exchange-sign-in-refused"
    assert cause(graph.sink(), fresh()) == "own-from-not-mailbox"


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (denied("CreateItem", "ErrorSendAsDenied", "no"), "send-as-denied"),
        (denied("CreateItem", "ErrorAccessDenied", "no"), "exchange-access-denied"),
        (denied("CreateItem", "ErrorQuotaExceeded", "no"), "own-mailbox-full"),
        (denied("CreateItem", "ErrorNonExistentMailbox", "no"), "exchange-mailbox-missing"),
        (denied("CreateItem", "ErrorSubmissionQuotaExceeded", "no"), "sending-quota"),
        (denied("CreateItem", "ErrorServerBusy", "no"), "throttled"),
        (Failure(413), "too-big"),
        (Failure(404), "exchange-url-wrong"),
        (Failure(403), "exchange-ews-refused"),
        (Failure(503), "server-busy"),
    ],
)
def test_what_exchange_refuses_has_its_cause(exchange: Exchange, ways: Ways, failure: Failure, expected: str) -> None:
    exchange.fails = lambda *_: failure
    assert cause(ways.sink()) == expected


def test_a_wrong_password_at_exchange_has_its_cause(exchange: Exchange, ways: Ways) -> None:
    assert cause(ways.sink(password=Secret("wrong"))) == "exchange-sign-in-refused"
