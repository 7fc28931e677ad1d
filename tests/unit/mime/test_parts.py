"""A mail is taken apart wherever its header ends and whatever its boundaries are: nothing is lost."""

from __future__ import annotations

import base64
from contextlib import suppress

import pytest

from emaild.mime import headers
from emaild.mime.limits import DEPTH, FIELDS, HEADER_BYTES, PARTS, TooMuch
from emaild.mime.parts import Part, leaves, parsed
from emaild.settings.properties import MimeProperties

READING = MimeProperties()


def lines(*given: str, end: str = "\r\n") -> bytes:
    return end.join(given).encode()


def mail(raw: bytes) -> tuple[tuple[tuple[str, str], ...], bytes]:
    """All fields, and the body."""
    found = parsed(raw, READING)
    return headers.everything(found.header, READING), found.body


def parts(raw: bytes) -> list[tuple[str, bytes]]:
    return [(part.kind, part.content(READING)) for part in leaves(parsed(raw, READING), READING)]


def one(content_type: str, *rest: str) -> Part:
    (part,) = leaves(parsed(lines(f"Content-Type: {content_type}", *rest), READING), READING)
    return part


GOOD = (("From", "a@b.c"), ("Subject", "one two"))
FIELD_LINES = ("From: a@b.c", "Subject: one", " two")


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\r\r\n"])
@pytest.mark.parametrize(
    "before",
    [
        [],
        ["", "", ""],
        ["   ", "\t"],
        ["From ann@b.c Mon Mar  2 10:30:00 2026"],
        [">From ann@b.c Mon Mar  2 10:30:00 2026"],
        ["", "From ann@b.c Mon Mar  2 10:30:00 2026"],
        ["+OK 1234 octets"],
        ["a line that is none", "and another"],
    ],
)
def test_what_stands_in_front_of_a_header_is_passed_over(before: list[str], end: str) -> None:
    assert mail(lines(*before, *FIELD_LINES, "", "body", end=end)) == (GOOD, b"body")


def test_a_header_may_begin_with_white_space_or_a_byte_order_mark() -> None:
    raw = lines(*FIELD_LINES, "", "body")
    assert mail(b"  " + raw) == mail(b"\xef\xbb\xbf" + raw) == (GOOD, b"body")


@pytest.mark.parametrize("raw", [b"\r\nHello: you\r\n\r\nmore", b"Hello,\r\n\r\nNote: x", b"just text\r\nand more\r\n"])
def test_a_text_without_a_header_stays_a_text(raw: bytes) -> None:
    fields, body = mail(raw)
    assert fields == ()
    assert body.strip() == raw.strip()


@pytest.mark.parametrize(
    ("broken", "subject"),
    [
        (["which goes on"], "one two which goes on"),
        (["which goes", "on (and on)"], "one two which goes on (and on)"),
        (["Grüße ohne Doppelpunkt"], "one two Grüße ohne Doppelpunkt"),
        ([": no name"], "one two : no name"),
        (["From ann Mon Mar  2 10:30:00 2026"], "one two"),
        ([">From ann Mon Mar  2 10:30:00 2026"], "one two"),
    ],
)
def test_a_broken_line_among_good_fields_loses_neither_them_nor_itself(broken: list[str], subject: str) -> None:
    raw = lines(*FIELD_LINES, *broken, "To: x@y.z", "X-Last: 1", "", "body")
    assert mail(raw) == ((GOOD[0], ("Subject", subject), ("To", "x@y.z"), ("X-Last", "1")), b"body")


@pytest.mark.parametrize(
    "body",
    [
        "Hello,\r\n\r\nFrom: here on",
        "Hello,\r\nPlease note: this\r\n\r\nbye",
        "Hello,\r\nFrom: quoted@b.c\r\nSubject: quoted\r\n\r\nbye",
        "> quoted\r\n> more\r\n> and\r\n> more\r\n> and\r\n> more\r\nTo: x",
        "--b\r\n",
    ],
)
def test_a_header_without_an_empty_line_ends_before_the_text(body: str) -> None:
    assert mail(lines(*FIELD_LINES, body)) == (GOOD, body.encode())


