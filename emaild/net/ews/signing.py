"""Who we are, to a server that asks over HTTP: a token, NTLM or a password (RFC 7235), as the server offers."""

from __future__ import annotations

import base64
import struct
from typing import Any

import requests
from requests.auth import AuthBase
from requests_ntlm import HttpNtlmAuth
from spnego.exceptions import SpnegoError

from emaild.errors import Rejected, RemoteError, Unreachable
from emaild.net.connect import check_encrypted
from emaild.net.ews.door import Door
from emaild.net.oauth import Tokens
from emaild.net.peer import Peer
from emaild.net.translate import translated
from emaild.settings.secret import Secret
from emaild.settings.server import Security, is_loopback

NO_CHALLENGE = (SpnegoError, ValueError, LookupError, PermissionError, AttributeError, TypeError, struct.error)
"""What the libraries raise at an NTLM challenge that is none."""


class ByToken(AuthBase):
    """RFC 6750 §2.1. `last` is the token that was shown."""

    def __init__(self, tokens: Tokens, peer: Peer) -> None:
        self.tokens = tokens
        self.last = Secret("")
        self._peer = peer

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        self._check_encryption()  # there may be no connection yet that `check_encrypted` could be asked about
        self.last = self.tokens.token()
        request.headers["Authorization"] = f"Bearer {self.last.reveal()}"
        request.register_hook("response", self._answer)
        return request

    def _check_encryption(self) -> None:
        peer = self._peer
        here = peer.proxy is None and is_loopback(peer.host)
        if peer.security is Security.NONE and not (peer.allow_plaintext_auth or here):
            raise Rejected(str(peer), "sign in", "a token goes to https alone, or set allow-plaintext-auth")

    def _answer(self, response: requests.Response, **given: Any) -> requests.Response:
        if response.ok:
            self.tokens.accepted(self.last)
        return response


class ByPassword(AuthBase):
    """NTLM where the server offers it, for the password then stays here; else Basic, on an encrypted connection.

    NTLM signs in the connection, so it is asked for once for each.
    """

    def __init__(self, user: str, password: Secret, peer: Peer, door: Door) -> None:
        # A user that is an address has no domain, which NTLM is told by a backslash with nothing before it.
        name = user if "\\" in user or "@" not in user else f"\\{user}"
        self._ntlm = HttpNtlmAuth(name, password.reveal())
        self._user, self._password = user, password
        self._peer = peer
        self._door = door
        self._basic = False

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Connection"] = "Keep-Alive"
        if self._basic:
            self._show_password(request)
        else:
            request.register_hook("response", self._answer)
        return request

    def _answer(self, response: requests.Response, **given: Any) -> requests.Response:
        offered = response.headers.get("www-authenticate", "").lower()
        if response.status_code != requests.codes.unauthorized or "Authorization" in response.request.headers:
            return response
        if "ntlm" in offered or "negotiate" in offered:
            with translated(str(self._peer), "sign in", _meaning, *NO_CHALLENGE):
                return self._ntlm.response_hook(response, **given)
        if "basic" not in offered:
            return response
        self._basic = True
        _ = response.content  # read to its end, so that the connection can be used again
        response.close()
        again = response.request.copy()
        self._show_password(again)
        return self._door.send(again, **given)

    def _show_password(self, request: requests.PreparedRequest) -> None:
        if self._door.connection is not None:
            check_encrypted(self._peer, self._door.connection)
        both = f"{self._user}:{self._password.reveal()}".encode()
        request.headers["Authorization"] = f"Basic {base64.b64encode(both).decode('ascii')}"  # RFC 7617 §2


def _meaning(_: Exception) -> tuple[type[RemoteError], str]:
    return Unreachable, "the server's NTLM challenge cannot be understood"
