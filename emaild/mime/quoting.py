"""What an author wrote, and what was quoted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from emaild.mime.quoting_marks import attribution, header_end, is_divider, is_quote, may_be_mark, may_hold_mark

MOST_LOOKED_AT = 20_000  # lines among which a mark is looked for; beyond them only `>` counts


def apart(text: str) -> tuple[str, str]:
    """The reply, and the quoted text: together they hold every line that is not empty, each in its order.

    What stands between quoted lines or below them is part of the reply. Without quoted text the reply is the text;
    so it is where each line has a `>` in front and nothing says whom it quotes.
    """
    lines = text.split("\n")
    if ">" not in text and not may_hold_mark(text):
        return text, ""
    if all(is_quote(line) for line in lines if line.strip()):
        return text, ""
    quoted = _quoted(lines)
    if not any(quoted):
        return text, ""
    own = [line for line, is_quoted in zip(lines, quoted, strict=True) if not is_quoted]
    rest = [line for line, is_quoted in zip(lines, quoted, strict=True) if is_quoted]
    return "\n".join(own).strip("\n"), "\n".join(rest).strip("\n")


@dataclass(frozen=True)
class _Mark:
    """The lines that a program wrote above a quoted mail. An attribution alone may be a person's own words."""

    start: int
    end: int
    alone: bool = False


def _quoted(lines: Sequence[str]) -> list[bool]:
    """Which of the lines are quoted."""
    quoted = [is_quote(line) and not _is_escaped(lines, at) for at, line in enumerate(lines)]
    following = _following(lines)
    first_own = len(lines)
    at = 0
    while at < min(len(lines), MOST_LOOKED_AT):
        if quoted[at] or following[at] > at:
            at += 1
            continue
        mark = _mark(lines, at, quoted, following) if may_be_mark(lines[at]) else None
        if mark and following[mark.end] < len(lines) and quoted[following[mark.end]]:
            quoted[mark.start : mark.end] = [True] * (mark.end - mark.start)
        elif mark and (first_own < mark.start or not mark.alone):
            quoted[mark.start :] = [True] * (len(lines) - mark.start)
            break
        else:
            first_own = min(first_own, at)
        at = mark.end if mark else at + 1
    for at in range(1, len(lines) - 1):  # an empty line between two that are quoted is too
        if following[at] > at and quoted[at - 1]:
            quoted[at] = following[at] < len(lines) and quoted[following[at]]
    return quoted


def _mark(lines: Sequence[str], at: int, quoted: Sequence[bool], following: Sequence[int]) -> _Mark | None:
    """The mark that begins with this line, or the attribution that ends with it."""
    if is_divider(lines, at):
        below = following[at + 1]
        return _Mark(at, (header_end(lines, below, below_divider=True) if below < len(lines) else None) or at + 1)
    end = header_end(lines, at, below_divider=False)
    if end:
        return _Mark(at, end)
    below = following[at + 1]
    start = attribution(lines, at, above_quote=below < len(lines) and quoted[below])
    return None if start is None else _Mark(start, at + 1, alone=True)


def _following(lines: Sequence[str]) -> list[int]:
    """For each line, and the end, the first from there on that is not empty."""
    following = [len(lines)] * (len(lines) + 1)
    for at in range(len(lines) - 1, -1, -1):
        following[at] = at if lines[at].strip() else following[at + 1]
    return following


def _is_escaped(lines: Sequence[str], at: int) -> bool:
    """Whether the mark of a quote is one that mailboxes in files put before `From `."""
    if not lines[at].startswith(">From "):
        return False
    return not any(map(is_quote, (*lines[max(at - 1, 0) : at], *lines[at + 1 : at + 2])))