def test_a_field_may_have_blanks_before_its_colon_and_bytes_of_any_kind_behind() -> None:
    raw = b"Subject \t: x\0y\xff\r\nX-Empty:\r\nX-Odd!#$: z\r\n\r\nbody"
    assert mail(raw) == ((("Subject", "xyÿ"), ("X-Empty", ""), ("X-Odd!#$", "z")), b"body")


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("text/plain", "text/plain"),
        ("TEXT/Html; charset=x", "text/html"),
        ("text / html", "text/html"),
        ('"text/html"', "text/html"),
        ("text/html charset=utf-8", "text/html"),
        ("text", "text/plain"),
        ("text; charset=utf-8", "text/plain"),
        ("image", "application/octet-stream"),
        ("application/", "application/octet-stream"),
        ("multipart", "text/plain"),
        ("garbage", "text/plain"),
        ("/", "text/plain"),
        ("", "text/plain"),
        (";", "text/plain"),
        ("application/vnd.ms-excel; name=a/b", "application/vnd.ms-excel"),
        ("application/ünïcode", "application/octet-stream"),
        ("garbage\r\nContent-Type: text/html", "text/html"),
        ("text/html\r\nContent-Type: image/png", "text/html"),
    ],
)
def test_the_type_is_the_first_that_can_be_read(written: str, kind: str) -> None:
    assert one(written, "", "body").kind == kind


@pytest.mark.parametrize(
    ("encoding", "body", "meant"),
    [
        ("base64", "R3LDvMOfZQ==", "Grüße"),
        ("base64", "R3LDvM\r\nOfZQ", "Grüße"),
        ("base64;", "R3LDvMOfZQ==", "Grüße"),
        ('"base64"', "R3LDvMOfZQ==", "Grüße"),
        ("(really) Base64 (yes)", "R3LDvMOfZQ==", "Grüße"),
        ("base64", "R3LDvMOfZQ==R3LDvMOfZQ==", "GrüßeGrüße"),
        ("base64", "R3LD!vMOf*ZQ==", "R3LD!vMOf*ZQ=="),
        ("base64", "R3LDvMOfR3LDvMOf*R3LDvMOfZQ==", "GrüßGrüßGrüße"),
        ("base64", "R3LDvMOf" * 9 + "\r\n\0!! garbage !!\r\nR3LDvMOfZQ==", "Grüß" * 9 + "Grüße"),
        ("base64", "R3LDvMOfZ", "Grüß"),
        ("base64", "R3LDvMOfZQ==\r\n-- \r\nA list's footer", "Grüße\n-- \r\nA list's footer"),
        ("base64", "Dear Ann, where is it?\r\nBob", "Dear Ann, where is it?\r\nBob"),
        ("base64", "Wait four more days", "Wait four more days"),
        ("base64", "", ""),
        ("quoted-printable", "Gr=C3=BC=\r\n=C3=9Fe=", "Grüße"),
        ("quoted-printable", "Gr=c3=bc= \t\r\n=C3=9Fe", "Grüße"),
        ("quoted-printable", "Gr=C3=BC=\r=C3=9Fe\rtwo", "Grüße\ntwo"),
        ("quoted-printable", "Gr=C3=BC=\r\r\n=C3=9Fe", "Grüße"),
        ("quoted-printable", "a=ZZ=3D=3 =", "a=ZZ==3 "),
        ("x-uuencode", "begin 644 x\r\n&1W+#O,.?\r\n`\r\nend\r\n", "Grüß"),
        ("uuencode", "&1W+#O,.?", "Grüß"),
        ("x-uue", "see below\r\nbegin 644 x\r\n&1W+#O,.?", "Grüß"),
        ("x-uuencode", "PLAIN WORDS", "PLAIN WORDS"),
        ("x-uuencode", "plain words", "plain words"),
        ("x-yenc", "=ybegin line=128 size=3 name=a\r\nrst=}\r\n=yend size=4\r\nx", "HIJ\x13"),
        ("yenc", "plain words", "plain words"),
        ("8bit", "R3LDvMOfZQ==", "R3LDvMOfZQ=="),
        ("no-such", "Gr=C3=BC", "Gr=C3=BC"),
    ],
)
def test_a_body_is_decoded_as_far_as_it_is_encoded_as_it_says(encoding: str, body: str, meant: str) -> None:
    part = one("text/plain", f"Content-Transfer-Encoding: {encoding}", "", body)
    assert part.content(READING).decode() == meant


