"""What programs get, as the OpenAPI document describes it. It is made in emaild/documents."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from emaild.message import InteractionState, OutboundState, ReportKind, Subtype

Id = Annotated[str, Field(pattern=r"^[0-9A-Z]{16}$", examples=["0LQ3M9Y2V1K7ZBTA"])]
Time = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", examples=["2026-03-02T09:30:00.000Z"])]


class Got(BaseModel):
    """What a program gets."""

    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """Why a request was not done (RFC 9457)."""

    type: str = Field(examples=["/problems/not-found"])
    title: str
    status: int
    detail: str
    parameter: str | None = Field(default=None, description="The parameter that is wrong, of a service.")
    wrong: list[str] | None = Field(default=None, description="All that is wrong with the request.")


class AttachmentGot(Got):
    """A file of a mail; `size` in bytes."""

    name: str
    content_type: str
    size: int
    content_id: str | None
    inline: bool


class ReportedRecipientGot(Got):
    """What a report says of one recipient."""

    address: str
    action: str
    status: str
    diagnostic: str


class ReportGot(Got):
    """What a report says (RFC 3464, 8098, 5965)."""

    kind: ReportKind
    recipients: list[ReportedRecipientGot]


class EnvelopeGot(Got):
    """From whom and to whom a mail of ours goes."""

    sender: str
    recipients: list[str]


class InteractionGot(Got):
    """A mail in or out, as programs work with it. `number` counts in the order in which programs see them."""

    id: Id
    number: int | None
    mailbox: str
    received: Time
    queue: str
    thread_id: Id
    parent_id: Id | None
    state: InteractionState
    envelope: EnvelopeGot | None
    type: str
    subtype: Subtype
    subject: str
    from_: str = Field(alias="from")
    from_personal: str
    reply_to: list[str]
    to: list[str]
    cc: list[str]
    message_id: str | None
    in_reply_to: str | None
    references: list[str]
    date: Time | None
    attachments: list[AttachmentGot]
    automatic: str | None
    report: ReportGot | None
    user_data: dict[str, str | int]
    wrapped: str | None
    rule: str | None


class FullInteractionGot(InteractionGot):
    """With its texts: `reply` is what the author wrote himself, `quoted` the rest."""

    text: str
    html: str
    reply: str
    quoted: str


class InteractionsGot(Got):
    """Interactions in the order of their numbers; `next` is what to ask for as `after` the next time."""

    interactions: list[InteractionGot]
    next: int


class MailTakenGot(Got):
    """A mail that is in the outbox now."""

    id: Id
    message_id: str
    way_out: str
    sender: str
    recipients: list[str]


class RecipientGot(Got):
    """What is known of one recipient: the last answer of a server."""

    address: str
    state: Literal["WAITING", "SENT", "FAILED"]
    code: str
    text: str


class MailOutGot(Got):
    """A mail on its way out, or done with."""

    id: Id
    state: OutboundState
    way_out: str
    message_id: str
    sender: str
    subject: str
    recipients: list[RecipientGot]
    attempts: int = Field(description="How often it was tried.")
    created: Time
    next_attempt: Time | None
    finished: Time | None
    diagnosis: str
    cause: str = Field(description="The key of what is diagnosed; empty where that is not known, or nothing is wrong.")
    interactive: bool
    deferrals: int = Field(description="How often the limit a minute of its way held it back.")


class AnswerGot(Got):
    """What a server answered for one recipient; `status` is the enhanced status (RFC 3463), where it gave one."""

    address: str
    state: Literal["WAITING", "SENT", "FAILED"]
    code: str
    status: str
    text: str


class AttemptGot(Got):
    """A try, or `times` of them in a row, `last` the last, by which the way failed in the same manner.

    `number` is that of the first of them.
    """

    number: int
    at: Time
    way_out: str
    outcome: str
    times: int
    last: Time | None
    seconds: float | None
    server: str
    tls: str = Field(description="TLS version and cipher; empty: the connection was not encrypted.")
    answers: list[AnswerGot]
    cause: str


class DiagnosedRecipientGot(RecipientGot):
    """With the key of what its last trouble means."""

    cause: str


class LoggedMailOutGot(MailOutGot):
    """With all tries, what the failure means, and what to do."""

    recipients: list[DiagnosedRecipientGot]  # type: ignore[assignment]
    from_: str = Field(alias="from")
    explanation: str
    remedy: str
    log: list[AttemptGot]


class ChangedGot(Got):
    """How many mails were changed, and how many were left alone, for they are being sent at this moment."""

    changed: int
    being_sent: int
    woken: list[str] = Field(description="Ways out that rested, for they failed, and are tried at once now.")


class OutboxGot(Got):
    """Mails in the order of their ids; `next` is what to ask for as `after` the next time."""

    outbox: list[MailOutGot]
    next: str


class WayGot(Got):
    """How a way out fares, and how many mails of each state wait for it; `oldest` is when the first of them came."""

    name: str
    state: Literal["ok", "failing", "limited", "waiting", "resting", "missing"]
    queued: int
    deferred: int
    held: int
    sending: int
    oldest: Time | None
    last_sent: Time | None
    last_error: str | None = Field(description="It stays after the way worked again.")
    next_try: Time | None


class WaysGot(Got):
    """All ways out by name."""

    ways: list[WayGot]


class MailboxGot(Got):
    """How a mailbox fares."""

    name: str
    state: Literal["ok", "failing", "waiting", "resting"]
    last_poll: Time | None
    last_mail: Time | None
    last_error: str | None
    next_due: Time | None


class MailboxesGot(Got):
    """All mailboxes."""

    mailboxes: list[MailboxGot]


class ServicesGot(Got):
    """All services, with their parameters."""

    services: list[dict[str, Any]]


class ServiceDoneGot(Got):
    """What a service made; null where there is none."""

    method: str
    interaction_id: Id | None
    outbox_id: Id | None
    queue: str | None
    subtype: str | None
    message_id: str | None
    thread_id: str | None
    parent_id: str | None


class HealthGot(BaseModel):
    """Whether the daemon works."""

    status: str
    checks: dict[str, Any]
