"""A chat transcript's XML as values: who was there, and what was said that a customer may see.

    chatTranscript  @startAt @sessionId
      newParty      userInfo @userNick @userType @timeZoneOffset, userData, eventAttributes, text
      message       msgText @treatAs
      notice        noticeText @noticeType, userData
      partyLeft     @askerId, reason @code

Each of the four is an event and has @userId, @timeShift (seconds after startAt), @visibility and @eventId.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from xml.etree.ElementTree import Element

from emaild.render.transcript.document import document
from emaild.render.transcript.values import Entry, EntryKind, Party, PartyKind, Transcript

LONGEST_SHIFT = 10 * 365 * 86_400  # seconds; a chat that goes on for months is one, a bigger number is none
FARTHEST_ZONE = 18 * 60  # minutes; no zone is farther from Greenwich (java.time.ZoneOffset)
LONGEST_NAME = 300  # characters of a name, a file's name or a subject
YEARS = range(1970, 9000)  # others leave no room for the shift and the zone

WHOLE = re.compile(r"[+-]?\d{1,15}")
MISLEADING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # marks that turn round what stands beside a name
NOBODY = Party()
BOT_STYLES = ("GCTI_Chat_PartyStyle", "style")
HANDLES = ("file-id", "file-document-id", "file-name")  # what a deletion may name a file by
SPOKEN_NOTICES = ("IDLE_CONTROL_ALERT", "IDLE_CONTROL_CLOSE")


@dataclass(frozen=True, slots=True)
class Event:
    """An element of the transcript and when it happened, in seconds after the start."""

    shift: int
    number: int
    element: Element


def read(xml: bytes | str, *, subject: str = "") -> Transcript:
    """The chat that a transcript tells of. *subject*, the interaction's, serves where the chat has none.

    An event is hidden unless its visibility is ALL; where the attribute is missing it is ALL. The end user's zone is
    the timeZoneOffset of the first client party (minutes east of UTC); many clients send 0 there, then the TimeZone in
    its userData counts. A missing or wrong timeShift is that of the event before. Unknown elements, notices and
    attributes are passed over, as are USER_CUSTOM notices, which repeat a bot's messages as HTML, commands to agents'
    desktops, and a second event of one eventId.

    Raises:
        TranscriptUnreadable: it is no chat transcript.

    Source: transcripts of Genesys Chat Server 8.5.
    """
    root = document(xml)
    events = sorted(_events(root), key=lambda event: (event.shift, event.number))
    joins = [event.element for event in events if event.element.tag == "newParty"]
    parties: dict[str, Party] = {}
    for element in joins:
        parties.setdefault(_value(element, "userId"), _party(element))
    client = next((element for element in joins if _party(element).kind is PartyKind.CLIENT), Element("newParty"))
    zone = _zone(client)
    started = _moment(_value(root, "startAt"))
    return Transcript(
        entries=tuple(_Reader(parties).entries(events)),
        started=started.astimezone(zone) if started else None,
        duration=max((event.shift for event in events), default=0),
        session_id=_line(_value(root, "sessionId")),
        subject=_line(_attached(client).get("Subject", "")) or _line(subject),
        zone=zone,
        client=_attached(client),
    )


def _events(root: Element) -> Iterator[Event]:
    """The events in the order of the document, each eventId once."""
    shift = number = 0
    seen: set[str] = set()
    for element in root:
        if element.tag not in _Reader.READERS or (name := _value(element, "eventId")) in seen:
            continue
        if name:
            seen.add(name)
        shift = _whole(_value(element, "timeShift"), 0, LONGEST_SHIFT, shift)
        number = _whole(name, 0, 10**15, number)
        yield Event(shift, number, element)


@dataclass
class _Reader:
    """Goes through the events once; names change on the way, and files are deleted."""

    parties: dict[str, Party]
    files: dict[tuple[str, str], int] = field(default_factory=dict)  # a handle of a file: its place in `found`
    found: list[Entry] = field(default_factory=list)

    def entries(self, events: list[Event]) -> list[Entry]:
        for event in events:
            if event.element.get("visibility", "ALL").strip().upper() == "ALL":
                self.READERS[event.element.tag](self, event)
        return self.found

    def _sender(self, event: Event) -> Party:
        return self.parties.get(_value(event.element, "userId"), NOBODY)

    def _add(self, event: Event, kind: EntryKind, text: str = "") -> None:
        self.found.append(Entry(kind, event.shift, self._sender(event), text))

    def _joined(self, event: Event) -> None:
        self._add(event, EntryKind.JOIN)
        if greeting := _text(event.element, "text"):
            self._add(event, EntryKind.MESSAGE, greeting)

    def _said(self, event: Event) -> None:
        said = _text(event.element, "msgText")
        manner = _value(event.element.find("msgText"), "treatAs").upper()
        if said and manner != "COMMAND":
            self._add(event, EntryKind.NOTICE if manner == "SYSTEM" else EntryKind.MESSAGE, said)

    def _noticed(self, event: Event) -> None:
        kind = _value(event.element.find("noticeText"), "noticeType").upper()
        said = _text(event.element, "noticeText")
        if kind == "SYS_COMMAND":
            self._file(event, said.lower())
        elif said and kind == "PUSH_URL":
            self._add(event, EntryKind.LINK, _line(said, len(said)))
        elif said and kind in SPOKEN_NOTICES:
            self._add(event, EntryKind.NOTICE, said)
        elif kind == "USER_UPDATE_NICK" and (name := _name(said)):
            self._add(event, EntryKind.RENAME, name)
            self.parties[_value(event.element, "userId")] = replace(self._sender(event), name=name)

    def _file(self, event: Event, command: str) -> None:
        """A file that was sent is an entry; one that was deleted is marked where it was sent."""
        about = _attached(event.element)
        handles = [(key, about[key]) for key in HANDLES if about.get(key)]
        if command == "file-uploaded":
            self.files |= dict.fromkeys(handles, len(self.found))
            name, size = _name(about.get("file-name", "")), _whole(about.get("file-size", ""), 0, 10**15, -1)
            file = Entry(EntryKind.FILE, event.shift, self._sender(event), name, size=None if size < 0 else size)
            self.found.append(file)
        elif command == "file-deleted":
            place = next((self.files[handle] for handle in handles if handle in self.files), None)
            if place is not None:
                self.found[place] = replace(self.found[place], deleted=True)

    def _left(self, event: Event) -> None:
        user, asker = _value(event.element, "userId"), _value(event.element, "askerId")
        code = _value(event.element.find("reason"), "code")
        why = _line(_text(event.element, "reason"))
        other = self.parties.get(asker) if asker != user else None
        self.found.append(Entry(EntryKind.LEAVE, event.shift, self._sender(event), why, code, other))

    READERS = {"newParty": _joined, "message": _said, "notice": _noticed, "partyLeft": _left}  # noqa: RUF012


def _party(element: Element) -> Party:
    """Who joined. Only what is no client can be a bot: a client's data is the client's own word."""
    info = element.find("userInfo")
    known = _value(info, "userType").upper()
    kind = PartyKind(known) if known in PartyKind.__members__ else PartyKind.EXTERNAL
    about = _attached(element)
    if kind is not PartyKind.CLIENT and any(about.get(key, "").upper() == "BOT" for key in BOT_STYLES):
        kind = PartyKind.BOT
    name = _name(_value(info, "userNick"))
    if not name and kind is PartyKind.CLIENT:
        name = _name(f"{about.get('FirstName', '')} {about.get('LastName', '')}")
    return Party(name, kind)


def _zone(client: Element) -> tzinfo:
    offsets = (_value(client.find("userInfo"), "timeZoneOffset"), _attached(client).get("TimeZone", ""))
    minutes = next(filter(None, (_whole(text, -FARTHEST_ZONE, FARTHEST_ZONE, 0) for text in offsets)), 0)
    return timezone(timedelta(minutes=minutes)) if minutes else UTC


def _moment(text: str) -> datetime | None:
    """ISO 8601; without a zone it is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if found.year not in YEARS else found if found.tzinfo else found.replace(tzinfo=UTC)


def _attached(element: Element) -> dict[str, str]:
    """The items of an event's data, of lists in lists too; of several with one key the first counts."""
    found: dict[str, str] = {}
    for data in (*element.findall("userData"), *element.findall("eventAttributes")):
        for item in data.iter("item"):
            found.setdefault(_value(item, "key"), (item.text or "").strip())
    return found


def _value(element: Element | None, name: str) -> str:
    """An attribute without the white space around it; empty where there is none."""
    return "" if element is None else (element.get(name) or "").strip()


def _text(element: Element, name: str) -> str:
    """All text of the first child of that name, its lines apart by a line feed."""
    child = element.find(name)
    return "" if child is None else "\n".join("".join(child.itertext()).strip().splitlines())


def _line(text: str, longest: int = LONGEST_NAME) -> str:
    return " ".join(text.split())[:longest]


def _name(text: str) -> str:
    return _line(MISLEADING.sub("", text))


def _whole(text: str, least: int, most: int, otherwise: int) -> int:
    """A whole number in its bounds, else the other."""
    number = int(text) if WHOLE.fullmatch(text) else least - 1
    return number if least <= number <= most else otherwise
