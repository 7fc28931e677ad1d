"""Where it listens, who may ask, and what a reload changes while requests are under way."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from emaild.api.protocol import Connection
from emaild.api.serving import SECONDS_TO_TRY_AGAIN, Api
from emaild.api.tokens import Tokens, tokens_of
from emaild.api.vitals import Pulse, Vitals
from emaild.daemon import Daemon
from emaild.settings.api import ApiTokenSection
from emaild.settings.secret import Secret
from emaild.store import Store
from tests.clock import ManualClock
from tests.conf_files import ConfFiles
from tests.said import Said
from tests.samples import kept, taken
from tests.servers.authority import Authority
from tests.servers.wait import eventually

OLD, NEW = "old-token-old-token", "new-token-new-token"


class Part:
    """The interface as the daemon runs it."""

    def __init__(self, store: Store, conf: ConfFiles, clock: ManualClock) -> None:
        vitals = Vitals(store=store, clock=clock, pulse=Pulse(clock), ways_out=list, webhook=lambda: None, endings=list)
        self.api = Api(store, vitals, clock, lambda name: False)
        self.conf = conf
        self.clock = clock

    def text(self, *lines: str, tokens: str = "") -> str:
        head = f"[emaild]\nstate-directory = {self.conf.folder / 'state'}\n"
        return head + "[api]\n" + "\n".join(lines) + "\n" + tokens

    def apply(self, *lines: str, tokens: str = "") -> None:
        self.api.apply(self.conf.load(self.text(*lines, tokens=tokens)))

    def try_again(self) -> None:
        """When it is time."""
        self.clock.advance(SECONDS_TO_TRY_AGAIN)
        self.api.try_again()


@pytest.fixture
def part(store: Store, conf: ConfFiles, clock: ManualClock) -> Iterator[Part]:
    made = Part(store, conf, clock)
    yield made
    made.api.stop()
    assert made.api.ended(15)


def named(token: str, name: str = "crm") -> str:
    return f"[api-token-{name}]\ntoken = {token}\n"


def status(port: int, token: str, path: str = "/v1/outbox") -> int:
    bearer = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"http://127.0.0.1:{port}{path}", headers=bearer, verify=False, trust_env=False).status_code


def refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def over(path: Path) -> httpx.Client:
    return httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://emaild")


def test_the_first_start_leaves_a_token_that_only_its_owner_can_read(
    part: Part, free_port: Callable[[], int], said: Said
) -> None:
    port = free_port()
    part.apply(f"listen = 127.0.0.1:{port}")
    file = part.conf.folder / "state/api-token"
    token = file.read_text().strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(token) == 43
    assert status(port, token) == 200
    assert said.one("api.token_made")["path"] == str(file)
    assert token not in str(said.events)
    part.apply(f"listen = 127.0.0.1:{port}")
    assert file.read_text().strip() == token


def test_tokens_are_swapped_by_a_reload_and_the_old_ones_stop_at_once(part: Part, free_port: Callable[[], int]) -> None:
    port = free_port()
    listen = f"listen = 127.0.0.1:{port}"
    part.apply(listen, tokens=named(OLD))
    assert not (part.conf.folder / "state/api-token").exists()
    part.apply(listen, tokens=named(OLD) + named(NEW, "other"))
    assert (status(port, OLD), status(port, NEW)) == (200, 200)
    part.apply(listen, tokens=named(NEW))
    assert (status(port, OLD), status(port, NEW)) == (401, 200)


def test_a_token_of_two_programs_is_warned_of(part: Part) -> None:
    (warning,) = part.conf.warnings(part.text(tokens=named(OLD) + named(NEW, "other") + named(OLD, "third")))
    assert warning.startswith("emaild.conf:10: [api-token-third] token: it is that of [api-token-crm], too")
    assert OLD not in warning


def test_the_file_is_read_again_by_a_reload(part: Part, free_port: Callable[[], int], said: Said) -> None:
    port = free_port()
    listen = f"listen = 127.0.0.1:{port}"
    part.apply(listen)
    file = part.conf.folder / "state/api-token"
    file.write_text(NEW + "\n")
    part.apply(listen)
    assert status(port, NEW) == 200
    file.write_text("short")
    part.apply(listen)
    assert "api-token" in said.one("api.listen_failed")["reason"]
    assert said.one("api.listen_failed")["kept"] == "the old address and certificate, and tokens"
    assert (status(port, NEW), status(port, "short")) == (200, 401)


def test_a_token_that_is_empty_opens_to_nobody(tmp_path: Path) -> None:
    empty = {"api-token-crm": ApiTokenSection(token=Secret(""))}
    tokens = tokens_of(empty, tmp_path)
    assert [tokens.client(shown) for shown in ("", "Bearer ", "Bearer", "Bearer  ")] == [None] * 4
    assert Tokens({"crm": hashlib.sha256(b"").digest()}).client("Bearer") is None
    assert tokens.client(f"bearer {(tmp_path / 'api-token').read_text().strip()}") == "api-token"


@pytest.mark.parametrize("content", ["", "short", "two words of some length", "\0" * 40])
def test_a_file_that_holds_no_token_opens_to_nobody_until_it_does(
    part: Part, free_port: Callable[[], int], said: Said, content: str
) -> None:
    file, port = part.conf.folder / "state/api-token", free_port()
    file.write_text(content)
    part.apply(f"listen = 127.0.0.1:{port}")
    failed = said.one("api.listen_failed")
    assert failed["reason"].startswith(f"{file}: expected a token")
    assert failed["reason"].endswith("remove the file, and a reload or the next start makes a new one")
    assert failed["kept"] == "nothing"
    assert refused(port)
    file.unlink()
    part.try_again()
    assert status(port, file.read_text().strip()) == 200


def test_an_address_that_is_taken_is_had_as_soon_as_it_is_free(
    part: Part, free_port: Callable[[], int], said: Said
) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        part.apply(f"listen = 127.0.0.1:{port}", tokens=named(OLD))
        part.try_again()
    told = {"listen": f"127.0.0.1:{port}", "reason": "Address already in use", "kept": "nothing"}
    assert told.items() <= said.one("api.listen_failed").items(), "said once"
    part.api.try_again()
    assert refused(port), "it is not time yet"
    part.try_again()
    assert status(port, OLD) == 200
    assert len(said.all("api.started")) == 1
    part.try_again()
    assert len(said.all("api.started")) == 1


def test_the_daemon_tries_again_by_itself(
    store: Store, conf: ConfFiles, clock: ManualClock, free_port: Callable[[], int], said: Said
) -> None:
    port = free_port()
    taken_port = socket.create_server(("127.0.0.1", port))
    head = f"[emaild]\nstate-directory = {conf.folder / 'state'}\n[api]\nlisten = 127.0.0.1:{port}\n"
    settings = conf.load(head + named(OLD))

    def operate() -> int:
        try:
            eventually(lambda: said.all("daemon.started"))
            taken_port.close()
            clock.advance(SECONDS_TO_TRY_AGAIN)
            eventually(lambda: said.all("api.started"))
            return status(port, OLD)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)  # one that comes too late ends no test
    try:
        with ThreadPoolExecutor(1) as pool:
            operating = pool.submit(operate)
            Daemon(conf.main, settings, store, clock).run()
            assert operating.result() == 200
    finally:
        signal.signal(signal.SIGTERM, before)
    assert said.one("api.listen_failed")["kept"] == "nothing"


@pytest.mark.parametrize(
    ("host", "reason"), [("192.0.2.1", "Cannot assign requested address"), ("nowhere.invalid", "")]
)
def test_an_address_that_is_not_here_yet_is_told(part: Part, said: Said, host: str, reason: str) -> None:
    part.apply(f"listen = {host}:8480")
    assert reason in said.one("api.listen_failed")["reason"]
    assert said.one("api.listen_failed")["reason"]


def test_an_interface_that_is_wanted_no_more_is_not_tried_again(
    part: Part, free_port: Callable[[], int], said: Said
) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        part.apply(f"listen = 127.0.0.1:{port}")
    part.api.apply(part.conf.load(f"[emaild]\nstate-directory = {part.conf.folder / 'state'}\n"))
    part.try_again()
    assert refused(port)


def test_a_reload_that_cannot_listen_keeps_what_listens_and_swaps_the_tokens(
    part: Part, free_port: Callable[[], int], said: Said
) -> None:
    port, taken_port = free_port(), free_port()
    part.apply(f"listen = 127.0.0.1:{port}", tokens=named(OLD))
    with socket.create_server(("127.0.0.1", taken_port)):
        part.apply(f"listen = 127.0.0.1:{taken_port}", tokens=named(NEW))
    assert said.one("api.listen_failed")["listen"] == f"127.0.0.1:{taken_port}"
    assert said.one("api.listen_failed")["kept"] == "the old address and certificate"
    assert (status(port, OLD), status(port, NEW)) == (401, 200)
    part.try_again()
    assert status(taken_port, NEW) == 200
    eventually(lambda: refused(port))


def test_a_reload_moves_the_listener(part: Part, free_port: Callable[[], int]) -> None:
    old, new = free_port(), free_port()
    part.apply(f"listen = 127.0.0.1:{old}", tokens=named(OLD))
    part.apply(f"listen = 127.0.0.1:{new}", tokens=named(OLD))
    assert status(new, OLD) == 200
    eventually(lambda: refused(old))


def test_ipv6_is_listened_on(part: Part, free_port: Callable[[], int]) -> None:
    port = free_port()
    part.apply(f"listen = [::1]:{port}")
    assert httpx.get(f"http://[::1]:{port}/healthz", verify=False, trust_env=False).status_code == 200


def test_options_change_while_connections_are_kept(part: Part, free_port: Callable[[], int], said: Said) -> None:
    port = free_port()
    listen = f"listen = 127.0.0.1:{port}"
    part.apply(listen, tokens=named(OLD))
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        assert client.get("/metrics").status_code == 401
        part.apply(listen, "open-metrics = true", "maximum-body-size = 1k", tokens=named(OLD))
        assert client.get("/metrics").status_code == 200
        bearer = {"Authorization": f"Bearer {OLD}"}
        assert client.post("/v1/outbox", content=b" " * 2000, headers=bearer).status_code == 413
    assert len(said.all("api.started")) == 1


def test_requests_under_way_are_answered_when_a_reload_starts_it_anew(
    part: Part, store: Store, free_port: Callable[[], int]
) -> None:
    port = free_port()
    listen = f"listen = 127.0.0.1:{port}"
    part.apply(listen, tokens=named(OLD))
    bearer = {"Authorization": f"Bearer {OLD}"}

    def wait() -> httpx.Response:
        return httpx.get(
            f"http://127.0.0.1:{port}/v1/interactions?wait=600",
            headers=bearer,
            timeout=30,
            verify=False,
            trust_env=False,
        )

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait)
        eventually(lambda: part.api._running is not None and part.api._running.arrivals.waiting == 1)
        part.apply(listen, "request-timeout = 5s", tokens=named(OLD))
        assert status(port, OLD) == 200
        answer = waiting.result(timeout=20)
    assert (answer.status_code, answer.json()["interactions"]) == (200, [])
    kept(store, "account", [taken("1")])
    assert len(wait().json()["interactions"]) == 1


def test_who_has_just_connected_may_still_ask_when_it_ends(part: Part, free_port: Callable[[], int]) -> None:
    port = free_port()
    part.apply(f"listen = 127.0.0.1:{port}")
    assert part.api._running is not None
    state = part.api._running.server.server_state
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        eventually(lambda: len(state.connections) == 1)
        (connection,) = state.connections
        assert isinstance(connection, Connection)
        part.api.stop()
        eventually(lambda: connection._ending)
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b"".join(iter(lambda: plain.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_a_section_that_goes_ends_it_and_one_that_comes_starts_it(part: Part, free_port: Callable[[], int]) -> None:
    port = free_port()
    part.apply(f"listen = 127.0.0.1:{port}", tokens=named(OLD))
    part.api.apply(part.conf.load(f"[emaild]\nstate-directory = {part.conf.folder / 'state'}\n"))
    eventually(lambda: refused(port))
    part.apply(f"listen = 127.0.0.1:{port}", tokens=named(OLD))
    assert status(port, OLD) == 200


def test_a_socket_in_the_file_system_is_for_its_group_too(part: Part) -> None:
    path = part.conf.folder / "api.sock"
    part.apply(f"listen = unix:{path}", tokens=named(OLD))
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    with over(path) as client:
        assert client.get("/healthz").status_code == 200
        assert client.get("/v1/outbox").status_code == 401
    part.api.stop()
    assert not path.exists()


def test_a_socket_that_a_dead_daemon_left_is_replaced_and_one_in_use_is_not(part: Part, said: Said) -> None:
    path = part.conf.folder / "api.sock"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        part.apply(f"listen = unix:{path}")
    assert said.one("api.listen_failed")["reason"] == "another process listens there"
    part.try_again()
    with over(path) as client:
        assert client.get("/healthz").status_code == 200


def test_a_file_of_that_name_is_left_alone(part: Part, said: Said) -> None:
    path = part.conf.folder / "api.sock"
    path.write_text("mine")
    part.apply(f"listen = unix:{path}")
    assert "no socket" in said.one("api.listen_failed")["reason"]
    assert path.read_text() == "mine"


def test_tls_is_spoken_and_a_renewed_certificate_is_taken_by_a_reload(
    part: Part, authority: Authority, free_port: Callable[[], int], said: Said
) -> None:
    port, files = free_port(), part.conf.folder
    both = files / "both.pem"
    both.write_bytes(authority.cert_file.read_bytes() + authority.key_file.read_bytes())
    lines = (f"listen = 127.0.0.1:{port}", f"certificate = {both}")
    part.apply(*lines)
    trusting = authority.client_context()
    assert httpx.get(f"https://127.0.0.1:{port}/healthz", verify=trusting, trust_env=False).status_code == 200
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{port}/healthz", verify=False, trust_env=False)
    part.apply(*lines)
    assert len(said.all("api.started")) == 1
    both.write_bytes(both.read_bytes() + b"\n# renewed\n")
    part.apply(*lines)
    assert len(said.all("api.started")) == 2
    assert httpx.get(f"https://127.0.0.1:{port}/healthz", verify=trusting, trust_env=False).status_code == 200
    both.write_bytes(b"broken")
    part.apply(*lines)
    failed = said.one("api.listen_failed")
    assert failed["reason"] == f"{both}: expected a certificate (PEM), there is none in it"
    assert failed["kept"] == "the old address and certificate"
    assert httpx.get(f"https://127.0.0.1:{port}/healthz", verify=trusting, trust_env=False).status_code == 200
