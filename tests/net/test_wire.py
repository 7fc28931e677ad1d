"""Writes that the other side does not accept, in plain and over TLS."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable

import pytest

from emaild.errors import Unreachable
from emaild.net.connect import open_connection
from emaild.net.http import ask
from emaild.net.peer import Peer, Trust
from emaild.net.tls import client_context
from emaild.settings.server import Security
from tests.servers.authority import Authority
from tests.servers.scripted import Dialog, Scripted

LINES = 128
MUCH = (bytes(65535) + b"\n") * LINES  # more than the kernel's buffers hold
PATIENCE = 0.3  # seconds
BOUND = 4.0  # seconds; far above PATIENCE, and far below the protocol's own


def peer(server: Scripted, authority: Authority, **given: object) -> Peer:
    fields = {"protocol_timeout": 60.0, "trust": Trust(ca_file=authority.ca_file)} | given
    return Peer(host="localhost", port=server.port, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("how", ["plain", "tls", "starttls"])
def test_write_that_is_not_accepted_in_time_fails(
    scripted: Callable[..., Scripted], authority: Authority, how: str
) -> None:
    given_up = threading.Event()

    def reads_nothing(dialog: Dialog) -> None:
        if how == "starttls":
            dialog.expect("STARTTLS")
            dialog.send("220 Ready")  # before it nothing may follow, lest it be read with the command
            dialog.start_tls()
        given_up.wait(BOUND)

    server = scripted(reads_nothing, authority=authority, tls=how == "tls")
    security = Security.SSL_TLS if how == "tls" else Security.NONE
    given = peer(server, authority, write_timeout=PATIENCE, security=security)
    connection = open_connection(given)
    if how == "starttls":
        connection.sendall(b"STARTTLS\r\n")
        assert connection.recv(100) == b"220 Ready\r\n"
        connection = client_context(given).wrap_socket(connection, server_hostname="localhost")
    with connection:
        assert isinstance(connection, ssl.SSLSocket) == (how != "plain")
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            connection.sendall(MUCH)
        assert PATIENCE <= time.monotonic() - begun < BOUND
        assert connection.gettimeout() == 60.0
        given_up.set()


@pytest.mark.parametrize("tls", [False, True])
def test_write_that_goes_on_may_take_longer_as_a_whole(
    scripted: Callable[..., Scripted], authority: Authority, tls: bool
) -> None:
    pauses = threading.Event()

    def reads_slowly(dialog: Dialog) -> None:
        for _ in range(LINES):
            dialog.readline()
            pauses.wait(PATIENCE / 20)
        dialog.send("250 all of it")

    server = scripted(reads_slowly, authority=authority, tls=tls)
    security = Security.SSL_TLS if tls else Security.NONE
    with open_connection(peer(server, authority, write_timeout=PATIENCE, security=security)) as connection:
        begun = time.monotonic()
        connection.sendall(MUCH)
        assert connection.recv(100) == b"250 all of it\r\n"
        assert time.monotonic() - begun > PATIENCE


def test_without_anything_to_watch_a_connection_is_the_systems_own(
    scripted: Callable[..., Scripted], authority: Authority
) -> None:
    for tls, kind in ((False, "socket"), (True, "SSLSocket")):
        server = scripted(lambda dialog: dialog.wait_for_end(), authority=authority, tls=tls)
        security = Security.SSL_TLS if tls else Security.NONE
        with open_connection(peer(server, authority, security=security)) as connection:
            assert type(connection).__name__ == kind


def test_host_that_no_request_can_name_is_out_of_reach() -> None:
    there = Peer(host="a b", port=1, section="", security=Security.NONE, trust=Trust())
    with pytest.raises(Unreachable):
        ask(there, "GET", "/", {})
