"""Microsoft's token endpoint, with its refusals by their codes."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tests.servers.authorization_rules import Client, Device, Form, Given, Realm, Refused

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SAML = "urn:ietf:params:oauth:grant-type:saml1_1-bearer"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


def token(realm: Realm, form: Form, endpoint: str) -> dict[str, Any]:
    """The answer to a request for a token; *endpoint* is the URL that it came to."""
    client = _client(realm, form, endpoint)
    match form.get("grant_type"):
        case "client_credentials":
            return _application(realm, form, client)
        case "password":
            return _by_password(realm, form, client)
        case grant if grant == SAML:
            return _by_assertion(realm, form, client)
        case "refresh_token":
            return _refreshed(realm, form, client, 700082)
        case "authorization_code":
            return realm.by_code(form, client)
        case grant if grant == DEVICE:
            return _by_device(realm, form, client)
    raise Refused("unsupported_grant_type", 70003)


def _client(realm: Realm, form: Form, endpoint: str) -> Client:
    client = realm.clients.get(form.get("client_id", ""))
    if client is None:
        raise Refused("unauthorized_client", 700016)
    if "client_assertion" in form:
        _verify(realm, form, client, endpoint)
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


def _verify(realm: Realm, form: Form, client: Client, endpoint: str) -> None:
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
    if header.get("x5t#S256", "").rstrip("=") != thumb or said["sub"] != client.id or said["jti"] in realm.assertions:
        raise Refused("invalid_client", 700027, 401)
    if said["exp"] > time.time() + 24 * 3600:
        raise Refused("invalid_client", 700024, 401)
    realm.assertions.add(said["jti"])


def _application(realm: Realm, form: Form, client: Client) -> dict[str, Any]:
    scope = form.get("scope", "")
    if client.public:
        raise Refused("invalid_client", 7000216, 401)
    if not scope.endswith("/.default") or " " in scope:
        raise Refused("invalid_scope", 1002012)
    realm.consented(scope, client)
    return realm.answer(Given("", client.id, scope), refresh=False)


def _by_password(realm: Realm, form: Form, client: Client) -> dict[str, Any]:
    person = realm.person(form.get("username", ""), form.get("password", ""))
    if person.trouble:
        raise Refused("interaction_required" if person.trouble == 50076 else "invalid_grant", person.trouble)
    realm.consented(form.get("scope", ""), client)
    return realm.answer(Given(person.name, client.id, form.get("scope", "")))


def _by_assertion(realm: Realm, form: Form, client: Client) -> dict[str, Any]:
    """RFC 7522 §2.1, for a user whose password another server has checked."""
    assertion = base64.urlsafe_b64decode(form.get("assertion", "") + "==").decode()
    user = realm.federation.issued.get(assertion)
    if user is None:
        raise Refused("invalid_grant", 50008)
    realm.consented(form.get("scope", ""), client)
    return realm.answer(Given(user, client.id, form.get("scope", "")))


def _refreshed(realm: Realm, form: Form, client: Client, code: int) -> dict[str, Any]:
    token = form.get("refresh_token", "")
    given = realm.refresh_tokens.get(token)
    if given is None or given.client != client.id:
        raise Refused("invalid_grant", code)
    person = realm.people.get(given.user)
    if person is not None and person.trouble:
        raise Refused("invalid_grant", person.trouble)
    scope = form.get("scope") or given.scope
    realm.consented(scope, client)
    if realm.rotate and realm.used_once:
        del realm.refresh_tokens[token]
    return realm.answer(Given(given.user, client.id, scope), refresh=realm.rotate)


def device(realm: Realm, form: Form) -> Device:
    """A new device code (RFC 8628)."""
    client = realm.clients.get(form.get("client_id", ""))
    if client is None:
        raise Refused("unauthorized_client", 700016)
    realm.consented(form.get("scope", ""), client)
    made = Device(secrets.token_urlsafe(24), secrets.token_hex(4).upper(), client.id, form["scope"])
    realm.devices[made.code] = made
    return made


def _by_device(realm: Realm, form: Form, client: Client) -> dict[str, Any]:
    device = realm.devices.get(form.get("device_code", ""))
    if device is None or device.client != client.id:
        raise Refused("invalid_grant", 70000)
    match device.state:
        case "pending":
            raise Refused("authorization_pending", 70016)
        case "declined":
            raise Refused("authorization_declined", 70018)
        case "expired":
            raise Refused("expired_token", 70020)
    del realm.devices[device.code]
    return realm.answer(Given(device.user, client.id, device.scope))
