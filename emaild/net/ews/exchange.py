"""One Exchange server, asked as one section asks it: SOAP by exchangelib, without its retries and its leniency.

exchangelib keeps connections and adapters for the whole process, waits by itself, and mends broken XML, so that half
an answer would pass for a whole one. Here each section has its own connection, an answer is read strictly, and who
waits is the job.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from functools import cache
from typing import Any

import requests
from exchangelib.account import Identity
from exchangelib.configuration import Configuration
from exchangelib.errors import (
    ErrorIncorrectSchemaVersion,
    ErrorInvalidSchemaVersionForMailboxVersion,
    ErrorInvalidServerVersion,
    EWSError,
    ResponseMessageError,
    TransportError,
)
from exchangelib.protocol import BaseProtocol, FailFast
from exchangelib.services.common import EWSService
from exchangelib.transport import DEFAULT_HEADERS, NOAUTH
from exchangelib.version import Version
from lxml import etree
from requests.auth import AuthBase

from emaild import __version__
from emaild.errors import Busy, Rejected, RemoteError, Unreachable
from emaild.net.ews.answers import Refused, back_off, refusal, shown
from emaild.net.ews.door import Door
from emaild.net.ews.place import Place
from emaild.net.ews.signing import ByPassword, ByToken
from emaild.net.oauth.tokens import Tokens
from emaild.settings.ews import VERSIONS
from emaild.settings.secret import Secret

SMALL_ANSWER = 8 << 20  # bytes; what has no mail in it, but up to 512 changes
LONGEST_BACK_OFF = 3600.0  # seconds; a server may not silence us for longer
ASKING = ("ask", "read the answer")
OTHER_VERSION = {
    kind.__name__: kind
    for kind in (ErrorIncorrectSchemaVersion, ErrorInvalidSchemaVersionForMailboxVersion, ErrorInvalidServerVersion)
} | {"ErrorSchemaValidation": ErrorInvalidServerVersion}  # what a server says of a version that it does not know
TOO_LARGE = (requests.codes.request_entity_too_large,)


class Exchange:
    """A server and who we are to it. Used by one thread at a time; after a RemoteError it may be used again.

    *mailbox* is whose folders are meant, where that is not the one who signs in; *impersonates*: by acting as them
    (ApplicationImpersonation), else as a delegate.
    """

    def __init__(
        self,
        place: Place,
        signs_in: tuple[str, Secret] | Tokens,
        *,
        mailbox: str = "",
        impersonates: bool = False,
        version: str = "",
    ) -> None:
        self.where = str(place.peer)
        self.mailbox = mailbox
        self._impersonated = mailbox if impersonates else ""
        self._given_version = version
        self._door = Door(place.peer)
        self._auth = ByPassword(*signs_in, place.peer, self._door) if isinstance(signs_in, tuple) else ByToken(signs_in)
        self._protocol = _Protocol(place, self._door, self._auth, version or VERSIONS[0])

    @property
    def delegate_for(self) -> str:
        """Whose folder is to be named in requests; empty: our own, or of the one whom we are for the server."""
        return "" if self._impersonated else self.mailbox

    @property
    def suppresses_receipts(self) -> bool:
        """Whether SuppressReadReceipts may be said (Exchange 2013 SP1 and later)."""
        version = self._protocol.config.version.api_version
        return version in VERSIONS[: VERSIONS.index("Exchange2013_SP1") + 1]

    def ask(self, request: Any, action: str, *, most: int = SMALL_ANSWER) -> list[Any]:
        """The response messages to *request*, an element such as m:GetItem; *most* bytes are read.

        A message may say that what it answers was refused: see `refusal`.

        Raises:
            RemoteError: no answer, or one that is about the whole request; Busy with the time that the server asks for.
        """
        try:
            try:
                return self._ask(request, most)
            except _TokenRefused:
                return self._ask(request, most)  # with another token; where that is refused, too, `token` says why
        except RemoteError as error:
            self.close()
            at = action if error.action in ASKING else error.action
            raise type(error)(error.where, at, error.reason, error.retry_after) from error
        except Refused as error:
            raise self.meaning(error, action) from error

    def first(self, request: Any, action: str) -> Any:
        """The first response message, of a request that has no more. Raises RemoteError as `ask`."""
        messages = self.ask(request, action)
        if not messages:
            raise Unreachable(self.where, action, "the answer is empty")
        return messages[0]

    def one(self, request: Any, action: str) -> Any:
        """The first response message. Raises RemoteError where it says no, too."""
        message = self.first(request, action)
        wrong = refusal(message)
        if wrong is not None:
            raise self.meaning(wrong, action) from wrong
        return message

    def meaning(self, error: Refused, action: str) -> RemoteError:
        """What a code means for the section as a whole."""
        if error.passes:
            return Busy(self.where, action, str(error), min(error.back_off, LONGEST_BACK_OFF))
        return Rejected(self.where, action, str(error))

    @property
    def tls(self) -> str:
        """The version and the cipher of the newest connection; empty without TLS."""
        return self._door.tls

    @property
    def connected(self) -> bool:
        """Whether there may be a connection to be closed."""
        return self._door.connection is not None

    def close(self) -> None:
        """Drop the connection."""
        self._protocol.close()
        self._door.close()

    def _ask(self, request: Any, most: int) -> list[Any]:
        self._door.most = most
        service = _kind(etree.QName(request).localname)(self._protocol, self._impersonated, self._given_version)
        try:
            return list(service._get_response_xml(payload=request))
        except _Unauthorized as error:
            if isinstance(self._auth, ByToken):
                self._auth.tokens.refused(self._auth.last)
                raise _TokenRefused(self.where, "sign in", "the server refused the token") from error
            reason = "wrong user or password, or the mailbox may not use EWS"
            raise Rejected(self.where, "sign in", reason) from error
        except etree.XMLSyntaxError as error:
            raise Unreachable(self.where, "read the answer", "it is not whole, or not XML") from error
        except ResponseMessageError as error:  # exchangelib names them by their codes
            raise Refused(type(error).__name__, shown(str(error))) from error
        except EWSError as error:
            raise Unreachable(self.where, "read the answer", shown(str(error))) from error


class _Unauthorized(Exception):
    """401 as the last word."""


class _TokenRefused(Rejected):
    """The token was told of as refused; another one may be asked for."""


class _Statuses(FailFast):  # type: ignore[misc]
    """What an HTTP status means (RFC 9110 §15)."""

    def __init__(self, where: str) -> None:
        self._where = where

    def raise_response_errors(self, response: requests.Response) -> None:
        """Return where the answer is SOAP, which comes with 500 where it is a fault."""
        status = response.status_code
        said = f"it answered {status} {shown(response.reason or '')}".rstrip()
        if status == requests.codes.ok or (status == 500 and b"Envelope" in response.content[:1000]):
            return
        if status == requests.codes.unauthorized:
            raise _Unauthorized
        if status in TOO_LARGE or (status == 404 and b"404.13" in response.content[:100_000]):  # IIS: request too long
            raise Refused("ErrorMessageSizeExceeded", said)
        if 300 <= status < 400:
            to = shown(response.headers.get("location", ""))
            raise Rejected(self._where, "ask", f"{said}, to {to}; server must be the URL that answers")
        if status in (requests.codes.too_many_requests, requests.codes.request_timeout) or status >= 500:
            waiting = response.headers.get("retry-after", "")
            wanted = float(waiting[:9]) if waiting.isascii() and waiting.isdigit() else 0.0
            raise Busy(self._where, "ask", said, min(wanted, LONGEST_BACK_OFF))
        raise Rejected(self._where, "ask", f"{said}; server must be the URL of Exchange.asmx")


class _Protocol(BaseProtocol):  # type: ignore[misc]
    """exchangelib's connection, one a section: neither its cache nor its adapter for all."""

    def __init__(self, place: Place, door: Door, auth: AuthBase, version: str) -> None:
        self._door = door
        self._auth = auth
        super().__init__(
            Configuration(
                service_endpoint=place.url,
                auth_type=NOAUTH,
                version=Version(build=None, api_version=version),
                retry_policy=_Statuses(str(place.peer)),
                max_connections=1,
            )
        )
        self._session_pool_lock = threading.RLock()  # closing a session in trouble asks for it again

    def create_session(self) -> requests.Session:
        """A session that takes nothing from the environment: no proxy, no .netrc."""
        session = requests.Session()
        session.trust_env = False
        session.headers.update(DEFAULT_HEADERS | {"User-Agent": f"emaild/{__version__}", "Accept-Encoding": "identity"})
        session.mount(self.service_endpoint, self._door)
        session.auth = self._auth
        session.session_id = random.randint(10_000, 99_999)  # type: ignore[attr-defined]  # noqa: S311
        session.usage_count = 0  # type: ignore[attr-defined]
        return session


