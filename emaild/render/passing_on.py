"""A mail that is passed on as it is, under a header of ours."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from emaild.errors import InputError
from emaild.render.compose import PLAIN_WRITING, Composed, Draft, headed
from emaild.render.fields import LONGEST_LINE, in_charset
from emaild.render.finished import has_long_line, seven_bit
from emaild.settings.properties import MimeProperties

LINE_END = re.compile(rb"\r{0,2}\n|\r")  # some gateways send CR CR LF
LEADING = re.compile(rb"(?:\xef\xbb\xbf)?(?:[ \t]*+\r\n){0,100}+(?:>?From [^\r\n]*\r\n)?")
FIELD = re.compile(rb"([!-9;-~]{1,200})[ \t]*+:([^\r\n]*+(?:\r\n[ \t][^\r\n]*+)*+)(?:\r\n|\Z)")
STRAY = re.compile(
    rb"(?:[^\r\n]+\r\n){1,5}?(?=(?i:from|to|cc|subject|date|message-id|mime-version|received|(?:x|content)-[!-9;-~]+):)"
)
"""Broken lines in a header, before a field that mails have, and texts have not."""
BLANK = re.compile(rb"\r\n[ \t]+(?=\r\n|\Z)")  # which some programs take for the end of the header
SOUND = re.compile(rb"[\t -~\x80-\xff]*+(?:\r\n[ \t][\t -~\x80-\xff]*+)*+")
HEADER_BYTES = 1 << 20  # as many as are read of a mail that comes in
KEPT = re.compile(rb"mime-version|content-(?!length\Z).*", re.IGNORECASE)


def redirected(
    raw: bytes,
    draft: Draft,
    *,
    now: datetime,
    domain: str,
    name: str = "",
    writing: MimeProperties = PLAIN_WRITING,
    charset: str = "",
) -> Composed:
    """The mail *raw* under the header that *draft* describes; *domain*, *name*, *writing*, *charset* as for `compose`.

    Of the mail's own header only MIME-Version and Content-* are kept, as they stand, where they are sound. Its body
    is kept too; all line ends become CRLF. Where a line is too long for SMTP, its parts that are not encoded are.

    Raises:
        InputError: the draft has a text or files of its own, or says what no header can carry, or the mail's header is
            too large.
    """
    if draft.text or draft.html or draft.attachments:
        raise InputError("a mail that is passed on as it is has no other text and no other files")
    message, mail = headed(draft, now=now, domain=domain, writing=in_charset(writing, charset), name=name)
    kept, body = _apart(LINE_END.sub(b"\r\n", raw))
    whole = message.as_bytes().removesuffix(b"\r\n") + kept + b"\r\n" + body
    encoded = seven_bit(whole) if has_long_line(body) else None
    return replace(mail, raw=encoded or whole)


def _apart(raw: bytes) -> tuple[bytes, bytes]:
    """The fields that are kept, each the first sound one of its name, and the body. A header that ends in no empty line
    ends before the first line that cannot be of a header.
    """
    kept: dict[bytes, bytes] = {}
    leading = LEADING.match(raw)
    at = leading.end() if leading else 0
    while at < HEADER_BYTES and (found := FIELD.match(raw, at) or STRAY.match(raw, at)):
        at = found.end()
        name = found[1] if found.re is FIELD else b""
        if KEPT.fullmatch(name):
            field = name + b":" + BLANK.sub(b"", found[2])
            if SOUND.fullmatch(field) and max(map(len, field.split(b"\r\n"))) <= LONGEST_LINE:
                kept.setdefault(name.lower(), field + b"\r\n")
    if at >= HEADER_BYTES:
        raise InputError(f"the header of the mail to be passed on is longer than {HEADER_BYTES} bytes")
    return b"".join(kept.values()), raw[at + 2 if raw.startswith(b"\r\n", at) else at :]
