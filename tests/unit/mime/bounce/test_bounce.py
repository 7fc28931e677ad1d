"""Which addresses a bounce tells, and which it does not."""

from __future__ import annotations

import pytest

from emaild.message import Report, ReportKind
from emaild.mime.view import facts
from tests.unit.mime.bounce.formats import GONE, MESSAGE_ID, OURS, RETURNED

HEAD = f"Return-Path: <>\nFrom: MAILER-DAEMON@mx.far.example\nTo: {OURS}\nSubject: failure notice\n"


def told(raw: str) -> Report:
    report = facts(raw.encode()).report
    assert report is not None
    assert report.kind is ReportKind.BOUNCE
    return report


def addresses(raw: str) -> list[str]:
    return [one.address for one in told(raw).recipients]


def mixed(*parts: str, kind: str = "mixed") -> str:
    inside = "".join(f"--b\n{part}\n" for part in parts)
    return f'{HEAD}MIME-Version: 1.0\nContent-Type: multipart/{kind}; boundary="b"\n\n{inside}--b--\n'


def test_all_failing_addresses_are_found_in_their_order() -> None:
    text = f"Could not deliver:\n\n<eve@far.example>:\nUnknown user\n\n<{GONE}>:\n550 5.2.2 Mailbox full\n"
    report = told(f"{HEAD}\n{text}")
    assert [(one.address, one.status, one.diagnostic) for one in report.recipients] == [
        ("eve@far.example", "", "Unknown user"),
        (GONE, "5.2.2", "550 5.2.2 Mailbox full"),
    ]


def test_who_sent_the_mail_who_reports_and_who_may_help_did_not_fail() -> None:
    text = (
        f"Your mail from {OURS} could not be delivered.\n\n<{GONE}>: user unknown\n\n"
        "For help contact postmaster@mx.far.example or support@mx.far.example\nor MAILER-DAEMON@mx.far.example\n"
    )
    assert addresses(f"{HEAD}\n{text}") == [GONE]
    raw = f"{HEAD}\nSorry, {OURS}, your mail to {GONE} could not be delivered.\n"
    assert addresses(raw.replace(OURS, "shop@shop.example")) == [GONE]


def test_a_mail_to_its_own_sender_failed_there() -> None:
    returned = RETURNED.replace(GONE, OURS)
    raw = mixed(f"Content-Type: text/plain\n\n<{OURS}>: unknown host\n", f"Content-Type: message/rfc822\n\n{returned}")
    assert addresses(raw) == [OURS]


def test_a_sender_who_had_a_copy_did_not_fail() -> None:
    returned = RETURNED.replace(f"To: Bob <{GONE}>", f"To: <{GONE}>\nCc: <{OURS}>")
    text = f"Content-Type: text/plain\n\nSorry, {OURS}, your mail to {GONE} could not be delivered.\n"
    raw = mixed(text, f"Content-Type: message/rfc822\n\n{returned}")
    assert addresses(raw.replace(OURS, "shop@shop.example")) == [GONE]


@pytest.mark.parametrize(
    "line",
    [
        "For help contact desk@mx.far.example",
        "Please send your questions to desk@mx.far.example",
        "Message-ID: <4711@mx.far.example>",
        "This host is run by postmaster@mx.far.example",
    ],
)
def test_an_address_that_did_not_fail_is_none_even_alone(line: str) -> None:
    assert addresses(f"{HEAD}\nThe user is unknown.\n{line}\n".replace(OURS, "bob@shop.example")) == [""]


def test_a_header_may_name_the_failing_addresses() -> None:
    text = "<where-bob-is-forwarded@elsewhere.example>: user unknown"
    raw = f"X-Failed-Recipients: {GONE},\n eve@far.example\n{HEAD}\n{text}\n"
    assert addresses(raw) == [GONE, "eve@far.example"]


@pytest.mark.parametrize("kind", ["message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/global"])
def test_the_only_recipient_of_the_returned_mail_is_the_failing_one_where_the_text_names_none(kind: str) -> None:
    raw = mixed("Content-Type: text/plain\n\nThe user is unknown.\n", f"Content-Type: {kind}\n\n{RETURNED}")
    report = told(raw)
    assert [one.address for one in report.recipients] == [GONE]
    assert report.original_message_id == MESSAGE_ID


def test_a_returned_mail_to_several_tells_none_of_them() -> None:
    two = RETURNED.replace(f"<{GONE}>", f"<{GONE}>, eve@far.example")
    assert addresses(
        mixed("Content-Type: text/plain\n\nUser unknown.\n", f"Content-Type: message/rfc822\n\n{two}")
    ) == [""]


def test_addresses_in_the_returned_mail_do_not_count() -> None:
    text = f"Undeliverable:\n\n<{GONE}>: user unknown\n\n--- Below this line is a copy of the message.\n\n{RETURNED}"
    assert addresses(f"{HEAD}\n{text}\n<eve@far.example>: user unknown\n") == [GONE]


