"""Through a proxy: SOCKS5 (RFC 1928) by python-socks, CONNECT (RFC 9110 §9.3.6) by our own few lines.

python-socks reads the answer to CONNECT in one gulp, and with it a server's greeting that came in the same packet.
"""

from __future__ import annotations

import base64
import re
import socket
from functools import partial
from typing import Any

import python_socks
from python_socks import ProxyError
from python_socks.sync import Proxy

from emaild.errors import Rejected, RemoteError, Unreachable
from emaild.net import steps
from emaild.net.peer import Peer, ProxyServer
from emaild.net.race import Deadline, Here, connected
from emaild.net.translate import network_meaning, translated
from emaild.settings.network import ProxyType

NAME = "MailConnectException"  # the guide's name, so that a search for it leads here
# A greeting of SOCKS5 that HTTP proxies answer too: the last four of its six methods, which nobody speaks, are
# the line ends that they wait for.
GREETING = b"\x05\x06\x00\x02\r\n\r\n"
PATIENCE = 5.0  # seconds that the answer to it may take
LONGEST_HEAD = 16 << 10
REFUSED_FOR_GOOD = (2, 7, 8)  # by SOCKS5: not allowed, command or kind of address not supported (RFC 1928 §6)
TEMPORARY = (408, 429)  # by HTTP: too slow, too many (RFC 9110 §15.5.9, RFC 6585 §4)

_found: dict[tuple[str, int], ProxyType] = {}


def connected_through(proxy: ProxyServer, peer: Peer, deadline: Deadline) -> socket.socket:
    """A connection to the peer through the proxy, which also looks up the peer's name.

    Raises:
        Unreachable: the proxy, or the peer from there. Rejected: the proxy wants other credentials or forbids it.
    """
    with translated(str(peer), "connect", partial(_meaning, proxy), OSError, ProxyError, ValueError):
        try:
            ask = _ask_socks if _kind(proxy, peer, deadline) is ProxyType.SOCKS5 else _ask_http
            with _reach(proxy, peer, deadline) as connection:
                steps.begin("proxy")
                ask(connection, proxy, peer)
                steps.tell(f"[{proxy.name}] leads to {peer}")
                return socket.socket(fileno=connection.detach())
        except BaseException:
            _found.pop((proxy.host, proxy.port), None)
            raise


class _Hurried(socket.socket):
    """A connection on which all must be read by a deadline, however slowly it comes."""

    deadline: Deadline

    def recv(self, *arguments: Any) -> bytes:
        """As a socket's own; TimeoutError after the deadline."""
        self.settimeout(self.deadline.left())
        return super().recv(*arguments)


def _reach(proxy: ProxyServer, peer: Peer, deadline: Deadline) -> _Hurried:
    plain = connected(proxy.host, proxy.port, Here(peer.local_address, peer.local_port), deadline)
    connection = _Hurried(fileno=plain.detach())
    connection.deadline = deadline
    connection.settimeout(peer.connect_timeout)
    return connection


def _kind(proxy: ProxyServer, peer: Peer, deadline: Deadline) -> ProxyType:
    """What the proxy speaks; asked on a connection of its own, and then known until it fails."""
    if proxy.kind is not ProxyType.AUTOMATIC:
        return proxy.kind
    at = proxy.host, proxy.port
    known = _found.get(at)  # once: other threads forget it when they fail
    if known is None:
        with steps.together("proxy"), _reach(proxy, peer, deadline) as connection:
            connection.deadline = Deadline(min(PATIENCE, deadline.left() / 2))
            known = _found[at] = ProxyType.SOCKS5 if _greeted(connection) else ProxyType.HTTP
        steps.tell(f"[{proxy.name}] speaks {known}")
    return known


def _greeted(connection: socket.socket) -> bool:
    try:
        connection.sendall(GREETING)
        return connection.recv(1) == GREETING[:1]
    except OSError:  # silence, or a reset
        return False


class _Reached(Proxy):
    """What python-socks takes for another proxy on the way to this one: a connection that is there already."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def connect(self, *arguments: Any, **named: Any) -> socket.socket:
        """That connection."""
        return self._connection


def _ask_socks(connection: socket.socket, proxy: ProxyServer, peer: Peer) -> None:
    user, password = _credentials(proxy)
    if not (user + password).isascii() or max(len(user), len(password)) > 255:
        raise ValueError("user and password must be of 255 ASCII characters at most")
    Proxy(
        python_socks.ProxyType.SOCKS5, proxy.host, proxy.port, user, password, rdns=True, forward=_Reached(connection)
    ).connect(peer.host, peer.port)


def _ask_http(connection: socket.socket, proxy: ProxyServer, peer: Peer) -> None:
    host = f"[{peer.host}]" if ":" in peer.host else peer.host.encode("idna").decode("ascii")
    lines = [f"CONNECT {host}:{peer.port} HTTP/1.1", f"Host: {host}:{peer.port}"]
    user, password = _credentials(proxy)
    if user:
        proof = base64.b64encode(f"{user}:{password}".encode()).decode("ascii")  # RFC 7617 §2
        lines.append(f"Proxy-Authorization: Basic {proof}")
    connection.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
    answer = _head(connection).split(b"\r\n")[0].decode("ascii", "replace")
    found = re.fullmatch(r"HTTP/\d\.\d (\d{3}).*", answer)
    if found is None:
        raise ProxyError("what it says is no HTTP")
    if not 200 <= int(found[1]) < 300:
        raise ProxyError(answer.partition(" ")[2], error_code=int(found[1]))


def _head(connection: socket.socket) -> bytes:
    """The answer up to its empty line, byte by byte: what follows is the server's."""
    head = bytearray()
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            raise ProxyError("it closed the connection")
        head += byte
        if len(head) > LONGEST_HEAD:
            raise ProxyError("what it says is no HTTP")
    return bytes(head)


def _credentials(proxy: ProxyServer) -> tuple[str, str]:
    return proxy.user, proxy.password.reveal() if proxy.password is not None else ""


def _meaning(proxy: ProxyServer, error: Exception) -> tuple[type[RemoteError], str]:
    kind, reason = _without_place(error)
    return kind, f"{NAME}: [{proxy.name}] {proxy.host}:{proxy.port}: {reason}"


def _without_place(error: Exception) -> tuple[type[RemoteError], str]:
    if isinstance(error, OSError):
        return network_meaning(error)
    if not isinstance(error, ProxyError):
        return Rejected, str(error) if type(error) is ValueError else "the server's name cannot be told to it"
    code, reason = error.error_code or 0, str(error)
    for_good = code in REFUSED_FOR_GOOD or (400 <= code < 500 and code not in TEMPORARY)
    # python-socks has no code for a wrong password, nor for a proxy that wants one.
    return (Rejected if for_good or "authentication" in reason else Unreachable), reason
