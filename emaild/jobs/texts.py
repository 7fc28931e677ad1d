"""The texts of a stored interaction: they are not stored, but read from its bytes when somebody asks."""

from __future__ import annotations

from dataclasses import replace

from emaild.message import Interaction
from emaild.mime.view import facts
from emaild.mime.wrapping import wrapping
from emaild.settings.load import Settings
from emaild.settings.properties import MimeProperties
from emaild.store import Store


def with_texts(store: Store, settings: Settings, entry: Interaction) -> Interaction:
    """With its texts and header, read as its mailbox's section has them read.

    Raises:
        NotFound: the mail is gone.
    """
    section = settings.mailboxes.get(entry.mailbox)
    reading = section.mime if section else MimeProperties()
    said, kept = facts(store.interactions.raw(entry), reading, settings.processing), entry.facts
    if kept.wrapped and not said.wrapped:  # only its header is there: it was too big
        said = wrapping(said, kept.wrapped, sum(part.size for part in kept.attachments), settings.processing)
    texts = {name: getattr(said, name) for name in ("text", "html", "reply", "quoted", "headers")}
    return replace(entry, facts=replace(kept, **texts))
