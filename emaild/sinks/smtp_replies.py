"""What an SMTP server answers (RFC 5321 §4.2), within bounds of time and size."""

from __future__ import annotations

import smtplib
import socket
import time

Answer = tuple[int, bytes]
"""A code and the words after it, the lines of which LF separates."""

CLOSING = 421  # the server ends the session (RFC 5321 §3.8)
SIGN_IN_FIRST = 530  # or, over a plain connection, STARTTLS (RFC 4954 §6, RFC 3207 §4)
DISCONNECTED: Answer = (-1, b"")
ENDED = (CLOSING, DISCONNECTED[0])  # no further command will be answered
LONGEST_LINE = 8192  # bytes; RFC 5321 §4.5.3.1.5 allows 512
LONGEST_ANSWER = 64 << 10
PIECE = 16 << 10  # bytes read at once: a whole record of TLS, so that nothing of it stays behind unseen


class Replies:
    """The answers on one connection, in order."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._heard = b""
        self._read = 0  # how much of it has been given out
        self._until: float | None = None  # on the monotonic clock
        self._waited = False

    @property
    def pending(self) -> bool:
        """Whether more was heard than has been read."""
        return self._read < len(self._heard)

    def next(self) -> Answer:
        """The next answer, which must be whole within the socket's timeout; -1 is the code of what is no answer.

        Raises:
            OSError, smtplib.SMTPException: there is none, or it is too long.
        """
        patience = self._connection.gettimeout()
        self._until = None if patience is None else time.monotonic() + patience
        self._waited = False
        try:
            return self._answer()
        finally:
            if self._connection.gettimeout() != patience and self._connection.fileno() >= 0:
                self._connection.settimeout(patience)

    def close(self) -> None:
        """Forget what was heard; smtplib wants it."""
        self._heard, self._read = b"", 0

    def _answer(self) -> Answer:
        lines: list[bytes] = []
        size = 0
        while True:
            line = self._line()
            size += len(line)
            if size > LONGEST_ANSWER:
                raise smtplib.SMTPServerDisconnected("the server's answer is too long")
            lines.append(line[4:].strip(b" \t\r\n"))
            code = line[:3]
            if not (code.isdigit() and len(code) == 3):
                return DISCONNECTED[0], b"\n".join(lines)
            if line[3:4] != b"-":
                return int(code), b"\n".join(lines)

    def _line(self) -> bytes:
        while (end := self._heard.find(b"\n", self._read)) < 0:
            if len(self._heard) - self._read > LONGEST_LINE:
                raise smtplib.SMTPServerDisconnected("the server's answer has a line too long")
            self._hear()
        start, self._read = self._read, end + 1
        return self._heard[start : end + 1]

    def _hear(self) -> None:
        if self._waited and self._until is not None:  # the first wait has all of the time, which the socket knows
            left = self._until - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            self._connection.settimeout(left)
        self._waited = True
        found = self._connection.recv(PIECE)
        if not found:
            raise smtplib.SMTPServerDisconnected("the connection broke: the server closed it")
        self._heard = self._heard[self._read :] + found
        self._read = 0


def words(answer: Answer) -> str:
    """An answer on one line."""
    return f"{answer[0]} " + " ".join(answer[1].decode("utf-8", "replace").split())
