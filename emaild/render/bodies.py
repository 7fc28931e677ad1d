"""What a mail out holds below its header: a text, the same as HTML, and files."""

from __future__ import annotations

import mimetypes
import re
from email.message import EmailMessage, Message

from emaild.render.fields import LONGEST_LINE, UNPRINTABLE, charset_of, parameter
from emaild.settings.properties import MimeProperties

OCTETS = "application/octet-stream"
MAIL = "message/rfc822"
MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")  # RFC 6838 §4.2
NO_PLAIN_LINES = re.compile(rb"[\0\x80-\xff]|[^\n]{%d}" % (LONGEST_LINE + 1))
META = re.compile(r"<meta(?=[\s/])[^<>]{0,1000}>", re.IGNORECASE)
CONTENT_TYPE = re.compile(r"http-equiv\s{0,9}=\s{0,9}[\"']?\s{0,9}content-type\b", re.IGNORECASE)
ATTRIBUTE = re.compile(r"([a-z-]+)(\s*=\s*)(\"[^\"]*\"|'[^']*'|[^\s\"'>]+)", re.IGNORECASE)
CHARSET = re.compile(r"(charset\s*=\s*)([^\s;\"'/]+)", re.IGNORECASE)


def fill(message: EmailMessage, text: str, html: str, writing: MimeProperties) -> None:
    """Put the texts into a mail that has only its header: as alternatives, or the one that is not empty.

    Raises:
        UnicodeEncodeError: one of them is no Unicode text.
    """
    charset, encoding = charset_of(html, writing), _encoding(html)
    page = _declared(html, charset)
    if text or not html:
        message.set_content(text, charset=charset_of(text, writing), cte=_encoding(text))
        if html:
            message.add_alternative(page, subtype="html", charset=charset, cte=encoding)
    else:
        message.set_content(page, subtype="html", charset=charset, cte=encoding)


def attach(message: EmailMessage, name: str, content: bytes, content_type: str, writing: MimeProperties) -> None:
    """Add a file to a mail that has its texts. The type of its content, if it is none or empty, is guessed by *name*.

    A mail (message/rfc822) stays one where it can go unencoded, as RFC 2046 §5.2.1 asks; its line ends become CRLF.
    """
    content_type = content_type.lower()
    if not MEDIA_TYPE.fullmatch(content_type):
        guessed, compressed = mimetypes.guess_type(name)
        content_type = guessed if guessed and not compressed and guessed != MAIL else OCTETS
    lines = re.sub(rb"\r{0,2}\n|\r", b"\r\n", content) if content_type == MAIL else b""
    plain_mail = content_type == MAIL and NO_PLAIN_LINES.search(lines) is None
    if content_type.startswith(("message/", "multipart/")) and not plain_mail:
        content_type = OCTETS  # base64 is not allowed on them (RFC 2046 §5.2.1)
    main, _, sub = content_type.partition("/")
    message.add_attachment(content, *(("application", "octet-stream") if plain_mail else (main, sub)))
    *_, part = message.iter_parts()
    if plain_mail:
        part.set_payload(lines.decode("ascii"))
        part.replace_header("Content-Transfer-Encoding", "7bit")
        part.replace_header("Content-Type", MAIL)
    _name(part, content_type, _file_name(name), writing)


def _name(part: Message, content_type: str, name: str, writing: MimeProperties) -> None:
    """Give an attachment its file's name."""
    del part["Content-Disposition"]
    part["Content-Disposition"] = "attachment" + parameter("filename", name, writing)
    if writing.setcontenttypefilename:
        part.replace_header("Content-Type", content_type + parameter("name", name, writing))


def _file_name(name: str) -> str:
    """As a header can carry it; to Linux a file name is bytes of any kind."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return UNPRINTABLE.sub("_", " ".join(text.splitlines()))


def _encoding(text: str) -> str:
    """Plain where the text allows it; otherwise a quoted-printable that stays readable, or base64."""
    if text.isascii() and not re.search(rf"[\0\r]|[^\n]{{{LONGEST_LINE + 1}}}", text):
        return "7bit"
    ascii_share = sum(character < "\x80" for character in text) / max(1, len(text))
    return "quoted-printable" if ascii_share > 0.7 else "base64"


def _declared(page: str, charset: str) -> str:
    """The page, its <meta> tags naming the charset that it is sent in, which a reader of the saved page goes by."""

    def tag(meta: re.Match[str]) -> str:
        named = {"charset", "content"} if CONTENT_TYPE.search(meta[0]) else {"charset"}
        return ATTRIBUTE.sub(lambda one: attribute(one) if one[1].lower() in named else one[0], meta[0])

    def attribute(one: re.Match[str]) -> str:
        if one[1].lower() == "content":
            return one[1] + one[2] + CHARSET.sub(lambda said: said[1] + right(said[2]), one[3])
        mark = one[3][0] if one[3][0] in "\"'" else ""
        said = one[3].strip("\"'")
        return f"{one[1]}{one[2]}{mark}{right(said)}{mark}"

    def right(said: str) -> str:
        return said if said.strip().lower() == charset else charset

    return META.sub(tag, page)
