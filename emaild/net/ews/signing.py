"""Who we are, to a server that asks over HTTP: a token, NTLM or a password (RFC 9110 §11), as the server offers."""

from __future__ import annotations

import base64
import re
import struct
from typing import Any

import requests
from requests.auth import AuthBase
from requests_ntlm import HttpNtlmAuth
from spnego.exceptions import SpnegoError

from emaild.errors import Rejected, RemoteError, Unreachable
from emaild.net.ews.door import Door
from emaild.net.oauth import Tokens
from emaild.net.peer import Peer
from emaild.net.translate import translated
from emaild.settings.secret import Secret
from emaild.settings.server import Security, is_loopback

NO_CHALLENGE = (SpnegoError, ValueError, LookupError, PermissionError, AttributeError, TypeError, struct.error)
"""What the libraries raise at an NTLM challenge that is none."""
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"?')
_SCHEME = re.compile(r"(?:^|,)\s*(ntlm|negotiate|basic)(?=[\s,]|$)", re.IGNORECASE)


class ByToken(AuthBase):
    """RFC 6750 §2.1. `last` is the token that was shown."""

    def __init__(self, tokens: Tokens, peer: Peer) -> None:
        self.tokens = tokens
        self.last = Secret("")
        self._peer = peer

    @property
    def secrets(self) -> list[Secret]:
        """What nobody may repeat."""
        return [self.last]

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if not may_be_shown(self._peer):  # before any request, so that no answer can bring it about
            raise Rejected(str(self._peer), "sign in", "a token goes to https alone, or set allow-plaintext-auth")
        self.last = self.tokens.token()
        request.headers["Authorization"] = f"Bearer {self.last.reveal()}"
        request.register_hook("response", self._answer)
        return request

    def forget(self) -> None:
        """Nothing was learnt from the connection."""

    def _answer(self, response: requests.Response, **given: Any) -> requests.Response:
        if response.ok:
            self.tokens.accepted(self.last)
        return response


class ByPassword(AuthBase):
    """NTLM where the server offers it, for the password then stays here; else Basic, where the password may be shown.

    NTLM signs in the connection, so it is asked for once for each.
    """

    def __init__(self, user: str, password: Secret, peer: Peer, door: Door) -> None:
        # A user that is an address has no domain, which NTLM is told by a backslash with nothing before it.
        name = user if "\\" in user or "@" not in user else f"\\{user}"
        self._ntlm = HttpNtlmAuth(name, password.reveal())
        self._both = Secret(f"{user}:{password.reveal()}")  # RFC 7617 §2
        self._peer = peer
        self._door = door
        self._basic = False
        self.secrets = [password]

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Connection"] = "Keep-Alive"
        if self._basic:
            self._show_password(request)
        else:
            request.register_hook("response", self._answer)
        return request

    def forget(self) -> None:
        """The next connection may lead to another server: it is asked again what it offers."""
        self._basic = False

    def _answer(self, response: requests.Response, **given: Any) -> requests.Response:
        if response.status_code != requests.codes.unauthorized or "Authorization" in response.request.headers:
            return response
        offers = offered(response.headers.get("www-authenticate", ""))
        if offers & {"ntlm", "negotiate"}:
            with translated(str(self._peer), "sign in", _meaning, *NO_CHALLENGE):
                return self._ntlm.response_hook(response, **given)
        if "basic" not in offers:
            return response
        _ = response.content  # read to its end, so that the connection can be used again
        response.close()
        again = response.request.copy()
        self._show_password(again)
        self._basic = True
        return self._door.send(again, **given)

    def _show_password(self, request: requests.PreparedRequest) -> None:
        if not may_be_shown(self._peer):
            reason = "the server wants the password unencrypted; server must be https, or set allow-plaintext-auth"
            raise Rejected(str(self._peer), "sign in", reason)
        shown = base64.b64encode(self._both.reveal().encode()).decode("ascii")
        request.headers["Authorization"] = f"Basic {shown}"


def may_be_shown(peer: Peer) -> bool:
    """Whether a password or a token may be sent there as it is: nobody on the way reads it, or the section allows it.

    The section decides, not a connection: the next request may go by another one.
    """
    here = peer.proxy is None and is_loopback(peer.host)
    return peer.security is Security.SSL_TLS or peer.allow_plaintext_auth or here


def offered(challenges: str) -> set[str]:
    """The schemes that we know of those in WWW-Authenticate (RFC 9110 §11.6.1), in lower case."""
    return {scheme.lower() for scheme in _SCHEME.findall(_QUOTED.sub("", challenges))}


def _meaning(_: Exception) -> tuple[type[RemoteError], str]:
    return Unreachable, "the server's NTLM challenge cannot be understood"
