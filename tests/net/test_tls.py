"""TLS as the options and the ssl properties want it, against real servers."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from emaild.errors import Rejected
from emaild.net.connect import open_connection
from emaild.net.peer import Peer
from emaild.net.tls import client_context
from emaild.net.translate import network_meaning
from emaild.settings.secret import Secret
from emaild.settings.server import TlsVersion
from tests.net.tls_server import GREETING, TlsServer, tls_peer
from tests.servers.authority import Authority
from tests.servers.presence import require

OLD_AND_NEW = [TlsVersion.TLS_1_0, TlsVersion.TLS_1_1, TlsVersion.TLS_1_2, TlsVersion.TLS_1_3]
JAVA = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"


@pytest.fixture
def server(authority: Authority) -> Iterator[TlsServer]:
    """One that speaks whatever OpenSSL can."""
    context = authority.server_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with TlsServer(context) as made:
        yield made


def spoken(server: TlsServer, peer: Peer) -> tuple[str, str]:
    """The version and suite that a connection agreed on, and the greeting came over it."""
    with open_connection(peer) as connection:
        assert connection.recv(100) == GREETING
    return server.agreed[-1]


def refusal(peer: Peer) -> tuple[type, str]:
    """What a connection that fails means."""
    with pytest.raises(OSError) as failure:
        open_connection(peer)
    return network_meaning(failure.value)


# Whom we trust


def test_certificate_of_the_ca_file_is_trusted_and_another_is_not(server: TlsServer, authority: Authority) -> None:
    assert spoken(server, tls_peer(server.port, authority))[0] == "TLSv1.3"
    kind, words = refusal(tls_peer(server.port, authority, ca_file=authority.other_ca_file))
    assert kind is Rejected
    assert "the certificate is not trusted" in words


def test_system_does_not_trust_our_authority(server: TlsServer) -> None:
    assert refusal(tls_peer(server.port, None))[0] is Rejected


def test_name_must_stand_in_the_certificate_unless_checkserveridentity_is_false(
    server: TlsServer, authority: Authority
) -> None:
    """127.1 leads to the server, too, and stands in no certificate. Whose authority it is counts all the same."""
    kind, words = refusal(tls_peer(server.port, authority, host="127.1"))
    assert kind is Rejected
    assert "127.1" in words
    assert spoken(server, tls_peer(server.port, authority, host="127.1", check_identity=False))[0] == "TLSv1.3"
    wrong = tls_peer(server.port, authority, ca_file=authority.other_ca_file, check_identity=False)
    assert refusal(wrong)[0] is Rejected


@pytest.mark.parametrize("trusted", [("*",), ("elsewhere.example", "LocalHost")])
def test_host_named_in_ssl_trust_needs_no_certificate_that_anyone_signed(
    server: TlsServer, trusted: tuple[str, ...]
) -> None:
    for host in ("localhost", "LOCALHOST"):
        assert spoken(server, tls_peer(server.port, None, host=host, trusted_hosts=trusted))[0] == "TLSv1.3"


def test_host_not_named_in_ssl_trust_needs_one(server: TlsServer) -> None:
    assert refusal(tls_peer(server.port, None, trusted_hosts=("elsewhere.example",)))[0] is Rejected


# Versions and suites


@pytest.mark.parametrize("version", OLD_AND_NEW)
def test_named_protocol_is_the_one_that_is_spoken(server: TlsServer, authority: Authority, version: TlsVersion) -> None:
    peer = tls_peer(server.port, authority, minimum_version=TlsVersion.TLS_1_0, protocols=(version.value,))
    assert spoken(server, peer)[0] in (f"TLSv{version.value}", "TLSv1" if version is TlsVersion.TLS_1_0 else "")


def test_version_between_two_named_ones_is_not_spoken_nor_what_is_older(authority: Authority) -> None:
    for newest in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = authority.server_context()
        context.maximum_version = newest
        with TlsServer(context) as server:
            peer = tls_peer(server.port, authority, minimum_version=TlsVersion.TLS_1_1, protocols=("1.1", "1.3"))
            if newest is ssl.TLSVersion.TLSv1_3:
                assert spoken(server, peer)[0] == "TLSv1.3"
            else:
                with pytest.raises(ssl.SSLError):
                    open_connection(peer)


def test_version_below_the_minimum_is_not_spoken(server: TlsServer, authority: Authority) -> None:
    with pytest.raises(Rejected, match=r"no version of TLS from minimum-tls-version \(1\.2\) on"):
        open_connection(tls_peer(server.port, authority, protocols=("1.0", "1.1")))


@pytest.mark.parametrize("name", [JAVA, "ECDHE-ECDSA-AES128-GCM-SHA256"])
def test_named_suite_is_the_one_that_is_spoken(server: TlsServer, authority: Authority, name: str) -> None:
    """By its name at IANA or in OpenSSL. No suite of TLS 1.3 is named, so that is not spoken."""
    agreed = spoken(server, tls_peer(server.port, authority, ciphersuites=(name,)))
    assert agreed == ("TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256")


def test_server_without_the_named_suite_is_not_spoken_to(authority: Authority) -> None:
    context = authority.server_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
    with TlsServer(context) as server, pytest.raises(ssl.SSLError):
        open_connection(tls_peer(server.port, authority, ciphersuites=(JAVA,)))


def test_suites_of_tls_1_3_alone_leave_that_alone(server: TlsServer, authority: Authority) -> None:
    suites = ("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256")
    assert spoken(server, tls_peer(server.port, authority, ciphersuites=suites))[0] == "TLSv1.3"
    with pytest.raises(Rejected, match="names no suite of the versions"):
        open_connection(tls_peer(server.port, authority, ciphersuites=suites, protocols=("1.2",)))


def test_suite_of_tls_1_3_that_is_not_named_ends_the_connection(server: TlsServer, authority: Authority) -> None:
    """The server takes the strongest; Python cannot keep it from that, so the connection is not used."""
    with pytest.raises(Rejected, match="the server chose TLS_AES_256_GCM_SHA384, which"):
        open_connection(tls_peer(server.port, authority, ciphersuites=("TLS_AES_128_GCM_SHA256",)))


def test_old_version_and_named_suite_go_together(server: TlsServer, authority: Authority) -> None:
    peer = tls_peer(
        server.port,
        authority,
        minimum_version=TlsVersion.TLS_1_0,
        protocols=("1.0",),
        ciphersuites=("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",),
    )
    assert spoken(server, peer) == ("TLSv1", "ECDHE-ECDSA-AES128-SHA")


@pytest.mark.parametrize("name", ["NO-SUCH-SUITE", "TLS_ECDH_anon_WITH_AES_128_CBC_SHA", "ECDHE-ECDSA-NULL-SHA"])
def test_suite_that_is_unknown_or_protects_nothing_is_refused(
    server: TlsServer, authority: Authority, name: str
) -> None:
    with pytest.raises(Rejected, match=f"no cipher suite {name} that encrypts and asks for a certificate"):
        open_connection(tls_peer(server.port, authority, ciphersuites=(JAVA, name)))


# Who we are


@pytest.fixture(scope="module")
def client_files(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Path:
    """client.pem and its key, plain.key without a password, other.key of nobody, junk.pem, both.pem."""
    folder = tmp_path_factory.mktemp("client")
    openssl = require("openssl")

    def run(*arguments: str) -> None:
        subprocess.run((openssl, *arguments), cwd=folder, check=True, capture_output=True, timeout=30)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
    run("req", *curve, "-passout", "pass:hunter2", "-keyout", "client.key", "-out", "client.csr", "-subj", "/CN=emaild")
    run("x509", "-req", "-in", "client.csr", "-CA", str(authority.ca_file), "-CAkey",
        str(authority.ca_file.with_suffix(".key")), "-days", "30", "-out", "client.pem")  # fmt: skip
    run("pkey", "-in", "client.key", "-passin", "pass:hunter2", "-out", "plain.key")
    run("req", "-x509", *curve, "-nodes", "-keyout", "other.key", "-out", "other.pem", "-subj", "/CN=other")
    (folder / "both.pem").write_text((folder / "client.pem").read_text() + (folder / "plain.key").read_text())
    (folder / "junk.pem").write_text("junk\n")
    return folder


@pytest.fixture
def demanding(authority: Authority) -> Iterator[TlsServer]:
    """A server that lets in only who shows a certificate of the authority."""
    context = authority.server_context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.ca_file)
    with TlsServer(context) as made:
        yield made


@pytest.mark.parametrize(
    ("certificate", "key", "password"),
    [("client.pem", "client.key", "hunter2"), ("client.pem", "plain.key", None), ("both.pem", None, None)],
)
def test_client_certificate_is_shown(
    demanding: TlsServer, authority: Authority, client_files: Path,
    certificate: str, key: str | None, password: str | None,
) -> None:  # fmt: skip
    peer = tls_peer(
        demanding.port,
        authority,
        client_certificate=client_files / certificate,
        client_key=client_files / key if key else None,
        client_key_password=Secret(password) if password else None,
    )
    assert spoken(demanding, peer)[0] == "TLSv1.3"
    assert demanding.shown == [ssl.PEM_cert_to_DER_cert((client_files / "client.pem").read_text())]


@pytest.mark.parametrize("newest", ["1.2", "1.3"])
def test_server_that_wants_a_client_certificate_and_gets_none_needs_a_person(
    demanding: TlsServer, authority: Authority, newest: str
) -> None:
    with pytest.raises(ssl.SSLError) as failure:  # in TLS 1.3 it comes with the first bytes only
        spoken(demanding, tls_peer(demanding.port, authority, protocols=(newest,)))
    kind, words = network_meaning(failure.value)
    if newest == "1.3":
        assert kind is Rejected
        assert "wants one: certificate required" in words


@pytest.mark.parametrize(
    ("certificate", "key", "password", "words"),
    [
        ("client.pem", "client.key", "wrong", "client.key holds no private key .*or client-key-password is not its"),
        ("client.pem", "client.key", None, "client.key holds no private key .*or one that needs client-key-password"),
        ("client.pem", "other.key", None, "client-key is not the key of client-certificate"),
        ("junk.pem", "plain.key", None, "junk.pem holds no certificate"),
        ("client.pem", "junk.pem", None, "junk.pem holds no private key"),
        ("client.pem", None, None, "client.pem holds no private key"),
        ("gone.pem", None, None, "cannot read .*gone.pem: No such file or directory"),
    ],
)
def test_client_certificate_that_cannot_be_used_is_refused_in_words(
    demanding: TlsServer, authority: Authority, client_files: Path,
    certificate: str, key: str | None, password: str | None, words: str,
) -> None:  # fmt: skip
    peer = tls_peer(
        demanding.port,
        authority,
        client_certificate=client_files / certificate,
        client_key=client_files / key if key else None,
        client_key_password=Secret(password) if password else None,
    )
    with pytest.raises(Rejected, match=words) as failure:
        open_connection(peer)
    assert "hunter2" not in repr(failure.value)
    assert "wrong" not in str(failure.value)


# Files that change


def test_changed_ca_file_counts_at_once_and_an_unchanged_one_is_read_once(
    server: TlsServer, authority: Authority, tmp_path: Path
) -> None:
    ca_file = tmp_path / "ca.pem"
    shutil.copy(authority.other_ca_file, ca_file)
    peer = tls_peer(server.port, None, ca_file=ca_file)
    assert refusal(peer)[0] is Rejected
    assert client_context(peer) is client_context(peer)
    shutil.copy(authority.ca_file, ca_file)
    os.utime(ca_file, ns=(1, 1))
    assert spoken(server, peer)[0] == "TLSv1.3"


@pytest.mark.parametrize(
    ("content", "words"), [("junk\n", "ca.pem holds no certificate"), (None, "cannot read .*ca.pem: No such file")]
)
def test_ca_file_that_cannot_be_used_is_refused_in_words(tmp_path: Path, content: str | None, words: str) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    with pytest.raises(Rejected, match=words):
        open_connection(tls_peer(1, None, ca_file=tmp_path / "ca.pem"))
