"""How Exchange servers refuse a sign-in, and what a person is told of it."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

import pytest

from emaild.errors import Rejected, Unreachable
from emaild.settings.secret import Secret
from tests.adapters.ews_ways import ANN, Given, Ways
from tests.adapters.turns import mail, turn
from tests.servers.ews import Exchange, Failure
from tests.servers.ews_mailbox import Mailbox


@pytest.mark.parametrize(
    ("denial", "words"),
    [
        (Failure(401, body=b"<p>The user's password must be changed before signing in.</p>"), "password has expired"),
        (Failure(401, {"X-MS-Diagnostics": '2000;reason="The password has expired"'}), "password has expired"),
        (Failure(401, {"X-CasErrorCode": "PasswordExpired"}), "password has expired"),
        (Failure(401, body=b"The referenced account is currently locked out"), "account is locked"),
        (Failure(401, body=b"<p>Your account has been disabled.</p>"), "account is disabled"),
        (Failure(401, body=b"<p>Your password policy. A certificate has expired.</p>"), "wrong user or password"),
        (Failure(401, body=b"password " * 500_000), "wrong user or password"),
    ],
)
@pytest.mark.parametrize("offers", [("Basic",), ("NTLM",)], ids=" ".join)
def test_reason_of_a_401_is_told_as_far_as_the_server_tells_it(
    exchange: Exchange, ann: Mailbox, ways: Ways, denial: Failure, words: str, offers: tuple[str, ...]
) -> None:
    exchange.offers, exchange.denial = offers, denial
    with pytest.raises(Rejected, match=f"sign in: .*{words}"):
        ways.source(password=Secret("wrong")).open()


def test_account_of_a_token_that_is_disabled_is_named(exchange: Exchange, ann: Mailbox, ways: Ways) -> None:
    exchange.offers, exchange.tokens = (), {"good": ANN}
    exchange.denial = Failure(401, {"X-CasErrorCode": "AccountDisabled"})
    with pytest.raises(Rejected, match="sign in: the account is disabled"):
        ways.source(tokens=Given("old", "older")).open()


def _challenges() -> Iterator[bytes]:
    """Of NTLM (MS-NLMP §2.2.1.2): nothing, too short, fields that point outside, random ones."""
    yield from (b"?", b"NTLMSSP\0", b"NTLMSSP\0" + struct.pack("<I", 2))
    whole = struct.pack("<8sIHHIIQQHHI", b"NTLMSSP\0", 2, 8, 8, 4_000_000_000, 0xA2898235, 1, 0, 900, 900, 4_000_000)
    yield from (whole, whole[:40], whole.replace(b"NTLMSSP", b"NTLMSSQ"))
    randomly = random.Random(5)
    for _ in range(40):
        changed = bytearray(whole + randomly.randbytes(60))
        for _ in range(6):
            changed[randomly.randrange(8, len(changed))] = randomly.randrange(256)
        yield bytes(changed)


def test_challenge_of_any_bytes_is_no_more_than_a_failure(exchange: Exchange, ann: Mailbox, ways: Ways) -> None:
    exchange.offers = ("NTLM",)
    source = ways.source()
    for exchange.challenge in _challenges():
        with pytest.raises((Unreachable, Rejected), match="sign in: "):
            source.open()
    exchange.challenge = b""
    ann.drop(mail("one"))
    assert turn(source).raws == ann.held()


@pytest.mark.parametrize("debug", [False, True])
def test_ntlm_is_bound_to_the_servers_certificate(exchange: Exchange, ann: Mailbox, ways: Ways, debug: bool) -> None:
    """Extended Protection, which Exchange 2019 asks for by default: nobody between us may use our sign-in."""
    exchange.offers = ("NTLM",)
    source = ways.source(enable_debug=debug)
    source.open()
    source.close()
    exchange.certificate = b"another's"
    with pytest.raises(Rejected, match="sign in: "):
        source.open()
