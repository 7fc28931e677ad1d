"""A mailbox or a way out is tried for real: each step is told, and nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from emaild.errors import Busy, Rejected, RemoteError, Unreachable
from emaild.jobs.trial import remedy, trial
from emaild.net.oauth import Sealed
from emaild.settings.by_token import GrantType
from emaild.settings.mailbox import AfterFetch, FirstFetch, MailboxSection, MailboxType
from emaild.settings.network import ProxySection, ProxyType
from emaild.settings.properties import ImapProperties
from emaild.settings.secret import Secret
from emaild.settings.server import Security
from emaild.settings.way_out import ServerType, WayOutSection
from tests.adapters.scripts import ImapScript, SmtpScript, says
from tests.adapters.turns import mail, section
from tests.clock import ManualClock
from tests.servers.authority import Authority
from tests.servers.authorization import AuthorizationServer
from tests.servers.authorization_rules import Client
from tests.servers.dovecot import Dovecot
from tests.servers.ews import PASSWORD, Exchange
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.graph import GraphServer
from tests.servers.ports import LOOPBACK
from tests.servers.proxies import ProxyProgram
from tests.servers.scripted import Scripted
from tests.servers.wait import eventually

ANN = "ann@example.com"
IMAP, POP3 = MailboxType.IMAP, MailboxType.POP3

Try = Callable[..., list[str]]


@pytest.fixture
def steps(tmp_path: Path) -> Try:
    """What works of a section, which may have a proxy."""

    def tried(made: MailboxSection | WayOutSection, proxy: ProxySection | None = None) -> list[str]:
        return list(trial(made, proxy=proxy, sealed=Sealed(tmp_path), clock=ManualClock()))

    return tried


@pytest.fixture
def cloud(authority: Authority, authorization: AuthorizationServer) -> Iterator[GraphServer]:
    """A Graph that takes the authority's tokens."""
    authorization.realm.clients["emaild"] = Client("emaild", secret="application's")
    with GraphServer(authority) as server:
        server.accepts = lambda token: authorization.realm.active(token) is not None
        server.mailbox(ANN)
        yield server


def at_graph(server: GraphServer, authority: Authority, authorization: AuthorizationServer) -> dict[str, Any]:
    """The fields of a section there."""
    return {
        "server": server.url,
        "ca_file": authority.ca_file,
        "tenant_authority": authorization.url,
        "directory_id": "contoso",
        "client_id": "emaild",
        "grant_type_given": GrantType.CLIENT_CREDENTIALS,
        "password": Secret("application's"),
    }


@pytest.mark.parametrize("kind", [IMAP, POP3])
def test_a_mailbox_that_works_says_how_much_it_holds_and_stays_as_it_was(
    steps: Try, dovecot: Dovecot, authority: Authority, kind: MailboxType
) -> None:
    user = f"tried-{kind.value.lower()}"
    dovecot.drop(user, [mail("one"), mail("two")])
    port = dovecot.imaps if kind is IMAP else dovecot.pop3s
    after = AfterFetch.SEEN if kind is IMAP else AfterFetch.DELETE
    security = {"security_given": Security.SSL_TLS, "ca_file": authority.ca_file}
    made = section(kind, port, user, after_fetch=after, first_fetch=FirstFetch.ALL, **security)
    assert steps(made) == [f"{user} is signed in at localhost", "INBOX is open; it holds 2 mails"]
    assert dovecot.flags(user) == [(), ()]


def test_a_folder_is_opened_only_to_be_looked_at(steps: Try, scripted: Callable[..., Scripted]) -> None:
    """By SELECT, which marks what is new as known (RFC 3501 §6.3.1), other programs would miss it."""
    server = scripted(ImapScript({1: mail("one")}))
    deletes = {"delete_big_msg": True, "delete_bad_formatted_msg": True, "after_fetch": AfterFetch.DELETE}
    assert len(steps(section(IMAP, server.port, "x", imap=ImapProperties(peek=False), **deletes))) == 2
    said = [line.split()[3] for line in server.transcript if " C: " in line]
    assert ("EXAMINE" in said, {"SELECT", "STORE", "FETCH"} & {*said}) == (True, set())


def test_the_step_that_fails_is_told_with_what_to_look_at(
    steps: Try, dovecot: Dovecot, free_port: Callable[[], int]
) -> None:
    failures = []
    for made in (
        section(IMAP, free_port(), "tried-nobody"),
        section(IMAP, dovecot.imap, "refused-trial"),
        section(IMAP, dovecot.imap, "tried-folder", folder_path="Nowhere"),
        section(POP3, dovecot.pop3, "unavailable-trial"),
    ):
        with pytest.raises(RemoteError) as failure:
            steps(made)
        failures.append((type(failure.value), failure.value.action, remedy(failure.value)))
    assert [found[:2] for found in failures] == [
        (Unreachable, "connect"),
        (Rejected, "sign in"),
        (Rejected, "open folder Nowhere"),
        (Busy, "sign in"),
    ]
    wanted = ("may pass by itself", "may this user", "is folder-path right?", "may pass by itself")
    assert [words in found[2] for words, found in zip(wanted, failures, strict=True)] == [True] * 4


