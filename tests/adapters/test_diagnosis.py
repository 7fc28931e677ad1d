"""What real servers say when they do not take a mail, each with its cause; test_every_cause.py has the whole table."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from emaild.diagnosis import Wait, asked_delay, diagnose_receipt, kind_of_wait
from emaild.message import Outbound, Receipt
from emaild.settings.properties import SmtpProperties
from emaild.settings.secret import Secret
from emaild.settings.server import Security
from tests.adapters.causes import cause
from tests.adapters.ways import RAW, SENDER, SENT, Sinks, Way, outbound
from tests.servers.authority import Authority
from tests.servers.authorization import AuthorizationServer
from tests.servers.dovecot import Dovecot
from tests.servers.exim import Exim
from tests.servers.faulty_smtp import CUT, FaultySmtp
from tests.servers.postfix import Postfix
from tests.servers.scripted import Dialog, Scripted
from tests.servers.smtp_sink import SmtpSink

JOE = "joe@example.net"


def refused(way: Way, mail: Outbound) -> Receipt:
    """The first receipt that says no."""
    return next(receipt for receipt in way.send(mail) if receipt.state is not SENT)


# Postfix

RESTRICTED = {"smtpd_delay_reject": "no"}
BIG = outbound(JOE, raw=RAW + b"x" * 60 + b"\r\n" + b"y" * 900 + b"\r\n" + b"z" * 900 + b"\r\n" * 3000)
LOOPING = outbound(JOE, raw=b"".join(b"Received: from a by b; x\r\n" for _ in range(4)) + RAW)

POSTFIX: Mapping[str, tuple[dict[str, str], Outbound, dict[str, Any]]] = {
    "mailbox-unknown": (
        {"virtual_mailbox_domains": "example.net", "virtual_mailbox_maps": "inline:{ann@example.net=x}"},
        outbound(JOE),
        {},
    ),
    "relay-denied": (
        {"mynetworks": "192.0.2.0/24", "smtpd_relay_restrictions": "reject_unauth_destination"},
        outbound(JOE),
        {},
    ),
    "sender-refused": (
        {"smtpd_sender_restrictions": "check_sender_access inline:{sender@example.com=REJECT}"},
        outbound(JOE),
        {},
    ),
    "address-syntax": ({"smtpd_recipient_restrictions": "reject_non_fqdn_recipient"}, outbound("joe"), {}),
    "too-big": ({"message_size_limit": "2000", "smtpd_discard_ehlo_keywords": "size"}, BIG, {}),
    "too-many-recipients": ({"smtpd_recipient_limit": "2"}, outbound(JOE, "two@x.net", "three@x.net"), {}),
    "helo-refused": (
        {"smtpd_helo_restrictions": "reject_non_fqdn_helo_hostname"},
        outbound(JOE),
        {"smtp": SmtpProperties(localhost="localhost")},
    ),
    "mail-loop": ({"hopcount_limit": "3"}, LOOPING, {}),
    "content-refused": ({"header_checks": "regexp:{{/^Subject:/ REJECT}}"}, outbound(JOE), {}),
    "server-full": ({"queue_minfree": "900000000000000"}, outbound(JOE), {}),
    "smtputf8-missing": ({"smtputf8_enable": "no"}, outbound("jörg@example.net"), {}),
}


@pytest.mark.parametrize("expected", POSTFIX)
def test_what_postfix_answers_has_its_cause(
    postfix: Callable[..., Postfix], smtp_sink: Callable[..., SmtpSink], sinks: Sinks, expected: str
) -> None:
    options, mail, given = POSTFIX[expected]
    relay = postfix(relay_to=smtp_sink().smtp, options=options)
    assert cause(sinks(relay.smtp, **given), mail) == expected


def test_greylisting_by_a_policy_server_of_postfix_has_its_cause_and_its_delay(
    postfix: Callable[..., Postfix], scripted: Callable[..., Scripted], sinks: Sinks
) -> None:
    def policy(dialog: Dialog) -> None:
        while True:
            while dialog.readline():
                pass
            dialog.send_raw(b"action=DEFER_IF_PERMIT Greylisted, try again in 5 minutes\n\n")

    service = f"check_policy_service inet:127.0.0.1:{scripted(policy).port}"
    relay = postfix(options={"smtpd_recipient_restrictions": f"{service}, permit"})
    receipt = refused(sinks(relay.smtp), outbound(JOE))
    found = diagnose_receipt(receipt)
    assert found is not None
    assert found.cause == "greylisted"
    assert kind_of_wait(receipt.code, receipt.text) is Wait.GREYLISTED
    assert asked_delay(receipt.code, receipt.text) == 300


def test_a_limit_of_postfix_for_connections_is_throttling(postfix: Callable[..., Postfix], sinks: Sinks) -> None:
    limits = {"smtpd_client_connection_count_limit": "1", "smtpd_client_event_limit_exceptions": ""}
    relay = postfix(options=limits | {"default_transport": "hold", "defer_transports": "smtp"})
    first, second = sinks(relay.smtp), sinks(relay.smtp)
    assert [receipt.state for receipt in first.send(outbound(JOE))] == [SENT]
    assert cause(second) == "throttled"


def test_a_limit_of_postfix_for_mails_is_throttling(postfix: Callable[..., Postfix], sinks: Sinks) -> None:
    limits = {"smtpd_client_message_rate_limit": "1", "smtpd_client_event_limit_exceptions": ""}
    way = sinks(postfix(options=limits | {"defer_transports": "smtp"}).smtp)
    assert [receipt.state for receipt in way.send(outbound(JOE))] == [SENT]
    assert cause(way) == "throttled"


def test_postfix_that_wants_tls_says_so(postfix: Callable[..., Postfix], authority: Authority, sinks: Sinks) -> None:
    files = {"smtpd_tls_cert_file": str(authority.cert_file), "smtpd_tls_key_file": str(authority.key_file)}
    relay = postfix(options={"smtpd_tls_security_level": "encrypt", **files})
    assert cause(sinks(relay.smtp)) == "tls-required"


# Exim

EXIM: Mapping[str, tuple[dict[str, str], str, dict[str, Any]]] = {
    "server-full": ({"check_spool_space": "9000000000"}, SENDER, {}),
    "too-many-recipients": ({"recipients_max": "1"}, SENDER, {}),
    "helo-refused": ({}, SENDER, {"smtp": SmtpProperties(localhost="not_a!name")}),
    "policy": ({"acl_smtp_predata": "deny"}, SENDER, {}),
    "temporary": ({"acl_smtp_predata": "defer"}, SENDER, {}),
    "sender-refused": ({}, "nobody@[192.0.2.999]", {}),
    "too-big": ({"message_size_limit": "10"}, SENDER, {}),
}


@pytest.mark.parametrize("expected", EXIM)
def test_what_exim_answers_has_its_cause(sinks: Sinks, expected: str) -> None:
    options, sender, given = EXIM[expected]
    with Exim(relay_to=9, transport={}, options=options) as server:
        mail = outbound(JOE, "two@example.net", sender=sender)
        assert cause(sinks(server.smtp, **given), mail) == expected


def test_a_limit_of_exim_for_connections_is_throttling(sinks: Sinks) -> None:
    limits = {"smtp_accept_max": "5", "smtp_accept_max_per_host": "1", "smtp_reserve_hosts": ""}
    with Exim(relay_to=9, transport={}, options=limits) as server, socket.create_connection(("127.0.0.1", server.smtp)):
        assert cause(sinks(server.smtp)) == "throttled"


# Dovecot's submission server: its SASL is the one that Postfix asks, too


def test_what_dovecot_says_of_signing_in_has_its_cause(
    authority: Authority, authorization: AuthorizationServer, smtp_sink: Callable[..., SmtpSink], sinks: Sinks
) -> None:
    endpoint = authorization.introspection_endpoint
    with Dovecot(authority, introspection=endpoint, relay=smtp_sink().smtp) as server:

        def signing_in(**given: Any) -> str:
            fields = {"security_given": Security.START_TLS, "ca_file": authority.ca_file}
            return cause(sinks(server.submission, **fields | given))

        assert signing_in(user="refused-diagnosis") == "password-wrong"
        assert signing_in(user="unavailable-diagnosis") == "sign-in-service-away"
        assert signing_in() == "authentication-required"
        assert signing_in(user="diagnosis", password=Secret("wrong")) == "password-wrong"


# What neither says


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("552 5.2.2 Mailbox full", "mailbox-full"),
        ("554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied", "send-as-denied"),
        ("550 5.7.26 This mail has been blocked because the sender is unauthenticated.", "unauthenticated-domain"),
        ("421 4.7.0 Try again later, closing connection. - gsmtp", "server-busy"),
        ("501 5.1.6 Recipient addresses in single label domains not accepted", "single-label-domain"),
    ],
)
@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
def test_a_reply_has_the_same_cause_at_every_command(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks, reply: str, expected: str, command: Any
) -> None:
    assert cause(sinks(faulty_smtp(replies={command: [reply]}).smtp)) == expected


def test_a_server_that_hangs_up_in_the_middle_has_its_cause(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks
) -> None:
    assert cause(sinks(faulty_smtp(replies={"MAIL": [CUT]}).smtp)) == "connection-broken"
    assert cause(sinks(faulty_smtp(replies={"DATA": [CUT]}).smtp)) == "connection-broken"
