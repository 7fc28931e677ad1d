"""DKIM (RFC 6376): what leaves is signed as it leaves, and others can verify it."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from emaild.errors import Rejected
from emaild.settings.secret import Secret
from tests.adapters.ways import SENT, Sinks, outbound, states
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.mails import generated
from tests.servers.postfix import Postfix
from tests.servers.smtp_sink import SmtpSink
from tests.servers.wait import eventually

Key = RSAPrivateKey | Ed25519PrivateKey
HEAD = b"From: Ann <ann@example.com>\r\nTo: one@example.net\r\nSubject: Hello\r\nMIME-Version: 1.0\r\n"
UMLAUTS = (
    HEAD + b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n"
)
KINDS = ("rsa", "ed25519")


@pytest.fixture(scope="module")
def keys() -> dict[str, Key]:
    """One of each kind."""
    return {"rsa": generate_private_key(65537, 2048), "ed25519": Ed25519PrivateKey.generate()}


def pem(key: Key) -> Secret:
    """The key as its file holds it."""
    return Secret(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


def signing(key: Key, **given: Any) -> dict[str, Any]:
    """The fields of a section that signs."""
    return {"dkim_domain": "example.com", "dkim_selector": "s1._x", "dkim_key": pem(key), **given}


def record(key: Key) -> bytes:
    """What the DNS has for it (RFC 6376 §3.6.1, RFC 8463 §4)."""
    if isinstance(key, Ed25519PrivateKey):
        public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return b"v=DKIM1; k=ed25519; p=" + b64encode(public)
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b"v=DKIM1; k=rsa; p=" + b64encode(public)


def verifies(raw: bytes, key: Key) -> bool:
    """Whether dkimpy finds the first signature right, with that key in the DNS."""
    asked = []

    def dns(name: bytes | str, timeout: int = 5) -> bytes:
        asked.append(name.decode() if isinstance(name, bytes) else name)
        return record(key)

    right = bool(dkim.verify(raw, dnsfunc=dns))
    assert asked == ["s1._x._domainkey.example.com."]
    return right


@pytest.mark.parametrize("kind", KINDS)
def test_mails_of_all_kinds_are_signed_and_nothing_else_changes(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks, keys: dict[str, Key], kind: str
) -> None:
    server = faulty_smtp()
    way = sinks(server.smtp, **signing(keys[kind]))
    raws = [mail.raw for mail in generated(24, seed=71, largest=30_000) if mail.raw.isascii()]
    raws += [
        HEAD + b"\r\n",
        HEAD,
        HEAD + b"\r\n\r\n\r\n",
        HEAD + b"\r\n.\r\n.dot \t \r\n\ttab  \r\n \r\n\r\n",
        b"From: a@example.com\r\nSubject:\r\n folded\t \r\n  twice \r\nTo:\r\nX-Empty:\r\n\r\nx",
    ]
    for raw in raws:
        assert states(way.send(outbound(raw=raw))) == [SENT]
    for raw, mail in zip(raws, server.mails, strict=True):
        assert verifies(mail.content, keys[kind])
        signature, _, rest = re.split(rb"(\r\n)(?![ \t])", mail.content, maxsplit=1)
        assert signature.startswith(b"DKIM-Signature: v=1; a=" + kind.encode())
        assert max(map(len, signature.split(b"\r\n"))) < 100
        assert rest.rstrip(b"\r\n") == raw.rstrip(b"\r\n") or max(map(len, raw.split(b"\r\n"))) > 998


@pytest.mark.parametrize("kind", KINDS)
def test_signature_holds_behind_a_postfix(
    postfix: Callable[..., Postfix],
    smtp_sink: Callable[..., SmtpSink],
    sinks: Sinks,
    keys: dict[str, Key],
    kind: str,
) -> None:
    end = smtp_sink(options=["-8"])
    relay = postfix(relay_to=end.smtp)
    raw = UMLAUTS + b".dot\r\n" + b"x" * 3000 + b"\r\n\r\n\r\n"
    assert states(sinks(relay.smtp, **signing(keys[kind])).send(outbound(raw=raw))) == [SENT]
    (mail,) = eventually(end.received, within=20)
    assert mail.raw.startswith(b"Received: ")
    assert verifies(mail.raw, keys[kind])


CHANGES = {
    "a word of the body": (b"Hello you", b"Hello me"),
    "From": (b"From: Ann", b"From: Eve"),
    "the date": (b"Date: Sun", b"Date: Mon"),
    "the Message-ID": (b"<one@", b"<two@"),
    "another From": (b"To: one", b"From: eve@example.com\r\nTo: one"),
    "another Subject": (b"To: one", b"Subject: More\r\nTo: one"),
    "a Reply-To where there was none": (b"To: one", b"Reply-To: eve@example.org\r\nTo: one"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_nobody_changes_what_was_signed(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks, keys: dict[str, Key], change: str
) -> None:
    """RFC 6376 §8.15: a field that could be added would be shown instead of ours."""
    server = faulty_smtp()
    more = b"Date: Sun, 22 Nov 2026 10:00:00 +0000\r\nMessage-ID: <one@example.com>\r\n\r\nHello you\r\n"
    sinks(server.smtp, **signing(keys["ed25519"])).send(outbound(raw=HEAD + more))
    (mail,) = server.mails
    assert verifies(mail.content, keys["ed25519"])
    old, new = CHANGES[change]
    assert mail.content.count(old) == 1
    assert not verifies(mail.content.replace(old, new), keys["ed25519"])


def test_only_the_fields_that_are_named_are_signed(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks, keys: dict[str, Key]
) -> None:
    server = faulty_smtp()
    way = sinks(server.smtp, **signing(keys["rsa"], dkim_headers=("from", "X-Ours", "From")))
    way.send(outbound(raw=HEAD + b"X-Ours: 1\r\nX-Ours: 2\r\n\r\nHello\r\n"))
    (mail,) = server.mails
    assert b"".join(mail.content.partition(b"h=")[2].partition(b";")[0].split()) == b"From:From:X-Ours:X-Ours:X-Ours"
    assert verifies(mail.content.replace(b"Hello\r\nMIME", b"Bye\r\nMIME"), keys["rsa"])
    assert not verifies(mail.content.replace(b"X-Ours: 2", b"X-Ours: 3"), keys["rsa"])


@pytest.mark.parametrize("eight_bit", [True, False])
def test_eight_bit_mail_is_encoded_before_it_is_signed(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks, keys: dict[str, Key], eight_bit: bool
) -> None:
    """RFC 6376 §5.3: a server further on may have to encode it, and then the signature would break."""
    server = faulty_smtp(eight_bit=eight_bit)
    assert states(sinks(server.smtp, **signing(keys["rsa"])).send(outbound(raw=UMLAUTS))) == [SENT]
    (mail,) = server.mails
    assert mail.content.isascii()
    assert verifies(mail.content, keys["rsa"])


def test_size_counts_the_signature(faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks, keys: dict[str, Key]) -> None:
    """RFC 1870 §3: what is transmitted, but for stuffed dots."""
    server = faulty_smtp(size_limit=100_000)
    sinks(server.smtp, **signing(keys["rsa"])).send(outbound(raw=HEAD + b"\r\n.\r\n..\r\n"))
    (mail,) = server.mails
    assert f"SIZE={len(mail.content)}" in mail.options


@pytest.mark.parametrize("key", [Secret(""), None, Secret("-----BEGIN PRIVATE KEY-----\nno")])
def test_mail_that_cannot_be_signed_does_not_leave_and_the_way_says_why(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks, keys: dict[str, Key], key: Secret | None
) -> None:
    server = faulty_smtp()
    way = sinks(server.smtp, **{**signing(keys["rsa"]), "dkim_key": key})
    with pytest.raises(Rejected, match=r"sign \(DKIM\): .*(private key|dkim-key)"):
        way.send(outbound())
    assert not [command for _, command in server.commands if command.startswith("MAIL")]


def test_hostile_mail_is_signed_in_a_time_that_grows_with_its_size(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks, keys: dict[str, Key]
) -> None:
    """RFC 6376 §3.4.4 by a pattern that begins anew at each blank takes minutes for 400,000."""
    server = faulty_smtp()
    way = sinks(server.smtp, protocol_timeout=60.0, **signing(keys["ed25519"]))
    many = 400_000
    sealed = b"Content-Type: multipart/signed; boundary=b\r\n\r\n"  # so that its long line is not encoded before
    for head, body in (
        (b"", sealed + b" \t" * (many // 2) + b"x\r\n"),
        (b"", b"\r\n"),
        (b"To: x\r\n", b""),
        (b"To:" + b"\r\n " * 300 + b"x\r\n", b""),
    ):
        times = max(1, many // (len(head) + len(body)))
        raw = HEAD + (body if body.startswith(sealed) else head * times + b"\r\n" + body * times)
        assert states(way.send(outbound(raw=raw))) == [SENT]
    assert len(server.mails) == 4
