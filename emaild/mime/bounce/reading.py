"""What a bounce says: who failed, why, and which mail it was."""

from __future__ import annotations

import re
from collections.abc import Sequence

from emaild.message import Facts, Report, ReportedRecipient, ReportKind
from emaild.mime.bounce import phrases
from emaild.mime.bounce.known_formats import known
from emaild.mime.bounce.marks import HEAD, is_bounce
from emaild.mime.bounce.original import Original, taken_apart
from emaild.mime.bounce.recipients import CODE, STATUS, Failing, failing
from emaild.mime.parts import Part
from emaild.settings.properties import MimeProperties

VERP = re.compile(r"(?:\+([\w.-]{1,64})|-([\w.]{1,64}))=([\w-]{1,63}(?:\.[\w-]{1,63}){1,8})@")
QUOTED = re.compile(r"^[ \t]{0,3}>(?!>).*\n?", re.MULTILINE)


def read(
    mail: Part,
    leaves: Sequence[Part],
    said: Facts,
    reading: MimeProperties,
    *,
    named: Sequence[str],
    by_daemon: bool,
    by_nobody: bool,
) -> Report | None:
    """As `bounce`, of a mail that may be one: *named* are those whom its header calls failed, see `is_bounce`."""
    told, original = taken_apart(leaves, said, reading)
    if not (by_daemon or by_nobody):
        told = QUOTED.sub("", told)  # people quote a bounce that puzzles them
    own = _own(said, original)
    found = failing(told, own)
    if not named and not is_bounce(said, told, found, original, by_daemon=by_daemon, by_nobody=by_nobody):
        return None
    delayed = _delayed(said.subject, told)
    recipients = _named(named, found) or _sure(found)
    if not recipients:
        diagnostic = next((line.strip()[:300] for line in told.split("\n") if CODE.search(line[:500])), "")
        guessed = [one for one in _guessed(mail, leaves, said, found, original) if one.lower() not in own] or [""]
        recipients = [Failing(address, 1, diagnostic) for address in dict.fromkeys(guessed)]
    return Report(
        kind=ReportKind.BOUNCE,
        recipients=tuple(_reported(one, told if len(recipients) == 1 else "", delayed) for one in recipients),
        original_message_id=original.message_id or said.in_reply_to,
    )


def _own(said: Facts, original: Original) -> set[str]:
    """Who did not fail, in lower case: who sent the mail, and who reports; but a mail may go to its own sender."""
    own = {address.lower() for address in (*said.to, said.sender, *original.senders) if address}
    sent_to = {address.lower() for address in original.recipients}
    return own - sent_to if sent_to <= own else own


def _delayed(subject: str, told: str) -> bool:
    """Whether the mail is still tried."""
    head = f"{subject}\n{' '.join(told[:HEAD].split())}"
    if phrases.GIVEN_UP.search(head):
        return False
    status = STATUS.search(head)
    soft = status is not None and status[1].startswith("4") and not phrases.FINAL.search(head)
    return soft or phrases.DELAYED.search(head) is not None


def _named(named: Sequence[str], found: Sequence[Failing]) -> list[Failing]:
    why = {one.address.lower(): one.diagnostic for one in found}
    return [Failing(address, 3, why.get(address.lower(), "")) for address in dict.fromkeys(named)]


def _sure(found: Sequence[Failing]) -> list[Failing]:
    surest = max((one.sureness for one in found), default=0)
    return [one for one in found if one.sureness == surest] if surest > 1 else []


def _guessed(
    mail: Part, leaves: Sequence[Part], said: Facts, found: Sequence[Failing], original: Original
) -> list[str]:
    """What other signs tell where the text is not plain: the library, the only recipient there was, a VERP address."""
    temporary, permanent = known(mail, leaves)
    near = [one.address for one in found if one.sureness == 1]
    sent_to = {address.lower() for address in original.recipients}
    verp = [f"{name[1] or name[2]}@{name[3]}" for address in said.to if (name := VERP.search(address))]
    return (
        permanent
        or temporary
        or [address for address in near if address.lower() in sent_to]
        or (near if len(near) == 1 else [])
        or (list(original.recipients) if len(sent_to) == 1 else [])
        or verp[:1]
        or ([one.address for one in found] if len(found) == 1 else [])
    )


def _reported(one: Failing, told: str, delayed: bool) -> ReportedRecipient:
    status = STATUS.search(one.diagnostic) or STATUS.search(told)
    return ReportedRecipient(
        address=one.address,
        action="delayed" if delayed else "failed",
        status=status[1] if status else "",
        diagnostic=one.diagnostic,
    )
