"""The mechanisms to sign in with: what they say, and which of them is chosen."""

from __future__ import annotations

import hashlib
import hmac
import struct
from typing import Any

import pytest

from emaild.net.sasl import Account, Choice, Mechanism, choice_of, choose
from emaild.settings import extras
from emaild.settings.properties import ImapProperties, Pop3Properties, ProtocolProperties
from emaild.settings.secret import Secret

ALL = ("XOAUTH2", "OAUTHBEARER", "NTLM", "LOGIN", "PLAIN", "CRAM-MD5")

# [MS-NLMP] §4.2.4: a server's challenge, and the key that user User of domain Domain has with the password Password.
CHALLENGE = bytes.fromhex(
    "4e544c4d53535000020000000c000c003800000033828ae20123456789abcdef00000000000000002400240044000000060070170000000f"
    "53006500720076006500720002000c0044006f006d00610069006e0001000c0053006500720076006500720000000000"
)
SERVER_CHALLENGE = bytes.fromhex("0123456789abcdef")
KEY = bytes.fromhex("0c868a403bfd7a93a3001ef22ef02e3f")


def account(**given: Any) -> Account:
    fields: dict[str, Any] = {"user": "joe@example.com", "password": Secret("tokén")}
    return Account(**(fields | given))


def only(name: str, **given: Any) -> Mechanism:
    """That mechanism."""
    mechanism = choose([name], account(**given), Choice(mechanisms=(name,)))
    assert mechanism is not None
    assert mechanism.name == name
    return mechanism


def test_plain_says_all_at_once() -> None:
    """RFC 4616 §2: the authorization identity, the name and the password, in UTF-8."""
    plain = only("PLAIN", authorization_id="boss")
    assert plain.client_first
    assert plain.respond(None) == "boss\0joe@example.com\0tokén".encode()
    assert only("PLAIN").respond(b"") == "\0joe@example.com\0tokén".encode()


def test_login_says_the_name_and_then_the_password() -> None:
    login = only("LOGIN")
    assert not login.client_first
    assert login.respond(b"User Name\0") == b"joe@example.com"
    assert login.respond(b"Password\0") == "tokén".encode()


def test_xoauth2_says_the_token_and_keeps_why_it_was_refused() -> None:
    xoauth2 = only("XOAUTH2")
    assert xoauth2.respond(None) == "user=joe@example.com\1auth=Bearer tokén\1\1".encode()
    assert xoauth2.refusal == ""
    assert xoauth2.respond(b'{"status":"401","schemes":"bearer","scope":"mail"}') == b""
    assert xoauth2.refusal == "the token was refused: status 401, scope mail"


def test_oauthbearer_says_the_token_and_the_host() -> None:
    """RFC 7628 §4.1; a comma or = in a name is escaped (RFC 5801 §4)."""
    bearer = only("OAUTHBEARER", user="a,b=c", host="mail.example.com")
    assert bearer.respond(None) == "n,a=a=2Cb=3Dc,\1host=mail.example.com\1auth=Bearer tokén\1\1".encode()
    assert bearer.respond(b'{"status":"invalid_token"}') == b"\1"
    assert bearer.refusal == "the token was refused: status invalid_token"
    assert b"a=boss," in only("OAUTHBEARER", authorization_id="boss").respond(None)


@pytest.mark.parametrize(
    "challenge",
    [
        b"",
        b"\xff",
        b"[1]",
        b'{"status":""}',
        b'{"error":"tok\xc3\xa9n"}',
        b'{"status":"tok\xc3\xa9n","scope":"x tok\xc3\xa9n"}',
        b"[" * 99_999,
        b'{"status":null}',
    ],
)
def test_a_refusal_that_cannot_be_read_is_one_all_the_same(challenge: bytes) -> None:
    xoauth2 = only("XOAUTH2")
    xoauth2.respond(None)
    xoauth2.respond(challenge)
    assert xoauth2.refusal == "the token was refused"


@pytest.mark.parametrize(
    ("given", "user", "domain"),
    [
        ({"user": "User", "ntlm_domain": "Domain", "realm": "Other"}, "User", "Domain"),
        ({"user": "User", "realm": "Domain"}, "User", "Domain"),
        ({"user": "Domain\\User"}, "User", "Domain"),
        ({"user": "Other\\User", "ntlm_domain": "Domain"}, "User", "Domain"),
        ({"user": "User"}, "User", ""),
    ],
)
def test_ntlm_proves_the_password_to_the_server(given: dict[str, str], user: str, domain: str) -> None:
    """NTLMv2 ([MS-NLMP] §3.3.2), reckoned with the specification's own key."""
    ntlm = only("NTLM", password=Secret("Password"), **given)
    assert ntlm.respond(None).startswith(b"NTLMSSP\0\x01\0\0\0")
    message = ntlm.respond(CHALLENGE)
    assert message.startswith(b"NTLMSSP\0\x03\0\0\0")
    proof, said_domain, said_user = (_field(message, at) for at in (20, 28, 36))
    assert (said_user.decode("utf-16-le"), said_domain.decode("utf-16-le")) == (user, domain)
    if domain:
        expected = hmac.new(KEY, SERVER_CHALLENGE + proof[16:], hashlib.md5).digest()
        assert proof[:16] == expected


