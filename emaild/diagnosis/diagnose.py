"""From what a server said, or what failed on the way to it, to the cause."""

from __future__ import annotations

from collections.abc import Callable

from emaild.diagnosis.said import Said, said
from emaild.diagnosis.table import Diagnosis, Row, Wait, rows
from emaild.errors import RemoteError
from emaild.message import Receipt

Test = Callable[[Row, Said], object]

REPLIES: tuple[Test, ...] = (
    lambda row, it: it.status in row.status or row.names & it.names,
    lambda row, it: row.words and row.words.search(it.words),
    lambda row, it: row.vague and row.vague.fullmatch(it.status),
    lambda row, it: row.hints and row.hints.search(it.words),
    lambda row, it: it.code in (row.http if it.web else row.code),
)
"""What counts, the weightiest first: a status that says it all, words, a status or words that say little, the code."""

FAILURES: tuple[Test, ...] = (
    lambda row, it: row.names & it.names,
    lambda row, it: row.failure and row.failure.search(f"{it.action}: {it.words}"),
    lambda row, it: row.words and row.words.search(it.words),
    lambda row, it: row.hints and row.hints.search(it.words),
)


def diagnose(code: str, text: str, *, action: str = "", server: str = "") -> Diagnosis | None:
    """The cause of a failure, None where the table does not know it.

    Args:
        code: of SMTP, as 550, of HTTP, or one in words, as ErrorSendAsDenied; empty where it stands in the text or
            no server said anything.
        text: the server's words, an enhanced status first where it gave one; or the `reason` of a RemoteError.
        action: what was being done, as a RemoteError has it.
        server: who said it, as HOST, HOST:PORT or a URL.
    """
    row = _first(said(code, text, action, server))
    return row.diagnosis if row else None


def diagnose_error(error: RemoteError) -> Diagnosis | None:
    """The cause of a failure of the way."""
    return diagnose("", error.reason, action=error.action, server=error.where)


def diagnose_receipt(receipt: Receipt, server: str = "") -> Diagnosis | None:
    """Why *server* did not take a mail for this recipient."""
    return diagnose(receipt.code, receipt.text, server=server)


def kind_of_wait(code: str, text: str, *, server: str = "") -> Wait:
    """For what a mail waits that was not taken for now; given are code, text and server as for `diagnose`."""
    row = _first(said(code, text, "", server))
    return row.wait if row else Wait.PLAIN


def matching(it: Said) -> list[Row]:
    """All rows that apply by the weightiest of what there is, narrow ones alone where there are any."""
    for test in REPLIES if it.replied else FAILURES:
        found = [row for row in rows() if _open_to(row, it) and test(row, it)]
        if found:
            return [row for row in found if row.narrow] or found
    return []


def _first(it: Said) -> Row | None:
    return next(iter(matching(it)), None)


def _open_to(row: Row, it: Said) -> bool:
    if row.providers and not row.providers & it.providers:
        return False
    return row.only is None or row.only.search(f"{it.named} {it.words}") is not None
