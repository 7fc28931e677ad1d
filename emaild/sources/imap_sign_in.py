"""The way into an IMAP server: connect, encrypt, sign in, and agree on compression."""

from __future__ import annotations

import contextlib
import imaplib
import socket
from dataclasses import replace

from imapclient.exceptions import CapabilityError, IMAPClientError

from emaild.errors import Rejected
from emaild.net.connect import check_encrypted, first_that_connects
from emaild.net.peer import Peer
from emaild.net.sasl import Account, Choice, Mechanism, choice_of, choose
from emaild.net.sign_in import TokenRefused, only_tokens, without
from emaild.net.tls import client_context
from emaild.net.translate import translated
from emaild.settings.mailbox import MailboxSection
from emaild.settings.secret import Secret
from emaild.settings.server import Security
from emaild.sources.imap_client import Client, meaning

LIBRARY = (OSError, IMAPClientError, ValueError)
"""What imaplib and IMAPClient raise, for `translated`."""


def connect(peer: Peer) -> Client:
    """A connection that is encrypted as the peer asks, by the first of its attempts that succeeds.

    Raises:
        RemoteError: there is none.
    """
    return first_that_connects(peer, _connected)


def _connected(peer: Peer) -> Client:
    with translated(str(peer), "connect", meaning, *LIBRARY):
        client = Client(peer)
    try:
        with translated(str(peer), "STARTTLS", meaning, *LIBRARY):
            _encrypt(client)
    except BaseException:
        drop(client)
        raise
    return client


def drop(client: Client) -> None:
    """End its connection without a word; never raises."""
    with contextlib.suppress(OSError, IMAPClientError, AttributeError):
        client.shutdown()


def _encrypt(client: Client) -> None:
    """STARTTLS, which a server that was tampered with must not be able to avoid (RFC 9051 §11.1)."""
    required = client.peer.security is Security.START_TLS
    if client.is_signed_in and required:
        raise CapabilityError("the server signed us in before it (PREAUTH), and then it is not possible any more")
    if client.is_signed_in or not (required or client.peer.starttls_if_offered):
        return
    if client.has_capability("STARTTLS"):
        client.starttls(client_context(client.peer))
    elif required:
        raise CapabilityError("the server does not offer it")


def sign_in(client: Client, section: MailboxSection, token: Secret | None = None) -> None:
    """Sign in as the section says, unless the server did so by itself, and agree on what depends on that.

    With a *token* only by a mechanism that carries it.

    Raises:
        TokenRefused: the server said no to it.
        Rejected: the connection is not encrypted, no mechanism is known to both sides, or another server is named.
        OSError, IMAPClientError, ValueError: the server or the connection failed.
    """
    properties = section.imap
    check_encrypted(client.peer, client.socket())
    if not client.is_signed_in:
        _prove_identity(client, section, token)
        referral = client.referral()
        if referral and properties.referralexception:
            raise Rejected(str(client.peer), "sign in", f"the mailbox is at another server, {referral}")
    if properties.proxyauth_user:
        client.proxyauth(properties.proxyauth_user)
    if properties.compress_enable and client.has_capability("COMPRESS=DEFLATE"):
        client.compress(properties.compress_level)


def _prove_identity(client: Client, section: MailboxSection, token: Secret | None) -> None:
    mechanism = _mechanism(client, section, token)
    try:
        if mechanism is None:
            client.login(section.mailbox, section.password.reveal())
        else:
            client.authenticate(mechanism)
    except imaplib.IMAP4.abort:
        raise
    except IMAPClientError as error:
        refusal = mechanism.refusal if mechanism else ""
        said = ": ".join(filter(None, (refusal, without(str(error), token or section.password))))
        kind, reason = meaning(IMAPClientError(said))
        if token is not None and kind is Rejected:
            raise TokenRefused(str(client.peer), "sign in", reason) from error
        # IMAPClient calls a broken connection a failed sign-in, too.
        broken = isinstance(error.__context__, imaplib.IMAP4.abort)
        raise (imaplib.IMAP4.abort if broken else IMAPClientError)(said) from error


def _mechanism(client: Client, section: MailboxSection, token: Secret | None) -> Mechanism | None:
    """How to sign in; None: by the command LOGIN, which is the first choice where nothing speaks against it."""
    choice, account = choice_of(section.imap), _account(section, client.peer)
    if token is not None:
        return _named(client, replace(account, password=token), only_tokens(choice))
    # LOGIN carries ASCII alone (RFC 3501 §9), PLAIN all of UTF-8 (RFC 4616 §2).
    in_ascii = account.user.isascii() and account.password.reveal().isascii()
    login_is_possible = in_ascii and not account.authorization_id and not client.has_capability("LOGINDISABLED")
    if login_is_possible and not choice.mechanisms and "LOGIN" not in choice.disabled:
        return None
    return _named(client, account, choice, login=login_is_possible and "LOGIN" in choice.mechanisms)


def _named(client: Client, account: Account, choice: Choice, *, login: bool = False) -> Mechanism | None:
    """The mechanism of *choice*; None where both sides know none of them and *login* is left to try."""
    mechanism = choose(_offered(client), account, choice)
    if mechanism is None and not login:
        offered = " ".join(_offered(client)) or "nothing"
        raise Rejected(str(client.peer), "sign in", f"no way to sign in that both sides know; it offers {offered}")
    return mechanism


def _offered(client: Client) -> list[str]:
    capabilities = [capability.decode("ascii", "replace") for capability in client.capabilities()]
    offered = [name.removeprefix("AUTH=") for name in capabilities if name.startswith("AUTH=")]
    return offered or ([] if "LOGINDISABLED" in capabilities else ["PLAIN"])  # some know PLAIN and do not say so


def _account(section: MailboxSection, peer: Peer) -> Account:
    properties = section.imap
    account = Account(
        user=section.mailbox, password=section.password, ntlm_domain=properties.auth_ntlm_domain, host=peer.host
    )
    if not properties.sasl_enable:
        return account
    canonical = properties.sasl_usecanonicalhostname
    return replace(
        account,
        authorization_id=properties.sasl_authorizationid,
        realm=properties.sasl_realm,
        host=socket.getfqdn(peer.host) if canonical else peer.host,
    )
