"""Some mailboxes in the clouds are in trouble: the others do not notice, and the daemon ends when it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.adapters.turns import mail
from tests.daemon.harness import Emaild, imap_section
from tests.servers.authority import Authority
from tests.servers.authorization import AuthorizationServer
from tests.servers.authorization_rules import Client, Person
from tests.servers.dovecot import Dovecot
from tests.servers.ews import Exchange, Failure
from tests.servers.graph import GraphServer
from tests.servers.scripted import Scripted, silent
from tests.servers.wait import eventually

PASSWORD = "pw"
SECRET = "the application's"
ROUNDS = 3
MUTE = "pop-client-mute"
LAUGHS = b"".join(b'<!ENTITY e%d "%b">' % (number, b"&e%d;" % (number - 1) * 10) for number in range(1, 10))
"""Entities of which the last stands for ten thousand million bytes."""

GARBAGE = (
    b"<html><title>Sign in</title><form action='/login'>",
    b"\x00\xff\xfe" * 1000,
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e0 "ten bytes!">%b]><a>&e9;</a>' % LAUGHS,
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>' + b"<a>" * 2000,
    b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body/></s:Envelope>',
    b"x" * (4 << 20),
    b"",
)
"""What a server in the way of an Exchange answers, well or not."""


def section(name: str, **options: object) -> str:
    lines = {key.replace("_", "-"): value for key, value in options.items()}
    return f"[{name}]\n" + "".join(f"{option} = {value}\n" for option, value in lines.items())


class Clouds:
    """An authority, a Dovecot that takes its tokens, a Graph and an Exchange, and `boxes`: where mails are put."""

    def __init__(self, authority: Authority, stack: ExitStack) -> None:
        self.authority = authority
        self.tokens = stack.enter_context(AuthorizationServer(authority))
        realm = self.tokens.realm
        realm.clients = {"emaild": Client("emaild"), "app": Client("app", secret=SECRET)}
        self.dovecot = stack.enter_context(Dovecot(authority, introspection=self.tokens.introspection_endpoint))
        self.graph, self.throttling = (stack.enter_context(GraphServer(authority)) for _ in range(2))
        self.graph.accepts = self.throttling.accepts = lambda token: realm.active(token) is not None
        self.throttling.fail("", 429, "TooManyRequests", times=1 << 30, Retry_After="1")
        self.exchange, self.broken = (stack.enter_context(Exchange(authority)) for _ in range(2))
        self.broken.fails = lambda name, number: Failure(body=GARBAGE[len(self.broken.asked) % len(GARBAGE)])
        self.boxes: list[Callable[[bytes], object]] = []

    def imap(self, name: str, tokens: str) -> str:
        """A mailbox at Dovecot; *tokens* is the URL of its authority."""
        user = f"{name}@example.com"
        self.tokens.realm.people[user] = Person(user, PASSWORD)
        options = {"password": PASSWORD, "grant-type": "password", "client-id": "emaild", "directory-id": "contoso"}
        options |= {"tenant-authority": tokens, "mail.imap.auth.mechanisms": "XOAUTH2", "first-fetch": "all"}
        self.boxes.append(lambda raw: self.dovecot.drop(user, [raw]))
        return imap_section(f"pop-client-{name}", self.dovecot.imaps, user, self.authority, **options)

    def by_graph(self, name: str, graph: GraphServer) -> str:
        box = graph.mailbox(f"{name}@example.com")
        self.boxes.append(box.deliver)
        options = {"tenant_authority": self.tokens.url, "directory_id": "contoso", "client_id": "app"}
        return self._section(name, type="GRAPH", server=graph.url, password=SECRET, **options)

    def by_ews(self, name: str, exchange: Exchange) -> str:
        box = exchange.mailbox(f"{name}@example.com")
        self.boxes.append(box.drop)
        return self._section(name, type="EWS", server=exchange.url, password="secret")

    def _section(self, name: str, **options: object) -> str:
        common = {"mailbox": f"{name}@example.com", "ca_file": self.authority.ca_file, "cycle_time": "1s"}
        return section(f"pop-client-{name}", **common, **options)


@pytest.fixture
def clouds(authority: Authority) -> Iterator[Clouds]:
    with ExitStack() as stack:
        yield Clouds(authority, stack)


def test_mailboxes_in_trouble_harm_none_of_the_others(
    clouds: Clouds, scripted: Callable[..., Scripted], tmp_path: Path
) -> None:
    mute = scripted(silent)
    ill = [
        clouds.imap("mute", f"https://localhost:{mute.port}"),
        clouds.by_graph("throttled", clouds.throttling),
        *(clouds.by_ews(f"garbled{number}", clouds.broken) for number in range(len(GARBAGE))),
    ]
    clouds.boxes.clear()
    well = [
        *(clouds.imap(f"imap{number}", clouds.tokens.url) for number in range(6)),
        *(clouds.by_graph(f"graph{number}", clouds.graph) for number in range(6)),
        *(clouds.by_ews(f"ews{number}", clouds.exchange) for number in range(5)),
    ]
    with Emaild(tmp_path) as daemon:
        daemon.configure(*ill, *well, head="drain-timeout = 2s")
        daemon.start()
        eventually(lambda: mute.connections, within=20, what="a token that nobody gives")
        daemon.wait_for("mailbox.failed", len(ill) - 1)
        reached = []
        for number in range(1, ROUNDS + 1):
            for box in clouds.boxes:
                box(mail(f"round {number}"))
            daemon.wait_for("interaction.created", number * len(well), within=30)
            reached.append((daemon.threads(), daemon.memory()))
        assert {threads for threads, _ in reached} == {reached[0][0]}
        assert max(memory for _, memory in reached) < reached[0][1] + (16 << 20)
        assert len(clouds.broken.asked) >= len(GARBAGE)
        assert daemon.count("mailbox.failed", section=MUTE) == 0, "it waits for its authority to this moment"
        assert daemon.stop() == 0
        assert [event["unfinished"] for event in daemon.events("daemon.stopped")] == [0]
        failed = {event["section"] for event in daemon.events("mailbox.failed")}
    assert not [name for name in failed if "garbled" not in name and "throttled" not in name]
