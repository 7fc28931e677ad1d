"""A daemon whose only way out of the machine is [proxy]: tokens of Microsoft and Google, Graph, and IMAP."""

from __future__ import annotations

import re
from pathlib import Path

from tests.adapters.turns import mail
from tests.daemon.harness import Emaild, imap_section
from tests.servers.authority import SERVER_NAMES, Authority
from tests.servers.authorization import AuthorizationServer
from tests.servers.authorization_rules import Client, Person
from tests.servers.dovecot import Dovecot
from tests.servers.graph import GraphServer
from tests.servers.proxies import PASSWORD, USER, ProxyProgram
from tests.servers.wait import eventually

OUTSIDE = SERVER_NAMES[1]
"""The servers' name, which the proxy knows, and this machine does not."""

GRAPHS, GOOGLES = "ann@example.com", "joe@example.com"
SECRET = "the application's"


class FarAuthority(AuthorizationServer):
    """One that is far away, and whose answers lead there."""

    @property
    def url(self) -> str:
        return f"https://{OUTSIDE}:{self.port}"


class FarGraph(GraphServer):
    """One that is far away, and whose links lead there."""

    @property
    def url(self) -> str:
        return super().url.replace("localhost", OUTSIDE)


def section(name: str, options: dict[str, object]) -> str:
    return f"[{name}]\n" + "".join(f"{option} = {value}\n" for option, value in options.items())


def test_tokens_graph_and_imap_go_through_the_proxy_alone(authority: Authority, tmp_path: Path) -> None:
    """Without it the names of the servers lead nowhere."""
    with (
        FarAuthority(authority) as tokens,
        AuthorizationServer(authority) as checks,  # which Dovecot asks
        FarGraph(authority) as graph,
        Dovecot(authority, introspection=checks.introspection_endpoint) as dovecot,
        ProxyProgram("squid", signs_in=True) as proxy,
        Emaild(tmp_path) as daemon,
    ):
        checks.realm = tokens.realm
        tokens.realm.clients = {"emaild": Client("emaild", secret=SECRET), "web": Client("web", secret=SECRET)}
        tokens.realm.people = {GOOGLES: Person(GOOGLES, "pw")}
        graph.accepts = lambda token: tokens.realm.active(token) is not None
        microsoft = {
            "server": graph.url,
            "ca-file": authority.ca_file,
            "tenant-authority": tokens.url,
            "directory-id": "contoso",
            "client-id": "emaild",
            "grant-type": "client_credentials",
            "password": SECRET,
        }
        google = {
            "tenant-authority": "google",
            "token-endpoint": tokens.token_endpoint,
            "client-id": "web",
            "secret": "google",
            "password": tokens.realm.sign_in(GOOGLES, "web", "https://mail.google.com/"),
            "mail.imap.auth.mechanisms": "XOAUTH2",
            "server": OUTSIDE,
            "first-fetch": "all",
        }
        sections = [
            section("pop-client-graph", {"type": "GRAPH", "mailbox": GRAPHS, "cycle-time": "1s", **microsoft}),
            section("smtp-client", {"server-type": "graph", "user": GRAPHS, **microsoft}),
            imap_section("pop-client-google", dovecot.imaps, GOOGLES, authority, **google),
            section("secret-google", {"password": SECRET}),
        ]
        daemon.configure(*sections)
        daemon.start()
        daemon.wait_for("mailbox.failed", 2, within=30)
        assert daemon.stop() == 0
        assert (tokens.asked, graph.connections, dovecot.sessions(GOOGLES)) == ([], 0, [])

        way = {"useProxy": "true", "host": "127.0.0.1", "port": proxy.port, "user": USER, "password": PASSWORD}
        daemon.configure(*sections, section("proxy", way))
        daemon.start()
        graph.mailbox(GRAPHS).deliver(mail("by Graph"))
        dovecot.drop(GOOGLES, [mail("by IMAP")])
        daemon.wait_for("interaction.created", 2, within=30)
        sent = daemon.command("send", "--from", GRAPHS, "--to", "a@example.net", "--subject", "out", "--text", "x\n")
        assert sent.returncode == 0, sent.stderr
        daemon.wait_for("outbound.sent")
        assert daemon.stop() == 0
        assert [one.header["Subject"] for one in graph.mailbox(GRAPHS).sent] == ["out"]
        assert {form["client_id"] for form in tokens.grants} == {"emaild", "web"}
        ports = {str(port) for port in (tokens.port, graph.url.rpartition(":")[2].partition("/")[0], dovecot.imaps)}
        eventually(lambda: set(re.findall(rf"CONNECT {OUTSIDE}:(\d+)", proxy.log())) == ports, within=10)
