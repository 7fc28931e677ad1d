"""Sending over SMTP: connecting, signing in, and a receipt for each recipient."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from emaild.errors import Busy, Rejected, Unreachable
from emaild.message import Receipt
from emaild.settings.secret import Secret
from emaild.settings.server import Security
from tests.adapters.scripts import SmtpScript, cuts, says, stays_silent
from tests.adapters.ways import FAILED, RAW, SENDER, SENT, WAITING, Sinks, codes, outbound, states
from tests.servers.authority import Authority
from tests.servers.faulty_smtp import FaultySmtp
from tests.servers.postfix import Postfix
from tests.servers.scripted import Scripted, hang_up, silent
from tests.servers.smtp_sink import SmtpSink
from tests.servers.wait import eventually

# The connection


def test_mail_goes_through_postfix_under_starttls(
    postfix: Callable[..., Postfix], smtp_sink: Callable[..., SmtpSink], authority: Authority, sinks: Sinks
) -> None:
    end = smtp_sink()
    relay = postfix(relay_to=end.smtp, starttls=authority, options={"smtpd_tls_loglevel": "1"})
    way = sinks(relay.smtp, security_given=Security.START_TLS, ca_file=authority.ca_file)
    receipts = way.send(outbound("one@example.net", "two@example.net"))
    assert (states(receipts), codes(receipts)) == ([SENT, SENT], ["250", "250"])
    (mail,) = eventually(end.received, within=20)
    assert (mail.sender, mail.recipients) == (SENDER, ("one@example.net", "two@example.net"))
    assert mail.raw.endswith(RAW)
    assert "Anonymous TLS connection established" in relay.log()


@pytest.mark.parametrize("user", ["joe", "jörg"])
def test_mail_goes_out_under_tls_from_the_start_and_signed_in(
    faulty_smtp: Callable[..., FaultySmtp], authority: Authority, sinks: Sinks, user: str
) -> None:
    """RFC 4616 §2: names and passwords may be more than ASCII, which smtplib cannot send."""
    server = faulty_smtp(authority=authority, tls="implicit", user=user, password="geheim€")
    fields = {"security_given": Security.SSL_TLS, "ca_file": authority.ca_file}
    assert states(sinks(server.smtp, user=user, password=Secret("geheim€"), **fields).send(outbound())) == [SENT]
    assert [mail.signed_in_as for mail in server.mails] == [user]


@pytest.mark.parametrize(("security", "tls"), [(Security.SSL_TLS, "implicit"), (Security.START_TLS, "starttls")])
def test_certificate_that_is_not_trusted_is_rejected_before_the_password(
    faulty_smtp: Callable[..., FaultySmtp], authority: Authority, sinks: Sinks, security: Security, tls: str
) -> None:
    server = faulty_smtp(authority=authority, tls=tls, user="joe")
    with pytest.raises(Rejected, match="certificate is not trusted: unable to get local issuer"):
        sinks(server.smtp, user="joe", security_given=security, ca_file=authority.other_ca_file).send(outbound())
    with pytest.raises(Rejected, match=r"certificate is not trusted: Hostname mismatch.*'127\.1'"):
        sinks(server.smtp, user="joe", security_given=security, ca_file=authority.ca_file, server="127.1").send(
            outbound()
        )
    assert not [command for _, command in server.commands if not command.startswith("EHLO")]


def test_password_is_not_sent_where_starttls_is_not_offered(scripted: Callable[..., Scripted], sinks: Sinks) -> None:
    server = scripted(SmtpScript({"EHLO": says("250-mail.example.com", "250 AUTH PLAIN LOGIN")}))
    with pytest.raises(Rejected, match="STARTTLS: STARTTLS extension not supported by server"):
        sinks(server.port, user="joe", security_given=Security.START_TLS).send(outbound())
    said = [line.split(": ")[1].split()[0] for line in server.transcript if line.startswith("1 C: ")]
    assert said == ["ehlo"]


def test_starttls_that_is_offered_and_refused_is_busy_and_no_password_is_sent(
    scripted: Callable[..., Scripted], sinks: Sinks
) -> None:
    """RFC 3207 §4: 454 is for a passing reason."""
    answers = {"EHLO": says("250-x", "250-STARTTLS", "250 AUTH PLAIN"), "STARTTLS": says("454 4.7.0 not now")}
    server = scripted(SmtpScript(answers))
    with pytest.raises(Busy, match=r"STARTTLS: 454 4\.7\.0 not now"):
        sinks(server.port, user="joe", security_given=Security.START_TLS).send(outbound())
    assert not [line for line in server.transcript if "AUTH PLAIN " in line]


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("535 5.7.8 no", Rejected),
        ("534 5.7.9 too weak", Rejected),
        ("454 4.7.0 later", Busy),
        ("421 4.3.2 bye", Busy),
    ],
)
def test_refused_sign_in_says_whether_it_passes(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks, reply: str, kind: type[Exception]
) -> None:
    """RFC 4954 §6: 454 is a passing failure, 535 is about the credentials."""
    server = faulty_smtp(user="joe", replies={"AUTH": [reply]})
    with pytest.raises(kind) as failure:
        sinks(server.smtp, user="joe").send(outbound())
    assert "secret" not in str(failure.value)
    assert server.mails == []


def test_wrong_password_is_rejected(faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks) -> None:
    server = faulty_smtp(user="joe", password="another")
    with pytest.raises(Rejected, match=r"sign in: 535 5\.7\.8"):
        sinks(server.smtp, user="joe").send(outbound())


@pytest.mark.parametrize(
    ("offer", "reason"),
    [
        ("250 x", "the server offers no sign-in; clear user and password, or use another port"),
        ("250-x\r\n250 AUTH GSSAPI", "the server offers GSSAPI, none of which may be used"),
    ],
)
def test_server_without_a_way_to_sign_in_is_rejected(
    scripted: Callable[..., Scripted], sinks: Sinks, offer: str, reason: str
) -> None:
    with pytest.raises(Rejected, match=f"sign in: {reason}$"):
        sinks(scripted(SmtpScript({"EHLO": says(offer)})).port, user="joe").send(outbound())


@pytest.mark.parametrize("greeting", ["421 4.3.2 overloaded", "554 5.3.2 no service here"])
def test_greeting_that_turns_away_is_busy(scripted: Callable[..., Scripted], sinks: Sinks, greeting: str) -> None:
    """RFC 5321 §3.1: the mail was not touched, so it waits."""
    with pytest.raises(Busy, match="connect: " + greeting):
        sinks(scripted(SmtpScript({"greeting": says(greeting)})).port).send(outbound())


def test_server_that_is_not_there_is_unreachable(
    scripted: Callable[..., Scripted], free_port: Callable[[], int], sinks: Sinks
) -> None:
    with pytest.raises(Unreachable, match="connect: Connection refused"):
        sinks(free_port()).send(outbound())
    for broken in (hang_up, SmtpScript({"EHLO": cuts}), SmtpScript({"greeting": says("SSH-2.0-OpenSSH_9.2")})):
        with pytest.raises(Unreachable):
            sinks(scripted(broken).port).send(outbound())


@pytest.mark.parametrize("step", ["greeting", "EHLO", "STARTTLS", "AUTH"])
def test_server_that_falls_silent_before_the_mail_is_given_up_in_time(
    scripted: Callable[..., Scripted], sinks: Sinks, step: str
) -> None:
    answers = {"EHLO": says("250-x", "250-STARTTLS", "250 AUTH PLAIN"), step: stays_silent}
    security = Security.START_TLS if step == "STARTTLS" else Security.NONE
    begun = time.monotonic()
    with pytest.raises(Unreachable, match="timed out"):
        sinks(scripted(SmtpScript(answers)).port, user="joe", security_given=security, protocol_timeout=0.2).send(
            outbound()
        )
    assert 0.2 <= time.monotonic() - begun < 5


def test_server_that_never_begins_tls_is_given_up_in_time(scripted: Callable[..., Scripted], sinks: Sinks) -> None:
    way = sinks(scripted(silent).port, security_given=Security.SSL_TLS, connect_timeout=0.2, protocol_timeout=60.0)
    with pytest.raises(Unreachable, match="connect: no answer in time"):
        way.send(outbound())


# Receipts


def test_each_recipient_has_a_receipt_of_its_own_in_order(faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks) -> None:
    refuse = {"gone@x.net": "550 5.1.1 No such user", "full@x.net": "452 4.2.2 Mailbox full"}
    server = faulty_smtp(refuse=refuse)
    receipts = sinks(server.smtp).send(outbound("one@x.net", "gone@x.net", "full@x.net", "two@x.net"))
    assert receipts == [
        Receipt(address="one@x.net", state=SENT, code="250", text="2.0.0 OK"),
        Receipt(address="gone@x.net", state=FAILED, code="550", text="5.1.1 No such user"),
        Receipt(address="full@x.net", state=WAITING, code="452", text="4.2.2 Mailbox full"),
        Receipt(address="two@x.net", state=SENT, code="250", text="2.0.0 OK"),
    ]
    assert [mail.recipients for mail in server.mails] == [("one@x.net", "two@x.net")]


@pytest.mark.parametrize(("option", "state", "first"), [("refuse", FAILED, "5"), ("defer", WAITING, "4")])
@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "."])
def test_refusal_at_any_command_counts_for_all_recipients(
    smtp_sink: Callable[..., SmtpSink], sinks: Sinks, option: str, state: Any, first: str, command: str
) -> None:
    """RFC 5321 §4.2.1: 5yz is for good, 4yz may be tried again. smtp-sink answers."""
    server = smtp_sink(**{option: [command]})
    receipts = sinks(server.smtp).send(outbound("one@x.net", "two@x.net"))
    assert states(receipts) == [state, state]
    assert [code[0] for code in codes(receipts)] == [first, first]


def test_refused_data_does_not_hide_what_was_said_of_a_recipient_before(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks
) -> None:
    server = faulty_smtp(refuse={"gone@x.net": "550 5.1.1 gone"}, replies={"DATA": ["451 4.3.0 later"]})
    receipts = sinks(server.smtp).send(outbound("gone@x.net", "one@x.net"))
    assert (states(receipts), codes(receipts)) == ([FAILED, WAITING], ["550", "451"])


def test_null_sender_goes_out_as_such(faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks) -> None:
    """RFC 5321 §4.5.5: notifications have it, so that nobody answers them."""
    server = faulty_smtp()
    assert states(sinks(server.smtp).send(outbound(sender=""))) == [SENT]
    assert [mail.sender for mail in server.mails] == [""]
