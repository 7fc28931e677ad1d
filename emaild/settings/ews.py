"""The options of Exchange Web Services."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from emaild.settings import parse
from emaild.settings.by_token import GrantType
from emaild.settings.extras import EWS_MISSING, has_ews
from emaild.settings.option import option

VERSIONS = (
    "Exchange2016",
    "Exchange2015",
    "Exchange2013_SP1",
    "Exchange2013",
    "Exchange2010_SP2",
    "Exchange2010_SP1",
    "Exchange2010",
    "Exchange2007_SP1",
    "Exchange2007",
)
"""Those that a request may name (EWS reference, RequestServerVersion), newest first; Exchange 2019 is asked as 2016."""


ONLINE = ("office365.com", "office.com", "office365.us", "outlook.cn")
"""Domains of Exchange Online (Microsoft 365 URLs; national clouds)."""
ONLINE_ENDS = (
    "Exchange Online blocks EWS from 1 October 2026 where the tenant does not allow the application, and has none from"
    " 1 April 2027"
)
"""MC1227454; Exchange on one's own premises keeps it."""


class ExchangeAccess(StrEnum):
    """How a mailbox is used that is not that of the one who signs in."""

    AUTOMATIC = "automatic"
    DELEGATE = "delegate"
    IMPERSONATION = "impersonation"


@dataclass(frozen=True, kw_only=True)
class ExchangeOptions:
    """How an Exchange server is asked."""

    exchange_version: str = option(
        parse.text,
        default="",
        help="EWS: the version of Exchange, such as Exchange2013_SP1; Exchange 2019 is asked as Exchange2016. Empty: it"
        " is found out.",
    )
    exchange_access: ExchangeAccess = option(
        parse.one_of(ExchangeAccess),
        default="automatic",
        help="EWS: how another's mailbox is used. delegate: as one who was given rights to it. impersonation: in its"
        " owner's name, by the role ApplicationImpersonation. automatic: impersonation where an application signs in"
        " (grant-type = client_credentials), else delegate.",
    )

    def impersonates_with(self, grant: GrantType, *, uses_tokens: bool) -> bool:
        """Whether we act in the owner's name."""
        if self.exchange_access is ExchangeAccess.AUTOMATIC:
            return uses_tokens and grant is GrantType.CLIENT_CREDENTIALS
        return self.exchange_access is ExchangeAccess.IMPERSONATION

    def check_exchange(self, server: str, type_option: str, spelled: str) -> Iterator[tuple[str, str]]:
        """What does not fit where EWS is spoken, as (option, what is wrong and what would be right).

        *type_option* is the option that says so, by the word *spelled*.
        """
        if not has_ews():
            yield type_option, EWS_MISSING
        if not is_url(server):
            yield "server", f"for {spelled} expected a URL such as https://owa.example.com/ews/exchange.asmx"
        if self.exchange_version and self.exchange_version not in VERSIONS:
            expected = f"{', '.join(VERSIONS[:-1])} or {VERSIONS[-1]}"
            yield "exchange-version", f"expected {expected}, found {parse.repeated(self.exchange_version)}"


def is_online(server: str) -> bool:
    """Whether the URL is Exchange Online's."""
    if not is_url(server):
        return False
    host = (urlsplit(server).hostname or "").rstrip(".")
    return any(host == domain or host.endswith(f".{domain}") for domain in ONLINE)


def is_url(server: str) -> bool:
    """Whether it is the URL of a server, without a user in it."""
    try:
        parts = urlsplit(server)
        return (
            parts.scheme.lower() in ("http", "https")
            and bool(parts.hostname)
            and parts.port != 0
            and not parts.username
        )
    except ValueError:
        return False
