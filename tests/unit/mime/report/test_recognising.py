"""Which mails are reports, where in them the report lies, and which mail it is about."""

from __future__ import annotations

import base64
import quopri

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaild.message import ReportKind
from emaild.mime.view import facts
from tests.unit.mime.report.writing import NOTICE, RETURNED, dsn, labelled, multipart, reported

STATUS = ("Reporting-MTA: dns; x", "", "Final-Recipient: rfc822; ann@example.com", "Action: failed", "Status: 5.1.1")
LABELLED = labelled("message/delivery-status", STATUS)
PERSON = ("From: Ann <ann@example.com>", "Subject: Fwd: Undelivered")
DAEMON = ("From: MAILER-DAEMON@example.com (Mail Delivery System)",)


def inside(raw: bytes, kind: str = "multipart/mixed") -> bytes:
    """A mail in a further multipart, as mailing lists and gateways put it."""
    return (
        f'From: list@example.com\r\nContent-Type: {kind}; boundary="out"\r\n\r\n--out\r\n'.encode()
        + raw
        + b"\r\n--out\r\nContent-Type: text/plain\r\n\r\nfooter\r\n--out--\r\n"
    )


REPORTS = {
    "by the letter": multipart(NOTICE, LABELLED, RETURNED),
    "wrong report-type": multipart(NOTICE, LABELLED, kind="multipart/report; report-type=disposition-notification"),
    "global": multipart(NOTICE, labelled("message/global-delivery-status", ("X-Own: 1", *STATUS))),
    "x-": multipart(NOTICE, labelled("message/x-delivery-status", ("X-Own: 1", *STATUS))),
    "as a text": multipart(NOTICE, labelled("text/plain", STATUS)),
    "as a file": multipart(NOTICE, labelled("application/octet-stream; name=status.txt", ("", *STATUS))),
    "flattened": multipart(NOTICE, LABELLED, RETURNED, kind="multipart/mixed"),
    "flattened with a name": multipart(
        NOTICE, labelled("message/delivery-status; name=details.txt", STATUS), kind="multipart/mixed", header=DAEMON
    ),
    "flattened, as a text": multipart(NOTICE, labelled("text/plain", STATUS), kind="multipart/mixed", header=DAEMON),
    "from the null sender": multipart(
        NOTICE, labelled("text/plain", STATUS), kind="multipart/mixed", header=("Return-Path: <>", *PERSON)
    ),
    "auto-submitted": multipart(
        NOTICE, labelled("text/plain", STATUS), kind="multipart/mixed", header=("Auto-Submitted: auto-replied",)
    ),
    "in a mailing list's mail": inside(multipart(NOTICE, LABELLED, RETURNED)),
    "in a mailing list's mail, with a name": inside(
        multipart(NOTICE, labelled("message/delivery-status; name=details.txt", STATUS))
    ),
    "deep": inside(inside(multipart(NOTICE, LABELLED)).replace(b"out", b"mid")),
    "alone": "\r\n".join(LABELLED).encode(),
}
OTHERS = {
    "a person's text file": multipart(
        NOTICE, labelled("text/plain; name=delivery-status.txt", STATUS), kind="multipart/mixed", header=PERSON
    ),
    "a person's text": "\r\n".join((*PERSON, "", *STATUS)).encode(),
    "a person's attachment": multipart(
        NOTICE,
        ("Content-Type: message/delivery-status", "Content-Disposition: attachment", "", *STATUS),
        kind="multipart/mixed",
        header=PERSON,
    ),
    "a person's attachment with a name": multipart(
        NOTICE, labelled("message/delivery-status; name=x", STATUS), kind="multipart/mixed", header=PERSON
    ),
    "a forwarded report": inside(b"Content-Type: message/rfc822\r\n\r\n" + multipart(NOTICE, LABELLED)),
    "a daemon's other text": "\r\n".join((*DAEMON, "", "Version: 1", "Action: restart", "Status: 5.1.1")).encode(),
    "a report without a report": multipart(NOTICE, RETURNED),
    "an empty status": multipart(NOTICE, labelled("message/delivery-status", ("", "nothing"))),
    "no recipients": multipart(NOTICE, labelled("message/delivery-status", STATUS[:2])),
}


@pytest.mark.parametrize("raw", REPORTS.values(), ids=REPORTS)
def test_a_report_is_found_wherever_it_lies_and_whatever_it_is_called(raw: bytes) -> None:
    found = reported(raw)
    assert (found.kind, found.recipients[0].address, found.failed) == (ReportKind.DSN, "ann@example.com", True)


