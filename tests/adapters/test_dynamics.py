"""The failures that Dynamics 365's article on e-mail names, each with a cause of its own and what to do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emaild.diagnosis.table import rows
from tests.adapters import graph_ways
from tests.adapters.causes import Sample, cause, fresh
from tests.adapters.ews_ways import ANN, Ways
from tests.adapters.graph_ways import USER, GivenTokens, Graphs
from tests.adapters.test_every_cause import WAYS, Refusing
from tests.adapters.ways import Sinks
from tests.servers.authority import Authority
from tests.servers.ews import Exchange, Failure
from tests.servers.graph import TOKEN
from tests.servers.scripted import Scripted

UNSUCCESSFUL = "535 5.7.139 Authentication unsuccessful"


@pytest.mark.parametrize(
    ("step", "reply", "expected"),
    [
        ("RCPT", "501 5.1.6 Recipient addresses in single label domains not accepted", "single-label-domain"),
        (".", "554 5.2.2 mailbox full", "mailbox-full"),
        ("AUTH", f"{UNSUCCESSFUL}, the request did not meet the criteria", "microsoft-criteria-not-met"),
        ("AUTH", f"{UNSUCCESSFUL}, SmtpClientAuthentication is disabled", "microsoft-smtp-auth-disabled"),
        ("MAIL", "530 5.7.57 SMTP; Client was not authenticated to send", "authentication-required-exchange"),
        ("MAIL", "530 5.7.0 Authentication required", "authentication-required"),
        (".", "550 5.7.60 SMTP; Client does not have permissions to send as this sender", "send-as-denied"),
    ],
)
def test_dynamics_11_what_a_mail_server_refuses_has_a_cause_of_its_own(step: str, reply: str, expected: str) -> None:
    refusing = Refusing()
    refusing.sample = Sample(expected, 1, step, reply, "", "")
    with Scripted(refusing) as server, Sinks() as sinks:
        assert cause(sinks(server.port, **WAYS.get(step, {}))) == expected
    assert [row.diagnosis.remedy != "" for row in rows() if row.diagnosis.cause == expected] == [True]


@pytest.fixture
def graph(authority: Authority) -> Iterator[Graphs]:
    yield from graph_ways.graphs(authority)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (401, "InvalidAuthenticationToken", "exchange-sign-in-refused"),
        (403, "ErrorAccessDenied", "exchange-access-denied"),
        (404, "ErrorInvalidUser", "exchange-mailbox-missing"),
    ],
)
def test_dynamics_11_401_403_and_404_of_graph_are_told_apart(
    graph: Graphs, status: int, code: str, expected: str
) -> None:
    graph.server.fail("sendMail", status, code, times=2)
    assert cause(graph.sink(tokens=GivenTokens(USER, TOKEN, "another")), fresh(USER)) == expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [(401, "exchange-sign-in-refused"), (403, "exchange-ews-refused"), (404, "exchange-url-wrong")],
)
def test_dynamics_11_401_403_and_404_of_exchange_are_told_apart(
    authority: Authority, status: int, expected: str
) -> None:
    with Exchange(authority) as exchange, Ways(exchange, authority) as ways:
        exchange.mailbox(ANN)
        exchange.fails = lambda operation, number: Failure(status)
        assert cause(ways.sink()) == expected


def test_dynamics_16_who_has_no_mailbox_at_exchange_cannot_send_by_it(authority: Authority) -> None:
    with Exchange(authority) as exchange, Ways(exchange, authority) as ways:
        exchange.mailbox(ANN)
        assert cause(ways.sink("joe@elsewhere.example")) == "exchange-sign-in-refused"
    assert exchange.sent == []
