"""Signing in over SMTP (RFC 4954): which mechanism, in which form, and never where others can read it."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import pytest

from emaild.errors import Rejected
from emaild.settings.properties import SmtpProperties
from emaild.settings.secret import Secret
from tests.adapters.scripts import Answer, SmtpScript, says
from tests.adapters.ways import SENT, Sinks, outbound, said, states
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.scripted import Dialog, Scripted

REFUSAL = b64encode(b'{"status":"401","schemes":"bearer","scope":"https://mail.example.com/"}').decode()


def offers(mechanisms: str, **answers: Answer) -> SmtpScript:
    """A server of these mechanisms."""
    return SmtpScript({"EHLO": says("250-x", f"250 AUTH {mechanisms}")} | answers)


def replies(*lines: str) -> Answer:
    """Answers AUTH and each line after it in turn."""

    def answer(dialog: Dialog, tag: str, rest: str) -> None:
        for line in lines[:-1]:
            dialog.send(line)
            dialog.readline()
        dialog.send(lines[-1])

    return answer


@pytest.mark.parametrize(
    ("properties", "mechanism"),
    [
        ({}, "PLAIN"),
        ({"auth_plain_disable": True}, "LOGIN"),
        ({"auth_mechanisms": ("LOGIN", "PLAIN")}, "LOGIN"),
        ({"auth_mechanisms": ("LOGIN",), "auth_login_disable": True}, "LOGIN"),
        ({"sasl_enable": True, "sasl_mechanisms": ("LOGIN",), "auth_mechanisms": ("PLAIN",)}, "LOGIN"),
        ({"sasl_mechanisms": ("LOGIN",)}, "PLAIN"),
    ],
)
def test_properties_choose_the_mechanism(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks, properties: dict[str, Any], mechanism: str
) -> None:
    server = faulty_smtp(user="joe")
    assert states(sinks(server.smtp, user="joe", smtp=SmtpProperties(**properties)).send(outbound())) == [SENT]
    assert [mail.signed_in_as for mail in server.mails] == ["joe"]
    assert [command for _, command in server.commands if command.startswith("AUTH")] == [f"AUTH {mechanism}"]


def test_mechanism_that_is_disabled_is_not_used_though_it_is_the_only_one(
    scripted: Callable[..., Scripted], sinks: Sinks
) -> None:
    server = scripted(offers("PLAIN"))
    with pytest.raises(Rejected, match="the server offers PLAIN, none of which may be used"):
        sinks(server.port, user="joe", smtp=SmtpProperties(auth_plain_disable=True)).send(outbound())
    assert "AUTH" not in " ".join(said(server))


def test_authorization_identity_goes_with_plain(scripted: Callable[..., Scripted], sinks: Sinks) -> None:
    """RFC 4616 §2, and only where the sasl properties count."""
    for enabled, identity in ((True, "boss"), (False, "")):
        server = scripted(offers("PLAIN", AUTH=says("235 in")))
        properties = SmtpProperties(sasl_enable=enabled, sasl_authorizationid="boss")
        assert states(sinks(server.port, user="joe", smtp=properties).send(outbound())) == [SENT]
        (command,) = [line for line in said(server) if line.startswith("AUTH")]
        assert b64decode(command.split(" ")[2]).decode() == f"{identity}\0joe\0secret"


TOKENS = {"XOAUTH2": "user=joe\1auth=Bearer {}\1\1", "OAUTHBEARER": "n,a=joe,\1host=localhost\1auth=Bearer {}\1\1"}


@pytest.mark.parametrize("mechanism", TOKENS)
def test_token_goes_with_the_command_where_it_fits(
    scripted: Callable[..., Scripted], sinks: Sinks, mechanism: str
) -> None:
    server = scripted(offers(mechanism, AUTH=says("235 in")))
    properties = SmtpProperties(auth_mechanisms=(mechanism,))
    way = sinks(server.port, user="joe", password=Secret("ya29.short"), smtp=properties)
    assert states(way.send(outbound())) == [SENT]
    command, name, proof = said(server)[1].split(" ")
    assert (command, name) == ("AUTH", mechanism)
    assert b64decode(proof).decode() == TOKENS[mechanism].format("ya29.short")


@pytest.mark.parametrize("mechanism", TOKENS)
def test_token_that_makes_the_line_too_long_waits_to_be_asked_for(
    scripted: Callable[..., Scripted], sinks: Sinks, mechanism: str
) -> None:
    """RFC 4954 §4: AUTH's line has 512 octets at most; the answer to a challenge may be far longer."""
    server = scripted(offers(mechanism, AUTH=replies("334 ", "235 in")))
    properties = SmtpProperties(auth_mechanisms=(mechanism,))
    token = "ya29." + "t" * 2_000
    assert states(sinks(server.port, user="joe", password=Secret(token), smtp=properties).send(outbound())) == [SENT]
    lines = said(server)
    assert lines[1] == f"AUTH {mechanism}"
    assert b64decode(lines[2]).decode() == TOKENS[mechanism].format(token)


