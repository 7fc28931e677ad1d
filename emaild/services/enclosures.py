"""The files of a mail that is forwarded, to be attached to the mail that does so."""

from __future__ import annotations

from emaild.mime.files import files
from emaild.mime.view import PLAIN_PROCESSING
from emaild.render.compose import Enclosed
from emaild.settings.processing import ProcessingSection
from emaild.settings.properties import MimeProperties

MAILS = ("message/rfc822", "message/global", "message/news")


def enclosures(
    raw: bytes, reading: MimeProperties = MimeProperties(), processing: ProcessingSection = PLAIN_PROCESSING
) -> tuple[Enclosed, ...]:
    """The attachments of a mail, pictures in its text and mails in it among them, as *reading* has it read.

    A mail that cannot be taken apart is one file. It never fails.
    """
    return tuple(
        Enclosed(name=_name(file.name, file.content_type), content=content, content_type=file.content_type)
        for file, content in files(raw, reading, processing)
    )


def _name(name: str, content_type: str) -> str:
    """With the ending by which programs know a mail."""
    return name if content_type not in MAILS or name.lower().endswith(".eml") else f"{name}.eml"
