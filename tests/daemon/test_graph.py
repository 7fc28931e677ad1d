"""The daemon on Microsoft Graph: mail in and out, signed in as an application."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from emaild.fault_points import VARIABLE, FaultPoint
from tests.daemon.harness import Emaild
from tests.servers.authority import Authority
from tests.servers.authorization import AuthorizationServer
from tests.servers.authorization_rules import Client
from tests.servers.graph import GraphServer
from tests.servers.mails import generated
from tests.servers.wait import eventually

USER = "ann@example.com"
KILLED = -9
INBOUND = [point for point in FaultPoint if point.label.startswith("inbound.")]
OUTBOUND = [FaultPoint.LEASED, FaultPoint.OFFERED, FaultPoint.ACCEPTED, FaultPoint.RECORDED]


class Cloud:
    """An authority and a Graph that takes its tokens."""

    def __init__(self, authority: Authority, tokens: AuthorizationServer, graph: GraphServer) -> None:
        self.authority, self.tokens, self.graph = authority, tokens, graph
        self.box = graph.mailbox(USER)
        tokens.realm.clients["emaild"] = Client("emaild", secret="the application's")
        graph.accepts = lambda token: tokens.realm.active(token) is not None

    def section(self, name: str, **options: object) -> str:
        """A mailbox or a way out at this Graph."""
        lines = {
            "server": self.graph.url,
            "ca-file": self.authority.ca_file,
            "tenant-authority": self.tokens.url,
            "directory-id": "contoso",
            "client-id": "emaild",
            "grant-type": "client_credentials",
            "password": "the application's",
            **{key.replace("_", "-"): value for key, value in options.items()},
        }
        return f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items())

    def mailbox(self, **options: object) -> str:
        return self.section("pop-client", type="GRAPH", mailbox=USER, cycle_time="1s", **options)

    def way_out(self, **options: object) -> str:
        return self.section("smtp-client", server_type="graph", user=USER, **options)


@pytest.fixture
def cloud(authority: Authority) -> Iterator[Cloud]:
    with AuthorizationServer(authority) as tokens, GraphServer(authority) as graph:
        yield Cloud(authority, tokens, graph)


def test_fifty_mails_are_taken_once_and_marked_as_read_whatever_is_restarted_and_forgotten(
    cloud: Cloud, tmp_path: Path
) -> None:
    raws = [mail.raw for mail in generated(60, seed=61, largest=40_000)]
    cloud.box.deliver(*raws[:50])
    with Emaild(tmp_path) as daemon:
        daemon.configure(cloud.mailbox(maximum_msg_number=2))
        daemon.start()
        daemon.wait_for("interaction.created", 50)
        eventually(lambda: all(one.read for one in cloud.box.held()), within=10)
        daemon.kill()
        cloud.box.deliver(*raws[50:55])
        daemon.start()
        daemon.wait_for("interaction.created", 55)
        assert daemon.stop() == 0
        cloud.box.forget_states()
        cloud.box.deliver(*raws[55:], read=True)  # a person read them first
        daemon.start()
        daemon.wait_for("mailbox.listed_anew")
        daemon.wait_for("interaction.created", 60)
        assert daemon.stop() == 0
        assert Counter(daemon.raws()) == Counter(raws)
    assert len(cloud.tokens.grants) == 3  # one at each start


@pytest.mark.parametrize("after", ["seen", "move"])
@pytest.mark.parametrize("point", INBOUND, ids=lambda point: point.label)
def test_mail_in_is_neither_lost_nor_doubled_whenever_the_daemon_is_killed(
    cloud: Cloud, tmp_path: Path, point: FaultPoint, after: str
) -> None:
    raws = [mail.raw for mail in generated(50, seed=63, largest=4_000)]
    cloud.box.deliver(*raws)
    with Emaild(tmp_path) as daemon:
        daemon.configure(cloud.mailbox(after_fetch=after, after_fetch_folder="Done", maximum_msg_number=3))
        daemon.start({VARIABLE: f"{point.label}:2"}, wait=False)
        assert daemon.wait() == KILLED
        daemon.start()
        eventually(lambda: len(daemon.interactions()) >= 50, within=20)
        if after == "seen":
            eventually(lambda: all(one.read for one in cloud.box.held()), within=10)
            assert len(cloud.box.held()) == 50
        else:
            eventually(lambda: not cloud.box.held(), within=10)
            assert len(cloud.box.held("Done")) == 50
        assert daemon.stop() == 0
        assert Counter(daemon.raws()) == Counter(raws)


@pytest.mark.parametrize("size", [10, 4_000_000])  # at once; as a draft with its file
@pytest.mark.parametrize("point", OUTBOUND, ids=lambda point: point.label)
def test_mail_out_is_sent_once_whenever_the_daemon_is_killed(
    cloud: Cloud, tmp_path: Path, point: FaultPoint, size: int
) -> None:
    """Also where Exchange had it and nobody heard: it lies in Sent Items."""
    file = tmp_path / "file.bin"
    file.write_bytes(b"x" * size)
    with Emaild(tmp_path) as daemon:
        daemon.configure(cloud.way_out())
        done = daemon.command(
            "send", "--from", USER, "--to", "a@example.net", "--subject", "x", "--attach", str(file), "--text", "x\n"
        )
        assert done.returncode == 0, done.stderr
        daemon.start({VARIABLE: point.label}, wait=False)
        assert daemon.wait() == KILLED
        daemon.start()
        eventually(daemon.sent, within=20)
        assert [entry["id"] for entry in daemon.listed("history")] == [done.stdout.strip()]
        assert daemon.stop() == 0
    assert [one.addresses("To") for one in cloud.box.sent] == [["a@example.net"]]
    assert [len(one.attached) for one in cloud.box.sent] == [size // 4_000_000]
    assert cloud.box.held("drafts") == []


def test_throttling_ends_and_loses_nothing(cloud: Cloud, tmp_path: Path) -> None:
    cloud.graph.fail(r"\$value", 429, "ApplicationThrottled", Retry_After="1")
    cloud.graph.fail(r"\$batch", 503, "ServiceUnavailable", Retry_After="1")
    raws = [mail.raw for mail in generated(6, seed=62, largest=4_000)]
    cloud.box.deliver(*raws)
    with Emaild(tmp_path) as daemon:
        daemon.configure(cloud.mailbox())
        daemon.start()
        daemon.wait_for("mailbox.failed")
        daemon.wait_for("interaction.created", 6, within=60)
        eventually(lambda: all(one.read for one in cloud.box.held()), within=30)
        assert daemon.stop() == 0
        assert Counter(daemon.raws()) == Counter(raws)


def test_of_a_mail_above_maximum_msg_size_the_header_is_taken(cloud: Cloud, tmp_path: Path) -> None:
    head = b"From: a@example.com\r\nTo: ann@example.com\r\nSubject: %b\r\n\r\n"
    cloud.box.deliver(head % b"big" + b"x" * (3 << 20), head % b"small" + b"x\r\n")
    with Emaild(tmp_path) as daemon:
        daemon.configure(cloud.mailbox(maximum_msg_size="1M"))
        daemon.start()
        daemon.wait_for("mail.too_big")
        daemon.wait_for("interaction.created", 1)
        eventually(lambda: [one.read for one in cloud.box.held()] == [False, True], within=10)
        assert daemon.stop() == 0
        assert "small" in {entry.facts.subject for entry in daemon.interactions()}


def test_mails_go_out_and_a_revoked_token_is_replaced(cloud: Cloud, tmp_path: Path) -> None:
    with Emaild(tmp_path) as daemon:
        daemon.configure(cloud.way_out())
        daemon.start()
        for number in range(3):
            mail = ("--from", USER, "--to", f"customer{number}@example.net", "--subject", f"mail {number}")
            done = daemon.command("send", *mail, "--text", "hello\n")
            assert done.returncode == 0, done.stderr
            daemon.wait_for("outbound.sent", number + 1)
            if number == 0:
                cloud.tokens.realm.tokens.clear()
        assert daemon.stop() == 0
        assert {entry["state"] for entry in daemon.listed("history")} == {"SENT"}
    assert [(one.addresses("To"), one.header["Subject"]) for one in cloud.box.sent] == [
        ([f"customer{number}@example.net"], f"mail {number}") for number in range(3)
    ]


def test_a_wrong_author_is_told_and_tokens_stand_in_no_log(cloud: Cloud, tmp_path: Path) -> None:
    with Emaild(tmp_path) as daemon:
        daemon.configure(cloud.mailbox(enable_debug="true"), cloud.way_out(enable_debug="true"))
        daemon.start()
        daemon.wait_for("protocol.heard", line="200")
        for author in (USER, "boss@example.com"):
            mail = ("--from", author, "--to", "a@example.net", "--subject", "x", "--text", "x\n")
            assert daemon.command("send", "--way-out", "smtp-client", *mail).returncode == 0
        daemon.wait_for("outbound.sent")
        (failed,) = daemon.wait_for("outbound.failed")
        assert (failed["reply"], "allow-delegate" in failed["reason"]) == ("553", True)
        assert daemon.stop() == 0
        said = daemon.log_file.read_text(encoding="utf-8")
    given = cloud.tokens.realm.tokens
    assert given
    assert not [token for token in given if token in said]
    assert "the application's" not in said
