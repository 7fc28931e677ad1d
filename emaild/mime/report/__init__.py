"""A mail's machine-readable report -> what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from emaild.message import Facts, Report
from emaild.mime import headers
from emaild.mime.charset import decoded
from emaild.mime.parts import Part
from emaild.mime.report import arf, dsn, mdn
from emaild.mime.report.fields import fields
from emaild.mime.report.original import original
from emaild.settings.properties import MimeProperties

# RFC 3464 §2.1, RFC 8098 §3, RFC 5965 §3; RFC 6533 has global-delivery-status, and some programs x-delivery-status.
LABEL = re.compile(r"message/.*(?:delivery-status|disposition-notification|feedback-report)")
OTHER_LABELS = ("text/", "message/", "application/octet-stream")
START = re.compile(
    rb"(?:Date|Reporting-MTA|Reporting-UA|Original-Envelope-Id|Received-From-MTA|Arrival-Date|DSN-Gateway|"
    rb"MDN-Gateway|Original-Recipient|Final-Recipient|Feedback-Type|User-Agent|Version)[ \t]*:",
    re.IGNORECASE,
)
READERS = (({"Feedback-Type"}, arf.read), ({"Disposition"}, mdn.read), (dsn.STARTS, dsn.read))
SURE = {"Feedback-Type", *dsn.ADDRESSES}
WITHIN = re.compile(rb"^content-type:[ \t]*(?:\r?\n[ \t]+)?multipart/report", re.IGNORECASE | re.MULTILINE)
DAEMON = re.compile(r"mailer-?daemon|postmaster|\bmmdf\b|mail delivery (?:sub)?system", re.IGNORECASE)
LONGEST = 4_000_000  # bytes of a report that are looked at: some ten thousand recipients


def report(mail: Part, leaves: Sequence[Part], said: Facts, reading: MimeProperties) -> Report | None:
    """The report that a mail is: ARF (RFC 5965), MDN (RFC 8098) or DSN (RFC 3464); None where it is none of them.

    What its fields say decides, for programs confuse the labels.
    """
    for part in _candidates(mail, leaves, reading):
        found = fields(decoded(part.content(reading)[:LONGEST], None, reading.charset))
        names = {field.name for field in found}
        if not LABEL.fullmatch(part.kind) and names.isdisjoint(SURE):
            continue
        read = next((read for sign, read in READERS if not names.isdisjoint(sign)), None)
        if read:
            return read(found, original(mail, leaves, found, said, reading))
    return None


def _candidates(mail: Part, leaves: Sequence[Part], reading: MimeProperties) -> Iterator[Part]:
    """The parts that may be a report: those labelled so, then those that begin as one."""
    whole = mail.kind == "multipart/report" or _by_machine(mail, reading)
    for part in leaves:
        if LABEL.fullmatch(part.kind) and (whole or not _attached(part, reading) or WITHIN.search(mail.body)):
            yield part
    for part in leaves if whole else ():
        if part.kind.startswith(OTHER_LABELS) and START.match(part.content(reading).lstrip()):
            yield part


def _attached(part: Part, reading: MimeProperties) -> bool:
    """Whether a person may have attached the part: mail programs then give it a name."""
    return part.header.get_content_disposition() == "attachment" or bool(headers.file_name(part.header, reading))


def _by_machine(mail: Part, reading: MimeProperties) -> bool:
    """Whether a mail server wrote the mail, as its header tells (RFC 3464 §2, RFC 3834 §5)."""
    said = {name: headers.field(mail.header, name, reading) for name in ("From", "Return-Path", "Auto-Submitted")}
    return (
        said["Return-Path"] == "<>"
        or said["Auto-Submitted"].lower().startswith("auto")
        or DAEMON.search(said["From"]) is not None
    )
