"""How an older store becomes one of today.

A migration is never changed once it was released; a new one is appended. Each is written out in SQL, for the tables of
`schema` are those of today. That all migrations together make these is held by a test.
"""

from __future__ import annotations

from sqlalchemy import Connection

FIRST = """
CREATE TABLE schema_version (version INTEGER NOT NULL, PRIMARY KEY (version));
CREATE TABLE raw (digest VARCHAR(64) NOT NULL, size INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (digest));
CREATE TABLE interaction (
    id VARCHAR(16) NOT NULL,
    type VARCHAR(16) NOT NULL,
    subtype VARCHAR(40) NOT NULL,
    mailbox VARCHAR(255) NOT NULL,
    received FLOAT NOT NULL,
    queue VARCHAR(255) NOT NULL,
    state VARCHAR(16) NOT NULL,
    thread_id VARCHAR(16) NOT NULL,
    parent_id VARCHAR(16),
    message_id TEXT,
    raw_digest VARCHAR(64) NOT NULL REFERENCES raw (digest),
    facts JSON NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX interaction_received ON interaction (received);
CREATE INDEX interaction_message_id ON interaction (message_id);
CREATE INDEX interaction_raw ON interaction (raw_digest);
CREATE TABLE seen (
    account TEXT NOT NULL,
    "key" TEXT NOT NULL,
    digest VARCHAR(64),
    settled BOOLEAN NOT NULL,
    PRIMARY KEY (account, "key")
);
CREATE INDEX seen_digest ON seen (account, digest);
CREATE INDEX seen_unsettled ON seen (account, settled);
CREATE TABLE cursor (account TEXT NOT NULL, cursor TEXT NOT NULL, PRIMARY KEY (account));
CREATE TABLE mailbox_status (
    name TEXT NOT NULL,
    state VARCHAR(16) NOT NULL,
    last_poll FLOAT,
    last_mail FLOAT,
    last_error TEXT,
    next_due FLOAT,
    PRIMARY KEY (name)
);
CREATE TABLE outbox (
    id VARCHAR(16) NOT NULL,
    created FLOAT NOT NULL,
    way_out VARCHAR(255) NOT NULL,
    sender TEXT NOT NULL,
    message_id TEXT NOT NULL,
    raw_digest VARCHAR(64) NOT NULL REFERENCES raw (digest),
    state VARCHAR(16) NOT NULL,
    attempts INTEGER NOT NULL,
    next_attempt FLOAT,
    lease_until FLOAT,
    finished FLOAT,
    diagnosis TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX outbox_due ON outbox (way_out, state, next_attempt);
CREATE INDEX outbox_finished ON outbox (finished);
CREATE INDEX outbox_raw ON outbox (raw_digest);
CREATE TABLE recipient (
    outbox_id VARCHAR(16) NOT NULL,
    position INTEGER NOT NULL,
    address TEXT NOT NULL,
    state VARCHAR(16) NOT NULL,
    code VARCHAR(16) NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (outbox_id, position),
    FOREIGN KEY (outbox_id) REFERENCES outbox (id) ON DELETE CASCADE
);
CREATE TABLE attempt (
    outbox_id VARCHAR(16) NOT NULL,
    number INTEGER NOT NULL,
    at FLOAT NOT NULL,
    way_out VARCHAR(255) NOT NULL,
    outcome TEXT NOT NULL,
    PRIMARY KEY (outbox_id, number),
    FOREIGN KEY (outbox_id) REFERENCES outbox (id) ON DELETE CASCADE
)
"""

