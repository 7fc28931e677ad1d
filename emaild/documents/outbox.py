"""A mail out as programs see it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice

from emaild.diagnosis import Diagnosis, diagnose_receipt
from emaild.diagnosis.table import rows
from emaild.documents.times import iso
from emaild.message import Facts, Receipt, RecipientState
from emaild.mime import headers
from emaild.mime.parts import parsed
from emaild.mime.view import facts
from emaild.settings.properties import MimeProperties
from emaild.store import Store
from emaild.store.outbox_entries import Attempt, OutboxEntry
from emaild.store.ways_out import WayOutStatus

LONGEST_HEADER = 1 << 16  # bytes of a mail that are looked at for its subject
PAGE = 200  # mails whose headers are read at once
READING = MimeProperties()
Ways = Mapping[str, WayOutStatus]
"""How the ways out fare, by name."""


def listed_json(
    store: Store, entries: Iterable[OutboxEntry], ways: Ways | None = None
) -> Iterator[tuple[OutboxEntry, dict[str, object]]]:
    """Mails of the outbox or the history, each with its document; without *ways* as they were reported last."""
    rest = iter(entries)
    ways = (store.ways_out.all() or None) if ways is None else ways
    while page := list(islice(rest, PAGE)):
        heads = store.outbox.beginnings(page, LONGEST_HEADER)
        for entry in page:
            yield entry, outbound_json(entry, heads.get(entry.raw_digest, b""), ways)


def one_json(store: Store, entry: OutboxEntry) -> dict[str, object]:
    """The same of one."""
    ((_, document),) = listed_json(store, [entry])
    return document


def due(entry: OutboxEntry, ways: Ways | None) -> datetime | None:
    """When it is tried next: no mail is while its way rests. None: it waits for no time, or its way is not used.

    *ways* are all that there are; None: nothing is known of any.
    """
    if ways is None:
        return entry.next_attempt
    way = ways.get(entry.way_out)
    if way is None or way.state == "resting":
        return None
    if entry.next_attempt is None or way.next_try is None:
        return entry.next_attempt
    holds = way.state == "failing" or (way.state == "limited" and not entry.interactive)
    return max(entry.next_attempt, way.next_try) if holds else entry.next_attempt


def outbound_json(entry: OutboxEntry, raw: bytes, ways: Ways | None) -> dict[str, object]:
    """A mail in the outbox or the history; *raw* is the mail, or its beginning."""
    return {
        "id": entry.id,
        "state": entry.state.value,
        "way_out": entry.way_out,
        "message_id": entry.message_id,
        "sender": entry.sender,
        "subject": _subject(raw),
        "recipients": [_recipient(one) for one in entry.recipients],
        "attempts": entry.tries,
        "created": iso(entry.came),
        "next_attempt": iso(due(entry, ways)),
        "finished": iso(entry.finished),
        "diagnosis": entry.diagnosis,
        "cause": entry.cause,
        "interactive": entry.interactive,
        "deferrals": entry.deferrals,
    }


def _recipient(receipt: Receipt) -> dict[str, str]:
    return {"address": receipt.address, "state": receipt.state.value, "code": receipt.code, "text": receipt.text}


def logged_json(entry: OutboxEntry, attempts: Sequence[Attempt], raw: bytes, ways: Ways | None) -> dict[str, object]:
    """One mail with all that is known of it; *raw* is the mail itself."""
    found, head, each = diagnosed(entry, attempts), header_of(raw), _each(entry, attempts)
    return {
        **outbound_json(entry, raw, ways),
        "recipients": [
            {**_recipient(one), "cause": each[one.address].cause if one.address in each else ""}
            for one in entry.recipients
        ],
        "from": head.sender,
        "cause": found.cause if found else entry.cause,
        "explanation": found.explanation if found else "",
        "remedy": found.remedy if found else "",
        "log": log_json(attempts),
    }


def log_json(attempts: Sequence[Attempt]) -> list[dict[str, object]]:
    """The tries of a mail; one that stands for several in a row has their number in `times`, and `last`."""
    return [
        {
            "number": number,
            "at": iso(one.at),
            "way_out": one.way_out,
            "outcome": one.outcome,
            "times": one.times,
            "last": iso(one.last),
            "seconds": None if one.seconds is None else round(one.seconds, 3),
            "server": one.server,
            "tls": one.tls,
            "answers": [_answer(answer) for answer in one.answers],
            "cause": one.cause,
        }
        for number, one in numbered(attempts)
    ]


def numbered(attempts: Iterable[Attempt]) -> Iterator[tuple[int, Attempt]]:
    """Tries, with the number of the first where one stands for several; so the last number is how many there were."""
    number = 1
    for one in attempts:
        yield number, one
        number += one.times


def _answer(receipt: Receipt) -> dict[str, str]:
    return {
        "address": receipt.address,
        "state": receipt.state.value,
        "code": receipt.code,
        "status": receipt.status,
        "text": receipt.text,
    }


def diagnosed(entry: OutboxEntry, attempts: Sequence[Attempt]) -> Diagnosis | None:
    """What keeps a mail from its recipients, None where that is not known, or nothing does.

    Where no cause was kept, as of a mail of former versions, it is found from what servers answered.
    """
    if entry.cause:
        return next((row.diagnosis for row in rows() if row.diagnosis.cause == entry.cause), None)
    servers = _servers(attempts)
    answered = [one for one in entry.recipients if one.state is not RecipientState.SENT and one.code]
    answered.sort(key=lambda one: one.state is not RecipientState.FAILED)  # who never gets it goes before who waits
    return next(filter(None, (diagnose_receipt(one, servers.get(one.address, "")) for one in answered)), None)


def causes_of(entry: OutboxEntry, attempts: Sequence[Attempt]) -> list[tuple[Diagnosis, list[str]]]:
    """All that keeps a mail from its recipients, each with the addresses of those whom it keeps it from.

    What the way out lacks comes first, with no address; then what those have who wait, then those who never get it.
    """
    each, whole = _each(entry, attempts), diagnosed(entry, attempts)
    found: dict[str, tuple[Diagnosis, list[str]]] = {}
    for one in sorted(entry.recipients, key=lambda one: one.state is not RecipientState.WAITING):
        if one.address in each:
            found.setdefault(each[one.address].cause, (each[one.address], []))[1].append(one.address)
    of_the_way: list[tuple[Diagnosis, list[str]]] = [(whole, [])] if whole and whole.cause not in found else []
    return [*of_the_way, *found.values()]


def _each(entry: OutboxEntry, attempts: Sequence[Attempt]) -> dict[str, Diagnosis]:
    """By address, what keeps the mail from each recipient, where that is known."""
    servers = _servers(attempts)
    missed = (one for one in entry.recipients if one.state is not RecipientState.SENT and (one.code or one.text))
    found = ((one.address, diagnose_receipt(one, servers.get(one.address, ""))) for one in missed)
    return {address: diagnosis for address, diagnosis in found if diagnosis}


def _servers(attempts: Sequence[Attempt]) -> dict[str, str]:
    """By address, the server that last answered for it."""
    return {answer.address: one.server for one in attempts for answer in one.answers}


def header_of(raw: bytes) -> Facts:
    """What the header of a mail says."""
    return facts(_header(raw))


def _subject(raw: bytes) -> str:
    """For lists, in a tenth of the time."""
    return headers.field(parsed(_header(raw), READING).header, "Subject", READING)


def _header(raw: bytes) -> bytes:
    return raw[:LONGEST_HEADER].partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
