"""Taking sections out of a conf file, and setting options in it, with all else byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaild.errors import InputError
from emaild.provision.heads import DOCUMENT as HEAD
from emaild.provision.section_text import sections_in, with_options, without
from emaild.settings.ini import read
from emaild.settings.option import same_name
from emaild.settings.reader import ALIASES

THREE = b"""\
# The mailboxes of our shop.

# Ann's.
[pop-client-ann]
mailbox = ann
# every day
cycle-time = 1h
#folder-path = Sales

# What follows is Bob's.
[pop-client-bob]
mailbox = bob

; The way out.
[smtp]
server = h
"""
LINES = [
    "[pop-client-a]",
    "[Pop-Client-A]  ",
    "[smtp]",
    "[smtp-client]",
    "[c]",
    "# [c]",
    "#x = 1",
    "; remark",
    "",
    "  ",
    "Folder_Path = a = b",
    "folder-path=",
    "after = \u00fc",
    "no option",
    " indented = 1",
    "[wrong",
    " [c]",
]
BLANKS = ["", "", "\u00a0", "\u3000", "\u0085", "\x1c", "\x1f "]
"""What the reader takes for blanks at the end of a line, or alone in it."""


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """Conf files, wrong ones too, with line ends of either kind."""
    lines = [line + draw(st.sampled_from(BLANKS)) for line in draw(st.lists(st.sampled_from(LINES), max_size=14))]
    end = draw(st.sampled_from(["\n", "\r\n"]))
    text = end.join(lines) + draw(st.sampled_from(["", end]))
    return (draw(st.sampled_from(["", "\ufeff"])) + text).encode()


def parsed(text: bytes) -> dict[str, dict[str, str]]:
    """What the conf files' reader sees."""
    sections, _ = read([(Path("a.conf"), text)], ALIASES)
    return {name: {key: one.text for key, one in part.options.items()} for name, part in sections.items()}


def faults(text: bytes) -> list[str]:
    """What that reader finds wrong."""
    return [fault.text for fault in read([(Path("a.conf"), text)], ALIASES)[1]]


def test_a_section_goes_with_its_own_remarks_and_no_others() -> None:
    assert without(THREE, ["POP-client-ann"]) == THREE.replace(
        THREE[THREE.index(b"# Ann's") : THREE.index(b"# What follows")], b""
    )
    assert without(THREE, ["pop-client-bob"]) == THREE.replace(
        THREE[THREE.index(b"# What follows") : THREE.index(b"; The way")], b""
    )
    assert without(THREE, ["smtp-client"]) == THREE[: THREE.index(b"; The way")], "[smtp] is [smtp-client]"


def test_the_head_of_a_file_stays_even_where_it_stands_directly_above() -> None:
    text = b"# Ours.\n[pop-client-ann]\nmailbox = a\n\n[pop-client-bob]\nmailbox = b\n"
    assert without(text, ["pop-client-ann"]) == b"# Ours.\n[pop-client-bob]\nmailbox = b\n"


def test_a_section_in_several_pieces_goes_whole() -> None:
    assert without(b"[a]\nx = 1\n[b]\ny = 1\n[A]\nz = 1\n", ["a"]) == b"[b]\ny = 1\n"


@pytest.mark.parametrize("blank", ["\u00a0", "\u3000", "\u0085", "\x1c", " \x1f"])
def test_a_section_whose_header_ends_in_an_unusual_blank_is_no_part_of_the_one_above(blank: str) -> None:
    rest = f"[b]{blank}\ny = 1\n".encode()
    assert without(b"[a]\nx = 1\n" + rest, ["a"]) == rest
    assert without(f"[a]\nx = 1\n{blank}\n#[b]{blank}\n".encode(), ["a"]) == f"#[b]{blank}\n".encode()


HEADS = [
    b"# ann@x.org, set up by emaild add; as x.org says.\n"
    b"# What is changed here counts at once; emaild remove pop-client-a takes it all out again.\n\n",
    HEAD,
    b"\xef\xbb\xbf",
]


