"""Whatever is imported, it becomes a conf file that loads, or one line that says what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emaild.errors import InputError
from emaild.settings.load import Settings
from emaild.settings.option import options, section_kind
from emaild.settings.property_map import PROPERTIES
from emaild.settings.reader import SECTIONS
from tests.conf_files import ConfFiles
from tests.unit.settings.exporting import ACCOUNT, imported, xml


def settled(content: bytes, folder: Path) -> Settings | InputError:
    """What becomes of an export; anything but a conf file that loads, or one line, is raised."""
    try:
        made = imported(content)
    except InputError as error:
        return error
    return ConfFiles(folder).load(made.text, outside_unit=True)


NAMES = sorted(
    {declared.name for kind in SECTIONS for declared in options(kind)} | {p.name for p in PROPERTIES.values()}
)
HEADERS = [ending for kind in SECTIONS for ending in section_kind(kind).spellings]
VALUES = ["true", "5m", "1", "60000", "/tmp", "IMAP", "file:/dev/null", "*", "a b", "\r", "\x1b[1m", '" ', "none", "x"]
HEADER = st.sampled_from([*HEADERS, "smtp", "ucs", "DEFAULT", "a]b", "emaild"]) | st.text(max_size=5)
OPTION = st.tuples(HEADER, st.sampled_from(NAMES) | st.text(max_size=5), st.sampled_from(VALUES) | st.text(max_size=9))


def as_ini(rows: list[tuple[str, str, str]]) -> bytes:
    return "".join(f"[{section}]\n{name} = {value}\n" for section, name, value in rows).encode("utf-8", "replace")


def as_csv(rows: list[tuple[str, str, str]]) -> bytes:
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    return "\n".join(["Section,Option,Value", *quoted]).encode("utf-8", "replace")


def as_xml(rows: list[tuple[str, str, str]]) -> bytes:
    def escaped(text: str) -> str:
        kept = (
            letter for letter in text if letter in "\t\n\r" or " " <= letter < "\ud800" or "\ue000" <= letter < "\ufffe"
        )
        return "".join(f"&#{ord(letter)};" for letter in kept)

    pairs = "".join(
        f'<list_pair key="{escaped(section)}"><x key="{escaped(name)}" value="{escaped(value)}"/></list_pair>'
        for section, name, value in rows
    )
    return xml(pairs).encode()


WHOLE = [("pop-client", name, value) for name, value in ACCOUNT.items()] + [("smtp", "server", "s")]


@given(st.lists(OPTION, max_size=12), st.sampled_from([as_ini, as_csv, as_xml]), st.booleans())
def test_options_of_any_kind_become_a_good_conf_file(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]], form: object, whole: bool
) -> None:
    assert callable(form)
    settled(form([*(WHOLE if whole else []), *rows]), tmp_path_factory.mktemp("any"))


@given(
    st.binary(max_size=300)
    | st.builds(
        bytes.__add__,
        st.sampled_from([b"<", b"<?xml version='1.0' encoding='", b"\xff\xfe", b"Section,Option,Value\n", b"[log]\n"]),
        st.binary(max_size=100),
    )
)
@example(b"<?xml version='1.0' encoding='utf-16'?><a/>")
@example(b"<?xml version='1.0' encoding='klingon'?><a/>")
@example(b"\xef\xbb\xbf\xef\xbb\xbf[log]\n")
def test_bytes_of_any_kind_are_a_good_conf_file_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    outcome = settled(content, tmp_path_factory.mktemp("any"))
    assert "\n" not in str(outcome) or isinstance(outcome, Settings)
