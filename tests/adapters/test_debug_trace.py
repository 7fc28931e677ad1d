"""enable-debug: what is said to real servers stands in the log, passwords do not."""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from emaild.jobs.adapters import source_for
from emaild.net.peer import peer_of
from emaild.settings.mailbox import FirstFetch, MailboxType
from emaild.settings.secret import Secret
from emaild.settings.server import Security
from emaild.settings.way_out import WayOutSection
from emaild.sinks.smtp import Smtp
from tests.adapters.scripts import SmtpScript, says
from tests.adapters.turns import mail, section, turn
from tests.adapters.ways import SENT, Way, outbound, states
from tests.clock import ManualClock
from tests.said import Said
from tests.servers.authority import Authority
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.scripted import Scripted

IMAP, POP3 = MailboxType.IMAP, MailboxType.POP3
USER = "traced"


def lines(said: Said, event: str) -> list[str]:
    return [found["line"] for found in said.all(event)]


def shows_no_password(said: Said, user: str) -> bool:
    """Neither as it is nor as the mechanisms encode it."""
    everything = repr(said.events)
    encoded = (base64.b64encode(text.encode()).decode() for text in (PASSWORD, f"\0{user}\0{PASSWORD}"))
    return not any(text in everything for text in (PASSWORD, *encoded))


@pytest.mark.parametrize("security", [Security.NONE, Security.START_TLS, Security.SSL_TLS])
@pytest.mark.parametrize("kind", [IMAP, POP3])
def test_turn_is_traced_without_the_password(
    dovecot: Dovecot, authority: Authority, kind: MailboxType, security: Security
) -> None:
    user = f"{USER}-{kind.value.lower()}-{security}"
    dovecot.deliver(user, mail("one", "Line of a mail."))
    port = dovecot.imap if kind is IMAP else dovecot.pop3
    if security is Security.SSL_TLS:
        port = dovecot.imaps if kind is IMAP else dovecot.pop3s
    said = Said()
    given: dict[str, Any] = {"security_given": security, "ca_file": authority.ca_file, "enable_debug": True}
    made = section(kind, port, user, first_fetch=FirstFetch.ALL, **given)
    with closing(source_for(made)) as source:
        turn(source)
    sent, heard = lines(said, "protocol.sent"), lines(said, "protocol.heard")
    assert any(line.endswith(" ***") for line in sent)
    assert ("Line of a mail." in heard) or ("Line of a mail.)" in heard)
    assert any("UID FETCH" in line if kind is IMAP else line.startswith("RETR") for line in sent)
    assert any("STARTTLS" in line or "STLS" in line for line in sent) == (security is Security.START_TLS)
    assert {event["section"] for event in said.all("protocol.sent")} == {f"pop-client-{user}"}
    assert shows_no_password(said, user)


def test_nothing_is_traced_without_enable_debug(dovecot: Dovecot, authority: Authority) -> None:
    said = Said()
    given: dict[str, Any] = {"security_given": Security.SSL_TLS, "ca_file": authority.ca_file}
    with closing(source_for(section(POP3, dovecot.pop3s, f"{USER}-not", **given))) as source:
        turn(source)
    assert not said.all("protocol.sent")
    assert not said.all("protocol.heard")


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_sending_is_traced_without_the_password(scripted: Callable[..., Scripted], mechanism: str) -> None:
    def login(dialog: Any, tag: str, rest: str) -> None:
        if mechanism == "LOGIN":
            if rest == "LOGIN":
                dialog.send("334 VXNlcm5hbWU6")
                dialog.readline()
            dialog.send("334 UGFzc3dvcmQ6")
            dialog.readline()
        dialog.send("235 in")

    script = SmtpScript({"EHLO": says("250-mail.example.com", f"250 AUTH {mechanism}"), "AUTH": login})
    said = Said()
    way = WayOutSection(
        name="smtp-client",
        server="localhost",
        port_given=scripted(script).port,
        enable_authentication=True,
        user=USER,
        password=Secret(PASSWORD),
        enable_debug=True,
    )
    with closing(Way(Smtp(way, peer_of(way), ManualClock()))) as smtp:
        assert states(smtp.send(outbound())) == [SENT]
    sent = lines(said, "protocol.sent")
    assert f"AUTH {mechanism} ***" in sent or sent[sent.index(f"AUTH {mechanism}") + 1] == "***"
    assert "DATA" in sent
    assert "Hello" in sent
    assert "354 go ahead" in lines(said, "protocol.heard")
    assert shows_no_password(said, USER)
