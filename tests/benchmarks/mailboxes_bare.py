"""The bare limit of many mailboxes: what Python and OpenSSL take for them alone, without a store or a word kept.

    python -m tests.benchmarks.mailboxes_bare hold PORT CA_FILE USER_PREFIX COUNT
    python -m tests.benchmarks.mailboxes_bare poll PORT CA_FILE USER_PREFIX COUNT

`hold` keeps an IMAP connection over TLS to each of the mailboxes PREFIX0, PREFIX1 and so on in IDLE, by imaplib and one
selector, fetches what it is told of, and prints a JSON line when all are idle and for each mail. `poll` looks into each
once over POP3, by poplib, and prints how many seconds of CPU time that took.
"""

from __future__ import annotations

import imaplib
import json
import poplib
import re
import selectors
import ssl
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from tests.servers.dovecot_conf import PASSWORD
from tests.servers.ports import LOOPBACK

SIGN_INS = 8  # at the same time, as [emaild] connections-per-host has it
PATIENCE = 60.0
imaplib.Commands["IDLE"] = ("SELECTED",)  # it learns of it with Python 3.14


class Idle:
    """One mailbox in IDLE."""

    def __init__(self, port: int, context: ssl.SSLContext, user: str) -> None:
        self.client = imaplib.IMAP4_SSL(LOOPBACK, port, ssl_context=context, timeout=PATIENCE)
        self.client.login(user, PASSWORD)
        self._held = int(self.client.select("INBOX", readonly=True)[1][0] or 0)
        self.begin()

    def begin(self) -> None:
        """Enter IDLE, and take what is told of before a selector would see it."""
        self._tag = self.client._command("IDLE")
        while self.client._get_response() is not None:
            pass
        if self._holds_unread_bytes():
            self.end()

    def end(self) -> None:
        """Leave IDLE, fetch and tell of what is new, and enter it again."""
        self.client.send(b"DONE\r\n")
        self.client._command_complete("IDLE", self._tag)
        told = self.client.response("EXISTS")[1][-1]
        if told and int(told) > self._held:
            answers = self.client.fetch(f"{self._held + 1}:{int(told)}", "(BODY.PEEK[])")[1]
            self._held = int(told)
            for mail in (answer[1] for answer in answers if isinstance(answer, tuple)):
                found = re.search(rb"(?mi)^message-id: *(\S+)", mail)
                say(mail=found[1].decode() if found else "", at=time.time())
        self.begin()

    def _holds_unread_bytes(self) -> bool:
        self.client.sock.setblocking(False)
        try:
            return bool(self.client.file.peek(1))  # type: ignore[attr-defined]
        except OSError:
            return False
        finally:
            self.client.sock.settimeout(PATIENCE)


def say(**fields: object) -> None:
    print(json.dumps(fields), flush=True)


def hold(port: int, context: ssl.SSLContext, users: list[str]) -> None:
    with ThreadPoolExecutor(SIGN_INS) as pool, selectors.DefaultSelector() as selector:
        for idle in pool.map(lambda user: Idle(port, context, user), users):
            selector.register(idle.client.sock, selectors.EVENT_READ, idle)
        say(idle=len(users), at=time.time())
        while True:
            for key, _ in selector.select():
                key.data.end()


def poll(port: int, context: ssl.SSLContext, users: list[str]) -> None:
    def look(user: str) -> None:
        client = poplib.POP3_SSL(LOOPBACK, port, context=context, timeout=PATIENCE)
        client.user(user)
        client.pass_(PASSWORD)
        client.uidl()
        client.quit()

    begun = time.process_time()
    with ThreadPoolExecutor(SIGN_INS) as pool:
        for _ in pool.map(look, users):
            pass
    say(seconds=time.process_time() - begun)


def main() -> None:
    way, port, ca_file, prefix, count = sys.argv[1:]
    users = [f"{prefix}{number}" for number in range(int(count))]
    (hold if way == "hold" else poll)(int(port), ssl.create_default_context(cafile=ca_file), users)


if __name__ == "__main__":
    main()