@pytest.mark.parametrize("encoding", ["7bit", "8bit", ""])
def test_text_that_is_base64_from_end_to_end_is_decoded_though_it_does_not_say_so(encoding: str) -> None:
    text = "Guten Tag,\nviele Grüße aus München\n" * 5
    encoded = base64.encodebytes(text.encode()).decode()
    fields = f"Content-Transfer-Encoding: {encoding}"
    assert one("text/plain", fields, "", encoded).content(READING) == text.encode()
    assert one("application/x", fields, "", encoded).content(READING) == encoded.encode()
    cut = encoded.rstrip("=\n")[:-1]  # as many digits as no bytes have
    assert text.startswith(one("text/plain", fields, "", cut).content(READING).decode())
    key = base64.encodebytes(bytes(range(256))).decode()
    assert one("text/plain", fields, "", key).content(READING) == key.encode()


def multipart(*body: str, boundary: str = "; boundary=b", more: str = "X-Y: z") -> bytes:
    return lines(f"Content-Type: multipart/mixed{boundary}", more, "", *body)


HTML = "Content-Type: text/html"


@pytest.mark.parametrize(
    ("boundary", "body"),
    [
        ("; boundary=b", ["--b", "", "one", "--b", HTML, "", "two", "--b--"]),
        ("; boundary=b", ["pre", "--b \t", "", "one", "--b  ", HTML, "", "two", "--b-- ", "post"]),
        ("; boundary=b", ["--b", "", "one", "--b", HTML, "", "two"]),
        ('; boundary="b "', ["--b", "", "one", "--b", HTML, "", "two", "--b--"]),
        ("; boundary*0=\"b\"", ["--b", "", "one", "--b", HTML, "", "two", "--b--"]),
        ("; boundary=lost", ["--b", "", "one", "--b", HTML, "", "two", "--b--"]),
        ("; boundary=lost", ["-- ", "-- Ann", "--b", HTML, "", "two"]),
        ("", ["--b", "", "one", "--b", HTML, "", "two", "--b--"]),
        ("; boundary=b", ["--b", "", "one", "--bb", "--b", HTML, "", "two", "--b--"]),
    ],
)  # fmt: skip
def test_parts_are_found_whatever_has_become_of_their_boundary(boundary: str, body: list[str]) -> None:
    assert parts(multipart(*body, boundary=boundary))[-1] == ("text/html", b"two")


def test_boundaries_that_begin_alike_are_told_apart() -> None:
    inner = [
        "Content-Type: multipart/alternative; boundary=bb",
        "",
        "--bb",
        "",
        "one",
        "--bb",
        HTML,
        "",
        "two",
        "--bb--",
    ]
    found = parts(multipart("--b", *inner, "--b", HTML, "", "three", "--b--"))
    assert found == [("text/plain", b"one"), ("text/html", b"two"), ("text/html", b"three")]


def test_parts_in_a_part_with_the_same_boundary_are_all_found() -> None:
    inner = ["Content-Type: multipart/alternative; boundary=b", "", "--b", "", "one", "--b", HTML, "", "two", "--b--"]
    found = parts(multipart("--b", *inner, "--b", HTML, "", "three", "--b--"))
    assert found == [("text/plain", b"one"), ("text/html", b"two"), ("text/html", b"three")]


def test_a_part_whose_end_is_missing_ends_with_the_one_around_it() -> None:
    inner = ["Content-Type: multipart/alternative; boundary=i", "", "--i", "", "one", "--i", HTML, "", "two"]
    found = parts(multipart("--b", *inner, "--b", HTML, "", "three", "--b--"))
    assert found == [("text/plain", b"one"), ("text/html", b"two"), ("text/html", b"three")]


@pytest.mark.parametrize(
    "body",
    ["just text", "text\r\n-- \r\nAnn", "--b--\r\ntext", "-----Original-----\r\ntext", "text\r\n--Ann\r\nMiller"],
)
@pytest.mark.parametrize("boundary", ["; boundary=b", "; boundary=x", ""])
def test_a_multipart_without_parts_is_text(body: str, boundary: str) -> None:
    assert parts(multipart(body, boundary=boundary)) == [("text/plain", body.encode())]


@pytest.mark.parametrize("body", ["", "\r\n\r\n", "--b--\r\n"])
def test_a_multipart_without_anything_has_no_parts(body: str) -> None:
    assert parts(multipart(body)) == []


