"""One real server on loopback for all tests of the HTTP interface: with a store, ways out and mailboxes of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from emaild.api.arrivals import Arrivals
from emaild.api.serving import Api
from emaild.api.vitals import Pulse, Vitals
from emaild.clock import SystemClock
from emaild.message import Interaction, Outbound
from emaild.settings.load import load
from emaild.store import Store, open_store
from emaild.store.writes import NewMail, Writes
from tests.samples import outbound, taken
from tests.servers.ports import ReservedPort
from tests.servers.wait import eventually

TOKEN = "0123456789abcdefTOKEN"
CONF = """
[emaild]
state-directory = {state}
[pop-client-sales]
type = IMAP
server = imap.example
mailbox = sales@example.com
password = hunter2
[pop-client-resting]
type = IMAP
server = imap.example
mailbox = resting@example.com
password = hunter2
enable-client = false
[smtp-client]
server = smtp.example
[smtp-client-other]
server = smtp.example
senders = @other.example
[email-processing]
default-from-address = support@example.com
[api]
listen = 127.0.0.1:{port}
maximum-body-size = 2m
request-timeout = 1s
longest-wait = 5s
[api-token-crm]
token = {token}
[api-token-desk]
token = {token}-of-the-desk
"""
_numbers = itertools.count(1)


@dataclass
class World:
    """The server, what it works with, a program that knows the token, and one that does not."""

    home: Path
    port: int
    store: Store
    client: httpx.Client
    stranger: httpx.Client
    polled: list[str]
    api: Api

    @property
    def arrivals(self) -> Arrivals:
        """Those of the server that runs."""
        assert self.api._running is not None
        return self.api._running.arrivals

    def wait_for_waiting(self, count: int) -> None:
        """Until that many programs wait for interactions, and all that is there was looked at."""
        arrivals = self.arrivals
        eventually(lambda: arrivals._seen == self.store.interactions.last_number() and arrivals.waiting == count)

    def put(self, raw: bytes | None = None, *, submitted: bool = True, **values: object) -> Interaction:
        """An interaction in the store."""
        inbound, entry = taken(f"api-{next(_numbers)}", raw)
        entry = replace(entry, received=SystemClock().now(), **values)  # type: ignore[arg-type]
        mail = NewMail(interaction=entry, raw=inbound.raw)
        self.store.writing.commit(Writes(created=(mail,)), SystemClock().now(), rules=not submitted)
        return self.store.interactions.get(entry.id)

    def queue(self, *recipients: str, way_out: str = "smtp-client") -> Outbound:
        """A mail in the outbox."""
        mail = outbound(*recipients, way_out=way_out)
        self.store.outbox.add(mail, SystemClock().now())
        return mail


@pytest.fixture(scope="session")
def port() -> Iterator[int]:
    reserved = ReservedPort()
    yield reserved.number
    reserved.release()


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[World]:
    with serving(tmp_path_factory.mktemp("api"), port) as world:
        yield world


@contextmanager
def serving(home: Path, port: int) -> Iterator[World]:
    """A server with a store in that folder, on that port."""
    conf = home / "emaild.conf"
    conf.write_text(CONF.format(state=home / "state", port=port, token=TOKEN), encoding="utf-8")
    conf.chmod(0o600)
    settings, store, clock = load(conf), open_store(home / "state"), SystemClock()
    pulse = Pulse(clock)
    pulse.started = True
    vitals = Vitals(store=store, clock=clock, pulse=pulse, ways_out=list, webhook=lambda: None, endings=list)
    polled: list[str] = []

    def poll(name: str) -> bool:
        polled.append(name)
        return name in settings.read_mailboxes()

    api = Api(store, vitals, clock, poll)
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    address = f"http://127.0.0.1:{port}"
    with (
        httpx.Client(base_url=address, headers=bearer, timeout=20, trust_env=False) as client,
        httpx.Client(base_url=address, timeout=20, trust_env=False) as stranger,
    ):
        world = World(home, port, store, client, stranger, polled, api)
        api.apply(settings)
        yield world
    api.stop()
    assert api.ended(15)
    store.close()


@pytest.fixture
def world(running: World) -> World:
    running.polled.clear()
    return running