# What is known of mails, in and out. Of those from before, the addresses are known as far as SQL can read them.
SECOND = """
ALTER TABLE interaction ADD COLUMN user_data JSON;
ALTER TABLE interaction ADD COLUMN report JSON;
CREATE TABLE mail (
    id VARCHAR(16) NOT NULL,
    thread_id VARCHAR(16) NOT NULL,
    message_id TEXT,
    account TEXT,
    fingerprint TEXT,
    at FLOAT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX mail_message_id ON mail (message_id, id);
CREATE INDEX mail_twin ON mail (message_id, fingerprint, account, id);
CREATE INDEX mail_thread ON mail (thread_id, at);
CREATE INDEX mail_at ON mail (at);
CREATE TABLE correspondent (
    thread_id VARCHAR(16) NOT NULL,
    address TEXT NOT NULL,
    PRIMARY KEY (thread_id, address)
);
CREATE TABLE subject_match (
    "match" TEXT NOT NULL,
    address TEXT NOT NULL,
    thread_id VARCHAR(16) NOT NULL,
    PRIMARY KEY ("match", address)
);
CREATE INDEX subject_match_thread ON subject_match (thread_id);
CREATE TABLE automatic_mail (
    mail_id VARCHAR(16) NOT NULL,
    address TEXT NOT NULL,
    thread_id VARCHAR(16) NOT NULL,
    at FLOAT NOT NULL,
    PRIMARY KEY (mail_id, address),
    FOREIGN KEY (mail_id) REFERENCES mail (id) ON DELETE CASCADE
);
CREATE INDEX automatic_mail_address ON automatic_mail (address, at);
INSERT INTO mail (id, thread_id, message_id, account, at)
    SELECT id, thread_id, message_id, '', received FROM interaction;
INSERT INTO mail (id, thread_id, message_id, at) SELECT id, id, message_id, created FROM outbox;
INSERT OR IGNORE INTO correspondent SELECT thread_id, lower(json_extract(facts, '$.sender')) FROM interaction
    WHERE json_extract(facts, '$.sender') <> '';
INSERT OR IGNORE INTO correspondent SELECT thread_id, lower(value) FROM interaction, json_each(facts, '$.to');
INSERT OR IGNORE INTO correspondent SELECT thread_id, lower(value) FROM interaction, json_each(facts, '$.cc');
INSERT OR IGNORE INTO correspondent SELECT outbox_id, lower(address) FROM recipient;
INSERT OR IGNORE INTO correspondent SELECT id, lower(sender) FROM outbox WHERE sender <> ''
"""

# Quarantine.
THIRD = """
CREATE TABLE held (
    id VARCHAR(16) NOT NULL,
    account TEXT NOT NULL,
    mailbox VARCHAR(255) NOT NULL,
    "key" TEXT NOT NULL,
    raw_digest VARCHAR(64) NOT NULL REFERENCES raw (digest),
    at FLOAT NOT NULL,
    how VARCHAR(16) NOT NULL,
    traceback TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX held_raw ON held (raw_digest);
CREATE TABLE mark (
    account TEXT NOT NULL,
    keys JSON NOT NULL,
    alone BOOLEAN NOT NULL,
    suspects JSON NOT NULL,
    PRIMARY KEY (account)
)
"""

# Services, programs and the webhook. What is there already was given to programs in the order in which it came.
FOURTH = """
ALTER TABLE interaction ADD COLUMN number INTEGER;
ALTER TABLE interaction ADD COLUMN rule TEXT;
ALTER TABLE interaction ADD COLUMN envelope JSON;
UPDATE interaction SET number = place FROM (
    SELECT id AS name, row_number() OVER (ORDER BY received, id) AS place FROM interaction
) WHERE id = name;
CREATE UNIQUE INDEX interaction_number ON interaction (number);
CREATE INDEX interaction_queue ON interaction (queue, number);
CREATE INDEX interaction_state ON interaction (state, queue, number);
CREATE INDEX interaction_thread ON interaction (thread_id, number);
CREATE INDEX interaction_parent ON interaction (parent_id);
CREATE TABLE counter (name VARCHAR(16) NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (name));
INSERT INTO counter SELECT 'interaction', coalesce(max(number), 0) FROM interaction;
ALTER TABLE mail ADD COLUMN subtype VARCHAR(40);
ALTER TABLE outbox ADD COLUMN notify TEXT;
CREATE TABLE request (
    "key" TEXT NOT NULL,
    digest VARCHAR(64) NOT NULL,
    answer JSON NOT NULL,
    at FLOAT NOT NULL,
    PRIMARY KEY ("key")
);
CREATE INDEX request_at ON request (at);
CREATE TABLE push (
    interaction_id VARCHAR(16) NOT NULL,
    number INTEGER NOT NULL,
    thread_id VARCHAR(16) NOT NULL,
    at FLOAT NOT NULL,
    attempts INTEGER NOT NULL,
    next_attempt FLOAT NOT NULL,
    PRIMARY KEY (interaction_id),
    FOREIGN KEY (interaction_id) REFERENCES interaction (id) ON DELETE CASCADE
);
CREATE INDEX push_due ON push (next_attempt, number);
CREATE INDEX push_thread ON push (thread_id, number)
"""

