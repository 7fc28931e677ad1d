"""The parts of a mail -> its texts and its attachments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import unquote

from emaild.message import Attachment
from emaild.mime import file_names, headers, tnef, uuencode
from emaild.mime.charset import decoded
from emaild.mime.html_text import readable
from emaild.mime.limits import HEADER_BYTES, PARTS
from emaild.mime.parts import Part, parsed
from emaild.settings.properties import MimeProperties

REFERRED = re.compile(r"[cC][iI][dD]:([^\"'\s<>)&]{1,998})")  # RFC 2392
BODIES = ("text/plain", "text/html")
OTHER_READERS = ("text/x-amp-html", "text/watch-html")
"""The same text once more, for programs that are none of ours."""
ENCLOSED = ("message/rfc822", "message/global", "message/news")
ENCLOSED_HEADERS = ("text/rfc822-headers", "message/rfc822-headers", "message/global-headers")
MOST_IDS = 100
LINE_END = re.compile(r"\r{0,2}\n|\r")


@dataclass
class Contents:
    """What the parts of a mail hold. `enclosed_ids` are the Message-IDs of the mails that lie in it, `files` what its
    attachments hold, where that is kept.
    """

    text: str = ""
    html: str = ""
    attachments: list[Attachment] = field(default_factory=list)
    enclosed_ids: list[str] = field(default_factory=list)
    files: list[bytes] = field(default_factory=list, repr=False)


def contents(parts: Sequence[Part], reading: MimeProperties, *, uuencoded: bool, files_too: bool = False) -> Contents:
    """Texts, in their order, and attachments; with *uuencoded* the files in the text are some of them.

    What the attachments hold is kept with *files_too*: it can be as large as the mail. The text is then read only
    where files may be in it.

    Of the alternatives of a text the plain one is the text, unless it is empty.
    """
    found = _Found(reading, files_too)
    for part, is_body in sorted_out(parts, reading):
        if is_body:
            found.add_body(part)
        else:
            found.add_file(part)
    return found.contents(uuencoded=uuencoded)


def sorted_out(parts: Sequence[Part], reading: MimeProperties) -> list[tuple[Part, bool]]:
    """The parts that count, each with whether it is body.

    A text/plain or text/html is body where it is no attachment by its disposition and has no name; one with a name too,
    where the mail has no other.
    """
    texts = [part for part in parts if part.kind in BODIES and _disposition(part) != "attachment"]
    bodies = [part for part in texts if not headers.file_name(part.header, reading)] or texts[:1]
    known = set(map(id, bodies))
    return [(part, id(part) in known) for part in parts if part.kind not in OTHER_READERS]


def _disposition(part: Part) -> str:
    return headers.word(part.header, "Content-Disposition")


@dataclass(frozen=True)
class _Body:
    """One text; `choice` is the multipart/alternative that it is one of, 0 for none."""

    text: str
    is_html: bool
    choice: int = 0


@dataclass
class _Found:
    """What was found so far."""

    reading: MimeProperties
    files_too: bool
    bodies: list[_Body] = field(default_factory=list)
    files: list[Attachment] = field(default_factory=list)
    kept: list[bytes] = field(default_factory=list)
    packed: list[_Body] = field(default_factory=list)
    """The texts in winmail.dat, which count where the mail has no other."""
    ids: list[str] = field(default_factory=list)

    def add_body(self, part: Part) -> None:
        label = headers.parameter(part.header, "Content-Type", "charset", self.reading)
        is_html = part.kind == "text/html"
        text = decoded(part.content(self.reading), label, self.reading.charset, html=is_html)
        self.bodies.append(_Body(_lines(text), is_html, part.choice))

    def add_file(self, part: Part) -> None:
        content = part.content(self.reading)
        given = headers.file_name(part.header, self.reading)
        if tnef.is_tnef(part.kind, given) and (packed := tnef.unpacked(content)):
            self.packed += [_Body(packed.text, False), _Body(packed.html, True)]
            for file, inner in zip(packed.files[: PARTS - len(self.files)], packed.contents, strict=False):
                self._keep(file, inner)
            return
        name = file_names.safe(given)
        if part.kind in ENCLOSED or part.kind in ENCLOSED_HEADERS:
            subject = self._enclosed(content)
            name = name or (_mail_name(subject) if part.kind in ENCLOSED else "")
        content_id = headers.field(part.header, "Content-ID", self.reading).strip("<> ")
        file = Attachment(
            name=name or self._default_name(part.kind),
            content_type=part.kind,
            size=len(content),
            content_id=content_id or None,
            inline=_disposition(part) == "inline" and part.kind.startswith("image/"),
        )
        self._keep(file, content)

    def contents(self, *, uuencoded: bool) -> Contents:
        """All of it together."""
        bodies = self.bodies if any(one.text.strip() for one in self.bodies) else [*self.bodies, *self.packed]
        html = "\n".join(one.text for one in bodies if one.is_html and one.text)
        text = "\n".join(_texts(bodies)) if uuencoded or not self.files_too else ""
        if uuencoded:
            text, files = uuencode.extracted(text)
            for name, content in files:
                safe = file_names.safe(name) or self._default_name("application/octet-stream")
                self._keep(Attachment(name=safe, content_type="application/octet-stream", size=len(content)), content)
        named = any(one.content_id for one in self.files)
        referred = {unquote(found) for found in REFERRED.findall(html)} if named else set()
        return Contents(
            text=text,
            html=html,
            attachments=[replace(one, inline=one.inline or one.content_id in referred) for one in self.files],
            enclosed_ids=self.ids,
            files=self.kept,
        )

    def _keep(self, file: Attachment, content: bytes) -> None:
        self.files.append(file)
        if self.files_too:
            self.kept.append(content)

    def _enclosed(self, content: bytes) -> str:
        """Notes the Message-ID of an enclosed mail; its subject."""
        header = parsed(content[:HEADER_BYTES], self.reading).header
        self.ids += headers.message_ids(header, "Message-ID")[: max(MOST_IDS - len(self.ids), 0)][:1]
        return headers.field(header, "Subject", self.reading)

    def _default_name(self, kind: str) -> str:
        before = self.files[-1].content_type if self.files else ""
        if before == "application/pgp-encrypted" and kind == "application/octet-stream":
            return "encrypted.asc"  # RFC 3156 §4
        return file_names.default(kind, len(self.files) + 1)


def _lines(text: str) -> str:
    """The text with a LF at the end of each line."""
    plain = text.replace("\r\n", "\n")
    return LINE_END.sub("\n", text) if "\r" in plain else plain


def _mail_name(subject: str) -> str:
    """The name of an enclosed mail's file."""
    stem = file_names.safe(re.sub(r"[/\\]", "_", subject[:200]))
    return f"{stem[:80].rstrip(' .')}.eml" if stem else ""


def _texts(bodies: Sequence[_Body]) -> Iterator[str]:
    """The plain text of each; of HTML where it is not an alternative of a plain one that says something."""
    said = {one.choice for one in bodies if one.choice and not one.is_html and one.text.strip()}
    for one in bodies:
        if not one.is_html:
            yield from [one.text] if one.choice in said or not one.choice else []
        elif one.choice not in said:
            yield readable(one.text)
