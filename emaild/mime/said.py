"""What a mail says, apart from all other mails: as much of it as another process can find out."""

from __future__ import annotations

from dataclasses import dataclass

from emaild.message import Facts
from emaild.mime.fingerprint import fingerprint_of
from emaild.mime.parts import opened
from emaild.mime.view import facts_of
from emaild.settings.processing import ProcessingSection
from emaild.settings.properties import MimeProperties


@dataclass(frozen=True)
class Options:
    """Options mails are read: a mailbox's properties, and what is done with mails."""

    mime: MimeProperties
    processing: ProcessingSection


@dataclass(frozen=True)
class Said:
    """A mail's facts, and its fingerprint."""

    facts: Facts
    fingerprint: str


def said_by(raw: bytes, how: Options, facts: Facts | None = None) -> Said:
    """What a mail says; *facts* where they are not to be read from its bytes."""
    mail = opened(raw, how.mime)
    return Said(facts_of(mail, how.processing) if facts is None else facts, fingerprint_of(mail))