@pytest.mark.parametrize(("mechanism", "farewell"), [("XOAUTH2", b""), ("OAUTHBEARER", b"\1")])
def test_refused_token_is_told_with_the_servers_reason(
    scripted: Callable[..., Scripted], sinks: Sinks, mechanism: str, farewell: bytes
) -> None:
    """The reason comes as a challenge, which must be answered before the refusal comes (RFC 7628 §3.2.3)."""
    server = scripted(offers(mechanism, AUTH=replies(f"334 {REFUSAL}", "535 5.7.8 no")))
    properties = SmtpProperties(auth_mechanisms=(mechanism,))
    with pytest.raises(
        Rejected, match=r"sign in: the token was refused: status 401, scope https://mail.example.com/: 535 5\.7\.8 no"
    ) as failure:
        sinks(server.port, user="joe", password=Secret("ya29.old"), smtp=properties).send(outbound())
    assert "ya29" not in str(failure.value)
    assert b64decode(said(server)[2]) == farewell


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "XOAUTH2"])
def test_a_server_that_repeats_what_it_was_told_tells_nobody_else(
    scripted: Callable[..., Scripted], sinks: Sinks, mechanism: str
) -> None:
    password = "hunter2-and-more"
    repeated = (password, b64encode(f"\0joe\0{password}".encode()).decode(), b64encode(password.encode()).decode())
    server = scripted(offers(mechanism, AUTH=replies(f"535 5.7.8 cannot understand {' or '.join(repeated)}")))
    properties = SmtpProperties(auth_mechanisms=(mechanism,))
    with pytest.raises(Rejected, match="cannot understand") as failure:
        sinks(server.port, user="joe", password=Secret(password), smtp=properties).send(outbound())
    for secret in repeated:
        assert secret not in str(failure.value)


def test_server_that_asks_for_ever_is_given_up(scripted: Callable[..., Scripted], sinks: Sinks) -> None:
    asked = []

    def asks(dialog: Dialog, tag: str, rest: str) -> None:
        while True:
            dialog.send("334 bW9yZQ==")
            asked.append(dialog.readline())

    server = scripted(offers("PLAIN", AUTH=asks))
    with pytest.raises(Rejected, match="sign in: 334") as failure:
        sinks(server.port, user="joe").send(outbound())
    assert "secret" not in str(failure.value)
    assert asked == [b"*"] * 10, "RFC 4954 §4: this ends a sign-in"


# Never where others can read it


class RemoteScript(SmtpScript):
    """An SMTP server behind an HTTP proxy; whether it is on this machine only the proxy knows."""

    def __call__(self, dialog: Dialog) -> None:
        """Answer CONNECT, then SMTP's commands."""
        while dialog.readline():
            pass
        dialog.send("HTTP/1.1 200 OK", "")
        super().__call__(dialog)


def test_password_is_not_sent_to_another_machine_without_encryption(
    scripted: Callable[..., Scripted], sinks: Sinks
) -> None:
    server = scripted(RemoteScript({"EHLO": says("250-x", "250 AUTH PLAIN LOGIN"), "AUTH": says("235 in")}))
    given: dict[str, Any] = {
        "server": "mail.example.com",
        "user": "joe",
        "smtp": SmtpProperties(proxy_host="127.0.0.1", proxy_port=server.port),
    }
    with pytest.raises(Rejected, match=r"sign in: .*not encrypted.*allow-plaintext-auth"):
        sinks(25, **given).send(outbound())
    assert not [line for line in said(server) if line.startswith("AUTH")]
    assert states(sinks(25, allow_plaintext_auth=True, **given).send(outbound())) == [SENT]
    assert [line[:10] for line in said(server) if line.startswith("AUTH")] == ["AUTH PLAIN"]


def test_mail_that_needs_no_password_goes_without_encryption(scripted: Callable[..., Scripted], sinks: Sinks) -> None:
    server = scripted(RemoteScript())
    properties = SmtpProperties(proxy_host="127.0.0.1", proxy_port=server.port)
    assert states(sinks(25, server="mail.example.com", smtp=properties).send(outbound())) == [SENT]
