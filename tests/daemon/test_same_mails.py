"""The same mails give the same interactions, whichever protocol they came by."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from emaild.store import open_store
from tests.daemon.harness import Emaild, imap_section, pop3_section
from tests.daemon.kinds_of_mails import kinds_of_mails
from tests.servers.authority import Authority
from tests.servers.authorization import AuthorizationServer
from tests.servers.authorization_rules import Client
from tests.servers.dovecot import Dovecot
from tests.servers.ews import Exchange
from tests.servers.graph import GraphServer
from tests.servers.wait import eventually

DESK = "support@example.com"
ALIKE = {"address": DESK, "first-fetch": "all", "cycle-time": "1s"}
SECRET = "the application's"
OWN = ("id", "received", "thread_id", "parent_id", "number")
"""What is another of each interaction."""

Said = dict[str, Any]


class Offices:
    """Four servers with a mailbox each; `sections` makes the section of a given name that reads it."""

    def __init__(
        self, authority: Authority, dovecot: Dovecot, stack: ExitStack, imap_user: str, pop3_user: str
    ) -> None:
        tokens, graph, exchange = AuthorizationServer(authority), GraphServer(authority), Exchange(authority)
        for server in (tokens, graph, exchange):
            stack.enter_context(server)
        tokens.realm.clients["emaild"] = Client("emaild", secret=SECRET)
        graph.accepts = lambda token: tokens.realm.active(token) is not None
        inbox = exchange.mailbox(DESK)
        cloud = {"tenant-authority": tokens.url, "directory-id": "contoso", "client-id": "emaild", "password": SECRET}
        own = {"ca-file": authority.ca_file, "mailbox": DESK, **ALIKE}
        self.sections: dict[str, Callable[[str], str]] = {
            "imap": lambda name: imap_section(name, dovecot.imaps, imap_user, authority, **ALIKE),
            "pop3": lambda name: pop3_section(name, dovecot.pop3s, pop3_user, authority, **ALIKE),
            "graph": lambda name: section(name, {"type": "GRAPH", "server": graph.url, **own, **cloud}),
            "ews": lambda name: section(name, {"type": "EWS", "server": exchange.url, "password": "secret", **own}),
        }
        self._into: list[Callable[[Sequence[bytes]], object]] = [
            lambda raws: dovecot.drop(imap_user, raws),
            lambda raws: dovecot.drop(pop3_user, raws),
            lambda raws: graph.mailbox(DESK).deliver(*raws),
            lambda raws: inbox.drop(*raws),
        ]

    def deliver(self, raws: Sequence[bytes]) -> None:
        """Into all four, in this order."""
        for into in self._into:
            into(raws)


def section(name: str, options: dict[str, object]) -> str:
    return f"[{name}]\n" + "".join(f"{option} = {value}\n" for option, value in options.items())


def by(way: str, raw: bytes) -> bytes:
    """A mail as it comes by a protocol: lines of IMAP and POP3 end with CRLF (RFC 5322 §2.3), and Dovecot sees to it.

    Graph's $value and EWS's MimeContent carry any bytes.
    """
    return re.sub(rb"(?<!\r)\n", b"\r\n", raw) if way in ("imap", "pop3") else raw


def taken(daemon: Emaild, way: str, raws: Sequence[bytes]) -> list[Said]:
    """What `inbox` says of each mail, in their order: threads and parents by the place of the mail that began them."""
    with closing(open_store(daemon.home / "state")) as store:
        names = {store.interactions.raw(entry): entry.id for entry in store.interactions.all()}
    assert sorted(names) == sorted(by(way, raw) for raw in raws), "byte for byte"
    said = {entry["id"]: entry for entry in daemon.listed("inbox", "--full")}
    places = {names[by(way, raw)]: place for place, raw in enumerate(raws)}
    threads: dict[str, int] = {}
    for name, place in places.items():
        threads.setdefault(said[name]["thread_id"], place)
    return [
        {key: value for key, value in said[name].items() if key not in OWN}
        | {"thread": threads[said[name]["thread_id"]], "parent": places.get(said[name]["parent_id"])}
        for name in places
    ]


def without_sizes(said: Said) -> Said:
    """Without those of attachments, which count the ends of lines of texts."""
    attachments = [{**one, "size": 0} for one in said["attachments"]]
    user_data = {key: value for key, value in said["user_data"].items() if "AttachmentsSize" not in key}
    return {**said, "attachments": attachments, "user_data": user_data}


@pytest.fixture
def offices(authority: Authority, dovecot: Dovecot) -> Iterator[Callable[[str, str], Offices]]:
    with ExitStack() as stack:
        yield lambda *users: Offices(authority, dovecot, stack, *users)


def test_five_hundred_mails_become_the_same_interactions_by_imap_pop3_graph_and_ews(
    offices: Callable[[str, str], Offices], tmp_path: Path
) -> None:
    """A daemon each: in one store the same mail would be one interaction, or all of them one thread."""
    office, raws = offices("same-by-imap", "same-by-pop3"), list(kinds_of_mails(500, seed=81))
    office.deliver(raws)
    with ExitStack() as stack:
        daemons = {way: stack.enter_context(Emaild(tmp_path / way)) for way in office.sections}
        for way, daemon in daemons.items():
            daemon.configure(office.sections[way]("pop-client"))
            daemon.start()
        for daemon in daemons.values():
            daemon.wait_for("interaction.created", len(raws), within=120)
            assert daemon.stop() == 0
        found = {way: taken(daemon, way, raws) for way, daemon in daemons.items()}
    for place, raw in enumerate(raws):
        graph, ews, imap, pop3 = (found[way][place] for way in ("graph", "ews", "imap", "pop3"))
        assert graph == ews
        assert imap == pop3
        if by("imap", raw) == raw:
            assert graph == imap
        else:
            assert without_sizes(graph) == without_sizes(imap)
    for name in ("subtype", "thread", "parent", "automatic", "text", "html"):
        assert len({str(said[name]) for said in found["imap"]}) > 2, f"no mail differs from others in its {name}"


def test_a_mail_that_lies_in_mailboxes_of_all_protocols_becomes_one_interaction(
    offices: Callable[[str, str], Offices], tmp_path: Path
) -> None:
    """Whichever brought it first; mails without a Message-ID are not told apart, and become one of each."""
    office, raws = offices("once-by-imap", "once-by-pop3"), list(kinds_of_mails(120, seed=82))
    nameless = sum(b"\nMessage-ID:" not in raw for raw in raws)
    office.deliver(raws)
    with Emaild(tmp_path) as daemon:
        daemon.configure(*(made(f"pop-client-{way}") for way, made in office.sections.items()))
        daemon.start()
        again = 3 * (len(raws) - nameless)
        eventually(lambda: daemon.count("mail.duplicate") + daemon.count("mail.known") == again, within=60)
        daemon.wait_for("interaction.created", len(raws) + 3 * nameless)
        assert daemon.stop() == 0
        came = {by("imap", raw) for raw in daemon.raws()}
        assert daemon.count("interaction.created") == len(raws) + 3 * nameless
    assert came == {by("imap", raw) for raw in raws}
    assert 0 < nameless < len(raws)
