"""Signing in over IMAP: which way is taken, and what is said on it."""

from __future__ import annotations

import base64
import json
import re
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from emaild.errors import Busy, Rejected
from emaild.settings.mailbox import FirstFetch, MailboxType
from emaild.settings.properties import ImapProperties
from emaild.settings.secret import Secret
from emaild.settings.server import Security
from emaild.sources import Source
from tests.adapters.scripts import CAPABILITIES, Answer, ImapScript, says
from tests.adapters.turns import Sources, mail, subjects, turn
from tests.servers.authority import Authority
from tests.servers.scripted import Dialog, Scripted

ONE = {11: mail("one")}
PASSWORD = "hunter2-and-more"
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


# Which way


def test_login_is_the_first_choice(imap: Play) -> None:
    source, server = imap("AUTH=PLAIN AUTH=XOAUTH2 SASL-IR")
    assert subjects(turn(source).raws) == ["one"]
    assert 'LOGIN joe "secret"' in said(server)


@pytest.mark.parametrize(
    ("capabilities", "properties"),
    [
        ("AUTH=PLAIN LOGINDISABLED", ImapProperties()),
        ("AUTH=PLAIN", ImapProperties(auth_login_disable=True)),
        ("AUTH=LOGIN AUTH=PLAIN", ImapProperties(auth_mechanisms=("PLAIN",))),
        ("AUTH=LOGIN AUTH=PLAIN", ImapProperties(auth_mechanisms=("NTLM", "PLAIN"))),
        (
            "AUTH=LOGIN AUTH=PLAIN",
            ImapProperties(auth_mechanisms=("LOGIN",), sasl_enable=True, sasl_mechanisms=("PLAIN",)),
        ),
        ("AUTH=LOGIN AUTH=PLAIN", ImapProperties(auth_mechanisms=("PLAIN",), sasl_mechanisms=("LOGIN",))),
    ],
)
def test_plain_is_used_where_login_may_not_be_or_it_is_named(
    imap: Play, capabilities: str, properties: ImapProperties
) -> None:
    """RFC 3501 §6.2.3: LOGIN must not be tried where LOGINDISABLED is told."""
    source, server = imap(capabilities, {"AUTHENTICATE": asks("")}, imap=properties)
    assert subjects(turn(source).raws) == ["one"]
    assert said(server)[1:3] == ["AUTHENTICATE PLAIN", b64("\0joe\0secret")]


def test_first_response_goes_along_where_the_server_takes_it(imap: Play) -> None:
    """SASL-IR, RFC 4959."""
    properties = ImapProperties(auth_mechanisms=("PLAIN",))
    source, server = imap("AUTH=PLAIN SASL-IR", {"AUTHENTICATE": asks()}, imap=properties)
    turn(source)
    assert said(server)[1] == f"AUTHENTICATE PLAIN {b64(chr(0) + 'joe' + chr(0) + 'secret')}"


def test_login_as_a_mechanism_answers_two_questions(imap: Play) -> None:
    properties = ImapProperties(auth_mechanisms=("LOGIN",))
    answers = {"AUTHENTICATE": asks(b64("Username:"), b64("Password:"))}
    source, server = imap("AUTH=LOGIN SASL-IR", answers, imap=properties)
    turn(source)
    assert said(server)[1:4] == ["AUTHENTICATE LOGIN", b64("joe"), b64("secret")]


def test_login_named_is_the_command_where_the_server_has_no_such_mechanism(imap: Play) -> None:
    source, server = imap("AUTH=PLAIN", imap=ImapProperties(auth_mechanisms=("LOGIN",)))
    turn(source)
    assert 'LOGIN joe "secret"' in said(server)


@pytest.mark.parametrize(
    ("capabilities", "properties", "offered"),
    [
        ("LOGINDISABLED", ImapProperties(), "nothing"),
        ("AUTH=PLAIN", ImapProperties(auth_mechanisms=("XOAUTH2",)), "PLAIN"),
        ("AUTH=PLAIN", ImapProperties(auth_login_disable=True, auth_plain_disable=True), "PLAIN"),
        ("AUTH=LOGIN LOGINDISABLED", ImapProperties(auth_login_disable=True), "LOGIN"),
    ],
)
def test_password_stays_here_where_no_way_is_known_to_both_sides(
    imap: Play, capabilities: str, properties: ImapProperties, offered: str
) -> None:
    source, server = imap(capabilities, imap=properties)
    with pytest.raises(Rejected, match=f"sign in: no way .* it offers {offered}$"):
        source.open()
    assert said(server) == ["CAPABILITY"]


