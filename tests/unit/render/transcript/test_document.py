"""Any bytes as a transcript: what can be read is, what cannot is refused, and nothing costs more than its length."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaild.render.transcript import TranscriptUnreadable, read
from emaild.render.transcript.document import DEPTH, ELEMENTS, LARGEST
from tests.unit.render.transcript.chats import chat, joins, said, says

WORDS = "Grüße, 5 € – שלום 😃"


def labelled(text: str, declaration: str) -> str:
    return declaration + chat(says(text)).partition("?>")[2]


@pytest.mark.parametrize(
    "declaration",
    [
        "",
        '<?xml version="1.0"?>',
        '<?xml encoding="UTF-8"?>',
        '\n <?xml version="1.1" encoding="UTF-8" standalone="yes"?>\n',
        '<?xml version="1.0" encoding="ISO-8859-1"?>',
        '<?xml version="1.0" encoding="UTF-16"?>',
        '<?xml version="1.0" encoding="no-such"?>',
    ],
)
@pytest.mark.parametrize("charset", [None, "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_the_charset_is_found_whatever_the_declaration_says(declaration: str, charset: str | None) -> None:
    xml = labelled(WORDS, declaration)
    assert said(read(xml if charset is None else xml.encode(charset))) == [WORDS]


def test_a_label_counts_where_the_bytes_are_no_utf_8() -> None:
    xml = labelled("Привет", '<?xml version="1.0" encoding="windows-1251"?>')
    assert said(read(xml.encode("windows-1251"))) == ["Привет"]


@pytest.mark.parametrize("label", ["utf-8", "idna", "unicode_escape", "rot13", "cp99999", "windows-1252"])
def test_bytes_that_fit_no_label_are_windows_1252(label: str) -> None:
    xml = labelled("Grüße – 5 €", f'<?xml version="1.0" encoding="{label}"?>')
    assert said(read(xml.encode("windows-1252"))) == ["Grüße – 5 €"]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("a&#55357;&#56835;b", "a😃b"),
        ("a&#xD83D;&#xDE03;b", "a😃b"),
        ("a&#xD83D;b", "a\ufffdb"),
        ("a&#0;b&#x1F;c&#xFFFE;d", "a\ufffdb\ufffdc\ufffdd"),
        ("a\x00b\x0bc\x1bd", "a\ufffdb\ufffdc\ufffdd"),
        ("a&#99999999;b", "a\ufffdb"),
        ("a&#10;b &#x26;#60; &lt;", "a\nb &#60; <"),
        ("<![CDATA[<b>]]>", "<b>"),
    ],
)
def test_characters_that_xml_does_not_have_are_replaced(written: str, text: str) -> None:
    assert said(read(chat(says("HERE")).replace("HERE", written))) == [text]


def test_halves_of_a_character_in_a_string_are_put_together() -> None:
    assert said(read(chat(says("a\ud83d\ude03b\ud83d")))) == ["a😃b\ufffd"]


ENTITY = '<!DOCTYPE chatTranscript [<!ENTITY a "{}">]>' + chat(says("HERE")).partition("?>")[2].replace("HERE", "&a;")


@pytest.mark.parametrize(
    "xml",
    [
        "",
        " ",
        "hello",
        "<chatTranscript>",
        "<chatTranscript></message></chatTranscript>",
        "<chatTranscript/><chatTranscript/>",
        "<html><body/></html>",
        "<chatTranscript a='1' a='2'/>",
        "<chatTranscript>&nbsp;</chatTranscript>",
        "<chatTranscript><?xml version='1.0'?></chatTranscript>",
        ENTITY.format("x"),
        ENTITY.replace('"{}"', 'SYSTEM "file:///etc/hostname"'),
        '<!DOCTYPE chatTranscript SYSTEM "http://127.0.0.1:9/x.dtd"><chatTranscript/>',
        "\x00\x01\x02",
    ],
)
def test_what_is_no_chat_transcript_is_refused_in_one_line(xml: str) -> None:
    for given_as in (xml, xml.encode()):
        with pytest.raises(TranscriptUnreadable, match=r"^the chat transcript [^\n]+$"):
            read(given_as)


def test_an_entity_bomb_is_refused_before_it_goes_off() -> None:
    levels = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 100}">' for n in range(20))
    bomb = f'<!DOCTYPE x [<!ENTITY a0 "bang">{levels}]><chatTranscript>&a20;</chatTranscript>'
    with pytest.raises(TranscriptUnreadable):
        read(bomb)


@pytest.mark.parametrize("depth", [DEPTH + 1, 300_000])
def test_elements_too_deep_in_each_other_are_refused(depth: int) -> None:
    with pytest.raises(TranscriptUnreadable, match="in each other"):
        read("<chatTranscript>" + "<a>" * depth)


def test_too_many_elements_are_refused() -> None:
    with pytest.raises(TranscriptUnreadable, match="200000 elements"):
        read("<chatTranscript>" + "<a/>" * ELEMENTS)


@pytest.mark.parametrize("filler", [" ", "<", "&#55357;"])
def test_a_transcript_that_is_too_big_is_refused(filler: str) -> None:
    with pytest.raises(TranscriptUnreadable, match="16 MiB"):
        read(("<chatTranscript>" + filler * LARGEST)[: LARGEST + 1])


@pytest.mark.parametrize(
    "hostile",
    [
        "&#55357;" * 400_000,
        "&#" * 1_500_000,
        "<?xml " * 500_000,
        "<!-- " * 500_000,
        "<![CDATA[" * 400_000,
        "\n" * 3_000_000,
        "<chatTranscript " + "".join(f"a{n}='' " for n in range(400_000)) + "/>",
        "<chatTranscript>" + "<message eventId='1'/>" * 190_000 + "</chatTranscript>",
        "<chatTranscript><newParty><userData>"
        + "<item key='k'>v</item>" * 190_000
        + "</userData></newParty></chatTranscript>",
        "<chatTranscript><message><msgText>" + "\r\n" * 1_500_000 + "</msgText></message></chatTranscript>",
    ],
    ids=lambda hostile: hostile[:20],
)
def test_hostile_lengths_take_no_more_than_their_length(hostile: str) -> None:
    """Any of them would take minutes if the time grew with the square of the length."""
    try:
        read(hostile)
    except TranscriptUnreadable:
        assert not hostile.endswith("</chatTranscript>")


PIECES = st.sampled_from(
    [
        *("<message>", "</message>", "<msgText>", "</msgText>", "<notice", "<partyLeft ", "<reason code='4'>", "<item"),
        *(' eventId="1"', ' timeShift="', " visibility='ALL'", " key='file-size'", "/>", ">", "&#", "&amp;", "]]>"),
        *("\0", "\ud83d", "😃", "\u202e", "x", '"', joins(), says("hello")),
    ]
)


@given(st.lists(PIECES, max_size=30))
def test_whatever_stands_in_it_a_transcript_is_read_or_refused(pieces: list[str]) -> None:
    try:
        assert read(chat("".join(pieces))).session_id == "0001"
    except TranscriptUnreadable:
        return


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    for bytes_of_any_kind in (
        raw,
        b"<?xml version='1.0' encoding='" + raw,
        b"<chatTranscript>" + raw + b"</chatTranscript>",
    ):
        try:
            read(bytes_of_any_kind)
        except TranscriptUnreadable:
            continue
