"""FETCH responses as they stand on the wire: what is kept of them, and that none of them is too much."""

from __future__ import annotations

import io
import random
import re
from typing import Any

import pytest
from imapclient.exceptions import IMAPClientAbortError
from imapclient.response_parser import parse_fetch_response

from emaild.sources.imap_answers import BEGINNING, Answers, Items

MOST = 1_000_000
BOTH = ("BODY.PEEK[]", "INTERNALDATE")


class Wire:
    """What is still to come."""

    def __init__(self, rest: bytes) -> None:
        self._rest = io.BytesIO(rest)

    def read(self, size: int) -> bytes:
        return self._rest.read(size)

    def line(self) -> bytes:
        line = self._rest.readline()
        if not line:
            raise EOFError
        return line.removesuffix(b"\r\n")


def taken(*said: bytes, uids: tuple[int, ...] = (11,), items: tuple[str, ...] = BOTH, most: int = MOST) -> Answers:
    answers = Answers(b"A1", uids, items, most)
    for one in said:
        wire = Wire(one)
        line = wire.line()
        begun = BEGINNING.match(line)
        assert begun, line
        answers.take(line, begun.end(), wire)
    return answers


def found(*said: bytes) -> Items:
    return taken(*said).found.get(11, {})


@pytest.mark.parametrize(
    ("said", "raw"),
    [
        (b"BODY[] {5}\r\nab\r\nc UID 11", b"ab\r\nc"),
        (b"UID 11 BODY[] {0}\r\n", b""),
        (b'UID 11 BODY[] ""', b""),
        (b'UID 11 BODY[] "a \\"b\\" \\\\ (c) {3}"', b'a "b" \\ (c) {3}'),
        (b'UID 11 BODY[] "a\\b"', b"a\\b"),
        (b"UID 11 BODY[] NIL", None),
        (b"UID 11 BODY[] 4711", 4711),
        (b"UID 11 BODY[] ~{2}\r\n\0\n", b"\0\n"),
        (b"uid 11 body[] {1}\r\nx", b"x"),
        (b"FLAGS (\\Seen a[b $x) UID 11 MODSEQ (12) BODY[] {1}\r\nx", b"x"),
        (b'ENVELOPE ("a" {3}\r\n)(( (("b" NIL)) NIL) UID 11 BODY[] {1}\r\nx', b"x"),
        (b'BODY[HEADER.FIELDS ("X]" Y)] {2}\r\n)) UID 11 BODY[]<0> {1}\r\ny BODY[] {1}\r\nx', b"x"),
        (b"UID 11 BODY[] {2}\r\n)\r PREVIEW {2}\r\n\r\n X-GM-MSGID 1278455344230334865", b")\r"),
        (b" UID  11  BODY[] {1}\r\nx ", b"x"),
    ],
)
def test_body_is_found_among_whatever_else_is_said(said: bytes, raw: bytes | None) -> None:
    """RFC 3501 §7.4.2: the items come in any order, and each value in any of its forms."""
    assert found(b"* 3 FETCH (" + said + b")\r\n") == {b"UID": 11, b"BODY[]": raw}


def test_answers_about_one_mail_are_put_together_and_those_about_others_left_out() -> None:
    answers = taken(
        b"* 3 FETCH (UID 11 BODY[] {1}\r\nx)\r\n",
        b"* 11 FETCH (BODY[] {1}\r\ny)\r\n",
        b"* 4 FETCH (UID 12 BODY[] {1}\r\nz)\r\n",
        b'* 3 FETCH (INTERNALDATE "then" UID 11 FLAGS ())\r\n',
        b"* 3 FETCH ()\r\n",
    )
    assert answers.found == {11: {b"UID": 11, b"BODY[]": b"x", b"INTERNALDATE": b"then"}}


def test_answers_that_nobody_wants_any_more_are_not_kept() -> None:
    answers = taken(b"* 3 FETCH (UID 11 BODY[] {1}\r\nx)\r\n")
    answers.forget()
    wire = Wire(b"x)\r\n")
    answers.take(b"* 3 FETCH (UID 11 BODY[] {1}", len(b"* 3 FETCH ("), wire)
    assert (answers.found, wire.read(1)) == ({}, b"")


@pytest.mark.parametrize(
    "said",
    [
        b"UID 11 BODY[] {3}\r\nprivate matters here)",
        b"UID 11 BODY[] {1}\r\nx",
        b"UID 11 BODY[])",
        b"UID 11 BODY[] )",
        b"UID)",
        b"UID 11 FLAGS (\\Seen",
        b'UID 11 BODY[] "x)',
        b"UID 11) x",
        b"UID 11 BODY[ {1}\r\nx",
        b"UID 99999999999999999999)",
        b"UID 11 BODY[] {99999999999999999999}\r\n)",
        b"UID " + b"9" * 10_000 + b")",
        b"(UID) 11)",
        b"",
    ],
)
def test_answer_that_is_none_is_told(said: bytes) -> None:
    with pytest.raises(IMAPClientAbortError) as failure:
        found(b"* 3 FETCH (" + said + b"\r\n")
    assert "private" not in str(failure.value)


