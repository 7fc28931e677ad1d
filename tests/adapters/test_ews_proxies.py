"""EWS through proxies of four makes: signing in, keeping the connection, and never a way past them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emaild.errors import Rejected, Unreachable
from emaild.settings.network import ProxySection
from emaild.settings.secret import Secret
from tests.adapters.ews_ways import ANN, Ways
from tests.adapters.turns import mail, subjects, turn
from tests.adapters.ways import RAW, SENT, outbound, states
from tests.daemon.harness import Emaild
from tests.servers.authority import Authority
from tests.servers.authorization import AuthorizationServer
from tests.servers.authorization_rules import Client
from tests.servers.ews import Exchange
from tests.servers.ews_mailbox import Mailbox
from tests.servers.ports import LOOPBACK
from tests.servers.proxies import PASSWORD, USER, ProxyProgram
from tests.servers.wait import eventually

TO = b"To: one@example.net\r\n" + RAW
MAKES = [("squid", False), ("squid", True), ("tinyproxy", True), ("microsocks", True), ("danted", False)]


def through(program: ProxyProgram, password: str = PASSWORD) -> ProxySection:
    """As the conf file has it; what the proxy speaks is found out."""
    return ProxySection(
        name="proxy",
        use_proxy_text="true",
        host=LOOPBACK,
        port_given=str(program.port),
        user=USER,
        password=Secret(password),
    )


def led(program: ProxyProgram, port: int) -> int:
    """How many connections to that port the proxy tells of."""
    told = {
        "squid": rf"CONNECT localhost:{port}\b",
        "tinyproxy": rf"CONNECT localhost:{port}\b.* HTTP",
        "microsocks": rf"connected to .*:{port}\b",
        "danted": rf"pass\(\d\): tcp/connect \[: .*\.{port}\b",
    }
    return len(re.findall(told[program.name], program.log()))


@pytest.mark.parametrize("offers", [("Basic",), ("NTLM",)], ids=" ".join)
@pytest.mark.parametrize(("make", "signs_in"), MAKES)
def test_every_connection_is_the_proxys_and_is_kept(
    exchange: Exchange, ann: Mailbox, ways: Ways, make: str, signs_in: bool, offers: tuple[str, ...]
) -> None:
    """NTLM signs in a connection, so that another one at each request would not get far."""
    exchange.offers = offers
    ann.drop(*(mail(f"{number}") for number in range(3)))
    with ProxyProgram(make, signs_in=signs_in) as program:
        ways.proxy = through(program)
        source, sink = ways.source(), ways.sink()
        first = turn(source)
        assert subjects(first.raws) == ["0", "1", "2"]
        assert states(sink.send(outbound(raw=TO))) == [SENT]
        ann.drop(mail("later"))
        assert subjects(turn(source, first.cursor).raws) == ["later"]
        assert states(sink.send(outbound(raw=TO))) == [SENT]
        assert exchange.connections == 2
        source.close()
        sink.close()
        eventually(lambda: led(program, exchange.port) == 2, what=f"two connections in {program.log()}")


@pytest.mark.parametrize("make", ["squid", "microsocks"])
def test_without_its_proxy_the_server_is_not_reached_though_it_is_there(
    exchange: Exchange, ann: Mailbox, ways: Ways, make: str
) -> None:
    ann.drop(mail("one"))
    with ProxyProgram(make, signs_in=True) as program:
        ways.proxy = through(program)
        source, sink = ways.source(), ways.sink()
        source.open()
        program.stop()
        with pytest.raises(Unreachable):
            source.look(None)
        for ask in (source.open, lambda: sink.send(outbound(raw=TO))):
            with pytest.raises(Unreachable, match=r"\[proxy\]"):
                ask()
        assert exchange.connections == 1
        program.start()
        assert subjects(turn(source).raws) == ["one"]
        assert states(sink.send(outbound(raw=TO))) == [SENT]


@pytest.mark.parametrize("make", ["squid", "tinyproxy", "microsocks"])
def test_wrong_password_of_the_proxy_is_told_as_the_proxys(
    exchange: Exchange, ann: Mailbox, ways: Ways, make: str
) -> None:
    with ProxyProgram(make, signs_in=True) as program:
        ways.proxy = through(program, "hunter2")
        with pytest.raises(Rejected, match=rf"connect: .*\[proxy\] 127.0.0.1:{program.port}: ") as refused:
            ways.source().open()
    assert exchange.connections == 0
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("make", ["squid", "microsocks"])
def test_daemon_asks_for_tokens_and_mails_through_the_proxy_alone(
    authority: Authority, tmp_path: Path, make: str
) -> None:
    with (
        AuthorizationServer(authority) as tokens,
        Exchange(authority, offers=()) as server,
        ProxyProgram(make, signs_in=True) as program,
        Emaild(tmp_path) as daemon,
    ):
        tokens.realm.clients["emaild"] = Client("emaild", secret="the application's")
        server.knows = lambda token: ANN if tokens.realm.active(token) else ""
        server.impersonators.add(ANN)
        server.mailbox(ANN).drop(mail("one"))
        common = (
            f"server = {server.url}\nca-file = {authority.ca_file}\npassword = the application's\n"
            f"tenant-authority = {tokens.url}\ndirectory-id = contoso\nclient-id = emaild\n"
            "grant-type = client_credentials\nmail.ews.auth.mechanisms = XOAUTH2\n"
        )
        daemon.configure(
            f"[pop-client]\ntype = EWS\nmailbox = {ANN}\ncycle-time = 1s\n{common}",
            f"[smtp-client]\nserver-type = ews\nuser = {ANN}\n{common}",
            f"[proxy]\nuseProxy = true\nhost = {LOOPBACK}\nport = {program.port}\nuser = {USER}\n"
            f"password = {PASSWORD}\n",
        )
        daemon.start()
        daemon.wait_for("interaction.created")
        sent = daemon.command("send", "--from", ANN, "--to", "bob@example.net", "--subject", "out", "--text", "hi")
        assert sent.returncode == 0, sent.stderr
        daemon.wait_for("outbound.sent")
        assert daemon.stop() == 0
        assert tokens.grants
        eventually(lambda: led(program, server.port) == server.connections, what="all connections in the proxy's log")
        eventually(lambda: led(program, tokens.port) >= 1, what="the authority in the proxy's log")
