"""What the authorization server of the tests knows, and what both of its token endpoints do alike."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt

from tests.servers.federation import Federation

ANY_TENANT = ("common", "organizations")

Form = Mapping[str, str]


class Refused(Exception):
    """An answer as RFC 6749 §5.2 has it; *code* is the number of an AADSTS code, 0 at Google."""

    def __init__(self, error: str, code: int = 0, status: int = 400, words: str = "") -> None:
        super().__init__(error, code)
        self.status = status
        described = f"AADSTS{code}: {words or 'It is not so.'} Trace ID: 1 Correlation ID: 2" if code else words
        self.body: dict[str, Any] = {"error": error, "error_description": described}
        if code:
            self.body["error_codes"] = [code]


@dataclass
class Client:
    """An application. Without `secret` and `certificate` (PEM, DER digest made of it) it is a public one."""

    id: str
    secret: str = ""
    secret_expired: bool = False
    certificate: bytes = b""
    permissions: frozenset[str] = frozenset({"https://"})
    """Beginnings of the scopes that somebody consented to."""

    @property
    def public(self) -> bool:
        return not (self.secret or self.certificate)


@dataclass
class Person:
    """A user; `trouble` is the code with which a sign-in is refused."""

    name: str
    password: str
    trouble: int = 0


@dataclass
class Given:
    """What a token, a refresh token or a code stands for."""

    user: str
    client: str
    scope: str
    ends: float = 0.0
    redirect: str = ""
    challenge: str = ""
    nonce: str = ""
    used: bool = False


@dataclass
class Device:
    """A device code; `user` is who signed in with it, `state` pending, granted, declined or expired."""

    code: str
    user_code: str
    client: str
    scope: str
    state: str = "pending"
    user: str = ""


@dataclass
class Realm:
    """Everything that the server knows. A test may change all of it."""

    tenants: set[str] = field(default_factory=lambda: {"contoso"})
    clients: dict[str, Client] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    service_accounts: dict[str, str] = field(default_factory=dict)
    """Address of each, and its public key (PEM)."""
    delegated: set[str] = field(default_factory=lambda: {"https://mail.google.com/"})
    federated: dict[str, str] = field(default_factory=dict)
    """People whose passwords another server checks, and the URL of its metadata."""
    federation: Federation = field(default_factory=Federation)
    """That other server: what it issued is taken here."""
    seconds: int = 3600
    token_length: int = 0
    """How long tokens are at least."""
    tokens: dict[str, Given] = field(default_factory=dict)
    refresh_tokens: dict[str, Given] = field(default_factory=dict)
    codes: dict[str, Given] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    assertions: set[str] = field(default_factory=set)
    rotate: bool = True
    used_once: bool = True
    """Whether a refresh token that was used is not taken again; Microsoft's are."""

    def mint(self, user: str, scope: str = "mail", client: str = "", seconds: float | None = None) -> str:
        """An access token without anybody's asking."""
        token = secrets.token_urlsafe(24).ljust(self.token_length, "x")
        self.tokens[token] = Given(user, client, scope, time.time() + (self.seconds if seconds is None else seconds))
        return token

    def sign_in(self, user: str, client: str, scope: str = "mail") -> str:
        """A refresh token without anybody's asking."""
        token = "rt-" + secrets.token_urlsafe(24)
        self.refresh_tokens[token] = Given(user, client, scope)
        return token

    def revoke(self, user: str) -> None:
        """All that was ever given to that user."""
        for kept in (self.tokens, self.refresh_tokens):
            for token in [token for token, given in kept.items() if given.user == user]:
                del kept[token]

    def active(self, token: str) -> Given | None:
        """What a token stands for, as long as it is valid."""
        given = self.tokens.get(token)
        return given if given is not None and given.ends > time.time() else None

    def consented(self, scope: str, client: Client) -> None:
        """Refuse a scope that nobody consented to."""
        for word in scope.split():
            if word in ("openid", "profile", "offline_access", "email"):
                continue
            if not word.startswith(("https://", "mail")):
                raise Refused("invalid_scope", 70011)
            if not any(word.startswith(begin) for begin in client.permissions):
                raise Refused("invalid_grant", 65001)

    def person(self, name: str, password: str) -> Person:
        """Who that is, if the password is right."""
        person = self.people.get(name)
        if person is None:
            raise Refused("invalid_grant", 50034)
        if not hmac.compare_digest(person.password, password):
            raise Refused("invalid_grant", 50126)
        return person

    def by_code(self, form: Form, client: Client, google: bool = False) -> dict[str, Any]:
        """What a code is good for, once."""
        given = self.codes.get(form.get("code", ""))
        if given is None or given.client != client.id or given.redirect != form.get("redirect_uri"):
            raise Refused("invalid_grant", 0 if google else 70000)
        if given.used:
            raise Refused("invalid_grant", 0 if google else 54005)
        given.used = True
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != given.challenge:
            raise Refused("invalid_grant", 0 if google else 501481)
        return self.answer(given)

    def approve(self, user_code: str, user: str = "", state: str = "granted") -> None:
        """What somebody does in a browser, on another machine."""
        (device,) = [one for one in self.devices.values() if one.user_code == user_code]
        device.state, device.user = state, user

    def answer(self, given: Given, refresh: bool = True) -> dict[str, Any]:
        """A good answer (RFC 6749 §5.1)."""
        answer: dict[str, Any] = {
            "token_type": "Bearer",
            "expires_in": self.seconds,
            "scope": given.scope,
            "access_token": self.mint(given.user, given.scope, given.client),
        }
        if given.user:
            answer["id_token"] = self._id_token(given)
            if refresh:
                answer["refresh_token"] = self.sign_in(given.user, given.client, given.scope)
        return answer

    def _id_token(self, given: Given) -> str:
        now = int(time.time())
        claims = {
            "iss": "https://localhost/contoso/v2.0",
            "aud": given.client,
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
        }
        claims |= {"sub": "s", "oid": "o", "tid": "t", "preferred_username": given.user, "email": given.user}
        if given.nonce:
            claims["nonce"] = given.nonce
        return jwt.encode(claims, "nobody looks at the signature of what TLS brought", algorithm="HS256")


def as_json(value: object) -> bytes:
    """The bytes of an answer."""
    return json.dumps(value).encode()
