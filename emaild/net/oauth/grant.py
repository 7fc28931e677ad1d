"""What tokens are asked with, as a section's options say it, and what comes back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from emaild.settings.by_token import GrantType
from emaild.settings.mailbox import MailboxSection
from emaild.settings.secret import Secret
from emaild.settings.way_out import WayOutSection

ANY_DIRECTORY = "organizations"
LEAST_SECONDS, USUAL_SECONDS, MOST_SECONDS = 60, 300, 86400
"""How long a token counts as valid: at least, where nobody says, and at most."""

ServerSection = MailboxSection | WayOutSection


class Way(Enum):
    """What a token is asked with."""

    PASSWORD = auto()
    APPLICATION = auto()
    SIGNED_IN = auto()
    GOOGLE_REFRESH_TOKEN = auto()
    SERVICE_ACCOUNT = auto()


@dataclass(frozen=True, kw_only=True)
class Grant:
    """Two that are equal get the same tokens.

    `authority`: https://HOST/TENANT, or Google's token endpoint. `user` is the mailbox, and empty where a token is not
    for one alone. `password` is the user's, or Google's refresh token; `secret` the application's.
    """

    way: Way
    google: bool = False
    authority: str
    client_id: str
    user: str
    scope: str
    password: Secret | None = None
    secret: Secret | None = None
    certificate: Path | None = None
    key: Path | None = None
    key_password: Secret | None = None
    service_account: Path | None = None

    @property
    def sealed_name(self) -> str:
        """The name that the refresh token of a sign-in is kept under."""
        return "\0".join((self.authority, self.client_id, self.user.lower()))

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """All that no message may repeat."""
        return tuple(one for one in (self.password, self.secret, self.key_password) if one is not None)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that it is proved with."""
        return tuple(path for path in (self.certificate, self.key, self.service_account) if path is not None)


@dataclass(frozen=True)
class Issued:
    """What an authority gave: a token, for how many seconds, and the refresh token for the next, if there is one."""

    token: Secret
    seconds: int
    refresh: Secret | None = None


def user_of(section: ServerSection) -> str:
    """The mailbox that a section's tokens are for."""
    return section.mailbox if isinstance(section, MailboxSection) else section.user


def grant_of(section: ServerSection) -> Grant | None:
    """What the section's tokens are asked with; None: it signs in with a password."""
    if not section.uses_tokens:
        return None
    return _google(section) if section.is_google else _microsoft(section)


def _google(section: ServerSection) -> Grant:
    if section.service_account_file is not None:
        way = Way.SERVICE_ACCOUNT
    elif section.grant_type is GrantType.AUTHORIZATION_CODE:
        way = Way.SIGNED_IN
    else:
        way = Way.GOOGLE_REFRESH_TOKEN
    return Grant(
        way=way,
        google=True,
        authority=section.token_endpoint,
        client_id=section.client_id,
        user=user_of(section),
        scope=section.scope,
        password=section.password if way is Way.GOOGLE_REFRESH_TOKEN else None,
        secret=section.client_secret,
        service_account=section.service_account_file,
    )


def _microsoft(section: ServerSection) -> Grant:
    application = section.grant_type is GrantType.CLIENT_CREDENTIALS
    signed_in = section.grant_type is GrantType.AUTHORIZATION_CODE
    return Grant(
        way=Way.APPLICATION if application else Way.SIGNED_IN if signed_in else Way.PASSWORD,
        authority=authority_of(section),
        client_id=section.client_id,
        user="" if application else user_of(section),
        scope=section.scope,
        password=None if application or signed_in else section.password,
        secret=section.password if application and not section.application_certificate else section.client_secret,
        certificate=section.application_certificate,
        key=section.application_key,
        key_password=section.application_key_password,
    )


def authority_of(section: ServerSection) -> str:
    """Microsoft's way: the authority with its tenant, which may stand in tenant-authority, too."""
    parts = urlsplit(section.tenant_authority)
    tenant = section.directory_id or parts.path.strip("/") or ANY_DIRECTORY
    return f"https://{parts.netloc.lower()}/{tenant}"


def issued_of(answer: Mapping[str, Any]) -> Issued | None:
    """What a good answer of a token endpoint (RFC 6749 §5.1) gives; None where it is none."""
    token, refresh = answer.get("access_token"), answer.get("refresh_token")
    if not isinstance(token, str) or not re.fullmatch(r"[!-~]{1,65536}", token):
        return None
    if not isinstance(refresh, str) or not re.fullmatch(r"[!-~]{1,32768}", refresh):
        refresh = None
    return Issued(Secret(token, literal=False), seconds_of(answer), Secret(refresh, literal=False) if refresh else None)


def seconds_of(answer: Mapping[str, Any]) -> int:
    """How long the token of an answer is valid."""
    found = re.fullmatch(r"[0-9]{1,9}", str(answer.get("expires_in")))
    return min(max(int(found[0]), LEAST_SECONDS), MOST_SECONDS) if found else USUAL_SECONDS
