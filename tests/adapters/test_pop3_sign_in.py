"""Signing in over POP3: which way is taken, what is said on it, and what must come before it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from emaild.errors import Busy, Rejected, Unreachable
from emaild.settings.mailbox import FirstFetch, MailboxType
from emaild.settings.properties import Pop3Properties
from emaild.settings.secret import Secret
from emaild.settings.server import Security
from emaild.sources import Source
from tests.adapters.scripts import Answer, Pop3Script, says, together
from tests.adapters.turns import Sources, mail, subjects, turn
from tests.servers.authority import Authority
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.scripted import Dialog, Scripted

Play = Callable[..., tuple[Source, Scripted]]
STAMP = "<1896.697170952@mail.example.com>"
TOKEN = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29t"


@pytest.fixture
def pop3(scripted: Callable[..., Scripted], authority: Authority) -> Iterator[Play]:
    """Makes a source without TLS and the server that it is read from, by CAPA, answers, properties and section."""
    with Sources(MailboxType.POP3, 0, authority) as sources:

        def play(
            capabilities: str = "", answers: dict[str, Answer] | None = None, *, tls: bool = False, **given: Any
        ) -> tuple[Source, Scripted]:
            capa = {"CAPA": says("+OK", *filter(None, capabilities.split(",")), ".")}
            server = scripted(Pop3Script({b"one": mail("one")}, capa | (answers or {})), authority=authority, tls=tls)
            options = {name: given.pop(name) for name in tuple(given) if name in Pop3Properties.__dataclass_fields__}
            fields = {
                "security_given": Security.SSL_TLS if tls else Security.NONE,
                "first_fetch": FirstFetch.ALL,
                "pop3": Pop3Properties(**options),
            }
            return sources(given.pop("user", "joe"), port=server.port, **(fields | given)), server

        yield play


def said(server: Scripted) -> list[str]:
    """What the client said."""
    return [line.partition(" C: ")[2] for line in server.transcript if " C: " in line]


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def asks(*challenges: str, end: str = "+OK in") -> Answer:
    """AUTH with these challenges, each answered by one line, and then the end."""

    def answer(dialog: Dialog, tag: str, rest: str) -> None:
        for challenge in challenges:
            dialog.send(f"+ {challenge}")
            dialog.readline()
        dialog.send(end)

    return answer


USER_PASS = ["USER joe", f"PASS {PASSWORD}"]
PLAIN = [f"AUTH PLAIN {b64(f'{chr(0)}joe{chr(0)}{PASSWORD}')}"]
BEARER = f"auth=Bearer {PASSWORD}\1\1"
OAUTHBEARER = [f"AUTH OAUTHBEARER {b64(f'n,a=joe,{chr(1)}host=localhost{chr(1)}{BEARER}')}"]
XOAUTH2 = [f"AUTH XOAUTH2 {b64(f'user=joe{chr(1)}{BEARER}')}"]


# Which way


@pytest.mark.parametrize(
    ("capabilities", "properties", "way"),
    [
        ("", {}, USER_PASS),
        ("USER,SASL PLAIN LOGIN", {}, USER_PASS),
        ("SASL PLAIN LOGIN", {}, PLAIN),
        ("USER,SASL PLAIN", {"auth_login_disable": True}, PLAIN),
        ("USER,SASL PLAIN", {"auth_mechanisms": ("PLAIN", "LOGIN")}, PLAIN),
        ("USER,SASL PLAIN", {"auth_mechanisms": ("XOAUTH2", "LOGIN", "PLAIN")}, USER_PASS),
        ("SASL PLAIN", {"auth_mechanisms": ("PLAIN",), "auth_plain_disable": True}, PLAIN),
        ("USER,SASL PLAIN XOAUTH2", {"auth_mechanisms": ("XOAUTH2",)}, XOAUTH2),
        ("sasl oauthbearer", {"auth_mechanisms": ("OAUTHBEARER",)}, OAUTHBEARER),
        ("SASL PLAIN XOAUTH2", {}, PLAIN),
        ("nothing that counts", {"disablecapa": True, "auth_mechanisms": ("PLAIN",)}, PLAIN),
    ],
)
def test_the_way_to_sign_in_is_the_one_that_both_sides_want(
    pop3: Play, capabilities: str, properties: dict[str, Any], way: list[str]
) -> None:
    """LOGIN stands for USER and PASS; a token goes only where its mechanism is named."""
    source, server = pop3(capabilities, **properties)
    assert subjects(turn(source).raws) == ["one"]
    lines = said(server)
    assert lines[: lines.index("UIDL")] == ([] if "disablecapa" in properties else ["CAPA"]) + way


@pytest.mark.parametrize(
    ("capabilities", "properties"),
    [
        ("USER,SASL PLAIN", {"auth_login_disable": True, "auth_plain_disable": True}),
        ("USER", {"auth_mechanisms": ("XOAUTH2",)}),
        ("SASL CRAM-MD5", {}),
        ("SASL XOAUTH2", {"auth_xoauth2_disable": True}),
    ],
)
def test_no_way_that_both_sides_know_is_rejected(pop3: Play, capabilities: str, properties: dict[str, Any]) -> None:
    source, server = pop3(capabilities, **properties)
    with pytest.raises(Rejected, match="sign in: no mechanism both sides know"):
        source.open()
    assert said(server) == ["CAPA"]


def test_mailbox_is_read_whichever_mechanism_is_used(dovecot: Dovecot, authority: Authority) -> None:
    with Sources(MailboxType.POP3, dovecot.pop3s, authority) as sources:
        for name in ("LOGIN", "PLAIN"):
            user = f"pop-mechanism-{name.lower()}"
            dovecot.drop(user, [mail(name)])
            source = sources(user, first_fetch=FirstFetch.ALL, pop3=Pop3Properties(auth_mechanisms=(name,)))
            assert subjects(turn(source).raws) == [name]
        wrong = sources("pop-mechanism-x", password=Secret("no"), pop3=Pop3Properties(auth_mechanisms=("PLAIN",)))
        with pytest.raises(Rejected, match=r"sign in: -ERR \[AUTH\]"):
            wrong.open()


# APOP


@pytest.mark.parametrize(
    ("greeting", "properties", "used"),
    [
        (f"+OK ready {STAMP}", {"apop_enable": True}, True),
        (f"+OK ready {STAMP}", {"apop_enable": True, "auth_mechanisms": ("LOGIN",)}, True),
        (f"+OK ready {STAMP}", {}, False),
        ("+OK ready", {"apop_enable": True}, False),
        ("+OK ready <no timestamp> <of any@kind>", {"apop_enable": True}, False),
    ],
)
def test_apop_is_used_where_it_is_enabled_and_offered(
    pop3: Play, greeting: str, properties: dict[str, Any], used: bool
) -> None:
    """RFC 1939 §7: the MD5 of timestamp and password."""
    source, server = pop3("USER", {"greeting": says(greeting)}, **properties)
    assert subjects(turn(source).raws) == ["one"]
    digest = hashlib.md5(f"{STAMP}{PASSWORD}".encode()).hexdigest()
    way = [f"APOP joe {digest}"] if used else USER_PASS
    assert said(server)[1 : 1 + len(way)] == way


# Mechanisms


def test_xoauth2_goes_on_two_lines_where_that_is_asked_for(pop3: Play) -> None:
    source, server = pop3("SASL XOAUTH2", {"AUTH": asks("")}, auth_mechanisms=("XOAUTH2",), auth_xoauth2_two_line=True)
    source.open()
    assert said(server)[1:] == ["AUTH XOAUTH2", b64(f"user=joe\1{BEARER}")]


def test_a_token_too_long_for_a_command_goes_on_a_line_of_its_own(pop3: Play) -> None:
    """RFC 5034 §4: AUTH with all its words has 255 octets at most."""
    source, server = pop3("SASL XOAUTH2", {"AUTH": asks("")}, auth_mechanisms=("XOAUTH2",), password=Secret(TOKEN * 40))
    source.open()
    assert said(server)[1:] == ["AUTH XOAUTH2", b64(f"user=joe\1auth=Bearer {TOKEN * 40}\1\1")]


@pytest.mark.parametrize(
    ("name", "farewell", "end", "kind"),
    [
        ("XOAUTH2", "", "-ERR [AUTH] no", Rejected),
        ("OAUTHBEARER", b64("\1"), "-ERR no", Rejected),
        ("XOAUTH2", "", "-ERR [SYS/TEMP] later", Busy),
    ],
)
def test_a_refused_token_is_told_with_its_status(
    pop3: Play, name: str, farewell: str, end: str, kind: type[Exception]
) -> None:
    challenge = b64('{"status":"401","schemes":"bearer"}')
    source, server = pop3(f"SASL {name}", {"AUTH": asks(challenge, end=end)}, auth_mechanisms=(name,))
    with pytest.raises(kind, match="sign in: the token was refused: status 401: -ERR") as failure:
        source.open()
    assert said(server)[2:] == [farewell]
    assert PASSWORD not in str(failure.value)


def test_ntlm_answers_the_servers_challenge(pop3: Play) -> None:
    """The challenge is that of [MS-NLMP] §4.2.4."""
    challenge = bytes.fromhex(
        "4e544c4d53535000020000000c000c003800000033828ae20123456789abcdef0000000000000000240024004400000006007017"
        "0000000f53006500720076006500720002000c0044006f006d00610069006e0001000c0053006500720076006500720000000000"
    )
    answers = {"AUTH": asks(base64.b64encode(challenge).decode())}
    source, server = pop3("SASL NTLM", answers, auth_ntlm_domain="Elsewhere", password=Secret("Password"))
    assert subjects(turn(source).raws) == ["one"]
    first, second = (base64.b64decode(line.split()[-1]) for line in said(server)[1:3])
    assert said(server)[1].startswith("AUTH NTLM ")
    assert (first[:9], second[:9]) == (b"NTLMSSP\0\1", b"NTLMSSP\0\3")
    assert "Elsewhere".encode("utf-16-le") in second


@pytest.mark.parametrize(
    ("challenges", "words"), [(("", ""), "more than PLAIN has to say"), (("not base64",), "no base64")]
)
def test_a_server_that_asks_what_cannot_be_answered_is_rejected(
    pop3: Play, challenges: tuple[str, ...], words: str
) -> None:
    source, _ = pop3("SASL PLAIN", {"AUTH": asks(*challenges)})
    with pytest.raises(Rejected, match=f"sign in: .*{words}"):
        source.open()


# Secrets


@pytest.mark.parametrize(("capabilities", "part"), [("USER", 100), ("SASL PLAIN", 100), ("SASL PLAIN", 20)])
def test_a_password_that_the_server_repeats_is_masked(pop3: Play, capabilities: str, part: int) -> None:
    def repeats(dialog: Dialog, tag: str, rest: str) -> None:
        dialog.send(f"-ERR what is {rest[:part]}?")

    source, _ = pop3(capabilities, {"PASS": repeats, "AUTH": repeats}, password=Secret("geheim"))
    with pytest.raises(Rejected, match=r"sign in: -ERR what is .*\*\*\*\?") as failure:
        source.open()
    assert "geheim" not in str(failure.value)
    assert b64("\0joe\0geheim")[:12] not in str(failure.value)


@pytest.mark.parametrize("fields", [{"password": Secret("a\r\nDELE 1")}, {"user": "joe\r\nDELE 1"}])
def test_a_line_end_in_a_password_or_name_says_no_command(pop3: Play, fields: dict[str, Any]) -> None:
    source, server = pop3("USER", **fields)
    with pytest.raises(Rejected, match="with a line end cannot be said in POP3") as failure:
        source.open()
    assert not [line for line in said(server) if "DELE" in line]
    assert "DELE" not in str(failure.value)


def test_password_stays_here_where_the_connection_is_not_encrypted(pop3: Play) -> None:
    """Through a proxy the other end is not this machine, wherever the proxy is."""

    def proxy(dialog: Dialog, tag: str, rest: str) -> None:
        while dialog.readline():
            pass
        dialog.send("HTTP/1.1 200 OK", "", f"+OK ready {STAMP}")

    for properties in ({}, {"apop_enable": True}, {"auth_mechanisms": ("PLAIN",)}):
        _, server = pop3("USER,SASL PLAIN", {"greeting": proxy})
        given: dict[str, Any] = {"proxy_host": "127.0.0.1", "proxy_port": server.port, **properties}
        source, _ = pop3(**given)
        with pytest.raises(Rejected, match=r"sign in: .*allow-plaintext-auth"):
            source.open()
        assert said(server)[-1] == "CAPA"
        source, _ = pop3(allow_plaintext_auth=True, **given)
        assert subjects(turn(source).raws) == ["one"]


# STLS


def stls(dialog: Dialog, tag: str, rest: str) -> None:
    dialog.send("+OK go on")
    dialog.start_tls()


@pytest.mark.parametrize(
    ("capabilities", "properties", "answer", "used"),
    [
        ("USER,STLS", {"starttls_enable": True}, stls, True),
        ("USER", {"starttls_enable": True}, stls, False),
        ("USER,STLS", {}, stls, False),
        ("USER,STLS", {"starttls_required": True}, stls, True),
        ("", {"starttls_required": True, "disablecapa": True}, stls, True),
        ("", {"starttls_enable": True, "disablecapa": True}, says("-ERR what?"), True),
    ],
)
def test_stls_is_used_as_the_properties_say(
    pop3: Play, capabilities: str, properties: dict[str, Any], answer: Answer, used: bool
) -> None:
    """Where CAPA is not asked it is tried."""
    source, server = pop3(capabilities, {"STLS": answer}, **properties)
    assert subjects(turn(source).raws) == ["one"]
    assert ("STLS" in said(server)) is used


@pytest.mark.parametrize(
    ("capabilities", "answer", "fields"),
    [
        ("USER", stls, {"security_given": Security.START_TLS}),
        ("USER", stls, {"starttls_required": True}),
        ("USER,STLS", says("-ERR not now"), {"security_given": Security.START_TLS}),
        ("USER,STLS", says("-ERR not now"), {"starttls_enable": True}),
        ("", says("-ERR what?"), {"security_given": Security.START_TLS, "disablecapa": True}),
    ],
)
def test_nothing_is_said_of_the_account_where_stls_is_not_to_be_had(
    pop3: Play, capabilities: str, answer: Answer, fields: dict[str, Any]
) -> None:
    source, server = pop3(capabilities, {"STLS": answer}, **fields)
    with pytest.raises(Rejected, match=r"connect: (-ERR|the server does not offer STLS)"):
        source.open()
    assert set(said(server)) <= {"CAPA", "STLS"}


def test_what_the_server_can_do_is_asked_anew_after_stls(pop3: Play) -> None:
    """RFC 2595 §4: what was said before may be another's."""

    def capa(dialog: Dialog, tag: str, rest: str) -> None:
        asked.append(rest)
        together(dialog, "+OK", *(["SASL XOAUTH2", "STLS"] if len(asked) == 1 else ["SASL PLAIN"]), ".")

    asked: list[str] = []
    source, server = pop3("", {"CAPA": capa, "STLS": stls}, security_given=Security.START_TLS)
    assert subjects(turn(source).raws) == ["one"]
    assert said(server)[:4] == ["CAPA", "STLS", "CAPA", *PLAIN]


