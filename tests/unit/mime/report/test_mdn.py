"""Read receipts, in the forms of RFC 8098 and of the programs that write them."""

from __future__ import annotations

import pytest

from emaild.message import ReportedRecipient, ReportKind
from tests.unit.mime.report.writing import NOTICE, RETURNED, labelled, mdn, multipart, reported

MANUAL = ("manual-action", "MDN-sent-manually")
AUTOMATIC = ("automatic-action", "MDN-sent-automatically")


def disposition(value: str) -> tuple[object, ...]:
    said = mdn("Final-Recipient: rfc822;bob@example.net", f"Disposition: {value}").user_data
    return tuple(said[f"_MDNInfo.{name}"] for name in ("ActionMode", "SendingMode", "DispositionType"))


def test_all_that_it_says_has_the_guides_keys() -> None:
    found = mdn(
        "Reporting-UA: pc.example.net; Foomail 97.1",
        "MDN-Gateway: dns; gate.example.net",
        "Original-Recipient: rfc822;Bob@example.org",
        "Final-Recipient: rfc822;bob@example.net",
        "Original-Message-ID: <199509192301.23456@example.org>",
        "Disposition: manual-action/MDN-sent-manually;",
        " displayed/error",
        "Error: nearly",
        "X-Own: 1",
    )
    assert found.kind is ReportKind.MDN
    assert found.recipients == (ReportedRecipient(address="bob@example.net", action="displayed"),)
    assert found.original_message_id == "<199509192301.23456@example.org>"
    assert not found.failed
    assert found.user_data == {
        "_MDNInfo.ActionMode": "manual-action",
        "_MDNInfo.SendingMode": "MDN-sent-manually",
        "_MDNInfo.DispositionType": "displayed",
        "_MDNInfo.Recipient": "bob@example.net",
        "_MDNRawInfo.Reporting-UA": "pc.example.net; Foomail 97.1",
        "_MDNRawInfo.MDN-Gateway": "dns; gate.example.net",
        "_MDNRawInfo.Original-Recipient": "rfc822;Bob@example.org",
        "_MDNRawInfo.Final-Recipient": "rfc822;bob@example.net",
        "_MDNRawInfo.Original-Message-ID": "<199509192301.23456@example.org>",
        "_MDNRawInfo.Disposition": "manual-action/MDN-sent-manually; displayed/error",
        "_MDNRawInfo.Error": "nearly",
        "_MDNRawInfo.X-Own": "1",
    }


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        *(
            (f"{'/'.join(modes)}; {kind}", (*modes, kind))
            for modes in (MANUAL, AUTOMATIC)
            for kind in ("displayed", "deleted", "dispatched", "processed", "denied", "failed")
        ),
        ("manual-action/MDN-sent-automatically; displayed", (MANUAL[0], AUTOMATIC[1], "displayed")),
        ("MANUAL-ACTION/mdn-SENT-manually;DISPLAYED", (*MANUAL, "displayed")),
        ("manual-action/MDN-sent-manually displayed", (*MANUAL, "displayed")),
        ("manual-action / MDN-sent-manually ;displayed", (*MANUAL, "displayed")),
        ("manual-action/MDN-sent-manually; displayed/error,warning", (*MANUAL, "displayed")),
        ("automatic-action/MDN-sent-automatically; processed/failed", (*AUTOMATIC, "processed")),
        ("manual-action/MDN-sent-manually; X-shredded/error", (*MANUAL, "X-shredded")),
        ("displayed", ("", "", "displayed")),
        ("manual-action", (MANUAL[0], "", "")),
        ("", ("", "", "")),
    ],
)
def test_a_disposition_is_read_in_any_form(value: str, meant: tuple[str, ...]) -> None:
    assert disposition(value) == meant


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("<a@example.com>", "<a@example.com>"),
        ("a@example.com", "<a@example.com>"),
        ("id <a@example.com> and more", "<a@example.com>"),
        ("\r\n\t<a@example.com>", "<a@example.com>"),
        ("OFA1B2.0012-ON85.notes", "<OFA1B2.0012-ON85.notes>"),
        ("<>", None),
        ("", None),
    ],
)
def test_the_original_is_named_with_or_without_brackets(value: str, meant: str | None) -> None:
    assert mdn("Disposition: x; displayed", f"Original-Message-ID: {value}").original_message_id == meant


def test_empty_lines_between_the_fields_divide_nothing() -> None:
    lines = ("Final-Recipient: rfc822;bob@example.net", "", "Disposition: manual-action/MDN-sent-manually; displayed")
    assert mdn("Reporting-UA: x", "", *lines).recipients[0] == ReportedRecipient(
        address="bob@example.net", action="displayed"
    )


def test_without_a_final_recipient_the_original_one_counts() -> None:
    said = mdn("Original-Recipient: rfc822;<bob@example.net>", "Disposition: x; displayed").user_data
    assert said["_MDNInfo.Recipient"] == "bob@example.net"


@pytest.mark.parametrize(
    "label", ["message/disposition-notification", "message/global-disposition-notification", "message/delivery-status"]
)
def test_the_fields_count_and_not_the_label(label: str) -> None:
    fields = labelled(label, ("Final-Recipient: rfc822;bob@example.net", "Disposition: x; displayed"))
    found = reported(multipart(NOTICE, fields, RETURNED))
    assert (found.kind, found.original_message_id) == (ReportKind.MDN, "<original@example.com>")