@pytest.mark.parametrize("raw", OTHERS.values(), ids=OTHERS)
def test_what_only_looks_like_a_report_is_none(raw: bytes) -> None:
    found = facts(raw).report
    assert found is None or found.kind is ReportKind.BOUNCE


@pytest.mark.parametrize(
    ("encoding", "encoded"),
    [
        ("base64", base64.encodebytes("\r\n".join(STATUS).encode()).decode()),
        ("quoted-printable", quopri.encodestring("\r\n".join(STATUS).encode()).decode().replace("@", "=40")),
    ],
)
def test_a_status_may_be_encoded_against_the_standard(encoding: str, encoded: str) -> None:
    lines = ("Content-Type: message/delivery-status", f"Content-Transfer-Encoding: {encoding}", "", encoded)
    assert reported(multipart(NOTICE, lines)).recipients[0].address == "ann@example.com"


HEADER = ("Received: from x", "From: us@example.com", "Message-ID: <original@example.com>", "", "")


@pytest.mark.parametrize(
    "returned",
    [
        labelled("message/rfc822", HEADER),
        labelled("message/global", HEADER),
        labelled("text/rfc822-headers", HEADER),
        labelled("message/rfc822-headers", HEADER),
        labelled("message/global-headers", HEADER),
        labelled("text/plain; name=headers.txt", HEADER),
        labelled("message/rfc822", ("", *HEADER)),
        labelled("message/rfc822", ("From us@example.com Mon Mar  2 09:30:00 2026", *HEADER)),
        (
            *("Content-Type: message/rfc822", "Content-Transfer-Encoding: base64", ""),
            base64.encodebytes("\r\n".join(HEADER).encode()).decode(),
        ),
    ],
    ids=lambda lines: lines[0] + lines[1],
)
def test_the_original_is_the_mail_that_came_back(returned: tuple[str, ...]) -> None:
    found = dsn(*STATUS, "X-Original-Message-ID: <other@example.com>", returned=returned)
    assert found.original_message_id == "<original@example.com>"


@pytest.mark.parametrize(
    ("header", "status", "meant"),
    [
        ((), ("X-Original-Message-ID: a@x",), "<a@x>"),
        ((), ("Original-Message-ID: <a@x>",), "<a@x>"),
        (("In-Reply-To: <b@x>",), ("Original-Message-ID: <a@x>",), "<a@x>"),
        (("X-Original-Message-ID: <a@x>", "In-Reply-To: <b@x>"), (), "<a@x>"),
        (("In-Reply-To: <a@x>", "References: <b@x>"), (), "<a@x>"),
        (("References: <b@x> <a@x>",), (), "<a@x>"),
        ((), (), None),
    ],
)
def test_without_it_fields_name_the_original(header: tuple[str, ...], status: tuple[str, ...], meant: str) -> None:
    part = labelled("message/delivery-status", (*STATUS, *status))
    assert reported(multipart(NOTICE, part, header=header)).original_message_id == meant


def test_who_failed_is_told_by_the_mails_header_where_the_status_does_not() -> None:
    part = labelled("message/delivery-status", ("Final-Recipient: rfc822;", "Action: failed"))
    raw = multipart(NOTICE, part, RETURNED, header=("X-Failed-Recipients: carl@example.com",))
    assert reported(raw).recipients[0].address == "carl@example.com"


WORDS = [
    *STATUS, "Original-Recipient", "Diagnostic-Code", "Feedback-Type:", "Disposition:", "Original-Rcpt-To:", "Status:",
    "rfc822;", "utf-8", "5.1.1", "<", ">", ";", ":", '"', " ", "\t", "\r\n", "\r\n\r\n", "\\x{FFFFFFF}", "\0",
]  # fmt: skip


@given(
    st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=5)), max_size=40).map("".join),
    st.sampled_from(["delivery-status", "disposition-notification", "feedback-report"]),
)
def test_whatever_a_report_holds_its_facts_are_texts_and_numbers(content: str, label: str) -> None:
    found = facts(multipart(NOTICE, labelled(f"message/{label}", (content,)), RETURNED)).report
    if found:
        for key, value in found.user_data.items():
            assert str(value).encode("utf-8") is not None
            assert key.isascii()
        assert all(recipient.address.encode("utf-8") is not None for recipient in found.recipients)
