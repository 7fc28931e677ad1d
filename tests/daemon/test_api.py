"""The HTTP interface of a whole daemon: mail in, claimed, answered, out; tokens, listener and end."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.daemon.harness import Emaild, imap_section, smtp_section
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.smtp_sink import SmtpSink
from tests.servers.wait import eventually

QUICK = "reload-quiet = 100ms"


@contextmanager
def program(address: str, token: str) -> Iterator[httpx.Client]:
    """A program that shows that token; *address* is a port or a socket's path."""
    bearer = {"Authorization": f"Bearer {token}"}
    there = httpx.HTTPTransport(uds=address) if address.startswith("/") else None
    base = "http://emaild" if there else f"http://127.0.0.1:{address}"
    with httpx.Client(base_url=base, headers=bearer, transport=there, timeout=40, trust_env=False) as client:
        yield client


def arrived(client: httpx.Client, after: int) -> dict[str, Any]:
    """The next interaction, waited for."""
    document = client.get("/v1/interactions", params={"after": after, "wait": 20}).json()
    (entry,) = document["interactions"]
    return {**entry, "next": document["next"]}


def test_a_program_works_off_a_queue_over_http(
    dovecot: Dovecot,
    smtp_sink: Callable[..., SmtpSink],
    authority: Authority,
    free_port: Callable[[], int],
    tmp_path: Path,
) -> None:
    sink, port = smtp_sink(), str(free_port())
    box = imap_section("pop-client", dovecot.imaps, "overhttp", authority, idle="false", cycle_time="1h")
    resting = imap_section("pop-client-rests", dovecot.imaps, "rests", authority, enable_client="false")
    api = f"[api]\nlisten = 127.0.0.1:{port}\n"
    with Emaild(tmp_path) as daemon:
        daemon.configure(box, resting, smtp_section(sink.smtp), api, head=QUICK)
        daemon.start()
        token = (tmp_path / "state/api-token").read_text(encoding="ascii").strip()
        with program(port, token) as client, ThreadPoolExecutor(1) as pool:
            eventually(lambda: client.get("/readyz").status_code == 200)
            daemon.wait_for("mailbox.first_contact")
            waiting = pool.submit(arrived, client, 0)
            dovecot.deliver(
                "overhttp", b"From: ann@example.com\r\nSubject: order\r\nMessage-ID: <o@x.example>\r\n\r\nHi\r\n"
            )
            assert client.post("/v1/mailboxes/pop-client/poll").status_code == 202
            entry = waiting.result(timeout=30)
            assert client.post("/v1/mailboxes/pop-client-rests/poll").status_code == 409
            claim = {"state": "IN_PROCESS", "if_state": "NEW"}
            assert client.patch(f"/v1/interactions/{entry['id']}", json=claim).status_code == 200
            assert client.patch(f"/v1/interactions/{entry['id']}", json=claim).status_code == 409
            assert client.get(f"/v1/interactions/{entry['id']}/raw").content.endswith(b"\r\n\r\nHi\r\n")

            mail = {"from": "s@example.com", "to": ["ann@example.com"], "text": "Yes", "in_reply_to": "<o@x.example>"}
            keyed = {"Idempotency-Key": "once"}
            answers = [client.post("/v1/outbox", json=mail, headers=keyed) for _ in range(2)]
            assert [answer.status_code for answer in answers] == [201, 200]
            name = answers[0].json()["id"]
            eventually(lambda: client.get(f"/v1/outbox/{name}").json()["state"] == "SENT", within=20)
            assert client.post(f"/v1/outbox/{name}/retry").status_code == 409
            assert len(sink.mails()) == 1
            eventually(lambda: '"ok"' in client.get("/v1/mailboxes").text)  # which is written once a second
            assert 'emaild_mailbox_up{mailbox="pop-client"} 1.0' in client.get("/metrics").text

            daemon.kill()
            daemon.start()
            again = client.post("/v1/outbox", json=mail, headers=keyed)
            assert (again.status_code, again.json()["id"]) == (200, name)

            waiting_longer = pool.submit(client.get, "/v1/interactions", params={"after": entry["next"], "wait": 30})
            daemon.wait_for("api.started", 2)
            eventually(lambda: client.get("/healthz").status_code == 200)
            (tmp_path / "state/api-token").write_text("another-token-another\n", encoding="ascii")
            daemon.signal(signal.SIGHUP)
            daemon.wait_for("reload.applied")
            assert client.get("/v1/outbox").status_code == 401
            assert daemon.stop() == 0
            assert waiting_longer.result(timeout=20).json()["interactions"] == []
        log = daemon.log_file.read_text(encoding="utf-8")
        assert token not in log
        assert "another-token" not in log
        assert daemon.count("api.failed") == 0


def test_the_listener_follows_the_conf_file(free_port: Callable[[], int], tmp_path: Path) -> None:
    port, path = str(free_port()), tmp_path / "api.sock"
    token = "[api-token-crm]\ntoken = crm-token-crm-token\n"
    with Emaild(tmp_path) as daemon:
        daemon.configure(head=QUICK)
        daemon.start()
        daemon.configure(f"[api]\nlisten = 127.0.0.1:{port}\n", token, head=QUICK)
        daemon.wait_for("api.started")
        with program(port, "crm-token-crm-token") as client:
            assert client.get("/v1/mailboxes").json() == {"mailboxes": []}
        daemon.configure(f"[api]\nlisten = unix:{path}\n", token, head=QUICK)
        daemon.wait_for("api.started", 2)
        with program(str(path), "crm-token-crm-token") as client:
            assert client.get("/v1/outbox").status_code == 200
        with Emaild(tmp_path / "second") as second:
            second.configure(f"[api]\nlisten = unix:{path}\n")
            second.start()  # mail runs all the same
            assert second.count("api.listen_failed") == 1
            daemon.configure(head=QUICK)
            daemon.wait_for("api.stopped")
            second.signal(signal.SIGHUP)
            second.wait_for("api.started")
            with program(str(path), (tmp_path / "second/state/api-token").read_text().strip()) as client:
                assert client.get("/readyz").status_code == 200
            assert second.stop() == 0
        assert not path.exists()
        assert daemon.stop() == 0


def test_who_has_no_interface_does_not_load_it() -> None:
    code = "import sys, emaild.daemon; sys.exit('fastapi' in sys.modules or 'uvicorn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
