"""The options that sign mail: a key that cannot sign is a mistake at load, and a new key is a change."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from emaild.settings.load import current_digest
from tests.conf_files import ConfFiles

WAY = "[smtp-client]\nserver = mail.example.com\n"
NAMES = "dkim-domain = example.com\ndkim-selector = s1\n"
ED25519 = Ed25519PrivateKey.generate()
WANTED = "expected a private key (PEM), RSA or Ed25519, without a password"


def pem(key: object, kind: PrivateFormat = PrivateFormat.PKCS8, password: bytes = b"") -> str:
    """The key as its file holds it."""
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, kind, encryption).decode()  # type: ignore[attr-defined, no-any-return]


def signing(folder: Path, text: str) -> str:
    """A way out that signs with the key in a file."""
    (folder / "dkim.pem").write_text(text, encoding="ascii")
    (folder / "dkim.pem").chmod(0o600)
    return f"{WAY}{NAMES}dkim-key = file:{folder}/dkim.pem\n"


@pytest.mark.parametrize("kind", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_rsa_keys_are_taken_in_both_of_openssls_forms(conf: ConfFiles, tmp_path: Path, kind: PrivateFormat) -> None:
    way = conf.load(signing(tmp_path, pem(generate_private_key(65537, 2048), kind))).ways_out["smtp-client"]
    assert (way.dkim_domain, way.dkim_selector) == ("example.com", "s1")
    assert conf.load().warnings == ()


def test_nothing_is_signed_unasked(conf: ConfFiles) -> None:
    assert conf.load(WAY).ways_out["smtp-client"].dkim_domain == ""


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", f"holds no such key: {WANTED}"),
        ("what is this?", f"holds no such key: {WANTED}"),
        (pem(ED25519)[:-40], f"holds no such key: {WANTED}"),
        (pem(ED25519, password=b"secret"), f"holds no such key: {WANTED}"),
        (pem(generate_ec(SECP256R1())), f"{WANTED}, found another kind of key"),
        (
            ED25519.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
            f"holds no such key: {WANTED}",
        ),
    ],
    ids=range(6),
)
def test_a_key_that_cannot_sign_is_one_clear_line(conf: ConfFiles, tmp_path: Path, text: str, wrong: str) -> None:
    (fault,) = conf.faults(signing(tmp_path, text))
    assert "dkim-key" in fault
    assert fault.endswith(wrong)
    assert text == "" or text.strip() not in fault


def test_an_rsa_key_that_is_too_short_is_a_mistake(conf: ConfFiles, tmp_path: Path) -> None:
    """RFC 8301 §3.2: nobody accepts its signatures."""
    made = subprocess.run(("openssl", "genrsa", "768"), capture_output=True, text=True, timeout=30, check=True)
    (fault,) = conf.faults(signing(tmp_path, made.stdout))
    assert fault.endswith("the key has 768 bits; expected 2048, 1024 at least (RFC 8301)")


def test_a_path_alone_is_no_key(conf: ConfFiles) -> None:
    (fault,) = conf.faults(f"{WAY}{NAMES}dkim-key = /etc/emaild/dkim.pem\n")
    assert fault.endswith(f"{WANTED}, as file:PATH")


@pytest.mark.parametrize(
    ("options", "option", "wrong"),
    [
        ("dkim-domain = example.com\n", "dkim-selector", "it is missing"),
        ("dkim-selector = s1\n", "dkim-domain", "it is missing"),
        ("dkim-domain = example.com\ndkim-selector = s1\n", "dkim-key", "it is missing"),
        ("dkim-domain = ex ample.com\n", "dkim-domain", "expected a name such as the DNS has, found 'ex ample.com'"),
        ("dkim-selector = s1;d=x\n", "dkim-selector", "expected a name such as the DNS has"),
        (NAMES + "dkim-headers = To, Subject\n", "dkim-headers", "From must be among them"),
        (NAMES + "dkim-headers = From, Sub:ject\n", "dkim-headers", "expected names of header fields, found 'Sub"),
        (NAMES + "server-type = graph\nuser = a@b\n", "dkim-domain", "server-type is graph, and only smtp can sign"),
    ],
)
def test_what_does_not_fit_together_is_said(conf: ConfFiles, options: str, option: str, wrong: str) -> None:
    assert [fault for fault in conf.faults(WAY + options) if f"{option}: {wrong}" in fault]


@pytest.mark.parametrize(
    ("senders", "doubtful"),
    [
        ("@example.com, ann@mail.example.com, @EXAMPLE.com", []),
        ("@example.org, bob@notexample.com", ["@example.org", "bob@notexample.com"]),
    ],
)
def test_senders_of_another_domain_are_warned_of(
    conf: ConfFiles, tmp_path: Path, senders: str, doubtful: list[str]
) -> None:
    """RFC 7489 §3.1.1: what counts is the domain of From."""
    warnings = conf.warnings(signing(tmp_path, pem(ED25519)) + f"senders = {senders}\n")
    assert len(warnings) == len(doubtful)
    for warning, sender in zip(warnings, doubtful, strict=True):
        assert f"dkim-domain: it is not the domain of {sender}," in warning


def test_a_domain_below_the_senders_is_theirs_too(conf: ConfFiles, tmp_path: Path) -> None:
    content = signing(tmp_path, pem(ED25519)).replace("= example.com", "= mail.example.com")
    assert conf.warnings(content + "senders = @example.com\n") == []


def test_what_overrides_the_sender_is_what_counts(conf: ConfFiles, tmp_path: Path) -> None:
    content = signing(tmp_path, pem(ED25519)) + "senders = @example.com\nsender-override = a@example.org\n"
    (warning,) = conf.warnings(content)
    assert "a@example.org" in warning


def test_a_key_that_every_user_may_read_is_warned_of(conf: ConfFiles, tmp_path: Path) -> None:
    content = signing(tmp_path, pem(ED25519))
    (tmp_path / "dkim.pem").chmod(0o644)
    (warning,) = conf.warnings(content)
    assert "holds a secret and every user may read it" in warning


def test_a_new_key_in_the_file_is_a_change(conf: ConfFiles, tmp_path: Path) -> None:
    before = conf.load(signing(tmp_path, pem(ED25519)))
    assert tmp_path / "dkim.pem" in before.watched
    signing(tmp_path, pem(Ed25519PrivateKey.generate()))
    assert current_digest(conf.main, before.secret_files) != before.digest
    assert conf.load().ways_out["smtp-client"] != before.ways_out["smtp-client"]


def test_the_key_is_never_shown(conf: ConfFiles, tmp_path: Path) -> None:
    text = pem(ED25519)
    assert text.splitlines()[1] not in repr(conf.load(signing(tmp_path, text)))
