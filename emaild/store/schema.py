"""The tables of the store, as the migrations make them."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

TABLES = MetaData()

version = Table("schema_version", TABLES, Column("version", Integer, primary_key=True))

raw = Table(
    "raw",
    TABLES,
    Column("digest", String(64), primary_key=True),  # SHA-256 of the bytes, in hex
    Column("size", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

interaction = Table(
    "interaction",
    TABLES,
    Column("id", String(16), primary_key=True),
    Column("type", String(16), nullable=False),
    Column("subtype", String(40), nullable=False),
    Column("mailbox", String(255), nullable=False),
    Column("received", Float, nullable=False),  # seconds since 1970, UTC, as are all times here
    Column("queue", String(255), nullable=False),
    Column("state", String(16), nullable=False),
    Column("thread_id", String(16), nullable=False),
    Column("parent_id", String(16)),
    Column("message_id", Text),
    Column("raw_digest", String(64), ForeignKey("raw.digest"), nullable=False),
    Column("facts", JSON, nullable=False),
    Column("user_data", JSON),  # None in rows from before there was any, as is report
    Column("report", JSON),
    Column("number", Integer),  # None: rules have not seen it
    Column("rule", Text),
    Column("envelope", JSON),
    Index("interaction_received", "type", "received", "id"),
    Index("interaction_raw", "raw_digest"),
    Index("interaction_queue", "queue", "number"),
    Index("interaction_state", "state", "queue", "number"),
    Index("interaction_in_state", "state", "number"),
    Index("interaction_mailbox", "mailbox", "number"),
    Index("interaction_type", "type", "number"),
    Index("interaction_subtype", "subtype", "number"),
    Index("interaction_thread", "thread_id", "number"),
    Index("interaction_parent", "parent_id", "number", sqlite_where=text("parent_id IS NOT NULL")),
)
NUMBERED = Index(
    "interaction_number", interaction.c.number, unique=True, sqlite_where=interaction.c.number.is_not(None)
)
UNSUBMITTED = Index(
    "interaction_unsubmitted",
    interaction.c.number,
    interaction.c.received,
    interaction.c.id,
    sqlite_where=interaction.c.number.is_(None),
)

# The last number given, of each kind.
counter = Table(
    "counter", TABLES, Column("name", String(16), primary_key=True), Column("value", Integer, nullable=False)
)

# Requests that a program may repeat, and how they were answered.
request = Table(
    "request",
    TABLES,
    Column("key", Text, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("answer", JSON, nullable=False),
    Column("at", Float, nullable=False),
    Index("request_at", "at"),
)

# What the webhook's receiver is still to be told.
push = Table(
    "push",
    TABLES,
    Column("interaction_id", String(16), ForeignKey("interaction.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("thread_id", String(16), nullable=False),
    Column("at", Float, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt", Float, nullable=False),
    Index("push_due", "next_attempt", "number"),
    Index("push_thread", "thread_id", "number"),
)

# What is remembered of every mail in and out, for threads and duplicates: longer than interaction or history.
mail = Table(
    "mail",
    TABLES,
    Column("id", String(16), primary_key=True),  # of the interaction, or in the outbox
    Column("thread_id", String(16), nullable=False),
    Column("message_id", Text),
    Column("account", Text),  # where it came from; None: a mail out
    Column("fingerprint", Text),
    Column("at", Float, nullable=False),
    Column("subtype", String(40)),  # of a mail out that is an interaction
    Index("mail_message_id", "message_id", "id"),
    Index("mail_twin", "message_id", "fingerprint", "account", "id"),
    Index("mail_thread", "thread_id", "at"),
    Index("mail_at", "at"),
)

# Who wrote or got a mail of a thread; addresses are in lower case here and below.
correspondent = Table(
    "correspondent",
    TABLES,
    Column("thread_id", String(16), primary_key=True),
    Column("address", Text, primary_key=True),
)

# The thread in which somebody wrote or got a mail last whose subject holds that text (subject-threading-substrings).
subject_match = Table(
    "subject_match",
    TABLES,
    Column("match", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("thread_id", String(16), nullable=False),
    Index("subject_match_thread", "thread_id"),
)

# To whom mails out went that no person wrote.
automatic_mail = Table(
    "automatic_mail",
    TABLES,
    Column("mail_id", String(16), ForeignKey("mail.id", ondelete="CASCADE"), primary_key=True),
    Column("address", Text, primary_key=True),
    Column("thread_id", String(16), nullable=False),
    Column("at", Float, nullable=False),
    Index("automatic_mail_address", "address", "at"),
)

# What was fetched, or is never to be: one row a mail and mailbox, kept for good.
seen = Table(
    "seen",
    TABLES,
    Column("account", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("digest", String(64)),  # None: an old mail that is not taken
    Column("settled", Boolean, nullable=False),  # what after-fetch asks for is done on the server
    Index("seen_digest", "account", "digest"),
)
UNSETTLED = Index("seen_unsettled", seen.c.account, sqlite_where=seen.c.settled.is_(False))

cursor = Table(
    "cursor",
    TABLES,
    Column("account", Text, primary_key=True),
    Column("cursor", Text, nullable=False),
)

# What `emaild mailboxes` shows; written by the daemon, of no weight for what it does.
mailbox_status = Table(
    "mailbox_status",
    TABLES,
    Column("name", Text, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("last_poll", Float),
    Column("last_mail", Float),
    Column("last_error", Text),
    Column("next_due", Float),
)

# What `emaild ways` shows, likewise.
way_out_status = Table(
    "way_out_status",
    TABLES,
    Column("name", Text, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("last_sent", Float),
    Column("last_error", Text),
    Column("next_try", Float),
)

outbox = Table(
    "outbox",
    TABLES,
    Column("id", String(16), primary_key=True),
    Column("created", Float, nullable=False),
    Column("way_out", String(255), nullable=False),
    Column("sender", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("raw_digest", String(64), ForeignKey("raw.digest"), nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt", Float),  # None: it is being sent, held, or done with
    Column("lease_until", Float),
    Column("finished", Float),
    Column("diagnosis", Text, nullable=False),
    Column("notify", Text),  # what servers are asked to report, as RFC 3461 writes it; None: as the way out says
    Column("interactive", Boolean, nullable=False, server_default=text("0")),
    Column("lease", Integer, nullable=False, server_default=text("0")),  # grows with each: an older one is void
    Column("deferrals", Integer, nullable=False, server_default=text("0")),  # how often a limit held it back
    Column("cause", Text, nullable=False, server_default=text("''")),  # the diagnosis's key
    Column("delay_told", Boolean, nullable=False, server_default=text("0")),  # its sender knows that it is late
    Column("came", Float),  # None: at `created`, which a person who sends it anew sets to that moment
    Index("outbox_finished", "finished", "id"),
    Index("outbox_raw", "raw_digest"),
    Index("outbox_state", "state", "id"),
)
DUE = Index(
    "outbox_due",
    outbox.c.way_out,
    outbox.c.interactive,
    outbox.c.next_attempt,
    outbox.c.id,
    sqlite_where=outbox.c.next_attempt.is_not(None),
)
LEASED = Index("outbox_leased", outbox.c.lease_until, sqlite_where=outbox.c.lease_until.is_not(None))
UNFINISHED = Index("outbox_unfinished", outbox.c.way_out, outbox.c.created, sqlite_where=outbox.c.finished.is_(None))

recipient = Table(
    "recipient",
    TABLES,
    Column("outbox_id", String(16), ForeignKey("outbox.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("address", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("code", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("cause", Text, nullable=False, server_default=text("''")),  # the key of what code and text mean
)

# A try, or several in a row by which the way out failed in the same manner: `times` of them, the last at `last`.
attempt = Table(
    "attempt",
    TABLES,
    Column("outbox_id", String(16), ForeignKey("outbox.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("way_out", String(255), nullable=False),
    Column("outcome", Text, nullable=False),
    Column("times", Integer, nullable=False, server_default=text("1")),
    Column("last", Float),
    Column("seconds", Float),  # None in rows of the time before it was measured
    Column("server", Text, nullable=False, server_default=text("''")),
    Column("tls", Text, nullable=False, server_default=text("''")),
    Column("answers", JSON),  # [address, state, code, text] of each recipient; None: the way itself failed
    Column("cause", Text, nullable=False, server_default=text("''")),
    Index("attempt_at", "way_out", "at"),
)

# Mails that our own code cannot take: kept as they came, until they are tried again.
held = Table(
    "held",
    TABLES,
    Column("id", String(16), primary_key=True),
    Column("account", Text, nullable=False),
    Column("mailbox", String(255), nullable=False),
    Column("key", Text, nullable=False),
    Column("raw_digest", String(64), ForeignKey("raw.digest"), nullable=False),
    Column("at", Float, nullable=False),
    Column("how", String(16), nullable=False),
    Column("traceback", Text, nullable=False),
    Index("held_raw", "raw_digest"),
)

# Which mails of an account our code looks at just now: what is found here after a start may have ended the process.
mark = Table(
    "mark",
    TABLES,
    Column("account", Text, primary_key=True),
    Column("keys", JSON, nullable=False),
    Column("alone", Boolean, nullable=False),
    Column("suspects", JSON, nullable=False),  # by key: how often it ended the process while it was looked at alone
)
