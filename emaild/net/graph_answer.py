"""What Microsoft Graph answers, and what it means."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from email.message import Message
from functools import cached_property
from typing import Any

from emaild.net.masking import masked
from emaild.net.trace import shown
from emaild.settings.secret import Secret

LONGEST_WORDS = 300  # characters of what the server says that go into a message
LONGEST_SAID = 64 << 10  # characters; who says more is not quoted at all, for what is cut cannot be masked
TRANSIENT = (408, 409, 412, 423, 425, 429)
OF_THE_MAILBOX = (
    "AccessDenied",
    "Authorization_RequestDenied",
    "ErrorAccessDenied",
    "ErrorAccountSuspend",
    "ErrorInvalidUser",
    "ErrorMessageSubmissionBlocked",
    "MailboxNotEnabledForRESTAPI",
    "MailboxNotSupportedForRESTAPI",
    "Request_ResourceNotFound",
    "ResourceNotFound",
)
"""Codes that say nothing of the mail that was asked for, with whatever status: 404, 403 or 400."""
OF_THE_ITEM = (
    "ErrorContentConversionFailed",
    "ErrorCorruptData",
    "ErrorItemCorrupt",
    "ErrorMessageSizeExceeded",
    "ErrorMimeContentConversionFailed",
    "ErrorMimeContentInvalid",
    "ErrorMimeContentInvalidBase64String",
    "ErrorUnsupportedMimeConversion",
)
"""Codes of a mail that Exchange cannot give, now or later (EWS, ResponseCode, whose names Graph hands on)."""
TRANSIENT_CODES = ("ErrorServerBusy", "ErrorMailboxMoveInProgress", "ErrorMailboxStoreUnavailable", "MailboxInTransit")


@dataclass(frozen=True)
class Answer:
    """What Graph answered; what it says that is not JSON is empty. `secrets` of the request are what it may repeat."""

    status: int
    headers: Message
    body: bytes
    cut: bool = False
    secrets: tuple[Secret, ...] = field(default=(), repr=False)

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300

    @cached_property
    def said(self) -> dict[str, Any]:
        """The JSON object."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def listed(self) -> list[dict[str, Any]]:
        """The objects of a list, those that have an id."""
        value = self.said.get("value")
        found = value if isinstance(value, list) else []
        return [one for one in found if isinstance(one, dict) and isinstance(one.get("id"), str) and one["id"]]

    @property
    def code(self) -> str:
        """The code of an error, as ErrorItemNotFound."""
        return self._of_error("code")[:100]

    @property
    def reason(self) -> str:
        """An error in words: status, code, and what Graph says, without the secrets that it may repeat."""
        words = self._of_error("message")[:LONGEST_WORDS]
        return " ".join(filter(None, (str(self.status), shown(self.code), shown(words))))

    @property
    def of_the_mailbox(self) -> bool:
        """Whether it is no answer about one mail, but the same for all."""
        return self.code in OF_THE_MAILBOX

    @property
    def of_the_item(self) -> bool:
        """Whether it is about the one mail that was asked for."""
        return self.code in OF_THE_ITEM and self.status not in (401, 403)

    @property
    def gone(self) -> bool:
        """Whether Graph says that what was asked for is not there; a 404 of somebody else has no code."""
        return self.status == 404 and bool(self.code) and not self.of_the_mailbox

    @property
    def transient(self) -> bool:
        """Whether the same may succeed later. Graph redirects nobody: who does stands in between."""
        return (
            self.status >= 500 or 300 <= self.status < 400 or self.status in TRANSIENT or self.code in TRANSIENT_CODES
        )

    def _of_error(self, name: str) -> str:
        error = self.said.get("error")
        value = error.get(name) if isinstance(error, dict) else ""
        return masked(value, self.secrets) if isinstance(value, str) and len(value) <= LONGEST_SAID else ""


def of_batch(part: object, secrets: tuple[Secret, ...] = ()) -> Answer:
    """One answer of a batch; one that is missing is a server's fault (500)."""
    said = part if isinstance(part, dict) else {}
    fields, status = said.get("headers"), said.get("status")
    headers = Message()
    for name, value in fields.items() if isinstance(fields, dict) else ():
        headers[str(name)] = str(value)
    number = status if isinstance(status, int) else 500
    return Answer(number, headers, json.dumps(said.get("body")).encode("ascii"), secrets=secrets)
