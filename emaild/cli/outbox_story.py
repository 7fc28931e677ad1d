"""`emaild outbox ID`: what became of one mail, as a person would tell it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from emaild.cli.output import moment, paragraph, table
from emaild.documents.outbox import diagnosed, header_of
from emaild.message import OutboundState, Receipt
from emaild.store import Store
from emaild.store.outbox_entries import WAITING_STATES, Attempt, OutboxEntry
from emaild.store.ways_out import WayOutStatus

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


def tell(store: Store, entry: OutboxEntry, attempts: Sequence[Attempt], raw: bytes) -> None:
    """Print what the mail is, where it stands, who got it, each try, why, and what to do."""
    now = datetime.now(UTC)
    paragraph(f"The mail {entry.id} {_where(entry, now)}.")
    print()
    head = header_of(raw)
    facts = (
        ("State", entry.state),
        ("Subject", head.subject),
        ("From", f"{head.sender_personal} <{head.sender}>" if head.sender_personal else head.sender),
        ("Sender", entry.sender if entry.sender.lower() != head.sender.lower() else ""),
        ("Message-ID", entry.message_id),
        ("Size", f"{len(raw)} bytes"),
        ("Came", moment(entry.created)),
        ("Way out", f"{entry.way_out}{' (somebody waits for it)' if entry.interactive else ''}"),
        ("Held back", f"{_times(entry.deferrals)} by its way's limit a minute" if entry.deferrals else ""),
    )
    table(("", ""), [fact for fact in facts if fact[1]], "")
    print()
    table(("TO", "STATE", "ANSWER"), [(one.address, one.state, _words(one)) for one in entry.recipients], "")
    print()
    _tell_tries(attempts)
    _tell_why(entry, attempts)
    if entry.state in WAITING_STATES:
        for line in _way(store, entry, now):
            paragraph(line)


def _where(entry: OutboxEntry, now: datetime) -> str:
    said = STATES[entry.state]
    if entry.next_attempt is not None:
        wait = entry.next_attempt - now
        due = f"in {_span(wait)}, at {moment(entry.next_attempt)}" if wait > timedelta(0) else "which is due now"
        return f"{said}; {due}" if entry.state is OutboundState.QUEUED else f"{said}, {due}"
    return f"{said}, at {moment(entry.finished)}" if entry.finished else said


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
    for one in attempts:
        paragraph(f"Try {one.number}, {moment(one.at)}, by {one.way_out}{_again(one)}:")
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


def _again(one: Attempt) -> str:
    if one.times == 1 or one.last is None:
        return ""
    return f", {one.times} times in the same manner until {moment(one.last)}"


def _how(one: Attempt) -> Iterator[str]:
    if one.server:
        yield one.server
        yield one.tls or "not encrypted"
    if one.seconds is not None:
        yield f"{one.seconds:.2f} s"


def _tell_why(entry: OutboxEntry, attempts: Sequence[Attempt]) -> None:
    found = diagnosed(entry, attempts)
    if found is not None:
        paragraph(f"Cause: {found.title} ({found.cause})")
        paragraph(found.explanation, 4)
        paragraph(f"What to do: {found.remedy}", 4)
        print()
    elif entry.diagnosis and entry.state is not OutboundState.SENT:
        paragraph(f"Reason: {entry.diagnosis}")
        print()


def _way(store: Store, entry: OutboxEntry, now: datetime) -> Iterator[str]:
    """How the way out fares that it is to go."""
    status = store.ways_out.all().get(entry.way_out)
    if status is None:
        yield f"The daemon knows no way out {entry.way_out}: add it to the conf files, or start emaild."
    else:
        yield _fares(status, now)


def _fares(status: WayOutStatus, now: datetime) -> str:
    sent = f" It sent a mail last at {moment(status.last_sent)}." if status.last_sent else ""
    again = f" It is tried again at {moment(status.next_try)}." if status.next_try and status.next_try > now else ""
    if status.state == "failing":
        return f"The way out {status.name} does not work at this moment: {status.last_error}.{again}{sent}"
    if status.state == "limited":
        return f"The way out {status.name} reached its limit a minute; it goes on at {moment(status.next_try)}."
    if status.state == "resting":
        return f"The way out {status.name} is not used (enable-client, enable-outbound-submitter).{sent}"
    if status.state == "waiting":
        return f"The way out {status.name} was not tried yet since emaild was started.{sent}"
    return f"The way out {status.name} works.{sent}"
