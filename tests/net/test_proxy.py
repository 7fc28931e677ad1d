"""Through proxies: real ones of four makes, and scripted ones that misbehave."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from emaild.errors import Rejected, Unreachable
from emaild.net.connect import open_connection
from emaild.net.peer import Peer, ProxyServer
from emaild.settings.network import ProxyType
from emaild.settings.secret import Secret
from tests.servers.ports import LOOPBACK
from tests.servers.proxies import FORBIDDEN, PASSWORD, USER, ProxyProgram
from tests.servers.scripted import Dialog, Scripted, hang_up, silent

GREETING = b"* OK hello\r\n"
SPEAKS = {
    "microsocks": ProxyType.SOCKS5,
    "danted": ProxyType.SOCKS5,
    "squid": ProxyType.HTTP,
    "tinyproxy": ProxyType.HTTP,
}
WAYS = [(program, kind) for program, speaks in SPEAKS.items() for kind in (speaks, ProxyType.AUTOMATIC)]
KEEP_USERS = [way for way in WAYS if way[0] != "danted"]  # Dante knows the system's users alone
QUICK = 2.0  # seconds; below what a proxy is given that does not understand how it is asked what it speaks
BOUND = 4.0  # seconds; far above what the tests wait for


@pytest.fixture
def program() -> Iterator[Callable[..., ProxyProgram]]:
    """Makes running proxies, which end with the test."""
    with ExitStack() as stack:
        yield lambda name, **given: stack.enter_context(ProxyProgram(name, **given))


@pytest.fixture
def server(scripted: Callable[..., Scripted]) -> Scripted:
    """What is behind the proxy: it speaks first, as mail servers do."""

    def greets(dialog: Dialog) -> None:
        dialog.send_raw(GREETING)
        dialog.wait_for_end()

    return scripted(greets)


def peer(port: int, proxy: int, kind: ProxyType, *, host: str = "localhost", **given: object) -> Peer:
    """A server behind a proxy; *given* are its user and password."""
    fields = {"name": "proxy-office", "kind": kind, "host": LOOPBACK, "port": proxy} | given
    return Peer(host=host, port=port, connect_timeout=5.0, proxy=ProxyServer(**fields))  # type: ignore[arg-type]


def greeting(given: Peer) -> bytes:
    with open_connection(given) as connection:
        assert connection.gettimeout() == given.protocol_timeout
        return connection.recv(100)


@pytest.mark.parametrize(("name", "kind"), WAYS)
def test_server_is_reached_through_a_proxy(
    program: Callable[..., ProxyProgram], server: Scripted, name: str, kind: ProxyType
) -> None:
    proxy = program(name)
    begun = time.monotonic()
    for host in ("localhost", LOOPBACK):
        assert greeting(peer(server.port, proxy.port, kind, host=host)) == GREETING
    assert time.monotonic() - begun < QUICK
    assert server.connections == 2
    assert str(server.port) in proxy.log()


@pytest.mark.parametrize(("name", "kind"), KEEP_USERS)
def test_user_and_password_are_told_to_the_proxy(
    program: Callable[..., ProxyProgram], server: Scripted, name: str, kind: ProxyType
) -> None:
    proxy = program(name, signs_in=True)
    given = peer(server.port, proxy.port, kind, user=USER, password=Secret(PASSWORD))
    assert greeting(given) == GREETING
    assert greeting(given) == GREETING


@pytest.mark.parametrize("credentials", [{}, {"user": USER, "password": Secret("hunter2")}])
@pytest.mark.parametrize(("name", "kind"), WAYS)
def test_missing_or_wrong_password_of_a_proxy_needs_a_person(
    program: Callable[..., ProxyProgram], server: Scripted, name: str, kind: ProxyType, credentials: dict[str, Any]
) -> None:
    proxy = program(name, signs_in=True)
    words = rf"connect: MailConnectException: \[proxy-office\] 127.0.0.1:{proxy.port}: .*([Aa]uthenti|Unauthorized)"
    with pytest.raises(Rejected, match=words) as failure:
        open_connection(peer(server.port, proxy.port, kind, **credentials))
    assert failure.value.where == f"localhost:{server.port}"
    assert "hunter2" not in str(failure.value)
    assert server.connections == 0


@pytest.mark.parametrize("name", ["danted", "squid"])
def test_forbidden_destination_needs_a_person(program: Callable[..., ProxyProgram], name: str) -> None:
    with pytest.raises(Rejected, match=r"MailConnectException: .*(not allowed|403 Forbidden)"):
        open_connection(peer(143, program(name).port, SPEAKS[name], host=FORBIDDEN))


@pytest.mark.parametrize(("name", "kind"), WAYS)
def test_server_that_the_proxy_cannot_reach_is_tried_again(
    program: Callable[..., ProxyProgram], free_port: Callable[[], int], name: str, kind: ProxyType
) -> None:
    proxy = program(name)
    with pytest.raises(Unreachable, match=f"MailConnectException: .*:{proxy.port}: .*(refused|503|500)"):
        open_connection(peer(free_port(), proxy.port, kind, host=LOOPBACK))


@pytest.mark.parametrize("name", ["microsocks", "squid", "tinyproxy"])
def test_server_with_an_ipv6_address_is_reached_through_a_proxy(
    program: Callable[..., ProxyProgram], name: str
) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        port = listener.getsockname()[1]
        with open_connection(peer(port, program(name).port, SPEAKS[name], host="::1")) as connection:
            accepted, _ = listener.accept()
            with accepted:
                accepted.sendall(GREETING)
            assert connection.recv(100) == GREETING


@pytest.mark.parametrize("kind", ProxyType)
def test_proxy_that_is_not_there_is_tried_again(free_port: Callable[[], int], kind: ProxyType) -> None:
    proxy = free_port()
    words = rf"MailConnectException: \[proxy-office\] 127.0.0.1:{proxy}: Connection refused"
    with pytest.raises(Unreachable, match=words):
        open_connection(peer(143, proxy, kind))


@pytest.mark.parametrize("kind", ProxyType)
@pytest.mark.parametrize("behaves", [silent, hang_up])
def test_proxy_that_says_nothing_is_given_up_in_time(
    scripted: Callable[..., Scripted], kind: ProxyType, behaves: Callable[[Dialog], None]
) -> None:
    given = Peer(
        host="localhost",
        port=143,
        connect_timeout=0.4,
        proxy=ProxyServer(name="proxy", kind=kind, host=LOOPBACK, port=scripted(behaves).port),
    )
    begun = time.monotonic()
    with pytest.raises(Unreachable, match="MailConnectException: "):
        open_connection(given)
    assert time.monotonic() - begun < BOUND


@pytest.mark.parametrize(
    ("kind", "drops"),
    [
        (ProxyType.HTTP, b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 200),
        (ProxyType.SOCKS5, b"\5\0\5\0\0\3" + b"\xff" * 200),
    ],
)
def test_proxy_that_answers_drop_by_drop_is_given_up_in_time(
    scripted: Callable[..., Scripted], kind: ProxyType, drops: bytes
) -> None:
    """Each byte comes in time, all of them do not."""
    pauses = threading.Event()

    def drips(dialog: Dialog) -> None:
        for byte in drops:
            dialog.send_raw(bytes([byte]))
            pauses.wait(0.02)

    given = Peer(
        host="localhost",
        port=143,
        connect_timeout=0.5,
        proxy=ProxyServer(name="proxy", kind=kind, host=LOOPBACK, port=scripted(drips).port),
    )
    begun = time.monotonic()
    with pytest.raises(Unreachable, match="no answer in time"):
        open_connection(given)
    assert 0.5 <= time.monotonic() - begun < 1.5


def answers_connect(dialog: Dialog, *after: bytes) -> None:
    """As an HTTP proxy does; what the server says comes right behind."""
    dialog.expect(r"CONNECT localhost:143 HTTP/1\.1")
    while dialog.readline():
        pass
    dialog.send_raw(b"HTTP/1.1 200 OK\r\nVia: us\r\n\r\n" + b"".join(after))
    dialog.wait_for_end()


def test_greeting_that_comes_with_the_proxys_answer_is_not_lost(scripted: Callable[..., Scripted]) -> None:
    proxy = scripted(lambda dialog: answers_connect(dialog, GREETING))
    assert greeting(peer(143, proxy.port, ProxyType.HTTP)) == GREETING


def test_automatic_remembers_what_a_proxy_speaks_until_it_fails(scripted: Callable[..., Scripted]) -> None:
    """The odd one out is the first connection and the one after the failure: they ask."""
    asked: list[int] = []

    def speaks_http(dialog: Dialog) -> None:
        if dialog.number in (1, 5):
            asked.append(dialog.number)
            assert dialog.readline()[:1] == b"\5"
            dialog.send("HTTP/1.1 400 Bad Request", "")
        elif dialog.number == 4:
            dialog.expect("CONNECT .*")
        else:
            answers_connect(dialog, GREETING)

    proxy = scripted(speaks_http)
    given = peer(143, proxy.port, ProxyType.AUTOMATIC)
    assert greeting(given) == GREETING
    assert greeting(given) == GREETING
    with pytest.raises(Unreachable, match="it closed the connection"):
        open_connection(given)
    assert greeting(given) == GREETING
    assert asked == [1, 5]
    assert proxy.connections == 6


def test_proxy_that_ignores_the_greeting_of_socks_is_asked_to_connect(scripted: Callable[..., Scripted]) -> None:
    def ignores(dialog: Dialog) -> None:
        if dialog.number == 1:
            dialog.wait_for_end()
        answers_connect(dialog, GREETING)

    fields = {"name": "proxy", "kind": ProxyType.AUTOMATIC, "host": LOOPBACK, "port": scripted(ignores).port}
    given = Peer(host="localhost", port=143, connect_timeout=1.0, proxy=ProxyServer(**fields))  # type: ignore[arg-type]
    assert greeting(given) == GREETING


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("HTTP/1.1 502 Bad Gateway", Unreachable),
        ("HTTP/1.1 504 Gateway Timeout", Unreachable),
        ("HTTP/1.1 429 Too Many Requests", Unreachable),
        ("SSH-2.0-OpenSSH_9.2", Unreachable),
        ("HTTP/1.1 403 Forbidden", Rejected),
        ("HTTP/1.1 407 Proxy Authentication Required", Rejected),
        ("HTTP/1.1 405 Method Not Allowed", Rejected),
    ],
)
def test_answers_to_connect_are_told_apart(
    scripted: Callable[..., Scripted], answer: str, kind: type[Exception]
) -> None:
    def answers(dialog: Dialog) -> None:
        while dialog.readline():
            pass
        dialog.send(answer, "")

    with pytest.raises(kind, match="MailConnectException"):
        open_connection(peer(143, scripted(answers).port, ProxyType.HTTP))


@pytest.mark.parametrize(("user", "password"), [("jörg", "x"), ("joe", "gehé1m"), ("x" * 256, "y")])
def test_credentials_that_socks_cannot_carry_are_refused_and_not_shown(
    program: Callable[..., ProxyProgram], user: str, password: str
) -> None:
    proxy = program("microsocks", signs_in=True)
    with pytest.raises(Rejected, match=r"user and password must be of 255 ASCII characters at most$"):
        open_connection(peer(143, proxy.port, ProxyType.SOCKS5, user=user, password=Secret(password)))


def test_credentials_beyond_ascii_go_to_http_proxies_as_utf8(scripted: Callable[..., Scripted]) -> None:
    """RFC 7617 §2.1."""

    def wants(dialog: Dialog) -> None:
        head = list(iter(dialog.readline, b""))
        assert b"Proxy-Authorization: Basic asO2cmc6Z2Vow6kxbQ==" in head
        dialog.send("HTTP/1.1 200 OK", "", "* OK hello")
        dialog.wait_for_end()

    given = peer(143, scripted(wants).port, ProxyType.HTTP, user="jörg", password=Secret("gehé1m"))
    assert greeting(given) == GREETING
