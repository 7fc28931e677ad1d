"""What real servers say when they do not take a mail, and what happens on the way to them, each with its cause."""

from __future__ import annotations

import datetime
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from emaild.diagnosis import Wait, asked_delay, diagnose_error, diagnose_receipt, kind_of_wait
from emaild.errors import RemoteError
from emaild.message import Outbound, Receipt
from emaild.settings.properties import SmtpProperties
from emaild.settings.secret import Secret
from emaild.settings.server import Security
from tests.adapters.scripts import SmtpScript, says
from tests.adapters.ways import RAW, SENDER, SENT, Sinks, Way, outbound
from tests.servers.authority import Authority
from tests.servers.authorization import AuthorizationServer
from tests.servers.dovecot import Dovecot
from tests.servers.exim import Exim
from tests.servers.faulty_smtp import CUT, FaultySmtp
from tests.servers.postfix import Postfix
from tests.servers.scripted import Dialog, Scripted, hang_up, silent
from tests.servers.smtp_sink import SmtpSink

JOE = "joe@example.net"


@pytest.fixture
def sinks() -> Iterator[Sinks]:
    """Makes sinks, which are closed before their servers end."""
    with Sinks() as made:
        yield made


def refused(way: Way, mail: Outbound | None = None) -> Receipt:
    """The first receipt that says no."""
    return next(receipt for receipt in way.send(mail or outbound(JOE)) if receipt.state is not SENT)


def cause(way: Way, mail: Outbound | None = None) -> str:
    """Why a mail was not taken, be it the way's failure or the server's answer."""
    try:
        found = diagnose_receipt(refused(way, mail), "localhost:25")
    except RemoteError as error:
        found = diagnose_error(error)
    return found.cause if found else ""


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
    receipt = refused(sinks(relay.smtp))
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


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (
            "535 5.7.139 Unsuccessful, SmtpClientAuthentication is disabled",
            "microsoft-smtp-auth-disabled",
        ),
        (
            "535 5.7.139 Unsuccessful, the request did not meet the criteria",
            "microsoft-criteria-not-met",
        ),
        ("535-5.7.8 Username and Password not accepted.\r\n535 5.7.8 a - gsmtp", "google-password-wrong"),
        ("454 4.7.0 Temporary authentication failure", "sign-in-service-away"),
        ("534 5.7.9 Authentication mechanism is too weak", "sign-in-mechanism-refused"),
    ],
)
def test_a_refused_sign_in_has_its_cause(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks, reply: str, expected: str
) -> None:
    assert cause(sinks(faulty_smtp(user="joe", replies={"AUTH": [reply]}).smtp, user="joe")) == expected


def test_a_greeting_that_turns_away_has_the_cause_that_it_names(
    scripted: Callable[..., Scripted], sinks: Sinks
) -> None:
    for greeting, expected in {
        "554 5.7.1 Service unavailable; Client host [127.0.0.1] blocked using zen.spamhaus.org": "blocklisted",
        "421 4.7.0 mail.example.com Error: too many connections from 127.0.0.1": "throttled",
        "554-gmx.net Nemesis ESMTP Service not available\r\n554 Bad DNS PTR resource record.": "no-reverse-name",
    }.items():
        assert cause(sinks(scripted(SmtpScript({"greeting": says(greeting)})).port)) == expected


# The way to the server


def test_a_server_that_is_not_reached_has_its_cause(
    free_port: Callable[[], int], scripted: Callable[..., Scripted], sinks: Sinks
) -> None:
    assert cause(sinks(free_port())) == "connection-refused"
    assert cause(sinks(free_port(), server="mail..example.com")) == "name-not-found"
    assert cause(sinks(free_port(), server="nowhere.invalid")) in ("name-not-found", "name-servers-away")
    assert cause(sinks(scripted(silent).port, protocol_timeout=0.2)) == "connection-timed-out"
    assert cause(sinks(scripted(hang_up).port)) == "connection-broken"
    black_hole = sinks(scripted(silent).port, security_given=Security.SSL_TLS, connect_timeout=0.2)
    assert cause(black_hole) == "connection-timed-out"


def test_a_proxy_that_is_not_there_is_told_from_the_server(free_port: Callable[[], int], sinks: Sinks) -> None:
    away = SmtpProperties(proxy_host="127.0.0.1", proxy_port=free_port())
    assert cause(sinks(25, server="mail.example.com", smtp=away)) == "proxy-refuses"


def test_what_the_server_does_not_offer_has_its_cause(
    scripted: Callable[..., Scripted], faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks
) -> None:
    plain = faulty_smtp()
    assert cause(sinks(plain.smtp, security_given=Security.START_TLS)) == "starttls-not-offered"
    assert cause(sinks(plain.smtp, user="joe")) == "sign-in-not-offered"
    assert cause(sinks(plain.smtp, security_given=Security.SSL_TLS)) == "tls-different"
    strange = scripted(SmtpScript({"EHLO": says("250-mail.example.com", "250 AUTH GSSAPI")}))
    assert cause(sinks(strange.port, user="joe")) == "sign-in-no-common-way"


@pytest.mark.parametrize(("security", "tls"), [(Security.SSL_TLS, "implicit"), (Security.START_TLS, "starttls")])
def test_a_certificate_that_is_not_trusted_has_its_cause(
    faulty_smtp: Callable[..., FaultySmtp], authority: Authority, sinks: Sinks, tmp_path: Path, security: Any, tls: Any
) -> None:
    server = faulty_smtp(authority=authority, tls=tls)
    trusting = {"security_given": security, "ca_file": authority.ca_file}
    assert (
        cause(sinks(server.smtp, security_given=security, ca_file=authority.other_ca_file)) == "certificate-untrusted"
    )
    assert cause(sinks(server.smtp, server="127.1", **trusting)) == "certificate-other-name"
    today = datetime.datetime.now(datetime.UTC)
    for days, expected in ((-2, "certificate-expired"), (+1, "certificate-not-yet-valid")):
        begin = today + datetime.timedelta(days=days)
        untimely = faulty_smtp(authority=valid_for_a_day(authority, begin, tmp_path), tls=tls)
        assert cause(sinks(untimely.smtp, **trusting)) == expected


def valid_for_a_day(authority: Authority, begin: datetime.datetime, folder: Path) -> Authority:
    """An authority whose server certificate, for the usual key and names, counts for the day from *begin* on."""
    usual = x509.load_pem_x509_certificate(authority.cert_file.read_bytes())
    key = serialization.load_pem_private_key(authority.ca_file.with_name("ca.key").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    builder = x509.CertificateBuilder(
        issuer_name=usual.issuer,
        subject_name=x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
        public_key=usual.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=begin,
        not_valid_after=begin + datetime.timedelta(days=1),
        extensions=list(usual.extensions),
    )
    file = folder / f"{begin:%j}.pem"
    file.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return Authority(authority.ca_file, file, authority.key_file, authority.other_ca_file)


def test_a_server_that_hangs_up_in_the_middle_has_its_cause(
    faulty_smtp: Callable[..., FaultySmtp], sinks: Sinks
) -> None:
    assert cause(sinks(faulty_smtp(replies={"MAIL": [CUT]}).smtp)) == "connection-broken"
    assert cause(sinks(faulty_smtp(replies={"DATA": [CUT]}).smtp)) == "connection-broken"
