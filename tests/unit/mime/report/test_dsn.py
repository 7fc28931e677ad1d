"""Delivery status notifications, by the standard and as mail servers break it."""

from __future__ import annotations

import pytest

from emaild.message import ReportedRecipient, ReportKind
from tests.unit.mime.report.writing import MESSAGE, dsn

ANN = ReportedRecipient(address="ann@example.com", action="failed", status="5.1.1", diagnostic="550 No such user")
BOB = ReportedRecipient(address="bob@example.com", action="delayed", status="4.2.2")
ANN_FIELDS = (
    *("Final-Recipient: rfc822; ann@example.com", "Action: failed", "Status: 5.1.1"),
    "Diagnostic-Code: smtp; 550 No such user",
)
BOB_FIELDS = ("Final-Recipient: rfc822; bob@example.com", "Action: delayed", "Status: 4.2.2")


def address(*lines: str) -> str:
    return dsn(*MESSAGE, *lines, "Action: failed").recipients[0].address


def action(*lines: str) -> str:
    return dsn(*MESSAGE, "Final-Recipient: rfc822;a@b.example", *lines).recipients[0].action


def status(*lines: str) -> str:
    return dsn(*MESSAGE, "Final-Recipient: rfc822;a@b.example", "Action: failed", *lines).recipients[0].status


def test_all_that_it_says_has_the_guides_keys() -> None:
    found = dsn(
        "Original-Envelope-Id: QQ314159",
        "Reporting-MTA: dns; mail.example.com",
        "X-Queue-Id: 42",
        "",
        "Original-Recipient: rfc822;ann@old.example",
        *ANN_FIELDS,
        "",
        *BOB_FIELDS,
        "Will-Retry-Until: Thu, 7 Jul 1994",
        "    17:15:49 -0400",
    )
    assert found.kind is ReportKind.DSN
    assert found.recipients == (ANN, BOB)
    assert (found.original_message_id, found.envelope_id) == ("<original@example.com>", "QQ314159")
    assert found.user_data == {
        "_DSNInfo.RecipientCount": 2,
        "_DSNInfo.Recipient1.Recipient": "ann@example.com",
        "_DSNInfo.Recipient1.Action": "failed",
        "_DSNInfo.Recipient2.Recipient": "bob@example.com",
        "_DSNInfo.Recipient2.Action": "delayed",
        "_DSNRawInfo.Original-Envelope-Id": "QQ314159",
        "_DSNRawInfo.Reporting-MTA": "dns; mail.example.com",
        "_DSNRawInfo.X-Queue-Id": "42",
        "_DSNRawInfo.RecipientCount": 2,
        "_DSNRawInfo.Recipient1.Original-Recipient": "rfc822;ann@old.example",
        "_DSNRawInfo.Recipient1.Final-Recipient": "rfc822; ann@example.com",
        "_DSNRawInfo.Recipient1.Action": "failed",
        "_DSNRawInfo.Recipient1.Status": "5.1.1",
        "_DSNRawInfo.Recipient1.Diagnostic-Code": "smtp; 550 No such user",
        "_DSNRawInfo.Recipient2.Final-Recipient": "rfc822; bob@example.com",
        "_DSNRawInfo.Recipient2.Action": "delayed",
        "_DSNRawInfo.Recipient2.Status": "4.2.2",
        "_DSNRawInfo.Recipient2.Will-Retry-Until": "Thu, 7 Jul 1994 17:15:49 -0400",
    }


@pytest.mark.parametrize(
    "lines",
    [
        (*MESSAGE, *ANN_FIELDS, "", *BOB_FIELDS),
        (*MESSAGE, *ANN_FIELDS, *BOB_FIELDS),
        ("Reporting-MTA: dns; x", *ANN_FIELDS, "", *BOB_FIELDS),
        ("", "", *MESSAGE, "", "", *ANN_FIELDS, "", " ", "", *BOB_FIELDS, ""),
        (*MESSAGE, *(line for one in ANN_FIELDS for line in (one, "")), *BOB_FIELDS),
        (*ANN_FIELDS, "", *BOB_FIELDS),
        (*MESSAGE, *ANN_FIELDS[1::-1], *ANN_FIELDS[2:], "", *BOB_FIELDS),
        (*MESSAGE, *(f" {line}" for line in ANN_FIELDS), "", *BOB_FIELDS),
        (*(line.upper() if ";" not in line else line for line in (*MESSAGE, *ANN_FIELDS, "")), *BOB_FIELDS),
        (*(line.replace("-Recipient:", "-Recipient", 1) for line in (*MESSAGE, *ANN_FIELDS)), "", *BOB_FIELDS),
    ],
    ids=[
        *("right", "undivided", "no line after the message's", "too many lines", "lines within a recipient"),
        *("no field of the message", "Action first", "indented", "capitals", "colons missing"),
    ],
)
def test_the_recipients_are_told_apart_whatever_lines_are_empty(lines: tuple[str, ...]) -> None:
    assert dsn(*lines).recipients == (ANN, BOB)


