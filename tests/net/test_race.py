"""Connecting to hosts with several addresses, from addresses of our own choice."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emaild.net.connect import open_connection
from emaild.net.peer import Peer
from emaild.net.race import Deadline, race
from tests.servers.presence import require, require_root

SOON = 1.0  # seconds: what an address that does not answer may cost at most
FAMILIES = {socket.AF_INET6: "::1", socket.AF_INET: "127.0.0.1"}


@contextlib.contextmanager
def listeners(*families: socket.AddressFamily) -> Iterator[tuple[int, list[socket.socket]]]:
    """A port, and listeners at it on loopback."""
    with contextlib.ExitStack() as stack:
        found: list[socket.socket] = []
        port = 0
        for family in families:
            listener = stack.enter_context(socket.create_server((FAMILIES[family], port), family=family))
            port = listener.getsockname()[1]
            found.append(listener)
        yield port, found


@contextlib.contextmanager
def deaf(family: socket.AddressFamily, port: int = 0) -> Iterator[int]:
    """A port that neither accepts nor refuses: its listener's queue is full, so what comes is dropped."""
    address = (FAMILIES[family], port)
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(address, family=family, backlog=0))
        for _ in range(3):
            filling = stack.enter_context(socket.socket(family))
            filling.setblocking(False)
            filling.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def peer(port: int, **given: object) -> Peer:
    return Peer(**{"host": "localhost", "port": port, "connect_timeout": 5.0} | given)  # type: ignore[arg-type]


def descriptors() -> list[str]:
    """What our open descriptors lead to, the listing's own left out."""
    found = []
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(link))
    return sorted(name for name in found if name.startswith("socket:"))


def addresses(port: int) -> list[tuple[int, tuple[str, int]]]:
    """A host's two addresses, in the order in which they are tried."""
    return [(family, (address, port)) for family, address in FAMILIES.items()]


@pytest.mark.parametrize("family", FAMILIES)
def test_host_that_listens_at_one_of_its_addresses_is_reached(family: socket.AddressFamily) -> None:
    with listeners(family) as (port, _), race(addresses(port), {}, Deadline(5)) as connection:
        assert connection.getpeername()[0] == FAMILIES[family]


def test_address_that_does_not_answer_costs_less_than_a_second_and_is_let_go() -> None:
    with listeners(socket.AF_INET) as (port, _), deaf(socket.AF_INET6, port):
        before = descriptors()
        begun = time.monotonic()
        with race(addresses(port), {}, Deadline(5)) as connection:
            assert connection.getpeername()[0] == "127.0.0.1"
            assert 0.2 < time.monotonic() - begun < SOON
            assert len(descriptors()) == len(before) + 1


def test_host_none_of_whose_addresses_answers_is_given_up_in_time() -> None:
    with deaf(socket.AF_INET) as port, deaf(socket.AF_INET6, port):
        before = descriptors()
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            race(addresses(port), {}, Deadline(0.6))
        assert 0.6 <= time.monotonic() - begun < SOON
        assert descriptors() == before


def test_connection_that_is_reset_at_once_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    with listeners(socket.AF_INET) as (port, (listener,)):

        def reset_at_once(*given: Any) -> socket.socket:
            connection = race(*given)
            accepted, _ = listener.accept()
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            accepted.close()
            return connection

        monkeypatch.setattr("emaild.net.race.race", reset_at_once)
        before = descriptors()
        with pytest.raises(OSError, match="not connected") as failure:
            open_connection(peer(port, host="127.0.0.1"))
        assert descriptors() == before
        assert failure.traceback  # it is kept, and with it all that was not closed


def alone(tmp_path: Path, file: str, content: str, script: str) -> str:
    """What a script prints in a network and a view of the file system of its own, where that file is another."""
    require_root()
    unshare = require("unshare", "ip", "mount")
    (tmp_path / "file").write_text(content)
    (tmp_path / "script.py").write_text(script)
    shell = f"ip link set lo up && mount --bind {tmp_path}/file {file} && exec {sys.executable} {tmp_path}/script.py"
    done = subprocess.run([unshare, "-mn", "sh", "-c", shell], capture_output=True, text=True, timeout=60, check=False)
    assert not done.stderr
    return done.stdout


def test_addresses_of_a_name_are_tried_ipv6_first(tmp_path: Path) -> None:
    script = """
import socket
from emaild.net.connect import open_connection
from emaild.net.peer import Peer
servers = [socket.create_server(("127.0.0.1", 1430)), socket.create_server(("::1", 1430), family=socket.AF_INET6)]
for _ in range(2):
    print(open_connection(Peer(host="mail.example.com", port=1430)).getpeername()[0])
    servers.pop().close()
"""
    hosts = "127.0.0.1 mail.example.com\n::1 mail.example.com\n"
    assert alone(tmp_path, "/etc/hosts", hosts, script) == "::1\n127.0.0.1\n"


def test_name_server_that_is_silent_is_given_up_in_time(tmp_path: Path) -> None:
    script = """
import socket, time
from emaild.net.connect import open_connection
from emaild.net.peer import Peer
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
begun = time.monotonic()
try:
    open_connection(Peer(host="mail.example.com", port=1, connect_timeout=0.5))
except TimeoutError:
    print("asked", len(server.recv(512)) > 0, "in time", time.monotonic() - begun < 2)
"""
    assert alone(tmp_path, "/etc/resolv.conf", "nameserver 127.0.0.1\n", script) == "asked True in time True\n"


def test_host_that_refuses_says_so() -> None:
    with listeners(socket.AF_INET) as (port, _):
        pass
    with pytest.raises(ConnectionRefusedError, match="Connection refused"):
        open_connection(peer(port))


@pytest.mark.parametrize("name", ["no-such-host.invalid", "a..b", "x" * 70 + ".example"])
def test_name_that_is_no_host_is_an_error_of_the_network(name: str) -> None:
    with pytest.raises(socket.gaierror):
        open_connection(peer(1, host=name))


def test_connection_begins_at_localaddress_and_localport() -> None:
    with listeners(socket.AF_INET) as (port, (listener,)), socket.create_server(("127.0.0.5", 0)) as spare:
        free = spare.getsockname()[1]
        spare.close()
        for _ in range(2):  # the second right after the first: its port is still in TIME_WAIT
            with open_connection(peer(port, local_address="127.0.0.5", local_port=free)):
                accepted, (address, from_port) = listener.accept()
                assert (address, from_port) == ("127.0.0.5", free)
            accepted.close()


def test_localport_alone_binds_any_address() -> None:
    with listeners(socket.AF_INET6) as (port, (listener,)), socket.create_server(("::1", 0), family=10) as spare:
        free = spare.getsockname()[1]
        spare.close()
        with open_connection(peer(port, host="::1", local_port=free)):
            accepted, (address, from_port, *_) = listener.accept()
            accepted.close()
            assert (address, from_port) == ("::1", free)


def test_only_addresses_of_the_family_of_localaddress_are_tried() -> None:
    with listeners(socket.AF_INET6, socket.AF_INET) as (port, _):
        with open_connection(peer(port, local_address="127.0.0.5")) as connection:
            assert connection.getsockname()[0] == "127.0.0.5"
        with pytest.raises(OSError, match="no address of the family of localaddress"):
            open_connection(peer(port, host="127.0.0.1", local_address="::1"))


def test_connections_are_kept_alive_and_not_delayed() -> None:
    with listeners(socket.AF_INET) as (port, _), open_connection(peer(port)) as connection:
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert connection.gettimeout() == 300.0
