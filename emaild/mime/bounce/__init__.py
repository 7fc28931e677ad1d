"""Bounces that no standard describes."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from emaild.message import Facts, Report
from emaild.mime import headers
from emaild.mime.bounce.senders import from_daemon
from emaild.mime.bounce.subjects import SUBJECT_FAILED
from emaild.mime.parts import Part
from emaild.settings.properties import MimeProperties


def bounce(mail: Part, leaves: Sequence[Part], said: Facts, reading: MimeProperties) -> Report | None:
    """What a bounce says that is no RFC 3464 report; None where the mail is no bounce.

    Hard or soft is told by the action, failed or delayed, and the status. Where no address is found, the one
    recipient's address is empty.
    """
    named = headers.addresses(mail.header, "X-Failed-Recipients", reading)
    by_daemon, by_nobody = from_daemon(mail, leaves, reading), said.return_path == ""
    if not (named or by_daemon or by_nobody or SUBJECT_FAILED.search(said.subject[:500])):
        return None
    # What this needs takes as long to load as a hundred mails to be read, and most mails are no bounces.
    found: Report | None = importlib.import_module("emaild.mime.bounce.reading").read(
        mail, leaves, said, reading, named=named, by_daemon=by_daemon, by_nobody=by_nobody
    )
    return found
