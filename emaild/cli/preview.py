"""`emaild preview`: a standard response as a mail would hold it, with no server and no store."""

from __future__ import annotations

import argparse
import io
import os
import sys
import tempfile
import webbrowser
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from emaild.cli.preview_values import objects_of
from emaild.cli.registry import Add
from emaild.cli.state import settings_of
from emaild.errors import InputError, UsageError
from emaild.log import events
from emaild.log.setup import set_up
from emaild.mime.view import facts
from emaild.render.field_codes import Scope
from emaild.render.field_codes.faults import Wrong
from emaild.render.field_codes.locales import locale as known_locale
from emaild.render.field_codes.locales import system_locale
from emaild.render.response import (
    ExtReply,
    RenderedResponse,
    Response,
    ResponseWrong,
    load,
    load_folder,
    rendered,
    saved_codes,
)
from emaild.render.transcript import Transcript, TranscriptUnreadable, read
from emaild.settings.daemon import EmaildSection
from emaild.settings.log import LogSection

PARTS = ("text", "html", "subject")
LARGEST = 100 << 20  # bytes of a mail or a chat


def register(add: Add) -> None:
    """The command of this module."""
    made = add("preview", _preview, "a standard response as a mail would hold it, with no server and no store")
    made.add_argument("response", metavar="RESPONSE", help="its name, or a folder like one, such as ./draft")
    made.add_argument("--chat", type=Path, metavar="XML", help="the chat for its transcript")
    made.add_argument("--reply", type=Path, metavar="EML", help="an external resource's mail")
    made.add_argument(
        "--value",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a value for field codes, as Contact.FirstName=Ann; may be repeated. Other properties are empty",
    )
    made.add_argument("--attached-data", action="append", default=[], metavar="KEY=VALUE", help="may be repeated")
    made.add_argument("--locale", help="of dates and numbers, such as de_DE (default: fieldcode-format-locale)")
    made.add_argument("--zone", help="of dates that field codes make, such as Europe/Paris (default: this machine's)")
    made.add_argument("--part", choices=PARTS, help="this alone; without it the header, and the text if there is one")
    made.add_argument("--open", action="store_true", help="show it in the browser")
    made.set_defaults(conf=None, usual_conf=made.get_default("conf"))


def _preview(arguments: argparse.Namespace) -> int:
    folders, locale = _surroundings(arguments)
    objects, data = objects_of(arguments.value, arguments.attached_data)
    scope = Scope(
        interaction=objects["interaction"],
        contact=objects["contact"],
        agent=objects["agent"],
        custom={**saved_codes(folders), **objects[""]},
        attached_data=data,
        locale=locale,
        now=datetime.now(UTC).astimezone(_zone(arguments.zone)),
    )
    try:
        response = _response(arguments.response, folders)
        chat = _chat(arguments.chat, response.name, str(objects["interaction"].get("Subject", "")))
        reply = _reply(arguments.reply)
        found = rendered(response, scope, transcript=chat, ext_reply=reply, locale=locale, folders=folders)
    except ResponseWrong as wrong:
        if not wrong.faults:
            raise
        print(wrong, file=sys.stderr)  # each line begins with file:line, as those of `emaild check`
        return wrong.exit_code
    for notice in found.notices:
        events.transcript_bad_timestamp(response=response.name, pattern=notice.pattern, reason=notice.reason)
    if arguments.open:
        _open(found, arguments.part)
    else:
        _show(found, arguments.part)
    return os.EX_OK


def _surroundings(arguments: argparse.Namespace) -> tuple[tuple[Path, ...], str]:
    """The folders of templates and the locale, by the conf file where there is one to read."""
    conf = arguments.conf or (arguments.usual_conf if os.access(arguments.usual_conf, os.R_OK) else None)
    folders, locale = EmaildSection().template_folders, arguments.locale
    if conf is None:
        set_up(LogSection(), sys.stderr)
    else:
        settings = settings_of(conf)
        folders, locale = settings.emaild.template_folders, locale or settings.processing.fieldcode_format_locale
    locale = locale or system_locale()
    try:
        known_locale(locale)
    except Wrong as wrong:
        raise UsageError(f"--locale: {wrong}") from None
    return folders, locale


def _zone(name: str | None) -> ZoneInfo | None:
    """The zone of that name; None is this machine's.

    Raises:
        UsageError: there is none.
    """
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, LookupError):
        raise UsageError(f"--zone: {name!r} is no time zone; expected one such as Europe/Paris") from None


def _response(name: str, folders: tuple[Path, ...]) -> Response:
    if "/" in name:
        if not Path(name).is_dir():
            raise InputError(f"there is no folder {name}")
        return load_folder(Path(name))
    return load(name, folders)


def _chat(file: Path | None, response: str, subject: str) -> Transcript | None:
    try:
        return read(_content(file), subject=subject) if file else None
    except TranscriptUnreadable as unreadable:
        events.transcript_unreadable(response=response, reason=str(unreadable))
        raise


def _reply(file: Path | None) -> ExtReply | None:
    return ExtReply(text=facts(_content(file)).reply) if file else None


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from error
    if len(content) > LARGEST:
        raise InputError(f"{file} is larger than {LARGEST >> 20} MiB; that is too large to look at")
    return content


def _show(found: RenderedResponse, part: str | None) -> None:
    """On standard output: a part as it is; on a terminal without what could play with it."""
    if part is None:
        shown = "\n".join((*_header(found), "", found.text or found.html))
    else:
        shown = {"text": found.text, "html": found.html, "subject": found.subject}[part]
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    if sys.stdout.isatty():
        shown = "".join(one if one.isprintable() or one in "\n\t" else "\N{REPLACEMENT CHARACTER}" for one in shown)
    print(shown, end="" if shown.endswith("\n") else "\n")


def _header(found: RenderedResponse) -> Sequence[str]:
    attached = [f"Attachment: {one.name} ({len(one.content)} bytes)" for one in found.attachments]
    sender = [f"From: {found.sender}"] if found.sender else []
    return [*sender, f"Subject: {found.subject}", *attached]


def _open(found: RenderedResponse, part: str | None) -> None:
    """In the browser; where there is none, say where the page lies."""
    as_page = part in (None, "html") and found.html
    shown = found.html if as_page else found.subject if part == "subject" else found.text
    with tempfile.NamedTemporaryFile(
        "w",
        prefix="emaild-",
        suffix=".html" if as_page else ".txt",
        delete=False,
        encoding="utf-8-sig",
        errors="replace",
    ) as file:  # its byte order mark tells the browser the charset
        file.write(shown)
    if not webbrowser.open(Path(file.name).as_uri()):
        print(f"emaild: there is no browser here; the page is {file.name}", file=sys.stderr)
