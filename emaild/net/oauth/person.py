"""A person signs in, in a browser on this machine or by a code on any other: what `emaild login` does.

begun = begin(section, proxy=None, redirect="http://localhost:4711")
# open begun.url; the browser comes back to the redirect with a query
signed_in = begun.finish(query)
keep(section, sealed, signed_in)
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

from emaild.errors import Rejected, RemoteError
from emaild.net.oauth import google, microsoft
from emaild.net.oauth.causes import MICROSOFT, cause_of
from emaild.net.oauth.grant import Grant, ServerSection, Way, grant_of, issued_of
from emaild.net.oauth.refusal import refusal
from emaild.net.oauth.sealed import Sealed
from emaild.net.oauth.web import FORM, Web
from emaild.net.peer import peer_of
from emaild.settings.network import ProxySection
from emaild.settings.secret import Secret

ACTION = "sign in"
LEAST_POLL, MOST_POLL = 1.0, 60.0  # seconds
MOST_LIFE = 3600.0  # seconds a device code is waited for


@dataclass(frozen=True)
class SignedIn:
    """Who signed in, by the address that the authority knows, and what gives tokens from now on.

    `addresses`: all by which the authority knows them; a user's name and their address may be two.
    """

    user: str
    refresh: Secret
    addresses: tuple[str, ...] = ()


class Begun(Protocol):
    """A sign-in that a browser is to end: by opening `url`, and coming back."""

    url: str

    def finish(self, answer: Mapping[str, str]) -> SignedIn:
        """*answer* is the query that the browser came back with. It is taken once.

        Raises:
            RemoteError: declined, not the answer to this sign-in, or the authority does not take it.
        """


def begin(section: ServerSection, *, proxy: ProxySection | None, redirect: str, consent: Sequence[str] = ()) -> Begun:
    """Begin a sign-in with authorization code and PKCE (RFC 7636, RFC 8252); the browser comes back to *redirect*.

    *consent* are scopes to consent to at once, beside the section's.

    Raises:
        RemoteError: the authority cannot be asked, or the section has no sign-in by token with people in it.
    """
    grant, web = _of(section, proxy)
    if grant.google:
        return _AtGoogle(grant, web, section.authorization_endpoint, redirect)
    return _AtMicrosoft(grant, web, redirect, consent)


def begin_by_device(section: ServerSection, *, proxy: ProxySection | None) -> Device:
    """Begin a sign-in by a code that is typed in on another machine (RFC 8628).

    Raises:
        RemoteError: as `begin`; Google has none for mail.
    """
    grant, web = _of(section, proxy)
    if grant.google:
        raise Rejected(grant.authority, ACTION, "Google has no device code for mail; sign in by a browser")
    return Device(grant, web)


def keep(section: ServerSection, sealed: Sealed, signed_in: SignedIn) -> None:
    """Keep what somebody signed in with, so that the section gets its tokens by it; the daemon sees it at once.

    Raises:
        OSError: it cannot be written.
    """
    grant = grant_of(section)
    assert grant is not None
    sealed.write(grant.sealed_name, signed_in.refresh)


def _of(section: ServerSection, proxy: ProxySection | None) -> tuple[Grant, Web]:
    grant = grant_of(section)
    if grant is None or grant.way is not Way.SIGNED_IN:
        wrong = "nobody signs in for it; it needs grant-type = authorization_code, and XOAUTH2 as auth.mechanisms"
        raise Rejected(section.name, ACTION, wrong)
    return grant, Web(peer_of(section, proxy), grant.authority, grant.secrets)


class _AtMicrosoft:
    def __init__(self, grant: Grant, web: Web, redirect: str, consent: Sequence[str]) -> None:
        self._grant = grant
        self._web = web
        self._flow: dict[str, Any] | None = None
        scopes = list(dict.fromkeys([*grant.scope.split(), *consent]))

        def ask() -> Mapping[str, Any]:
            self._application = microsoft.application(grant, web)
            return self._application.initiate_auth_code_flow(  # type: ignore[no-any-return]
                scopes, redirect_uri=redirect, login_hint=grant.user, prompt="select_account"
            )

        self._flow = dict(microsoft.told(grant, web, ask))
        self.url = str(self._flow.get("auth_uri"))

    def finish(self, answer: Mapping[str, str]) -> SignedIn:
        flow, self._flow = self._flow, None
        _check_state(self._grant, flow and flow.get("state"), answer)

        def ask() -> Mapping[str, Any]:
            return self._application.acquire_token_by_auth_code_flow(  # type: ignore[no-any-return]
                flow, dict(answer), self._grant.scope.split()
            )

        return _signed_in(self._grant, microsoft.told(self._grant, self._web, ask))


class _AtGoogle:
    def __init__(self, grant: Grant, web: Web, endpoint: str, redirect: str) -> None:
        self._grant = grant
        self._web = web
        self._redirect = redirect
        self._state: str | None = secrets.token_urlsafe(24)
        self._verifier = secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self._verifier.encode()).digest()).rstrip(b"=")
        query = {
            "client_id": grant.client_id,
            "redirect_uri": redirect,
            "response_type": "code",
            "scope": f"openid email {grant.scope}",
            "state": self._state,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
            "access_type": "offline",
            "prompt": "consent",  # without it there is no refresh token at a second sign-in
            "login_hint": grant.user,
        }
        self.url = f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    def finish(self, answer: Mapping[str, str]) -> SignedIn:
        state, self._state = self._state, None
        _check_state(self._grant, state, answer)
        if "code" not in answer:
            raise google.why(self._grant, answer)
        form = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": self._redirect,
            "client_id": self._grant.client_id,
            "client_secret": self._grant.secret.reveal() if self._grant.secret else "",
            "code_verifier": self._verifier,
        }
        self._web.said = self._web.given = {}
        self._web(self._grant.authority, "POST", urlencode(form).encode(), {"Content-Type": FORM})
        if self._web.said:
            raise google.why(self._grant, self._web.said)
        return _signed_in(self._grant, self._web.given)


class Device:
    """`user_code` is to be typed in at `url`; `poll` every `interval` seconds, for `life` seconds at most."""

    def __init__(self, grant: Grant, web: Web) -> None:
        self._grant = grant
        self._web = web

        def ask() -> Mapping[str, Any]:
            self._application = microsoft.application(grant, web)
            return self._application.initiate_device_flow(grant.scope.split())  # type: ignore[no-any-return]

        self._flow = dict(microsoft.told(grant, web, ask))
        if not isinstance(self._flow.get("device_code"), str):
            raise refusal(grant, cause_of(self._flow, MICROSOFT))
        self.user_code = str(self._flow.get("user_code"))
        self.url = str(self._flow.get("verification_uri"))
        self.interval = _within(self._flow.get("interval"), LEAST_POLL, MOST_POLL)
        self.life = _within(self._flow.get("expires_in"), LEAST_POLL, MOST_LIFE)

    def poll(self) -> SignedIn | None:
        """Who signed in; None: nobody yet.

        Raises:
            RemoteError: declined, too late, or the authority cannot be asked; Busy and Unreachable pass.
        """

        def ask() -> Mapping[str, Any]:
            once = {"exit_condition": lambda flow: True}
            return self._application.acquire_token_by_device_flow(self._flow, **once)  # type: ignore[no-any-return]

        answer = microsoft.told(self._grant, self._web, ask)
        if answer.get("error") == "slow_down":
            self.interval = min(self.interval + 5, MOST_POLL)  # RFC 8628 §3.5
        if answer.get("error") in ("authorization_pending", "slow_down"):
            return None
        return _signed_in(self._grant, answer)


def _within(value: object, least: float, most: float) -> float:
    return min(max(float(value), least), most) if isinstance(value, int | float) else least


def _check_state(grant: Grant, state: object, answer: Mapping[str, str]) -> None:
    if not isinstance(state, str) or not hmac.compare_digest(state.encode(), answer.get("state", "").encode()):
        raise Rejected(
            grant.authority, ACTION, "the browser came back with the answer to another sign-in (wrong state)"
        )


def _signed_in(grant: Grant, answer: Mapping[str, Any]) -> SignedIn:
    issued = issued_of(answer)
    if issued is None:
        raise _why_not(grant, answer)
    if issued.refresh is None:
        raise Rejected(grant.authority, ACTION, "the authority gave no refresh token; may the application have one?")
    claims = answer.get("id_token_claims") or _claims(answer.get("id_token"))
    names = (claims.get(name) for name in ("preferred_username", "upn", "email") if isinstance(claims, dict))
    addresses = tuple(dict.fromkeys(name for name in names if isinstance(name, str) and name))
    return SignedIn(next(iter(addresses), ""), issued.refresh, addresses)


def _why_not(grant: Grant, answer: Mapping[str, Any]) -> RemoteError:
    return google.why(grant, answer) if grant.google else refusal(grant, cause_of(answer, MICROSOFT))


def _claims(id_token: object) -> dict[str, Any]:
    """What an ID token says. It came from the authority itself by TLS: its signature adds nothing (OIDC §3.1.3.7)."""
    try:
        part = str(id_token).split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
