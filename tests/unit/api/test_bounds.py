"""Bounds that keep a busy or hostile crowd of programs from harming the daemon."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import resource
import socket
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from emaild.api import arrivals, guard, protocol
from emaild.api.listening import CannotListen, certificate
from emaild.api.problems import Problem
from emaild.api.protocol import most_connections
from emaild.api.room import LARGE, Part, Room
from emaild.clock import SystemClock
from emaild.errors import StoreFailed
from emaild.settings.api import ApiSection
from tests.said import Said
from tests.samples import answered, leased, mail
from tests.servers.authority import Authority
from tests.servers.wait import eventually
from tests.unit.api.conftest import TOKEN, World


def test_requests_share_a_room_and_one_alone_may_take_all_of_it() -> None:
    room = Room(lambda: 100)
    first, second = Part(room), Part(room)
    first.take(60)
    first.take(500)
    with pytest.raises(Problem):
        second.take(1)
    first.give_back()
    second.take(60)
    with pytest.raises(Problem):
        first.take(41)
    first.take(40)
    for part in (first, second):
        part.give_back()
    assert room.taken == 0


def test_the_room_of_a_request_is_free_when_it_is_done(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "LEAST_ROOM", 0)
    monkeypatch.setattr(guard, "ROOM_FOR_BODIES", 0)
    entry = world.put()
    for path in (f"/v1/interactions/{entry.id}/raw", "/v1/mailboxes/nobody/poll"):
        method = "GET" if path.endswith("raw") else "POST"
        for _ in range(2):
            eventually(lambda: world.client.request(method, path, content=b"x" * 9).status_code != 503)  # noqa: B023


def test_too_many_requests_are_told_to_come_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(guard, "MOST_AT_ONCE", 0)
        answer = world.client.get("/v1/outbox")
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/busy")
    assert int(answer.headers["retry-after"]) > 0
    assert world.client.get("/v1/outbox").status_code == 200


def test_too_many_who_wait_are_told_to_come_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "MOST_WAITING", 0)
    assert world.client.get("/v1/interactions?queue=none&wait=5").status_code == 503
    assert world.client.get("/v1/interactions?queue=none").status_code == 200


def connections(world: World) -> int:
    assert world.api._running is not None
    return len(world.api._running.server.server_state.connections)


def test_too_many_connections_cost_those_that_ask_nothing_and_never_who_waits(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = ("127.0.0.1", world.port)
    waiting = f"GET /v1/interactions?queue=none&wait=5 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    with contextlib.ExitStack() as stack:
        waits = stack.enter_context(socket.create_connection(there, timeout=20))
        waits.sendall(waiting.encode())
        world.wait_for_waiting(1)
        before = connections(world)
        silent = []
        for number in range(3):
            silent.append(stack.enter_context(socket.create_connection(there, timeout=20)))
            silent[-1].sendall(b"GET /healthz HTTP/1.1\r\nX-A: ")
            eventually(lambda: connections(world) == before + 1 + number)  # noqa: B023
        monkeypatch.setattr(protocol, "MOST_CONNECTIONS", 3)
        for _ in range(before + 3):
            with socket.create_connection(there, timeout=20) as asking:
                asking.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                assert b" 200 " in asking.recv(65536)
        assert silent[0].recv(100) == b""
        world.put(queue="none")
        assert b" 200 " in waits.recv(65536)


def test_where_all_ask_a_new_connection_is_closed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def is_refused() -> bool:
        with socket.create_connection(("127.0.0.1", world.port), timeout=20) as plain:
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                return plain.recv(100) == b""
            return True

    monkeypatch.setattr(protocol, "MOST_CONNECTIONS", 0)
    eventually(is_refused)  # those that other tests left go first


@contextlib.contextmanager
def files_at_most(count: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_connections_leave_descriptors_for_the_rest() -> None:
    with files_at_most(800):
        assert most_connections() == 200
    with files_at_most(4096):
        assert most_connections() == 1000


def test_too_few_descriptors_are_told_of_once(world: World, said: Said, caplog: pytest.LogCaptureFixture) -> None:
    with contextlib.ExitStack() as stack:
        unused = [stack.enter_context(socket.socket()) for _ in range(40)]
        with files_at_most(os.dup(0)):
            for one in unused:
                one.connect(("127.0.0.1", world.port))
            eventually(lambda: said.all("api.crowded"))
        eventually(lambda: world.stranger.get("/healthz").status_code == 200, within=10)
    assert len(said.all("api.crowded")) == 1
    assert caplog.records == []


def large_and_slow(world: World) -> socket.socket:
    """A request with a large body, of which the last byte is not sent."""
    plain = socket.create_connection(("127.0.0.1", world.port), timeout=20)
    size = LARGE + 70_000
    head = f"POST /v1/outbox HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {size}\r\n"
    plain.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n" + b" " * (size - 2) + b"{")
    return plain


def test_large_bodies_are_worked_on_one_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert world.api._running is not None
    line = world.api._running.guard.room.line
    with large_and_slow(world) as first:
        eventually(line.locked)
        with large_and_slow(world) as second:
            assert world.client.post("/v1/outbox", json={}).status_code == 422, "small ones do not wait"
            first.sendall(b"}")
            assert b" 422 " in first.recv(65536)
            second.sendall(b"}")
            assert b" 422 " in second.recv(65536)
    eventually(lambda: not line.locked())


def test_who_stands_in_line_for_too_long_is_told_to_come_again(world: World) -> None:
    assert world.api._running is not None
    guard = world.api._running.guard
    part = Part(guard.room)
    asyncio.run(part.stand_in_line(1))
    with large_and_slow(world) as plain:
        answer = b"".join(iter(lambda: plain.recv(65536), b""))
    part.give_back()
    assert b" 503 " in answer
    assert b"retry-after" in answer.lower()


def test_a_program_that_does_not_read_what_it_asked_for_is_left(
    world: World, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "SECONDS_TO_TAKE", 0.1)
    entry = world.put(mail("Large", "x" * (30 << 20)))
    path = f"/v1/interactions/{entry.id}/raw"
    with socket.create_connection(("127.0.0.1", world.port), timeout=20) as plain:
        plain.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
        eventually(lambda: any(event["path"] == path for event in said.all("api.request")), within=15)


def test_a_store_that_cannot_be_used_is_no_fault_of_ours(
    world: World, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object, **named: object) -> None:
        raise StoreFailed("database or disk is full")

    monkeypatch.setattr(world.store.writing, "commit", fail)
    answer = world.client.post("/v1/outbox", json={"from": "a@b.example", "to": ["c@d.example"], "text": "x"})
    assert (answer.status_code, answer.json()["type"]) == (503, "/problems/store-failed")
    assert int(answer.headers["retry-after"]) > 0
    assert "full" not in answer.text
    assert said.all("api.failed") == []


def test_a_mail_that_waits_is_due_at_once_when_it_is_retried(world: World) -> None:
    out, now = world.queue("a@b.example", way_out="way-later"), SystemClock().now()
    (lease,) = leased(world.store, now, way_out="way-later")
    later = now + timedelta(hours=1)
    answered(world.store, lease, 451, at=now, retry_at=later)
    assert not world.store.sending.has_due("way-later", SystemClock().now())
    assert world.client.post(f"/v1/outbox/{out.id}/retry").json()["state"] == "DEFERRED"
    assert world.store.sending.has_due("way-later", SystemClock().now())


def test_an_expired_mail_that_is_retried_has_its_whole_lifetime_again(world: World) -> None:
    out, start = world.queue("a@b.example", way_out="way-expired"), SystemClock().now()
    (gone,) = world.store.sending.expire("way-expired", start + timedelta(days=9), start)
    assert gone.state.value == "EXPIRED"
    assert world.client.post(f"/v1/outbox/{out.id}/retry").json()["state"] == "QUEUED"
    assert world.store.sending.expire("way-expired", start, start) == []


def test_old_versions_of_tls_are_not_spoken(authority: Authority) -> None:
    section = ApiSection(certificate=authority.cert_file, certificate_key=authority.key_file)
    context, content = certificate(section)
    assert context is not None
    assert context.minimum_version.name == "TLSv1_2"
    assert content == authority.cert_file.read_bytes() + authority.key_file.read_bytes()


def test_a_certificate_that_cannot_be_used_is_told_in_words(authority: Authority, tmp_path: Path) -> None:
    shown, key, other = authority.cert_file, authority.key_file, tmp_path / "other.pem"
    command = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(other)]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    for section, wrong in (
        (ApiSection(certificate=shown), f"private key (PEM), there is none in {shown}, and certificate-key names no"),
        (ApiSection(certificate=shown, certificate_key=shown), f"private key (PEM), there is none in {shown}"),
        (ApiSection(certificate=key, certificate_key=key), f"{key}: expected a certificate (PEM)"),
        (ApiSection(certificate=shown, certificate_key=other), f"{shown} and {other}: the private key is not that of"),
        (ApiSection(certificate=shown, certificate_key=broken), f"{shown} and {broken}: they cannot be read"),
        (ApiSection(certificate=tmp_path / "gone.pem"), "gone.pem: "),
    ):
        with pytest.raises(CannotListen, match=re.escape(wrong)):
            certificate(section)


def test_a_key_with_a_password_asks_nobody(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> None:
    locked = tmp_path_factory.mktemp("key") / "locked.pem"
    command = [
        "openssl",
        "ec",
        "-in",
        str(authority.key_file),
        "-aes128",
        "-passout",
        "pass:secret",
        "-out",
        str(locked),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    with pytest.raises(CannotListen, match="password"):
        certificate(ApiSection(certificate=authority.cert_file, certificate_key=locked))
