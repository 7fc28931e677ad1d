"""What an HTTP status means where EWS is spoken (RFC 9110 §15; what IIS and Exchange's front end add)."""

from __future__ import annotations

import re
from collections.abc import Callable

import requests
from exchangelib.protocol import FailFast

from emaild.errors import Busy, Rejected, Unreachable
from emaild.net.ews.answers import Refused, shown
from emaild.net.retry_after import seconds_of

LOOKED_AT = 100_000  # bytes of a page
LOGIN_TIMEOUT = 440  # IIS: a form wants a person
ERROR_PAGES = ("/genericerrorpage.htm", "/errorfe.aspx")  # where Exchange leads to when it has a fault of its own
REASONS = (
    (rb"password[^.<]{0,60}(expired|must be (changed|reset))|password-?expired", "the password has expired"),
    (rb"account[^.<]{0,40}locked|account-?locked", "the account is locked"),
    (rb"account[^.<]{0,40}(disabled|expired)|account-?(disabled|expired)", "the account is disabled or has expired"),
)
FORMS = re.compile(r"logon\.aspx|/owa/auth|/login|/adfs/|CookieAuth\.dll", re.IGNORECASE)


class Unauthorized(Exception):
    """401 as the last word; `reason` is why, as far as the server says it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Statuses(FailFast):  # type: ignore[misc]
    """Asked by exchangelib before an answer is read. *mask* takes our secrets out of what a server says."""

    def __init__(self, where: str, mask: Callable[[str], str]) -> None:
        self._where = where
        self._mask = mask

    def raise_response_errors(self, response: requests.Response) -> None:
        """Return where the answer is SOAP, which comes with 500 where it is a fault."""
        status = response.status_code
        said = f"it answered {status} {self._shown(response.reason or '')}".rstrip()
        if status == requests.codes.ok:
            self._check_kind(response)
            return
        page = response.content[:LOOKED_AT]
        if status == 500 and b"Envelope" in page[:1000]:
            return
        if status == requests.codes.unauthorized:
            raise Unauthorized(_why(response, page))
        if status == requests.codes.request_entity_too_large or (status == 404 and b"404.13" in page):  # IIS: too long
            raise Refused("ErrorMessageSizeExceeded", said)
        if 300 <= status < 400:
            raise self._elsewhere(response, said)
        if status == LOGIN_TIMEOUT:
            raise Rejected(self._where, "ask", f"{said}: it shows a login form; EWS must take Basic, NTLM or a token")
        if status in (requests.codes.too_many_requests, requests.codes.request_timeout) or status >= 500:
            raise Busy(self._where, "ask", said, seconds_of(response.headers.get("retry-after", ""), None))
        off = "EWS is switched off for the user or the application, or " if status == requests.codes.forbidden else ""
        must = "is not" if off else "must be"
        raise Rejected(self._where, "ask", f"{said}; {off}server {must} the URL of Exchange.asmx")

    def _shown(self, text: str) -> str:
        return shown(self._mask(text))

    def _check_kind(self, response: requests.Response) -> None:
        kind = self._mask(response.headers.get("content-type", "")).partition(";")[0].strip().lower()
        if kind and not kind.endswith("xml"):
            found = f"it is {shown(kind)}, a page for people; server must be the URL of Exchange.asmx"
            raise Unreachable(self._where, "read the answer", found)

    def _elsewhere(self, response: requests.Response, said: str) -> Busy | Rejected:
        to = self._shown(response.headers.get("location", ""))
        if to.partition("?")[0].lower().endswith(ERROR_PAGES):
            return Busy(self._where, "ask", f"{said}, to {to}")
        if FORMS.search(to):
            to = f"{to}, a login form; EWS must take Basic, NTLM or a token"
        return Rejected(self._where, "ask", f"{said}, to {to}; server must be the URL that answers")


def _why(response: requests.Response, page: bytes) -> str:
    """Windows' words for why nobody may sign in, from the header fields and the page of a 401."""
    told = "\n".join(response.headers.values()).encode("utf-8", "replace") + b"\n" + page
    return next((reason for pattern, reason in REASONS if re.search(pattern, told, re.IGNORECASE)), "")
