"""How TLS is spoken: whom it trusts, who we are, which versions and cipher suites it may use."""

from __future__ import annotations

import contextlib
import socket
import ssl
import sys
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from emaild.errors import Rejected
from emaild.net import certificate, steps
from emaild.net.peer import Peer, Trust
from emaild.net.suites import split
from emaild.net.wire import TlsWire, is_watched
from emaild.settings.server import TlsVersion

CONTEXTS_KEPT = 64  # far more than the different ones of any installation
VERSIONS = {
    TlsVersion.TLS_1_0: ssl.TLSVersion.TLSv1,
    TlsVersion.TLS_1_1: ssl.TLSVersion.TLSv1_1,
    TlsVersion.TLS_1_2: ssl.TLSVersion.TLSv1_2,
    TlsVersion.TLS_1_3: ssl.TLSVersion.TLSv1_3,
}
WEAK = (TlsVersion.TLS_1_0, TlsVersion.TLS_1_1)


def client_context(peer: Peer) -> ssl.SSLContext:
    """A context that verifies certificate and host name, but for what the peer's trust leaves out.

    Loading the system's roots costs some 20 ms, so contexts are kept; a changed file gives a new one. Wrap sockets
    with the peer's host as `server_hostname`.

    Raises:
        Rejected: a file that cannot be used, or versions and suites that leave nothing to speak.
    """
    trust = peer.trust
    trusted = {"*", peer.host.lower()} & {host.lower() for host in trust.trusted_hosts}
    try:
        changed = tuple(_changed(path) for path in (trust.ca_file, trust.client_certificate, trust.client_key))
        return _context(trust, changed, verified=not trusted, watched=is_watched(peer))
    except ValueError as error:
        raise Rejected(str(peer), "prepare TLS", str(error)) from error


def spoken(connection: socket.socket | None) -> str:
    """The version and the cipher of a connection, as `TLSv1.3 TLS_AES_256_GCM_SHA384`; empty without TLS."""
    suite = connection.cipher() if isinstance(connection, ssl.SSLSocket) else None
    return f"{suite[1]} {suite[0]}" if suite else ""


class _Context(ssl.SSLContext):
    """A context whose sockets go on as the ones that they wrap, and speak the suites that are named."""

    newest: tuple[str, ...] = ()

    def wrap_socket(self, sock: Any, *arguments: Any, **named: Any) -> ssl.SSLSocket:
        """As the context's own; the handshake is done unless the caller wants otherwise."""
        steps.begin(steps.TLS)
        secured = super().wrap_socket(sock, *arguments, **named)
        if isinstance(secured, TlsWire):
            secured.take_over(sock)
        suite = secured.cipher()
        if self.newest and suite is not None and suite[1] == "TLSv1.3" and suite[0] not in self.newest:
            secured.close()
            reason = f"the server chose {suite[0]}, which ssl.ciphersuites does not name"
            raise Rejected(secured.server_hostname or "the server", "TLS", reason)
        if steps.is_heard():
            steps.tell(spoken(secured))
            steps.tell(certificate.words(secured.getpeercert(binary_form=True), datetime.now(UTC)))
            if steps.is_last(steps.TLS):
                secured.close()
                raise Rejected(secured.server_hostname or "the server", "TLS", "nothing more is asked of it")
        return secured


@lru_cache(maxsize=CONTEXTS_KEPT)
def _context(trust: Trust, changed: tuple[int, ...], *, verified: bool, watched: bool) -> ssl.SSLContext:
    """Raises ValueError, in words for a person."""
    context = _Context(ssl.PROTOCOL_TLS_CLIENT)
    if watched:
        context.sslsocket_class = TlsWire
    if sys.version_info >= (3, 13):  # as ssl.create_default_context has it
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
    _verify(context, trust, verified=verified)
    if trust.client_certificate is not None:
        _show(context, trust, trust.client_certificate)
    versions = _versions(trust)
    if trust.ciphersuites:
        versions = _restrict_suites(context, trust, versions)
    elif versions[0] in WEAK:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # OpenSSL speaks them at no other level
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # an old version is what was asked for
        context.minimum_version, context.maximum_version = VERSIONS[versions[0]], VERSIONS[versions[-1]]
    return context


def _verify(context: ssl.SSLContext, trust: Trust, *, verified: bool) -> None:
    context.check_hostname = verified and trust.check_identity
    if not verified:
        context.verify_mode = ssl.CERT_NONE
    elif trust.ca_file is None:
        context.load_default_certs()
    else:
        with _in_words(f"{trust.ca_file} holds no certificate (PEM)"):
            context.load_verify_locations(trust.ca_file)


def _show(context: ssl.SSLContext, trust: Trust, certificate: Path) -> None:
    """Have our certificate ready for a server that asks for one."""
    with _in_words(f"{certificate} holds no certificate (PEM)"):
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(certificate)
    key, password = trust.client_key or certificate, trust.client_key_password
    wrong = f"{key} holds no private key (PEM), or client-key-password is not its password"
    if password is None:
        wrong = f"{key} holds no private key (PEM), or one that needs client-key-password"
    with _in_words(wrong):
        # Without a password, an empty one: OpenSSL would ask for it at a terminal.
        context.load_cert_chain(certificate, key, password=password.reveal() if password is not None else "")


@contextlib.contextmanager
def _in_words(words: str) -> Iterator[None]:
    """OpenSSL's errors say hardly more than that there is one."""
    try:
        yield
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            words = "client-key is not the key of client-certificate"
        raise ValueError(words) from error


def _versions(trust: Trust) -> list[TlsVersion]:
    """Those that may be spoken, oldest first."""
    accepted = [version for version in TlsVersion if version >= trust.minimum_version]
    versions = [version for version in accepted if not trust.protocols or version in trust.protocols]
    if not versions:
        raise ValueError(f"ssl.protocols names no version of TLS from minimum-tls-version ({trust.minimum_version}) on")
    return _unbroken(versions)


def _restrict_suites(context: _Context, trust: Trust, versions: list[TlsVersion]) -> list[TlsVersion]:
    """The versions that are left: a version none of whose suites is named is not spoken.

    Python before 3.15 cannot choose among the suites of TLS 1.3, so what was agreed on is looked at afterwards.
    """
    context.newest, older = split(trust.ciphersuites)
    left = [version for version in versions if (context.newest if version is TlsVersion.TLS_1_3 else older)]
    if not left:
        raise ValueError("ssl.ciphersuites names no suite of the versions of TLS that may be spoken")
    left = _unbroken(left)
    if older:
        level = ["@SECLEVEL=0"] if left[0] in WEAK else []
        context.set_ciphers(":".join([*older, *level]))
    return left


def _unbroken(versions: list[TlsVersion]) -> list[TlsVersion]:
    """From the newest down to the first that is missing: OpenSSL knows a range of versions and no holes."""
    for older, version in reversed(list(pairwise(TlsVersion))):
        if version in versions and older not in versions:
            return [one for one in versions if one >= version]
    return versions


def _changed(path: Path | None) -> int:
    """When a file was last changed, in nanoseconds; it must be one that can be read."""
    if path is None:
        return 0
    try:
        with path.open("rb"):
            return path.stat().st_mtime_ns
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from error