def _field(message: bytes, at: int) -> bytes:
    length, _, offset = struct.unpack_from("<HHI", message, at)
    return message[offset : offset + length]


def test_ntlm_is_given_up_where_the_server_does_not_speak_it() -> None:
    ntlm = only("NTLM")
    ntlm.respond(None)
    with pytest.raises(ValueError, match="no NTLM"):
        ntlm.respond(b"what?")


@pytest.mark.parametrize(("name", "challenges"), [("PLAIN", 1), ("LOGIN", 2), ("XOAUTH2", 2), ("OAUTHBEARER", 2)])
def test_a_server_that_asks_on_is_given_up(name: str, challenges: int) -> None:
    mechanism = only(name)
    for _ in range(challenges):
        mechanism.respond(b"")
    with pytest.raises(ValueError, match=f"more than {name} has to say"):
        mechanism.respond(b"")


@pytest.mark.parametrize("name", ["PLAIN", "LOGIN", "NTLM", "XOAUTH2", "OAUTHBEARER"])
def test_no_mechanism_shows_the_password(name: str) -> None:
    assert "tokén" not in f"{only(name)!r} {account()!r}"


@pytest.mark.parametrize(
    ("offered", "choice", "chosen"),
    [
        (ALL, Choice(), "PLAIN"),
        (["ntlm", "login"], Choice(), "LOGIN"),
        (ALL, Choice(disabled=frozenset({"PLAIN"})), "LOGIN"),
        (ALL, Choice(disabled=frozenset({"PLAIN", "LOGIN"})), "NTLM"),
        (ALL, Choice(mechanisms=("CRAM-MD5", "XOAUTH2", "PLAIN")), "XOAUTH2"),
        (["PLAIN"], Choice(mechanisms=("XOAUTH2", "PLAIN"), disabled=frozenset({"PLAIN"})), "PLAIN"),
        (["XOAUTH2", "OAUTHBEARER", "CRAM-MD5"], Choice(), None),
        (["PLAIN"], Choice(mechanisms=("LOGIN",)), None),
    ],
)
def test_the_best_that_both_know_is_chosen(offered: list[str], choice: Choice, chosen: str | None) -> None:
    """A token is used only where its mechanism is named; what is named overrides what is disabled."""
    assert getattr(choose(offered, account(), choice), "name", None) == chosen


def test_a_mechanism_that_cannot_say_whom_to_act_as_is_not_chosen_where_that_is_asked_for() -> None:
    assert choose(["LOGIN", "NTLM"], account(authorization_id="boss"), Choice()) is None
    assert choose(["LOGIN", "PLAIN"], account(authorization_id="boss"), Choice(mechanisms=("LOGIN", "PLAIN")))


def test_ntlm_is_not_chosen_where_its_extra_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert extras.missing_extra(["NTLM"]) is None
    monkeypatch.setattr(extras, "NTLM_PACKAGE", "not_installed_here")
    assert choose(["NTLM"], account(), Choice(mechanisms=("NTLM",))) is None
    assert extras.missing_extra(["PLAIN"]) is None
    assert "emaild[ntlm]" in str(extras.missing_extra(["PLAIN", "NTLM"]))


@pytest.mark.parametrize(
    ("properties", "choice"),
    [
        (Pop3Properties(), Choice()),
        (Pop3Properties(auth_mechanisms=("PLAIN",)), Choice(mechanisms=("PLAIN",))),
        (
            Pop3Properties(auth_login_disable=True, auth_ntlm_disable=True),
            Choice(disabled=frozenset({"LOGIN", "NTLM"})),
        ),
        (
            ImapProperties(auth_plain_disable=True, auth_xoauth2_disable=True),
            Choice(disabled=frozenset({"PLAIN", "XOAUTH2"})),
        ),
        (ImapProperties(auth_mechanisms=("A",), sasl_mechanisms=("B",)), Choice(mechanisms=("A",))),
        (ImapProperties(auth_mechanisms=("A",), sasl_mechanisms=("B",), sasl_enable=True), Choice(mechanisms=("B",))),
        (ImapProperties(auth_mechanisms=("A",), sasl_enable=True), Choice(mechanisms=("A",))),
    ],
)
def test_properties_say_which_mechanisms_may_be_used(properties: ProtocolProperties, choice: Choice) -> None:
    assert choice_of(properties) == choice
