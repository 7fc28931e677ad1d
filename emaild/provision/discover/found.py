"""What discovery finds, and what it asked on the way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from emaild.settings.server import Security


class Protocol(StrEnum):
    """What a server speaks; EWS and Graph are both read and sent by."""

    IMAP = "imap"
    POP3 = "pop3"
    EWS = "ews"
    GRAPH = "graph"
    SMTP = "smtp"


class SignIn(StrEnum):
    """A way to sign in. `none`: it is not signed in to, as where the server knows its clients by their addresses."""

    PASSWORD = "password"  # noqa: S105
    OAUTH = "oauth"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class OAuth:
    """Who gives tokens, and what they are asked for when a person signs in.

    `issuer` is a host, as `login.microsoftonline.com`. `authority` is what tenant-authority takes and `directory` what
    directory-id takes; both are empty where emaild does not sign in at that issuer's.
    """

    issuer: str
    scopes: tuple[str, ...]
    authority: str = ""
    directory: str = ""

    @property
    def is_supported(self) -> bool:
        """Whether emaild can sign in there."""
        return bool(self.authority)


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that an address can be read or sent by.

    `url` is that of EWS; `host` and `port` are the URL's then. Graph's url is empty: its default is right. `user` is
    resolved for the address, and empty where only a person knows it. `sign_in` are the ways it offers, best first.
    `doubt` says why a person should look before a password goes there; empty: nothing speaks against it.
    """

    protocol: Protocol
    host: str
    port: int
    security: Security
    user: str
    sign_in: tuple[SignIn, ...]
    oauth: OAuth | None = None
    url: str = ""
    doubt: str = ""

    @property
    def best_sign_in(self) -> SignIn | None:
        """The first way that emaild can go; None: it can go none."""
        return next((way for way in self.sign_in if way is not SignIn.OAUTH or self.gives_tokens), None)

    @property
    def gives_tokens(self) -> bool:
        """Whether emaild can get a token for it."""
        return self.oauth is not None and self.oauth.is_supported

    def __str__(self) -> str:
        place = self.url or (f"{self.host}:{self.port}" if self.host else "")
        return f"{self.protocol.upper()} {place}".rstrip()


@dataclass(frozen=True, kw_only=True)
class Found:
    """How an address is read and sent by; each in order of preference, and empty where nothing is known of it.

    `name` is the provider's for people, `domains` are those that were said to be its. `number` and `origin` are those
    of the step that it came from. `remarks` are for people: what they should know before they rely on it.
    """

    address: str
    name: str
    domains: tuple[str, ...]
    incoming: tuple[Server, ...]
    outgoing: tuple[Server, ...]
    number: str = ""
    origin: str = ""
    remarks: tuple[str, ...] = ()


class Came(StrEnum):
    """What came of a step."""

    FOUND = "found"
    NOTHING = "nothing"
    WRONG = "wrong"
    MALFORMED = "malformed"
    REFUSED = "refused"
    NOT_TRUSTED = "not trusted"
    TIMED_OUT = "timed out"
    UNREACHABLE = "unreachable"
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True)
class Step:
    """A question that was asked, or not asked and why.

    `number` is the draft's (draft-ietf-mailmaint-autoconfig); `asked` a URL, or a DNS name and its type; `text` one
    line for a person; `seconds` how long it took.
    """

    number: str
    asked: str
    came: Came
    text: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What was found, None where nothing was, and the steps in the order of their numbers."""

    found: Found | None
    steps: tuple[Step, ...]
