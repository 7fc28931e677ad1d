"""An Exchange server of our own: it refuses what Microsoft's refuses, and fails as it is told.

It speaks HTTPS with Basic, NTLM and Bearer, and holds every request against Microsoft's schemas where they are there.
"""

from __future__ import annotations

import base64
import hashlib
import os
import ssl
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, ClassVar, Self

import spnego
from lxml import etree

from tests.servers.authority import Authority
from tests.servers.ews_mailbox import Mailbox
from tests.servers.ews_operations import Account, make_m, make_t, refused
from tests.servers.ews_schema import violation
from tests.servers.ports import ReservedPort
from tests.servers.web import WebServer

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors"
PASSWORD = "secret"
OLD = ("Exchange2007", "Exchange2007_SP1", "Exchange2010", "Exchange2010_SP1", "Exchange2010_SP2", "Exchange2013")
VERSIONS = (*OLD, "Exchange2013_SP1", "Exchange2015", "Exchange2016")


@dataclass(frozen=True)
class Failure:
    """An answer instead of the right one. `keep`: so many bytes of the right one, then the connection ends.

    `told` says in the header how long the whole would have been.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    keep: int | None = None
    told: bool = True
    reason: str = ""


Fails = Callable[[str, int], Failure | None]
"""From an operation and how often it was asked for to what is to happen; None: it is carried out."""


def fault(code: str, text: str = "no", **values: str) -> Failure:
    """A SOAP fault as Exchange sends it."""
    details = "".join(f'<t:Value Name="{name}">{value}</t:Value>' for name, value in values.items())
    return Failure(
        500,
        {"Content-Type": "text/xml; charset=utf-8"},
        f'<?xml version="1.0"?><s:Envelope xmlns:s="{SOAP}"><s:Body><s:Fault><faultcode>a:{code}</faultcode>'
        f'<faultstring>{text}</faultstring><detail><e:ResponseCode xmlns:e="{ERRORS}">{code}</e:ResponseCode>'
        f'<e:Message xmlns:e="{ERRORS}">{text}</e:Message>'
        f'<t:MessageXml xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">{details}</t:MessageXml>'
        "</detail></s:Fault></s:Body></s:Envelope>".encode(),
    )


def denied(operation: str, code: str, text: str = "no") -> Failure:
    """One response message that says no."""
    return Failure(body=_envelope(operation, [refused(operation, code, text)], "Exchange2016"))


class Exchange:
    """`with Exchange(authority) as server`: `mailbox` makes the mailbox of a user, whose password is `secret`.

    `offers` are the ways to sign in; `tokens` maps the tokens that are good to users, or `knows` does, where it is
    given (empty: not good). `newest` is the newest version of EWS that it knows. `asked` are the operations in order,
    `requests` their elements, `sent` who sent what. `challenge` is sent instead of NTLM's own, `certificate` is what
    NTLM must be bound to, and `denial` is sent where nobody signed in.
    """

    def __init__(
        self,
        authority: Authority,
        *,
        offers: tuple[str, ...] = ("Basic",),
        newest: str = "Exchange2016",
        page: int = 512,
    ) -> None:
        self.offers = offers
        self.newest = newest
        self.page = page
        self.mailboxes: dict[str, Mailbox] = {}
        self.tokens: dict[str, str] = {}
        self.knows: Callable[[str], str] | None = None
        self.impersonators: set[str] = set()
        self.fails: Fails = lambda operation, number: None
        self.asked: list[str] = []
        self.requests: list[Any] = []
        self.acting: list[str] = []
        self.challenge = b""
        self.certificate = ssl.PEM_cert_to_DER_cert(authority.cert_file.read_text(encoding="ascii"))
        self.denial = Failure(401)
        self.connections = 0
        self.received = 0  # bytes of requests
        self.sent: list[tuple[str, bytes, bool]] = []
        self.violations: list[str] = []
        self._authority = authority
        self._reserved = ReservedPort()
        self._lock = threading.Lock()

    @property
    def port(self) -> int:
        return self._reserved.number

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}/EWS/Exchange.asmx"

    def __enter__(self) -> Self:
        self._users = tempfile.NamedTemporaryFile("w", suffix=".ntlm")
        self._server = _Server(self.port, _Handler, self._authority)
        self._server.exchange = self
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()
        self._reserved.release()
        self._users.close()
        assert self.violations == []

    def mailbox(self, owner: str, *, delegates: tuple[str, ...] = ()) -> Mailbox:
        """A new mailbox."""
        box = self.mailboxes[owner] = Mailbox(owner, delegates)
        with self._lock:
            self._users.write(f":{owner}:{PASSWORD}\n")
            self._users.flush()
            os.environ["NTLM_USER_FILE"] = self._users.name  # where pyspnego looks for the passwords of a server
        return box

    def ntlm(self) -> Any:
        """A side of NTLM that wants to be told this server's certificate (Extended Protection: RFC 5929 §4)."""
        told = b"tls-server-end-point:" + hashlib.sha256(self.certificate).digest()
        bindings = spnego.channel_bindings.GssChannelBindings(application_data=told)
        return spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm, channel_bindings=bindings)

    def carried_out(self, body: bytes, user: str) -> tuple[int, bytes]:
        """Status and answer for a request."""
        with self._lock:
            return self._carried_out(body, user)

    def _carried_out(self, body: bytes, user: str) -> tuple[int, bytes]:
        envelope = etree.fromstring(body, etree.XMLParser(resolve_entities=False, huge_tree=True))
        request = envelope.find(f"{{{SOAP}}}Body")[0]
        name = etree.QName(request).localname
        self.asked.append(name)
        self.requests.append(request)
        header = envelope.find(f"{{{SOAP}}}Header")
        version, acting = _header(header)
        failure = self.fails(name, self.asked.count(name))
        if version not in VERSIONS or VERSIONS.index(version) > VERSIONS.index(self.newest):
            failure = _called(
                fault("ErrorInvalidServerVersion", "The specified server version is invalid."), self.newest
            )
        elif wrong := violation(request) or _too_new(request, version):
            self.violations.append(f"{name}: {wrong}")
            failure = fault("ErrorSchemaValidation", "The request failed schema validation")
        elif acting and user not in self.impersonators:
            failure = fault("ErrorImpersonateUserDenied", "The account does not have permission to impersonate")
        self.acting.append(acting)
        if failure is not None and failure.keep is None:
            raise _Failed(failure)
        account = Account(self.mailboxes, acting or user, self.page)
        answer = _envelope(name, account.answer(request), self.newest)
        self.sent += account.outgoing
        if failure is not None:
            raise _Failed(Failure(failure.status, failure.headers, answer, failure.keep, failure.told))
        return 200, answer