# Sending: who waits for a mail, fenced leases, limits, and what each try was like.
FIFTH = """
ALTER TABLE outbox ADD COLUMN interactive BOOLEAN DEFAULT 0 NOT NULL;
ALTER TABLE outbox ADD COLUMN lease INTEGER DEFAULT 0 NOT NULL;
ALTER TABLE outbox ADD COLUMN deferrals INTEGER DEFAULT 0 NOT NULL;
ALTER TABLE outbox ADD COLUMN cause TEXT DEFAULT '' NOT NULL;
ALTER TABLE outbox ADD COLUMN delay_told BOOLEAN DEFAULT 0 NOT NULL;
UPDATE outbox SET state = 'DEFERRED' WHERE state = 'QUEUED' AND attempts > 0;
UPDATE outbox SET next_attempt = NULL WHERE state NOT IN ('QUEUED', 'DEFERRED');
DROP INDEX outbox_finished;
CREATE INDEX outbox_finished ON outbox (finished, id);
DROP INDEX outbox_due;
CREATE INDEX outbox_due ON outbox (way_out, interactive, next_attempt, id) WHERE next_attempt IS NOT NULL;
CREATE INDEX outbox_leased ON outbox (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX outbox_unfinished ON outbox (way_out, created) WHERE finished IS NULL;
CREATE INDEX outbox_state ON outbox (state, id);
ALTER TABLE attempt ADD COLUMN times INTEGER DEFAULT 1 NOT NULL;
ALTER TABLE attempt ADD COLUMN last FLOAT;
ALTER TABLE attempt ADD COLUMN seconds FLOAT;
ALTER TABLE attempt ADD COLUMN server TEXT DEFAULT '' NOT NULL;
ALTER TABLE attempt ADD COLUMN tls TEXT DEFAULT '' NOT NULL;
ALTER TABLE attempt ADD COLUMN answers JSON;
ALTER TABLE attempt ADD COLUMN cause TEXT DEFAULT '' NOT NULL;
CREATE INDEX attempt_at ON attempt (way_out, at);
CREATE TABLE way_out_status (
    name TEXT NOT NULL,
    state VARCHAR(16) NOT NULL,
    last_sent FLOAT,
    last_error TEXT,
    next_try FLOAT,
    PRIMARY KEY (name)
)
"""

# When a mail that is sent anew came first, and the cause of each recipient.
SIXTH = """
ALTER TABLE outbox ADD COLUMN came FLOAT;
ALTER TABLE recipient ADD COLUMN cause TEXT DEFAULT '' NOT NULL
"""

# Lists of interactions, by whatever they are chosen, in the order of an index. Indexes of no more than is asked for.
SEVENTH = """
DROP INDEX interaction_message_id;
DROP INDEX interaction_parent;
CREATE INDEX interaction_parent ON interaction (parent_id, number) WHERE parent_id IS NOT NULL;
DROP INDEX seen_unsettled;
CREATE INDEX seen_unsettled ON seen (account) WHERE settled IS 0;
DROP INDEX interaction_received;
CREATE INDEX interaction_received ON interaction (type, received, id);
CREATE INDEX interaction_in_state ON interaction (state, number);
CREATE INDEX interaction_mailbox ON interaction (mailbox, number);
CREATE INDEX interaction_type ON interaction (type, number);
CREATE INDEX interaction_subtype ON interaction (subtype, number);
DROP INDEX interaction_number;
CREATE UNIQUE INDEX interaction_number ON interaction (number) WHERE number IS NOT NULL;
CREATE INDEX interaction_unsubmitted ON interaction (number, received, id) WHERE number IS NULL
"""

MIGRATIONS = (FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH, SEVENTH)
"""The n-th brings a store from version n-1 to n: statements, apart by semicolons."""

CURRENT = len(MIGRATIONS)


def migrate(connection: Connection, found: int) -> None:
    """Bring a store of that version up to date; 0 is an empty one."""
    for migration in MIGRATIONS[found:]:
        for statement in migration.split(";"):
            connection.exec_driver_sql(statement)
