"""Bounds that keep a busy or hostile crowd of programs from harming the daemon."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from datetime import timedelta

import pytest

from emaild.api import arrivals, guard, protocol
from emaild.api.guard import Part, Room
from emaild.api.listening import CannotListen, certificate
from emaild.api.problems import Problem
from emaild.clock import SystemClock
from emaild.errors import StoreFailed
from emaild.settings.api import ApiSection
from tests.said import Said
from tests.samples import mail, receipt
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


def test_too_many_connections_are_closed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MOST_CONNECTIONS", 0)
    plain = socket.create_connection(("127.0.0.1", world.port), timeout=20)
    with plain, contextlib.suppress(ConnectionResetError, BrokenPipeError):
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert plain.recv(100) == b""


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
    world.store.outbox.lease("way-later", now, 60)
    later = now + timedelta(hours=1)
    world.store.outbox.record(out, [receipt("a@b.example", 451)], now, later)
    assert not world.store.outbox.has_due("way-later", SystemClock().now())
    assert world.client.post(f"/v1/outbox/{out.id}/retry").json()["state"] == "QUEUED"
    assert world.store.outbox.has_due("way-later", SystemClock().now())


def test_an_expired_mail_that_is_retried_has_its_whole_lifetime_again(world: World) -> None:
    out, start = world.queue("a@b.example", way_out="way-expired"), SystemClock().now()
    (gone,) = world.store.outbox.expire("way-expired", start + timedelta(days=9), start)
    assert gone.state.value == "EXPIRED"
    assert world.client.post(f"/v1/outbox/{out.id}/retry").json()["state"] == "QUEUED"
    assert world.store.outbox.expire("way-expired", start, start) == []


def test_old_versions_of_tls_are_not_spoken(authority: Authority) -> None:
    section = ApiSection(certificate=authority.cert_file, certificate_key=authority.key_file)
    context, content = certificate(section)
    assert context is not None
    assert context.minimum_version.name == "TLSv1_2"
    assert content == authority.cert_file.read_bytes() + authority.key_file.read_bytes()


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
