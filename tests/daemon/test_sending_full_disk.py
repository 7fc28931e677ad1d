"""A full disk while mail is queued and sent: an honest refusal, nothing half done, and it goes on by itself."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.daemon.harness import Emaild, smtp_section
from tests.daemon.test_api import program
from tests.servers.smtp_sink import SmtpSink

MAIL = ("--from", "support@example.com", "--to", "ann@example.com", "--subject", "hello", "--text", "hello\n")
JSON = {"from": "support@example.com", "to": ["ann@example.com"], "text": "hello"}


@contextmanager
def no_room_for(process: int) -> Iterator[None]:
    """The kernel lets no file of that process grow."""
    soft, hard = resource.prlimit(process, resource.RLIMIT_FSIZE)
    resource.prlimit(process, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.prlimit(process, resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_refuses_what_is_queued_loses_nothing_and_is_over_when_there_is_room(
    smtp_sink: Callable[..., SmtpSink], free_port: Callable[[], int], tmp_path: Path
) -> None:
    sink, port = smtp_sink(), str(free_port())
    with Emaild(tmp_path) as daemon:
        daemon.configure(smtp_section(sink.smtp), f"[api]\nlisten = 127.0.0.1:{port}\n")
        daemon.start()
        token = (tmp_path / "state/api-token").read_text(encoding="ascii").strip()
        with program(port, token) as client:
            with no_room_for(daemon.process):
                refused = client.post("/v1/outbox", json=JSON, headers={"Idempotency-Key": "once"})
                assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (503, "store-failed")
                assert client.get("/v1/outbox").json()["outbox"] == []
                waiting = daemon.command("send", *MAIL)  # this process has room, so its mail is promised
                assert waiting.returncode == 0
                sees = client.get("/v1/outbox").json()["outbox"]
                assert [one["id"] for one in sees] == [waiting.stdout.strip()]
            daemon.wait_for("outbound.sent", outbound=waiting.stdout.strip())
            again = client.post("/v1/outbox", json=JSON, headers={"Idempotency-Key": "once"})
            assert again.status_code == 201
            daemon.wait_for("outbound.sent", 2)
    assert len(sink.mails()) == 2


def test_the_command_says_that_nothing_was_queued_where_the_disk_is_full(tmp_path: Path) -> None:
    with Emaild(tmp_path) as daemon:
        daemon.configure(smtp_section(25, enable_client="false"))
        daemon.start()
        assert daemon.command("send", *MAIL).returncode == 0
        command = (sys.executable, "-m", "emaild", "send", "--conf", str(daemon.conf), *MAIL)
        full = ("sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *command)
        done = subprocess.run(full, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stdout) == (os.EX_TEMPFAIL, "")
        assert done.stderr.startswith("emaild: the store cannot be used just now: ")
        assert done.stderr.count("\n") == 1
        assert len(daemon.listed("outbox")) == 1