def test_the_parts_of_one_recipient_may_stand_apart_in_any_order() -> None:
    lines = ("Original-Recipient: rfc822;x@y", "", "Action: failed", "", ANN_FIELDS[0], "", *ANN_FIELDS[2:])
    assert dsn(*MESSAGE, *lines, "", *BOB_FIELDS).recipients == (ANN, BOB)


ORIGINAL = "Original-Recipient: rfc822;x@y"


@pytest.mark.parametrize(
    ("lines", "whose"),
    [
        ((ORIGINAL, *ANN_FIELDS, "", *BOB_FIELDS), 1),
        ((ANN_FIELDS[0], "", ORIGINAL, "", *ANN_FIELDS[1:], "", *BOB_FIELDS), 1),
        ((*ANN_FIELDS, ORIGINAL, "", *BOB_FIELDS), 1),
        ((*ANN_FIELDS, "", ORIGINAL, *BOB_FIELDS), 2),
        ((*ANN_FIELDS, "", ORIGINAL, BOB_FIELDS[1], BOB_FIELDS[0], BOB_FIELDS[2]), 2),
    ],
)
def test_an_original_recipient_belongs_to_its_own_recipient(lines: tuple[str, ...], whose: int) -> None:
    found = dsn(*MESSAGE, *lines)
    assert found.recipients == (ANN, BOB)
    assert [key for key in found.user_data if key.endswith("Original-Recipient")] == [
        f"_DSNRawInfo.Recipient{whose}.Original-Recipient"
    ]


def test_a_repeated_status_begins_no_recipient() -> None:
    assert dsn(*MESSAGE, *ANN_FIELDS, "Status: 5.0.0").recipients == (ANN,)


def test_a_line_that_stands_apart_belongs_to_no_field() -> None:
    found = dsn(*MESSAGE, *BOB_FIELDS, "", "--- a line that is none ---", "  nor is this")
    assert found.user_data["_DSNRawInfo.Recipient1.Status"] == "4.2.2"


def test_a_line_that_is_not_folded_belongs_to_the_field_above() -> None:
    lines = (*ANN_FIELDS[:3], "Diagnostic-Code: smtp; 550 5.1.1", "<ann@example.com>: Recipient: gone", "550 see")
    (found,) = dsn(*MESSAGE, *lines, "https://example.com/why").recipients
    assert found.diagnostic == "550 5.1.1 <ann@example.com>: Recipient: gone 550 see https://example.com/why"


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("rfc822; ann@example.com", "ann@example.com"),
        ("rfc822;<ann@example.com>", "ann@example.com"),
        ("RFC822 ; <ann@example.com>", "ann@example.com"),
        ("ann@example.com", "ann@example.com"),
        ("<ann@example.com>", "ann@example.com"),
        ("rfc822;Ann B <ann@example.com>", "ann@example.com"),
        ("rfc822;ann@example.com (Ann)", "ann@example.com"),
        ("rfc822; rfc822;ann@example.com", "ann@example.com"),
        ("rfc822;SMTP:ann@example.com", "ann@example.com"),
        ("LOCAL;ann", "ann"),
        ("LOCAL; <ann>", "ann"),
        ('rfc822; "ann b"@example.com', '"ann b"@example.com'),
        ("utf-8; jörg@example.com", "jörg@example.com"),
        (r"utf-8; j\x{F6}rg@example.com", "jörg@example.com"),
        (r"utf-8; j\x{D800}\x{0A}\x{FFFFFF}@example.com", r"j\x{D800}\x{0A}\x{FFFFFF}@example.com"),
        (r"rfc822; j\x{F6}rg@example.com", r"j\x{F6}rg@example.com"),
    ],
)
def test_an_address_is_bare(value: str, meant: str) -> None:
    assert address(f"Final-Recipient: {value}") == meant


def test_the_final_address_counts_unless_only_another_is_one() -> None:
    assert (
        address("Original-Recipient: rfc822;a@old.example", "Final-Recipient: rfc822;a@new.example") == "a@new.example"
    )
    assert address("Original-Recipient: rfc822;a@old.example", "Final-Recipient: LOCAL;ann") == "a@old.example"
    assert address("Original-Recipient: rfc822;a@old.example", "Final-Recipient: rfc822;") == "a@old.example"
    assert address("Final-Recipient: LOCAL;ann", "X-Actual-Recipient: rfc822; a@new.example") == "a@new.example"


def test_a_single_empty_recipient_is_the_one_of_the_returned_mail() -> None:
    assert address("Final-Recipient: rfc822;") == "bob@example.net"
    empty = ("Final-Recipient: rfc822;", "Action: failed")
    assert [one.address for one in dsn(*MESSAGE, *empty, *empty).recipients] == ["", ""]