# What is said


def test_authorization_identity_goes_with_plain_where_sasl_is_enabled(imap: Play) -> None:
    for enabled, identity in ((True, "boss"), (False, "")):
        properties = ImapProperties(
            auth_login_disable=True, sasl_enable=enabled, sasl_authorizationid="boss", sasl_realm="R"
        )
        source, server = imap("AUTH=PLAIN", {"AUTHENTICATE": asks("")}, imap=properties)
        turn(source)
        assert said(server)[2] == b64(f"{identity}\0joe\0secret")


def test_authorization_identity_rules_login_out(imap: Play) -> None:
    """LOGIN would act as somebody else than asked for."""
    properties = ImapProperties(sasl_enable=True, sasl_authorizationid="boss")
    source, server = imap("AUTH=PLAIN", {"AUTHENTICATE": asks("")}, imap=properties)
    turn(source)
    assert said(server)[1] == "AUTHENTICATE PLAIN"


@pytest.mark.parametrize(("domain", "told"), [("", "REALM"), ("DOMAIN", "DOMAIN")])
def test_realm_is_the_domain_of_ntlm_where_none_is_named(imap: Play, domain: str, told: str) -> None:
    """[MS-NLMP] 2.2.1.3: DomainNameFields stand at octet 28 of message 3, in UTF-16 here."""
    message = bytearray(
        b"NTLMSSP\0\x02\0\0\0" + bytes(8) + b"\x05\x82\x88\xa2" + b"8bytes!!" + bytes(8) + bytes(8) + bytes(8)
    )
    target = b"\x07\0\x08\0" + bytes(8) + bytes(4)
    message[40:48] = len(target).to_bytes(2, "little") * 2 + (56).to_bytes(4, "little")
    answers = {"AUTHENTICATE": asks("", base64.b64encode(bytes(message) + target).decode())}
    properties = ImapProperties(
        auth_mechanisms=("NTLM",), sasl_enable=True, sasl_realm="REALM", auth_ntlm_domain=domain
    )
    source, server = imap("AUTH=NTLM", answers, imap=properties)
    turn(source)
    third = base64.b64decode(said(server)[3])
    length, at = int.from_bytes(third[28:30], "little"), int.from_bytes(third[32:36], "little")
    assert third[at : at + length].decode("utf-16-le") == told


def test_token_is_sent_as_xoauth2_has_it(imap: Play) -> None:
    properties = ImapProperties(auth_mechanisms=("XOAUTH2",))
    source, server = imap("AUTH=XOAUTH2 SASL-IR", {"AUTHENTICATE": asks()}, imap=properties)
    turn(source)
    assert said(server)[1] == f"AUTHENTICATE XOAUTH2 {b64('user=joe' + chr(1) + 'auth=Bearer secret' + chr(1) * 2)}"


@pytest.mark.parametrize(("mechanism", "farewell"), [("XOAUTH2", ""), ("OAUTHBEARER", b64("\1"))])
@pytest.mark.parametrize(("answer", "kind"), [("NO AUTHENTICATE failed", Rejected), ("NO [UNAVAILABLE] later", Busy)])
def test_refused_token_is_told_with_the_status_and_without_the_token(
    imap: Play, mechanism: str, farewell: str, answer: str, kind: type[Exception]
) -> None:
    """RFC 7628 §3.2.2: the server says by a challenge what was wrong, and waits for an answer before it says NO."""
    problem = b64(json.dumps({"status": "401", "schemes": "bearer", "scope": "https://mail.example.com/"}))

    def refuse(dialog: Dialog, tag: str, rest: str) -> None:
        dialog.send(f"+ {problem}")
        assert dialog.readline().decode() == farewell
        dialog.send(f"{tag} {answer}")

    properties = ImapProperties(auth_mechanisms=(mechanism,))
    source, _ = imap(f"AUTH={mechanism} SASL-IR", {"AUTHENTICATE": refuse}, imap=properties, password=Secret("t0ken"))
    with pytest.raises(kind, match=r"sign in: .*status 401") as failure:
        source.open()
    assert "t0ken" not in str(failure.value)


