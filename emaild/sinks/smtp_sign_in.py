"""An SMTP connection that takes mail: greeted, encrypted and signed in.

Whatever fails here is the way's failure and touches no mail.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from base64 import b64decode, b64encode

from emaild.errors import Busy, Rejected, RemoteError, Unreachable
from emaild.net import steps
from emaild.net.connect import check_encrypted, first_that_connects
from emaild.net.peer import Peer
from emaild.net.refusals import explained
from emaild.net.sasl import Account, Mechanism, choice_of, choose
from emaild.net.sign_in import TokenRefused, only_tokens, without
from emaild.net.tls import client_context
from emaild.net.translate import network_meaning, translated
from emaild.settings.properties import SmtpProperties
from emaild.settings.secret import Secret
from emaild.settings.server import Security
from emaild.settings.way_out import WayOutSection
from emaild.sinks.smtp_client import LIBRARY, SmtpClient
from emaild.sinks.smtp_replies import Answer, words

LONGEST_COMMAND = 512  # octets, CRLF included (RFC 5321 §4.5.3.1.4)
MOST_CHALLENGES = 10
SIGN_IN_IS_OFF = re.compile(rb"5\.7\.139")  # Exchange: for this mailbox or tenant it is, whatever the token


def signed_in(section: WayOutSection, peer: Peer, token: Secret | None = None) -> SmtpClient:
    """A connection that takes mail: greeted, encrypted and signed in as the section says, or with a *token*.

    Raises:
        TokenRefused: the server said no to the token. RemoteError: there is none to be had.
    """
    client = first_that_connects(peer, lambda attempt: _greeted(attempt, section.smtp))
    try:
        if token is not None or (section.enable_authentication and section.password is not None):
            with translated(str(client.peer), "sign in", _meaning, *LIBRARY):
                _sign_in(client, section, token)
        else:
            steps.skip("sign-in", "the section has none: enable-authentication is false, or there is no password")
    except BaseException:
        client.close()
        raise
    return client


def _greeted(peer: Peer, properties: SmtpProperties) -> SmtpClient:
    with translated(str(peer), "connect", _meaning, *LIBRARY):
        client = SmtpClient(peer, properties)
    try:
        with translated(str(peer), "greet", _meaning, *LIBRARY):
            client.greet()
        with translated(str(peer), "STARTTLS", _meaning, *LIBRARY):
            offered = peer.starttls_if_offered and client.has_extn("starttls")
            if offered or peer.security is Security.START_TLS:
                _start_tls(client)
            elif peer.starttls_if_offered:
                steps.skip("STARTTLS", "the server does not offer it")
    except BaseException:
        client.close()
        raise
    return client


def _start_tls(client: SmtpClient) -> None:
    """What was said before counts no more: the server is asked again what it can do (RFC 3207 §4.2)."""
    steps.begin("STARTTLS")
    code, text = client.starttls(context=client_context(client.peer))
    if code != 220:
        raise smtplib.SMTPResponseException(code, text)
    client.greet()


def _sign_in(client: SmtpClient, section: WayOutSection, token: Secret | None) -> None:
    """By the best mechanism that both sides know and the section allows (RFC 4954)."""
    where = str(client.peer)
    steps.begin("sign-in")
    offered = client.esmtp_features.get("auth", "").split()
    if not offered:
        raise Rejected(where, "sign in", "the server offers no sign-in; clear user and password, or use another port")
    choice = choice_of(section.smtp)
    mechanism = choose(offered, _account(client, section, token), only_tokens(choice) if token else choice)
    if mechanism is None:
        raise Rejected(where, "sign in", f"the server offers {' '.join(offered)}, none of which may be used")
    check_encrypted(client.peer, client.connection)
    steps.tell(f"{mechanism.name} as {section.user}")
    code, text = _exchange(client, mechanism)
    if code != 235:
        reason = ": ".join(filter(None, (mechanism.refusal, without(words((code, text)), token or section.password))))
        raise _refused(code, text, token)(where, "sign in", explained(reason))


def _refused(code: int, text: bytes, token: Secret | None) -> type[RemoteError]:
    """454 and 421 are passing troubles of the server; 535 and the like are about our password (RFC 4954 §6)."""
    if code <= 0 or code // 100 == 4:
        return Busy
    return Rejected if token is None or SIGN_IN_IS_OFF.search(text) else TokenRefused


def _account(client: SmtpClient, section: WayOutSection, token: Secret | None) -> Account:
    properties = section.smtp
    host = client.peer.host
    if properties.sasl_enable and properties.sasl_usecanonicalhostname:
        host = socket.getfqdn(client.connection.getpeername()[0])
    return Account(
        user=section.user,
        password=token or section.password or Secret(""),
        authorization_id=properties.sasl_authorizationid if properties.sasl_enable else "",
        realm=properties.sasl_realm if properties.sasl_enable else "",
        ntlm_domain=properties.auth_ntlm_domain,
        host=host,
    )


def _exchange(client: SmtpClient, mechanism: Mechanism) -> Answer:
    """AUTH with the first response where that fits on its line (RFC 4954 §4), and an answer to each challenge."""
    command = f"AUTH {mechanism.name}"
    first = b64encode(mechanism.respond(None)).decode("ascii") if mechanism.client_first else None
    if first is not None and len(command) + 1 + len(first) <= LONGEST_COMMAND - 2:
        answer, first = client.docmd(command, first or "="), None
    else:
        answer = client.docmd(command)
    for _ in range(MOST_CHALLENGES):
        if answer[0] != 334:
            break
        answer, first = client.docmd(_response(mechanism, answer[1]) if first is None else first), None
    return answer


def _response(mechanism: Mechanism, challenge: bytes) -> str:
    """The answer to a challenge; `*` ends a sign-in that cannot go on (RFC 4954 §4)."""
    try:
        return b64encode(mechanism.respond(b64decode(challenge))).decode("ascii")
    except ValueError:
        return "*"


def _meaning(error: Exception) -> tuple[type[RemoteError], str]:
    """What a failure before MAIL means for the way out."""
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return Rejected, str(error)
    if isinstance(error, smtplib.SMTPResponseException) and error.smtp_code > 0:
        return Busy, words((error.smtp_code, _as_bytes(error.smtp_error)))
    if isinstance(error, smtplib.SMTPResponseException):
        return Unreachable, "what it says is no SMTP"
    if isinstance(error.__cause__, ssl.SSLError):  # TLS 1.3 refuses our certificate as late as here
        return network_meaning(error.__cause__)
    if isinstance(error, smtplib.SMTPException):
        return Unreachable, str(error) or "the connection broke"
    if isinstance(error, OSError):
        return network_meaning(error)
    return Rejected, str(error)


def _as_bytes(text: bytes | str) -> bytes:
    """What smtplib's exceptions hold, be it the server's words or its own."""
    return text.encode() if isinstance(text, str) else text