@pytest.mark.parametrize(
    ("lines", "meant"),
    [
        (("Action: FAILED",), "failed"),
        (("Action: fail(ed)",), "failed"),
        (("Action: failure",), "failed"),
        (("Action: Delivered (to mailbox)",), "delivered"),
        (("Action: relayed", "Status: 5.0.0"), "relayed"),
        (("Action: expanded",), "expanded"),
        (("Action: delayed", "Status: 5.0.0"), "delayed"),
        (("Status: 5.1.1",), "failed"),
        (("Status: 4.X.X (bad weather)",), "delayed"),
        (("Status: 2.0.0",), "delivered"),
        (("Action: none", "Status: 5.1.1"), "failed"),
        (("Diagnostic-Code: smtp; 550 No",), "failed"),
        (("Diagnostic-Code: smtp; 4 attempts",), ""),
        ((), ""),
    ],
)
def test_the_action_is_one_of_five_and_else_what_the_status_means(lines: tuple[str, ...], meant: str) -> None:
    assert action(*lines) == meant
    assert action("Remote-MTA: dns;x", *lines) == meant


@pytest.mark.parametrize(
    ("lines", "meant"),
    [
        (("Status: 5.1.1",), "5.1.1"),
        (("Status: 5.1.1 (bad destination mailbox address)",), "5.1.1"),
        (("Status: 5.7.12",), "5.7.12"),
        (("Status: smtp;5.1.1.",), "5.1.1"),
        (("Status: 550", "Diagnostic-Code: smtp; 550 5.2.1 Disabled"), "5.2.1"),
        (("Status: 5.0.0", "Diagnostic-Code: smtp; 550 5.2.1 Disabled"), "5.0.0"),
        (("Diagnostic-Code: smtp; 550 5.2.1.7 is blocked",), ""),
        (("Status: 9.9.9",), ""),
        ((), ""),
    ],
)
def test_the_status_is_the_code_alone(lines: tuple[str, ...], meant: str) -> None:
    assert status(*lines) == meant


def test_a_field_that_is_repeated_is_joined_and_its_diagnostic_too() -> None:
    found = dsn(*MESSAGE, *ANN_FIELDS, "Diagnostic-Code: smtp; 551 Gone", "X-Own: 1", "X-Own: 2")
    assert found.recipients[0].diagnostic == "550 No such user, 551 Gone"
    assert found.user_data["_DSNRawInfo.Recipient1.X-Own"] == "1, 2"
    assert found.user_data["_DSNRawInfo.Recipient1.Diagnostic-Code"] == "smtp; 550 No such user, smtp; 551 Gone"


def test_the_names_are_as_the_standard_writes_them_and_others_as_they_stand() -> None:
    found = dsn(
        "REPORTING-MTA: dns;x", "x-OWN: 1", "ORIGINAL-ENVELOPE-ID: e", "", "FINAL-RECIPIENT: rfc822;a@b.example"
    )
    assert set(found.user_data) >= {
        *("_DSNRawInfo.Reporting-MTA", "_DSNRawInfo.x-OWN", "_DSNRawInfo.Original-Envelope-Id"),
        "_DSNRawInfo.Recipient1.Final-Recipient",
    }
    assert found.envelope_id == "e"


def test_a_field_cannot_take_the_place_of_a_key_of_ours() -> None:
    found = dsn("RecipientCount: 7", "Recipient1.Action: delivered", *MESSAGE, *ANN_FIELDS)
    assert found.user_data["_DSNRawInfo.RecipientCount"] == 1
    assert found.user_data["_DSNRawInfo.Recipient1.Action"] == "failed"


def test_thousands_of_recipients_are_all_told() -> None:
    lines = [line for number in range(5000) for line in (f"Final-Recipient: rfc822; u{number}@x", *BOB_FIELDS[1:], "")]
    found = dsn(*MESSAGE, *lines)
    assert found.user_data["_DSNInfo.RecipientCount"] == 5000
    assert found.user_data["_DSNInfo.Recipient5000.Recipient"] == "u4999@x"


def test_a_report_of_millions_of_fields_is_bounded() -> None:
    found = dsn(*MESSAGE, *(f"Final-Recipient: rfc822; u{number}@x" for number in range(60_000)))
    assert 5000 < len(found.recipients) < 50_000


@pytest.mark.parametrize("line", ["X: 1", "Diagnostic-Code: x", "x", " x", "Final-Recipient" + " " * 900], ids=repr)
def test_lines_without_end_take_no_time_by_their_square(line: str) -> None:
    """They would take many minutes."""
    assert dsn(*MESSAGE, *ANN_FIELDS, *[line] * (1_000_000 // len(line))).recipients[0].address == "ann@example.com"
    assert dsn(*MESSAGE, *ANN_FIELDS, line * (1_000_000 // len(line))).recipients[0].address == "ann@example.com"


def test_a_status_that_stands_first_begins_its_recipient() -> None:
    found = dsn(
        *MESSAGE,
        "Status: 2.0.0", "Final-Recipient: rfc822; a@b.example", "Action: delivered", "",
        "Status: 5.0.0", "Final-Recipient: rfc822; c@d.example", "Action: failed", "",
    )  # fmt: skip
    told = [(one.address, one.action, one.status) for one in found.recipients]
    assert told == [("a@b.example", "delivered", "2.0.0"), ("c@d.example", "failed", "5.0.0")]
    assert found.user_data["_DSNRawInfo.Recipient2.Status"] == "5.0.0"