@pytest.mark.parametrize("mechanism", ["", "PLAIN", "XOAUTH2"])
def test_a_server_that_repeats_what_it_was_told_tells_nobody_else(imap: Play, mechanism: str) -> None:
    repeated = b64(f"\0joe\0{PASSWORD}")
    heard = says(f"TAG NO cannot understand {PASSWORD} or {repeated} or {b64(PASSWORD)}")
    properties = ImapProperties(auth_mechanisms=(mechanism,) if mechanism else ())
    capabilities = f"AUTH={mechanism} SASL-IR" if mechanism else ""
    answers = {"LOGIN": heard, "AUTHENTICATE": heard}
    source, _ = imap(capabilities, answers, imap=properties, password=Secret(PASSWORD))
    with pytest.raises(Rejected, match="cannot understand") as failure:
        source.open()
    for secret in (PASSWORD, repeated, b64(PASSWORD)):
        assert secret not in str(failure.value)


def test_mailbox_that_the_tokens_user_may_not_open_is_told_with_what_to_do(imap: Play) -> None:
    """Exchange lets the user in, and says at the next command that there is no mailbox behind it."""
    source, _ = imap("", {"SELECT": says("TAG BAD User is authenticated but not connected.")})
    source.open()
    with pytest.raises(Rejected, match=r"authenticated but not connected.*may not open this mailbox: give them the"):
        source.look(None)


def test_too_many_connections_pass_by_themselves(imap: Play) -> None:
    """Gmail allows 15 of an account."""
    source, _ = imap("", {"LOGIN": says("TAG NO [ALERT] Too many simultaneous connections. (Failure)")})
    with pytest.raises(Busy, match="Too many simultaneous connections"):
        source.open()


@pytest.mark.parametrize("canonical", [True, False])
def test_bearer_names_the_server_by_its_canonical_name_where_that_is_asked_for(imap: Play, canonical: bool) -> None:
    properties = ImapProperties(sasl_enable=True, sasl_mechanisms=("OAUTHBEARER",), sasl_usecanonicalhostname=canonical)
    answers = {"AUTHENTICATE": asks()}
    source, server = imap("AUTH=OAUTHBEARER SASL-IR", answers, imap=properties, server="127.0.0.1")
    turn(source)
    message = base64.b64decode(said(server)[1].split()[2]).decode()
    assert socket.getfqdn("127.0.0.1") != "127.0.0.1"
    assert f"\1host={socket.getfqdn('127.0.0.1') if canonical else '127.0.0.1'}\1" in message


def test_challenge_that_is_one_too_many_ends_the_connection(imap: Play) -> None:
    properties = ImapProperties(auth_mechanisms=("PLAIN",))
    source, _ = imap("AUTH=PLAIN", {"AUTHENTICATE": asks("", "YW5kPw==", "")}, imap=properties)
    with pytest.raises(Rejected, match="sign in: the server asks for more than PLAIN has to say"):
        source.open()


def test_administrator_acts_as_the_user_that_is_named(imap: Play) -> None:
    source, server = imap(imap=ImapProperties(proxyauth_user="mary ann"))
    assert subjects(turn(source).raws) == ["one"]
    lines = said(server)
    assert lines.index('LOGIN joe "secret"') < lines.index('PROXYAUTH "mary ann"') < lines.index('SELECT "INBOX"')


def test_referral_to_another_server_fails_the_sign_in_where_that_is_asked_for(imap: Play) -> None:
    """RFC 2221 §4.1: it comes with OK where the mailbox can be used here, too."""
    answers = {"LOGIN": says("TAG OK [REFERRAL imap://joe@other.example.com/] better there")}
    assert subjects(turn(imap("", answers)[0]).raws) == ["one"]
    source, _ = imap("", answers, imap=ImapProperties(referralexception=True))
    with pytest.raises(Rejected, match="sign in: the mailbox is at another server, imap://joe@other"):
        source.open()
