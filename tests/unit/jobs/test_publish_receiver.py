"""The connection to a webhook's receiver: whom it trusts, where it must not lead, and how long anything may take."""

from __future__ import annotations

import contextlib
import gzip
import socket
from collections.abc import Callable

import pytest

from emaild.errors import Rejected, Unreachable
from emaild.jobs.publish.receiver import LONGEST_ANSWER, Answer, Receiver
from emaild.net.peer import Peer, ProxyServer, Trust
from emaild.settings.network import ProxyType
from emaild.settings.server import Security
from tests.servers.authority import Authority
from tests.servers.ports import LOOPBACK
from tests.servers.proxies import ProxyProgram
from tests.servers.receiver import HookReceiver, Said
from tests.servers.scripted import Dialog, Scripted

FIELDS = {"webhook-id": "A"}


def peer(port: int, **given: object) -> Peer:
    told: dict[str, object] = {"host": "localhost", "port": port, "connect_timeout": 5.0, "protocol_timeout": 5.0}
    return Peer(**(told | given))  # type: ignore[arg-type]


def ask(server: Scripted, **given: object) -> Answer:
    return Receiver(peer(server.port, **given), "/").post(FIELDS, b"{}")


def heard(dialog: Dialog) -> None:
    """Read the request's header; its body is {}."""
    while dialog.readline():
        pass
    assert dialog._lines.read(2) == b"{}"


def test_posts_follow_each_other_on_one_connection() -> None:
    with HookReceiver() as server:
        server.judge = lambda posted: Said(200, (), b"taken" * 10_000)  # each answer has bytes of its own
        receiver = Receiver(peer(server.port), "/a?b=c")
        for _ in range(3):
            assert receiver.post(FIELDS, b"{}") == Answer(200)
        assert len({posted.connection for posted in server.posted}) == 1
        receiver.close()
        receiver.post(FIELDS, b"{}")
        assert len({posted.connection for posted in server.posted}) == 2
        assert {posted.path for posted in server.posted} == {"/a?b=c"}
        receiver.close()


def test_a_connection_that_the_receiver_closed_meanwhile_is_made_anew() -> None:
    with HookReceiver() as server:
        receiver = Receiver(peer(server.port), "/")
        receiver.post(FIELDS, b"{}")
        server.stop()
        server.start()
        assert receiver.post(FIELDS, b"{}") == Answer(204)
        server.judge = lambda posted: Said(200, (("Connection", "close"),), b"bye")
        for _ in range(2):
            assert receiver.post(FIELDS, b"{}") == Answer(200)
        receiver.close()


def test_nobody_there_is_told() -> None:
    with HookReceiver() as server:
        server.stop()
        with pytest.raises(Unreachable, match=r"localhost:\d+: post: Connection refused"):
            Receiver(peer(server.port), "/").post(FIELDS, b"{}")


def test_tls_is_spoken_with_whom_the_authority_vouches_for(authority: Authority) -> None:
    with HookReceiver(authority=authority) as server:
        secure = peer(server.port, security=Security.SSL_TLS, trust=Trust(ca_file=authority.ca_file))
        receiver = Receiver(secure, "/")
        for _ in range(2):
            assert receiver.post(FIELDS, b"{}" * 500_000) == Answer(204)
        receiver.close()
        assert [len(posted.body) for posted in server.posted] == [1_000_000] * 2
        strange = peer(server.port, security=Security.SSL_TLS, trust=Trust(ca_file=authority.other_ca_file))
        with pytest.raises(Rejected, match="not trusted"):
            Receiver(strange, "/").post(FIELDS, b"{}")
        assert len(server.posted) == 2


def test_a_private_address_gets_no_connection_unless_that_is_allowed(scripted: Callable[..., Scripted]) -> None:
    server = scripted(lambda dialog: dialog.wait_for_end())
    for host in ("localhost", LOOPBACK, "::ffff:127.0.0.1"):
        with pytest.raises(Rejected, match="allow-private-addresses"):
            ask(server, host=host, public_only=True)
    assert server.connections == 0


def test_a_name_one_of_whose_addresses_is_private_gets_no_connection(
    monkeypatch: pytest.MonkeyPatch, scripted: Callable[..., Scripted]
) -> None:
    """DNS rebinding: what is looked at are the very addresses that would be connected to."""
    server = scripted(lambda dialog: dialog.wait_for_end())
    asked = []

    def rebound(host: str, port: int, *, flags: int, **named: object) -> object:
        if flags:
            raise socket.gaierror(socket.EAI_NONAME, "a name")
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("8.8.8.8", LOOPBACK)]

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    with pytest.raises(Rejected, match=f"{LOOPBACK} is of this machine"):
        ask(server, host="rebound.example", public_only=True)
    assert (server.connections, asked) == (0, ["rebound.example"])


def test_through_a_proxy_a_private_address_is_refused_too() -> None:
    with ProxyProgram("tinyproxy") as proxy, HookReceiver() as server:
        through = ProxyServer(name="proxy", kind=ProxyType.HTTP, host=LOOPBACK, port=proxy.port)
        for host in ("localhost", LOOPBACK):
            with pytest.raises(Rejected, match="allow-private-addresses"):
                Receiver(peer(server.port, host=host, proxy=through, public_only=True), "/").post(FIELDS, b"{}")
        assert server.posted == []
        allowed = Receiver(peer(server.port, proxy=through), "/")
        assert allowed.post(FIELDS, b"{}") == Answer(204)
        allowed.close()


def test_an_answer_that_never_ends_is_not_waited_for(scripted: Callable[..., Scripted]) -> None:
    def drips(dialog: Dialog) -> None:
        heard(dialog)
        dialog.send("HTTP/1.1 200 OK")
        for _ in range(20_000):
            dialog.send("X: y" * 4)

    server = scripted(drips)
    with pytest.raises(Unreachable, match="no HTTP"):
        ask(server)


def test_the_time_counts_for_the_whole_answer(scripted: Callable[..., Scripted]) -> None:
    def drips(dialog: Dialog) -> None:
        heard(dialog)
        while True:
            dialog.send_raw(b"H")
            dialog._socket.settimeout(0.05)
            with contextlib.suppress(TimeoutError):
                if not dialog._socket.recv(1):
                    return

    server = scripted(drips)
    with pytest.raises(Unreachable, match="no answer in time"):
        ask(server, protocol_timeout=0.4)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999999\r\n\r\nxxx",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (LONGEST_ANSWER * 2),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFF\r\nxxx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\nxxx",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nxxx",
        b"HTTP/1.1 200\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"\0" * 10_000_000),
    ],
    ids=["too long", "long", "wrong chunk", "no chunk", "negative", "packed"],
)
def test_what_follows_the_status_does_not_matter(scripted: Callable[..., Scripted], answer: bytes) -> None:
    def says(dialog: Dialog) -> None:
        heard(dialog)
        dialog.send_raw(answer)

    server = scripted(says)
    assert ask(server) == Answer(200)


@pytest.mark.parametrize(
    "answer",
    [
        b"220 mail.example.com ESMTP\r\n",
        b"",
        b"HTTP/1.1 999999 no\r\n\r\n",
        b"HTTP/1.1 2\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"\0\xff\xfe" * 100,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 5_000 + b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X" * (LONGEST_ANSWER * 2),
    ],
)
def test_any_bytes_are_an_answer_or_a_failure(scripted: Callable[..., Scripted], answer: bytes) -> None:
    def says(dialog: Dialog) -> None:
        heard(dialog)
        dialog.send_raw(answer)

    server = scripted(says)
    with pytest.raises(Unreachable):
        ask(server)
