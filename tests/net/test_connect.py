"""The order of attempts, and the last look before a secret is sent."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from emaild.errors import Busy, Rejected, RemoteError, Unreachable
from emaild.net.connect import check_encrypted, first_that_connects, open_connection
from emaild.net.peer import Peer, ProxyServer, Trust
from emaild.settings.network import ProxyType
from emaild.settings.server import Security
from tests.servers.authority import Authority
from tests.servers.ports import LOOPBACK
from tests.servers.presence import require, require_root
from tests.servers.proxies import ProxyProgram
from tests.servers.scripted import Dialog, Scripted

AUTOMATIC = Peer(host="mail.example.com", port=993, plain_port=143, security=Security.AUTOMATIC)


class Attempts:
    """Connects as it is told to, and remembers where."""

    def __init__(self, *outcomes: type[RemoteError] | None) -> None:
        self._outcomes = list(outcomes)
        self.ports: list[int] = []

    def __call__(self, peer: Peer) -> str:
        self.ports.append(peer.port)
        outcome = self._outcomes.pop(0)
        if outcome is not None:
            raise outcome(str(peer), "connect", f"failure {len(self.ports)}")
        return f"attempt {len(self.ports)}"


@pytest.mark.parametrize(("outcomes", "result"), [((None,), "attempt 1"), ((Unreachable, None), "attempt 2")])
def test_first_attempt_that_connects_is_used(outcomes: tuple[type[RemoteError]], result: str) -> None:
    attempts = Attempts(*outcomes)
    assert first_that_connects(AUTOMATIC, attempts) == result
    assert attempts.ports == [993, 143][: len(outcomes)]


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [((Unreachable, Unreachable), "failure 2"), ((Rejected, None), "failure 1"), ((Busy, None), "failure 1")],
)
def test_refusal_ends_the_attempts_and_the_last_failure_is_told(outcomes: tuple[type[RemoteError]], words: str) -> None:
    with pytest.raises(RemoteError, match=words):
        first_that_connects(AUTOMATIC, Attempts(*outcomes))


def test_peer_that_is_not_automatic_is_tried_once() -> None:
    attempts = Attempts(Unreachable)
    with pytest.raises(Unreachable):
        first_that_connects(Peer(host="mail.example.com", port=25), attempts)
    assert attempts.ports == [25]


def stays(dialog: Dialog) -> None:
    dialog.wait_for_end()


def test_secret_may_be_sent_over_tls_and_on_loopback(scripted: Callable[..., Scripted], authority: Authority) -> None:
    for tls in (True, False):
        security = Security.SSL_TLS if tls else Security.NONE
        server = scripted(stays, authority=authority, tls=tls)
        given = Peer(host="localhost", port=server.port, security=security, trust=Trust(ca_file=authority.ca_file))
        with open_connection(given) as connection:
            check_encrypted(given, connection)


@pytest.mark.parametrize("allowed", [False, True])
def test_secret_is_not_sent_through_a_proxy_without_tls_unless_that_is_allowed(
    scripted: Callable[..., Scripted], allowed: bool
) -> None:
    """The proxy is on loopback, the server behind it need not be."""
    with ProxyProgram("microsocks") as program:
        proxy = ProxyServer(name="proxy", kind=ProxyType.SOCKS5, host=LOOPBACK, port=program.port)
        given = Peer(host="localhost", port=scripted(stays).port, proxy=proxy, allow_plaintext_auth=allowed)
        with open_connection(given) as connection:
            if allowed:
                check_encrypted(given, connection)
            else:
                with pytest.raises(Rejected, match=r"sign in: the connection is not encrypted; .*allow"):
                    check_encrypted(given, connection)


def test_secret_is_not_sent_to_another_machine_without_tls(tmp_path: Path) -> None:
    """By the address that answers, whatever its name: the script's network has 192.0.2.1 and a name for it."""
    require_root()
    unshare = require("unshare", "ip", "mount")
    script = """
import socket
from emaild.errors import Rejected
from emaild.net.connect import check_encrypted, open_connection
from emaild.net.peer import Peer
server = socket.create_server(("0.0.0.0", 1430))
for host in ("127.0.0.1", "192.0.2.1", "localhost"):
    for allowed in (False, True):
        peer = Peer(host=host, port=1430, allow_plaintext_auth=allowed)
        try:
            check_encrypted(peer, open_connection(peer))
            print(host, allowed, "sent")
        except Rejected:
            print(host, allowed, "stopped")
"""
    (tmp_path / "hosts").write_text("192.0.2.1 localhost\n")
    (tmp_path / "script.py").write_text(script)
    shell = (
        f"ip link set lo up && ip address add 192.0.2.1/24 dev lo && mount --bind {tmp_path}/hosts /etc/hosts"
        f" && exec {sys.executable} {tmp_path}/script.py"
    )
    done = subprocess.run([unshare, "-mn", "sh", "-c", shell], capture_output=True, text=True, timeout=60, check=False)
    assert not done.stderr
    assert done.stdout.splitlines() == [
        "127.0.0.1 False sent",
        "127.0.0.1 True sent",
        "192.0.2.1 False stopped",
        "192.0.2.1 True sent",
        "localhost False stopped",
        "localhost True sent",
    ]


def test_loopback_is_known_in_ipv6_and_where_ipv4_is_mapped_into_it() -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True))
        port = listener.getsockname()[1]
        for address in ("::1", "::ffff:127.0.0.1"):
            given = Peer(host=address, port=port)
            connection = stack.enter_context(closing(open_connection(given)))
            check_encrypted(given, connection)