class _Service(EWSService):  # type: ignore[misc]
    """One request."""

    SERVICE_NAME = ""

    def __init__(self, protocol: _Protocol, impersonated: str, version: str) -> None:
        super().__init__(protocol)
        self._impersonated = impersonated
        self._given_version = version

    @property
    def _account_to_impersonate(self) -> Identity | None:
        return Identity(primary_smtp_address=self._impersonated) if self._impersonated else None

    def _api_versions_to_try(self) -> Sequence[str]:
        if self._given_version:
            return (self._given_version,)
        known = self._version_hint.api_version
        return [known, *(version for version in VERSIONS if version != known)]

    def _update_api_version(self, api_version: str, header: Any) -> None:
        """What was asked with is what works; what the server calls itself cannot always be asked with."""
        self._version_hint = Version(build=None, api_version=api_version)

    @classmethod
    def _get_soap_parts(cls, response: requests.Response) -> tuple[Any, Any]:
        """Strictly: what does not end is no answer. A document type is not allowed (SOAP 1.1 §3)."""
        content = response.content
        if b"\0" in content[:100] or b"<!DOCTYPE" in content:
            raise TransportError("it is no SOAP")
        # huge_tree: a mail is one text of more than 10 MB; entities, which could grow, are not there.
        parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True, encoding="utf-8")
        root = etree.fromstring(content, parser)
        header, body = (root.find(f"{{{cls.NS_MAP['s']}}}{name}") for name in ("Header", "Body"))
        if body is None:
            raise TransportError("it has no soap:Body")
        return header, body

    @classmethod
    def _raise_soap_errors(cls, fault: Any) -> None:
        """A fault's code, with the time that it asks for."""
        detail = fault.find("detail")
        found = (
            {}
            if detail is None
            else {etree.QName(one).localname: one for one in detail.iterchildren(tag=etree.Element)}
        )
        said = {name: (one.text or "").strip() for name, one in found.items()}
        code = said.get("ResponseCode") or (fault.findtext("faultcode") or "fault").strip()
        if code in OTHER_VERSION:
            raise OTHER_VERSION[code](code)
        text = said.get("Message") or (fault.findtext("faultstring") or "").strip()
        raise Refused(code, shown(text), back_off(found.get("MessageXml")))


@cache
def _kind(operation: str) -> type[_Service]:
    """exchangelib tells by the class which answer belongs to a request."""
    return type(operation, (_Service,), {"SERVICE_NAME": operation})
