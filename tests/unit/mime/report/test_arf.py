"""Abuse reports, as feedback loops send them."""

from __future__ import annotations

from emaild.message import ReportedRecipient, ReportKind
from tests.unit.mime.report.writing import NOTICE, RETURNED, labelled, multipart, reported


def test_all_that_it_says_has_keys_like_those_of_a_delivery_status() -> None:
    lines = (
        *("Feedback-Type: Abuse", "User-Agent: SomeGenerator/1.0", "Version: 1"),
        *("Original-Mail-From: <us@example.com>", "Original-Rcpt-To: <ann@example.net>"),
        *("Original-Rcpt-To: rfc822; bob@example.net", "Original-Rcpt-To: <ann@example.net>"),
        "Source-IP: 192.0.2.1",
    )
    found = reported(multipart(NOTICE, labelled("message/feedback-report", lines), RETURNED))
    assert found.kind is ReportKind.ARF
    assert found.recipients == (
        ReportedRecipient(address="ann@example.net", action="abuse"),
        ReportedRecipient(address="bob@example.net", action="abuse"),
    )
    assert found.original_message_id == "<original@example.com>"
    assert found.user_data == {
        "_ARFInfo.FeedbackType": "abuse",
        "_ARFInfo.RecipientCount": 2,
        "_ARFInfo.Recipient1.Recipient": "ann@example.net",
        "_ARFInfo.Recipient2.Recipient": "bob@example.net",
        "_ARFRawInfo.Feedback-Type": "Abuse",
        "_ARFRawInfo.User-Agent": "SomeGenerator/1.0",
        "_ARFRawInfo.Version": "1",
        "_ARFRawInfo.Original-Mail-From": "<us@example.com>",
        "_ARFRawInfo.Original-Rcpt-To": "<ann@example.net>, rfc822; bob@example.net, <ann@example.net>",
        "_ARFRawInfo.Source-IP": "192.0.2.1",
    }


def test_failed_authentication_is_reported_in_the_same_way() -> None:
    lines = ("Feedback-Type: auth-failure", "Auth-Failure: dmarc", "DKIM-DOMAIN: example.com", "Delivery-Result: spam")
    found = reported(multipart(NOTICE, labelled("message/feedback-report", lines), RETURNED))
    assert (found.kind, found.recipients) == (ReportKind.ARF, ())
    assert found.user_data == {
        "_ARFInfo.FeedbackType": "auth-failure",
        "_ARFInfo.RecipientCount": 0,
        "_ARFRawInfo.Feedback-Type": "auth-failure",
        "_ARFRawInfo.Auth-Failure": "dmarc",
        "_ARFRawInfo.DKIM-Domain": "example.com",
        "_ARFRawInfo.Delivery-Result": "spam",
    }


def test_who_is_to_be_removed_counts_where_the_recipient_is_not_told() -> None:
    lines = ("Feedback-Type: opt-out", "Removal-Recipient: ann@example.net")
    found = reported(multipart(NOTICE, labelled("message/feedback-report", lines)))
    assert found.recipients == (ReportedRecipient(address="ann@example.net", action="opt-out"),)


def test_it_comes_first_where_the_fields_of_a_delivery_status_stand_beside() -> None:
    lines = ("Feedback-Type: abuse", "Final-Recipient: rfc822;ann@example.net", "Action: failed")
    assert reported(multipart(NOTICE, labelled("message/feedback-report", lines))).kind is ReportKind.ARF
