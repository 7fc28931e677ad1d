"""Tokens, Graph and Exchange are examined step by step, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from emaild.jobs.examine import Section
from emaild.settings.by_token import GrantType
from emaild.settings.mailbox import MailboxSection, MailboxType
from emaild.settings.properties import SmtpProperties
from emaild.settings.secret import Secret
from emaild.settings.way_out import ServerType, WayOutSection
from tests.adapters.examining import (
    ANN,
    FAILED,
    JOE,
    Doctor,
    failure,
    names,
    text,
    way,
)
from tests.adapters.scripts import SmtpScript, says
from tests.servers.authority import Authority
from tests.servers.authorization import AuthorizationServer
from tests.servers.authorization_rules import Client
from tests.servers.ews import PASSWORD, Exchange
from tests.servers.graph import GraphServer
from tests.servers.scripted import Scripted


@contextmanager
def cloud(authority: Authority, authorization: AuthorizationServer) -> Iterator[tuple[GraphServer, dict[str, Any]]]:
    """A Graph that takes the authority's tokens, and the fields of a section there."""
    authorization.realm.clients["emaild"] = Client("emaild", secret="application's")
    with GraphServer(authority) as server:
        server.accepts = lambda token: authorization.realm.active(token) is not None
        server.mailbox(ANN)
        yield (
            server,
            {
                "server": server.url,
                "ca_file": authority.ca_file,
                "tenant_authority": authorization.url,
                "directory_id": "contoso",
                "client_id": "emaild",
                "grant_type_given": GrantType.CLIENT_CREDENTIALS,
                "password": Secret("application's"),
            },
        )


def test_graph_tells_its_token_and_its_folder_and_sends_a_test_mail(
    doctor: Doctor, authority: Authority, authorization: AuthorizationServer
) -> None:
    with cloud(authority, authorization) as (server, given):
        found = doctor(MailboxSection(name="pop-client", type=MailboxType.GRAPH, mailbox=ANN, **given))
        assert (found.works, names(found, FAILED), names(found)[0]) == (True, [], "token")
        assert "INBOX" in text(found, "folder")
        assert text(found, "token").startswith(f"for {ANN}, until 20")
        assert {asked.method for asked in server.asked} == {"GET"}
        by_graph = WayOutSection(name="smtp-client", server_type=ServerType.GRAPH, user=ANN, **given)
        raw = f"From: {ANN}\r\nTo: {JOE}\r\nSubject: x\r\nMessage-ID: <x@y>\r\n\r\nHello\r\n".encode()
        sent = doctor.sends(by_graph, raw=raw)
        assert sent.works
        assert "/sendMail: 202" in text(sent, "request")
        server.fail("POST", 403, "ErrorSendAsDenied")
        assert failure(doctor.sends(by_graph, raw=raw))[0] == "request"
        assert all("application's" not in step.text for step in (*found.steps, *sent.steps))


def test_a_token_that_the_authority_does_not_give_fails_at_the_token(
    doctor: Doctor, authority: Authority, authorization: AuthorizationServer
) -> None:
    with cloud(authority, authorization) as (server, given):
        wrong = given | {"password": Secret("not the application's")}
        found = doctor(MailboxSection(name="pop-client", type=MailboxType.GRAPH, mailbox=ANN, **wrong))
        assert failure(found)[0] == "token"
        assert server.asked == []


def test_a_token_that_was_revoked_fails_where_it_is_shown(
    doctor: Doctor, authority: Authority, authorization: AuthorizationServer
) -> None:
    with cloud(authority, authorization) as (server, given):
        server.accepts = lambda token: False
        found = doctor(MailboxSection(name="pop-client", type=MailboxType.GRAPH, mailbox=ANN, **given))
    assert not found.works
    assert "the token was refused" in found.reason


def test_a_token_that_an_smtp_server_refuses_is_told_with_each_try(
    doctor: Doctor, scripted: Callable[..., Scripted], authority: Authority, authorization: AuthorizationServer
) -> None:
    server = scripted(SmtpScript({"EHLO": says("250-x", "250 AUTH XOAUTH2"), "AUTH": says("535 5.7.3 no")}))
    with cloud(authority, authorization) as (_, given):
        fields = given | {"server": "localhost", "smtp": SmtpProperties(auth_mechanisms=("XOAUTH2",))}
        found = doctor(way(server.port, user=ANN, **fields))
    assert names(found, FAILED) == ["sign-in", "sign-in"]
    assert text(found, "sign-in").startswith(f"XOAUTH2 as {ANN}; 535 5.7.3")


@pytest.mark.parametrize("sends", [False, True])
def test_exchange_tells_its_requests_and_a_wrong_password(doctor: Doctor, authority: Authority, sends: bool) -> None:
    with Exchange(authority) as server:
        server.mailbox(ANN)

        def made(password: str) -> Section:
            given: dict[str, Any] = {"server": server.url, "ca_file": authority.ca_file, "password": Secret(password)}
            if sends:
                return WayOutSection(name="smtp-client", server_type=ServerType.EWS, user=ANN, **given)
            return MailboxSection(name="pop-client", type=MailboxType.EWS, mailbox=ANN, **given)

        found = doctor(made(PASSWORD))
        assert found.works
        assert names(found)[:4] == ["name", "connect", "TLS", "request"]
        assert failure(doctor(made("wrong")))[0] == "request"
        if sends:
            by_exchange = made(PASSWORD)
            assert isinstance(by_exchange, WayOutSection)
            assert doctor.sends(by_exchange).works
            assert "CreateItem" in server.asked