def _header(header: Any) -> tuple[str, str]:
    version, acting = "", ""
    for element in [] if header is None else header:
        assert not violation(element, "types.xsd"), etree.tostring(element)
        if element.tag.endswith("}RequestServerVersion"):
            version = element.get("Version")
        elif element.tag.endswith("}ExchangeImpersonation"):
            acting = "".join(element.itertext()).strip()
    return version, acting


def _called(failure: Failure, version: str) -> Failure:
    """The fault with what the server calls itself."""
    envelope = etree.fromstring(failure.body)
    envelope.insert(0, _calls_itself(version))
    return replace(failure, body=etree.tostring(envelope))


def _calls_itself(version: str) -> Any:
    header = etree.Element(f"{{{SOAP}}}Header")
    header.append(make_t.ServerVersionInfo(MajorVersion="15", MinorVersion="1", Version=version))
    return header


def _too_new(request: Any, version: str) -> str:
    return (
        "SuppressReadReceipts is of Exchange2013_SP1" if version in OLD and request.get("SuppressReadReceipts") else ""
    )


def _envelope(name: str, messages: list[Any], version: str) -> bytes:
    response = getattr(make_m, f"{name}Response")(make_m.ResponseMessages(*messages))
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"s": SOAP})
    envelope.append(_calls_itself(version))
    etree.SubElement(envelope, f"{{{SOAP}}}Body").append(response)
    wrong = violation(response)
    assert not wrong, f"the test server's own answer: {wrong} in {etree.tostring(response)[:500]!r}"
    written: bytes = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
    return written


class _Failed(Exception):
    def __init__(self, failure: Failure) -> None:
        super().__init__()
        self.failure = failure


class _Server(WebServer):
    exchange: Exchange


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    disable_nagle_algorithm: ClassVar[bool] = True

    def setup(self) -> None:
        super().setup()
        self.server.exchange.connections += 1
        self._signing: Any = None
        self._user = ""

    def log_message(self, format: str, *arguments: Any) -> None:
        """Quietly."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.exchange.received += len(body)
        if self.path != "/EWS/Exchange.asmx":
            self._say(Failure(404))
            return
        challenge = self._sign_in()
        if challenge is not None:
            denial = self.server.exchange.denial
            self._say(replace(denial, headers=denial.headers | {"WWW-Authenticate": challenge}))
            return
        try:
            status, answer = self.server.exchange.carried_out(body, self._user)
            self._say(Failure(status, body=answer))
        except _Failed as failed:
            self._say(failed.failure)
        except AssertionError as error:
            self.server.exchange.violations.append(str(error))
            self._say(Failure(500))

    def _sign_in(self) -> str | None:
        """None: we know who it is; else what is to be said with 401."""
        exchange = self.server.exchange
        scheme, _, given = self.headers.get("Authorization", "").partition(" ")
        if scheme in exchange.offers or (scheme == "Bearer" and (exchange.tokens or exchange.knows)):
            return getattr(self, f"_by_{scheme.lower()}")(given)  # type: ignore[no-any-return]
        if self._user and "NTLM" in exchange.offers:  # which signs in the connection
            return None
        return ", ".join('Basic realm="ews"' if one == "Basic" else one for one in exchange.offers) or "Bearer"

    def _by_basic(self, given: str) -> str | None:
        user, _, password = base64.b64decode(given).decode().partition(":")
        if password != PASSWORD or user not in self.server.exchange.mailboxes:
            return 'Basic realm="ews"'
        self._user = user
        return None

    def _by_bearer(self, given: str) -> str | None:
        exchange = self.server.exchange
        self._user = exchange.knows(given) if exchange.knows else exchange.tokens.get(given, "")
        return None if self._user else 'Bearer error="invalid_token"'

    def _by_ntlm(self, given: str) -> str | None:
        message = base64.b64decode(given)
        try:
            if message[8] == 1:
                self._signing = self.server.exchange.ntlm()
                challenge = self.server.exchange.challenge or self._signing.step(message)
                return f"NTLM {base64.b64encode(challenge).decode('ascii')}"
            self._signing.step(message)
        except Exception:  # noqa: BLE001  (whatever a wrong password is called)
            return "NTLM"
        self._user = self._signing.client_principal.lstrip("\\").lower()
        return None

    def _say(self, failure: Failure) -> None:
        self.send_response(failure.status, failure.reason or None)
        whole = failure.body
        part = whole if failure.keep is None else whole[: failure.keep]
        fields = {"Content-Type": "text/xml; charset=utf-8"} | failure.headers
        if failure.told:
            fields["Content-Length"] = str(len(whole))
        if failure.keep is not None or not failure.told:
            fields["Connection"] = "close"
            self.close_connection = True
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(part)