def test_words_put_before_tls_are_not_taken_for_said_inside_it(pop3: Play) -> None:
    """CVE-2011-0411 and its like."""
    source, server = pop3("USER,STLS", {"STLS": says("+OK go on", "+OK", "+OK in")}, security_given=Security.START_TLS)
    with pytest.raises(Unreachable, match="connect: the server spoke on before TLS began"):
        source.open()
    assert said(server) == ["CAPA", "STLS"]


@pytest.mark.parametrize(
    ("tls", "capabilities", "way"),
    [
        (True, "USER,STLS", ["CAPA", *USER_PASS]),
        (False, "USER,STLS", ["CAPA", "STLS", "CAPA", *USER_PASS]),
        (False, "USER", ["CAPA", *USER_PASS]),
    ],
)
def test_automatic_takes_tls_and_else_stls_and_on_this_machine_else_none(
    pop3: Play, tls: bool, capabilities: str, way: list[str]
) -> None:
    source, server = pop3(capabilities, {"STLS": stls}, tls=tls, security_given=Security.AUTOMATIC)
    assert subjects(turn(source).raws) == ["one"]
    last = [line.removeprefix(f"{server.connections} C: ") for line in server.transcript]
    assert server.connections == (1 if tls else 2)
    assert [line for line in last if line.startswith(("CAPA", "STLS", "USER", "PASS"))] == way
