"""How the libraries of Microsoft and Google reach the network: by our own door, with its proxy, trust and bounds.

One object is both: what msal takes as `http_client`, and what google-auth takes as its transport `Request`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from emaild.errors import Busy, Rejected, Unreachable
from emaild.net.http import HttpAnswer, ask
from emaild.net.masking import masked
from emaild.net.oauth.apart import CalledOff, Stop
from emaild.net.oauth.federation import fault_of, is_searchable
from emaild.net.peer import Peer, Trust
from emaild.net.retry_after import seconds_of
from emaild.settings.cloud import is_microsofts
from emaild.settings.secret import Secret
from emaild.settings.server import Security

ACTION = "ask for a token"
REALM_LOOK_UP = "/common/userrealm/"
LONGEST_TIMEOUT = 60.0  # seconds; a token has many mailboxes waiting
PASSING = ("server_error", "temporarily_unavailable", "internal_failure")
NO_FEDERATION = "the organization's sign-in server, which the authority leads to, answers not as one does"
FORM = "application/x-www-form-urlencoded"
METADATA = "/.well-known/openid-configuration"
SECRET_FIELDS = (
    *("password", "refresh_token", "client_secret", "client_assertion", "assertion"),
    *("code", "code_verifier", "device_code"),
)
"""What of a request (RFC 6749, 7521, 7636, 8628) no message may repeat."""


@dataclass(frozen=True)
class LibraryAnswer:
    """An answer as msal (status_code, text) and google-auth (status, data) want it."""

    status: int
    headers: Mapping[str, str]
    data: bytes

    @property
    def status_code(self) -> int:
        return self.status

    @property
    def text(self) -> str:
        return self.data.decode("utf-8", "replace")

    def raise_for_status(self) -> None:
        """What msal calls where it expects success alone."""
        if self.status >= 400:
            raise ValueError(f"status {self.status}")


class Web:
    """`given` is the last answer if it was good, else `said` is, the error (RFC 6749 §5.1, §5.2).

    `federated`: the authority said that another server checks the user's password.
    """

    def __init__(self, peer: Peer, authority: str, secrets: Sequence[Secret] = (), stop: Stop | None = None) -> None:
        """*peer* tells how to get out; where to, each URL says. No error answer repeats *secrets*, nor the request's.

        *stop* ends a request that is under way, and each after it.
        """
        self._peer = replace(
            peer,
            security=Security.SSL_TLS,
            starttls_if_offered=False,
            starttls_required=False,
            trust=Trust(
                ca_file=peer.trust.ca_file,
                minimum_version=peer.trust.minimum_version,
                protocols=peer.trust.protocols,
                ciphersuites=peer.trust.ciphersuites,
            ),
            protocol_timeout=min(peer.protocol_timeout, LONGEST_TIMEOUT),
            local_port=0,
            trace=False,
        )
        self._authority = authority
        self._secrets = tuple(secrets)
        self._stop = stop or Stop()
        self.said: Mapping[str, Any] = {}
        self.given: Mapping[str, Any] = {}
        self.federated = False

    def get(
        self, url: str, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None, **_: Any
    ) -> LibraryAnswer:
        """msal's."""
        return self._ask("GET", f"{url}?{urlencode(params)}" if params else url, headers, b"")

    def post(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, Any] | str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **_: Any,
    ) -> LibraryAnswer:
        """msal's."""
        fields = dict(headers or {})
        if isinstance(data, Mapping):
            fields["Content-Type"] = FORM
            data = urlencode(data)
        body = data.encode() if isinstance(data, str) else data or b""
        return self._ask("POST", f"{url}?{urlencode(params)}" if params else url, fields, body)

    def close(self) -> None:
        """msal's; nothing is kept open."""

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> LibraryAnswer:
        """google-auth's."""
        return self._ask(method, url, headers, body or b"")

    def _ask(self, method: str, url: str, headers: Mapping[str, str] | None, body: bytes) -> LibraryAnswer:
        peer, target = self._place(url)
        fields = {name: str(value) for name, value in (headers or {}).items() if value is not None}
        try:
            answer = self._stop.wait_for(lambda: ask(peer, method, target, fields, body))
        except CalledOff as error:
            raise Unreachable(str(peer), ACTION, "it did not answer before emaild ended") from error
        if self.federated and fields.get("Content-Type") != FORM:
            return self._of_federation(peer, answer)
        said = _said(answer)
        if answer.status != 200 or "error" in said:
            said = self._masked(said, body)
            answer = replace(answer, body=json.dumps(said).encode())
        elif url.partition("?")[0].endswith(METADATA):
            self._check_issuer(said)
        self.federated = self.federated or (
            target.startswith(REALM_LOOK_UP) and said.get("account_type") == "Federated"
        )
        passes = said.get("error") in PASSING
        if answer.status == 429 or answer.status >= 500 or (passes and answer.status != 200):
            why = f"it answers with status {answer.status}" + (f", {said['error']}" if passes else "")
            raise Busy(str(peer), ACTION, why, _patience(answer))
        good = answer.status == 200
        self.given = said if good else {}
        self.said = {} if good else said or {"error": f"status {answer.status}"}
        return LibraryAnswer(answer.status, answer.headers, answer.body)

    def _of_federation(self, peer: Peer, answer: HttpAnswer) -> LibraryAnswer:
        """AD FS says with status 500 that a password is wrong: what is a fault is an answer, whatever the status."""
        self.said = self._masked(fault_of(answer.body), b"")
        if not self.said and (answer.status == 429 or answer.status >= 500):
            raise Busy(
                str(peer),
                ACTION,
                f"it answers with status {answer.status}",
                _patience(answer),
            )
        if not is_searchable(answer.body) or not (self.said or answer.status == 200):
            raise Unreachable(str(peer), ACTION, f"{NO_FEDERATION} (status {answer.status})")
        return LibraryAnswer(answer.status, answer.headers, answer.body)

    def _masked(self, said: Mapping[str, Any], body: bytes) -> dict[str, Any]:
        """An error answer without the secrets of the request that it is for."""
        sent = parse_qsl(body.decode("utf-8", "replace"))
        secrets = [*self._secrets, *(Secret(value) for name, value in sent if name in SECRET_FIELDS)]
        return {name: masked(said[name], secrets) if isinstance(said[name], str) else said[name] for name in said}

    def _check_issuer(self, said: Mapping[str, Any]) -> None:
        """RFC 8414 §3.3, as far as it goes: Microsoft's issuer names a directory otherwise than we do, or none.

        Raises:
            Rejected: these are the addresses of another authority.
        """
        issuer = said.get("issuer")
        if isinstance(issuer, str) and not _is_of(issuer, self._authority):
            shown = "".join(filter(str.isprintable, issuer))[:100]
            raise Rejected(
                str(self._peer), ACTION, f"it gives the addresses of another one ({shown}); is tenant-authority right?"
            )

    def _place(self, url: str) -> tuple[Peer, str]:
        try:
            parts = urlsplit(url)
            usable = parts.scheme == "https" and bool(parts.hostname) and parts.username is None and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise Rejected(str(self._peer), ACTION, "the authority leads to an address that is no https URL")
        port = parts.port or 443
        authority = urlsplit(self._authority)
        if parts.path.startswith(REALM_LOOK_UP) and parts.hostname == authority.hostname:
            port = authority.port or 443  # msal leaves it out there
        path = quote(parts.path, safe="/%:@!$&'()*+,;=~") or "/"
        target = f"{path}?{parts.query}" if parts.query else path
        return replace(self._peer, host=parts.hostname or "", port=port), target


def _is_of(issuer: str, authority: str) -> bool:
    """Whether it is of the authority's host, or both are of one that has many: Microsoft's, or one for customers."""
    ours = urlsplit(authority)
    try:
        found = urlsplit(issuer)
        same = found.scheme == "https" and (found.hostname, found.port or 443) == (ours.hostname, ours.port or 443)
    except ValueError:
        return False
    customers = all((one.hostname or "").endswith(".ciamlogin.com") for one in (found, ours))
    return same or customers or (is_microsofts(authority) and is_microsofts(issuer))


def _said(answer: HttpAnswer) -> Mapping[str, Any]:
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        said = None
    return said if isinstance(said, dict) else {}


def _patience(answer: HttpAnswer) -> float:
    return seconds_of(answer.headers.get("retry-after", ""), None)