@pytest.mark.parametrize(
    "said",
    [
        b"UID 11 BODY[] {%d}\r\n" % (MOST + 1),
        b"UID 11 BODY[] {10000000000}\r\n",
        b"FLAGS (" + b"{0}\r\n" * MOST,
        b"X {0}\r\n Y {0}\r\n" * MOST,
        b"X {1}\r\nx Y {600000}\r\n" + b"y" * 600_000 + b" Z {600000}\r\n",
    ],
)
def test_answer_of_more_octets_than_may_come_is_given_up(said: bytes) -> None:
    with pytest.raises(ConnectionError, match="the answer is too long"):
        found(b"* 3 FETCH (" + said)


def test_many_answers_together_may_have_no_more_octets_than_one() -> None:
    one = b"* 3 FETCH (UID 11 BODY[] {9}\r\n123456789)\r\n"
    taken(*[one] * 10, most=400)
    with pytest.raises(ConnectionError, match="the answer is too long"):
        taken(*[one] * 11, most=400)


@pytest.mark.parametrize(
    "piece", [b"[", b"(", b'"', b"\\", b"{", b'"\\', b"( ", b"BODY[", b"{1} ", b'"" ', b"a ()", b" ", b"x[a "]
)
def test_line_of_any_length_is_read_in_one_go(piece: bytes) -> None:
    """A million octets, as long as a line may be, would take hours if any of it were looked at again and again."""
    for before in (b"", b"UID ", b'UID "', b"FLAGS (", b"BODY["):
        said = b"* 3 FETCH (" + before + piece * (MOST // len(piece))
        try:
            found(said + b"\r\n)\r\n")
        except (IMAPClientAbortError, ConnectionError):
            continue


def one_of(chance: random.Random) -> bytes:
    """An answer as a server may give it, with its line ends."""
    text = bytes(chance.choice(b'ab \\"(){5}[]\r\n.') for _ in range(chance.randrange(12)))
    quoted = b'"%b"' % re.sub(rb"[\r\n]", b"", text).replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    literal = b"{%d}\r\n%b" % (len(text), text)
    string = chance.choice([quoted, literal, literal])
    items = [
        b"UID %d" % chance.randrange(10, 14),
        b"BODY[] " + string,
        b'INTERNALDATE "21-Nov-2026 10:00:00 +0100"',
        b"FLAGS (%b)" % chance.choice([b"", b"\\Seen", b"\\Seen $Label1"]),
        b"BODY[TEXT]<5> " + string,
        b"ENVELOPE (NIL %b ((%b NIL NIL NIL)) NIL NIL NIL NIL NIL NIL NIL)" % (string, quoted),
        b"MODSEQ (%d)" % chance.randrange(1 << 60),
        b"RFC822.SIZE %d" % chance.randrange(1 << 32),
    ]
    chosen = [items[0], *chance.sample(items[1:], chance.randrange(len(items)))]
    chance.shuffle(chosen)
    return b"* %d FETCH (%b)\r\n" % (chance.randrange(1, 99), b" ".join(chosen))


def as_imapclient_has_it(said: bytes) -> dict[int, dict[bytes, Any]]:
    """By imaplib's way of taking literals apart, and IMAPClient's of understanding them."""
    wire, pieces = Wire(said), []
    line = wire.line().removeprefix(b"* ").replace(b" FETCH ", b" ", 1)
    while literal := re.search(rb"\{(\d+)\}$", line):
        pieces.append((line, wire.read(int(literal[1]))))
        line = wire.line()
    parsed = parse_fetch_response([*pieces, line], normalise_times=False)
    return {
        uid: {key: data[key] for key in (b"BODY[]", b"INTERNALDATE") if key in data} for uid, data in parsed.items()
    }


def test_answers_are_understood_as_imapclient_understands_them() -> None:
    chance = random.Random(31)
    for _ in range(2000):
        said = one_of(chance)
        theirs = as_imapclient_has_it(said)
        ours = taken(said, uids=(10, 11, 12, 13)).found
        assert {uid: data.get(b"BODY[]", 0) for uid, data in ours.items()} == {
            uid: data.get(b"BODY[]", 0) for uid, data in theirs.items()
        }, said
        assert [b"INTERNALDATE" in data for data in ours.values()] == [
            b"INTERNALDATE" in data for data in theirs.values()
        ]


def test_answers_that_were_tampered_with_end_in_order() -> None:
    chance = random.Random(32)
    for _ in range(5000):
        said = bytearray(one_of(chance))
        for _ in range(chance.randrange(1, 4)):
            said[chance.randrange(said.index(b"FETCH (") + 7, len(said))] = chance.choice(b'"(){}[]\\ \r\n9x')
        try:
            taken(bytes(said))
        except (IMAPClientAbortError, ConnectionError, EOFError):  # the end of the wire
            continue
