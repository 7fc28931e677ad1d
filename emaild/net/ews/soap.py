"""SOAP by exchangelib, without its retries, its leniency, and what it keeps for the whole process.

exchangelib keeps connections and adapters for the whole process, waits by itself, and mends broken XML, so that half
an answer would pass for a whole one. Here each section has its own connection, an answer is read strictly, and who
waits is the job.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Sequence
from functools import cache
from typing import Any, NoReturn

import requests
from exchangelib.account import Identity
from exchangelib.configuration import Configuration
from exchangelib.errors import (
    ErrorIncorrectSchemaVersion,
    ErrorInvalidSchemaVersionForMailboxVersion,
    ErrorInvalidServerVersion,
    TransportError,
)
from exchangelib.protocol import BaseProtocol
from exchangelib.services.common import EWSService
from exchangelib.transport import DEFAULT_HEADERS, NOAUTH
from exchangelib.version import Version
from lxml import etree

from emaild import __version__
from emaild.net.ews.answers import Refused, T, back_off, shown
from emaild.net.ews.asking import MAIL_HERE
from emaild.net.ews.body import Body
from emaild.net.ews.door import PIECE, Door
from emaild.net.ews.place import Place
from emaild.net.ews.reading import read
from emaild.net.ews.signing import ByPassword, ByToken
from emaild.net.ews.statuses import Statuses
from emaild.net.masking import masked
from emaild.settings.ews import VERSIONS

OTHER_VERSION = {
    kind.__name__: kind
    for kind in (ErrorIncorrectSchemaVersion, ErrorInvalidSchemaVersionForMailboxVersion, ErrorInvalidServerVersion)
} | {"ErrorSchemaValidation": ErrorInvalidServerVersion}  # what a server says of a version that it does not know

WORDS = frozenset({"ResponseCode", "MessageText", "Message", "faultcode", "faultstring"})
"""What of an answer may be repeated to a person."""

logging.getLogger("exchangelib").setLevel(logging.CRITICAL)  # it would tell again of all that is raised


class Protocol(BaseProtocol):  # type: ignore[misc]
    """exchangelib's connection, one a section: neither its cache nor its adapter for all.

    `server_version` is what the server calls itself, as far as it did.
    """

    def __init__(self, place: Place, door: Door, auth: ByToken | ByPassword, version: str) -> None:
        self.server_version = ""
        self._door = door
        self._auth = auth
        super().__init__(
            Configuration(
                service_endpoint=place.url,
                auth_type=NOAUTH,
                version=Version(build=None, api_version=version),
                retry_policy=Statuses(str(place.peer), self.mask),
                max_connections=1,
            )
        )
        self._session_pool_lock = threading.RLock()  # closing a session in trouble asks for it again

    def mask(self, text: str) -> str:
        """A server's words without the secrets that it was shown."""
        return masked(text, self._auth.secrets)

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


class Service(EWSService):  # type: ignore[misc]
    """One request: `messages` asks. A version that is given is the only one that is tried."""

    SERVICE_NAME = ""

    def __init__(self, protocol: Protocol, impersonated: str, version: str, mail: bytes) -> None:
        super().__init__(protocol)
        self.streaming = True  # an answer is read as it comes
        self._impersonated = impersonated
        self._given_version = version
        self._mail = mail

    def messages(self, request: Any) -> list[Any]:
        """The response messages. Raises Refused, Unreadable, and what exchangelib and the door raise."""
        try:
            return list(self._get_response_xml(payload=request))
        finally:
            self.stop_streaming()

    def wrap(self, content: Any, api_version: str | None = None) -> bytes | Body:
        """The envelope, with the mail in its place."""
        written: bytes = super().wrap(content, api_version)
        if not self._mail:
            return written
        before, _, after = written.rpartition(MAIL_HERE.encode())
        return Body(before, self._mail, after)

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
        info = header.find(f"{T}ServerVersionInfo")
        if info is not None:
            numbers = ".".join(info.get(f"{part}Version", "") for part in ("Major", "Minor"))
            called = f"{info.get('Version', '')} {numbers.strip('.')}".strip()
            self.protocol.server_version = shown(self.protocol.mask(called))

    @classmethod
    def _get_soap_parts(cls, response: requests.Response) -> tuple[Any, Any]:
        root = read(response.iter_content(PIECE))
        header, body = (root.find(f"{{{cls.NS_MAP['s']}}}{name}") for name in ("Header", "Body"))
        if body is None:
            raise TransportError("it has no soap:Body")
        return header, body

    def _get_soap_messages(self, body: Any) -> list[Any]:
        for element in body.iter():
            if element.text and element.tag.rpartition("}")[2] in WORDS:
                element.text = self.protocol.mask(element.text)
        fault = body.find(f"{{{self.NS_MAP['s']}}}Fault")
        if fault is not None:
            self._raise_soap_errors(fault)
        messages = body.find(f"{self._response_tag()}/{self._response_messages_tag()}")
        if messages is None:
            raise TransportError("it answers another question")
        return messages.findall(self._response_message_tag())  # type: ignore[no-any-return]

    @classmethod
    def _raise_soap_errors(cls, fault: Any) -> NoReturn:
        """A fault's code, with the time that it asks for."""
        found = {one.tag.rpartition("}")[2]: one for one in fault.iterfind("detail/*")}
        said = {name: (one.text or "").strip() for name, one in found.items()}
        code = said.get("ResponseCode") or (fault.findtext("faultcode") or "fault").strip()
        if code in OTHER_VERSION:
            raise OTHER_VERSION[code](code)
        text = said.get("Message") or (fault.findtext("faultstring") or "").strip()
        raise Refused(code, shown(text), back_off(found.get("MessageXml")))


def service_for(request: Any) -> type[Service]:
    """exchangelib tells by the class which answer belongs to a request."""
    return _kind(etree.QName(request).localname)


@cache
def _kind(operation: str) -> type[Service]:
    return type(operation, (Service,), {"SERVICE_NAME": operation})
