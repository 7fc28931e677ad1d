"""Where a header ends, and its fields: RFC 5322 §2.2 and what programs make of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from email.message import Message

from emaild.mime.limits import FIELD_LENGTH, FIELDS, HEADER_BYTES

LINE_END = rb"(?:\r{0,2}\n|\r)"  # some gateways send CR CR LF
NAME = rb"[!-9;-~]{1,200}"
KNOWN = (
    rb"(?i:from|to|cc|bcc|subject|date|sender|reply-to|message-id|in-reply-to|references|received|return-path|errors-to"
    rb"|delivered-to|envelope-to|mime-version|importance|priority|precedence|organization|user-agent|comments|keywords"
    rb"|(?:x|content|list|arc|dkim|resent|auto|authentication|thread|received|disposition)-%b)[ \t]*:" % NAME
)
"""A field that stands in the headers of mails, and hardly ever at the beginning of a line of text."""
ONCE = re.compile(rb"(?i:from|to|cc|subject|date|message-id|mime-version|content-type)(?=[ \t]*:)")

FIELD = rb"(%b)[ \t]*:((?:[^\r\n]++|%b(?=%%b))*+)(?:%b|\Z)" % (NAME, LINE_END, LINE_END)
FIELDS_AND_BLANKS = re.compile(FIELD % rb"[ \t]")  # a line of white space continues a field
FIELDS_ALONE = re.compile(FIELD % rb"[ \t]+[^ \t\r\n]")
PLAIN = re.compile(r"([!-9;-~]{1,200})[ \t]*:(.*(?:\n[ \t].*)*+)\n|([\s\S]++)")
"""A field in a header of lines that end in LF or CR LF; or all that is left, from a line that is none."""
PLAIN_BYTES = 1 << 16  # in which a header ends that nothing is odd with
EMPTY = re.compile(LINE_END)
BLANK = re.compile(rb"[ \t]*" + LINE_END)
ENVELOPE = re.compile(rb">?From [^\r\n]*" + LINE_END)  # of an mbox file
LEADING = re.compile(rb"(?:\xef\xbb\xbf)?(?>[ \t]*%b){0,100}+[ \t]*(?=>?From |%b)" % (LINE_END, KNOWN))
LATE = re.compile(
    rb"(?>%b)(?:(?>%b)|((?i:from|to|cc|subject|date|message-id|in-reply-to|references|return-path))(?=[ \t]*:))"
    % (LINE_END, LINE_END)
)
"""An empty line, or a field that is read of a header beyond the limits too, the first of its name."""
ANY = re.compile(NAME + rb"[ \t]*:|>?From ")
STRAY = re.compile(rb"(?:(?!%b)[^ \t\r\n][^\r\n]*%b){1,5}(?=(%b))" % (KNOWN, LINE_END, KNOWN))
STRAY_FIRST = re.compile(rb"(?:(?!%b)[^\r\n]+%b){1,5}(?=(%b))" % (KNOWN, LINE_END, KNOWN))


class Header(Message):
    """The fields of a mail or of a part of one, as they stand; `named` finds some without a look at the others."""

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._named: dict[str, list[str]] = {}
        self.read: dict[tuple[str, str, bool], str] = {}
        """What `mime.headers` made of some of them, so that each is decoded once."""
        for name, value in fields:
            self.set_raw(name, value)
            self._named.setdefault(name.lower(), []).append(value)

    def named(self, name: str) -> Sequence[str]:
        """The values of all fields of that name, which is in lower case."""
        return self._named.get(name, ())


def head(raw: bytes, *, blank_ends: bool, mail: bool) -> tuple[Header, int, str]:
    """The header, where the body begins, and which limit the header is beyond, empty where it is whole.

    It ends at an empty line, with *blank_ends* at one of white space too, or before the first line that cannot be of a
    header. A broken line before a field that mails have, and texts have not, is the rest of the line before it. In
    front of a *mail* (not of a part of one) empty lines, lines of an mbox file and broken lines are passed over.
    """
    start = _start(raw) if mail else 0
    if not blank_ends and (plain := _plain(raw, start)):
        return plain
    fields: list[tuple[str, bytes]] = []
    at, cut = _fields(raw, fields, FIELDS_ALONE if blank_ends else FIELDS_AND_BLANKS, start)
    if cut:
        fields += _late(raw, at, {name.lower() for name, _ in fields})
    header = Header([(name, value.strip(b" \t").decode("ascii", "surrogateescape")) for name, value in fields])
    if not cut and (ended := (BLANK if blank_ends else EMPTY).match(raw, at)):
        at = ended.end()
    return header, at, cut


def _plain(raw: bytes, start: int) -> tuple[Header, int, str] | None:
    """What `head` gives of a header with nothing odd in it, as nearly all are; None where it has to look closer."""
    end = raw.find(b"\n\r\n", start, PLAIN_BYTES)
    sooner = raw.find(b"\n\n", start, PLAIN_BYTES if end < 0 else end)
    end, body = (sooner, sooner + 2) if sooner >= 0 else (end, end + 3)
    lines = raw[start : end + 1].decode("ascii", "surrogateescape")
    if end < 0 or lines.count("\r") != lines.count("\r\n"):
        return None
    found = PLAIN.findall(lines)
    if found[-1][2] or len(found) > FIELDS:
        return None
    return Header([(name, value.removesuffix("\r").strip(" \t")) for name, value, _ in found]), body, ""


def _fields(raw: bytes, fields: list[tuple[str, bytes]], field: re.Pattern[bytes], at: int) -> tuple[int, str]:
    """Fills *fields*; where the first line lies that is none, and which limit was reached."""
    last = min(len(raw), HEADER_BYTES)
    while at < last:
        if found := field.match(raw, at, last):
            if len(fields) == FIELDS:
                return at, f"its header has more than {FIELDS} fields"
            fields.append((found[1].decode("ascii"), found[2]))
        elif found := ENVELOPE.match(raw, at, last):
            pass
        elif fields and (found := STRAY.match(raw, at, last)) and not _again(fields, found[1]):
            name, value = fields[-1]
            fields[-1] = (name, value + b"".join(b"\r\n " + line for line in found[0].splitlines() if line))
        else:
            return at, ""
        at = found.end()
    return at, "" if last == len(raw) else f"its header is longer than {HEADER_BYTES} bytes"


def _late(raw: bytes, at: int, known: set[str]) -> Iterator[tuple[str, bytes]]:
    """What a mail is filed by, from the rest of a header that is beyond a limit."""
    for found in LATE.finditer(raw, max(at - 2, 0)):
        if found[1] is None:
            return
        name = found[1].decode("ascii")
        field = FIELDS_AND_BLANKS.match(raw, found.start(1), found.start(1) + FIELD_LENGTH)
        if field and name.lower() not in known:
            known.add(name.lower())
            yield name, field[2]


def _start(raw: bytes) -> int:
    """Where the header of a mail begins."""
    leading = LEADING.match(raw)
    at = leading.end() if leading else 0
    stray = None if ANY.match(raw, at) else STRAY_FIRST.match(raw, at)
    return stray.end() if stray else at


def _again(fields: list[tuple[str, bytes]], line: bytes) -> bool:
    """Whether a field that stands once in a header comes a second time: then it is quoted in the text."""
    name = ONCE.match(line)
    return name is not None and any(known.lower().encode() == name[0].lower() for known, _ in fields)
