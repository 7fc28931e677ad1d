"""`[api]` and `[api-token-NAME]`: the HTTP interface."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from emaild.settings import parse
from emaild.settings.option import Family, SectionKind, option
from emaild.settings.secret import Secret
from emaild.settings.server import is_loopback

UNIX = "unix:"
SHORTEST_TOKEN = 16  # characters


@dataclass(frozen=True, kw_only=True)
class ApiSection:
    """The HTTP interface. Without the section emaild listens nowhere."""

    kind: ClassVar[SectionKind] = SectionKind(
        name="api", help="The HTTP interface for programs. Without this section emaild listens nowhere."
    )

    listen: str = option(
        parse.text,
        default="127.0.0.1:8480",
        help="Where it listens: HOST:PORT, [ADDRESS]:PORT, or unix:/PATH for a socket in the file system.",
    )
    certificate: Path | None = option(
        parse.optional(parse.file), default="", help="A file with the certificate (PEM) for TLS, its chain after it."
    )
    certificate_key: Path | None = option(
        parse.optional(parse.file),
        default="",
        help="The file with its private key (PEM). Empty: it stands in the same file.",
    )
    maximum_body_size: int = option(
        parse.size("m"), default="50 MiB", help="The largest body of a request; a bare number counts MiB."
    )
    request_timeout: float = option(
        parse.within("1s", "10m"),
        default="30s",
        help="How long a request, its head or its body, may take to arrive in full.",
    )
    longest_wait: float = option(
        parse.within("0s", "10m"), default="60s", help="How long a program may wait for interactions in one request."
    )
    open_metrics: bool = option(parse.flag, default="false", help="Whether /metrics may be read without a token.")

    @property
    def socket_path(self) -> Path | None:
        """The socket in the file system; None: it listens on an address."""
        return Path(self.listen.removeprefix(UNIX)) if self.listen.startswith(UNIX) else None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, where it listens on an address."""
        host, _, port = self.listen.rpartition(":")
        return host.removeprefix("[").removesuffix("]"), int(port)

    def check(self) -> Iterator[tuple[str, str]]:
        """What does not fit together, as (option, what is wrong and what would be right)."""
        found = re.fullmatch(r"(?:\[[0-9A-Fa-f:.%\w]+\]|[\w.-]+):(\d{1,5})", self.listen)
        if self.socket_path is not None:
            if not self.socket_path.is_absolute():
                yield "listen", f"expected unix:/PATH, found {parse.repeated(self.listen)}"
        elif found is None or not 1 <= int(found[1]) <= 65535:
            yield "listen", f"expected HOST:PORT or unix:/PATH, found {parse.repeated(self.listen)}"
        if self.certificate_key is not None and self.certificate is None:
            yield "certificate-key", "it needs its partner, certificate"

    def dangers(self) -> Iterator[tuple[str, str]]:
        """What an operator chose that lowers the guard, as (option, message)."""
        if self.socket_path is None and self.certificate is None and not is_loopback(self.address[0]):
            yield (
                "listen",
                "other machines can connect, and without a certificate the tokens could be read on the way",
            )


@dataclass(frozen=True, kw_only=True)
class ApiTokenSection:
    """A token that opens the HTTP interface."""

    kind: ClassVar[SectionKind] = SectionKind(
        name="api-token",
        family=Family.ALWAYS_NAMED,
        help="A token that opens the HTTP interface; NAME is who uses it, as the log tells. Where there is no such"
        " section the token counts that the first start leaves in the state directory, in the file api-token.",
    )

    name: str = ""
    token: Secret = option(parse.secret, default=None, help="The token, sixteen characters or more.")
    interactive: bool = option(
        parse.flag,
        default="false",
        help="Whether a person waits for the mail that it sends: it goes before other mail, by interactive-way-out, and"
        " no limit a minute holds it back. A request may say otherwise.",
    )
    sender_override: str = option(
        parse.text,
        default="",
        help="The address that all mail is from that it sends, whatever From says; that one is in Reply-To then.",
    )

    def check(self) -> Iterator[tuple[str, str]]:
        """What does not fit together, as (option, what is wrong and what would be right)."""
        if self.sender_override and not parse.is_address(self.sender_override):
            yield "sender-override", f"expected name@domain, found {parse.repeated(self.sender_override)}"
        text = self.token.reveal()
        if text and not re.fullmatch(rf"[!-~]{{{SHORTEST_TOKEN},}}", text):
            yield "token", f"expected {SHORTEST_TOKEN} characters or more, of ASCII and without blanks"
