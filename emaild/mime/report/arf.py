"""Abuse reports, as feedback loops send them: RFC 5965, and RFC 6591 for failed authentication."""

from __future__ import annotations

from collections.abc import Sequence

from emaild.message import Report, ReportedRecipient, ReportKind
from emaild.mime.report.fields import Field, address, first, raw, values
from emaild.mime.report.original import Original


def read(found: Sequence[Field], about: Original) -> Report:
    """The report that *found* make. The guide knows none: `_ARFInfo` and `_ARFRawInfo` follow those of a DSN."""
    kind = first(found, "Feedback-Type").lower()
    addresses = map(address, values(found, "Original-Rcpt-To") or values(found, "Removal-Recipient"))
    recipients = tuple(ReportedRecipient(address=one, action=kind) for one in dict.fromkeys(addresses) if one)
    data: dict[str, str | int] = {"_ARFInfo.FeedbackType": kind, "_ARFInfo.RecipientCount": len(recipients)}
    for number, recipient in enumerate(recipients, start=1):
        data[f"_ARFInfo.Recipient{number}.Recipient"] = recipient.address
    return Report(
        kind=ReportKind.ARF,
        recipients=recipients,
        original_message_id=about.message_id,
        envelope_id=first(found, "Original-Envelope-Id"),
        user_data=data | raw("_ARFRawInfo", found),
    )
