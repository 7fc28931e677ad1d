"""Sections that sign in by token, and the tokens of them, as tests ask for them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from emaild.net.oauth import Sealed, Tokens, tokens_for
from emaild.net.oauth.grant import ServerSection, grant_of
from emaild.settings.load import Settings
from emaild.settings.network import ProxySection
from emaild.settings.secret import Secret
from tests.clock import ManualClock
from tests.conf_files import ConfFiles
from tests.servers.authority import Authority
from tests.servers.authorization import AuthorizationServer
from tests.servers.authorization_rules import Client, Person
from tests.servers.presence import require

ANN = "ann@contoso.com"
APP = "11111111-2222-3333-4444-555555555555"
SECRET = "app-s3cret~value"
PASSWORD = "hunter2"


class TokenOffice:
    """A server that knows Ann and an application, and the settings, clock and sealed tokens that lead to it."""

    def __init__(self, server: AuthorizationServer, authority: Authority, folder: Path) -> None:
        self.server = server
        self.clock = ManualClock()
        self.folder = folder
        self.state = folder / "state"
        self.state.mkdir()
        self.sealed = Sealed(self.state)
        self._authority = authority
        self.client = Client(APP)
        server.realm.clients[APP] = self.client
        server.realm.people[ANN] = Person(ANN, PASSWORD)

    def settings(self, *lines: str, **options: str | Path) -> Settings:
        """Of one IMAP mailbox at Microsoft's way, changed by *options*; *lines* are sections after it."""
        given: dict[str, Any] = {
            "type": "IMAP",
            "server": "localhost",
            "mailbox": ANN,
            "password": PASSWORD,
            "pop-connection-security": "ssl-tls",
            "mail.imap.auth.mechanisms": "XOAUTH2",
            "tenant-authority": self.server.url,
            "directory-id": "contoso",
            "client-id": APP,
            "ca-file": self._authority.ca_file,
        }
        given |= {name.replace("_", "-"): value for name, value in options.items()}
        mailbox = "\n".join(f"{name} = {value}" for name, value in given.items() if value != "")
        text = f"[pop-client]\n{mailbox}\n" + "\n".join(lines)
        return ConfFiles(self.folder).load(text)

    def section(self, *lines: str, **options: str | Path) -> ServerSection:
        """The mailbox of `settings`."""
        return self.settings(*lines, **options).mailboxes["pop-client"]

    def tokens(self, *lines: str, **options: str | Path) -> Tokens:
        """What the mailbox of `settings` signs in with."""
        return self.of(self.settings(*lines, **options), "pop-client")

    def of(self, settings: Settings, name: str) -> Tokens:
        """What a section signs in with."""
        (section,) = [one for one in settings.servers() if one.name == name]
        return self.of_section(section, settings.proxy_for(section))

    def of_section(self, section: ServerSection, proxy: ProxySection | None = None) -> Tokens:
        """What it signs in with."""
        made = tokens_for(section, proxy=proxy, clock=self.clock, sealed=self.sealed)
        assert made is not None
        return made

    def google(self, **options: str | Path) -> dict[str, str | Path]:
        """The options of a mailbox at Google's way."""
        return {
            "tenant_authority": "google",
            "directory_id": "",
            "token_endpoint": self.server.token_endpoint,
            "authorization_endpoint": self.server.authorization_endpoint,
            **options,
        }

    def sign_in(self, section: ServerSection, user: str = ANN) -> str:
        """As `emaild login` leaves it: a refresh token of the server, sealed. Returns it."""
        grant = grant_of(section)
        assert grant is not None
        refresh = self.server.realm.sign_in(user, APP)
        self.sealed.write(grant.sealed_name, Secret(refresh))
        return refresh

    def certificate(self, days: int = 365, name: str = "app") -> tuple[Path, Path]:
        """A certificate of that many days, which the server knows as the application's, and its key."""
        made = new_certificate(self.folder, days, name)
        self.client.certificate = made[0].read_bytes()
        return made


def new_certificate(folder: Path, days: int, name: str = "app") -> tuple[Path, Path]:
    """A certificate of that many days, and its key."""
    made = folder / f"{name}.pem", folder / f"{name}.key"
    new = ("-newkey", "rsa:2048", "-nodes", "-subj", "/CN=app", "-days", str(days))
    command = (require("openssl"), "req", "-x509", *new, "-keyout", str(made[1]), "-out", str(made[0]))
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    return made


def proved_by(certificate: Path, key: Path) -> dict[str, str | Path]:
    """The options of an application that proves itself with a certificate."""
    given = {"grant_type": "client_credentials", "password": ""}
    return {**given, "application_certificate": certificate, "application_key": key}
