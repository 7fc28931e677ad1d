"""Signing in to a POP3 server: USER and PASS or APOP (RFC 1939 §7), or AUTH with a mechanism (RFC 5034)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence

from emaild.errors import Rejected
from emaild.net import steps
from emaild.net.sasl import MECHANISMS, Account, Choice, Mechanism, choice_of, choose
from emaild.net.sign_in import TokenRefused, only_tokens, without
from emaild.settings.mailbox import MailboxSection
from emaild.settings.secret import MASK, Secret
from emaild.sources.pop3_client import Client, Refused, meaning

USER_FIRST = ("LOGIN", "PLAIN", "NTLM")  # LOGIN stands for USER and PASS, as in JavaMail
LONGEST_COMMAND = 253  # octets without the line end (RFC 2449 §4); a longer response goes on a line of its own


def sign_in(client: Client, section: MailboxSection, token: Secret | None = None) -> None:
    """Sign in as the section says; with a *token* only by a mechanism that carries it.

    Raises:
        TokenRefused: the server said no to it.
        Rejected: anyone could read the password. Refused: the server said no; what it repeats of the secrets is
        masked. ValueError: there is no way that both sides know. OSError: as Client's.
    """
    steps.begin("sign-in")
    client.check_encrypted()
    try:
        _sign_in(client, section, token)
    except Refused as refused:
        masked = Refused(without(str(refused), token or section.password))
        kind, reason = meaning(masked)
        if token is not None and kind is Rejected:
            raise TokenRefused(str(client.peer), "sign in", reason) from None
        raise masked from None


def _sign_in(client: Client, section: MailboxSection, token: Secret | None) -> None:
    properties = section.pop3
    choice = only_tokens(choice_of(properties)) if token else choice_of(properties)
    stamp = _stamp(client.greeting) if properties.apop_enable else None
    if stamp and not token and (not choice.mechanisms or "LOGIN" in choice.mechanisms):
        steps.tell(f"APOP as {section.mailbox}")
        _apop(client, section, stamp)
        return
    account = Account(
        user=section.mailbox,
        password=token or section.password,
        ntlm_domain=properties.auth_ntlm_domain,
        host=section.server,
    )
    mechanism = _chosen(client, account, choice)
    steps.tell(f"{mechanism.name} as {section.mailbox}")
    if mechanism.name == "LOGIN":
        _user_and_pass(client, section)
    else:
        _auth(client, mechanism, two_lines=mechanism.name == "XOAUTH2" and properties.auth_xoauth2_two_line)


def _stamp(greeting: bytes) -> bytes | None:
    """The timestamp of a server that can APOP. Only a well-formed one: others help to find a password out of MD5."""
    found = re.search(rb"<[\x21-\x3b\x3d\x3f-\x7e]+@[\x21-\x3b\x3d\x3f-\x7e]+>", greeting)
    return found[0] if found else None


def _chosen(client: Client, account: Account, choice: Choice) -> Mechanism:
    offered = _offered(client)
    wanted = choice.mechanisms or tuple(name for name in USER_FIRST if name not in choice.disabled)
    mechanism = choose(offered, account, Choice(mechanisms=wanted))
    if mechanism is None:
        knows = " ".join(sorted(offered)).replace("LOGIN", "LOGIN (USER and PASS)") or "none"
        raise ValueError(f"no mechanism both sides know: the server knows {knows}, asked for is {' '.join(wanted)}")
    return mechanism


def _offered(client: Client) -> set[str]:
    """What the server knows. LOGIN is USER and PASS, which everyone knows who does not say otherwise."""
    if client.capabilities is None:
        return set(MECHANISMS)
    offered = set(client.capabilities.get("SASL", ())) - {"LOGIN"}
    if "USER" in client.capabilities or not offered:
        offered.add("LOGIN")
    return offered


def _user_and_pass(client: Client, section: MailboxSection) -> None:
    lines = f"USER {section.mailbox}", f"PASS {section.password.reveal()}"
    for answer in client.each([_octets(line) for line in lines], together=client.encrypted):
        if isinstance(answer, Refused):
            raise answer


def _apop(client: Client, section: MailboxSection, stamp: bytes) -> None:
    digest = hashlib.md5(stamp + _octets(section.password.reveal()), usedforsecurity=False).hexdigest()
    client.command(_octets(f"APOP {section.mailbox} {digest}"))


def _auth(client: Client, mechanism: Mechanism, *, two_lines: bool) -> None:
    command = b"AUTH " + mechanism.name.encode("ascii")
    response = base64.b64encode(mechanism.respond(None))
    said = [response]
    try:
        line = command + b" " + (response or b"=")
        if two_lines or len(line) > LONGEST_COMMAND:
            client.command(command)
            line = response
        answer = client.command(line)
        while answer.startswith(b"+ ") or answer == b"+":
            said.append(base64.b64encode(mechanism.respond(_challenge(answer))))
            answer = client.command(said[-1])
    except Refused as refused:
        words = _without_responses(str(refused), said)
        raise Refused(f"{mechanism.refusal}: {words}" if mechanism.refusal else words) from None


def _without_responses(words: str, said: Sequence[bytes]) -> str:
    """The server's words; what of our responses it repeats, be it their beginning, is masked."""
    for response in filter(None, said):
        words = re.sub(re.escape(response[:8].decode("ascii")) + "[A-Za-z0-9+/=]*", MASK, words)
    return words


def _challenge(answer: bytes) -> bytes:
    try:
        return base64.b64decode(answer[2:], validate=True)
    except ValueError:
        raise ValueError("the server's challenge is no base64") from None


def _octets(line: str) -> bytes:
    """UTF-8; a password from a file or the environment that is none goes as the bytes that it came as."""
    return line.encode("utf-8", "surrogateescape")
