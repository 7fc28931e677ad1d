"""Schemathesis against the real daemon: whatever the OpenAPI document allows, and much that it does not.

    python -m tests.api.fuzz [--examples 200] [--seed 1]

prints what schemathesis found and ends with its exit code: 0 where each answer is one that the document knows.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from emaild.api.examples import ID, PARENT
from emaild.clock import SystemClock
from emaild.message import Interaction, InteractionState
from emaild.store import open_store
from emaild.store.writes import NewMail, Writes
from tests.daemon.harness import Emaild
from tests.samples import outbound, taken
from tests.servers.ports import ReservedPort

TOKEN = "fuzzing-token-fuzzing"
CONF = f"""
[pop-client]
type = IMAP
server = 127.0.0.1
port = 9
mailbox = ann@example.com
password = secret
cycle-time = 1h
[smtp-client]
server = 127.0.0.1
port = 9
[email-processing]
default-from-address = support@example.com
[api]
listen = 127.0.0.1:%d
longest-wait = 0s
maximum-body-size = 1m
[api-token-fuzz]
token = {TOKEN}
"""
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
)


ALL_PHASES = "examples,coverage,fuzzing,stateful"


@dataclass(frozen=True)
class Found:
    """What a run ended with: `code` is 0 where nothing was wrong; `output` is for people."""

    code: int
    output: str


@contextmanager
def serving(home: Path) -> Iterator[tuple[Emaild, str]]:
    """A daemon whose store holds the ids of the document's examples, and its address."""
    reserved = ReservedPort()
    try:
        with Emaild(home) as daemon:
            daemon.configure(CONF % reserved.number)
            fill(home / "state")
            daemon.start()
            yield daemon, f"http://127.0.0.1:{reserved.number}"
    finally:
        reserved.release()


def fill(state: Path) -> None:
    """Interactions and a mail out with the ids of the examples."""
    store, now = open_store(state), SystemClock().now()
    for name in (PARENT, ID):
        inbound, entry = taken(name, _mail(name))
        store.writing.commit(Writes(created=(NewMail(interaction=_named(entry, name), raw=inbound.raw),)), now)
    store.outbox.add(replace(outbound("ann@example.com"), id=ID), now)
    store.close()


def _named(entry: Interaction, name: str) -> Interaction:
    return replace(entry, id=name, thread_id=name, state=InteractionState.PENDING, received=SystemClock().now())


def _mail(name: str) -> bytes:
    return (
        f"From: Ann <ann@example.com>\r\nTo: support@example.com\r\nSubject: {name}\r\n"
        f"Message-ID: <{name}@example.com>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nHello\r\n--b\r\n'
        'Content-Type: application/pdf; name="order.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        "JVBERg==\r\n--b--\r\n"
    ).encode()


def run(address: str, *, examples: int, seed: int, phases: str) -> Found:
    """Ask that many times for each operation."""
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json",
        "--header", f"Authorization: Bearer {TOKEN}", "--checks", ",".join(CHECKS), "--phases", phases,
        "--max-examples", str(examples), "--seed", str(seed), "--no-shrink", "--continue-on-failure",
        "--generation-database", "none", "--warnings", "off", "--suppress-health-check", "all",
    ]  # fmt: skip
    around = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.api.serializers"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=3600, env=around)
    return Found(done.returncode, done.stdout + done.stderr)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home, serving(Path(home)) as (daemon, address):
        found = run(address, examples=arguments.examples, seed=arguments.seed, phases=ALL_PHASES)
        faults = daemon.count("api.failed") + daemon.count("job.failed")
    sys.stdout.write(found.output + f"\nfaults in the log: {faults}\n")
    return found.code or int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
