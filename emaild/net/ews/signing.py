"""Who we are, to a server that asks over HTTP: a token, NTLM or a password (RFC 7235), as the server offers."""

from __future__ import annotations

import base64
from typing import Any

import requests
from requests.auth import AuthBase
from requests_ntlm import HttpNtlmAuth

from emaild.net.connect import check_encrypted
from emaild.net.ews.door import Door
from emaild.net.oauth import Tokens
from emaild.net.peer import Peer
from emaild.settings.secret import Secret


class ByToken(AuthBase):
    """RFC 6750 §2.1. `last` is the token that was shown."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.last = Secret("")

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        self.last = self.tokens.token()
        request.headers["Authorization"] = f"Bearer {self.last.reveal()}"
        return request


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
