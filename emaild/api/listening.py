"""The sockets that programs connect to, made by ourselves: what cannot be had is known before anything is started."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import ssl
import stat
from dataclasses import dataclass
from pathlib import Path

from emaild.net.race import Deadline, resolved
from emaild.settings.api import ApiSection

BACKLOG = 64  # connections that wait, and that are taken at one time
MODE = 0o660
SECONDS = 2.0  # how long a socket in the file system has to say that somebody listens, and a name to be resolved
CERTIFICATE = re.compile(rb"-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----")
KEY = re.compile(rb"-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----")


class CannotListen(Exception):
    """An address or certificate that cannot be used; the text says why."""


@dataclass(frozen=True)
class Listener:
    """Sockets that listen. They outlive the servers that accept from them, so that no connection is refused between."""

    sockets: tuple[socket.socket, ...]
    path: Path | None = None
    inode: int = 0

    def duplicates(self) -> list[socket.socket]:
        """The same sockets for a server, which closes them when it ends."""
        return [one.dup() for one in self.sockets]

    def close(self) -> None:
        """Listen no more; the name in the file system goes, if it is still ours."""
        if self.path is not None:
            with contextlib.suppress(OSError):
                if self.path.lstat().st_ino == self.inode:
                    self.path.unlink()
        for one in self.sockets:
            one.close()


def listen(section: ApiSection) -> Listener:
    """Listen where the section says.

    Raises:
        CannotListen: it cannot be done.
    """
    try:
        if section.socket_path is not None:
            return _on_path(section.socket_path)
        return _on_address(*section.address)
    except OSError as error:
        reason = "its name is not resolved in time" if isinstance(error, TimeoutError) else str(error)
        raise CannotListen(error.strerror or reason) from error


def certificate(section: ApiSection) -> tuple[ssl.SSLContext | None, bytes]:
    """What TLS needs, None without it, and the files' bytes, by which a renewed certificate is seen.

    Raises:
        CannotListen: a file cannot be used.
    """
    if section.certificate is None:
        return None, b""
    key = section.certificate_key or section.certificate
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        shown, secret = section.certificate.read_bytes(), key.read_bytes()
        _check_pem(section, shown, secret)
        context.load_cert_chain(section.certificate, key, password=_no_password)
    except ssl.SSLError as error:  # "[SSL] PEM lib" tells nobody anything
        wrong = "the private key is not that of the certificate"
        wrong = wrong if error.reason == "KEY_VALUES_MISMATCH" else f"they cannot be read: {error.reason or error}"
        raise CannotListen(f"{section.certificate} and {key}: {wrong}") from error
    except (OSError, ValueError) as error:
        raise CannotListen(f"{section.certificate}: {error}") from error
    return context, shown + secret


def _check_pem(section: ApiSection, shown: bytes, secret: bytes) -> None:
    if not CERTIFICATE.search(shown):
        raise CannotListen(f"{section.certificate}: expected a certificate (PEM), there is none in it")
    if not KEY.search(secret):
        where = section.certificate_key or f"{section.certificate}, and certificate-key names no other file"
        raise CannotListen(f"expected a private key (PEM), there is none in {where}")


def _no_password() -> str:
    """Nobody is asked on the terminal."""
    raise ValueError("the private key has a password; expected one without")


def _on_address(host: str, port: int) -> Listener:
    found = resolved(host, port, Deadline(SECONDS))
    sockets: list[socket.socket] = []
    try:
        for family, address in dict.fromkeys(found):
            made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named: else asyncio sets no NODELAY
            sockets.append(made)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            made.bind(address)
            made.listen(BACKLOG)
    except BaseException:
        for one in sockets:
            one.close()
        raise
    return Listener(tuple(sockets))


def _on_path(path: Path) -> Listener:
    _clear(path)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.bind(str(path))
        os.chmod(path, MODE)  # nobody can connect before the next line
        made.listen(BACKLOG)
        return Listener((made,), path, path.lstat().st_ino)
    except BaseException:
        made.close()
        raise


def _clear(path: Path) -> None:
    """Remove what a daemon left that is no more."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise CannotListen("there is a file of that name that is no socket")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(SECONDS)
        try:
            asking.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
    raise CannotListen("another process listens there")
