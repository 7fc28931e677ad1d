"""The list of forbidden header fields: whose it is, how it is read, and what no list allows."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaild.errors import InputError
from emaild.render.forbidden import ALWAYS, FILE, Forbidden, faults, forbidden_headers
from emaild.render.response.checking import checked
from tests.composing import composed, on_the_wire, parsed

SHIPPED = Path(__file__).parents[3] / "templates"


def listed(folder: Path, content: str | bytes) -> Forbidden:
    """What a list with that content forbids."""
    raw = content if isinstance(content, bytes) else content.encode("latin-1")
    (folder / FILE).write_bytes(raw)
    return forbidden_headers((folder, SHIPPED))


def names(folder: Path, content: str | bytes) -> list[str]:
    found = listed(folder, content)
    return sorted([*found.names, *(f"{one}*" for one in found.beginnings)])


@pytest.mark.parametrize(
    "name", ["In-Reply-To", "references", "AUTO-SUBMITTED", "DKIM-Signature", "x-spam-flag", "ARC-Seal"]
)
def test_the_shipped_list_forbids_what_others_write(name: str) -> None:
    wrong = forbidden_headers((SHIPPED,)).wrong_with(name, "x")
    assert wrong.startswith(f"the header field {name} is forbidden by {SHIPPED / FILE}:")
    line = (SHIPPED / FILE).read_text("ascii").splitlines()[int(wrong.rpartition(":")[2]) - 1]
    assert name.lower().startswith(line.lower().rstrip("*"))


@pytest.mark.parametrize("name", ["X-Order", "Reply-To", "Organization", "X-Spa", "Importance", "List-Unsubscribe"])
def test_the_shipped_list_allows_the_rest(name: str) -> None:
    assert forbidden_headers((SHIPPED,)).wrong_with(name, "a@b.c") == ""


def test_the_operators_list_counts_alone(tmp_path: Path) -> None:
    found = listed(tmp_path, "# ours\nX-Order\n")
    assert found.wrong_with("x-order", "1") == f"the header field x-order is forbidden by {tmp_path / FILE}:2"
    assert found.wrong_with("X-Spam-Flag", "YES") == ""
    assert found.wrong_with("X-Order-2", "1") == ""
    assert listed(tmp_path, "X\nX-Order\nx-order\n").wrong_with("X-Order", "1").endswith(f"{FILE}:2")
    assert listed(tmp_path, "").wrong_with("X-Order", "1") == ""
    (tmp_path / FILE).unlink()
    assert "ForbiddenHeaders" in forbidden_headers((tmp_path, SHIPPED)).wrong_with("X-Spam-Flag", "YES")
    assert forbidden_headers((tmp_path,)).wrong_with("X-Spam-Flag", "YES") == ""


@pytest.mark.parametrize("name", [*ALWAYS, "Content-Type", "CONTENT-Foo", "Resent-To", "RECEIVED", "Bcc"])
def test_what_a_mail_gets_otherwise_is_refused_whatever_the_list_says(name: str, tmp_path: Path) -> None:
    assert listed(tmp_path, "").wrong_with(name, "a@b.c") == f"the header field {name} is made from what else is given"


def test_a_star_stands_for_all_names_that_begin_so(tmp_path: Path) -> None:
    found = listed(tmp_path, "X-Order-*\nX-Order-Two\n")
    assert found.wrong_with("x-order-one", "").endswith(f"{FILE}:1")
    assert found.wrong_with("X-Order-", "").endswith(f"{FILE}:1")
    assert found.wrong_with("X-Order-Two", "").endswith(f"{FILE}:2")
    assert found.wrong_with("X-Order", "") == ""
    assert listed(tmp_path, "*").wrong_with("X", "").endswith(f"{FILE}:1")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("A\nB\r\nC\rD", ["a", "b", "c", "d"]),
        ("A=1\nB:2\nC 3\nD\t4\nE\f5\nF = 6\n  G", ["a", "b", "c", "d", "e", "f", "g"]),
        ("# A\n! B\n  #C\n\n \t\f\nD#E\n", ["d#e"]),
        ("X-\\\n   One\nX-\\\r\n\tTwo", ["x-one", "x-two"]),
        ("A\\\n#B\n# C\\\nD", ["a#b", "d"]),
        ("A\\\n\nB", ["a", "b"]),
        ("X\\u002dA\nX\\u002DB\n\\X-C", ["x-a", "x-b", "x-c"]),
        ("\xef\xbb\xbfA", ["a"]),
        ("# \xfc\xff\nA", ["a"]),
        ("\\\nA\\", ["a"]),
    ],
    ids=ascii,
)
def test_the_list_is_read_as_java_reads_properties(content: str, found: list[str], tmp_path: Path) -> None:
    assert names(tmp_path, content) == found
    assert faults(tmp_path / FILE) == []


def test_the_check_names_wrong_lines_and_they_forbid_nothing(tmp_path: Path) -> None:
    content = (
        "Good\nX\\:Y\n=a\nX-\\\n  \\ a\nX-*-Y\nX-A, X-B\n\\u12G4\nM\xfcller\n"
        + "x" * 1000
        + "\nA\\\\\nLast\nB\\\\\\\n C\n"
    )
    assert names(tmp_path, content) == ["good", "last"]
    expected = "is no name of a header field; expected one such as X-Mailer, or X-Spam-* for all that begin so"
    wrong = {
        2: "X:Y",
        3: "",
        4: "X- a",
        6: "X-*-Y",
        7: "X-A,",
        8: "\\u12G4",
        9: "M\xfcller",
        10: "x" * 57 + "...",
        11: "A\\",
        13: "B\\C",
    }
    lines = [f"{tmp_path / FILE}:{number}: {name!r} {expected}" for number, name in wrong.items()]
    assert [str(fault) for fault in faults(tmp_path / FILE)] == lines
    assert [str(fault) for fault in checked((tmp_path, SHIPPED))[0]] == lines


def test_what_cannot_be_read_is_an_error_and_not_an_empty_list(tmp_path: Path) -> None:
    path = tmp_path / "folder" / FILE
    path.mkdir(parents=True)
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / FILE).symlink_to("nowhere")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / FILE).symlink_to(SHIPPED / FILE)
    (tmp_path / "big").mkdir()
    (tmp_path / "big" / FILE).write_bytes(b"#" * 3_000_000)
    for name, why in {
        "folder": "it is no plain file",
        "link": "it is a link to nothing",
        "out": "the link leads out of",
        "big": "it is too large",
    }.items():
        with pytest.raises(InputError) as raised:
            forbidden_headers((tmp_path / name, SHIPPED))
        assert str(raised.value).startswith(f"{tmp_path / name / FILE}: {why}")
        assert [str(fault) for fault in faults(tmp_path / name / FILE)] == [
            str(raised.value).replace(f"{FILE}: ", f"{FILE}:1: ")
        ]


@pytest.mark.parametrize(
    ("name", "value", "wrong"),
    [
        ("X Y", "a", "'X Y' is no name of a header field"),
        ("X-Y:", "a", "'X-Y:' is no name of a header field"),
        ("X\r\nBcc", "a", r"'X\r\nBcc' is no name of a header field"),
        ("", "a", "'' is no name of a header field"),
        ("Xü", "a", "'Xü' is no name of a header field"),
        ("x" * 901, "a", f"'{'x' * 80}' is no name of a header field"),
        ("X-Y", "a\r\nBcc: b@c.d", "X-Y: a line break or control character does not belong into a header field"),
        ("X-Y", "a\x85", "X-Y: a line break or control character does not belong into a header field"),
        ("X-Y", "a\u2028b", "X-Y: a line break or control character does not belong into a header field"),
        ("X-Y", "\ud800", "X-Y: a line break or control character does not belong into a header field"),
        ("X-Y", "\0", "X-Y: a line break or control character does not belong into a header field"),
        ("X-Y", "ü" * 500, "X-Y: its name and value have more than 998 bytes"),
        ("X-Y", "x" * 996, "X-Y: its name and value have more than 998 bytes"),
        ("X-Y", "x" * 995, ""),
        ("X-Y", "ü" * 497, ""),
        ("X-Y", "a\tb", ""),
        ("X-Y", "", ""),
        ("x" * 900, "y" * 98, ""),
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_a_field_that_no_header_can_hold_is_refused(name: str, value: str, wrong: str) -> None:
    assert Forbidden().wrong_with(name, value) == wrong
    if not wrong:
        mail = composed(headers=((name, value),))
        on_the_wire(mail)
        assert parsed(mail)[name].strip() == value


@given(st.text(max_size=20), st.text(max_size=50))
def test_a_field_that_may_be_given_can_be_composed(name: str, value: str) -> None:
    if Forbidden().wrong_with(name, value) == "" and name.lower() not in ("reply-to", "sender"):
        mail = composed(headers=((name, value),))
        on_the_wire(mail)
        assert len(parsed(mail).keys()) == 9


@given(st.binary(max_size=200))
def test_any_bytes_are_a_list(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.getbasetemp() / "any"
    folder.mkdir(exist_ok=True)
    listed(folder, content).wrong_with("X-Order", "1")
    assert all("\n" not in str(fault) for fault in faults(folder / FILE))


@pytest.mark.parametrize("unit", ["a\n", "a\\\n", "\\", "\\u0041", "x*\n", "\\\n", "\n", "\\:"], ids=ascii)
def test_a_large_list_is_read_at_once(unit: str, tmp_path: Path) -> None:
    """Of a size that would take minutes if any of it were read again and again."""
    listed(tmp_path, unit * (300_000 // len(unit))).wrong_with("y" * 900, "1")
    assert len(faults(tmp_path / FILE)) <= 1