def test_steps_that_worked_are_told_before_the_one_that_fails(dovecot: Dovecot, tmp_path: Path) -> None:
    made = section(IMAP, dovecot.imap, "tried-half", folder_path="Nowhere")
    told = trial(made, proxy=None, sealed=Sealed(tmp_path), clock=ManualClock())
    assert next(told) == "tried-half is signed in at localhost"
    with pytest.raises(Rejected, match="Nowhere"):
        next(told)


def test_no_answer_is_waited_for_as_long_as_the_daemon_waits(
    steps: Try, scripted: Callable[..., Scripted], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emaild.jobs.trial.PATIENCE", 0.2)
    server = scripted(ImapScript({}, {"LOGIN": lambda dialog, tag, rest: dialog.wait_for_end()}))
    with pytest.raises(Unreachable, match="sign in: no answer in time"):
        steps(section(IMAP, server.port, "x", protocol_timeout=300.0))


def test_a_way_out_is_greeted_and_signed_in_and_sends_nothing(
    steps: Try, faulty_smtp: Callable[..., FaultySmtp]
) -> None:
    server = faulty_smtp(user=ANN)
    made = WayOutSection(
        name="smtp-client",
        server="localhost",
        port_given=server.smtp,
        enable_authentication=True,
        user=ANN,
        password=Secret("secret"),
    )
    assert steps(made) == [f"{ANN} is signed in at localhost"]
    said = [command.split()[0] for _, command in server.commands]
    assert (said[0], "AUTH" in said, said[-1], "MAIL" in said) == ("EHLO", True, "QUIT", False)


def test_a_way_out_that_refuses_us_is_told(steps: Try, scripted: Callable[..., Scripted]) -> None:
    server = scripted(SmtpScript({"EHLO": says("250-x", "250 AUTH PLAIN"), "AUTH": says("535 5.7.8 no")}))
    made = WayOutSection(
        name="smtp-client",
        server=LOOPBACK,
        port_given=server.port,
        enable_authentication=True,
        user=ANN,
        password=Secret("x"),
    )
    with pytest.raises(Rejected, match=r"sign in: 535 5\.7\.8 no"):
        steps(made)


def test_a_mailbox_of_graph_is_opened(
    steps: Try, cloud: GraphServer, authority: Authority, authorization: AuthorizationServer
) -> None:
    given = at_graph(cloud, authority, authorization)
    made = MailboxSection(name="pop-client", type=MailboxType.GRAPH, mailbox=ANN, **given)
    assert steps(made)[-1] == f"INBOX of {ANN} is open"
    assert {asked.method for asked in cloud.asked} == {"GET"}
    cloud.fail("GET", 403, "ErrorAccessDenied")
    with pytest.raises(Rejected, match=r"open folder INBOX: .*Mail\.ReadWrite"):
        steps(made)


def test_a_way_out_by_graph_need_not_be_allowed_to_read(
    steps: Try, cloud: GraphServer, authority: Authority, authorization: AuthorizationServer
) -> None:
    given = at_graph(cloud, authority, authorization)
    made = WayOutSection(name="smtp-client", server_type=ServerType.GRAPH, user=ANN, **given)
    assert steps(made)[-1] == f"drafts of {ANN} is open"
    cloud.fail("GET", 403, "ErrorAccessDenied")
    assert f"{ANN} may not be read" in steps(made)[-1]
    cloud.fail("GET", 404, "ErrorInvalidUser")
    with pytest.raises(Rejected, match="ErrorInvalidUser"):
        steps(made)


@pytest.mark.parametrize("sends", [False, True])
def test_a_mailbox_of_exchange_is_opened_be_it_read_or_sent_from(steps: Try, authority: Authority, sends: bool) -> None:
    with Exchange(authority) as server:
        server.mailbox(ANN)
        given: dict[str, Any] = {
            "server": server.url,
            "ca_file": authority.ca_file,
            "password": Secret(PASSWORD),
        }
        made = (
            WayOutSection(name="smtp-client", server_type=ServerType.EWS, user=ANN, **given)
            if sends
            else MailboxSection(name="pop-client", type=MailboxType.EWS, mailbox=ANN, **given)
        )
        assert steps(made) == [f"{ANN} is signed in at {server.url}, and INBOX is open"]
        assert set(server.asked) == {"GetFolder"}


def test_all_of_it_goes_through_the_proxy(steps: Try, dovecot: Dovecot, authority: Authority) -> None:
    security = {"security_given": Security.SSL_TLS, "ca_file": authority.ca_file}
    made = section(IMAP, dovecot.imaps, "tried-proxied", **security)
    with ProxyProgram("tinyproxy") as program:
        proxy = ProxySection(
            name="proxy", use_proxy_text="true", host=LOOPBACK, port_given=str(program.port), proxy_type=ProxyType.HTTP
        )
        assert len(steps(made, proxy)) == 2
        eventually(lambda: str(dovecot.imaps) in program.log(), what="the proxy's log")
