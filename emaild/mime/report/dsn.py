"""Delivery status notifications: RFC 3464, and RFC 6533 for addresses beyond ASCII."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from emaild.message import Report, ReportedRecipient, ReportKind
from emaild.mime.report.fields import Field, address, first, raw, untyped, values
from emaild.mime.report.original import Original

ADDRESSES = ("Final-Recipient", "Original-Recipient")
STARTS = {*ADDRESSES, "Action", "Status"}
ACTIONS = {"fail": "failed", "delay": "delayed", "deliver": "delivered", "relay": "relayed", "expan": "expanded"}
BY_CLASS = {"5": "failed", "4": "delayed", "2": "delivered"}  # RFC 3463 §2
STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)", re.ASCII)
CLASS = re.compile(r"([245])(?:\.[\dx]+\.[\dx]+|\d\d)(?!\d)", re.ASCII | re.IGNORECASE)  # 5.1.1, 5.X.X, 550


def read(found: Sequence[Field], about: Original) -> Report:
    """The report that *found* make; `_DSNInfo` and `_DSNRawInfo` as the guide has them."""
    message, *groups = _groups(found)
    recipients = [_recipient(group) for group in groups]
    if len(recipients) == len(about.recipients) == 1 and not recipients[0].address:
        recipients = [replace(recipients[0], address=about.recipients[0])]  # as some Exchanges leave it
    data: dict[str, str | int] = {"_DSNInfo.RecipientCount": len(groups)}
    raw_data = raw("_DSNRawInfo", message) | {"_DSNRawInfo.RecipientCount": len(groups)}
    for number, (group, recipient) in enumerate(zip(groups, recipients, strict=True), start=1):
        data[f"_DSNInfo.Recipient{number}.Recipient"] = recipient.address
        data[f"_DSNInfo.Recipient{number}.Action"] = recipient.action
        raw_data |= raw(f"_DSNRawInfo.Recipient{number}", group)
    return Report(
        kind=ReportKind.DSN,
        recipients=tuple(recipients),
        original_message_id=about.message_id,
        envelope_id=first(message, "Original-Envelope-Id"),
        user_data=data | raw_data,
    )


def _groups(found: Sequence[Field]) -> list[list[Field]]:
    """The fields of the message, then those of each recipient; empty lines alone divide nothing."""
    groups: list[list[Field]] = [[]]
    names: set[str] = set()
    for field in found:
        if field.name in STARTS and (len(groups) == 1 or _starts(field, names)):
            groups.append([])
            names = set()
        groups[-1].append(field)
        names.add(field.name)
    return groups


def _starts(field: Field, names: set[str]) -> bool:
    """Whether a field begins the next recipient, when the present one has fields of these *names* already."""
    if field.name == "Original-Recipient" and field.apart and names >= {"Final-Recipient", "Action"}:
        return True  # this recipient has one where the one before had none
    if field.name == "Status":
        return field.apart and names >= {"Status", "Action"} and bool(names & set(ADDRESSES))
    return field.name in names


def _recipient(group: Sequence[Field]) -> ReportedRecipient:
    diagnostic = ", ".join(untyped(value) for value in values(group, "Diagnostic-Code"))
    status = first(group, "Status")
    found = STATUS.search(status) or STATUS.search(diagnostic)
    addresses = [address(value) for name in (*ADDRESSES, "X-Actual-Recipient") for value in values(group, name)]
    return ReportedRecipient(
        address=next((one for one in addresses if "@" in one), next(filter(None, addresses), "")),
        action=_action(first(group, "Action"), status, diagnostic),
        status=found[1] if found else "",
        diagnostic=diagnostic,
    )


def _action(said: str, *codes: str) -> str:
    """One of the five (RFC 3464 §2.3.3): what Action says, else what the class of the first code tells."""
    word = said.strip().lower()
    action = next((action for start, action in ACTIONS.items() if word.startswith(start)), "")
    classes = (found[1] for found in map(CLASS.match, codes) if found)
    return action or BY_CLASS.get(next(classes, ""), "")
