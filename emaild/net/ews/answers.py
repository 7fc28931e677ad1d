"""What an Exchange server answers: response messages with a code each (EWS reference, ResponseCode)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
M, T = f"{{{MESSAGES}}}", f"{{{TYPES}}}"

DONE = "NoError"
LONGEST_CODE = 100
LONGEST_KEY = 2_000  # characters; Exchange's have some 150 to 700
LONGEST_TEXT = 300  # characters of what a server says that are repeated

GONE = frozenset({"ErrorItemNotFound"})
PASSING = frozenset(
    {
        "ErrorServerBusy",
        "ErrorExceededConnectionCount",
        "ErrorExceededSubscriptionCount",
        "ErrorInternalServerError",
        "ErrorInternalServerTransientError",
        "ErrorMailboxStoreUnavailable",
        "ErrorMailboxMoveInProgress",
        "ErrorMailboxFailover",
        "ErrorTooManyObjectsOpened",
        "ErrorTimeoutExpired",
        "ErrorConnectionFailed",
        "ErrorConnectionFailedTransientError",
        "ErrorADUnavailable",
        "ErrorADOperation",
        "ErrorBatchProcessingStopped",
        "ErrorInsufficientResources",
        "ErrorProxyCallFailed",
        "ErrorNoRespondingCASInDestinationSite",
        "ErrorDataSourceOperation",
        "ErrorNotEnoughMemory",
    }
)
"""Codes that are nobody's fault: what was asked for may be asked for again, later."""


class Refused(Exception):
    """The server said no, with a code; `back_off` is for how many seconds it wants to be left alone."""

    def __init__(self, code: str, text: str, back_off: float = 0.0) -> None:
        code = shown(code)[:LONGEST_CODE]
        super().__init__(f"{code}: {text}" if text else code)
        self.code = code
        self.text = text
        self.back_off = back_off

    @property
    def passes(self) -> bool:
        """Whether it may be asked again."""
        return self.code in PASSING


def refusal(message: Any) -> Refused | None:
    """Why a response message is not good; None: it is."""
    code = (message.findtext(f"{M}ResponseCode") or "").strip()
    if message.get("ResponseClass") == "Success" and code == DONE:
        return None
    text = (message.findtext(f"{M}MessageText") or "").strip()
    return Refused(code or "no ResponseCode", shown(text), back_off(message.find(f"{M}MessageXml")))


def back_off(details: Any) -> float:
    """The seconds that a busy server asks for (EWS throttling: BackOffMilliseconds); 0 where it does not."""
    for value in [] if details is None else details.iterfind(f"{T}Value"):
        given = (value.text or "").strip()
        if value.get("Name") == "BackOffMilliseconds" and given.isascii() and given.isdigit():
            return int(given[:10]) / 1000
    return 0.0


def named(items: Any) -> Iterator[tuple[str, Any]]:
    """The items below an element, if there is one, that have an ID, with that."""
    for item in () if items is None else items:
        name = item.find(f"{T}ItemId") if isinstance(item.tag, str) else None
        if name is not None and 0 < len(name.get("Id") or "") <= LONGEST_KEY:
            yield name.get("Id"), item


def shown(text: str) -> str:
    """A server's words as they may be repeated: in one line, and cut."""
    return "".join(one if one.isprintable() else " " for one in text[:LONGEST_TEXT])
