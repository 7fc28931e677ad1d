"""EWS servers that want our secrets, repeat them, or never come to an end."""

from __future__ import annotations

import base64
import contextlib
import itertools
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from emaild.errors import Rejected, RemoteError, Unreachable
from emaild.settings.network import ProxySection
from tests.adapters.ews_ways import ANN, Given, Ways, young
from tests.adapters.ways import RAW, WAITING, states
from tests.servers.authority import Authority
from tests.servers.ews import Exchange, Failure, denied, fault
from tests.servers.ports import LOOPBACK
from tests.servers.proxies import ProxyProgram
from tests.servers.scripted import Dialog, Scripted

TO = b"To: one@example.net\r\n" + RAW
SHOWN = base64.b64encode(f"{ANN}:secret".encode()).decode()


class Place(Exchange):
    """Any server, for `Ways`: it is only asked for its URL."""

    def __init__(self, url: str) -> None:
        self.given = url

    @property
    def url(self) -> str:
        return self.given


def far(server: Scripted, authority: Authority, scheme: str = "https") -> Ways:
    """Sources and sinks on it."""
    return Ways(Place(f"{scheme}://localhost:{server.port}/EWS/Exchange.asmx"), authority)


def asked(dialog: Dialog) -> dict[str, str]:
    """The fields of a whole request, by names in lower case."""
    head = [line.decode("latin-1") for line in iter(dialog.readline, b"")]
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    dialog.read(int(fields["content-length"]))
    return fields


def challenging(*challenges: str, seen: list[str]) -> Callable[[Dialog], None]:
    """Refuses every request with these challenges, one after the other; *seen* is what signed them."""

    def handler(dialog: Dialog) -> None:
        while True:
            seen.append(asked(dialog).get("authorization", ""))
            challenge = challenges[min(len(seen), len(challenges)) - 1]
            dialog.send("HTTP/1.1 401 Unauthorized", f"WWW-Authenticate: {challenge}", "Content-Length: 0", "")

    return handler


@pytest.mark.parametrize(
    "challenge",
    ['Basic realm="x"', 'Digest realm="x", nonce="y", Basic realm="z"', "basic"],
)
def test_password_never_goes_over_plain_http_however_often_it_is_asked_for(
    authority: Authority, challenge: str
) -> None:
    """Through a proxy, so that the server counts as far away."""
    seen: list[str] = []
    with (
        Scripted(challenging(challenge, seen=seen)) as server,
        ProxyProgram("microsocks") as proxy,
        far(server, authority, "http") as ways,
    ):
        ways.proxy = ProxySection(name="proxy", use_proxy_text="true", host=LOOPBACK, port_given=str(proxy.port))
        source, sink = ways.source(), ways.sink()
        for _ in range(3):
            for ask in (source.open, lambda: sink.send(young(raw=TO))):
                with pytest.raises(Rejected, match=r"sign in: .*allow-plaintext-auth"):
                    ask()
            source.close()
        assert set(seen) == {""}
        with pytest.raises(Rejected):
            ways.source(allow_plaintext_auth=True).open()
        assert seen[-1] == f"Basic {SHOWN}"


@pytest.mark.parametrize(
    ("challenge", "begins"),
    [
        ('Digest realm="Basic, Basic realm=x", nonce="y"', ""),
        ('Digest realm="a \\" , Basic "', ""),
        ("Basically", ""),
        ('Bearer realm="ntlm"', ""),
        ("Negotiate, Basic", "Negotiate"),
        ('Basic realm="x", NTLM', "NTLM"),
        (", ,Basic", "Basic"),
    ],
)
def test_only_a_scheme_that_is_offered_is_answered(authority: Authority, challenge: str, begins: str) -> None:
    seen: list[str] = []
    with (
        Scripted(challenging(challenge, seen=seen), authority=authority, tls=True) as server,
        far(server, authority) as ways,
        pytest.raises(RemoteError, match="sign in: "),
    ):
        ways.source().open()
    assert {one.partition(" ")[0] for one in seen} == {"", begins}
    assert bool(begins == "Basic") == (f"Basic {SHOWN}" in seen)


def test_server_is_asked_anew_what_it_offers_on_every_connection(authority: Authority) -> None:
    seen: list[str] = []
    with (
        Scripted(challenging("Basic", seen=seen), authority=authority, tls=True) as server,
        far(server, authority) as ways,
    ):
        source = ways.source()
        for _ in range(2):
            with pytest.raises(Rejected):
                source.open()
    assert seen == ["", f"Basic {SHOWN}"] * 2


