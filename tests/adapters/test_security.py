"""Security `automatic`, and servers whose STARTTLS somebody took away, for mailboxes of both kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from emaild.errors import Rejected
from emaild.settings.mailbox import FirstFetch, MailboxType
from emaild.settings.properties import ImapProperties, Pop3Properties
from emaild.settings.server import Security
from emaild.sources import Source
from tests.adapters.scripts import ImapScript, Pop3Script, says
from tests.adapters.turns import Sources, mail, subjects, turn
from tests.servers.authority import Authority
from tests.servers.dovecot import Dovecot
from tests.servers.scripted import Dialog, Scripted

IMAP, POP3 = MailboxType.IMAP, MailboxType.POP3
Make = Callable[..., Source]


@pytest.fixture
def sources(authority: Authority) -> Iterator[Make]:
    """Makes sources whose security is automatic, and closes them."""
    with Sources(IMAP, 0, authority) as imap, Sources(POP3, 0, authority) as pop3:

        def source(kind: MailboxType, user: str, port: int, **given: Any) -> Source:
            fields = {"security_given": Security.AUTOMATIC, "first_fetch": FirstFetch.ALL} | given
            return (imap if kind is IMAP else pop3)(user, port=port, **fields)

        yield source


def script(kind: MailboxType, security: Security = Security.AUTOMATIC) -> Callable[[Dialog], None]:
    """A server of one mail that knows nothing of TLS, and hangs up where it begins: first, where it is automatic."""
    refuses = {"CAPA": says("+OK", "UIDL", "."), "STLS": says("-ERR unknown")}
    play = ImapScript({1: mail("one")}) if kind is IMAP else Pop3Script({b"1": mail("one")}, refuses)

    def plays(dialog: Dialog) -> None:
        if security is not Security.AUTOMATIC or dialog.number > 1:
            play(dialog)

    return plays


def signed_in_over_tls(dovecot: Dovecot, user: str) -> bool:
    assert len(dovecot.sessions(user, 1)) == 1
    (line,) = [line for line in dovecot.log().splitlines() if f"Login: user=<{user}>" in line]
    return ", TLS" in line


@pytest.mark.parametrize("security", [Security.AUTOMATIC, Security.ENCRYPTED])
@pytest.mark.parametrize("kind", [IMAP, POP3])
@pytest.mark.parametrize("starttls", [False, True])
def test_a_security_that_is_found_out_is_the_best_that_the_server_has(
    dovecot: Dovecot, sources: Make, kind: MailboxType, starttls: bool, security: Security
) -> None:
    """TLS from the first byte, or by STARTTLS on a port without."""
    user = f"{security}-{kind.value.lower()}-{starttls}".lower()
    ports = {IMAP: (dovecot.imaps, dovecot.imap), POP3: (dovecot.pop3s, dovecot.pop3)}
    dovecot.deliver(user, mail("one"))
    source = sources(kind, user, ports[kind][starttls], security_given=security)
    assert subjects(turn(source).raws) == ["one"]
    assert signed_in_over_tls(dovecot, user)


@pytest.mark.parametrize("kind", [IMAP, POP3])
def test_encrypted_ends_where_the_server_has_no_tls_at_all(
    scripted: Callable[..., Scripted], sources: Make, kind: MailboxType
) -> None:
    """Even on loopback, where a password may go in the clear."""
    server = scripted(script(kind))
    with pytest.raises(Rejected, match=r"START ?TLS|STLS"):
        sources(kind, "joe", server.port, security_given=Security.ENCRYPTED).open()
    assert server.connections == 2
    assert not [line for line in server.transcript if "secret" in line or "LOGIN" in line or "USER" in line]


@pytest.mark.parametrize("kind", [IMAP, POP3])
def test_automatic_ends_in_the_clear_where_the_server_is_on_loopback_and_has_no_tls(
    scripted: Callable[..., Scripted], sources: Make, kind: MailboxType
) -> None:
    server = scripted(script(kind))
    assert subjects(turn(sources(kind, "joe", server.port)).raws) == ["one"]
    assert server.connections == 2


@pytest.mark.parametrize("kind", [IMAP, POP3])
def test_automatic_does_not_go_on_where_the_certificate_is_not_trusted(
    dovecot: Dovecot, authority: Authority, sources: Make, kind: MailboxType
) -> None:
    user = f"automatic-untrusted-{kind.value.lower()}"
    port = dovecot.imaps if kind is IMAP else dovecot.pop3s
    with pytest.raises(Rejected, match="the certificate is not trusted"):
        sources(kind, user, port, ca_file=authority.other_ca_file).open()
    assert not dovecot.sessions(user)


@pytest.mark.parametrize("kind", [IMAP, POP3])
@pytest.mark.parametrize("security", [Security.START_TLS, Security.AUTOMATIC])
def test_starttls_that_was_taken_away_stops_before_the_password(
    scripted: Callable[..., Scripted], sources: Make, kind: MailboxType, security: Security
) -> None:
    """Somebody on the way can leave it out of what the server offers."""
    server = scripted(script(kind, security))
    given: dict[str, Any] = {"security_given": security}
    if security is Security.AUTOMATIC:
        given |= {"imap": ImapProperties(starttls_required=True), "pop3": Pop3Properties(starttls_required=True)}
    with pytest.raises(Rejected, match=r"START ?TLS|STLS"):
        sources(kind, "joe", server.port, **given).open()
    assert not [line for line in server.transcript if "secret" in line or "LOGIN" in line or "USER" in line]
