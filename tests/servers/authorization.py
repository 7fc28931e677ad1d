"""An authorization server on loopback: what msal and google-auth ask of Microsoft and Google, RFC 7662 for Dovecot."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from tests.servers import authorization_google as google
from tests.servers import authorization_microsoft as microsoft
from tests.servers.authority import Authority
from tests.servers.authorization_rules import ANY_TENANT, Form, Given, Realm, Refused, as_json
from tests.servers.federation import MICROSOFTS
from tests.servers.ports import ReservedPort
from tests.servers.web import WebServer


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    form: Form
    headers: dict[str, str] = field(repr=False)
    body: bytes = b""


@dataclass(frozen=True)
class Said:
    """One answer."""

    body: bytes
    status: int = 200
    kind: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


Judge = Callable[[Asked], Said | None]


class AuthorizationServer:
    """`with AuthorizationServer(authority) as server`. What *judge* returns is the answer; None: the true one.

    Microsoft's authority is `url`, its tenant contoso; Google's endpoints are `token_endpoint` and
    `authorization_endpoint`. Whom it knows a test puts into `realm`.
    """

    def __init__(self, authority: Authority | None) -> None:
        """Speaks TLS where an *authority* is given; Dovecot's introspection may do without."""
        self.realm = Realm()
        self.asked: list[Asked] = []
        self.judge: Judge | None = None
        self._authority = authority
        self._reserved = ReservedPort()
        self._server: WebServer | None = None

    @property
    def port(self) -> int:
        return self._reserved.number

    @property
    def url(self) -> str:
        return f"{'https' if self._authority else 'http'}://localhost:{self.port}"

    @property
    def token_endpoint(self) -> str:
        """Google's."""
        return f"{self.url}/token"

    @property
    def authorization_endpoint(self) -> str:
        """Google's."""
        return f"{self.url}/o/oauth2/v2/auth"

    @property
    def introspection_endpoint(self) -> str:
        """RFC 7662."""
        return f"{self.url}/introspect"

    @property
    def grants(self) -> list[Form]:
        """What tokens were asked with, in that order."""
        return [asked.form for asked in self.asked if asked.method == "POST" and asked.path.endswith("/token")]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._reserved.release()

    def start(self) -> None:
        """Listen."""
        self._server = WebServer(self.port, _handler(self), self._authority)

    def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    # Answers

    def answer(self, asked: Asked) -> Said:
        self.asked.append(asked)
        judged = self.judge(asked) if self.judge else None
        if judged is not None:
            return judged
        try:
            return self._answer(asked)
        except Refused as refused:
            return Said(as_json(refused.body), refused.status)

    def _answer(self, asked: Asked) -> Said:
        parts = asked.path.strip("/").split("/")
        if asked.path.startswith("/common/userrealm/"):
            metadata = self.realm.federated.get(unquote(parts[-1]))
            kind = {"account_type": "Federated", "federation_metadata_url": metadata, "cloud_audience_urn": MICROSOFTS}
            return Said(as_json({"ver": "1.0", **(kind if metadata else {"account_type": "Managed"})}))
        if parts[0] == "adfs":
            kind_said = asked.headers.get("content-type", "")
            status, body = self.realm.federation.answer(asked.path, self.url, asked.body, kind_said)
            return Said(body, status, "application/soap+xml; charset=utf-8")
        if asked.path in ("/introspect", "/token", "/o/oauth2/v2/auth"):
            return self._googles(asked)
        if parts[0] not in (*self.realm.tenants, *ANY_TENANT):
            raise Refused("invalid_tenant", 90002)
        match asked.method, parts[1:]:
            case "GET", ["v2.0", ".well-known", "openid-configuration"]:
                return Said(as_json(self._configuration(parts[0])))
            case "POST", ["oauth2", "v2.0", "token"]:
                _check_form(asked)
                return Said(as_json(microsoft.token(self.realm, asked.form, f"{self.url}{asked.path}")))
            case "POST", ["oauth2", "v2.0", "devicecode"]:
                return self._device(asked)
            case _, ["oauth2", "v2.0", "authorize"]:
                return self._authorize(asked)
        return Said(b"{}", 404)

    def _googles(self, asked: Asked) -> Said:
        if asked.path == "/introspect":
            return self._introspected(asked)
        if asked.path == "/o/oauth2/v2/auth":
            return self._authorize(asked)
        _check_form(asked)
        return Said(as_json(google.token(self.realm, asked.form)))

    def _configuration(self, tenant: str) -> dict[str, Any]:
        base = f"{self.url}/{tenant}"
        return {
            "issuer": f"{base}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
        }

    def _device(self, asked: Asked) -> Said:
        device = microsoft.device(self.realm, asked.form)
        answer = {"device_code": device.code, "user_code": device.user_code, "expires_in": 900, "interval": 1}
        return Said(as_json({**answer, "verification_uri": f"{self.url}/device", "message": "Sign in."}))

    def _introspected(self, asked: Asked) -> Said:
        """RFC 7662 §2.2; the token in the form, or as the bearer's."""
        bearer = asked.headers.get("authorization", "").removeprefix("Bearer ")
        given = self.realm.active(asked.form.get("token") or bearer)
        if given is None:
            return Said(as_json({"active": False}))
        known = {"username": given.user, "email": given.user, "client_id": given.client, "scope": given.scope}
        return Said(as_json({"active": True, **known, "exp": int(given.ends)}))

    # The page that people sign in on

    def _authorize(self, asked: Asked) -> Said:
        """A form; posted, it leads back with a code, or with an error where `deny` was pressed."""
        form = asked.form
        client = self.realm.clients.get(form.get("client_id", ""))
        redirect = form.get("redirect_uri", "")
        place = urlsplit(redirect)
        if client is None or place.scheme != "http" or place.hostname not in ("localhost", "127.0.0.1"):
            return Said(b"the application or its redirect is not known", 400, "text/plain")
        if form.get("response_type") != "code" or form.get("code_challenge_method") != "S256":
            return Said(b"a code with PKCE is demanded", 400, "text/plain")
        if asked.method == "GET":
            return Said(_page(form), kind="text/html; charset=utf-8")
        if "deny" in form:
            back = {
                "error": "access_denied",
                "error_description": "AADSTS65004: The user declined.",
                "state": form["state"],
            }
        else:
            person = self.realm.person(form.get("username", ""), form.get("password", ""))
            code = secrets.token_urlsafe(24)
            given = Given(person.name, client.id, form.get("scope", ""), redirect=redirect)
            given.challenge, given.nonce = form["code_challenge"], form.get("nonce", "")
            self.realm.codes[code] = given
            back = {"code": code, "state": form.get("state", "")}
        return Said(b"", 302, headers=(("Location", f"{redirect}?{urlencode(back)}"),))