FORMS = ("{0}", "{1}", "Basic {1}", "%73ecret", "&#115;ecret")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("where", ["fault", "message", "reason", "location", "kind", "code"])
def test_secret_that_the_server_repeats_is_not_told(authority: Authority, form: str, where: str) -> None:
    """Also where it lies across the place where a text is cut."""
    said = form.format("secret", SHOWN)
    long = "x" * 296 + " " + said
    markup = long.replace("&", "&amp;")
    failure = {
        "fault": fault("ErrorNonExistentMailbox", markup),
        "message": denied("GetFolder", "ErrorAccessDenied", long),
        "reason": Failure(404, reason=said),
        "location": Failure(302, {"Location": f"https://{'x' * 285}/?{quote(said, safe='&#;%')}"}),
        "kind": Failure(200, {"Content-Type": said}),
        "code": fault("x" * 97 + markup[297:]),
    }[where]
    with Exchange(authority) as exchange:
        exchange.mailbox(ANN)
        exchange.fails = lambda *_: failure
        with Ways(exchange, authority) as ways, pytest.raises(RemoteError) as told:
            ways.source().open()
    words = str(told.value)
    assert "***" in words or "xxx" in words
    for part in ("secret", "sec", SHOWN, SHOWN[:4], "%73", "&#115"):
        assert part not in words


def test_token_that_the_server_repeats_is_not_told(authority: Authority) -> None:
    with Exchange(authority, offers=()) as exchange:
        exchange.mailbox(ANN)
        exchange.tokens = {"good-token-1234": ANN}
        exchange.fails = lambda *_: fault("ErrorAccessDenied", "you showed Bearer good-token-1234")
        with Ways(exchange, authority) as ways, pytest.raises(RemoteError, match="you showed Bearer") as told:
            ways.source(tokens=Given("good-token-1234")).open()
    assert "good-token" not in str(told.value)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
ENDLESS: dict[str, tuple[bytes, bytes, bool]] = {
    "100s": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 500, False),
    "fields of the head": (HEAD, (b"X-A: " + b"b" * 900 + b"\r\n") * 20, False),
    "a field of the head": (HEAD + b"X: ", b"a" * 16_000, False),
    "trailers": (CHUNKED + b"2\r\n  \r\n0\r\n", (b"X-A: " + b"b" * 900 + b"\r\n") * 20, False),
    "a trailer": (CHUNKED + b"2\r\n  \r\n0\r\nX:", b"a" * 16_000, False),
    "a chunk's extension": (CHUNKED + b"2;", b"a" * 16_000, False),
    "chunks": (CHUNKED, b"1;" + b"a" * 10_000 + b"\r\n \r\n", False),
    "body": (HEAD + b"Connection: close\r\n\r\n", b" " * 16_000, False),
    "a refusal": (b"HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM\r\n\r\n", b" " * 16_000, False),
    "a drip before the head": (b"", b"H", True),
    "a drip of the head": (HEAD + b"X: ", b"a", True),
    "a drip of 100s": (b"", b"HTTP/1.1 100 Continue\r\n\r\n", True),
    "a drip of the body": (HEAD + b"Content-Length: 8000000\r\n\r\n", b" ", True),
    "a drip of chunks": (CHUNKED, b"1\r\n \r\n", True),
}


@pytest.mark.parametrize("what", ENDLESS)
def test_answer_without_an_end_ends(authority: Authority, what: str) -> None:
    begin, more, drips = ENDLESS[what]
    over = threading.Event()

    def handler(dialog: Dialog) -> None:
        asked(dialog)
        dialog.send_raw(begin)
        for _ in itertools.takewhile(lambda _: not over.is_set(), itertools.count()):
            dialog.send_raw(more)
            if drips:
                over.wait(0.02)

    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Scripted(handler, authority=authority, tls=True))
        stack.callback(over.set)
        ways = stack.enter_context(far(server, authority))
        ended: list[Any] = []

        def tries() -> None:
            with pytest.raises(Unreachable) as told:
                ways.source(protocol_timeout=0.4).open()
            ended.append(told.value)
            ended.append(states(ways.sink(protocol_timeout=0.4).send(young(raw=TO))))

        thread = threading.Thread(target=tries, daemon=True)
        thread.start()
        thread.join(20)
        assert len(ended) == 2, "it waits without an end"
        assert ended[1] == [WAITING]
