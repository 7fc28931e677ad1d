"""What programs give, in bodies and queries."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from emaild.message import InteractionState, OutboundState, Subtype
from emaild.store.outbox_entries import Choice

LARGEST = 2**63 - 1
MOST = 1000
USUAL = 100
RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
Name = Annotated[str, Field(max_length=255)]


class Given(BaseModel):
    """What a program says; an unknown name is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _digits(value: object) -> object:
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("expected digits")
    return value


Digits = Annotated[int, BeforeValidator(_digits)]
"""A number as a query says it, without 1_0, +1 or 1.0, which Python would take."""


class InteractionQuery(Given):
    """Which interactions."""

    queue: Name = ""
    state: InteractionState | None = None
    mailbox: Name = ""
    type: Literal["Inbound", "Outbound"] | None = None
    subtype: Subtype | None = None
    thread_id: Annotated[str, Field(max_length=16)] = ""
    parent_id: Annotated[str, Field(max_length=16)] = ""
    after: Digits = Field(default=0, ge=0, le=LARGEST, description="Those with a number above this one.")
    limit: Digits = Field(default=USUAL, ge=1, le=MOST)
    wait: float = Field(
        default=0,
        ge=0,
        le=600,
        allow_inf_nan=False,
        description="Where there is none: how many seconds to wait for one; longest-wait at most.",
    )


def _plain(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("expected a name without control characters")
    return text


class InteractionChange(Given):
    """Another queue or state; with `if_state` only where it is in that state, or one of those."""

    queue: Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_plain)] | None = None
    state: InteractionState | None = None
    if_state: InteractionState | Annotated[list[InteractionState], Field(min_length=1)] | None = None

    @property
    def if_states(self) -> tuple[InteractionState, ...]:
        """The states in which it is changed; none: in any."""
        if self.if_state is None or isinstance(self.if_state, list):
            return tuple(self.if_state or ())
        return (self.if_state,)


def _instant(value: object) -> object:
    if not isinstance(value, str) or not RFC3339.fullmatch(value):
        raise ValueError("expected a time as 2026-03-02T09:30:00Z (RFC 3339)")
    return value


Instant = Annotated[AwareDatetime, BeforeValidator(_instant)]
Address = Annotated[str, Field(max_length=320, description="A whole address, or @domain; case does not matter.")]


class OutboxFilter(Given):
    """Which mails out: those that fit all that is said."""

    state: list[OutboundState] = Field(default=[], description="Those in one of these states.")
    way_out: Name = ""
    sender: Address = ""
    recipient: Address = ""
    cause: Name = Field(default="", description="What is diagnosed, as mailbox-full.")
    text: Annotated[str, Field(max_length=1000)] = Field(default="", description="What the diagnosis holds.")
    message_id: Annotated[str, Field(max_length=1000)] = Field(default="", description="With or without < and >.")
    since: Instant | None = Field(default=None, description="Those that came into the outbox then or later.")
    until: Instant | None = Field(default=None, description="Those that came into the outbox before that.")
    history: bool | None = Field(
        default=None,
        description="true: those that are done with; false: those that wait. Not said: those that wait, or with state"
        " those in that state.",
    )

    @property
    def choice(self) -> Choice:
        """The same for the store."""
        return Choice(
            done=False if self.history is None and not self.state else self.history,
            states=tuple(dict.fromkeys(self.state)),
            way_out=self.way_out,
            sender=self.sender,
            recipient=self.recipient,
            cause=self.cause,
            words=self.text,
            message_id=self.message_id,
            since=self.since,
            until=self.until,
        )


class OutboxQuery(OutboxFilter):
    """Which mails out, and how many of them."""

    after: Annotated[str, Field(max_length=16)] = Field(default="", description="Those with an id above this one.")
    limit: Digits = Field(default=USUAL, ge=1, le=MOST)


class OutboxChosen(OutboxFilter):
    """All mails out that fit; at least one filter must be said, `history` being one."""

    @model_validator(mode="after")
    def _narrow(self) -> Self:
        if all(getattr(self, name) in ("", [], None) for name in self.model_fields_set):
            raise ValueError("expected at least one filter; history: false means all that wait")
        return self


class FileGiven(Given):
    """A file to attach; its type is guessed by the name where it is not said."""

    name: str = Field(min_length=1, max_length=255)
    content: str = Field(description="base64 (RFC 4648 §4)", json_schema_extra={"contentEncoding": "base64"})
    content_type: Annotated[str, Field(max_length=127, pattern=r"^([\w.+-]+/[\w.+-]+)?$")] = ""


class MailGiven(Given):
    """A mail to be written and sent."""

    from_: str = Field(alias="from", min_length=3, description="The author; his address is the envelope's sender, too.")
    to: list[str] = []
    cc: list[str] = []
    bcc: list[str] = []
    subject: str = ""
    text: str = ""
    html: str = ""
    headers: dict[str, str] = Field(default={}, description="Further header fields.")
    attachments: list[FileGiven] = []
    in_reply_to: Annotated[str, Field(pattern=r"^<[!-;=?-~]{1,900}>$")] | None = Field(
        default=None, description="The Message-ID of the mail that is answered, with its angle brackets."
    )
    way_out: str = Field(default="", description="The [smtp-client...] section; not said: as the conf files say.")
    interactive: bool | None = Field(
        default=None, description="Whether a person waits for it; not said: as the token's section says."
    )


class FinishedMailQuery(Given):
    """For a finished mail: other recipients than those in its header, and the way out."""

    recipient: list[str] = []
    way_out: str = ""
    interactive: bool | None = None
