"""Message disposition notifications, also called read receipts: RFC 8098, RFC 3798 before it, RFC 6533."""

from __future__ import annotations

import re
from collections.abc import Sequence

from emaild.message import Report, ReportedRecipient, ReportKind
from emaild.mime.report.fields import Field, address, first, raw, values
from emaild.mime.report.original import Original

ACTION_MODE = re.compile(r"(manual|automatic)\W{0,3}action", re.IGNORECASE)
SENDING_MODE = re.compile(r"sent\W{0,3}(manually|automatically)", re.IGNORECASE)
TYPE = re.compile(r"displayed|deleted|dispatched|processed|denied|failed", re.IGNORECASE)
OTHER_TYPE = re.compile(r";\s*([\w-]+)")


def read(found: Sequence[Field], about: Original) -> Report:
    """The report that *found* make; `_MDNInfo` and `_MDNRawInfo` as the guide has them, empty what is not said."""
    disposition = first(found, "Disposition")
    action, sending = ACTION_MODE.search(disposition), SENDING_MODE.search(disposition)
    addresses = [address(value) for name in ("Final-Recipient", "Original-Recipient") for value in values(found, name)]
    recipient = ReportedRecipient(address=next(filter(None, addresses), ""), action=_type(disposition))
    data: dict[str, str | int] = {
        "_MDNInfo.ActionMode": f"{action[1].lower()}-action" if action else "",
        "_MDNInfo.SendingMode": f"MDN-sent-{sending[1].lower()}" if sending else "",
        "_MDNInfo.DispositionType": recipient.action,
        "_MDNInfo.Recipient": recipient.address,
    }
    return Report(
        kind=ReportKind.MDN,
        recipients=(recipient,),
        original_message_id=about.message_id,
        envelope_id=first(found, "Original-Envelope-Id"),
        user_data=data | raw("_MDNRawInfo", found),
    )


def _type(disposition: str) -> str:
    """The disposition type (RFC 8098 §3.2.6.2) without its modifiers; one that is not standard as it stands."""
    found = TYPE.search(disposition)
    if found:
        return found[0].lower()
    other = OTHER_TYPE.search(disposition)
    return other[1] if other else ""
