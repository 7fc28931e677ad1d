"""The attached data of an inbound interaction, as Genesys names the keys."""

from __future__ import annotations

from collections.abc import Iterator

from emaild.message import Facts
from emaild.mime.limits import LISTED_VALUE
from emaild.settings.processing import ProcessingSection

LONGEST = LISTED_VALUE - 1  # characters of To and of Cc; a field of more was cut off anywhere
CLOSED_BY = {'"': '"', "<": ">", "(": ")"}  # a comma inside these separates no addresses


def user_data(
    said: Facts,
    *,
    mailbox: str,
    processing: ProcessingSection,
    auto_replies: int = 0,
    header: tuple[str, str] | None = None,
) -> dict[str, str | int]:
    """What goes with an interaction, with the types and in the order that Genesys's programs meet.

    *mailbox* is the mailbox's own address, *auto_replies* how many automatic mails the thread had of late. *header*
    is the name and the recipient of a copy that was made for one recipient; it takes the place of a field of that name
    in the mail, so that no sender can choose it.

    `To` and `Cc` are the fields as received; `Cc` is there only where the mail has one, cut at the end of an address
    where it is longer than cc-userdata-limit. `Header_<Name>` are the fields of the header as received: of those
    of one name, without regard to case, the first. `_AttachmentsSize` is in bytes, decoded.
    """
    copies, limit = _field(said, "cc"), processing.cc_userdata_limit
    data: dict[str, str | int] = {
        "Mailbox": mailbox,
        "To": _cut(_field(said, "to"), LONGEST),
        **({"Cc": _cut(copies, min(limit or LONGEST, LONGEST))} if copies else {}),
        "FromAddress": said.sender,
        "FromPersonal": said.sender_personal,
        "Subject": said.subject,
        "Origination_Source": "Email",
        "_ContainsAttachment": "true" if said.attachments else "false",
        "_AttachmentFileNames": processing.attachment_file_names_separator.join(one.name for one in said.attachments),
        "_AttachmentsSize": str(sum(one.size for one in said.attachments)),
        "_AutoReplyCount": auto_replies,
    }
    if said.wrapped is not None:
        data["_WrappingMessageReason"] = said.wrapped
    if said.report is not None:
        data.update(said.report.user_data)
    if header is not None:
        data[header[0]] = header[1]
    data.update(_headers((*((header,) if header else ()), *said.headers)))
    return data


def _field(said: Facts, name: str) -> str:
    """All fields of that name, which is in lower case, as one list."""
    return ", ".join([value for given, value in said.headers if given.lower() == name])


def _cut(addresses: str, most: int) -> str:
    """The addresses that fit whole into so many characters."""
    if len(addresses) <= most:
        return addresses
    end, closing, escaped = 0, "", False
    for place, character in enumerate(addresses[: most + 1]):
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif closing:
            closing = "" if character == closing else closing
        elif character == ",":
            end = place
        else:
            closing = CLOSED_BY.get(character, "")
    return addresses[:end].rstrip()


def _headers(fields: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, str]]:
    taken: set[str] = set()
    for name, value in fields:
        lower = name.lower()
        if lower not in taken:
            taken.add(lower)
            yield f"Header_{name}", value
