"""Whatever lies in a conf file, it becomes settings or a list of mistakes, and nothing else happens."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from emaild.errors import ConfigError
from emaild.settings.load import SECTIONS, Settings, load
from emaild.settings.option import options, section_kind

NAMES = sorted({declared.name for kind in SECTIONS for declared in options(kind)})
HEADERS = sorted(section_kind(kind).name for kind in SECTIONS)
VALUES = ["true", "5m", "1", "00:00:30", "/tmp", "IMAP", "move", "a@b.c", "file:/dev/null", "env:HOME", "~x", "[", "%("]
BLANKS = ["", "", "", " ", "\t", "\u00a0", "\x0b", "\r", "\u2028", "\x1c", "\x85"]

value = st.one_of(st.sampled_from(VALUES), st.text(max_size=20))
line = st.one_of(
    st.builds("{}[{}]".format, st.sampled_from(BLANKS), st.sampled_from([*HEADERS, "DEFAULT", "pop-client-ü", "x"])),
    st.builds("{}{}{}={}".format, st.sampled_from(BLANKS), st.sampled_from(NAMES), st.sampled_from(BLANKS), value),
    st.text(max_size=20),
)


def outcome(content: bytes) -> Settings | ConfigError:
    """What becomes of a file with that content; anything but these two is raised."""
    with tempfile.TemporaryDirectory() as folder:
        conf = Path(folder, "emaild.conf")
        conf.write_bytes(content)
        try:
            return load(conf)
        except ConfigError as error:
            return error


@given(st.lists(line, max_size=12).map("\n".join))
@example("[log]\n\u00a0[x] = 1")
@example("[emaild]\ntemplates = ~x")
@example("[pop-client]\npassword = credential:" + "x" * 300)
@example("[emaild]\ntemplates = /" + "x" * 5000)
@example("[pop-client]\npassword = file:\nserver = \r\nmailbox = x\ry")
def test_lines_of_any_kind_are_settings_or_mistakes(content: str) -> None:
    result = outcome(content.encode("utf-8", "surrogatepass"))
    if isinstance(result, ConfigError):
        assert result.lines
        assert all("\n" not in text and "emaild.conf:" in text for text in result.lines)


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_settings_or_mistakes(content: bytes) -> None:
    outcome(content)


@given(st.sampled_from(HEADERS), st.sampled_from(NAMES), st.binary(max_size=60))
def test_a_value_of_any_bytes_is_settings_or_mistakes(header: str, name: str, content: bytes) -> None:
    outcome(f"[{header}]\n{name} = ".encode() + content)