@pytest.mark.parametrize("head", HEADS)
def test_nothing_is_left_where_only_remarks_of_emaild_would_be(head: bytes) -> None:
    assert without(head + b"[a]\r\nx = 1\n\n", ["a"]) is None


@pytest.mark.parametrize("remark", [b"# Contract 123, until 2031.\n", b"# emaild\n"])
def test_a_remark_of_a_person_stays_even_alone(remark: bytes) -> None:
    assert without(remark + b"\n[a]\nx = 1", ["a"]) == remark + b"\n"
    assert without(b"[a]\nx = 1\n\n" + remark, ["a"]) == remark
    assert without(HEADS[0] + remark + b"\n[a]\nx = 1", ["a"]) == HEADS[0] + remark + b"\n"


@pytest.mark.parametrize("value", ["a\nb = c", "a\rb", "a\x85b", "a\u2028b", "\udc80", "\0"])
def test_no_value_becomes_two_lines(value: str) -> None:
    with pytest.raises(InputError, match="cannot stand in one line") as refused:
        with_options(b"[a]\nx = 1\n", "a", {"x": value})
    assert "b" not in str(refused.value).partition(":")[0]
    with pytest.raises(InputError):
        with_options(b"[a]\nx = 1\n", "a", {value: "1"})
    assert with_options(b"[a]\nx = 1\n", "a", {"x": "M\u00fc\u00a0ller \U0001f600", "y": ""}).endswith(b"\ny =\n")


def test_a_section_that_rests_in_remarks_stays() -> None:
    assert without(b"[a]\nx = 1\n#[b]\n#y = 1\n", ["a"]) == b"#[b]\n#y = 1\n"


def test_options_are_set_where_they_stand_and_new_ones_follow_the_last() -> None:
    changed = with_options(THREE, "pop-client-ann", {"CYCLE_TIME": "2h", "mailbox": None, "idle": "false"})
    assert changed == THREE.replace(b"mailbox = ann\n", b"", 1).replace(
        b"cycle-time = 1h\n", b"cycle-time = 2h\nidle = false\n"
    )


def test_an_option_is_set_in_the_piece_of_its_section_in_which_it_stands() -> None:
    changed = with_options(b"[a]\nx = 1\n[b]\n[a]\ny = 1\n", "a", {"y": "2", "z": "3"})
    assert changed == b"[a]\nx = 1\nz = 3\n[b]\n[a]\ny = 2\n"


def test_line_ends_stay_of_their_kind() -> None:
    assert with_options(b"[a]\r\nx = 1", "a", {"y": "2"}) == b"[a]\r\nx = 1\r\ny = 2\r\n"
    assert with_options(b"[a]", "a", {"y": "2"}) == b"[a]\ny = 2\n"


@given(texts(), st.sampled_from(["pop-client-a", "smtp-client", "c"]))
def test_whatever_the_file_the_others_read_as_before(text: bytes, name: str) -> None:
    before = parsed(text)
    assert set(sections_in(text)) == before.keys()
    left = without(text, [name])
    assert parsed(left or b"") == {other: options for other, options in before.items() if other != name}
    if left is not None:
        rest = iter(text.split(b"\n"))
        assert all(line in rest for line in left.split(b"\n") if line), "no line is changed, and none is moved"


@given(texts(), st.sampled_from(["pop-client-a", "smtp-client", "c"]))
def test_whatever_the_file_an_option_that_is_set_reads_so(text: bytes, name: str) -> None:
    before = parsed(text)
    twice = any("stands already" in fault for fault in faults(text))
    if name not in before or twice or b"[wrong" in text:  # what follows a wrong header is read by nobody
        return
    values = {"folder-path": "new", "after": None, "idle": "no"}
    changed = with_options(text, name, values)
    assert len(faults(changed)) <= len(faults(text)), "no option stands twice that did not"
    after = parsed(changed)
    expected = {key: value for key, value in before[name].items() if key != same_name("after")}
    assert after.pop(name) == expected | {same_name("folder-path"): "new", "idle": "no"}
    assert after == {other: options for other, options in before.items() if other != name}
