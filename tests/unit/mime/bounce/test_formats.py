"""Each format gives the failing address, what became of the mail, the status, and the mail that it is about."""

from __future__ import annotations

import pytest

from emaild.message import ReportKind
from emaild.mime.view import facts
from tests.unit.mime.bounce.formats import FORMATS, GONE, MESSAGE_ID, Format


@pytest.mark.parametrize("one", [pytest.param(one, id=one.name) for one in FORMATS])
def test_a_report_of_no_standard_names_the_failing_address(one: Format) -> None:
    report = facts(one.mail()).report
    assert report is not None
    assert report.kind is ReportKind.BOUNCE
    assert [(to.address, to.action, to.status) for to in report.recipients] == [(GONE, one.action, one.status)]
    assert report.failed is (one.action == "failed")


@pytest.mark.parametrize(
    "one", [pytest.param(one, id=one.name) for one in FORMATS if "@RETURNED@" in one.text or MESSAGE_ID in one.text]
)
def test_the_returned_mail_gives_its_message_id(one: Format) -> None:
    report = facts(one.mail()).report
    assert report is not None
    assert report.original_message_id == MESSAGE_ID
