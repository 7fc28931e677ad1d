"""A mailbox with its way out, as `emaild add` sets it up: the text of its conf file, and what its parts are called."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from emaild.provision.heads import ADDED
from emaild.provision.section_text import line_of
from emaild.settings.cloud import MICROSOFT, is_googles
from emaild.settings.mailbox import MAILBOX_PORTS, MailboxType
from emaild.settings.way_out import SMTP_PORTS, ServerType

BOX, WAY, SECRET = "pop-client", "smtp-client", "secret"
ENCRYPTED = "ssl-tls"
LONGEST_NAME = 64  # characters; it is part of a file's name
NOT_IN_NAMES = re.compile(r"[^a-z0-9._-]+")

Secrets = Callable[[str], str]
"""From the name of a secret's file to the words for it in a conf file, as `file:PATH`."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A server. `server` is empty for Graph, and a URL for EWS; `port` None and `security` empty: the usual ones."""

    type: str
    server: str
    port: int | None = None
    security: str = ""
    user: str = ""
    by_token: bool = False
    signs_in: bool = True


@dataclass(frozen=True, kw_only=True)
class Application:
    """Whom a person allows to open the mailbox: an application at Microsoft or Google, `authority` empty: Microsoft's.

    `secret`: it has a client secret, which lies in a file of its own.
    """

    client_id: str
    authority: str = ""
    directory: str = ""
    secret: bool = False


@dataclass(frozen=True, kw_only=True)
class Account:
    """What is to be written. `origin` is one line on where it is known from; `more` are options for each section."""

    address: str
    name: str
    reading: Place
    sending: Place | None
    application: Application | None = None
    ca_file: Path | None = None
    origin: str = ""
    box_options: Mapping[str, str] = field(default_factory=dict)
    way_options: Mapping[str, str] = field(default_factory=dict)

    @property
    def box(self) -> str:
        """The mailbox's section."""
        return f"{BOX}-{self.name}"

    @property
    def way(self) -> str:
        """The way out's section."""
        return f"{WAY}-{self.name}"

    @property
    def file(self) -> str:
        """The conf file in conf.d."""
        return f"{self.box}.conf"

    @property
    def password_file(self) -> str:
        """The file beside it that holds the password."""
        return f"{self.box}.password"

    @property
    def secret_file(self) -> str:
        """The file beside it that holds the application's secret."""
        return f"{self.box}.client-secret"

    @property
    def has_password(self) -> bool:
        """Whether a password signs in anywhere."""
        places = [self.reading, *([self.sending] if self.sending else [])]
        return any(place.signs_in and not place.by_token for place in places)


def name_for(address: str, taken: Collection[str]) -> str:
    """NAME for the sections of an address: what stands before the @, all of it where that is *taken* (lower case)."""
    local, _, domain = address.lower().rpartition("@")
    name = _cut(NOT_IN_NAMES.sub("-", local)) or "mailbox"
    return name if name not in taken else free(_cut(f"{name}-{NOT_IN_NAMES.sub('-', domain)}"), taken)


def free(name: str, taken: Collection[str]) -> str:
    """The name, with a number behind it where that is *taken* (lower case)."""
    numbers = (f"{name}-{number}" for number in range(2, len(taken) + 3))
    return name if name.lower() not in taken else next(other for other in numbers if other.lower() not in taken)


def _cut(name: str) -> str:
    return name.strip("-.")[:LONGEST_NAME].strip("-.")


def conf_text(account: Account, secrets: Secrets) -> bytes:
    """The conf file. *secrets* gives what stands in it for the secret that will lie in a file of that name.

    Raises:
        InputError: a value is not one line.
    """
    origin = f"; {account.origin}" if account.origin else ""
    lines = [*ADDED.format(address=account.address, origin=origin, section=account.box).splitlines(), ""]
    lines += _section(account.box, {**_box_options(account, secrets), **account.box_options})
    if account.sending is not None:
        lines += ["", f"# Mail from {account.address} goes out by this."]
        lines += _section(account.way, {**_way_options(account, account.sending, secrets), **account.way_options})
    if account.application is not None and account.application.secret:
        lines += ["", "# Of the application that the person who signs in allows to open the mailbox."]
        lines += _section(f"{SECRET}-{account.name}", {"password": secrets(account.secret_file)})
    return "".join(f"{line}\n" for line in lines).encode()


def token_options(application: Application, name: str, protocol: str) -> dict[str, str]:
    """The options by which somebody signs in for a section of that protocol (imap, pop3, smtp, ews, graph).

    *name* is the NAME of the [secret-NAME] with the application's secret.
    """
    options = {"grant-type": "authorization_code"}
    if application.authority and application.authority != MICROSOFT:
        options["tenant-authority"] = application.authority
    if application.directory:
        options["directory-id"] = application.directory
    options["client-id"] = application.client_id
    if application.secret:
        options["secret"] = name
    if protocol != "graph":
        options[f"mail.{protocol}.auth.mechanisms"] = "XOAUTH2"
    if protocol == "pop3" and not is_googles(application.authority):
        options["mail.pop3.auth.xoauth2.two.line.authentication.format"] = "true"
    return options


def _box_options(account: Account, secrets: Secrets) -> dict[str, str]:
    place = account.reading
    kind = MailboxType(place.type)
    usual = MAILBOX_PORTS.get((kind, place.security == ENCRYPTED))
    options = {"type": place.type, **_server(account, place, usual, "pop-connection-security"), "mailbox": place.user}
    if place.user.lower() != account.address.lower():
        options["address"] = account.address
    return options | _sign_in(account, place, secrets)


def _way_options(account: Account, place: Place, secrets: Secrets) -> dict[str, str]:
    kind = ServerType(place.type)
    options = {} if kind is ServerType.SMTP else {"server-type": place.type}
    options |= _server(account, place, SMTP_PORTS[place.security == ENCRYPTED], "smtp-connection-security")
    if place.signs_in:
        options |= {"enable-authentication": "true"} if kind is ServerType.SMTP else {}
        options |= {"user": place.user, **_sign_in(account, place, secrets)}
    return options | {"senders": account.address}


def _server(account: Account, place: Place, usual: int | None, security: str) -> dict[str, str]:
    options = {"server": place.server} if place.server else {}
    if place.server and "://" not in place.server and place.port not in (None, usual):
        options["port"] = str(place.port)
    if place.security:
        options[security] = place.security
    if account.ca_file is not None:
        options["ca-file"] = str(account.ca_file)
    return options


def _sign_in(account: Account, place: Place, secrets: Secrets) -> dict[str, str]:
    if place.by_token and account.application is not None:
        return token_options(account.application, account.name, place.type.lower())
    return {"password": secrets(account.password_file)}


def _section(name: str, options: Mapping[str, str]) -> Iterator[str]:
    yield f"[{name}]"
    for option, value in options.items():
        yield line_of(option, value)
