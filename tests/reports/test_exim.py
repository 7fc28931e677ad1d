"""What a real Exim reports is read, key by key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from emaild.message import Facts, ReportedRecipient, ReportKind
from tests.reports.served import ENVELOPE_ID, MESSAGE_ID, UserData, about, expected, reports, send, steady
from tests.servers.exim import Exim
from tests.servers.smtp_sink import SmtpSink

pytestmark = pytest.mark.xdist_group("exim-reports")  # the mails of all tests here are made once

MESSAGE = {"Reporting-MTA": "dns; mail.example.com", "Original-Envelope-Id": ENVELOPE_ID}
REMOTE = {"Remote-MTA": "dns; 127.0.0.1"}
REFUSED = {"Status": "5.0.0", **REMOTE, "Diagnostic-Code": "smtp; 500 5.3.0 Error: command failed"}
DEFERRED = {"Status": "4.0.0", **REMOTE, "Diagnostic-Code": "smtp; 450 4.3.0 Error: command failed"}
EXPIRED = {"Status": "5.0.0", **REMOTE, "Diagnostic-Code": f"{DEFERRED['Diagnostic-Code']}: retry timeout exceeded"}
ACCEPTED = {"Status": "2.0.0", **REMOTE, "Diagnostic-Code": "smtp; 250 Ok"}


@pytest.fixture(scope="module")
def told() -> Iterator[list[Facts]]:
    """All reports about one mail to four: two failed, one delivered, one delayed and then expired."""
    with ExitStack() as stack:
        back = stack.enter_context(SmtpSink(options=["-N"]))
        refusing = stack.enter_context(SmtpSink(refuse=["RCPT"]))
        deferring = stack.enter_context(SmtpSink(defer=["RCPT"]))
        routes = {"fail.test": refusing.smtp, "slow.test": deferring.smtp}
        server = stack.enter_context(Exim(relay_to=back.smtp, transport=routes, lifetime=4))
        send(server, "bob@fail.test", "bill@fail.test", "carl@slow.test", "dora@good.test")
        yield reports(server, back, 4)


def keys(mail: Facts, **recipients: tuple[str, dict[str, str]]) -> UserData:
    """The attached data that should come of it: each recipient's action and further fields."""
    fields = {
        address: {"Final-Recipient": f"rfc822;{address}", "Action": action, **more}
        for address, (action, more) in recipients.items()
    }
    return expected(mail, MESSAGE, fields)


def test_a_failure_of_two_recipients(told: list[Facts]) -> None:
    mail = about(told, "bob@fail.test", "failed")
    recipients = dict.fromkeys(("bob@fail.test", "bill@fail.test"), ("failed", REFUSED))
    assert steady(mail) == keys(mail, **recipients)


def test_a_success(told: list[Facts]) -> None:
    mail = about(told, "dora@good.test", "delivered")
    assert steady(mail) == keys(mail, **{"dora@good.test": ("delivered", ACCEPTED)})


def test_a_delay(told: list[Facts]) -> None:
    mail = about(told, "carl@slow.test", "delayed")
    assert steady(mail) == keys(mail, **{"carl@slow.test": ("delayed", DEFERRED)})


def test_an_expiry(told: list[Facts]) -> None:
    mail = about(told, "carl@slow.test", "failed")
    assert steady(mail) == keys(mail, **{"carl@slow.test": ("failed", EXPIRED)})


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
            address="carl@slow.test",
            action="failed",
            status="5.0.0",
            diagnostic="450 4.3.0 Error: command failed: retry timeout exceeded",
        ),
    )
