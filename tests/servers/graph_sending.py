"""What Microsoft Graph does with mails that go out: sendMail, drafts, and files that are attached to them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.servers.graph_answers import MOST, Answer, Asked, error
from tests.servers.graph_mailbox import ADDRESSED, Attached, Mailbox, Message
from tests.servers.graph_reading import shown
from tests.servers.graph_types import wrong, wrong_action

if TYPE_CHECKING:
    from tests.servers.graph import GraphServer

SMALLEST_SESSION = 3 << 20
LARGEST_SESSION = 150 << 20
LARGEST_PIECE = 4 << 20


def sending(server: GraphServer, box: Mailbox, asked: Asked, steps: list[str]) -> Answer | None:
    """The answer to what is about sending; None: it is about something else."""
    if len(asked.body) > MOST:
        return (
            Answer(200) if server.too_large == 200 else error(413, "RequestEntityTooLarge", "The request is too large.")
        )
    match (asked.method, steps):
        case ("POST", ["sendMail" | "messages"]):
            raw = _mime(asked)
            if raw is None:
                return error(400, "ErrorMimeContentInvalidBase64String", "Invalid base64 string for MIME content.")
            one = box.draft(raw)
            if steps == ["messages"]:
                return Answer.of(201, shown(asked, one))
            refusal = _submitted(box, one)
            if refusal is not None:
                del box.messages[one.id]
            return refusal or Answer(202)
        case ("POST", ["messages", name, *more]):
            one_or_none = box.message(name)
            if one_or_none is None or not one_or_none.draft:
                return error(404, "ErrorItemNotFound", "The specified object was not found in the store.")
            return _of_draft(server, box, asked, one_or_none, more)
    return None


def _mime(asked: Asked) -> bytes | None:
    if asked.headers.get("content-type") != "text/plain":
        return None
    try:
        return base64.b64decode(asked.body, validate=True) or None
    except binascii.Error:
        return None


def _submitted(box: Mailbox, one: Message) -> Answer | None:
    """None: it is sent."""
    author = (one.addresses("From") or [box.user])[0].lower()
    if author != box.user.lower() and author not in box.send_as:
        text = "The user account which was used to submit this request does not have the right to send mail on behalf"
        return error(403, "ErrorSendAsDenied", text)
    if not one.addresses(*ADDRESSED):
        return error(400, "ErrorInvalidRecipients", "At least one recipient is not valid.")
    one.draft = False
    box.submit(one)
    return None


def _of_draft(server: GraphServer, box: Mailbox, asked: Asked, one: Message, more: list[str]) -> Answer | None:
    match more:
        case ["send"]:
            if asked.body:
                return error(400, "BadRequest", "send has no content")
            return _submitted(box, one) or Answer(202)
        case ["attachments"]:
            return _attached(asked, one)
        case ["attachments", "createUploadSession"]:
            return _session(server, asked, one)
    return None


def _attached(asked: Asked, one: Message) -> Answer:
    said = asked.json
    if not isinstance(said, dict) or said.get("@odata.type") != "#microsoft.graph.fileAttachment":
        return error(400, "BadRequest", "A type named '' could not be resolved by the model.")
    if bad := wrong("graph.fileAttachment", said):
        return error(400, "BadRequest", bad)
    content = base64.b64decode(said["contentBytes"], validate=True)
    one.attached.append(_file(said, len(content), hashlib.sha256(content).hexdigest()))
    return Answer.of(201, {"id": "attached", "size": len(content)})


def _file(said: dict[str, Any], size: int, digest: str) -> Attached:
    inline, name = bool(said.get("isInline")), said.get("contentId", "")
    return Attached(said["name"], said.get("contentType", ""), size, digest, inline, name)


def _session(server: GraphServer, asked: Asked, one: Message) -> Answer:
    said = asked.json
    if not isinstance(said, dict) or not isinstance(said.get("AttachmentItem"), dict):
        return error(400, "BadRequest", "Empty Payload. JSON content expected.")
    if bad := wrong_action("createUploadSession", said):
        return error(400, "BadRequest", bad)
    item = said["AttachmentItem"]
    if item["size"] < SMALLEST_SESSION:
        code = "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize"
        return error(400, code, "Attachment size must be greater than the minimum size.")
    if item["size"] > LARGEST_SESSION:
        return error(413, "ErrorAttachmentSizeLimitExceeded", "The attachment is too large.")
    name = f"{len(server.uploads)}?authtoken=eyJ0.a"
    server.uploads[name.partition("?")[0]] = Session(one, item)
    url = server.url.removesuffix("/v1.0") + f"/upload/{name}"
    expires = "2026-12-31T10:00:00Z"
    return Answer.of(201, {"uploadUrl": url, "expirationDateTime": expires, "nextExpectedRanges": ["0-"]})


@dataclass
class Session:
    """One upload; the bytes are summed up and not kept."""

    one: Message
    item: dict[str, Any]
    at: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def put(self, asked: Asked) -> Answer:
        """A piece."""
        if "authorization" in asked.headers:
            return error(401, "InvalidAudienceForResource", "The audience claim value is invalid for this resource.")
        if asked.query.get("authtoken") != "eyJ0.a":
            return error(401, "InvalidAuthenticationToken", "the authtoken of the address is missing")
        found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", asked.headers.get("content-range", ""))
        if asked.method != "PUT" or found is None:
            return error(400, "InvalidContentRange", "Content-Range is missing or invalid.")
        start, end, size = map(int, found.groups())
        if len(asked.body) != end - start + 1 or size != self.item["size"] or len(asked.body) >= LARGEST_PIECE:
            return error(400, "InvalidContentRange", "The range does not fit to the content.")
        if start != self.at:
            return error(416, "InvalidRange", "Optimistic concurrency failure during fragmented upload.")
        self.digest.update(asked.body)
        self.at = end + 1
        if self.at < size:
            return Answer.of(200, {"expirationDateTime": "2026-12-31T10:00:00Z", "nextExpectedRanges": [f"{self.at}-"]})
        self.one.attached.append(_file(self.item, size, self.digest.hexdigest()))
        return Answer(201, headers={"Location": "https://outlook.office.com/api/attachment"})
