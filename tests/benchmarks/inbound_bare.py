"""The least that any program does that reads a mailbox: fetch, write into a file, fsync. Nothing is understood.

And what the parts cost alone: the standard library's parser, and commits of SQLite.
"""

from __future__ import annotations

import imaplib
import os
import poplib
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from email import message_from_bytes, policy
from email.policy import Policy
from itertools import islice
from typing import Any

from imapclient import IMAPClient

from tests.benchmarks.inbound_mailbox import COMMIT, Mailbox, Took, timed
from tests.servers.dovecot import PASSWORD
from tests.servers.ports import LOOPBACK

ROW = 20_000  # bytes


def by_imaplib(mailbox: Mailbox) -> Took:
    """UID FETCH of ranges of 50."""
    with timed() as watch, mailbox.server.imap_client(mailbox.user) as client:
        client.select()
        _kept(mailbox, _imaplib_mails(client))
    return watch.took


def _imaplib_mails(client: imaplib.IMAP4) -> Iterator[bytes]:
    uids: list[str] = client.uid("SEARCH", "ALL")[1][0].decode("ascii").split()
    for first in range(0, len(uids), COMMIT):
        wanted = ",".join(uids[first : first + COMMIT])
        for answer in client.uid("FETCH", wanted, "(UID BODY.PEEK[])")[1]:
            if isinstance(answer, tuple):
                yield answer[1]


def by_imapclient(mailbox: Mailbox) -> Took:
    with timed() as watch:
        context = mailbox.authority.client_context()
        with IMAPClient(LOOPBACK, mailbox.server.imaps, ssl_context=context) as client:
            client.login(mailbox.user, PASSWORD)
            client.select_folder("INBOX")
            _kept(mailbox, _imapclient_mails(client))
    return watch.took


def _imapclient_mails(client: Any) -> Iterator[bytes]:
    uids = client.search()
    for first in range(0, len(uids), COMMIT):
        for answer in client.fetch(uids[first : first + COMMIT], ["BODY.PEEK[]"]).values():
            yield answer[b"BODY[]"]


def by_poplib(mailbox: Mailbox) -> Took:
    with timed() as watch, closing(_pop3(mailbox)) as client:
        numbers = range(1, len(mailbox.mails) + 1)
        _kept(mailbox, (b"\r\n".join([*client.retr(number)[1], b""]) for number in numbers))
        client.quit()
    return watch.took


def by_pipelined_pop3(mailbox: Mailbox) -> Took:
    """RETR for 50 mails at once, and their answers taken apart as one stream (RFC 2449 §6.6)."""
    with timed() as watch, closing(_pop3(mailbox)) as client:
        _kept(mailbox, _pipelined_mails(client, len(mailbox.mails)))
        client.quit()
    return watch.took


def _pipelined_mails(client: poplib.POP3, count: int) -> Iterator[bytes]:
    stream = client.sock.makefile("rb", buffering=1 << 16)
    for first in range(1, count + 1, COMMIT):
        window = range(first, min(first + COMMIT, count + 1))
        client.sock.sendall(b"".join(b"RETR %d\r\n" % number for number in window))
        for _ in window:
            status = stream.readline()
            assert status.startswith(b"+OK"), status
            yield b"".join(line[1:] if line.startswith(b".") else line for line in iter(stream.readline, b".\r\n"))


def _pop3(mailbox: Mailbox) -> poplib.POP3_SSL:
    client = poplib.POP3_SSL(LOOPBACK, mailbox.server.pop3s, context=mailbox.authority.client_context())
    client.user(mailbox.user)
    client.pass_(PASSWORD)
    return client


def _kept(mailbox: Mailbox, mails: Iterable[bytes]) -> None:
    """Write all of them into one file, durably every 50."""
    count = size = 0
    with (mailbox.home.path / "mails").open("wb", buffering=0) as file:
        for count, raw in enumerate(mails, start=1):
            size += file.write(raw)
            if count % COMMIT == 0:
                os.fsync(file.fileno())
        os.fsync(file.fileno())
    assert (count, size) == (len(mailbox.mails), sum(map(len, mailbox.mails)))


# Parts


def by_compat32(mailbox: Mailbox) -> Took:
    return _parsed(mailbox, policy.compat32)


def by_policy_default(mailbox: Mailbox) -> Took:
    return _parsed(mailbox, policy.default)


def _parsed(mailbox: Mailbox, how: Policy[Any]) -> Took:
    with timed() as watch:
        for raw in mailbox.mails:
            message_from_bytes(raw, policy=how)
    return watch.took


def by_sqlite(mailbox: Mailbox) -> Took:
    """As many rows of 20 KB, 50 a commit, each commit on the disk."""
    connection = sqlite3.connect(mailbox.home.path / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE mail (id INTEGER PRIMARY KEY, raw BLOB NOT NULL)")
    rows = iter([(os.urandom(ROW),) for _ in mailbox.mails])
    with closing(connection), timed() as watch:
        while some := list(islice(rows, COMMIT)):
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO mail (raw) VALUES (?)", some)
            connection.execute("COMMIT")
    return watch.took
