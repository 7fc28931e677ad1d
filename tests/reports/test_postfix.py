"""What a real Postfix reports is read, key by key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from emaild.message import Facts, ReportedRecipient, ReportKind
from tests.reports.served import ENVELOPE_ID, MESSAGE_ID, UserData, about, expected, reports, send, steady
from tests.servers.postfix import Postfix
from tests.servers.smtp_sink import SmtpSink

pytestmark = pytest.mark.xdist_group("postfix-reports")  # the mails of all tests here are made once

MESSAGE = {
    "Reporting-MTA": "dns; mail.example.com",
    "Original-Envelope-Id": ENVELOPE_ID,
    "X-Postfix-Queue-ID": "ID",
    "X-Postfix-Sender": "rfc822; ann@example.com",
    "Arrival-Date": "DATE",
}
REMOTE = {"Remote-MTA": "dns; 127.0.0.1"}
REFUSED = {"Status": "5.3.0", **REMOTE, "Diagnostic-Code": "smtp; 500 5.3.0 Error: command failed"}
DEFERRED = {"Status": "4.3.0", **REMOTE, "Diagnostic-Code": "smtp; 450 4.3.0 Error: command failed"}
ACCEPTED = {"Status": "2.0.0", **REMOTE, "Diagnostic-Code": "smtp; 250 2.0.0 Ok"}
KEPT = {"Status": "2.0.0", "Diagnostic-Code": "X-Postfix; here.test"}


@pytest.fixture(scope="module")
def told() -> Iterator[list[Facts]]:
    """All reports about one mail to five: two failed, one relayed and one delivered, one delayed and then expired."""
    with ExitStack() as stack:
        back = stack.enter_context(SmtpSink(options=["-N"]))
        refusing = stack.enter_context(SmtpSink(refuse=["RCPT"]))
        deferring = stack.enter_context(SmtpSink(defer=["RCPT"]))
        routes = {"fail.test": f"smtp:[127.0.0.1]:{refusing.smtp}", "slow.test": f"smtp:[127.0.0.1]:{deferring.smtp}"}
        routes["here.test"] = "discard:"
        server = stack.enter_context(Postfix(relay_to=back.smtp, transport=routes, lifetime=4))
        send(server, "bob@fail.test", "bill@fail.test", "carl@slow.test", "dora@good.test", "emma@here.test")
        yield reports(server, back, 4)


def keys(mail: Facts, **recipients: tuple[str, dict[str, str]]) -> UserData:
    """The attached data that should come of it: each recipient's action and further fields."""
    fields = {
        address: {"Final-Recipient": f"rfc822; {address}", "Action": action, **more}
        for address, (action, more) in recipients.items()
    }
    return expected(mail, MESSAGE, fields)


def test_a_failure_of_two_recipients(told: list[Facts]) -> None:
    mail = about(told, "bob@fail.test", "failed")
    recipients = dict.fromkeys(("bob@fail.test", "bill@fail.test"), ("failed", REFUSED))
    assert steady(mail, "X-Postfix-Queue-ID") == keys(mail, **recipients)


def test_a_success_relayed_to_one_and_delivered_to_another(told: list[Facts]) -> None:
    mail = about(told, "dora@good.test", "relayed")
    recipients = {"dora@good.test": ("relayed", ACCEPTED), "emma@here.test": ("delivered", KEPT)}
    assert steady(mail, "X-Postfix-Queue-ID") == keys(mail, **recipients)


def test_a_delay(told: list[Facts]) -> None:
    mail = about(told, "carl@slow.test", "delayed")
    recipients = {"carl@slow.test": ("delayed", {**DEFERRED, "Will-Retry-Until": "DATE"})}
    assert steady(mail, "X-Postfix-Queue-ID") == keys(mail, **recipients)


def test_an_expiry(told: list[Facts]) -> None:
    mail = about(told, "carl@slow.test", "failed")
    assert steady(mail, "X-Postfix-Queue-ID") == keys(mail, **{"carl@slow.test": ("failed", DEFERRED)})


def test_each_names_our_mail_and_says_why(told: list[Facts]) -> None:
    for mail in told:
        assert mail.report is not None
        assert (mail.report.kind, mail.report.original_message_id) == (ReportKind.DSN, MESSAGE_ID)
        assert mail.report.envelope_id == ENVELOPE_ID
    assert [mail.report.failed for mail in told if mail.report].count(True) == 2
    expired = about(told, "carl@slow.test", "failed").report
    assert expired is not None
    assert expired.recipients == (
        ReportedRecipient(
            address="carl@slow.test", action="failed", status="4.3.0", diagnostic="450 4.3.0 Error: command failed"
        ),
    )