def test_text_before_the_first_part_counts_where_the_mail_has_no_other() -> None:
    picture = ["--b", "Content-Type: image/png", "", "x", "--b--"]
    assert parts(multipart("The only text", "", *picture))[0] == ("text/plain", b"The only text\r\n")
    assert parts(multipart("This is a multi-part message in MIME format.", *picture)) == [("image/png", b"x")]
    assert parts(multipart("not shown", "--b", "", "text", *picture)) == [("text/plain", b"text"), ("image/png", b"x")]


def test_an_encoded_multipart_is_taken_apart() -> None:
    """RFC 2045 §6.4 allows it no encoding but 7bit, 8bit and binary; where the label is wrong, it is no matter."""
    body = "\r\n".join(["--b", HTML, "", "two", "--b--"])
    encoded = base64.encodebytes(body.encode()).decode()
    label = "Content-Transfer-Encoding: base64"
    assert parts(multipart(encoded, more=label)) == parts(multipart(body, more=label)) == [("text/html", b"two")]


def too_much(raw: bytes) -> str:
    """The reason why a mail is not taken apart."""
    found = parsed(raw, READING)
    assert headers.field(found.header, "Subject", READING) == "there"
    with pytest.raises(TooMuch) as reason:
        leaves(found, READING)
    return str(reason.value)


SUBJECT = b"Subject: there\r\n"


def test_a_mail_beyond_a_limit_says_which_and_keeps_its_header() -> None:
    many = SUBJECT + multipart(*["--b", "", "x"] * PARTS)
    assert too_much(many) == f"it has more than {PARTS} parts"
    assert len(leaves(parsed(multipart(*["--b", "", "x"] * (PARTS - 1)), READING), READING)) == PARTS - 1
    deep = b"".join(
        f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n".encode() for n in range(2 * DEPTH)
    )
    assert too_much(SUBJECT + deep) == f"its parts lie more than {DEPTH} deep in one another"
    assert too_much(SUBJECT + b"X: y\r\n" * FIELDS) == f"its header has more than {FIELDS} fields"
    for long in (b"X: " + b"y" * HEADER_BYTES, b"X: y\r\n" + b" y\r\n" * HEADER_BYTES):
        assert too_much(SUBJECT + long) == f"its header is longer than {HEADER_BYTES} bytes"
    part_header = SUBJECT + multipart("--b", "X: y\r\n" * FIELDS + "X: y")
    assert too_much(part_header) == f"its header has more than {FIELDS} fields"


def test_a_header_that_is_cut_leaves_all_that_follows_in_the_body() -> None:
    raw = b"X: y\r\n" * (FIELDS + 1) + b"\r\nbody"
    found = parsed(raw, READING)
    assert (len(found.header), found.body) == (FIELDS, b"X: y\r\n\r\nbody")
    assert not parsed(b"X: y\r\n" * FIELDS, READING).header_cut


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "hostile",
    [
        b"--b\r\n", b"--b\r\n\r\n", b"--b--\r\n", b"--b ", b"--", b"-", b"\r", b"\n", b"\r\n", b" \r\n", b"\t",
        b"X: y\r\n",
        b"x\r\n", b"x", b":", b"From x\r\n", b"x\r\nTo: y\r\n",
        b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n",
        b"--bb\r\n", b"\0", b"=", b"R3LD\r\n", b"begin 644 x\r\n", b"--x\r\n", b'";x="', b"(", b"--a\r\nContent-\r\n",
    ],
)  # fmt: skip
def test_a_long_mail_takes_no_time_whatever_it_holds(hostile: bytes) -> None:
    """The test's time limit is the assertion: what takes the square of its length takes hours."""
    written = hostile * (500_000 // len(hostile))
    kind = b"Content-Type: multipart/mixed"
    heads = [
        b"",
        kind + b"\r\n\r\n",
        kind + b"; boundary=b\r\n\r\n",
        kind + b"; boundary=",
        kind + b"; boundary=none\r\n\r\n",
    ]
    heads += [
        b"Content-Transfer-Encoding: " + name + b"\r\n\r\n" for name in (b"base64", b"quoted-printable", b"x-uue")
    ]
    for head in heads:
        for reading in (READING, MimeProperties(ignorewhitespacelines=True)):
            found = parsed(head + written, reading)
            headers.everything(found.header, reading)
            with suppress(TooMuch):
                assert all(isinstance(part.content(reading), bytes) for part in leaves(found, reading))
