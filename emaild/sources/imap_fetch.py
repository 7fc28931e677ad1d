"""Fetching bodies over IMAP: in batches, and each mail whole or in parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from imapclient.datetime_util import parse_to_datetime
from imapclient.exceptions import IMAPClientError

from emaild.settings.properties import ImapProperties
from emaild.sources import BATCH_BYTES, BATCH_MAILS
from emaild.sources.imap_answers import Answers
from emaild.sources.imap_client import Client

COMMAND_UIDS = 500  # UIDs named in one command: some 4 KB, below the 8,000 octets of RFC 2683 §3.2.1.5
_MONTHS = {name: f"{n:02}" for n, name in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}


@dataclass(frozen=True)
class Body:
    """A mail as the server gave it, and when it reached the mailbox."""

    raw: bytes
    received: datetime | None


def sizes(client: Client, uids: Sequence[int], most: int) -> dict[int, int]:
    """How many octets each mail has; 0 where the answer does not say. Parameters and errors as of `ask_bodies`."""
    told = client.answered(client.ask(uids, ["RFC822.SIZE"], most))
    return {uid: said if isinstance(said := data.get(b"RFC822.SIZE"), int) else 0 for uid, data in told.items()}


def ask_bodies(client: Client, uids: Sequence[int], properties: ImapProperties, most: int) -> Answers:
    """Ask for mails of the selected folder, of *most* octets in all, and do not wait for `bodies`.

    BODY.PEEK[] leaves \\Seen alone, BODY[] sets it (RFC 3501 §6.4.5).

    Raises:
        OSError, IMAPClientError, ValueError: the server or the connection failed.
    """
    return client.ask(uids, [_item(properties), "INTERNALDATE"], most)


def bodies(client: Client, asked: Answers) -> dict[int, Body]:
    """The mails that were asked for, by UID; those that are gone are left out. Raises as `ask_bodies` does."""
    answer = client.answered(asked)
    return {uid: body_of(_raw(data), data) for uid, data in answer.items() if b"BODY[]" in data}


def bodies_in_parts(client: Client, uids: Sequence[int], properties: ImapProperties) -> dict[int, Body]:
    """The same, no more octets at a time than the properties say."""
    found = ((uid, _in_parts(client, uid, _item(properties), properties.fetchsize)) for uid in uids)
    return {uid: body for uid, body in found if body is not None}


def _item(properties: ImapProperties) -> str:
    return "BODY.PEEK[]" if properties.peek else "BODY[]"


def head(client: Client, uid: int, most: int) -> bytes | None:
    """The first *most* bytes of a mail, by BODY.PEEK[]<0.most>; None: it is gone. Raises as `bodies` does."""
    data = client.fetch([uid], [f"BODY.PEEK[]<0.{most}>"]).get(uid)
    return None if data is None else _raw(data, 0)[:most]


def _in_parts(client: Client, uid: int, item: str, size: int) -> Body | None:
    """A mail by BODY[]<offset.size> (RFC 3501 §6.4.5): a part that is shorter than that is the last.

    An answer that leaves a gap, or has more than was asked for, refuses the mail: half of one is not a mail.
    """
    raw = bytearray()
    first: dict[bytes, Any] = {}
    while True:
        wanted = [f"{item}<{len(raw)}.{size}>"]
        data = client.fetch([uid], wanted if raw else [*wanted, "INTERNALDATE"]).get(uid)
        if data is None or (not raw and f"BODY[]<{len(raw)}>".encode("ascii") not in data):
            return None
        first = first or data
        part = _raw(data, len(raw))
        if len(part) > size:
            raise IMAPClientError("the server does not give mails in parts")
        raw += part
        if len(part) < size:
            return body_of(bytes(raw), first)


def _raw(data: Mapping[bytes, Any], offset: int | None = None) -> bytes:
    """The bytes of an answer; NIL, which has none: the server has lost them."""
    name = b"BODY[]" if offset is None else f"BODY[]<{offset}>".encode("ascii")
    if name not in data:
        raise IMAPClientError("the server does not give mails in parts")
    raw = data[name]
    return raw if isinstance(raw, bytes) else b""


def body_of(raw: bytes, data: Mapping[bytes, Any]) -> Body:
    """A mail with the time of the answer that it came with."""
    when = data.get(b"INTERNALDATE")
    try:
        when = _time(when) if isinstance(when, bytes) else when
        return Body(raw, when.astimezone(UTC) if isinstance(when, datetime) else None)
    except (ValueError, OverflowError):  # no such day, or no such zone
        return Body(raw, None)


def _time(said: bytes) -> datetime:
    """By RFC 3501 §9, `date-time`; what is written otherwise is read as leniently as IMAPClient can.

    Raises:
        ValueError: it is no time.
    """
    text, month = said.decode("latin-1"), _MONTHS.get(said[3:6].lower())
    if month is None or len(text) != len("21-Nov-2026 10:00:00 +0000"):
        return parse_to_datetime(said, normalise=False)  # type: ignore[no-any-return]
    day = text[:2].replace(" ", "0")
    return datetime.fromisoformat(f"{text[7:11]}-{month}-{day}T{text[12:20]}{text[21:]}")


def chunks(uids: Sequence[int], length: int = COMMAND_UIDS) -> Iterator[list[int]]:
    """Split so that each part can be named in one command."""
    for start in range(0, len(uids), length):
        yield list(uids[start : start + length])


def batches(uids: Sequence[int], sizes: Mapping[int, int]) -> Iterator[list[int]]:
    """Split so that no batch is above BATCH_MAILS or, but for a single large mail, above BATCH_BYTES."""
    batch: list[int] = []
    total = 0
    for uid in uids:
        if batch and (len(batch) >= BATCH_MAILS or total + sizes[uid] > BATCH_BYTES):
            yield batch
            batch, total = [], 0
        batch.append(uid)
        total += sizes[uid]
    if batch:
        yield batch
