"""What the authorization server of the tests knows and demands: Microsoft's refusals by their codes, and Google's."""

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
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
GOOGLES_OWN = "https://oauth2.googleapis.com/token"
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
    federated: set[str] = field(default_factory=set)
    seconds: int = 3600
    token_length: int = 0
    """How long tokens are at least."""
    tokens: dict[str, Given] = field(default_factory=dict)
    refresh_tokens: dict[str, Given] = field(default_factory=dict)
    codes: dict[str, Given] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    assertions: set[str] = field(default_factory=set)
    rotate: bool = True

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

    # Microsoft's token endpoint

    def microsoft(self, form: Form, endpoint: str) -> dict[str, Any]:
        client = self._client(form, endpoint)
        match form.get("grant_type"):
            case "client_credentials":
                return self._application(form, client)
            case "password":
                return self._by_password(form, client)
            case "refresh_token":
                return self._refreshed(form, client, 700082)
            case "authorization_code":
                return self._by_code(form, client)
            case grant if grant == DEVICE:
                return self._by_device(form, client)
        raise Refused("unsupported_grant_type", 70003)

    def _client(self, form: Form, endpoint: str) -> Client:
        client = self.clients.get(form.get("client_id", ""))
        if client is None:
            raise Refused("unauthorized_client", 700016)
        if "client_assertion" in form:
            self._verify(form, client, endpoint)
        elif "client_secret" in form:
            if client.public:
                raise Refused("invalid_client", 700025, 401)
            if form["client_secret"] != client.secret:
                raise Refused("invalid_client", 7000215, 401, "Invalid client secret provided.")
            if client.secret_expired:
                raise Refused("invalid_client", 7000222, 401)
        elif not client.public:
            raise Refused("invalid_client", 7000218, 401)
        return client

    def _verify(self, form: Form, client: Client, endpoint: str) -> None:
        """RFC 7523 §3, and the thumbprint that Microsoft wants in the header."""
        assertion = form["client_assertion"]
        if form.get("client_assertion_type") != ASSERTION or not client.certificate:
            raise Refused("invalid_client", 700027, 401)
        certificate = x509.load_pem_x509_certificate(client.certificate)
        der = certificate.public_bytes(Encoding.DER)
        try:
            said = jwt.decode(
                assertion,
                certificate.public_key(),  # type: ignore[arg-type]  # the application's is RSA
                algorithms=["RS256", "PS256"],
                audience=endpoint,
                issuer=client.id,
                options={"require": ["exp", "iss", "sub", "aud", "jti"]},
            )
        except jwt.PyJWTError as error:
            raise Refused("invalid_client", 700027, 401, str(error)) from error
        header = jwt.get_unverified_header(assertion)
        thumb = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()
        if (
            header.get("x5t#S256", "").rstrip("=") != thumb
            or said["sub"] != client.id
            or said["jti"] in self.assertions
        ):
            raise Refused("invalid_client", 700027, 401)
        if said["exp"] > time.time() + 24 * 3600:
            raise Refused("invalid_client", 700024, 401)
        self.assertions.add(said["jti"])

    def _application(self, form: Form, client: Client) -> dict[str, Any]:
        scope = form.get("scope", "")
        if client.public:
            raise Refused("invalid_client", 7000216, 401)
        if not scope.endswith("/.default") or " " in scope:
            raise Refused("invalid_scope", 1002012)
        self._consented(scope, client)
        return self._answer(Given("", client.id, scope), refresh=False)

    def _consented(self, scope: str, client: Client) -> None:
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

    def _by_password(self, form: Form, client: Client) -> dict[str, Any]:
        person = self.person(form.get("username", ""), form.get("password", ""))
        if person.trouble:
            raise Refused("interaction_required" if person.trouble == 50076 else "invalid_grant", person.trouble)
        self._consented(form.get("scope", ""), client)
        return self._answer(Given(person.name, client.id, form.get("scope", "")))

    def _refreshed(self, form: Form, client: Client, code: int) -> dict[str, Any]:
        token = form.get("refresh_token", "")
        given = self.refresh_tokens.get(token)
        if given is None or given.client != client.id:
            raise Refused("invalid_grant", code)
        person = self.people.get(given.user)
        if person is not None and person.trouble:
            raise Refused("invalid_grant", person.trouble)
        scope = form.get("scope") or given.scope
        self._consented(scope, client)
        if self.rotate:
            del self.refresh_tokens[token]
        return self._answer(Given(given.user, client.id, scope), refresh=self.rotate)

    def _by_code(self, form: Form, client: Client, google: bool = False) -> dict[str, Any]:
        given = self.codes.get(form.get("code", ""))
        if given is None or given.client != client.id or given.redirect != form.get("redirect_uri"):
            raise Refused("invalid_grant", 0 if google else 70000)
        if given.used:
            raise Refused("invalid_grant", 0 if google else 54005)
        given.used = True
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != given.challenge:
            raise Refused("invalid_grant", 0 if google else 501481)
        return self._answer(given)

    # Device code (RFC 8628)

    def device(self, form: Form) -> Device:
        """A new device code."""
        client = self.clients.get(form.get("client_id", ""))
        if client is None:
            raise Refused("unauthorized_client", 700016)
        self._consented(form.get("scope", ""), client)
        made = Device(secrets.token_urlsafe(24), secrets.token_hex(4).upper(), client.id, form["scope"])
        self.devices[made.code] = made
        return made

    def approve(self, user_code: str, user: str = "", state: str = "granted") -> None:
        """What somebody does in a browser, on another machine."""
        (device,) = [one for one in self.devices.values() if one.user_code == user_code]
        device.state, device.user = state, user

    def _by_device(self, form: Form, client: Client) -> dict[str, Any]:
        device = self.devices.get(form.get("device_code", ""))
        if device is None or device.client != client.id:
            raise Refused("invalid_grant", 70000)
        match device.state:
            case "pending":
                raise Refused("authorization_pending", 70016)
            case "declined":
                raise Refused("authorization_declined", 70018)
            case "expired":
                raise Refused("expired_token", 70020)
        del self.devices[device.code]
        return self._answer(Given(device.user, client.id, device.scope))

    # Google's token endpoint

    def google(self, form: Form) -> dict[str, Any]:
        if form.get("grant_type") == JWT_BEARER:
            return self._by_service_account(form)
        client = self.clients.get(form.get("client_id", ""))
        if client is None or form.get("client_secret") != client.secret:
            raise Refused("invalid_client", status=401, words="Unauthorized")
        match form.get("grant_type"):
            case "refresh_token":
                given = self.refresh_tokens.get(form.get("refresh_token", ""))
                if given is None or given.client != client.id:
                    raise Refused("invalid_grant", words="Token has been expired or revoked.")
                return self._answer(given, refresh=False)
            case "authorization_code":
                return self._by_code(form, client, google=True)
        raise Refused("unsupported_grant_type", words="Invalid grant_type")

    def _by_service_account(self, form: Form) -> dict[str, Any]:
        assertion = form.get("assertion", "")
        try:
            account = jwt.decode(assertion, options={"verify_signature": False}).get("iss", "")
            said = jwt.decode(
                assertion,
                self.service_accounts.get(account, ""),
                algorithms=["RS256"],
                audience=GOOGLES_OWN,  # google-auth writes it whatever the endpoint is
                options={"require": ["exp", "iat", "iss", "aud"]},
            )
        except (jwt.PyJWTError, ValueError) as error:
            raise Refused("invalid_grant", words="Invalid JWT Signature.") from error
        if said["exp"] - said["iat"] > 3600:
            raise Refused("invalid_grant", words="Invalid JWT: Token must be a short-lived token (60 minutes)")
        if not set(said.get("scope", "").split()) <= self.delegated:
            raise Refused("unauthorized_client", status=401, words="Client is unauthorized for this scope.")
        if said.get("sub") not in self.people:
            raise Refused("invalid_grant", words="Invalid email or User ID")
        return self._answer(Given(said["sub"], account, said["scope"]), refresh=False)

    def _answer(self, given: Given, refresh: bool = True) -> dict[str, Any]:
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
