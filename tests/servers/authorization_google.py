"""Google's token endpoint."""

from __future__ import annotations

from typing import Any

import jwt

from tests.servers.authorization_rules import Form, Given, Realm, Refused

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
GOOGLES_OWN = "https://oauth2.googleapis.com/token"


def token(realm: Realm, form: Form) -> dict[str, Any]:
    """The answer to a request for a token."""
    if form.get("grant_type") == JWT_BEARER:
        return _by_service_account(realm, form)
    client = realm.clients.get(form.get("client_id", ""))
    if client is None or form.get("client_secret") != client.secret:
        raise Refused("invalid_client", status=401, words="Unauthorized")
    match form.get("grant_type"):
        case "refresh_token":
            given = realm.refresh_tokens.get(form.get("refresh_token", ""))
            if given is None or given.client != client.id:
                raise Refused("invalid_grant", words="Token has been expired or revoked.")
            return realm.answer(given, refresh=False)
        case "authorization_code":
            return realm.by_code(form, client, google=True)
    raise Refused("unsupported_grant_type", words="Invalid grant_type")


def _by_service_account(realm: Realm, form: Form) -> dict[str, Any]:
    assertion = form.get("assertion", "")
    try:
        account = jwt.decode(assertion, options={"verify_signature": False}).get("iss", "")
        said = jwt.decode(
            assertion,
            realm.service_accounts.get(account, ""),
            algorithms=["RS256"],
            audience=GOOGLES_OWN,  # google-auth writes it whatever the endpoint is
            options={"require": ["exp", "iat", "iss", "aud"]},
        )
    except (jwt.PyJWTError, ValueError) as error:
        raise Refused("invalid_grant", words="Invalid JWT Signature.") from error
    if said["exp"] - said["iat"] > 3600:
        raise Refused("invalid_grant", words="Invalid JWT: Token must be a short-lived token (60 minutes)")
    if not set(said.get("scope", "").split()) <= realm.delegated:
        raise Refused("unauthorized_client", status=401, words="Client is unauthorized for this scope.")
    if said.get("sub") not in realm.people:
        raise Refused("invalid_grant", words="Invalid email or User ID")
    return realm.answer(Given(said["sub"], account, said["scope"]), refresh=False)
