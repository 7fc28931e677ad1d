"""`[webhook]`: a program that is told of each interaction."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from emaild.settings import parse
from emaild.settings.option import SectionKind, option
from emaild.settings.secret import Secret
from emaild.settings.server import TlsVersion

PREFIX = "whsec_"
URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[\w.-]+)(?::(?P<port>[0-9]{1,5}))?(?P<rest>[/?][!\"$-~]*)?",
    re.IGNORECASE,
)
MOST_PORT = 65535
LEAST_KEY, MOST_KEY = 24, 64  # bytes (Standard Webhooks, "Signature scheme")


@dataclass(frozen=True, kw_only=True)
class WebhookSection:
    """A program that is told of each interaction by HTTP."""

    kind: ClassVar[SectionKind] = SectionKind(
        name="webhook", help="A program that is told of each interaction by HTTP (Standard Webhooks)."
    )

    name: str = "webhook"
    url: str = option(parse.text, default=None, help="Where interactions are posted to, as https://HOST/PATH.")
    secret: Secret = option(
        parse.secret, default=None, help=f"The key that signs them: {PREFIX} and 24 to 64 bytes in Base64."
    )
    old_secret: Secret | None = option(
        parse.optional(parse.secret),
        default="",
        help="The key of before, which signs them too until the receiver knows the new one.",
    )
    queues: tuple[str, ...] = option(
        parse.wildcards, default="", help="The queues whose interactions are posted; * and ? as in rules. Empty: all."
    )
    full: bool = option(parse.flag, default="true", help="Whether the texts are posted with them.")
    allow_private_addresses: bool = option(
        parse.flag,
        default="false",
        help="Whether the receiver may have an address of this machine or of a private or link-local network.",
    )
    ca_file: Path | None = option(
        parse.optional(parse.file), default="", help="A file of CA certificates (PEM) to trust instead of the system's."
    )
    minimum_tls_version: TlsVersion = option(
        parse.one_of(TlsVersion), default="1.2", help="The oldest version of TLS that is accepted."
    )
    proxy: str = option(
        parse.text,
        default="",
        help="The NAME of the [proxy-NAME] to connect through; none: no proxy. Empty: [proxy], where it is in use.",
    )
    connect_timeout: float = option(parse.within("1s", "1m"), default="10s", help="How long to wait for a connection.")
    protocol_timeout: float = option(
        parse.within("1s", "5m"), default="20s", help="How long to wait for the receiver's answer."
    )
    retry_first: float = option(
        parse.within("1s", "1d"),
        default="5s",
        help="How long to wait after the first failure; each further wait is twice as long.",
    )
    retry_maximum: float = option(parse.within("1s", "7d"), default="15m", help="The longest wait between two tries.")
    lifetime: float = option(
        parse.within("1s", "365d"), default="5d", help="How long an interaction is tried before it is given up."
    )

    @property
    def place(self) -> tuple[bool, str, int, str]:
        """What the URL says: whether it is TLS, host, port, and the rest with which it is asked for.

        Raises:
            ValueError: it is no such URL.
        """
        found = URL.fullmatch(self.url)
        if found is None:
            raise ValueError(self.url)
        encrypted = found["scheme"].lower() == "https"
        rest = found["rest"] or "/"
        port = int(found["port"] or (443 if encrypted else 80))
        return encrypted, found["host"].strip("[]"), port, rest if rest[0] == "/" else f"/{rest}"

    def check(self) -> Iterator[tuple[str, str]]:
        """What does not fit together, as (option, what is wrong and what would be right)."""
        try:
            _, host, port, _ = self.place
            if not 0 < port <= MOST_PORT or not parse.host.read(host):
                raise ValueError(host)
        except ValueError:
            yield "url", "expected a URL such as https://hooks.example.com/mail"
        for name, secret in (("secret", self.secret), ("old-secret", self.old_secret)):
            if secret is not None and secret.reveal() and not LEAST_KEY <= len(key_of(secret)) <= MOST_KEY:
                yield name, f"expected {PREFIX} and {LEAST_KEY} to {MOST_KEY} bytes in Base64"
        if self.retry_maximum < self.retry_first:
            yield "retry-maximum", "it must not be shorter than retry-first"

    def dangers(self) -> Iterator[tuple[str, str]]:
        """What an operator chose that lowers the guard, as (option, message)."""
        if self.url.lower().startswith("http:") and not self.allow_private_addresses:
            yield "url", "without TLS anyone on the way can read the mails; https: would be right"


def key_of(secret: Secret) -> bytes:
    """The key's bytes; none where it is no key."""
    try:
        return base64.b64decode(secret.reveal().removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return b""