def _check_form(asked: Asked) -> None:
    if asked.method != "POST" or not asked.headers.get("content-type", "").startswith(
        "application/x-www-form-urlencoded"
    ):
        raise Refused("invalid_request", 900144)


def _page(form: Form) -> bytes:
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in form.items()
    )
    hint = escape(form.get("login_hint", ""))
    return (
        f'<!doctype html><title>Sign in</title><form method="post">{hidden}'
        f'<input name="username" value="{hint}"><input name="password" type="password">'
        '<button id="allow">Allow</button><button id="deny" name="deny" value="1">Deny</button></form>'
    ).encode()


def _handler(server: AuthorizationServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 20

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

        def _answer(self, body: bytes) -> None:
            parts = urlsplit(self.path)
            pairs = parse_qsl(parts.query, keep_blank_values=True) + parse_qsl(body.decode("ascii", "replace"))
            headers = {name.lower(): value for name, value in self.headers.items()}
            form = dict(pairs) | _basic(headers)
            said = server.answer(Asked(self.command, parts.path, form, headers, body))
            self.send_response(said.status)
            for name, value in (("Content-Type", said.kind), *said.headers):
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body)

        def log_message(self, format: str, *arguments: Any) -> None:
            pass

    return Handler


def _basic(headers: dict[str, str]) -> dict[str, str]:
    """Client ID and secret of HTTP Basic (RFC 6749 §2.3.1), as if they stood in the form."""
    kind, _, rest = headers.get("authorization", "").partition(" ")
    if kind != "Basic":
        return {}
    user, _, password = base64.b64decode(rest).decode().partition(":")
    return {"client_id": unquote(user), "client_secret": unquote(password)}