def test_a_report_in_a_report_tells_who_failed() -> None:
    inner = (
        "From: MAILER-DAEMON@relay.example\nTo: support@shop.example\nSubject: Returned mail\nMessage-ID: <1@r.example>"
        f"\n\nWe could not reach\n\n  Recipient: {GONE}\n"
    )
    raw = mixed("Content-Type: text/plain\n\nDelivery failed, see below.\n", f"Content-Type: message/rfc822\n\n{inner}")
    assert addresses(raw) == [GONE]


def test_the_senders_own_address_may_carry_the_failing_one() -> None:
    raw = f"{HEAD}\nThe user is unknown.\n".replace(OURS, "news-bounces+bob=far.example@shop.example")
    assert addresses(raw) == [GONE]


def test_a_broken_delivery_report_still_tells_what_it_can() -> None:
    fields = f"Content-Type: message/delivery-status\n\n<{GONE}> failed (status 5.1.1)\n"
    report = told(mixed("Content-Type: text/plain\n\nYour mail came back.\n", fields))
    assert [(one.address, one.action, one.status) for one in report.recipients] == [(GONE, "failed", "5.1.1")]


def test_a_delivery_report_that_lost_its_parts_is_a_bounce() -> None:
    text = f"The following addresses had permanent fatal errors:\n\n<{GONE}>\n"
    assert addresses(f"{HEAD}Content-Type: multipart/report; report-type=delivery-status\n\n{text}") == [GONE]


@pytest.mark.parametrize(
    ("text", "action"),
    [
        (f"<{GONE}>: 452 4.2.2 Mailbox full", "delayed"),
        (f"<{GONE}>: 452 4.2.2 Mailbox full\nI'm not going to try again; it has been in the queue too long.", "failed"),
        (f"<{GONE}>: 550 5.2.2 Mailbox full", "failed"),
        (f"<{GONE}>: mailbox full\nWe will keep trying for three days.", "delayed"),
        (f"<{GONE}>: Benutzer unbekannt", "failed"),
    ],
)
def test_what_may_still_arrive_is_delayed(text: str, action: str) -> None:
    raw = f"{HEAD}\nYour mail has a problem:\n\n{text}\n".replace("failure notice", "Mail delivery report")
    assert [one.action for one in told(raw).recipients] == [action]


def test_a_mail_that_answers_ours_names_it_where_nothing_is_returned() -> None:
    assert told(f"In-Reply-To: {MESSAGE_ID}\n{HEAD}\n<{GONE}>: user unknown\n").original_message_id == MESSAGE_ID


def test_a_format_that_only_the_library_knows_is_told() -> None:
    text = "Your mail to the following recipients could not be delivered:\n\tscreenname\n"
    raw = f"{HEAD}\n{text}".replace("mx.far.example", "aol.com").replace("failure notice", "Mail Delivery Problem")
    assert addresses(raw) == ["screenname@aol.com"]


@pytest.mark.parametrize("size", [90_000, 2_000_000])  # as much as the library is given, and more
@pytest.mark.parametrize(
    "line",
    [
        "a@",
        "<" * 60,
        "user ",
        "=?",
        "Final-Recipient: ",
        "550 ",
        "x@y." * 15,
        "over the ",
        "your message a ",
        "To: a@b.example\n",
        "From: x\nTo: y\nDate: z\n",
        "<a@b.example>:\n",
        "--- Below\n",
        " " * 99,
    ],
)
def test_however_much_of_anything_there_is_a_mail_is_read_in_time(line: str, size: int) -> None:
    """The test's own time limit is what fails it: a square of this size would take minutes."""
    facts(f"{HEAD}\nThe user is unknown.\n{line * (size // len(line))}".encode())


def test_a_report_of_thousands_of_addresses_tells_the_first_hundred() -> None:
    text = "".join(f"<user{number}@far.example>: user unknown\n" for number in range(5000))
    assert len(addresses(f"{HEAD}\n{text}")) == 100


@pytest.mark.parametrize(
    "sender",
    [
        f"Return-Path: <MAILER-DAEMON@mx.far.example>\nFrom: scanner@far.example\nTo: {OURS}\n",
        f"Return-Path: <x@far.example>\nFrom: Scan_for_SMTP_Gateways@far.example\nTo: {OURS}\n",
    ],
)
def test_a_daemon_may_name_itself_in_the_envelope_or_by_what_it_is(sender: str) -> None:
    text = f"Received >>> 550 5.1.1 unknown user.\nUnable to deliver message to <{GONE}>.\n"
    assert addresses(f"{sender}Subject: Mail could not be delivered\n\n{text}") == [GONE]
    assert facts(f"From: ann@far.example\nTo: {OURS}\nSubject: Hello\n\n{text}".encode()).report is None
