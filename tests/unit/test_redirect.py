"""The port that a browser comes back to after a sign-in."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from emaild.cli.redirect import LONGEST_REQUEST, MOST_CONNECTIONS, Redirect
from emaild.errors import SignInFailed

STATE = "s3cret-state"
ANSWER = f"GET /?code=c0de&state={STATE} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


@pytest.fixture
def redirect() -> Iterator[Redirect]:
    with Redirect() as made:
        yield made


@pytest.fixture
def browser(redirect: Redirect) -> Iterator[ExitStack]:
    """Holds connections, which are closed at the end."""
    with ExitStack() as stack:
        yield stack


def says(browser: ExitStack, redirect: Redirect, request: bytes) -> socket.socket:
    """A connection over which that is said; it is heard once the other side waits."""
    connection = browser.enter_context(socket.create_connection(("127.0.0.1", redirect.port), timeout=10))
    connection.sendall(request)
    return connection


def page(connection: socket.socket) -> str:
    """All that the other side says until it closes."""
    with connection.makefile("rb") as file:
        return file.read().decode()


def test_what_the_browser_brings_is_given_and_the_outcome_shown_to_it(redirect: Redirect, browser: ExitStack) -> None:
    connection = says(browser, redirect, ANSWER)
    assert redirect.wait(10, STATE) == {"code": "c0de", "state": STATE}
    redirect.say("<mary> signed in")
    shown = page(connection)
    assert shown.startswith("HTTP/1.1 200 OK\r\n")
    assert "<p>&lt;mary&gt; signed in</p>" in shown
    assert "c0de" not in shown


def test_a_refusal_is_given_too(redirect: Redirect, browser: ExitStack) -> None:
    says(browser, redirect, f"GET /?error=access_denied&state={STATE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert redirect.wait(10, STATE)["error"] == "access_denied"


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
def test_the_browser_may_call_this_machine_by_each_of_its_names(
    redirect: Redirect, browser: ExitStack, name: str
) -> None:
    says(browser, redirect, ANSWER.replace(b"Host: 127.0.0.1", f"Host: {name}:{redirect.port}".encode()))
    assert redirect.wait(10, STATE)["code"] == "c0de"


@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="this machine has no IPv6")
def test_nobody_else_waits_at_the_other_address_of_localhost(redirect: Redirect, browser: ExitStack) -> None:
    with pytest.raises(OSError, match="in use"):
        socket.create_server(("::1", redirect.port), family=socket.AF_INET6)
    connection = browser.enter_context(socket.create_connection(("::1", redirect.port), timeout=10))
    connection.sendall(ANSWER)
    assert redirect.wait(10, STATE)["code"] == "c0de"


def test_one_answer_is_taken(redirect: Redirect, browser: ExitStack) -> None:
    says(browser, redirect, ANSWER)
    redirect.wait(10, STATE)
    with pytest.raises(ConnectionRefusedError):
        says(browser, redirect, ANSWER)


def test_a_port_that_cannot_be_opened_is_told() -> None:
    """As where the process may have no more files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as stack:
        lowest = stack.enter_context(socket.socket()).fileno()
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
        with pytest.raises(SignInFailed, match=r"no port of 127\.0\.0\.1 can be opened"):
            Redirect()


def test_nobody_comes(redirect: Redirect) -> None:
    with pytest.raises(SignInFailed, match="nobody signed in within 0 seconds"):
        redirect.wait(0.01, STATE)


@pytest.mark.parametrize(
    "other",
    [
        ANSWER.replace(b"/?", b"/favicon.ico?"),
        ANSWER.replace(b"?code=c0de&state=s3cret-state", b""),
        ANSWER.replace(b"&state=s3cret-state", b""),
        ANSWER.replace(b"code=c0de&", b""),
        ANSWER.replace(b"s3cret", b"other"),
        ANSWER.replace(b"code=c0de&state=s3cret-state", b"error=access_denied&state=other"),
        ANSWER.replace(b"s3cret-state", "caf\u00e9".encode()),
        ANSWER.replace(b"GET", b"POST"),
        ANSWER.replace(b"/?", b"/?" + b"a&" * 60),
        ANSWER.replace(b"Host: 127.0.0.1", b"Host: evil.example"),
        ANSWER.replace(b"Host: 127.0.0.1", b"Host: 127.0.0.1:1"),
        ANSWER.replace(b"Host: 127.0.0.1\r\n", b""),
        ANSWER.replace(b"Host: 127.0.0.1", b"Host: 127.0.0.1\r\nHost: evil.example"),
        b"\x16\x03\x01\x02\x00\x01\xff\r\n\r\n",
        b"x" * (LONGEST_REQUEST + 2),
    ],
)
def test_what_is_no_answer_is_turned_away_and_the_wait_goes_on(
    redirect: Redirect, browser: ExitStack, other: bytes
) -> None:
    first = says(browser, redirect, other)
    says(browser, redirect, ANSWER)
    assert redirect.wait(10, STATE)["code"] == "c0de"
    assert page(first).startswith("HTTP/1.1 404 ")


def test_connections_that_say_nothing_or_little_keep_nobody_waiting(redirect: Redirect, browser: ExitStack) -> None:
    """Browsers open some beforehand."""
    for piece in (b"", b"GET /?code=", b"GET"):
        says(browser, redirect, piece)
    says(browser, redirect, b"GET /").close()
    says(browser, redirect, ANSWER)
    assert redirect.wait(10, STATE)["code"] == "c0de"


def test_a_flood_of_connections_is_not_kept(redirect: Redirect, browser: ExitStack) -> None:
    first = says(browser, redirect, b"")
    for _ in range(MOST_CONNECTIONS):
        says(browser, redirect, b"")
    says(browser, redirect, ANSWER)
    assert redirect.wait(10, STATE)["code"] == "c0de"
    assert first.recv(1) == b""


@pytest.mark.parametrize("cut", [1, 30, len(ANSWER) - 3, len(ANSWER) - 1])
def test_an_answer_may_come_in_pieces(redirect: Redirect, browser: ExitStack, cut: int) -> None:
    with ThreadPoolExecutor(1) as others:
        waiting = others.submit(redirect.wait, 30, STATE)
        connection = says(browser, redirect, ANSWER[:cut])
        # Whoever comes later is answered: so the first piece was heard.
        assert "404" in page(says(browser, redirect, b"GET /favicon.ico HTTP/1.1\r\n\r\n"))
        connection.sendall(ANSWER[cut:])
        assert waiting.result(30)["code"] == "c0de"
