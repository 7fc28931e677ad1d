"""How mail systems name themselves as those who sent a mail."""

from __future__ import annotations

import re
from collections.abc import Sequence

from emaild.mime import headers
from emaild.mime.alternatives import Phrases
from emaild.mime.parts import Part
from emaild.settings.properties import MimeProperties

TOLD = frozenset(("message/delivery-status", "message/global-delivery-status", "multipart/report"))
SENDERS = r"""
    \bmail(?:er)?[-_. ]?d(?:ae|e)mon\b
    \bpost[-_]?master\b
    \bmmdf\b
    \bmdaemon\b
    \buucp\b
    (?<![a-z])smtp[-_. ]?(?:daemon|server|agent|gateway)s?\b
    \bmail ?(?:delivery?|routing|transport|transfer)? ?(?:sub)?[-_. ]?(?:system|service|agent|server|router)\b
    \bmail[-_. ]?delivery\b
    \b(?:system|network|mail|e-?mail) ?admin(?:istrator)?\b
    \bmicrosoftexchange[0-9a-f]{8,}
    \b(?:non-?)?delivery[-_ ]?(?:notification|subsystem|agent|status|service|failure)s?\b
    \bnon-?delivery\b
    \bbounces?[-_]?(?:handler|noreply|notification)?@
    \b(?:lotus notes|message) router\b
    \be?-?mail-?system\b
"""
DAEMON = Phrases(
    SENDERS,
    re.compile("d(?:ae|e)mon|master|mmdf|uucp|smtp|system|service|agent|server|router|delivery|admin|exchange|bounce"),
)
"""What From holds in the mails of mail systems."""
NO_NAME = re.compile(r"\W*$")
"""Some leave it empty."""


def from_daemon(mail: Part, leaves: Sequence[Part], reading: MimeProperties) -> bool:
    """Whether it names itself as a mail system's: by its sender, its envelope's, or as a report that is broken."""
    sender = headers.field(mail.header, "From", reading) or headers.field(mail.header, "Sender", reading)
    path = headers.field(mail.header, "Return-Path", reading).strip("<>")
    named = any(DAEMON.search(one[:500]) or NO_NAME.match(one[:500]) for one in ([sender, path] if path else [sender]))
    return named or any(part.kind in TOLD for part in (mail, *leaves))
