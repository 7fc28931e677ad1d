"""What the trace of a connection shows, and what it never does."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaild.net.peer import Peer
from emaild.net.trace import Trace
from tests.said import Said

SECRET = "hunter2"
BASE64 = "aHVudGVyMg=="

# A dialog: what we say after ">", what the server says after "<"; and how the log shows what we said.
DIALOGS = {
    "imap login": ("> A1 LOGIN joe hunter2|< A1 OK in|> A2 NOOP", "A1 LOGIN ***|A2 NOOP"),
    "imap quoted": ('> A1 login "joe" "hunter2 a"|< A1 OK in|> A2 NOOP', "A1 login ***|A2 NOOP"),
    "imap literals": (
        "> A1 LOGIN {3}|< + go|> joe {7}|< + go|> hunter2|< * CAPABILITY X|< A1 OK in|> A2 NOOP",
        "A1 LOGIN ***|***|***|A2 NOOP",
    ),
    "imap literals at once": (
        "> A1 LOGIN {3+}|> joe {7+}|> hunter2|< A1 OK in|> A2 NOOP",
        "A1 LOGIN ***|***|***|A2 NOOP",
    ),
    "imap initial response": (
        f"> A1 AUTHENTICATE PLAIN {BASE64}|< A1 OK in|> A2 NOOP",
        "A1 AUTHENTICATE PLAIN ***|A2 NOOP",
    ),
    "imap continuation": (
        f"> A1 AUTHENTICATE PLAIN|< +|> {BASE64}|< A1 OK in|> A2 NOOP",
        "A1 AUTHENTICATE PLAIN|***|A2 NOOP",
    ),
    "imap two continuations": (
        f"> A1 AUTHENTICATE LOGIN|< + VXNlcg==|> am9l|< + UGFzcw==|> {BASE64}|< A1 NO no|> A2 NOOP",
        "A1 AUTHENTICATE LOGIN|***|***|A2 NOOP",
    ),
    "imap idle": ("> A1 IDLE|< + idling|< * 3 EXISTS|> DONE|< A1 OK done|> A2 NOOP", "A1 IDLE|***|A2 NOOP"),
    "pop3": ("> USER joe|< +OK|> PASS hunter2|< +OK in|> STAT", "USER joe|PASS ***|STAT"),
    "pop3 with blanks": ("> PASS  hunter2 hunter2|< -ERR no|> QUIT", "PASS ***|QUIT"),
    "pop3 like a tag": ("> PASS LOGIN hunter2|< +OK in|> STAT", "PASS ***|STAT"),
    "pop3 apop": ("> APOP joe hunter2|< +OK in|> STAT", "APOP ***|STAT"),
    "pop3 at once": ("> USER joe|> PASS hunter2|> STAT|< +OK|< +OK|< +OK 0 0|> QUIT", "USER joe|PASS ***|***|QUIT"),
    "pop3 two lines": (f"> AUTH XOAUTH2|< + |> {BASE64}|< +OK in|> STAT", "AUTH XOAUTH2|***|STAT"),
    "smtp plain": (f"> AUTH PLAIN {BASE64}|< 235 in|> RSET", "AUTH PLAIN ***|RSET"),
    "smtp login": (
        f"> AUTH LOGIN|< 334 VXNlcg==|> am9l|< 334 UGFzcw==|> {BASE64}|< 535-no|< 535 no|> QUIT",
        "AUTH LOGIN|***|***|QUIT",
    ),
    "smtp mail": (
        "> MAIL FROM:<a@example.com> AUTH=<>|< 250 OK|> DATA|< 354 go|> PASS on|> 334 +|> ..|> .|< 250 taken|> QUIT",
        "MAIL FROM:<a@example.com> AUTH=<>|DATA|PASS on|334 +|..|.|QUIT",
    ),
    "smtp refused data": ("> DATA|< 554 no|> AUTH PLAIN hunter2|< 503 no", "DATA|AUTH PLAIN ***"),
    "smtp 354 out of turn": (f"> AUTH LOGIN|< 354 go|> AUTH PLAIN {BASE64}|< 235 in", "AUTH LOGIN|AUTH PLAIN ***"),
}


def traced(dialog: list[tuple[str, bytes]], pieces: int = 1 << 20) -> Said:
    """What is logged of a dialog that comes in pieces of so many bytes."""
    said = Said()
    trace = Trace(Peer(host="mail.example.com", port=143, section="pop-client"))
    for side, data in dialog:
        tell = trace.sent if side == ">" else trace.heard
        for start in range(0, len(data), pieces):
            tell(data[start : start + pieces])
    return said


def lines(said: Said, event: str) -> list[str]:
    return [found["line"] for found in said.all(event)]


@pytest.mark.parametrize("pieces", [1, 7, 1 << 20])
@pytest.mark.parametrize("name", DIALOGS)
def test_commands_are_shown_and_secrets_are_not(name: str, pieces: int) -> None:
    spoken, shown = DIALOGS[name]
    said = traced([(line[0], line[2:].encode() + b"\r\n") for line in spoken.split("|")], pieces)
    assert lines(said, "protocol.sent") == shown.split("|")
    assert lines(said, "protocol.heard") == [line[2:] for line in spoken.split("|") if line[0] == "<"]
    assert SECRET not in repr(said.events)
    assert BASE64 not in repr(said.events)


def test_event_says_whose_connection_it_is() -> None:
    event = traced([("<", b"* OK hello\r\n")]).one("protocol.heard")
    assert event["level"] == "debug"
    assert (event["section"], event["server"], event["line"]) == ("pop-client", "mail.example.com:143", "* OK hello")


def test_long_lines_are_cut_and_what_cannot_be_printed_is_written_out() -> None:
    said = traced([("<", b"x" * 201 + b"\r\n" + b"y" * 200 + b"\r\n" + b"\x00\x1b[31m\xff \xc3\xa4\r\n")], 50)
    assert lines(said, "protocol.heard") == ["x" * 200 + "…", "y" * 200, r"\x00\x1b[31m\xff ä"]


def test_line_that_never_ends_is_not_kept_whole() -> None:
    said = Said()
    trace = Trace(Peer(host="mail.example.com", port=143))
    tracemalloc.start()
    for _ in range(100):
        trace.heard(b"z" * 100_000)
    assert tracemalloc.get_traced_memory()[0] < 1_000_000
    tracemalloc.stop()
    trace.heard(b"\n")
    assert lines(said, "protocol.heard") == ["z" * 200 + "…"]


@given(
    st.sampled_from(["A1 LOGIN joe ", "A1 AUTHENTICATE PLAIN ", "AUTH PLAIN ", "PASS ", "APOP joe ", "AUTH XOAUTH2 "]),
    st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=30),
    st.integers(1, 60),
)
def test_whatever_follows_such_a_command_is_never_shown(command: str, rest: str, pieces: int) -> None:
    said = traced([(">", f"{command}{rest}{SECRET}\r\n".encode())], pieces)
    (line,) = lines(said, "protocol.sent")
    assert line.endswith(" ***")
    assert SECRET not in line
