"""The options of sections that sign in with a token instead of a password (OAuth 2.0)."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from emaild.settings import parse
from emaild.settings.cloud import MICROSOFT, cloud_of, is_googles
from emaild.settings.option import option
from emaild.settings.properties import ProtocolProperties, SaslProperties
from emaild.settings.secret import Secret

TOKEN_MECHANISMS = ("XOAUTH2", "OAUTHBEARER")
GENESYS_SCOPE = "https://outlook.office.com/.default"
GOOGLE_SCOPE = "https://mail.google.com/"
PERMISSIONS = {"imap": "IMAP.AccessAsUser.All", "pop3": "POP.AccessAsUser.All", "smtp": "SMTP.Send"}
PERMISSIONS["ews"] = "EWS.AccessAsUser.All"
ALL_GRANTED = "/.default"
ASKED_ANYWAY = frozenset({"openid", "profile", "offline_access"})
"""Scopes that are asked for in any case, so that they need not be named."""


class GrantType(StrEnum):
    """How a token is asked for (RFC 6749)."""

    PASSWORD = "password"  # noqa: S105
    CLIENT_CREDENTIALS = "client_credentials"
    AUTHORIZATION_CODE = "authorization_code"


def wanted_mechanisms(properties: ProtocolProperties) -> tuple[str, ...]:
    """The mechanisms that are named, in their order."""
    if isinstance(properties, SaslProperties) and properties.sasl_enable:
        return properties.sasl_mechanisms or properties.auth_mechanisms
    return properties.auth_mechanisms


def token_mechanisms(properties: ProtocolProperties) -> tuple[str, ...]:
    """Those of the wanted mechanisms that carry a token."""
    return tuple(name for name in wanted_mechanisms(properties) if name in TOKEN_MECHANISMS)


@dataclass(frozen=True, kw_only=True)
class TokenOptions:
    """Who gives tokens, and what they are asked with.

    `client_secret` is what the [secret-NAME] holds that `secret` names; None: it names none.
    """

    directory_id: str = option(parse.text, default="", help="Microsoft: the directory (tenant) ID.")
    tenant_authority: str = option(
        parse.text,
        default=MICROSOFT,
        help="Where tokens are asked for. A value with google in it chooses Google's way.",
    )
    client_id: str = option(parse.text, default="", help="The client ID of the application at Microsoft or Google.")
    scope_given: str = option(
        parse.text,
        default=GENESYS_SCOPE,
        name="scope",
        in_effect="scope",
        help="What the token is asked for. Left at its default it is what works for protocol, grant-type and cloud;"
        " emaild show says what that is.",
    )
    secret: str = option(
        parse.word,
        default="",
        help="The NAME of the [secret-NAME] that holds the client secret: of a Google application, or of one at"
        " Microsoft's that people sign in to.",
    )
    grant_type_given: GrantType | None = option(
        parse.optional(parse.one_of(GrantType)),
        default="",
        name="grant-type",
        in_effect="grant_type",
        help="How the token is asked for. Empty: client_credentials for Graph, else password. password: with the"
        " mailbox's password (Google: with a refresh token in password). client_credentials: password is the"
        " application's secret, or application-certificate proves it (Google: service-account-file)."
        " authorization_code: somebody signs in by emaild login.",
    )
    application_certificate: Path | None = option(
        parse.optional(parse.file),
        default="",
        help="Microsoft: a file with the certificate (PEM) that the application signs in with instead of a secret.",
    )
    application_key: Path | None = option(
        parse.optional(parse.file),
        default="",
        help="The file with the private key (PEM) of application-certificate. Empty: it stands in the same file.",
    )
    application_key_password: Secret | None = option(
        parse.optional(parse.secret), default="", help="The password of application-key, where it is encrypted."
    )
    secret_expires: datetime | None = option(
        parse.optional(parse.day),
        default="",
        help="The day on which the application's secret ends, as Microsoft's portal shows it: emaild warns before.",
    )
    service_account_file: Path | None = option(
        parse.optional(parse.file),
        default="",
        help="Google: the key file (JSON) of a service account with domain-wide delegation.",
    )
    token_endpoint: str = option(
        parse.text, default="https://oauth2.googleapis.com/token", help="Google: the URL where tokens are asked for."
    )
    authorization_endpoint: str = option(
        parse.text,
        default="https://accounts.google.com/o/oauth2/v2/auth",
        help="Google: the URL where a browser signs in.",
    )

    client_secret: Secret | None = None

    @property
    def is_google(self) -> bool:
        """Whether tokens are asked for Google's way."""
        return is_googles(self.tenant_authority)

    @property
    @abstractmethod
    def protocol_name(self) -> str:
        """The protocol of the section: pop3, imap, smtp, ews or graph."""

    @property
    def grant_type(self) -> GrantType:
        """How the token is asked for."""
        usual = GrantType.CLIENT_CREDENTIALS if self.protocol_name == "graph" else GrantType.PASSWORD
        return self.grant_type_given or usual

    @property
    def scope(self) -> str:
        """What the token is asked for."""
        protocol = self.protocol_name
        given = " ".join(word for word in self.scope_given.split() if word not in ASKED_ANYWAY)
        if given != GENESYS_SCOPE and given:
            return given
        if self.is_google:
            return GOOGLE_SCOPE
        cloud = cloud_of(self.tenant_authority)
        if protocol == "graph":
            return cloud.graph + ALL_GRANTED
        if self.grant_type is GrantType.CLIENT_CREDENTIALS:
            return cloud.outlook + ALL_GRANTED
        if self.grant_type is GrantType.AUTHORIZATION_CODE:
            return f"{cloud.outlook if protocol == 'ews' else cloud.people}/{PERMISSIONS[protocol]}"
        return cloud.people + ALL_GRANTED

    def check_no_tokens(self) -> Iterator[tuple[str, str]]:
        """What asks for tokens in a section that signs in without: an application's secret is no mailbox's password."""
        given = {
            "grant-type": self.grant_type_given not in (None, GrantType.PASSWORD),
            "service-account-file": self.service_account_file is not None,
        }
        needed = f"mail.{self.protocol_name}.auth.mechanisms = XOAUTH2"
        yield from ((name, f"it is about tokens, and needs {needed}") for name, there in given.items() if there)

    def token_doubts(self, password: Secret | None) -> Iterator[tuple[str, str]]:
        """What has no effect, or not the one that is meant, as (option, message)."""
        if self.grant_type is GrantType.AUTHORIZATION_CODE and password is not None and password.reveal():
            yield "password", "it has no effect: with grant-type = authorization_code somebody signs in by emaild login"
        for word in self.scope_given.split():
            name = word.rpartition("/")[2]
            if name.upper() == "POP3.ACCESSASUSER.ALL":  # as the guide spells it
                yield "scope", f"Microsoft has no permission called {name}; POP.AccessAsUser.All would be right"

    def check_tokens(self, password: Secret | None) -> Iterator[tuple[str, str]]:
        """What does not fit together where a section signs in with tokens, as (option, what is wrong)."""
        if self.is_google:
            yield from self._check_google(password)
            return
        yield from self._check_microsoft(password)
        if self.grant_type is GrantType.CLIENT_CREDENTIALS:
            yield from self._check_application()
        if self.service_account_file is not None:
            yield "service-account-file", "it is Google's; tenant-authority = google would be right"
        if self.grant_type is not GrantType.CLIENT_CREDENTIALS and self.application_certificate and self.secret:
            yield "application-certificate", "it contradicts secret; leave one of them out"

    def _check_google(self, password: Secret | None) -> Iterator[tuple[str, str]]:
        if self.protocol_name in ("ews", "graph"):
            yield (
                "tenant-authority",
                f"Google has no {self.protocol_name}; {MICROSOFT} would be right",
            )
        for name, url in (
            ("token-endpoint", self.token_endpoint),
            ("authorization-endpoint", self.authorization_endpoint),
        ):
            if not is_https(url):
                yield name, f"expected a URL such as https://oauth2.googleapis.com/token, found {parse.repeated(url)}"
        if self.service_account_file is not None:
            return
        if self.grant_type is GrantType.CLIENT_CREDENTIALS:
            yield "grant-type", "at Google client_credentials needs service-account-file"
            return
        if not self.client_id:
            yield "client-id", "it is missing; expected the client ID of the application at Google"
        if not self.secret:
            yield "secret", "it is missing; expected the NAME of the [secret-NAME] with the client secret"
        if self.grant_type is GrantType.PASSWORD and password is None:
            yield "password", "it is missing; expected the refresh token, or grant-type = authorization_code"

    def _check_microsoft(self, password: Secret | None) -> Iterator[tuple[str, str]]:
        if not is_https(self.tenant_authority) or urlsplit(self.tenant_authority).query:
            found = parse.repeated(self.tenant_authority)
            yield "tenant-authority", f"expected a URL such as {MICROSOFT}, found {found}"
        if not self.client_id:
            yield "client-id", "it is missing; expected the application (client) ID"
        if not re.fullmatch(r"[\w.-]*", self.directory_id):
            yield "directory-id", f"expected a directory (tenant) ID, found {parse.repeated(self.directory_id)}"
        if self.application_certificate is None:
            for name, given in (("key", self.application_key), ("key-password", self.application_key_password)):
                if given is not None:
                    yield f"application-{name}", "it needs its partner, application-certificate"
        if self.grant_type is GrantType.PASSWORD and password is None:
            yield "password", "it is missing; expected the mailbox's password, or another grant-type"

    def _check_application(self) -> Iterator[tuple[str, str]]:
        if self.directory_id.lower() in ("", "common", "organizations", "consumers"):
            yield "directory-id", "client_credentials needs the ID of one directory (tenant)"
        if not self.scope.endswith(ALL_GRANTED) or " " in self.scope:
            yield "scope", f"client_credentials needs one that ends in {ALL_GRANTED}"


def is_https(url: str) -> bool:
    """Whether it is the URL of a server that is spoken to by TLS, without a user in it."""
    if not re.fullmatch(r"[!-~]+", url) or "@" in url:
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def needs_password(values: Mapping[str, Any]) -> bool:
    """Whether a mailbox needs its password, by what else is given of it."""
    if values.get("grant_type_given") is GrantType.AUTHORIZATION_CODE:
        return False
    return not (values.get("application_certificate") or values.get("service_account_file"))
