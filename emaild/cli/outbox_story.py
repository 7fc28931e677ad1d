"""`emaild outbox ID`: what became of one mail, as a person would tell it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from emaild.cli.output import beside, duration, facts, moment, paragraph
from emaild.documents.outbox import causes_of, due, header_of, numbered
from emaild.jobs.outgoing import amount
from emaild.message import Facts, OutboundState, Receipt
from emaild.store.outbox_entries import WAITING_STATES, Attempt, OutboxEntry
from emaild.store.ways_out import WayOutStatus

MOST_NAMED = 5  # recipients of one cause; each has its words above
STATE = 7  # columns of a recipient's state
SAME = timedelta(seconds=2)  # a mail that is due so soon after its way's rest waits for that
MOST_TOLD = 100  # recipients of one try; --json has them all
STATES = {
    OutboundState.QUEUED: "is queued and not tried yet",
    OutboundState.DEFERRED: "waits for its next try",
    OutboundState.HELD: "is held until somebody lets it go (emaild outbox --retry ID)",
    OutboundState.SENDING: "is being sent at this moment",
    OutboundState.SENT: "was sent to all",
    OutboundState.PARTLY_SENT: "was sent to some, and not to others",
    OutboundState.FAILED: "could not be sent",
    OutboundState.EXPIRED: "was given up, for it could not be sent in time",
    OutboundState.CANCELLED: "was cancelled",
}


@dataclass(frozen=True, kw_only=True)
class Told:
    """A mail with its tries and bytes, how its way out fares (None: there is none), what to say if no daemon runs."""

    entry: OutboxEntry
    attempts: Sequence[Attempt]
    raw: bytes
    way: WayOutStatus | None
    no_daemon: str

    @property
    def waits(self) -> bool:
        return self.entry.state in WAITING_STATES

    @property
    def lost(self) -> bool:
        """Whether it waits for a section that was renamed or removed."""
        return self.waits and self.way is None and self.entry.state is not OutboundState.SENDING


def tell(told: Told) -> None:
    """Print what the mail is, where it stands, who got it, each try, why, and what to do."""
    entry, now = told.entry, datetime.now(UTC)
    paragraph(f"The mail {entry.id} {_where(told, now)}.")
    if told.waits and told.no_daemon:
        paragraph(f"But {told.no_daemon}.")
    print()
    facts(pair for pair in _facts(entry, header_of(told.raw), len(told.raw)) if pair[1])
    print("\nRecipients")
    for one in entry.recipients:
        beside(f"    {one.state:<{STATE}}  ", f"{one.address}: {_words(one)}" if one.code or one.text else one.address)
    print()
    _tell_tries(told.attempts)
    if told.lost:
        paragraph(f"There is no way out {entry.way_out} in the conf files: until it is added nothing sends this mail.")
        paragraph(f"What to do: add the section [{entry.way_out}] again, or cancel the mail and send it another way.")
        return
    _tell_why(entry, told.attempts)
    if told.waits and told.way and not told.no_daemon:
        paragraph(_fares(told.way, now))


def _facts(entry: OutboxEntry, head: Facts, size: int) -> Iterator[tuple[str, str]]:
    yield "State", entry.state
    yield "Subject", head.subject
    yield "From", f"{head.sender_personal} <{head.sender}>" if head.sender_personal else head.sender
    yield "Sender", entry.sender if entry.sender.lower() != head.sender.lower() else ""
    yield "Message-ID", entry.message_id
    yield "Size", amount(size)
    yield "Came", moment(entry.came)
    yield "Way out", f"{entry.way_out}{' (somebody waits for it)' if entry.interactive else ''}"
    yield "Held back", f"{_times(entry.deferrals)} by its way's limit a minute" if entry.deferrals else ""


def _where(told: Told, now: datetime) -> str:
    entry, way = told.entry, told.way
    said = STATES[entry.state]
    if entry.state is OutboundState.SENDING and told.no_daemon:
        return "was being sent when the daemon ended; the next one takes it up"
    if told.lost:
        held = "is held, and " if entry.state is OutboundState.HELD else ""
        return f"{held}waits for the way out {entry.way_out}, which is no more in the conf files"
    if entry.next_attempt is None:
        return f"{said}, at {moment(entry.finished)}" if entry.finished else said
    until = due(entry, {way.name: way} if way else {})
    if until is None:
        return f"{said}; its way out {entry.way_out} is switched off"
    if until <= now:
        return f"{said}, and is due now"
    when = f"{moment(until)}, in {_span(until - now)}"
    if way and way.state == "failing" and way.next_try and until - way.next_try < SAME:
        return f"{said}; the way out {way.name} rests until {when}"
    return f"{said}; it is due at {when}" if entry.state is OutboundState.QUEUED else f"{said}, at {when}"


def _span(wait: timedelta) -> str:
    minutes, seconds = divmod(int(wait.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join([f"{count} {unit}" for count, unit in parts if count][:2]) or "a moment"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _words(answer: Receipt) -> str:
    return f"{answer.code} {answer.text}".strip()


def _tell_tries(attempts: Sequence[Attempt]) -> None:
    if not attempts:
        paragraph("It was not tried yet.")
        print()
    for number, one in numbered(attempts):
        paragraph(f"{_when(number, one)}, by {one.way_out}:")
        if not one.answers:
            paragraph(one.outcome, 4)
        for answer in one.answers[:MOST_TOLD]:
            status = f" (enhanced status {answer.status})" if answer.status else ""
            paragraph(f"{answer.address}: {answer.state.lower()}{status}: {_words(answer)}", 4)
        if len(one.answers) > MOST_TOLD:
            paragraph(f"and {len(one.answers) - MOST_TOLD} more", 4)
        if how := ", ".join(_how(one)):
            paragraph(how, 4)
        print()


def _when(number: int, one: Attempt) -> str:
    if one.times == 1:
        return f"Try {number}, {moment(one.at)}"
    return f"Tries {number} to {number + one.times - 1}, all alike, {moment(one.at)} to {moment(one.last)}"


def _how(one: Attempt) -> Iterator[str]:
    if one.server:
        yield one.server
        yield one.tls or "not encrypted"
    if one.seconds is not None:
        yield duration(one.seconds)


def _tell_why(entry: OutboxEntry, attempts: Sequence[Attempt]) -> None:
    causes = causes_of(entry, attempts)
    for found, addresses in causes:
        paragraph(f"Cause: {found.title} ({found.cause})")
        if addresses and len(entry.recipients) > 1:
            paragraph(f"This is about {_listed(addresses)}.", 4)
        paragraph(found.explanation, 4)
        paragraph(f"What to do: {found.remedy}", 4)
        print()
    if not causes and entry.diagnosis and entry.state is not OutboundState.SENT:
        paragraph(f"Reason: {entry.diagnosis}")
        print()


def _listed(addresses: Sequence[str]) -> str:
    more = len(addresses) - MOST_NAMED
    return ", ".join(addresses[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _fares(way: WayOutStatus, now: datetime) -> str:
    """How the way out fares that the mail is to go."""
    sent = f" It sent a mail last at {moment(way.last_sent)}." if way.last_sent else ""
    again = f" It is tried again at {moment(way.next_try)}." if way.next_try and way.next_try > now else ""
    if way.state == "failing":
        return (
            f"The way out {way.name} does not work at this moment: {(way.last_error or '').rstrip('.')}.{again}{sent}"
        )
    if way.state == "limited":
        return f"The way out {way.name} reached its limit a minute; it goes on at {moment(way.next_try)}."
    if way.state == "resting":
        return f"The way out {way.name} is switched off (enable-client, enable-outbound-submitter).{sent}"
    if way.state == "waiting":
        return f"The way out {way.name} was not tried yet since emaild was started.{sent}"
    return f"The way out {way.name} works.{sent}"
