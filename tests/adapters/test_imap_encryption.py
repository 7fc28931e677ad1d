"""What must come before an IMAP sign-in: encryption, or no password is sent."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from emaild.errors import Rejected
from emaild.settings.mailbox import FirstFetch, MailboxType
from emaild.settings.properties import ImapProperties
from emaild.settings.server import Security
from emaild.sources import Source
from tests.adapters.scripts import CAPABILITIES, Answer, ImapScript, says
from tests.adapters.turns import Sources, mail, subjects, turn
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.scripted import Dialog, Scripted

ONE = {11: mail("one")}
Play = Callable[..., tuple[Source, Scripted]]


@pytest.fixture
def imap(scripted: Callable[..., Scripted], authority: Authority) -> Iterator[Play]:
    """Makes a source without TLS and the server that it is read from, by capabilities, answers and section."""
    with Sources(MailboxType.IMAP, 0, authority) as sources:

        def play(
            capabilities: str = "", answers: dict[str, Answer] | None = None, **given: Any
        ) -> tuple[Source, Scripted]:
            script = ImapScript(ONE, answers, capabilities=f"{CAPABILITIES} {capabilities}".strip())
            server = scripted(script, authority=authority)
            fields = {"security_given": Security.NONE, "first_fetch": FirstFetch.ALL}
            return sources("joe", port=server.port, **(fields | given)), server

        yield play


def asks(*challenges: str) -> Answer:
    """AUTHENTICATE with these challenges, each answered by one line, and then success."""

    def answer(dialog: Dialog, tag: str, rest: str) -> None:
        for challenge in challenges:
            dialog.send(f"+ {challenge}")
            dialog.readline()
        dialog.send(f"{tag} OK in")

    return answer


def said(server: Scripted) -> list[str]:
    """What the client said, without tags."""
    lines = [line.partition(" C: ")[2] for line in server.transcript if " C: " in line]
    return [re.sub(r"^[A-Z]{4}\d+ ", "", line) for line in lines]


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_password_stays_here_where_the_connection_is_not_encrypted(imap: Play) -> None:
    """Through a proxy the other end is not this machine, wherever the proxy is."""

    def proxy(dialog: Dialog, tag: str, rest: str) -> None:
        while dialog.readline():
            pass
        dialog.send("HTTP/1.1 200 OK", "", "* OK ready")

    source, server = imap("AUTH=PLAIN", {"greeting": proxy})
    port = server.port
    for kept in (True, False):
        properties = ImapProperties(proxy_host="127.0.0.1", proxy_port=port)
        source, _ = imap(imap=properties, allow_plaintext_auth=not kept)
        if kept:
            with pytest.raises(Rejected, match="allow-plaintext-auth"):
                source.open()
            assert not [line for line in said(server) if "LOGIN" in line or "AUTHENTICATE" in line]
        else:
            assert subjects(turn(source).raws) == ["one"]


def starttls(dialog: Dialog, tag: str, rest: str) -> None:
    dialog.send(f"{tag} OK go on")
    dialog.start_tls()


def test_what_the_server_can_do_is_asked_anew_after_starttls(imap: Play) -> None:
    """RFC 9051 §6.2.1: what was said before may be another's."""

    def capability(dialog: Dialog, tag: str, rest: str) -> None:
        asked.append(tag)
        more = "STARTTLS LOGINDISABLED AUTH=XOAUTH2" if len(asked) == 1 else "AUTH=PLAIN"
        dialog.send(f"* CAPABILITY {CAPABILITIES} {more}", f"{tag} OK done")

    asked: list[str] = []
    answers: dict[str, Answer] = {"CAPABILITY": capability, "STARTTLS": starttls, "AUTHENTICATE": asks("")}
    properties = ImapProperties(auth_login_disable=True)
    source, server = imap("", answers, imap=properties, security_given=Security.START_TLS)
    assert subjects(turn(source).raws) == ["one"]
    assert "AUTHENTICATE PLAIN" in said(server)


def test_starttls_is_used_where_it_is_enabled_and_offered(imap: Play) -> None:
    enabled = ImapProperties(starttls_enable=True)
    for capabilities, properties, used in (
        ("STARTTLS", enabled, True),
        ("", enabled, False),
        ("STARTTLS", ImapProperties(), False),
    ):
        source, server = imap(capabilities, {"STARTTLS": starttls}, imap=properties)
        assert subjects(turn(source).raws) == ["one"]
        assert ("STARTTLS" in said(server)) is used


@pytest.mark.parametrize("required", [True, False])
def test_starttls_that_is_offered_and_then_refused_stops_the_sign_in(imap: Play, required: bool) -> None:
    properties = ImapProperties(starttls_enable=True, starttls_required=required)
    source, server = imap("STARTTLS", {"STARTTLS": says("TAG NO not now")}, imap=properties)
    with pytest.raises(Rejected, match="STARTTLS: "):
        source.open()
    assert not [line for line in said(server) if "LOGIN" in line]


def test_starttls_that_is_required_and_not_offered_stops_the_sign_in(imap: Play) -> None:
    source, server = imap(imap=ImapProperties(starttls_required=True))
    with pytest.raises(Rejected, match="STARTTLS: the server does not offer it"):
        source.open()
    assert said(server) == ["CAPABILITY"]


def test_server_that_signs_us_in_by_itself_is_used_but_not_instead_of_starttls(imap: Play) -> None:
    """RFC 9051 §11.1: PREAUTH would let someone on the way avoid TLS, for STARTTLS is not allowed after it."""
    answers = {"greeting": says("* PREAUTH welcome joe")}
    source, server = imap("STARTTLS", answers)
    assert subjects(turn(source).raws) == ["one"]
    assert not [line for line in said(server) if "LOGIN" in line]
    source, server = imap("STARTTLS", answers, security_given=Security.START_TLS)
    with pytest.raises(Rejected, match=r"STARTTLS: .*PREAUTH"):
        source.open()
    assert said(server) == ["CAPABILITY"]


def test_automatic_does_not_go_on_without_tls_where_the_certificate_is_not_trusted(
    dovecot: Dovecot, authority: Authority
) -> None:
    with Sources(MailboxType.IMAP, dovecot.imaps, authority) as sources:
        source = sources("automatic-untrusted", security_given=Security.AUTOMATIC, ca_file=authority.other_ca_file)
        with pytest.raises(Rejected, match="certificate is not trusted"):
            source.open()
    assert dovecot.sessions("automatic-untrusted") == []


def test_automatic_ends_with_starttls_on_a_port_without_tls(dovecot: Dovecot, authority: Authority) -> None:
    dovecot.drop("automatic-plain", [mail("one")])
    with Sources(MailboxType.IMAP, dovecot.imap, authority) as sources:
        source = sources("automatic-plain", security_given=Security.AUTOMATIC)
        assert subjects(turn(source).raws) == ["one"]
    assert len(dovecot.sessions("automatic-plain", 1)) == 1
    login = [line for line in dovecot.log().splitlines() if "Login: user=<automatic-plain>" in line]
    assert [", TLS," in line for line in login] == [True]
