"""Whatever lies in conf files, it becomes settings or a list of mistakes, and nothing else happens."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from emaild.errors import ConfigError
from emaild.settings.load import Settings, load
from emaild.settings.option import options, section_kind
from emaild.settings.property_map import PROPERTIES
from emaild.settings.reader import SECTIONS

NAMES = sorted({declared.name for kind in SECTIONS for declared in options(kind)})
PROPERTY_NAMES = sorted(known.name for known in PROPERTIES.values())
HEADERS = sorted({spelling for kind in SECTIONS for spelling in section_kind(kind).spellings})
FILES = ("emaild.conf", "a.conf", "sites/b.conf", "conf.d/c.conf")
DEFAULTS = sorted({declared.default or "" for kind in SECTIONS for declared in options(kind)})
VALUES = [
    "true",
    "5m",
    "1",
    "/tmp",
    "IMAP",
    "move",
    "a@b.c",
    "file:/dev/null",
    "env:HOME",
    "~x",
    "[",
    "%(",
    "***",
    "env:\x1b[1m",
    "file:/\r",
]
BLANKS = ["", "", "", " ", "\t", "\u00a0", "\x0b", "\r", "\u2028", "\x1c", "\x85"]
ODD_HEADERS = ["DEFAULT", "pop-client-ü", "x", "smtp", "ucs", "pop-client-a]", "a\rb", "pop-client-\x1b", ""]

blank = st.sampled_from(BLANKS)
value = st.one_of(st.sampled_from(VALUES), st.sampled_from(DEFAULTS), st.text(max_size=20))
name = st.one_of(st.sampled_from(NAMES), st.sampled_from(PROPERTY_NAMES))
header = st.builds("{}[{}]".format, blank, st.sampled_from([*HEADERS, *ODD_HEADERS]))
option = st.builds("{}{}{}={}".format, blank, name, blank, value)
include = st.builds(
    "[emaild]\ninclude = {}".format, st.sampled_from([*FILES, "*.conf", "*/*", "..", ".", "sites", "x", "\x1bx"])
)
line = st.one_of(header, option, option, include, st.text(max_size=20))
content = st.lists(line, max_size=12).map(lambda lines: "\n".join(lines).encode("utf-8", "surrogatepass"))


@st.composite
def mangled(draw: st.DrawFn) -> bytes:
    """A conf file with some of its bytes taken out and others put in."""
    whole = draw(content)
    at = draw(st.integers(0, len(whole)))
    return whole[:at] + draw(st.binary(max_size=4)) + whole[at + draw(st.integers(0, 4)) :]


def outcome(files: Mapping[str, bytes]) -> Settings | ConfigError:
    """What becomes of these files; anything but these two is raised. A mistake is one line, and names its file."""
    with tempfile.TemporaryDirectory() as folder:
        for path, written in files.items():
            Path(folder, path).parent.mkdir(exist_ok=True)
            Path(folder, path).write_bytes(written)
        try:
            return load(Path(folder, "emaild.conf"))
        except ConfigError as error:
            refused = error
    assert refused.lines
    for told in refused.lines:
        assert re.match(r"/.*:\d+: \S", told), told  # a pattern may lead out of the folder
        assert told.isprintable(), told
    return refused


@given(content)
@example("[log]\n\u00a0[x] = 1".encode())
@example(b"[emaild]\ntemplates = ~x")
@example(b"[pop-client]\npassword = credential:" + b"x" * 300)
@example(b"[emaild]\ntemplates = /" + b"x" * 5000)
@example(b"[pop-client]\npassword = file:\nserver = \r\nmailbox = x\ry")
@example(b"[emaild]\ninclude = emaild.conf")
@example(b"[emaild]\ninclude = ~x/*.conf, /" + b"x" * 5000)
def test_lines_of_any_kind_are_settings_or_mistakes(content: bytes) -> None:
    outcome({"emaild.conf": content})


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_settings_or_mistakes(content: bytes) -> None:
    outcome({"emaild.conf": content})


@given(st.dictionaries(st.sampled_from(FILES[1:]), mangled()), mangled())
def test_files_that_include_each_other_are_settings_or_mistakes(others: dict[str, bytes], content: bytes) -> None:
    outcome({**others, "emaild.conf": content})


@given(st.sampled_from(HEADERS), name, st.binary(max_size=60))
def test_a_value_of_any_bytes_is_settings_or_mistakes(header: str, name: str, content: bytes) -> None:
    outcome({"emaild.conf": f"[{header.replace('NAME', 'x')}]\n{name} = ".encode() + content})


@given(st.binary(max_size=60))
def test_a_password_file_of_any_bytes_is_settings_or_mistakes(content: bytes) -> None:
    with tempfile.NamedTemporaryFile() as kept:
        Path(kept.name).write_bytes(content)
        found = outcome({"emaild.conf": f"[secret-x]\npassword = file:{kept.name}\n".encode()})
    if isinstance(found, Settings):
        secret = found.secrets["secret-x"].password
        assert secret.reveal() == content.decode().replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")


def test_what_is_made_up_here_is_sometimes_right_and_sometimes_wrong() -> None:
    right = b"[emaild]\ninclude = a.conf"
    assert isinstance(outcome({"emaild.conf": right, "a.conf": b"[store]\nkeep-history = 1"}), Settings)
    assert isinstance(outcome({"emaild.conf": right, "a.conf": b"[store]\nkeep-history = x"}), ConfigError)
