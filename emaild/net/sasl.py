"""The mechanisms to sign in with (SASL, RFC 4422), whatever the protocol: bytes in and out, without base64."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from emaild.net.loading import loaded
from emaild.settings.by_token import wanted_mechanisms
from emaild.settings.extras import NTLM_PACKAGE, has_ntlm
from emaild.settings.properties import ProtocolProperties
from emaild.settings.secret import Secret

BEST_FIRST = ("PLAIN", "LOGIN", "NTLM")  # the last asks most of both sides; tokens are used only where they are named
LONGEST_SCOPE = 200  # characters of what a server says of the scope that it wants


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who signs in. For XOAUTH2 and OAUTHBEARER `password` is the access token.

    `authorization_id`: whom to act as, if another. `realm`: NTLM's domain where `ntlm_domain` names none. `host`: the
    server, as OAUTHBEARER names it.
    """

    user: str
    password: Secret
    authorization_id: str = ""
    realm: str = ""
    ntlm_domain: str = ""
    host: str = ""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Mechanisms, in capitals: those `wanted` in order, none: the best that both know but the `disabled` ones."""

    mechanisms: tuple[str, ...] = ()
    disabled: frozenset[str] = frozenset()


class Mechanism(Protocol):
    """One sign-in. `client_first`: the first response may go with the command, for no challenge comes before it.

    `refusal` is what the server said by a last challenge, or "": it is told only by an answer to that.
    """

    name: ClassVar[str]
    client_first: ClassVar[bool]
    refusal: str

    def respond(self, challenge: bytes | None) -> bytes:
        """The answer to a challenge; None, or the first, empty one: the initial response.

        Raises:
            ValueError: the challenge cannot be answered, or one too many.
        """


def choice_of(properties: ProtocolProperties) -> Choice:
    """What a section's properties say about mechanisms."""
    disabled = {
        "LOGIN": properties.auth_login_disable,
        "PLAIN": properties.auth_plain_disable,
        "NTLM": properties.auth_ntlm_disable,
        "XOAUTH2": properties.auth_xoauth2_disable,
    }
    off = frozenset(name for name, is_off in disabled.items() if is_off)
    return Choice(mechanisms=wanted_mechanisms(properties), disabled=off)


def choose(offered: Iterable[str], account: Account, choice: Choice) -> Mechanism | None:
    """The mechanism to sign in with; None where both sides know none.

    What cannot say whom to act as is left out where the account asks for that.
    """
    known = {name.upper() for name in offered}
    for name in choice.mechanisms or [name for name in BEST_FIRST if name not in choice.disabled]:
        mechanism = MECHANISMS.get(name)
        if mechanism is None or name not in known or (name == "NTLM" and not has_ntlm()):
            continue
        if account.authorization_id and name not in CARRY_AUTHORIZATION:
            continue
        return mechanism(account)
    return None


class _Written:
    """A mechanism whose responses are known beforehand: they are given one after the other."""

    name: ClassVar[str]
    client_first: ClassVar[bool] = True

    def __init__(self, *responses: Secret) -> None:
        self._responses = iter(responses)
        self.refusal = ""

    def respond(self, challenge: bytes | None) -> bytes:
        for response in self._responses:
            return response.reveal().encode()
        raise ValueError(f"the server asks for more than {self.name} has to say")


class Plain(_Written):
    """RFC 4616."""

    name = "PLAIN"

    def __init__(self, account: Account) -> None:
        super().__init__(Secret(f"{account.authorization_id}\0{account.user}\0{account.password.reveal()}"))


class Login(_Written):
    """LOGIN (draft-murchison-sasl-login): the server asks for the name, and then for the password."""

    name = "LOGIN"
    client_first = False

    def __init__(self, account: Account) -> None:
        super().__init__(Secret(account.user), account.password)


class _Token(_Written):
    """A mechanism whose one message carries a token; a challenge after it tells why that was refused."""

    farewell: ClassVar[bytes] = b""

    def __init__(self, message: str, token: Secret) -> None:
        super().__init__(Secret(message))
        self._token = token
        self._sent = False

    def respond(self, challenge: bytes | None) -> bytes:
        if self._sent and not self.refusal:
            self.refusal = _refusal(challenge or b"", self._token.reveal())
            return self.farewell
        self._sent = True
        return super().respond(challenge)


class XOAuth2(_Token):
    """XOAUTH2 (Google's, "OAuth 2.0 Mechanism"); the answer to a refusal is empty."""

    name = "XOAUTH2"

    def __init__(self, account: Account) -> None:
        super().__init__(f"user={account.user}\1auth=Bearer {account.password.reveal()}\1\1", account.password)


class OAuthBearer(_Token):
    """RFC 7628; the answer to a refusal is one %x01 (§3.2.3)."""

    name = "OAUTHBEARER"
    farewell = b"\1"

    def __init__(self, account: Account) -> None:
        who = (account.authorization_id or account.user).replace("=", "=3D").replace(",", "=2C")  # RFC 5801 §4
        host = f"host={account.host}\1" if account.host else ""
        super().__init__(f"n,a={who},\1{host}auth=Bearer {account.password.reveal()}\1\1", account.password)


class Ntlm:
    """NTLMv2 ([MS-NLMP]), by pyspnego."""

    name: ClassVar[str] = "NTLM"
    client_first: ClassVar[bool] = True

    def __init__(self, account: Account) -> None:
        self._spnego: Any = loaded(NTLM_PACKAGE)
        domain, _, user = account.user.rpartition("\\")
        domain = account.ntlm_domain or account.realm or domain
        self.refusal = ""
        self._context = self._spnego.client(
            username=f"{domain}\\{user}" if domain else user,
            password=account.password.reveal(),
            hostname=account.host or "unspecified",
            service="mail",
            protocol="ntlm",
            options=self._spnego.NegotiateOptions.use_ntlm,
        )

    def respond(self, challenge: bytes | None) -> bytes:
        """Messages 1 and 3 of NTLM."""
        if self._context.complete:
            raise ValueError("the server asks for more than NTLM has to say")
        try:
            response: bytes | None = self._context.step(challenge or None)
        except Exception as error:  # whatever the parser of a server's bytes meets
            raise ValueError("the server's challenge is no NTLM") from error
        return response or b""


MECHANISMS: dict[str, Callable[[Account], Mechanism]] = {
    mechanism.name: mechanism for mechanism in (Plain, Login, Ntlm, XOAuth2, OAuthBearer)
}
CARRY_AUTHORIZATION = frozenset({"PLAIN", "OAUTHBEARER"})


def _refusal(challenge: bytes, token: str) -> str:
    """Why a token was refused: `status` and `scope` of a JSON object (RFC 7628 §3.2.2), else that it was.

    Nothing else of what the server says, and what of these two holds the token is left out.
    """
    try:
        said = json.loads(challenge)
    except (ValueError, RecursionError):
        said = {}
    told = ["the token was refused"]
    for name, longest in (("status", 40), ("scope", LONGEST_SCOPE)):
        value = str(said.get(name) or "") if isinstance(said, dict) else ""
        if value and not (token and token in value):
            told.append(f"{name} {''.join(filter(str.isprintable, value))[:longest]}")
    return ": ".join((told[0], ", ".join(told[1:]))) if told[1:] else told[0]
