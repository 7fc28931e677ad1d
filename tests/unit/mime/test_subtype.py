"""Which subtype a mail has before its thread is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from emaild.message import Facts, Report, ReportedRecipient, ReportKind
from emaild.mime.subtype import subtype
from emaild.settings.processing import ProcessingSection

OURS = "<4711.1@shop.example>"
PLAIN = ProcessingSection()
STRICT = ProcessingSection(ndr_guide_strict=True)


def known(message_id: str) -> bool:
    return message_id == OURS


def report(kind: ReportKind, *actions: str) -> Report:
    return Report(kind=kind, recipients=tuple(ReportedRecipient(action=action) for action in actions))


def enclosing(**said: Any) -> Facts:
    return replace(Facts(sender="ann@home.example", enclosed_ids=(OURS,)), **said)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (report(ReportKind.DSN, "failed"), "InboundNDR"),
        (report(ReportKind.DSN, "delivered", "failed"), "InboundNDR"),
        (report(ReportKind.DSN, "delayed"), "InboundReport"),
        (report(ReportKind.DSN, "delivered", "relayed", "expanded"), "InboundReport"),
        (report(ReportKind.MDN, "displayed"), "InboundDisposition"),
        (report(ReportKind.ARF, "abuse"), "InboundReport"),
        (report(ReportKind.BOUNCE, "failed"), "InboundNDR"),
        (report(ReportKind.BOUNCE, "delayed"), "InboundReport"),
    ],
)
def test_a_report_is_what_it_reports(found: Report, expected: str) -> None:
    assert subtype(Facts(report=found), PLAIN, known) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (report(ReportKind.DSN, "delivered"), "InboundReport"),
        (report(ReportKind.MDN, "displayed"), "InboundDisposition"),
        (report(ReportKind.ARF, "abuse"), "InboundReport"),
    ],
)
def test_what_a_standard_tells_comes_before_the_returned_mail(found: Report, expected: str) -> None:
    said = enclosing(sender="mailer-daemon@far.example", return_path="", report=found)
    assert subtype(said, STRICT, known) == expected


@pytest.mark.parametrize("sender", ["MAILER-DAEMON@far.example", "postmaster@far.example", "mmdf@far.example"])
def test_a_mail_that_a_daemon_returns_is_a_non_delivery_report(sender: str) -> None:
    said = enclosing(sender=sender, enclosed_ids=("<stranger@far.example>",))
    assert subtype(said, PLAIN, known) == "InboundNDR"


def test_a_daemons_warning_that_returns_the_mail_is_no_failure_but_by_the_guides_letter() -> None:
    said = enclosing(sender="mailer-daemon@far.example", report=report(ReportKind.BOUNCE, "delayed"))
    assert (subtype(said, PLAIN, known), subtype(said, STRICT, known)) == ("InboundReport", "InboundNDR")


def test_the_senders_list_is_looked_for_in_the_name_too() -> None:
    said = enclosing(sender="x@far.example", sender_personal="The Bounce Office")
    listed = ProcessingSection(ndr_senders_list=("bounce",))
    assert (subtype(said, PLAIN, known), subtype(said, listed, known)) == ("InboundNew", "InboundNDR")


def test_a_daemon_that_returns_no_mail_sends_no_report() -> None:
    assert subtype(Facts(sender="mailer-daemon@far.example"), PLAIN, known) == "InboundNew"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (enclosing(), "InboundNew"),
        (enclosing(return_path="ann@home.example"), "InboundNew"),
        (enclosing(automatic="precedence: list"), "InboundNew"),
        (enclosing(return_path=""), "InboundNDR"),
        (enclosing(automatic="auto-submitted: auto-generated"), "InboundNDR"),
        (enclosing(automatic="sender: mailer-daemon"), "InboundNDR"),
        (enclosing(return_path="", enclosed_ids=("<stranger@far.example>",)), "InboundNew"),
        (enclosing(return_path="", enclosed_ids=("<stranger@far.example>", OURS)), "InboundNDR"),
    ],
)
def test_a_known_mail_that_comes_back_counts_only_where_no_person_sends_it(said: Facts, expected: str) -> None:
    assert subtype(said, PLAIN, known) == expected


def test_by_the_guides_letter_a_known_mail_that_comes_back_is_a_report_whoever_sends_it() -> None:
    assert subtype(enclosing(), STRICT, known) == "InboundNDR"
    assert subtype(enclosing(enclosed_ids=("<stranger@far.example>",)), STRICT, known) == "InboundNew"


@pytest.mark.parametrize(
    "said",
    [
        enclosing(automatic="auto-submitted: auto-replied", return_path=""),
        enclosing(subject="Automatic reply: Your order", return_path=""),
        enclosing(subject="Out of Office: Your order", sender="postmaster@far.example"),
        enclosing(automatic="responder: x-autoreply", return_path=""),
    ],
)
def test_an_absence_notice_is_no_report_whatever_it_returns(said: Facts) -> None:
    assert subtype(said, PLAIN, known) == "InboundNew"


def test_a_daemons_answer_that_returns_a_mail_is_a_report() -> None:
    said = enclosing(sender="mailer-daemon@far.example", automatic="auto-submitted: auto-replied")
    assert subtype(said, PLAIN, known) == "InboundNDR"


def test_an_ordinary_mail_is_new() -> None:
    assert subtype(Facts(sender="ann@home.example", automatic="list: list-id"), PLAIN, known) == "InboundNew"
