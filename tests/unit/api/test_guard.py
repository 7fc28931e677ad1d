"""Hostile requests: without a token, too large, too slow, half, doubled, or no HTTP at all."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from emaild.api import refusing
from emaild.api.json_text import LARGEST, MOST_VALUES, NotJson, json_bytes, parsed
from tests.said import Said
from tests.servers.wait import eventually
from tests.unit.api.conftest import TOKEN, World

MIB = 1024 * 1024
BEARER = f"Authorization: Bearer {TOKEN}"
JSON = "Content-Type: application/json"


@contextmanager
def connected(world: World) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", world.port), timeout=20) as plain:
        yield plain


def spoken(world: World, request: str) -> bytes:
    """All that is answered to these bytes until the server closes."""
    with connected(world) as plain:
        plain.sendall(request.encode("latin-1"))
        return b"".join(iter(lambda: plain.recv(65536), b""))


def head(method: str, path: str, *lines: str) -> str:
    """The head of a request after which the connection is closed."""
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + "".join(f"{line}\r\n" for line in lines)


@pytest.mark.parametrize(
    "shown",
    [None, "", "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN,
     f"Bearer {TOKEN} {TOKEN}", f"Bearer {TOKEN},", "Bearer " + "x" * 20_000, "Bearer ä"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/v1/interactions", "/metrics", "/openapi.json", "/nothing", "/healthz/"])
def test_without_a_known_token_there_is_nothing(world: World, shown: str | None, path: str) -> None:
    headers = {"Authorization": shown.encode("latin-1")} if shown is not None else {}
    answer = world.stranger.get(path, headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith('Bearer realm="emaild"')
    assert answer.json()["type"] == "/problems/unauthorized"


def test_two_tokens_are_none(world: World) -> None:
    assert b" 401 " in spoken(world, head("GET", "/v1/outbox", BEARER, BEARER) + "\r\n")


def test_health_needs_no_token(world: World) -> None:
    for path in ("/healthz", "/readyz"):
        answer = world.stranger.get(path)
        assert (answer.status_code, answer.json()["status"]) == (200, "ok")


def test_metrics_are_given_in_the_form_that_is_asked_for(world: World) -> None:
    plain = world.client.get("/metrics")
    assert "emaild_store_up 1.0" in plain.text
    assert plain.headers["content-type"].startswith("text/plain; version=")
    other = world.client.get("/metrics", headers={"Accept": "application/openmetrics-text"})
    assert other.headers["content-type"].startswith("application/openmetrics-text")


def test_refused_tokens_do_not_fill_the_log_and_stand_nowhere_in_it(world: World, said: Said) -> None:
    for _ in range(20):
        wrong = {"Authorization": "Bearer guessed-token-guessed"}
        world.stranger.get("/v1/outbox", headers=wrong)
    world.client.get("/v1/outbox?way_out=hidden")
    request = {"method": "GET", "path": "/v1/outbox", "status": 200, "client": "crm"}
    eventually(lambda: any(request.items() <= event.items() for event in said.all("api.request")))
    assert len(said.all("api.refused")) <= 1
    for secret in ("guessed-token", TOKEN, "hidden"):
        assert secret not in str(said.events)


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(world: World) -> None:
    request = head("POST", "/v1/outbox", BEARER, JSON, f"Content-Length: {100 * MIB}") + "\r\n"
    assert b" 413 " in spoken(world, request)


def test_a_body_whose_size_is_not_told_is_refused_when_it_is_too_large(world: World) -> None:
    with connected(world) as plain:
        plain.sendall((head("POST", "/v1/outbox", BEARER, JSON, "Transfer-Encoding: chunked") + "\r\n").encode())
        for _ in range(3):
            plain.sendall(b"100000\r\n" + b" " * MIB + b"\r\n")
        assert b" 413 " in plain.recv(65536)  # and more may come without end


def test_rubbish_after_an_answer_ends_the_connection(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with connected(world) as plain:
        plain.sendall((head("POST", "/v1/outbox", JSON, "Transfer-Encoding: chunked") + "\r\n").encode())
        answer = b""
        while not answer.endswith(b"}"):
            answer += plain.recv(65536)
        plain.sendall(b"rubbish\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert plain.recv(65536) == b""
    assert caplog.records == []


def test_a_body_without_a_token_is_not_read(world: World) -> None:
    request = head("POST", "/v1/outbox", JSON, "Content-Length: 1000", "Expect: 100-continue") + "\r\n"
    answer = spoken(world, request)
    assert b" 401 " in answer
    assert b"100 Continue" not in answer


def test_a_body_that_comes_too_slowly_is_refused(world: World) -> None:
    with connected(world) as plain:
        plain.sendall((head("POST", "/v1/outbox", BEARER, JSON, "Content-Length: 9") + "\r\n{").encode())
        answer = b"".join(iter(lambda: plain.recv(65536), b""))  # ends: the server closes
    assert b" 408 " in answer
    assert b"/problems/too-slow" in answer


def test_a_request_whose_head_does_not_come_is_left(world: World) -> None:
    starts = (b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: ")
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(connected(world)) for _ in starts]
        for start, plain in zip(starts, opened, strict=True):
            plain.sendall(start)
        for plain in opened:
            with contextlib.suppress(ConnectionResetError):
                assert plain.recv(65536) == b""


@pytest.mark.parametrize(
    "request_text",
    [
        head("POST", "/v1/outbox", BEARER, "Content-Length: 2", "Content-Length: 3") + "\r\n{}x",
        head("POST", "/v1/outbox", BEARER, "Content-Length: 2", "Transfer-Encoding: chunked") + "\r\n0\r\n\r\n",
        head("POST", "/v1/outbox", BEARER, "Content-Length: +2") + "\r\n{}",
        head("POST", "/v1/outbox", BEARER, f"Content-Length: {'9' * 5000}") + "\r\n{}",
        head("POST", "/v1/outbox", BEARER, "Transfer-Encoding: chunked") + "\r\nzz\r\n{}",
        head("GET", "/v1/outbox", BEARER, "X-A: 1\n bad", "X y: 1") + "\r\n",
        head("GET", "/v1/outbox", BEARER, "X-A: " + "x" * 100_000) + "\r\n",
        head("GET", "/" + "x" * 100_000, BEARER) + "\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        "GET /v1/outbox\r\n\r\n",
    ],
    ids=range(10),
)
def test_what_is_no_honest_request_is_refused(world: World, request_text: str) -> None:
    answer = spoken(world, request_text)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"/problems/bad-request" in answer
    assert world.client.get("/healthz").status_code == 200


def test_all_methods_of_a_path_are_named_when_another_is_used(world: World) -> None:
    for path, allowed in (("/v1/outbox", "GET, HEAD, POST"), ("/v1/interactions/0000000000000000", "GET, HEAD, PATCH")):
        answer = world.client.delete(path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
        assert answer.json()["type"] == "/problems/method-not-allowed"


def test_a_fault_of_ours_tells_nothing_and_is_logged_once(
    world: World, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("inside")

    monkeypatch.setattr(world.store.mailboxes, "all", fail)
    answer = world.client.get("/v1/mailboxes")
    assert (answer.status_code, answer.json()["type"]) == (500, "/problems/internal")
    assert "inside" not in answer.text
    eventually(lambda: said.all("api.failed"))
    assert "ZeroDivisionError: inside" in said.one("api.failed")["exception"]


@pytest.mark.parametrize(
    "text",
    [b'"\\ud800"', b'"\\u0000"', b"NaN", b"Infinity", b"1e999", b"9223372036854775808", b"-9223372036854775808",
     b'{"a":1,"a":1}', b"[" * 10**6, b"\xff\xfe[\0]\0", b'"\xff"', b"", b"{", b"1" * 10**6, b'["x", {"\\udfff": 1}]'],
)  # fmt: skip
def test_json_that_cannot_be_stored_is_none(text: bytes) -> None:
    with pytest.raises(NotJson):
        parsed(text)


def test_all_other_json_is_taken_and_given() -> None:
    document = {"a": [1, -2.5, LARGEST, True, None, "日本 😀 \x7f"], "b": {}}
    assert parsed(json.dumps(document).encode()) == document
    assert json.loads(json_bytes(document)) == document
    assert json_bytes("a\ud800b") == b'"a?b"'


@pytest.mark.parametrize("part", [b"1,", b"[],", b'"",', b'{"a":""},', b'"\\"",', b'"\\\\",', b'",",'])
def test_a_document_that_is_more_structure_than_text_is_refused(part: bytes) -> None:
    few, many = MOST_VALUES // 20, MOST_VALUES + 1
    assert len(parsed(b"[" + part * few + b"1]")) == few + 1  # type: ignore[arg-type]
    with pytest.raises(NotJson, match="values"):
        parsed(b"[" + part * many + b"1]")


def test_what_stands_in_a_text_is_no_value() -> None:
    text = '[{,"\\' * MOST_VALUES
    assert parsed(json.dumps([text, {text: 1}]).encode()) == [text, {text: 1}]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/openapi.json", "/v1/outbox"])
def test_head_is_answered_as_get_without_the_body(world: World, path: str) -> None:
    whole, head_only = world.client.get(path), world.client.head(path)
    assert (head_only.status_code, head_only.content) == (200, b"")
    assert head_only.headers["content-type"] == whole.headers["content-type"]
    assert int(head_only.headers["content-length"]) > 0


def test_head_of_a_mail_and_of_what_is_not_there(world: World) -> None:
    entry = world.put()
    path = f"/v1/interactions/{entry.id}/raw"
    assert world.client.head(path).headers["content-length"] == str(len(world.client.get(path).content))
    assert world.client.head("/v1/interactions/0000000000000000").status_code == 404
    assert world.stranger.head("/v1/outbox").status_code == 401
    assert world.client.head("/v1/services/Send").status_code == 405


@pytest.mark.parametrize(
    ("lines", "status"), [((JSON,), 401), ((JSON, BEARER), 413), ((JSON, BEARER, "Content-Encoding: br"), 415)]
)
def test_who_is_refused_is_left_soon_whatever_he_still_sends(
    world: World, monkeypatch: pytest.MonkeyPatch, lines: tuple[str, ...], status: int
) -> None:
    monkeypatch.setattr(refusing, "SECONDS_TO_HEAR", 0.1)
    request = f"POST /v1/outbox HTTP/1.1\r\nHost: x\r\nContent-Length: {100 * MIB}\r\n" + "\r\n".join(lines)
    with connected(world) as plain:
        plain.sendall((request + "\r\n\r\n").encode() + b" " * MIB)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            answer = b"".join(iter(lambda: answered_by(plain), b""))
    assert f" {status} ".encode() in answer
    assert b"connection: close" in answer.lower()


def answered_by(plain: socket.socket) -> bytes:
    """What comes, while more is sent."""
    with contextlib.suppress(OSError):
        plain.sendall(b" " * 1024)
    return plain.recv(65536)


def test_a_refused_request_without_a_body_keeps_its_connection(world: World) -> None:
    with connected(world) as plain:
        for _ in range(2):
            plain.sendall(b"GET /v1/outbox HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while not answer.endswith(b"}"):
                answer += plain.recv(65536)
            assert b" 401 " in answer


def test_a_body_that_nobody_wants_is_not_waited_for(world: World) -> None:
    with connected(world) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")
        assert b" 200 " in plain.recv(65536)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Encoding": "gzip"}, 415),
        ({"Content-Encoding": "identity"}, 422),
        ({"Content-Type": "application/json; charset=iso-8859-1"}, 415),
        ({"Content-Type": 'application/json; x=1; charset="UTF-16"'}, 415),
        ({"Content-Type": 'application/json; charset="UTF-8"'}, 422),
        ({"Content-Type": "application/json;charset=utf-8"}, 422),
    ],
)
def test_only_plain_json_in_utf_8_is_taken(world: World, headers: dict[str, str], status: int) -> None:
    told = {"Content-Type": "application/json", **headers}
    assert world.client.post("/v1/outbox", content=b"{}", headers=told).status_code == status


@pytest.mark.parametrize("path", ["/v1/outbox", "/v1/services/Send"])
def test_two_idempotency_keys_are_refused(world: World, path: str) -> None:
    twice = [("Idempotency-Key", "a"), ("Idempotency-Key", "b"), ("Content-Type", "application/json")]
    answer = world.client.post(path, content=b"{}", headers=twice)
    assert (answer.status_code, answer.json()["detail"]) == (422, "expected one Idempotency-Key")


@pytest.mark.parametrize("body", [b"null", b"[]", b"1"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/outbox"), ("PATCH", "/v1/interactions/0000000000000000")])
def test_a_body_that_is_no_object_is_told_so(world: World, method: str, path: str, body: bytes) -> None:
    answer = world.client.request(method, path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("the body: ")
    assert answer.json()["wrong"][0].startswith("the body: ")
